"""A second objective: the front is found, drawn, logged and listed, and any of its points can be registered."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.experiment.experiment import resolve
from experiments.experiment.settings import Final, Search, SecondObjective, TuneSettings
from experiments.fair_search.search_fair import search_fair
from experiments.search.chosen_trial import chosen_trial
from experiments.search.finalists import Finalist
from experiments.search.front import non_dominated
from experiments.search.front_record import FARTHEST, MOST_POINTS, front_chart, front_record
from experiments.search.objective import behind_best
from experiments.search.second_objective import SECOND_OBJECTIVES
from experiments.search.space import space_of
from experiments.search.study import Study
from experiments.search.trial_result import ObjectiveValue, Parameters, TrialResult, starting_with
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.candidates.families.catboost import CatBoostParameters
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.errors import ConfigurationError
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace

COST = SECOND_OBJECTIVES[SecondObjective.cost]


def result(number: int, value: float, second: float | None, spread: float = 0.01) -> TrialResult:
    notes = {"aucs": [value - spread, value, value + spread], "cost": second}
    return TrialResult(value, second, notes, number=number, parameters={})


def test_the_cheapest_of_the_front_within_a_standard_error_is_chosen() -> None:
    trials = [result(0, 0.80, 9.0), result(1, 0.799, 2.0, 0.02), result(2, 0.798, 5.0), result(3, 0.70, 0.1)]
    assert chosen_trial(trials, "best").number == 0
    assert chosen_trial(trials, "one_standard_error").number == 1
    assert chosen_trial(trials, "2").number == 2
    assert chosen_trial([*trials, result(4, 0.80, 8.0)], "best").number == 4, "of equal scores the cheaper one"
    with pytest.raises(ConfigurationError, match=r"choose=7 is not a finished trial of this study .*; use one of 0, 1"):
        chosen_trial(trials, "7")


def test_no_trial_is_given_up_for_its_score_alone() -> None:
    earlier = [result(number, 0.8 - number / 100, 1.0, 0.01 * (number + 1)) for number in range(5)]
    assert not behind_best(earlier)([0.5])


def test_the_sampler_looks_for_both_ends_of_the_front(tmp_path: Path) -> None:
    """The score grows with the depth and with the second objective: all depths are Pareto-optimal at one rate."""

    def answer(parameters: Parameters, _: object) -> ObjectiveValue:
        loss = abs(parameters["learning_rate"] - 0.1)
        return ObjectiveValue(parameters["depth"] / 10 - loss, parameters["depth"] + 20 * loss)

    space = space_of(CatBoostParameters(), {"depth": Range(3, 8), "learning_rate": Range(0.01, 0.3)})
    first = {"depth": 6, "learning_rate": 0.3}
    study = Study(Workspace(tmp_path), "two", space, guide=starting_with(first), seed=7, second="cost")
    trials = list(study.run(answer, 40))
    front = non_dominated(trials)
    assert len({trial.parameters["depth"] for trial in front}) >= 4
    early, late = trials[:10], trials[-10:]
    assert sum(abs(one.parameters["learning_rate"] - 0.1) for one in late) < 0.7 * sum(
        abs(one.parameters["learning_rate"] - 0.1) for one in early
    )


HUNDREDTHS = st.integers(0, 5000).map(lambda number: number / 100)


@given(
    st.lists(st.tuples(st.integers(5000, 9900).map(lambda number: number / 1e4), HUNDREDTHS), min_size=1, max_size=40)
)
def test_every_point_that_is_drawn_is_within_the_chart_and_most_are_named(values: list[tuple[float, float]]) -> None:
    trials = [result(number, *pair) for number, pair in enumerate(values)]
    front = non_dominated(trials)
    record = front_record(COST, trials, Finalist(str(front[0].number), front[0].value, {}, {front[0].number: 1.0}))
    assert [point["trial"] for point in record["points"]] == [trial.number for trial in front]
    assert all(one["cost"] > two["cost"] for one, two in pairwise(record["points"]))
    chart = str(front_chart(COST, trials, record))
    dots = [(float(x), float(y)) for x, y in re.findall(r'cx="([-0-9.]+)" cy="([-0-9.]+)"', chart)]
    assert all(0 <= x <= 340 and 0 <= y <= 230 for x, y in dots)
    assert chart.count('class="bad"') == 1
    near = [trial for trial in front if trial.value >= front[0].value - FARTHEST]
    assert chart.count('class="ink"') == min(len(near), MOST_POINTS) - 1


def test_a_chart_needs_no_registered_point() -> None:
    trials = [result(0, 0.80, 9.0), result(1, 0.79, 2.0), result(2, 0.78, 5.0)]
    record = front_record(COST, trials, Finalist("2", 0.78, {}, {2: 1.0}))
    assert str(front_chart(COST, trials, record)).count('class="ink"') == 2


def settings_of(workspace: Workspace, data: DataSettings, **changed: object) -> TuneSettings:
    settings = TuneSettings(workspace=str(workspace.root), data=data, split=SplitSettings(folds=2), trials=4)
    settings.candidate = ScorecardSettings(space={"max_bins": Range(2, 8), "smoothing": Range(1, 50, log=True)})
    for name, value in changed.items():
        setattr(settings, name, value)
    return settings


@pytest.mark.integration
def test_a_front_is_logged_and_listed_and_another_point_is_registered_by_its_number(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    both = {"second_objective": SecondObjective.calibration}
    first = tune(settings_of(workspace, german_settings, **both))
    store, run_id = ModelStore(workspace), str(first.result["run_id"])
    assert {"front.json", "front.svg"} <= {path.path for path in store.client.list_artifacts(run_id)}
    record = store.read_record(run_id, "front.json")
    assert record == first.result["front"] == json.loads(json.dumps(record))
    trials = store.read_record(run_id, "trials.json")
    assert all(trial["second"] == trial["notes"]["calibration_error"] for trial in trials)
    assert record["registered"] == [record["points"][0]["trial"]]
    lines = [str(line) for line in first.summary]
    assert sum("(registered)" in line for line in lines) == 1
    assert all(len(line) <= 80 for line in lines[-len(record["points"]) - 2 :])
    other = next(trial["number"] for trial in trials if trial["number"] not in record["registered"])
    again = tune(settings_of(workspace, german_settings, choose=str(other), **both))
    assert again.result["study"] == first.result["study"]
    assert (again.result["version"], again.result["best_trial"], again.result["is_new"]) == (2, other, True)


def test_a_second_objective_belongs_to_the_identity_and_the_choice_does_not(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    studies = [
        resolve(settings_of(workspace, german_settings, **changed)).study
        for changed in (
            {},
            {"choose": "3"},
            {"second_objective": SecondObjective.cost},
            {"second_objective": SecondObjective.calibration},
        )
    ]
    assert studies[0] == studies[1]
    assert len(set(studies)) == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"choose": "first"}, "choose is 'first'; use best, one_standard_error or the number of a trial, for example"),
        ({"choose": "-1"}, "choose is '-1'; use best"),
        ({"choose": "3", "final": Final.blend}, "choose=3 names one trial and final=blend combines several; use final"),
    ],
)
def test_wrong_choices_are_refused_before_the_data_are_read(
    changed: dict[str, object], message: str, workspace: Workspace
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tune(settings_of(workspace, DataSettings(path="/no/such/file.csv", label="bad"), **changed))


def test_a_fair_search_has_a_second_objective_of_its_own(workspace: Workspace, german_settings: DataSettings) -> None:
    changed = {"search": Search.fair, "second_objective": SecondObjective.cost}
    with pytest.raises(ConfigurationError, match="second_objective is cost, and that of search=fair is the gap"):
        search_fair(settings_of(workspace, german_settings, **changed))
