"""Typed pandas frames of an audit, live or saved. Everything that is drawn or tabled is drawn from these.

Nothing here judges: a frame holds what the records say, with the orders that people expect (critical before low).
`frame.ctx` gives the pivots of a findings frame, in a notebook: `findings(audit).ctx.production().ctx.by_phase()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import pandas as pd

from audit_lib.config import REST
from audit_lib.model import CATEGORIES, PRIORITIES, VERDICTS, Audit, CallKind, Finding, Kind, Lifetime, row_of

Dimension = Literal["phase", "category", "verdict", "priority", "kind", "package"]

_FINDINGS: dict[str, str] = {
    "fingerprint": "str",
    "kind": "category",
    "package": "str",
    "file": "str",
    "line": "int64",
    "column": "int64",
    "function": "str",
    "callee": "str",
    "category": "category",
    "verdict": "category",
    "priority": "category",
    "phase": "category",
    "production": "bool",
    "reason": "str",
    "recommendation": "str",
    "rule": "str",
    "source": "str",
    "lifetime": "category",
    "steps": "int64",
    "radius": "Int64",
}
_PATHS = {
    "fingerprint": "str",
    "step": "int64",
    "function": "str",
    "file": "str",
    "line": "int64",
    "kind": "category",
    "detail": "str",
}
_VERIFICATION = {"step": "str", "ok": "bool", "seconds": "float64", "detail": "str"}
_DEGRADATIONS = {"where": "str", "reason": "str"}


def findings(audit: Audit) -> pd.DataFrame:
    """One row a site, in the audit's order. `radius` is the number of functions that threading it changes."""
    frame = frame_of(_FINDINGS, [_finding_row(finding) for finding in audit.findings])
    for name, order in (("kind", get_args(Kind)), ("category", CATEGORIES), ("verdict", VERDICTS)):
        frame[name] = ordered(frame[name], order)
    frame["priority"] = ordered(frame["priority"], PRIORITIES)
    frame["phase"] = ordered(frame["phase"], phases(audit))
    frame["lifetime"] = ordered(frame["lifetime"], get_args(Lifetime))
    return frame


def phases(audit: Audit) -> tuple[str, ...]:
    """The audit's phases in the order of its configuration, the rest last."""
    configured = audit.config.get("phases")
    names = [str(name) for name in configured] if isinstance(configured, dict) else []
    found = sorted({finding.phase for finding in audit.findings} - {*names, REST})
    return (*(name for name in names if name != REST), *found, REST)


def totals(audit: Audit) -> pd.DataFrame:
    """Sites per phase, category, verdict and priority, in their orders; only combinations that occur."""
    keys = ["phase", "category", "verdict", "priority"]
    return findings(audit).groupby(keys, observed=True).size().reset_index(name="sites")


def packages(audit: Audit) -> pd.DataFrame:
    """One row a package (its folder): sites, those in production code, critical ones, and sites per verdict."""
    frame = findings(audit)
    table = pivots(frame).by_package()
    table.insert(0, "critical", _count(frame[frame["priority"] == "critical"], table.index))
    table.insert(0, "production", _count(frame[frame["production"]], table.index))
    table.insert(0, "sites", _count(frame, table.index))
    return table.rename_axis(columns=None).reset_index()


def paths(audit: Audit) -> pd.DataFrame:
    """One row a step of a finding's path, from the source (step 1) to the site."""
    rows = [
        (finding.fingerprint, number, step.function, step.file, step.line, step.kind, step.detail)
        for finding in audit.findings
        for number, step in enumerate(finding.path, start=1)
    ]
    frame = frame_of(_PATHS, rows)
    frame["kind"] = ordered(frame["kind"], get_args(CallKind))
    return frame


def verification(audit: Audit) -> pd.DataFrame:
    """One row a step of the proof, with its time in seconds."""
    return frame_of(_VERIFICATION, [(v.step, v.ok, v.seconds, v.detail) for v in audit.verification])


def degradations(audit: Audit) -> pd.DataFrame:
    """One row a thing that was read only in part."""
    return frame_of(_DEGRADATIONS, [(d.where, d.reason) for d in audit.degradations])


def pivots(frame: pd.DataFrame) -> Pivots:
    """What `frame.ctx` gives, for code that a type checker reads."""
    return Pivots(frame)


