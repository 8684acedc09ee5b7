"""Looks up one customer's features at the checkout: history from the book, the rest from the request."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.book.index import CustomerIndex, bucket_paths
from pipelines.book.manifest import read_manifest
from pipelines.book.observation import check_asked
from pipelines.book.rows import RowFile, rows_path
from pipelines.errors import DataError, RequestError
from pipelines.features.catalogue import Quantity
from pipelines.features.request import Request, answer, features_of_requests, kept_sums

FILES_OPEN = 128
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
"""The id of a customer in a column of integers: 007 is another one."""


class UnknownCustomerError(RequestError):
    """A customer who is not in the book: not registered when it was observed, or erased since."""


class StaleBookError(RequestError):
    """A book whose history ends longer before the application than the loan contract's feature lag."""


class BookAheadError(RequestError):
    """A book whose history ends after the application: its features would leak."""


class BookFeatures:
    """The features of single customers, looked up in a prepared book; safe to share between threads.

    A model learns from applications whose history ends `feature_lag_days` before they are made. A book observed at T
    with the same lag ends its history at T - lag (`serves_from`). An application made at `at` may be answered from it
    while that history is no older than training's, which is up to T (`serves_until`), and not before the history's
    end, or the book would know the future:

        T - lag <= at <= T

    At `at` = T the answer equals, in every feature, what `thinfile prepare` computes for that application. Earlier in
    the range the history is younger than training's, never older. Whatever is relative to time (recency, tenure,
    windows, ages) is relative to the end of the book's history, as it is relative to the lagged moment in training.
    What depends on the request (amount, term, hour, and relations of amounts to spending) is computed from it by the
    kernel's own formulas. To serve from now on, prepare a book for the last moment that it shall serve: now + lag.

    With a lag of 0 training knew all up to the very moment: no table made beforehand does, and only T itself is served.
    """

    def __init__(self, folder: str | Path, *, feature_lag_days: int | None = None) -> None:
        """Open a book's folder.

        A link such as book/2026-10-01 is resolved once (to `folder`): open the book again after it is prepared again or
        a customer is erased. With `feature_lag_days`, that of the contract a model was
        trained under, the book must have the same.

        Raises:
            DataError: the folder is not a prepared book; it was cut at another feature lag.
        """
        self.folder = Path(folder).resolve()
        self.manifest = read_manifest(self.folder)
        lag = self.manifest.feature_lag_days
        if feature_lag_days not in (None, lag):
            raise DataError(
                f"the book '{self.folder}' has a feature lag of {lag} days, its model was trained with "
                f"{feature_lag_days}; run `thinfile prepare population=book observed_at=... "
                f"loan.feature_lag_days={feature_lag_days}`"
            )
        self._requested, sums = (of(self.manifest.features) for of in (features_of_requests, kept_sums))
        self._sums = {one.name: one.quantities[0] for one in sums}
        self._customers = CustomerRows(self.folder)
        self._answer(Request(1, 1, self.serves_until), dict.fromkeys(self._sums.values(), 0))  # reads time zones: 0.2 s

    @property
    def serves_from(self) -> datetime:
        """The earliest moment of an application that the book may answer for, UTC without a zone."""
        return self.manifest.known_before

    @property
    def serves_until(self) -> datetime:
        """The latest such moment: later the book is stale."""
        return self.manifest.observed_at

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self._customers)

    def of(
        self, customer_id: int | str, amount: int, term: int, at: datetime, basket_category: str | None = None
    ) -> dict[str, float | str | None]:
        """Return the value of every feature, in the order of the training table; NaN or None where it is missing.

        `amount` is in minor units, `term` in periods of the loan contract; `at` is when the application is made (UTC
        unless it has a zone); `basket_category` that of the order that is to be financed.

        Raises:
            RequestError: an amount or a term that no application may have.
            UnknownCustomerError: the book has no such customer.
            StaleBookError: `at` is after `serves_until`.
            BookAheadError: `at` is before `serves_from`.
        """
        check_asked(amount, term, self.manifest.rules, RequestError)
        moment = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
        self.check_moment(moment)
        row = self._customers.find(customer_id)
        if row is None:
            raise UnknownCustomerError(
                f"customer '{customer_id}' was not registered before {self.serves_until:%Y-%m-%d} and is not in the "
                "book; correct the id, or send the features"
            )
        sums = {quantity: int(row[name]) for name, quantity in self._sums.items()}
        values = row | self._answer(Request(amount, term, moment), sums)
        numeric = {name: values[name] for name in self.manifest.numeric}
        return numeric | dict.fromkeys(self.manifest.categorical, basket_category)

    def _answer(self, request: Request, sums: Mapping[Quantity, int]) -> dict[str, float]:
        return answer(self._requested, request, sums, self.manifest.features)

    def check_moment(self, at: datetime) -> None:
        """Raise StaleBookError or BookAheadError where the book may not answer an application made at `at` (UTC)."""
        if at > self.serves_until:
            raise StaleBookError(self._stale(at))
        if at < self.serves_from:
            raise BookAheadError(
                f"the book knows history until {self.serves_from:%Y-%m-%dT%H:%M:%S}, after the application of "
                f"{at:%Y-%m-%dT%H:%M:%S}; open a book that was observed earlier"
            )

    def _stale(self, at: datetime) -> str:
        lag = self.manifest.feature_lag_days
        until = f"observed_at={at + timedelta(days=lag):%Y-%m-%dT%H:%M:%S} loan.feature_lag_days={lag}"
        again = f"run `thinfile prepare population=book {until}`, which serves for {lag} days from then"
        return (
            f"history must be no older than the feature lag of the loan contract, {lag} days; that of the book in "
            f"'{self.folder}' ends {self.serves_from:%Y-%m-%dT%H:%M:%S}, and is {at - self.serves_until} too old for "
            f"an application of {at:%Y-%m-%dT%H:%M:%S}; "
            + (again if lag else "learn with loan.feature_lag_days=1 (prepare, then tune), and prepare the book so too")
        )


class CustomerRows:
    """The numbers of every customer in a book's folder, found by id; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index, self._buckets = CustomerIndex(folder), bucket_paths(folder)
        self._of_integers = pa.types.is_integer(pq.read_schema(self._buckets[0]).field("customer_id").type)
        self._open = lru_cache(FILES_OPEN)(RowFile)

    def __len__(self) -> int:
        return len(self._index)

    def find(self, customer_id: int | str) -> dict[str, float] | None:
        """Return a customer's features and kept sums, None for an unknown one; an integer may be given in its digits.

        Raises:
            DataError: the files do not fit together.
        """
        customer = self._as_kept(customer_id)
        if customer is None:
            return None
        rows = self._index.positions(customer)
        for bucket, row in rows:
            stored, numbers = self._open(rows_path(self._buckets[bucket])).read(row)
            if stored == customer:
                return numbers
        if rows:  # two texts with one 64-bit key are practically impossible
            raise DataError(
                f"the book '{self._folder}' does not match its index: an erasure is running or was interrupted; "
                "finish it and open the book again"
            )
        return None

    def _as_kept(self, customer_id: int | str) -> int | str | None:
        text = str(customer_id)
        if not self._of_integers:
            return text
        return int(text) if INTEGER.fullmatch(text) and abs(int(text)) < 2**63 else None
