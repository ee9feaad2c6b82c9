"""Values that stand for "no data" among measured intensities: 0, −1, −2 and the largest numbers of a detector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LOW_MARKS = (0.0, -1.0, -2.0)
"""What integrators write for empty and masked bins."""
HIGH_MARKS = (2.0**15 - 1, 2.0**16 - 1, 2.0**31 - 1, 2.0**32 - 1)
"""Largest numbers of 16 and 32 bits, where a detector is dead or saturated."""
_WRITTEN_DIGITS = 2e-6  # the largest ones may have been written with six digits
_SURE_SIGMA = 5.0
_WORTH_A_LOOK_SIGMA = 3.0
_LEAST_NOISE = 0.5
_PART_OF_TYPICAL = 0.05
_BESIDE, _NOISE_POINTS, _AT_AN_END = 5, 20, 25
_MOST_PART = 0.5
_FAR_ABOVE, _REPEATED = 0.5, 3
_MOST_PASSES = 8
_FEWEST = 20
_SHOWN = 4


def empty_bins(intensity: Floats) -> Bools:
    """Points whose value stands for "no data".

    Parameters
    ----------
    intensity : array, shape (n,)
        Measured intensities, in any unit; NaN where nothing was measured.

    Returns
    -------
    array of bool, shape (n,)
        All False where there are fewer than 20 points, or where half of them have such a value.

    Notes
    -----
    A value counts when it is exactly one of `LOW_MARKS` or `HIGH_MARKS`, and lies more than 5 standard deviations of
    its neighbours from the median of those next to it, on either side. Zeros among few counts, or about a background
    that was taken off, do not. At an end of the pattern, as behind a beam stop, there is one side only.

    Examples
    --------
    >>> counts = np.random.default_rng(1).poisson(300.0, 50).astype(float)
    >>> counts[[20, 21]] = 0.0
    >>> np.flatnonzero(empty_bins(counts))
    array([20, 21])
    """
    result = np.zeros(intensity.size, dtype=np.bool_)
    place = np.flatnonzero(np.isfinite(intensity))
    values = intensity[place]
    for marked, is_low in ((_are_low(values), True), (_are_high(values), False)):
        count = int(np.count_nonzero(marked))
        if count and values.size >= _FEWEST and count < _MOST_PART * values.size:
            result[place] |= _improbable(values, marked, is_low=is_low)
    return result


def empty_bins_note(two_theta_deg: Floats, intensity: Floats, left_out: Bools) -> str:
    """A sentence that says which points were left out, where, and what to do if they are data.

    Parameters
    ----------
    two_theta_deg, intensity : array, shape (n,)
        Angles, in degrees, and intensities as they were given.
    left_out : array of bool, shape (n,)
        From `empty_bins`, one at least.

    Returns
    -------
    str
    """
    count = int(np.count_nonzero(left_out))
    marks = " or ".join(f"{value:.0f}" for value in np.unique(intensity[left_out]))
    typical = float(np.nanmedian(intensity[~left_out]))
    runs = _runs(left_out)
    shown = ", ".join(_angles(two_theta_deg[first], two_theta_deg[last - 1]) for first, last in runs[:_SHOWN])
    rest = f" and {len(runs) - _SHOWN} more places" if len(runs) > _SHOWN else ""
    what, them = ("1 point is", "a bin") if count == 1 else (f"{count} points are", "bins")
    return (
        f"{what} exactly {marks} among intensities of about {typical:.3g} ({shown}{rest}): taken for {them} without "
        "data and left out. Give a sigma column if they were measured."
    )


def _angles(first: float, last: float) -> str:
    return f"{first:.2f}°" if first == last else f"{first:.2f} to {last:.2f}°"


def _are_low(values: Floats) -> Bools:
    if not np.min(values, initial=1.0) <= 0:
        return np.zeros(values.size, dtype=np.bool_)
    return np.asarray(np.logical_or.reduce([values == mark for mark in LOW_MARKS]))


def _are_high(values: Floats) -> Bools:
    found = np.zeros(values.size, dtype=np.bool_)
    largest = float(np.max(values, initial=0.0))
    for mark in HIGH_MARKS:
        if largest >= mark * (1.0 - _WRITTEN_DIGITS):
            found |= np.abs(values - mark) <= (_WRITTEN_DIGITS * mark if mark > 1e6 else 0.0)
    return found


def _improbable(values: Floats, marked: Bools, *, is_low: bool) -> Bools:
    """Those of the marked points that their neighbours make improbable; what was found is no neighbour any more."""
    found = np.zeros(values.size, dtype=np.bool_)
    turned = values if is_low else -values  # so that they lie below their neighbours
    least = _PART_OF_TYPICAL * float(np.median(np.abs(values[~marked])))
    typical_noise = _noise(_bends(values))
    for _ in range(_MOST_PASSES):
        rest = np.flatnonzero(~found)
        runs = [
            run
            for run in _runs_below(turned[rest], marked[rest], _WORTH_A_LOOK_SIGMA * typical_noise)
            if _stands_out(turned[rest], *run, least=(least, typical_noise), is_low=is_low)
        ]
        for first, last in runs:
            found[rest[first:last]] = True
        if not runs:
            break
    return found


def _runs_below(values: Floats, marked: Bools, least: float) -> list[tuple[int, int]]:
    """Runs of marked points that lie well below the point on either side, or at an end; few do among few counts."""
    runs = _runs(marked)
    if not len(runs):
        return []
    padded = np.concatenate(([np.inf], values, [np.inf]))
    beside = np.minimum(padded[runs[:, 0]], padded[runs[:, 1] + 1])
    below = beside - np.maximum.reduceat(np.where(marked, values, -np.inf), runs[:, 0]) > least
    at_an_end = (runs[:, 0] == 0) | (runs[:, 1] == values.size)
    return [(int(first), int(last)) for first, last in runs[below | at_an_end]]


def _stands_out(values: Floats, first: int, last: int, *, least: tuple[float, float], is_low: bool) -> bool:
    """Whether a run of points lies too far below those beside it: by more than a part of what is typical, and noise."""
    beside = _BESIDE if first > 0 and last < values.size else _AT_AN_END
    sides = [side for side in (values[max(0, first - beside) : first], values[last : last + beside]) if side.size]
    if not sides:
        return False
    top = float(np.max(values[first:last]))
    depth = min(float(np.median(side)) for side in sides) - top
    parts = (values[max(0, first - _NOISE_POINTS) : first], values[last : last + _NOISE_POINTS])
    noise = max(_noise(np.concatenate([_bends(part) for part in parts])), _LEAST_NOISE * least[1])
    if depth <= max(_SURE_SIGMA * noise, least[0]):
        return False
    # one point may have the largest number because the pattern was scaled to it
    return is_low or last - first >= _REPEATED or depth > _FAR_ABOVE * (-top - depth)


def _bends(values: Floats) -> Floats:
    """How far points lie from the middle of their neighbours; none for fewer than three."""
    return np.abs(values[1:-1] - 0.5 * (values[:-2] + values[2:])) if values.size > 2 else np.empty(0)


def _noise(bends: Floats) -> float:
    return float(np.median(bends)) / 0.6745 / np.sqrt(1.5) if bends.size else 0.0


def _runs(marked: Bools) -> Ints:
    """First point, and the one after the last, of each run of marked points, shape (runs, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return edges.reshape(-1, 2)
