"""Calibration of a Raman axis by the lines of a lamp: shift and stretch, with their uncertainties."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.library import library_folder
from hydrostruct.raman.lines import LineFit, find_lines
from hydrostruct.raman.spectrum import CM1_PER_INVERSE_NM, Spectrum, check_laser
from hydrostruct.tables import read_text
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_FARTHEST_CM1, _TOLERANCE_CM1 = 40.0, 4.0
_LEAST_FOR_STRETCH = 3
_LARGEST_STRETCH = 0.02
_FLOOR_CM1 = 0.02  # of a line's place: no detector's pixel is better known
_MEDIA = ("air", "vacuum")


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisCalibration:
    """How a measured Raman axis is put right: true = measured + shift + stretch × (measured − centre)."""

    verdict: Verdict
    """CONVERGED; DOUBTFUL with one line; AMBIGUOUS where the lines fit in two ways; NOT_CONVERGED where none fits."""
    reason: str
    """Whole sentences; empty when there is nothing to say."""
    shift_cm1: float
    """What is added to the axis at its centre, in cm⁻¹; NaN where there is none."""
    shift_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹, the laser's included."""
    stretch: float
    """What is added for each cm⁻¹ from the centre; 0 with fewer than three lines."""
    stretch_sigma: float
    """Its standard uncertainty; 0 with fewer than three lines."""
    centre_cm1: float
    """Mean place of the lines, in cm⁻¹, where shift and stretch are independent."""
    measured_cm1: Floats
    """Lines that were matched, on the measured axis, in cm⁻¹, shape (n,)."""
    true_cm1: Floats
    """Where they truly lie, in cm⁻¹, shape (n,)."""
    rms_cm1: float
    """Scatter of the lines about the calibration, in cm⁻¹; NaN where there are no degrees of freedom."""
    source: str
    """Where the wavelengths come from, and how sure they are."""


def vacuum_wavelength(air_nm: npt.ArrayLike) -> Floats:
    """Wavelength in vacuum of light whose wavelength in standard air is known.

    Parameters
    ----------
    air_nm : array-like
        In nm, 200 to 2000.

    Returns
    -------
    array
        In nm, of the shape given.

    References
    ----------
    P. E. Ciddor, Appl. Opt. 35, 1566 (1996), doi 10.1364/AO.35.001566 (15 °C, 101325 Pa, dry).

    Examples
    --------
    >>> round(float(vacuum_wavelength(585.24878)), 4)
    585.411
    """
    air = np.asarray(air_nm, dtype=np.float64)
    vacuum = air
    for _ in range(3):
        square = (1000.0 / vacuum) ** 2
        vacuum = air * (1.0 + 0.05792105 / (238.0185 - square) + 0.00167917 / (57.362 - square))
    return np.asarray(vacuum)


def calibrate_axis(
    lamp: Spectrum,
    *,
    lines: str | Sequence[float] = "neon",
    laser_nm: float | None = None,
    laser_sigma_nm: float = 0.0,
    medium: str = "air",
) -> AxisCalibration:
    """Calibrate an axis by the lines of a lamp, measured with the same setting of the spectrograph.

    Parameters
    ----------
    lamp : Spectrum
        The lamp's spectrum, on the axis of the Raman spectra.
    lines : str or sequence of float
        A lamp of ``phases/data/lamp_lines.toml``, or wavelengths of your own, in nm.
    laser_nm : float, optional
        Laser line, in nm; that of the spectrum when left out.
    laser_sigma_nm : float
        Its uncertainty, in nm: a lamp does not see the laser, whose error shifts every Raman line.
    medium : str
        ``air`` or ``vacuum``: where the wavelengths of the laser, and of lines of your own, are meant.

    Returns
    -------
    AxisCalibration

    Raises
    ------
    InputError
        When the laser is not known, the lamp is not known, or none of its lines lies on the axis.

    Notes
    -----
    A Raman shift is a difference of wavenumbers in vacuum: wavelengths in air, taken as they are, make 1500 cm⁻¹ too
    large by 0.4. The lines found are held against the list at every offset up to 40 cm⁻¹ that puts one of them right;
    the offset that explains most lines stands, and is refined by weighted least squares. Uncertainties are scaled by
    the scatter of the lines where it exceeds their own.
    """
    laser = _laser(lamp, laser_nm, laser_sigma_nm, medium)
    wavelengths, source = _wavelengths(lines, medium)
    expected = CM1_PER_INVERSE_NM / laser - CM1_PER_INVERSE_NM / wavelengths
    axis = lamp.shift_cm1
    expected = np.sort(expected[(expected > axis[0] - _FARTHEST_CM1) & (expected < axis[-1] + _FARTHEST_CM1)])
    if expected.size == 0:
        raise InputError(
            f"{lamp.name or 'lamp'}: none of the lamp's lines lies between {axis[0]:.0f} and {axis[-1]:.0f} cm⁻¹ from "
            f"{laser:.2f} nm. Expected one or more. Check the laser line, or take another lamp."
        )
    found = [one for one in find_lines(lamp, keep_sharp=True) if one.verdict is Verdict.CONVERGED]
    pairs, rival = _matched(found, expected)
    if not pairs:
        reason = f"{len(found)} lines are there; none fits the lamp's list within {_FARTHEST_CM1:g} cm⁻¹."
        return _no_calibration(reason, source)
    return _fitted(found, expected, pairs, rival, source, 1e7 * laser_sigma_nm / laser**2)


