"""The loops of the step's fit that must be fast: plain loops over arrays, compiled once.

A smoothed step is not linear in two parameters, its place x₀ and the log of its width w. Its tail is `ratio` times as
long as w, on the high side where positive, on the low side where negative, and held. Offset, height and the slopes on
both sides are linear: they have one best value at every place and width, and are solved for (Kaufman,
10.1007/BF01932995). What is left is searched by Marquardt's steps.

The slow, obvious twin of all this stands in the tests.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

PLACE, WIDTH = 0, 1
LINEAR = 4
PARAMETERS = 6
_ROOT_TWO = math.sqrt(2.0)
_BELL = 1.0 / math.sqrt(2.0 * math.pi)
_ROOT_PI = math.sqrt(math.pi)
_MOST_STEPS = 40
_REST = 1e-5  # of the reduced χ²: what the next step would gain, a three-hundredth of a standard deviation
_ROUNDING = 1e-14  # of the sum of squares of the data
_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-9, 1e7
_TIGHTENED = 4.0
_ERFC_END = 20.0  # beyond it erfcx is its asymptotic series, to 1e-9 and better
_GRID = 49
_REACH_WIDTHS = 1.3
_AT_REST = 1e-6


@njit(cache=True, error_model="numpy", nogil=True)
def _scaled_erfc(t):
    """exp(t²)·erfc(t) for t not below 0."""
    if t < _ERFC_END:
        return math.exp(t * t) * math.erfc(t)
    s = 1.0 / (t * t)
    return (1.0 - 0.5 * s + 0.75 * s * s - 1.875 * s * s * s) / (t * _ROOT_PI)


@njit(cache=True, error_model="numpy", nogil=True)
def share(z, ratio):
    """Share of sharp edges above z widths, and its derivative by z."""
    bell = _BELL * math.exp(-0.5 * z * z)
    plain = 0.5 * math.erfc(z / _ROOT_TWO)
    if ratio == 0.0:
        return plain, -bell
    inverse, side = 1.0 / abs(ratio), z if ratio > 0.0 else -z
    near = (inverse - side) / _ROOT_TWO
    if near > 0.0:
        part = 0.5 * math.exp(-0.5 * z * z) * _scaled_erfc(near)
    else:
        part = 0.5 * math.exp(inverse * (0.5 * inverse - side)) * math.erfc(near)
    if ratio > 0.0:
        return plain + part, -part * inverse
    return plain - part, -part * inverse


@njit(cache=True, error_model="numpy", nogil=True)
def _cholesky(matrix, n):
    """The lower factor, in place; whether there is one."""
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                matrix[i, i] = math.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _solved(factor, right, n):
    """Solution of the system of a lower factor, in place of the right side."""
    for i in range(n):
        total = right[i]
        for k in range(i):
            total -= factor[i, k] * right[k]
        right[i] = total / factor[i, i]
    for i in range(n - 1, -1, -1):
        total = right[i]
        for k in range(i + 1, n):
            total -= factor[k, i] * right[k]
        right[i] = total / factor[i, i]


@njit(cache=True, error_model="numpy", nogil=True)
def _normal(x, y, weight, place, log_width, ratio, rows, gram, linear, rest):
    """The best linear parameters at a place and width; χ², infinite where there are none.

    `rows` (points, 6) becomes the derivatives of the weighted curve by place, log of the width, offset, height, slopes.
    """
    width = math.exp(log_width)
    n = x.shape[0]
    gram[:] = 0.0
    linear[:] = 0.0
    for i in range(n):
        u, w = x[i] - place, weight[i]
        z = u / width
        s, by_z = share(z, ratio)
        row = rows[i]
        row[0], row[1] = w * by_z, z  # completed below, when the linear parameters are known
        row[2], row[3], row[4] = w, w * s, w * u * s
        row[5] = w * u - row[4]
        for a in range(LINEAR):
            linear[a] += row[2 + a] * y[i]
            for b in range(a + 1):
                gram[a, b] += row[2 + a] * row[2 + b]
    unit = np.empty(LINEAR)
    for a in range(LINEAR):
        unit[a] = 1.0 / math.sqrt(gram[a, a]) if gram[a, a] > 0.0 else 0.0
    for a in range(LINEAR):
        linear[a] *= unit[a]
        for b in range(a + 1):
            gram[a, b] *= unit[a] * unit[b]
    if not _cholesky(gram, LINEAR):
        return math.inf
    _solved(gram, linear, LINEAR)
    for a in range(LINEAR):
        linear[a] *= unit[a]
    height, tilt = linear[1], linear[2] - linear[3]
    chi2 = 0.0
    for i in range(n):
        row = rows[i]
        fit = row[2] * linear[0] + row[3] * linear[1] + row[4] * linear[2] + row[5] * linear[3]
        rest[i] = y[i] - fit
        chi2 += rest[i] * rest[i]
        u, z, by_z, w = x[i] - place, row[1], row[0], weight[i]
        bent = (height + tilt * u) * by_z
        row[1] = -bent * z
        row[0] = -bent / width - (row[3] * tilt + w * linear[3])
    return chi2


@njit(cache=True, error_model="numpy", nogil=True)
def _descent(rows, rest, held, gradient, curvature, whole):
    """Half the downward gradient of χ² and its curvature by place and width, the linear parameters following."""
    n = rows.shape[0]
    whole[:] = 0.0
    gradient[:] = 0.0
    for i in range(n):
        for a in range(PARAMETERS):
            for b in range(a + 1):
                whole[a, b] += rows[i, a] * rows[i, b]
        gradient[0] += rows[i, 0] * rest[i]
        gradient[1] += rows[i, 1] * rest[i]
    factor, right = np.empty((LINEAR, LINEAR)), np.empty((2, LINEAR))
    for a in range(LINEAR):
        for b in range(a + 1):
            factor[a, b] = whole[2 + a, 2 + b]
        for q in range(2):
            right[q, a] = whole[2 + a, q]
    if not _cholesky(factor, LINEAR):
        return False
    for q in range(2):
        _solved(factor, right[q], LINEAR)
    for q in range(2):
        for p in range(q + 1):
            total = whole[q, p]
            for a in range(LINEAR):
                total -= whole[2 + a, q] * right[p, a]
            curvature[q, p] = total
            curvature[p, q] = total
    if held:
        gradient[1], curvature[0, 1], curvature[1, 0], curvature[1, 1] = 0.0, 0.0, 0.0, 1.0
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def fit_shape(x, y, weight, start, ratio, least, held, values, rest, covariance):
    """One fit at one ratio; whether it came to rest.

    Parameters
    ----------
    x, y, weight : arrays, shape (m,)
        Place, data over their scale and sigma, and 1 / sigma; so `values` are in units of the scale.
    start : (place, log of the width)
    least : float
        Below this the log of the width does not go.
    held : bool
        Whether the width stays what it is.
    values, rest, covariance : arrays, shape (6,), (m,), (6, 6)
        Filled: place, log of the width, offset, height, slopes; residuals; covariance for unit variance.
    """
    n = x.shape[0]
    rows, trial_rows = np.empty((n, PARAMETERS)), np.empty((n, PARAMETERS))
    gram, linear, trial_linear = np.empty((LINEAR, LINEAR)), np.empty(LINEAR), np.empty(LINEAR)
    gradient, curvature, whole = np.empty(2), np.empty((2, 2)), np.empty((PARAMETERS, PARAMETERS))
    trial_rest = np.empty(n)
    place, log_width = start[0], start[1] if held else max(start[1], least)
    square = 0.0
    for i in range(n):
        square += y[i] * y[i]
    chi2 = _normal(x, y, weight, place, log_width, ratio, rows, gram, linear, rest)
    damping, at_rest, freedom = _DAMPING, False, max(n - PARAMETERS, 1)
    bounded = held
    if not math.isfinite(chi2) or not _descent(rows, rest, held, gradient, curvature, whole):
        return False
    for _ in range(_MOST_STEPS):
        bounded = held or (log_width <= least and gradient[1] <= 0.0)
        a, c = curvature[0, 0] * (1.0 + damping), curvature[1, 1] * (1.0 + damping)
        b = curvature[0, 1]
        if bounded:
            first, second = gradient[0] / a, 0.0
        else:
            determinant = a * c - b * b
            first = (c * gradient[0] - b * gradient[1]) / determinant
            second = (a * gradient[1] - b * gradient[0]) / determinant
        gain = 2.0 * (first * gradient[0] + second * gradient[1])
        gain -= curvature[0, 0] * first * first + 2.0 * b * first * second + curvature[1, 1] * second * second
        if not math.isfinite(gain):
            return False
        limit = max(_REST * chi2 / freedom, _ROUNDING * square)
        if gain * (1.0 + damping) <= limit or damping > _MOST_DAMPING:
            at_rest = True
            break
        new_place, new_width = place + first, log_width if bounded else max(log_width + second, least)
        new = _normal(x, y, weight, new_place, new_width, ratio, trial_rows, gram, trial_linear, trial_rest)
        if not new < chi2:
            damping *= _TIGHTENED
            continue
        promised = min((chi2 - new) / gain, 1.0)
        # H. B. Nielsen's rule: less damping where χ² fell as foreseen, more where it fell less
        damping = max(_LEAST_DAMPING, damping * max(0.1, 1.0 - (2.0 * promised - 1.0) ** 3))
        place, log_width, chi2 = new_place, new_width, new
        rows, trial_rows = trial_rows, rows
        linear, trial_linear = trial_linear, linear
        rest[:] = trial_rest
        if not _descent(rows, rest, held, gradient, curvature, whole):
            return False
    values[0], values[1] = place, log_width
    values[2:] = linear
    return at_rest and _inverse(whole, bounded, covariance)


@njit(cache=True, error_model="numpy", nogil=True)
def _inverse(whole, bounded, covariance):
    """Covariance from the products of the derivatives; a width at its limit has none."""
    unit, factor, right = np.empty(PARAMETERS), np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS)
    for a in range(PARAMETERS):
        if not whole[a, a] > 0.0 and not (bounded and a == WIDTH):
            return False
        unit[a] = 1.0 / math.sqrt(whole[a, a]) if whole[a, a] > 0.0 else 0.0
    for a in range(PARAMETERS):
        for b in range(a + 1):
            factor[a, b] = whole[a, b] * unit[a] * unit[b]
    if bounded:
        for a in range(PARAMETERS):
            factor[max(a, WIDTH), min(a, WIDTH)] = 1.0 if a == WIDTH else 0.0
    if not _cholesky(factor, PARAMETERS):
        return False
    for a in range(PARAMETERS):
        right[:] = 0.0
        right[a] = 1.0
        _solved(factor, right, PARAMETERS)
        for b in range(PARAMETERS):
            covariance[b, a] = right[b] * unit[a] * unit[b]
    if bounded:
        covariance[WIDTH, :] = 0.0
        covariance[:, WIDTH] = 0.0
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _share_slopes(z, ratio):
    """First three derivatives of the share by z."""
    bell = _BELL * math.exp(-0.5 * z * z)
    if ratio == 0.0:
        return -bell, z * bell, (1.0 - z * z) * bell
    by_z = share(z, ratio)[1]
    by_zz = -(by_z + bell) / ratio  # an exponential tail: S + ratio dS/dz is the share without it
    return by_z, by_zz, -(by_zz - z * bell) / ratio


@njit(cache=True, error_model="numpy", nogil=True)
def _bends(z, height, tilt, ratio):
    """Second and third derivative of the curve by z; `tilt` per width."""
    by_z, by_zz, by_zzz = _share_slopes(z, ratio)
    high = height + tilt * z
    return 2.0 * tilt * by_z + high * by_zz, 3.0 * tilt * by_zz + high * by_zzz


@njit(cache=True, error_model="numpy", nogil=True)
def steepest(values, ratio, gradient):
    """Where the curve falls fastest; NaN where there is none. `gradient` (6,) becomes its derivatives by the values."""
    width, height = math.exp(values[1]), values[3]
    low, high = values[4] * width, values[5] * width
    tilt = low - high
    reach = _REACH_WIDTHS * (1.0 + abs(ratio))
    at, least = 0.0, math.inf
    for k in range(_GRID):
        z = reach * (2.0 * k / (_GRID - 1) - 1.0)
        s, by_z = share(z, ratio)
        slope = low * s + high * (1.0 - s) + (height + tilt * z) * by_z
        if slope < least:
            at, least = z, slope
    for _ in range(8):
        bend, by = _bends(at, height, tilt, ratio)
        if not by > 0.0:
            return math.nan
        move = min(max(bend / by, -0.1), 0.1)
        at -= move
        if abs(move) < _AT_REST:
            break
    # by the theorem of implicit functions: the place is a root of the second derivative
    by = _bends(at, height, tilt, ratio)[1]
    by_z, by_zz, _ = _share_slopes(at, ratio)
    by_tilt = -(2.0 * by_z + at * by_zz) / by
    gradient[0], gradient[2] = 1.0, 0.0
    gradient[1] = width * (at + by_tilt * tilt)
    gradient[3] = -width * by_zz / by
    gradient[4] = width * width * by_tilt
    gradient[5] = -gradient[4]
    return values[0] + width * at


@njit(cache=True, error_model="numpy", nogil=True)
def best_start(x, y, weight, places, log_widths):
    """Which of some places and widths, without a tail, leaves the least, the height above 0; -1 for none."""
    n = x.shape[0]
    rows, rest = np.empty((n, PARAMETERS)), np.empty(n)
    gram, linear = np.empty((LINEAR, LINEAR)), np.empty(LINEAR)
    best, lowest = -1, math.inf
    for k in range(places.shape[0]):
        chi2 = _normal(x, y, weight, places[k], log_widths[k], 0.0, rows, gram, linear, rest)
        if linear[1] > 0.0 and chi2 < lowest:
            best, lowest = k, chi2
    return best
