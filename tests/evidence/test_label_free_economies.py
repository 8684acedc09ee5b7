"""Simulated: estimates without labels hold on any market and in any economy, for all whom the policy approves."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines.storage.atomic_files import whole_file
from tests.evidence.conftest import Evidence
from tests.evidence.economies.estimates import estimates
from tests.evidence.economies.results import FIRST, Markets
from tests.evidence.test_outcome_alarms import VOLUMES, folder, markets

pytestmark = pytest.mark.integration  # simulates markets and fits a model in each
__all__ = ["folder", "markets"]

LARGEST_ERROR, INSIDE, RATES_INSIDE = 0.01, 0.93, (0.9, 0.98)


@pytest.mark.parametrize("volume", VOLUMES)
def test_estimates_without_labels_hold(volume: int, evidence: Evidence, markets: Callable[[int], Markets]) -> None:
    economies = evidence.size(full=6, reduced=1)
    by_market = [_of_market(markets(volume), place, economies) for place in range(len(markets(volume).sizes))]
    errors = np.array([one[:, 0].mean() for one in by_market])
    every = np.concatenate(by_market)
    auc_inside, rate_inside = every[:, 1].mean(), every[:, 2].mean()
    low, high = RATES_INSIDE
    holds = abs(errors.mean()) <= LARGEST_ERROR and auc_inside >= INSIDE and low <= rate_inside <= high
    evidence.record(
        f"94-label-free-{volume}",
        claim=f"simulated: the recalibrated AUC without labels less the realised one, mean over {len(errors)} markets "
        f"of about {volume:,} applications a month; vintages whose interval holds the realised AUC, and bad rate "
        f"({len(every):,} vintages of {economies} economies each)",
        value=f"{errors.mean():+.4f} (markets {errors.min():+.4f} to {errors.max():+.4f}), {auc_inside:.1%}, "
        f"{rate_inside:.1%}",
        bound=f"within {LARGEST_ERROR}, at least {INSIDE:.0%}, {low:.0%} to {high:.0%}",
        holds=holds,
    )
    assert holds or not evidence.full


def _of_market(markets: Markets, place: int, economies: int) -> np.ndarray:
    """Return the error of the AUC and whether the intervals hold, a row per vintage; stored once made."""
    size = markets.sizes[place]
    name = f"estimates-seed-{size.seed}-customers-{size.customers}-of-{markets.thinned}-{economies}.json"
    path: Path = markets.folder / name
    if not path.exists():
        market = markets.market(size)
        rows = [
            (one.auc.value - one.realised_auc, one.auc.holds(one.realised_auc), one.bad_rate.holds(one.realised_rate))
            for number in range(FIRST, FIRST + economies)
            for one in estimates(market, number)
        ]
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(rows, default=float))
    return np.array(json.loads(path.read_text()), float)
