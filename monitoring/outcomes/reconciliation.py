"""Past estimates against the truth: how far off they were, and how often their intervals held it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from monitoring.outcomes.observed import Observed
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.stored_estimates import MEASURES, KeptEstimate
from monitoring.outcomes.vintage import Reconciled, VintagePerformance
from pipelines.credit.label_free import Estimate, LabelFree, label_free_performance

DRAWS = 100


@dataclass(frozen=True)
class PastError:
    """How estimates of a measure fared: vintages reconciled, mean and mean absolute error, intervals that held.

    `foresight` counts the vintages whose estimate was made before any outcome was known.
    """

    method: str
    measure: str
    vintages: int
    foresight: int
    mean_error: float
    mean_absolute_error: float
    inside: int


def reconcile(
    matured: Observed,
    kept: Mapping[str, KeptEstimate],
    probability: NDArray[np.float64],
    settings: PerformanceSettings,
) -> tuple[Reconciled, ...]:
    """Return each kept estimate against the truth; `probability` are the PDs of the loans with an outcome.

    A measure that the truth does not have is left out. On the same loans an estimate is made again, with the
    calibration that was known then.
    """
    found: list[Reconciled] = []
    for method, one in kept.items():
        same = label_free_performance(
            probability, confidence=settings.confidence, recalibration=one.recalibration, draws=DRAWS
        )
        found.extend(_measures(method, one, same, _truth(matured)))
    return tuple(found)


def past_errors(vintages: Sequence[VintagePerformance]) -> tuple[PastError, ...]:
    """Return the past error of each method and measure over the vintages that were reconciled."""
    every = sorted((one for vintage in vintages for one in vintage.reconciled), key=_kind)
    return tuple(_past_error(*kind, list(ones)) for kind, ones in groupby(every, key=_kind))


def _truth(matured: Observed) -> dict[str, float]:
    ranking = {name: getattr(matured, name) for name in ("auc", "gini", "ks")}
    known = {name: one.value for name, one in ranking.items() if one is not None}
    return known | {"brier": matured.brier, "bad_rate": matured.bad_rate.value}


def _measures(method: str, kept: KeptEstimate, same: LabelFree, truth: Mapping[str, float]) -> Iterator[Reconciled]:
    for measure in MEASURES:
        if measure not in truth:
            continue
        estimate: Estimate = getattr(kept.estimate, measure)
        value = truth[measure]
        yield Reconciled(
            method=method,
            measure=measure,
            estimated=estimate.value,
            low=estimate.low,
            high=estimate.high,
            truth=value,
            error=estimate.value - value,
            is_inside=estimate.holds(value),
            error_on_same_loans=getattr(same, measure).value - value,
            is_foresight=kept.is_foresight,
        )


def _kind(one: Reconciled) -> tuple[str, str]:
    return one.method, one.measure


def _past_error(method: str, measure: str, ones: Sequence[Reconciled]) -> PastError:
    errors = np.array([one.error for one in ones])
    return PastError(
        method=method,
        measure=measure,
        vintages=len(ones),
        foresight=sum(one.is_foresight for one in ones),
        mean_error=float(errors.mean()),
        mean_absolute_error=float(np.abs(errors).mean()),
        inside=sum(one.is_inside for one in ones),
    )
