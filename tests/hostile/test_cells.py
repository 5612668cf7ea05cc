"""Tables for other programs: no cell is a formula, every file can be read back, no value is lost."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from audit_lib.model import Audit, Row, decode_audit, encode, readable
from audit_lib.show import changes, export, fix_export, spreadsheet
from audit_lib.untrusted import cells
from audit_lib.untrusted.text import valid
from tests.hostile import audits, strings

TEXTS = pytest.mark.parametrize("hostile", strings.ALL, ids=lambda value: ascii(value)[:30])
FORMULA = re.compile("[=+\\-@＝＋－＠﹦﹢﹣﹫−]")  # noqa: RUF001
SKIPPED = " \t\r\"'`\u00a0\u3000\ufeff\u200b"


@pytest.fixture(scope="module")
def audit() -> Audit:
    return audits.audit(strings.ALL)


def begins_formula(cell: str) -> bool:
    """Whether a program could take a cell for a formula; an apostrophe of ours at its start says that it is none."""
    return not cell.startswith("'") and bool(FORMULA.match(cell.lstrip(SKIPPED)))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_a_csv_begins_a_formula_whatever_parts_the_cells(audit: Audit, separator: str) -> None:
    csv.field_size_limit(1 << 24)
    text = export.csv_bytes(audit).decode("utf-8-sig")
    read = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
    assert [cell for cell in read if begins_formula(cell)] == []
    pieces = [cell for line in re.split("[\r\n]", text) for cell in re.split("[;\t]", line)]
    assert [cell for cell in pieces if begins_formula(cell.removeprefix('"'))] == []


def test_a_csv_has_a_row_a_site_and_nothing_that_cannot_be_seen(audit: Audit) -> None:
    text = export.csv_bytes(audit).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(audit.findings) + 1
    assert {len(row) for row in rows} == {len(export.COLUMNS)}
    assert all(char.isprintable() or char in "\r\n" for char in text)
    assert max(len(cell) for row in rows for cell in row) <= cells.LIMIT


def test_workbooks_open_and_hold_text_and_numbers_alone(audit: Audit) -> None:
    fix = audits.fix(strings.ALL)
    for data in (export.xlsx_bytes(readable(audit)), fix_export.contents(fix.audit, fix.groups)[fix_export.WORKBOOK]):
        book = openpyxl.load_workbook(io.BytesIO(data))
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type in ("s", "n")
                    assert cell.hyperlink is None
                    assert all(char.isprintable() or char == "\n" for char in str(cell.value))
        assert all(char.isprintable() for char in str(book.properties.title))


@TEXTS
def test_a_cell_of_a_workbook_holds_the_value_as_it_is_read(hostile: str) -> None:
    frame = pd.DataFrame({"value": pd.Series([valid(hostile)], dtype="object")})
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet.frames_book({"Sheet": frame}, hostile)))
    assert (book["Sheet"]["A2"].value or "") == cells.text(valid(hostile))


def test_parquet_and_json_hold_the_values_themselves(audit: Audit, tmp_path: Path) -> None:
    export.write(audit, tmp_path, export.FORMATS)
    frame = pd.read_parquet(tmp_path / "findings.parquet")
    reasons = {valid(finding.reason) for finding in audit.findings}
    assert set(frame["reason"]) == reasons
    lines = (tmp_path / "findings.jsonl").read_bytes().decode("utf-8").split("\n")
    assert {json.loads(line)["reason"] for line in lines if line} == reasons
    assert all(tuple(json.loads(line)) == Row.__struct_fields__ for line in lines if line)
    assert decode_audit((tmp_path / "audit.json").read_bytes()) == readable(audit)


def test_the_files_of_a_fix_are_valid_and_names_in_patches_are_quoted(tmp_path: Path) -> None:
    fix = audits.fix(strings.ALL)
    fix_export.write(fix, tmp_path)
    for file in tmp_path.iterdir():
        if file.suffix in (".json", ".jsonl", ".md"):
            file.read_bytes().decode("utf-8")
    heads = [line for line in fix.patch.split(b"\n") if line.startswith((b"diff --git ", b"--- ", b"+++ "))]
    assert len(heads) == 3 * len(fix.before)
    assert all(byte == 9 or 32 <= byte < 127 for head in heads for byte in head)
    assert [path.name for path in changes.write(fix, tmp_path)]


def test_halves_of_characters_are_spelled_out_in_records() -> None:
    one = audits.audit(["a\ud800\udcff"])
    assert b"a\\\\ud800\\\\udcff" in encode(one)
    assert readable(readable(one)) == readable(one)
    whole = audits.audit(["größe"])
    assert readable(whole) is whole


def test_honest_cells_are_as_they_were() -> None:
    for honest in ("core/bus.go", "a request's context; it is near", "a → b", "größe", "x;y", "f(a, -1)", "5 = 5"):
        assert cells.csv(honest) == cells.text(honest) == honest
    assert cells.text("first\nsecond") == "first\nsecond"
