"""One colour for each verdict, category and priority, wherever one is drawn.

Verdicts and categories are from Okabe and Ito's set ("Color Universal Design", 2008), which people with any kind of
colour blindness tell apart; priorities are one hue that grows darker with weight.
"""

from __future__ import annotations

VERDICTS = {"fix": "#D55E00", "detach": "#E69F00", "keep": "#009E73", "review": "#56B4E9"}
CATEGORIES = {"request": "#0072B2", "background": "#CC79A7", "init": "#F0E442", "test": "#999999"}
PRIORITIES = {"critical": "#8C2D6A", "high": "#B8629A", "medium": "#D39ABF", "low": "#E9CCDF"}

# Light enough for black text on them.
VERDICT_TINTS = {"fix": "#F7D3B8", "detach": "#FBE6B8", "keep": "#BDE5D8", "review": "#D3EAF8"}

# The terminal's nearest, as SGR codes.
VERDICT_CODES = {"fix": "31", "detach": "33", "keep": "32", "review": "36"}
