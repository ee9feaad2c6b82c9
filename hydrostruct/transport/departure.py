"""Where a curve leaves a straight line for good: onset from above, end of zero resistance from below."""

from __future__ import annotations

import math

import numpy as np

from hydrostruct.transport.curves import Floats
from hydrostruct.transport.lines import Line
from hydrostruct.transport.plateau import SIGMAS, Plateau
from hydrostruct.transport.steps import StepShape
from hydrostruct.transport.sweeps import Sweep

_MEAN_OF = 5


def onset(sweep: Sweep, shape: StepShape) -> tuple[float, float]:
    """First departure below the normal line by three sigma, and its uncertainty.

    Parameters
    ----------
    sweep : Sweep
        The curve.
    shape : StepShape
        The highest step.

    Returns
    -------
    onset_k, onset_sigma_k : float
        NaN where the curve leaves the line nowhere between its window and the middle of the step.

    Notes
    -----
    Running means of five points are held against the line; the onset is the highest temperature from which all of them,
    down to the middle of the step, lie three standard deviations (of mean and line) below. It moves up as noise
    shrinks: an onset is a statement about the noise too.
    """
    line = shape.above[len(shape.above) // 2]
    start = float(np.max(sweep.temperature_k[line.height_weights > 0]))
    use = (sweep.temperature_k >= shape.middle_k) & (sweep.temperature_k <= start)
    return _left(sweep.temperature_k[use][::-1], -_residual(sweep, line)[use][::-1], _error(sweep, line)[use][::-1])


def zero(sweep: Sweep, shape: StepShape, plateau: Plateau) -> tuple[float, float]:
    """Highest temperature of zero resistance, and its uncertainty.

    Parameters
    ----------
    sweep : Sweep
        The curve.
    shape : StepShape
        The lowest step.
    plateau : Plateau
        What lies below it.

    Returns
    -------
    zero_k, zero_sigma_k : float
        The temperature at which running means of five points leave the plateau by three sigma of the floor; NaN where
        zero is not reached.
    """
    if plateau.line is None or math.isfinite(plateau.residual_ohm):
        return math.nan, math.nan
    use = sweep.temperature_k <= shape.middle_k
    floor = np.full(sweep.temperature_k.shape, plateau.floor_ohm / math.sqrt(_MEAN_OF))
    error = np.hypot(floor, _line_error(sweep, plateau.line))
    return _left(sweep.temperature_k[use], _residual(sweep, plateau.line)[use], error[use])


def _residual(sweep: Sweep, line: Line) -> Floats:
    """Running means of the distance from a line."""
    distance = sweep.resistance_ohm - line.at(sweep.temperature_k)
    padded = np.pad(distance, _MEAN_OF // 2, mode="edge")
    return np.asarray(np.convolve(padded, np.full(_MEAN_OF, 1.0 / _MEAN_OF), mode="valid"))


def _line_error(sweep: Sweep, line: Line) -> Floats:
    """Standard uncertainty of a line at every temperature."""
    heights = float(np.sum((line.height_weights * sweep.noise_ohm) ** 2))
    slopes = float(np.sum((line.slope_weights * sweep.noise_ohm) ** 2))
    return np.asarray(np.sqrt(heights + slopes * (sweep.temperature_k - line.centre_k) ** 2))


def _error(sweep: Sweep, line: Line) -> Floats:
    """Of running means about the line, with the noise of the normal state."""
    noise = float(np.median(sweep.noise_ohm[line.height_weights > 0]))
    return np.asarray(np.hypot(noise / math.sqrt(_MEAN_OF), _line_error(sweep, line)))


def _left(temperature: Floats, distance: Floats, error: Floats) -> tuple[float, float]:
    """From where on, in the order given, a distance stays above three of its errors."""
    inside = np.flatnonzero(distance < SIGMAS * error)
    if not inside.size or inside[-1] == temperature.size - 1:
        return math.nan, math.nan
    place = int(inside[-1])
    low = max(place - _MEAN_OF, 0)
    high = min(place + _MEAN_OF + 1, temperature.size)
    steepness = abs(float(np.polyfit(temperature[low:high] - temperature[place], distance[low:high], 1)[0]))
    spacing = abs(float(temperature[place + 1] - temperature[place]))
    reach = abs(float(temperature[high - 1] - temperature[low]))
    noise = min(float(error[place]) / steepness, reach) if steepness > 0 else reach
    return 0.5 * float(temperature[place] + temperature[place + 1]), math.hypot(noise, spacing / math.sqrt(12.0))
