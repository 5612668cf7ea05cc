"""The same input gives the same bytes: wherever the checkout lies, on any number of cores, with any cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from audit_lib.read import gotool

GO_MOD = "module example.org/shop\n\ngo 1.24\n"

# Two packages, an interface with two implementers, a goroutine, a closure, tests: whatever is gathered in maps.
FILES = {
    "shop.go": """\
package shop

import (
	"context"
	"net/http"

	"example.org/shop/store"
)

type Server struct{ first, second store.Store }

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	s.save("order")
	go func() { s.first.Put(context.TODO(), "log") }()
	each(func(name string) { s.second.Put(context.Background(), name) })
	http.Get("http://example.org")
}

func (s *Server) save(name string) {
	for _, to := range []store.Store{s.first, s.second} {
		to.Put(context.Background(), name)
	}
	defer s.first.Put(context.Background(), "done")
}

func each(do func(string)) { do("a"); do("b") }

func main() { store.Open(context.Background()) }
""",
    "store/store.go": """\
package store

import (
	"context"
	"database/sql"
)

type Store interface{ Put(ctx context.Context, name string) error }

type Memory struct{}

func (Memory) Put(ctx context.Context, name string) error { return write(nil, name) }

type Disk struct{ db *sql.DB }

func (d Disk) Put(ctx context.Context, name string) error { return write(d.db, name) }

func Open(ctx context.Context) Store { return Memory{} }

func write(db *sql.DB, name string) error {
	_, err := db.Exec("insert", name)
	if err == nil {
		err = db.PingContext(context.TODO())
	}
	return err
}
""",
    "store/store_test.go": """\
package store

import (
	"context"
	"testing"
)

func TestPut(t *testing.T) { Memory{}.Put(context.Background(), "x") }
""",
    "broken/broken.go": 'package broken\n\nimport "context"\n\nfunc f() { missing(context.TODO()) }\n',
}


def write_module(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(GO_MOD)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(FILES[name])
    return folder


def scan(target: Path, out: Path, cache: Path | None = None, **environment: str) -> dict[str, bytes]:
    """What a scan in a process of its own leaves: every file, byte for byte.

    Its cache holds the built helper and nothing else, unless one is named: what an earlier scan has kept would make
    any two scans agree.
    """
    env = os.environ | {"XDG_CACHE_HOME": str(cache or cache_of_helper(out)), "GOCACHE": gocache()} | environment
    command = [sys.executable, "-m", "audit_lib", "scan", str(target), "--out", str(out), "--format", "jsonl,csv"]
    subprocess.run(command, env=env, capture_output=True, check=True)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def cache_of_helper(out: Path) -> Path:
    """A new cache folder beside a scan's results, with the helper in it."""
    helper = gotool.build_helper(gotool.find_go())
    cache = out.with_name(f"{out.name}-cache")
    (cache / "ctxaudit").mkdir(parents=True)
    shutil.copy(helper, cache / "ctxaudit")
    return cache


@lru_cache
def gocache() -> str:
    """Go's build cache, said by name so that it stays where it is when the cache folder moves."""
    command = [str(gotool.find_go().path), "env", "GOCACHE"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The module, below a folder of its own."""
    return write_module(tmp_path / "first" / "shop", list(FILES))


@pytest.fixture
def written(shop: Path, tmp_path: Path) -> dict[str, bytes]:
    """What a scan of the module leaves."""
    results = scan(shop, tmp_path / "out")
    assert results["findings.jsonl"].count(b"\n") == 10
    return results


def test_the_path_of_the_checkout_leaves_no_trace(shop: Path, written: dict[str, bytes], tmp_path: Path) -> None:
    elsewhere = tmp_path / "some where" / "deeper" / "shop"
    shutil.copytree(shop, elsewhere)
    assert scan(elsewhere, tmp_path / "out2") == written
    assert str(tmp_path).encode() not in b"".join(written.values())


def test_the_order_in_which_files_were_made_does_not_matter(written: dict[str, bytes], tmp_path: Path) -> None:
    assert scan(write_module(tmp_path / "second" / "shop", [*FILES][::-1]), tmp_path / "out2") == written


@pytest.mark.parametrize("cores", ["1", "2", "7"])
def test_the_number_of_cores_does_not_matter(shop: Path, written: dict[str, bytes], tmp_path: Path, cores: str) -> None:
    assert scan(shop, tmp_path / "out2", GOMAXPROCS=cores, PYTHONHASHSEED=cores) == written


@pytest.mark.parametrize("whole", [True, False], ids=["all of it builds", "a package does not build"])
def test_a_cold_cache_and_a_warm_one_give_the_same(tmp_path: Path, whole: bool) -> None:
    shop = write_module(tmp_path / "shop", [name for name in FILES if not (whole and name.startswith("broken"))])
    cold = scan(shop, tmp_path / "cold", tmp_path / "cache")
    warm = scan(shop, tmp_path / "warm", tmp_path / "cache")
    assert cold == warm == scan(shop, tmp_path / "none")


def test_facts_of_one_checkout_serve_another_one_only_where_they_are_the_same(
    shop: Path, written: dict[str, bytes], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    changed = tmp_path / "changed" / "shop"
    shutil.copytree(shop, changed)
    store = changed / "store" / "store.go"
    store.write_text(store.read_text().replace("package store\n", "package store\n\n// Moved.\n"))
    assert scan(shop, tmp_path / "out2", cache) == written
    moved = scan(changed, tmp_path / "out3", cache)
    assert moved == scan(changed, tmp_path / "out4")
    assert moved["findings.jsonl"] != written["findings.jsonl"]
    assert scan(shop, tmp_path / "out5", cache) == written


def test_facts_kept_from_one_path_serve_the_same_module_at_another(
    shop: Path, written: dict[str, bytes], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(shop, elsewhere)
    scan(shop, tmp_path / "out2", tmp_path / "cache")
    assert scan(elsewhere, tmp_path / "out3", tmp_path / "cache") == written
