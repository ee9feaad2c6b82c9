"""Pressure from ruby, SrB4O7:Sm²⁺ and c-BN."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.library import library_folder
from hydrostruct.numerics.noise import point_noise
from hydrostruct.raman.lines import LineFit, fit_lines, prepared
from hydrostruct.raman.spectrum import Spectrum, shift_from_wavelength, wavelength_from_shift
from hydrostruct.tables import read_text
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_REFERENCE_K = 296.0
_TEMPERATURES_K = (4.0, 900.0)
_RUBY_NM = (690.0, 740.0)
_DOUBLET_NM = 1.45
_BELOW_NM, _ABOVE_NM = 5.0, 5.0
_CBN_MODE, _CBN_EXPONENT = 3.62, 2.876
_BISECTIONS = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class RubyFit:
    """Both luminescence lines of ruby."""

    file: str
    """Where the spectrum comes from."""
    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    r1_nm: float
    """R₁, the longer wavelength, in nm; NaN where there is none."""
    r1_sigma_nm: float
    """Its standard uncertainty, in nm."""
    r2_nm: float
    """R₂, in nm."""
    r2_sigma_nm: float
    """Its standard uncertainty, in nm."""


def gauge_names() -> tuple[str, ...]:
    """Names of the gauges' calibrations.

    Examples
    --------
    >>> gauge_names()[:3]
    ('ruby-mao1986', 'ruby-dewaele2008', 'ruby2020')
    """
    return tuple(_data(library_folder()))


def gauge_pressure(
    position: npt.ArrayLike, calibration: str, *, temperature_k: float = _REFERENCE_K, reference: float | None = None
) -> Floats:
    """Pressure of a gauge.

    Parameters
    ----------
    position : array-like
        Wavelength of ruby's R₁ or samarium's line, in nm; Raman shift of c-BN's TO line, in cm⁻¹. NaN gives NaN.
    calibration : str
        One of `gauge_names`.
    temperature_k : float
        Of the sample, in K. Ruby is corrected by Datchi et al. 2007 from 296 K up; c-BN has its own law from 300 K up.
    reference : float, optional
        The same line at ambient pressure and 296 K, in nm, where it was measured.

    Returns
    -------
    array
        In GPa, of the shape given.

    Raises
    ------
    InputError
        When a value lies outside the calibration's range, or the calibration is not known.

    Examples
    --------
    >>> gauge_pressure([694.24, 697.88], "ruby2020").round(2)
    array([ 0.  , 10.09])
    """
    table = _calibration(calibration)
    pressure = _pressure(table, np.asarray(position, dtype=np.float64), temperature_k, reference)
    low, high = table["range_gpa"]
    for value in np.ravel(pressure):
        if not math.isnan(value) and not low - 0.5 <= value <= high + 1e-6:
            raise InputError(f"{calibration}: the pressure would be {value:.1f} GPa. Expected {low:g} to {high:g}.")
    return pressure


def gauge_position(pressure_gpa: float, calibration: str, *, temperature_k: float = _REFERENCE_K) -> float:
    """Where a gauge's line lies at a pressure: the inverse of `gauge_pressure`.

    Parameters
    ----------
    pressure_gpa : float
        In GPa.
    calibration : str
        One of `gauge_names`.
    temperature_k : float
        Of the sample, in K.

    Returns
    -------
    float
        In nm, or in cm⁻¹ for c-BN.

    Examples
    --------
    >>> round(gauge_position(10.0, "ruby2020"), 2)
    697.85
    """
    table = _calibration(calibration)
    low, high = table["range_gpa"]
    if not low <= pressure_gpa <= high:
        raise InputError(f"{calibration}: the pressure is {pressure_gpa:g} GPa. Expected {low:g} to {high:g}.")
    start, end = 0.95 * float(table["reference"]), 1.5 * float(table["reference"])
    for _ in range(_BISECTIONS):
        middle = 0.5 * (start + end)
        below = float(_pressure(table, np.asarray(middle), temperature_k, None)) < pressure_gpa
        start, end = (middle, end) if below else (start, middle)
    return 0.5 * (start + end)


def fit_ruby(spectrum: Spectrum) -> RubyFit:
    """Fit R₁ and R₂ of ruby together.

    Parameters
    ----------
    spectrum : Spectrum
        With its laser line, since ruby is known by wavelength.

    Returns
    -------
    RubyFit

    Raises
    ------
    InputError
        When the laser is not known, or the spectrum does not reach 690 to 740 nm.
    """
    if math.isnan(spectrum.laser_nm):
        raise InputError(f"{spectrum.name or 'spectrum'}: the laser line is not known. Give it in nm (--laser 532).")
    low, high = (float(shift_from_wavelength(one, spectrum.laser_nm)) for one in _RUBY_NM)
    x, y, _ = prepared(spectrum, (low, high))
    top = float(wavelength_from_shift(x[int(np.argmax(y))], spectrum.laser_nm))
    near = (x >= _shift(top - _BELOW_NM, spectrum)) & (x <= _shift(top + _ABOVE_NM, spectrum))
    starts = [_shift(top, spectrum), _shift(top - _DOUBLET_NM, spectrum)]
    first, second = fit_lines(
        x[near], y[near], sigma=point_noise(y)[near], starts_cm1=starts, widths_cm1=[_nm(0.7, top), _nm(0.6, top)]
    )
    both = first.verdict is Verdict.CONVERGED and second.verdict is Verdict.CONVERGED
    if both and second.position_cm1 > first.position_cm1:
        first, second = second, first
    (r1, r1_sigma), (r2, r2_sigma) = (_in_nm(one, spectrum.laser_nm) for one in (first, second))
    return RubyFit(
        file=spectrum.name,
        verdict=Verdict.CONVERGED if both else Verdict.NOT_CONVERGED,
        r1_nm=r1,
        r1_sigma_nm=r1_sigma,
        r2_nm=r2,
        r2_sigma_nm=r2_sigma,
    )


def _shift(wavelength: float, spectrum: Spectrum) -> float:
    return float(shift_from_wavelength(wavelength, spectrum.laser_nm))


def _nm(width: float, wavelength: float) -> float:
    """A width in nm as one in cm⁻¹."""
    return 1e7 * width / wavelength**2


def _in_nm(line: LineFit, laser_nm: float) -> tuple[float, float]:
    wavelength = float(wavelength_from_shift(line.position_cm1, laser_nm))
    return wavelength, line.position_sigma_cm1 * wavelength**2 / 1e7


def _pressure(table: dict[str, Any], position: Floats, temperature: float, reference: float | None) -> Floats:
    low, high = _TEMPERATURES_K
    if not low <= temperature <= high:
        raise InputError(f"the temperature is {temperature:g} K. Expected {low:g} to {high:g}. Check it.")
    c = table["coefficients"]
    if table["form"] == "cbn":
        away = temperature - 300.0
        bulk = c[0] + c[1] * away + c[2] * away**2
        start = c[3] + c[4] * temperature + c[5] * temperature**2
        return np.asarray(bulk / _CBN_MODE * ((position / start) ** _CBN_EXPONENT - 1.0))
    start = table["reference"] if reference is None else reference
    if table["gauge"] == "ruby":
        warm = temperature - _REFERENCE_K
        position = position - (0.00746 * warm - 3.01e-6 * warm**2 + 8.76e-9 * warm**3)
    if table["form"] == "power":
        return np.asarray(c[0] / c[1] * ((position / start) ** c[1] - 1.0))
    if table["form"] == "polynomial":
        strain = position / start - 1.0
        return np.asarray(c[0] * strain * (1.0 + c[1] * strain))
    move = position - start
    return np.asarray(c[0] * move * (1.0 + c[1] * move) / (1.0 + c[2] * move))


def _calibration(name: str) -> dict[str, Any]:
    known = _data(library_folder())
    if name not in known:
        raise InputError(f"gauge {name!r} is not known. {nearest_name(name, known)} Expected {', '.join(known)}.")
    table: dict[str, Any] = known[name]
    return table


@lru_cache(maxsize=4)
def _data(folder: Path) -> dict[str, Any]:
    return tomllib.loads(read_text(folder / "data" / "gauges.toml"))
