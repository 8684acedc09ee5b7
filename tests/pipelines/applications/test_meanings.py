"""What a feature means, wherever it comes from."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipelines.applications.meanings import Meaning, meanings_of
from pipelines.applications.roles import Roles
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError
from pipelines.features.catalogue import features_of
from pipelines.features.named import features_named, reason_group
from pipelines.features.settings import FeatureSettings
from tests.benchmarks.settings import default_features
from tests.pipelines.features.marketplaces import SETTINGS

CONF = Path(__file__).resolve().parents[3] / "conf"


@pytest.mark.parametrize("declared", [SETTINGS, default_features(), FeatureSettings(windows=[7])])
def test_a_prepared_table_is_understood_by_its_columns_alone(declared: FeatureSettings) -> None:
    features = features_of(declared)
    found = features_named(["application_id", *(one.name for one in features), "basket_category"])
    # A level's own spelling is not in the name of a column; all else is.
    assert {name: one.meaning.lower() for name, one in found.items()} == {
        one.name: one.meaning.lower() for one in features
    }


def test_the_same_news_over_other_windows_is_one_reason() -> None:
    groups = {one.name: reason_group(one) for one in features_of(default_features())}
    for stem in ("orders", "spent_on_toys", "late_share", "paid_by_card", "order_deviation"):
        assert len({groups[f"{stem}_{days}d"] for days in (30, 90, 180, 365)}) == 1
    assert groups["orders_30d"] == groups["spent_365d"] == "purchases"
    assert groups["spent_on_toys_30d"] == groups["spent_on_books_90d"] == "goods_bought"


def test_what_a_shopper_would_answer_differently_are_different_reasons() -> None:
    groups = {one.name: reason_group(one) for one in features_of(default_features())}
    apart = ["orders_30d", "late_share_90d", "owed", "applications_30d", "term", "principal", "days_since_registration"]
    assert len({groups[name] for name in apart}) == len(apart)
    assert 10 <= len(set(groups.values())) <= 25  # of more than 150 features


def test_meanings_are_as_declared_or_the_name_in_words() -> None:
    data = DataSettings(
        source=Source.table, meanings={"x7": "income after tax"}, reason_groups={"x7": "income", "bonus": "income"}
    )
    assert meanings_of(["x7", "bonus", "PAY_0"], data) == {
        "x7": Meaning("income after tax", "income"),
        "bonus": Meaning("bonus", "income"),
        "PAY_0": Meaning("PAY 0", "PAY_0"),
    }


def test_a_tables_own_column_is_not_taken_for_one_of_the_catalogue() -> None:
    names = ["term", "orders_30d"]
    ours, theirs = (meanings_of(names, DataSettings(source=source)) for source in (Source.marketplace, Source.table))
    assert ours["term"].meaning == "term in months"
    assert theirs["term"].meaning == "term"


def test_a_meaning_of_a_column_that_is_not_there_is_told() -> None:
    table = pd.DataFrame({"income": [1.0, 2.0], "bad": [0, 1]})
    for setting in ("meanings", "reason_groups"):
        data = DataSettings(source=Source.table, label="bad", **{setting: {"incme": "income"}})
        with pytest.raises(ConfigurationError, match=rf"data.{setting} names 'incme', .*; did you mean income"):
            Roles.of(table, data, {}, labelled=True)


def test_every_column_of_the_german_credit_data_has_a_meaning(german_table: pd.DataFrame) -> None:
    conf = yaml.safe_load((CONF / "data" / "german_credit.yaml").read_text())
    assert set(conf["meanings"]) == set(german_table) - {"creditability"}
    assert len(set(conf["meanings"].values())) == 20
    assert set(conf["reason_groups"]) <= set(conf["meanings"])
