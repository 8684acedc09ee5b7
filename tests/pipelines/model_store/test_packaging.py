"""What decides a model's answers decides its fingerprint, and nothing else does."""

from pathlib import Path

import mlflow.models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.candidates.training import TrainedModel
from pipelines.model_store.files import PROFILE, model_hash
from pipelines.model_store.packaging import save_mlflow_model, signature_of


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
