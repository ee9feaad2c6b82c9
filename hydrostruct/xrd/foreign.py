"""Lines in a pattern that no phase of the model explains: found, listed and kept from pulling at the fit.

A gasket, a pressure marker or a phase nobody thought of puts lines beside those of the model. Least squares would
bend cells, widths and background towards them, so each is fitted as a single peak beside the phases, and the user is
told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.agreement import serial_factor
from hydrostruct.xrd.beam import drawn_places
from hydrostruct.xrd.engine import Solution, covariance, fit_with_background, solve
from hydrostruct.xrd.first_look import FILTER_REACH, Peaks, noise_scale
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters, hold, with_terms
from hydrostruct.xrd.profile import TYPICAL_MIXING, pseudo_voigt
from hydrostruct.xrd.single_peaks import PARAMETERS_OF_A_PEAK, has_peaks, own_lines, own_parameters, with_peaks

Floats = npt.NDArray[np.float64]

FOREIGN_SIGMA = 6.0
"""A residual line this far above the noise is one that the model does not explain."""
OWN_FWHM = 0.6
"""A line of the pattern within so many widths of a line of the model is taken for the model's."""
_CAP = 25.0
_PEAK_SIGMA = 3.0
_MOST_PEAKS = 40
_ROUNDS = 3
_AT_ONCE = 3
_CLEARLY = 4.0
_WAVES = 1.25
_SHIFTED_SIGMA = 1.5
_FLANK_FWHM = 1.0
_NOISE_SIGMA, _MOST_MISFIT = 4.0, 0.2
_FEW_FLANKS, _MANY_FLANKS = 2, 3
_START_TERMS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """A solution with single peaks for what its phases leave unexplained."""

    model: LeBailModel
    """The phases, and the single peaks after them."""
    solution: Solution
    """Of all of them together."""
    data: FitData
    """The pattern with the background terms that were used."""
    left_out_deg: Floats = field(default_factory=lambda: np.empty(0))
    """Places of unexplained lines whose points were left out instead, in degrees, shape (lines,)."""
    left_out_area: float = 0.0
    """What they amount to, in intensity × degrees."""
    shape_misfits: bool = False
    """Whether the lines of the phases have a shape, or places, that the model does not have."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing line-shaped is left, but on lines whose shape is another, and nothing had to be left out."""
        if self.left_out_deg.size:
            return False
        if self.shape_misfits:
            return rests_free(self) and not _residual_lines(self, beside_fwhm=_FLANK_FWHM).size
        return convinces(self.model, self.solution, self.data)

    @property
    def foreign_deg(self) -> Floats:
        """Places of the lines that are no phase's, in degrees, rising, shape (lines,)."""
        if not has_peaks(self.model):
            return np.sort(self.left_out_deg)
        return np.sort(np.concatenate((self.solution.position[~own_lines(self.model)], self.left_out_deg)))

    def cost(self, scale: float) -> float:
        """Misfit, in units of the residuals' scale, and what parameters cost by the Bayesian information criterion."""
        count = PARAMETERS_OF_A_PEAK * self.foreign_deg.size + len(self.data.basis) + self.data.shape_terms
        return self.solution.chi2 / scale**2 + math.log(self.data.position.size) * count

    @property
    def foreign_area(self) -> float:
        """What they amount to, in intensity × degrees."""
        if not has_peaks(self.model):
            return self.left_out_area
        peaks = np.maximum(np.nan_to_num(self.solution.intensity[~own_lines(self.model)]), 0.0)
        return float(np.sum(peaks)) + self.left_out_area


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
    return float(max(kernels.scatter_scales(data.intensity, data.weight, solution.residual)))


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
    if not _rests_free(model, solution):
        return False
    return bool(
        kernels.leaves_nothing(
            data.position,
            data.intensity,
            data.weight,
            solution.residual,
            solution.width,
            solution.intensity,
            model.phase_of,
            len(model.phases),
            FILTER_REACH,
            _WAVES,  # residuals that wave about as much as a line is high hide lines
            FOREIGN_SIGMA,
        )
    )


