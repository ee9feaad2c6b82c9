"""Is a point contact ballistic? Only then does its bias measure the energy of the electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hydrostruct.errors import InputError

_BALLISTIC, _THERMAL = 1.0, 0.1  # mean free path over radius


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactRegime:
    """Resistance and regime of a circular contact."""

    resistance_ohm: float
    """Wexler's resistance, in Ω."""
    sharvin_ohm: float
    """Its ballistic part, in Ω."""
    maxwell_ohm: float
    """Its diffusive part, in Ω."""
    knudsen: float
    """Mean free path over radius."""
    regime: str
    """ballistic, diffusive or thermal."""
    warning: str
    """Empty for a ballistic contact."""


def contact_regime(radius_um: float, *, resistivity_uohm_cm: float, mean_free_path_nm: float) -> ContactRegime:
    """Resistance and regime of a circular contact between like metals.

    Parameters
    ----------
    radius_um : float
        Radius of the contact, in µm.
    resistivity_uohm_cm : float
        Resistivity, in µΩ cm.
    mean_free_path_nm : float
        Mean free path, in nm.

    Returns
    -------
    ContactRegime

    Raises
    ------
    InputError
        When a number is not above 0.

    Notes
    -----
    R = 4ρl/(3πa²) + γ(l/a) ρ/(2a), γ = (1 + 0.83 K)/(1 + 1.33 K) with K = l/a running from 1 to 0.62 (the numerical γ
    ends at 0.694). Ballistic here: l above a; thermal: l below a/10.

    References
    ----------
    .. [1] G. Wexler, Proc. Phys. Soc. 89, 927 (1966)

    Examples
    --------
    >>> contact = contact_regime(5.0, resistivity_uohm_cm=100.0, mean_free_path_nm=1.0)
    >>> round(contact.maxwell_ohm, 3), contact.regime
    (0.1, 'thermal')
    """
    for name, value in (
        ("radius_um", radius_um),
        ("resistivity_uohm_cm", resistivity_uohm_cm),
        ("mean_free_path_nm", mean_free_path_nm),
    ):
        if not 0 < value < math.inf:
            raise InputError(f"{name} is {value:g}. Expected a number above 0. Correct it.")
    radius, resistivity, path = 1e-6 * radius_um, 1e-8 * resistivity_uohm_cm, 1e-9 * mean_free_path_nm
    knudsen = path / radius
    sharvin = 4.0 * resistivity * path / (3.0 * math.pi * radius**2)
    maxwell = (1.0 + 0.83 * knudsen) / (1.0 + 1.33 * knudsen) * resistivity / (2.0 * radius)
    regime = "ballistic" if knudsen > _BALLISTIC else "diffusive" if knudsen > _THERMAL else "thermal"
    warning = ""
    if regime != "ballistic":
        warning = (
            f"The contact is {regime}: its mean free path is {knudsen:.2g} of its radius. As one contact it does not "
            "measure energies, unless it consists of many small ones; dips and peaks may come from a critical current."
        )
    return ContactRegime(
        resistance_ohm=sharvin + maxwell,
        sharvin_ohm=sharvin,
        maxwell_ohm=maxwell,
        knudsen=knudsen,
        regime=regime,
        warning=warning,
    )


def contact_radius(resistance_ohm: float, *, resistivity_uohm_cm: float, mean_free_path_nm: float) -> float:
    """Radius of a circular contact of a resistance, by :func:`contact_regime` turned round.

    Parameters
    ----------
    resistance_ohm : float
        Resistance, in Ω.
    resistivity_uohm_cm, mean_free_path_nm : float
        As in :func:`contact_regime`.

    Returns
    -------
    float
        In µm.

    Raises
    ------
    InputError
        When a number is not above 0.

    Notes
    -----
    The resistance falls with the radius throughout, so that bisection on its logarithm finds the one root.

    Examples
    --------
    >>> contact = contact_regime(0.05, resistivity_uohm_cm=60.0, mean_free_path_nm=5.0)
    >>> round(contact_radius(contact.resistance_ohm, resistivity_uohm_cm=60.0, mean_free_path_nm=5.0), 9)
    0.05
    """
    if not 0 < resistance_ohm < math.inf:
        raise InputError(f"resistance_ohm is {resistance_ohm:g}. Expected a number above 0. Correct it.")
    low, high = -9.0, 9.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        found = contact_regime(
            10.0**middle, resistivity_uohm_cm=resistivity_uohm_cm, mean_free_path_nm=mean_free_path_nm
        )
        low, high = (middle, high) if found.resistance_ohm > resistance_ohm else (low, middle)
    return float(10.0 ** (0.5 * (low + high)))
