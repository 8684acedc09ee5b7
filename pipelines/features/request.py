"""Features of a request: those that depend on what is asked for now, computed from it and from sums that were kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from pipelines.features import formulas
from pipelines.features.catalogue import Direction, Feature, Own, Quantity, Sum, features_of
from pipelines.features.facts import at_night
from pipelines.features.settings import FeatureSettings, What

PRINCIPAL, TERM, NIGHT = Own("principal"), Own("term"), Own("night")

OF_THE_REQUEST = frozenset({PRINCIPAL, TERM, NIGHT})
"""What an application says of itself. Its `hours` and `registered_for` are those of the end of the known history."""


@dataclass(frozen=True)
class Request:
    """The request: `amount` in minor units, `term` in periods of the contract, and the time, UTC without a zone."""

    amount: int
    term: int
    at: datetime


def features_of_requests(settings: FeatureSettings) -> list[Feature]:
    """Return the declared features that depend on what is asked for.

    >>> [feature.name for feature in features_of_requests(FeatureSettings(windows=[30]))][:3]
    ['principal', 'term', 'applied_at_night']
    """
    return [feature for feature in features_of(settings) if not OF_THE_REQUEST.isdisjoint(feature.quantities)]


def kept_sums(settings: FeatureSettings) -> list[Feature]:
    """Return the sums over a history that features of requests need, each as a column to keep beside the features.

    >>> [feature.name for feature in kept_sums(FeatureSettings(windows=[30, 365]))]
    ['sum_of_orders_365d', 'sum_of_spent_365d']
    """
    requests = features_of_requests(settings)
    needed = {one for feature in requests for one in feature.quantities if isinstance(one, Sum)}
    return [_kept(one) for one in sorted(needed, key=_name)]


def answer(
    features: Sequence[Feature], request: Request, sums: Mapping[Quantity, int], settings: FeatureSettings
) -> dict[str, float]:
    """Return features of a request by the formulas of the kernel, from the kept sums; NaN where nothing can be said."""
    moment = pa.chunked_array([pa.array([request.at], pa.timestamp("us"))])
    quantities = {one: np.array([value], np.int64) for one, value in sums.items()}
    quantities[PRINCIPAL], quantities[TERM] = np.array([request.amount], np.int64), np.array([request.term], np.int64)
    quantities[NIGHT] = at_night(moment, settings)
    return {one.name: one.formula(*(quantities[quantity] for quantity in one.quantities)).item() for one in features}


def _kept(one: Sum) -> Feature:
    return Feature(_name(one), f"sum of {one.weight}", Direction.unknown, What.application, (one,), formulas.itself)


def _name(one: Sum) -> str:
    return f"sum_of_{one.weight}" + ("" if one.days is None else f"_{one.days}d")
