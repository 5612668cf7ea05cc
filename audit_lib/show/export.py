"""An audit as files that other programs read: JSON Lines and JSON always, CSV, XLSX and Parquet on demand.

The same audit gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from audit_lib.errors import UsageError
from audit_lib.model import Audit, Row, encode, readable, row_of
from audit_lib.show.staging import staged
from audit_lib.untrusted import cells

FORMATS = ("jsonl", "csv", "xlsx", "parquet")

# The heads of the spreadsheet and of the CSV, and where each takes its value from.
COLUMNS: tuple[tuple[str, Callable[[Row], str | int]], ...] = (
    ("File path", lambda row: row.file),
    ("Line", lambda row: row.line),
    ("Function", lambda row: row.function),
    ("Context type", lambda row: row.callee),
    ("Category", lambda row: row.category),
    ("Verdict", lambda row: row.verdict),
    ("Priority", lambda row: row.priority),
    ("Phase", lambda row: row.phase),
    ("Reason", lambda row: row.reason),
    ("Fix recommendation", lambda row: row.recommendation),
    ("Source", lambda row: row.source),
    ("Path", lambda row: " → ".join(row.path)),
    ("Kind", lambda row: row.kind),
    ("Column", lambda row: row.column),
    ("Fingerprint", lambda row: row.fingerprint),
)


def write(audit: Audit, out: Path, formats: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Write `findings.jsonl` and `audit.json` into `out`, and `findings.<format>` for each further format.

    Gives the files that were written, sorted. Raises `UsageError` for a format that is none of `FORMATS`, before
    anything is written, and `OutputError` when `out` cannot be written; then `out` is as it was.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise UsageError(f"format {', '.join(unknown)} is not known; choose from {', '.join(FORMATS)}")
    audit = readable(audit)
    with staged(out) as stage:
        (stage / "audit.json").write_bytes(encode(audit) + b"\n")
        for name in sorted({"jsonl", *formats}):
            (stage / f"findings.{name}").write_bytes(_WRITERS[name](audit))
        names = sorted(path.name for path in stage.iterdir())
    return tuple(out / name for name in names)


def rows(audit: Audit) -> tuple[Row, ...]:
    """The flat rows of an audit, sorted by file, line and column."""
    flat = (row_of(finding) for finding in audit.findings)
    return tuple(sorted(flat, key=lambda row: (row.file, row.line, row.column, row.fingerprint)))


def jsonl(audit: Audit) -> bytes:
    """The rows as JSON Lines, keys in the order of `model.Row`."""
    return b"".join(encode(row) + b"\n" for row in rows(audit))


def csv_bytes(audit: Audit) -> bytes:
    """The rows as CSV (RFC 4180) in UTF-8 with a byte order mark, without which Excel reads it in a local encoding."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow([head for head, _ in COLUMNS])
    values = ([value(row) for _, value in COLUMNS] for row in rows(audit))
    table.writerows([cells.csv(value) if isinstance(value, str) else value for value in row] for row in values)
    return text.getvalue().encode("utf-8-sig")


def xlsx_bytes(audit: Audit) -> bytes:
    """The rows, and totals per phase and category, as an Excel workbook."""
    from audit_lib.show import spreadsheet  # pandas and xlsxwriter take half a second that other formats need not wait

    values = [[value(row) for _, value in COLUMNS] for row in rows(audit)]
    return spreadsheet.workbook(audit, [head for head, _ in COLUMNS], values)


def parquet_bytes(audit: Audit) -> bytes:
    """The rows as Parquet, columns as in `model.Row`; `path` is a list of strings."""
    import msgspec
    import pyarrow as pa
    from pyarrow import parquet

    types = {"line": pa.int64(), "column": pa.int64(), "path": pa.list_(pa.string())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in Row.__struct_fields__])
    table = pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows(audit)], schema=schema)
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


_WRITERS: dict[str, Callable[[Audit], bytes]] = {
    "jsonl": jsonl,
    "csv": csv_bytes,
    "xlsx": xlsx_bytes,
    "parquet": parquet_bytes,
}
