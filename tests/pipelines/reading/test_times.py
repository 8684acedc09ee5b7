"""Times: ISO, a declared format, never; years that cannot be meant are refused."""

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from pipelines.errors import DataError
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


def test_years_that_cannot_be_meant_are_refused_or_mean_never() -> None:
    for text, advice in (("9999-12-31", r"data.never=\[9999-12-31\]"), ("0006-01-01", "data.date_format")):
        found, _ = times(pa.chunked_array([["2025-01-01", text]]), Reading())
        with pytest.raises(DataError, match=rf"time column 'paid_at' has {text} \(1 of 2 rows\), .*{advice}"):
            check_years("paid_at", found)
    found, odd = times(pa.chunked_array([["2025-01-01", "9999-12-31"]]), Reading(never=("9999-12-31",)))
    check_years("paid_at", found)
    assert (np.isnat(found).tolist(), odd.tolist()) == ([False, True], [False, False])
