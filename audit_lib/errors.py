"""What can go wrong, one class per cause, each with its exit code and a message of one line."""

from __future__ import annotations


class AuditError(Exception):
    """The base: `str(error)` is one line that says what, where, and what to do. `exit_code` is the process's."""

    exit_code = 2


class Terminated(BaseException):
    """The process is asked to end (SIGTERM)."""


class UsageError(AuditError):
    """Wrong options or arguments."""

    exit_code = 2


class ConfigError(AuditError):
    """`ctxaudit.toml` cannot be used: unknown key, wrong type, broken TOML."""

    exit_code = 2


class RuleError(ConfigError):
    """A rule file of the tool or of a team cannot be used."""


class TargetError(AuditError):
    """The target cannot be read: missing, not a folder, no Go code."""

    exit_code = 3


class ToolchainError(AuditError):
    """A Go toolchain or the facts helper is missing, too old or fails. A scan goes on without it."""

    exit_code = 3


class OutOfTimeError(ToolchainError):
    """Types were not read within the time that was given. A scan goes on without them."""


class ExhaustedError(AuditError):
    """Following what a target calls takes more work or time than it may. A scan has it as a degradation."""

    exit_code = 3


class OutputError(AuditError):
    """Results cannot be written: read-only, no space."""

    exit_code = 3


class GateError(AuditError):
    """A gate is not met, or a verification failed."""

    exit_code = 1
