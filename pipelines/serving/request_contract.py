"""What a request for a decision must say: decoded and checked in one pass, and told field by field when it breaks."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType
from numpy.typing import NDArray

from pipelines.errors import nearest
from pipelines.serving.refusal import Refusal, shown

MOST_ID, MOST_TEXT = 128, 256
"""Characters of an id, and of the value of a categorical feature."""
MOST_AMOUNT, MOST_TERM = 10**12, 600
"""The most that may be asked for: minor units, and months."""
ID_PATTERN = r"^[^\x00-\x1f\x7f]+$"
LARGEST = 1.7976931348623157e308

_ID = Annotated[str, Meta(min_length=1, max_length=MOST_ID, pattern=ID_PATTERN)]
_TEXT = Annotated[str, Meta(max_length=MOST_TEXT)]
_AMOUNT = Annotated[float, Meta(ge=1, le=MOST_AMOUNT, multiple_of=1)]  # 5.0 is a whole number to JSON
_TERM = Annotated[float, Meta(ge=1, le=MOST_TERM, multiple_of=1)]
_KNOWN = ("application_id", "customer_id", "features", "amount", "term")
_OF_CUSTOMER = ("application_id", "customer_id", "amount", "term", "basket_category")


class RequestContract:
    """The fields of a request: `numeric` and `categorical` features that must be there, `optional` ones that may.

    A feature is a finite number or text, or null where it is missing; one that is left out is a mistake of the caller,
    for null says the same on purpose. Optional ones are those of another model: true where they are numbers.

    With `by_customer` a request may name a customer, an amount and a term in place of the features.
    """

    def __init__(
        self,
        numeric: Sequence[str],
        categorical: Sequence[str],
        optional: Mapping[str, bool],
        *,
        by_customer: bool = False,
    ) -> None:
        self.by_customer = by_customer
        self.numeric, self.categorical = list(numeric), list(categorical)
        self.optional = {name: kind for name, kind in optional.items() if name not in {*numeric, *categorical}}
        self.names = sorted([*self.numeric, *self.categorical, *self.optional])
        self._places = {name: place for place, name in enumerate(self.names)}
        self._numbers = _picker([self._places[name] for name in self.numeric])
        self._levels = _picker([self._places[name] for name in self.categorical])
        self._decoder = self._make_decoder()

    def decode(self, body: bytes, most: int) -> tuple[list[Any], bool]:
        """Return the applications that a body asks about, and whether it is a list of them.

        Raises:
            Refusal: 400 for what is no JSON, 422 for a field that breaks its rule or too many at once.
        """
        try:
            found = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._explain(body, error) from None
        if not isinstance(found, list):
            if self.by_customer:
                self._check_customers(body, [found])
            return [found], False
        if not 0 < len(found) <= most:
            raise Refusal(
                422,
                f"a batch holds from 1 to {most} applications",
                f"{len(found)} applications",
                "send it in parts" if found else "send one application at least",
            )
        if self.by_customer:
            self._check_customers(body, found)
        seen: set[str] = set()
        for place, one in enumerate(found):
            if one.application_id in seen:
                raise Refusal(
                    422,
                    "an application is in a batch once",
                    f"{shown(one.application_id)} twice",
                    "send it once",
                    field=f"[{place}].application_id",
                )
            seen.add(one.application_id)
        return found, True

    def features_of(self, found: Mapping[str, float | str | None]) -> Any:
        """Return looked-up features as if they had been sent; NaN is missing. Raises Refusal 409 where one lacks."""
        lacking = [name for name in (*self.numeric, *self.categorical) if name not in found]
        if lacking:
            raise Refusal(
                409,
                "the book of customers has all features of the champion",
                f"no {', '.join(lacking[:5])}",
                "send the features themselves",
            )
        told = {name: found[name] for name in self.names if name in found}
        finite = {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in told.items()}
        return msgspec.convert(finite, self._features)

    def columns(self, features: Sequence[Any]) -> dict[str, NDArray[Any]]:
        """Return the features of n applications as columns, shape (n,): float64 with NaN, and text or None."""
        rows = [msgspec.structs.astuple(one) for one in features]
        found: dict[str, NDArray[Any]] = {}
        if self.numeric:
            numbers = np.array([self._numbers(row) for row in rows], dtype=np.float64).T
            found |= zip(self.numeric, np.ascontiguousarray(numbers), strict=True)
        if self.categorical:
            levels = np.empty((len(rows), len(self.categorical)), dtype=object)
            levels[:] = [self._levels(row) for row in rows]
            found |= zip(self.categorical, levels.T, strict=True)
        return found

    def _make_decoder(self) -> msgspec.json.Decoder[Any]:
        fields: list[Any] = []
        for place, name in enumerate(self.names):
            if name in self.optional:
                fields.append((f"f{place}", (float if self.optional[name] else _TEXT) | None | UnsetType, UNSET))
            else:
                fields.append((f"f{place}", (float if name in self.numeric else _TEXT) | None))
        names = {f"f{place}": name for place, name in enumerate(self.names)}
        strict: dict[str, Any] = {"forbid_unknown_fields": True, "kw_only": True, "gc": False}
        self._features = msgspec.defstruct("Features", fields, rename=names, **strict)
        features: tuple[Any, ...] = (self._features | UnsetType, UNSET) if self.by_customer else (self._features,)
        told: list[Any] = [
            ("application_id", _ID),
            ("customer_id", _ID | None, None),
            ("features", *features),
            ("amount", _AMOUNT | None, None),
            ("term", _TERM | None, None),
        ]
        if self.by_customer:
            told.append(("basket_category", _TEXT | None | UnsetType, UNSET))
        request: Any = msgspec.defstruct("Application", told, **strict)
        return msgspec.json.Decoder(request | list[request])

    def _check_customers(self, body: bytes, found: Sequence[Any]) -> None:
        """Raise Refusal where neither features nor all that stands for them was sent, or both."""
        for one in found:
            named = one.customer_id is not None and one.amount is not None and one.term is not None
            is_described, has_category = one.features is not UNSET, one.basket_category is not UNSET
            if (is_described and has_category) or not (is_described or named):
                raise self._explain(body, ValueError("features or customer_id"))

    def _explain(self, body: bytes, error: Exception) -> Refusal:
        """Return why a body was not taken, by the first field that breaks a rule."""
        try:
            told = json.loads(body)  # takes what is no JSON by the standard too: NaN, Infinity
        except (ValueError, RecursionError):
            return Refusal(
                400,
                "the body is one JSON value in UTF-8",
                _first_words(error),
                "send an application as an object, or several as a list",
            )
        items = told if isinstance(told, list) else [told]
        for place, item in enumerate(items):
            for refusal in self._breaches(item, f"[{place}]." if isinstance(told, list) else ""):
                return refusal
        return Refusal(400, "the body is one JSON value in UTF-8", _first_words(error), "correct it")

    def _breaches(self, item: Any, where: str) -> Iterator[Refusal]:
        if not isinstance(item, dict):
            yield _broken("an application is an object", item, "send application_id and features", where.strip("."))
            return
        is_described = "features" in item or not self.by_customer
        known, needed = (_KNOWN, ("application_id", "features")) if is_described else (_OF_CUSTOMER, _OF_CUSTOMER[:4])
        yield from _unlike(item, known, needed, where, "a request")
        for name in ("application_id", "customer_id"):
            value = item.get(name)
            if name in item and not (value is None and name == "customer_id" and is_described):
                yield from _not_an_id(value, f"{where}{name}")
        for name, most in (("amount", MOST_AMOUNT), ("term", MOST_TERM)):
            yield from _not_whole(item.get(name), most, f"{where}{name}")
        if not is_described:
            for name in ("amount", "term"):
                if item[name] is None:
                    yield _broken("a named customer asks for an amount and a term", None, "send both", f"{where}{name}")
            yield from _not_text(item.get("basket_category"), f"{where}basket_category")
            return
        features = item["features"]
        if not isinstance(features, dict):
            yield _broken("features are an object of names and values", features, "send an object", f"{where}features")
            return
        required = [*self.numeric, *self.categorical]
        yield from _unlike(features, self.names, required, f"{where}features.", "the model")
        numbers = {*self.numeric, *(name for name, is_number in self.optional.items() if is_number)}
        for name, value in features.items():
            yield from (_not_a_number if name in numbers else _not_text)(value, f"{where}features.{name}")


def _picker(places: Sequence[int]) -> Any:
    """Return a function that takes the values at some places out of a tuple, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def _unlike(
    item: Mapping[str, Any], known: Sequence[str], required: Sequence[str], where: str, who: str
) -> Iterator[Refusal]:
    for name in item:
        if name not in known:
            yield Refusal(
                422,
                f"{who} knows its fields by name",
                f"unknown field {shown(name)}",
                nearest(name, known),
                field=f"{where}{name}",
            )
    lacking = [name for name in required if name not in item]
    if lacking:
        yield Refusal(
            422,
            f"{who} needs all of its fields",
            f"no {', '.join(lacking[:5])}{f' and {len(lacking) - 5} more' if len(lacking) > 5 else ''}",
            "send null for a feature whose value is missing" if who == "the model" else "add what is lacking",
            field=f"{where}{lacking[0]}",
        )


