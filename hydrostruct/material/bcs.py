"""The BCS gap and superfluid density against temperature, in weak coupling, exact."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

Floats = npt.NDArray[np.float64]

GAP_OVER_KT = math.pi * math.exp(-0.5772156649015329)
"""Δ(0)/k_B Tc = π e^−γ = 1.763877."""
_NODES, _TOP = 120, 48.0


def gap_ratio(reduced_temperature: npt.ArrayLike) -> Floats:
    """Δ(T)/Δ(0) by the weak-coupling gap equation.

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
    ln(Δ₀/Δ) = 2 ∫₀^∞ dξ f(E)/E with E = √(ξ² + Δ²).

    References
    ----------
    .. [1] B. Mühlschlegel, Z. Phys. 155, 313 (1959), doi 10.1007/BF01332932

    Examples
    --------
    >>> gap_ratio([0.0, 0.5, 0.9, 1.0, 1.2]).round(4)
    array([1.    , 0.9569, 0.5263, 0.    , 0.    ])
    """
    return _between(_tables()[0], reduced_temperature)


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
    return _between(_tables()[1], reduced_temperature)


def _between(squared: PchipInterpolator, reduced_temperature: npt.ArrayLike) -> Floats:
    """Interpolated; the tables hold what is linear near Tc."""
    t = np.asarray(reduced_temperature, dtype=np.float64)
    inside = np.clip(t, 0.0, 1.0)
    value = np.maximum(squared(np.where(np.isnan(inside), 0.0, inside)), 0.0)
    value = np.sqrt(value) if squared is _tables()[0] else value
    value = np.where(t >= 1.0, 0.0, value)  # rounding of the interpolation must not leave a gap above Tc
    return np.asarray(np.where(np.isnan(t) | (t < 0), np.nan, value))


@lru_cache(maxsize=1)
def _tables() -> tuple[PchipInterpolator, PchipInterpolator]:
    """Squared gap and superfluid density over T/Tc."""
    grid = np.concatenate([np.linspace(0.0, 0.1, 3), np.linspace(0.12, 1.0, 221)])
    gaps = np.array([1.0 if t < 0.1 else 0.0 if t == 1.0 else _gap(t) for t in grid])
    densities = np.array([1.0 if t < 0.1 else 0.0 if t == 1.0 else _density(t, g)
                          for t, g in zip(grid, gaps, strict=True)])  # fmt: skip
    return PchipInterpolator(grid, gaps**2), PchipInterpolator(grid, densities)


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _energies(t: float, gap: float) -> tuple[Floats, Floats]:
    """Nodes ξ over kT, weights, as E over kT: Gauss–Legendre in two parts, dense where the gap is small."""
    nodes, weights = _legendre()
    delta = GAP_OVER_KT * gap / t
    inner = min(max(3.0 * delta, 1e-3), 3.0)
    x = np.concatenate([0.5 * inner * (nodes + 1.0), inner + 0.5 * (_TOP - inner) * (nodes + 1.0)])
    w = np.concatenate([0.5 * inner * weights, 0.5 * (_TOP - inner) * weights])
    return np.sqrt(x**2 + delta**2), w


def _gap(t: float) -> float:
    def missing(gap: float) -> float:
        energy, weight = _energies(t, gap)
        return float(2.0 * np.sum(weight / (energy * (np.exp(energy) + 1.0))) + math.log(gap))

    return float(brentq(missing, 1e-6, 1.0, xtol=1e-12))


def _density(t: float, gap: float) -> float:
    energy, weight = _energies(t, gap)
    return float(1.0 - 2.0 * np.sum(weight / (4.0 * np.cosh(0.5 * energy) ** 2)))
