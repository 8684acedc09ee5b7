"""The features of real purchase logs, at moments that were made up, as the oracle has them."""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.tables import CONTRACTS
from tests.evidence.purchase_logs.applicants import with_made_up_applications
from tests.evidence.purchase_logs.real_logs import ONLINE_RETAIL, real_logs
from tests.pipelines.features.oracle import features as oracle

ASKED, CHECKED = 2_000, 36
DECLARED = {
    "CDNOW": FeatureSettings(),
    "Complete Journey": FeatureSettings(categories=["GROCERY", "MEAT", "DRUG GM"], time_zone="America/New_York"),
    "Online Retail": FeatureSettings(time_zone="Europe/London"),
}
NEEDS_CATEGORIES = ("categories", "category_entropy")


@pytest.fixture(scope="module")
def logs() -> dict[str, pa.Table]:
    return real_logs()


def rows_of(history: History, ids: set[Any]) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of some customers, with every column of the contracts, as the oracle takes them."""
    tables = {}
    for contract in CONTRACTS:
        table = getattr(history, contract.name)
        if "customer_id" in table.column_names:
            table = table.filter(pc.is_in(table["customer_id"], value_set=pa.array(ids, table["customer_id"].type)))
        nothing = dict.fromkeys(column.name for column in contract.columns)
        tables[contract.name] = [nothing | row for row in table.to_pylist()]
    return tables


@pytest.mark.parametrize("name", DECLARED)
def test_the_kernel_agrees_with_the_oracle_on_a_whole_real_log(name: str, logs: dict[str, pa.Table]) -> None:
    if name not in logs:
        pytest.skip(f"no {ONLINE_RETAIL.name} beside the repository")
    settings, history = DECLARED[name], with_made_up_applications(logs[name], ASKED)
    found = {row["application_id"]: row for row in compute_features(history, settings, lag_days=3).to_pylist()}
    # given a few dozen of the customers, among them the one with the most orders
    asked = history.applications["customer_id"]
    counts = pc.value_counts(history.orders["customer_id"].filter(pc.is_in(history.orders["customer_id"], asked)))
    most = max(counts.to_pylist(), key=lambda one: one["counts"])["values"]
    expected = oracle(rows_of(history, {most, *asked[:CHECKED].to_pylist()}), settings, 3)
    assert len(expected) >= CHECKED
    for application, row in expected.items():
        told = found[application]
        told.pop("application_id")
        assert all(missing.startswith(NEEDS_CATEGORIES) for missing in row.keys() - told.keys())
        assert {name: (told[name], row[name]) for name in told if not same(told[name], row[name])} == {}


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        both_missing = math.isnan(found) and math.isnan(expected)
        return both_missing or math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == expected)


def test_made_up_applications_are_of_customers_who_had_ordered_in_the_second_half(logs: dict[str, pa.Table]) -> None:
    orders = logs["CDNOW"]
    history = with_made_up_applications(orders, ASKED)
    applications = history.applications.to_pandas()
    first, span = orders.to_pandas().groupby("customer_id")["ordered_at"].min(), pc.min_max(orders["ordered_at"])
    start, end = span["min"].as_py(), span["max"].as_py()
    assert applications["applied_at"].between(start + (end - start) / 2, end).all()
    assert (first.loc[applications["customer_id"]].to_numpy() < applications["applied_at"].to_numpy()).all()
    assert 0.9 * ASKED < len(applications) <= ASKED  # everybody there first ordered in the first three months
    assert applications["customer_id"].nunique() > 0.9 * len(applications)
    assert (len(history.customers), len(history.instalments)) == (0, 0)
    assert history.applications.equals(with_made_up_applications(orders, ASKED).applications)
    assert not history.applications.equals(with_made_up_applications(orders, ASKED, seed=1).applications)
