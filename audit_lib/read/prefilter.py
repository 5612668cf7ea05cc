"""Cheap looks at the bytes of a file, to spare parsing it. They may say yes for nothing, and never no for something."""

from __future__ import annotations

from functools import lru_cache

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_QUOTES = frozenset(b'"`')


def has_word(data: bytes, name: str) -> bool:
    """Whether a name stands somewhere by itself: `Dial` does not in `DialContext`."""
    word = _encoded(name)
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if (at == 0 or data[at - 1] not in _WORD) and (end == len(data) or data[end] not in _WORD):
            return True
        at = data.find(word, end)
    return False


def has_quoted(data: bytes, path: str) -> bool:
    """Whether a path stands somewhere in quotes, as an import does."""
    word = _encoded(path)
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if at > 0 and end < len(data) and data[at - 1] in _QUOTES and data[end] in _QUOTES:
            return True
        at = data.find(word, end)
    return False


def stands_alone(text: str, name: str) -> bool:
    """Whether a name stands somewhere as where it is declared: a whole word, no quote around it, no dot after it."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        before, after = text[at - 1 : at], text[end : end + 1]
        if before != '"' and after not in ('"', ".") and not (_is_word(before) or _is_word(after)):
            return True
        at = text.find(name, end)
    return False


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()


@lru_cache(maxsize=4096)
def _encoded(text: str) -> bytes:
    return text.encode()
