"""The figures of an audit. Each is a pure function of a findings frame (`show.frames.findings`).

Figures bring a light ground of their own, so that they read the same in a light and in a dark JupyterLab.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from audit_lib.model import VERDICTS
from audit_lib.show import palette
from audit_lib.show.frames import Dimension, pivots
from audit_lib.untrusted import pages

GROUND, INK, GRID, OUTLINE = "#FFFFFF", "#1F2933", "#D5DAE0", "#5F6B7A"
LABEL_LENGTH = 48
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_BLUES = [[0.0, "#F2F6FA"], [0.5, "#6BA3D0"], [1.0, "#0A3D6B"]]


def by_verdict(frame: pd.DataFrame) -> go.Figure:
    """Sites per verdict."""
    return _bars(frame, "verdict", "What is to be done", palette.VERDICTS)


def by_category(frame: pd.DataFrame) -> go.Figure:
    """Sites per category."""
    return _bars(frame, "category", "What kind of work loses its context", palette.CATEGORIES)


def by_priority(frame: pd.DataFrame) -> go.Figure:
    """Sites per priority."""
    return _bars(frame, "priority", "How urgent it is", palette.PRIORITIES)


def by_phase(frame: pd.DataFrame) -> go.Figure:
    """Sites per phase, stacked by verdict."""
    table = pivots(frame).by_phase()
    figure = go.Figure([_stack(table[verdict], verdict, horizontal=False) for verdict in VERDICTS])
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title_text="phase", type="category")
    figure.update_yaxes(title_text="sites", rangemode="tozero")
    return dress(figure, f"Sites per phase and verdict · {count_sites(len(frame))}")


def worst_packages(frame: pd.DataFrame, n: int = 15) -> go.Figure:
    """The `n` packages with most sites, stacked by verdict, the worst on top."""
    table = pivots(frame).worst_packages(n)[::-1]
    figure = go.Figure([_stack(table[verdict], verdict, horizontal=True) for verdict in VERDICTS])
    # Rows are numbers under the hood: two long names that are cut alike must stay two rows.
    figure.update_yaxes(tickvals=list(range(len(table))), ticktext=[label(name) for name in table.index])
    figure.update_xaxes(title_text="sites", rangemode="tozero")
    figure.update_layout(barmode="stack", height=170 + 26 * max(len(table), 4))
    shown = int(table.to_numpy().sum())
    return dress(figure, f"Packages with most sites · {shown} of {count_sites(len(frame))}")


def treemap(frame: pd.DataFrame) -> go.Figure:
    """Packages, divided by verdict; areas are numbers of sites."""
    table = pivots(frame).by_package()
    ids, labels, parents, values, colors = ["all"], ["all packages"], [""], [len(frame)], [GRID]
    for number, (name, counts) in enumerate(table.iterrows()):
        ids.append(f"{number}")
        labels.append(label(str(name)))
        parents.append("all")
        values.append(int(counts.sum()))
        colors.append(GRID)
        for verdict in VERDICTS:
            if counts[verdict]:
                ids.append(f"{number}:{verdict}")
                labels.append(verdict)
                parents.append(f"{number}")
                values.append(int(counts[verdict]))
                colors.append(palette.VERDICTS[verdict])
    trace = go.Treemap(
        ids=ids,
        labels=labels,
        parents=parents,
        values=values,
        branchvalues="total",
        marker={"colors": colors, "line": {"color": GROUND, "width": 1}},
        textfont={"color": "#000000"},
        texttemplate="%{label}<br>%{value}",
        hovertemplate="%{label}: %{value} sites<extra></extra>",
        pathbar={"visible": False},
    )
    figure = dress(go.Figure(trace), f"Packages and verdicts, by number of sites · {count_sites(len(frame))}")
    return figure.update_layout(height=460, margin={"l": 12, "r": 12, "t": 56, "b": 12})


def heat_map(frame: pd.DataFrame) -> go.Figure:
    """Sites per phase and priority."""
    table = pivots(frame).by_phase("priority")
    trace = go.Heatmap(
        z=table.to_numpy().tolist(),
        x=[str(name) for name in table.columns],
        y=[label(str(name)) for name in table.index],
        colorscale=_BLUES,
        zmin=0,
        texttemplate="%{z}",
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "sites"}},
        hovertemplate="%{y}, %{x}: %{z} sites<extra></extra>",
    )
    figure = go.Figure(trace)
    figure.update_xaxes(title_text="priority", type="category")
    figure.update_yaxes(title_text="phase", type="category", autorange="reversed")
    return dress(figure, f"Sites per phase and priority · {count_sites(len(frame))}")


def _bars(frame: pd.DataFrame, dimension: Dimension, title: str, colors: Mapping[str, str]) -> go.Figure:
    counts = frame[dimension].value_counts(sort=False)
    values = [int(counts.get(name, 0)) for name in colors]
    trace = go.Bar(
        x=list(colors),
        y=values,
        text=[str(value) for value in values],
        textposition="outside",
        cliponaxis=False,
        marker={"color": list(colors.values()), "line": {"color": OUTLINE, "width": 1}},
        hovertemplate="%{x}: %{y} sites<extra></extra>",
    )
    figure = go.Figure(trace)
    figure.update_xaxes(title_text=dimension, type="category")
    figure.update_yaxes(title_text="sites", rangemode="tozero")
    return dress(figure, f"{title} · {count_sites(len(frame))}")


def _stack(column: pd.Series, verdict: str, *, horizontal: bool) -> go.Bar:
    counts = [int(value) for value in column]
    names = [label(str(name)) for name in column.index]
    rows = list(range(len(names))) if horizontal else names
    value = "%{x}" if horizontal else "%{y}"
    return go.Bar(
        name=verdict,
        x=counts if horizontal else rows,
        y=rows if horizontal else counts,
        orientation="h" if horizontal else "v",
        customdata=names,
        marker={"color": palette.VERDICTS[verdict], "line": {"color": OUTLINE, "width": 1}},
        hovertemplate=f"%{{customdata}}: {value} sites to {verdict}<extra></extra>",
    )


def dress(figure: go.Figure, title: str, legend: str = "verdict") -> go.Figure:
    """The look that all figures share."""
    axis = {"gridcolor": GRID, "linecolor": OUTLINE, "zerolinecolor": GRID, "automargin": True, "title_standoff": 8}
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0.01, "xanchor": "left", "font": {"size": 17}},
        paper_bgcolor=GROUND,
        plot_bgcolor=GROUND,
        font={"family": _FONT, "size": 13, "color": INK},
        margin={"l": 64, "r": 24, "t": 64, "b": 64},
        legend={"title": {"text": legend}, "traceorder": "normal"},
        hoverlabel={"font": {"family": _FONT}},
        modebar={"orientation": "v"},
    )
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def label(text: str) -> str:
    """A name of the target as a label: cut at the front, where names differ least, and without markup."""
    return pages.label(text, LABEL_LENGTH)


def count_sites(n: int) -> str:
    """`1 site`, `2 sites`."""
    return "1 site" if n == 1 else f"{n} sites"


ALL = {
    "verdict": by_verdict,
    "category": by_category,
    "priority": by_priority,
    "phase": by_phase,
    "packages": worst_packages,
    "treemap": treemap,
    "heat": heat_map,
}
