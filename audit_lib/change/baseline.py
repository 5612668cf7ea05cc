"""What failed in a target before a change: asked for only where something fails after it, and kept by content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

import audit_lib
from audit_lib.change.budget import OutOfTimeError
from audit_lib.change.failures import Report, joined, relevant
from audit_lib.change.packages import Commands, Package
from audit_lib.change.scratch import Scratch
from audit_lib.read.gotool import cache_root
from audit_lib.untrusted.writing import private_folder

_ENVIRONMENT = ("CGO_ENABLED", "GOARCH", "GOEXPERIMENT", "GOFLAGS", "GOOS", "GOWORK")


class Baseline:
    """The reports of a target as it was, by step and package. One for a copy, whatever is tried there after."""

    def __init__(self, scratch: Scratch, commands: Commands) -> None:
        self._scratch = scratch
        self._place = _place(scratch, commands)
        self._reports: dict[str, Report] = _recalled(self._place)

    def of(
        self,
        step: str,
        packages: Sequence[Package],
        before: Mapping[str, bytes | None],
        run: Callable[[Sequence[Package]], Report],
    ) -> Report:
        """What a step says of these packages with the files as they were; it is run for those not asked for yet.

        Raises `OutOfTimeError` where there is no time for that.
        """
        missing = [package for package in packages if f"{step} {package.path}" not in self._reports]
        if missing:
            with self._scratch.showing(before):
                report = run(missing)
            if report.unfinished:
                raise OutOfTimeError
            for package in missing:
                self._reports[f"{step} {package.path}"] = relevant(report, [package.path])
            self._keep()
        return joined(self._reports[f"{step} {package.path}"] for package in packages)

    def seconds(self, step: str) -> dict[str, float]:
        """What the tests of packages took before the change, as far as it was asked for."""
        known = (report for name, report in self._reports.items() if name.startswith(f"{step} "))
        return {path: taken for report in known for path, taken in report.seconds.items()}

    def _keep(self) -> None:
        if self._place is None:
            return
        try:
            private_folder(self._place.parent, top=cache_root())
            with tempfile.NamedTemporaryFile(dir=self._place.parent, delete=False) as file:
                file.write(msgspec.json.encode(self._reports))
            Path(file.name).replace(self._place)
        except OSError:
            return  # a cache that cannot be written is done without


def _place(scratch: Scratch, commands: Commands) -> Path | None:
    if not scratch.whole:
        return None
    parts = [audit_lib.__version__, scratch.digest, commands.go.version, repr(commands.options)]
    parts += [f"{name}={os.environ.get(name, '')}" for name in _ENVIRONMENT]
    return cache_root() / "baselines" / f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}.json"


def _recalled(place: Path | None) -> dict[str, Report]:
    if place is None:
        return {}
    try:
        return msgspec.json.decode(place.read_bytes(), type=dict[str, Report])
    except (OSError, msgspec.DecodeError):
        return {}
