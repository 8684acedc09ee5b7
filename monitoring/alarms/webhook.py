"""Posts an event to a webhook: signed, with a time limit, retried with growing pauses."""

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
RETRIED_STATUSES = (408, 425, 429, 500, 502, 503, 504)
LONGEST_PAUSE = 60.0
"""Seconds."""


class WebhookFailed(ThinfileError):
    """The event was not delivered, or its delivery was not confirmed."""


@dataclass(frozen=True)
class _Response:
    """`status` is None without a response; `problem` is empty where the event was delivered."""

    status: int | None
    problem: str

    @property
    def can_be_retried(self) -> bool:
        return bool(self.problem) and (self.status is None or self.status in RETRIED_STATUSES)


def post(body: bytes, identity: str, settings: WebhookSettings, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Post a body and return the number of the attempt that got a 2xx response.

    The header `Thinfile-Alarm` has the id of the alarm, so that a receiver can recognise an event that it gets twice
    because a connection broke before the response. Redirects are not followed.

    Raises:
        WebhookFailed: there is no key to sign with, a response that a retry would not change, or no attempt left. The
            message names the host only, because the address may contain a key.
    """
    assert settings.url is not None
    secret = _secret(settings)
    host = urlsplit(settings.url).hostname
    response = _Response(None, "not tried")
    for attempt in range(1, settings.attempts + 1):
        response = _try(settings.url, body, _headers(body, identity, secret), settings.timeout)
        if not response.problem:
            return attempt
        if not response.can_be_retried or attempt == settings.attempts:
            raise WebhookFailed(
                f"webhook not delivered to {host} (attempt {attempt} of {settings.attempts}): {response.problem}"
            )
        sleep(min(settings.backoff * 2 ** (attempt - 1), LONGEST_PAUSE))
    raise AssertionError("at least one attempt is made")


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """Return the signature header: t=TIMESTAMP,v1=HMAC-SHA256(secret, TIMESTAMP.BODY) in hexadecimal digits.

    The receiver computes the same over the bytes received, compares in constant time, and rejects an old timestamp.
    """
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"


def _secret(settings: WebhookSettings) -> str | None:
    if settings.secret_from is None:
        return None
    secret = os.environ.get(settings.secret_from)
    if not secret:
        raise WebhookFailed(
            f"the key to sign the webhook, environment variable {settings.secret_from}, is not set; set it, or set "
            "alarms.webhook.secret_from=null to send unsigned"
        )
    return secret


def _headers(body: bytes, identity: str, secret: str | None) -> dict[str, str]:
    signed = {SIGNATURE: signature(body, secret, int(time.time()))} if secret else {}
    return {"Content-Type": "application/json", "User-Agent": "thinfile", IDENTITY: identity} | signed


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: a redirected POST becomes a GET without a body, or goes to an unintended host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _try(url: str, body: bytes, headers: dict[str, str], timeout: float) -> _Response:
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with opener.open(request, timeout=timeout) as response:
            return _Response(response.status, "")
    except urllib.error.HTTPError as error:
        with error:
            return _Response(error.code, f"status {error.code}")
    except TimeoutError:
        return _Response(None, f"no response within {timeout:g} s")
    except urllib.error.URLError as error:
        late = isinstance(error.reason, TimeoutError)
        return _Response(None, f"no response within {timeout:g} s" if late else f"no connection ({error.reason})")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Response(None, f"the connection broke ({type(error).__name__})")
