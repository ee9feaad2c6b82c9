"""Lines in a pattern that no phase of the model explains: found, listed and kept from pulling at the fit.

A gasket, a pressure marker or a phase nobody thought of puts lines beside those of the model. Least squares would
bend cells, widths and background towards them, so their points are left out of the last fit, and the user is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.engine import Solution, fit_with_background, solve
from hydrostruct.xrd.first_look import FILTER_REACH, Peaks, above_background, noise_scale
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters, hold, with_terms, without_points

Floats = npt.NDArray[np.float64]

FOREIGN_SIGMA = 6.0
"""A residual line this far above the noise is one that the model does not explain."""
_CAP = 25.0
_OWN_FWHM = 0.6
_MOST_LEFT_OUT = 0.4
_MOST_TRUSTED = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignLines:
    """What the model leaves unexplained."""

    two_theta_deg: Floats
    """Positions, in degrees, rising, shape (n,)."""
    significance: Floats
    """Height over the noise of the residuals, or prominence in units of intensity, shape (n,)."""
    left_out: npt.NDArray[np.bool_]
    """Points of the fit that belong to them, shape (points,)."""

    def area(self, data: FitData) -> float:
        """What stands above the background at the points left out, in intensity × degrees, of the whole pattern."""
        if not np.any(self.left_out):
            return 0.0
        step = float(np.median(np.diff(data.position)))
        return float(np.sum(np.maximum(above_background(data)[self.left_out], 0.0))) * step


def capped_chi2(solution: Solution, data: FitData, *, scale: float) -> float:
    """Misfit in which no point counts more than five standard deviations.

    Chi² alone prefers the cell whose lines fall on somebody else's strong peaks; counted with a cap, a solution is as
    good as the number of points that it explains.

    Parameters
    ----------
    solution, data
        The solution and what it was fitted to.
    scale : float
        Standard deviation of the residuals in units of sigma, the same for all solutions that are compared.

    Returns
    -------
    float
    """
    return float(np.sum(np.minimum(solution.residual**2 * data.weight / scale**2, _CAP)))


def residual_scale(solution: Solution, data: FitData) -> float:
    """Scatter of the residuals of a solution in units of sigma, not below that of the data from point to point."""
    middle = float(np.median(np.abs(solution.residual) * np.sqrt(data.weight))) / 0.6745
    return max(noise_scale(data), middle)


def convinces(model: LeBailModel, solution: Solution, data: FitData) -> bool:
    """Whether a fit leaves no reason to look for other cells.

    It came to rest, no cell rests on its limit, and no line-shaped residual stands above the noise.

    Parameters
    ----------
    model, solution, data
        What was fitted, where it came to rest, and to what.

    Returns
    -------
    bool
    """
    if not solution.converged:
        return False
    for index in range(len(model.phases)):
        moved = cell_parameters(model, index)
        if np.any(solution.held[moved[moved >= 0]]):
            return False
    seen = _seen(solution, data)
    return seen is not None and float(np.max(np.abs(seen))) < FOREIGN_SIGMA


def foreign_lines(model: LeBailModel, solution: Solution, data: FitData) -> ForeignLines:
    """Find the lines that a fit leaves unexplained.

    Parameters
    ----------
    model, solution, data
        What was fitted, where it came to rest, and to what.

    Returns
    -------
    ForeignLines
        Residuals on a line of the model are its misfit, not foreign; nothing is left out when that would be more than
        four points in ten.
    """
    seen = _seen(solution, data)
    left_out = np.zeros(data.position.size, dtype=np.bool_)
    nothing = ForeignLines(two_theta_deg=np.empty(0), significance=np.empty(0), left_out=left_out)
    if seen is None:
        return nothing
    width = typical_width(solution)
    own = solution.position[np.isfinite(solution.intensity)]
    positions, heights = [], []
    for index in np.argsort(-seen, kind="stable"):
        if seen[index] < FOREIGN_SIGMA:
            break
        near = np.abs(data.position - data.position[index]) <= width
        if seen[index] < np.max(seen[near]):
            continue
        if own.size and np.min(np.abs(own - data.position[index])) < _OWN_FWHM * width:
            continue
        positions.append(float(data.position[index]))
        heights.append(float(seen[index]))
        left_out |= _slope_of(seen, data, int(index), width)
    if left_out.mean() > _MOST_LEFT_OUT:
        return nothing
    order = np.argsort(positions)
    return ForeignLines(
        two_theta_deg=np.array(positions)[order], significance=np.array(heights)[order], left_out=left_out
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustingFit:
    """A fit that took its start at its word."""

    solution: Solution
    """The solution, on the points that were not left out."""
    data: FitData
    """Those points."""
    foreign: ForeignLines
    """What was left out."""
    on_everything: tuple[Solution, FitData]
    """The same cells and widths against the whole pattern, to be compared with other fits."""


def fit_trusting(model: LeBailModel, data: FitData, values: Floats, peaks: Peaks, *, terms: int | None) -> TrustingFit:
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
    TrustingFit
    """
    narrow = hold(model, values, np.array([not name.startswith("cell:") for name in model.parameter_names]))
    solution = solve(narrow, data, values, most_steps=0)
    for _ in range(3):  # widths stay at first: free, they would soak up what is not theirs
        foreign = _peaks_of_others(solution, data, peaks)
        solution = solve(narrow, without_points(data, foreign.left_out), solution.values)
    foreign = _peaks_of_others(solution, data, peaks)
    fitted, clean = fit_with_background(model, without_points(data, foreign.left_out), solution.values, terms=terms)
    whole = with_terms(data, len(clean.basis))
    on_everything = solve(model, whole, fitted.values, most_steps=0)
    return TrustingFit(
        solution=fitted,
        data=clean,
        foreign=foreign,
        on_everything=(replace(on_everything, converged=fitted.converged, held=fitted.held), whole),
    )


