"""Simulated decisions by month, and what becomes of the approved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitoring.outcomes.outcomes import Outcomes, outcomes_of_table

BANDS = ("A", "B", "C")


@dataclass(frozen=True)
class Book:
    """Decisions, with the true outcomes (early, full) of all of them beside."""

    decisions: pd.DataFrame
    early: pd.Series
    full: pd.Series

    def outcomes(self, name: str, periods: Sequence[str], definition: str) -> Outcomes:
        """Return the outcomes of the approved of some periods."""
        rows = self.decisions["period"].isin(periods) & (self.decisions["decision"] == "approved")
        table = pd.DataFrame({"application_id": self.decisions["application_id"], "bad": getattr(self, name)})
        return outcomes_of_table(table[rows], definition)


def book(
    periods: Sequence[str],
    rows: int = 2_000,
    seed: int = 0,
    *,
    changed: Sequence[str] = (),
    doubled: Sequence[str] = (),
) -> Book:
    """Draw decisions whose PDs are right, but in `changed` periods say nothing, and in `doubled` ones half the odds."""
    generator = np.random.default_rng(seed)
    parts = []
    for period in periods:
        pd_ = generator.beta(1.2, 9, rows)
        true = np.full(rows, pd_.mean()) if period in changed else pd_
        true = 2 * true / (1 + true) if period in doubled else true
        full = generator.random(rows) < true
        parts.append(
            pd.DataFrame(
                {
                    "application_id": [f"{period}/{row}" for row in range(rows)],
                    "pd": pd_,
                    "band": np.array(BANDS)[np.searchsorted([0.08, 0.15], pd_)],
                    "decision": np.where(pd_ < 0.35, "approved", "declined"),
                    "period": period,
                    "early": full & (generator.random(rows) < 0.6),
                    "full": full,
                }
            )
        )
    whole = pd.concat(parts, ignore_index=True)
    return Book(whole.drop(columns=["early", "full"]), whole["early"], whole["full"])
