"""The code of another package's family runs only where the policy names the package and the hash of its files."""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

import thinfile
from pipelines.candidates.registry import GROUP, load_model, trusted_families
from pipelines.candidates.trust import package_hash, require_trusted
from pipelines.errors import RequestError
from pipelines.policy.model_settings import ModelSettings
from tests.outside_family import installed, trusting
from tests.pipelines.candidates.test_registry import package


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that importing the package writes."""
    return tmp_path / "imported"


@pytest.fixture
def site(tmp_path: Path, marker: Path) -> Iterator[Path]:
    """A folder with the package `theirs`, whose family leaves a mark when it is imported."""
    source = f"from pathlib import Path\nPath({str(marker)!r}).touch()\n"
    folder = package(tmp_path / "site", "odd", "odd_family:FAMILY", source)
    with installed(folder):
        yield folder
    sys.modules.pop("odd_family", None)


def point() -> EntryPoint:
    (one,) = entry_points(group=GROUP, name="odd")
    return one


@pytest.mark.usefixtures("site")
def test_a_model_of_a_package_that_is_not_trusted_is_refused_before_it_is_imported(
    tmp_path: Path, marker: Path
) -> None:
    # given a model of its family
    (tmp_path / "model.json").write_text(
        json.dumps({"family": "scorecard", "parts": [{"family": "odd", "models": []}]})
    )
    # when
    with pytest.raises(RequestError) as raised:
        load_model(tmp_path)
    # then
    digest = package_hash(point())
    setting = f"""'policy.models.families={{"theirs": "{digest}"}}'"""
    assert str(raised.value) == (
        "the candidate family 'odd' is code of the package 'theirs', which is not trusted by the policy; if you trust "
        f"it, name it in the policy: {setting}"
    )
    assert "odd" not in trusted_families(ModelSettings())
    assert not marker.exists()
    # and the printed setting is the one that trusts it
    require_trusted(point(), ModelSettings(families=json.loads(shlex.split(setting)[0].partition("=")[2])))


@pytest.mark.parametrize("name", ["odd_family.py", "theirs-1.0.dist-info/entry_points.txt"])
def test_a_changed_file_is_another_package(name: str, site: Path) -> None:
    trusted = ModelSettings(families={"THEIRS": package_hash(point())})
    require_trusted(point(), trusted)
    # given a package with a list of its files, as installers write it
    (site / "theirs-1.0.dist-info" / "RECORD").write_text(f"{name},,\n")
    before = package_hash(point())
    trusted = ModelSettings(families={"theirs": before})
    require_trusted(point(), trusted)
    # when
    (site / name).write_text((site / name).read_text() + "\n")
    # then
    problem = f"has the hash {package_hash(point())}, and the policy names {before}"
    with pytest.raises(RequestError, match=re.escape(problem)):
        require_trusted(point(), trusted)


def test_what_python_compiles_and_installers_note_is_not_counted(site: Path) -> None:
    before = package_hash(point())
    (site / "__pycache__").mkdir()
    (site / "__pycache__" / "odd_family.cpython-311.pyc").write_bytes(b"x")
    (site / "theirs-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    (site / "theirs-1.0.dist-info" / "RECORD").write_text(
        "odd_family.py,,\n__pycache__/odd_family.cpython-311.pyc,,\ntheirs-1.0.dist-info/INSTALLER,,\n"
    )
    assert package_hash(point()) == before


def test_a_module_that_was_added_to_a_package_is_counted() -> None:
    with installed():
        (one,) = entry_points(group=GROUP, name="naive_bayes")
        added = Path(__file__).parents[2] / "outside_family" / "thinfile_naive_bayes" / "added.py"
        added.write_text("")
        try:
            with pytest.raises(RequestError, match="package 'thinfile-naive-bayes', which has the hash"):
                require_trusted(one, trusting_before(added))
        finally:
            added.unlink()
        require_trusted(one, trusting())


def trusting_before(added: Path) -> ModelSettings:
    """Return what trusts the package as it is without a file."""
    content = added.read_bytes()
    added.unlink()
    try:
        return trusting()
    finally:
        added.write_bytes(content)


def test_tune_refuses_a_family_that_the_policy_does_not_trust(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["tune", "candidate=naive_bayes", "data=german_credit", f"workspace={tmp_path / 'workspace'}"]
    with installed():
        assert thinfile.main(words) == 2
        refusal = capsys.readouterr().err
        (setting,) = re.findall(r"'policy\.models\.families=.*'", refusal)
        assert not (tmp_path / "workspace").exists()
        assert json.loads(shlex.split(setting)[0].partition("=")[2]) == trusting().families
        assert thinfile.main([*words, "--cfg", "job", *shlex.split(setting)]) == 0
