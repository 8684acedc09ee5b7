"""Each version of a promotion reads the table as it does when it scores it, however the other version reads it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion, evaluation_set_of
from experiments.experiment.settings import TuneSettings
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.search.tune import tune
from pipelines.applications.raw_rows import RawRows
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.model_store.store import existing_store
from pipelines.model_store.tags import CHALLENGER
from pipelines.policy.pack import GateSettings, PolicySettings
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace

pytestmark = pytest.mark.integration

ROWS = 900
PERIOD = "2026-10"
LENIENT = PolicySettings(
    gates=GateSettings(
        minimum_auc=0.0, largest_psi=9.0, lowest_expected_to_observed=0.0, highest_expected_to_observed=9
    )
)


def rows(seed: int) -> pd.DataFrame:
    """Applications of which a tenth have the code -9 as their income, and whose branch looks like a number."""
    g = np.random.default_rng(seed)
    income, branch = g.normal(3000, 900, ROWS).round(), g.integers(1, 5, ROWS)
    income[g.random(ROWS) < 0.1] = -9
    bad = g.random(ROWS) < np.where(income < 0, 0.05, np.where(income < 3000, 0.5, 0.2)) + 0.1 * (branch == 2)
    table = pd.DataFrame({"id": [f"A{seed}{row:05d}" for row in range(ROWS)], "income": income.astype(int)})
    return table.assign(branch=branch.astype(str), region=g.choice(["N", "S", "none"], ROWS), bad=bad.astype(int))


def with_leading_zeros(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(branch=table["branch"].str.zfill(2))


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "codes": {"special": {"income": [-9]}},
    "null number": {"nulls": ["-9"]},
    "null word": {"nulls": ["none"]},
    "branch is text": {"categorical": ["branch"]},
    "branch is a number": {"numeric": ["branch"]},
}


def data_of(path: Path, **reading: Any) -> DataSettings:
    return DataSettings(source=Source.table, path=str(path), id="id", label="bad", **reading)


class Models:
    """Registered models in one workspace, one for each file and way of reading it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workspace = folder, Workspace.at(str(folder / "workspace"))

    def tune(self, model: str, data: DataSettings) -> ScoredVersion:
        """Return a new version of a model."""
        candidate = ScorecardSettings()
        where = {"workspace": str(self.workspace.root), "model": model}
        tune(TuneSettings(**where, data=data, candidate=candidate, trials=1))  # type: ignore[arg-type]
        store = existing_store(self.workspace, model)
        challenger = store.aliased(model, CHALLENGER)
        assert challenger is not None
        return ScoredVersion.of(store, challenger)

    def promote(self, model: str) -> Mapping[str, Any]:
        """Return the result of promoting a model's challenger."""
        return promote(PromoteSettings(workspace=str(self.workspace.root), model=model, policy=LENIENT)).result

    def score(self, model: str, data: DataSettings) -> dict[str, float]:
        """Return the PD of each application by its id, as `score` logs it for the model's champion."""
        score(ScoreSettings(workspace=str(self.workspace.root), model=model, data=data, period=PERIOD))
        logged = ScoreLog(self.workspace).decisions(LogKey(model, 1, Population.applications, PERIOD))
        return dict(zip(logged["application_id"], logged["pd"], strict=True))

    def evaluation_set(self, challenger: ScoredVersion) -> EvaluationSet:
        """Return the evaluation set of a version's promotion."""
        settings = PromoteSettings(workspace=str(self.workspace.root), model=challenger.version.name)
        store = existing_store(self.workspace, challenger.version.name)
        return evaluation_set_of(settings, self.workspace, store, challenger.version)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("own")
    table = rows(0)
    table.to_csv(folder / "plain.csv", index=False)
    with_leading_zeros(rows(1)).to_csv(folder / "zeros.csv", index=False)
    table.assign(branch="B" + table["branch"]).to_csv(folder / "words.csv", index=False)
    return Models(folder)


@pytest.fixture(scope="module")
def scored(models: Models) -> dict[str, tuple[ScoredVersion, dict[str, float]]]:
    """By way of reading: a champion that learnt from the plain file, and its PDs of all rows as `score` logs them."""
    found = {}
    for way, reading in WAYS.items():
        model, data = way.replace(" ", "_"), data_of(models.folder / "plain.csv", **reading)
        version = models.tune(model, data)
        assert models.promote(model)["decision"] == "promoted"
        found[way] = version, models.score(model, data)
    return found


@pytest.mark.integration
@pytest.mark.parametrize("challenger", WAYS)
def test_each_version_reads_the_table_as_it_does_when_it_scores_it(
    challenger: str, models: Models, scored: dict[str, tuple[ScoredVersion, dict[str, float]]]
) -> None:
    # given: the evaluation set of a challenger, and versions that learnt from the same file with other settings
    evaluation_set = models.evaluation_set(scored[challenger][0])
    ids = evaluation_set.test.ids.tolist()
    assert len(ids) == len(scored[challenger][1]) * 3 // 10
    for way, (version, expected) in scored.items():
        # when, then
        pds = version.predict(evaluation_set.test)
        np.testing.assert_array_equal(pds, [expected[one] for one in ids], err_msg=f"{way} beside {challenger}")


def test_versions_that_take_columns_differently_are_promoted_and_refused_alike(models: Models) -> None:
    data = data_of(models.folder / "plain.csv")
    models.tune("both", replace(data, special={"income": [-9]}, categorical=["branch"]))
    assert models.promote("both")["decision"] == "promoted"
    models.tune("both", replace(data, numeric=["branch"]))
    result = models.promote("both")
    assert (result["version"], result["decision"]) == (2, "refused")  # they rank alike: nothing is proven
    assert abs(result["evidence"]["difference"]["auc"]) < 0.05


def test_a_version_that_learnt_from_another_file_reads_this_one_as_it_learnt_to(
    models: Models, scored: dict[str, tuple[ScoredVersion, dict[str, float]]]
) -> None:
    # given: in the champion's file branches have leading zeros and are text, in the challenger's they are numbers
    champion = models.tune("zeros", data_of(models.folder / "zeros.csv"))
    assert models.promote("zeros")["decision"] == "promoted"
    expected = models.score("zeros", data_of(models.folder / "plain.csv", max_unknown=None))
    # when, then
    test = models.evaluation_set(scored["plain"][0]).test
    np.testing.assert_array_equal(champion.predict(test), [expected[one] for one in test.ids.tolist()])


def test_what_a_version_cannot_read_is_named(
    models: Models, scored: dict[str, tuple[ScoredVersion, dict[str, float]]]
) -> None:
    test = models.evaluation_set(models.tune("words", data_of(models.folder / "words.csv"))).test
    with pytest.raises(RequestError, match="learnt numbers in column 'branch', and 270 of 270 values are not"):
        scored["branch is a number"][0].predict(test)
    lacking = replace(test, raw=RawRows(test.raw.table.drop_columns("region"), test.raw.positions))
    with pytest.raises(RequestError, match="needs columns that the data does not have: region"):
        scored["plain"][0].predict(lacking)
