"""The roles of the columns of an external table: score, PD, segments, band, decision and features."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from pipelines.errors import DataError, nearest
from pipelines.profiles.dimensions import Dimension
from pipelines.profiles.reference_profile import SCORE

NUMBERS, LEVELS, NOTHING = "numbers", "levels", "nothing"
"""Types of columns."""

EMPTY = "holds nothing"


@dataclass(frozen=True)
class TableRoles:
    """The columns that are not features; every other one is.

    `score` is the score of the decision, points or a probability; `pd` is the probability of bad where the score is
    points. `segments` are dimensions by whose values rows are counted too; those with bands stay features.
    `band` and `decision` are counted by name. `categorical` are whole numbers that are codes; `ignored` are neither
    looked at nor counted, such as ids.
    """

    score: str = SCORE
    pd: str | None = None
    segments: tuple[Dimension, ...] = ()
    band: str | None = None
    decision: str | None = None
    categorical: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def coded_segments(self) -> tuple[str, ...]:
        """The dimensions of which each value is a segment."""
        return tuple(one.name for one in self.segments if one.edges is None)

    @property
    def by_name(self) -> tuple[str, ...]:
        """The columns whose values are names or codes."""
        names = (*self.coded_segments, self.band, self.decision, *self.categorical)
        return tuple(name for name in names if name is not None)

    @property
    def named(self) -> dict[str, str]:
        """The columns that must be there, by role."""
        columns = {
            "score": self.score,
            "pd": self.pd,
            "band": self.band,
            "decision": self.decision,
        }
        named = {role: column for role, column in columns.items() if column is not None}
        named |= {f"segments[{number}]": one.name for number, one in enumerate(self.segments)}
        return named | {f"categorical[{number}]": column for number, column in enumerate(self.categorical)}


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table by how they are counted.

    `numeric` are numbers, flags among them, the score first; `categorical` are texts and codes. `left_out` says why a
    column is not counted.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    left_out: Mapping[str, str]


def columns_of(schemas: Sequence[tuple[str, pa.Schema]], roles: TableRoles) -> TableColumns:
    """Return the columns of the files of a table; a file may lack one, whose values are then missing.

    Raises:
        DataError: no file has the column of a role, the score is not a number, two files have a column in different
            types, or two columns have one name.
    """
    kinds: dict[str, str] = {}
    for file, schema in schemas:
        _check_names(file, schema)
        for field in schema:
            kind = _kind(field.type, is_code=field.name in roles.categorical)
            if field.name not in roles.ignored and kinds.setdefault(field.name, kind) != kind:
                kinds[field.name] = _agreed(kinds[field.name], kind, field.name, file)
    _check(kinds, roles)
    apart = {roles.score, roles.pd, *roles.coded_segments, roles.band, roles.decision}
    numeric = tuple(name for name, kind in kinds.items() if kind == NUMBERS and name not in apart)
    categorical = tuple(name for name, kind in kinds.items() if kind == LEVELS and name not in apart)
    others = {name: kind for name, kind in kinds.items() if kind not in (NUMBERS, LEVELS)}
    return TableColumns((roles.score, *numeric), categorical, {name: _why(kind) for name, kind in others.items()})


def _check_names(file: str, schema: pa.Schema) -> None:
    repeated = [name for name, times in Counter(schema.names).items() if times > 1]
    if repeated:
        raise DataError(f"'{file}' has more than one column '{repeated[0]}'; rename all but one")


def _kind(kind: pa.DataType, *, is_code: bool) -> str:
    values = kind.value_type if pt.is_dictionary(kind) else kind
    if pt.is_null(values):
        return NOTHING
    if pt.is_string(values) or pt.is_large_string(values) or pt.is_string_view(values):
        return LEVELS
    if pt.is_integer(values) or pt.is_boolean(values):
        return LEVELS if is_code else NUMBERS
    if pt.is_floating(values) or pt.is_decimal(values):
        return NUMBERS
    return str(values)


def _agreed(kind: str, other: str, column: str, file: str) -> str:
    """Return the type of a column; a file in which it is empty agrees with any type."""
    if NOTHING in (kind, other):
        return other if kind == NOTHING else kind
    raise DataError(
        f"column '{column}' is {kind} in one file of the table and {other} in '{file}'; write it in one type"
    )


def _check(kinds: Mapping[str, str], roles: TableRoles) -> None:
    for role, column in roles.named.items():
        if column not in kinds:
            raise DataError(
                f"{role} is '{column}', which is not a column of the table; {nearest(column, map(str, kinds))}"
            )
        if role.startswith("categorical") and kinds[column] != LEVELS:
            raise DataError(
                f"column '{column}' of categorical has {kinds[column]}; write it as text or whole numbers, or leave it "
                "out of categorical"
            )
    for role in ("score", "pd"):
        named = roles.named.get(role)
        if named is not None and kinds[named] != NUMBERS:
            raise DataError(f"{role} is '{named}', which has {kinds[named]}; name a column of numbers")


def _why(kind: str) -> str:
    return EMPTY if kind == NOTHING else f"holds {kind}, which is neither numbers nor categories"
