"""A vintage in a sentence: what is known of its performance, and what is not."""

from monitoring.outcomes.observed import Contradiction, Observed
from pipelines.credit.backtest import BacktestResult

UNKNOWN = (
    "no outcome is known yet: whether P(bad | features) has changed cannot be known; the estimate presumes it has not"
)


def statement(early: Observed | None, early_says: Contradiction | None, matured: Observed | None,
              matured_says: Contradiction | None) -> str:  # fmt: skip
    """Return what outcomes say so far, the most mature first."""
    if matured_says is not None and matured is not None:
        return f"{matured.loans:,} outcomes by {matured.definition}: {_said(matured_says)}"
    if early_says is not None and early is not None:
        return f"{early.loans:,} early outcomes by {early.definition}: {_said(early_says)}"
    some = matured or early
    if some is None:
        return UNKNOWN
    return f"{some.loans:,} outcomes by {some.definition} are too few to tell whether P(bad | features) has changed"


def _said(found: Contradiction) -> str:
    parts = []
    if found.ranks_worse:
        parts.append(f"the score ranks worse than expected (AUC {_pair(found.ranking)})")
    if found.level_moved:
        parts.append(f"the level is not the expected one (bad rate {_pair(found.level)})")
    if not parts:
        return "they do not contradict what was expected"
    return " and ".join(parts) + f"; expected from {found.expected_from}; estimates without labels cannot see this"


def _pair(found: BacktestResult) -> str:
    """Spell two figures side by side.

    >>> _pair(BacktestResult(0.61234, 0.7, 0.001))
    '0.612, expected 0.700'
    """
    return f"{found.observed:.3f}, expected {found.expected:.3f}"
