"""Paths at which no workspace can be are refused before a verb begins, and nothing is written."""

from pathlib import Path

import pytest

import thinfile
from pipelines.command.verbs import VERBS
from pipelines.command.workspace_path import MOST_BYTES_OF_WORKSPACE, check_workspace
from pipelines.errors import RequestError

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("verb", VERBS)
def test_a_workspace_that_goes_through_a_file_is_refused_by_every_verb(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    needed = {
        "score": ["data=german_credit", "period=2026-10"],
        "watch": ["period=2026-10"],
        "prepare": ["raw.folder=x", "loan.as_of=2026-01-01"],
        "erase": ["customer=1"],
    }
    assert thinfile.main([verb, "workspace=file/below", *needed.get(verb, [])]) == 2
    printed = capsys.readouterr()
    assert f"'{tmp_path / 'file'}' is a file" in printed.err
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\nb", "control characters"),
        ("a\x00b", "control characters"),
        ("~nobody_of_that_name/x", "home of an unknown user"),
        ("/" + "/".join(["deep"] * 100), f"at most {MOST_BYTES_OF_WORKSPACE} bytes"),
        ("/tmp/" + "n" * 300, "cannot be opened"),
    ],
)
def test_paths_at_which_no_workspace_can_be_are_refused(path: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        check_workspace(path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)
    with pytest.raises(RequestError, match=f"cannot be created, because '{tmp_path}' is not writable"):
        check_workspace(str(tmp_path / "below" / "w"))
