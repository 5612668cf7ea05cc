"""`ctxaudit.toml`: phases, policy, exclusions and a team's own rules. Unknown keys are errors."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from audit_lib.errors import ConfigError
from audit_lib.globs import matches
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

SIZE_LIMIT = 64 << 10
"""Characters of a configuration. What reads TOML takes the square of its size for tables without end."""

DOTS_LIMIT = 1000
"""Dots on a line of it: a key of so many parts takes as many steps for each."""

PATTERNS_LIMIT = 1000
"""Patterns of all phases and `exclude` together: each is held against each file."""

PATTERN_LIMIT = 1000
"""Characters of a pattern: names of files are shorter."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a team decides once. `max_radius` is the number of functions that one context may be worth."""

    workers: Literal["fix", "keep"] = "fix"
    exported: Literal["auto", "change", "variant", "refuse"] = "auto"
    stored: Literal["keep", "fix"] = "keep"
    tests: Literal["auto", "fix", "keep"] = "auto"
    logging: Literal["auto", "fix", "keep"] = "auto"
    max_radius: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 60


class GoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the target's packages are loaded: build tags, `-mod` and `-modfile`, and whether imports may be compiled.

    `outside` are folders, not in the target, that its go.mod and go.work files may name.
    """

    tags: tuple[str, ...] = ()
    mod: Literal["", "mod", "readonly", "vendor"] = ""
    modfile: str = ""
    compile: Literal["auto", "always", "never"] = "auto"
    outside: tuple[str, ...] = ()


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


def load(target: Path, path: Path | None = None) -> Config:
    """The configuration of a target: `path` where one is named, else `ctxaudit.toml` in the target, else defaults.

    A file in the target does not decide what is written or read outside of it. `[go] outside` is relative to the file.
    Raises `ConfigError` with the file and the key.
    """
    file = path or target / FILE_NAME
    if path is None and not os.path.lexists(file):
        return Config()
    try:
        data = read_bytes(target, FILE_NAME, TEXT_LIMIT) if path is None else path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); name another file with --config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML ({error}); mend it or remove it") from error
    _check_size(text, file)
    try:
        config = msgspec.convert(tomllib.loads(text), type=Config)
    except RecursionError as error:
        raise ConfigError(f"{file}: tables or arrays are nested too deeply; see docs/configuration.md") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {_in_toml_words(str(error))}; see docs/configuration.md for the keys") from error
    except ValueError as error:  # of TOML itself, or a number of more digits than Python reads
        raise ConfigError(f"{file}: not valid TOML ({error}); mend it or remove it") from error
    _check_patterns(config, file)
    if _is_in(target, file):
        _check_own(config, file)
    outside = tuple(str(file.resolve().parent / folder) for folder in config.go.outside)
    return msgspec.structs.replace(config, go=msgspec.structs.replace(config.go, outside=outside))


def _is_in(target: Path, file: Path) -> bool:
    """Whether a file is in a target, by its name or by where a link leads."""
    places = (Path(os.path.abspath(file)), file.resolve())  # noqa: PTH100 -- without following links
    return any(place.is_relative_to(top) for place in places for top in (target.absolute(), target.resolve()))


def _check_own(config: Config, file: Path) -> None:
    """Refuse what only who runs the tool may decide: what is let write to go.mod, and which other files are read."""
    options = config.go
    for given, key, how in (
        (options.mod == "mod", 'mod = "mod"', "--mod mod"),
        (bool(options.modfile), f"modfile = {options.modfile!r}", "--modfile FILE"),
        (bool(options.outside), "outside", "--outside DIR"),
    ):
        if given:
            raise ConfigError(f"{file}: `[go] {key}` is not taken from the target; give {how} on the command line")


def _check_size(text: str, file: Path) -> None:
    if len(text) > SIZE_LIMIT:
        raise ConfigError(f"{file}: larger than {SIZE_LIMIT >> 10} KiB; write wider patterns in place of many")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > DOTS_LIMIT:
            raise ConfigError(
                f"{file}: line {number} has more than {DOTS_LIMIT} dots; write its values on several lines"
            )


def _in_toml_words(message: str) -> str:
    return message.replace("Object contains unknown field", "unknown key").replace("`$.", "`").replace(" - at `$`", "")


def _check_patterns(config: Config, file: Path) -> None:
    """Refuse patterns that could never match: files are named relative to the target, without `./`."""
    patterns = [*config.exclude, *(pattern for phase in config.phases.values() for pattern in phase)]
    if len(patterns) > PATTERNS_LIMIT:
        raise ConfigError(f"{file}: {len(patterns)} patterns; at most {PATTERNS_LIMIT} are read, so write wider ones")
    for pattern in patterns:
        if len(pattern) > PATTERN_LIMIT:
            raise ConfigError(f"{file}: the pattern {pattern[:20]!r}… has more than {PATTERN_LIMIT} characters")
        if pattern.startswith(("/", "./", "../")) or not pattern:
            raise ConfigError(
                f"{file}: the pattern {pattern!r} matches no file; write it relative to the target, api/**"
            )


def as_builtins(config: Config) -> dict[str, object]:
    """The configuration as plain dictionaries, as an audit records it."""
    plain = msgspec.structs.replace(config, go=msgspec.structs.replace(config.go, outside=()))
    builtins: dict[str, Any] = msgspec.to_builtins(plain)
    del builtins["go"]["outside"]  # where folders of the machine lie
    return builtins