def axis_correction(calibration: AxisCalibration, shift_cm1: npt.ArrayLike) -> tuple[Floats, Floats]:
    """What a calibration adds at places on the measured axis, and its standard uncertainty.

    Parameters
    ----------
    calibration : AxisCalibration
        With a number.
    shift_cm1 : array-like
        Places on the measured axis, in cm⁻¹.

    Returns
    -------
    correction, sigma : array
        In cm⁻¹, of the shape given.
    """
    away = np.asarray(shift_cm1, dtype=np.float64) - calibration.centre_cm1
    correction = calibration.shift_cm1 + calibration.stretch * away
    return np.asarray(correction), np.hypot(calibration.shift_sigma_cm1, calibration.stretch_sigma * away)


def corrected_spectrum(spectrum: Spectrum, calibration: AxisCalibration, *, at_cm1: float | None = None) -> Spectrum:
    """A spectrum on the calibrated axis, the calibration's uncertainty as that of its axis.

    Parameters
    ----------
    spectrum : Spectrum
        Measured with the same setting as the lamp.
    calibration : AxisCalibration
        Of that setting.
    at_cm1 : float, optional
        Where the uncertainty is wanted, as at the edge; the largest within the spectrum when left out.

    Returns
    -------
    Spectrum

    Raises
    ------
    InputError
        When the calibration has no number.
    """
    if not math.isfinite(calibration.shift_cm1):
        raise InputError(f"the calibration of the axis has no number: {calibration.reason} Measure the lamp again.")
    correction, sigma = axis_correction(calibration, spectrum.shift_cm1)
    own = float(np.max(sigma)) if at_cm1 is None else float(axis_correction(calibration, at_cm1)[1])
    note = (
        f"The axis was moved by {calibration.shift_cm1:+.2f} ± {calibration.shift_sigma_cm1:.2f} cm⁻¹ at "
        f"{calibration.centre_cm1:.0f} cm⁻¹, by {calibration.measured_cm1.size} lines of a lamp."
    )
    return replace(
        spectrum, shift_cm1=spectrum.shift_cm1 + correction, axis_sigma_cm1=own, notes=(*spectrum.notes, note)
    )


def _laser(lamp: Spectrum, given: float | None, sigma: float, medium: str) -> float:
    """The laser line in vacuum, in nm."""
    if medium not in _MEDIA:
        raise InputError(f"medium is {medium!r}. Expected one of {', '.join(_MEDIA)}. Choose one.")
    laser = lamp.laser_nm if given is None else given
    if math.isnan(laser):
        raise InputError(f"{lamp.name or 'lamp'}: the laser line is not known. Give it in nm (--laser 532).")
    check_laser(laser, "laser")
    if not (math.isfinite(sigma) and sigma >= 0):
        raise InputError(f"the uncertainty of the laser line is {sigma:g}. Expected nm, 0 or above. Correct it.")
    return float(vacuum_wavelength(laser)) if medium == "air" else laser


def _wavelengths(lines: str | Sequence[float], medium: str) -> tuple[Floats, str]:
    """Wavelengths in vacuum, and where they come from."""
    if not isinstance(lines, str):
        own = np.array(list(lines), dtype=np.float64)
        if own.size == 0 or not np.all((own > 150.0) & (own < 2000.0)):
            raise InputError("the lamp's lines are no wavelengths. Expected nm, from 150 to 2000. Correct them.")
        return (vacuum_wavelength(own) if medium == "air" else own), "wavelengths of the user's own"
    known = _data(library_folder())
    if lines not in known:
        raise InputError(f"lamp {lines!r} is not known. {nearest_name(lines, known)} Expected {', '.join(known)}.")
    table = known[lines]
    return vacuum_wavelength(table["lines_nm"]), f"{table['source']} ({table['confidence']})"


