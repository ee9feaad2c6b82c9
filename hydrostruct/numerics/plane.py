"""A plane through values on a map, by weighted least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_FEWEST_PLACES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """value = middle + slope_x (x − x_middle) + slope_y (y − y_middle)."""

    middle: float
    """Value at the mean place, in the values' unit."""
    middle_sigma: float
    """Its standard uncertainty."""
    slope_x: float
    """Slope along x, per µm."""
    slope_x_sigma: float
    """Its standard uncertainty."""
    slope_y: float
    """Slope along y, per µm."""
    slope_y_sigma: float
    """Its standard uncertainty."""
    x_middle_um: float
    """Mean place, in µm."""
    y_middle_um: float
    """Mean place, in µm."""
    excess: float
    """By what the sigmas were multiplied, as the values lie farther from the plane than their own sigmas; 1 or more."""


def fit_plane(x_um: npt.ArrayLike, y_um: npt.ArrayLike, *, values: npt.ArrayLike, sigma: npt.ArrayLike) -> Plane | None:
    """Fit a plane.

    Parameters
    ----------
    x_um, y_um : array-like, shape (n,)
        Places, in µm.
    values, sigma : array-like, shape (n,)
        Values and standard uncertainties; where one is no number, or sigma is not above 0, the place is left out.

    Returns
    -------
    Plane, or None
        None where fewer than four places are left, or they lie on a line.

    Examples
    --------
    >>> plane = fit_plane([0, 5, 0, 5], [0, 0, 5, 5], values=[90, 91, 92, 93], sigma=[0.1] * 4)
    >>> round(plane.slope_x, 3), round(plane.slope_y, 3), round(plane.middle, 3)
    (0.2, 0.4, 91.5)
    """
    table = np.stack(np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (x_um, y_um, values, sigma))))
    table = table[:, np.all(np.isfinite(table), axis=0) & (table[3] > 0)]
    x, y, value, error = table
    if x.size < _FEWEST_PLACES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    design = np.column_stack((np.ones_like(x), x - x.mean(), y - y.mean())) / error[:, None]
    found, _, rank, _ = np.linalg.lstsq(design, value / error, rcond=None)
    if rank < 3:
        return None
    left = value / error - design @ found
    excess = max(1.0, math.sqrt(float(left @ left) / (x.size - 3)))
    spread = np.sqrt(np.diag(np.linalg.inv(design.T @ design))) * excess
    return Plane(
        middle=float(found[0]), middle_sigma=float(spread[0]), slope_x=float(found[1]), slope_x_sigma=float(spread[1]),
        slope_y=float(found[2]), slope_y_sigma=float(spread[2]), x_middle_um=float(x.mean()),
        y_middle_um=float(y.mean()), excess=excess,
    )  # fmt: skip
