"""People acknowledge alarms and read the log; what was changed in it is found."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.alarms.acknowledge import LONGEST_WHY, AlarmKey, acknowledge
from monitoring.alarms.raise_alarm import act_on
from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.alarms.summary import acknowledge_outcome, list_outcome, verify_outcome
from pipelines.command.verb import ExitCode
from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.storage.chain import ChainBroken
from pipelines.storage.process import account
from pipelines.storage.workspace import Workspace
from tests.monitoring.alarms.reports import move, report

OCTOBER = AlarmKey("credit_score", Population.applications, "2026-10")


@pytest.fixture
def alarmed(workspace: Workspace) -> Workspace:
    act_on(report(), AlarmPolicySettings(), workspace, {})
    return workspace


def test_who_acknowledges_and_why_is_in_the_log_once(alarmed: Workspace) -> None:
    first, second = (acknowledge(alarmed, OCTOBER, why="a campaign", by="anna") for _ in range(2))
    assert first == second
    assert (first.content["by"], first.content["account"], first.content["why"]) == ("anna", account(), "a campaign")
    assert acknowledge(alarmed, OCTOBER, why="a campaign").content["by"] == account()


def test_the_last_alarm_of_a_period_is_the_one_acknowledged(alarmed: Workspace) -> None:
    worse = report([move("income"), move("age")])
    act_on(worse, AlarmPolicySettings(), alarmed, {})
    assert acknowledge(alarmed, OCTOBER, why="seen").alarm.causes.keys() == {"income", "age"}
    assert act_on(worse, AlarmPolicySettings(), alarmed, {}).exit_code is ExitCode.DONE


@pytest.mark.parametrize(
    ("period", "why", "by", "message"),
    [
        ("2026-09", "seen", None, r"no alarm was raised for credit_score, applications of 2026-09 .*: 2026-10"),
        ("2026-10", " ", None, "needs a reason"),
        ("2026-10", "x" * (LONGEST_WHY + 1), None, "2,001 characters; use at most 2,000"),
        ("2026-10", "seen", " ", "by is blank"),
    ],
)
def test_what_cannot_be_acknowledged(period: str, why: str, by: str | None, message: str, alarmed: Workspace) -> None:
    with pytest.raises(RequestError, match=message):
        acknowledge(alarmed, replace(OCTOBER, period=period), why=why, by=by)


def test_a_version_that_is_named_must_be_that_of_the_alarm(alarmed: Workspace) -> None:
    acknowledge(alarmed, replace(OCTOBER, version=3), why="seen")
    with pytest.raises(RequestError, match="no alarm was raised for credit_score version 2"):
        acknowledge(alarmed, replace(OCTOBER, version=2), why="seen")


def test_a_wrong_request_creates_nothing(workspace: Workspace) -> None:
    with pytest.raises(RequestError, match="periods with alarms: none"):
        acknowledge(workspace, OCTOBER, why="seen")
    assert list_outcome(workspace).result == {"raised": 0, "entries": []}
    assert not workspace.root.exists()


def test_the_log_is_told_in_order(alarmed: Workspace) -> None:
    acknowledge_outcome(alarmed, OCTOBER, why="a campaign", by="anna", periods=6)
    act_on(report(period="2026-11"), AlarmPolicySettings(), alarmed, {})
    found = list_outcome(alarmed)
    told = [one["event"] for one in found.result["entries"]]  # type: ignore[attr-defined]
    assert told == ["raised", "done", "done", "acknowledged", "quiet"]
    text = "\n".join(map(str, found.summary))
    assert "1 alarm raised, 5 entries" in text
    assert "acknowledged" in text
    assert "by anna: a campaign" in text
    assert "acknowledgement, entry 4" in text


def _change(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.chain) as connection:
        connection.execute("update chain set content = replace(content, 'income', 'age') where sequence = 2")
    connection.close()


def _cut(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.chain) as connection:
        connection.execute("delete from chain where sequence = 3")
    connection.close()


@pytest.mark.parametrize("harm", [_change, _cut])
def test_a_changed_or_shortened_log_is_found_and_nothing_acts_on_it(
    harm: Callable[[Workspace], None], alarmed: Workspace
) -> None:
    assert verify_outcome(alarmed).exit_code is ExitCode.DONE
    harm(alarmed)
    found = verify_outcome(alarmed)
    assert found.exit_code is ExitCode.ANSWER_IS_NO
    assert "restore the database from a copy" in str(found.result["findings"])
    with pytest.raises(ChainBroken):
        act_on(report(period="2026-11"), AlarmPolicySettings(), alarmed, {})


def test_results_are_json(alarmed: Workspace, tmp_path: Path) -> None:
    acted = act_on(report(), AlarmPolicySettings(), alarmed, {"html": tmp_path})
    assert json.loads(json.dumps(acted.result)) == acted.result
    assert json.dumps(list_outcome(alarmed).result)