def rests_free(found: Explained) -> bool:
    """Whether a fit came to rest with no cell on its limit."""
    return _rests_free(found.model, found.solution)


def _rests_free(model: LeBailModel, solution: Solution) -> bool:
    if not (solution.converged and solution.held.any()):
        return solution.converged
    cells = np.concatenate([cell_parameters(model, index) for index in range(len(model.phases))])
    return not np.any(solution.held[cells[cells >= 0]])


def explain_rest(model: LeBailModel, found: Explained, *, terms: int | None) -> Explained:
    """Give a solution a single peak for each line that its residuals still show, and fit all together.

    Parameters
    ----------
    model : LeBailModel
        The phases alone.
    found : Explained
        Where a fit came to rest, with or without single peaks.
    terms : int or None
        Background terms; None to let the data choose.

    Returns
    -------
    Explained
        Residuals beside the lines of the model become single peaks at once; residuals on a line of the model do when
        the fit is better by more than the peak costs, since misfit of its shape looks the same.
    """
    for _ in range(_ROUNDS):
        place = _residual_lines(found, beside_fwhm=OWN_FWHM)
        if not place.size or found.foreign_deg.size >= _MOST_PEAKS:
            break
        found = _with_more(model, found, place, terms=terms)
    for _ in range(_ROUNDS):
        place = _residual_lines(found)[:_AT_ONCE]
        if not place.size or found.foreign_deg.size >= _MOST_PEAKS:
            break
        trial = _with_more(model, found, place, terms=terms)
        scale = min(residual_scale(one.solution, one.data) for one in (found, trial))
        if not trial.solution.converged or trial.cost(scale) > found.cost(scale) - _CLEARLY:
            break
        found = trial
    return found


def without_flanks(model: LeBailModel, found: Explained, *, terms: int | None) -> Explained:
    """Take single peaks away from the flanks of lines, where so many have them that it is a matter of their shape.

    A spotty ring splits lines, and no profile is quite right for a strong one. Single peaks follow that, each line then
    keeps what part of itself suits the cell, and nothing in the residuals tells any more how far lines lie from their
    places. A stranger has no reason to lie on one line after the other; many strangers do by chance, but stand free
    more often.

    Parameters
    ----------
    model : LeBailModel
        The phases alone.
    found : Explained
        Where a fit came to rest, with its single peaks.
    terms : int or None
        Background terms; None to let the data choose.

    Returns
    -------
    Explained
        The fit without them where three lines or more, or both where there are but two in the range, have one within a
        width and most single peaks are such, if what they took is a small part of the lines; else what was given.
    """
    places, widths = _single_peaks(found)
    reach = _FLANK_FWHM * typical_width(found.model, found.solution)
    own = _lines_of_phases(model, found)
    on_flank = np.abs(own[:, None] - places[None, :]) < reach
    peaks, lines = (int(np.any(on_flank, axis=side).sum()) for side in (0, 1))
    inside = (own > found.data.position[0]) & (own < found.data.position[-1])
    enough = max(_FEW_FLANKS, min(_MANY_FLANKS, int(np.count_nonzero(inside))))
    if min(peaks, lines) < enough or 2 * peaks < places.size:
        return found
    stay = ~np.any(on_flank, axis=0)
    start = found.solution.values[: own_parameters(model)]
    plain = fit_with_single_peaks(model, found.data, start, (places[stay], widths[stay]), terms=terms)
    return replace(plain, shape_misfits=True) if _is_misfit_of_shape(plain, places[~stay]) else found


def _is_misfit_of_shape(plain: Explained, places: Floats) -> bool:
    """Whether a fit without single peaks at some places leaves no more there than a small part of the lines' height."""
    solution, data = plain.solution, plain.data
    lines = data.intensity - solution.residual - data.basis.T @ solution.background
    excess = np.abs(solution.residual) - _NOISE_SIGMA * noise_scale(data) / np.sqrt(data.weight)
    width = typical_width(plain.model, solution)
    for place in places:
        away = np.abs(data.position - place)
        left = np.max(excess[away < 0.5 * width], initial=0.0)
        if left > _MOST_MISFIT * np.max(lines[away < width], initial=0.0):
            return False
    return True


