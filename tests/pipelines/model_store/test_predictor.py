"""A model is asked for probabilities of bad: ours natively, one from elsewhere through MLflow, others are refused."""

from pathlib import Path
from shutil import copytree

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.linear_model import LogisticRegression

from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.training import TrainedModel
from pipelines.errors import DataError, RequestError, ThinfileError
from pipelines.model_store.files import FILES, model_hash
from pipelines.model_store.foreign import probabilities
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import MODEL_HASH, STUDY, TRIAL
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
    tags = {STUDY: "a", TRIAL: "1", MODEL_HASH: model_hash(saved)}
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
    theirs = load_predictor(store, elsewhere(RISK))
    assert (theirs.contributions(table), theirs.meanings) == (None, {})


def test_ours_answers_alike_through_mlflow(store: ModelStore, ours: RegisteredModel) -> None:
    through_mlflow = mlflow.pyfunc.load_model(f"models:/ours/{ours.version}").predict(nasty())
    np.testing.assert_array_equal(through_mlflow, load_predictor(store, ours).probability_of_bad(nasty()))


def test_a_changed_byte_is_refused_and_says_what_to_restore(store: ModelStore, ours: RegisteredModel) -> None:
    file = store.download(ours) / FILES / "model.json"
    original = file.read_bytes()
    file.write_bytes(original + b" ")
    try:
        with pytest.raises(
            ThinfileError, match=r"ours version 1 changed .*: hash \w{12} instead of \w{12}; restore .* or"
        ):
            load_predictor(store, ours)
    finally:
        file.write_bytes(original)
    assert load_predictor(store, ours).hash == ours.tags[MODEL_HASH]


def test_a_model_from_elsewhere_answers_through_mlflow(
    store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame
) -> None:
    predictor = load_predictor(store, elsewhere(RISK))
    assert (predictor.numeric, predictor.categorical) == (["income", "debt"], [])
    np.testing.assert_array_equal(predictor.probability_of_bad(table), expected(table))
    np.testing.assert_allclose(predictor.log_odds(table), table["debt"] - table["income"] - 1)


class WithEstimator(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """Another team's scikit-learn model, wrapped so that it answers with the probability of bad."""

    def __init__(self, estimator: LogisticRegression) -> None:
        self.estimator = estimator

    def predict(self, context: object, model_input: pd.DataFrame) -> np.ndarray:  # noqa: ARG002
        return self.estimator.predict_proba(model_input)[:, 1]


def test_a_wrapped_scikit_learn_model_answers_as_scikit_learn_does(store: ModelStore, table: pd.DataFrame) -> None:
    bad = (table["debt"] > table["income"]).astype(int)
    estimator = LogisticRegression().fit(table, bad)
    signature = ModelSignature(Schema([ColSpec(kind, name) for name, kind in DOUBLES.items()]))
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=WithEstimator(estimator),
            signature=signature,
            registered_model_name="wrapped",
            pip_requirements=["mlflow"],
        )
    predictor = load_predictor(store, store.version("wrapped", 1))
    np.testing.assert_array_equal(predictor.probability_of_bad(table), estimator.predict_proba(table)[:, 1])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (f"({RISK} > 0.5).astype(int)", "returned classes such as"),
        (f"({RISK} > 0.5).astype(float)", "returned classes such as"),
        (f"np.where({RISK} > 0.5, 'bad', 'good')", "returned classes such as"),
        (f"np.column_stack([1 - {RISK}, {RISK}])", r"returned an array of shape \(50, 2\) for 50 rows"),
        ("model_input['income'] * 10", "returned values from -"),
        ("np.full(len(model_input), np.nan)", "returned values from nan"),
        (f"{RISK}[1:]", r"returned an array of shape \(49,\) for 50 rows"),
    ],
)
def test_what_is_not_a_probability_of_bad_is_refused(
    answer: str, message: str, store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame
) -> None:
    with pytest.raises(RequestError, match=f"{message}.*; log a PythonModel whose predict returns one"):
        load_predictor(store, elsewhere(answer)).probability_of_bad(table)


def test_a_model_that_does_not_say_what_it_needs_is_refused(store: ModelStore, elsewhere: Elsewhere) -> None:
    with pytest.raises(RequestError, match="has no signature with column names; log it again with signature="):
        load_predictor(store, elsewhere(RISK, None))


def test_missing_numbers_and_levels_reach_a_model_from_elsewhere(store: ModelStore, elsewhere: Elsewhere) -> None:
    answer = "np.where(model_input['channel'].isna(), 0.9, np.where(model_input['income'].isna(), 0.5, 0.1))"
    types = {"income": DataType.double, "channel": DataType.string}
    predictor = load_predictor(store, elsewhere(answer, types))
    assert (predictor.numeric, predictor.categorical) == (["income"], ["channel"])
    asked = pd.DataFrame({"income": [1.0, np.nan, 1.0], "channel": pd.Series(["app", "app", None], dtype=object)})
    assert predictor.probability_of_bad(asked).tolist() == [0.1, 0.5, 0.9]


def test_a_missing_number_where_an_integer_is_signed_is_told(store: ModelStore, elsewhere: Elsewhere) -> None:
    predictor = load_predictor(store, elsewhere("model_input['age'] / 100", {"age": DataType.long}))
    assert predictor.probability_of_bad(pd.DataFrame({"age": [30.0, 40.0]})).tolist() == [0.3, 0.4]
    with pytest.raises(DataError, match=r"'age' has missing values, .* signature does not allow; log the model with"):
        predictor.probability_of_bad(pd.DataFrame({"age": [30.0, np.nan]}))


@pytest.mark.parametrize(("kind", "value"), [(DataType.long, 30.7), (DataType.boolean, np.nan)])
def test_a_value_that_does_not_fit_the_signature_is_told(
    kind: DataType, value: float, store: ModelStore, elsewhere: Elsewhere
) -> None:
    predictor = load_predictor(store, elsewhere("model_input['x'] * 0.01 + 0.1", {"x": kind}))
    with pytest.raises(DataError, match="column 'x'"):
        predictor.probability_of_bad(pd.DataFrame({"x": [1.0, value]}))


def test_an_optional_column_may_be_absent(store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame) -> None:
    columns = [ColSpec(DataType.double, "income"), ColSpec(DataType.double, "later", required=False)]
    predictor = load_predictor(
        store, elsewhere("model_input['income'] * 0 + 0.5", signature=ModelSignature(Schema(columns)))
    )
    assert predictor.probability_of_bad(table).tolist() == [0.5] * 50


def test_no_rows_are_no_answers(store: ModelStore, elsewhere: Elsewhere, table: pd.DataFrame) -> None:
    assert load_predictor(store, elsewhere(RISK)).probability_of_bad(table.head(0)).shape == (0,)


def test_one_sure_answer_is_no_class() -> None:
    assert probabilities(np.array([1.0]), 1, "a model").tolist() == [1.0]


def test_loading_a_model_does_not_change_it(
    store: ModelStore, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("sys.pycache_prefix", None)
    registered = elsewhere(RISK)
    first = load_predictor(store, registered)
    assert load_predictor(store, registered).hash == first.hash
