"""The states above and below each transition, its own step, and Tc by intersection over a scan of windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from hydrostruct.numerics.least_squares import serial_factor
from hydrostruct.transport.curves import Bools, Floats
from hydrostruct.transport.lines import Line, curvature, fit_line, intersection
from hydrostruct.transport.sweeps import Sweep
from hydrostruct.transport.tc_result import Transition
from hydrostruct.transport.transitions import Peak

TRANSITION_WINDOWS = ((0.2, 0.8), (0.3, 0.7), (0.4, 0.6))
"""Parts of the step that the line of the transition goes through."""
STARTS = (3.0, 4.0, 5.0)
"""Where the window of the state above starts, in widths above the middle of the step."""
LENGTHS = (5.0, 10.0, 20.0)
"""How long it is, in widths."""
VALLEY_SHARES = (0.25, 0.35, 0.45)
"""Half the window of a state between two steps, in parts of the distance of their feet."""
_FOOT = 1.25
_LEAST_ABOVE, _LEAST_WITHIN, _LEAST_BELOW = 8, 3, 5
_LEAST_HALVED = 12
_KNOWN_SLOPE = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StepShape:
    """One step between the states about it."""

    above: tuple[Line, ...]
    """Lines of the state above, one a window."""
    below: Line | None
    """Line of the state below; None where it is not seen, and zero is taken."""
    middle_k: float
    """Half of the step, in K."""
    width_k: float
    """From 30 to 70 %, in K."""
    bounds_k: tuple[tuple[float, float], ...]
    """Temperatures of `TRANSITION_WINDOWS`, in K."""
    windows: tuple[Bools, ...]
    """Points of the transition in `TRANSITION_WINDOWS`, shape (n,) each."""
    above_window: Bools
    """Points of the widest window of the state above, shape (n,)."""
    doubts: tuple[str, ...]
    """Whole sentences."""


def shape_steps(sweep: Sweep, peaks: tuple[Peak, ...]) -> list[StepShape]:
    """Every step with its states, the highest first.

    Parameters
    ----------
    sweep : Sweep
        The curve.
    peaks : tuple of Peak
        Its transitions, the highest first.

    Returns
    -------
    list of StepShape
    """
    return [_shape_step(sweep, peaks, index) for index in range(len(peaks))]


def crossings(temperature: Floats, fraction: Floats, levels: tuple[float, ...]) -> Floats:
    """Where a noisy rising curve passes some levels.

    Parameters
    ----------
    temperature : array, shape (n,)
        Rising.
    fraction : array, shape (n,)
        What should rise with it.
    levels : tuple of float
        The levels.

    Returns
    -------
    array, shape (levels,)
        By isotonic regression, which needs no width to be chosen.

    Examples
    --------
    >>> crossings(np.arange(5.0), np.array([0.0, 0.3, 0.2, 0.8, 1.0]), (0.5,)).round(3)
    array([2.455])
    """
    rising = isotonic_regression(fraction).x
    after = np.clip(np.searchsorted(rising, levels), 1, rising.size - 1)
    step = np.maximum(rising[after] - rising[after - 1], 1e-300)
    share = np.clip((np.asarray(levels) - rising[after - 1]) / step, 0.0, 1.0)
    return np.asarray(temperature[after - 1] + share * (temperature[after] - temperature[after - 1]))


def measure_step(sweep: Sweep, shape: StepShape, peak: Peak) -> Transition:
    """Tc of one step over all windows, with what noise and the choice of windows leave uncertain.

    Parameters
    ----------
    sweep : Sweep
        The curve.
    shape : StepShape
        The step and its states.
    peak : Peak
        Its peak in dR/dT.

    Returns
    -------
    Transition

    Notes
    -----
    Each of the windows gives a Tc that is, to first order, a weighted sum of the resistances; so does their mean, whose
    variance is exact. A line through so few noisy points that its slope is not known to a third takes no part, the
    widest apart. To second order noise moves an intersection up, as it stands in the denominator: that is taken
    off. A step of few points is uncertain by their distance too. Tc of the windows differ, by the choice of the window
    and a little by noise: their standard deviation is added whole.
    """
    within = [fit_line(sweep.temperature_k, sweep.resistance_ohm, window) for window in shape.windows]
    noise = _noise(sweep, shape)
    within = _known_lines(within, shape, noise)
    pairs = [(upper, lower, *intersection(upper, lower)) for upper in shape.above for lower in within]
    weights = np.array([pair[3] for pair in pairs])
    values = np.array([pair[2] - curvature(*pair, noise) for pair in pairs])
    tc, mean_weights = float(np.mean(values)), np.mean(weights, axis=0)
    statistical = float(np.hypot(np.sqrt(np.sum((mean_weights * noise) ** 2)), _sampling(sweep, shape)))
    spread = float(np.std(values, ddof=1)) if len(pairs) > 1 else 0.0
    upper, lower = pairs[int(np.argmin(np.abs(values - tc)))][:2]
    return Transition(
        tc_k=tc,
        tc_sigma_k=float(np.hypot(statistical, spread)),
        tc_statistical_k=statistical,
        tc_window_spread_k=spread,
        part=peak.part,
        significance=peak.significance,
        width_k=shape.width_k,
        midpoint_k=shape.middle_k,
        above_ohm_per_k=upper.slope,
        above_ohm=float(upper.at(tc)),
        transition_ohm_per_k=lower.slope,
        transition_ohm=float(lower.at(tc)),
    )


def _shape_step(sweep: Sweep, peaks: tuple[Peak, ...], index: int) -> StepShape:
    peak = peaks[index]
    doubts: list[str] = []
    middle, width = peak.temperature_k, peak.width_k / 2.4
    for _ in range(3):  # the windows follow the step, and the step is measured between the states in the windows
        above = _above(sweep, peaks, index, middle, width, doubts)
        below = _below(sweep, peaks, index, middle, width)
        states = above[len(above) // 2], below
        levels = _levels(sweep, peak, *states)
        bounds = [(float(levels[i]), float(levels[-1 - i])) for i in range(len(TRANSITION_WINDOWS))]
        middle, width = float(levels[3]), max(bounds[1][1] - bounds[1][0], _spacing(sweep, middle))
    if below is None:
        doubts.append("No plateau is seen below the transition, so zero is taken for its bottom.")
    inside = (sweep.temperature_k >= bounds[0][0]) & (sweep.temperature_k <= bounds[0][1])
    if np.count_nonzero(inside) < _LEAST_WITHIN:
        doubts.append(f"Only {np.count_nonzero(inside)} point(s) lie between 20 and 80 % of a transition.")
    windows = _windows(sweep, bounds, [_levels(sweep, peak, *states, part=part) for part in (0, 1)])
    return StepShape(above=above, below=below, middle_k=middle, width_k=width, bounds_k=tuple(bounds), windows=windows,
                     above_window=above[-1].height_weights > 0, doubts=tuple(dict.fromkeys(doubts)))  # fmt: skip


def _levels(sweep: Sweep, peak: Peak, above: Line, below: Line | None, *, part: int | None = None) -> Floats:
    """Temperatures of 20, 30, 40, 50, 60, 70 and 80 % of a step, by all points or by every second one."""
    top = above.centre_k
    inside = (sweep.temperature_k >= peak.floor_k) & (sweep.temperature_k <= max(top, peak.temperature_k))
    if part is not None:
        inside &= np.arange(inside.size) % 2 == part
    temperature = sweep.temperature_k[inside]
    if temperature.size < 2:
        return np.full(7, math.nan)
    bottom = below.at(temperature) if below is not None else np.zeros(temperature.size)
    fraction = (sweep.resistance_ohm[inside] - bottom) / (above.at(temperature) - bottom)
    return crossings(temperature, fraction, (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8))


def _windows(sweep: Sweep, bounds: list[tuple[float, float]], halves: list[Floats]) -> tuple[Bools, ...]:
    """Points of each window of the transition.

    A window whose ends are where the curve itself crosses its levels takes in, at its lower end, points that noise
    raised, and at its upper end such as it lowered: the line comes out too flat and Tc too high. So the ends for one
    half of the points are read from the other half, whose noise is another; where points are few, from all.
    """
    temperature = sweep.temperature_k
    odd = np.arange(temperature.size) % 2 == 1
    windows = []
    for index, (low, high) in enumerate(bounds):
        window = (temperature >= low) & (temperature <= high)
        if np.count_nonzero(window) >= _LEAST_HALVED:
            lows, highs = (np.where(odd, halves[0][k], halves[1][k]) for k in (index, -1 - index))
            crossed = (temperature >= lows) & (temperature <= highs)
            window = crossed if np.count_nonzero(crossed) >= _LEAST_WITHIN else window
        if np.count_nonzero(window) < _LEAST_WITHIN:
            away = np.abs(temperature - 0.5 * (low + high))
            window = away <= np.sort(away)[_LEAST_WITHIN - 1]
        windows.append(window)
    return tuple(windows)


def _above(
    sweep: Sweep, peaks: tuple[Peak, ...], index: int, middle: float, width: float, doubts: list[str]
) -> tuple[Line, ...]:
    """Lines of the state above a step, one for every window of the scan."""
    temperature = sweep.temperature_k
    if index > 0:
        return _between(sweep, peaks[index], peaks[index - 1])
    windows = []
    for start in STARTS:
        for length in LENGTHS:
            low = middle + start * width
            high = max(low + length * width, _kth_above(temperature, low, _LEAST_ABOVE))
            windows.append((temperature >= low) & (temperature <= high))
    good = [window for window in windows if np.count_nonzero(window) >= _LEAST_ABOVE]
    doubts.clear()
    if len(good) < len(windows):
        doubts.append("The data end a short way above the transition: the normal line rests on few points.")
    if not good:
        last = max(_LEAST_WITHIN, min(_LEAST_ABOVE, int(np.count_nonzero(temperature > middle)) // 2))
        good = [np.arange(temperature.size) >= temperature.size - last]
    return tuple(fit_line(temperature, sweep.resistance_ohm, window) for window in good)


def _below(sweep: Sweep, peaks: tuple[Peak, ...], index: int, middle: float, width: float) -> Line | None:
    """The state below a step: the valley to the next, the plateau below the last; flat where points are few."""
    if index + 1 < len(peaks):
        return _flat(_between(sweep, peaks[index + 1], peaks[index])[1])
    plateau = sweep.temperature_k <= middle - STARTS[1] * width
    if np.count_nonzero(plateau) < _LEAST_BELOW:
        return None
    return _flat(fit_line(sweep.temperature_k, sweep.resistance_ohm, plateau))


def _between(sweep: Sweep, lower: Peak, upper: Peak) -> tuple[Line, ...]:
    """Lines of the state between two steps, about the middle between their feet, or the flattest place without feet."""
    low, high = lower.temperature_k + _FOOT * lower.width_k, upper.temperature_k - _FOOT * upper.width_k
    apart = high > low
    middle = 0.5 * (low + high) if apart else lower.valley_k
    length = high - low if apart else 0.3 * (upper.temperature_k - lower.temperature_k)
    lines = []
    for share in VALLEY_SHARES:
        away = np.abs(sweep.temperature_k - middle)
        reach = max(share * length, float(np.sort(away)[min(_LEAST_ABOVE, away.size) - 1]))
        lines.append(fit_line(sweep.temperature_k, sweep.resistance_ohm, away <= reach))
    return tuple(lines)


def _flat(line: Line) -> Line:
    """The level of a line without its slope."""
    zero = np.zeros(line.slope_weights.shape)
    return Line(slope=0.0, height=line.height, centre_k=line.centre_k, slope_weights=zero,
                height_weights=line.height_weights)  # fmt: skip


def _known_lines(lines: list[Line], shape: StepShape, noise: Floats) -> list[Line]:
    """Lines whose slope is known to a third by their points and noise, whatever noise made of the slope."""
    kept = lines[:1]
    bottom = 0.0 if shape.below is None else float(shape.below.at(shape.middle_k))
    height = abs(float(shape.above[len(shape.above) // 2].at(shape.middle_k)) - bottom)
    for line, (low, high), (first, last) in list(zip(lines, TRANSITION_WINDOWS, shape.bounds_k, strict=True))[1:]:
        steepness = (high - low) * height / max(last - first, 1e-12)
        sigma = math.sqrt(float(np.sum((line.slope_weights * noise) ** 2)))
        if steepness > _KNOWN_SLOPE * sigma:
            kept.append(line)
    return kept


def _noise(sweep: Sweep, shape: StepShape) -> Floats:
    """Noise of every point: of the state above from its residuals with their memory, of the step from the curve."""
    residuals = (sweep.resistance_ohm - shape.above[-1].at(sweep.temperature_k))[shape.above_window]
    normal = float(np.sqrt(residuals @ residuals / max(residuals.size - 2, 1)))
    low, high = shape.bounds_k[0]
    step = (sweep.temperature_k >= low) & (sweep.temperature_k <= high)
    near = (sweep.temperature_k >= low - 0.5 * (high - low)) & (sweep.temperature_k <= high + 0.5 * (high - low))
    within = max(float(np.median(sweep.noise_ohm[near])) if near.any() else 0.0, normal)
    return np.asarray(np.where(step, within, normal) * serial_factor(residuals))


def _sampling(sweep: Sweep, shape: StepShape) -> float:
    """What the distance of the points leaves open where a step has few of them, in K."""
    low, high = shape.bounds_k[0]
    count = np.count_nonzero((sweep.temperature_k >= low) & (sweep.temperature_k <= high))
    return _spacing(sweep, shape.middle_k) / math.sqrt(12.0) / max(int(count) - 1, 1)


def _kth_above(temperature: Floats, low: float, count: int) -> float:
    place = int(np.searchsorted(temperature, low)) + count - 1
    return float(temperature[min(place, temperature.size - 1)])


def _spacing(sweep: Sweep, middle: float) -> float:
    """Distance of two points about a temperature, in K: no width is known better."""
    place = int(np.clip(np.searchsorted(sweep.temperature_k, middle), 1, sweep.temperature_k.size - 1))
    return float(sweep.temperature_k[place] - sweep.temperature_k[place - 1])
