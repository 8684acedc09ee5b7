"""One customer's features at the checkout: history from the prepared book, the rest from what is asked for now."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.book.customers import CustomerRows
from pipelines.book.manifest import read_manifest
from pipelines.book.observation import check_asked
from pipelines.errors import DataError, RequestError
from pipelines.features.catalogue import Quantity
from pipelines.features.request import Request, answer, features_of_requests, kept_sums


class UnknownCustomerError(RequestError):
    """A customer who is not in the book: not registered when it was observed, or erased since."""


class StaleBookError(RequestError):
    """A book whose history ends longer before the application than the loan contract's feature lag."""


class BookAheadError(RequestError):
    """A book that knows what happened after the application: a leak."""


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

        A name such as book/2026-10-01 is followed once (to `folder`): what is prepared under it later, and who is
        removed later, is seen by a book that is opened then. With `feature_lag_days`, that of the contract a model was
        trained under, the book must have the same.

        Raises:
            DataError: no prepared book lies there; it was cut at another feature lag.
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
        self._asked, sums = (of(self.manifest.features) for of in (features_of_requests, kept_sums))
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

        `amount` is in minor units, `term` in months; `at` is when the application is made (UTC unless it has a zone);
        `basket_category` that of the order that is to be financed.

        Raises:
            RequestError: an amount or a term that no application may have.
            UnknownCustomerError: nobody of that id is in the book.
            StaleBookError: `at` lies after `serves_until`.
            BookAheadError: `at` lies before `serves_from`.
        """
        check_asked(amount, term, RequestError)
        moment = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
        self.check_moment(moment)
        row = self._customers.find(customer_id)
        if row is None:
            raise UnknownCustomerError(
                f"customer '{customer_id}' was not registered before {self.serves_until:%Y-%m-%d} and is not in the "
                "book; correct the id, or send the features"
            )
        sums = {quantity: int(row[name]) for name, quantity in self._sums.items()}
        told = row | self._answer(Request(amount, term, moment), sums)
        known = {name: told[name] for name in self.manifest.numeric}
        return known | dict.fromkeys(self.manifest.categorical, basket_category)

    def _answer(self, request: Request, sums: Mapping[Quantity, int]) -> dict[str, float]:
        return answer(self._asked, request, sums, self.manifest.features)

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
