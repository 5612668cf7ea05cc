"""Every package that the reference service depends on, and the standard library: no crash, no lost site.

`make corpus` does the same with types for all of them; here types are read for a few.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import corpus, modules
from benchmarks.tools import find_go

pytestmark = pytest.mark.slow

# Where roots are many and lines are few: what is left out takes minutes to compile.
WITH_TYPES = ("github.com/prometheus/client_golang", "github.com/prometheus/common", "golang.org/x/sync")


@pytest.fixture(scope="module")
def go() -> Path:
    """The Go that the scan uses."""
    return find_go()


def test_every_package_the_service_depends_on_is_scanned_and_no_root_is_lost(go: Path) -> None:
    everything = modules.modules(go)
    assert {*WITH_TYPES, "modernc.org/sqlite", "golang.org/x/crypto", "std"} <= {module.path for module in everything}
    with modules.unaided(go):
        scanned = [corpus.scan(module, go, with_types=False) for module in everything]
    assert [problem for one in scanned for problem in one.broken] == []
    assert sum(one.lines for one in scanned) > 5_000_000
    assert sum(one.naive_roots for one in scanned) > 500


@pytest.mark.parametrize("path", WITH_TYPES)
def test_types_lose_no_site(go: Path, path: str) -> None:
    (module,) = [module for module in modules.modules(go) if module.path == path]
    with modules.unaided(go):
        scanned = corpus.scan(module, go, with_types=True)
    assert scanned.broken == ()
    assert scanned.typed
    assert scanned.judged > 0.9 * (scanned.roots + scanned.bare_calls)


def test_a_naive_look_counts_what_is_written_as_usual(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text(
        'package a\n\nimport "context"\n\n// context.TODO()\nvar a, b = context.TODO(), "context.TODO()"\n'
        "var c = context.Background()\n"
    )
    (tmp_path / "b.go").write_text('package a\n\nimport context "example.org/own"\n\nvar d = context.TODO()\n')
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "c.go").write_text((tmp_path / "a.go").read_text())
    assert corpus.naive_roots(tmp_path) == 2
