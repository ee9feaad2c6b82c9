"""Uncertainties of a pattern that came without any: those of counts where its noise agrees, else the noise it shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STRETCH = 16
_FEWEST_STRETCHES = 4
_QUIET = 0.3
# what that part of stretches of white noise stays below, over its mean: of second and of fourth differences
_QUIET_SECOND, _QUIET_FOURTH = 0.7005, 0.6588
_SECOND_NOISE, _FOURTH_NOISE, _EIGHTH_NOISE = 1.5, 70.0 / 16.0, 12870.0 / 256.0  # variance of those of white noise
_QUIETEST, _QUIETEST_EIGHTH = 0.2, 0.0642 * _EIGHTH_NOISE  # of single points
_MOST_CORRELATED = 3.0  # noise of second over noise of fourth differences, squared; beyond it lines bend
_FEW_QUANTA = 10.0
_COUNTS_SQUARED = ((0.7, -1.0), (2.0, 2.0))  # limits, and what one over the root of the stretches widens them by
_NEAR_ONE = 0.1
_WHOLE, _MOST_QUANTA = 1e-3, 1e7
_NO_NOISE = 1e-12
_LEAST_FLOOR = 1e-6
_FLOORS = (0.25, 0.5, 0.75, 0.9, 1.0)
_CLEARLY, _TAKEN_OFF = 0.8, 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class GuessedSigma:
    """Sigma of a pattern that came without."""

    sigma: Floats
    """Standard uncertainty in units of the intensity, shape (n,); NaN where nothing was measured."""
    scale: float
    """What the square root of the intensity is multiplied with; 1 for counts."""
    floor: float
    """Intensity below which sigma is that of this one; 1 for counts."""

    @property
    def is_counting(self) -> bool:
        """Whether it is √max(I, 1)."""
        return self.scale == 1.0 and self.floor == 1.0


def guessed_sigma(intensity: Floats) -> GuessedSigma:
    """Uncertainties as the noise of neighbouring points shows them, k √max(I, floor).

    Parameters
    ----------
    intensity : array, shape (n,)
        In any unit; NaN where nothing was measured.

    Returns
    -------
    GuessedSigma
        √max(I, 1) for counts, for what scatters like counts, and where too few points or no noise are seen.

    Notes
    -----
    The variance is that of second differences in stretches of 16 points, of which the quieter ones count, so that
    lines do not; where fourth differences show far less, it is lines after all. Intensities that are whole multiples of
    one number are counts in another unit if their noise agrees: k² and the floor are that number. Otherwise the floor
    is what makes the noise of the stretches most alike, as where a background was taken off and its noise was not, or
    k² where that does no better. Neighbours that share their noise make k too small, which max(1, GOF) and the serial
    factor make up for; nothing makes up for a k that is too large.

    Examples
    --------
    >>> counts = np.random.default_rng(1).poisson(300.0, 1000)
    >>> guessed_sigma(counts * 1.0).scale, round(guessed_sigma(counts * 1e-4).scale, 6)
    (1.0, 0.01)
    """
    gain, floor = _gain_and_floor(intensity[np.isfinite(intensity)])
    sigma = np.sqrt(gain * np.maximum(intensity, floor))
    return GuessedSigma(sigma=sigma, scale=math.sqrt(gain), floor=floor)


def noise_note(guess: GuessedSigma) -> str:
    """A sentence that says what was taken for sigma where it is not that of counts.

    Parameters
    ----------
    guess : GuessedSigma
        From `guessed_sigma`.

    Returns
    -------
    str
    """
    return (
        f"No sigma column: the noise of the pattern is {guess.scale:.3g} of the square root of the intensity (of "
        f"{guess.floor:.3g} where that is less); sigma is scaled to it."
    )


def _gain_and_floor(values: Floats) -> tuple[float, float]:
    """Variance over intensity, and the intensity below which the variance is constant."""
    top = float(np.max(values))
    if values.size < _FEWEST_STRETCHES * _STRETCH + 4:
        return 1.0, 1.0
    level, second, fourth = _stretches(values)
    quantum = _quantum(values)
    if quantum and _scatter_as_counts(values, level, second, quantum):
        return quantum, quantum
    second, fourth = (np.maximum(seen, quantum**2 / 12.0) for seen in (second, fourth))  # of rounding
    floor = _floor(level, np.sqrt(second * fourth))
    above = np.maximum(level, floor)
    gain = min(_quiet(second / above) / _QUIET_SECOND, _MOST_CORRELATED * _quiet(fourth / above) / _QUIET_FOURTH)
    if gain <= _NO_NOISE * max(top, floor):
        return 1.0, 1.0
    floor = max(floor, gain, _LEAST_FLOOR * top)
    near = max(_NEAR_ONE, 1.0 / math.sqrt(level.size))
    if abs(math.sqrt(gain) - 1.0) < near and floor <= 2.0:
        return 1.0, 1.0
    return gain, floor


def _stretches(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean of the intensity in each stretch, and its variance by second and by fourth differences."""
    bend = _bends(values)
    again = _bends(bend)
    count = again.size // _STRETCH
    level, second, fourth = (
        part[: count * _STRETCH].reshape(count, _STRETCH).mean(axis=1)
        for part in (values[2:-2], bend[1:-1] ** 2 / _SECOND_NOISE, again**2 / _FOURTH_NOISE)
    )
    return level, second, fourth


