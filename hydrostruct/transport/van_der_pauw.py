"""Sheet resistance of a flat sample of any shape from two configurations of four contacts at its edge."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_MOST_STEPS = 60


def sheet_resistance(first_ohm: npt.ArrayLike, second_ohm: npt.ArrayLike) -> Floats:
    """Sheet resistance by the theorem of van der Pauw.

    Parameters
    ----------
    first_ohm, second_ohm : array-like
        Voltage over current in the two configurations, in Ω, of shapes that go together.

    Returns
    -------
    array
        In Ω per square; NaN where one of the two is NaN or not above 0: the theorem holds for a homogeneous sheet, and
        a negative or vanishing four-point resistance shows that the sample is none.

    Notes
    -----
    The root of exp(−πa/R) + exp(−πb/R) = 1, by Newton's method on x = π/R·(a + b)/2, for which the sum is convex and
    falling: from the left the steps never overshoot.

    References
    ----------
    .. [1] L. J. van der Pauw, Philips Res. Rep. 13, 1 (1958)

    Examples
    --------
    >>> sheet_resistance([1.0, 1.0, 1.0], [1.0, 2.0, 10.0]).round(6)
    array([ 4.53236 ,  6.528503, 17.431126])
    """
    first, second = np.broadcast_arrays(np.asarray(first_ohm, dtype=np.float64), np.asarray(second_ohm, np.float64))
    valid = np.isfinite(first) & np.isfinite(second) & (first > 0) & (second > 0)
    mean = np.where(valid, 0.5 * (first + second), 1.0)
    low = np.where(valid, np.minimum(first, second) / mean, 1.0)
    x = np.full(mean.shape, math.log(2.0))  # the root for equal resistances, the least of all
    for _ in range(_MOST_STEPS):
        one, two = np.exp(-low * x), np.exp(-(2.0 - low) * x)
        step = (one + two - 1.0) / (low * one + (2.0 - low) * two)
        x = x + step
        if np.all(np.abs(step) <= 4e-16 * x):
            break
    return np.asarray(np.where(valid, math.pi * mean / x, np.nan))


def sheet_resistance_sigma(
    first_ohm: npt.ArrayLike,
    second_ohm: npt.ArrayLike,
    *,
    first_sigma_ohm: npt.ArrayLike,
    second_sigma_ohm: npt.ArrayLike,
) -> Floats:
    """Standard uncertainty of the sheet resistance.

    Parameters
    ----------
    first_ohm, second_ohm : array-like
        The two resistances, in Ω.
    first_sigma_ohm, second_sigma_ohm : array-like
        Their standard uncertainties, in Ω, independent of each other.

    Returns
    -------
    array
        In Ω per square.

    Notes
    -----
    By the derivatives of the implicit equation: ∂R/∂a = R e_a/(a e_a + b e_b), with e_a = exp(−πa/R).

    Examples
    --------
    >>> float(sheet_resistance_sigma(1.0, 1.0, first_sigma_ohm=0.01, second_sigma_ohm=0.01).round(5))
    0.03205
    """
    first, second = np.asarray(first_ohm, dtype=np.float64), np.asarray(second_ohm, dtype=np.float64)
    sheet = sheet_resistance(first, second)
    one, two = np.exp(-math.pi * first / sheet), np.exp(-math.pi * second / sheet)
    per = sheet / (first * one + second * two)
    return np.asarray(np.hypot(per * one * np.asarray(first_sigma_ohm), per * two * np.asarray(second_sigma_ohm)))
