"""A model is asked for probabilities of bad: ours natively, one from elsewhere through MLflow, others are refused."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import cloudpickle
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.linear_model import LogisticRegression

from pipelines.candidates.portable_model import Levels, columns_of
from pipelines.candidates.training import TrainedModel
from pipelines.errors import DataError, RequestError, ThinfileError
from pipelines.model_store.files import list_hashes, model_hash
from pipelines.model_store.foreign import probabilities
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import MODEL_HASH, STUDY, TRIAL
from pipelines.policy.model_settings import ModelSettings
from tests.mlflow_at import mlflow_at
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, answers, nasty
from tests.pipelines.model_store.conftest import DOUBLES, Elsewhere

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*input example was not provided:UserWarning"  # what a team elsewhere logs is its own affair
)
RISK = "1 / (1 + np.exp(1 + model_input['income'] - model_input['debt']))"


@pytest.fixture
def table() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame({"income": generator.normal(size=50), "debt": generator.normal(size=50)})


def expected(table: pd.DataFrame) -> np.ndarray:
    return (1 / (1 + np.exp(1 + table["income"] - table["debt"]))).to_numpy()


@pytest.fixture(scope="module")
def ours(store: ModelStore, saved: Path, tmp_path_factory: pytest.TempPathFactory) -> RegisteredModel:
    experiment = store.experiment("ours")
    run = store.open_run(experiment, "a run", {"kind": "a"})
    tags = {STUDY: "a", TRIAL: "1"}
    folder = copytree(saved, tmp_path_factory.mktemp("ours") / "model")
    return store.register("ours", experiment=experiment, run_id=run, model_folder=folder, tags=tags)


def test_our_own_model_answers_bit_for_bit_as_it_was_trained(
    store: ModelStore, ours: RegisteredModel, model: TrainedModel
) -> None:
    predictor = load_predictor(store, ours)
    assert (predictor.numeric, predictor.categorical) == (NUMERIC, CATEGORICAL)
    assert predictor.hash == ours.tags[MODEL_HASH]
    np.testing.assert_array_equal(predictor.probability_of_bad(nasty()), answers(model.model, nasty()))
    raw = model.model.log_odds(columns_of(nasty(), NUMERIC, CATEGORICAL))
    np.testing.assert_array_equal(predictor.log_odds(nasty()), raw)


def test_ours_tells_what_its_answers_are_made_of_and_one_from_elsewhere_does_not(
    store: ModelStore, ours: RegisteredModel, elsewhere: Elsewhere, table: pd.DataFrame
) -> None:
    predictor = load_predictor(store, ours)
    told = predictor.contributions(nasty())
    assert told is not None
    np.testing.assert_allclose(told[0] + told[1].sum(axis=1), predictor.log_odds(nasty()), atol=1e-12)
    assert predictor.meanings["income"]["group"] == "income"
    theirs = load_theirs(store, elsewhere(RISK))
    assert (theirs.contributions(table), theirs.meanings) == (None, {})


def test_ours_answers_alike_through_mlflow(store: ModelStore, ours: RegisteredModel) -> None:
    with mlflow_at(store):
        through_mlflow = mlflow.pyfunc.load_model(f"models:/ours/{ours.version}").predict(nasty())
    np.testing.assert_array_equal(through_mlflow, load_predictor(store, ours).probability_of_bad(nasty()))


def test_the_hash_of_a_version_covers_every_file_as_it_was_logged(store: ModelStore, ours: RegisteredModel) -> None:
    assert ours.tags[MODEL_HASH] == model_hash(store.download(ours))


@contextmanager
def with_bytes(path: Path, content: bytes | None) -> Iterator[None]:
    """Give a file other bytes, or remove it, and restore it afterwards."""
    original = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.unlink() if content is None else path.write_bytes(content)
    try:
        yield
    finally:
        path.unlink(missing_ok=True) if original is None else path.write_bytes(original)


@pytest.mark.parametrize(
    ("name", "content", "finding"),
    [
        ("artifacts/model/model.json", b"{}", "artifacts/model/model.json was changed"),
        ("served_model.py", b"import os", "served_model.py was changed"),
        ("MLmodel", b"flavors: {}", "MLmodel was changed"),
        ("requirements.txt", None, "requirements.txt is missing"),
        ("artifacts/__pycache__/served_model.cpython-311.pyc", b"x", "served_model.cpython-311.pyc was not registered"),
        ("sitecustomize.py", b"", "sitecustomize.py was not registered"),
        ("reference_profile.json", b"{}", "reference_profile.json was not registered"),
        ("file_hashes.json", b"{}", r"hash \w{12} instead of \w{12}"),
    ],
)  # fmt: skip
def test_files_that_are_not_those_registered_are_named(
    name: str, content: bytes | None, finding: str, store: ModelStore, ours: RegisteredModel
) -> None:
    refusal = (
        rf"ours version 1 changed since it was registered: hash \w{{12}} instead of \w{{12}}.*{finding}.*; restore "
    )
    if name == "file_hashes.json":
        refusal = f"ours version 1 changed since it was registered: {finding}.*; restore "
    with with_bytes(store.download(ours) / name, content), pytest.raises(ThinfileError, match=refusal):
        load_predictor(store, ours)
    assert load_predictor(store, ours).hash == ours.tags[MODEL_HASH]


def test_a_list_of_hashes_that_was_made_to_fit_does_not_help(store: ModelStore, ours: RegisteredModel) -> None:
    folder = store.download(ours)
    listed = (folder / "file_hashes.json").read_bytes()
    with with_bytes(folder / "served_model.py", b"import os"), with_bytes(folder / "file_hashes.json", listed):
        list_hashes(folder)
        with pytest.raises(ThinfileError, match="ours version 1 changed since it was registered"):
            load_predictor(store, ours)


def test_running_a_model_through_mlflow_adds_no_file_to_it(
    store: ModelStore, ours: RegisteredModel, tmp_path: Path
) -> None:
    script = f"import mlflow.pyfunc; mlflow.pyfunc.load_model({str(store.download(ours))!r})"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert load_predictor(store, ours).hash == ours.tags[MODEL_HASH]


def allowing(store: ModelStore, registered: RegisteredModel) -> ModelSettings:
    """Return the settings of a policy that allows a model of another tool."""
    return ModelSettings(foreign={model_hash(store.download(registered)): registered.name}, seconds=600)


def load_theirs(store: ModelStore, registered: RegisteredModel) -> Predictor:
    return load_predictor(store, registered, allowing(store, registered))


def test_a_model_from_elsewhere_is_refused_unless_the_policy_allows_it(store: ModelStore, elsewhere: Elsewhere) -> None:
    registered = elsewhere(RISK)
    allowed = f'"{model_hash(store.download(registered))}": "{registered.name}"'
    with pytest.raises(RequestError, match=f"was logged by another tool, .*policy.models.foreign={{{allowed}}}'"):
        load_predictor(store, registered)
    assert load_theirs(store, registered).hash in allowed


@pytest.mark.integration
def test_a_model_from_elsewhere_answers_through_mlflow(
    store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("sys.pycache_prefix", None)
    registered = elsewhere(RISK)
    predictor = load_theirs(store, registered)
    assert (predictor.numeric, predictor.categorical) == (["income", "debt"], [])
    np.testing.assert_array_equal(predictor.probability_of_bad(table), expected(table))
    np.testing.assert_allclose(predictor.log_odds(table), table["debt"] - table["income"] - 1)
    assert load_theirs(store, registered).hash == predictor.hash


cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the class below comes with its model


class WithEstimator(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """Another team's scikit-learn model, wrapped so that it answers with the probability of bad."""

    def __init__(self, estimator: LogisticRegression) -> None:
        self.estimator = estimator

    def predict(self, context: object, model_input: pd.DataFrame) -> np.ndarray:  # noqa: ARG002
        return self.estimator.predict_proba(model_input)[:, 1]


