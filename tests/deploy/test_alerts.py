"""The alert examples send the event file of a real alarm in the documented shapes of Slack, Teams and e-mail, once."""

import email
import email.policy
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from monitoring.alarms.raise_alarm import act_on
from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.measures.move import Move
from monitoring.thresholds.thresholds import Level
from pipelines.storage.workspace import Workspace
from tests.conftest import Answer
from tests.monitoring.alarms.receiver import receiver
from tests.monitoring.alarms.reports import move, report

ALERTS = Path(__file__).resolve().parents[2] / "deploy" / "alerts"
MOVES = [move("income"), move("a <b> & `c`_d*"), move("b" * 5000), *(move(f"column_{number}") for number in range(60))]
BLOCKS = {"header", "section"}
ELEMENTS = {"TextBlock": {"text"}, "FactSet": {"facts"}, "RichTextBlock": {"inlines"}}
"""Elements of an Adaptive Card 1.4 and their required properties (adaptivecards.io/explorer)."""


def event_file(workspace: Workspace, moves: list[Move]) -> Path:
    """Return the event file that an alarm of `thinfile watch` writes."""
    act_on(report(moves), AlarmPolicySettings(), workspace, {"html": Path("/reports/r & d/report.html")})
    (path,) = workspace.alarms.glob("2026-10-act-*.json")
    return path


def run(script: str, *words: object, **variables: str) -> Answer:
    """Run a script of the examples as a user does, with no variables but the named ones."""
    done = subprocess.run(
        [sys.executable, ALERTS / script, *map(str, words)],
        env={"PATH": os.environ["PATH"], "no_proxy": "*"} | variables,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr)


def sent(service: str, path: Path) -> Any:
    """Return the message that a service receives."""
    with receiver() as server:
        answer = run("chat.py", service, path, THINFILE_CHAT_URL=server.url)
    assert answer.exit_code == 0, answer.stderr
    ((headers, body),) = server.received
    assert headers["Content-Type"] == "application/json"
    return json.loads(body)


@pytest.mark.parametrize("moves", [MOVES[:2], MOVES], ids=["few", "many"])
def test_slack_gets_a_message_of_block_kit_within_its_limits(moves: list[Move], workspace: Workspace) -> None:
    message = sent("slack", event_file(workspace, moves))
    assert message["text"] == "ACT: credit_score version 3, applications of 2026-10"
    assert {block["type"] for block in message["blocks"]} == BLOCKS
    assert len(message["blocks"]) <= 50
    header, *sections = message["blocks"]
    assert header["text"]["type"] == "plain_text"
    assert 1 <= len(header["text"]["text"]) <= 150
    texts = [section["text"] for section in sections if "text" in section]
    fields = [field for section in sections for field in section.get("fields", [])]
    assert all(text["type"] == "mrkdwn" for text in [*texts, *fields])
    assert all(1 <= len(text["text"]) <= 3000 for text in texts)
    assert all(1 <= len(field["text"]) <= 2000 for field in fields)
    assert 1 <= len(fields) <= 10


def test_slack_reads_no_markup_in_the_name_of_a_column(workspace: Workspace) -> None:
    texts = [block["text"]["text"] for block in sent("slack", event_file(workspace, MOVES[:2]))["blocks"][2:]]
    assert texts[0] == "*Causes*\n• `a &lt;b&gt; &amp; 'c'_d* (act)`\n• `income (act)`"
    assert texts[1] == "*Report*\n`/reports/r &amp; d/report.html`"


@pytest.mark.parametrize("moves", [MOVES[:2], MOVES], ids=["few", "many"])
def test_teams_gets_an_adaptive_card_within_its_limits(moves: list[Move], workspace: Workspace) -> None:
    message = sent("teams", event_file(workspace, moves))
    assert message["type"] == "message"
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert all(ELEMENTS[element["type"]] <= element.keys() for element in card["body"])
    runs = [run for element in card["body"] for run in element.get("inlines", [])]
    assert all(run["type"] == "TextRun" for run in runs)
    assert "a <b> & `c`_d* (act)" in [run["text"] for run in runs]
    assert len(json.dumps(message).encode()) < 28_000  # the limit of Teams


def test_the_causes_that_are_left_out_are_counted(workspace: Workspace) -> None:
    card = sent("teams", event_file(workspace, MOVES))["attachments"][0]["content"]
    shown = [element["inlines"][0]["text"] for element in card["body"] if "inlines" in element]
    assert f"and {len(MOVES) - 20} more" in shown


