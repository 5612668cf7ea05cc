"""Rules that a target brings: what cannot be used is one line, soon, and no process ends by a signal."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.read.documents import DocumentError, documents
from tests.hostile.limited import limited

LOAD = """
import sys
from pathlib import Path
from audit_lib.errors import RuleError
from audit_lib.read.rules import load_rules
try:
    load_rules(Path(sys.argv[1]), ["team.yml"])
except RuleError as error:
    print(error)
"""
RULE = "id: a\nlanguage: Go\nkind: root\nmessage: m\n"
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12))

HOSTILE = {
    "a billion laughs": (LAUGHS, "with those that aliases stand for"),
    "a billion laughs by merging": (MERGES, "with those that aliases stand for"),
    "a billion laughs as keys": (LAUGHS + "? *a9\n: 1\n", "with those that aliases stand for"),
    "an alias of what it is in": ("a: &a [*a]\n", "the alias *a"),
    "an alias of another document": ("a: &a b\n---\nc: *a\n", "the alias *a"),
    "lists in lists": ("[" * 200_000, "nested more than 64 deep"),
    "mappings in mappings": ("{" * 200_000, "nested more than 64 deep"),
    "both": ("[{" * 100_000, "nested more than 64 deep"),
    "keys that are keys": ("? " * 100_000, "nested more than 64 deep"),
    "dashes": ("- " * 100_000, "nested more than 64 deep"),
    "rules in rules": (RULE + "rule: " + "{not: " * 40_000, "nested more than 64 deep"),
    "documents without end": ("--- a\n" * 40_000, "more than 20000 values"),
    "a large file": ("#" * 1_000_000, "larger than 256 KiB"),
    "a tag of Python": (RULE + "note: !!python/object/apply:os.getcwd []\n", "the tag tag:yaml.org"),
    "a tag that YAML has and the text has not": ("!!timestamp ''\n", "the tag tag:yaml.org"),
    "a number of many digits": (RULE.replace("id: a", "id: " + "9" * 5_000), "not valid YAML"),
    "a number in base 60": (RULE.replace("id: a", "id: 1" + ":1" * 50_000), "Expected `str`"),
    "a day that is none": (RULE.replace("id: a", "id: 2026-99-99"), "not valid YAML"),
    "a control character": (RULE + 'note: "\x07"\n', "not valid YAML"),
    "a pattern in a pattern": (RULE + "rule: {pattern: '" + "f(" * 30_000 + ")" * 30_000 + "'}\n", "more than 2000"),
    "a pattern of signs": (RULE + "rule: {pattern: '" + "!" * 100_000 + "a'}\n", "more than 2000"),
    "a context in a context": (
        RULE + "rule: {pattern: {context: 'func f() {" + "{" * 30_000 + "}" * 30_000 + "}', selector: block}}\n",
        "more than 2000",
    ),
    "a regex that grows": (RULE + "rule: {regex: '((a{1000}){1000}){1000}'}\n", "ast-grep refuses it"),
    "a regex in a regex": (RULE + "rule: {regex: '" + "(" * 900 + ")" * 900 + "'}\n", "ast-grep refuses it"),
    "a rule of a rule that is itself": (
        RULE + "rule: {matches: x}\nutils: {x: {matches: x}}\n",
        "ast-grep refuses it",
    ),
    "rules without end": (
        "---\n".join(RULE.replace("id: a", f"id: a{n}") + "rule: {kind: identifier}\n" for n in range(600)),
        "more than 500 rules",
    ),
}


@pytest.mark.parametrize(("text", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_rule_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "team.yml").write_text(text)
    message = limited(LOAD, str(tmp_path))
    assert said in message
    assert message.count("\n") == 1
    assert len(message) < 700


def test_patterns_within_the_bounds_leave_the_stack_alone(tmp_path: Path) -> None:
    for pattern in ("f(" * 600 + ")" * 600, "(" * 900 + "a" + ")" * 900, "a" + ".b" * 900, "1" + "+1" * 900):
        (tmp_path / "team.yml").write_text(RULE + f"rule: {{pattern: '{pattern}'}}\n")
        assert limited(LOAD, str(tmp_path)) == ""


def test_aliases_that_people_write_are_read() -> None:
    assert documents("a: &a [b, c]\nd: *a\n---\ne: {<<: &f {g: h}}\n") == [
        {"a": ["b", "c"], "d": ["b", "c"]},
        {"e": {"g": "h"}},
    ]


def test_values_are_counted_with_those_that_aliases_stand_for() -> None:
    twice = "a: &a [" + "b, " * 9_990 + "b]\nc: *a\n"
    assert len(documents(twice)) == 1
    with pytest.raises(DocumentError, match="line 3: more than 20000 values"):
        documents(twice + "d: *a\n")
