"""Looks up the features of a customer in a prepared book."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pipelines.book.lookup import BookAheadError, BookFeatures, StaleBookError, UnknownCustomerError
from pipelines.errors import DataError, RequestError
from pipelines.serving.refusal import Refusal, shown

logger = logging.getLogger(__name__)

Value = float | str | None


class CustomerFeatures(Protocol):
    """A source of customers' features."""

    def of(self, application: Any, at: datetime) -> Mapping[str, Value]:
        """Return the features of an application made at a moment. Raises Refusal where they are unavailable."""


class CustomerBook:
    """A prepared book, opened again when it was prepared again or a customer was removed."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._opened = self._state()
        self._book = BookFeatures(self._folder)

    def of(self, application: Any, at: datetime) -> Mapping[str, Value]:
        """Return the features of an application made at a moment.

        Raises:
            Refusal: 404 for a customer who is not in the book, 409 where the book is too old or too new, 422
                for an amount or term out of range, 503 while customers are being removed.
        """
        try:
            amount, term, category = int(application.amount), int(application.term), application.basket_category or None
            return self._book.of(application.customer_id, amount, term, at, category)
        except UnknownCustomerError:
            raise Refusal(
                404,
                "Unknown customer: not registered when the book was prepared",
                f"customer_id {shown(application.customer_id)}",
                "correct customer_id, or send the features",
                field="customer_id",
            ) from None
        except (StaleBookError, BookAheadError) as error:
            logger.error("%s", error)
            received = "a book that is too old" if isinstance(error, StaleBookError) else "a book of a later time"
            rule = "The book is older than the feature lag of the loan contract allows, or newer than the application"
            raise Refusal(409, rule, received, "send the features, or try again later") from None
        except DataError as error:
            logger.error("%s", error)
            raise Refusal(503, "The book is inconsistent with its index", "a changed book", "try again later") from None
        except RequestError as error:
            raise Refusal(422, str(error), "another value", "correct amount or term", field="amount") from None

    def refresh(self) -> None:
        """Open the book anew when its files have changed."""
        now = self._state()
        if now != self._opened:
            self._book, self._opened = BookFeatures(self._folder), now

    def _state(self) -> tuple[Path, tuple[tuple[str, int], ...]]:
        folder = self._folder.resolve()
        return folder, tuple(sorted((one.name, one.stat().st_mtime_ns) for one in folder.glob("_index*")))
