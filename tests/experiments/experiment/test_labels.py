"""Labels of a study: which names and overrides a version keeps, and what they never change."""

from dataclasses import replace

import pytest

from experiments.experiment.experiment import resolve
from experiments.experiment.labels import label_tags, labelled, name_tag
from experiments.experiment.settings import TuneSettings
from pipelines.applications.settings import DataSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.model_store.tags import EXPERIMENT, OVERRIDES
from pipelines.storage.workspace import Workspace


def test_labels_are_the_chosen_file_and_what_the_command_changes() -> None:
    words = ["experiment=ablation", "leave_out=[returns]", "+trials=3", "workspace=w", "model=m", "hydra.mode=RUN"]
    named = labelled(TuneSettings(), "ablation", words)
    assert named.experiment_name == "ablation"
    assert named.overrides == ["leave_out=[returns]", "+trials=3"]


def test_labels_that_are_given_stay() -> None:
    given = TuneSettings(experiment_name="spring", overrides=["seed=3"])
    assert labelled(given, "ablation", ["trials=3"]) == given


def test_a_study_under_another_name_keeps_both_and_the_last_overrides() -> None:
    first = label_tags(TuneSettings(experiment_name="one", overrides=["trials=3"]), {})
    second = label_tags(TuneSettings(experiment_name="two"), first)
    assert second == {EXPERIMENT: "one, two", OVERRIDES: "[]"}
    assert name_tag(TuneSettings(experiment_name="one"), second)[EXPERIMENT] == "one, two"
    assert name_tag(TuneSettings(), second)[EXPERIMENT] == "one, two"


def test_a_study_without_a_name_has_no_tag_of_one() -> None:
    assert EXPERIMENT not in label_tags(TuneSettings(), {})


@pytest.mark.parametrize("label", [{"experiment_name": "spring"}, {"overrides": ["trials=3"]}])
def test_a_label_is_no_part_of_the_identity(
    label: dict[str, str], workspace: Workspace, german_settings: DataSettings
) -> None:
    plain = TuneSettings(workspace=str(workspace.root), data=german_settings, candidate=ScorecardSettings())
    assert resolve(replace(plain, **label)).study == resolve(plain).study  # type: ignore[arg-type]
