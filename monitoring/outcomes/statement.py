"""The performance of a vintage in a sentence: what is known of it, and what is not."""

from monitoring.outcomes.observed import Contradiction, Observed
from pipelines.credit.backtest import BacktestResult

UNKNOWN = "no outcomes yet, so a change in P(bad | features) cannot be known; the estimate assumes that there is none"


def statement(early: Observed | None, early_contradiction: Contradiction | None, matured: Observed | None,
              matured_contradiction: Contradiction | None) -> str:  # fmt: skip
    """Return what the outcomes show so far, the most mature first."""
    if matured_contradiction is not None and matured is not None:
        return f"{matured.loans:,} outcomes by {matured.definition}: {_comparison(matured_contradiction)}"
    if early_contradiction is not None and early is not None:
        return f"{early.loans:,} early outcomes by {early.definition}: {_comparison(early_contradiction)}"
    observed = matured or early
    if observed is None:
        return UNKNOWN
    return (
        f"{observed.loans:,} outcomes by {observed.definition}, too few to know whether P(bad | features) has changed"
    )


def _comparison(contradiction: Contradiction) -> str:
    parts = []
    if contradiction.ranks_worse:
        parts.append(f"the score ranks worse than expected (AUC {_figures(contradiction.ranking)})")
    if contradiction.level_moved:
        parts.append(f"the default rate differs from the expected one (bad rate {_figures(contradiction.level)})")
    if not parts:
        return "as expected"
    text = " and ".join(parts)
    return f"{text}; expected from {contradiction.expected_from}; estimates without labels cannot detect this"


def _figures(found: BacktestResult) -> str:
    """Return the observed and the expected figure.

    >>> _figures(BacktestResult(0.61234, 0.7, 0.001))
    '0.612, expected 0.700'
    """
    return f"{found.observed:.3f}, expected {found.expected:.3f}"
