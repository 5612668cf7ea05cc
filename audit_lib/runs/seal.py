"""A seal that only this user's runs can make: what a target ships is not taken for what a run has left.

The key is random, made once, and lies in the user's cache. Without it nothing can be sealed, and no seal holds.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress

from audit_lib.read.gotool import cache_root
from audit_lib.untrusted.writing import PRIVATE_FILE, Held, held, private_folder, unguessable

NAME = "seal.key"
_BYTES = 32


def seal(data: bytes) -> str:
    """The seal of some bytes, in hex; empty where the cache has no key and cannot get one."""
    key = _key()
    return hmac.digest(key, data, "sha256").hex() if key else ""


def holds(data: bytes, given: str) -> bool:
    """Whether a seal is this user's, of these bytes."""
    wanted = seal(data)
    return bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))


def _key() -> bytes:
    try:
        private_folder(cache_root(), top=cache_root())
        with held(cache_root()) as folder:
            return _read(folder) or _made(folder)
    except OSError:
        return b""


def _read(folder: Held) -> bytes:
    """The key in the cache; nothing where there is none, or one that is no secret."""
    info = folder.info(NAME)
    if info is None or (folder.handle is not None and (info.st_uid != os.geteuid() or info.st_mode & 0o077)):
        return b""
    with suppress(OSError):  # a link or a pipe
        data = folder.read(NAME, _BYTES) or b""
        return data if len(data) == _BYTES else b""
    return b""


def _made(folder: Held) -> bytes:
    """Make the key, whole or not at all; of two processes that do so at once, both get the same one."""
    fresh = unguessable(NAME)
    folder.write(fresh, secrets.token_bytes(_BYTES), PRIVATE_FILE, sync=True)
    try:
        folder.give_name(fresh, NAME)
    except FileExistsError:  # another process was first, or what is there is no key
        if not _read(folder):
            folder.move(fresh, NAME)
    finally:
        with suppress(FileNotFoundError):
            folder.remove(fresh)
    return _read(folder)
