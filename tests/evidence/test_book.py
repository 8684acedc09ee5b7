"""The book says of a customer what prepare says of an application that the customer made at that moment."""

from pathlib import Path
from typing import Any

import pyarrow.dataset as pds
import pytest

from pipelines.book.lookup import BookFeatures
from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence
from tests.pipelines.book.askers import AT, REFERENCE, features_of_askers, marketplace_with_askers

LAGS = (0, 7)


@pytest.mark.integration
def test_the_book_and_applications_have_the_same_features(evidence: Evidence, tmp_path: Path) -> None:
    customers = evidence.size(full=100_000, reduced=400)
    compared, differ = 0, 0
    for lag in LAGS:
        workspace = tmp_path / str(lag)
        asked = marketplace_with_askers(workspace, customers, seed=lag).to_pylist()
        expected, rows, book = _prepared(workspace, lag)
        for one in asked:
            theirs = expected[one["customer_id"]]
            found = [book.of(one["customer_id"], one["principal"], one["term"], AT, one["basket_category"])]
            if (one["principal"], one["term"], one["basket_category"]) == (REFERENCE.amount, REFERENCE.term, None):
                found.append(rows[one["customer_id"]])
            compared += len(found)
            differ += sum(repr(row) != repr(theirs) for row in found)
    features = len(book.manifest.numeric) + len(book.manifest.categorical)
    evidence.record(
        "50-book",
        claim=f"customers who applied at the very moment of the book: each of {features} features, in the prepared "
        "book (those who asked for its reference loan) and looked up by customer with what they asked for, against "
        "the row that prepare makes of the application, with feature lags of 0 and 7 days; to the last bit",
        value=f"{differ:,} of {compared:,} rows differ",
        bound="none",
        holds=differ == 0 < compared,
    )
    assert differ == 0 < compared


def _prepared(workspace: Path, lag: int) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]], BookFeatures]:
    """Prepare applications and book, and return the features of those who asked, of the book, and the book opened."""
    words = (f"workspace={workspace}", f"loan.feature_lag_days={lag}", "features.time_zone=Europe/Berlin")
    answer("prepare", "loan=dpd30_at_3_mob", "loan.as_of=2025-01-01", *words)
    told = answer("prepare", "population=book", f"observed_at='{AT.isoformat()}'", *words)
    book = BookFeatures(told["book"], feature_lag_days=lag)
    names = [*book.manifest.numeric, *book.manifest.categorical]
    rows = pds.dataset(told["book"]).to_table(["customer_id", *names]).to_pylist()
    return features_of_askers(workspace, names), {row.pop("customer_id"): row for row in rows}, book
