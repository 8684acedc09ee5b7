"""A search over several families: the portfolio first, then the better families, then averages and blends."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import thinfile
from experiments.experiment.experiment import resolve
from experiments.experiment.settings import Final, TuneSettings
from experiments.fair_search.family import with_one_family
from experiments.fair_search.search_fair import search_fair
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from experiments.search.budget import seconds_of
from experiments.search.chosen_trial import chosen_trial
from experiments.search.family_guide import FamilyGuide
from experiments.search.objective import behind_best
from experiments.search.plan import plan, with_families
from experiments.search.portfolio import PORTFOLIO, Configuration
from experiments.search.space import is_within
from experiments.search.trial_result import TrialResult, with_family
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import AutoSettings, CalibrationMethod, Range
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace

SMALL = SplitSettings(folds=3)


def settings_of(workspace: Workspace, data: DataSettings, **changed: object) -> TuneSettings:
    auto = AutoSettings(families=["scorecard", "lightgbm"])
    words: dict[str, object] = {"candidate": auto, "split": SMALL, "trials": 4, "model": "auto", "threads": 1}
    return TuneSettings(workspace=str(workspace.root), data=data, **(words | changed))  # type: ignore[arg-type]


def result(number: int, value: float, family: str = "a", **notes: object) -> TrialResult:
    return TrialResult(value, notes=notes, number=number, parameters={"family": family})


@pytest.mark.integration
def test_it_tries_every_family_and_registers_an_average_that_replays(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    first = tune(settings_of(workspace, german_settings, final=Final.average)).result
    assert first["candidate"] == "blend"
    (part,) = first["parameters"]["parts"]
    assert part["family"] in {"scorecard", "lightgbm"}
    again = tune(settings_of(workspace, german_settings, final=Final.average)).result
    assert (again["version"], again["is_new"]) == (first["version"], False)
    single = tune(settings_of(workspace, german_settings, final=Final.single)).result
    assert (single["study"], single["is_new"], single["candidate"]) == (first["study"], True, part["family"])
    answered = replay(ReplaySettings(workspace=str(workspace.root), run=str(first["run_id"]), model="auto"))
    assert answered.exit_code is ExitCode.DONE, answered.summary
    assert answered.result["versions"] == [first["version"], single["version"]]


@pytest.mark.integration
def test_a_blend_says_its_parts_and_keeps_to_the_cost(workspace: Workspace, german_settings: DataSettings) -> None:
    three = AutoSettings(families=["scorecard", "lightgbm", "extra_trees"])
    blended = settings_of(workspace, german_settings, candidate=three, final=Final.blend, max_cost=None)
    answered = tune(blended).result
    parts = answered["parameters"]["parts"]
    assert len(parts) > 1
    assert sum(part["weight"] for part in parts) == pytest.approx(1)
    assert {part["family"] for part in parts if part["average"]} <= {"lightgbm"}
    replayed = replay(ReplaySettings(workspace=str(workspace.root), run=str(answered["run_id"]), model="auto"))
    assert replayed.exit_code is ExitCode.DONE, replayed.summary
    promoted = promote(
        PromoteSettings(workspace=str(workspace.root), model="auto", version=int(str(answered["version"])))
    )
    assert promoted.result["decision"] in {"promoted", "refused"}
    document = Path(str(promoted.result["document"])).read_text()
    assert "trials of several families on the development part" in document
    assert "A blend of trials" in document
    with pytest.raises(ConfigurationError, match="microseconds per row and max_cost is 1e-06; raise max_cost"):
        tune(settings_of(workspace, german_settings, final=Final.average, max_cost=1e-6))


def test_early_stopping_and_its_number_of_trees_are_recorded(workspace: Workspace) -> None:
    import pandas as pd

    random = np.random.default_rng(0)
    rows = 9000
    table = pd.DataFrame({"id": np.arange(rows), **{f"x{number}": random.normal(size=rows) for number in range(4)}})
    risk = 1 / (1 + np.exp(1 - table["x0"] - 0.5 * table["x1"]))
    table["bad"] = (random.random(rows) < risk).astype(int)
    path = workspace.root.parent / "rows.parquet"
    table.to_parquet(path)
    data = DataSettings(path=str(path), label="bad", id="id")
    auto = AutoSettings(families=["lightgbm"])
    answered = tune(
        TuneSettings(
            workspace=str(workspace.root),
            data=data,
            candidate=auto,
            trials=1,
            final=Final.single,
            split=SMALL,
            threads=1,
        )
    ).result
    assert 5 < answered["parameters"]["num_iterations"] < 2000
    store = ModelStore(workspace)
    record = store.read_record(str(answered["run_id"]), "trials.json")
    assert record[0]["notes"]["trees"] == answered["parameters"]["num_iterations"]
    assert "num_iterations" not in record[0]["parameters"]
    assert load_predictor(store, store.version("credit_score", answered["version"])).numeric


@pytest.mark.parametrize("stops", [False, True])
def test_the_portfolio_is_within_the_spaces(workspace: Workspace, german_settings: DataSettings, stops: bool) -> None:
    settings = settings_of(workspace, german_settings, candidate=AutoSettings())
    space, guide = plan(resolve(settings), stops=stops)
    proposed = [with_family(guide(number, [])) for number in range(len(PORTFOLIO))]
    for parameters in proposed:
        assert all(is_within(space[name], value) for name, value in parameters.items())
    assert len({json.dumps(one, sort_keys=True) for one in proposed}) == len(proposed)


def test_better_families_get_twice_as_many_trials() -> None:
    guide = FamilyGuide([Configuration(name) for name in ("good", "fair", "poor")])
    finished = [result(0, 0.8, "good"), result(1, 0.7, "fair"), result(2, 0.6, "poor")]
    assert [guide(number, [])["family"] for number in range(3)] == ["good", "fair", "poor"]
    counts = Counter(guide(number, finished)["family"] for number in range(3, 35))
    assert counts == {"good": 16, "fair": 8, "poor": 8}


def test_a_trial_far_behind_on_its_first_folds_is_given_up() -> None:
    earlier = [
        result(0, 0.80, aucs=[0.80, 0.81, 0.79]),
        result(1, 0.79, aucs=[0.79, 0.802, 0.778]),
        result(2, 0.79, aucs=[0.788, 0.803, 0.779]),
        result(3, 0.79, aucs=[0.791, 0.80, 0.78]),
    ]
    is_hopeless = behind_best(earlier)
    assert is_hopeless([0.70])
    assert not is_hopeless([0.799])
    assert not behind_best(earlier[:3])([0.5])
    again = [result(number, 0.80, aucs=[0.80, 0.81, 0.79]) for number in range(5)]
    assert not behind_best(again)([0.5])


def test_of_equals_the_cheapest_is_chosen() -> None:
    trials = [
        result(0, 0.800, aucs=[0.80, 0.81, 0.79], cost=9.0),
        result(1, 0.799, aucs=[0.802, 0.80, 0.795], cost=2.0),
        result(2, 0.700, aucs=[0.70, 0.71, 0.69], cost=0.1),
    ]
    assert chosen_trial(trials, "best").number == 0
    assert chosen_trial(trials, "one_standard_error").number == 1


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5 h", 5400)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "ten minutes", "1.2.3s", "5 s 3", "-5s", "0s"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"time is '.*'; write a duration such as 90s, 10m or 1h30m"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"candidate": AutoSettings(families=["lightgmb"])}, "'lightgmb', which is not an installed family to search"),
        ({"max_cost": 0.0}, "max_cost is 0; use microseconds per row above 0, or null for no bound"),
        ({"max_cost": float("nan")}, "max_cost is nan; use"),
    ],
)
def test_settings_of_a_search_are_refused_before_the_data_are_read(
    changed: dict[str, object], message: str, workspace: Workspace
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tune(settings_of(workspace, DataSettings(path="/no/such/file.csv", label="bad"), **changed))


@pytest.mark.parametrize(
    ("families", "family"), [([], "catboost"), (["scorecard"], "scorecard"), (["lightgbm"], "lightgbm")]
)
def test_a_fair_search_takes_the_one_family_or_its_default(families: list[str], family: str) -> None:
    auto = AutoSettings(families=families, calibration=CalibrationMethod.isotonic)
    candidate = with_one_family(TuneSettings(candidate=auto)).candidate
    expected = family_named(family).default_settings()
    assert candidate == replace(expected, calibration=CalibrationMethod.isotonic)


@pytest.mark.parametrize(
    ("auto", "message"),
    [
        (AutoSettings(families=["scorecard", "lightgbm"]), "names scorecard, lightgbm, and search=fair searches one"),
        (AutoSettings(families=["lightgb"]), "did you mean lightgbm"),
        (AutoSettings(space={"depth": Range(2, 4)}), "candidate.space.depth is set and candidate=auto searches"),
    ],
)
def test_a_fair_search_over_several_families_is_refused(auto: AutoSettings, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        search_fair(TuneSettings(candidate=auto))


def test_the_families_that_are_installed_belong_to_the_study(
    workspace: Workspace, german_settings: DataSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def study() -> str:
        return resolve(with_families(settings_of(workspace, german_settings, candidate=AutoSettings()))).study

    complete = study()
    monkeypatch.setattr("pipelines.candidates.candidate.find_spec", lambda module: None if module == "xgboost" else 1)
    assert study() != complete
    named = settings_of(workspace, german_settings, candidate=AutoSettings(families=["lightgbm", "scorecard"]))
    assert with_families(named).candidate == AutoSettings(families=["lightgbm", "scorecard"])


def test_the_default_of_tune_is_a_search_over_all_families(capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["tune", "--cfg", "job"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["candidate"] == {
        "calibration": "logistic",
        "space": {},
        "families": [],
    }
