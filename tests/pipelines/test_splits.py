"""Splits look back only, keep equal times together, and never share a row."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.applications import Applications
from pipelines.errors import ConfigurationError, DataError
from pipelines.roles import Roles
from pipelines.settings import SplitSettings
from pipelines.splits import split_applications

ROLES = Roles(id="id", time="t", label="bad", bad="1", protected=(), numeric=("x",), categorical=())


def applications(days: list[int] | None, bad: list[int]) -> Applications:
    rows = len(bad)
    return Applications(
        features=pd.DataFrame({"x": np.zeros(rows)}),
        ids=np.array([f"A{row:04d}" for row in range(rows)]),
        times=None if days is None else np.datetime64("2024-01-01", "us") + np.array(days) * np.timedelta64(1, "D"),
        bad=np.array(bad, dtype=np.int8),
        protected=pd.DataFrame(index=range(rows)),
        roles=ROLES,
        fingerprint="f",
        quarantined={},
    )


ALTERNATING = [0, 1] * 100


def test_out_of_time_folds_and_test_look_back_only() -> None:
    days = np.random.default_rng(0).permutation(200).tolist()
    given_rows = applications(days, ALTERNATING)
    split = split_applications(given_rows, SplitSettings(cutoff="2024-05-30"), seed=0)
    times = given_rows.times
    assert times is not None
    assert times[split.development].max() < np.datetime64("2024-05-30") <= times[split.test].min()
    assert len(split.test) == 50
    for fold in split.folds:
        fit, held_out = times[split.development][fold.fit], times[split.development][fold.held_out]
        assert fit.max() < held_out.min()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=60, max_size=120))
def test_equal_times_stay_on_one_side(days: list[int]) -> None:
    given_rows = applications(days, [row % 2 for row in range(len(days))])
    try:
        split = split_applications(given_rows, SplitSettings(folds=2), seed=0)
    except DataError:
        return  # too few days to give every part both outcomes: said so, not split wrongly
    times = given_rows.times
    assert times is not None
    assert not set(times[split.development]) & set(times[split.test])
    for fold in split.folds:
        development = times[split.development]
        assert not set(development[fold.fit]) & set(development[fold.held_out])


def test_without_times_parts_are_stratified_and_disjoint() -> None:
    bad = [1] * 60 + [0] * 140
    split = split_applications(applications(None, bad), SplitSettings(), seed=0)
    assert sorted([*split.development, *split.test]) == list(range(200))
    assert (len(split.test), np.array(bad)[split.test].sum()) == (60, 18)
    held_out = np.concatenate([fold.held_out for fold in split.folds])
    assert sorted(held_out) == list(range(140))


def test_the_test_part_is_known_by_its_applications_not_by_their_order() -> None:
    rows = applications(None, ALTERNATING)
    shuffled = replace(rows, ids=rows.ids[::-1].copy())
    first, second = (split_applications(one, SplitSettings(), seed=0) for one in (rows, shuffled))
    assert (first.test_part == second.test_part) == (set(rows.ids[first.test]) == set(shuffled.ids[second.test]))
    assert split_applications(rows, SplitSettings(), seed=1).test_part != first.test_part


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"test": 1.5}, r"split.test must lie between 0 and 1, received 1.5; use"),
        ({"folds": 1}, "split.folds must be at least 2, received 1; use"),
        ({"cutoff": "next year"}, "split.cutoff must be an ISO date, received 'next year'; write"),
    ],
)
def test_a_split_outside_its_range_is_told(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        split_applications(applications(list(range(200)), ALTERNATING), SplitSettings(**changed), seed=0)  # type: ignore[arg-type]


def test_a_cutoff_without_a_time_role_is_told() -> None:
    with pytest.raises(ConfigurationError, match="needs a time role"):
        split_applications(applications(None, ALTERNATING), SplitSettings(cutoff="2024-01-01"), seed=0)
