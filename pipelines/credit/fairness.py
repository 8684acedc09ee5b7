"""Fairness of the decisions at a cut-off: how groups of applicants fare, each figure with its interval."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Floats
from pipelines.credit.rates import katz_interval, wilson_interval, z_of
from pipelines.errors import ConfigurationError, nearest

Labels = NDArray[np.str_]

CONFIDENCE = 0.95
"""Confidence of the intervals of a group's figures."""

POOL = "other ("
"""How the name of a pool of small groups begins."""


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

    `impact_ratio` is the group's approval rate over that of the reference, with Katz's interval. `mean_difference` is
    the group's mean of points less that of the reference, in pooled standard deviations, with its interval: below 0 the
    group scores worse. `expected_to_observed` counts defaults among known outcomes: above 1 the group is safer than its
    scores say. `approved_among_good` is the share approved of those who turned out good.

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
    difference_low: float | None
    difference_high: float | None
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

    `protected` maps the attribute's name to labels of shape (n,). Small groups of an attribute, or of a pair, are
    pooled (see `pooled`). See `group_fairness`.
    """
    return [
        group
        for attribute, labels in {**protected, **intersections(protected)}.items()
        for group in group_fairness(attribute, pooled(labels, minimum_group), decisions, minimum_group=minimum_group)
    ]


def pooled(labels: Labels, minimum_group: int) -> Labels:
    """Return labels, shape (n,), in which the groups of fewer than `minimum_group` rows are one group.

    A single small group keeps its name.

    >>> pooled(np.array(["A", "A", "B", "C"]), 2).tolist()
    ['A', 'A', 'other (2 small groups)', 'other (2 small groups)']
    """
    levels, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    small = counts < minimum_group
    if small.sum() < 2:
        return labels
    return np.where(small, f"{POOL}{small.sum()} small groups)", levels)[codes]


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
    (41 CFR 60-3.4 D), which a pool of small groups never is. Approval rates have Wilson's interval, expected over
    observed that of Wilson's observed rate.

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
    eligible = enough & ~np.strings.startswith(levels, POOL)
    if not eligible.any():
        return None
    # Of equally approved groups the larger one: its rate is the better known.
    return int(np.lexsort((counts, approved / counts, eligible))[-1])


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
        *_mean_difference(decisions.points, rows, compared_with),
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


def _mean_difference(
    points: NDArray[np.int64], rows: NDArray[np.bool_], reference: NDArray[np.bool_] | None
) -> tuple[float | None, float | None, float | None]:
    """Return the mean difference and its interval (Hedges and Olkin 1985, chapter 5); of the reference it is 0."""
    difference = None if reference is None else mean_difference(points[rows], points[reference])
    if reference is None or difference is None:
        return None, None, None
    if reference[rows].any():
        return 0.0, 0.0, 0.0
    n, m = int(rows.sum()), int(reference.sum())
    reach = z_of(CONFIDENCE) * float(np.sqrt((n + m) / (n * m) + difference**2 / (2 * (n + m))))
    return difference, difference - reach, difference + reach


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
