"""Special codes: numbers of a column that are no amounts, such as -9 for "no record".

Such a column becomes two: its numbers, in which codes are missing, and its codes, a category with a level for each.
Every family, reference profile and reason then has the codes apart from the amounts, without knowing of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigurationError
from pipelines.reading.spelling import spelled_number

SUFFIX = " (code)"
AMOUNT = "an amount"
"""The level of the category of codes for values that are none."""

Codes = Mapping[str, tuple[str, ...]]
"""The codes of each column, as they are spelled."""


def codes_of(special: Mapping[str, Any], group: str = "data") -> dict[str, tuple[str, ...]]:
    """Return declared codes as numbers are spelled. Raises ConfigurationError for a code that is not a number."""
    found = {}
    for name, one in special.items():
        codes = one if isinstance(one, list | tuple) else [one]
        for code in codes:
            try:
                float(code)
            except (TypeError, ValueError):
                raise ConfigurationError(
                    f"{group}.special.{name} has '{code}', which is not a number; list the numbers that are codes"
                ) from None
        found[name] = tuple(spelled_number(float(code)) for code in codes)
    return found


def code_column(name: str) -> str:
    """Return the name of the category of the codes of a column.

    >>> code_column("score_bureau")
    'score_bureau (code)'
    """
    return name + SUFFIX


def code_columns(codes: Iterable[str]) -> dict[str, str]:
    """Return the column of numbers of each category of codes."""
    return {code_column(name): name for name in codes}


def split_columns(columns: Mapping[str, Any], special: Codes) -> dict[str, Any]:
    """Return columns in which each one with special codes is two: its numbers, and the category of its codes.

    >>> {name: values.tolist() for name, values in split_columns({"x": np.array([-9.0, 4.0])}, {"x": ("-9",)}).items()}
    {'x': [nan, 4.0], 'x (code)': ['-9', 'an amount']}
    """
    found = dict(columns)
    for name, codes in special.items():
        if name in found:
            found[name], found[code_column(name)] = split_codes(found[name], codes)
    return found


def split_codes(values: NDArray[Any], codes: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.object_]]:
    """Return numbers without their codes, NaN in their place, and the level of each: its code, an amount, or None.

    >>> values, levels = split_codes(np.array([-9.0, 4.0, np.nan]), ["-9", "-8"])
    >>> values.tolist(), levels.tolist()
    ([nan, 4.0, nan], ['-9', 'an amount', None])
    """
    levels = np.full(len(values), AMOUNT, dtype=object)
    levels[np.isnan(values)] = None
    for code in codes:
        levels[values == float(code)] = code
    is_code = np.isin(values, [float(code) for code in codes])
    return np.where(is_code, values.dtype.type(np.nan), values), levels