@pytest.mark.integration
def test_a_wrapped_scikit_learn_model_answers_as_scikit_learn_does(store: ModelStore, table: pd.DataFrame) -> None:
    bad = (table["debt"] > table["income"]).astype(int)
    estimator = LogisticRegression().fit(table, bad)
    signature = ModelSignature(Schema([ColSpec(kind, name) for name, kind in DOUBLES.items()]))
    with mlflow_at(store), mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=WithEstimator(estimator),
            signature=signature,
            registered_model_name="wrapped",
            pip_requirements=["mlflow"],
        )
    predictor = load_theirs(store, store.version("wrapped", 1))
    np.testing.assert_array_equal(predictor.probability_of_bad(table), estimator.predict_proba(table)[:, 1])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda risk: (risk > 0.5).astype(int), "returned classes such as"),
        (lambda risk: (risk > 0.5).astype(float), "returned classes such as"),
        (lambda risk: np.where(risk > 0.5, "bad", "good"), "returned classes such as"),
        (lambda risk: np.column_stack([1 - risk, risk]), r"returned an array of shape \(50, 2\) for 50 rows"),
        (np.log, "returned values from -"),
        (lambda risk: risk * np.nan, "returned values from nan"),
        (lambda risk: risk[1:], r"returned an array of shape \(49,\) for 50 rows"),
    ],
)
def test_what_is_not_a_probability_of_bad_is_refused(
    answer: Callable[[np.ndarray], np.ndarray], message: str, table: pd.DataFrame
) -> None:
    with pytest.raises(RequestError, match=f"a model {message}.*; log a PythonModel whose predict returns one"):
        probabilities(answer(expected(table)), len(table), "a model")


