"""Tables in a notebook: small ones as they are, large ones with a filter; each carries its rows for the JSON twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import itables.options
import msgspec
import pandas as pd
from IPython.display import HTML, display
from itables import to_html_datatable
from itables.javascript import generate_init_offline_itables_html

from audit_lib.untrusted import pages
from audit_lib.untrusted.text import lines_of, printable

MIME = "application/vnd.ctxaudit.table+json"
_SHOWN = ("place", "function", "callee", "category", "verdict", "priority", "phase", "reason")
_WIDTHS = {"place": "19%", "function": "19%", "callee": "14%", "component": "24%", "kinds": "14%", "reason": "26%"}
# A filter is no wider than its column, and long names break: the table fits the page.
_FIT = ".dt-container thead input { width: 100%; box-sizing: border-box } .dt-container td { overflow-wrap: anywhere }"
_FOLLOW_THEME = """<script type="module">
const bundle = Object.keys(window).find((name) => name.startsWith("_itables_"));
if (bundle) (await window[bundle]).set_or_remove_dark_class();
</script>"""


class Table:
    """A frame under a title, as a notebook shows it. Text of a target is escaped."""

    def __init__(self, frame: pd.DataFrame, title: str, html: str) -> None:
        self._frame, self._title, self._html = frame, title, html

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        rows = msgspec.json.decode(self._frame.to_json(orient="records"))
        data = {"title": self._title, "columns": list(self._frame.columns), "rows": rows}
        plain_text = "\n".join(lines_of(f"{self._title}\n{self._frame.to_string()}"))
        return {"text/html": self._html, "text/plain": plain_text, MIME: data}


def plain(frame: pd.DataFrame, title: str) -> Table:
    """A small table of counts or texts; a named index becomes its first column."""
    flat = _flat(frame)
    aligns = ["right" if pd.api.types.is_numeric_dtype(kind) else "left" for kind in flat.dtypes]
    head = "".join(_cell("th", name, align) for name, align in zip(flat.columns, aligns, strict=True))
    rows = (
        "".join(_cell("td", value, align) for value, align in zip(row, aligns, strict=True))
        for row in flat.itertuples(index=False, name=None)
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    caption = f"<caption style='caption-side: top; text-align: left'><strong>{pages.text(title)}</strong></caption>"
    return Table(flat, title, f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def filterable(frame: pd.DataFrame, title: str, columns: Sequence[str] = _SHOWN) -> Table:
    """A frame that can be searched, filtered and sorted, with no network (after `offline()`).

    `columns` are those that are shown; `place` is made of a frame's `file` and `line`.
    """
    placed = frame.assign(place=frame["file"] + ":" + frame["line"].astype("str")) if "place" in columns else frame
    flat = placed[list(columns)].reset_index(drop=True)
    texts = [name for name in columns if pd.api.types.is_string_dtype(flat[name])]
    html = to_html_datatable(
        flat.assign(**{name: flat[name].astype("str").map(printable) for name in texts}),
        caption=pages.text(title),
        connected=False,
        display_logo_when_loading=False,
        allow_html=False,
        maxBytes=0,
        pageLength=25,
        lengthMenu=[25, 50, 200],
        column_filters="header",
        classes="display compact",
        style="table-layout:auto;width:100%;caption-side:top",
        css=_FIT,
        autoWidth=False,
        columnDefs=[
            *({"targets": number, "width": _WIDTHS.get(name, "7%")} for number, name in enumerate(columns)),
            {"targets": "_all", "className": "dt-left"},
        ],
    )
    return Table(flat, title, html)


def offline() -> None:
    """Put what `filterable` needs into the notebook itself (1 MB), in place of fetching it."""
    bundle = generate_init_offline_itables_html(itables.options.dt_bundle)
    # Not `init_notebook_mode`: in JupyterLab its first script asks for the bundle before its second has brought it.
    display(HTML(bundle + _FOLLOW_THEME))  # type: ignore[no-untyped-call]


def show(*things: object) -> None:
    """Show several things, one below the other."""
    for thing in things:
        display(thing)  # type: ignore[no-untyped-call]


def _cell(tag: str, value: object, align: str) -> str:
    # Said for each cell, since JupyterLab aligns all cells to the right.
    return f"<{tag} style='text-align: {align}'>{pages.text(str(value))}</{tag}>"


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    named = frame if frame.index.name is None else frame.reset_index()
    return named.rename_axis(columns=None)
