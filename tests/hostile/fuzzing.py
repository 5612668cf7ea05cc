"""Inputs that nobody thought of: honest files, cut, doubled, spliced and filled with what parsers stumble over."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.scenarios import txtar

EXAMPLES = int(os.environ.get("CTXAUDIT_FUZZ_EXAMPLES", "150"))
"""Inputs a test: few in each run of all tests, and always the same ones; `make fuzz` asks for many new ones."""

HANG = 30
"""Seconds after which an input counts as endless: the process ends then, with a stack."""

FUZZED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CTXAUDIT_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)

_SCENARIOS = Path(__file__).parents[1] / "scenarios"
_PIECES = (
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\t" * 50, b" " * 5000, b"\n" * 3000),
    *(b"/*", b"*/", b"/**/" * 60, b"//", b'"', b"`", b"'", b"\\", b"{{" * 400, b"}}", b"(" * 300, b")" * 300),
    *(b"{" * 300, b"}" * 300, b"[" * 300, b"func(){" * 200, b"f(" * 200, b"*" * 500, b"a." * 500, b"go func() {"),
    *(b"context.Background()", b"context.TODO()", b'import "context"\n', b"package p\n", b"func f() {\n", b"defer "),
    *(b"//ctxaudit:keep \x1b[31m", b"//nolint:contextcheck // <b>`|", b"//go:build a && !b\n", b"//line x.go:1\n"),
    *(b"//go:generate mockgen -source=$GOFILE -destination=../../x.go\n", b"=> ../../..", b"**/" * 40, b"&a *a "),
    *("\u202e\u2066\u200b".encode(), "\u2028".encode(), "\U0001f600".encode(), b"=cmd|' /C calc'!A0"),
)


def seeds(kind: str) -> list[bytes]:
    """The files of all scenarios whose names end so, and files of the kind made for this."""
    found = [
        text.encode()
        for archive in sorted(_SCENARIOS.glob("*/*.txtar"))
        for name, text in txtar.read(archive).files.items()
        if name.endswith(kind)
    ]
    return [*found, *_MADE.get(kind, [])]


_MADE = {
    ".toml": [
        b'exclude = ["gen/**", "**/x/*.go"]\nrules = ["rules"]\n[policy]\nmax_radius = 3\nworkers = "keep"\n',
        b'[phases]\napi = ["api/**"]\nstorage = ["**/db/**"]\n[go]\ntags = ["a"]\nmod = "vendor"\n',
    ],
    ".yml": [
        b"id: a\nlanguage: Go\nkind: bare_call\npackages: [example.org/x]\nfunctions: {Load: LoadContext}\nmessage: m",
        b"id: b\nlanguage: Go\nkind: root\nrule: {pattern: f($A), inside: {kind: block, stopBy: end}}\nmessage: m\n",
    ],
}


def mutated(kind: str) -> st.SearchStrategy[bytes]:
    """Files of a kind, each changed in up to eight places."""
    originals = seeds(kind)
    piece = st.sampled_from(_PIECES) | st.binary(max_size=8) | st.sampled_from(originals).map(lambda data: data[:400])
    change = st.tuples(st.sampled_from("icrxd"), st.integers(0, 1 << 16), st.integers(0, 1 << 16), piece)
    return st.builds(_changed, st.sampled_from(originals), st.lists(change, min_size=1, max_size=8))


def _changed(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    for how, first, second, piece in changes:
        size = len(data) + 1
        start, end = sorted((first % size, second % size))
        if how == "i":
            data = data[:start] + piece + data[start:]
        elif how == "c":
            data = data[:start] + data[end:]
        elif how == "r":
            data = data[:start] + piece + data[end:]
        elif how == "x":
            data = data[:start] + data[start:end] * 3 + data[end:]
        elif start < len(data):
            data = data[:start] + bytes([data[start] ^ (1 << (second % 8))]) + data[start + 1 :]
    return data


@contextmanager
def watched() -> Iterator[None]:
    """End the process with a stack where the block does not end: what is caught in C hears no signal."""
    faulthandler.dump_traceback_later(HANG, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def state(folder: Path) -> dict[str, bytes]:
    """The files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
