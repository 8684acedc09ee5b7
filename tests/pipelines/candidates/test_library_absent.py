"""A family whose library is not installed is not searched; whoever names it learns how to install it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import thinfile
from pipelines.candidates.registry import candidate_settings, declared_families, families, load_model
from pipelines.errors import RequestError

EXTRAS = [family.name for family in declared_families().values() if family.extra]


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
    assert not workspace.exists()


def test_help_and_composing_work_without_it(absent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["tune", f"candidate={absent}", "--help"]) == 0
    assert thinfile.main(["tune", f"candidate={absent}", "--cfg", "job"]) == 0
    assert f"| {absent}" in capsys.readouterr().out


def test_its_models_are_refused_with_the_command(absent: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"family": absent}))
    with pytest.raises(RequestError, match=rf"pip install 'thinfile\[{absent}\]'"):
        load_model(tmp_path)


def test_declaring_a_family_imports_no_library() -> None:
    script = """
import sys
from pipelines.candidates.registry import candidate_settings
candidate_settings()
print(sorted({"catboost", "lightgbm", "sklearn", "xgboost"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
