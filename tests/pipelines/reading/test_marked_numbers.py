"""Numbers with marks are found and named with the settings that read them; codes are not such numbers."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.reading.column_types import column_type
from pipelines.reading.marked_numbers import marked_numbers
from pipelines.reading.reading import Reading
from pipelines.reading.values import Kind, numbers

NARROW = "\u202f"
"""The space between thousands that French programs write."""


@pytest.mark.parametrize(
    ("texts", "symbols", "thousands", "decimal", "expected"),
    [
        (["1,234 €", "12.50 €"], ["€"], ",", ".", [1234, 12.5]),
        (["1.234,50", "-12"], [], ".", ",", [1234.5, -12]),
        (["12%", "3.5 %"], ["%"], None, ".", [12, 3.5]),
        (["$ 5", "-$1,250,000", "US$ 7"], ["$", "US$"], ",", ".", [5, -1250000, 7]),
        (["1 234,50", f"12{NARROW}345"], [], " ", ",", [1234.5, 12345]),
        (["CHF 1'234.50", "CHF 1’000"], ["CHF"], "'", ".", [1234.5, 1000]),
        (["1,5", "2,75", "3"], [], None, ",", [1.5, 2.75, 3]),
    ],
)
def test_what_is_declared_by_the_remedy_reads_the_numbers(
    texts: list[str], symbols: list[str], thousands: str | None, decimal: str, expected: list[float]
) -> None:
    found = marked_numbers(texts)
    assert found is not None
    assert sorted(found.symbols) == sorted(symbols)
    assert (thousands, decimal) in found.layouts
    column = pa.chunked_array([texts])
    assert column_type(column, Reading()).marks is not None
    reading = Reading(symbols=found.symbols, thousands=thousands, decimal=decimal)
    assert column_type(column, reading).kind is Kind.number
    np.testing.assert_array_equal(numbers(column, reading)[0], expected)


@pytest.mark.parametrize(
    "texts",
    [
        ["A12", "B7"],
        ["12-34", "56-78"],
        ["1-", "2", "3-"],  # grades
        ["+49 170 1234567", "+49 30 901820"],
        ["555 123 456", "600 700 800"],  # telephone numbers in groups of three
        ["123 45", "678 90"],  # postcodes
        ["SW1A 1AA", "EC1A 1BB"],
        ["1.2.3", "1.10.0"],
        ["10.0.0.1", "192.168.0.1"],
        ["31.12.2025", "01.02.2026"],
        ["10-20%", "20-30%"],
        ["<5%", ">5%"],
        ["1,234", "much", "little"],
        ["1,5", "1.5"],  # decimal marks that contradict each other
    ],
)
def test_codes_and_words_are_not_numbers_with_marks(texts: list[str]) -> None:
    assert marked_numbers(texts) is None


def test_a_remedy_that_is_open_names_each_choice() -> None:
    found = marked_numbers(["1,234", "5,678"])
    assert found is not None
    assert found.remedy == """set 'data.decimal=","' or 'data.thousands=","', whichever they mean"""
    longer = marked_numbers(["1,234", "5,678,000"])
    assert longer is not None
    assert longer.remedy == """set 'data.thousands=","'"""
    both = longer.and_those_of(found)
    assert both.remedy == longer.remedy


def test_numbers_without_marks_must_be_of_the_same_layout() -> None:
    assert marked_numbers(["1,5"], plain=["2", "3"]) is not None
    assert marked_numbers(["1,5"], plain=["2.5"]) is None


@pytest.mark.parametrize("texts", [["−5", "12"], ["(1,200.50)", "300"], ["120-", "1.5-"], ["\u00a05", "7"]])
def test_numbers_that_no_setting_reads_are_named_all_the_same(texts: list[str]) -> None:
    found = column_type(pa.chunked_array([texts]), Reading()).marks
    assert found is not None
    assert found.remedy == "write them as plain numbers such as -1234.5"


def test_numbers_without_the_declared_marks_are_named() -> None:
    found = column_type(pa.chunked_array([["1.5", "2.5"]]), Reading(decimal=","))
    assert (found.kind, found.marks is None) == (Kind.text, False)
