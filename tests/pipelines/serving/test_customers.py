"""A customer may be named in place of being described, where there is a book that may answer."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from pipelines.book.lookup import BookAheadError, StaleBookError, UnknownCustomerError
from pipelines.errors import DataError, RequestError
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.serving import customer_features
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace
from tests.pipelines.serving.conftest import Opened, applications

NAMED = {"application_id": "A1", "customer_id": "7", "amount": 60_000, "term": 6}
ERRORS: dict[str, type[RequestError]] = {
    "nobody": UnknownCustomerError,
    "stale": StaleBookError,
    "ahead": BookAheadError,
    "garbled": DataError,
}


class Book:
    """A book that knows one customer, and whose income grows with every question."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, 0

    def of(self, customer_id: str, amount: int, term: int, at: datetime, category: str | None) -> dict[str, Any]:
        if customer_id in ERRORS:
            raise ERRORS[customer_id](f"'{self.folder}' does not answer {customer_id}")
        assert (amount, term, type(amount), at.tzinfo is not None, category) == (60_000, 6, int, True, None)
        self.asked += 1
        told = {"income": float(self.asked), "constant": 1, "tenure": float("nan"), "channel": "app", "city": None}
        return told | {"unread": 3.0}


@pytest.fixture
def named(served: ServeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ServeSettings:
    monkeypatch.setattr(customer_features, "BookFeatures", Book)
    return replace(served, book=str(tmp_path))


def asked(client: Opened, settings: ServeSettings, *bodies: Any) -> list[httpx.Response]:
    async def whole() -> list[httpx.Response]:
        async with client(settings) as opened:
            return [await opened.post("/decisions", json=body) for body in bodies]

    return asyncio.run(whole())


def test_a_named_customer_is_decided_on_what_the_book_says(client: Opened, named: ServeSettings) -> None:
    described = applications(1)[0] | {"application_id": "B"}
    first, again, both = asked(client, named, NAMED, NAMED, [described, NAMED | {"application_id": "C"}])
    store = ModelStore(Workspace.at(named.workspace))
    predictor = load_predictor(store, proven_champion(store, "credit_score"))
    told = {"income": 1.0, "constant": 1.0, "tenure": None, "channel": "app", "city": None}
    assert first.json()["pd"] == predictor.probability_of_bad(pd.DataFrame([told]))[0]
    assert first.json()["offer"]["requested"] == 60_000
    assert again.json() == first.json()  # the same question, though the book knows more by now
    assert [one["application_id"] for one in both.json()] == ["B", "C"]


@pytest.mark.parametrize(("customer", "status"), [("nobody", 404), ("stale", 409), ("ahead", 409), ("garbled", 503)])
def test_who_cannot_be_looked_up_is_told_and_the_folder_is_not(
    client: Opened, named: ServeSettings, customer: str, status: int
) -> None:
    (answer,) = asked(client, named, NAMED | {"customer_id": customer})
    assert answer.status_code == status
    assert named.book not in answer.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"customer_id": None}, "customer_id"),
        ({"amount": None}, "amount"),
        ({"term": 0}, "term"),
        ({"basket_category": 3}, "basket_category"),
        ({"income": 3}, "income"),
        ({"basket_category": "toys", "features": applications(1)[0]["features"]}, "basket_category"),
    ],
)
def test_a_named_customer_asks_for_an_amount_and_a_term(
    client: Opened, named: ServeSettings, changed: dict[str, Any], field: str
) -> None:
    (answer,) = asked(client, named, NAMED | changed)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_what_a_named_customer_lacks_is_told(client: Opened, named: ServeSettings) -> None:
    lacking = {name: value for name, value in NAMED.items() if name != "term"}
    (answer,) = asked(client, named, lacking)
    assert (answer.status_code, answer.json()["received"]) == (422, "no term")


def test_without_a_book_features_are_sent(client: Opened, served: ServeSettings) -> None:
    (answer,) = asked(client, served, NAMED)
    assert (answer.status_code, answer.json()["field"]) == (422, "features")


def test_a_book_without_a_feature_of_the_champion_cannot_answer(
    client: Opened, named: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book, "of", lambda *_: {"income": 1.0})
    (answer,) = asked(client, named, NAMED)
    assert (answer.status_code, answer.json()["received"]) == (409, "no constant, tenure, channel, city")
