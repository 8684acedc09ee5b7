"""The share of values that a reference has never held, estimated from the values that it holds once.

A reference knows each of its own values, so none of them is news to it, while of a column with many rare values every
new sample brings some that it lacks. The chance that the next row has a new value is about the share of rows whose
value occurs once: without its own row the reference would not know it (leaving one out; Good, The population
frequencies of species and the estimation of population parameters, 1953, equation 9). So a reference counts its own
rows in bins that do not know these values, and the count of its bin `unseen` is what to expect of a window.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipelines.profiles.frozen_bins import FrozenBins


def without_singles(bins: FrozenBins, times: Mapping[str, int]) -> FrozenBins:
    """Return the bins in which a reference counts its own rows, given how many of them each level has.

    >>> bins = FrozenBins.of_times("city", {"Ningbo": 97, "Jinhua": 2, "Quzhou": 1}, 100)
    >>> bins.count_levels({"Quzhou": 1}, 0), without_singles(bins, {"Quzhou": 1}).count_levels({"Quzhou": 1}, 0)
    (array([0, 0, 1, 0]), array([0, 0, 0, 1]))
    """
    return replace(bins, rare=tuple(level for level in bins.rare if times.get(level, 0) != 1))


def unseen_weight(singles: int, twice: int) -> float:
    """Return what part of its rows the estimated share of unseen values is worth, as a share of independent rows.

    Esty, A normal limit law for a nonparametric estimator of the coverage of a random sample (1983): the estimate less
    the true share has a variance of about (N1 + 2 N2 - N1^2 / n) / n^2, for N1 values that occur once and N2 that occur
    twice; N1 independent rows of n would have (N1 - N1^2 / n) / n^2.

    >>> round(unseen_weight(300, 100), 3)
    0.6
    """
    own = singles + 0.5
    return own / (own + 2 * twice)