def _bends(values: Floats) -> Floats:
    return values[1:-1] - 0.5 * (values[:-2] + values[2:])


def _quiet(values: Floats, part: float = _QUIET) -> float:
    place = round(part * (values.size - 1))
    return float(np.partition(values, place)[place])


def _quantum(values: Floats) -> float:
    """What all values are whole multiples of, 1 for integers; 0 where there is no such number, or some are negative."""
    lowest, top = float(np.min(values)), float(np.max(values))
    if lowest < 0 or lowest == top:
        return 0.0
    if top < _MOST_QUANTA and np.array_equal(values, np.rint(values)):
        return float(np.gcd.reduce(values.astype(np.int64)))
    distinct = np.unique(values)
    apart = np.diff(distinct)
    least = float(np.min(apart[apart > top / _MOST_QUANTA], initial=top))
    quantum = top / round(top / least)
    multiples = distinct / quantum
    return quantum if float(np.max(np.abs(multiples - np.rint(multiples)))) < _WHOLE else 0.0


def _scatter_as_counts(values: Floats, level: Floats, second: Floats, quantum: float) -> bool:
    """Whether the variance of counts in units of the quantum is what is seen; lines alone may add to it."""
    low, high = (limit + share / math.sqrt(level.size) for limit, share in _COUNTS_SQUARED)
    if float(np.median(values)) < _FEW_QUANTA * quantum:  # too few for stretches to be alike
        quiet = level <= np.median(level)
        expected = quantum * float(np.sum(level[quiet]))
        seen = float(np.sum(second[quiet]))
        return expected < _FEW_QUANTA * quantum**2 or 0.5 * low * expected <= seen <= 2.0 * high * expected
    if _quiet(second / (quantum * np.maximum(level, quantum))) < low * _QUIET_SECOND:
        return False
    # lines, however many there are, do little to eighth differences
    eighth = _bends(_bends(_bends(_bends(values)))) ** 2 / (quantum * np.maximum(values[4:-4], quantum))
    return _quiet(eighth, _QUIETEST) < high * _QUIETEST_EIGHTH


def _floor(level: Floats, variance: Floats) -> float:
    """The intensity up to which the variance is best taken as constant; next to none if no other does better."""
    ordered = np.sort(level)
    top = max(float(ordered[-1]), float(-ordered[0]), 1e-300)
    least = _LEAST_FLOOR * top
    best, cost = least, _CLEARLY * _unlikeness(level, variance, least)
    if ordered[round(_TAKEN_OFF * (ordered.size - 1))] <= 0:  # a background was taken off, its noise was not
        best, cost = top, math.inf
    smallest = max(least, math.sqrt(_quiet(variance)))  # less than one count of any unit is no floor
    for part in _FLOORS:
        floor = float(ordered[round(part * (ordered.size - 1))])
        if floor > smallest and (other := _unlikeness(level, variance, floor)) < cost:
            best, cost = floor, other
    return best


def _unlikeness(level: Floats, variance: Floats, floor: float) -> float:
    """How much the variance over the intensity differs from stretch to stretch."""
    ratio = np.log(np.maximum(variance, 1e-12 * np.max(variance, initial=1e-300)) / np.maximum(level, floor))
    return float(np.mean(np.abs(ratio - np.median(ratio))))
