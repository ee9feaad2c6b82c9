"""Shapes of Jc(T)/Jc(0): pinning, depairing, self-field and weak-link models."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.bcs import GAP_RATIO, reduced_gap, superfluid_density
from hydrostruct.transport.curves import Floats

FLUX_OVER_MU0 = 2.067833848e-15 / (4e-7 * math.pi)
"""Φ₀/μ₀, in A m."""


def _delta_l(t: Floats) -> Floats:
    return np.asarray((1.0 - t**2) ** 2.5 * (1.0 + t**2) ** -0.5)


def _delta_tc(t: Floats) -> Floats:
    return np.asarray((1.0 - t**2) ** (7.0 / 6.0) * (1.0 + t**2) ** (5.0 / 6.0))


def _delta_l_unsquared(t: Floats) -> Floats:
    return np.asarray((1.0 - t) ** 2.5 * (1.0 + t) ** -0.5)


def _ginzburg_landau(t: Floats) -> Floats:
    return np.asarray((1.0 - t**2) ** 1.5 * (1.0 + t**2) ** 0.5)


def _self_field(t: Floats) -> Floats:
    return np.asarray(superfluid_density(t) ** 1.5)


def _ambegaokar_baratoff(t: Floats) -> Floats:
    gap = reduced_gap(t)
    with np.errstate(divide="ignore"):
        return np.asarray(gap * np.tanh(0.5 * GAP_RATIO * gap / np.maximum(t, 1e-9)))


SHAPES: MappingProxyType[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "delta-l": _delta_l,
        "delta-tc": _delta_tc,
        "delta-l-unsquared": _delta_l_unsquared,
        "ginzburg-landau": _ginzburg_landau,
        "self-field": _self_field,
        "ambegaokar-baratoff": _ambegaokar_baratoff,
    }
)
"""The models of two parameters, Jc(0) and Tc; `power-law` has the exponent too."""
MODELS = (*SHAPES, "power-law")
"""Every model."""


def pinning_shape(temperature_k: npt.ArrayLike, model: str, *, tc_k: float, exponent: float = math.nan) -> Floats:
    """Jc(T)/Jc(0) of a model.

    Parameters
    ----------
    temperature_k : array-like
        Temperatures, in K.
    model : str
        One of `MODELS`.
    tc_k : float
        Tc, in K, above 0.
    exponent : float
        Of the power law (1 − t)^m alone.

    Returns
    -------
    array
        1 at 0 K, 0 from Tc on.

    Raises
    ------
    InputError
        For an unknown model.

    Notes
    -----
    With t = T/Tc: delta-l (1 − t²)^(5/2) (1 + t²)^(−1/2); delta-tc (1 − t²)^(7/6) (1 + t²)^(5/6); delta-l-unsquared
    (1 − t)^(5/2) (1 + t)^(−1/2), a form also met in the hydride literature; ginzburg-landau (1 − t²)^(3/2)
    (1 + t²)^(1/2); self-field λ(T)^(−3) with the BCS superfluid density; ambegaokar-baratoff Δ(T) tanh(Δ/2kT);
    power-law (1 − t)^m.

    References
    ----------
    .. [1] R. Griessen et al., Phys. Rev. Lett. 72, 1910 (1994)
    .. [2] E. F. Talantsev and J. L. Tallon, Nat. Commun. 6, 7820 (2015), doi 10.1038/ncomms8820
    .. [3] V. Ambegaokar and A. Baratoff, Phys. Rev. Lett. 10, 486 (1963), doi 10.1103/PhysRevLett.10.486

    Examples
    --------
    >>> (4.0 * pinning_shape(60.0, "delta-l", tc_k=78.0)).round(4)
    np.float64(0.3377)
    """
    if model not in MODELS:
        raise InputError(f"model: {model!r} is not known. {nearest_name(model, MODELS)} Expected {', '.join(MODELS)}.")
    t = np.clip(np.asarray(temperature_k, dtype=np.float64) / tc_k, 0.0, 1.0)
    return np.asarray((1.0 - t) ** exponent if model == "power-law" else SHAPES[model](t))


def current_density(
    ic_a: npt.ArrayLike, *, width_um: float, thickness_um: float, width_sigma_um: float = 0.0,
    thickness_sigma_um: float = 0.0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Critical current density, and its systematic part from the cross-section.

    Parameters
    ----------
    ic_a : array-like
        Critical currents, in A.
    width_um, thickness_um : float
        Cross-section, in µm, above 0.
    width_sigma_um, thickness_sigma_um : float
        Standard uncertainties, in µm: common to all temperatures.

    Returns
    -------
    jc_a_cm2, jc_systematic_a_cm2 : array
        In A/cm². The second is no scatter: it moves all points together.

    Raises
    ------
    InputError
        When the cross-section is not above 0.

    Examples
    --------
    >>> density, systematic = current_density(74e-3, width_um=30.0, thickness_um=1.0, thickness_sigma_um=0.3)
    >>> (density / 1e6).round(4), (systematic / density).round(2)
    (np.float64(0.2467), np.float64(0.3))
    """
    if not (width_um > 0 and thickness_um > 0):
        raise InputError(f"cross-section: {width_um:g} × {thickness_um:g} µm. Expected both above 0. Correct them.")
    density = np.asarray(ic_a, dtype=np.float64) / (width_um * thickness_um * 1e-8)
    relative = math.hypot(width_sigma_um / width_um, thickness_sigma_um / thickness_um)
    return density, np.asarray(np.abs(density) * relative)