def test_a_model_that_does_not_say_what_it_needs_is_refused(store: ModelStore, elsewhere: Elsewhere) -> None:
    with pytest.raises(RequestError, match="has no signature with column names; log it again with signature="):
        load_theirs(store, elsewhere(RISK, None))


def test_a_column_of_a_type_that_no_table_has_is_refused(store: ModelStore, elsewhere: Elsewhere) -> None:
    with pytest.raises(
        RequestError, match=r"column 'x' in the signature of .* has the type binary; log the model again"
    ):
        load_theirs(store, elsewhere(RISK, {"x": DataType.binary}))


@pytest.mark.integration
def test_missing_numbers_and_levels_reach_a_model_from_elsewhere(store: ModelStore, elsewhere: Elsewhere) -> None:
    answer = "np.where(model_input['channel'].isna(), 0.9, np.where(model_input['income'].isna(), 0.5, 0.1))"
    types = {"income": DataType.double, "channel": DataType.string}
    predictor = load_theirs(store, elsewhere(answer, types))
    assert (predictor.numeric, predictor.categorical) == (["income"], ["channel"])
    asked = pd.DataFrame({"income": [1.0, np.nan, 1.0], "channel": pd.Series(["app", "app", None], dtype=object)})
    assert predictor.probability_of_bad(asked).tolist() == [0.1, 0.5, 0.9]
    levels = Levels(np.array([0, 0, -1]), ["app"])
    assert predictor.predict({"income": np.array([1.0, np.nan, 1.0]), "channel": levels})[1].tolist() == [0.1, 0.5, 0.9]


@pytest.mark.integration
def test_whole_numbers_reach_a_model_whose_signature_has_them(store: ModelStore, elsewhere: Elsewhere) -> None:
    predictor = load_theirs(store, elsewhere("model_input['age'] / 100", {"age": DataType.long}))
    assert predictor.probability_of_bad(pd.DataFrame({"age": [30.0, 40.0]})).tolist() == [0.3, 0.4]


def test_a_missing_number_where_an_integer_is_signed_is_told(store: ModelStore, elsewhere: Elsewhere) -> None:
    predictor = load_theirs(store, elsewhere("model_input['age'] / 100", {"age": DataType.long}))
    with pytest.raises(DataError, match=r"'age' has missing values, .* signature does not allow; log the model with"):
        predictor.probability_of_bad(pd.DataFrame({"age": [30.0, np.nan]}))


@pytest.mark.parametrize(("kind", "value"), [(DataType.long, 30.7), (DataType.boolean, np.nan)])
def test_a_value_that_does_not_fit_the_signature_is_told(
    kind: DataType, value: float, store: ModelStore, elsewhere: Elsewhere
) -> None:
    predictor = load_theirs(store, elsewhere("model_input['x'] * 0.01 + 0.1", {"x": kind}))
    with pytest.raises(DataError, match="column 'x'"):
        predictor.probability_of_bad(pd.DataFrame({"x": [1.0, value]}))


@pytest.mark.integration
def test_an_optional_column_may_be_absent(store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame) -> None:
    columns = [ColSpec(DataType.double, "income"), ColSpec(DataType.double, "later", required=False)]
    predictor = load_theirs(
        store, elsewhere("model_input['income'] * 0 + 0.5", signature=ModelSignature(Schema(columns)))
    )
    assert predictor.probability_of_bad(table).tolist() == [0.5] * 50


def test_no_rows_are_no_answers(store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame) -> None:
    assert load_theirs(store, elsewhere(RISK)).probability_of_bad(table.head(0)).shape == (0,)


def test_one_sure_answer_is_no_class() -> None:
    assert probabilities(np.array([1.0]), 1, "a model").tolist() == [1.0]
