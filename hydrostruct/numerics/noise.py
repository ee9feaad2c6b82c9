"""The noise of a spectrum, told from the spectrum itself."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, uniform_filter1d

Floats = npt.NDArray[np.float64]

# a value less the cubic through its four neighbours; the sum of the squared weights is the variance's gain
_KERNEL = np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / 6.0
_GAIN = float(np.sum(_KERNEL**2))
_MEDIAN_OF_SQUARE = 0.454936423
_MEDIAN_EXCESS = (
    2.3  # over the number of squares: medians of few are too large on average, by simulation of white noise
)
_LEAST_VARIANCE = 0.5
_LEAST_BINS, _POINTS_PER_BIN = 3, 40
_PLAIN_DIFFERENCE, _PLAIN_SQUARES, _NEAR_DIFFERENCES = 3.5, 3.0, 9  # the last so many points
_LEAST_ALIKE, _PLAIN_PASSES = 100, 0.6  # a curve on coarse points makes neighbours alike too
_SPIKE_SIGMAS, _SPIKE_WINDOW, _FLANK_SHARE = 6.0, 7, 0.35
_NEEDLE_SIGMAS, _NEEDLE_RATIO = 5.0, 2.0


def point_noise(y: npt.ArrayLike) -> Floats:
    """Standard deviation of the noise at each point of a smooth curve, growing with intensity where the data say so.

    Parameters
    ----------
    y : array-like, shape (n,)
        Values on an about even grid, without NaN; single outliers do not matter.

    Returns
    -------
    array, shape (n,)
        Above 0.

    Notes
    -----
    Each value is held against the cubic through its four neighbours. The median squares of these differences, in bins
    of intensity, give variance = a + b·intensity with a, b not below 0: reading noise and counting noise.

    Examples
    --------
    >>> noise = point_noise(np.random.default_rng(0).poisson(100.0, 2000))
    >>> bool(abs(noise.mean() - 10.0) < 0.5)
    True
    """
    values = np.asarray(y, dtype=np.float64)
    if values.size < 8:
        return np.full(values.size, max(float(np.std(values)), np.finfo(float).tiny))
    square = np.convolve(values, _KERNEL, mode="valid") ** 2 / _GAIN
    level = median_filter(values, 5, mode="nearest")
    inner = level[2:-2]
    order = np.argsort(inner, kind="stable")
    bins = np.array_split(order, max(_LEAST_BINS, values.size // _POINTS_PER_BIN))
    mean = np.array([np.mean(inner[one]) for one in bins])
    variance = (
        np.array([np.median(square[one]) / (1.0 + _MEDIAN_EXCESS / one.size) for one in bins]) / _MEDIAN_OF_SQUARE
    )
    floor = max(float(np.median(variance)) * 1e-3, (1e-9 * float(np.max(np.abs(values)))) ** 2, 1e-200)
    constant, gain = _line(mean, np.maximum(variance, floor))
    # where few points are dim, or bright, the line's end is a guess: never far below what was seen anywhere
    return np.asarray(
        np.sqrt(np.maximum(constant + gain * level, max(floor, _LEAST_VARIANCE * float(np.min(variance)))))
    )


def smoothing_passes(y: npt.ArrayLike, noise: npt.ArrayLike) -> float:
    """How often data were smoothed by weights of 1, 2, 1, told from how alike neighbours are in their noise.

    Parameters
    ----------
    y : array-like, shape (n,)
        Values on an about even grid, without NaN and spikes.
    noise : array-like, shape (n,)
        As `point_noise` says.

    Returns
    -------
    float
        0 where they were not plainly smoothed. Other filters count as the passes that leave the same likeness; the
        filter's variance is half a squared spacing for each.

    Notes
    -----
    The correlation of neighbouring fourth differences is −0.8 for white noise; each pass multiplies the noise's
    spectrum by cos⁴(ω/2).

    Examples
    --------
    >>> white = np.random.default_rng(0).normal(size=2000)
    >>> smooth = np.convolve(white, [0.25, 0.5, 0.25])
    >>> smoothing_passes(white, np.ones(2000)), round(smoothing_passes(smooth, np.ones(2002)), 1)
    (0.0, 1.0)
    """
    values = np.asarray(y, dtype=np.float64)
    if values.size < _LEAST_ALIKE:
        return 0.0
    fourth = np.diff(values, 4) / np.asarray(noise, dtype=np.float64)[2:-2]
    plain = _is_noise(fourth)
    first, second = fourth[:-1], fourth[1:]
    both = plain[:-1] & plain[1:]
    total = 0.5 * float(np.sum(first[both] ** 2 + second[both] ** 2))
    alike = float(np.sum(first[both] * second[both])) / total if total > 0 else -1.0
    passes, likeness = _pass_table()[:2]
    found = float(np.interp(alike, likeness, passes))
    return found if found >= _PLAIN_PASSES else 0.0


def _is_noise(fourth: Floats) -> npt.NDArray[np.bool_]:
    """Where differences are no larger than the usual, nor those about them: no spike, no line of a few points."""
    most = 1.4826 * float(np.median(np.abs(fourth)))
    square = np.minimum(np.abs(fourth), _PLAIN_DIFFERENCE * most) ** 2
    about = uniform_filter1d(square, _NEAR_DIFFERENCES)
    return np.asarray((np.abs(fourth) <= _PLAIN_DIFFERENCE * most) & (about <= _PLAIN_SQUARES * most**2))


def smoothed_noise_factor(passes: float) -> float:
    """What makes the noise that `point_noise` tells of smoothed data that of the data before it.

    Slow curves are as uncertain as before: white noise of this size on every point says so.
    """
    table = _pass_table()
    return math.exp(float(np.interp(passes, table[0], np.log(table[2]))))


def seen_noise_factor(passes: float) -> float:
    """What makes the noise that `point_noise` tells of smoothed data that of their points, neighbours being alike."""
    table = _pass_table()
    return smoothed_noise_factor(passes) * math.exp(0.5 * float(np.interp(passes, table[0], np.log(table[3]))))


@lru_cache(maxsize=1)
def _pass_table() -> tuple[Floats, Floats, Floats, Floats]:
    """Passes, likeness of neighbouring fourth differences, the factor of the noise, and the variance that is left."""
    passes = np.linspace(0.0, 6.0, 49)
    omega = (np.arange(2000) + 0.5) * np.pi / 2000
    fourth = (2.0 - 2.0 * np.cos(omega)) ** 4
    filter_power = np.cos(0.5 * omega) ** (4.0 * passes[:, None])
    left = fourth * filter_power
    power = left.sum(axis=1)
    return passes, left @ np.cos(omega) / power, np.sqrt(power[0] / power), filter_power.mean(axis=1)


def spike_mask(y: npt.ArrayLike, *, noise: npt.ArrayLike | None = None) -> npt.NDArray[np.bool_]:
    """Which points are cosmic-ray spikes: far above what stands about them, and only two or three points wide.

    Parameters
    ----------
    y : array-like, shape (n,)
        Values on an about even grid, without NaN.
    noise : array-like, shape (n,), optional
        Standard deviation of each point; as `point_noise` says where it is not given, too little for smoothed data.

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> y = np.random.default_rng(1).normal(50.0, 1.0, 200)
    >>> y[70] += 40.0
    >>> np.flatnonzero(spike_mask(y))
    array([70])
    """
    values = np.asarray(y, dtype=np.float64)
    smooth = median_filter(values, _SPIKE_WINDOW, mode="nearest")
    scatter = point_noise(values) if noise is None else np.asarray(noise, dtype=np.float64)
    # on the flank or the top of a line the median lags: what the curve itself does within a window is no spike
    swing = np.abs(np.gradient(median_filter(values, 5, mode="nearest"))) if values.size > 2 else np.zeros(values.size)
    spread = median_filter(swing, _SPIKE_WINDOW, mode="nearest")
    excess = values - smooth
    core = excess > _SPIKE_SIGMAS * scatter + 3.0 * spread
    beside = np.convolve(core, np.ones(3), mode="same") > 0
    wide = core | (beside & (excess > 3.0 * scatter + _FLANK_SHARE * 3.0 * spread))
    return np.asarray(wide | _needles(values, scatter))


def _needles(y: Floats, noise: Floats) -> npt.NDArray[np.bool_]:
    """One or two points that stand out on both sides more than the curve beside them does, be it on a flank.

    A line of two points' full width falls next to its top by less than twice what it falls in the step after.
    """
    found = np.zeros(y.size, dtype=bool)
    for points in (1, 2):
        if y.size < points + 4:
            continue
        first = np.arange(2, y.size - 1 - points)  # of the needle; the last is `points − 1` further
        last = first + points - 1
        left, right = y[first] - y[first - 1], y[last] - y[last + 1]
        before, after = y[first - 1] - y[first - 2], y[last + 1] - y[last + 2]
        least = _NEEDLE_SIGMAS * np.maximum(noise[first], noise[last])
        needle = (left > np.maximum(least, _NEEDLE_RATIO * before)) & (right > np.maximum(least, _NEEDLE_RATIO * after))
        for at in first[needle]:
            found[at : at + points] = True
    return found


def _line(x: Floats, variance: Floats) -> tuple[float, float]:
    """The line through variances, each known to a fixed share of the true one, with no part below 0."""
    expected = np.full(x.size, float(np.median(variance)))
    constant, gain = float(np.median(variance)), 0.0
    for _ in range(3):  # weights from the line, not from the scattered points, which would draw it down
        design = np.stack([1.0 / expected, x / expected], axis=1)
        constant, gain = map(float, np.linalg.lstsq(design, variance / expected, rcond=None)[0])
        if gain <= 0:
            return float(np.median(variance)), 0.0
        expected = np.maximum(constant + gain * x, 0.05 * np.median(variance))
    return constant, gain
