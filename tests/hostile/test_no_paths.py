"""Names in files of a target that are no paths: with a NUL, or longer than any system takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.config import GoOptions
from audit_lib.read.modules import named_outside
from audit_lib.untrusted.files import RefusedError, read_bytes, real_name
from tests.hostile.targets import ctxaudit, shop


@pytest.mark.parametrize("text", ["a\\x00b", "../a\\x00b", "a" * 5000, "a/" * 3000 + "a"])
@pytest.mark.parametrize("file", ["go.work", "go.mod"])
def test_a_module_that_names_no_path_is_told(tmp_path: Path, file: str, text: str) -> None:
    target = shop(tmp_path)
    if file == "go.work":
        (target / file).write_text(f'go 1.21\n\nuse (\n\t.\n\t"./{text}"\n)\n')
    else:
        (target / file).write_text(f'module example.org/shop\n\ngo 1.21\n\nreplace x.org/y => "./{text}"\n')
    named = named_outside(target, GoOptions())
    assert [(one.file, one.place) for one in named if "is no path" in one.reason] == [(file, None)]


@pytest.mark.slow
def test_a_scan_tells_it_in_one_line(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "go.work").write_text('go 1.21\n\nuse "./a\\x00b"\nuse .\n')
    result = ctxaudit("scan", target)
    assert result.code == 0 and r"go.work: names ./a\x00b, which is no path" in result.text


def test_a_name_with_a_nul_is_refused_as_others_are(tmp_path: Path) -> None:
    for read in (read_bytes, real_name):
        with pytest.raises(RefusedError, match="no name of a file"):
            read(tmp_path, "a\0b")
