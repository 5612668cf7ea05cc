"""The same input gives the same bytes: wherever the checkout lies, on any number of cores, with any cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit_lib.read.gotool import find_go

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


def scan(target: Path, out: Path, **environment: str) -> dict[str, bytes]:
    """What a scan in a process of its own leaves: every file, byte for byte."""
    command = [sys.executable, "-m", "audit_lib", "scan", str(target), "--out", str(out), "--format", "jsonl,csv"]
    subprocess.run(command, env=os.environ | environment, capture_output=True, check=True)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


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


def test_a_cold_cache_and_a_warm_one_give_the_same(shop: Path, written: dict[str, bytes], tmp_path: Path) -> None:
    # Go's own caches stay: the helper is built anew, and all facts with it.
    asked = subprocess.run([str(find_go().path), "env", "GOCACHE"], capture_output=True, text=True, check=True)
    caches = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "GOCACHE": asked.stdout.strip()}
    cold = scan(shop, tmp_path / "cold", **caches)
    warm = scan(shop, tmp_path / "warm", **caches)
    assert cold == warm == written


def test_facts_of_one_checkout_serve_another_one_only_where_they_are_the_same(
    shop: Path, written: dict[str, bytes], tmp_path: Path
) -> None:
    changed = tmp_path / "changed" / "shop"
    shutil.copytree(shop, changed)
    store = changed / "store" / "store.go"
    store.write_text(store.read_text().replace("package store\n", "package store\n\n// Moved.\n"))
    lines = scan(changed, tmp_path / "out2")["findings.jsonl"].splitlines()
    assert len(lines) == 10
    assert lines != written["findings.jsonl"].splitlines()
    assert scan(shop, tmp_path / "out3") == written
