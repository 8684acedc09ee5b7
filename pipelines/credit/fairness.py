"""Fairness of the decisions at a cut-off: how groups of applicants fare, each figure with its interval."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Floats
from pipelines.credit.rates import katz_interval, wilson_interval
from pipelines.errors import ConfigurationError, nearest

Labels = NDArray[np.str_]

CONFIDENCE = 0.95
"""Confidence of the intervals of a group's figures."""


@dataclass(frozen=True)
class Decisions:
    """What was decided about applications, arrays of shape (n,).

    `approved` at the cut-off, `points` (more is safer), `bad` the outcome: 1, 0, or -1 where it is not known, and
    `probability` of bad.
    """

    approved: NDArray[np.bool_]
    points: NDArray[np.int64]
    bad: NDArray[np.int8]
    probability: Floats


@dataclass(frozen=True)
class GroupFairness:
    """Decisions and outcomes of one group of applicants.

    `impact_ratio` is the group's approval rate over that of the reference, with Katz's interval: below 0.8 four fifths
    are missed. `mean_difference` is the group's mean of points less that of the reference, in pooled standard
    deviations: below 0 the group scores worse. `expected_to_observed` counts defaults among known outcomes: above 1 the
    group is safer than its scores say. `approved_among_good` is the share approved of those who turned out good.

    Groups with too few rows have an approval rate only. None: nothing to divide by.
    """

    attribute: str
    level: str
    rows: int
    enough: bool
    approval_rate: float
    low: float
    high: float
    impact_ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    mean_difference: float | None
    expected_to_observed: float | None
    eo_low: float | None
    eo_high: float | None
    approved_among_good: float | None
    reference: bool

    def record(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def fairness(protected: Mapping[str, Labels], decisions: Decisions, *, minimum_group: int) -> list[GroupFairness]:
    """Return every group of every protected attribute, and of every pair of them, by attribute and level.

    `protected` maps the attribute's name to labels of shape (n,). See `group_fairness`.
    """
    return [
        group
        for attribute, labels in {**protected, **intersections(protected)}.items()
        for group in group_fairness(attribute, labels, decisions, minimum_group=minimum_group)
    ]


def intersections(protected: Mapping[str, Labels]) -> dict[str, Labels]:
    """Return the labels of every pair of attributes.

    >>> both = intersections({"sex": np.array(["F", "M"]), "age band": np.array(["25-34", "65+"])})
    >>> {name: labels.tolist() for name, labels in both.items()}
    {'sex x age band': ['F x 25-34', 'M x 65+']}
    """
    return {
        f"{one} x {other}": np.strings.add(np.strings.add(protected[one], " x "), protected[other])
        for one, other in combinations(protected, 2)
    }


def group_fairness(
    attribute: str,
    labels: Labels,
    decisions: Decisions,
    *,
    minimum_group: int,
    reference: str | None = None,
) -> list[GroupFairness]:
    """Return the groups of one attribute, by level.

    Groups of at least `minimum_group` rows are compared with `reference`, or without one with the most approved of them
    (41 CFR 60-3.4 D). Approval rates have Wilson's interval, expected over observed that of Wilson's observed rate.

    Raises:
        ConfigurationError: `reference` is not a level of the attribute, or has too few rows.
    """
    levels, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    approved = np.bincount(codes, weights=decisions.approved, minlength=len(levels)).astype(np.int64)
    enough = counts >= minimum_group
    chosen = _reference(attribute, levels, counts, approved, enough, reference)
    return [
        _group(attribute, str(levels[one]), codes == one, None if chosen is None else codes == chosen, decisions,
               enough=bool(enough[one]))
        for one in range(len(levels))
    ]  # fmt: skip


def _reference(
    attribute: str,
    levels: Labels,
    counts: NDArray[np.intp],
    approved: NDArray[np.int64],
    enough: NDArray[np.bool_],
    requested: str | None,
) -> int | None:
    if requested is not None:
        if requested not in levels[enough]:
            suggestion = nearest(requested, [str(level) for level in levels[enough]])
            raise ConfigurationError(f"the reference of {attribute} must be a group that is large enough, "
                                     f"received {requested!r}; {suggestion}")  # fmt: skip
        return int(np.flatnonzero(levels == requested)[0])
    if not enough.any():
        return None
    # Of equally approved groups the larger one: its rate is the better known.
    return int(np.lexsort((counts, approved / counts, enough))[-1])


def _group(
    attribute: str,
    level: str,
    rows: NDArray[np.bool_],
    reference: NDArray[np.bool_] | None,
    decisions: Decisions,
    *,
    enough: bool,
) -> GroupFairness:
    approved, applied = int(decisions.approved[rows].sum()), int(rows.sum())
    compared_with = reference if enough else None
    return GroupFairness(
        attribute,
        level,
        applied,
        enough,
        approved / applied,
        *wilson_interval(approved, applied, CONFIDENCE),
        *_impact(decisions.approved, rows, compared_with),
        None if compared_with is None else mean_difference(decisions.points[rows], decisions.points[compared_with]),
        *(_expected_to_observed(decisions, rows) if enough else (None, None, None)),
        _approved_among_good(decisions, rows) if enough else None,
        reference is not None and bool(reference[rows].any()),
    )


def _impact(
    approved: NDArray[np.bool_], rows: NDArray[np.bool_], reference: NDArray[np.bool_] | None
) -> tuple[float | None, float | None, float | None]:
    """Return the impact ratio and its interval; that of the reference is 1 without any doubt."""
    if reference is None:
        return None, None, None
    if reference[rows].any():
        return 1.0, 1.0, 1.0
    events, trials, others, other_trials = (
        int(one) for one in (approved[rows].sum(), rows.sum(), approved[reference].sum(), reference.sum())
    )
    if not others:
        return None, None, None
    interval = katz_interval(events, trials, others, other_trials, CONFIDENCE)
    return events / trials / (others / other_trials), *interval


def mean_difference(points: NDArray[np.int64], others: NDArray[np.int64]) -> float | None:
    """Return the difference of the means in pooled standard deviations (Cohen 1988, chapter 2).

    None where neither group has a spread.

    >>> mean_difference(np.array([500, 600]), np.array([600, 700]))  # both have the variance 5,000
    -1.414...
    """
    n, m = len(points), len(others)
    if n + m < 3:
        return None
    pooled = (points.var() * n + others.var() * m) / (n + m - 2)
    return float((points.mean() - others.mean()) / np.sqrt(pooled)) if pooled > 0 else None


def _expected_to_observed(
    decisions: Decisions, rows: NDArray[np.bool_]
) -> tuple[float | None, float | None, float | None]:
    matured = rows & (decisions.bad >= 0)
    trials, bads = int(matured.sum()), int(decisions.bad[matured].sum())
    if not trials:
        return None, None, None
    expected = float(decisions.probability[matured].mean())
    low, high = wilson_interval(bads, trials, CONFIDENCE)
    return (expected * trials / bads if bads else None), expected / high, (expected / low if bads else None)


def _approved_among_good(decisions: Decisions, rows: NDArray[np.bool_]) -> float | None:
    good = rows & (decisions.bad == 0)
    return float(decisions.approved[good].mean()) if good.any() else None
