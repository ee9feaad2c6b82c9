"""Lines that no phase explains, left out: for patterns whose lines no peak shape fits well enough.

On a measured pattern with misfit all over, single peaks beside the phases follow that misfit, and share the phases'
own lines with them. There the points of such lines take no part in the fit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.beam import drawn_places
from hydrostruct.xrd.engine import Solution, fit_with_background, solve
from hydrostruct.xrd.first_look import Peaks, above_background
from hydrostruct.xrd.foreign import (
    FOREIGN_SIGMA,
    OWN_FWHM,
    Explained,
    residual_significance,
    typical_width,
)
from hydrostruct.xrd.model import FitData, LeBailModel, hold, without_points

Floats = npt.NDArray[np.float64]

_MOST_LEFT_OUT = 0.4
_MOST_TRUSTED = 0.8


def leave_out_rest(model: LeBailModel, solution: Solution, data: FitData) -> Explained:
    """Fit again without the points of the lines that a fit leaves unexplained.

    Parameters
    ----------
    model, solution, data
        What was fitted, where it came to rest, and to what.

    Returns
    -------
    Explained
        Residuals on a line of the model are its misfit, not foreign; nothing is left out when that would be more than
        four points in ten.
    """
    places, left_out = _residual_lines(model, solution, data)
    if not places.size:
        return Explained(model=model, solution=solution, data=data)
    clean = without_points(data, left_out)
    return _answer(model, solve(model, clean, solution.values), clean, data, places, left_out)


def fit_leaving_out(model: LeBailModel, data: FitData, values: Floats, peaks: Peaks, *, terms: int | None) -> Explained:
    """Fit that leaves out, before anything moves, the lines of the pattern that lie on none of the model's.

    Parameters
    ----------
    model, data
        The model and the whole pattern.
    values : array, shape (parameters,)
        The start.
    peaks : Peaks
        The lines of the pattern.
    terms : int or None
        Background terms; None to let the data choose.

    Returns
    -------
    Explained
    """
    narrow = hold(model, values, np.array([not name.startswith("cell:") for name in model.parameter_names]))
    solution = solve(narrow, data, values, most_steps=0)
    for _ in range(3):  # widths stay at first: free, they would soak up what is not theirs
        _, left_out = _peaks_of_others(model, solution, data, peaks)
        solution = solve(narrow, without_points(data, left_out), solution.values)
    places, left_out = _peaks_of_others(model, solution, data, peaks)
    fitted, clean = fit_with_background(model, without_points(data, left_out), solution.values, terms=terms)
    return _answer(model, fitted, clean, data, places, left_out)


def _answer(
    model: LeBailModel,
    solution: Solution,
    clean: FitData,
    data: FitData,
    places: Floats,
    left_out: npt.NDArray[np.bool_],
) -> Explained:
    step = float(np.median(np.diff(data.position)))
    area = float(np.sum(np.maximum(above_background(data)[left_out], 0.0))) * step
    return Explained(model=model, solution=solution, data=clean, left_out_deg=places, left_out_area=area)


def _residual_lines(model: LeBailModel, solution: Solution, data: FitData) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Places of the residual lines that lie on no line of the model, and their points."""
    left_out = np.zeros(data.position.size, dtype=np.bool_)
    seen = residual_significance(model, solution, data)
    if seen is None:
        return np.empty(0), left_out
    width = typical_width(model, solution)
    own = drawn_places(model, solution.position[np.isfinite(solution.intensity)])
    places: list[float] = []
    for index in np.argsort(-seen, kind="stable"):
        if seen[index] < FOREIGN_SIGMA:
            break
        near = np.abs(data.position - data.position[index]) <= width
        if seen[index] < np.max(seen[near]):
            continue
        if own.size and np.min(np.abs(own - data.position[index])) < OWN_FWHM * width:
            continue
        places.append(float(data.position[index]))
        left_out |= _slope_of(seen, data, int(index), width)
    if left_out.mean() > _MOST_LEFT_OUT:
        return np.empty(0), np.zeros_like(left_out)
    return np.sort(places), left_out


def _peaks_of_others(
    model: LeBailModel, solution: Solution, data: FitData, peaks: Peaks
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Lines of the pattern that lie on none of the solution's, and all their points."""
    own = drawn_places(model, solution.position[np.isfinite(solution.position)])
    reach = OWN_FWHM * typical_width(model, solution)
    nearest = np.min(np.abs(peaks.position_deg[:, None] - own[None, :]), axis=1, initial=np.inf)
    theirs = np.flatnonzero(nearest > reach)
    left_out = np.zeros(data.position.size, dtype=np.bool_)
    widest = 3.0 * float(np.median(peaks.width_deg)) if peaks.width_deg.size else 0.0
    for index in theirs:
        far = 3.5 * min(peaks.width_deg[index], widest)
        low = max(peaks.low_deg[index], peaks.position_deg[index] - far)
        high = min(peaks.high_deg[index], peaks.position_deg[index] + far)
        left_out |= (data.position >= low) & (data.position <= high)
    if left_out.mean() > _MOST_TRUSTED:
        return np.empty(0), np.zeros_like(left_out)
    return np.sort(peaks.position_deg[theirs]), left_out


def _slope_of(seen: Floats, data: FitData, index: int, width: float) -> npt.NDArray[np.bool_]:
    """Points of one residual line: as far as the filter still sees it, at least one and a half widths."""
    low = high = index
    while low > 0 and seen[low - 1] > 2.0 and data.position[index] - data.position[low - 1] < 4 * width:
        low -= 1
    last = data.position.size - 1
    while high < last and seen[high + 1] > 2.0 and data.position[high + 1] - data.position[index] < 4 * width:
        high += 1
    reach = np.abs(data.position - data.position[index]) <= 1.5 * width
    reach[low : high + 1] = True
    return np.asarray(reach)
