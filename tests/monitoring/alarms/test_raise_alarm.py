"""An alarm is raised once, acts once, is quiet after, and survives failures and kills at every point."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from monitoring.alarms.acknowledge import AlarmKey, acknowledge
from monitoring.alarms.alarm_log import AlarmLog, Event, Logged
from monitoring.alarms.raise_alarm import AlarmResult, act_on
from monitoring.alarms.settings import (
    AlarmPolicySettings,
    CoolDownSettings,
    LevelActions,
    Retraining,
    WebhookSettings,
)
from monitoring.thresholds.thresholds import Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.command.verb import ExitCode
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError
from pipelines.storage.workspace import Workspace
from tests.monitoring.alarms.receiver import HANGS, Receiver, receiver
from tests.monitoring.alarms.reports import FAULT, move, report


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THINFILE_WEBHOOK_SECRET", "key")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def policy(server: Receiver | None = None, **told: Any) -> AlarmPolicySettings:
    hook = WebhookSettings(server.url if server else None, backoff=0.0, attempts=2)
    return AlarmPolicySettings(**({"webhook": hook} | told))


def act(
    workspace: Workspace, settings: AlarmPolicySettings, of: PeriodReport | None = None, **told: Any
) -> AlarmResult:
    return act_on(of or report(), settings, workspace, {"html": Path("/reports/report.html")}, **told)


def events(workspace: Workspace) -> list[str]:
    said = [(one.event.value, one.content.get("what")) for one in AlarmLog(workspace).read()]
    return [f"{event} {what}" if what else event for event, what in said]


def test_an_alarm_does_what_the_policy_says_and_the_log_tells(server: Receiver, either_workspace: Workspace) -> None:
    found = act(either_workspace, policy(server))
    assert found.exit_code is ExitCode.ANSWER_IS_NO
    assert events(either_workspace) == ["raised", "done event file", "done retraining", "done webhook"]
    assert found.result["actions"] == {"event file": "done", "retraining": "done", "webhook": "done"}
    assert any("thinfile tune experiment=retrain" in step for step in found.next_steps)
    assert any("thinfile watch acknowledge period=2026-10" in step for step in found.next_steps)


def test_the_same_report_again_raises_once_and_acts_once(server: Receiver, either_workspace: Workspace) -> None:
    first, second = (act(either_workspace, policy(server)) for _ in range(2))
    assert len(server.received) == 1
    assert len(events(either_workspace)) == 4
    assert (second.exit_code, second.next_steps) == (first.exit_code, first.next_steps)
    assert (first.result["is_new"], second.result["is_new"]) == (True, False)


def test_of_commands_at_once_on_one_report_one_acts(server: Receiver, either_workspace: Workspace) -> None:
    barrier = Barrier(4)

    def run(_: int) -> AlarmResult:
        barrier.wait(30)
        return act(either_workspace, policy(server))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(4)))
    assert {one.exit_code for one in found} == {ExitCode.ANSWER_IS_NO}
    assert sum(bool(one.result["is_new"]) for one in found) == 1
    assert len(server.received) == 1
    assert len(events(either_workspace)) == 4


def test_what_is_told_holds_names_and_counts_alone(server: Receiver, workspace: Workspace) -> None:
    moves = [move("income"), move("age", Level.WATCH, "town=Ann Lee")]
    act(workspace, policy(server), report(moves, faults=[FAULT]))
    ((headers, body),) = server.received
    told = json.loads(body)
    assert told.pop("raised_at") == AlarmLog(workspace).read()[0].entry.written_at
    assert told.pop("id") == headers["Thinfile-Alarm"]
    assert told == {
        "schema": "thinfile.alarm/1",
        "model": "credit_score",
        "model_version": 3,
        "population": "applications",
        "period": "2026-10",
        "window": "2026-10",
        "level": "act",
        "causes": {"income": "act", "unit changed: income": "act", "age in a segment": "watch"},
        "text": "ACT: credit_score version 3, applications of 2026-10: income (act), unit changed: income (act), "
        "age in a segment (watch). Read the report of 2026-10, then acknowledge the alarm.",
        "rows": 9,
        "faults": [{"kind": "unit changed", "column": "income"}],
    }
    (file,) = (workspace.root / "alarms").glob("*.json")
    assert json.loads(file.read_text())["report"] == {"html": "/reports/report.html"}
    assert b"Ann" not in body + file.read_bytes() + json.dumps(AlarmLog(workspace).read()[0].content).encode()


def test_a_data_fault_opens_no_retraining(workspace: Workspace) -> None:
    act(workspace, policy(), report(faults=[FAULT]))
    assert events(workspace) == ["raised", "done event file"]


@pytest.mark.parametrize("verdict", [Verdict.STABLE, Verdict.INCOMPLETE])
def test_nothing_to_say_creates_nothing(verdict: Verdict, workspace: Workspace) -> None:
    found = act(workspace, policy(), report(verdict=verdict))
    assert (found.exit_code, found.result) == (ExitCode.DONE, {"state": "none"})
    assert not workspace.root.exists()


def test_a_watch_does_less_by_default(server: Receiver, workspace: Workspace) -> None:
    found = act(workspace, policy(server), report([move("income", Level.WATCH)], Verdict.WATCH))
    assert found.exit_code is ExitCode.DONE
    assert events(workspace) == ["raised", "done event file"]


def test_the_same_alarm_is_quiet_for_so_many_periods(server: Receiver, workspace: Workspace) -> None:
    settings = policy(server, cool_down=CoolDownSettings(periods=2))
    codes = [
        act(workspace, settings, report(period=f"2026-{month:02}")).exit_code
        for month in (7, 8, 8, 9, 10, 11, 12)  # 2026-08 is written twice
    ]
    no, done = ExitCode.ANSWER_IS_NO, ExitCode.DONE
    assert codes == [no, done, done, done, no, done, done]
    assert [json.loads(body)["period"] for _, body in server.received] == ["2026-07", "2026-10"]
    assert events(workspace).count("quiet") == 4


def test_a_cool_down_by_the_clock(workspace: Workspace) -> None:
    settings = policy(cool_down=CoolDownSettings(periods=0, days=10))
    act(workspace, settings)
    soon, later = (datetime.now(UTC) + timedelta(days=days) for days in (9, 11))
    assert act(workspace, settings, report(period="2026-11"), now=soon).result["because"] == "cool-down"
    assert act(workspace, settings, report(period="2026-12"), now=later).result["is_new"]


def test_a_worse_alarm_acts_at_once(server: Receiver, workspace: Workspace) -> None:
    act(workspace, policy(server), report(period="2026-09"))
    worse = act(workspace, policy(server), report([move("income"), move("age", Level.WATCH)]))
    assert worse.exit_code is ExitCode.ANSWER_IS_NO
    assert len(server.received) == 2


def test_an_acknowledged_alarm_is_quiet_until_it_worsens_or_lapses(either_workspace: Workspace) -> None:
    settings = policy(cool_down=CoolDownSettings(periods=0, acknowledged=2))
    act(either_workspace, settings, report(period="2026-07"))
    acknowledge(
        either_workspace, AlarmKey("credit_score", Population.applications, "2026-07"), why="a campaign", by="anna"
    )

    def code(month: int, *columns: str) -> ExitCode:
        return act(
            either_workspace, settings, report([move(one) for one in columns], period=f"2026-{month:02}")
        ).exit_code

    no, done = ExitCode.ANSWER_IS_NO, ExitCode.DONE
    assert [code(7, "income"), code(8, "income"), code(9, "income")] == [done, done, done]
    assert [code(9, "income", "age"), code(10, "income")] == [no, no]
    quiet = next(one for one in AlarmLog(either_workspace).read() if one.event is Event.QUIET)
    assert quiet.content["because"] == "acknowledgement"


def test_a_webhook_that_fails_loses_nothing_and_the_same_command_tries_again(workspace: Workspace) -> None:
    with receiver([500, 500, 200]) as server:
        first = act(workspace, policy(server))
        second = act(workspace, policy(server))
    assert first.exit_code is second.exit_code is ExitCode.ANSWER_IS_NO
    assert "(attempt 2 of 2): status 500; run the same command to try again" in "\n".join(first.sentences)
    assert any("webhook (again: it failed before)" in one for one in second.sentences)
    assert [event for event in events(workspace) if "webhook" in event] == ["failed webhook", "done webhook"]
    assert len({body for _, body in server.received}) == 1
    assert len(list((workspace.root / "alarms").glob("*.json"))) == 1


def test_an_alarm_that_nobody_was_told_of_quiets_no_other(workspace: Workspace) -> None:
    with receiver([500, 500, 200]) as server:
        act(workspace, policy(server), report(period="2026-09"))
        assert act(workspace, policy(server), report(period="2026-10")).exit_code is ExitCode.ANSWER_IS_NO
    assert json.loads(server.received[-1][1])["period"] == "2026-10"


def test_a_folder_that_cannot_be_written_is_told_and_the_others_act(server: Receiver, workspace: Workspace) -> None:
    (file := workspace.root / "file").parent.mkdir()
    file.touch()
    found = act(workspace, policy(server, events=str(file)), report())
    assert found.exit_code is ExitCode.ANSWER_IS_NO
    assert found.result["actions"] == {"event file": "failed", "retraining": "done", "webhook": "done"}


class Killed(BaseException):
    """Nothing of ours may catch it."""


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("moment", range(4))
def test_killed_at_any_entry_a_second_run_finishes_and_each_is_told_once(
    moment: int, is_written: bool, server: Receiver, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = AlarmLog.write, count()

    def dies(log: AlarmLog, *told: Any, **words: Any) -> Logged:
        is_now = next(calls) == moment
        if is_now and not is_written:
            raise Killed
        found = write(log, *told, **words)
        if is_now:
            raise Killed
        return found

    with monkeypatch.context() as patched:
        patched.setattr(AlarmLog, "write", dies)
        with pytest.raises(Killed):
            act(workspace, policy(server))
    assert act(workspace, policy(server)).exit_code is ExitCode.ANSWER_IS_NO
    assert Counter(events(workspace)) == Counter(["raised", "done event file", "done retraining", "done webhook"])
    assert len({headers["Thinfile-Alarm"] for headers, _ in server.received}) == 1
    assert len(server.received) == (2 if moment == 3 and not is_written else 1)


KILLED = """
import sys
from pathlib import Path
from monitoring.alarms.raise_alarm import act_on
from monitoring.alarms.settings import AlarmPolicySettings, WebhookSettings
from pipelines.storage.workspace import Workspace
from tests.monitoring.alarms.reports import report
settings = AlarmPolicySettings(webhook=WebhookSettings(sys.argv[2]))
act_on(report(), settings, Workspace.at(sys.argv[1]), {})
"""


def test_killed_while_a_webhook_waits_it_is_told_again_and_says_so(workspace: Workspace) -> None:
    root = Path(__file__).parents[3]
    with receiver([HANGS, 200]) as server:
        server.hang = 1.0
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(workspace.root), server.url], cwd=root)
        end = time.monotonic() + 60
        while not server.received and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        found = act(workspace, policy(server))
    assert any("webhook (again: the outcome of the first attempt is unknown)" in one for one in found.sentences)
    assert len(events(workspace)) == 4
    (first, second) = ((headers["Thinfile-Alarm"], body) for headers, body in server.received)
    assert first == second


def test_what_the_policy_cannot_mean_is_refused(workspace: Workspace) -> None:
    wrong = [
        AlarmPolicySettings(cool_down=CoolDownSettings(periods=-1)),
        AlarmPolicySettings(cool_down=CoolDownSettings(days=float("nan"))),
        AlarmPolicySettings(webhook=WebhookSettings(attempts=0)),
        AlarmPolicySettings(webhook=WebhookSettings("file:///etc/passwd")),
        AlarmPolicySettings(webhook=WebhookSettings("https://host:port/")),
        AlarmPolicySettings(webhook=WebhookSettings("hooks.example.com")),
    ]
    for settings in wrong:
        with pytest.raises(ConfigurationError, match=r"alarms\..* must be"):
            act(workspace, settings)
    assert not workspace.root.exists()


def test_a_policy_may_be_silent(workspace: Workspace) -> None:
    nothing = LevelActions(False, False, False, Retraining.none)
    found = act(workspace, policy(act=nothing))
    assert found.exit_code is ExitCode.DONE
    assert events(workspace) == ["raised"]
