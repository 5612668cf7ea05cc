"""An executed notebook as one HTML file that opens offline, with figures that draw, and as a JSON twin."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import plotly.io
from nbconvert import HTMLExporter
from nbconvert.preprocessors import Preprocessor

from audit_lib.show.excerpts import MIME as EXCERPT
from audit_lib.show.tables import MIME as TABLE
from audit_lib.untrusted import pages
from audit_lib.untrusted.text import one_line

SCHEMA = 1
FIGURE = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
_TEMPLATES = Path(__file__).parent / "templates"
_OPENING = re.compile(r"<script[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(r"</script", re.IGNORECASE)
# How many scripts plotly makes for a figure and brings itself, and how many itables makes for a table and brings.
_SCRIPTS_OF_FIGURE, _SCRIPTS_OF_PLOTLY, _SCRIPTS_OF_TABLE, _SCRIPTS_OF_SETUP = 1, 2, 2, 2


class DrawnFigures(Preprocessor):
    """Turns each plotly figure into HTML that draws it, with plotly.js in the first; drops ended progress bars.

    `policy` of the resources is then what may run in the page: the scripts that we put into its outputs.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """The notebook with its figures drawn, and the resources with the page's policy."""
        scripts: list[str] = []
        drawn = 0
        nb.metadata.pop("widgets", None)
        for cell in nb.cells:
            cell_outputs = cell.get("outputs", [])
            cell_outputs[:] = [output for output in cell_outputs if WIDGET not in output.get("data", {})]
            for output in cell_outputs:
                data = output.get("data", {})
                most = _SCRIPTS_OF_TABLE if TABLE in data else 0 if EXCERPT in data else _SCRIPTS_OF_SETUP
                if FIGURE in data:
                    most = _SCRIPTS_OF_FIGURE if drawn else _SCRIPTS_OF_FIGURE + _SCRIPTS_OF_PLOTLY
                    output["data"] = {"text/html": self._html(data[FIGURE], drawn)}
                    drawn += 1
                scripts += _scripts(output.get("data", {}).get("text/html", ""), most)
        resources["policy"] = pages.policy(scripts, "blob:")  # itables brings its library as a blob
        return nb, resources

    def _html(self, figure: Any, number: int) -> str:
        html: str = plotly.io.to_html(
            {"data": figure["data"], "layout": figure["layout"]},
            full_html=False,
            include_plotlyjs=number == 0,
            config={"displaylogo": False, "responsive": True},
            div_id=f"figure-{number + 1}",
            validate=False,
        )
        return html


def _scripts(html: str, most: int) -> list[str]:
    """The scripts of an output, where there are no more than it has of ours: none of text that has broken out."""
    found: list[str] = []
    opening = _OPENING.search(html)
    while opening is not None and len(found) <= most:
        closing = _CLOSING.search(html, opening.end())
        if closing is None:
            break
        found.append(html[opening.end() : closing.start()])
        opening = _OPENING.search(html, closing.end())
    return found if len(found) <= most else []


def html(notebook: Any, title: str, *, failure: str = "") -> str:
    """The page of an executed notebook, its code hidden. `failure` says at the top why the run did not end well."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="notebook",
        extra_template_basedirs=[str(_TEMPLATES)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        preprocessors=[DrawnFigures],
    )
    resources = {"failure": one_line(failure), "metadata": {"name": title}}
    copy = deepcopy(notebook)  # the preprocessors change what they are given
    page: str = exporter.from_notebook_node(copy, resources=resources)[0]
    return page


def twin(notebook: Any, title: str, *, failure: str = "") -> dict[str, Any]:
    """All that the page shows, as data: per heading its text, figures, tables and excerpts."""
    sections: list[dict[str, Any]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" or not sections:
            sections.append({"heading": _heading(cell), "text": [], "figures": [], "tables": [], "excerpts": []})
        section = sections[-1]
        if cell.cell_type == "markdown":
            section["text"].append(cell.source)
        for output in cell.get("outputs", []):
            _add(output, section)
    return {"schema": SCHEMA, "notebook": title, "failure": failure, "sections": sections}


def _add(output: Any, section: dict[str, Any]) -> None:
    data = output.get("data", {})
    if WIDGET in data:
        return  # a progress bar that has ended
    if FIGURE in data:
        layout = data[FIGURE]["layout"]
        section["figures"].append({"title": layout["title"]["text"], "data": data[FIGURE]["data"], "layout": layout})
    elif TABLE in data:
        section["tables"].append(data[TABLE])
    elif EXCERPT in data:
        section["excerpts"].append(data[EXCERPT])
    elif output.output_type == "stream" and output.name == "stdout":
        section["text"].append(output.text)
    elif output.output_type == "error":
        section["text"].append(f"{output.ename}: {output.evalue}")
    elif "text/html" not in data and "text/plain" in data:
        section["text"].append(data["text/plain"])


def _heading(cell: Any) -> str:
    lines = [line for line in cell.source.splitlines() if line.startswith("#")] if cell.cell_type == "markdown" else []
    return lines[0].lstrip("# ") if lines else ""
