"""The cells from a poor start: where could the lines of each phase lie in what was measured?

Every cell within some percent of the start is scored by what a matched filter sees at its lines; the best few of each
phase are combined, ranked by a linear fit of all intensities, and handed to least squares. Nothing here decides what
is right: the candidates are fitted and compared by `hydrostruct.xrd.lebail`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import (
    FREE_PARAMETERS,
    Cell,
    CrystalSystem,
    cell_array,
    make_cell,
    reciprocal_components,
)
from hydrostruct.xrd import kernels
from hydrostruct.xrd.beam import shown_places
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.engine import Solution, fit_with_background, linear_chi2, with_widths
from hydrostruct.xrd.evolved_cells import evolved_cells, listed_peaks, separate_cells
from hydrostruct.xrd.first_look import FILTER_REACH, Peaks, above_background, line_width
from hydrostruct.xrd.foreign import convinces
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters, phase_slots, with_terms
from hydrostruct.xrd.profile import TYPICAL_MIXING, pseudo_voigt

Floats = npt.NDArray[np.float64]

SEARCH_LIMIT = 0.03
"""Axes are searched this far to each side of the start (relative)."""
_ANGLE_LIMIT_DEG = 1.5
_CANDIDATES = 16
_FITTED = 8
_MOST_CELLS = 60_000
_MANY_FREE = 3
_EVOLVED = 6
_LEAST_SCORE = math.log1p(5.0**2 / 4.0)
_ENOUGH_PEAKS = 4


def search_cells(model: LeBailModel, solution: Solution, data: FitData, *, own_signal: bool = False) -> list[Floats]:
    """Starts worth a fit, the best guess first.

    Parameters
    ----------
    model : LeBailModel
        Its start cells are the middle of the search.
    solution : Solution
        A fit that did not convince; its cells are candidates too.
    data : FitData
        The pattern.
    own_signal : bool
        Score each phase on what the other phases of the solution leave over, instead of on everything.

    Returns
    -------
    list of array, shape (parameters,)
        At most eight values of the free parameters.
    """
    signal = above_background(data)
    width = line_width(data)
    first, step, score = _score_grid(model, solution, data, signal, width)
    lists = []
    for index in range(len(model.phases)):
        if not np.any(cell_parameters(model, index) >= 0):
            lists.append([phase_slots(model, solution.slots, index)[0].copy()])
            continue
        if own_signal:
            first, step, score = _score_grid(model, solution, data, _left_for(model, solution, data, index), width)
        trial = trial_cells(model, index, width)
        terms = np.ascontiguousarray(model.terms[model.phase_of == index][:, : trial.shape[1]])
        if trial.shape[1] >= _MANY_FREE:
            peaks = listed_peaks(
                first,
                step,
                score,
                least=_LEAST_SCORE,
                width_deg=width,
                wavelength_ang=model.wavelength_ang,
                zero_deg=0.0,
            )
            picked = separate_cells(*evolved_cells(trial, terms, peaks), terms, peaks, most=_EVOLVED)
        else:
            found = kernels.score_cells(trial, terms, model.wavelength_ang, first, step, score)
            picked = _separate_best(trial, found, width)
        lists.append([phase_slots(model, solution.slots, index)[0].copy(), *picked])
    return _rank(model, data, solution, lists, width)


def fit_evolved(
    model: LeBailModel, data: FitData, nearest: tuple[Solution, FitData], peaks: Peaks, *, terms: int | None
) -> list[tuple[Solution, FitData]]:
    """Fits from better cells, where a phase has three or more free parameters; none for other models.

    Parameters
    ----------
    model, data
        The model and the whole pattern.
    nearest : (Solution, FitData)
        A fit from the start, that did not convince.
    peaks : Peaks
        Lines of the pattern.
    terms : int or None
        Background terms; None to let the data choose.

    Returns
    -------
    list of (Solution, FitData)
        The search ends at the first that convinces and leaves no more than noise, where the pattern has enough lines
        for one cell only.
    """
    free = _free_numbers(model)
    tried: list[tuple[Solution, FitData]] = []
    for values in search_cells(model, *nearest) if max(free) >= _MANY_FREE else ():
        tried.append(fit_with_background(model, data, values, terms=terms))
        is_right = convinces(model, *tried[-1]) and not misfits(*tried[-1])
        if is_right and peaks.position_deg.size >= _ENOUGH_PEAKS * sum(free):
            break
    return tried


def _free_numbers(model: LeBailModel) -> list[int]:
    """Free parameters of the cell of each phase."""
    return [int(np.sum(cell_parameters(model, index) >= 0)) for index in range(len(model.phases))]


def may_be_elsewhere(model: LeBailModel, solution: Solution, data: FitData) -> bool:
    """Whether a fit that convinces may still have a wrong cell: one of many lines, with more misfit than chance.

    Parameters
    ----------
    model, solution, data
        What was fitted, where it came to rest, and to what.

    Returns
    -------
    bool
        False for models without a phase of three or more free cell parameters.
    """
    return max(_free_numbers(model)) >= _MANY_FREE and misfits(solution, data)


def _left_for(model: LeBailModel, solution: Solution, data: FitData, index: int) -> Floats:
    """What the background and the other phases of a solution leave for one phase."""
    theirs = np.flatnonzero((model.phase_of == index) & np.isfinite(solution.intensity))
    signal = solution.residual.copy()
    for line in theirs:
        offset = data.position - solution.position[line]
        signal += solution.intensity[line] * pseudo_voigt(offset, solution.width[line], TYPICAL_MIXING)
    return signal


def _score_grid(
    model: LeBailModel, solution: Solution, data: FitData, signal: Floats, width: float
) -> tuple[float, float, Floats]:
    """Score of a line at each angle, on an even grid: grows with the logarithm of what the matched filter sees.

    The angles are those of Bragg's law; zero and displacement of the solution are taken off.
    """
    seen = kernels.matched_filter(data.position, signal, data.weight, width, FILTER_REACH)
    step = width / 8.0
    grid = np.arange(data.position[0], data.position[-1], step)
    here = np.interp(shown_places(model, solution.slots, grid), data.position, seen, left=0.0, right=0.0)
    return float(grid[0]), step, np.log1p(np.maximum(here, 0.0) ** 2 / 4.0)


def trial_cells(model: LeBailModel, index: int, width: float) -> Floats:
    """Reciprocal components of trial cells about the start, close enough that no line skips its peak."""
    phase, cell = model.phases[index], model.start_cells[index]
    lengths = [name for name in FREE_PARAMETERS[phase.system] if name.endswith("_ang")]
    angles = [name for name in FREE_PARAMETERS[phase.system] if name.endswith("_deg")]
    inverse_squares = model.terms[model.phase_of == index, : kernels.CELL_SLOTS] @ _padded(cell, phase.system)
    sine = 0.5 * model.wavelength_ang * math.sqrt(float(np.max(inverse_squares)))
    theta = math.asin(min(sine, 0.99))
    wanted = max(5, math.ceil(2 * SEARCH_LIMIT / (0.35 * math.radians(width) / (2 * math.tan(theta)))))
    if len(lengths) + len(angles) >= _MANY_FREE:
        return _scattered(cell, phase.system, lengths, angles)
    each = min(wanted | 1, round(_MOST_CELLS ** (1 / len(lengths))) | 1)
    factors = np.linspace(1 - SEARCH_LIMIT, 1 + SEARCH_LIMIT, each)
    grid = np.array(list(itertools.product(factors, repeat=len(lengths))))
    # every system without free angles has components that go with the inverse squares of its axes
    return np.ascontiguousarray(reciprocal_components(cell, phase.system) / grid**2)


def _padded(cell: Cell, system: CrystalSystem) -> Floats:
    components = reciprocal_components(cell, system)
    return np.concatenate([components, np.zeros(kernels.CELL_SLOTS - components.size)])


def _scattered(cell: Cell, system: CrystalSystem, lengths: list[str], angles: list[str]) -> Floats:
    """Random cells for systems with too many free parameters for a grid, the start first; the same ones every time."""
    random = np.random.default_rng(20261122)
    values = dict(zip(("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg"), cell_array(cell), strict=True))
    trial = [reciprocal_components(cell, system)]
    for _ in range(1500):
        free = {name: values[name] * (1 + random.uniform(-SEARCH_LIMIT, SEARCH_LIMIT)) for name in lengths}
        free.update({name: values[name] + random.uniform(-_ANGLE_LIMIT_DEG, _ANGLE_LIMIT_DEG) for name in angles})
        trial.append(reciprocal_components(make_cell(system, **free), system))
    return np.array(trial)


def _separate_best(trial: Floats, score: Floats, width: float) -> list[Floats]:
    """The best cells that are not neighbours of a better one."""
    picked: list[Floats] = []
    apart = 0.15 * math.radians(width) * 4
    for index in np.argsort(-score, kind="stable"):
        if all(np.max(np.abs(trial[index] / other - 1)) > apart for other in picked):
            picked.append(trial[index])
        if len(picked) == _CANDIDATES:
            break
    return picked


def _rank(
    model: LeBailModel, data: FitData, solution: Solution, lists: list[list[Floats]], width: float
) -> list[Floats]:
    """Combinations of candidates by the chi² of a linear fit, the best first."""
    few = with_terms(data, min(12, len(data.basis)))
    filled = model.link >= 0
    start = with_widths(model, solution.values, 1.3 * width)
    best: list[tuple[float, int, Floats]] = []
    few_enough = math.prod(len(found) for found in lists) <= 400
    choices = list(itertools.product(*lists)) if few_enough else _one_by_one(lists)
    for number, choice in enumerate(choices):
        values = start.copy()
        for index, components in enumerate(choice):
            moved = cell_parameters(model, index)
            values[moved[moved >= 0]] = components[moved >= 0]
        slots = model.slots.copy()
        slots[filled] = values[model.link[filled]]
        best.append((linear_chi2(model, few, slots)[0], number, values))
    best.sort(key=lambda item: item[:2])
    return [with_widths(model, values, width) for _, _, values in best[:_FITTED]]


def _one_by_one(lists: list[list[Floats]]) -> list[tuple[Floats, ...]]:
    """Too many combinations: vary two phases at a time about the first candidate of the others."""
    heads = [found[min(1, len(found) - 1)] for found in lists]
    choices = [tuple(found[0] for found in lists)]
    for i, j in itertools.combinations(range(len(lists)), 2):
        for a, b in itertools.product(lists[i][:10], lists[j][:10]):
            choice = list(heads)
            choice[i], choice[j] = a, b
            choices.append(tuple(choice))
    return choices[:1200]
