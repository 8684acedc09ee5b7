"""A shortened development part: the same test part, the latest months, shares inside each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.applications.settings import SplitSettings
from pipelines.applications.shortened import Shortening
from pipelines.applications.splits import Split, split_applications
from pipelines.credit.loan import add_months
from pipelines.errors import ConfigurationError, DataError
from tests.pipelines.applications.test_splits import applications

DAYS = list(range(720))
BAD = [int(row % 5 == 0) for row in DAYS]


def dated(settings: SplitSettings, *, window: int | None = None) -> tuple[Split, NDArray[np.datetime64]]:
    """Split one application a day; `window` is the months after which outcomes are known."""
    rows = applications(DAYS, BAD)
    assert rows.times is not None
    if window is not None:
        rows = replace(rows, outcome_known_at=add_months(rows.times, window))
    return split_applications(rows, settings), rows.times


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("months", [3, 6, 12])
def test_the_last_months_are_learnt_from_and_the_test_part_and_its_embargo_stay(
    months: int, window: int | None
) -> None:
    whole, times = dated(SplitSettings(), window=window)
    short, _ = dated(SplitSettings(months=months), window=window)
    assert short.test_part == whole.test_part
    assert short.test.tolist() == whole.test.tolist()
    latest = times[whole.development].max()
    assert times[short.development].max() == latest
    since = add_months(np.array([latest]), -months)[0]
    assert short.development.tolist() == [row for row in whole.development.tolist() if times[row] > since]
    assert f"split.months={months}" in short.description
    assert len(short.blocks) == len(short.development)
    assert max(int(fold.held_out.max()) for fold in short.folds) < len(short.development)


def test_more_months_than_there_are_leave_the_split_as_it_is() -> None:
    whole, _ = dated(SplitSettings())
    short, _ = dated(SplitSettings(months=100))
    assert short.development.tolist() == whole.development.tolist()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.floats(0.2, 1), st.floats(0.2, 1), st.booleans())
def test_a_larger_share_has_the_rows_of_a_smaller_one(seed: int, one: float, other: float, has_times: bool) -> None:
    rows = applications(DAYS if has_times else None, BAD)
    parts = [split_applications(rows, SplitSettings(seed=seed, share=share)) for share in sorted((one, other))]
    small, large = ({*part.development.tolist()} for part in parts)
    assert small <= large
    assert parts[0].test_part == parts[1].test_part


def test_a_share_keeps_the_bad_rate() -> None:
    bad = np.array(BAD, np.int8)
    kept = Shortening(share=0.25).keep(bad)
    assert (len(kept), int(bad[kept].sum())) == (180, 36)


@pytest.mark.parametrize(
    ("changed", "has_times", "message"),
    [
        ({"months": 0}, True, "split.months is 0; set at least 1"),
        ({"share": 0.0}, True, "split.share is 0.0; set a share above 0 and at most 1"),
        ({"share": 1.5}, False, "split.share is 1.5"),
        ({"months": 6}, False, "split.months is 6 but data.time is not set; add data.time=COLUMN, or"),
    ],
)
def test_settings_out_of_range_are_refused(changed: dict[str, float], has_times: bool, message: str) -> None:
    rows = applications(DAYS if has_times else None, BAD)
    with pytest.raises(ConfigurationError, match=message):
        split_applications(rows, SplitSettings(**changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "changed", "message"),
    [
        (
            DAYS,
            {"months": 1, "folds": 7},
            r"split\.months=1 leaves 30 of the \d+ .*, 6 of them bad, too few for 7 folds",
        ),
        (
            None,
            {"share": 0.02},
            r"split\.share=0\.02 leaves 10 of the 504 .*, 2 of them bad, too few for 5 folds; raise",
        ),
        (DAYS, {"months": 6, "share": 0.01}, r"split\.months=6 and split\.share=0\.01 leaves"),
    ],
)
def test_too_few_rows_are_one_message(days: list[int] | None, changed: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_applications(applications(days, BAD), SplitSettings(**changed))  # type: ignore[arg-type]
