"""What the values of a column are, and why: found from the values, never from the type that a file gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.reading.marked_numbers import MarkedNumbers, marked_numbers
from pipelines.reading.reading import Reading
from pipelines.reading.texts import is_number, is_text, plain, without_nulls
from pipelines.reading.times import ISO, times
from pipelines.reading.values import EXACT, FALSE, TRUE, Kind, numbers

NEARLY = 0.95
"""From this share of numbers on, a column is numeric and its other rows break the contract."""
LEADING_ZERO = r"^ *[+-]?0[0-9]"
LIKE_A_DATE = (
    r"^ *(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/. ](?:[0-9]{1,2}|[A-Za-z]{3,9})[-/. ][0-9]{2,4})"
    r"(?:[ T].*)?$"
)
LONG_NUMBER = r"^ *[+-]?[0-9]{16,} *$"
FLAG, MOST_SPELLINGS = rf"{TRUE}|{FALSE}|[+-]?[01](\.0*)?", 24
"""Spellings of true and false, and the most that a column has."""


@dataclass(frozen=True)
class ColumnType:
    """What a column is taken for, and why. A reader should look at a `notable` reason: other types were possible.

    `marks` are those that keep the values of the column from being numbers, which nothing declares.
    """

    kind: Kind
    why: str
    notable: bool = False
    marks: MarkedNumbers | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return what was recorded with `to_record`."""
        return cls(Kind(record["kind"]), str(record["why"]), bool(record.get("notable")))

    def to_record(self) -> dict[str, Any]:
        """Return a record of plain values."""
        return {"kind": self.kind.value, "why": self.why} | ({"notable": True} if self.notable else {})

    @property
    def is_numeric(self) -> bool:
        """Whether a feature of this type is a number."""
        return self.kind in (Kind.number, Kind.flag)


TIMES = ColumnType(Kind.time, "declared to be times")


def column_type(column: pa.ChunkedArray, reading: Reading) -> ColumnType:
    """Return what a column is taken for.

    >>> column_type(pa.chunked_array([["1", "2.5", None]]), Reading())
    ColumnType(kind=<Kind.number: 'number'>, why='all 2 values are numbers', notable=False, marks=None)
    >>> column_type(pa.chunked_array([["01", "12"]]), Reading()).why
    'values have leading zeros'
    """
    column = plain(column)
    kind = column.type
    if pt.is_nested(kind):
        return ColumnType(Kind.nested, f"values are of type {kind}")
    if column.null_count == len(column):
        return ColumnType(Kind.empty, "no row has a value")
    if is_text(kind):
        return _of_text(without_nulls(column, reading), reading)
    if is_number(kind):
        return _of_numbers(column, reading)
    if pt.is_boolean(kind):
        return ColumnType(Kind.flag, "values are true and false")
    if pt.is_temporal(kind):
        return ColumnType(Kind.time, "values are times")
    return ColumnType(Kind.nested, f"values are of type {kind}")


def _of_numbers(column: pa.ChunkedArray, reading: Reading) -> ColumnType:
    values, _ = numbers(column, reading)
    known = values[~np.isnan(values)]
    if not len(known):
        return ColumnType(Kind.empty, "no row has a value")
    if not pt.is_floating(column.type) and np.abs(known).max() > EXACT and _is_beyond_doubles(column):
        return ColumnType(Kind.text, "whole numbers have more digits than a number holds exactly", notable=True)
    return _number_or_flag(known, odd=0, example="")


def _is_beyond_doubles(column: pa.ChunkedArray) -> bool:
    whole_numbers = (one for one in column.to_pylist() if one is not None and abs(one) > EXACT)
    return any(one == int(one) and int(float(one)) != int(one) for one in whole_numbers)


