"""Whether an intensity that falls is the edge of a plateau or the flank of a line: which describes it better?"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import erfc

Floats = npt.NDArray[np.float64]

_BELOW_CM1, _ABOVE_CM1 = 60.0, 40.0
_LINE_WIDTHS_CM1 = np.geomspace(2.5, 40.0, 12)
_STEP_WIDTHS_CM1 = np.geomspace(0.7, 12.0, 8)
_SHIFTS = (-0.25, 0.0, 0.25)
_GAUSS_FLANK, _LORENTZ_FLANK = 1.0 / math.sqrt(8.0 * math.log(2.0)), 1.0 / math.sqrt(12.0)
_DEGREE = 2
_LEAST_POINTS = 12
_PLAIN_CHI2 = 16.0  # four standard deviations
_POOR_SHARE = 0.05  # of a line's χ²: so much the tried widths, and a parabola for its background, may leave


def line_preference(x: Floats, y: Floats, *, sigma: Floats, place_cm1: float) -> float:
    """How much better a line describes the fall than a step does.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹, rising; what lies within 60 below and 40 above the place is used.
    y, sigma : array, shape (m,)
        Intensity and its standard uncertainty.
    place_cm1 : float
        Where it falls fastest, in cm⁻¹.

    Returns
    -------
    float
        χ² of the best step less that of the best line, over the larger of 1 and the reduced χ² of the better one;
        NaN with fewer than twelve points.

    Notes
    -----
    Both stand on a parabola, have one height above 0, fall fastest at the place, and are tried in a dozen widths: lines
    of Gauss and Lorentz, steps with normal and with Lorentzian tails. So both have as many parameters. A line that
    stands on a plain step, a hump before the edge, is no line: 0 at most.

    Examples
    --------
    >>> x = np.arange(1500.0, 1600.0)
    >>> bump = 100.0 + 50.0 * np.exp(-(((x - 1550.0) / 6.0) ** 2))
    >>> line_preference(x, bump, sigma=np.full(100, 3.0), place_cm1=1554.2) > 100
    True
    """
    near = (x >= place_cm1 - _BELOW_CM1) & (x <= place_cm1 + _ABOVE_CM1)
    if np.count_nonzero(near) < _LEAST_POINTS:
        return math.nan
    t, weight = x[near] - place_cm1, 1.0 / sigma[near]
    base = np.linalg.qr(np.vander(t / _BELOW_CM1, _DEGREE + 1) * weight[:, None])[0]
    rest = y[near] * weight
    rest = rest - base @ (base.T @ rest)
    total = float(rest @ rest)
    lines, steps = (
        shapes * weight[:, None] - base @ (base.T @ (shapes * weight[:, None])) for shapes in (_lines(t), _steps(t))
    )
    line, step = _gains(lines, rest), _gains(steps, rest)
    best = max(float(np.max(line)), float(np.max(step)))
    better = float(np.max(line) - np.max(step)) / max(1.0, (total - best) / (t.size - _DEGREE - 4))
    return 0.0 if better > 0.0 and _stands_on_step(lines, steps, rest, float(np.max(line))) else better


def _gains(shapes: Floats, rest: Floats) -> Floats:
    """By how much each of some shapes lowers χ²."""
    return np.asarray(np.maximum(shapes.T @ rest, 0.0) ** 2 / np.maximum(np.sum(shapes**2, axis=0), 1e-12))


def _stands_on_step(lines: Floats, steps: Floats, rest: Floats, alone: float) -> bool:
    """Whether a step beside a line, half as high or more, is plain: a hump before the edge."""
    best, heights = 0.0, (0.0, 0.0)
    for line in lines.T:
        size = float(line @ line)
        own, left = steps - np.outer(line, line @ steps) / size, rest - line * float(line @ rest) / size
        gains = _gains(own, left)
        number = int(np.argmax(gains))
        gain = float(line @ rest) ** 2 / size + float(gains[number])
        if gain > best:
            high = float(own[:, number] @ left) / float(own[:, number] @ own[:, number])
            best, heights = gain, (float(line @ (rest - high * steps[:, number])) / size, high)
    spread = max(1.0, (float(rest @ rest) - best) / max(rest.size - _DEGREE - 6, 1))
    line_height, step_height = heights
    plain = best - alone > max(_PLAIN_CHI2 * spread, _POOR_SHARE * alone)
    return plain and step_height > 0.5 * line_height


def _lines(t: Floats) -> Floats:
    made = []
    for width in _LINE_WIDTHS_CM1:
        for shift in _SHIFTS:
            gauss, lorentz = t / width + _GAUSS_FLANK + shift, t / width + _LORENTZ_FLANK + shift
            made += [np.exp(-4.0 * math.log(2.0) * gauss**2), 1.0 / (1.0 + 4.0 * lorentz**2)]
    return np.stack(made, axis=1)


def _steps(t: Floats) -> Floats:
    made = []
    for width in _STEP_WIDTHS_CM1:
        for shift in _SHIFTS:
            z = t / width + 2.0 * shift
            made += [0.5 * erfc(z / math.sqrt(2.0)), 0.5 - np.arctan(z) / math.pi]
    return np.stack(made, axis=1)
