"""Two spectra of one place, as before and after heating: which lines came, went or moved, and how surely."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from hydrostruct.errors import InputError
from hydrostruct.numerics.noise import point_noise
from hydrostruct.raman.lines import LineFit, find_lines, line_profile, prepared
from hydrostruct.raman.spectrum import Spectrum

Floats = npt.NDArray[np.float64]

_SURE_SIGMAS = 3.0
_REACH_WIDTHS = 1.0  # of the two widths' mean: farther apart, two lines are two
_WINDOW_WIDTHS = 3.0
_LEAST_POINTS = 6
_FAR = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class LineChange:
    """What became of one line."""

    kind: str
    """``came``, ``went``, ``moved``, ``stayed``; ``unsure`` where a line is seen in one spectrum alone and its absence
    from the other is less than three sigma; ``not measured`` where the other does not reach its place."""
    before: LineFit | None
    """The line in the first spectrum; None where it has none."""
    after: LineFit | None
    """The line in the second spectrum; None where it has none."""
    shift_cm1: float
    """After less before, in cm⁻¹; NaN unless both are there."""
    shift_sigma_cm1: float
    """Standard uncertainty of that difference, in cm⁻¹."""
    height_change: float
    """Height after less height before, in units of the second spectrum's intensity."""
    height_change_sigma: float
    """Its standard uncertainty."""
    significance: float
    """Standard deviations of what `kind` says: of the shift where both are there, else of the change in height."""


def compare_lines(
    before: Spectrum,
    after: Spectrum,
    *,
    range_cm1: tuple[float, float] | None = None,
    reach_cm1: float | None = None,
    axis_sigma_cm1: float = 0.0,
    intensity_ratio: float = 1.0,
) -> tuple[LineChange, ...]:
    """Compare the lines of two spectra of one place.

    Parameters
    ----------
    before, after : Spectrum
        In this order.
    range_cm1 : (float, float), optional
        Only lines whose top lies within, in cm⁻¹.
    reach_cm1 : float, optional
        Farther apart than this two lines are not one that moved, in cm⁻¹; the mean of their widths when left out.
    axis_sigma_cm1 : float
        Uncertainty of one axis against the other, in cm⁻¹; 0 for spectra on one axis, whose common error cancels.
    intensity_ratio : float
        Intensity that the same light gives after, over that before, as for another exposure.

    Returns
    -------
    tuple of LineChange
        By position.

    Raises
    ------
    InputError
        When a spectrum has too few points in the range, or an option is no number that can be meant.

    Notes
    -----
    A line seen in one spectrum alone is looked for in the other by its place and profile, held, on a straight
    background: that height and its error say whether it truly came or went, or was only missed.
    """
    _check(reach_cm1, axis_sigma_cm1, intensity_ratio)
    first, second = (find_lines(one, range_cm1=range_cm1) for one in (before, after))
    pairs = _pairs(first, second, reach_cm1)
    changes = [_moved(first[i], second[j], axis_sigma=axis_sigma_cm1, ratio=intensity_ratio) for i, j in pairs]
    taken_first, taken_second = {i for i, _ in pairs}, {j for _, j in pairs}
    changes += [
        _alone(line, after, ratio=intensity_ratio, came=False) for i, line in enumerate(first) if i not in taken_first
    ]
    changes += [
        _alone(line, before, ratio=intensity_ratio, came=True) for j, line in enumerate(second) if j not in taken_second
    ]
    return tuple(sorted(changes, key=_place))


def _check(reach: float | None, axis_sigma: float, ratio: float) -> None:
    if reach is not None and not reach > 0:
        raise InputError(f"the reach is {reach:g}. Expected cm⁻¹ above 0. Correct it, or leave it out.")
    if not (math.isfinite(axis_sigma) and axis_sigma >= 0):
        raise InputError(f"the uncertainty of the axis is {axis_sigma:g}. Expected cm⁻¹, 0 or above. Correct it.")
    if not (math.isfinite(ratio) and ratio > 0):
        raise InputError(f"the intensity ratio is {ratio:g}. Expected a number above 0. Correct it.")