@pd.api.extensions.register_dataframe_accessor("ctx")
class Pivots:
    """The pivots of a findings frame: tables of counts (`by_…`), and narrower findings frames (`of_…`)."""

    def __init__(self, frame: pd.DataFrame) -> None:
        missing = {"phase", "category", "verdict", "priority", "production", "package"} - set(frame.columns)
        if missing:
            # pandas turns an AttributeError into "no such accessor on this frame", which is what it is.
            raise AttributeError(f"ctx needs a findings frame; without {', '.join(sorted(missing))} it is none")
        self._frame = frame

    def by_phase(self, columns: Dimension = "verdict") -> pd.DataFrame:
        """Sites per phase and verdict (or another dimension)."""
        return self.table("phase", columns)

    def by_category(self, columns: Dimension = "verdict") -> pd.DataFrame:
        """Sites per category and verdict (or another dimension)."""
        return self.table("category", columns)

    def by_verdict(self, columns: Dimension = "priority") -> pd.DataFrame:
        """Sites per verdict and priority (or another dimension)."""
        return self.table("verdict", columns)

    def by_priority(self, columns: Dimension = "verdict") -> pd.DataFrame:
        """Sites per priority and verdict (or another dimension)."""
        return self.table("priority", columns)

    def by_package(self, columns: Dimension = "verdict") -> pd.DataFrame:
        """Sites per package and verdict (or another dimension), by name."""
        return self.table("package", columns)

    def table(self, rows: Dimension, columns: Dimension) -> pd.DataFrame:
        """Counts of sites: rows that occur, all columns, both in their fixed order."""
        if rows == columns:
            raise ValueError(f"a table of {rows} against itself says nothing: choose another dimension")
        counts = self._frame.groupby([rows, columns], observed=True).size().unstack(fill_value=0)
        counts = counts.reindex(index=self._names(rows), columns=self._names(columns), fill_value=0).astype("int64")
        return counts[counts.sum(axis=1) > 0]

    def worst_packages(self, n: int = 10) -> pd.DataFrame:
        """The `n` packages with most sites, per verdict; equals by name."""
        table = self.by_package()
        return table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index[:n]]

    def production(self) -> pd.DataFrame:
        """The findings in production code."""
        return self._frame[self._frame["production"]]

    def tests(self) -> pd.DataFrame:
        """The findings in test code."""
        return self._frame[~self._frame["production"]]

    def of_phase(self, *names: str) -> pd.DataFrame:
        """The findings of these phases."""
        return self._of("phase", names)

    def of_category(self, *names: str) -> pd.DataFrame:
        """The findings of these categories."""
        return self._of("category", names)

    def of_verdict(self, *names: str) -> pd.DataFrame:
        """The findings with these verdicts."""
        return self._of("verdict", names)

    def of_priority(self, *names: str) -> pd.DataFrame:
        """The findings with these priorities."""
        return self._of("priority", names)

    def _names(self, dimension: str) -> pd.Index:
        column = self._frame[dimension]
        names = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else sorted(column.unique())
        index: pd.Index = pd.Index(names, name=dimension, dtype="str")
        return index

    def _of(self, dimension: str, names: Sequence[str]) -> pd.DataFrame:
        known = list(self._frame[dimension].cat.categories)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"no {dimension} named {', '.join(unknown)}: there are {', '.join(known)}")
        return self._frame[self._frame[dimension].isin(names)]


def package_of(file: str) -> str:
    """The package of a file as people read it: its folder, `.` for the target's own."""
    return file.rpartition("/")[0] or "."


def _finding_row(finding: Finding) -> tuple[object, ...]:
    row = row_of(finding)
    return (
        row.fingerprint,
        row.kind,
        package_of(row.file),
        row.file,
        row.line,
        row.column,
        row.function,
        row.callee,
        row.category,
        row.verdict,
        row.priority,
        row.phase,
        row.category != "test",
        row.reason,
        row.recommendation,
        finding.rule,
        row.source,
        finding.source.lifetime if finding.source else None,
        len(finding.path),
        finding.radius.functions if finding.radius else None,
    )


def frame_of(columns: dict[str, str], rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """A frame of these columns and types, whatever its rows."""
    # Through object columns, so that an empty audit has the same types as a full one.
    frame = pd.DataFrame(list(rows), columns=pd.Index(list(columns)), dtype="object")
    return frame.astype(columns)


def ordered(column: pd.Series, order: Iterable[str]) -> pd.Series:
    """A column as a category whose values have an order."""
    return column.astype("object").astype(pd.CategoricalDtype(list(order), ordered=True))


def _count(frame: pd.DataFrame, index: pd.Index) -> pd.Series:
    return frame.groupby("package").size().reindex(index, fill_value=0).astype("int64")
