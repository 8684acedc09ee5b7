"""What moved the score, in a sentence."""

from monitoring.measures.attribution import Attribution, Part
from pipelines.errors import listed

NAMED = 4

INTERVAL = 1.96
"""Standard errors on both sides of a part."""


def attribution_in_words(attribution: Attribution) -> str:
    """Return the columns that moved the score, each with its part of the log-odds of bad, and the shifts in all.

    >>> parts = (Part("income", 0.2, 0.01, 0.016, -0.04), Part(None, 0.01, None, 0.0, 0.0))
    >>> attribution_in_words(Attribution(0.21, 0.016, -0.04, parts))
    'income +0.20 ± 0.02; in all +0.21 log-odds of bad, expected bad rate +1.6 points, approval rate -4.0 points'
    """
    parts = listed([_part(one) for one in attribution.that_matter], NAMED)
    totals = f"in all {attribution.log_odds:+.2f} log-odds of bad, expected bad rate {100 * attribution.pd:+.1f} points"
    if attribution.approval_rate is not None:
        totals += f", approval rate {100 * attribution.approval_rate:+.1f} points"
    return f"{parts}; {totals}"


def _part(part: Part) -> str:
    return f"{part.column} {part.log_odds:+.2f} ± {INTERVAL * (part.error or 0.0):.2f}"
