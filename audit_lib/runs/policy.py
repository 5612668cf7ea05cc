"""A policy that a run decides otherwise than the target's configuration, as a configuration of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from audit_lib import config as configuration
from audit_lib.config import Config, Policy
from audit_lib.errors import UsageError

_NUMBERS = frozenset({"max_radius"})


@contextmanager
def decided(target: Path, config: Path | None, policy: str) -> Iterator[Path | None]:
    """The configuration file to use within the block: `config` itself, where `policy` is empty.

    `policy` is a list like `exported: variant, workers: keep`, with the keys and values of `[policy]`; what it does
    not name stays as configured. Raises `UsageError` for what is none of them, `ConfigError` as `config.load` does.
    """
    chosen = _chosen(policy)
    if not chosen:
        yield config
        return
    settings = configuration.load(target, config)
    changed = msgspec.structs.replace(settings, policy=_with(settings.policy, chosen))
    with tempfile.TemporaryDirectory(prefix="ctxaudit-policy-") as folder:
        path = Path(folder) / configuration.FILE_NAME
        path.write_text(_toml(changed), encoding="utf-8")
        yield path


def check(policy: str) -> None:
    """Raise `UsageError` for what is no policy."""
    _with(Policy(), _chosen(policy))


def _chosen(policy: str) -> dict[str, str | int]:
    chosen: dict[str, str | int] = {}
    for part in filter(str.strip, policy.split(",")):
        key, colon, value = (word.strip() for word in part.partition(":"))
        if not colon or key not in Policy.__struct_fields__:
            known = ", ".join(Policy.__struct_fields__)
            raise UsageError(f"policy {part.strip()!r} is none; write `key: value`, with a key of {known}")
        chosen[key] = int(value) if key in _NUMBERS and value.isdecimal() else value
    return chosen


def _with(policy: Policy, chosen: Mapping[str, str | int]) -> Policy:
    try:
        return msgspec.convert({**msgspec.to_builtins(policy), **chosen}, type=Policy)
    except msgspec.ValidationError as error:
        said = str(error).replace("`$.", "`")
        raise UsageError(f"policy: {said}; see docs/configuration.md for the values") from error


def _toml(config: Config) -> str:
    """A configuration as TOML: a string in JSON, its characters unescaped, is one in TOML too."""
    data: dict[str, object] = msgspec.to_builtins(config)
    plain = [f"{key} = {_literal(value)}" for key, value in data.items() if not isinstance(value, dict)]
    for name, table in data.items():
        if isinstance(table, dict):
            plain += [f"[{name}]", *(f"{_literal(key)} = {_literal(value)}" for key, value in table.items())]
    return "\n".join(plain) + "\n"


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