def _not_an_id(value: Any, where: str) -> Iterator[Refusal]:
    if not isinstance(value, str) or not value or len(value) > MOST_ID or not re.search(ID_PATTERN, value):
        rule = f"an id is text of 1 to {MOST_ID} characters, none of them a control character"
        yield _broken(rule, value, "send the id as text", where)


def _not_whole(value: Any, most: int, where: str) -> Iterator[Refusal]:
    is_whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value % 1 == 0
    if value is not None and not (is_whole and 1 <= value <= most):
        rule = f"this is a whole number from 1 to {most}, or null"
        yield _broken(rule, value, "send an amount in minor units, a term in months", where)


def _not_a_number(value: Any, where: str) -> Iterator[Refusal]:
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        yield _broken("this feature is a number or null", value, "send a number, or null where it is missing", where)
    elif value is not None and not (abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)):
        yield _broken("numbers are finite", value, "send null where the value is missing", where)


def _not_text(value: Any, where: str) -> Iterator[Refusal]:
    if not isinstance(value, (str, type(None))):
        yield _broken("this feature is text or null", value, "send text, or null where it is missing", where)
    elif value is not None and len(value) > MOST_TEXT:
        yield _broken(f"text has at most {MOST_TEXT} characters", value, "shorten it", where)


def _broken(rule: str, value: Any, next_step: str, where: str) -> Refusal:
    return Refusal(422, rule, shown(value), next_step, field=where or None)


def _first_words(error: Exception) -> str:
    """Return what a decoder says of malformed JSON; its words hold positions and none of the values."""
    told = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    return told.splitlines()[0][:200] if told else "nothing"
