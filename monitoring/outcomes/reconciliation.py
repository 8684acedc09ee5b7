"""Past estimates against matured outcomes: their errors, and how often their intervals contained the outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from monitoring.outcomes.observed import Observed
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.stored_estimates import MEASURES, StoredEstimate
from monitoring.outcomes.vintage import Reconciled, VintagePerformance
from pipelines.credit.label_free import Estimate, LabelFree, label_free_performance

DRAWS = 100


@dataclass(frozen=True)
class PastError:
    """The past errors of the estimates of a measure over the reconciled vintages.

    `inside` counts the intervals that contained the outcome, `foresight` the estimates made before any outcome.
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
    stored: Mapping[str, StoredEstimate],
    probability: NDArray[np.float64],
    settings: PerformanceSettings,
) -> tuple[Reconciled, ...]:
    """Return each stored estimate against the outcomes; `probability` are the PDs of the loans with an outcome.

    A measure that the outcomes do not determine is left out. The estimate is made again on exactly these loans, with
    the calibration of its time.
    """
    reconciled: list[Reconciled] = []
    for method, one in stored.items():
        same = label_free_performance(
            probability, confidence=settings.confidence, recalibration=one.recalibration, draws=DRAWS
        )
        reconciled.extend(_measures(method, one, same, _truth(matured)))
    return tuple(reconciled)


def past_errors(vintages: Sequence[VintagePerformance]) -> tuple[PastError, ...]:
    """Return the past error of each method and measure over the vintages that were reconciled."""
    every = sorted((one for vintage in vintages for one in vintage.reconciled), key=_kind)
    return tuple(_past_error(*kind, list(ones)) for kind, ones in groupby(every, key=_kind))


def _truth(matured: Observed) -> dict[str, float]:
    ranking = {name: getattr(matured, name) for name in ("auc", "gini", "ks")}
    values = {name: one.value for name, one in ranking.items() if one is not None}
    return values | {"brier": matured.brier, "bad_rate": matured.bad_rate.value}


def _measures(method: str, stored: StoredEstimate, same: LabelFree, truth: Mapping[str, float]) -> Iterator[Reconciled]:
    for measure in MEASURES:
        if measure not in truth:
            continue
        estimate: Estimate = getattr(stored.estimate, measure)
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
            is_foresight=stored.is_foresight,
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
