"""Files for other programs: the rows of the contract, the same bytes each time, nothing half-written or active."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import msgspec
import openpyxl
import pandas as pd
import pytest

from audit_lib.errors import OutputError, UsageError
from audit_lib.model import Audit, Row, decode_audit, totals_of
from audit_lib.show import export
from tests import saved_audits

ALL = ("jsonl", "csv", "xlsx", "parquet")


@pytest.fixture
def shop() -> Audit:
    return saved_audits.load("shop")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_lines_and_the_audit_are_always_written(shop: Audit, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    assert export.write(shop, out, ()) == (out / "audit.json", out / "findings.jsonl")
    assert decode_audit((out / "audit.json").read_bytes()) == shop
    assert names(out) == ["audit.json", "findings.jsonl"]


def test_rows_have_the_keys_of_the_contract_in_order_and_are_sorted(shop: Audit) -> None:
    shuffled = msgspec.structs.replace(shop, findings=tuple(reversed(shop.findings)))
    lines = export.jsonl(shuffled).decode().splitlines()
    objects = [json.loads(line) for line in lines]
    assert all(tuple(row) == Row.__struct_fields__ for row in objects)
    places = [(row["file"], row["line"], row["column"]) for row in objects]
    assert places == sorted(places)
    assert len(lines) == shop.totals.sites
    assert export.jsonl(shuffled) == export.jsonl(shop)


@pytest.mark.parametrize("name", ALL)
def test_the_same_audit_gives_the_same_bytes(shop: Audit, tmp_path: Path, name: str) -> None:
    export.write(shop, tmp_path / "1", (name,))
    export.write(shop, tmp_path / "2", (name,))
    file = f"findings.{name}"
    assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_the_spreadsheet_has_a_row_a_site_a_filter_and_a_frozen_head(shop: Audit) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export.xlsx_bytes(shop)))
    sheet = book["Findings"]
    heads = [cell.value for cell in sheet[1]]
    wanted = ["File path", "Line", "Function", "Context type", "Category", "Verdict", "Priority", "Phase", "Reason"]
    assert heads[:9] == wanted
    assert "Fix recommendation" in heads
    assert sheet.max_row == shop.totals.sites + 1
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:O{shop.totals.sites + 1}"
    assert [cell.value for cell in sheet[2]][:4] == ["api/auth.go", 7, "(*Server).handleOrder", "context.TODO"]


def test_the_spreadsheets_totals_are_per_phase_and_category_and_add_up(shop: Audit) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(export.xlsx_bytes(shop)))["Totals"]
    head, *rows, last = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert head[:7] == ["Phase", "Category", "Sites", "Fix", "Detach", "Keep", "Review"]
    assert ["api", "request", 12, 10, 1, 0, 1] in [row[:7] for row in rows]
    totals = shop.totals
    assert last[2:7] == [totals.sites, totals.fixed, totals.detached, totals.kept, totals.review]
    assert [sum(row[i] for row in rows if isinstance(row[i], int)) for i in range(2, 11)] == last[2:]


def test_csv_holds_the_same_rows_as_the_spreadsheet(shop: Audit) -> None:
    rows = list(csv.reader(io.StringIO(export.csv_bytes(shop).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(export.xlsx_bytes(shop)))["Findings"]
    cells = [["" if cell.value is None else str(cell.value) for cell in row] for row in sheet.iter_rows()]
    assert rows == cells


def test_parquet_has_the_contracts_columns_and_types(shop: Audit, tmp_path: Path) -> None:
    export.write(shop, tmp_path, ("parquet",))
    frame = pd.read_parquet(tmp_path / "findings.parquet")
    assert tuple(frame.columns) == Row.__struct_fields__
    assert frame["line"].dtype == "int64"
    assert len(frame) == shop.totals.sites


def test_names_in_a_target_become_neither_formulas_nor_links() -> None:
    hostile = saved_audits.load("hostile")
    for row in csv.reader(io.StringIO(export.csv_bytes(hostile).decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    book = openpyxl.load_workbook(io.BytesIO(export.xlsx_bytes(hostile)))
    for sheet in book.worksheets:
        for cells in sheet.iter_rows():
            assert all(cell.data_type in ("s", "n") and cell.hyperlink is None for cell in cells)
    functions = {cell.value for cell in book["Findings"]["C"]}
    assert '=HYPERLINK("http://example.org","x")' in functions


def test_a_text_longer_than_a_cell_holds_is_cut(shop: Audit) -> None:
    wordy = msgspec.structs.replace(shop.findings[0], reason="x" * 40_000)
    audit = msgspec.structs.replace(shop, findings=(wordy,), totals=totals_of((wordy,)))
    sheet = openpyxl.load_workbook(io.BytesIO(export.xlsx_bytes(audit)))["Findings"]
    assert str(sheet["I2"].value).endswith("x (cut)")


@pytest.mark.parametrize("name", ALL)
def test_an_audit_without_findings_is_written_too(shop: Audit, tmp_path: Path, name: str) -> None:
    empty = msgspec.structs.replace(shop, findings=(), totals=totals_of(()))
    assert (tmp_path / f"findings.{name}") in export.write(empty, tmp_path, (name,))


def test_an_unknown_format_is_a_usage_error_before_anything_is_written(shop: Audit, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="format pdf is not known; choose from jsonl, csv, xlsx, parquet"):
        export.write(shop, tmp_path / "out", ("csv", "pdf"))
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_one_clear_line(shop: Audit, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("taken")
    with pytest.raises(OutputError, match=r"out: cannot be written \(.*\); .*--out") as caught:
        export.write(shop, tmp_path / "out", ())
    assert "\n" not in str(caught.value)
    assert (tmp_path / "out").read_text() == "taken"


def test_when_one_file_cannot_be_placed_none_is_and_the_old_ones_stay(shop: Audit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export.write(shop, out, ())
    before = (out / "audit.json").read_bytes()
    (out / "findings.xlsx").mkdir()
    with pytest.raises(OutputError):
        export.write(saved_audits.load("hostile"), out, ("csv", "xlsx"))
    assert (out / "audit.json").read_bytes() == before
    assert names(out) == ["audit.json", "findings.jsonl", "findings.xlsx"]


def test_a_full_disk_leaves_nothing_behind(shop: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        export.write(shop, tmp_path / "new" / "out", ("csv",))
    assert not (tmp_path / "new").exists()
