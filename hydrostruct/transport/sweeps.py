"""A measured R(T) put in order: its sweeps, rising temperatures, the noise of each point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import median_filter

from hydrostruct.transport.curves import Floats, ResistanceCurve

_TURN_SHARE = 0.25
_MOST_SWEEPS = 8
_LEAST_POINTS = 12
_NOISE_WINDOWS = (21, 201)
_MAD = 1.482602219


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """One way through the temperatures, sorted, each temperature once."""

    direction: str
    """``cooling``, ``warming``, or ``unsorted`` where the order says nothing."""
    temperature_k: Floats
    """Rising temperatures, in K, shape (n,)."""
    resistance_ohm: Floats
    """Resistances, in Ω; the mean where one temperature was measured several times, shape (n,)."""
    noise_ohm: Floats
    """Standard deviation of the noise of each point, in Ω, told from the curve itself, shape (n,)."""


def split_sweeps(curve: ResistanceCurve) -> tuple[Sweep, ...]:
    """The sweeps of a curve, in their order.

    Parameters
    ----------
    curve : ResistanceCurve
        In the order measured.

    Returns
    -------
    tuple of Sweep
        One for each way between turning points that are a quarter of the whole range apart or more; one alone,
        ``unsorted``, where the temperature turns so often that its order says nothing.

    Examples
    --------
    >>> t = np.concatenate([np.arange(120.0, 80.0, -1.0), np.arange(80.5, 120.0, 1.0)])
    >>> [one.direction for one in split_sweeps(ResistanceCurve(temperature_k=t, resistance_ohm=t))]
    ['cooling', 'warming']
    """
    temperature = curve.temperature_k
    turns = _turning_points(temperature)
    parts = [slice(first, last + 1) for first, last in pairwise(turns)]
    parts = [part for part in parts if part.stop - part.start >= _LEAST_POINTS]
    if not parts or len(parts) > _MOST_SWEEPS:
        return (_sweep("unsorted", temperature, curve.resistance_ohm),)
    return tuple(
        _sweep(
            "warming" if temperature[part][-1] > temperature[part][0] else "cooling",
            temperature[part],
            curve.resistance_ohm[part],
        )
        for part in parts
    )


def point_noise(temperature: Floats, resistance: Floats) -> Floats:
    """Noise of each point: what the cubic through its two neighbours on each side misses, by running medians.

    Parameters
    ----------
    temperature : array, shape (n,)
        Rising; steps need not be even.
    resistance : array, shape (n,)
        Values.

    Returns
    -------
    array, shape (n,)
        Above 0: the larger of medians over 21 and 201 points, as 21 alone would call a quiet moment quiet. It grows
        within a transition, where noise of the temperature counts too.
    """
    floor = max(1e-9 * float(np.max(np.abs(resistance))), 1e-100)
    if resistance.size < 7:
        return np.full(resistance.size, max(float(np.std(resistance)), floor))
    windows = np.lib.stride_tricks.sliding_window_view
    x, y = windows(temperature, 5), windows(resistance, 5)
    weight = np.ones(x.shape)
    for one in (0, 1, 3, 4):
        for other in (0, 1, 3, 4):
            if one != other:
                weight[:, one] *= (x[:, 2] - x[:, other]) / (x[:, one] - x[:, other])
    weight[:, 2] = -1.0
    missed = np.abs(np.einsum("ij,ij->i", weight, y)) / np.sqrt(np.einsum("ij,ij->i", weight, weight))
    missed = np.pad(missed, 2, mode="edge")
    most = 2 * ((missed.size - 1) // 2) + 1
    near, far = (median_filter(missed, min(size, most), mode="nearest") for size in _NOISE_WINDOWS)
    return np.asarray(np.maximum(_MAD * np.maximum(near, far), floor))


def _sweep(direction: str, temperature: Floats, resistance: Floats) -> Sweep:
    """Sorted, with equal temperatures merged."""
    rising, place, count = np.unique(temperature, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=resistance) / count
    return Sweep(direction=direction, temperature_k=rising, resistance_ohm=mean, noise_ohm=point_noise(rising, mean))


def _turning_points(temperature: Floats) -> list[int]:
    """First and last index, and those between at which the temperature turns by a good part of its range."""
    least = _TURN_SHARE * float(np.ptp(temperature))
    turns, extreme, sign = [0], 0, 0
    for index, value in enumerate(temperature):
        change = value - temperature[extreme]
        if sign == 0:
            if abs(value - temperature[0]) >= least:
                extreme, sign = index, 1 if value > temperature[0] else -1
        elif sign * change > 0:
            extreme = index
        elif -sign * change >= least:
            turns.append(extreme)
            extreme, sign = index, -sign
    return [*turns, temperature.size - 1]
