"""Removing what hostile code may have left: folders of any depth and mode, with links to anywhere in them."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import closing, suppress
from pathlib import Path

from audit_lib.untrusted.writing import PRIVATE_FOLDER, Held, held

_ALL = stat.S_IRUSR | stat.S_IWUSR | stat.S_IXUSR


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it; no link is followed. What cannot be removed stays.

    Folders in it are moved up to its top and emptied there: so their depth does not matter, and neither does who moves
    them meanwhile. A link, or what is no folder, goes by itself.
    """
    with suppress(OSError), held(folder.parent) as above:
        info = above.info(folder.name)
        if info is None:
            return
        if not stat.S_ISDIR(info.st_mode):
            above.remove(folder.name)
            return
        _open_up(above, folder.name)
        with closing(above.folder(folder.name)) as top:
            _empty(top)
        above.remove_folder(folder.name)


def _empty(top: Held) -> None:
    waiting = _swept(top, top)
    while waiting:
        name = waiting.pop()
        with suppress(OSError):
            _open_up(top, name)
            with closing(top.folder(name)) as folder:
                waiting += _swept(folder, top)
            top.remove_folder(name)


def _swept(folder: Held, top: Held) -> list[str]:
    """Remove the files of a folder, and move the folders in it up to `top`: the names that they have there."""
    found = []
    for entry in folder.entries():
        with suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                folder.remove(entry.name)
            elif folder is top:
                found.append(entry.name)
            else:
                fresh = secrets.token_hex(16)
                _open_up(folder, entry.name)  # a folder that moves is written: `..` is in it
                folder.move(entry.name, fresh, top)
                found.append(fresh)
    return found


def _open_up(above: Held, name: str) -> None:
    """Let the user list and change a folder. Go's module cache, for one, is read-only."""
    info = above.info(name)
    if info is None or not stat.S_ISDIR(info.st_mode) or info.st_mode & _ALL == _ALL:
        return
    if above.handle is None:
        (above.path / name).chmod(PRIVATE_FOLDER)
    elif os.chmod in os.supports_follow_symlinks:
        os.chmod(name, PRIVATE_FOLDER, dir_fd=above.handle, follow_symlinks=False)
    else:  # Linux: by a handle that needs no right to read
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=above.handle)
        try:
            Path(f"/proc/self/fd/{handle}").chmod(PRIVATE_FOLDER)
        finally:
            os.close(handle)
