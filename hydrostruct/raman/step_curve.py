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
_AT_REST = 1e-5
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
    share = _shares(u, float(p[1]), float(p[-1]), tail)[0]
    return np.asarray(scale * (p[2] + p[5] * u + (p[3] + (p[4] - p[5]) * u) * share))


def step_columns(x: Floats, q: Floats, *, tail: int = NO_TAIL) -> tuple[Floats, Floats]:
    """What the linear parameters multiply, and its derivatives by the others.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹.
    q : array, shape (2,) or (3,)
        Place, log of the width and log of the tail's length, in cm⁻¹.
    tail : int
        As in `step_curve`.

    Returns
    -------
    columns, slopes : arrays, shape (m, 4) and (2 or 3, m, 4)
    """
    u = x - q[0]
    share, by_u, *others = _shares(u, float(q[1]), float(q[2]) if tail else math.nan, tail)
    columns, slopes = np.ones((u.size, 4)), np.zeros((q.size, u.size, 4))
    columns[:, 1], columns[:, 2] = share, u * share
    columns[:, 3] = u - columns[:, 2]
    for slope, by in zip(slopes, (-by_u, *others), strict=False):
        slope[:, 1], slope[:, 2] = by, u * by
        slope[:, 3] = -slope[:, 2]
    slopes[0, :, 2] -= share
    slopes[0, :, 3] += share - 1.0
    return columns, slopes


def steepest_place(p: Floats, *, tail: int = NO_TAIL) -> tuple[float, Floats]:
    """Where the curve falls fastest, and the derivatives of that place by the parameters; NaN where there is none.

    The place is a root of the second derivative g; by the theorem of implicit functions its derivative by a parameter
    is −(∂g/∂p)/(∂g/∂x).
    """
    width, length = _lengths(p)
    grid = np.linspace(-_REACH_WIDTHS, _REACH_WIDTHS, 97) * (width + length)
    u = float(grid[int(np.argmin(_slope(p[0] + grid, p, tail)))])
    for _ in range(4):
        bend, bend_slope = _bends(u, p, tail)
        if not bend_slope > 0:
            return math.nan, np.full(p.size, np.nan)
        move = min(max(bend / bend_slope, -0.1 * width), 0.1 * width)
        u -= move
        if abs(move) < _AT_REST * width:
            break
    return float(p[0]) + u, -_bend_gradient(u, p, tail) / _bends(u, p, tail)[1]


def _bend_gradient(u: float, p: Floats, tail: int) -> Floats:
    """Derivatives of the curve's second derivative at a fixed x by the parameters."""
    by_u, by_uu, _ = _share_slopes(u, p, tail)
    gradient = np.zeros(p.size)
    gradient[0], gradient[3] = -_bends(u, p, tail)[1], by_uu
    gradient[4] = 2.0 * by_u + u * by_uu
    gradient[5] = -gradient[4]
    for index in (1, 6)[: p.size - _PARAMETERS + 1]:
        change = np.zeros(p.size)
        change[index] = 1e-4
        gradient[index] = (_bends(u, p + change, tail)[0] - _bends(u, p - change, tail)[0]) / 2e-4
    return gradient


def _bends(u: float, p: Floats, tail: int) -> tuple[float, float]:
    """Second and third derivative of the curve."""
    by_u, by_uu, by_uuu = _share_slopes(u, p, tail)
    height, tilt = p[3] + (p[4] - p[5]) * u, p[4] - p[5]
    return float(2.0 * tilt * by_u + height * by_uu), float(3.0 * tilt * by_uu + height * by_uuu)


def _share_slopes(u: float, p: Floats, tail: int) -> tuple[float, float, float]:
    """First three derivatives of S by u."""
    width, length = _lengths(p)
    z = u / width
    bell = math.exp(-0.5 * z * z) / (_ROOT_TWO_PI * width)
    if tail == NO_TAIL:
        return -bell, z * bell / width, (1.0 - z * z) * bell / width**2
    by_u = float(_shares(np.array([u]), float(p[1]), float(p[6]), tail)[1][0])
    by_uu = -tail * (by_u + bell) / length  # an exponential tail: S + tail τ dS/du is the share without it
    return by_u, by_uu, -tail * (by_uu - z * bell / width) / length


def step_width(p: Floats) -> float:
    """Standard deviation of the places of the sharp edges, tail included, in cm⁻¹."""
    return math.hypot(*_lengths(p))


def _slope(x: Floats, p: Floats, tail: int) -> Floats:
    """Derivative of the curve by x, in units of its scale."""
    u = x - p[0]
    share, by_u, *_ = _shares(u, float(p[1]), float(p[-1]), tail)
    return np.asarray(p[4] * share + p[5] * (1.0 - share) + (p[3] + (p[4] - p[5]) * u) * by_u)


def _lengths(p: Floats) -> tuple[float, float]:
    """Width and length of the tail; 0 where there is none."""
    return _length(float(p[1])), _length(float(p[6])) if p.size > _PARAMETERS else 0.0


def _length(log: float) -> float:
    return math.exp(min(max(log, _LOG_LIMITS[0]), _LOG_LIMITS[1]))


def _shares(u: Floats, log_width: float, log_length: float, tail: int) -> tuple[Floats, Floats, Floats, Floats]:
    """S, and its derivatives by u, by ln w and by ln τ."""
    width = _length(log_width)
    if tail == NO_TAIL:
        z = u / width
        bell = np.exp(-0.5 * z * z) / _ROOT_TWO_PI
        return np.asarray(0.5 * erfc(z / _ROOT_TWO)), -bell / width, z * bell, np.zeros_like(u)
    if tail == HIGH_TAIL:
        return _shares_with_tail(u, width, _length(log_length))
    share, by_u, by_width, by_tail = _shares_with_tail(-u, width, _length(log_length))
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
