"""What a repository does by habit: whether its tests take `t.Context()`, or its linter asks for it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from audit_lib.config import DOTS_LIMIT, SIZE_LIMIT
from audit_lib.read.documents import DocumentError, documents
from audit_lib.untrusted.files import TEXT_LIMIT, read_bytes

LINTER_FILES = (".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json")
"""The names under which golangci-lint looks for its configuration, in its order."""

LINTER = "usetesting"
"""The linter that asks for `t.Context()` in place of a root."""

_TESTING = re.compile(rb"\b(\w{1,40}) \*?testing\.(?:T|B|F|TB)\b")
_CONTEXT = re.compile(rb"\b(\w{1,40}(?:\(\))?)\.Context\(\)")


def count_test_contexts(data: bytes) -> int:
    """How often a test file asks a test for its context: `t.Context()`, by the name of a parameter, or `s.T()`."""
    asked = _CONTEXT.findall(data)
    if not asked:
        return 0
    names = {b"T()", *_TESTING.findall(data)}
    return sum(name in names for name in asked)


def linter_asks(target: Path) -> bool:
    """Whether the golangci-lint configuration at a target's top has `usetesting` look for roots in tests.

    One that is missing, broken, or out of bounds asks for nothing.
    """
    for name in LINTER_FILES:
        try:
            text = read_bytes(target, name, TEXT_LIMIT).decode()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            return False
        return _asks(_parsed(name, text))
    return False


def _parsed(name: str, text: str) -> object:
    """What a configuration holds, as plain values; nothing where it cannot be read."""
    if len(text) > SIZE_LIMIT or any(line.count(".") > DOTS_LIMIT for line in text.split("\n")):
        return None
    try:
        if name.endswith(".toml"):
            return tomllib.loads(text)
        if name.endswith(".json"):
            found: object = json.loads(text)
            return found
        return next(iter(documents(text)), None)
    except (DocumentError, ValueError, RecursionError):
        return None


def _asks(config: object) -> bool:
    """Of both forms of the file: version 2 has `default` and `settings` below `linters`, version 1 `enable-all`."""
    linters = _part(config, "linters")
    every = linters.get("enable-all") is True or linters.get("default") == "all"
    chosen = LINTER in _list(linters, "enable") or (every and LINTER not in _list(linters, "disable"))
    settings = {**_part(_part(config, "linters-settings"), LINTER), **_part(_part(linters, "settings"), LINTER)}
    return chosen and settings.get("context-background") is not False


def _part(config: object, key: str) -> dict[str, object]:
    found = config.get(key) if isinstance(config, dict) else None
    return found if isinstance(found, dict) else {}


def _list(config: dict[str, object], key: str) -> list[object]:
    found = config.get(key)
    return found if isinstance(found, list) else []
