"""What every candidate family must do, whichever it is."""

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import mlflow.models
import numpy as np
import pandas as pd
import pytest

from pipelines.candidates import candidate_of, served
from pipelines.candidates.sample import Sample
from pipelines.model_store.packaging import FILES, model_hash, save_mlflow_model
from pipelines.settings import (
    CalibrationMethod,
    CandidateSettings,
    CatBoostParameters,
    CatBoostSettings,
    HistGradientBoostingParameters,
    HistGradientBoostingSettings,
    ScorecardSettings,
)
from pipelines.splits import Fold
from pipelines.training import TrainedModel, train

ROWS = 400
FAMILIES: dict[str, CandidateSettings] = {
    "scorecard": ScorecardSettings(),
    "catboost": CatBoostSettings(parameters=CatBoostParameters(iterations=20)),
    "hist_gradient_boosting": HistGradientBoostingSettings(parameters=HistGradientBoostingParameters(max_iter=20)),
}
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
    candidate = candidate_of(FAMILIES[family])
    return train(candidate, sample, folds_of(ROWS), CalibrationMethod(method), seed=3, threads=1)


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


def answers(model: served.Model, table: pd.DataFrame) -> np.ndarray:
    return model.probability_of_bad(served.columns_of(table, model.numeric, model.categorical))


def test_missing_unseen_and_extreme_values_are_normal_input(model: TrainedModel) -> None:
    found = answers(model.model, nasty())
    assert np.isfinite(found).all()
    assert ((found > 0) & (found < 1)).all()


def test_infinite_numbers_are_refused_by_name(model: TrainedModel) -> None:
    table = nasty()
    table.loc[3, "income"] = np.inf
    with pytest.raises(ValueError, match=r"finite.*'income'"):
        answers(model.model, table)


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


def test_the_same_seed_gives_the_same_files(model: TrainedModel, logged: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert save_mlflow_model(trained(model.candidate.family), again) == model_hash(logged)


def test_the_saved_model_answers_bit_for_bit_alike(model: TrainedModel, logged: Path) -> None:
    table = nasty()
    np.testing.assert_array_equal(answers(served.load(logged / FILES), table), answers(model.model, table))


def test_the_logged_model_has_an_explicit_signature(logged: Path) -> None:
    signature = mlflow.models.Model.load(logged).signature
    assert {column.name: column.type.name for column in signature.inputs} == dict.fromkeys(
        NUMERIC, "double"
    ) | dict.fromkeys(CATEGORICAL, "string")
    assert [column.type.name for column in signature.outputs] == ["double"]


def test_the_logged_model_contains_no_pickle(logged: Path) -> None:
    files = [path for path in logged.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]  # the opcode every pickle starts with


def test_the_logged_model_answers_alike_where_our_packages_do_not_exist(
    model: TrainedModel, logged: Path, tmp_path: Path
) -> None:
    table = nasty()
    table.to_parquet(tmp_path / "table.parquet")
    script = f"""
        import sys
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("pipelines", "experiments", "monitoring", "thinfile"):
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