def _lines_of_phases(model: LeBailModel, found: Explained) -> Floats:
    """Places of the lines of phases that point up, and of those that were let go, in degrees."""
    place = line_columns(model, found.data.position, found.solution.slots).position
    with np.errstate(invalid="ignore"):
        return np.asarray(place[~(found.solution.intensity[: place.size] <= 0)])


def _single_peaks(found: Explained) -> tuple[Floats, Floats]:
    """Places and widths of the single peaks of a solution."""
    theirs = ~own_lines(found.model)
    return found.solution.position[theirs], found.solution.width[theirs]


def release_lines(model: LeBailModel, found: Explained, *, terms: int | None) -> Explained:
    """Let lines go that lie elsewhere than the cell of their phase wants them: a stranger's line lies on them.

    Parameters
    ----------
    model : LeBailModel
        The phases alone.
    found : Explained
        Where a fit came to rest, with its single peaks.
    terms : int or None
        Background terms; None to let the data choose.

    Returns
    -------
    Explained

    Notes
    -----
    Of the lines whose places misfit most, the one whose release betters the fit most becomes a single peak; it stays
    one when the fit is better by more than the peak costs. A phase keeps two lines more than its cell has parameters.
    """
    for _ in range(_ROUNDS):
        if residual_scale(found.solution, found.data) > _WAVES * noise_scale(found.data):
            break
        trials = [_released(model, found, line, terms=terms) for line in _misplaced_lines(found)]
        trials = [pair for pair in trials if pair[1].solution.converged]
        if not trials:
            break
        scale = min(residual_scale(one.solution, one.data) for one in (found, *(one for _, one in trials)))
        without, trial = min(trials, key=lambda pair: pair[1].cost(scale))
        intensity = math.log(found.data.position.size)  # it had one before: only place and width are new
        if trial.cost(scale) - intensity > found.cost(scale) - _CLEARLY:
            break
        model, found = without, trial
    return found


def _released(model: LeBailModel, found: Explained, line: int, *, terms: int | None) -> tuple[LeBailModel, Explained]:
    without = without_line(model, line)
    places, widths = _single_peaks(found)
    places = np.append(places, found.solution.position[line])
    widths = np.append(widths, found.solution.width[line])
    own = found.solution.values[: own_parameters(model)]
    return without, fit_with_single_peaks(without, found.data, own, (places, widths), terms=terms)


def without_line(model: LeBailModel, line: int) -> LeBailModel:
    """The model with one line, by its number, taken out of its phase."""
    nowhere = model.terms.copy()
    nowhere[line] = 0.0
    return replace(model, terms=nowhere)


def _misplaced_lines(found: Explained) -> list[int]:
    """Lines of phases whose residuals look most like a shift of them, the worst first."""
    model, solution, data = found.model, found.solution, found.data
    scale = residual_scale(solution, data)
    with np.errstate(invalid="ignore"):
        mine = own_lines(model) & (solution.intensity > 0)
    shifts = []
    for line in np.flatnonzero(mine):
        phase = int(model.phase_of[line])
        if np.sum(mine & (model.phase_of == phase)) < np.sum(cell_parameters(model, phase) >= 0) + 3:
            continue
        step = 0.02 * solution.width[line]
        at = data.position - solution.position[line]
        ends = (pseudo_voigt(at + side, solution.width[line], TYPICAL_MIXING) for side in (-step, step))
        slope = next(ends) - next(ends)
        size = math.sqrt(float(np.sum(data.weight * slope**2)))
        seen = abs(float(np.sum(data.weight * slope * solution.residual))) / (size * scale) if size > 0 else 0.0
        if seen > _SHIFTED_SIGMA:
            shifts.append((-seen, int(line)))
    return [line for _, line in sorted(shifts)[:_AT_ONCE]]


