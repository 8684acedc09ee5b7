"""Directions of features are declared by name; a name that is no numeric feature is refused."""

import pytest

from pipelines.applications.directions import check_direction_names
from pipelines.applications.settings import DataSettings, RiskDirection, Source
from pipelines.errors import ConfigurationError

NUMERIC, CATEGORICAL = ["debt", "income"], ["city"]


def declared(**directions: RiskDirection) -> DataSettings:
    return DataSettings(source=Source.table, directions=directions)


def test_directions_of_numeric_features_are_accepted() -> None:
    check_direction_names(NUMERIC, CATEGORICAL, declared(income=RiskDirection.safer, debt=RiskDirection.any))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("incme", "is not a numeric feature; did you mean income"),
        ("rent", "is not a numeric feature; known: debt, income"),
        ("city", "is a categorical feature .* declare the column in data.numeric"),
    ],
)
def test_a_direction_of_what_is_not_a_numeric_feature_is_refused(name: str, advice: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"data.directions names '{name}', which {advice}"):
        check_direction_names(NUMERIC, CATEGORICAL, declared(**{name: RiskDirection.safer}))
