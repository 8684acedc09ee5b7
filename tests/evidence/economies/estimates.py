"""Estimates without labels in a redrawn economy, as they are made before outcomes are known, and what came true."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.forecast import forecast_recalibration
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.vintage_loans import Loans
from monitoring.windows.months import month_from
from pipelines.credit.discrimination import auc
from pipelines.credit.label_free import Estimate, label_free_performance
from tests.evidence.economies.market import FULL, Market
from tests.evidence.economies.redraw import FIRST_REPORT, LAG, QUIET, REPORTS, economy_of

RANDOM_SHARE = 0.02
"""Of those whom the earlier policy would decline, that it approves at random."""


@dataclass(frozen=True)
class Compared:
    """The estimates of a vintage and the realised AUC and bad rate of all whom the model's policy approved."""

    auc: Estimate
    bad_rate: Estimate
    realised_auc: float
    realised_rate: float


def estimates(market: Market, number: int) -> Iterator[Compared]:
    """Yield the estimates of each scored vintage in one economy.

    Outcomes are drawn for all whom the policy approves, as a lender has them that decides by it; loans before it are
    those whom the earlier policy approved.
    """
    generator = np.random.default_rng([market.world.seed, number])
    chance = market.true_pds(*economy_of(generator, len(market.world.economy), QUIET))[FULL]
    rows, bad = market.applications, (generator.random(len(chance)) < chance).astype(np.int8)
    pds, periods = rows["pd"].to_numpy(), rows["period"].to_numpy(str)
    is_scored, approved = rows["is_scored"].to_numpy(bool), rows["approved"].to_numpy(bool)
    is_earlier = ~is_scored & rows[f"known_{FULL}"].to_numpy()
    is_random = rows["is_random_approval"].to_numpy() & ~is_scored
    weight = np.where(is_random, 1 / RANDOM_SHARE, 1.0)
    for place in range(REPORTS):
        period = month_from(FIRST_REPORT, place)
        known = periods <= month_from(period, -LAG[FULL])
        some = (is_earlier | is_scored & approved) & known
        earlier = EarlierLoans(bad[some], pds[some], weight=weight[some])
        fitted, basis = earlier.recalibration(), earlier.recalibration(weighted=False)
        assert fitted is not None
        assert basis is not None
        vintages = [
            Loans(one, bad[these], pds[these], np.full(len(these), "")).counted
            for one in np.unique(periods[known])
            if len(these := np.flatnonzero(some & (periods == one)))
        ]
        now = np.flatnonzero(is_scored & approved & (periods == period))
        expected = forecast_recalibration(fitted, basis, vintages, period, pds[now], PerformanceSettings())
        made = label_free_performance(pds[now], confidence=0.95, recalibration=expected, draws=1)
        yield Compared(made.auc, made.bad_rate, auc(bad[now], pds[now]), float(bad[now].mean()))
