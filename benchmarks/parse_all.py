"""The yardstick of the syntactic scan: ast-grep's own parsing of every Go file of a folder, and nothing else.

The files are those that the go tool and the scan look at. Run as a program: `python -m benchmarks.parse_all DIR`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

_SKIPPED = frozenset({"vendor", "testdata", "node_modules"})


def go_files(folder: Path) -> Iterator[Path]:
    """The Go files below a folder, without vendored code, test data and what is hidden."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith((".", "_"))]
        for name in names:
            path = Path(where, name)
            if name.endswith(".go") and not name.startswith((".", "_")) and path.is_file():
                yield path


def main() -> None:
    """Parse them all."""
    from ast_grep_py import SgRoot

    for path in go_files(Path(sys.argv[1])):
        SgRoot(path.read_text(encoding="utf-8", errors="replace"), "go").root()


if __name__ == "__main__":
    main()
