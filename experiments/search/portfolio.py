"""The configurations that a search over several families tries first.

Each family's defaults come first, the cheapest and most robust family at the top, so that a usable model exists after
seconds. Then follow configurations that do well on credit tables: shallow and slow trees for few rows, deeper ones for
many, strongly regularised ones for noisy features. A test keeps them within the families' search spaces.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from experiments.search.trial_result import Parameters


@dataclass(frozen=True)
class Configuration:
    """A family with the parameters that differ from its defaults."""

    family: str
    parameters: Parameters = field(default_factory=dict)


PORTFOLIO = (
    Configuration("scorecard"),
    Configuration("lightgbm"),
    Configuration("xgboost"),
    Configuration("extra_trees"),
    Configuration("catboost"),
    Configuration("hist_gradient_boosting"),
    Configuration("xgboost", {"max_depth": 6, "min_child_weight": 20.0, "colsample_bytree": 0.4}),
    Configuration("lightgbm", {"min_data_in_leaf": 100, "lambda_l2": 5.0}),
    Configuration("catboost", {"learning_rate": 0.08}),
    Configuration(
        "lightgbm",
        {
            "num_leaves": 6,
            "learning_rate": 0.06,
            "min_data_in_leaf": 50,
            "feature_fraction": 0.4,
            "lambda_l2": 20.0,
        },
    ),
    Configuration(
        "lightgbm",
        {
            "num_leaves": 31,
            "min_data_in_leaf": 150,
            "feature_fraction": 0.3,
            "bagging_fraction": 0.6,
            "lambda_l2": 50.0,
        },
    ),
)


def portfolio(families: Collection[str]) -> list[Configuration]:
    """Return the configurations of some families in their order; a family without one begins with its defaults."""
    listed = [one for one in PORTFOLIO if one.family in families]
    return [*listed, *(Configuration(name) for name in sorted({*families} - {one.family for one in listed}))]
