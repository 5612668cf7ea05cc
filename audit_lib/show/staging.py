"""Results are written all or not at all: first into a folder beside them, then moved into place together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_lib.errors import OutputError


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A fresh folder to write into; its files move to `out` when the block ends well, and vanish when it does not.

    Makes `out` where it is missing. Raises `OutputError` for whatever the file system refuses, and leaves `out` as it
    was: files that were replaced come back, folders that were made go.
    """
    made: list[Path] = []
    stage: Path | None = None
    try:
        made = _make(out)
        # Inside `out`, since only there a move is sure to be a rename.
        stage = Path(tempfile.mkdtemp(prefix=".ctxaudit-", dir=out))
        yield stage
        _move_in(stage, out)
        made = []
    except OSError as error:
        what = error.strerror or str(error)
        raise OutputError(f"{out}: cannot be written ({what}); free it or choose another folder with --out") from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


def _make(out: Path) -> list[Path]:
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    return missing[-1:]


def _move_in(stage: Path, out: Path) -> None:
    """Move each file of `stage` into `out`; when one cannot be moved, put everything back and raise."""
    news = sorted(path for path in stage.iterdir() if path.is_file())
    olds = stage / "replaced"
    olds.mkdir()
    moved: list[Path] = []
    try:
        for new in news:
            place = out / new.name
            if place.is_dir():
                raise IsADirectoryError(21, f"{new.name} is a folder there")
            if place.exists():
                place.rename(olds / new.name)
            moved.append(place)
            new.rename(place)
    except OSError:
        for place in moved:
            place.unlink(missing_ok=True)
            if (olds / place.name).exists():
                (olds / place.name).rename(place)
        raise
