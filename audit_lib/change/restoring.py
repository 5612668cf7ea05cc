"""Tests run in the copy that a fix is proved in, and may write there: what packages are built from is put back.

Else what is compiled, tested and audited after them would not be what is written to the target in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from audit_lib.change.copying import SKIPPED
from audit_lib.change.scratch import Scratch
from audit_lib.errors import OutputError
from audit_lib.untrusted.files import walk
from audit_lib.untrusted.writing import held

_ENDINGS = frozenset(
    {".go", ".s", ".S", ".sx", ".h", ".hh", ".hpp", ".hxx", ".c", ".cc", ".cpp", ".cxx", ".m", ".f", ".F", ".syso"}
    | {".mod", ".sum", ".work"}
)
_States = dict[str, tuple[int, ...]]


@contextmanager
def putting_back(scratch: Scratch) -> Iterator[list[str]]:
    """Within the block the code of the target runs in its copy. After it, what packages are built from is as it was.

    Gives a list that then holds the files which had changed, sorted. Raises `OutputError` where one cannot be put back.
    """
    changed: list[str] = []
    before = _states(scratch)
    try:
        yield changed
    finally:
        after = _states(scratch)
        different = [file for file in {**before, **after} if before.get(file) != after.get(file)]
        changed += sorted(file for file in different if _put_back(scratch, file, known=file in before))


def _states(scratch: Scratch) -> _States:
    """What the files are known by that packages are built from, links by themselves."""
    found: _States = {}
    for folder in walk(scratch.root, lambda name: name not in SKIPPED and name != "testdata"):
        for name in filter(_is_built, (*folder.files, *folder.links, *folder.others)):
            try:
                info = (scratch.root / folder.inside(name)).lstat()
            except OSError:
                continue  # gone since it was listed
            found[folder.inside(name)] = info.st_mtime_ns, info.st_size, info.st_ino
    return found


def _is_built(name: str) -> bool:
    return PurePosixPath(name).suffix in _ENDINGS or name == "modules.txt"


def _put_back(scratch: Scratch, file: str, *, known: bool) -> bool:
    """Give a file what it held, or remove one that is new; whether that was needed."""
    try:
        if not known:
            _remove(scratch, file)
            return True
        held_before = scratch.holds(file)
        if (scratch.root / file).is_symlink():
            _remove(scratch, file)
        elif scratch.root.is_dir() and scratch.read(file) == held_before:
            return False
        scratch.root.mkdir(parents=True, exist_ok=True)
        scratch.write({file: held_before})
    except OSError as error:
        raise OutputError(
            f"{file}: a test of the target changed it in the copy that a fix is proved in, and it cannot be put back"
            f" ({error.strerror}); nothing is written, fix with --verify build"
        ) from error
    return True


def _remove(scratch: Scratch, file: str) -> None:
    """Remove a file, or a link by itself."""
    folder, _, name = file.rpartition("/")
    with held(scratch.root, folder) as place:
        place.remove(name)
