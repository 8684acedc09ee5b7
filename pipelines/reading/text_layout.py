"""The layout of a text file: its delimiter, the names of its columns, and whether its lines end with a delimiter."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipelines.errors import DataError
from pipelines.reading.encodings import UNREADABLE, encoding_of, open_text
from pipelines.reading.settings import TAB_WORDS, TextSettings

DELIMITERS = ",;\t|"
TAB = "\t"


@dataclass(frozen=True)
class TextLayout:
    """The encoding of a text file and how it is divided.

    With `is_trailing` every line ends with a delimiter that divides nothing.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    has_header: bool = True
    is_trailing: bool = False


def layout_of(path: Path, settings: TextSettings, *, group: str = "data") -> TextLayout:
    """Return the layout of a text file from its first two lines and from what is declared.

    The delimiter is that which divides the first line most. Nothing else is guessed: detection from a sample can
    silently skip lines, read a row as a comment or repair an open quotation mark.

    Raises:
        DataError: the file is empty or not in its encoding; two columns have one name; the second line has more fields
            than there are names.
    """
    encoding = encoding_of(path, settings.encoding, group)
    first, second = _first_lines(path, encoding, group)
    if not first:
        problem = "its first line is empty); remove the line" if second.strip() else "it is empty); check the file"
        raise DataError(f"'{path}' cannot be read as csv ({problem}")
    if re.fullmatch(r"sep=.", first, re.IGNORECASE):
        raise DataError(f"'{path}' begins with '{first}', a note of spreadsheets and not a header; remove the line")
    delimiter = settings.delimiter or max(DELIMITERS, key=lambda mark: len(_fields(path, first, mark)))
    delimiter = TAB if delimiter in TAB_WORDS else delimiter
    names, row = (_fields(path, record, delimiter) for record in (first, second))
    if not settings.header:
        names, row = settings.names, names
    is_trailing = len(row) == len(names) + 1 and row[-1] == ""
    if settings.header and names[-1] == "" and (not row or row[-1] == "") and len(names) > 1:
        names, is_trailing = names[:-1], True  # the header ends with a delimiter too
    if len(row) > len(names) + is_trailing:
        raise DataError(
            f"'{path}' has {len(row)} fields in its first row and {len(names)} column names; add the missing names to "
            f"its header, or set {group}.names"
        )
    if settings.names:
        if len(settings.names) != len(names):
            raise DataError(
                f"{group}.names has {len(settings.names)} names and '{path}' has {len(names)} columns; name each column"
            )
        names = list(settings.names)
    names = [name or f"Unnamed: {index}" for index, name in enumerate(names)]
    _check_names(path, names)
    return TextLayout(encoding, delimiter, tuple(names), settings.header, is_trailing)


def _first_lines(path: Path, encoding: str, group: str) -> tuple[str, str]:
    """Return the first two records as text; a quoted field may hold a line break."""
    try:
        with open_text(path, encoding) as file:
            lines = list(islice(file, 2))
            while lines and "".join(lines).count('"') % 2 and len(lines) < 100 and (more := file.readline()):
                lines.append(more)
    except UnicodeError as error:
        raise DataError(
            f"'{path}' cannot be read as csv (it is not {encoding.removesuffix('-sig')}: {error}); set "
            f"{group}.encoding, for example {group}.encoding=latin-1"
        ) from error
    except UNREADABLE as error:
        raise DataError(f"'{path}' cannot be read as csv ({error}); check the file") from error
    if lines and lines[0].count('"') % 2:  # the header itself goes on
        end = next((n for n in range(1, len(lines)) if "".join(lines[: n + 1]).count('"') % 2 == 0), len(lines) - 1)
        return "".join(lines[: end + 1]), "".join(lines[end + 1 :])
    return (lines[0] if lines else "").rstrip("\r\n"), "".join(lines[1:])


def _fields(path: Path, record: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(record.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error as error:
        raise DataError(f"the first lines of '{path}' cannot be read as csv ({error}); check the file") from error


def _check_names(path: Path, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise DataError(f"the first line of '{path}' has {times} columns '{name}'; rename all but one")
    by_case: dict[str, str] = {}
    for name in names:
        other = by_case.setdefault(name.casefold(), name)
        if other != name:  # DuckDB, which parses the file, ignores case
            raise DataError(f"columns '{other}' and '{name}' of '{path}' differ only in case; rename one")
