"""The recalibration to expect of a vintage whose outcomes are not known yet: levels move until then."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitoring.outcomes.contradictions import (
    LEVEL,
    OTHER_VERSION,
    RANKING,
    has_enough,
    level_observation,
    month_number,
    ranking_observation,
)
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.vintage_loans import VintageCounts
from pipelines.credit.expected_auc import expected_auc
from pipelines.credit.importance import Recalibration
from pipelines.credit.local_level import forecast
from pipelines.credit.recalibration import log_odds_of
from pipelines.credit.tally import tally

STEP = 0.1


def forecast_recalibration(
    fitted: Recalibration,
    basis: Recalibration,
    vintages: Sequence[VintageCounts],
    period: str,
    probability: NDArray[np.float64],
    settings: PerformanceSettings,
) -> Recalibration:
    """Return a recalibration as it is expected for a period, with what vintages vary by in its covariance.

    Args:
        fitted: the recalibration of earlier loans, perhaps weighted.
        basis: the one without weights, from which the levels of vintages are measured.
        vintages: outcomes by the PDs' definition, of which those before the period are used.
        period: the vintage to come.
        probability: its PDs, for what a slope does to the AUC.
        settings: how many bad and good loans a ranking needs.
    """
    known = [one for one in vintages if one.loans and one.period < period]
    if not known:
        return fitted
    month = month_number(period)
    shift, variance = forecast([level_observation(one, basis) for one in known], LEVEL, month, offset=OTHER_VERSION)
    covariance = np.asarray(fitted.covariance) + np.array([[variance, 0.0], [0.0, 0.0]])
    ranked = [ranking_observation(one, basis) for one in known if has_enough(one, settings)]
    if ranked:
        of_auc = forecast(ranked, RANKING, month, offset=OTHER_VERSION)[1]
        about = np.array([-float(log_odds_of(probability).mean()), 1.0])  # another slope leaves the level as it is
        covariance += of_auc / _auc_by_slope(fitted, probability) ** 2 * np.outer(about, about)
    (of_intercept, both), (_, of_slope) = covariance.tolist()
    return replace(fitted.moved(shift, 0.0), covariance=((of_intercept, both), (both, of_slope)))


def _auc_by_slope(recalibration: Recalibration, probability: NDArray[np.float64]) -> float:
    """Return by how much the expected AUC rises with the slope of the recalibration."""
    counts = tally(np.zeros(len(probability), np.int8), probability)
    low, high = (
        expected_auc(recalibration.moved(0.0, step).apply(counts.score), counts.score, counts.rows).value
        for step in (-STEP, STEP)
    )
    return max((high - low) / (2 * STEP), 1e-3)
