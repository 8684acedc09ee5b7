"""Features left out by their groups, and the groups that are known before a table is read."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.experiment.experiment import resolve
from experiments.experiment.leave_out import declared_groups, without_features
from experiments.experiment.settings import TuneSettings
from pipelines.applications.meanings import Meaning
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.sample import Sample
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.workspace import Workspace

COLUMNS = {
    "income": np.zeros(3),
    "spent_30d": np.ones(3),
    "spent_90d": np.ones(3),
    "channel": np.array(["a"] * 3, object),
}
SAMPLE = Sample(
    columns=COLUMNS,
    bad=np.array([0, 1, 0], np.int8),
    numeric=("income", "spent_30d", "spent_90d"),
    categorical=("channel",),
    meanings={name: Meaning(name, "purchases") for name in ("spent_30d", "spent_90d")},
    directions={"income": -1, "spent_30d": 1},
)


def features(sample: Sample) -> set[str]:
    assert {*sample.numeric, *sample.categorical} == sample.columns.keys() >= sample.directions.keys()
    return {*sample.columns}


@pytest.mark.parametrize(
    ("left_out", "kept"),
    [
        ([], {"income", "spent_30d", "spent_90d", "channel"}),
        (["purchases"], {"income", "channel"}),
        (["spent_30d", "channel"], {"income", "spent_90d"}),
        (["income", "purchases"], {"channel"}),
    ],
)
def test_a_group_goes_as_a_whole_and_a_feature_alone(left_out: list[str], kept: set[str]) -> None:
    assert features(without_features(SAMPLE, left_out)) == kept


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        (
            ["purchase"],
            "leave_out names 'purchase', which is no feature and no group of features; did you mean purchases?",
        ),
        (["zzz"], "groups: channel, income, purchases"),
        (
            ["income", "purchases", "channel"],
            "leave_out=[income,purchases,channel] leaves no feature; name fewer groups",
        ),
    ],
)
def test_a_wrong_name_and_nothing_left_are_refused(left_out: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        without_features(SAMPLE, left_out)
    assert str(error.value).endswith(message)


def test_groups_of_a_flat_table_are_the_declared_ones() -> None:
    groups = {"income": "means", "rent": "means", "job": "work"}
    assert declared_groups(DataSettings(source=Source.table, reason_groups=groups)) == ["means", "work"]
    with pytest.raises(ConfigurationError, match="no groups of features"):
        declared_groups(DataSettings(source=Source.table))


def test_groups_of_a_marketplace_need_its_training_table() -> None:
    with pytest.raises(DataError, match="run `thinfile prepare`"):
        declared_groups(DataSettings(source=Source.marketplace, path="nowhere"))


def test_another_study_without_a_group_has_the_same_test_part(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    plain = TuneSettings(workspace=str(workspace.root), data=german_settings, candidate=ScorecardSettings())
    whole, less = resolve(plain), resolve(replace(plain, leave_out=["credit_amount"]))
    assert whole.study != less.study
    assert whole.split.test_part == less.split.test_part
    for one, other in ((whole.development, less.development), (whole.test, less.test)):
        assert one.columns.keys() - other.columns.keys() == {"credit_amount"}
