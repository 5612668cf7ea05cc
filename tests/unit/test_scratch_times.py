"""A scratch copy as Go's caches see it: what is as it was has the times that it had."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from audit_lib.change.packages import Commands
from audit_lib.change.scratch import scratch_copy
from audit_lib.config import GoOptions
from audit_lib.read.gotool import find_go
from tests.unit.shop import write


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_same_bytes_have_the_same_time_and_folders_keep_theirs(tmp_path: Path) -> None:
    """Go takes a test's result from its cache where the files that the test looks at have not changed."""
    target = write(tmp_path / "target", {"go.mod": "module m\n", "a/a.go": "package a\n"})
    os.utime(target / "a" / "a.go", ns=(1, 1_500_000_000_000_000_000))
    with scratch_copy(target) as scratch:

        def times() -> tuple[int, int]:
            return (scratch.root / "a" / "a.go").stat().st_mtime_ns, (scratch.root / "a").stat().st_mtime_ns

        first = times()
        changed = set()
        for _ in range(2):
            scratch.write({"a/a.go": b"package a // new\n"})
            changed.add(times())
            scratch.write({"a/a.go": b"package a\n"})
            assert times() == first
            time.sleep(0.01)
        assert len(changed) == 1
        assert changed.pop()[0] not in (first[0], 0)


@pytest.mark.slow
def test_tests_that_read_files_come_from_gos_cache_after_a_roll_back(tmp_path: Path) -> None:
    reads = (
        'package a\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestRead(t *testing.T) {\n'
        '\tif _, err := os.ReadDir("."); err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n'
    )
    files = {"go.mod": "module example.org/m\n\ngo 1.24\n", "a/a.go": "package a\n", "a/a_test.go": reads}
    target = write(tmp_path / "target", files)
    for file in target.rglob("*.go"):
        os.utime(file, (1_500_000_000, 1_500_000_000))
    with scratch_copy(target) as scratch:

        def tested() -> str:
            done = Commands(find_go(), scratch.root, GoOptions()).run(".", ["test", "-vet=off"], ["./..."])
            return done.stdout

        tested()
        assert "(cached)" in tested()
        scratch.write({"a/a.go": b"package a // new\n"})
        assert "(cached)" not in tested()
        scratch.write({"a/a.go": b"package a\n"})
        assert "(cached)" in tested()
