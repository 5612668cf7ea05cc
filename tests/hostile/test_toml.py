"""Configurations that a target brings: what cannot be used is one line, soon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.limited import limited

LOAD = """
import sys
from pathlib import Path
from audit_lib.config import load
from audit_lib.errors import ConfigError
try:
    load(Path(sys.argv[1]))
except ConfigError as error:
    print(error)
"""

HOSTILE = {
    "arrays in arrays": ("exclude = " + "[" * 30_000, "nested too deeply"),
    "arrays in arrays that end": ("exclude = " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
    "tables in tables": ("phases = " + "{a=" * 15_000, "nested too deeply"),
    "a number of many digits": ("[policy]\nmax_radius = " + "9" * 5_000, "not valid TOML"),
    "a number of many digits in base 16": ("[policy]\nmax_radius = 0x" + "f" * 5_000, "max_radius"),
    "a key of many parts": (".".join(["a"] * 30_000) + " = 1", "more than 1000 dots"),
    "keys of fewer parts": (
        "\n".join(".".join(["a"] * 900 + [f"b{i}"]) + " = 1" for i in range(30)),
        "unknown key `a`",
    ),
    "a table's name of many parts": ("[" + ".".join(["a"] * 30_000) + "]", "more than 1000 dots"),
    "tables without end": ("[[a]]\n" * 10_000, "unknown key `a`"),
    "a large file": ("#" * 1_000_000, "larger than 64 KiB"),
    "many patterns": ("exclude = [" + "'a'," * 2_000 + "]", "2021 patterns"),
    "a long pattern": ("exclude = ['" + "**/" * 400 + "a']", "more than 1000 characters"),
    "a time that is none": ("exclude = 9999-99-99", "not valid TOML"),
    "an escape that is no character": ('exclude = ["\\uD800"]', "not valid TOML"),
    "a control character": ("exclude = ['\x00']", "not valid TOML"),
}


@pytest.mark.parametrize(("text", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_configuration_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "ctxaudit.toml").write_text(text)
    message = limited(LOAD, str(tmp_path))
    assert said in message
    assert message.count("\n") == 1
    assert len(message) < 500
