"""The curve of a smoothed step, with or without an exponential tail, its derivatives and where it falls fastest."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import erfc, erfcx

Floats = npt.NDArray[np.float64]

NO_TAIL, LOW_TAIL, HIGH_TAIL = 0, -1, 1
_PARAMETERS = 6  # without a tail
_LOG_LIMITS = (-5.0, 10.0)
_REACH_WIDTHS = 1.2
_ROOT_TWO, _ROOT_TWO_PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)


def step_curve(x: Floats, p: Floats, scale: float = 1.0, *, tail: int = NO_TAIL) -> Floats:
    """The curve of parameters (x₀, ln w, c, A, l, r[, ln τ]), the linear ones in units of `scale`.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹.
    p : array, shape (6,) or (7,)
        Place and log of the width, in cm⁻¹; background at the place, height, slope on the low and on the high side;
        log of the tail's length, in cm⁻¹.
    scale : float
        Unit of the linear parameters.
    tail : int
        NO_TAIL, LOW_TAIL or HIGH_TAIL.

    Returns
    -------
    array, shape (m,)

    Notes
    -----
    c + A S + l (x − x₀) S + r (x − x₀)(1 − S). S is the share of sharp edges that lie above x, when their places
    scatter about x₀ by a normal law of standard deviation w and, with a tail, by an exponential one of length τ to
    that side: the pressure of a culet has a highest value, and less and less of it is under less and less load.

    Examples
    --------
    >>> p = np.array([1500.0, 1.0, 10.0, 5.0, 0.0, 0.0])
    >>> step_curve(np.array([1400.0, 1500.0, 1600.0]), p)
    array([15. , 12.5, 10. ])
    """
    u = x - p[0]
    share = _shares(u, p, tail)[0]
    return np.asarray(scale * (p[2] + p[5] * u + (p[3] + (p[4] - p[5]) * u) * share))


def step_slopes(x: Floats, p: Floats, scale: float = 1.0, *, tail: int = NO_TAIL) -> Floats:
    """Derivatives of the curve by its parameters, shape (m, 6 or 7)."""
    u = x - p[0]
    share, by_u, by_width, by_tail = _shares(u, p, tail)
    height = p[3] + (p[4] - p[5]) * u
    columns = [
        -height * by_u - p[4] * share - p[5] * (1.0 - share),
        height * by_width,
        np.ones_like(x),
        share,
        u * share,
        u * (1.0 - share),
    ]
    if p.size > _PARAMETERS:
        columns.append(height * by_tail)
    return np.asarray(scale * np.stack(columns, axis=1))


def steepest_place(p: Floats, *, tail: int = NO_TAIL) -> tuple[float, Floats]:
    """Where the curve falls fastest, and the derivatives of that place by the parameters; NaN where there is none.

    The place is a root of the second derivative g; by the theorem of implicit functions its derivative by a parameter
    is −(∂g/∂p)/(∂g/∂x).
    """
    width, length = _lengths(p)
    grid = p[0] + np.linspace(-_REACH_WIDTHS, _REACH_WIDTHS, 97) * (width + (length if tail else 0.0))
    step = 1e-3 * width

    def bend(at: float, q: Floats) -> float:
        ends = _slope(np.array([at + step, at - step]), q, tail)
        return float(ends[0] - ends[1]) / (2.0 * step)

    def bend_slope(at: float) -> float:
        return (bend(at + step, p) - bend(at - step, p)) / (2.0 * step)

    at = float(grid[int(np.argmin(_slope(grid, p, tail)))])
    for _ in range(4):
        curvature = bend_slope(at)
        if not curvature > 0:
            return math.nan, np.full(p.size, np.nan)
        at -= float(np.clip(bend(at, p) / curvature, -0.1 * width, 0.1 * width))
    gradient = np.empty(p.size)
    for index in range(p.size):
        change = np.zeros(p.size)
        change[index] = 1e-5 * (width if index == 0 else max(abs(float(p[index])), 1e-3))
        gradient[index] = (bend(at, p + change) - bend(at, p - change)) / (2.0 * change[index])
    return at, -gradient / bend_slope(at)


def step_width(p: Floats) -> float:
    """Standard deviation of the places of the sharp edges, tail included, in cm⁻¹."""
    return math.hypot(*_lengths(p))


def _slope(x: Floats, p: Floats, tail: int) -> Floats:
    """Derivative of the curve by x, in units of its scale."""
    u = x - p[0]
    share, by_u, *_ = _shares(u, p, tail)
    return np.asarray(p[4] * share + p[5] * (1.0 - share) + (p[3] + (p[4] - p[5]) * u) * by_u)


def _lengths(p: Floats) -> tuple[float, float]:
    """Width and length of the tail; 0 where there is none."""
    width = math.exp(min(float(p[1]), _LOG_LIMITS[1]))
    return width, math.exp(float(np.clip(p[6], *_LOG_LIMITS))) if p.size > _PARAMETERS else 0.0


def _shares(u: Floats, p: Floats, tail: int) -> tuple[Floats, Floats, Floats, Floats]:
    """S, and its derivatives by u, by ln w and by ln τ."""
    width, length = _lengths(p)
    if tail == NO_TAIL:
        z = u / width
        bell = np.exp(-0.5 * z * z) / _ROOT_TWO_PI
        return np.asarray(0.5 * erfc(z / _ROOT_TWO)), -bell / width, z * bell, np.zeros_like(u)
    if tail == HIGH_TAIL:
        return _shares_with_tail(u, width, length)
    share, by_u, by_width, by_tail = _shares_with_tail(-u, width, length)
    return 1.0 - share, by_u, -by_width, -by_tail


def _shares_with_tail(u: Floats, width: float, length: float) -> tuple[Floats, Floats, Floats, Floats]:
    """The same with the tail on the high side, by the exponentially modified normal law."""
    z, ratio = u / width, width / length
    bell = np.exp(-0.5 * z * z) / _ROOT_TWO_PI
    near = (ratio - z) / _ROOT_TWO
    # one form overflows where the other does not
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.exp(-0.5 * z * z) * erfcx(np.maximum(near, 0.0))
        plain = np.exp(np.minimum(ratio * (0.5 * ratio - z), 0.0)) * erfc(np.minimum(near, 0.0))
    part = 0.5 * np.where(near > 0.0, scaled, plain)
    share = 0.5 * erfc(z / _ROOT_TWO) + part
    by_width = part * ratio**2 - bell * ratio
    by_tail = part * (z * ratio - ratio**2) + bell * ratio
    return np.asarray(share), -part / length, by_width, by_tail
