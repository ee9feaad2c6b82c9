"""Physical constants and conversions, CODATA 2018."""

from __future__ import annotations

BOLTZMANN_EV_PER_K = 8.617333262e-5
"""Boltzmann constant, in eV/K (exact)."""

BOLTZMANN_MEV_PER_K = 1e3 * BOLTZMANN_EV_PER_K
"""Boltzmann constant, in meV/K (exact)."""

PLANCK_LIGHT_KEV_ANG = 12.398419843
"""Planck constant times the speed of light, in keV Å."""

ANG3_PER_CM3_PER_MOL = 1.0 / 0.602214076
"""Volume of one particle, in Å³, when a mole takes 1 cm³ (exact)."""


def photon_energy_kev(wavelength_ang: float) -> float:
    """Photon energy of a wavelength.

    Parameters
    ----------
    wavelength_ang : float
        Wavelength, in Å, above 0.

    Returns
    -------
    float
        Energy, in keV.

    Examples
    --------
    >>> round(photon_energy_kev(0.6199), 4)
    20.0007
    """
    return PLANCK_LIGHT_KEV_ANG / wavelength_ang
