"""The encoding of a text file: declared, or shown by the byte order mark that the file begins with."""

import codecs
import gzip
import zlib
from pathlib import Path
from typing import IO

from pipelines.errors import DataError

GZ = ".gz"
CHUNK = 1 << 20
UNREADABLE = (OSError, EOFError, zlib.error)
"""Errors of a file that cannot be opened or uncompressed."""
UTF8 = "utf-8-sig"
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins with the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: UTF8,
}
"""Byte order marks, and the codec that leaves them away."""
NOT_TEXT = {
    b"\x1f\x8b": ("it is compressed with gzip", "let its name end in .csv.gz"),
    b"PK\x03\x04": ("it is a zip archive or a workbook", "extract or export it as text"),
    b"\xd0\xcf\x11\xe0": ("it is a workbook", "export it as text"),
    b"PAR1": ("it is Parquet", "let its name end in .parquet"),
}
"""How files begin that are not text, and what to do about them."""


def encoding_of(path: Path, declared: str, group: str = "data") -> str:
    """Return the encoding of a file, compressed or not; that of its byte order mark counts before the declared one.

    Raises:
        DataError: the file cannot be opened, is not text, or looks like UTF-16 without a mark and is declared to be
            something else.
    """
    try:
        with gzip.open(path) if is_compressed(path) else path.open("rb") as file:
            first = file.read(4)
    except UNREADABLE as error:
        raise DataError(f"'{path}' cannot be read as csv ({error}); check the file") from error
    for begin, (problem, advice) in NOT_TEXT.items():
        if first.startswith(begin):
            raise DataError(f"'{path}' cannot be read as csv ({problem}); {advice}")
    marked = next((name for mark, name in MARKS.items() if first.startswith(mark)), None)
    if marked is not None:
        return marked
    encoding = UTF8 if is_utf8(declared) else declared
    if len(first) == 4 and 0 in first and not encoding.lower().startswith(("utf-16", "utf_16", "utf16", "utf-32")):
        order = "be" if first[0] == 0 else "le"
        raise DataError(
            f"'{path}' has NUL characters, as text in UTF-16 has, and {group}.encoding is {declared}; set "
            f"{group}.encoding=utf-16-{order}"
        )
    return encoding


def check_complete(path: Path) -> None:
    """Raise DataError for a compressed file that ends early or is damaged: DuckDB reads the rows before that alone."""
    if not is_compressed(path):
        return
    try:
        with gzip.open(path) as file:
            while file.read(CHUNK):
                pass
    except UNREADABLE as error:
        raise DataError(f"'{path}' cannot be read as csv ({error}); get the file again") from error


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a text file, compressed or not."""
    if is_compressed(path):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed with gzip, as its name says."""
    return path.name.lower().endswith(GZ)


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8, with or without a byte order mark."""
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8", UTF8)
