"""Expected against observed default: the exact binomial test of a band, and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, betaincinv, gammaln, xlog1py, xlogy

from pipelines.credit.arrays import Floats, Outcomes

ALIKE = 1e-7
"""Two counts are equally likely when their chances differ by less than this part: binom.test in R and SciPy agree."""


@dataclass(frozen=True)
class BandTest:
    """One band: its loans with an outcome, the bad ones expected by their PDs, and those observed.

    `low` and `high` bound the bad rate (Clopper and Pearson 1934); `p_value` is two-sided and exact for the mean PD;
    `differs`: the band's test is significant among all bands tested together (Holm 1979).
    """

    band: str
    rows: int
    expected_rate: float
    bad: int
    observed_rate: float
    low: float
    high: float
    p_value: float
    differs: bool


def binomial_p_value(bad: int, rows: int, rate: float) -> float:
    """Return the chance of a count as unlikely as `bad` of `rows` at a bad rate, two-sided, by smallest chances.

    Loans of one band differ in PD, which makes their number of bad vary less than a binomial one: the test errs towards
    silence there (Basel Committee, Working Paper 14, 2005).

    >>> round(binomial_p_value(3, 10, 0.1), 6)
    0.070191
    """
    if rate in (0.0, 1.0):
        return float(bad == rate * rows)
    counts = np.arange(rows + 1)
    ways = gammaln(rows + 1) - gammaln(counts + 1) - gammaln(rows - counts + 1)
    chances = ways + xlogy(counts, rate) + xlog1py(rows - counts, -rate)
    as_unlikely = chances <= chances[bad] + ALIKE
    mode = int((rows + 1) * rate)
    below = int(as_unlikely[:mode].sum())
    above = int(as_unlikely[mode + 1 :].sum())
    if as_unlikely[min(mode, rows)]:
        return 1.0
    lower = float(bdtr(below - 1, rows, rate)) if below else 0.0
    upper = float(bdtrc(rows - above, rows, rate)) if above else 0.0
    return min(lower + upper, 1.0)


def exact_interval(bad: int, rows: int, confidence: float) -> tuple[float, float]:
    """Return the interval of a rate that covers at least at the stated confidence (Clopper and Pearson 1934).

    >>> [round(end, 4) for end in exact_interval(0, 10, 0.95)]
    [0.0, 0.3085]
    """
    tail = (1 - confidence) / 2
    low = 0.0 if bad == 0 else float(betaincinv(bad, rows - bad + 1, tail))
    high = 1.0 if bad == rows else float(betaincinv(bad + 1, rows - bad, 1 - tail))
    return low, high


def binomial_by_band(
    bad: Outcomes, probability: Floats, band: NDArray[np.str_], names: Sequence[str], *, confidence: float
) -> tuple[BandTest, ...]:
    """Return a test for each band in the order of `names`, those without a loan left out; rows of shape (n,)."""
    parts = [(name, band == name) for name in names]
    tests = [_one(name, bad[rows], probability[rows], confidence) for name, rows in parts if rows.any()]
    marked = holm([one.p_value for one in tests], 1 - confidence)
    return tuple(BandTest(**(vars(one) | {"differs": differs})) for one, differs in zip(tests, marked, strict=True))


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Return which of several hypotheses are refused at a common level (Holm 1979).

    >>> holm([0.04, 0.01, 0.03], 0.05)
    [False, True, False]
    """
    order = np.argsort(p_values, kind="stable")
    refused = [False] * len(p_values)
    for rank, index in enumerate(order.tolist()):
        if p_values[index] > level / (len(p_values) - rank):
            break
        refused[index] = True
    return refused


def _one(name: str, bad: Outcomes, probability: Floats, confidence: float) -> BandTest:
    rows, events, expected = len(bad), int(bad.sum()), float(probability.mean())
    low, high = exact_interval(events, rows, confidence)
    p_value = binomial_p_value(events, rows, expected)
    return BandTest(name, rows, expected, events, events / rows, low, high, p_value, False)
