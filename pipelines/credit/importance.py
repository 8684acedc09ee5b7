"""Calibration where the applications are now: outcomes of earlier loans, weighted to look like the present ones."""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.credit.arrays import Floats, Outcomes
from pipelines.credit.recalibration import log_odds_of, recalibration_of
from pipelines.credit.tally import Tally


@dataclass(frozen=True)
class Recalibration:
    """logit P(bad) = intercept + slope logit(PD), and how exactly both are known.

    `covariance` is that of (intercept, slope); `rows` the number of equally weighted outcomes that say as much (Kish).
    """

    intercept: float
    slope: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    rows: float

    def apply(self, probability: Floats) -> Floats:
        """Return the recalibrated probabilities.

        >>> exact = Recalibration(0.0, 1.0, ((0.0, 0.0), (0.0, 0.0)), 1.0)
        >>> exact.apply(np.array([0.25])).round(6).tolist()
        [0.25]
        """
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.slope * log_odds_of(probability)))))

    def moved(self, intercept: float, slope: float) -> "Recalibration":
        """Return the recalibration with both coefficients moved by so much."""
        return replace(self, intercept=self.intercept + intercept, slope=self.slope + slope)

    def drawn(self, generator: np.random.Generator) -> "Recalibration":
        """Return one of the recalibrations that the outcomes allow, by its likelihood."""
        move = generator.multivariate_normal([0.0, 0.0], np.asarray(self.covariance), method="eigh")
        return self.moved(float(move[0]), float(move[1]))


def recalibrate(bad: Outcomes, probability: Floats, weight: Floats | None = None) -> Recalibration:
    """Return the logistic recalibration of probabilities on matured outcomes, each counting by its weight.

    With weights that are the density ratio of present to earlier applications, the calibration is that of the present
    population, if P(bad | features) is what it was (Shimodaira 2000; Bialek et al. 2024, PAPE, for its use in
    estimating performance). All of shape (n,). The covariance is White's (1982) sandwich, as weights are no counts.

    Raises:
        ValueError: outcomes of one kind only, or one probability for all.
    """
    weights = np.ones(len(bad)) if weight is None else weight
    if bad.min() == bad.max() or probability.min() == probability.max():
        raise ValueError("a recalibration needs good and bad outcomes and more than one probability")
    distinct, index = np.unique(probability, return_inverse=True)
    bads, both = (np.bincount(index, weights=one).astype(np.float64) for one in (weights * bad, weights))
    intercept, slope = recalibration_of(Tally(distinct, both - bads, bads))
    fitted = 1 / (1 + np.exp(-(intercept + slope * log_odds_of(probability))))
    design = np.vstack([np.ones(len(bad)), log_odds_of(probability)])
    meat = (design * (weights * (bad - fitted)) ** 2) @ design.T
    rows = float(weights.sum() ** 2 / (weights @ weights))
    return _recalibration(intercept, slope, design, weights * fitted * (1 - fitted), meat, rows)


def recalibrate_counts(counts: Tally) -> Recalibration:
    """Return the logistic recalibration of probabilities on counted outcomes; see `recalibrate`."""
    order = np.argsort(counts.score, kind="stable")
    counts = Tally(counts.score[order], counts.good[order], counts.bad[order])
    intercept, slope = recalibration_of(counts)
    fitted = 1 / (1 + np.exp(-(intercept + slope * log_odds_of(counts.score))))
    design = np.vstack([np.ones(len(fitted)), log_odds_of(counts.score)])
    meat = (design * (counts.bad * (1 - fitted) ** 2 + counts.good * fitted**2)) @ design.T
    weight = counts.rows * fitted * (1 - fitted)
    return _recalibration(intercept, slope, design, weight, meat, float(counts.rows.sum()))


def _recalibration(
    intercept: float, slope: float, design: Floats, weight: Floats, meat: Floats, rows: float
) -> Recalibration:
    bread = np.linalg.inv((design * weight) @ design.T)
    (first, both_ways), (_, second) = (bread @ meat @ bread).tolist()
    return Recalibration(intercept, slope, ((first, both_ways), (both_ways, second)), rows)
