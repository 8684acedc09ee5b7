"""The fields of a request for a decision: decoded and validated in one pass, its features read as a table is."""

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType
from numpy.typing import NDArray

from pipelines.reading.contract import ReadingContract
from pipelines.reading.json_values import JsonValue
from pipelines.reading.special import code_columns, split_columns
from pipelines.serving.feature_reader import FeatureReader
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.refusal import Refusal, shown
from pipelines.serving.request_breaches import (
    ID_PATTERN,
    MOST_AMOUNT,
    MOST_ID,
    MOST_TERM,
    MOST_TEXT,
    RequestBreaches,
)

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
_VALUE: Any = int | float | bool | _TEXT | None
"""A value of a segment, or of a feature that is text, in any form that a table may have it in."""
_NUMBER: Any = float | bool | _TEXT | None
"""The same of a number; whole numbers become doubles."""


class ApplicationOfCustomer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An application whose features are looked up in the book of customers."""

    application_id: _APPLICATION_ID
    customer_id: Annotated[_ID, Meta(description="The customer in the book")]
    amount: _AMOUNT
    term: _TERM
    basket_category: _CATEGORY = UNSET


class RequestContract:
    """The fields of a request: `numeric` and `categorical` features that must be there, `optional` ones that may.

    Values are read as those of a table of the model (see `FeatureReader`): a number may be sent as text, a flag as
    true, "True" or 1, and words that mean missing do. A required feature that is left out is an error, because null
    marks a missing value. Optional ones are those of another model.

    With `by_customer` a request may name a customer, an amount and a term in place of the features. `segments` are the
    dimensions whose values a request may send in its object `segments`.
    """

    def __init__(
        self,
        numeric: Sequence[str],
        categorical: Sequence[str],
        optional: Mapping[str, FeatureType],
        *,
        by_customer: bool = False,
        segments: Sequence[str] = (),
        contract: ReadingContract = _NOTHING_LEARNT,
    ) -> None:
        self.by_customer, self.segments = by_customer, list(segments)
        self._special = contract.reading.special
        codes = code_columns(contract.reading.special)
        self.numeric, self.categorical = list(numeric), [name for name in categorical if name not in codes]
        self.numeric += [codes[name] for name in categorical if name in codes and codes[name] not in numeric]
        self.optional = {name: kind for name, kind in optional.items() if name not in {*self.numeric, *categorical}}
        types = {name: FeatureType(True, contract.kind(name)) for name in self.numeric}
        types |= {name: FeatureType(False, contract.kind(name)) for name in self.categorical} | self.optional
        self.names, self.types = sorted(types), dict(sorted(types.items()))
        self._places = {name: index for index, name in enumerate(self.names)}
        self._numbers = _picker([self._places[name] for name in self.numeric])
        self._levels = _picker([self._places[name] for name in self.categorical])
        self._reader = FeatureReader(self.types, contract.reading)
        required = [*self.numeric, *self.categorical]
        self._breaches = RequestBreaches(self.types, required, self.segments, self._reader, by_customer)
        self._decoder = self._make_decoder()

    def decode(self, body: bytes, most: int) -> tuple[list[Any], bool]:
        """Return the applications in a body, and whether it is a list.

        Raises:
            Refusal: 400 for a body that is not valid JSON, 422 for an invalid field or too many applications.
        """
        try:
            decoded = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._breaches.explain(body, error) from None
        if not isinstance(decoded, list):
            self._read(body, [decoded])
            return [decoded], False
        if not 0 < len(decoded) <= most:
            raise Refusal(
                422,
                f"A batch must hold from 1 to {most} applications",
                f"{len(decoded)} applications",
                "send several smaller batches" if decoded else "send at least one application",
            )
        self._read(body, decoded)
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

    def features_of(self, looked_up: Mapping[str, JsonValue]) -> Any:
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
        features = msgspec.convert(finite, self._features)
        self._read_features([features])
        return features

    def _read(self, body: bytes, applications: Sequence[Any]) -> None:
        """Give the features of applications their one form. Raises Refusal for a value that is not of its type."""
        if self.by_customer:
            self._check_customers(body, applications)
        try:
            self._read_features([one.features for one in applications if one.features is not UNSET])
        except ValueError as error:
            raise self._breaches.explain(body, error) from None

    def _read_features(self, features: Sequence[Any]) -> None:
        changes = self._reader.changes([msgspec.structs.astuple(one) for one in features])
        for one, values in zip(features, changes, strict=True):
            for place, value in values.items():
                setattr(one, f"f{place}", value)

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
        return split_columns(columns, self._special)

    def application_type(self, meanings: Mapping[str, Mapping[str, Any]]) -> Any:
        """Return the type of an application that sends its features, described by their meanings."""
        return self._application(
            self._features_type({name: _documented(one, meanings.get(name)) for name, one in self.types.items()})
        )

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
        values: list[Any] = [(field, _VALUE | UnsetType, UNSET) for field in names]
        segments = msgspec.defstruct("Segments", values, rename=names, **_STRICT)
        return [("segments", Annotated[segments | None, Meta(description="Segments that are no features")], None)]

    def _features_type(self, types: Mapping[str, Any]) -> Any:
        """Return the type of the features, given that of each; those of the model are required."""
        fields: list[Any] = [
            (f"f{place}", types[name] | UnsetType, UNSET) if name in self.optional else (f"f{place}", types[name])
            for place, name in enumerate(self.names)
        ]
        names = {f"f{place}": name for place, name in enumerate(self.names)}
        return msgspec.defstruct("Features", fields, rename=names, **_STRICT)

    def _make_decoder(self) -> msgspec.json.Decoder[Any]:
        self._features = self._features_type(
            {name: _NUMBER if one.is_number else _VALUE for name, one in self.types.items()}
        )
        request: Any = self._application((self._features | UnsetType, UNSET) if self.by_customer else self._features)
        return msgspec.json.Decoder(request | list[request])

    def _check_customers(self, body: bytes, applications: Sequence[Any]) -> None:
        """Raise Refusal where a request has neither features nor a customer with amount and term, or both."""
        for one in applications:
            named = one.customer_id is not None and one.amount is not None and one.term is not None
            is_described, has_category = one.features is not UNSET, one.basket_category is not UNSET
            if (is_described and has_category) or not (is_described or named):
                raise self._breaches.explain(body, ValueError("features or customer_id"))


def _documented(type_: FeatureType, meaning: Mapping[str, Any] | None) -> Any:
    """Return the type of a feature in the form that is documented."""
    form: Any = (float | bool if type_.is_flag else float if type_.is_number else _TEXT) | None
    return form if meaning is None else Annotated[form, Meta(description=str(meaning["meaning"]))]


def _picker(places: Sequence[int]) -> Any:
    """Return a function that takes the values at some places out of a tuple, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[index] for index in places)
