"""Conductance of a contact between a normal metal and a superconductor, against bias."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev import kernels
from hydrostruct.errors import InputError
from hydrostruct.units import BOLTZMANN_MEV_PER_K

Floats = npt.NDArray[np.float64]

# below this share of the widest energy the thermal width changes nothing that a double shows
_COLDEST = 1e-6
_SAME = 1e-12  # biases that differ by less, over the widest energy, are one
_ANGLES_LEAST, _ANGLES_MOST, _ANGLES_PER_WIDTH = 24, 240, 6


def andreev_conductance(
    bias_mv: npt.ArrayLike,
    *,
    gap_mev: float,
    broadening_mev: float = 0.0,
    barrier: float = 0.0,
    temperature_k: float = 0.0,
    weight: float = 1.0,
    velocity_ratio: float = 1.0,
) -> Floats:
    """Normalised conductance of a contact with an s-wave superconductor.

    Parameters
    ----------
    bias_mv : array-like, any shape
        Bias, in mV, of either sign.
    gap_mev : float
        Gap Δ, in meV, not negative; 0 gives 1 everywhere.
    broadening_mev : float
        Broadening Γ, in meV, not negative.
    barrier : float
        Barrier strength Z, not negative.
    temperature_k : float
        Temperature, in K, not negative.
    weight : float
        Part of the current that meets the superconductor, from 0 to 1; the rest is 1.
    velocity_ratio : float
        Ratio of the two Fermi velocities, above 0.

    Returns
    -------
    array, the shape of `bias_mv`
        (dI/dV) / (dI/dV) of the normal state; NaN where a bias, or any parameter, is NaN.

    Raises
    ------
    InputError
        When a parameter is outside its range.

    Notes
    -----
    Blonder, Tinkham and Klapwijk [1]_ with E + iΓ for E in both amplitudes, its imaginary part kept [2]_, averaged with
    the derivative of the Fermi function without approximation: to 1e-9 of the normal conductance. A ratio r of
    velocities adds (1 − r)²/(4r) to Z² and cannot be told from Z by one spectrum. A weight w gives 1 − w + w·σ.

    References
    ----------
    .. [1] G. E. Blonder, M. Tinkham and T. M. Klapwijk, Phys. Rev. B 25, 4515 (1982), doi 10.1103/PhysRevB.25.4515
    .. [2] A. Plecenik et al., Phys. Rev. B 49, 10016 (1994)

    Examples
    --------
    >>> andreev_conductance([0.0, 21.04], gap_mev=21.04, broadening_mev=5.0, barrier=0.3, temperature_k=2.0).round(6)
    array([1.393337, 1.375665])
    >>> float(andreev_conductance(0.0, gap_mev=1.0))
    2.0
    """
    for name, value in (
        ("gap_mev", gap_mev),
        ("broadening_mev", broadening_mev),
        ("barrier", barrier),
        ("temperature_k", temperature_k),
    ):
        _check_not_negative(name, value)
    _check_share("weight", weight)
    squared = effective_barrier(barrier, velocity_ratio=velocity_ratio) ** 2
    bias = np.asarray(bias_mv, dtype=np.float64)
    parameters = (gap_mev, broadening_mev, squared, temperature_k, weight)
    if not all(math.isfinite(value) for value in parameters):
        return np.full(bias.shape, np.nan)
    sharp = conductance_rows(
        bias.ravel(),
        gap_mev=gap_mev,
        broadening_mev=broadening_mev,
        barrier2=squared,
        temperature_k=temperature_k,
        rows=1,
    )
    return np.asarray(1.0 + weight * (sharp[0] - 1.0)).reshape(bias.shape)


def two_gap_conductance(
    bias_mv: npt.ArrayLike,
    *,
    gaps_mev: tuple[float, float],
    broadenings_mev: tuple[float, float] = (0.0, 0.0),
    barriers: tuple[float, float] = (0.0, 0.0),
    share: float = 0.5,
    temperature_k: float = 0.0,
    weight: float = 1.0,
) -> Floats:
    """Normalised conductance of a contact with a superconductor of two gaps: two contacts side by side.

    Parameters
    ----------
    bias_mv : array-like, any shape
        Bias, in mV.
    gaps_mev, broadenings_mev, barriers : pair of float
        Δ and Γ in meV, and Z, of the first and the second gap.
    share : float
        Part of the superconducting current that meets the first gap, from 0 to 1.
    temperature_k, weight : float
        As in :func:`andreev_conductance`.

    Returns
    -------
    array, the shape of `bias_mv`

    Raises
    ------
    InputError
        When a parameter is outside its range.

    Examples
    --------
    >>> two = two_gap_conductance([0.0], gaps_mev=(2.6, 7.1), barriers=(0.5, 0.5), share=0.4)
    >>> one = andreev_conductance([0.0], gap_mev=2.6, barrier=0.5)
    >>> bool(np.allclose(two, one))
    True
    """
    _check_share("share", share)
    first, second = (
        andreev_conductance(
            bias_mv, gap_mev=gap, broadening_mev=broadening, barrier=barrier, temperature_k=temperature_k, weight=weight
        )
        for gap, broadening, barrier in zip(gaps_mev, broadenings_mev, barriers, strict=True)
    )
    return np.asarray(share * first + (1.0 - share) * second)


def d_wave_conductance(
    bias_mv: npt.ArrayLike,
    *,
    gap_mev: float,
    broadening_mev: float = 0.0,
    barrier: float = 0.0,
    temperature_k: float = 0.0,
    weight: float = 1.0,
) -> Floats:
    """Normalised conductance of a contact with a d-wave superconductor, averaged over angle.

    Parameters
    ----------
    bias_mv : array-like, any shape
        Bias, in mV.
    gap_mev : float
        Largest gap, in meV, not negative.
    broadening_mev, barrier, temperature_k, weight : float
        As in :func:`andreev_conductance`.

    Returns
    -------
    array, the shape of `bias_mv`

    Raises
    ------
    InputError
        When a parameter is outside its range.

    Notes
    -----
    The mean over θ of the s-wave conductance at Δ|cos 2θ|: a contact along a lobe, or along c. States of zero energy,
    which a contact along a node has [1]_, are not in it. With neither broadening nor temperature it is good to 1e-3
    only.

    References
    ----------
    .. [1] Y. Tanaka and S. Kashiwaya, Phys. Rev. Lett. 74, 3451 (1995)

    Examples
    --------
    >>> d_wave_conductance([0.0], gap_mev=20.0, broadening_mev=1.0).round(4)
    array([1.7845])
    """
    bias = np.asarray(bias_mv, dtype=np.float64)
    andreev_conductance(
        0.0, gap_mev=gap_mev, broadening_mev=broadening_mev, barrier=barrier, temperature_k=temperature_k, weight=weight
    )
    if not all(map(math.isfinite, (gap_mev, broadening_mev, barrier, temperature_k, weight))):
        return np.full(bias.shape, np.nan)
    rows = d_wave_rows(
        bias.ravel(),
        gap_mev=gap_mev,
        broadening_mev=broadening_mev,
        barrier2=barrier**2,
        temperature_k=temperature_k,
        rows=1,
    )
    return np.asarray(1.0 + weight * (rows[0] - 1.0)).reshape(bias.shape)


def effective_barrier(barrier: float, *, velocity_ratio: float = 1.0) -> float:
    """Barrier strength with the mismatch of the Fermi velocities in it.

    Parameters
    ----------
    barrier : float
        Z of the barrier alone, not negative.
    velocity_ratio : float
        Ratio r of the velocities, above 0; r and 1/r are the same.

    Returns
    -------
    float
        √(Z² + (1 − r)²/(4r)).

    Raises
    ------
    InputError
        When the ratio is not above 0.

    References
    ----------
    .. [1] G. E. Blonder and M. Tinkham, Phys. Rev. B 27, 112 (1983)

    Examples
    --------
    >>> effective_barrier(0.0, velocity_ratio=4.0)
    0.75
    """
    if velocity_ratio <= 0 or math.isinf(velocity_ratio):
        raise InputError(f"velocity_ratio is {velocity_ratio:g}. Expected a ratio above 0. Give 1 for no mismatch.")
    return math.sqrt(barrier**2 + (1.0 - velocity_ratio) ** 2 / (4.0 * velocity_ratio))


def conductance_rows(
    bias_mv: Floats, *, gap_mev: float, broadening_mev: float, barrier2: float, temperature_k: float, rows: int = 4
) -> Floats:
    """Normalised conductance and its derivatives, for fits; nothing is checked.

    Parameters
    ----------
    bias_mv : array, shape (n,)
        Bias, in mV; NaN gives NaN.
    gap_mev, broadening_mev, temperature_k : float
        As in :func:`andreev_conductance`.
    barrier2 : float
        Z², above −1/2: a fit may need to step a little below 0.
    rows : int
        1 for the value alone, 4 with the derivatives.

    Returns
    -------
    array, shape (rows, n)
        The value, then its derivatives by gap, broadening (1/meV) and Z².
    """
    finite = np.isfinite(bias_mv)
    if not np.all(finite):
        out = np.full((rows, bias_mv.size), np.nan)
        out[:, finite] = conductance_rows(
            bias_mv[finite],
            gap_mev=gap_mev,
            broadening_mev=broadening_mev,
            barrier2=barrier2,
            temperature_k=temperature_k,
            rows=rows,
        )
        return out
    out = np.zeros((4, bias_mv.size))
    if gap_mev == 0.0 or bias_mv.size == 0:
        out[0] = 1.0
        return out[:rows]
    thermal = BOLTZMANN_MEV_PER_K * temperature_k
    size = np.abs(bias_mv)
    reach = float(np.max(size))
    if thermal > _COLDEST * max(gap_mev, reach):
        # the curve is even: a sweep of both signs is half the work
        _, first, back = np.unique(np.round(size / (_SAME * (reach + gap_mev))), return_index=True, return_inverse=True)
        half = np.empty((rows, first.size))
        kernels.thermal_conductance(size[first], gap_mev, broadening_mev, barrier2, thermal, rows, half)
        return half[:, back]
    kernels.sharp_conductance(bias_mv, gap_mev, broadening_mev, barrier2, out)
    return out[:rows]


def d_wave_rows(
    bias_mv: Floats, *, gap_mev: float, broadening_mev: float, barrier2: float, temperature_k: float, rows: int = 4
) -> Floats:
    """The same as :func:`conductance_rows` for the angle average of a d-wave gap.

    Parameters
    ----------
    bias_mv : array, shape (n,)
        Bias, in mV.
    gap_mev, broadening_mev, barrier2, temperature_k, rows
        As in :func:`conductance_rows`; `gap_mev` is the largest gap.

    Returns
    -------
    array, shape (rows, n)
    """
    width = max(BOLTZMANN_MEV_PER_K * temperature_k, broadening_mev, 1e-9 * gap_mev, 1e-300)
    count = int(min(_ANGLES_LEAST + _ANGLES_PER_WIDTH * gap_mev / width, _ANGLES_MOST))
    points, weights = np.polynomial.legendre.leggauss(count)
    total = np.zeros((rows, bias_mv.size))
    for point, weight in zip(points, weights, strict=True):
        projection = math.cos(math.pi / 4.0 * (1.0 + point))  # cos 2θ for θ from 0 to π/4
        one = conductance_rows(
            bias_mv,
            gap_mev=gap_mev * projection,
            broadening_mev=broadening_mev,
            barrier2=barrier2,
            temperature_k=temperature_k,
            rows=rows,
        )
        if rows > 1:
            one[1] *= projection
        total += 0.5 * weight * one
    return total


def _check_not_negative(name: str, value: float) -> None:
    if value < 0 or math.isinf(value):
        raise InputError(f"{name} is {value:g}. Expected a finite number, 0 or above. Correct it.")


def _check_share(name: str, value: float) -> None:
    if value < 0 or value > 1:
        raise InputError(f"{name} is {value:g}. Expected a number from 0 to 1. Correct it.")
