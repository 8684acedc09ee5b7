"""What decides a model's answers decides its fingerprint, and nothing else does."""

from pathlib import Path

import mlflow.models
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.applications.splits import Fold
from pipelines.candidates.portable_model import columns_of, columns_of_table, table_names
from pipelines.candidates.registry import candidate_of, family_named
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import TrainedModel, train
from pipelines.model_store.files import PROFILE, model_hash
from pipelines.model_store.packaging import save_mlflow_model, signature_of
from pipelines.reading.contract import ReadingContract
from pipelines.reading.frames import frame_of
from pipelines.reading.reading import Reading
from pipelines.reading.special import code_column, split_columns


def deciding(folder: Path) -> list[Path]:
    """Return the files that the model answers from."""
    return [folder / "served_model.py", *(folder / "artifacts" / "model").iterdir()]


def test_saving_tells_the_fingerprint(model: TrainedModel, saved: Path, tmp_path: Path) -> None:
    assert save_mlflow_model(model, tmp_path / "again") == model_hash(saved)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_byte_changed_is_another_model(copied: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(deciding(copied))))
    original, known = path.read_bytes(), model_hash(copied)
    place = data.draw(st.integers(0, len(original) - 1))
    path.write_bytes(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :])
    assert model_hash(copied) != known
    path.write_bytes(original)
    assert model_hash(copied) == known


def test_a_file_less_or_more_is_another_model(copied: Path) -> None:
    known = model_hash(copied)
    extra = copied / "artifacts" / "model" / "extra.json"
    extra.write_text("{}")
    assert model_hash(copied) != known
    extra.unlink()
    (copied / "artifacts" / "model" / "scorecard.json").unlink()
    assert model_hash(copied) != known


def test_what_lies_beside_a_model_does_not_change_it(copied: Path) -> None:
    known = model_hash(copied)
    (copied / PROFILE).write_text("{}")
    (copied / "evaluation").mkdir()
    (copied / "evaluation" / "picture.png").write_bytes(b"x")
    (copied / "points_table.csv").write_text("a")
    (copied / "MLmodel").write_text((copied / "MLmodel").read_text() + "\n# looked at\n")
    assert model_hash(copied) == known


def test_the_place_does_not_matter(saved: Path, copied: Path) -> None:
    assert model_hash(saved) == model_hash(copied)


def test_the_signature_has_doubles_for_numbers_and_one_probability() -> None:
    signature = signature_of(["amount"], ["channel"])
    assert [(column.name, column.type.name) for column in signature.inputs] == [
        ("amount", "double"),
        ("channel", "string"),
    ]
    assert [(column.name, column.type.name) for column in signature.outputs] == [("probability_of_bad", "double")]


def test_a_model_says_what_it_needs_and_no_more(saved: Path) -> None:
    needed = (saved / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in needed] == ["mlflow", "numpy", "pandas"]
    assert all("==" in line for line in needed)
    described = mlflow.models.Model.load(saved)
    assert set(described.flavors) == {"python_function"}
    assert described.saved_input_example_info is None  # a real application has no place in a model


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
