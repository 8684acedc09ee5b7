"""Counts that are written with the decisions are those of the rows, overall and by segment; parts add up."""

from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.window_profile import WindowProfile
from tests.pipelines.batch.conftest import Bench, applications, score_it, written

pytestmark = pytest.mark.usefixtures("small_parts")

REFERENCE = np.random.default_rng(0).lognormal(size=2000)


def oracle(bins: FrozenBins, values: np.ndarray) -> list[int]:
    """Count by sorting every value into its bin, in double precision."""
    assert bins.edges is not None
    numbers = values.astype(np.float64)
    places = 2 + np.searchsorted(np.asarray(bins.edges), numbers, side="left")
    places[numbers < bins.lowest] = 1
    places[numbers > bins.highest] = len(bins.labels) - 1
    places[np.isnan(numbers)] = 0
    return np.bincount(places, minlength=len(bins.labels)).tolist()


@given(
    st.sampled_from(
        [REFERENCE, REFERENCE.astype(np.float32).astype(float), np.ones(50), np.full(30, np.nan), REFERENCE[:3]]
    ),
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda kind: arrays(kind, st.integers(0, 60), elements=st.floats(-1, 5, width=32, allow_subnormal=False))
    ),
)
def test_numbers_are_counted_as_if_each_were_sorted_in(reference: np.ndarray, values: np.ndarray) -> None:
    bins = FrozenBins.of_numbers("x", reference)
    edges = np.array([*(bins.edges or ()), bins.lowest, bins.highest], dtype=values.dtype)
    near = np.concatenate([values, edges, np.nextafter(edges, -9), np.nextafter(edges, 9), [np.nan]]).astype(
        values.dtype
    )
    assert bins.count(near).tolist() == oracle(bins, near)


def test_edges_that_single_precision_cannot_hold_count_as_they_are() -> None:
    bins = FrozenBins.of_numbers("x", np.linspace(0.1, 0.9, 1001))
    values = np.array(bins.edges, dtype=np.float32)  # some a little above their edge, some below
    assert bins.count(values).tolist() == oracle(bins, values)
    huge = FrozenBins("x", (1.0, 1e300), -1e300, 1e301)
    assert huge.count(np.array([3e38, -3e38, 0.5], np.float32)).tolist() == oracle(huge, np.array([3e38, -3e38, 0.5]))


def test_counts_beside_a_scored_period_are_those_of_its_rows(bench: Bench, tmp_path: Path) -> None:
    table = applications(600)
    score_it(bench, input=str(written(table, tmp_path / "table.parquet")), segments=["region"])
    key, log = bench.key(), bench.log
    profiles = [log.profile(key, partition) for partition in log.partitions(key)]
    total = reduce(add, [one for one in profiles if one is not None])
    rows = log.decisions(key).merge(table, on="application_id")
    assert rows["segment"].isna().sum() == 60
    pd.testing.assert_series_equal(rows["segment"], rows["region"], check_names=False)
    parts = {f"region={name}": rows["region"] == name for name in ("north", "south")}
    assert rows["segments"].map(list).tolist() == [[] if one is None else [f"region={one}"] for one in texts(rows)]
    assert set(total.segments) == set(parts)
    for tally, some in [(total.overall, rows), *((total.segments[name], rows[kept]) for name, kept in parts.items())]:
        assert tally.rows == len(some)
        assert tally.decisions == some["decision"].value_counts().to_dict()
        assert tally.bands == some["band"].value_counts().to_dict()
        assert sum(tally.reasons.values()) == some["reasons"].dropna().map(len).sum()
        for bins in bench.reference.bins:
            values = some["points"].astype(float) if bins.column == SCORE else some[bins.column]
            if bins.edges is not None:
                assert tally.columns[bins.column].tolist() == oracle(bins, values.to_numpy(float))
            else:
                assert tally.columns[bins.column].tolist() == levels(bins, values)


def texts(rows: pd.DataFrame) -> list[str | None]:
    return [one if isinstance(one, str) else None for one in rows["region"]]


def levels(bins: FrozenBins, values: pd.Series) -> list[int]:
    known = [values.isna().sum(), *((values == level).sum() for level in bins.levels), values.isin(bins.rare).sum()]
    return [int(count) for count in [*known, len(values) - sum(known)]]


def test_profiles_add_up_in_any_order_and_survive_their_spelling() -> None:
    def made(rows: int, segment: str) -> WindowProfile:
        counts = Tally(rows, {"x": np.array([rows, 1])})
        counts.bands["low"] = rows
        return WindowProfile("bins", counts, {segment: counts})

    one, two, three = made(1, "a"), made(2, "b"), made(3, "a")
    told = {((one + two) + three).to_json(), (three + (two + one)).to_json(), (two + (three + one)).to_json()}
    assert len(told) == 1
    assert WindowProfile.from_json(one.to_json()).to_json() == one.to_json()
