"""Reject inference as an option of a study: part of its experiment, of its model and of its replay."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.experiment.experiment import resolve
from experiments.experiment.settings import TuneSettings
from experiments.reject_inference.reject_inference import FuzzyAugmentation
from experiments.reject_inference.settings import RejectInference
from experiments.replay.replay import replay
from experiments.replay.settings import MovedData, ReplaySettings
from experiments.search.out_of_fold import CrossValidation
from experiments.search.plan import plan
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import AutoSettings
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError
from pipelines.storage.workspace import Workspace

ROWS = 1_500


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all who asked of a lender over a year, and those of them whose outcome is known."""
    folder, generator = tmp_path_factory.mktemp("market"), np.random.default_rng(0)
    income = generator.normal(size=ROWS)
    asked = pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "at": pd.date_range("2025-01-01", periods=ROWS, freq="6h"),
            "income": income,
            "channel": generator.choice(["app", "web"], ROWS),
            "decision": np.where(generator.random(ROWS) < 1 / (1 + np.exp(-2 * income)), "approved", "declined"),
        }
    )
    asked.to_csv(folder / "asked.csv", index=False)
    known = asked[asked["decision"] == "approved"]
    bad = (generator.random(len(known)) < 1 / (1 + np.exp(1 + known["income"]))).astype(int)
    known.assign(bad=bad).to_csv(folder / "known.csv", index=False)
    return folder


def asking(market: Path, workspace: Workspace, inference: RejectInference, **changed: Any) -> TuneSettings:
    told: dict[str, Any] = {
        "source": Source.table,
        "path": str(market / "known.csv"),
        "ttd_population": str(market / "asked.csv"),
        "id": "id",
        "time": "at",
        "label": "bad",
        "decision": "decision",
    }
    data = DataSettings(**(told | changed))
    root = str(workspace.root)
    return TuneSettings(
        workspace=root, data=data, candidate=ScorecardSettings(), trials=1, threads=1, reject_inference=inference
    )


def test_the_option_is_part_of_the_question_and_so_is_who_asked(market: Path, workspace: Workspace) -> None:
    studies = {resolve(asking(market, workspace, one)).study for one in RejectInference}
    assert len(studies) == len(RejectInference)
    fewer = market / "fewer.csv"
    (market / "fewer.csv").write_text("".join((market / "asked.csv").read_text().splitlines(keepends=True)[:-1]))
    same, other = (
        {
            resolve(asking(market, workspace, one, ttd_population=str(place))).study
            for place in (fewer, market / "asked.csv")
        }
        for one in (RejectInference.none, RejectInference.reweighting)
    )
    assert (len(same), len(other)) == (1, 2)


def test_only_what_is_asked_for_is_done(market: Path, workspace: Workspace) -> None:
    plain, weighted, fuzzy = (resolve(asking(market, workspace, one)) for one in RejectInference)
    assert plain.development.weights is None
    assert fuzzy.development.weights is None
    assert weighted.development.weights is not None
    assert weighted.development.weights.mean() == pytest.approx(1.0)
    income = weighted.development.columns["income"]
    assert np.corrcoef(income, weighted.development.weights)[0, 1] < -0.5  # the poor stand for the declined
    candidate = fuzzy.candidate_with({})
    assert isinstance(candidate, FuzzyAugmentation)
    assert not isinstance(weighted.candidate_with({}), FuzzyAugmentation)
    # nobody of the test's time is learnt from, and everybody declined before it is
    asked = pd.read_csv(market / "asked.csv", parse_dates=["at"])
    last = plain.applications.times[plain.split.development].max()  # type: ignore[index]
    then = asked[(asked["at"] <= last) & (asked["at"] >= plain.applications.times.min())]  # type: ignore[union-attr]
    assert len(candidate.declined.bad) == (then["decision"] == "declined").sum()
    assert candidate.approved == (then["decision"] == "approved").sum()


def test_it_needs_earlier_decisions(market: Path, workspace: Workspace) -> None:
    for lacking in ({"decision": None, "ignored": ["decision"]}, {"ttd_population": None}):
        with pytest.raises(ConfigurationError, match=r"data\.decision or data\.ttd_population is not set"):
            resolve(asking(market, workspace, RejectInference.reweighting, **lacking))


@pytest.mark.integration
def test_a_model_that_was_told_of_the_declined_is_replayed_bit_for_bit(market: Path, workspace: Workspace) -> None:
    run = str(tune(asking(market, workspace, RejectInference.reweighting)).result["run_id"])
    root = str(workspace.root)
    assert replay(ReplaySettings(workspace=root, run=run)).exit_code is ExitCode.DONE
    (market / "other.csv").write_text("".join((market / "asked.csv").read_text().splitlines(keepends=True)[:-1]))
    moved = MovedData(ttd_population=str(market / "other.csv"))
    outcome = replay(ReplaySettings(workspace=root, run=run, data=moved))
    source, rows = (one["what"] for one in outcome.result["differences"])  # type: ignore[attr-defined]
    assert (source, rows) == (f"source {market / 'other.csv'}", "data.asked")


@pytest.mark.parametrize("inference", [RejectInference.reweighting, RejectInference.fuzzy_augmentation])
def test_a_search_over_families_chooses_or_searches_the_number_of_trees(
    inference: RejectInference, market: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.search.out_of_fold.FEWEST_STOPPED", 100)
    auto = AutoSettings(families=["lightgbm"])
    experiment = resolve(replace(asking(market, workspace, inference), candidate=auto))
    validation = CrossValidation(experiment)
    space, _ = plan(experiment, stops=validation.stops)
    is_searched = "lightgbm.num_iterations" in space
    assert validation.stops is not is_searched
    assert (validation.evaluate({"family": "lightgbm"}).trees is None) is is_searched
