"""A fix's tables beside its records: all are there or none, and nothing in them is a formula."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from audit_lib.errors import UsageError
from audit_lib.fixed import Fixed, Group
from audit_lib.show import fix_export
from tests import saved_audits

GROUP = Group("Store.Get", "api", ("x",), ("thread",), ("a.go",), 1, 2, 3, True, ("see",))


def fix(name: str = "fixed") -> Fixed:
    return Fixed(saved_audits.load(name), (GROUP,), b"", (), {}, {})


def test_everything_is_there_and_groups_come_back(tmp_path: Path) -> None:
    files = fix_export.write(fix(), tmp_path / "out")
    assert tuple(path.name for path in files) == fix_export.FILES
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(fix_export.FILES)
    assert fix_export.read_groups(tmp_path / "out" / fix_export.GROUPS) == (GROUP,)


def test_what_stops_the_target_from_being_written_leaves_nothing(tmp_path: Path) -> None:
    def refuse() -> None:
        raise UsageError("not committed")

    with pytest.raises(UsageError, match="not committed"):
        fix_export.write(fix(), tmp_path / "out", refuse)
    assert not (tmp_path / "out").exists()


def test_the_workbook_holds_text_and_no_formulas() -> None:
    audit = saved_audits.load("hostile")
    data = fix_export.contents(audit, ())[fix_export.WORKBOOK]
    assert data == fix_export.contents(audit, ())[fix_export.WORKBOOK]
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Outcomes"]
    kinds = {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None}
    assert kinds == {"s", "n"}
    assert sheet.max_row - 1 == len(audit.findings)
