"""What each bin of a column adds to the log-odds of bad on the mean: what a shift of its counts does to the score.

A model explains each decision by contributions of its features (Shapley values, or points of a scorecard). Their means
by bin, made once where the reference is counted, turn the counts of any window into contributions to its mean
log-odds: neither the model nor rows are needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from pipelines.profiles.column_names import profile_column
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import ReferenceProfile

Floats = NDArray[np.float64]

MOST_ROWS = 2_000
"""Rows, spread evenly, that are explained."""

Explain = Callable[[pd.DataFrame], tuple[float, Floats] | None]
"""Returns a base and what each column adds to the raw log-odds, shape (n, columns); None for a foreign model."""


def with_contributions(
    profile: ReferenceProfile,
    features: pd.DataFrame,
    probability: Floats,
    names: Sequence[str],
    explain: Explain,
) -> ReferenceProfile:
    """Return a profile with the mean contributions of its bins; the same one for a model that explains nothing.

    `features` are the rows of the profile, `probability` their PDs; `names` are the columns of what `explain` returns.
    Contributions add up to raw log-odds, and PDs are calibrated: they are scaled by the slope between the two.
    """
    some = np.unique(np.linspace(0, len(features) - 1, min(len(features), MOST_ROWS)).astype(np.intp))
    explained = explain(features.iloc[some]) if len(some) else None
    if explained is None:
        return profile
    base, added = explained
    raw, calibrated = base + added.sum(axis=1), logit(np.clip(probability[some], 1e-12, 1 - 1e-12))
    variance = float(np.var(raw))
    slope = float(np.cov(raw, calibrated, ddof=0)[0, 1]) / variance if variance else 1.0
    columns = {profile_column(name): slope * added[:, index] for index, name in enumerate(names)}
    values = {profile_column(name): features[name].to_numpy()[some] for name in names}
    means = {
        one.column: _means(one, one.places(values[one.column]), columns[one.column])
        for one in profile.bins
        if one.column in columns
    }
    return replace(profile, contributions=means)


def _means(bins: FrozenBins, places: NDArray[np.intp], added: Floats) -> tuple[float, ...]:
    """Return the mean of each bin; of one without rows that of the bin next to it, or of all."""
    rows = np.bincount(places, minlength=len(bins.labels))
    sums = np.bincount(places, added, len(bins.labels))
    means = np.where(rows > 0, sums / np.maximum(rows, 1), added.mean())
    if bins.edges is not None:  # beyond the range as at its end
        for beyond, end in ((1, 2), (-1, -2)):
            means[beyond] = means[beyond] if rows[beyond] else means[end]
    return tuple(means.tolist())


def mean_of(contributions: Sequence[float], counts: NDArray[np.int64]) -> float:
    """Return the mean contribution of a column, given its counts, shape (bins,).

    >>> mean_of((0.0, -0.5, 0.25), np.array([10, 10, 20]))
    0.0
    """
    return float(np.asarray(contributions) @ counts / max(int(counts.sum()), 1))
