"""Results are written all or not at all: first into a folder beside them, then moved into place together.

The folder of the results may lie in a target, and hold what that ships: a link under the name of a result is replaced,
never followed, and so is a file that has other names elsewhere.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from audit_lib.errors import OutputError
from audit_lib.untrusted.removing import remove_tree
from audit_lib.untrusted.writing import PRIVATE_FOLDER, Held, held, unguessable


@contextmanager
def staged(out: Path, stale: Callable[[str], bool] = lambda name: False) -> Iterator[Path]:
    """A fresh folder to write into; its files move to `out` when the block ends well, and vanish when it does not.

    Makes `out` where it is missing. Nobody else can enter the fresh folder. What `stale` says of names in `out` goes
    when the files move, where no file takes its place. Raises `OutputError` for whatever the file system refuses, and
    leaves `out` as it was: what was replaced comes back, folders that were made go.
    """
    made: list[Path] = []
    try:
        made = _make(out)
        with held(out) as folder:
            # Inside `out`, since only there a move is sure to be a rename.
            name = unguessable("stage")
            with closing(folder.folder(name, make=PRIVATE_FOLDER)) as stage:
                try:
                    yield stage.path
                    _move_in(stage, folder, stale)
                    made = []
                finally:
                    remove_tree(out / name)
    except OSError as error:
        what = error.strerror or str(error)
        raise OutputError(f"{out}: cannot be written ({what}); free it or choose another folder with --out") from error
    finally:
        for path in made:
            remove_tree(path)


def _make(out: Path) -> list[Path]:
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    return missing[-1:]


def _move_in(stage: Held, out: Held, stale: Callable[[str], bool]) -> None:
    """Move each file of `stage` into `out`; when one cannot be moved, put everything back and raise."""
    news = [entry.name for entry in stage.entries() if entry.is_file(follow_symlinks=False)]
    gone = [entry.name for entry in out.entries() if entry.name not in news and stale(entry.name)]
    with closing(stage.folder("replaced", make=PRIVATE_FOLDER)) as olds:
        moved: list[str] = []
        try:
            for name in (*news, *gone):
                info = out.info(name)
                if info is not None and name in news and stat.S_ISDIR(info.st_mode):
                    raise IsADirectoryError(errno.EISDIR, f"{name} is a folder there")
                if info is not None:
                    out.move(name, name, olds)
                moved.append(name)
                if name in news:
                    stage.move(name, name, out)
        except OSError:
            for name in moved:
                with suppress(FileNotFoundError):
                    out.remove(name)
                if olds.info(name) is not None:
                    olds.move(name, name, out)
            raise
