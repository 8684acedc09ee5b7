"""The fields of a request for a decision: decoded and validated in one pass, explained field by field when invalid."""

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

from pipelines.errors import listed, nearest
from pipelines.reading.contract import ReadingContract
from pipelines.reading.special import code_columns
from pipelines.serving.columns_as_read import as_read
from pipelines.serving.refusal import Refusal, shown

MOST_ID, MOST_TEXT = 128, 256
"""Characters of an id, and of the value of a categorical feature."""
MOST_AMOUNT, MOST_TERM = 10**12, 3_660
"""The largest amount in minor units, and the longest term in periods of the loan contract."""
ID_PATTERN = r"^[^\x00-\x1f\x7f]+$"
LARGEST = 1.7976931348623157e308

_ID = Annotated[str, Meta(min_length=1, max_length=MOST_ID, pattern=ID_PATTERN)]
_APPLICATION_ID = Annotated[_ID, Meta(description="Identifies the application; it is decided once in a month")]
_TEXT = Annotated[str, Meta(max_length=MOST_TEXT)]
_AMOUNT = Annotated[
    float,  # 5.0 is a whole number in JSON
    Meta(
        ge=1,
        le=MOST_AMOUNT,
        multiple_of=1,
        description="Requested amount, minor units, for an offer",
    ),
]
_TERM = Annotated[
    float,
    Meta(
        ge=1,
        le=MOST_TERM,
        multiple_of=1,
        description="Requested term, in the periods of policy.offers.repayment (months by default)",
    ),
]
_CATEGORY = Annotated[_TEXT | UnsetType | None, Meta(description="Category of what is financed")]
_STRICT: dict[str, Any] = {"forbid_unknown_fields": True, "kw_only": True, "gc": False}
_NOTHING_LEARNT = ReadingContract()
_KNOWN = ("application_id", "customer_id", "features", "amount", "term")
_OF_CUSTOMER = ("application_id", "customer_id", "amount", "term", "basket_category")


