"""Fingerprints: the same while the code that they stand for is the same, and one for each site."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.api import audit

GO_MOD = "module example.org/shop\n\ngo 1.22\n"
HEAD = 'package shop\n\nimport "context"\n\n'
WAIT = "func wait(ctx context.Context) { <-ctx.Done() }\n"
LOAD = """\
func Load() {
	wait(context.TODO())
	wait(context.Background())
	wait(context.TODO())
}
"""
GET = """\
type Store struct{}

func (s *Store) Get() {
	defer func() { wait(context.TODO()) }()
	wait(context.TODO())
}
"""
BASE = {"shop.go": HEAD + LOAD + "\n" + GET + "\n" + WAIT}


def fingerprints(folder: Path, files: dict[str, str]) -> dict[str, list[str]]:
    """The fingerprints of a small module, by function, in the order of their sites."""
    (folder / "go.mod").write_text(GO_MOD)
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    result = audit(folder)
    assert result.typed
    assert not result.degradations
    found: dict[str, list[str]] = {}
    for finding in result.findings:
        found.setdefault(finding.site.function, []).append(finding.fingerprint)
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The fingerprints of the module as it is."""
    return fingerprints(tmp_path_factory.mktemp("base"), BASE)


def test_each_site_has_its_own(base: dict[str, list[str]]) -> None:
    assert {function: len(found) for function, found in base.items()} == {
        "Load": 3,
        "(*Store).Get": 1,
        "(*Store).Get.func1": 1,
    }
    every = [fingerprint for found in base.values() for fingerprint in found]
    assert len(set(every)) == len(every) == 5


def test_lines_above_and_formatting_do_not_count(base: dict[str, list[str]], tmp_path: Path) -> None:
    load = LOAD.replace("wait(context.TODO())", "wait(\n\t\tcontext. // here\n\t\t\tTODO(),\n\t)")
    shifted = HEAD + "// Shop sells.\n\n" + load + "\n\n\n" + GET.replace("\t", "    ") + "\n" + WAIT
    assert fingerprints(tmp_path, {"shop.go": shifted}) == base


def test_a_function_can_move_to_another_file_of_its_package(base: dict[str, list[str]], tmp_path: Path) -> None:
    files = {"load.go": HEAD + LOAD, "a_store.go": HEAD + GET, "shop.go": HEAD + WAIT}
    assert fingerprints(tmp_path, files) == base


def test_functions_can_change_places(base: dict[str, list[str]], tmp_path: Path) -> None:
    assert fingerprints(tmp_path, {"shop.go": HEAD + WAIT + "\n" + GET + "\n" + LOAD}) == base


def test_another_package_is_another_fingerprint(base: dict[str, list[str]], tmp_path: Path) -> None:
    moved = fingerprints(tmp_path, {"store/store.go": BASE["shop.go"].replace("package shop", "package store")})
    assert moved.keys() == base.keys()
    assert not {f for found in moved.values() for f in found} & {f for found in base.values() for f in found}


def test_one_more_of_a_kind_leaves_those_above_it(base: dict[str, list[str]], tmp_path: Path) -> None:
    more = BASE["shop.go"].replace(LOAD, LOAD[:-2] + "\twait(context.TODO())\n}\n")
    found = fingerprints(tmp_path, {"shop.go": more})
    assert found["Load"][:3] == base["Load"]
    assert len(set(found["Load"])) == 4
