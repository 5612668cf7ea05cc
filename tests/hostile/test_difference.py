"""Differences of files that a target brings: soon, without recursion that it drives, and always right."""

from __future__ import annotations

from tests.hostile.limited import limited

CODE = """
from audit_lib.change.difference import hunks
from audit_lib.change.patch import patch

def right(before, after):
    made, at = [], 0
    for hunk in hunks(before, after):
        made += before[at:hunk.start] + after[hunk.new_start:hunk.new_end]
        at = hunk.end
    assert made + before[at:] == after

alike = [b"root()\\n", b"x()\\n"] * 20_000
right(alike, [line.replace(b"root", b"ctx") for line in alike])

# In what is left behind each anchor there is one more line that is there once.
nested = [line for n in range(3_000) for line in (b"root()\\n", b"%d\\n" % (n + 1), b"%d\\n" % n)]
right(nested, [line.replace(b"root", b"ctx%d" % (n % 7)) for n, line in enumerate(nested)])

patch({"a.go": b"".join(alike)}, {"a.go": b"".join(alike).replace(b"root", b"ctx")})
"""


def test_differences_of_files_that_repeat_themselves_are_found_soon() -> None:
    limited(CODE)
