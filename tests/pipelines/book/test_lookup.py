"""One customer's features at the checkout are those that prepare computes for the application."""

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.book.lookup import BookAheadError, BookFeatures, StaleBookError, UnknownCustomerError
from pipelines.book.prepare import prepare
from pipelines.credit.population import Population
from pipelines.errors import DataError, RequestError
from tests.pipelines.book.askers import AT, asked, features_of_askers, marketplace_with_askers

DAY = timedelta(days=1)
LAG = 3


@pytest.fixture(scope="module")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pa.Table]:
    """A workspace whose training table and book of the moment AT are prepared with a feature lag, and the askers."""
    root = tmp_path_factory.mktemp("book")
    added = marketplace_with_askers(root, customers=1_000)
    prepare(asked(root, LAG))
    prepare(asked(root, LAG, population=Population.book, observed_at=AT.isoformat()))
    return root, added


@pytest.fixture(scope="module")
def book(marketplace: tuple[Path, pa.Table]) -> BookFeatures:
    """The book of the moment AT."""
    folder = marketplace[0] / "lake" / "marketplace" / "book" / "2024-09-30T223000"
    return BookFeatures(folder, feature_lag_days=LAG)


def test_at_its_own_moment_it_says_what_prepare_says_of_the_application(
    marketplace: tuple[Path, pa.Table], book: BookFeatures
) -> None:
    names = [*book.manifest.numeric, *book.manifest.categorical]
    expected = features_of_askers(marketplace[0], names)
    applications = marketplace[1].to_pylist()
    found = {
        one["customer_id"]: book.of(one["customer_id"], one["principal"], one["term"], AT, one["basket_category"])
        for one in applications
    }
    assert len(expected) == len(applications) > 300
    assert {id: repr(row) for id, row in found.items()} == {id: repr(row) for id, row in expected.items()}
    assert {row["applied_at_night"] for row in found.values()} == {1}
    assert len({row["orders_365d"] for row in found.values()}) > 5


def test_history_stays_and_what_is_asked_for_is_computed(
    marketplace: tuple[Path, pa.Table], book: BookFeatures
) -> None:
    someone = marketplace[1]["customer_id"][0].as_py()
    morning = book.of(someone, 50_000, 12, AT - 12 * timedelta(hours=1))
    at_night = book.of(str(someone), 25_000, 6, AT.replace(tzinfo=UTC))
    changed = {name for name in morning if repr(morning[name]) != repr(at_night[name])}
    possible = {"principal", "term", "applied_at_night", "principal_to_mean_order", "principal_to_spent"}
    assert {"principal", "term", "applied_at_night"} <= changed <= possible
    assert repr(morning["instalment_to_spending"]) == repr(at_night["instalment_to_spending"])  # as large each month


def test_it_serves_while_its_history_is_no_older_than_the_lag(book: BookFeatures) -> None:
    assert (book.serves_from, book.serves_until) == (AT - LAG * DAY, AT)
    for at in (AT, AT - LAG * DAY):
        book.check_moment(at)
    told = r"the feature lag of the loan contract, 3 days; .* is 1 day, 2:00:00 too old for an application of .*"
    with pytest.raises(
        StaleBookError,
        match=told + "run `thinfile prepare .* observed_at=2024-10-05T00:30:00 loan.feature_lag_days=3`",
    ):
        book.of(1, 50_000, 6, AT + DAY + timedelta(hours=2))
    with pytest.raises(BookAheadError, match="after the application of 2024-09-27"):
        book.of(1, 50_000, 6, AT - LAG * DAY - timedelta(seconds=1))


@pytest.mark.parametrize("customer_id", [10**9, "10000000000000000000000", "nobody", "", "²", "1.0"])
def test_an_unknown_customer_is_told(customer_id: int | str, book: BookFeatures) -> None:
    with pytest.raises(UnknownCustomerError, match=f"customer '{customer_id}' was not registered before 2024-09-30"):
        book.of(customer_id, 50_000, 6, AT)


@pytest.mark.parametrize(
    ("amount", "term", "message"),
    [
        (0, 6, "amount is 0; use minor units, above 0 and at most 1,000,000,000"),
        (2 * 10**9, 6, "amount is 2000000000"),
        (100, 7, "term is one of 3, 6, 12, 24 months, received 7; correct it"),
    ],
)
def test_what_nobody_may_ask_for_is_refused(amount: int, term: int, message: str, book: BookFeatures) -> None:
    with pytest.raises(RequestError, match=message):
        book.of(1, amount, term, AT)


def test_a_book_of_another_lag_than_the_model_s_is_refused(book: BookFeatures) -> None:
    with pytest.raises(
        DataError, match=r"has a feature lag of 3 days, its model was trained with 1; run .* loan.feature_lag_days=1"
    ):
        BookFeatures(book.folder, feature_lag_days=1)


def test_a_folder_without_a_book_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not a prepared book; run `thinfile prepare population"):
        BookFeatures(tmp_path)


def test_without_a_lag_the_next_step_is_to_learn_with_one(book: BookFeatures) -> None:
    book = BookFeatures(book.folder)
    book.manifest = replace(book.manifest, feature_lag_days=0)
    with pytest.raises(StaleBookError, match=r"learn with loan.feature_lag_days=1 "):
        book.check_moment(AT + DAY)


@pytest.mark.parametrize("spelled", ["0{}", "{}.0", " {}", "+{}", "{}_0", "9" * 30, "-0", "a"])
def test_a_customer_is_found_by_the_id_as_the_book_has_it(spelled: str, book: BookFeatures) -> None:
    customer = asked_customer(book)
    assert book.of(str(customer), 50_000, 6, AT)
    with pytest.raises(UnknownCustomerError):
        book.of(spelled.format(customer), 50_000, 6, AT)


def asked_customer(book: BookFeatures) -> int:
    """Return a customer of the book."""
    (first, *_) = sorted(book.folder.glob("*.parquet"))
    customer: int = pq.read_table(first, columns=["customer_id"])["customer_id"][0].as_py()
    return customer
