"""The catalogue says what each feature is, in words that a reason can use."""

import re
from typing import Any

import pytest

from pipelines.errors import ConfigurationError
from pipelines.features.catalogue import Direction, features_of
from pipelines.features.settings import FeatureSettings, What, check_features
from tests.benchmarks.settings import default_features
from tests.pipelines.features.marketplaces import SETTINGS


def test_names_and_meanings_are_distinct_and_spelled_out() -> None:
    features = features_of(SETTINGS)
    assert len({one.name for one in features}) == len({one.meaning for one in features}) == len(features)
    assert all(re.fullmatch("[a-z0-9_]+", one.name) for one in features)
    assert not any("_" in one.meaning or "{" in one.meaning for one in features)


def test_every_thing_that_can_be_said_is_said_once_for_each_window() -> None:
    for what in What:
        declared = FeatureSettings(
            what=[what],
            windows=[7, 14],
            categories=["a"],
            channels=["b"],
            payment_methods=["c"],
            marketplaces=["d"],
        )
        features = features_of(declared)
        assert features
        assert {one.what for one in features} == {what}
        weekly = {one.name.removesuffix("_7d") for one in features if one.name.endswith("_7d")}
        fortnightly = {one.name.removesuffix("_14d") for one in features if one.name.endswith("_14d")}
        assert weekly - fortnightly <= {"orders_pace", "spent_pace"}


def test_directions_are_those_a_credit_analyst_knows() -> None:
    known = {one.name: one.direction for one in features_of(SETTINGS)}
    assert known["overdue"] is known["late_share_90d"] is known["returned_share_30d"] is Direction.riskier
    assert known["days_since_registration"] is known["orders_365d"] is Direction.safer
    assert known["mean_order_90d"] is Direction.unknown


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"what": []}, "features.what is empty"),
        ({"windows": [30, 30]}, r"must be different numbers of days, received \[30, 30\]"),
        ({"windows": [0]}, r"must be different numbers of days, received \[0\]"),
        ({"categories": ["Home", "home"]}, r"features.categories must have levels of different names"),
        ({"channels": [""]}, r"features.channels must have levels of different names"),
        ({"time_zone": "Mars/Olympus"}, "must be an IANA name, received 'Mars/Olympus'"),
    ],
)
def test_declarations_that_cannot_be_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_features(FeatureSettings(**changed))


def test_the_default_declares_at_least_150_features() -> None:
    assert len(features_of(default_features())) >= 150