def _with_more(model: LeBailModel, found: Explained, place: Floats, *, terms: int | None) -> Explained:
    width = typical_width(found.model, found.solution)
    old = ~own_lines(found.model)
    places = np.concatenate((found.solution.position[old], place))[:_MOST_PEAKS]
    widths = np.concatenate((found.solution.width[old], np.full(place.size, width)))[:_MOST_PEAKS]
    return fit_with_single_peaks(
        model, found.data, found.solution.values[: own_parameters(model)], (places, widths), terms=terms
    )


def _residual_lines(found: Explained, *, beside_fwhm: float = 0.0) -> Floats:
    """Places of the line-shaped residuals, the strongest first; only those so many widths from lines of the model."""
    solution, data = found.solution, found.data
    seen = residual_significance(found.model, solution, data)
    if seen is None:
        return np.empty(0)
    width = typical_width(found.model, solution)
    known = drawn_places(found.model, solution.position[np.isfinite(solution.intensity)])
    places: list[float] = []
    for index in np.argsort(-seen, kind="stable"):
        if seen[index] < FOREIGN_SIGMA:
            break
        near = np.abs(data.position - data.position[index]) <= width
        if seen[index] < np.max(seen[near]):
            continue
        if known.size and np.min(np.abs(known - data.position[index])) < beside_fwhm * width:
            continue
        places.append(float(data.position[index]))
    return np.array(places)


def fit_with_single_peaks(
    model: LeBailModel, data: FitData, values: Floats, peaks: tuple[Floats, Floats], *, terms: int | None
) -> Explained:
    """Fit phases and single peaks together; peaks that turn out to be nothing are taken away again.

    Parameters
    ----------
    model : LeBailModel
        The phases alone.
    data : FitData
        The pattern.
    values : array, shape (parameters,)
        The start, of the phases and, where they are known, of the single peaks.
    peaks : (array, array), shape (peaks,)
        Places and widths of the single peaks, in degrees.
    terms : int or None
        Background terms; None to let the data choose.

    Returns
    -------
    Explained
    """
    places, widths = peaks
    with_them, start = with_peaks(model, values[: own_parameters(model)], places, widths, narrowest_deg=data.step_deg)
    start[own_parameters(model) : values.size] = values[own_parameters(model) :]  # what is known of the peaks
    solution, used = fit_with_background(with_them, data, start, terms=terms)
    found = Explained(model=with_them, solution=solution, data=used)
    stay = _stands(with_them, solution, used)
    if np.all(stay):
        return found
    own = solution.values[: own_parameters(model)]
    with_fewer, start = with_peaks(
        model, own, *(part[stay] for part in _single_peaks(found)), narrowest_deg=data.step_deg
    )
    solution, used = fit_with_background(with_fewer, data, start, terms=terms)
    fewer = Explained(model=with_fewer, solution=solution, data=used)
    # misfit of shape comes in waves: a peak that follows them takes off many points' worth of it, and is no line
    waves = serial_factor(found.solution.residual * np.sqrt(found.data.weight))
    scale = residual_scale(found.solution, found.data) * waves
    return fewer if fewer.cost(scale) <= found.cost(scale) else found


def _stands(model: LeBailModel, solution: Solution, data: FitData) -> npt.NDArray[np.bool_]:
    """Which single peaks of a solution are there: three standard deviations of their intensity, and more than 0."""
    seen, matrix = covariance(model, data, solution)
    sigma = np.full(model.phase_of.size, np.inf)
    sigma[seen] = np.sqrt(np.maximum(np.diag(matrix)[: seen.size], 0.0)) * residual_scale(solution, data)
    with np.errstate(invalid="ignore"):
        return np.asarray((solution.intensity > _PEAK_SIGMA * sigma)[~own_lines(model)])


