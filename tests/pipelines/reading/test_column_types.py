"""What a column is taken for follows from its values, and the reason is stated."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from pipelines.errors import DataError
from pipelines.reading.column_types import column_type
from pipelines.reading.reading import Reading
from pipelines.reading.values import Kind, identities, numbers, spelled

DATES, FORMAT = "dates of another format, such as", "data.date_format reads them as times"
MANY = [str(number / 4) for number in range(1499)]


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        (["1", "2.5", " 3", "1e4", "-.5", None], Kind.number, "all 5 values are numbers"),
        ([1, 2, None], Kind.number, "all 2 values are numbers"),
        ([Decimal("1.50"), Decimal("2.00")], Kind.number, "all 2 values are numbers"),
        ([*MANY, "unknown"], Kind.number, "1,499 of 1,500 values are numbers; 1 is not: 'unknown'"),
        ([*MANY, "n/a", "n/a"], Kind.number, "1,499 of 1,501 values are numbers; 2 are not, such as 'n/a'"),
        (
            [*MANY[:80], *["NA"] * 20],
            Kind.text,
            "20 of 100 values are not numbers: 'NA' (if it means missing, set data.nulls=['NA'])",
        ),
        ([*MANY[:80], "low", "high", *"abcdef"], Kind.text, "8 of 88 values are not numbers"),
        (["01", "2", "3"], Kind.text, "values have leading zeros"),
        (["0", "0.5", "10"], Kind.number, "all 3 values are numbers"),
        (["1582218195625938945", "1"], Kind.text, "whole numbers have more digits than a number holds exactly"),
        ([1582218195625938945, 1], Kind.text, "whole numbers have more digits than a number holds exactly"),
        (["1e300", "1152921504606846976"], Kind.number, "all 2 values are numbers"),  # 2^60 is held exactly
        (["True", "false", "1", None], Kind.flag, "values are true and false"),
        ([True, False], Kind.flag, "values are true and false"),
        ([0, 1], Kind.flag, "values are 0 and 1"),
        (["0", "1.0"], Kind.flag, "values are 0 and 1"),
        (["1", "1.0", "TRUE", "0", "False"], Kind.flag, "values are true and false"),
        (["1,234.50", "999"], Kind.text, "numbers have marks, such as '1,234.50'"),
        ([*MANY, "1,234.50"], Kind.text, "numbers have marks, such as '1,234.50'"),
        (["NA", "EU"], Kind.text, "values are not numbers"),
        (["01/02/2026", "31/12/2025"], Kind.text, f"values look like {DATES} '01/02/2026'; {FORMAT}"),
        (["0000-00-00", "2026-10-31"], Kind.text, f"values look like {DATES} '0000-00-00'; {FORMAT}"),
        (["2026-01-31", "2026-02-01 10:00"], Kind.time, "values are times"),
        ([None, "", "nan"], Kind.empty, "no row has a value"),
        ([[1], [2]], Kind.nested, "values are of type list<item: int64>"),
    ],
)
def test_the_type_of_a_column_follows_from_its_values(values: list[object], kind: Kind, why: str) -> None:
    found = column_type(pa.chunked_array([pa.array(values)]), Reading())
    assert (found.kind, found.why) == (kind, why)


def test_words_and_numbers_that_mean_missing_are_declared() -> None:
    reading = Reading(nulls=("NA", "-999"))
    texts = pa.chunked_array([["1", "NA", "-999", "-999.0", ""]])
    values, broken = numbers(texts, reading)
    assert (values.tolist()[0], np.isnan(values).tolist(), broken) == (1.0, [False, True, True, True, True], None)
    assert numbers(pa.chunked_array([[1.0, -999.0]]), reading)[0].tolist()[0] == 1.0
    assert column_type(texts, reading).kind is Kind.flag  # only 1 is left
    assert spelled(pa.array(["NA", "x"]), Kind.text, reading) == [None, "x"]


def test_numbers_are_read_with_the_marks_that_are_declared() -> None:
    reading = Reading(decimal=",", thousands=".")
    values, broken = numbers(pa.chunked_array([["1.234,5", "7", "-0,25", "1.23", "1.5"]]), reading)
    assert values[:3].tolist() == [1234.5, 7.0, -0.25]
    assert broken is not None
    assert broken.tolist() == [False, False, False, True, True]  # no group of three digits


def test_numbers_are_the_doubles_nearest_to_what_is_written() -> None:
    texts = ["0.1", "1.7976931348623157e308", "2.2250738585072014e-308", "9007199254740993", "0.30000000000000004"]
    values, _ = numbers(pa.chunked_array([texts]), Reading())
    assert values.tolist() == [float(one) for one in texts]
    decimals = pa.array([Decimal("0.1"), Decimal("123456789012.34")], pa.decimal128(30, 10))
    assert numbers(pa.chunked_array([decimals]), Reading())[0].tolist() == [0.1, 123456789012.34]


def test_ids_are_text_exactly_as_written() -> None:
    texts = ["0000007", " 7", "NA", "1582218195625938945", None]
    assert identities(pa.chunked_array([texts])).to_pylist() == texts
    whole = pa.array([1582218195625938945, None])
    assert identities(pa.chunked_array([whole])).to_pylist() == ["1582218195625938945", None]
    huge = pa.array([Decimal("99999999999999999999999999999999999999")], pa.decimal128(38, 0))
    assert identities(pa.chunked_array([huge])).to_pylist() == ["9" * 38]


def test_day_first_dates_are_times_where_their_format_is_declared() -> None:
    column = pa.chunked_array([["01/02/2026", "31/12/2025"]])
    assert column_type(column, Reading(date_format="%d/%m/%Y")).kind is Kind.time


def test_ids_in_bytes_are_refused() -> None:
    with pytest.raises(DataError, match="ids are stored as bytes; write them as text"):
        identities(pa.chunked_array([[b"A1"]]))


def test_ids_that_have_lost_their_digits_are_refused() -> None:
    assert identities(pa.chunked_array([[7.0, None]])).to_pylist() == ["7", None]
    with pytest.raises(DataError, match="ids are stored as doubles, which have lost their last digits"):
        identities(pa.chunked_array([[1582218195625938945.0]]))
