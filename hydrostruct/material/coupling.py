"""Strength of the electron-phonon coupling from the gap ratio and Tc."""

from __future__ import annotations

import math

from scipy.optimize import brentq

from hydrostruct.errors import InputError

_WEAK = 3.53
_LARGEST_SHARE = 0.5 * math.exp(-0.5)  # Tc/ω_ln at which the ratio is largest
_VALID_SHARE = 0.25
_MOST_LAMBDA = 20.0


def strong_coupling_ratio(share: float) -> float:
    """2Δ(0)/k_B Tc of strong-coupling theory.

    Parameters
    ----------
    share : float
        Tc/ω_ln, both in K; the formula is good to about 0.25.

    Returns
    -------
    float
        3.53 [1 + 12.5 y² ln(1/2y)].

    Raises
    ------
    InputError
        When the share is not above 0.

    References
    ----------
    .. [1] B. Mitrović, H. G. Zarate and J. P. Carbotte, Phys. Rev. B 29, 184 (1984)

    Examples
    --------
    >>> round(strong_coupling_ratio(0.11219), 3)
    4.36
    """
    if not share > 0:
        raise InputError(f"Tc/ω_ln is {share:g}. Expected a number above 0. Check both temperatures.")
    return _WEAK * (1.0 + 12.5 * share**2 * math.log(1.0 / (2.0 * share)))


def log_phonon_temperature(ratio: float, tc_k: float) -> float:
    """ω_ln that a gap ratio and a Tc ask for.

    Parameters
    ----------
    ratio : float
        2Δ(0)/k_B Tc.
    tc_k : float
        Critical temperature, in K: the one that is in `ratio`.

    Returns
    -------
    float
        ω_ln, in K; NaN where the ratio is below weak coupling, or beyond where the formula holds (Tc/ω_ln 0.25, 5.44).

    References
    ----------
    .. [1] J. P. Carbotte, Rev. Mod. Phys. 62, 1027 (1990), doi 10.1103/RevModPhys.62.1027

    Examples
    --------
    >>> round(log_phonon_temperature(4.36, 112.0))
    998
    """
    if not _WEAK < ratio <= strong_coupling_ratio(_VALID_SHARE) or not tc_k > 0:
        return math.nan
    share = brentq(lambda y: strong_coupling_ratio(y) - ratio, 1e-6, _LARGEST_SHARE, xtol=1e-14)
    return float(tc_k / share)


def allen_dynes_tc(
    coupling: float, log_phonon_k: float, *, coulomb: float = 0.1, shape: bool = True, moment_ratio: float = 1.0
) -> float:
    """Tc of Allen and Dynes.

    Parameters
    ----------
    coupling : float
        Electron-phonon coupling λ.
    log_phonon_k : float
        ω_ln, in K.
    coulomb : float
        Coulomb pseudopotential μ*.
    shape : bool
        Whether the strong-coupling factors f1 and f2 are in it.
    moment_ratio : float
        ω̄2/ω_ln, at least 1, for f2.

    Returns
    -------
    float
        Tc, in K; 0 where the coupling does not exceed the repulsion.

    References
    ----------
    .. [1] P. B. Allen and R. C. Dynes, Phys. Rev. B 12, 905 (1975), doi 10.1103/PhysRevB.12.905

    Examples
    --------
    >>> round(allen_dynes_tc(1.475, 998.0, shape=False), 1)
    112.0
    """
    attraction = coupling - coulomb * (1.0 + 0.62 * coupling)
    if attraction <= 0:
        return 0.0
    tc = log_phonon_k / 1.2 * math.exp(-1.04 * (1.0 + coupling) / attraction)
    if not shape:
        return tc
    first = 2.46 * (1.0 + 3.8 * coulomb)
    second = 1.82 * (1.0 + 6.3 * coulomb) * moment_ratio
    f1 = (1.0 + (coupling / first) ** 1.5) ** (1.0 / 3.0)
    f2 = 1.0 + (moment_ratio - 1.0) * coupling**2 / (coupling**2 + second**2)
    return float(tc * f1 * f2)


def allen_dynes_coupling(
    tc_k: float, log_phonon_k: float, *, coulomb: float = 0.1, shape: bool = True, moment_ratio: float = 1.0
) -> float:
    """λ that a Tc and ω_ln ask for.

    Parameters
    ----------
    tc_k, log_phonon_k : float
        Tc and ω_ln, in K.
    coulomb, shape, moment_ratio
        As in :func:`allen_dynes_tc`.

    Returns
    -------
    float
        NaN where no λ to 20 gives this Tc.

    Examples
    --------
    >>> round(allen_dynes_coupling(112.0, 998.3), 2), round(allen_dynes_coupling(112.0, 998.3, coulomb=0.13), 2)
    (1.37, 1.5)
    """

    def misfit(coupling: float) -> float:
        found: float = allen_dynes_tc(coupling, log_phonon_k, coulomb=coulomb, shape=shape, moment_ratio=moment_ratio)
        return found - tc_k

    if not (tc_k > 0 and log_phonon_k > 0) or misfit(_MOST_LAMBDA) < 0:
        return math.nan
    return float(brentq(misfit, 1e-3, _MOST_LAMBDA, xtol=1e-12))
