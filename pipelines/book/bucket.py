"""What is made of one bucket of customers: a row for each of them, as of an application that nobody made."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.book.observation import Observation
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.features.request import kept_sums
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.bucket import protected

MOST_AT_ONCE = 50_000
"""Customers: a bucket has so many bytes of tables, which may tell of very many customers without orders."""


def book_rows(history: History, observation: Observation, features: FeatureSettings) -> Iterator[pa.Table]:
    """Yield the customers of a bucket by id, so many at once; at least one table, which may have no rows.

    Columns: customer_id, observed_at, sex, age_band, the features, then the sums that features of a request at the
    checkout are made of (see `kept_sums`). Customers are those registered strictly before the observation time.
    """
    asked = _applications(history.customers, observation)
    for start in range(0, max(len(asked), 1), MOST_AT_ONCE):
        yield _rows(history, asked.slice(start, MOST_AT_ONCE), observation, features)


def _applications(customers: pa.Table, observation: Observation) -> pa.Table:
    """Return one application of each customer for the reference loan, by customer; it bears the customer's id."""
    at = pa.scalar(observation.at, pa.timestamp("us"))
    registered = pc.less(customers["registered_at"].cast(pa.timestamp("us")), at)
    ids = customers["customer_id"].filter(registered)
    ids = ids.take(pc.sort_indices(ids))
    loan = observation.loan
    return pa.table(
        {
            "application_id": ids,
            "customer_id": ids,
            "applied_at": pa.repeat(at, len(ids)),
            "principal": pa.repeat(pa.scalar(loan.amount, pa.int64()), len(ids)),
            "term": pa.repeat(pa.scalar(loan.term, pa.int32()), len(ids)),
            "basket_category": pa.repeat(pa.scalar(loan.basket_category, pa.string()), len(ids)),
        }
    )


def _rows(history: History, asked: pa.Table, observation: Observation, features: FeatureSettings) -> pa.Table:
    known = compute_features(history, features, lag_days=observation.lag.days, asked=asked, further=kept_sums(features))
    place = pc.index_in(asked["customer_id"], value_set=known["application_id"].combine_chunks())
    if not np.array_equal(place.to_numpy(), np.arange(len(asked))):
        known = known.take(place)
    about = {"customer_id": asked["customer_id"], "observed_at": asked["applied_at"]}
    table = pa.table(about | protected(history.customers, asked))
    for name in known.column_names[1:]:
        table = table.append_column(name, known[name])
    return table