class ApplicationOfCustomer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An application whose features are looked up in the book of customers."""

    application_id: _APPLICATION_ID
    customer_id: Annotated[_ID, Meta(description="The customer in the book")]
    amount: _AMOUNT
    term: _TERM
    basket_category: _CATEGORY = UNSET


class RequestContract:
    """The fields of a request: `numeric` and `categorical` features that must be there, `optional` ones that may.

    A feature is a finite number or text, or null where it is missing; a required one that is left out is an error,
    because null marks a missing value. Optional ones are those of another model: true where they are numbers.

    With `by_customer` a request may name a customer, an amount and a term in place of the features. `segments` are the
    dimensions whose values a request may send in its object `segments`.
    """

    def __init__(
        self,
        numeric: Sequence[str],
        categorical: Sequence[str],
        optional: Mapping[str, bool],
        *,
        by_customer: bool = False,
        segments: Sequence[str] = (),
        contract: ReadingContract = _NOTHING_LEARNT,
    ) -> None:
        self.by_customer, self.segments = by_customer, list(segments)
        self._reading, self._flags = contract.reading, contract.flags
        codes = code_columns(contract.reading.special)
        self.numeric, self.categorical = list(numeric), [name for name in categorical if name not in codes]
        self.numeric += [codes[name] for name in categorical if name in codes and codes[name] not in numeric]
        self.optional = {name: kind for name, kind in optional.items() if name not in {*numeric, *categorical}}
        self.names = sorted([*self.numeric, *self.categorical, *self.optional])
        self._places = {name: index for index, name in enumerate(self.names)}
        self._numbers = _picker([self._places[name] for name in self.numeric])
        self._levels = _picker([self._places[name] for name in self.categorical])
        self._decoder = self._make_decoder()

    def decode(self, body: bytes, most: int) -> tuple[list[Any], bool]:
        """Return the applications in a body, and whether it is a list.

        Raises:
            Refusal: 400 for a body that is not valid JSON, 422 for an invalid field or too many applications.
        """
        try:
            decoded = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._explain(body, error) from None
        if not isinstance(decoded, list):
            if self.by_customer:
                self._check_customers(body, [decoded])
            return [decoded], False
        if not 0 < len(decoded) <= most:
            raise Refusal(
                422,
                f"A batch must hold from 1 to {most} applications",
                f"{len(decoded)} applications",
                "send several smaller batches" if decoded else "send at least one application",
            )
        if self.by_customer:
            self._check_customers(body, decoded)
        ids: set[str] = set()
        for index, one in enumerate(decoded):
            if one.application_id in ids:
                raise Refusal(
                    422,
                    "Duplicate application in the batch",
                    f"{shown(one.application_id)} twice",
                    "send each application once",
                    field=f"[{index}].application_id",
                )
            ids.add(one.application_id)
        return decoded, True

    def features_of(self, looked_up: Mapping[str, float | str | None]) -> Any:
        """Return looked-up features as if they had been sent; NaN is missing. Raises Refusal 409 where one lacks."""
        lacking = [name for name in (*self.numeric, *self.categorical) if name not in looked_up]
        if lacking:
            raise Refusal(
                409,
                "The book of customers lacks features of the champion",
                f"no {', '.join(lacking[:5])}",
                "send the features themselves",
            )
        values = {name: looked_up[name] for name in self.names if name in looked_up}
        finite = {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in values.items()}
        return msgspec.convert(finite, self._features)

    def columns(self, features: Sequence[Any]) -> dict[str, NDArray[Any]]:
        """Return the features of n applications as columns, shape (n,): float64 with NaN, and text or None."""
        rows = [msgspec.structs.astuple(one) for one in features]
        columns: dict[str, NDArray[Any]] = {}
        if self.numeric:
            numbers = np.array([self._numbers(row) for row in rows], dtype=np.float64).T
            columns |= zip(self.numeric, np.ascontiguousarray(numbers), strict=True)
        if self.categorical:
            levels = np.empty((len(rows), len(self.categorical)), dtype=object)
            levels[:] = [self._levels(row) for row in rows]
            columns |= zip(self.categorical, levels.T, strict=True)
        return as_read(columns, self._reading)

    def application_type(self, meanings: Mapping[str, Mapping[str, Any]]) -> Any:
        """Return the type of an application that sends its features, described by their meanings."""
        return self._application(self._features_type(meanings))

    def _application(self, features: Any) -> Any:
        fields: list[Any] = [
            ("application_id", _APPLICATION_ID),
            ("customer_id", _ID | None, None),
            ("features", *features) if isinstance(features, tuple) else ("features", features),
            ("amount", _AMOUNT | None, None),
            ("term", _TERM | None, None),
        ]
        if isinstance(features, tuple):
            fields.append(("basket_category", _CATEGORY, UNSET))
        return msgspec.defstruct("Application", fields + self._segment_fields(), **_STRICT)

    def customer_type(self) -> Any:
        """Return the type of an application whose features are looked up."""
        fields = self._segment_fields()
        if not fields:
            return ApplicationOfCustomer
        return msgspec.defstruct("ApplicationOfCustomer", fields, bases=(ApplicationOfCustomer,), **_STRICT)

    def _segment_fields(self) -> list[Any]:
        if not self.segments:
            return []
        names = {f"s{index}": name for index, name in enumerate(self.segments)}
        values: list[Any] = [(field, float | _TEXT | UnsetType | None, UNSET) for field in names]
        segments = msgspec.defstruct("Segments", values, rename=names, **_STRICT)
        return [("segments", Annotated[segments | None, Meta(description="Segments that are no features")], None)]

    def _features_type(self, meanings: Mapping[str, Mapping[str, Any]]) -> Any:
        """Return the type of the features; those of the model are required, null where a value is missing."""
        fields: list[Any] = []
        for index, name in enumerate(self.names):
            is_number = self.optional.get(name, name in self.numeric)
            kind: Any = (float | bool if name in self._flags else float if is_number else _TEXT) | None
            if name in meanings:
                kind = Annotated[kind, Meta(description=str(meanings[name]["meaning"]))]
            fields.append((f"f{index}", kind | UnsetType, UNSET) if name in self.optional else (f"f{index}", kind))
        names = {f"f{index}": name for index, name in enumerate(self.names)}
        return msgspec.defstruct("Features", fields, rename=names, **_STRICT)

    def _make_decoder(self) -> msgspec.json.Decoder[Any]:
        self._features = self._features_type({})
        request: Any = self._application((self._features | UnsetType, UNSET) if self.by_customer else self._features)
        return msgspec.json.Decoder(request | list[request])

    def _check_customers(self, body: bytes, applications: Sequence[Any]) -> None:
        """Raise Refusal where a request has neither features nor a customer with amount and term, or both."""
        for one in applications:
            named = one.customer_id is not None and one.amount is not None and one.term is not None
            is_described, has_category = one.features is not UNSET, one.basket_category is not UNSET
            if (is_described and has_category) or not (is_described or named):
                raise self._explain(body, ValueError("features or customer_id"))

    def _explain(self, body: bytes, error: Exception) -> Refusal:
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
        return Refusal(400, "The request body is not valid", _first_words(error), "correct it")

    def _breaches(self, item: Any, where: str) -> Iterator[Refusal]:
        if not isinstance(item, dict):
            yield _broken(
                "An application must be an object", item, "send application_id and features", where.strip(".")
            )
            return
        is_described = "features" in item or not self.by_customer
        allowed, needed = (_KNOWN, ("application_id", "features")) if is_described else (_OF_CUSTOMER, _OF_CUSTOMER[:4])
        yield from _unlike(item, (*allowed, *(["segments"] if self.segments else [])), needed, where, "a request")
        yield from self._segment_breaches(item.get("segments"), f"{where}segments")
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
        features = item["features"]
        if not isinstance(features, dict):
            yield _broken(
                "features must be an object of names and values", features, "send an object", f"{where}features"
            )
            return
        required = [*self.numeric, *self.categorical]
        yield from _unlike(features, self.names, required, f"{where}features.", "the model")
        numbers = {*self.numeric, *(name for name, is_number in self.optional.items() if is_number)}
        for name, value in features.items():
            if not (name in self._flags and isinstance(value, bool)):
                yield from (_not_a_number if name in numbers else _not_text)(value, f"{where}features.{name}")

    def _segment_breaches(self, segments: Any, where: str) -> Iterator[Refusal]:
        if segments is None:
            return
        if not isinstance(segments, dict):
            yield _broken("segments must be an object of names and values", segments, "send an object", where)
            return
        yield from _unlike(segments, self.segments, (), f"{where}.", "the service")
        for name, value in segments.items():
            if isinstance(value, str):
                yield from _not_text(value, f"{where}.{name}")
            else:
                yield from _not_a_number(value, f"{where}.{name}")


def _picker(places: Sequence[int]) -> Any:
    """Return a function that takes the values at some places out of a tuple, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[index] for index in places)


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


def _not_a_number(value: Any, where: str) -> Iterator[Refusal]:
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        yield _broken("This feature must be a number or null", value, "send a number, or null if it is missing", where)
    elif value is not None and not (abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)):
        yield _broken("Numbers must be finite", value, "send null if the value is missing", where)


def _not_text(value: Any, where: str) -> Iterator[Refusal]:
    if not isinstance(value, (str, type(None))):
        yield _broken("This feature must be text or null", value, "send text, or null if it is missing", where)
    elif value is not None and len(value) > MOST_TEXT:
        yield _broken(f"Text may have at most {MOST_TEXT} characters", value, "shorten it", where)


def _broken(rule: str, value: Any, next_step: str, where: str) -> Refusal:
    return Refusal(422, rule, shown(value), next_step, field=where or None)


def _first_words(error: Exception) -> str:
    """Return a decoder's message about malformed JSON, which has positions but no values."""
    message = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    return message.splitlines()[0][:200] if message else "nothing"
