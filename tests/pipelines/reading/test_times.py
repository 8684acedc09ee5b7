"""Times: ISO, a declared format, never; years that cannot be meant are refused."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from pipelines.errors import ConfigurationError, DataError
from pipelines.reading.date_formats import check_format
from pipelines.reading.reading import Reading
from pipelines.reading.times import check_years, times


def read(values: list[object] | pa.Array, **settings: object) -> tuple[list[str], list[bool]]:
    found, odd = times(pa.chunked_array([pa.array(values)]), Reading(**settings))  # type: ignore[arg-type]
    return np.datetime_as_string(found, unit="m").tolist(), odd.tolist()


def test_iso_text_and_types_of_time_are_the_same_moments() -> None:
    expected = ["2026-03-01T10:30", "2026-03-01T00:00", "NaT"]
    assert read(["2026-03-01 11:30+01:00", "2026-03-01", None]) == (expected, [False] * 3)
    assert read([datetime(2026, 3, 1, 10, 30), datetime(2026, 3, 1), None]) == (expected, [False] * 3)
    assert read([date(2026, 3, 1)]) == (expected[1:2], [False])


def test_other_formats_are_read_only_where_they_are_declared() -> None:
    assert read(["31/12/2025", "12/31/2025"]) == (["NaT", "NaT"], [True, True])
    assert read(["31/12/2025", "2025-12-31"], date_format="%d/%m/%Y") == (["2025-12-31T00:00"] * 2, [False] * 2)
    assert read(["Jan-2025"], date_format="%b-%Y") == (["2025-01-01T00:00"], [False])


@pytest.mark.parametrize(
    "values",
    [
        ["20251231", None],
        ["20251231.0", ""],  # as data frames write whole numbers beside missing ones
        [20251231, None],
        [20251231.0, None],
        [Decimal("20251231.00"), None],
    ],
    ids=lambda values: repr(values[0]),
)
def test_digits_are_dates_in_every_type_where_their_format_is_declared(values: list[object]) -> None:
    assert read(values, date_format="%Y%m%d") == (["2025-12-31T00:00", "NaT"], [False, False])
    assert read(values) == (["NaT", "NaT"], [True, False])


def test_seconds_and_milliseconds_since_1970_are_times_where_they_are_declared() -> None:
    expected = (["2025-12-31T10:30", "NaT"], [False, False])
    for values in ([1767177000, None], ["1767177000", None], [1767177000.0, None]):
        assert read(values, date_format="epoch_s") == expected
    for values in ([1767177000000, None], ["1767177000000", None]):
        assert read(values, date_format="epoch_ms") == expected
    assert read(["2025-12-31", "soon"], date_format="epoch_s") == (["2025-12-31T00:00", "NaT"], [False, True])
    assert read([10**18], date_format="epoch_s") == (["NaT"], [True])


@pytest.mark.parametrize(
    ("date_format", "message"),
    [
        ("%d/%m", "is '%d/%m', which has no year"),
        ("dd/mm/yyyy", "has no year"),
        ("%H:%M", "has no year"),
        ("100%%Y", "has no year"),
        ("%d-%Y", "has a day and no month"),
        ("%Y-%m-%Q", "is not a format"),
        ("%Y-%m-%Y", "is not a format"),
        ("epoch", "has no year"),
    ],
)
def test_a_format_that_no_date_can_have_is_refused(date_format: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"data.date_format .*{message}"):
        check_format(date_format)


@pytest.mark.parametrize("date_format", [None, "%b-%Y", "%d/%m/%y", "%Y%m%d", "%Y", "%Y%j", "epoch_s", "epoch_ms"])
def test_formats_with_a_year_are_accepted(date_format: str | None) -> None:
    check_format(date_format)


def test_years_that_cannot_be_meant_are_refused_or_mean_never() -> None:
    for text, advice in (("9999-12-31", r"data.never=\[9999-12-31\]"), ("0006-01-01", "data.date_format")):
        found, _ = times(pa.chunked_array([["2025-01-01", text]]), Reading())
        with pytest.raises(DataError, match=rf"time column 'paid_at' has {text} \(1 of 2 rows\), .*{advice}"):
            check_years("paid_at", found)
    found, odd = times(pa.chunked_array([["2025-01-01", "9999-12-31"]]), Reading(never=("9999-12-31",)))
    check_years("paid_at", found)
    assert read(["0000-00-00"], never=("0000-00-00",)) == (["NaT"], [False])
    assert (np.isnat(found).tolist(), odd.tolist()) == ([False, True], [False, False])
