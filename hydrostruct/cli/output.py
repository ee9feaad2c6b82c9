"""What a command prints: one JSON document for programs, plain lines for people, notes on standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence


def print_json(document: object) -> None:
    """Print one JSON document on standard output; NaN and infinities become null.

    Parameters
    ----------
    document : object
        Dictionaries, sequences, strings, booleans and numbers, numpy scalars and arrays included.
    """
    sys.stdout.write(json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def print_note(message: str) -> None:
    """Print one line on standard error: progress, warnings, what needs attention."""
    print(" ".join(message.split()), file=sys.stderr)


def format_table(rows: Sequence[Sequence[str]], *, header: Sequence[str]) -> str:
    """Columns of text for a terminal: two blanks between them, numbers to the right.

    Parameters
    ----------
    rows : sequence of sequence of str
        The cells, each row as long as the header.
    header : sequence of str
        The names of the columns.

    Returns
    -------
    str
        Lines without a line feed at the end.

    Examples
    --------
    >>> print(format_table([["Pt", "3.654"], ["CeH9", "n/a"]], header=["phase", "a_ang"]))
    phase  a_ang
    Pt     3.654
    CeH9     n/a
    """
    table = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    right = [bool(rows) and any(_is_number(row[column]) for row in rows) for column in range(len(header))]
    lines = (
        "  ".join(
            cell.rjust(width) if aligned else cell.ljust(width)
            for cell, width, aligned in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in table
    )
    return "\n".join(lines)


def format_value(value: float, sigma: float = math.nan) -> str:
    """A value with its uncertainty in brackets, two digits of it, as crystallographers write.

    Parameters
    ----------
    value, sigma : float
        The number and its standard uncertainty, in the same unit; NaN where there is none.

    Returns
    -------
    str
        ``"n/a"`` for a missing value; the value alone when there is no uncertainty.

    Examples
    --------
    >>> format_value(3.67412, 0.00034), format_value(3.67412, 0.0), format_value(float("nan"))
    ('3.67412(34)', '3.67412', 'n/a')
    >>> format_value(31.72, 1.4), format_value(12345.0, 120.0)
    ('31.7(14)', '12340(120)')
    """
    if not math.isfinite(value):
        return "n/a"
    if not math.isfinite(sigma) or sigma <= 0:
        return f"{value:.6g}"
    decimals = 1 - math.floor(math.log10(sigma))
    if round(sigma, decimals) >= 10.0 ** (2 - decimals):
        decimals -= 1
    if decimals <= 0:
        step = 10.0**-decimals
        return f"{round(value / step) * step:.0f}({round(sigma / step) * step:.0f})"
    digits = f"{sigma:.{decimals}f}".replace(".", "").lstrip("0")
    return f"{value:.{decimals}f}({digits})"


def _is_number(text: str) -> bool:
    return bool(text) and (text[0].isdigit() or (text[0] in "+-." and len(text) > 1 and text[1].isdigit()))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or value is None:
        return value
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in JSON")
