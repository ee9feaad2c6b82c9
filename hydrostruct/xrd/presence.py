"""Is this phase there? Significance of its lines, and its share of the Bragg area."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from hydrostruct.xrd.kernels import area_shares, wald_statistic

Floats = npt.NDArray[np.float64]

DETECTION_SIGMA = 4.0
"""A phase counts as detected from here on: one false alarm in 30 000 patterns without it, if sigma is right."""

_LEAST_TOTAL_SIGMA = 3.0
_LEAST_TAIL = 1e-280  # smaller probabilities are known by their logarithm alone
_LOG_OF_LEAST_TAIL = math.log(_LEAST_TAIL)
SUPPORTED_SIGMA = 2.0
"""Enough for a phase that more lines of the pattern lie on than its cell has parameters."""


def line_significance(intensity: Floats, covariance: Floats, *, n_fitted: int = 0) -> float:
    """How surely a set of lines is there, in standard deviations.

    Parameters
    ----------
    intensity : array, shape (n,)
        Signed areas of the lines of one phase.
    covariance : array, shape (n, n)
        Their covariance, all else marginalised, scaled as uncertainties are.
    n_fitted : int
        Parameters of the phase that were fitted to make the lines strong; they count as further degrees of freedom.

    Returns
    -------
    float
        Gaussian equivalent of the χ² probability of intensities all 0; 0 when there is no line or the lines point
        down on the whole.

    Notes
    -----
    The Wald statistic Iᵀ C⁻¹ I against χ² with n + n_fitted degrees of freedom. Far out in the tail the probability
    underflows; there the asymptotic series of its logarithm is used.

    Examples
    --------
    >>> round(line_significance(np.array([5.0]), np.array([[1.0]])), 2)
    5.0
    """
    if intensity.size == 0 or not np.isfinite(covariance).all():
        return 0.0
    if (intensity / np.sqrt(np.maximum(covariance.diagonal(), 1e-300))).sum() <= 0:
        return 0.0
    statistic = float(wald_statistic(intensity, covariance))
    if math.isnan(statistic):  # lines that the data cannot tell apart: the least solution
        statistic = float(intensity @ np.linalg.lstsq(covariance, intensity, rcond=1e-12)[0])
    return gaussian_equivalent(statistic, intensity.size + n_fitted)


def gaussian_equivalent(statistic: float, degrees: int) -> float:
    """Two-sided Gaussian deviation as improbable as a χ² value.

    Parameters
    ----------
    statistic : float
        Value of χ².
    degrees : int
        Degrees of freedom, at least 1.

    Returns
    -------
    float
        At least 0.

    Examples
    --------
    >>> round(gaussian_equivalent(9.0, 1), 6), round(gaussian_equivalent(1e6, 10))
    (3.0, 1000)
    """
    half, order = statistic / 2, degrees / 2
    if not half > 0:  # half of the least positive number is 0
        return 0.0
    log_tail = (order - 1) * math.log(half) - half - math.lgamma(order)
    # above twice its order the tail is no more than twice the first term of its series
    if half < degrees or log_tail > _LOG_OF_LEAST_TAIL - 1.0:
        tail = float(special.gammaincc(order, half))
        if tail > _LEAST_TAIL:
            return float(abs(special.ndtri(tail / 2)))
    # invert log erfc(z/√2) ≈ -z²/2 - log(z √(π/2)) by two fixed-point steps
    z = math.sqrt(-2 * log_tail)
    for _ in range(3):
        z = math.sqrt(-2 * (log_tail + math.log(z * math.sqrt(math.pi / 2))))
    return z


def shares(areas: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Each phase's part of the Bragg area, with its uncertainty.

    Parameters
    ----------
    areas : array, shape (phases,)
        Summed signed areas of the lines of each phase in the range.
    covariance : array, shape (phases, phases)
        Their covariance.

    Returns
    -------
    share, sigma : array, shape (phases,)
        NaN when the total is not above 0 by three times its uncertainty.

    Notes
    -----
    A share of Bragg area is not a phase fraction: scattering power, texture and absorption differ.

    Examples
    --------
    >>> shares(np.array([3.0, 1.0]), np.diag([0.01, 0.01]))[0]
    array([0.75, 0.25])
    """
    share, sigma = area_shares(areas, covariance, _LEAST_TOTAL_SIGMA)
    return share, sigma
