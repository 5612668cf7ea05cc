"""Text of a target in a page of HTML: as text, in an attribute, as data in a script, as a label that plotly draws.

Each page also tells the browser what may run in it: the scripts that we put there, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from audit_lib.untrusted.text import code_line, printable


def text(value: str) -> str:
    """A value between tags, or in a quoted attribute."""
    return escape(printable(value), quote=True)


def code(value: str) -> str:
    """A line of code between tags, with its tabs."""
    return escape(code_line(value), quote=True)


def label(value: str, length: int) -> str:
    """A value as plotly draws it, which reads some HTML: cut at the front, where names differ least."""
    text = printable(value)
    return escape(text if len(text) <= length else f"…{text[1 - length :]}", quote=False)


def data(json: str) -> str:
    """JSON that may stand in a script element: nothing in it ends the element, begins another, or ends a line."""
    for char, spelled in (("<", "003c"), (">", "003e"), ("&", "0026"), ("\u2028", "2028"), ("\u2029", "2029")):
        json = json.replace(char, f"\\u{spelled}")
    return json


def script(source: str) -> str:
    """A script of our own as a browser reads it, with the line ends that its hash is of."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def policy(scripts: Iterable[str], *sources: str) -> str:
    """The content security policy of a page with these inline scripts, and no others.

    `sources` are more that scripts may come from, as `blob:`. Nothing is fetched, nothing is sent. Styles may stand in
    the page: plotly and DataTables write theirs when they draw.
    """
    hashes = sorted({_hashed(source) for source in scripts})
    allowed = " ".join((*hashes, *sources)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script(source).encode()).digest()).decode()}'"
