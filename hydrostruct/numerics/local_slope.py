"""Derivative of noisy data, with its error, by local regression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def local_slope(x: Floats, y: Floats, *, half_width: int, sigma: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """Slope of the straight line through the points about each point, nearer ones weighing more.

    Parameters
    ----------
    x : array, shape (n,)
        Positions, rising; they need not be even.
    y : array, shape (n,)
        Values, without NaN.
    half_width : int
        Points on each side, at least 1.
    sigma : array, shape (n,), or float
        Standard uncertainty of y.

    Returns
    -------
    slope, slope_sigma : array, shape (n,)
        NaN where the window leaves the data.

    Notes
    -----
    With weights k and x̄ = Σkx/Σk the slope is Σk(x − x̄)y / Σk(x − x̄)². On an even grid it is also the slope of the
    local parabola, and a parabola's slope is met exactly.

    References
    ----------
    .. [1] A. Savitzky and M. J. E. Golay, Anal. Chem. 36, 1627 (1964), doi 10.1021/ac60214a047

    Examples
    --------
    >>> slope, error = local_slope(np.arange(5.0), 3.0 * np.arange(5.0), half_width=1)
    >>> slope[1:4], error[1:4].round(3)
    (array([3., 3., 3.]), array([0.707, 0.707, 0.707]))
    """
    width = 2 * half_width + 1
    slope, error = np.full(x.size, np.nan), np.full(x.size, np.nan)
    if x.size < width:
        return slope, error
    kernel = 1.0 - (np.arange(-half_width, half_width + 1) / (half_width + 1.0)) ** 2
    windows = np.lib.stride_tricks.sliding_window_view
    near = windows(x, width)
    lever = kernel * (near - (near @ kernel / kernel.sum())[:, None])
    scale = np.einsum("ij,ij->i", lever, near)
    variance = windows(np.broadcast_to(np.asarray(sigma, dtype=np.float64) ** 2, x.shape), width)
    inner = slice(half_width, x.size - half_width)
    slope[inner] = np.einsum("ij,ij->i", lever, windows(y, width)) / scale
    error[inner] = np.sqrt(np.einsum("ij,ij->i", lever**2, variance)) / scale
    return slope, error
