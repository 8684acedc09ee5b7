"""The real service: two workers as one, killed without a loss, stopped without one, and closed to strangers."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.credit.population import Population
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.serving.settings import ServeSettings
from pipelines.storage.process import is_dead, process_identity
from pipelines.storage.workspace import Workspace
from tests.conftest import Answer
from tests.pipelines.serving.conftest import applications, untouched
from tests.services import serving

pytestmark = pytest.mark.integration

Thinfile = Any


def logged(workspace: Path) -> list[str]:
    log = ScoreLog(Workspace.at(str(workspace)))
    periods = log.periods(LogKey("credit_score", 2, Population.applications, ""))
    keys = [LogKey("credit_score", 2, Population.applications, period) for period in periods]
    return sorted(one for key in keys for one in log.decisions(key)["application_id"])


@pytest.mark.integration
def test_two_workers_answer_as_one_and_all_is_logged_when_asked_to_stop(served: ServeSettings) -> None:
    workspace = Path(served.workspace)
    asked = applications(30)
    with serving(workspace, "workers=2") as service:
        answers = [service.ask("/decisions", one) for one in asked]
        assert [status for status, _ in answers] == [200] * 30
        for _ in range(3):  # whichever worker is met
            for _, one in answers[:5]:
                assert service.ask(f"/decisions/{one['decision_id']}") == (200, untouched(one))
        assert service.ask("/decisions", asked[7])[1] == answers[7][1]
        counted = 'thinfile_requests_total{route="decide",status="200"} 31'
        deadline = time.monotonic() + 10  # a request is counted once it is answered
        while counted not in service.ask("/metrics")[1] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert counted in service.ask("/metrics")[1]
        told = service.stop()
    assert (told["decisions"], told["rolled"], told["repeated"]) == (30, 30, 1)
    assert logged(workspace) == sorted(one["application_id"] for one in asked)


@pytest.mark.integration
def test_kill_9_loses_nothing_that_was_answered_and_the_next_start_logs_it_once(served: ServeSettings) -> None:
    workspace = Path(served.workspace)
    asked = applications(40)
    with serving(workspace, "workers=2") as service:
        answers = [service.ask("/decisions", one)[1] for one in asked[:20]]
        os.kill(service.workers[0], signal.SIGKILL)  # one worker alone: the supervisor starts another
        deadline = time.monotonic() + 30
        while len(service.workers) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        answers += [service.ask("/decisions", one)[1] for one in asked[20:]]
        service.kill()
    with serving(workspace, "workers=1") as service:
        found = [service.ask(f"/decisions/{one['decision_id']}") for one in answers]
        assert found == [(200, untouched(one)) for one in answers]
        service.stop()
    assert logged(workspace) == sorted(one["application_id"] for one in asked)


@pytest.mark.integration
def test_workers_stop_when_their_supervisor_is_killed(served: ServeSettings) -> None:
    with serving(Path(served.workspace), "workers=1") as service:
        (worker,) = service.workers
        identity = process_identity(worker)
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
        deadline = time.monotonic() + 20
        while not is_dead(identity) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert is_dead(identity)


@pytest.mark.integration
def test_keys_are_made_listed_and_revoked(served: ServeSettings, thinfile: Thinfile) -> None:
    where = f"workspace={served.workspace}"
    made: Answer = thinfile("serve", "key", "name=checkout", where, "output=json")
    assert (made.exit_code, made.json["name"]) == (0, "checkout")
    listed = thinfile("serve", "keys", where)
    assert "checkout" in listed.stdout
    assert made.json["key"] not in listed.stdout
    with serving(Path(served.workspace), "workers=1") as service:
        one, shown = applications(1)[0], f"Bearer {made.json['key']}"
        assert service.ask("/decisions", one)[0] == 401
        assert service.ask("/decisions", one, authorization=shown)[0] == 200
        assert thinfile("serve", "revoke", "name=checkout", where).exit_code == 0
        time.sleep(2.5)
        assert service.ask("/decisions", one, authorization=shown)[0] == 401
        assert service.ask("/decisions", one)[0] == 401  # a service that asked for keys does not open again


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["host=0.0.0.0"], "host=0.0.0.0 is reachable from other machines, but no API key exists"),
        (["shadow=9"], "no version 9 of model 'credit_score'"),
        (["model=another"], "model 'another' has no champion"),
        (["workers=0"], "workers must be at least 1, received 0"),
        (["limits.body_seconds=0"], "limits.body_seconds must be at least 0.1, received 0"),
        (["key"], "an API key needs a name"),
        (["keey", "name=a"], "unknown action 'keey' of serve; did you mean key or keys?"),
    ],
)
def test_a_wrong_request_is_told_in_one_message(
    served: ServeSettings, thinfile: Thinfile, words: list[str], message: str
) -> None:
    answer = thinfile("serve", f"workspace={served.workspace}", "port=0", *words)
    assert answer.exit_code == 2
    assert message in answer.stderr
