"""Rules: their own examples hold, the page about them is theirs, and a broken rule is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.config import Config
from audit_lib.errors import RuleError
from audit_lib.read.rulebook import rulebook
from audit_lib.read.rules import Example, Rule, load_rules, own_rules
from audit_lib.read.scan import scan, scan_text

OWN = own_rules()
VALID = [pytest.param(rule, code, id=f"{rule.id}-{n}") for rule in OWN for n, code in enumerate(rule.valid, 1)]
INVALID = [pytest.param(rule, bad, id=f"{rule.id}-{n}") for rule in OWN for n, bad in enumerate(rule.invalid, 1)]

TEAM_RULE = """\
id: store-load
language: Go
kind: bare_call
packages: [example.org/shop/go-store]
name: store
functions: {Load: store.LoadContext}
message: The store is read without the caller's context.
"""
TEAM_PATTERN = """\
id: sleep
language: Go
kind: bare_call
packages: [time]
rule:
  pattern: {context: "func f() { time.Sleep($D) }", selector: call_expression}
  inside: {kind: for_statement, stopBy: end}
callee: time.Sleep
replacement: a timer and ctx.Done() in a select
message: The loop sleeps on after its caller has gone.
"""


def write_rule(folder: Path, text: str, name: str = "team.yml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(("rule", "code"), VALID)
def test_valid_examples_have_nothing_to_report(rule: Rule, code: str) -> None:
    assert scan_text(code, [rule]) == ()


@pytest.mark.parametrize(("rule", "example"), INVALID)
def test_invalid_examples_report_what_they_say(rule: Rule, example: Example) -> None:
    assert tuple(site.callee for site in scan_text(example.code, [rule])) == example.finds


@pytest.mark.parametrize("rule", OWN, ids=lambda rule: rule.id)
def test_every_rule_of_the_tool_shows_both_sides(rule: Rule) -> None:
    assert rule.valid
    assert rule.invalid


def test_the_page_about_the_rules_is_made_from_them() -> None:
    page = Path(__file__).parents[2] / "docs" / "scan.md"
    assert page.read_text(encoding="utf-8") == rulebook(OWN), "run: python -m audit_lib.read.rulebook docs/scan.md"


def test_the_rules_that_the_page_shows_can_be_loaded(tmp_path: Path) -> None:
    page = rulebook(())
    write_rule(tmp_path, page.partition("```yaml\n")[2].partition("```")[0])
    assert [rule.id for rule in load_rules(tmp_path, ["team.yml"])][-2:] == ["store-load", "sleep-in-loop"]


def test_without_rules_of_a_team_the_tool_s_own_are_all() -> None:
    assert load_rules(Path("/nowhere")) == OWN


def test_a_team_s_rule_is_found_by_the_file_or_its_folder(tmp_path: Path) -> None:
    write_rule(tmp_path, TEAM_RULE, "lint/store.yml")
    (tmp_path / "lint" / "README.md").write_text("no rule")
    for path in ("lint", "lint/store.yml"):
        assert [rule.id for rule in load_rules(tmp_path, [path])][-1] == "store-load"


def test_a_team_s_rule_is_run_with_the_others(tmp_path: Path) -> None:
    write_rule(tmp_path, TEAM_RULE + "---\n" + TEAM_PATTERN)
    (tmp_path / "a.go").write_text(
        'package a\n\nimport (\n\t"time"\n\n\t"example.org/shop/go-store"\n)\n\n'
        "func poll() {\n\tfor {\n\t\tstore.Load()\n\t\ttime.Sleep(time.Second)\n\t}\n}\n\n"
        "func once() { time.Sleep(time.Second) }\n"
    )
    sites = scan(tmp_path, Config(rules=("team.yml",))).sites
    assert [(site.rule, site.callee, site.replacement, site.span.line) for site in sites] == [
        ("store-load", "store.Load", "store.LoadContext", 11),
        ("sleep", "time.Sleep", "a timer and ctx.Done() in a select", 12),
    ]


BROKEN = {
    "no YAML": ("id: [", "not valid YAML (line 2"),
    "a misspelt key": (TEAM_RULE.replace("message:", "mesage:"), "mesage"),
    "a missing key": (TEAM_RULE.replace("id: store-load\n", ""), "`id`"),
    "another language": (TEAM_RULE.replace("Go", "Rust"), "$.language"),
    "an unknown kind": (TEAM_RULE.replace("bare_call", "leaf"), "$.kind"),
    "an empty file": ("# later\n", "no rule in it"),
    "nothing to look for": (TEAM_RULE.replace("functions: {Load: store.LoadContext}\n", ""), "needs either"),
    "no package": (TEAM_RULE.replace("packages: [example.org/shop/go-store]\n", ""), "need `packages`"),
    "a qualified name": (TEAM_RULE.replace("Load:", "store.Load:"), "without its package"),
    "a key ast-grep has not": (TEAM_PATTERN.replace("inside:", "within:"), "within"),
    "a kind Go has not": (TEAM_PATTERN.replace("for_statement", "while_loop"), "while_loop"),
}


@pytest.mark.parametrize(("text", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    file = write_rule(tmp_path, text)
    with pytest.raises(RuleError) as error:
        load_rules(tmp_path, ["team.yml"])
    assert str(error.value).startswith(f"{file}: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_rule_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"rules/none\.yml.*not there"):
        load_rules(tmp_path, ["rules/none.yml"])


def test_a_folder_without_rules_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    with pytest.raises(RuleError, match=r"without \.yml files"):
        load_rules(tmp_path, ["rules"])


def test_an_id_is_given_once(tmp_path: Path) -> None:
    write_rule(tmp_path, TEAM_RULE.replace("store-load", "context-root"))
    with pytest.raises(RuleError, match="`context-root` is already the id of a rule of ctxaudit"):
        load_rules(tmp_path, ["team.yml"])


def test_a_rule_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "team.yml").write_bytes(b"id: \xff\xfe")
    with pytest.raises(RuleError, match=r"team\.yml: cannot be read"):
        load_rules(tmp_path, ["team.yml"])
