"""Pressure at the temperature of a measurement, from a pressure that was read at room temperature."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydrostruct.errors import InputError
from hydrostruct.material.library import library_folder
from hydrostruct.tables import read_text


@dataclass(frozen=True, kw_only=True, slots=True)
class ColdPressure:
    """A pressure at the temperature of a measurement."""

    pressure_gpa: float
    """Pressure, in GPa; NaN where the one at room temperature is."""
    pressure_sigma_gpa: float
    """Its standard uncertainty, in GPa: the reading's and the shift's. The scale's systematic part is as it was."""
    shift_gpa: float
    """What was added, in GPa."""
    shift_sigma_gpa: float
    """Its standard uncertainty, in GPa."""
    temperature_k: float
    """Temperature, in K."""
    source: str
    """Where the shift comes from, and how sure that is."""


def cold_pressure(
    pressure_gpa: float,
    temperature_k: float,
    *,
    pressure_sigma_gpa: float = 0.0,
    shift_gpa: float | None = None,
    shift_sigma_gpa: float | None = None,
) -> ColdPressure:
    """Pressure at the temperature of a measurement, with what the shift on cooling leaves open.

    Parameters
    ----------
    pressure_gpa : float
        Pressure at room temperature, in GPa; NaN gives NaN.
    temperature_k : float
        Of the measurement, in K.
    pressure_sigma_gpa : float
        Uncertainty of the reading, in GPa.
    shift_gpa, shift_sigma_gpa : float, optional
        Shift of your own cell over the whole way from room temperature to 0 K, and its uncertainty, both in GPa.
        The default is 0 with 3 % of the pressure; a shift given without an uncertainty keeps that one.

    Returns
    -------
    ColdPressure

    Raises
    ------
    InputError
        When a number is outside what can be meant.

    Notes
    -----
    P(T) = P(300 K) + S f(T) with f = 1 − n(T)/n(300 K), n = 1/(exp(θ/T) − 1): what the cell's body contracts goes
    with the heat of its vibrations, so nearly all of the shift has come by 50 K. The default of S is an allowance, not
    a measurement (``phases/data/cooling.toml``): with two readings of your own, before and after, use
    `pressure_on_cooling`, or read the edge cold.

    Examples
    --------
    >>> cold = cold_pressure(93.5, 98.0, pressure_sigma_gpa=0.3)
    >>> round(cold.pressure_gpa, 1), round(cold.pressure_sigma_gpa, 1)
    (93.5, 2.5)
    >>> round(cold_pressure(93.5, 2.0, shift_gpa=1.3, shift_sigma_gpa=0.5).pressure_gpa, 1)
    94.8
    """
    model = _model(library_folder())
    _check(model, pressure_gpa, temperature_k, pressure_sigma_gpa, shift_gpa, shift_sigma_gpa)
    own = shift_gpa is not None or shift_sigma_gpa is not None
    whole = model["shift_gpa"] if shift_gpa is None else shift_gpa
    allowance = model["shift_relative_sigma"] * pressure_gpa
    part = _part_of_way(temperature_k, einstein_k=model["einstein_k"], room_k=model["room_k"])
    sigma = abs(part) * (allowance if shift_sigma_gpa is None else shift_sigma_gpa)
    return ColdPressure(
        pressure_gpa=pressure_gpa + part * whole,
        pressure_sigma_gpa=math.hypot(pressure_sigma_gpa, sigma),
        shift_gpa=part * whole,
        shift_sigma_gpa=sigma,
        temperature_k=temperature_k,
        source="a shift of the user's own" if own else f"{model['source']} ({model['confidence']})",
    )


def _check(
    model: dict[str, Any], pressure: float, temperature: float, reading: float, shift: float | None, error: float | None
) -> None:
    low, high = model["range_k"]
    if not low <= temperature <= high:
        raise InputError(
            f"the temperature is {temperature:g}. Expected K, from {low:g} to {high:g}. Heating is another matter."
        )
    if not math.isnan(pressure) and not model["range_gpa"][0] <= pressure <= model["range_gpa"][1]:
        raise InputError(f"the pressure is {pressure:g}. Expected GPa, from 0 to {model['range_gpa'][1]:g}. Check it.")
    for what, value in (("uncertainty of the reading", reading), ("uncertainty of the shift on cooling", error)):
        if value is not None and value < 0:
            raise InputError(f"the {what} is {value:g}. Expected GPa, 0 or above. Correct it.")
    if shift is not None and not abs(shift) <= 100.0:
        raise InputError(f"the shift on cooling is {shift:g}. Expected GPa, some few. Correct it.")


def _part_of_way(temperature: float, *, einstein_k: float, room_k: float) -> float:
    """Part of the whole shift that has come: 0 at room temperature, 1 at 0 K."""
    cold = 0.0 if temperature < 1.0 else 1.0 / math.expm1(einstein_k / temperature)
    return 1.0 - cold * math.expm1(einstein_k / room_k)


@lru_cache(maxsize=4)
def _model(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(read_text(folder / "data" / "cooling.toml"))["default"]
    return table
