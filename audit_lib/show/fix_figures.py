"""The figures of a fix, each a pure function of frames (`show.fix_frames`, `show.frames.verification`)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from audit_lib.fixed import Group
from audit_lib.model import Audit
from audit_lib.show import fix_frames, frames, palette
from audit_lib.show.figures import GROUND, OUTLINE, count_sites, dress, label

_LIGHT_TEXT = frozenset({"in-scope", "thread", "thread-interface", "refused"})
_HATCHED = {"detached": "/", "refused": "x", "not asked for": "."}
"""Hatching tells apart without colour what is not a fix's own."""


def plan(outcomes: pd.DataFrame) -> go.Figure:
    """Sites per phase, stacked by what became of each: fixed by its kind, detached, kept, refused, for review."""
    table = fix_frames.by_phase(outcomes)
    figure = go.Figure([_stack(table[part], str(part)) for part in table.columns])
    figure.update_layout(barmode="stack", height=420, uniformtext={"minsize": 9, "mode": "hide"})
    figure.update_xaxes(title_text="phase", type="category")
    figure.update_yaxes(title_text="sites", rangemode="tozero")
    return dress(figure, f"What becomes of each site, per phase · {count_sites(len(outcomes))}", "outcome")


def roots(table: pd.DataFrame, moved: int = 0) -> go.Figure:
    """Roots in production code per phase, before the fix and after it; `moved` is told in the title."""
    names = [label(str(name)) for name in table["phase"]]
    figure = go.Figure([_pillars(names, table[column], column) for column in palette.ROOTS])
    figure.update_layout(barmode="group")
    figure.update_xaxes(title_text="phase", type="category")
    figure.update_yaxes(title_text="roots", rangemode="tozero")
    before, left = int(table["before"].sum()), int(table["left"].sum())
    also = f", and {moved} moved to callers" if moved else ""
    return dress(figure, f"Roots in production code · {before} before, {left} left{also}", "roots")


def verification(steps: pd.DataFrame) -> go.Figure:
    """The steps of the proof in their order, first on top, each with its seconds; a failed one is hatched."""
    rows = steps[::-1]
    words = ["passed" if ok else "failed" for ok in rows["ok"]]
    seconds = [round(float(value), 1) for value in rows["seconds"]]
    bars = go.Bar(
        x=seconds,
        y=list(range(len(rows))),
        orientation="h",
        text=[f"{value:.1f} s, {word}" for value, word in zip(seconds, words, strict=True)],
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": [palette.PROOF[word] for word in words],
            "pattern": {"shape": ["x" if word == "failed" else "" for word in words]},
            "line": {"color": OUTLINE, "width": 1},
        },
        hovertemplate="%{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    # Rows are numbers under the hood: a step that is taken twice stays two rows.
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=[label(str(name)) for name in rows["step"]])
    # Room for the words behind the longest bar.
    figure.update_xaxes(title_text="seconds", range=[0, 1.3 * max([*seconds, 0.1])])
    figure.update_layout(height=170 + 34 * max(len(rows), 3), showlegend=False)
    total = sum(seconds)
    return dress(figure, f"The proof, step by step · {total:.1f} seconds")


def drawn(audit: Audit, groups: Sequence[Group] = ()) -> dict[str, go.Figure]:
    """All figures of a fix, by name; that of the proof only where something was proved."""
    figures = {
        "plan": plan(fix_frames.outcomes(audit, groups)),
        "roots": roots(fix_frames.roots(audit), audit.totals.moved),
    }
    if audit.verification:
        figures["verification"] = verification(frames.verification(audit))
    return figures


def _stack(column: pd.Series, part: str) -> go.Bar:
    color = palette.OUTCOMES.get(part) or palette.FIX_KINDS.get(part, palette.OTHER_KIND)
    counts = [int(value) for value in column]
    hatch = (
        {"shape": _HATCHED[part], "fgcolor": OUTLINE, "fillmode": "overlay", "solidity": 0.12}
        if part in _HATCHED
        else {}
    )
    return go.Bar(
        name=label(part if part in palette.OUTCOMES else f"fixed: {part}"),
        x=[label(str(name)) for name in column.index],
        y=counts,
        text=[str(count) if count else "" for count in counts],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        insidetextfont={"color": GROUND if part in _LIGHT_TEXT else "#000000"},
        marker={"color": color, "line": {"color": OUTLINE, "width": 1}, **({"pattern": hatch} if hatch else {})},
        hovertemplate="%{x}: %{y} sites %{fullData.name}<extra></extra>",
    )


def _pillars(names: Sequence[str], counts: pd.Series, name: str) -> go.Bar:
    values = [int(value) for value in counts]
    return go.Bar(
        name=name,
        x=list(names),
        y=values,
        text=[str(value) for value in values],
        textposition="outside",
        cliponaxis=False,
        marker={"color": palette.ROOTS[name], "line": {"color": OUTLINE, "width": 1}},
        hovertemplate=f"%{{x}}: %{{y}} roots {name}<extra></extra>",
    )
