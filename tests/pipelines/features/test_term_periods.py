"""The term and the burden of loans in days, weeks and months."""

from dataclasses import replace

import pytest

from pipelines.credit.periods import Period
from pipelines.features.catalogue import features_of
from pipelines.features.kernel import compute_features
from pipelines.features.named import features_named, reason_group
from pipelines.features.settings import FeatureSettings
from tests.pipelines.features.marketplaces import history_of, random_tables

SETTINGS = FeatureSettings(windows=[365])


@pytest.mark.parametrize(
    ("period", "name", "meaning", "days"),
    [
        (Period.month, "term", "term in months", 365.25 / 12),
        (Period.week, "term_weeks", "term in weeks", 7),
        (Period.day, "term_days", "term in days", 1),
    ],
)
def test_a_term_is_named_by_its_unit_and_the_burden_counts_in_it(
    period: Period, name: str, meaning: str, days: float
) -> None:
    settings = replace(SETTINGS, term_period=period)
    features = {one.name: one for one in features_of(settings)}
    assert [one for one in features if one.startswith("term")] == [name]
    assert features[name].meaning == meaning
    # and its meaning is found again by its name
    found = features_named(list(features))[name]
    assert (found.meaning, reason_group(found)) == (meaning, "term")
    # then principal / term over what was spent in a period of as many days
    values = compute_features(history_of(random_tables(3)), settings, lag_days=0).to_pylist()
    for row in values:
        if row["spent_365d"]:
            by_hand = (row["principal"] / row[name]) / (row["spent_365d"] / (365 / days))
            assert row["instalment_to_spending"] == pytest.approx(by_hand)