def _of_text(texts: pa.ChunkedArray, reading: Reading) -> ColumnType:
    known = len(texts) - texts.null_count
    if not known:
        return ColumnType(Kind.empty, "no row has a value")
    zeros = texts.filter(pc.fill_null(pc.match_substring_regex(texts, LEADING_ZERO), False))
    if len(zeros) and not pc.all(pc.match_substring_regex(zeros, LIKE_A_DATE)).as_py():
        return ColumnType(Kind.text, "values have leading zeros", notable=True)
    long = texts.filter(pc.fill_null(pc.match_substring_regex(texts, LONG_NUMBER), False))
    if any(int(float(one)) != int(one) for one in long.to_pylist()):
        return ColumnType(Kind.text, "whole numbers have more digits than a number holds exactly", notable=True)
    values, broken = numbers(texts, reading)
    read, odd = values[~np.isnan(values)], 0 if broken is None else int(broken.sum())
    if not len(read) and not odd:
        return ColumnType(Kind.empty, "no row has a value")
    if odd and _are_flags(texts):
        return ColumnType(Kind.flag, "values are true and false")
    if odd and (marks := _marks(texts, broken)):
        return ColumnType(Kind.text, f"numbers have marks, such as '{marks.example}'", notable=True, marks=marks)
    if odd and not len(read):
        return _time_or_words(texts, reading, known)
    example = "" if broken is None else str(texts.filter(pa.array(broken))[0])
    if len(read) >= NEARLY * (len(read) + odd):
        return _number_or_flag(read, odd, example)
    return ColumnType(Kind.text, _why_text(odd, len(read) + odd, texts, broken), notable=True)


def _marks(texts: pa.ChunkedArray, broken: NDArray[np.bool_] | None) -> MarkedNumbers | None:
    """Return the marks of the values that are not numbers; the numbers beside them must have none or the same."""
    is_odd = pa.array(broken)
    odd = pc.unique(texts.filter(is_odd)).to_pylist()
    return marked_numbers(odd, pc.unique(texts.filter(pc.invert(is_odd)).drop_null()).to_pylist())


def _why_text(odd: int, known: int, texts: pa.ChunkedArray, broken: NDArray[np.bool_] | None) -> str:
    """Return why a column with some numbers is text; a word that may mean missing is named with its remedy."""
    words = pc.unique(texts.filter(pa.array(broken))).to_pylist()
    why = f"{odd:,} of {known:,} values are not numbers"
    if len(words) == 1:
        return f"{why}: '{words[0]}' (if it means missing, set data.nulls=['{words[0]}'])"
    return why


def _number_or_flag(known: NDArray[Any], odd: int, example: str) -> ColumnType:
    if odd:
        ending = f"1 is not: '{example}'" if odd == 1 else f"{odd:,} are not, such as '{example}'"
        why = f"{len(known):,} of {len(known) + odd:,} values are numbers; {ending}"
        return ColumnType(Kind.number, why, notable=True)
    if np.isin(known[:1000], (0, 1)).all() and np.isin(known, (0, 1)).all():
        return ColumnType(Kind.flag, "values are 0 and 1")
    return ColumnType(Kind.number, f"all {len(known):,} values are numbers")


def _are_flags(texts: pa.ChunkedArray) -> bool:
    """Return whether a column holds true and false, in any case, beside 1 and 0."""
    words = pc.unique(texts)
    return len(words) <= MOST_SPELLINGS and all(
        re.fullmatch(FLAG, one.strip().lower()) for one in words.to_pylist() if one is not None
    )


def _time_or_words(texts: pa.ChunkedArray, reading: Reading, known: int) -> ColumnType:
    first = texts.drop_null().slice(0, 1000)
    share = pc.mean(pc.match_substring_regex(first, ISO).cast(pa.int8())).as_py()
    if share >= NEARLY or reading.date_format is not None:
        _, odd = times(texts, reading)
        if odd.sum() <= (1 - NEARLY) * known:
            return ColumnType(Kind.time, "values are times")
    if pc.mean(pc.match_substring_regex(first, LIKE_A_DATE).cast(pa.int8())).as_py() >= NEARLY:
        why = f"values look like dates of another format, such as '{first[0]}'; data.date_format reads them as times"
        return ColumnType(Kind.text, why, notable=True)
    return ColumnType(Kind.text, "values are not numbers")
