"""The one shape in which a request is refused: the rule, the value received, the next step."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

MOST_TOLD, MOST_WORDS = 80, 500
"""Characters of a received value that are told back, and of any part of a refusal."""


class Refusal(Exception):
    """A request that is not answered with a decision; `field` is where in the body the reason lies, if there."""

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
        told = {
            "rule": self.rule,
            "received": self.received,
            "next_step": self.next_step,
            "field": self.field,
            "request_id": request_id,
        }
        return msgspec.json.encode({name: _tellable(value) for name, value in told.items()})


def _tellable(text: str | None) -> str | None:
    """Return a text that has a spelling in UTF-8: names of fields may hold half of a surrogate pair."""
    return text and text.encode("utf-8", "backslashreplace").decode()[:MOST_WORDS]


def shown(value: Any) -> str:
    """Return a value of JSON as it is told back, cut short when it is long.

    >>> shown("x" * 200)
    '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
    """
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**MOST_TOLD:
        return "a whole number of more digits than can be shown"
    told = json.dumps(value, ensure_ascii=True)
    return told if len(told) <= MOST_TOLD else f"{told[:MOST_TOLD]}…"
