"""`ctxaudit.toml`: phases, policy, exclusions and a team's own rules. Unknown keys are errors."""

from __future__ import annotations

import os
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from audit_lib.errors import ConfigError
from audit_lib.untrusted.files import TEXT_LIMIT, read_bytes

FILE_NAME = "ctxaudit.toml"

DEFAULT_PHASES: dict[str, tuple[str, ...]] = {
    "api": ("api/**", "**/api/**", "**/restapi/**", "**/handlers/**", "**/server/**", "server/**"),
    "storage": (
        "storage/**",
        "**/storage/**",
        "**/store/**",
        "**/database/**",
        "database/**",
        "**/db/**",
        "db/**",
    ),
    "detection": ("detect/**", "**/detect/**", "**/detection/**", "detection/**"),
    "ml_soar": ("ml/**", "**/ml/**", "soar/**", "**/soar/**"),
}
REST = "core"


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a team decides once. `max_radius` is the number of functions that one context may be worth."""

    workers: Literal["fix", "keep"] = "fix"
    exported: Literal["auto", "change", "variant", "refuse"] = "auto"
    stored: Literal["keep", "fix"] = "keep"
    max_radius: Annotated[int, msgspec.Meta(ge=0)] = 60


class GoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the target's packages are loaded: build tags, `-mod` and `-modfile`, and whether imports may be compiled."""

    tags: tuple[str, ...] = ()
    mod: Literal["", "mod", "readonly", "vendor"] = ""
    modfile: str = ""
    compile: Literal["auto", "always", "never"] = "auto"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `ctxaudit.toml`. `phases` are tried in order, the first that matches a file wins; `core` is the rest.

    `exclude` holds patterns of files that are not scanned; `rules` folders or files of the team's own rules,
    relative to the target.
    """

    phases: dict[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: dict(DEFAULT_PHASES))
    exclude: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    policy: Policy = Policy()
    go: GoOptions = GoOptions()

    def phase_of(self, file: str) -> str:
        """The phase of a file (relative, `/`-separated)."""
        for phase, patterns in self.phases.items():
            if any(matches(file, pattern) for pattern in patterns):
                return phase
        return REST

    def excludes(self, file: str) -> bool:
        """Whether a file is left out of the scan."""
        return any(matches(file, pattern) for pattern in self.exclude)


def matches(file: str, pattern: str) -> bool:
    """Whether a path matches a pattern in which `**` stands for any number of folders, none included."""
    return _parts_match(tuple(file.split("/")), tuple(pattern.split("/")))


def _parts_match(parts: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return not parts
    head, rest = patterns[0], patterns[1:]
    if head == "**":
        return any(_parts_match(parts[i:], rest) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], head) and _parts_match(parts[1:], rest)


def load(target: Path, path: Path | None = None) -> Config:
    """The configuration of a target: `path` where one is named, else `ctxaudit.toml` in the target, else defaults.

    Raises `ConfigError` with the file and the key.
    """
    file = path or target / FILE_NAME
    if path is None and not os.path.lexists(file):
        return Config()
    try:
        data = read_bytes(target, FILE_NAME, TEXT_LIMIT) if path is None else path.read_bytes()
        config = msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), type=Config)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); name another file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML ({error}); mend it or remove it") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {_in_toml_words(str(error))}; see docs/configuration.md for the keys") from error
    _check_patterns(config, file)
    return config


def _in_toml_words(message: str) -> str:
    return message.replace("Object contains unknown field", "unknown key").replace("`$.", "`").replace(" - at `$`", "")


def _check_patterns(config: Config, file: Path) -> None:
    """Refuse patterns that could never match: files are named relative to the target, without `./`."""
    for pattern in (*config.exclude, *(p for patterns in config.phases.values() for p in patterns)):
        if pattern.startswith(("/", "./", "../")) or not pattern:
            raise ConfigError(
                f"{file}: the pattern {pattern!r} matches no file; write it relative to the target, api/**"
            )


def as_builtins(config: Config) -> dict[str, object]:
    """The configuration as plain dictionaries, as an audit records it."""
    builtins: dict[str, object] = msgspec.to_builtins(config)
    return builtins
