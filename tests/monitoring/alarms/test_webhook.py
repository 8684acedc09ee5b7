"""An event is posted signed, tried again where that may help, and never to where a redirect leads."""

import hashlib
import hmac
import time

import pytest

from monitoring.alarms.settings import WebhookSettings
from monitoring.alarms.webhook import WebhookFailed, post
from tests.monitoring.alarms.receiver import BREAKS, HANGS, receiver

BODY = '{"text": "größer"}'.encode()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THINFILE_WEBHOOK_SECRET", "key")
    monkeypatch.setenv("no_proxy", "*")


def hook(url: str, **told: object) -> WebhookSettings:
    return WebhookSettings(url, **({"backoff": 0.0, "timeout": 5.0} | told))  # type: ignore[arg-type]


def test_who_is_told_can_check_who_said_it() -> None:
    with receiver() as server:
        assert post(BODY, "a1", hook(server.url)) == 1
    ((headers, body),) = server.received
    assert body == BODY
    assert (headers["Content-Type"], headers["Thinfile-Alarm"]) == ("application/json", "a1")
    timestamp, signed = (part.partition("=")[2] for part in headers["Thinfile-Signature"].split(","))
    assert abs(int(timestamp) - time.time()) < 60
    assert signed == hmac.new(b"key", f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("first", [500, 503, 429, BREAKS])
def test_what_may_pass_is_tried_again_after_pauses_that_double(first: int) -> None:
    pauses: list[float] = []
    with receiver([first, first, 204]) as server:
        assert post(BODY, "a1", hook(server.url, backoff=1.5), sleep=pauses.append) == 3
    assert pauses == [1.5, 3.0]
    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("answer", "attempts", "message"),
    [
        (400, 1, "not delivered to 127.0.0.1 \\(attempt 1 of 4\\): status 400"),
        (404, 1, "status 404"),
        (302, 1, "status 302"),
        (307, 1, "status 307"),
        (500, 4, "attempt 4 of 4\\): status 500"),
    ],
)
def test_what_does_not_pass_is_told_without_the_address(answer: int, attempts: int, message: str) -> None:
    with receiver([answer]) as server, pytest.raises(WebhookFailed, match=message) as error:
        post(BODY, "a1", hook(server.url))
    assert [headers.get("Thinfile-Alarm") for headers, _ in server.received] == ["a1"] * attempts
    assert "secret-path" not in str(error.value)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with receiver([HANGS]) as server:
        server.hang = 0.5
        with pytest.raises(WebhookFailed, match=r"attempt 2 of 2\): no response within 0.1 s"):
            post(BODY, "a1", hook(server.url, timeout=0.1, attempts=2))


def test_nobody_there() -> None:
    with receiver() as server:
        pass
    with pytest.raises(WebhookFailed, match=r"attempt 2 of 2\): no connection \(.*refused"):
        post(BODY, "a1", hook(server.url, attempts=2))


def test_without_a_key_nothing_is_sent_unless_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THINFILE_WEBHOOK_SECRET")
    with receiver() as server:
        with pytest.raises(WebhookFailed, match="environment variable THINFILE_WEBHOOK_SECRET, is not set"):
            post(BODY, "a1", hook(server.url))
        assert server.received == []
        post(BODY, "a1", hook(server.url, secret_from=None))
    assert "Thinfile-Signature" not in server.received[0][0]