def swollen_thickness(
    thickness_um: float, *, volume_ratio: tuple[float, float] = (1.35, 1.83), area_ratio: float = 1.44
) -> tuple[float, float]:
    """Thickness of a sample that has taken up hydrogen, from the volumes of its phases and the growth of its footprint.

    Parameters
    ----------
    thickness_um : float
        Before, in µm.
    volume_ratio : tuple of float
        Volume after over before: the least and the most, one for each phase that it may have become.
    area_ratio : float
        Footprint after over before.

    Returns
    -------
    thickness_um, thickness_sigma_um : float
        The middle of the two and half of their distance; 30 % of the thickness at least, since nothing was measured.

    Notes
    -----
    For cerium at 95 GPa: CeH4 1.35, CeH9 1.83 times the metal's volume; 25 → 30 µm gives (30/25)² = 1.44.

    Examples
    --------
    >>> [round(value, 3) for value in swollen_thickness(1.0)]
    [1.104, 0.331]
    """
    low, high = (thickness_um * ratio / area_ratio for ratio in sorted(volume_ratio))
    middle = 0.5 * (low + high)
    return middle, max(0.5 * (high - low), 0.3 * middle)


def self_field_density(penetration_nm: npt.ArrayLike, *, kappa: float) -> Floats:
    """Critical current density of a thin film in its own field, without pinning.

    Parameters
    ----------
    penetration_nm : array-like
        London penetration depth, in nm, larger than half the thickness.
    kappa : float
        Ginzburg–Landau parameter.

    Returns
    -------
    array
        In A/cm²: Φ₀/(4πμ₀) (ln κ + 1/2)/λ³.

    References
    ----------
    .. [1] E. F. Talantsev and J. L. Tallon, Nat. Commun. 6, 7820 (2015), doi 10.1038/ncomms8820

    Examples
    --------
    >>> (self_field_density([247.0, 256.0], kappa=60.0) / 1e6).round(2)
    array([3.99, 3.59])
    """
    length = np.asarray(penetration_nm, dtype=np.float64) * 1e-9
    return np.asarray(FLUX_OVER_MU0 / (4.0 * math.pi) * (math.log(kappa) + 0.5) / length**3 * 1e-4)


def penetration_depth(jc0_a_cm2: float, *, kappa: float) -> float:
    """The inverse of `self_field_density`, in nm.

    Examples
    --------
    >>> [round(penetration_depth(4e6, kappa=kappa)) for kappa in (60.0, 100.0)]
    [247, 256]
    """
    return float((self_field_density(1.0, kappa=kappa) / jc0_a_cm2) ** (1.0 / 3.0))