def _matched(found: Sequence[LineFit], expected: Floats) -> tuple[list[tuple[int, int]], int]:
    """Which line is which, by the offset that explains most, and how many another offset explains."""
    places = np.array([one.position_cm1 for one in found])
    if places.size == 0:
        return [], 0
    offsets = (expected[None, :] - places[:, None]).ravel()
    offsets = offsets[np.abs(offsets) <= _FARTHEST_CM1]
    best: list[tuple[int, int]] = []
    best_rank, best_offset, all_of = (0, -math.inf), 0.0, []
    for offset in offsets:
        pairs = _near(places + offset, expected)
        apart = sum(abs(places[i] + offset - expected[j]) for i, j in pairs)
        all_of.append((offset, len(pairs)))
        # of equal counts the tightest, and of one line alone the nearest
        rank = (len(pairs), -apart if len(pairs) > 1 else -abs(offset))
        if rank > best_rank:
            best, best_rank, best_offset = pairs, rank, float(offset)
    rival = max((count for offset, count in all_of if abs(offset - best_offset) > 2.0 * _TOLERANCE_CM1), default=0)
    return best, rival


def _near(places: Floats, expected: Floats) -> list[tuple[int, int]]:
    """Pairs within the tolerance, each line once."""
    pairs: dict[int, int] = {}
    for i, place in enumerate(places):
        j = int(np.argmin(np.abs(expected - place)))
        if abs(expected[j] - place) <= _TOLERANCE_CM1 and (
            j not in pairs or abs(expected[j] - place) < abs(expected[j] - places[pairs[j]])
        ):
            pairs[j] = i
    return [(i, j) for j, i in pairs.items()]


def _fitted(
    found: Sequence[LineFit], expected: Floats, pairs: list[tuple[int, int]], rival: int, source: str, laser_cm1: float
) -> AxisCalibration:
    measured = np.array([found[i].position_cm1 for i, _ in pairs])
    true = np.array([expected[j] for _, j in pairs])
    sigma = np.hypot([found[i].position_sigma_cm1 for i, _ in pairs], _FLOOR_CM1)
    centre = float(np.average(measured, weights=sigma**-2))
    away = measured - centre
    columns = [np.ones_like(away)] + ([away] if measured.size >= _LEAST_FOR_STRETCH else [])
    design = np.stack(columns, axis=1) / sigma[:, None]
    values, *_ = np.linalg.lstsq(design, (true - measured) / sigma, rcond=None)
    rest = (true - measured) / sigma - design @ values
    freedom = measured.size - values.size
    factor = max(1.0, math.sqrt(float(rest @ rest) / freedom)) if freedom > 0 else 1.0
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design))) * factor
    verdict, reason = _judged(measured.size, rival, len(found), values)
    return AxisCalibration(
        verdict=verdict, reason=reason, shift_cm1=float(values[0]),
        shift_sigma_cm1=math.hypot(float(errors[0]), laser_cm1),
        stretch=float(values[1]) if values.size > 1 else 0.0,
        stretch_sigma=float(errors[1]) if values.size > 1 else 0.0,
        centre_cm1=centre, measured_cm1=measured, true_cm1=true,
        rms_cm1=float(np.sqrt(np.sum((rest * sigma) ** 2) / freedom)) if freedom > 0 else math.nan,
        source=source,
    )  # fmt: skip


def _judged(count: int, rival: int, found: int, values: Floats) -> tuple[Verdict, str]:
    if count == 1:
        return Verdict.DOUBTFUL, "Only one line of the lamp was matched: nothing confirms that it is the right one."
    if rival >= count:
        return Verdict.AMBIGUOUS, f"Another offset matches {rival} lines as well as this one {count}."
    if values.size > 1 and abs(values[1]) > _LARGEST_STRETCH:
        return Verdict.DOUBTFUL, f"The axis would be stretched by {100 * values[1]:.1f} %: the lines may be others."
    if 2 * count < found:
        return Verdict.DOUBTFUL, f"Only {count} of {found} lines were matched: it may be another lamp."
    return Verdict.CONVERGED, ""


def _no_calibration(reason: str, source: str) -> AxisCalibration:
    nothing, empty = math.nan, np.empty(0)
    return AxisCalibration(
        verdict=Verdict.NOT_CONVERGED, reason=reason, shift_cm1=nothing, shift_sigma_cm1=nothing, stretch=nothing,
        stretch_sigma=nothing, centre_cm1=nothing, measured_cm1=empty, true_cm1=empty, rms_cm1=nothing, source=source,
    )  # fmt: skip


@lru_cache(maxsize=4)
def _data(folder: Path) -> dict[str, Any]:
    return tomllib.loads(read_text(folder / "data" / "lamp_lines.toml"))
