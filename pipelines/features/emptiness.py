"""Features that are empty where a number is 0: the catalogue says so by their formulas."""

from collections.abc import Mapping
from functools import partial

from pipelines.features import formulas
from pipelines.features.catalogue import Feature, Quantity

DIVISOR = {
    formulas.ratio: -1,
    formulas.share_of_both: -1,
    formulas.pace: -1,
    formulas.to_mean: -1,
    formulas.burden: -1,
    formulas.mean_age: 1,
}
"""Which of its quantities a formula divides by."""


def empty_without(features: Mapping[str, Feature]) -> dict[str, str]:
    """Return for each feature that is empty where another one is 0 the name of that one, where it is among them.

    >>> from pipelines.features.named import features_named
    >>> empty_without(features_named(["orders_30d", "spent_30d", "mean_order_30d", "owed"]))
    {'mean_order_30d': 'orders_30d'}
    """
    sums: dict[Quantity, str] = {
        one.quantities[0]: name for name, one in features.items() if one.formula is formulas.itself
    }
    divisors = {name: _divisor(one) for name, one in features.items()}
    return {name: sums[divisor] for name, divisor in divisors.items() if divisor in sums}


def _divisor(feature: Feature) -> Quantity | None:
    formula = feature.formula.func if isinstance(feature.formula, partial) else feature.formula
    return feature.quantities[DIVISOR[formula]] if formula in DIVISOR else None
