"""Levels of the data that the features do not declare, and declared ones that the data does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.features.settings import FeatureSettings, What

MOST_TOLD = 3
"""Lines of each sort for each column in the summary; the answer for scripts has them all."""


@dataclass(frozen=True)
class Declaration:
    """The setting that declares the levels of a column of orders, and what is said of them."""

    setting: str
    column: str
    told: frozenset[What]


DECLARATIONS = (
    Declaration("categories", "category", frozenset({What.categories, What.diversity})),
    Declaration("channels", "channel", frozenset({What.channels})),
    Declaration("payment_methods", "payment_method", frozenset({What.payment_methods})),
)


@dataclass(frozen=True)
class Mismatch:
    """For one setting: the orders of each level that it does not declare, and its levels that no order has."""

    setting: str
    column: str
    undeclared: Mapping[str, int]
    unseen: Sequence[str]

    def lines(self) -> list[str]:
        """Return what to tell a user, the most frequent levels first."""
        place, alike = f"features.{self.setting}", {level.casefold(): level for level in self.unseen}
        told = []
        for level, orders in list(self.undeclared.items())[:MOST_TOLD]:
            declared = alike.get(level.casefold())
            remedy = f"{place} has '{declared}'; write it alike" if declared else f"declare it in {place}"
            told.append(f"unknown {self.column} '{level}' in {orders:,} orders: counted as other; {remedy}")
        if len(self.undeclared) > MOST_TOLD:
            told.append(f"{len(self.undeclared) - MOST_TOLD:,} more levels of {self.column} are unknown to {place}")
        if self.unseen:
            names = ", ".join(f"'{level}'" for level in self.unseen)
            told.append(f"no order has the {self.column} {names} of {place}: the features of it say nothing")
        return told


def mismatches(features: FeatureSettings, levels: Mapping[str, Mapping[str, int]]) -> list[Mismatch]:
    """Return where the declared levels that features are made of differ from those of the orders (see `Survey`).

    >>> features = FeatureSettings(channels=["app", "store"])
    >>> mismatches(features, {"channel": {"App": 1234, "store": 5}})[0].lines()[0]
    "unknown channel 'App' in 1,234 orders: counted as other; features.channels has 'app'; write it alike"
    """
    found = []
    for one in DECLARATIONS:
        declared: list[str] = getattr(features, one.setting)
        if not declared or not one.told & set(features.what):
            continue
        seen = levels.get(one.column, {})
        undeclared = {level: orders for level, orders in seen.items() if level not in declared}
        unseen = [level for level in declared if level not in seen]
        if undeclared or unseen:
            found.append(Mismatch(one.setting, one.column, undeclared, unseen))
    return found
