"""The measures are those that others compute: every figure against an implementation that shares no code with it."""

from collections.abc import Callable

import numpy as np
import sklearn.metrics
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, expit, logit
from scipy.stats import binomtest, ks_2samp, norm
from scipy.stats.contingency import relative_risk
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from experiments.evidence.evaluation import MEASURES
from pipelines.credit.discrimination import delong_difference
from pipelines.credit.rates import katz_interval, wilson_interval
from pipelines.credit.tally import tally
from tests.evidence.conftest import Evidence

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int8]

BOUND = 1e-6


def their_h_measure(bad: Outcomes, probability: Floats) -> float:
    """Return Hand's H by way of scikit-learn's isotonic regression and scipy's incomplete beta function.

    The convex hull of the ROC curve is the isotonic regression of the outcome on the score (Fawcett and Niculescu-Mizil
    2007), so the least loss at cost c is the mean of min(c (1 - q), (1 - c) q) over its fitted rates q.
    """
    rate = float(bad.mean())
    fitted = IsotonicRegression().fit_transform(probability, bad.astype(float))
    b = 1 + (1 - rate) / rate

    def loss(q: Floats) -> float:
        below = 2 / (2 + b) * betainc(3, b, q)
        above = b / (2 + b) * (1 - betainc(2, b + 1, q))
        return float(np.mean((1 - q) * below + q * above))

    return 1 - loss(fitted) / loss(np.array([rate]))


def their_slope(bad: Outcomes, probability: Floats) -> float:
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=500)
    return float(model.fit(logit(probability)[:, None], bad).coef_[0, 0])


def their_intercept(bad: Outcomes, probability: Floats) -> float:
    return float(brentq(lambda a: float(np.sum(expit(a + logit(probability)) - bad)), -30, 30, xtol=1e-13))


def their_calibration_error(bad: Outcomes, probability: Floats) -> float:
    order = np.argsort(probability)  # the scores are distinct and their number a multiple of ten
    predicted, observed = (one[order].reshape(10, -1).mean(axis=1) for one in (probability, bad))
    return float(np.abs(predicted - observed).mean())


def their_delong(bad: Outcomes, score: Floats, other: Floats) -> tuple[float, float]:
    """Return the p-value and the half-width of the interval from the table of all pairs, as DeLong et al. write it."""
    rows = []
    for one in (score, other):
        bads, goods = one[bad == 1][:, None], one[bad == 0][None, :]
        rows.append((bads > goods) + 0.5 * (bads == goods))
    difference = rows[0] - rows[1]
    variance = sum(np.var(difference.mean(axis=axis), ddof=1) / difference.shape[1 - axis] for axis in (0, 1))
    deviation = float(np.sqrt(variance))
    return float(norm.sf(difference.mean() / deviation)), float(norm.ppf(0.975)) * deviation


THEIRS: dict[str, Callable[[Outcomes, Floats], float]] = {
    "auc": sklearn.metrics.roc_auc_score,
    "gini": lambda bad, p: 2 * sklearn.metrics.roc_auc_score(bad, p) - 1,
    "ks": lambda bad, p: ks_2samp(p[bad == 1], p[bad == 0], method="asymp").statistic,
    "h_measure": their_h_measure,
    "brier": sklearn.metrics.brier_score_loss,
    "log_loss": sklearn.metrics.log_loss,
    "expected_calibration_error": their_calibration_error,
    "calibration_slope": their_slope,
    "calibration_intercept": their_intercept,
    "expected_to_observed": lambda bad, p: float(np.sum(p) / np.count_nonzero(bad)),
}
UNTIED = {"expected_calibration_error"}


def disagreements(seed: int) -> dict[str, float]:
    """Return how far each measure lies from the other implementation's on one simulated test part."""
    generator = np.random.default_rng(seed)
    rows = 10 * int(generator.integers(20, 150))
    log_odds = generator.normal(-1.5, 1, rows)
    bad = generator.random(rows) < expit(generator.normal(0, 0.4) + generator.uniform(0.3, 1.5) * log_odds)
    bad = bad.astype(np.int8)
    untied, tied = expit(log_odds), expit(np.round(log_odds, 1))
    distances = {name: abs(ours(tally(bad, untied)) - THEIRS[name](bad, untied)) for name, ours in MEASURES.items()}
    for name in MEASURES.keys() - UNTIED:
        distances[name] = max(distances[name], abs(MEASURES[name](tally(bad, tied)) - THEIRS[name](bad, tied)))
    return distances | _intervals(bad, tied, expit(log_odds + generator.normal(0, 1, rows).round(1)))


def _intervals(bad: Outcomes, score: Floats, other: Floats) -> dict[str, float]:
    found = delong_difference(bad, score, other, confidence=0.95)
    p, reach = their_delong(bad, score, other)
    bads, rows = int(bad.sum()), len(bad)
    wilson = binomtest(bads, rows).proportion_ci(0.95, method="wilson")
    katz = relative_risk(bads, rows, 30, 90).confidence_interval(0.95)
    return {
        "delong": max(abs(found.p_better() - p), abs((found.high - found.low) / 2 - reach)),
        "wilson": float(np.abs(np.subtract(wilson_interval(bads, rows, 0.95), (wilson.low, wilson.high))).max()),
        "katz": float(np.abs(np.subtract(katz_interval(bads, rows, 30, 90, 0.95), (katz.low, katz.high))).max()),
    }


def test_every_measure_agrees_with_an_independent_implementation(evidence: Evidence) -> None:
    samples = evidence.size(full=300, reduced=25)
    worst: dict[str, float] = {}
    for seed in range(samples):
        for name, distance in disagreements(seed).items():
            worst[name] = max(worst.get(name, 0.0), float(distance))
    name = max(worst, key=lambda one: worst[one])
    evidence.record(
        "22-measures",
        claim="measures and their intervals agree with independent implementations (scikit-learn, scipy, definitions)",
        value=f"largest of {len(worst)} over {samples} simulated test parts: {worst[name]:.1e} ({name})",
        bound="at most 1e-6",
        holds=worst[name] <= BOUND,
    )
    assert max(worst.values()) <= BOUND, worst
