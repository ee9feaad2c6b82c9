"""One Raman spectrum, and the conversions of its axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError

Floats = npt.NDArray[np.float64]

AXES = ("auto", "cm1", "nm", "ev")
"""Words for the axis of a file: found out, Raman shift in cm⁻¹, wavelength in nm, photon energy in eV."""
CM1_PER_INVERSE_NM = 1e7
CM1_PER_EV = 8065.543937
_LASER_RANGE_NM = (150.0, 2000.0)
_SHIFT_RANGE_CM1 = (-50_000.0, 50_000.0)
_LARGEST = 1e30


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectrum:
    """Intensity against Raman shift. Arrays are checked and made read-only when the record is made."""

    shift_cm1: Floats
    """Raman shift, in cm⁻¹, rising, shape (n,); negative on the anti-Stokes side."""
    intensity: Floats
    """Intensity, in any linear unit, shape (n,); NaN where nothing was measured."""
    laser_nm: float = math.nan
    """Wavelength of the laser, in nm; NaN where it is not known."""
    axis_sigma_cm1: float = math.nan
    """Standard uncertainty of the axis, common to all its points, in cm⁻¹; NaN where it was not calibrated."""
    x_um: float = math.nan
    """Position on the sample, in µm; NaN where it is not known."""
    y_um: float = math.nan
    """Position on the sample, in µm."""
    name: str = ""
    """Where the spectrum comes from, as a user knows it."""
    notes: tuple[str, ...] = ()
    """What was changed on reading, and what a user should know; whole sentences."""

    def __post_init__(self) -> None:
        """Check the arrays once, and make them read-only."""
        shift, intensity = _frozen(self.shift_cm1), _frozen(self.intensity)
        _check(shift, intensity, self.name or "spectrum")
        if not math.isnan(self.laser_nm):
            check_laser(self.laser_nm, self.name or "spectrum")
        object.__setattr__(self, "shift_cm1", shift)
        object.__setattr__(self, "intensity", intensity)


def shift_from_wavelength(wavelength_nm: npt.ArrayLike, laser_nm: float) -> Floats:
    """Raman shift of a wavelength, in cm⁻¹.

    Parameters
    ----------
    wavelength_nm : array-like
        Wavelength of the light, in nm, above 0.
    laser_nm : float
        Wavelength of the laser, in nm.

    Returns
    -------
    array
        1e7 (1/laser − 1/wavelength), of the shape given.

    Examples
    --------
    >>> round(float(shift_from_wavelength(694.24, 532.0)), 2)
    4392.75
    """
    return np.asarray(CM1_PER_INVERSE_NM / laser_nm - CM1_PER_INVERSE_NM / np.asarray(wavelength_nm, dtype=float))


def wavelength_from_shift(shift_cm1: npt.ArrayLike, laser_nm: float) -> Floats:
    """Wavelength of a Raman shift, in nm: the inverse of `shift_from_wavelength`.

    Parameters
    ----------
    shift_cm1 : array-like
        Raman shift, in cm⁻¹.
    laser_nm : float
        Wavelength of the laser, in nm.

    Returns
    -------
    array
        Of the shape given.

    Examples
    --------
    >>> round(float(wavelength_from_shift(4392.75, 532.0)), 2)
    694.24
    """
    return np.asarray(CM1_PER_INVERSE_NM / (CM1_PER_INVERSE_NM / laser_nm - np.asarray(shift_cm1, dtype=float)))


def shift_axis(values: npt.ArrayLike, axis: str, *, laser_nm: float, where: str) -> Floats:
    """An axis in cm⁻¹, nm or eV as Raman shift.

    Parameters
    ----------
    values : array-like, shape (n,)
        The axis as the file has it.
    axis : str
        ``cm1``, ``nm`` or ``ev``.
    laser_nm : float
        Wavelength of the laser, in nm; needed for nm and eV.
    where : str
        The file, for messages.

    Returns
    -------
    array, shape (n,)
        In cm⁻¹.

    Raises
    ------
    InputError
        When the laser is needed and not known, or the axis is not above 0.
    """
    given = np.asarray(values, dtype=np.float64)
    if axis == "cm1":
        return given
    if math.isnan(laser_nm):
        raise InputError(f"{where}: the axis is in {axis}, the laser line is not known. Give it in nm (--laser 532).")
    if not np.all(given > 0):
        raise InputError(f"{where}: the axis holds {np.min(given):g} {axis}. Expected values above 0. Check the axis.")
    check_laser(laser_nm, where)
    if axis == "nm":
        return shift_from_wavelength(given, laser_nm)
    return CM1_PER_INVERSE_NM / laser_nm - CM1_PER_EV * given


def check_laser(laser_nm: float, where: str) -> None:
    """Refuse a laser line that is no wavelength in nm.

    Raises
    ------
    InputError
        Outside 150 to 2000 nm.
    """
    low, high = _LASER_RANGE_NM
    if not low <= laser_nm <= high:
        raise InputError(
            f"{where}: the laser line is {laser_nm:g}. Expected nm, from {low:g} to {high:g}, such as 532."
        )


def _frozen(values: npt.ArrayLike) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _check(shift: Floats, intensity: Floats, where: str) -> None:
    if shift.ndim != 1 or shift.shape != intensity.shape or shift.size < 2:
        raise InputError(
            f"{where}: the axis has shape {shift.shape}, the intensity {intensity.shape}. Expected two columns of one "
            "length, two points or more. Check the file."
        )
    low, high = _SHIFT_RANGE_CM1
    if not np.all((shift >= low) & (shift <= high)):  # NaN fails too
        raise InputError(f"{where}: the axis leaves {low:g} to {high:g} cm⁻¹, or holds no number. Check its unit.")
    if np.any(np.diff(shift) <= 0):
        place = shift[1:][np.diff(shift) <= 0][0]
        raise InputError(f"{where}: the axis does not rise at {place:g} cm⁻¹. Expected no repeats. Sort the rows.")
    good = np.isfinite(intensity)
    if not np.any(good) or np.max(np.abs(intensity[good])) > _LARGEST:
        raise InputError(f"{where}: no intensity, or one above {_LARGEST:g}. Expected measured values. Check the file.")
