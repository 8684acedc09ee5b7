"""What every candidate family must do, whichever it is."""

import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import mlflow.models
import numpy as np
import pandas as pd
import pytest

from pipelines.applications.splits import Fold
from pipelines.candidates.families.blend import BlendParameters, BlendPart, BlendSettings
from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.families.extra_trees import ExtraTreesParameters, ExtraTreesSettings
from pipelines.candidates.families.hist_gradient_boosting import (
    HistGradientBoostingParameters,
    HistGradientBoostingSettings,
)
from pipelines.candidates.families.lightgbm import LightGBMParameters, LightGBMSettings
from pipelines.candidates.families.scorecard import Scorecard, weights_of_evidence
from pipelines.candidates.families.xgboost import XGBoostParameters, XGBoostSettings
from pipelines.candidates.portable_model import Model, columns_of
from pipelines.candidates.registry import candidate_of, families, family_named, load_model
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod, CandidateSettings
from pipelines.candidates.training import TrainedModel, train
from pipelines.errors import DataError
from pipelines.model_store.files import FILES, deciding_hash
from pipelines.model_store.packaging import save_mlflow_model
from pipelines.storage.side_by_side import side_by_side
from tests.outside_family import installed, trusting

ROWS = 400
METHOD = CalibrationMethod.logistic
SMALL: dict[str, CandidateSettings] = {
    "blend": BlendSettings(
        parameters=BlendParameters(
            [
                BlendPart("scorecard", weight=0.25, average=False),
                BlendPart("hist_gradient_boosting", {"max_iter": 20}, weight=0.35),
                BlendPart("catboost", {"iterations": 20, "depth": 4}, weight=0.4),
            ]
        )
    ),
    "catboost": CatBoostSettings(parameters=CatBoostParameters(iterations=20)),
    "extra_trees": ExtraTreesSettings(parameters=ExtraTreesParameters(min_samples_leaf=5)),
    "hist_gradient_boosting": HistGradientBoostingSettings(parameters=HistGradientBoostingParameters(max_iter=20)),
    "lightgbm": LightGBMSettings(parameters=LightGBMParameters(num_iterations=40, learning_rate=0.1)),
    "xgboost": XGBoostSettings(parameters=XGBoostParameters(n_estimators=40, learning_rate=0.1)),
}
"""Settings that fit faster than the defaults."""


def settings_of(family: str) -> CandidateSettings:
    return SMALL.get(family) or family_named(family).settings()


OWN_FAMILIES = list(families())
with installed():
    FAMILIES = list(families())
NUMERIC, CATEGORICAL = ["income", "constant", "tenure"], ["channel", "city"]