def _pairs(first: tuple[LineFit, ...], second: tuple[LineFit, ...], reach: float | None) -> list[tuple[int, int]]:
    """Which line is which: the pairs with the least distances in all."""
    if not first or not second:
        return []
    cost = np.full((len(first), len(second)), _FAR)
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            apart = abs(one.position_cm1 - other.position_cm1)
            errors = math.hypot(one.position_sigma_cm1, other.position_sigma_cm1)
            own = max(_REACH_WIDTHS * 0.5 * (one.width_cm1 + other.width_cm1), 4.0 * errors)
            limit = own if reach is None else reach
            if apart <= limit:
                cost[i, j] = apart / limit
    rows, columns = linear_sum_assignment(cost)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if cost[i, j] < _FAR]


def _moved(one: LineFit, other: LineFit, *, axis_sigma: float, ratio: float) -> LineChange:
    shift = other.position_cm1 - one.position_cm1
    sigma = math.hypot(one.position_sigma_cm1, other.position_sigma_cm1, axis_sigma)
    return LineChange(
        kind="moved" if abs(shift) > _SURE_SIGMAS * sigma else "stayed",
        before=one,
        after=other,
        shift_cm1=shift,
        shift_sigma_cm1=sigma,
        height_change=other.height - ratio * one.height,
        height_change_sigma=math.hypot(other.height_sigma, ratio * one.height_sigma),
        significance=abs(shift) / sigma,
    )


def _alone(line: LineFit, other: Spectrum, *, ratio: float, came: bool) -> LineChange:
    """A line of one spectrum that the other's search did not find."""
    height, error = _held_height(line, other)
    own, scale = (1.0, ratio) if came else (ratio, 1.0)
    change = own * line.height - scale * height
    sigma = math.hypot(own * line.height_sigma, scale * error)
    kind = ("came" if came else "went") if change > _SURE_SIGMAS * sigma else "unsure"
    return LineChange(
        kind="not measured" if math.isnan(height) else kind,
        before=None if came else line,
        after=line if came else None,
        shift_cm1=math.nan,
        shift_sigma_cm1=math.nan,
        height_change=change if came else -change,
        height_change_sigma=sigma,
        significance=abs(change) / sigma if sigma > 0 else math.nan,
    )


def _held_height(line: LineFit, other: Spectrum) -> tuple[float, float]:
    """Height of a line of known place and profile in another spectrum, and its error; NaN where it does not reach."""
    reach = _WINDOW_WIDTHS * line.width_cm1
    span = (line.position_cm1 - reach, line.position_cm1 + reach)
    at = other.shift_cm1
    if np.count_nonzero((at >= span[0]) & (at <= span[1])) < _LEAST_POINTS or not at[0] < line.position_cm1 < at[-1]:
        return math.nan, math.nan
    x, y, used = prepared(other)
    inside = used & (x >= span[0]) & (x <= span[1])
    if np.count_nonzero(inside) < _LEAST_POINTS:
        return math.nan, math.nan
    shape = line_profile(x, line.position_cm1, width=line.width_cm1, lorentz_share=line.lorentz_share)
    noise = point_noise(y)[inside]
    columns = (shape[inside], np.ones(inside.sum()), (x[inside] - line.position_cm1) / reach)
    design = np.stack(columns, axis=1) / noise[:, None]
    values, *_ = np.linalg.lstsq(design, y[inside] / noise, rcond=None)
    covariance = np.linalg.pinv(design.T @ design)
    return float(values[0]), math.sqrt(max(float(covariance[0, 0]), 0.0))


def _place(change: LineChange) -> float:
    line = change.before or change.after
    assert line is not None
    return line.position_cm1
