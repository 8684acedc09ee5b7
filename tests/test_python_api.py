"""Verbs as functions: the same requests and answers as the command's, typed, with errors that are raised."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import thinfile
from experiments.compare.settings import CompareSettings
from experiments.experiment.settings import TuneSettings
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.settings import ScoreSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import RequestError, ThinfileError
from pipelines.policy.pack import PolicySettings
from pipelines.secrets.environment_text import EnvironmentText


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[TuneSettings]:
    """The settings that `tune` was run with."""
    settings: list[TuneSettings] = []

    def tune(one: TuneSettings) -> Outcome:
        settings.append(one)
        print("a library prints")
        result = {"model": one.model, "version": 3, "test": {"measures": {"auc": {"value": 0.75}}}}
        return Outcome(result, summary=["registered"], next_steps=["thinfile promote"])

    monkeypatch.setattr("experiments.search.tune.tune", tune)
    return settings


def test_overrides_and_values_make_the_settings_of_the_command(received: list[TuneSettings], tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    result = thinfile.tune("data=german_credit", "candidate=scorecard", trials=5, time=None, workspace=tmp_path / "a b")
    (settings,) = received
    assert (settings.trials, settings.time, settings.workspace) == (5, None, str(tmp_path / "a b"))
    assert settings.data.source is Source.german_credit
    assert isinstance(settings.candidate, ScorecardSettings)
    assert (result.model, result.version, result.test_auc, result.exit_code) == ("credit_score", 3, 0.75, 0)
    assert repr(result) == "registered\nnext:\n  thinfile promote"


def test_texts_that_hydra_would_read_as_something_else_stay_texts(received: list[TuneSettings]) -> None:
    thinfile.tune("data=table", "data.label=x", model="m1", experiment_name="12", overrides=["a=1", "null"])
    assert (received[0].experiment_name, received[0].overrides) == ("12", ["a=1", "null"])


def test_an_object_of_the_settings_is_used_as_it_is(received: list[TuneSettings], tmp_path: Path) -> None:
    data = DataSettings(source=Source.german_credit, label="creditability", bad="bad")
    settings = TuneSettings(data=data, candidate=ScorecardSettings(), trials=2, workspace=str(tmp_path))
    assert thinfile.main(["tune", "seed=7", "--cfg", "job"]) == 0  # Hydra keeps the configuration of what ran last
    thinfile.tune(settings)
    assert received == [settings]


def test_a_password_is_recorded_by_the_name_of_a_variable(
    monkeypatch: pytest.MonkeyPatch, received: list[TuneSettings], tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    thinfile.tune("data=table", "data.label=x", "data.path=https://anna:s3cret@host/loans.csv", workspace=tmp_path)
    path = received[0].data.path
    assert path == "https://anna:s3cret@host/loans.csv"
    assert isinstance(path, EnvironmentText)
    assert "s3cret" not in path.unresolved


def test_the_policy_of_an_object_decides_where_it_is_not_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policies: list[PolicySettings] = []

    def score(settings: ScoreSettings) -> Outcome:
        policies.append(settings.policy)
        return Outcome({})

    monkeypatch.setattr("pipelines.batch.score.score", score)
    monkeypatch.setattr("pipelines.ledger.policy.policy_of_champion", lambda *_: PolicySettings(name="of_champion"))
    monkeypatch.setattr("pipelines.storage.chain.Chain.exists", lambda _: True, raising=False)
    own = ScoreSettings(data=DataSettings(source=Source.german_credit), period="2026-01", workspace=str(tmp_path))
    own.policy = PolicySettings(name="mine", approve_from=600)
    thinfile.score(own)
    assert [one.name for one in policies] == ["mine"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: thinfile.tune("trails=3"), "unknown key 'trails'; did you mean trials"),
        (lambda: thinfile.score(period="october"), "period must be a month such as 2026-10, received 'october'"),
        (lambda: thinfile.compare(modle="x"), "unknown key 'modle'; did you mean model?"),
        (lambda: thinfile.tune(TuneSettings()), "data must be given, received nothing; add data=..."),
        (
            lambda: thinfile.tune(CompareSettings()),  # type: ignore[arg-type]
            "tune takes overrides and values, or one TuneSettings and nothing else; received CompareSettings",
        ),
    ],
)
def test_a_wrong_request_is_raised(
    call: Callable[[], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError) as raised:
        call()
    assert message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_a_library_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Outcome:
        return Outcome({"x": Path("/no/such").read_text()})

    monkeypatch.setattr("experiments.compare.leaderboard.compare", broken)
    with pytest.raises(ThinfileError, match=r"'/no/such' cannot be read or written \(No such file or directory\)"):
        thinfile.compare()


def test_an_answer_that_is_no_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Outcome({"decision": "refused", "version": 2}, summary=["REFUSED"], exit_code=ExitCode.ANSWER_IS_NO)
    monkeypatch.setattr("experiments.promotion.promote.promote", lambda _: refused)
    monkeypatch.setattr("experiments.promotion.policies.with_policy_of_record", lambda settings: settings)
    monkeypatch.setattr("experiments.promotion.anchor.with_checkpoint", lambda outcome, _: outcome)
    result = thinfile.promote()
    assert (result.decision, result.version, result.exit_code) == ("refused", 2, 3)


def test_the_users_process_stays_as_it_is(
    received: list[TuneSettings], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main, handlers = sys.modules["__main__"], list(logging.getLogger().handlers)
    thinfile.tune("candidate=scorecard", workspace=tmp_path)
    assert capsys.readouterr().out == ""
    assert sys.modules["__main__"] is main
    assert logging.getLogger().handlers == handlers
    assert not GlobalHydra.instance().is_initialized()


def test_every_name_of_the_module_can_be_imported() -> None:
    assert [name for name in thinfile.__all__ if not hasattr(thinfile, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'tuen'"):
        _ = thinfile.tuen  # type: ignore[attr-defined]


SCRIPT = """
from thinfile import tune
result = tune("data=german_credit", "candidate=scorecard", trials=3, workers=2, workspace={workspace!r})
print(result.version)
"""


@pytest.mark.integration
def test_a_script_without_a_main_block_runs_workers_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(workspace=str(tmp_path / "workspace")))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_the_answer_is_what_a_script_reads(received: list[TuneSettings], capsys: pytest.CaptureFixture[str]) -> None:
    result = thinfile.tune("candidate=scorecard")
    assert thinfile.main(["tune", "candidate=scorecard", "output=json"]) == 0
    assert json.loads(capsys.readouterr().out) == result.answer