def test_the_worst_causes_come_first(workspace: Workspace) -> None:
    moves = [*(move(f"column_{number}", Level.WATCH) for number in range(60)), move("income")]
    card = sent("teams", event_file(workspace, moves))["attachments"][0]["content"]
    assert next(element["inlines"][0]["text"] for element in card["body"] if "inlines" in element) == "income (act)"


def test_an_event_is_sent_once_to_each_service(workspace: Workspace) -> None:
    path = event_file(workspace, MOVES[:1])
    with receiver() as server:
        answers = [
            run("chat.py", service, path, THINFILE_CHAT_URL=server.url) for service in ("slack", "slack", "teams")
        ]
    assert [answer.exit_code for answer in answers] == [0, 0, 0]
    assert "before" in answers[1].stdout
    assert len(server.received) == 2


@pytest.mark.parametrize("status", [404, 302, 500])
def test_an_event_that_was_refused_is_sent_again_next_time(status: int, workspace: Workspace) -> None:
    path = event_file(workspace, MOVES[:1])
    with receiver([status, 200]) as server:
        first, second = (run("chat.py", "slack", path, THINFILE_CHAT_URL=server.url) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (1, 0)
    assert f"status {status}" in first.stderr
    assert "secret-path" not in first.stdout + first.stderr
    assert len(server.received) == 2


def test_the_address_is_read_from_a_file_and_shown_nowhere(workspace: Workspace, tmp_path: Path) -> None:
    path = event_file(workspace, MOVES[:1])
    address = tmp_path / "url"
    with receiver() as server:
        address.write_text(f"{server.url}\n")
        assert run("chat.py", "slack", path, THINFILE_CHAT_URL_FILE=str(address)).exit_code == 0
    address.write_text("no address secret-path")
    answer = run("chat.py", "teams", path, THINFILE_CHAT_URL_FILE=str(address))
    assert answer.exit_code == 1
    assert "THINFILE_CHAT_URL" in answer.stderr
    assert "secret-path" not in answer.stderr


@pytest.mark.parametrize(("words", "code"), [(("chat.py", "slack", "x"), 1), (("chat.py", "irc", "x"), 2),
                                             (("mail.py", "x"), 1), (("mail.py",), 2)])  # fmt: skip
def test_what_is_missing_is_named(words: tuple[str, ...], code: int) -> None:
    answer = run(*words)
    assert answer.exit_code == code
    assert ("is not set" if code == 1 else "usage:") in answer.stderr


def test_another_file_is_not_sent(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    with receiver() as server:
        answer = run("chat.py", "slack", other, tmp_path / "missing.json", THINFILE_CHAT_URL=server.url)
    assert answer.exit_code == 1
    assert "schema is None" in answer.stderr
    assert "missing.json" in answer.stderr
    assert not server.received


@contextmanager
def mail_server(mails: list[bytes]) -> Iterator[str]:
    """Yield the address of a mail server without encryption (RFC 5321) that keeps what it gets."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                command = line[:4].upper()
                if command == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                mails.extend([line] if command == b"AUTH" else [])
                self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_mail_has_the_alarm_and_the_next_steps(workspace: Workspace) -> None:
    path, mails = event_file(workspace, MOVES[:2]), []
    with mail_server(mails) as address:
        who = {"THINFILE_MAIL_FROM": "thinfile@example.com", "THINFILE_MAIL_TO": "ann@example.com, bo@example.com"}
        answers = [run("mail.py", path, THINFILE_MAIL_SERVER=address, **who) for _ in range(2)]
    assert [answer.exit_code for answer in answers] == [0, 0], answers[0].stderr
    (raw,) = mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Subject"] == "[thinfile] ACT: credit_score version 3, applications of 2026-10"
    assert [one.addr_spec for one in mail["To"].addresses] == ["ann@example.com", "bo@example.com"]
    assert json.loads(path.read_text())["id"] in mail["Message-ID"]
    text = mail.get_content().replace("\r\n", "\n")
    assert "  income (act)\n" in text
    assert "  /reports/r & d/report.html\n" in text
    assert "thinfile watch acknowledge period=2026-10 model=credit_score version=3 population=applications" in text


def test_a_password_is_never_sent_without_encryption(workspace: Workspace) -> None:
    path, mails = event_file(workspace, MOVES[:1]), []
    with mail_server(mails) as address:
        who = {"THINFILE_MAIL_FROM": "thinfile@example.com", "THINFILE_MAIL_TO": "ann@example.com"}
        login = {"THINFILE_MAIL_USER": "thinfile", "THINFILE_MAIL_PASSWORD": "hidden"}
        answer = run("mail.py", path, THINFILE_MAIL_SERVER=address, **who, **login)
    assert answer.exit_code == 1
    assert "STARTTLS" in answer.stderr
    assert mails == []
