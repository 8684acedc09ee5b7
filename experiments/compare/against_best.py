"""How far candidates are behind the best one on the same folds, and which of these differences are real."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from pipelines.credit.paired_folds import paired_difference

K = TypeVar("K")

WRONG = 0.05
"""The chance that any of the differences that are called real is none."""


@dataclass(frozen=True)
class Behind:
    """By how much AUC a candidate is behind the best one, its 95% interval, and whether the difference is real.

    `p_value` is that of the difference alone; `is_real` counts all comparisons.
    """

    value: float
    low: float
    high: float
    p_value: float
    is_real: bool

    def record(self) -> dict[str, Any]:
        """Return the difference as JSON values."""
        return asdict(self)


def behind_best(aucs: Mapping[K, Sequence[float]], best: K, held_out_to_fit: float) -> dict[K, Behind]:
    """Return by how much each other candidate is behind the best, from the AUCs of each on the same folds.

    Each interval is that of the corrected resampled t-test for one difference: with k folds, repeated ones included,
    the variance of the k differences times 1/k + `held_out_to_fit` (Nadeau and Bengio 2003, see `paired_difference`).

    The best candidate was chosen by the same folds, and so were the ones that are shown. A difference is therefore real
    where its p-value is below 5% divided by the number of pairs of candidates (Bonferroni): then the chance that any
    difference is wrongly called real is at most 5%, whichever were chosen. Candidates with equal AUCs, such as one
    configuration tried twice, count once. Where one has AUCs on more repeats of the folds, those of both count.

    >>> one = behind_best({"boosted": [0.80, 0.82, 0.81], "logistic": [0.79, 0.80, 0.78]}, "boosted", 0.5)["logistic"]
    >>> [round(end, 4) for end in (one.low, one.value, one.high)]  # 0.02 -+ 4.3027 * 0.01 * sqrt(1/3 + 0.5)
    [-0.0193, 0.02, 0.0593]
    """
    different = len(set(map(tuple, aucs.values())))
    limit = WRONG / max(1, different * (different - 1) // 2)
    return {name: _behind(aucs[best], other, held_out_to_fit, limit) for name, other in aucs.items() if name != best}


def _behind(best: Sequence[float], other: Sequence[float], held_out_to_fit: float, limit: float) -> Behind:
    differences = [one - two for one, two in zip(best, other, strict=False)]
    found = paired_difference(differences, held_out_to_fit)
    return Behind(found.value, found.low, found.high, found.p_value, found.p_value < limit)


def text_of(behind: Mapping[str, Any] | None) -> str:
    """Return the record of a difference with half the width of its interval, and a star where it is real.

    >>> text_of(Behind(0.02, -0.0193, 0.0593, 0.16, is_real=False).record())
    '0.0200 ± 0.0393'
    >>> text_of(Behind(0.02, 0.01, 0.03, 0.0, is_real=True).record())
    '0.0200 ± 0.0100 *'
    """
    if behind is None:
        return "-"
    reach = behind["high"] - behind["value"]
    return f"{behind['value']:.4f} ± {reach:.4f}{' *' if behind['is_real'] else ''}"


LEGEND = "behind the best: in AUC on the same folds, ± the 95% interval of each; * real, all comparisons counted"
"""What these texts mean."""
