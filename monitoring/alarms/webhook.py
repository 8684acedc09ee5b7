"""Posts an event to an address: signed, with a time limit, tried again with growing pauses."""

import hashlib
import hmac
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from monitoring.alarms.settings import WebhookSettings
from pipelines.errors import ThinfileError

SIGNATURE, IDENTITY = "Thinfile-Signature", "Thinfile-Alarm"
WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
LONGEST_PAUSE = 60.0
"""Seconds."""


class WebhookFailed(ThinfileError):
    """The event did not arrive, or nobody said that it did."""


@dataclass(frozen=True)
class _Answer:
    """`status` is None where none came; `problem` is empty where the event arrived."""

    status: int | None
    problem: str

    @property
    def is_worth_another_try(self) -> bool:
        return bool(self.problem) and (self.status is None or self.status in WORTH_ANOTHER_TRY)


def post(body: bytes, identity: str, settings: WebhookSettings, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Post a body and return the number of the attempt that was answered with 2xx.

    The header `Thinfile-Alarm` holds the identity, which is the same whenever this alarm is told: who was told twice,
    because a connection broke before the answer, sees it there. Redirects are not followed.

    Raises:
        WebhookFailed: no key to sign with; an answer that another attempt would not change; all attempts were used up.
            The message names the host alone: an address may hold a key.
    """
    assert settings.url is not None
    secret = _secret(settings)
    host = urlsplit(settings.url).hostname
    answer = _Answer(None, "not tried")
    for attempt in range(1, settings.attempts + 1):
        answer = _try(settings.url, body, _headers(body, identity, secret), settings.timeout)
        if not answer.problem:
            return attempt
        if not answer.is_worth_another_try or attempt == settings.attempts:
            raise WebhookFailed(f"{host} was not told, attempt {attempt} of {settings.attempts}: {answer.problem}")
        sleep(min(settings.backoff * 2 ** (attempt - 1), LONGEST_PAUSE))
    raise AssertionError("at least one attempt is made")


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """Return the signature header: t=TIMESTAMP,v1=HMAC-SHA256(secret, TIMESTAMP.BODY) in hexadecimal digits.

    Who is told computes the same over the bytes received, compares in constant time, and refuses an old timestamp.
    """
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"


def _secret(settings: WebhookSettings) -> str | None:
    if settings.secret_from is None:
        return None
    secret = os.environ.get(settings.secret_from)
    if not secret:
        raise WebhookFailed(
            f"a webhook is signed with the key in the environment variable {settings.secret_from}, received none; set "
            "it, or alarms.webhook.secret_from=null to send unsigned"
        )
    return secret


def _headers(body: bytes, identity: str, secret: str | None) -> dict[str, str]:
    signed = {SIGNATURE: signature(body, secret, int(time.time()))} if secret else {}
    return {"Content-Type": "application/json", "User-Agent": "thinfile", IDENTITY: identity} | signed


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without a body, or go where nobody meant it to."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _try(url: str, body: bytes, headers: dict[str, str], timeout: float) -> _Answer:
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with opener.open(request, timeout=timeout) as answer:
            return _Answer(answer.status, "")
    except urllib.error.HTTPError as error:
        with error:
            return _Answer(error.code, f"it answered {error.code}")
    except TimeoutError:
        return _Answer(None, f"no answer within {timeout:g} s")
    except urllib.error.URLError as error:
        late = isinstance(error.reason, TimeoutError)
        return _Answer(None, f"no answer within {timeout:g} s" if late else f"no connection ({error.reason})")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Answer(None, f"the connection broke ({type(error).__name__})")
