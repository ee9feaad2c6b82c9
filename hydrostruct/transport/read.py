"""Curves from text files: columns by name, with their units, or by position."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.tables import read_columns, read_text
from hydrostruct.transport.curves import Floats, ResistanceCurve, VoltageCurve

_PREFIX = {"": 1.0, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
_UNITS = {"k": "K", "kelvin": "K", "c": "C", "celsius": "C", "degc": "C", "°c": "C", "ohm": "ohm", "ohms": "ohm",
          "ω": "ohm", "Ω": "ohm", "a": "A", "amp": "A", "ampere": "A", "v": "V", "volt": "V", "volts": "V"}  # fmt: skip
_STEMS = {
    "temperature": ("temperature", "temp", "tsample", "sampletemperature", "thts", "t"),
    "resistance": ("resistance", "rxx", "res", "r"),
    "current": ("current", "ihts", "i", "source"),
    "voltage": ("voltage", "vhts", "v", "u"),
}
_DIMENSION = {"temperature": ("K", "C"), "resistance": ("ohm",), "current": ("A",), "voltage": ("V",)}
_IN_NAME = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)\s*[kK](?![A-Za-z])")
_IN_HEADER = re.compile(r"temperature_k\s*[=:]\s*([0-9.eE+-]+)")
_WORDS_OF_UNITS = ("K", "mK", "C", "ohm", "mohm", "uohm", "kohm", "A", "mA", "uA", "V", "mV", "uV", "nV")


def read_resistance(
    path: str | os.PathLike[str],
    *,
    temperature_unit: str = "",
    resistance_unit: str = "",
    current_a: float = math.nan,
    voltage_noise_v: float = math.nan,
) -> ResistanceCurve:
    """R(T) from a table.

    Parameters
    ----------
    path : path-like
        Text with columns ``temperature_k, resistance_ohm`` by name (units such as ``_mk``, ``_mohm``, ``(mOhm)`` are
        converted), or the first two columns where no header names them. Voltage and current instead of resistance
        are divided.
    temperature_unit, resistance_unit : str
        Units, where the header gives none or a wrong one: K, mK, C; ohm, mohm, uohm, kohm.
    current_a : float
        Measuring current, in A.
    voltage_noise_v : float
        Noise of one point, in V.

    Returns
    -------
    ResistanceCurve

    Raises
    ------
    InputError
        When the file or a unit cannot be read.
    """
    values, header = read_columns(path)
    columns = _named_columns(header, values.shape[1])
    factors = {"temperature": temperature_unit, "resistance": resistance_unit}
    if "temperature" not in columns and "resistance" not in columns:
        columns = {"temperature": (0, ""), "resistance": (1, "")}
    temperature = _converted(path, values, columns, "temperature", factors["temperature"])
    if "resistance" in columns:
        resistance = _converted(path, values, columns, "resistance", factors["resistance"])
    else:
        voltage, current = (_converted(path, values, columns, word, "") for word in ("voltage", "current"))
        with np.errstate(divide="ignore", invalid="ignore"):
            resistance = np.where(current != 0, voltage / current, np.nan)
        current_a = float(np.nanmedian(np.abs(current))) if math.isnan(current_a) else current_a
    return ResistanceCurve(
        temperature_k=temperature,
        resistance_ohm=resistance,
        current_a=current_a,
        voltage_noise_v=voltage_noise_v,
        name=str(path),
        notes=_left_out(temperature, resistance),
    )


def read_voltage_current(
    path: str | os.PathLike[str], *, temperature_k: float = math.nan, current_unit: str = "", voltage_unit: str = ""
) -> VoltageCurve:
    """V(I) from a table.

    Parameters
    ----------
    path : path-like
        Text with columns ``current_a, voltage_v[, temperature_k]`` by name (also ``iHTS_A``, ``vHTS_V``, ``tHTS_K``,
        and other units), or the first two columns where no header names them.
    temperature_k : float
        The temperature, where the table has none; else from a header ``temperature_k = 60``, else from a name such as
        ``vi_60K.csv``.
    current_unit, voltage_unit : str
        Units, where the header gives none or a wrong one: A, mA, uA; V, mV, uV, nV.

    Returns
    -------
    VoltageCurve

    Raises
    ------
    InputError
        When the file or a unit cannot be read.
    """
    values, header = read_columns(path)
    columns = _named_columns(header, values.shape[1])
    if "current" not in columns and "voltage" not in columns:
        columns = {"current": (0, ""), "voltage": (1, "")}
    current = _converted(path, values, columns, "current", current_unit)
    voltage = _converted(path, values, columns, "voltage", voltage_unit)
    spread = math.nan
    if "temperature" in columns:
        measured = _converted(path, values, columns, "temperature", "")
        measured = measured[np.isfinite(measured)]
        if measured.size:
            spread = float(np.std(measured))
            temperature_k = float(np.mean(measured)) if math.isnan(temperature_k) else temperature_k
    if math.isnan(temperature_k):
        temperature_k = _stated_temperature(header, Path(path).stem)
    return VoltageCurve(
        current_a=current,
        voltage_v=voltage,
        temperature_k=temperature_k,
        temperature_spread_k=spread,
        name=str(path),
        notes=_left_out(current, voltage),
    )


def read_named_table(path: str | os.PathLike[str]) -> dict[str, Floats]:
    """Every column of a table by the name that its header gives, in lower case.

    Parameters
    ----------
    path : path-like
        Text with one header line of names.

    Returns
    -------
    dict of str to array, shape (rows,)

    Raises
    ------
    InputError
        When there is no such header.
    """
    read_text(path)
    values, header = read_columns(path, least=2)
    words = _header_words(header, values.shape[1])
    if words is None:
        raise InputError(f"{path}: no line names the {values.shape[1]} columns. Expected a header such as "
                         "'temperature_k,ic_a'. Add one.")  # fmt: skip
    return {word.strip("()[]").lower(): values[:, index] for index, word in enumerate(words)}


def _header_words(header: tuple[str, ...], columns: int) -> list[str] | None:
    """The names of the columns: the last header line with as many words as columns."""
    for line in reversed(header):
        if "=" in line:  # a setting, not names
            continue
        text = re.sub(r"\s+(?=[(\[])", "_", line.strip().lstrip("#!;'%\"/ ").replace('"', ""))
        for separator in (",", ";", "\t", None):
            words = [word.strip() for word in text.split(separator) if word.strip()]
            if len(words) == columns and not all(_is_float(word) for word in words):
                return words
    return None


def _named_columns(header: tuple[str, ...], columns: int) -> dict[str, tuple[int, str]]:
    """Quantity → (column, unit as written), the first column of each quantity."""
    found: dict[str, tuple[int, str]] = {}
    words = _header_words(header, columns)
    if words is None:
        # a date of two words, as instruments write, may stand before the numbers: names count from the right
        last = next((line.lstrip("# ").split() for line in reversed(header) if "_" in line), [])
        words = [""] * (columns - len(last)) + last if 0 < len(last) < columns else last[-columns:]
    for index, word in enumerate(words):
        quantity, unit = _quantity(word)
        if quantity and quantity not in found and "sigma" not in word.lower():
            found[quantity] = (index, unit)
    return found


def _quantity(word: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.+?)[_\s]*[(\[/]?\s*([A-Za-zµμΩ°]+)?\s*[)\]]?", word.strip())
    candidates = [(word, "")]
    parts = re.split(r"[_\s(\[/]+", word.strip(" )]"))
    if match and len(parts) > 1:
        candidates.insert(0, ("".join(parts[:-1]), parts[-1]))
    for stem, unit in candidates:
        folded = re.sub(r"[^a-z]", "", stem.lower())
        for quantity, stems in _STEMS.items():
            if folded in stems and (not unit or _split_unit(unit, quantity) is not None):
                return quantity, unit
    return "", ""


def _split_unit(unit: str, quantity: str) -> float | None:
    """Factor to the base unit; NaN for degrees Celsius; None when the word is no unit of the quantity."""
    for length in (0, 1):
        prefix, base = unit[:length], unit[length:]
        name = _UNITS.get(base, _UNITS.get(base.lower(), ""))
        if name in _DIMENSION[quantity] and prefix in _PREFIX:
            return math.nan if name == "C" else _PREFIX[prefix]
    return None


def _converted(
    path: str | os.PathLike[str],
    values: Floats,
    columns: dict[str, tuple[int, str]],
    quantity: str,
    asked_unit: str,
) -> Floats:
    """A column in K, Ω, A or V."""
    if quantity not in columns:
        raise InputError(
            f"{path}: no column for the {quantity}. Expected columns such as 'temperature_k,resistance_ohm' or "
            "'current_a,voltage_v'. Name the columns in the first line."
        )
    index, unit = columns[quantity]
    word = asked_unit or unit
    factor = _split_unit(word, quantity) if word else 1.0
    if factor is None:
        raise InputError(
            f"{path}: {word!r} is no unit of {quantity} that is known. {nearest_name(word, _WORDS_OF_UNITS)} Expected "
            f"one of {', '.join(_WORDS_OF_UNITS)}."
        )
    return values[:, index] + 273.15 if math.isnan(factor) else values[:, index] * factor


def _stated_temperature(header: tuple[str, ...], stem: str) -> float:
    for line in header:
        found = _IN_HEADER.search(line.lower())
        if found and _is_float(found[1]):
            return float(found[1])
    named = _IN_NAME.findall(stem.replace("_", " "))
    return float(named[-1]) if named else math.nan


def _left_out(first: Floats, second: Floats) -> tuple[str, ...]:
    lost = int(np.count_nonzero(~(np.isfinite(first) & np.isfinite(second))))
    return (f"{lost} row(s) without a number were left out.",) if lost else ()


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
