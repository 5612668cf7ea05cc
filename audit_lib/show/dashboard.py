"""A dashboard: one HTML file that opens from disk with no network, and a JSON twin with all that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from audit_lib.model import CATEGORIES, PRIORITIES, VERDICTS, Audit, Finding, json_bytes, readable, row_of
from audit_lib.show import figures, frames, palette
from audit_lib.show.excerpt import Sources
from audit_lib.show.staging import staged
from audit_lib.untrusted import pages
from audit_lib.untrusted.text import printable

SCHEMA = 1
HTML_NAME, JSON_NAME = "dashboard.html", "dashboard.json"


def write_dashboard(audit: Audit, out: Path, *, sources: Path | None = None) -> tuple[Path, Path]:
    """Write `dashboard.html` and its twin `dashboard.json` into `out`, and give their paths.

    `sources` is the target's folder: where it is at hand, each finding shows the code around it. The same audit and
    sources give the same bytes. Raises `OutputError` when `out` cannot be written; then nothing is.
    """
    shown = payload(readable(audit), sources)
    page = render(shown)
    with staged(out) as stage:
        (stage / HTML_NAME).write_bytes(page.encode())
        (stage / JSON_NAME).write_bytes(msgspec.json.format(json_bytes(shown), indent=1) + b"\n")
    return out / HTML_NAME, out / JSON_NAME


def payload(audit: Audit, sources: Path | None) -> dict[str, Any]:
    """All that a dashboard shows, as JSON's own types."""
    files = Sources(sources)
    frame = frames.findings(audit)
    ordered = sorted(audit.findings, key=lambda f: (f.site.span, f.fingerprint))
    outcomes = _outcomes(audit)
    return {
        "schema": SCHEMA,
        "target": audit.target,
        "commit": audit.commit,
        "tool": audit.tool,
        "typed": audit.typed,
        "sources": sources is not None,
        "totals": msgspec.to_builtins(audit.totals),
        "orders": {
            "kind": ["root", "bare_call"],
            "category": CATEGORIES,
            "verdict": VERDICTS,
            "priority": PRIORITIES,
            "phase": frames.phases(audit),
        },
        "findings": [_finding(finding, files, outcomes.get(finding.fingerprint, "")) for finding in ordered],
        "phases": records(frames.pivots(frame).by_phase().rename_axis(columns=None).reset_index()),
        "categories": records(frames.pivots(frame).by_category().rename_axis(columns=None).reset_index()),
        "packages": records(frames.packages(audit)),
        "not_done": _not_done(audit),
        "verification": records(frames.verification(audit)),
        "degradations": records(frames.degradations(audit)),
        "figures": [drawn(name, draw(frame)) for name, draw in figures.ALL.items()],
    }


def render(shown: dict[str, Any], name: str = "dashboard", tints: Mapping[str, str] = palette.VERDICT_TINTS) -> str:
    """The page of a payload: from `<name>.html.j2`, with the style and the scripts that all pages share and its own.

    `tints` are the grounds of its badges, by their class.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("audit_lib.show"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    source = environment.loader
    assert source is not None
    files = dict.fromkeys(("dashboard.css", "sides.css", f"{name}.css", "shared.js", f"{name}.js"))
    texts = {file: Markup(source.get_source(environment, file)[0]) for file in files}
    style = Markup("\n").join(text for file, text in texts.items() if file.endswith(".css"))
    scripts = [pages.script(text) for text in (get_plotlyjs(), texts["shared.js"], texts[f"{name}.js"])]
    plotly, shared, own = map(Markup, scripts)
    return environment.get_template(f"{name}.html.j2").render(
        page=shown,
        tints=tints,
        style=style,
        policy=Markup(pages.policy(scripts)),
        shared=shared,
        script=own,
        plotly=plotly,
        data=Markup(pages.data(json_bytes(shown).decode())),
    )


def _finding(finding: Finding, files: Sources, outcome: str) -> dict[str, Any]:
    around = files.around(finding.site)
    return {
        **msgspec.to_builtins(row_of(finding)),
        "package": frames.package_of(finding.site.span.file),
        "production": finding.category != "test",
        "rule": finding.rule,
        "lifetime": finding.source.lifetime if finding.source else "",
        "steps": [{**msgspec.to_builtins(step), "code": files.line(step)} for step in finding.path],
        "radius": msgspec.to_builtins(finding.radius) if finding.radius else None,
        "notes": list(finding.notes),
        "outcome": outcome,
        "excerpt": msgspec.to_builtins(around) if around else None,
    }


def _outcomes(audit: Audit) -> dict[str, str]:
    changed = {change.fingerprint: f"changed: {change.fix_kind}" for change in audit.changes}
    refused = {r.fingerprint: f"refused: {r.reason} ({r.where})" for r in audit.refusals}
    return changed | refused


def _not_done(audit: Audit) -> list[dict[str, Any]]:
    """What is left to people, by reason: refusals, then findings for review; most first."""
    refused = [("refused", f"{r.reason} ({r.where})") for r in audit.refusals]
    review = [("review", f.reason) for f in audit.findings if f.verdict == "review"]
    counts = pd.DataFrame([*refused, *review], columns=pd.Index(["what", "why"])).value_counts(sort=False)
    rows = [{"what": str(key[0]), "why": str(key[1]), "sites": int(n)} for key, n in counts.items()]  # type: ignore[index]
    return sorted(rows, key=lambda row: (row["what"], -int(row["sites"]), row["why"]))


def drawn(name: str, figure: go.Figure) -> dict[str, Any]:
    """A figure as a payload holds it."""
    spec: dict[str, Any] = msgspec.json.decode(figure.to_json())
    return {"name": name, "title": figure.layout.title.text, "data": spec["data"], "layout": spec["layout"]}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as a payload holds them."""
    rows: list[dict[str, Any]] = msgspec.json.decode(frame.to_json(orient="records"))
    return rows
