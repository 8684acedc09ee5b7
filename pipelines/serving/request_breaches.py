"""What is wrong with a request for a decision: its first invalid field, the value received and what to do."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.errors import listed, nearest
from pipelines.serving.feature_reader import FeatureReader
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.refusal import Refusal, shown

MOST_ID, MOST_TEXT = 128, 256
"""Characters of an id, and of the value of a feature that is sent as text."""
MOST_AMOUNT, MOST_TERM = 10**12, 3_660
"""The largest amount in minor units, and the longest term in periods of the loan contract."""
ID_PATTERN = r"^[^\x00-\x1f\x7f]+$"
LARGEST = 1.7976931348623157e308

_KNOWN = ("application_id", "customer_id", "features", "amount", "term")
_OF_CUSTOMER = ("application_id", "customer_id", "amount", "term", "basket_category")


@dataclass(frozen=True)
class RequestBreaches:
    """Finds the first invalid field of a request, given the features and segments that it may have."""

    types: Mapping[str, FeatureType]
    required: Sequence[str]
    segments: Sequence[str]
    reader: FeatureReader
    by_customer: bool

    def explain(self, body: bytes, error: Exception) -> Refusal:
        """Return the refusal of an invalid body, for its first invalid field."""
        try:
            decoded = json.loads(body)  # also accepts NaN and Infinity, which are not JSON
        except (ValueError, RecursionError):
            return Refusal(
                400,
                "The request body is not valid JSON in UTF-8",
                _first_words(error),
                "send an application as an object, or several as a list",
            )
        items = decoded if isinstance(decoded, list) else [decoded]
        for index, item in enumerate(items):
            for refusal in self._breaches(item, f"[{index}]." if isinstance(decoded, list) else ""):
                return refusal
        is_malformed = isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError)
        rule = "The request body is not valid JSON in UTF-8" if is_malformed else "The request body is not valid"
        return Refusal(400, rule, _first_words(error), "correct it")

    def _breaches(self, item: Any, where: str) -> Iterator[Refusal]:
        if not isinstance(item, dict):
            yield _broken(
                "An application must be an object", item, "send application_id and features", where.strip(".")
            )
            return
        is_described = "features" in item or not self.by_customer
        allowed, needed = (_KNOWN, ("application_id", "features")) if is_described else (_OF_CUSTOMER, _OF_CUSTOMER[:4])
        yield from _unlike(item, (*allowed, *(["segments"] if self.segments else [])), needed, where, "a request")
        yield from self._of_segments(item.get("segments"), f"{where}segments")
        for name in ("application_id", "customer_id"):
            value = item.get(name)
            if name in item and not (value is None and name == "customer_id" and is_described):
                yield from _not_an_id(value, f"{where}{name}")
        for name, most in (("amount", MOST_AMOUNT), ("term", MOST_TERM)):
            yield from _not_whole(item.get(name), most, f"{where}{name}")
        if not is_described:
            for name in ("amount", "term"):
                if item[name] is None:
                    yield _broken(
                        "A request by customer_id needs an amount and a term", None, "send both", f"{where}{name}"
                    )
            yield from _not_text(item.get("basket_category"), f"{where}basket_category")
            return
        yield from self._of_features(item["features"], f"{where}features")

    def _of_features(self, features: Any, where: str) -> Iterator[Refusal]:
        if not isinstance(features, dict):
            yield _broken("features must be an object of names and values", features, "send an object", where)
            return
        yield from _unlike(features, sorted(self.types), self.required, f"{where}.", "the model")
        for name, value in features.items():
            yield from self._of_value(value, self.types[name], f"{where}.{name}")

    def _of_value(self, value: Any, type_: FeatureType, where: str) -> Iterator[Refusal]:
        what = "a number" if type_.is_number else "text"
        if isinstance(value, (list, dict)):
            yield _broken(f"This feature must be {what} or null", value, f"send {what}, or null if missing", where)
            return
        if isinstance(value, (str, float)):
            yield from _not_a_value(value, where)
        try:
            self.reader.read([value], type_)
        except ValueError as error:
            yield _broken(str(error), value, f"send {what}, or null if the value is missing", where)

    def _of_segments(self, segments: Any, where: str) -> Iterator[Refusal]:
        if segments is None:
            return
        if not isinstance(segments, dict):
            yield _broken("segments must be an object of names and values", segments, "send an object", where)
            return
        yield from _unlike(segments, self.segments, (), f"{where}.", "the service")
        for name, value in segments.items():
            yield from _not_a_value(value, f"{where}.{name}")


def _unlike(
    item: Mapping[str, Any], allowed: Sequence[str], required: Sequence[str], where: str, who: str
) -> Iterator[Refusal]:
    for name in item:
        if name not in allowed:
            yield Refusal(
                422,
                f"Unknown field of {who}",
                shown(name),
                nearest(name, allowed),
                field=f"{where}{name}",
            )
    lacking = [name for name in required if name not in item]
    if lacking:
        yield Refusal(
            422,
            f"Missing fields of {who}",
            f"no {listed(lacking, 5)}",
            "send null for a feature whose value is missing" if who == "the model" else "add them",
            field=f"{where}{lacking[0]}",
        )


def _not_an_id(value: Any, where: str) -> Iterator[Refusal]:
    if not isinstance(value, str) or not value or len(value) > MOST_ID or not re.search(ID_PATTERN, value):
        rule = f"An id must be text of 1 to {MOST_ID} characters without control characters"
        yield _broken(rule, value, "send the id as text", where)


def _not_whole(value: Any, most: int, where: str) -> Iterator[Refusal]:
    is_whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value % 1 == 0
    if value is not None and not (is_whole and 1 <= value <= most):
        rule = f"{where.rpartition('.')[2]} must be a whole number from 1 to {most}, or null"
        yield _broken(rule, value, "send the amount in minor units, the term in whole periods", where)


def _not_text(value: Any, where: str) -> Iterator[Refusal]:
    if not isinstance(value, (str, type(None))):
        yield _broken("This field must be text or null", value, "send text, or null if it is missing", where)
    else:
        yield from _not_a_value(value, where)


def _not_a_value(value: Any, where: str) -> Iterator[Refusal]:
    """Yield the refusal of what is neither text, a finite number, true, false nor null."""
    if isinstance(value, (list, dict)):
        yield _broken("This field must be text, a number or null", value, "send a single value", where)
    elif isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value):
        yield _broken("Text must be Unicode without half of a surrogate pair", value, "correct its encoding", where)
    elif isinstance(value, str) and len(value) > MOST_TEXT:
        yield _broken(f"Text may have at most {MOST_TEXT} characters", value, "shorten it", where)
    elif isinstance(value, (int, float)) and not abs(value) <= LARGEST:
        yield _broken("Numbers must be finite", value, "send null if the value is missing", where)


def _broken(rule: str, value: Any, next_step: str, where: str) -> Refusal:
    return Refusal(422, rule, shown(value), next_step, field=where or None)


def _first_words(error: Exception) -> str:
    """Return a decoder's message about malformed JSON, which has positions but no values."""
    message = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    return message.splitlines()[0][:200] if message else "nothing"