def _peaks_of_others(solution: Solution, data: FitData, peaks: Peaks) -> ForeignLines:
    """Lines of the pattern that lie on none of the solution's, with all their points."""
    own = solution.position[np.isfinite(solution.position)]
    reach = _OWN_FWHM * typical_width(solution)
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
        left_out[:] = False
        theirs = theirs[:0]
    theirs = theirs[np.argsort(peaks.position_deg[theirs])]
    return ForeignLines(
        two_theta_deg=peaks.position_deg[theirs], significance=peaks.prominence[theirs], left_out=left_out
    )


def explained(solution: Solution, peaks: Peaks, *, phase_lines: npt.NDArray[np.bool_] | None = None) -> int:
    """How many lines of the pattern lie on a line of the solution.

    Parameters
    ----------
    solution : Solution
        Gives the lines.
    peaks : Peaks
        Lines of the pattern.
    phase_lines : array of bool, optional, shape (lines,)
        Which lines of the model count.

    Returns
    -------
    int
        Those whose top is within half a typical width of a line that points up.
    """
    with np.errstate(invalid="ignore"):
        counts = solution.intensity > 0
    own = solution.position[counts if phase_lines is None else counts & phase_lines]
    if not own.size or not peaks.position_deg.size:
        return 0
    reach = 0.5 * float(np.median(peaks.width_deg))
    near = np.min(np.abs(peaks.position_deg[:, None] - own[None, :]), axis=1) < reach
    return int(np.sum(near))


def is_supported(model: LeBailModel, solution: Solution, peaks: Peaks) -> bool:
    """Whether each phase explains more lines of the pattern than it has free cell parameters."""
    return solution.converged and all(
        explained(solution, peaks, phase_lines=model.phase_of == index) > np.sum(cell_parameters(model, index) >= 0)
        for index in range(len(model.phases))
    )


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


def typical_width(solution: Solution) -> float:
    """Median full width at half maximum of the lines that the data see, in degrees; 0 when there is none."""
    wide = solution.width[np.isfinite(solution.intensity)]
    return float(np.median(wide)) if wide.size else 0.0


def _seen(solution: Solution, data: FitData) -> Floats | None:
    """Line-shaped residuals over their noise at every point; None when there is no width to look with."""
    width = typical_width(solution)
    if not width > 0:
        return None
    seen = kernels.matched_filter(data.position, solution.residual, data.weight, width, FILTER_REACH)
    noise = max(noise_scale(data), float(np.median(np.abs(seen))) / 0.6745)
    return np.asarray(seen / noise)
