"""The gap of a superconductor against temperature, in weak coupling; the shape serves strong coupling scaled.

The exact gap solves ln(Δ0/Δ) = 2∫ f(E)/E dξ with E = √(ξ² + Δ²) and f the Fermi function. With ξ = Δ sinh t the right
side is 2∫ dt / (exp(Δ cosh t / k_BT) + 1); it is solved once on a grid and interpolated.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.optimize import brentq

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.units import BOLTZMANN_MEV_PER_K

Floats = npt.NDArray[np.float64]

GAP_RATIO = math.pi * math.exp(-float(np.euler_gamma))
"""Δ(0) / k_B Tc in weak coupling: 1.7639."""

_NODES = 481


def reduced_gap(reduced_temperature: npt.ArrayLike, *, form: str = "exact") -> Floats:
    """Δ(T)/Δ(0) of weak-coupling theory.

    Parameters
    ----------
    reduced_temperature : array-like, any shape
        T/Tc, not negative; 0 above 1 gives 0.
    form : str
        ``"exact"``, or an approximation by name: ``"tanh-1.74"``, ``"tanh-bcs"``, ``"tanh-best"``,
        ``"carrington-manzano"``, ``"gross"``, ``"cosine"``.

    Returns
    -------
    array, the shape of `reduced_temperature`
        From 1 to 0; NaN for NaN. The exact form is good to 1e-7.

    Raises
    ------
    InputError
        When the form is not known or a temperature is negative.

    References
    ----------
    .. [1] B. Mühlschlegel, Z. Phys. 155, 313 (1959), doi 10.1007/BF01332932
    .. [2] A. Carrington and F. Manzano, Physica C 385, 205 (2003), doi 10.1016/S0921-4534(02)02319-5
    .. [3] F. Gross et al., Z. Phys. B 64, 175 (1986)

    Examples
    --------
    >>> reduced_gap([0.0, 0.5, 0.9, 1.0, 1.2]).round(5)
    array([1.     , 0.95688, 0.52634, 0.     , 0.     ])
    """
    t = np.asarray(reduced_temperature, dtype=np.float64)
    if np.any(t < 0):
        raise InputError(f"reduced temperature is {float(np.nanmin(t)):g}. Expected 0 or above. Check it.")
    if form == "exact":
        values = _exact(t)
    elif form in _FORMS:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.asarray(_FORMS[form](np.clip(t, 1e-12, 1.0)))
    else:
        known = ("exact", *_FORMS)
        raise InputError(f"form is {form!r}. Expected {', '.join(known)}. {nearest_name(form, known)}")
    return np.asarray(np.where(np.isnan(t), np.nan, np.where(t < 1.0, values, 0.0)))


def bcs_gap(temperature_k: npt.ArrayLike, *, gap0_mev: float, tc_k: float, form: str = "exact") -> Floats:
    """Δ(T) with its size at no temperature and its Tc free of each other (the α-model).

    Parameters
    ----------
    temperature_k : array-like, any shape
        Temperature, in K.
    gap0_mev : float
        Δ(0), in meV.
    tc_k : float
        Critical temperature, in K, above 0.
    form : str
        As in :func:`reduced_gap`.

    Returns
    -------
    array, the shape of `temperature_k`
        In meV; 0 above Tc.

    Raises
    ------
    InputError
        When Tc is not above 0.

    References
    ----------
    .. [1] H. Padamsee, J. E. Neighbor and C. A. Shiffman, J. Low Temp. Phys. 12, 387 (1973)

    Examples
    --------
    >>> bcs_gap([2.0, 60.0, 90.0], gap0_mev=21.04, tc_k=109.0).round(2)
    array([21.04, 19.67, 14.14])
    """
    if not tc_k > 0:
        raise InputError(f"tc_k is {tc_k:g}. Expected a temperature above 0 K. Correct it.")
    return np.asarray(gap0_mev * reduced_gap(np.asarray(temperature_k, dtype=np.float64) / tc_k, form=form))


def gap_ratio(
    gap0_mev: float, tc_k: float, *, gap0_sigma_mev: float = 0.0, tc_sigma_k: float = 0.0
) -> tuple[float, float]:
    """2Δ(0)/k_B Tc with its uncertainty.

    Parameters
    ----------
    gap0_mev, gap0_sigma_mev : float
        Δ(0) and its standard uncertainty, in meV.
    tc_k, tc_sigma_k : float
        Critical temperature and its standard uncertainty, in K. Say which Tc it is: onset, middle and zero differ.

    Returns
    -------
    ratio, ratio_sigma : float
        Weak coupling gives 3.528.

    Examples
    --------
    >>> [round(gap_ratio(21.04, tc)[0], 2) for tc in (98.0, 109.0, 120.0)]
    [4.98, 4.48, 4.07]
    """
    ratio = 2.0 * gap0_mev / (BOLTZMANN_MEV_PER_K * tc_k)
    return ratio, abs(ratio) * math.hypot(gap0_sigma_mev / gap0_mev, tc_sigma_k / tc_k)


def superfluid_density(reduced_temperature: npt.ArrayLike) -> Floats:
    """λ²(0)/λ²(T) of a clean superconductor with one isotropic gap.

    Parameters
    ----------
    reduced_temperature : array-like
        T/Tc.

    Returns
    -------
    array
        1 at 0, 0 from 1 on; NaN below 0 and where the input is NaN.

    Notes
    -----
    1 − 2 ∫₀^∞ dξ (−∂f/∂E).

    Examples
    --------
    >>> superfluid_density([0.0, 0.5, 1.0]).round(3)
    array([1.   , 0.834, 0.   ])
    """
    t = np.asarray(reduced_temperature, dtype=np.float64)
    inside = np.clip(np.nan_to_num(t, nan=0.0), 0.0, 1.0)
    values = np.where(t >= 1.0, 0.0, np.clip(_density_table()(inside), 0.0, 1.0))
    return np.asarray(np.where(np.isnan(t) | (t < 0), np.nan, values))


def _exact(t: Floats) -> Floats:
    # near Tc the gap is a square root: its square over the root of the distance from Tc is smooth from end to end
    inside = np.clip(np.nan_to_num(t, nan=1.0), 0.0, 1.0)
    squared = _table()(np.sqrt(1.0 - inside))
    return np.asarray(np.sqrt(np.clip(squared, 0.0, 1.0)))


@cache
def _table() -> CubicSpline:
    """Spline of (Δ/Δ0)² against √(1 − T/Tc)."""
    at = np.linspace(0.0, 1.0, _NODES)
    values = [_solved(1.0 - one * one) ** 2 for one in at]
    return CubicSpline(at, values, bc_type=((1, 0.0), (1, 0.0)))


def _solved(t: float) -> float:
    """Δ/Δ0 at one T/Tc, from the gap equation."""
    if t >= 1.0:
        return 0.0
    if t < 0.03:
        return 1.0  # the deviation is below exp(−58)

    def misfit(delta: float) -> float:
        return math.log(1.0 / delta) - 2.0 * _fermi_integral(delta * GAP_RATIO / t)

    return float(brentq(misfit, 1e-9, 1.0, xtol=1e-15, rtol=1e-14))


def _fermi_integral(x: float) -> float:
    """∫0^∞ dt / (exp(x cosh t) + 1), by the trapezoid, which converges at once on so smooth a fall."""
    top = math.acosh(max(745.0 / x, 1.0 + 1e-9))
    t = np.linspace(0.0, top, 2001)
    with np.errstate(over="ignore"):
        values = 1.0 / (np.exp(np.minimum(x * np.cosh(t), 745.0)) + 1.0)
    return float(t[1] * (np.sum(values) - 0.5 * values[0]))


@cache
def _density_table() -> PchipInterpolator:
    """Superfluid density over T/Tc."""
    grid = np.concatenate([np.linspace(0.0, 0.1, 3), np.linspace(0.12, 1.0, 221)])
    values = [1.0 if t < 0.1 else 0.0 if t == 1.0 else _density(t) for t in grid]
    return PchipInterpolator(grid, values)


def _density(t: float) -> float:
    """1 − 2∫(−∂f/∂E)dξ at one T/Tc: Gauss–Legendre in two parts, dense where the gap is small."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    delta = GAP_RATIO * float(reduced_gap(t)) / t
    inner, top = min(max(3.0 * delta, 1e-3), 3.0), 48.0
    x = np.concatenate([0.5 * inner * (nodes + 1.0), inner + 0.5 * (top - inner) * (nodes + 1.0)])
    w = np.concatenate([0.5 * inner * weights, 0.5 * (top - inner) * weights])
    energy = np.sqrt(x**2 + delta**2)
    return float(1.0 - 2.0 * np.sum(w / (4.0 * np.cosh(0.5 * energy) ** 2)))


_FORMS = {
    "tanh-1.74": lambda t: np.tanh(1.74 * np.sqrt(1.0 / t - 1.0)),
    "tanh-bcs": lambda t: np.tanh(GAP_RATIO * np.sqrt(1.0 / t - 1.0)),
    "tanh-best": lambda t: np.tanh(1.797 * np.sqrt(1.0 / t - 1.0)),
    "carrington-manzano": lambda t: np.tanh(1.82 * (1.018 * (1.0 / t - 1.0)) ** 0.51),
    "gross": lambda t: np.tanh(math.pi / GAP_RATIO * np.sqrt(2.0 / 3.0 * 1.426 * (1.0 / t - 1.0))),
    "cosine": lambda t: np.sqrt(np.cos(0.5 * math.pi * t * t)),
}