def cheaper(one: Explained, other: Explained) -> Explained:
    """The better of two solutions by the Bayesian information criterion.

    Parameters
    ----------
    one, other : Explained
        Of the same pattern.

    Returns
    -------
    Explained
        The first, or the second where that came to rest and costs clearly less.
    """
    scale = min(residual_scale(each.solution, each.data) for each in (one, other))
    is_less = rests_free(other) and other.cost(scale) < one.cost(scale) - _CLEARLY
    return other if is_less else one


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustingFit:
    """A fit that took its start at its word."""

    explained: Explained
    """The phases, with single peaks for the lines that are on none of theirs."""
    on_everything: tuple[Solution, FitData]
    """The same cells and widths without the single peaks, to be compared with other fits."""


def fit_trusting(model: LeBailModel, data: FitData, values: Floats, peaks: Peaks, *, terms: int | None) -> TrustingFit:
    """Fit that gives single peaks, before anything moves, to the lines of the pattern that lie on none of the model's.

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
    few = with_terms(data, min(_START_TERMS, len(data.basis)))
    solution, mine = solve(narrow, few, values, most_steps=0), own_parameters(model)
    for _ in range(_ROUNDS):  # widths stay at first: free, they would soak up what is not theirs
        others = _peaks_of_others(model, solution, peaks)
        solution = solve(*_in_order(few, *with_peaks(narrow, solution.values[:mine], *others)))
    found = explain_rest(narrow, fit_with_single_peaks(narrow, data, solution.values, others, terms=terms), terms=terms)
    found = fit_with_single_peaks(model, data, found.solution.values, _single_peaks(found), terms=terms)
    found = explain_rest(model, found, terms=terms)
    whole = with_terms(data, len(found.data.basis))
    alone = solve(model, whole, found.solution.values[:mine], most_steps=0)
    return TrustingFit(
        explained=found,
        on_everything=(
            replace(alone, converged=found.solution.converged, held=found.solution.held[:mine]),
            whole,
        ),
    )


def _in_order(data: FitData, model: LeBailModel, values: Floats) -> tuple[LeBailModel, FitData, Floats]:
    return model, data, values


def _peaks_of_others(model: LeBailModel, solution: Solution, peaks: Peaks) -> tuple[Floats, Floats]:
    """Places and widths of the lines of the pattern that lie on none of the phases'."""
    mine = np.flatnonzero(model.phase_of < len(model.phases))
    own = drawn_places(model, solution.position[mine])
    own = own[np.isfinite(own)]
    reach = OWN_FWHM * typical_width(model, solution)
    nearest = np.min(np.abs(peaks.position_deg[:, None] - own[None, :]), axis=1, initial=np.inf)
    theirs = np.flatnonzero(nearest > reach)[:_MOST_PEAKS]
    widest = 3.0 * float(np.median(peaks.width_deg)) if peaks.width_deg.size else 0.0
    return peaks.position_deg[theirs], np.minimum(peaks.width_deg[theirs], widest)


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


def is_supported(found: Explained, peaks: Peaks) -> bool:
    """Whether each phase explains more lines of the pattern than it has free cell parameters."""
    model, solution = found.model, found.solution
    return rests_free(found) and all(
        explained(solution, peaks, phase_lines=model.phase_of == index) > np.sum(cell_parameters(model, index) >= 0)
        for index in range(len(model.phases))
    )


def typical_width(model: LeBailModel, solution: Solution) -> float:
    """Median full width at half maximum of the lines of phases that the data see, in degrees; 0 when there is none."""
    return float(kernels.median_width(solution.width, solution.intensity, model.phase_of, len(model.phases)))


def residual_significance(model: LeBailModel, solution: Solution, data: FitData) -> Floats | None:
    """Line-shaped residuals over their noise at every point.

    Parameters
    ----------
    model, solution, data
        What was fitted, where it came to rest, and to what.

    Returns
    -------
    array, shape (n,), or None
        In standard deviations of the residuals; None when no line tells the width to look with.
    """
    width = typical_width(model, solution)
    if not width > 0:
        return None
    seen = kernels.matched_filter(data.position, solution.residual, data.weight, width, FILTER_REACH)
    noise = max(noise_scale(data), float(np.median(np.abs(seen))) / 0.6745)
    return np.asarray(seen / noise)
