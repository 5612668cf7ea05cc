"""The workbook: a sheet of findings, one of totals per phase and category, and one that says what was audited."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import xlsxwriter

from audit_lib.model import PRIORITIES, VERDICTS, Audit
from audit_lib.show import frames
from audit_lib.show.palette import VERDICT_TINTS
from audit_lib.untrusted import cells

_TITLE_LIMIT = 255  # characters of a property; Excel's own
_AS_TEXT = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # fixed, so that the same audit gives the same bytes
_WIDTHS = {
    "File path": 34,
    "Line": 7,
    "Function": 30,
    "Context type": 24,
    "Reason": 52,
    "Fix recommendation": 46,
    "Source": 18,
    "Path": 60,
    "Fingerprint": 20,
}


def workbook(audit: Audit, heads: Sequence[str], rows: Sequence[Sequence[str | int]]) -> bytes:
    """An XLSX file: `rows` under `heads` with a filter and a frozen head, verdicts in their colours; then the totals.

    Text is written as text: nothing in it becomes a formula or a link.
    """
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, _AS_TEXT)
    book.set_properties({"title": "Context audit", "created": _CREATED})
    head = _head(book)
    _findings(book, head, heads, rows)
    _totals(book, head, audit)
    _about(book, head, audit)
    book.close()
    return data.getvalue()


def frames_book(tables: Mapping[str, pd.DataFrame], title: str) -> bytes:
    """An XLSX file with a sheet a frame, each with a filter and a frozen head. Text is written as text."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, _AS_TEXT)
    book.set_properties({"title": cells.text(title, _TITLE_LIMIT), "created": _CREATED})
    head = _head(book)
    for name, frame in tables.items():
        sheet = book.add_worksheet(name)
        heads = [str(column).replace("_", " ").capitalize() for column in frame.columns]
        rows = [[_value(value) for value in row] for row in frame.itertuples(index=False, name=None)]
        _table(sheet, head, heads, rows)
        sheet.autofilter(0, 0, max(len(rows), 1), len(heads) - 1)
        sheet.freeze_panes(1, 0)
        for column, own in enumerate(heads):
            longest = max((len(str(row[column])) for row in rows), default=0)
            sheet.set_column(column, column, min(max(longest, len(own)) + 3, 60))
    book.close()
    return data.getvalue()


def _head(book: Any) -> Any:
    return book.add_format({"bold": True, "bg_color": "#1F2933", "font_color": "#FFFFFF", "valign": "top"})


def _value(value: object) -> str | int | float:
    if value is None or value is pd.NA or value != value:  # what is no number is not itself
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, int | float) else str(value)


def _findings(book: Any, head: Any, heads: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    sheet = book.add_worksheet("Findings")
    _table(sheet, head, heads, rows)
    last = max(len(rows), 1)
    sheet.autofilter(0, 0, last, len(heads) - 1)
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(heads):
        sheet.set_column(column, column, _WIDTHS.get(name, 12))
    verdicts = heads.index("Verdict")
    for verdict, tint in VERDICT_TINTS.items():
        style = book.add_format({"bg_color": tint, "font_color": "#000000"})
        rule = {"type": "cell", "criteria": "==", "value": f'"{verdict}"', "format": style}
        sheet.conditional_format(1, verdicts, last, verdicts, rule)


def _totals(book: Any, head: Any, audit: Audit) -> None:
    table = frames.totals(audit)
    heads = ["Phase", "Category", "Sites", *(v.capitalize() for v in VERDICTS), *(p.capitalize() for p in PRIORITIES)]
    rows: list[list[str | int]] = []
    for (phase, category), part in table.groupby(["phase", "category"], observed=True):
        rows.append([str(phase), str(category), *_counts(part)])
    rows.append(["All", "", *_counts(table)])
    sheet = book.add_worksheet("Totals")
    _table(sheet, head, heads, rows)
    sheet.autofilter(0, 0, len(rows) - 1, len(heads) - 1)
    sheet.freeze_panes(1, 2)
    sheet.set_column(0, 1, 14)


def _counts(part: Any) -> list[int]:
    verdicts = [int(part.loc[part["verdict"] == verdict, "sites"].sum()) for verdict in VERDICTS]
    priorities = [int(part.loc[part["priority"] == priority, "sites"].sum()) for priority in PRIORITIES]
    return [int(part["sites"].sum()), *verdicts, *priorities]


def _about(book: Any, head: Any, audit: Audit) -> None:
    totals = audit.totals
    rows: list[list[str | int]] = [
        ["Target", audit.target],
        ["Commit", audit.commit],
        ["Tool", audit.tool],
        ["Types", "Go types and syntax" if audit.typed else "syntax alone: callers were not followed"],
        ["Roots", totals.roots],
        ["Bare calls", totals.bare_calls],
    ]
    rows += [[f"Read in part: {d.where}", d.reason] for d in audit.degradations]
    sheet = book.add_worksheet("About")
    _table(sheet, head, ["What", "Value"], rows)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)


def _table(sheet: Any, head: Any, heads: Sequence[str], rows: Sequence[Sequence[str | int | float]]) -> None:
    for column, name in enumerate(heads):
        sheet.write_string(0, column, cells.text(name), head)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, cells.text(value))
