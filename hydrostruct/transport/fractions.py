"""Where the resistance falls to a part of the extrapolated normal line."""

from __future__ import annotations

import math

import numpy as np

from hydrostruct.transport.curves import Floats
from hydrostruct.transport.plateau import Plateau
from hydrostruct.transport.steps import StepShape, crossings
from hydrostruct.transport.sweeps import Sweep

_REACH = 0.08
_LEAST_POINTS = 4
_POINTS_FOR_CURVATURE = 8


def fraction_temperature(sweep: Sweep, shapes: list[StepShape], level: float, plateau: Plateau) -> tuple[float, float]:
    """Temperature at which R, the offset taken off, is a part of the normal line.

    Parameters
    ----------
    sweep : Sweep
        The curve.
    shapes : list of StepShape
        Its steps, the highest first.
    level : float
        The part, between 0 and 1.
    plateau : Plateau
        Gives the offset.

    Returns
    -------
    temperature_k, sigma_k : float
        NaN where the curve does not fall so far.

    Notes
    -----
    A crossing by isotonic regression, then a line (a parabola where eight points allow) through the points within 8 %
    of the level. Sigma is that of the fitted curve and of the normal line at that place over its slope.
    """
    normal = shapes[0].above[len(shapes[0].above) // 2]
    top = sweep.temperature_k <= normal.centre_k
    temperature = sweep.temperature_k[top]
    height = normal.at(temperature) - plateau.offset_ohm
    fraction, noise = (sweep.resistance_ohm[top] - plateau.offset_ohm) / height, sweep.noise_ohm[top] / height
    if np.mean(fraction[: _LEAST_POINTS - 1]) >= level:
        return math.nan, math.nan
    near = crossings(temperature, fraction, (level - _REACH, level, level + _REACH))
    window = (temperature >= near[0]) & (temperature <= near[2])
    if np.count_nonzero(window) < _LEAST_POINTS:
        away = np.abs(temperature - near[1])
        window = away <= np.sort(away)[_LEAST_POINTS - 1]
    found, sigma, slope = _crossing(temperature[window] - near[1], fraction[window] - level, noise[window])
    line_sigma = math.sqrt(float(np.sum((normal.weights_at(near[1] + found) * sweep.noise_ohm) ** 2)))
    of_line = level * line_sigma / abs(float(normal.at(near[1])) - plateau.offset_ohm) / slope
    return float(near[1] + found), math.hypot(sigma, of_line)


def _crossing(x: Floats, y: Floats, noise: Floats) -> tuple[float, float, float]:
    """Root near 0 of the polynomial through points, its sigma, and the slope there."""
    degree = 2 if x.size >= _POINTS_FOR_CURVATURE else 1
    scale = max(float(np.ptp(x)), 1e-12)
    design = np.vander(x / scale, degree + 1)
    inverse = np.linalg.pinv(design)
    coefficients = inverse @ y
    derivative = np.polyder(coefficients)
    root = 0.0
    for _ in range(8):
        steep = float(np.polyval(derivative, root))
        root = float(np.clip(root - np.polyval(coefficients, root) / steep, -1.0, 1.0)) if steep else root
    slope = max(abs(float(np.polyval(derivative, root))) / scale, 1e-12)
    weights = np.vander([root], degree + 1)[0] @ inverse
    return root * scale, float(np.sqrt(np.sum((weights * noise) ** 2))) / slope, slope
