"""A family whose library is not installed is not searched; whoever names it learns how to install it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thinfile
from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.registry import candidate_settings, declared_families, families, load_model
from pipelines.errors import RequestError
from tests.pipelines.candidates.test_conformance import nasty, trained

EXTRAS = [family.name for family in declared_families().values() if family.extra]
SCORED_WITHOUT = [one.name for one in declared_families().values() if one.extra and one.extra not in one.requirements]


@pytest.fixture(params=EXTRAS)
def absent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a family whose library cannot be found."""
    extra = declared_families()[request.param].extra
    monkeypatch.setattr("pipelines.candidates.candidate.find_spec", lambda module: None if module == extra else module)
    return str(request.param)


def test_it_is_declared_and_not_among_the_families(absent: str) -> None:
    assert absent in candidate_settings()["candidate"]
    assert absent not in families()
    assert "scorecard" in families()


def test_naming_it_is_one_message_with_the_command(
    absent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = tmp_path / "workspace"
    assert thinfile.main(["tune", f"candidate={absent}", "data=german_credit", f"workspace={workspace}"]) == 2
    (message,) = capsys.readouterr().err.strip().splitlines()
    assert f"the candidate family '{absent}' needs the package {absent}, which is not installed" in message
    assert f"run pip install 'thinfile[{absent}]'" in message
    search = ["tune", f"candidate.families=[{absent}]", "data=german_credit", f"workspace={workspace}"]
    assert thinfile.main(search) == 2
    assert f"run pip install 'thinfile[{absent}]'" in capsys.readouterr().err
    assert not workspace.exists()


def test_help_and_composing_work_without_it(absent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["tune", f"candidate={absent}", "--help"]) == 0
    assert thinfile.main(["tune", f"candidate={absent}", "--cfg", "job"]) == 0
    assert f"| {absent}" in " ".join(capsys.readouterr().out.split())


def test_a_model_that_needs_the_library_is_refused_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained("catboost").save(tmp_path)
    monkeypatch.setattr("pipelines.candidates.candidate.find_spec", lambda _: None)
    with pytest.raises(RequestError, match=r"needs the package catboost.*run pip install 'thinfile\[catboost\]'"):
        load_model(tmp_path)


@pytest.mark.parametrize("family", SCORED_WITHOUT)
def test_its_models_are_scored_and_explained_without_it(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(family)
    model.save(tmp_path)
    monkeypatch.setitem(sys.modules, family, None)
    columns = columns_of(nasty(), model.model.numeric, model.model.categorical)
    loaded = load_model(tmp_path)
    np.testing.assert_array_equal(loaded.log_odds(columns), model.model.log_odds(columns))
    np.testing.assert_array_equal(loaded.contributions(columns)[1], model.model.contributions(columns)[1])


def test_declaring_a_family_imports_no_library() -> None:
    script = """
import sys
from pipelines.candidates.registry import candidate_settings
candidate_settings()
print(sorted({"catboost", "lightgbm", "sklearn", "xgboost"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
