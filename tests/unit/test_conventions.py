"""What a repository's tests do by habit, and what its linter asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.read.conventions import count_test_contexts, linter_asks


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("func TestA(t *testing.T) { wait(t.Context()) }", 1),
        ("func help(tb testing.TB) { wait(tb.Context()); wait(tb.Context()) }", 2),
        ("func (s *suite) TestA() { wait(s.T().Context()) }", 1),
        ("func TestA(t *testing.T) { wait(r.Context()) }", 0),
        ("func TestA(t *other.T) { wait(t.Context()) }", 0),
        ("func TestA(t *testing.T) { wait(x.t.Contexts()) }", 0),
    ],
)
def test_contexts_of_tests_are_counted(code: str, count: int) -> None:
    assert count_test_contexts(code.encode()) == count


@pytest.mark.parametrize(
    ("name", "text", "asks"),
    [
        (".golangci.yml", "linters: {enable: [usetesting]}", True),
        (".golangci.yml", "linters: {default: all}", True),
        (".golangci.yml", "linters: {default: all, disable: [usetesting]}", False),
        (".golangci.yml", "linters: {enable: [errcheck]}", False),
        (".golangci.yml", "linters: [usetesting]", False),
        (".golangci.yml", "linters: {enable: {1: 2}}\n", False),
        (".golangci.yml", "linters: {enable: [&a usetesting, *b]}", False),
        (".golangci.yaml", "linters: {enable-all: true}\nlinters-settings: {usetesting: {os-setenv: true}}", True),
        (".golangci.toml", '[linters]\nenable = ["usetesting"]\n', True),
        (".golangci.toml", "[linters]\nenable-all = 1\n", False),
        (".golangci.toml", "[linters\n", False),
        (".golangci.json", '{"linters": {"enable": ["usetesting"]}}', True),
        (".golangci.json", "[" * 2000, False),
        (".golangci.ini", "enable-all: true", False),
    ],
)
def test_a_linter_asks_or_does_not(tmp_path: Path, name: str, text: str, asks: bool) -> None:
    (tmp_path / name).write_text(text)
    assert linter_asks(tmp_path) is asks


def test_a_configuration_that_leads_out_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "lint.yml").write_text("linters: {default: all}")
    target = tmp_path / "target"
    target.mkdir()
    (target / ".golangci.yml").symlink_to("../lint.yml")
    assert not linter_asks(target)
