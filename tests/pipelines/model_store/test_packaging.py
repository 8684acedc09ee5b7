"""Every file of a model decides its hash; the hash of what decides its answers is the same whenever it is saved."""

from pathlib import Path

import mlflow.models
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.types.schema import AnyType

from pipelines.applications.splits import Fold
from pipelines.candidates.portable_model import columns_of, columns_of_table, table_names
from pipelines.candidates.registry import candidate_of, family_named
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import TrainedModel, train
from pipelines.errors import ThinfileError
from pipelines.model_store.files import PROFILE, deciding_hash, model_hash
from pipelines.model_store.packaging import save_mlflow_model, signature_of
from pipelines.reading.contract import ReadingContract
from pipelines.reading.frames import frame_of
from pipelines.reading.reading import Reading
from pipelines.reading.special import code_column, split_columns


def files_of(folder: Path) -> list[Path]:
    """Return every file of a saved model."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_saving_again_gives_what_decides_the_answers(model: TrainedModel, saved: Path, tmp_path: Path) -> None:
    assert save_mlflow_model(model, tmp_path / "again") == deciding_hash(saved)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_byte_changed_is_another_model(copied: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(copied)))
    original, known = path.read_bytes(), model_hash(copied)
    place = data.draw(st.integers(0, len(original) - 1))
    path.write_bytes(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :])
    assert model_hash(copied) != known
    path.write_bytes(original)
    assert model_hash(copied) == known


@pytest.mark.parametrize(
    "name", ["artifacts/model/extra.json", PROFILE, "evaluation/picture.png", "code/__pycache__/served_model.pyc", "x"]
)
def test_a_file_more_is_another_model(name: str, copied: Path) -> None:
    known = model_hash(copied)
    (copied / name).parent.mkdir(parents=True, exist_ok=True)
    (copied / name).write_bytes(b"x")
    assert model_hash(copied) != known


def test_a_file_less_is_another_model(copied: Path) -> None:
    known = model_hash(copied)
    (copied / "artifacts" / "model" / "scorecard.json").unlink()
    assert model_hash(copied) != known


def test_the_file_that_mlflow_adds_to_a_download_does_not_count(copied: Path) -> None:
    known = model_hash(copied)
    (copied / "registered_model_meta").write_text("model_name: a\n")
    assert model_hash(copied) == known


@pytest.mark.parametrize("name", ["__pycache__", "linked"])
def test_a_link_to_a_folder_is_refused(name: str, copied: Path, tmp_path: Path) -> None:
    (copied / name).unlink(missing_ok=True)
    (copied / name).symlink_to(tmp_path)
    with pytest.raises(ThinfileError, match=f"{name}', which is neither a file nor a folder; replace it with a copy"):
        model_hash(copied)


def test_the_place_does_not_matter(saved: Path, copied: Path) -> None:
    assert model_hash(saved) == model_hash(copied)


def test_the_signature_names_the_columns_and_one_probability() -> None:
    signature = signature_of(["amount", "channel"])
    assert [(column.name, column.type) for column in signature.inputs] == [
        ("amount", AnyType()),
        ("channel", AnyType()),
    ]
    assert [(column.name, column.type.name) for column in signature.outputs] == [("probability_of_bad", "double")]


def test_a_model_says_what_it_needs_and_no_more(saved: Path) -> None:
    needed = (saved / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in needed] == ["mlflow", "numpy", "pandas"]
    assert all("==" in line for line in needed)
    described = mlflow.models.Model.load(saved)
    assert set(described.flavors) == {"python_function"}


def test_the_logged_model_takes_the_columns_of_the_table_and_splits_special_codes(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    months = np.where(
        generator.random(400) < 0.4, generator.choice([-9.0, -8.0, -999.0], 400), generator.integers(0, 40, 400)
    )
    table = pd.DataFrame({"months": months, "income": generator.normal(size=400)})
    reading = Reading(nulls=("-999", "NA"), special={"months": ("-9", "-8")})
    frame = frame_of(pa.Table.from_pandas(table), reading, {})
    numeric, categorical = ["income", "months"], [code_column("months")]
    record = ReadingContract(frame.types, reading).to_record(categories=categorical)
    bad = (generator.random(400) < np.where(months == -9, 0.8, 0.2)).astype(np.int8)
    sample = Sample.of(frame.rows, bad, numeric, categorical, reading=record)
    candidate = candidate_of(family_named("scorecard").settings())
    folds = [Fold(np.arange(200), np.arange(200, 400))]
    trained = train(candidate, sample, folds, CalibrationMethod.logistic, seed=0, threads=1)
    save_mlflow_model(trained, tmp_path / "model")
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert loaded.metadata.get_input_schema().input_names() == numeric
    expected = trained.model.probability_of_bad(columns_of(frame.rows, numeric, categorical))
    np.testing.assert_array_equal(loaded.predict(table), expected)
    assert len(set(np.round(expected, 6))) > 1


def test_the_logged_model_splits_codes_as_tables_are_split() -> None:
    values = np.array([-9.0, -8.0, 3.0, np.nan, 0.5])
    card = {
        "numeric": [], "categorical": ["x (code)", "city"], "reading": {"values": {"special": {"x": ["-9", "0.5"]}}},
    }  # fmt: skip
    assert table_names(card) == (["x"], ["city"])
    found = columns_of_table(pd.DataFrame({"x": values, "city": ["a", "", None, "NA", "b"]}), card)
    expected = split_columns({"x": values}, {"x": ("-9", "0.5")})
    np.testing.assert_array_equal(found["x"], expected["x"])
    assert found[code_column("x")].tolist() == expected[code_column("x")].tolist()
    assert found["city"].tolist() == ["a", None, None, "NA", "b"]
