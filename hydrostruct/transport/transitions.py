"""Every transition of a resistance curve: the peaks of dR/dT that stand above their noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

from hydrostruct.numerics.local_slope import local_slope
from hydrostruct.transport.curves import Floats
from hydrostruct.transport.sweeps import Sweep

# the highest of a thousand noisy slopes less the lowest is five standard deviations already
_LEAST_SIGNIFICANCE = 6.5
_LEAST_PART = 0.03
_LEAST_STEEPNESS = 3.0
_WIDEST_SHARE = 0.5
_LARGEST_WINDOW_SHARE = 0.08
_MAD = 1.482602219


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """One peak of dR/dT."""

    temperature_k: float
    """Where it is highest, in K."""
    valley_k: float
    """The flattest place between it and the next transition above, in K; the end of the data for the highest."""
    floor_k: float
    """The flattest place between it and the next transition below, in K; the start of the data for the lowest."""
    width_k: float
    """Its area over its height, in K: the width of a box of the same height."""
    part: float
    """Its part of the whole drop, from 0 to 1."""
    significance: float
    """Its rise above the higher of the two valleys beside it, in standard deviations."""


def find_peaks_of_slope(sweep: Sweep) -> tuple[Peak, ...]:
    """The transitions, the highest temperature first.

    Parameters
    ----------
    sweep : Sweep
        Sorted.

    Returns
    -------
    tuple of Peak
        Empty where nothing drops faster than the normal state.

    Notes
    -----
    dR/dT by local regression over windows of several widths; a peak counts when it rises 6.5 standard deviations above
    the valleys beside it (noise with a memory is allowed for) and holds three percent of the drop. The width is taken
    at which most peaks count (the least such width), each seen at another width too, as noise seldom is. Wide windows
    merge steps, narrow ones drown them. A hump of the normal state's own slope, as parallel conduction makes, is no
    transition: a transition is three times as steep as what lies above, and narrower than T/2.
    """
    size = sweep.temperature_k.size
    largest = max(3, int(_LARGEST_WINDOW_SHARE * size))
    widths = np.unique(np.geomspace(2, largest, 8).astype(int))
    found = [_peaks_at(sweep, int(half_width)) for half_width in widths]
    sure = [peaks for peaks in found if all(_is_seen_again(peak, peaks, found) for peak in peaks)]
    return max(sure or found, key=len)  # the first of those that have most, so the narrowest


def _is_seen_again(peak: Peak, own: tuple[Peak, ...], found: list[tuple[Peak, ...]]) -> bool:
    """Whether a peak stands at another width too, about where it was."""
    others = [other for peaks in found if peaks is not own for other in peaks]
    return any(
        abs(other.temperature_k - peak.temperature_k) <= 0.5 * max(peak.width_k, other.width_k) for other in others
    )


def _peaks_at(sweep: Sweep, half_width: int) -> tuple[Peak, ...]:
    """The peaks in the slope at one width of the regression."""
    slope, error = local_slope(sweep.temperature_k, sweep.resistance_ohm, half_width=half_width, sigma=sweep.noise_ohm)
    inside = np.isfinite(slope)
    if np.count_nonzero(inside) < 5:
        return ()
    temperature, slope, error = sweep.temperature_k[inside], slope[inside], error[inside]
    error = error * _memory(slope, error, half_width)
    padded = np.concatenate([[np.min(slope)], slope, [np.min(slope)]])
    places, _ = find_peaks(padded, prominence=_LEAST_SIGNIFICANCE * float(np.min(error)))
    kept = _significant(slope, error, places - 1)
    while True:
        peaks = _measured(temperature, slope, error, kept)
        weak = [index for index, peak in enumerate(peaks) if not _is_transition(peak, temperature, slope)]
        if not weak:
            return peaks[::-1]
        weakest = min(weak, key=lambda index: peaks[index].part)
        kept = [place for index, place in enumerate(kept) if index != weakest]


def _memory(slope: Floats, error: Floats, half_width: int) -> float:
    """How much more the slopes scatter about their own running median than white noise would make them, at least 1."""
    size = min(10 * half_width + 1, 2 * ((slope.size - 1) // 2) + 1)
    scatter = np.median(np.abs(slope - median_filter(slope, size, mode="nearest")) / error)
    return max(1.0, _MAD * float(scatter))


def _significant(slope: Floats, error: Floats, places: Floats) -> list[int]:
    """Of neighbours whose valley between them is not significant, the higher one."""
    kept = [int(place) for place in places]
    while len(kept) > 1:
        rises = []
        for first, second in pairwise(kept):
            valley = first + int(np.argmin(slope[first : second + 1]))
            low = first if slope[first] < slope[second] else second
            rises.append(((slope[low] - slope[valley]) / np.hypot(error[low], error[valley]), low))
        least, low = min(rises)
        if least >= _LEAST_SIGNIFICANCE:
            break
        kept.remove(low)
    return kept


def _measured(temperature: Floats, slope: Floats, error: Floats, kept: list[int]) -> tuple[Peak, ...]:
    """Each peak with its valleys, width, part and significance."""
    if not kept:
        return ()
    between = [a + int(np.argmin(slope[a : b + 1])) for a, b in pairwise(kept)]
    edges = [0, *between, slope.size - 1]
    base = _level_above(slope, kept[-1])
    # the slope of the state above counts as no drop; below the highest transition noise must cancel, so signs stay
    excess = slope - np.where(np.arange(slope.size) > kept[-1], base, 0.0)
    areas = [max(float(np.trapezoid(excess[a : b + 1], temperature[a : b + 1])), 0.0) for a, b in pairwise(edges)]
    whole = max(sum(areas), 1e-300)
    peaks = []
    for index, place in enumerate(kept):
        low, high = edges[index], edges[index + 1]
        valley = base if index == len(kept) - 1 else max(slope[high], base)
        deeper = max(valley, slope[low] if index > 0 else valley)
        peaks.append(
            Peak(
                temperature_k=float(temperature[place]),
                valley_k=float(temperature[high]),
                floor_k=float(temperature[low]),
                width_k=areas[index] / max(float(slope[place] - base), 1e-300),
                part=areas[index] / whole,
                significance=float((slope[place] - deeper) / error[place]),
            )
        )
    return tuple(peaks)


def _level_above(slope: Floats, place: int) -> float:
    """Slope of the state above the highest transition: the median of the upper half of what is there."""
    above = slope[place:]
    return float(np.median(above[above.size // 2 :]))


def _is_transition(peak: Peak, temperature: Floats, slope: Floats) -> bool:
    place = int(np.searchsorted(temperature, peak.temperature_k))
    steep = slope[min(place, slope.size - 1)] > _LEAST_STEEPNESS * abs(_level_above(slope, place))
    narrow = peak.width_k < _WIDEST_SHARE * peak.temperature_k
    return bool(steep and narrow and peak.part >= _LEAST_PART and peak.significance >= _LEAST_SIGNIFICANCE)
