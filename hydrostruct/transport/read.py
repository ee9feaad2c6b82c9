"""Curves from text files: columns by name, with their units, or by position."""

from __future__ import annotations

import math
import os
import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.tables import read_columns, read_text
from hydrostruct.transport.curves import Bools, Floats, ResistanceCurve, VoltageCurve

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
_WORDS_OF_UNITS = {
    "temperature": ("K", "mK", "C"),
    "resistance": ("ohm", "mohm", "uohm", "kohm"),
    "current": ("A", "mA", "uA"),
    "voltage": ("V", "mV", "uV", "nV"),
}
_SET_APART_K = 0.5
_LEAST_ROWS = 8
_STEADY_SHARE = 0.2


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
    _refuse_voltage_current(path, values, columns)
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
    """V(I) at one temperature from a table.

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
        When the file or a unit cannot be read, it is R(T), or it holds several set temperatures.
    """
    options = {"temperature_k": temperature_k, "current_unit": current_unit, "voltage_unit": voltage_unit}
    curves = read_voltage_currents(path, **options)  # type: ignore[arg-type]
    if len(curves) > 1:
        stated = ", ".join(f"{curve.temperature_k:.4g}" for curve in curves)
        raise InputError(
            f"{path}: holds V(I) at {len(curves)} temperatures ({stated} K). Expected one. Use read_voltage_currents."
        )
    return curves[0]


def read_voltage_currents(
    path: str | os.PathLike[str], *, temperature_k: float = math.nan, current_unit: str = "", voltage_unit: str = ""
) -> tuple[VoltageCurve, ...]:
    """V(I) at one or several set temperatures from one table.

    Parameters
    ----------
    path, temperature_k, current_unit, voltage_unit
        As in :func:`read_voltage_current`.

    Returns
    -------
    tuple of VoltageCurve
        From cold to hot; one where the table has no temperatures, or they do not fall into groups.

    Raises
    ------
    InputError
        When the file or a unit cannot be read, it is R(T), or `temperature_k` is given for several.

    Notes
    -----
    The rule: temperatures more than 0.5 K apart, with none between them, are set apart. Every group must hold eight
    rows or more and sweep from a third of its largest current or less; otherwise the table is one curve whose
    temperature moved, as when a contact heats, and `temperature_spread_k` tells. The rows of a group keep their order,
    wherever in the table they stand.
    """
    values, header = read_columns(path)
    columns = _named_columns(header, values.shape[1])
    if "resistance" in columns and not {"current", "voltage"} <= set(columns):
        raise InputError(
            f"{path}: this is a table of resistances, R(T). Expected columns such as current_a, voltage_v. "
            "Use 'transport tc' for its Tc."
        )
    if "current" not in columns and "voltage" not in columns:
        columns = {"current": (0, ""), "voltage": (1, ""), **{k: v for k, v in columns.items() if v[0] > 1}}
    current = _converted(path, values, columns, "current", current_unit)
    voltage = _converted(path, values, columns, "voltage", voltage_unit)
    measured = _converted(path, values, columns, "temperature", "") if "temperature" in columns else None
    groups = [np.ones(current.size, dtype=np.bool_)] if measured is None else _set_temperatures(measured, current)
    if len(groups) > 1 and not math.isnan(temperature_k):
        raise InputError(
            f"{path}: the table itself holds {len(groups)} temperatures, and {temperature_k:g} K was given for all. "
            "Expected a temperature only where the table has none. Leave it out."
        )
    stated = _stated_temperature(header, Path(path).stem)
    return tuple(
        _voltage_curve(
            str(path), current[rows], voltage[rows], None if measured is None else measured[rows], temperature_k, stated
        )
        for rows in groups
    )


def _voltage_curve(
    name: str, current: Floats, voltage: Floats, measured: Floats | None, given_k: float, stated_k: float
) -> VoltageCurve:
    """One curve: the temperature given, else measured, else stated in the file or its name."""
    known = np.empty(0) if measured is None else measured[np.isfinite(measured)]
    mean = float(np.mean(known)) if known.size else stated_k
    return VoltageCurve(
        current_a=current,
        voltage_v=voltage,
        temperature_k=mean if math.isnan(given_k) else given_k,
        temperature_spread_k=float(np.std(known)) if known.size else math.nan,
        name=name,
        notes=_left_out(current, voltage),
    )


def _set_temperatures(temperature: Floats, current: Floats) -> list[Bools]:
    """Which rows belong to each set temperature, from cold to hot; all rows together where there are no groups."""
    together = [np.ones(temperature.size, dtype=np.bool_)]
    known = np.sort(temperature[np.isfinite(temperature)])
    cuts = np.flatnonzero(np.diff(known) > _SET_APART_K)
    if cuts.size == 0:
        return together
    limits = [-math.inf, *(0.5 * (known[cuts] + known[cuts + 1])), math.inf]
    groups = [np.asarray((temperature > low) & (temperature <= high)) for low, high in pairwise(limits)]
    for rows in groups:
        size = np.abs(current[rows & np.isfinite(current)])
        # a contact that heats at the largest currents makes a second temperature, but no sweep of its own
        if size.size < _LEAST_ROWS or float(np.min(size)) > float(np.max(size)) / 3.0:
            return together
    return groups


def _refuse_voltage_current(path: str | os.PathLike[str], values: Floats, columns: dict[str, tuple[int, str]]) -> None:
    """V and I of changing size are no R(T): a measuring current keeps its size."""
    if "resistance" in columns or not {"current", "voltage"} & set(columns):
        return
    size = np.abs(values[:, columns["current"][0]]) if "current" in columns else np.empty(0)
    size = size[np.isfinite(size)]
    steady = size.size > 0 and float(np.ptp(size)) <= _STEADY_SHARE * float(np.max(size))
    if "temperature" not in columns or not steady:
        raise InputError(
            f"{path}: this is a table of voltages against currents, V(I). Expected columns such as temperature_k, "
            "resistance_ohm. Use 'transport ic' for its critical current."
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
        known = _WORDS_OF_UNITS[quantity]
        asked = f"--{quantity}-unit" if asked_unit else f"{path}: the unit of the {quantity} in the header"
        raise InputError(f"{asked} is {word!r}. Expected one of {', '.join(known)}. {nearest_name(word, known)}")
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
