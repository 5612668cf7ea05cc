"""Text of a target in the cells of a spreadsheet: shown as text, never a formula, in whatever program opens it."""

from __future__ import annotations

import re

from audit_lib.untrusted.text import printable, shortened

LIMIT = 32_767
"""Characters of a cell; Excel's own limit."""

_MARK = " (cut)"
# A formula begins a cell, blanks and quotes before it not counted. Programs in whose language a comma stands in numbers
# part cells at semicolons, and some at line breaks, whatever is quoted. East Asian forms of the signs count too.
_SIGNS = r"=+\-@\u2212\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b"
_FORMULA = re.compile(rf"""(?:^|(?<=[;\n]))(?=[ "'`]*[{_SIGNS}])""")


def text(value: str, limit: int = LIMIT) -> str:
    """A value for a cell that is written as text: what cannot be seen is spelled out, but for line feeds."""
    shown = value if value.isprintable() and value.isascii() else "\n".join(map(printable, value.split("\n")))
    if shown.startswith("<r>"):
        shown = f" {shown}"  # or the library that writes workbooks takes it for XML of its own
    return shown if len(shown) <= limit else shown[: limit - len(_MARK)] + _MARK


def csv(value: str) -> str:
    """A value for a cell of CSV, where a program decides what is a formula: an apostrophe says that it is none."""
    return shortened(_FORMULA.sub("'", text(value)), LIMIT)
