"""Columns of numbers from text, whatever the separator, header lines and decimal sign."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError

_COMMENT = "#!;'%\"/"
_COMMA_NUMBER = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ _T]\d\d:\d\d(?::[\d.]+)?)?|\b\d\d?:\d\d:\d\d(?:\.\d+)?")
_EMPTY_CELL = re.compile(r",(?=\s*,)")
_ONLY_NUMBERS = re.compile(r"[\s;,.+\-eE\d]*\d[\s;,.+\-eE\d]*")


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file.

    Parameters
    ----------
    path : path-like
        The file to read: UTF-8, with or without a byte-order mark, or Latin-1.

    Returns
    -------
    str
        Its lines with line feeds.

    Raises
    ------
    InputError
        When there is no such file, it cannot be read, it is empty, or it holds binary data.
    """
    source = Path(path)
    try:
        data = source.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{source}: no such file. Check the path.") from error
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror}). Expected a text file.") from error
    if not data.strip():
        raise InputError(f"{source}: the file is empty. Expected text. Write the file again.")
    if b"\x00" in data:
        raise InputError(f"{source}: the file holds binary data. Expected text. Check that this is the right file.")
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise AssertionError("Latin-1 decodes every byte")


def read_columns(
    path: str | os.PathLike[str], *, least: int = 2, footer: bool = False
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Columns of numbers of a text file.

    Blank, tab, comma and semicolon separate; a comma is a decimal sign when most lines read so. Lines before the
    first row of numbers are a header whatever they say; comment lines may stand anywhere.

    Parameters
    ----------
    path : path-like
        The file to read.
    least : int
        Columns that a row must have, at least 1.
    footer : bool
        Whether lines of words may follow the last row, as some spectrometers write them.

    Returns
    -------
    values : array, shape (rows, columns)
        The numbers; NaN where the file says so.
    header : tuple of str
        The lines that hold no row, in their order.

    Raises
    ------
    InputError
        When no two rows can be read, or a row within the numbers is broken.
    """
    lines = read_text(path).split("\n")
    decimal_comma = _has_decimal_comma(lines)
    rows: list[list[float]] = []
    header: list[str] = []
    read = [_row(line, decimal_comma) for line in lines]
    last = max((n for n, row in enumerate(read, 1) if row is not None and len(row) >= least), default=0)
    for number, (line, row) in enumerate(zip(lines, read, strict=True), 1):
        if row is not None and len(row) >= least:
            rows.append(row)
        elif not line.strip() or line.strip()[0] in _COMMENT or not rows or (footer and number > last):
            header.append(line)
        else:
            raise InputError(
                f"{path}: line {number} is {line.strip()[:40]!r}. Expected {least} or more numbers, as on the lines "
                "before it. The file may be cut short: write it again, or remove the line."
            )
    if len(rows) < 2:
        raise InputError(
            f"{path}: {len(rows)} row(s) of numbers found. Expected two or more with {least} columns. Check that this "
            "is the right file."
        )
    width = len(rows[0])
    for index, row in enumerate(rows):
        if len(row) != width:
            raise InputError(f"{path}: row {index + 1} has {len(row)} numbers. Expected {width}, as in the first row.")
    return np.array(rows, dtype=np.float64), tuple(header)


def says_simulated(path: str | os.PathLike[str]) -> bool:
    """Whether a file says of itself, before its first row of numbers, that its data are simulated.

    Parameters
    ----------
    path : path-like
        A text file; one that cannot be read says nothing.

    Returns
    -------
    bool
    """
    try:
        lines = read_text(path).split("\n")
    except InputError:
        return False
    for line in lines:
        if _ONLY_NUMBERS.fullmatch(line.strip()):
            return False
        if "simulated" in line.casefold():
            return True
    return False


def _has_decimal_comma(lines: list[str]) -> bool:
    """Whether most lines of numbers are words such as 4,5 with blanks, tabs or semicolons between them."""
    numbers = [line for line in lines if _ONLY_NUMBERS.fullmatch(line)]
    if not numbers:
        return False
    return 2 * sum(map(_reads_with_comma, numbers)) > len(numbers)


def _reads_with_comma(line: str) -> bool:
    words = line.replace(";", " ").split()
    return len(words) > 1 and "," in line and all(_COMMA_NUMBER.fullmatch(word) for word in words)


def _row(line: str, decimal_comma: bool) -> list[float] | None:
    """The numbers of a line; a date, and a cell left empty between two commas, are NaN, so that columns stay."""
    line = _DATE.sub("nan", line) if decimal_comma else _EMPTY_CELL.sub(",nan", _DATE.sub("nan", line))
    text = line.replace(",", ".") if decimal_comma else line.replace(",", " ")
    words = text.replace(";", " ").split()
    try:
        return [float(word) for word in words] if words else None
    except ValueError:
        return None