def a_table(rows: int = ROWS, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return applications with missing values, a constant, rare levels and 300 cities, and their outcomes."""
    generator = np.random.default_rng(seed)
    income = generator.normal(size=rows)
    channel = generator.choice(["app", "web", "shop", "rare"], rows, p=[0.5, 0.3, 0.19, 0.01])
    bad = (income + (channel == "app") + generator.normal(size=rows) > 0.8).astype(np.int8)
    income[generator.random(rows) < 0.1] = np.nan
    table = pd.DataFrame(
        {
            "income": income,
            "constant": 1.0,
            "tenure": generator.integers(0, 5, rows).astype(float),
            "channel": np.where(generator.random(rows) < 0.1, None, channel),
            "city": [f"city {number}" for number in generator.integers(0, 300, rows)],
        }
    )
    return table, bad


def folds_of(rows: int) -> list[Fold]:
    """Return four folds of alternating rows."""
    return [Fold(np.flatnonzero(np.arange(rows) % 4 != part), np.arange(part, rows, 4)) for part in range(4)]


def trained(
    family: str, numeric: Sequence[str] = NUMERIC, categorical: Sequence[str] = CATEGORICAL, method: str = "logistic"
) -> TrainedModel:
    table, bad = a_table()
    sample = Sample.of(table, bad, numeric, categorical)
    candidate = candidate_of(settings_of(family))
    return train(candidate, sample, folds_of(ROWS), CalibrationMethod(method), seed=3, threads=1)


def fitted(
    family: str,
    table: pd.DataFrame,
    bad: np.ndarray,
    numeric: Sequence[str],
    categorical: Sequence[str],
    folds: Sequence[Fold],
    seed: int = 3,
    threads: int = 1,
) -> Model:
    sample = Sample.of(table, bad, numeric, categorical)
    candidate = candidate_of(settings_of(family))
    return train(candidate, sample, folds, CalibrationMethod.logistic, seed=seed, threads=threads).model


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest) -> TrainedModel:
    return trained(request.param)


@pytest.fixture(scope="module")
def logged(model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logged") / "model"
    save_mlflow_model(model, folder)
    return folder


def nasty() -> pd.DataFrame:
    """Return new applications with everything missing, unseen levels and extreme values among them."""
    table, _ = a_table(60, seed=1)
    table.loc[0, NUMERIC] = np.nan
    table.loc[0, CATEGORICAL] = None
    table.loc[1, "channel"] = "never seen"
    table.loc[2, "income"] = 1e30
    return table


def answers(model: Model, table: pd.DataFrame) -> np.ndarray:
    return model.probability_of_bad(columns_of(table, model.numeric, model.categorical))


def test_missing_unseen_and_extreme_values_are_normal_input(model: TrainedModel) -> None:
    found = answers(model.model, nasty())
    assert np.isfinite(found).all()
    assert ((found > 0) & (found < 1)).all()


def test_an_empty_text_is_missing(model: TrainedModel) -> None:
    table = nasty().assign(channel="")
    np.testing.assert_array_equal(answers(model.model, table), answers(model.model, table.assign(channel=None)))


def a_table_of_branches(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return 3,000 applications: bad are 10% of the frequent branches, 50% of 100 rare ones and 2% of the missing."""
    generator = np.random.default_rng(seed)
    branch = np.array(["north"] * 1200 + ["south"] * 1200 + [f"rare {n % 100}" for n in range(300)] + [None] * 300)
    rate = np.select([branch == "north", branch == "south", branch == None], [0.1, 0.1, 0.02], 0.5)  # noqa: E711
    bad = (generator.random(len(branch)) < rate).astype(np.int8)
    return pd.DataFrame({"branch": branch, "income": generator.normal(size=len(branch))}), bad


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", [family for family in OWN_FAMILIES if family not in ("blend", "scorecard")])
def test_trees_score_an_unknown_level_as_the_rare_ones_that_they_learnt(family: str, seed: int) -> None:
    table, bad = a_table_of_branches(seed)
    model = fitted(family, table, bad, ["income"], ["branch"], folds_of(len(table)))
    asked = pd.DataFrame({"branch": ["never seen", "rare 7", "north", None], "income": 0.0})
    unknown, rare, frequent, missing = answers(model, asked)
    assert unknown == rare > 2 * frequent > 2 * missing


@pytest.mark.parametrize("seed", range(3))
def test_a_scorecard_gives_an_unknown_level_no_weight(seed: int) -> None:
    table, bad = a_table_of_branches(seed)
    model = fitted("scorecard", table, bad, ["income"], ["branch"], folds_of(len(table)))
    assert isinstance(model.scorer, Scorecard)
    (column,) = (one for one in model.scorer.table["columns"] if one["name"] == "branch")
    unknown, missing = weights_of_evidence(column, np.array(["never seen", None], dtype=object))
    assert unknown == 0 > missing


@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_where_no_level_is_rare_an_unknown_one_is_not_scored_as_missing(family: str) -> None:
    table, bad = a_table_of_branches(0)
    frequent = ~table["branch"].str.startswith("rare", na=False).to_numpy()
    table, bad = table[frequent].reset_index(drop=True), bad[frequent]
    bad[table["branch"].isna()] = (np.arange(300) % 2)[: table["branch"].isna().sum()]
    model = fitted(family, table, bad, ["income"], ["branch"], folds_of(len(table)))
    unknown, north, missing = answers(model, pd.DataFrame({"branch": ["never seen", "north", None], "income": 0.0}))
    assert abs(unknown - north) < 0.1 < missing - unknown


def test_infinite_numbers_are_refused_by_name(model: TrainedModel) -> None:
    table = nasty()
    table.loc[3, "income"] = np.inf
    with pytest.raises(ValueError, match="column 'income' has infinite numbers"):
        answers(model.model, table)


def test_an_answer_does_not_depend_on_the_rows_beside_it(model: TrainedModel) -> None:
    table = nasty()
    found = answers(model.model, table)
    one_by_one = [answers(model.model, table.iloc[[row]])[0] for row in range(len(table))]
    np.testing.assert_array_equal(one_by_one, found)
    np.testing.assert_array_equal(answers(model.model, table.iloc[::-1]), found[::-1])


def test_columns_are_known_by_name_and_others_do_not_matter(model: TrainedModel) -> None:
    table = nasty()
    moved = table[[*reversed(table.columns)]].assign(other="x")
    np.testing.assert_array_equal(answers(model.model, moved), answers(model.model, table))


def test_no_rows_are_no_answers(model: TrainedModel) -> None:
    assert answers(model.model, nasty().head(0)).shape == (0,)


def test_an_unseen_level_is_one_unseen_level_whatever_it_is_called(model: TrainedModel) -> None:
    first, second = (answers(model.model, nasty().assign(channel=name, city=name)) for name in ("new", "näher"))
    np.testing.assert_array_equal(first, second)


def test_it_has_learnt_something(model: TrainedModel) -> None:
    table, bad = a_table(2000, seed=2)
    found = answers(model.model, table)
    assert found[bad == 1].mean() > found[bad == 0].mean() + 0.1


@pytest.mark.parametrize("method", [method.value for method in CalibrationMethod])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_calibration_map_gives_probabilities(family: str, method: str) -> None:
    found = answers(trained(family, method=method).model, nasty())
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize(("numeric", "categorical"), [(NUMERIC, []), ([], CATEGORICAL)])
@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_or_levels_alone_are_enough(family: str, numeric: list[str], categorical: list[str]) -> None:
    assert np.isfinite(answers(trained(family, numeric, categorical).model, nasty())).all()


HALF_MISSING_FOLD = [Fold(np.arange(200), np.arange(200, 400)), Fold(np.arange(200, 400), np.arange(200))]


@pytest.mark.parametrize("absent", ["tenure", "channel"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_may_be_missing_everywhere(family: str, absent: str) -> None:
    table, bad = a_table()
    table[absent] = np.nan if absent in NUMERIC else None
    found = fitted(family, table, bad, NUMERIC, CATEGORICAL, folds_of(ROWS))
    assert np.isfinite(answers(found, nasty())).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_may_begin_to_be_recorded_between_two_folds(family: str) -> None:
    table, bad = a_table()
    table.loc[:199, "tenure"] = np.nan
    found = fitted(family, table, bad, NUMERIC, CATEGORICAL, HALF_MISSING_FOLD)
    assert np.isfinite(answers(found, nasty())).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_where_nothing_varies_the_answer_is_the_bad_rate(family: str) -> None:
    table, bad = a_table()
    try:
        found = fitted(family, table, bad, ["constant"], [], folds_of(ROWS))
    except DataError:
        return  # to say so is as good
    assert answers(found, nasty()) == pytest.approx(bad.mean(), abs=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_number_may_be_as_large_as_a_double(family: str) -> None:
    table, bad = a_table()
    table.loc[:99, "income"] = 1e300
    found = fitted(family, table, bad, NUMERIC, CATEGORICAL, folds_of(ROWS))
    assert np.isfinite(answers(found, nasty().assign(income=1e300))).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_single_feature_the_request_is_wrong(family: str) -> None:
    table, bad = a_table()
    with pytest.raises(DataError, match="feature"):
        fitted(family, table, bad, [], [], folds_of(ROWS))


@pytest.mark.parametrize("family", FAMILIES)
def test_names_and_levels_may_hold_anything(family: str) -> None:
    table, bad = a_table()
    odd = {"income": "in come=\t,ä'\"", "channel": "<channel>"}
    table["channel"] = table["channel"].replace({"app": "", "web": "missing", "shop": "(missing)"})
    renamed = table.rename(columns=odd)
    found = fitted(family, renamed, bad, [odd["income"], "tenure"], [odd["channel"]], folds_of(ROWS))
    assert np.ptp(answers(found, renamed)) > 0.1


def test_the_families_are_those_of_the_folder_and_of_the_other_package() -> None:
    assert OWN_FAMILIES == [
        "blend",
        "catboost",
        "extra_trees",
        "hist_gradient_boosting",
        "lightgbm",
        "scorecard",
        "xgboost",
    ]
    assert [*OWN_FAMILIES, "naive_bayes"] == FAMILIES


@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_another_seed_is_another_model_only_where_something_is_drawn(family: str) -> None:
    table, bad = a_table()
    first, second = (fitted(family, table, bad, NUMERIC, CATEGORICAL, folds_of(ROWS), seed=seed) for seed in (1, 2))
    alike = bool((answers(first, table) == answers(second, table)).all())
    assert alike == (family == "scorecard")


@pytest.mark.parametrize("family", FAMILIES)
def test_twice_the_same_threads_give_the_same_bits(family: str) -> None:
    table, bad = a_table()
    first, second = (fitted(family, table, bad, NUMERIC, CATEGORICAL, folds_of(ROWS), threads=2) for _ in range(2))
    np.testing.assert_array_equal(answers(first, table), answers(second, table))


@pytest.mark.parametrize("family", FAMILIES)
def test_fits_side_by_side_give_the_bits_of_fits_one_after_the_other(family: str) -> None:
    table, bad = a_table()
    sample, candidate = Sample.of(table, bad, NUMERIC, CATEGORICAL), candidate_of(settings_of(family))
    rows = [np.flatnonzero(np.arange(ROWS) % 6 != left_out) for left_out in range(6)]

    def fits(at_once: int) -> list[np.ndarray]:
        tasks = [partial(candidate.fit, sample.take(one), seed=3, threads=1) for one in rows]
        return [scorer.log_odds(sample.columns) for scorer in side_by_side(tasks, at_once)]

    np.testing.assert_array_equal(fits(4), fits(1))


def test_the_same_seed_gives_the_same_files(model: TrainedModel, logged: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert save_mlflow_model(trained(model.candidate.family), again) == deciding_hash(logged)


def test_the_saved_model_answers_bit_for_bit_alike(model: TrainedModel, logged: Path) -> None:
    table = nasty()
    np.testing.assert_array_equal(
        answers(load_model(logged / FILES, models=trusting()), table), answers(model.model, table)
    )


def test_the_logged_model_has_an_explicit_signature(logged: Path) -> None:
    signature = mlflow.models.Model.load(logged).signature
    assert [column.name for column in signature.inputs] == [*NUMERIC, *CATEGORICAL]
    assert [column.type.name for column in signature.outputs] == ["double"]


def test_the_logged_model_contains_no_pickle(logged: Path) -> None:
    files = [path for path in logged.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]  # the opcode every pickle starts with
    for path in files:  # nor inside an archive of arrays
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                assert all(archive.read(name)[:6] == b"\x93NUMPY" for name in archive.namelist())


@pytest.mark.integration
def test_the_logged_model_answers_alike_where_our_packages_do_not_exist(
    model: TrainedModel, logged: Path, tmp_path: Path
) -> None:
    table = nasty()
    table.to_parquet(tmp_path / "table.parquet")
    script = f"""
        import sys
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("pipelines", "experiments", "monitoring", "thinfile_naive_bayes"):
                    raise ImportError(name)
        sys.meta_path.insert(0, Absent())
        import mlflow.pyfunc, numpy, pandas
        answers = mlflow.pyfunc.load_model({str(logged)!r}).predict(pandas.read_parquet("table.parquet"))
        assert answers.shape == (60,), answers.shape
        numpy.save("answers.npy", answers)
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "answers.npy"), answers(model.model, table))


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_that_each_count_for_one_make_the_same_model_bit_for_bit(family: str, tmp_path: Path) -> None:
    table, bad = a_table()
    plain = Sample.of(table, bad, NUMERIC, CATEGORICAL)
    hashes = []
    for name, sample in (("plain", plain), ("ones", replace(plain, weights=np.ones(ROWS)))):
        found = train(candidate_of(settings_of(family)), sample, folds_of(ROWS), METHOD, seed=3, threads=1)
        hashes.append(save_mlflow_model(found, tmp_path / name))
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_model_expects_as_many_bad_as_the_weights_say(family: str) -> None:
    table, bad = a_table()
    weights = np.where(table["channel"] == "app", 4.0, 0.5)
    sample = replace(Sample.of(table, bad, NUMERIC, CATEGORICAL), weights=weights)
    model = train(candidate_of(settings_of(family)), sample, folds_of(ROWS), METHOD, seed=3, threads=1).model
    expected = float(np.average(answers(model, table), weights=weights))
    assert expected == pytest.approx(np.average(bad, weights=weights), abs=0.03)
    assert abs(np.average(bad, weights=weights) - bad.mean()) > 0.1  # without weights it would expect that many
