"""Local temperature from the ratio of anti-Stokes to Stokes light."""

from __future__ import annotations

import math

from hydrostruct.errors import InputError
from hydrostruct.raman.spectrum import CM1_PER_EV, CM1_PER_INVERSE_NM, check_laser
from hydrostruct.units import BOLTZMANN_EV_PER_K


def anti_stokes_temperature(
    ratio: float, shift_cm1: float, *, laser_nm: float, ratio_sigma: float = 0.0
) -> tuple[float, float]:
    """Temperature of a line from both its sides.

    Parameters
    ----------
    ratio : float
        Anti-Stokes over Stokes area, in counts, the detector's response corrected; NaN gives NaN.
    shift_cm1 : float
        Raman shift of the line, in cm⁻¹, above 0.
    laser_nm : float
        Wavelength of the laser, in nm.
    ratio_sigma : float
        Standard uncertainty of the ratio.

    Returns
    -------
    temperature, sigma : float
        In K; NaN where the ratio has no temperature.

    Raises
    ------
    InputError
        When the shift is not above 0, or the laser line is no wavelength in nm.

    Notes
    -----
    Counts of photons: ratio = [(ν₀ + ν)/(ν₀ − ν)]³ exp(−hcν/kT), since a counting detector has one power of the
    frequency less than intensity has.

    Examples
    --------
    >>> temperature, sigma = anti_stokes_temperature(0.5, 164.0, laser_nm=532.0, ratio_sigma=0.01)
    >>> round(temperature, 1), round(sigma, 1)
    (316.5, 8.5)
    """
    check_laser(laser_nm, "laser")
    light = CM1_PER_INVERSE_NM / laser_nm
    if not 0 < shift_cm1 < light:
        raise InputError(f"the Raman shift is {shift_cm1:g}. Expected cm⁻¹ above 0. Give the Stokes side's.")
    factor = ((light + shift_cm1) / (light - shift_cm1)) ** 3
    if not 0 < ratio < factor:
        return math.nan, math.nan
    energy_k = shift_cm1 / CM1_PER_EV / BOLTZMANN_EV_PER_K
    temperature = energy_k / math.log(factor / ratio)
    return temperature, temperature**2 / energy_k * ratio_sigma / ratio
