"""Gaps that another column explains are no fault, and lost values are one, whatever the mix of people."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.fault import Fault
from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from tests.monitoring.faults.tables import kinds
from tests.pipelines.profiles.test_missing_given import REFERENCE, people, profile


def faults_of(rows: pd.DataFrame, *, sample: bool) -> list[Fault]:
    counts = {one.column: one.count(rows[one.column].to_numpy()) for one in REFERENCE.bins if one.column in rows}
    counts["points"] = np.array(REFERENCE.counts["points"])
    window = Observed("2026-10", len(rows), counts)
    return find_faults(REFERENCE, window, rows if sample else pd.DataFrame())


@pytest.mark.parametrize("sample", [True, False])
@pytest.mark.parametrize("newcomers", [0.1, 0.3, 0.6])
def test_more_newcomers_are_no_fault_and_lost_values_are(newcomers: float, sample: bool) -> None:
    rows = people(3000, 4, newcomers)
    assert faults_of(rows, sample=sample) == []
    rows.loc[np.random.default_rng(5).random(3000) < 0.4, "last_order"] = np.nan
    assert kinds(faults_of(rows, sample=sample)) == [("missing values risen", "last_order")]


def test_the_catalogue_declares_what_the_reference_has_not_seen() -> None:
    def rows(orders: np.ndarray) -> pd.DataFrame:
        mean = np.where(orders > 0, np.random.default_rng(1).lognormal(3, 1, len(orders)), np.nan)
        return pd.DataFrame({"orders_30d": orders, "mean_order_30d": mean})

    generator = np.random.default_rng(0)
    reference = profile(rows(1.0 + generator.poisson(2, 4000)))
    now = rows(np.where(generator.random(2000) < 0.2, 0.0, 1.0 + generator.poisson(2, 2000)))
    counts = {one.column: one.count(now[one.column].to_numpy()) for one in reference.bins[1:]}
    counts["points"] = np.array(reference.counts["points"])
    assert reference.missing_given == {}
    assert find_faults(reference, Observed("2026-10", len(now), counts), pd.DataFrame()) == []
    counts["mean_order_30d"] = reference.bins[2].count(now["mean_order_30d"].mask(np.arange(2000) < 400).to_numpy())
    found = find_faults(reference, Observed("2026-10", len(now), counts), pd.DataFrame())
    assert kinds(found) == [("missing values risen", "mean_order_30d")]
