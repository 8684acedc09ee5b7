"""Compares the levels in the data with the levels that the features declare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.features.settings import FeatureSettings, What

MOST_SHOWN = 3
"""Undeclared levels of each column in the summary; output=json has all of them."""


@dataclass(frozen=True)
class Declaration:
    """The setting that declares the levels of a column of orders, and the features that use them."""

    setting: str
    column: str
    used_by: frozenset[What]


DECLARATIONS = (
    Declaration("categories", "category", frozenset({What.categories, What.diversity})),
    Declaration("channels", "channel", frozenset({What.channels})),
    Declaration("payment_methods", "payment_method", frozenset({What.payment_methods})),
    Declaration("marketplaces", "marketplace", frozenset({What.marketplaces})),
)


@dataclass(frozen=True)
class Mismatch:
    """Number of orders of each level that a setting does not declare, and its declared levels without an order."""

    setting: str
    column: str
    undeclared: Mapping[str, int]
    unseen: Sequence[str]

    def lines(self) -> list[str]:
        """Return the lines of the summary, the most frequent levels first."""
        setting, by_spelling = f"features.{self.setting}", {level.casefold(): level for level in self.unseen}
        lines = []
        for level, orders in list(self.undeclared.items())[:MOST_SHOWN]:
            declared = by_spelling.get(level.casefold())
            remedy = f"use the spelling '{declared}' of {setting}" if declared else f"add it to {setting}"
            lines.append(f"undeclared {self.column} '{level}' in {orders:,} orders counts as other; {remedy}")
        if len(self.undeclared) > MOST_SHOWN:
            lines.append(f"{len(self.undeclared) - MOST_SHOWN:,} more levels of {self.column} are not in {setting}")
        if self.unseen:
            names = ", ".join(f"'{level}'" for level in self.unseen)
            lines.append(f"no order has the {self.column} {names} of {setting}; features of these levels are empty")
        return lines


def mismatches(features: FeatureSettings, levels: Mapping[str, Mapping[str, int]]) -> list[Mismatch]:
    """Return where the declared levels that features use differ from the levels of the orders (see `TableIntake`).

    >>> features = FeatureSettings(channels=["app", "store"])
    >>> mismatches(features, {"channel": {"App": 1234, "store": 5}})[0].lines()[0]
    "undeclared channel 'App' in 1,234 orders counts as other; use the spelling 'app' of features.channels"
    """
    differences = []
    for one in DECLARATIONS:
        declared: list[str] = getattr(features, one.setting)
        if not declared or not one.used_by & set(features.what):
            continue
        in_orders = levels.get(one.column, {})
        undeclared = {level: orders for level, orders in in_orders.items() if level not in declared}
        unseen = [level for level in declared if level not in in_orders]
        if undeclared or unseen:
            differences.append(Mismatch(one.setting, one.column, undeclared, unseen))
    return differences
