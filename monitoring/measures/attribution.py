"""What moved the score: the shift of mean log-odds, PD and approval rate, in parts of columns.

A column's part is the shift of its counts times what each of its bins adds to the log-odds on the mean
(`pipelines.profiles.mean_contributions`), which works from the counts of any window. What moved within bins, jointly,
or in columns without bins is the rest: it is a part of its own, so that the parts add up to the shift.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from monitoring.windows.references import Reference
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.mean_contributions import mean_of
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.window_profile import WindowProfile

BESIDE = 25
"""Points on both sides of the cut-off whose decisions give the slope of the approval rate."""

ERRORS = 3
"""A part is beyond noise where it is so many standard errors from zero."""

LEAST = 0.02
"""Parts and shifts of fewer log-odds do not matter: they change the odds of bad by 2%."""


@dataclass(frozen=True)
class Part:
    """One column's part of the shifts; `column` is None for the rest.

    `log_odds` is its part of the mean log-odds of bad, `error` the standard error by sampling and by the months of the
    reference, None for the rest. `pd` and `approval_rate` are its parts of those, to first order; None where they are
    unknown.
    """

    column: str | None
    log_odds: float
    error: float | None
    pd: float
    approval_rate: float | None

    @property
    def matters(self) -> bool:
        """Whether it is a column's, beyond noise and large enough."""
        return self.error is not None and abs(self.log_odds) >= max(LEAST, ERRORS * self.error)


@dataclass(frozen=True)
class Attribution:
    """The shifts of the means from reference to window, and their parts, largest first, the rest last.

    The parts of each shift add up to it. Log-odds are those of bad; the approval rate is None without a policy.
    """

    log_odds: float
    pd: float
    approval_rate: float | None
    parts: tuple[Part, ...]

    @property
    def that_matter(self) -> list[Part]:
        """The columns whose parts are beyond noise and large enough, the largest first."""
        return [one for one in self.parts if one.matters]

    def size(self, column: str) -> float:
        """Return how much a column's part matters, 0 where it does not."""
        return next((abs(one.log_odds) for one in self.that_matter if one.column == column), 0.0)


def attribute(reference: Reference, current: WindowProfile, policy: PolicySettings | None) -> Attribution | None:
    """Return what moved the score; None without counts of scores with PDs, or without contributions of bins."""
    before, now = reference.total, current.overall
    contributions = reference.profile.contributions
    if before.scores.mean_pd is None or now.scores.mean_pd is None or not contributions:
        return None
    shift = _mean_log_odds(now.scores) - _mean_log_odds(before.scores)
    pd_shift = now.scores.mean_pd - before.scores.mean_pd
    approval = None if policy is None else _approved(now.scores, policy) - _approved(before.scores, policy)
    both = before.scores + now.scores
    pd_slope = _pd_slope(both)
    approval_slope = None if policy is None else _approval_slope(both, policy)
    columns = [
        Part(column, part, error, pd_slope * part, None if approval_slope is None else approval_slope * part)
        for column, part, error in _parts(reference, now)
    ]
    columns.sort(key=lambda one: -abs(one.log_odds))
    rest = Part(
        None,
        shift - sum(one.log_odds for one in columns),
        None,
        pd_shift - sum(one.pd for one in columns),
        None if approval is None else approval - sum(one.approval_rate or 0.0 for one in columns),
    )
    return Attribution(shift, pd_shift, approval, (*columns, rest))


def _parts(reference: Reference, now: Tally) -> Iterator[tuple[str, float, float]]:
    """Yield each column with its part and the standard error of that."""
    periods = [one for one in reference.overall.values() if one.rows and one.columns]
    for column, means in reference.profile.contributions.items():
        if column in now.columns and periods:
            counts = [one.columns[column] for one in periods]
            pooled = np.sum(counts, axis=0)
            part = mean_of(means, now.columns[column]) - mean_of(means, pooled)
            sampling = _variance(means, now.columns[column]) + _variance(means, pooled)
            yield column, part, float(np.sqrt(sampling + _between(means, counts) * (1 + 1 / len(counts))))


def _variance(means: Sequence[float], counts: NDArray[np.int64]) -> float:
    """Return the sampling variance of a mean contribution."""
    spread = np.asarray(means) - mean_of(means, counts)
    rows = max(int(counts.sum()), 1)
    return float(spread**2 @ counts / rows**2)


def _between(means: Sequence[float], periods: Sequence[NDArray[np.int64]]) -> float:
    """Return the variance of a mean contribution from period to period beyond sampling."""
    if len(periods) < 2:
        return 0.0
    sampling = np.mean([_variance(means, one) for one in periods])
    return max(float(np.var([mean_of(means, one) for one in periods], ddof=1) - sampling), 0.0)


def _mean_log_odds(scores: ScoreCounts) -> float:
    """Return the mean log-odds of bad, those with the same points taken together."""
    mean = np.clip(scores.pd / scores.rows, 1e-12, 1 - 1e-12)
    return float(logit(mean) @ scores.rows / len(scores))


def _pd_slope(scores: ScoreCounts) -> float:
    """Return by how much the mean PD rises as all log-odds rise by one: the mean of p (1 - p)."""
    mean = scores.pd / scores.rows
    return float((mean * (1 - mean)) @ scores.rows / len(scores))


def _approval_slope(scores: ScoreCounts, policy: PolicySettings) -> float:
    """Return by how much the approval rate rises as all log-odds of bad rise by one: minus the density there."""
    beside = np.abs(scores.points - policy.approve_from + 0.5) < BESIDE
    share = float(scores.rows[beside].sum()) / len(scores)
    return -share / (2 * BESIDE) * policy.scale.factor


def _approved(scores: ScoreCounts, policy: PolicySettings) -> float:
    return len(scores.reaching(policy.approve_from)) / len(scores)
