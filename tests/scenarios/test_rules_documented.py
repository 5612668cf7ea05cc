"""docs/rules.md has every rule that the judgement names, and shows only what the scenarios hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
JUDGE = ROOT / "audit_lib" / "judge"
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
DECISION_RULE = 4
"""Where `rule` stands among the fields of a Decision."""


def _rules_in(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in ("Decision", "Finding"):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "rule")
        if node.func.id == "Decision":
            yield from node.args[DECISION_RULE : DECISION_RULE + 1]


def _named_in_code() -> set[str]:
    named = set()
    for file in JUDGE.rglob("*.py"):
        for rule in _rules_in(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(rule, ast.Attribute):
                continue  # handed on from the decision
            assert isinstance(rule, ast.Constant), f"{file.name}:{rule.lineno}: a rule's id is written out"
            named.add(str(rule.value))
    return named


def test_every_rule_has_its_section_and_no_other_has() -> None:
    assert set(SECTIONS) == _named_in_code()


def test_the_table_has_the_sections_in_their_order() -> None:
    assert re.findall(r"^\| \[(\S+)\]\(#\1\)", PAGE, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("rule", SECTIONS)
def test_an_example_is_part_of_its_scenario(rule: str) -> None:
    section = SECTIONS[rule]
    examples = re.findall(r"```go\n(.*?)```", section, re.DOTALL)
    links = re.findall(r"\]\(\.\./(tests/scenarios/judge/\S+\.txtar)\)", section)
    assert len(examples) == len(links) == 1
    assert examples[0] in (ROOT / links[0]).read_text(encoding="utf-8")
    assert re.search(rf"// want .*\b{rule}\b", examples[0])
