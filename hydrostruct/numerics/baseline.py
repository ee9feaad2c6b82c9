"""Smooth backgrounds under the lines of a spectrum: the door to pybaselines."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name

Floats = npt.NDArray[np.float64]

BASELINES = ("arpls", "asls", "snip", "modpoly")
"""Methods: weighted smoothing (two), clipping of peaks, an iterated polynomial."""
DEFAULT_STIFFNESS = 1e5
_STIFFNESS_RANGE = (1.0, 1e12)
_LEAST_POINTS = 20
_SNIP_SHARE = 0.05  # of the points: half the width of the widest line that is clipped
_POLYNOMIAL = 5


def smooth_baseline(
    x: npt.ArrayLike, y: npt.ArrayLike, *, method: str = "arpls", stiffness: float = DEFAULT_STIFFNESS
) -> Floats:
    """A smooth curve below the lines of a spectrum.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        Positions, rising, and intensities without NaN.
    method : str
        One of `BASELINES`.
    stiffness : float
        Of the first two: how stiff the curve is, for a spectrum of 1000 points; it is scaled for others so that a
        spectrum sampled more finely keeps its baseline.

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    InputError
        When the method is not known, the stiffness is no number that can be meant, or there are too few points.

    References
    ----------
    arpls: S.-J. Baek et al., Analyst 140, 250 (2015), doi 10.1039/C4AN01061B. The others in the documentation of
    pybaselines (D. Erb), doi 10.5281/zenodo.5608581.

    Examples
    --------
    >>> x = np.linspace(0.0, 1.0, 200)
    >>> lines = 5.0 * np.exp(-(((x - 0.5) / 0.02) ** 2))
    >>> bool(np.max(np.abs(smooth_baseline(x, 3.0 + x + lines) - 3.0 - x)) < 0.2)
    True
    """
    position, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if method not in BASELINES:
        raise InputError(
            f"baseline: {method!r} is not known. {nearest_name(method, BASELINES)} Expected one of "
            f"{', '.join(BASELINES)}."
        )
    low, high = _STIFFNESS_RANGE
    if not low <= stiffness <= high:
        raise InputError(f"baseline: the stiffness is {stiffness:g}. Expected {low:g} to {high:g}, such as 1e5.")
    if values.size < _LEAST_POINTS or values.shape != position.shape:
        raise InputError(f"baseline: {values.size} points. Expected {_LEAST_POINTS} or more. Measure a wider range.")
    if np.ptp(values) == 0:
        return values.copy()
    from pybaselines import Baseline

    options = {
        "snip": {"max_half_window": max(4, round(_SNIP_SHARE * values.size)), "decreasing": True},
        "modpoly": {"poly_order": _POLYNOMIAL},
    }.get(method, {"lam": stiffness * (values.size / 1000.0) ** 4})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a search that stops at its limit of steps still gives a smooth curve
        found, _ = getattr(Baseline(x_data=position), method)(values, **options)
    return np.asarray(found, dtype=np.float64)
