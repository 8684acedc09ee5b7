"""The body of every refused request: what is wrong, the value received, the next step."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

MOST_SHOWN, MOST_WORDS = 80, 500
"""Most characters of a received value, and of any part of a refusal, that are returned."""


class RefusalBody(msgspec.Struct):
    """The body of a refusal: what is wrong, the value received, what to do, and the field of the request, if one."""

    rule: str
    received: str
    next_step: str
    field: str | None
    request_id: str


class Refusal(Exception):
    """A refused request. `rule` describes what is wrong; `field` is the invalid field of the body, if there is one."""

    def __init__(
        self,
        status: int,
        rule: str,
        received: str,
        next_step: str,
        *,
        field: str | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(rule)
        self.status, self.rule, self.received, self.next_step = status, rule, received, next_step
        self.field, self.headers = field, list(headers)

    def body(self, request_id: str) -> bytes:
        """Return the refusal as JSON."""
        texts = (self.rule, self.received, self.next_step, self.field, request_id)
        return msgspec.json.encode(RefusalBody(*map(_encodable, texts)))  # type: ignore[arg-type]


def _encodable(text: str | None) -> str | None:
    """Return a text that can be encoded in UTF-8: names of fields may hold half of a surrogate pair."""
    return text and text.encode("utf-8", "backslashreplace").decode()[:MOST_WORDS]


def shown(value: Any) -> str:
    """Return a JSON value as it is shown in a refusal, shortened when it is long.

    >>> shown("x" * 200)
    '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
    """
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**MOST_SHOWN:
        return "a whole number of more digits than can be shown"
    fields = json.dumps(value, ensure_ascii=True)
    return fields if len(fields) <= MOST_SHOWN else f"{fields[:MOST_SHOWN]}…"
