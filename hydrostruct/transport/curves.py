"""The measured curves of transport, as they came."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResistanceCurve:
    """Resistance against temperature, in the order measured."""

    temperature_k: Floats
    """Temperatures, in K, above 0, shape (n,)."""
    resistance_ohm: Floats
    """Resistances, in Ω, shape (n,); an offset may make them negative."""
    current_a: float = math.nan
    """Measuring current, in A; NaN where it is not known."""
    voltage_noise_v: float = math.nan
    """Standard deviation of the voltmeter's noise for one point, in V; NaN where it is not known."""
    name: str = ""
    """Where the curve comes from."""
    notes: tuple[str, ...] = ()
    """What a user should know of the reading; whole sentences."""

    def __post_init__(self) -> None:
        where = self.name or "curve"
        temperature, resistance = _columns(where, self.temperature_k, self.resistance_ohm)
        if np.any(temperature <= 0):
            raise InputError(
                f"{where}: a temperature is {np.min(temperature):g} K. Expected above 0. Check the unit of the column."
            )
        object.__setattr__(self, "temperature_k", temperature)
        object.__setattr__(self, "resistance_ohm", resistance)
        for word in ("current_a", "voltage_noise_v"):
            value = float(getattr(self, word))
            if not math.isnan(value) and not (math.isfinite(value) and value > 0):
                raise InputError(f"{where}: {word} is {value:g}. Expected above 0, or NaN where it is not known.")


@dataclass(frozen=True, kw_only=True, slots=True)
class VoltageCurve:
    """Voltage against current, in the order measured."""

    current_a: Floats
    """Currents, in A, shape (n,), of one or both signs."""
    voltage_v: Floats
    """Voltages, in V, shape (n,)."""
    temperature_k: float = math.nan
    """Mean temperature, in K; NaN where it is not known."""
    temperature_spread_k: float = math.nan
    """Standard deviation of the temperature over the curve, in K; NaN where it is not known."""
    name: str = ""
    """Where the curve comes from."""
    notes: tuple[str, ...] = ()
    """What a user should know of the reading; whole sentences."""

    def __post_init__(self) -> None:
        current, voltage = _columns(self.name or "curve", self.current_a, self.voltage_v)
        object.__setattr__(self, "current_a", current)
        object.__setattr__(self, "voltage_v", voltage)


def _columns(where: str, first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Two columns checked and read-only, rows with a missing number left out."""
    one, two = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != two.shape:
        raise InputError(f"{where}: columns have shapes {one.shape} and {two.shape}. Expected two of one length.")
    good = np.isfinite(one) & np.isfinite(two)
    if np.count_nonzero(good) < 2:
        raise InputError(f"{where}: {np.count_nonzero(good)} rows of numbers. Expected two or more. Check the columns.")
    one, two = one[good], two[good]
    one.flags.writeable = two.flags.writeable = False
    return one, two
