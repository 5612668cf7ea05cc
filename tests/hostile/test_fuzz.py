"""Mutated sources, configurations, rules, modules and lines that name generators: an answer or one line, in time."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_lib import config
from audit_lib.api import audit
from audit_lib.change.gotext import GoText
from audit_lib.change.imports import repaired, with_import
from audit_lib.change.outside import references
from audit_lib.change.patch import patch
from audit_lib.change.recipes import Recipes
from audit_lib.errors import AuditError
from audit_lib.model import Audit
from audit_lib.read.rules import load_rules
from audit_lib.show import export, terminal
from tests.hostile.fuzzing import FUZZED, mutated, state, watched

pytestmark = pytest.mark.slow

GO_MOD = b"module example.org/shop\n\ngo 1.21\n"
SOURCE = b'package shop\n\nimport "context"\n\nfunc load() { <-context.TODO().Done() }\n'
NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=40).filter(
    lambda name: name not in (".", "..") and len(name.encode("utf-8", "surrogateescape")) < 200
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def target_of(folder: str, files: dict[str, bytes]) -> Path:
    target = Path(folder, "target")
    for name, data in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(data)
    return target


def told(found: Audit, out: Path) -> None:
    """Everything that is said of an audit, in every form."""
    assert found.totals.reconciles()
    export.write(found, out, ("csv", "xlsx"))
    texts = [terminal.scan_text(found, color=False, width=100, all=True)]
    texts += map(terminal.explain_text, found.findings)
    for text in texts:
        assert not [letter for letter in text if ord(letter) < 32 and letter != "\n"]


def answered(files: dict[str, bytes]) -> None:
    """A scan of a target ends with an audit or with one line, and changes nothing."""
    with watched(), tempfile.TemporaryDirectory() as folder:
        target = target_of(folder, files)
        before = state(target)
        try:
            told(audit(target, syntax_only=True), Path(folder, "out"))
        except AuditError as error:
            assert len(str(error)) < 4000
        assert state(target) == before
        assert {path.name for path in Path(folder).iterdir()} <= {"target", "out"}


@FUZZED
@given(mutated(".go"))
def test_sources(data: bytes) -> None:
    answered({"go.mod": GO_MOD, "shop.go": data, "other.go": SOURCE})


@FUZZED
@given(mutated(".toml"))
def test_configurations(data: bytes) -> None:
    answered({"go.mod": GO_MOD, "shop.go": SOURCE, "ctxaudit.toml": data})


@FUZZED
@given(mutated(".yml"))
def test_rules(data: bytes) -> None:
    answered({"go.mod": GO_MOD, "shop.go": SOURCE, "ctxaudit.toml": b'rules = ["r.yml"]\n', "r.yml": data})


@FUZZED
@given(NAMES, NAMES)
def test_names(folder: str, name: str) -> None:
    with suppress(UnicodeEncodeError):  # no name of a file: surrogates that stand for no byte
        answered({"go.mod": GO_MOD, f"{folder}/{name}.go": SOURCE})


@FUZZED
@given(mutated(".mod"), st.sampled_from(["go.mod", "go.work", "nested/go.mod"]))
def test_modules(data: bytes, name: str) -> None:
    with watched(), tempfile.TemporaryDirectory() as folder:
        target = target_of(folder, {"go.mod": GO_MOD, "shop.go": SOURCE, name: data})
        before = state(target)
        try:
            references(target)
        except AuditError as error:
            assert len(str(error)) < 4000
        assert state(target) == before


@FUZZED
@given(mutated(".go"), mutated(".go"))
def test_what_is_edited(before: bytes, after: bytes) -> None:
    with watched():
        text = GoText("shop.go", before)
        assert text.root is not None
        repaired(before, after)
        with_import(before, "example.org/x")
        assert isinstance(patch({"shop.go": before}, {"shop.go": after}), bytes)


@FUZZED
@given(mutated(".go"))
def test_lines_that_name_generators(data: bytes) -> None:
    with watched():
        text = data.decode("utf-8", "replace")
        for recipe in Recipes({"shop.go": text, "mocks/mock.go": text}).of("mocks/mock.go"):
            assert not any(word.startswith("/") or ".." in word.split("/") for word in recipe.arguments)


@FUZZED
@given(mutated(".toml"))
def test_a_configuration_is_read_or_refused(data: bytes) -> None:
    with watched(), tempfile.TemporaryDirectory() as folder:
        target = target_of(folder, {"ctxaudit.toml": data})
        try:
            settings = config.load(target)
            settings.excludes("a/b/c/d/e/f/g/h/x.go")
            load_rules(target, settings.rules)
        except AuditError as error:
            assert "ctxaudit.toml" in str(error) or "rule" in str(error)
