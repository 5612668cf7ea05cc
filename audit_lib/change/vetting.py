"""What `go vet` finds in packages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from audit_lib.change.failures import Failure, Report, files_in, gist, without_positions
from audit_lib.change.packages import Commands, Package, base_path, by_module, objects


def vetted(commands: Commands, packages: Sequence[Package]) -> Report:
    """The findings of `go vet` in packages that compile, tests included; each place once, whatever variants it has.

    A finding's name is its file, analyzer and message without positions.
    """
    failures: dict[str, Failure] = {}
    for module, group in by_module(packages):
        folders = {package.path: package.folder for package in group}
        done = commands.run(module, ["vet", "-json"], list(folders))
        # The objects were on standard error up to Go 1.24.
        for item in objects(f"{done.stdout}\n{done.stderr}"):
            for variant, analyzers in item.items():
                if not isinstance(analyzers, dict):
                    continue  # no object of its own: what a compiler says can look like one
                path = base_path({"ImportPath": variant})
                for analyzer, findings in analyzers.items():
                    for failure in _failures(commands, path, folders.get(path, "."), analyzer, findings):
                        failures.setdefault(f"{path} {failure.message}", failure)
        said = [line for line in done.stderr.splitlines() if re.match(r"(vet|go): ", line)]
        if done.returncode != 0 and not failures and said:
            name = gist(said)
            failures[name] = Failure("vet", f"module in {module}", without_positions(name), name)
    return Report(tuple(failures[key] for key in sorted(failures)))


def _failures(commands: Commands, path: str, folder: str, analyzer: str, findings: Any) -> list[Failure]:
    # An analyzer that fails itself says so in place of its findings.
    items = findings if isinstance(findings, list) else [{"posn": "", "message": _own_fault(findings)}]
    result = []
    for item in items:
        place = item["posn"].replace(f"{commands.root}/", "")
        message = f"{place}: {item['message']} ({analyzer})".removeprefix(": ")
        message = message.replace(f"{commands.root}/", "")
        result.append(Failure("vet", path, without_positions(message), message, files_in(place, commands.root, folder)))
    return result


def _own_fault(findings: Any) -> str:
    return str(findings.get("error", findings) if isinstance(findings, dict) else findings)
