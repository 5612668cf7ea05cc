"""One colour for each verdict, category and priority, wherever one is drawn.

Verdicts and categories are from Okabe and Ito's set ("Color Universal Design", 2008), which people with any kind of
colour blindness tell apart; priorities and the kinds of a fix are one hue each, from light to dark.
"""

from __future__ import annotations

VERDICTS = {"fix": "#D55E00", "detach": "#E69F00", "keep": "#009E73", "review": "#56B4E9"}
CATEGORIES = {"request": "#0072B2", "background": "#CC79A7", "init": "#F0E442", "test": "#999999"}
PRIORITIES = {"critical": "#8C2D6A", "high": "#B8629A", "medium": "#D39ABF", "low": "#E9CCDF"}

# What a fix does is one hue, the verdict's, from dark to light; what it does not do is grey.
FIX_KINDS = {
    "in-scope": "#6B2400",
    "thread": "#943200",
    "thread-interface": "#BF4A0A",
    "upgrade": "#DD7A45",
    "variant": "#EBA683",
    "test-context": "#F6D5C5",
}
OTHER_KIND = "#FBEDE6"
OUTCOMES = {
    "fixed": VERDICTS["fix"],
    "detached": VERDICTS["detach"],
    "kept": VERDICTS["keep"],
    "refused": "#6E6E6E",
    "not asked for": "#E3E6EA",
    "review": VERDICTS["review"],
}
OUTCOME_TINTS = {
    "fixed": "#F7D3B8",
    "detached": "#FBE6B8",
    "kept": "#BDE5D8",
    "refused": "#CFCFCF",
    "not-asked-for": "#ECEEF1",
    "review": "#D3EAF8",
}
# Teal and wine of Paul Tol's "muted" set, and two blues that differ in lightness.
PROOF = {"passed": "#44AA99", "failed": "#882255"}
ROOTS = {"before": "#334E68", "left": "#BCCCDC"}

# Light enough for black text on them.
VERDICT_TINTS = {"fix": "#F7D3B8", "detach": "#FBE6B8", "keep": "#BDE5D8", "review": "#D3EAF8"}

# The terminal's nearest, as SGR codes.
VERDICT_CODES = {"fix": "31", "detach": "33", "keep": "32", "review": "36"}
