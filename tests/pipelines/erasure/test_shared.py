"""Workspaces that share a database share its erasures: who was erased in one is left out by all."""

from pathlib import Path

import pytest

from pipelines.command.verb import ExitCode
from pipelines.erasure import erase as erasing
from pipelines.erasure import verify
from pipelines.erasure.erase import erase
from pipelines.erasures.record import read_erasures
from pipelines.erasures.salt import Kind, ensure_salt, salt_of
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
from tests.pipelines.erasure.filled_workspace import GONE, Killed, fill, settings
from tests.postgresql import fresh_database


@pytest.fixture
def pair(tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, Workspace]:
    """Two workspaces with the same customers on one database."""
    monkeypatch.setenv("THINFILE_DATABASE", fresh_database(postgresql))
    a, b = (fill(Workspace.at(str(tmp_path / name))) for name in "ab")
    return a, b


def test_a_person_erased_in_one_workspace_is_known_in_the_other(pair: tuple[Workspace, Workspace]) -> None:
    a, b = pair
    erase(settings(a, GONE))
    assert read_erasures(b).erased(Kind.customer, GONE) is not None
    assert salt_of(a) == salt_of(b)
    assert not (a.root / "erasure.salt").exists()
    # the rows that the other one has are found, and erased by the same command there
    found = verify.verify(settings(b, ""))
    assert (found.exit_code, len(found.result["findings"]) > 0) == (ExitCode.ANSWER_IS_NO, True)  # type: ignore[arg-type]
    assert erase(settings(b, GONE)).result["erased"]
    assert [verify.verify(settings(one, "")).exit_code for one in pair] == [ExitCode.DONE] * 2


def test_an_erasure_that_was_killed_in_one_workspace_is_not_finished_by_the_other(
    pair: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "remove_rows", killed)
        with pytest.raises(Killed):
            erase(settings(a, GONE))
    erase(settings(b, GONE))
    assert [len(read_erasures(one).unfinished) for one in (a, b)] == [1, 0]
    assert verify.verify(settings(a, "")).exit_code is ExitCode.ANSWER_IS_NO
    # when the same command runs again where it was killed
    erase(settings(a, GONE))
    assert [verify.verify(settings(one, "")).exit_code for one in pair] == [ExitCode.DONE] * 2
    assert len(Chain(a, "erasures").entries()) == 4


def test_the_salt_of_an_earlier_version_becomes_that_of_the_database(tmp_path: Path, postgresql: str) -> None:
    # given: earlier versions kept the salt in the workspace that erased
    database = fresh_database(postgresql)
    a, b = (Workspace(tmp_path / name, database) for name in "ab")
    a.root.mkdir()
    (a.root / "erasure.salt").write_text("5a17\n")
    assert salt_of(a) == "5a17"
    assert ensure_salt(a) == ensure_salt(b) == salt_of(b) == "5a17"
