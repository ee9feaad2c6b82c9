"""A second search, where single peaks were needed: a cell that explains them is better than one that needs them.

A stranger's strong line can draw a cell to itself: one strong line gained is worth several weak ones lost, as long as
nothing is fitted to these. Once they stand as single peaks, the books can be balanced: each phase is asked whether
another cell explains more of the lines that are there, each of which counts about alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.beam import shown_places
from hydrostruct.xrd.evolved_cells import far_apart, line_places
from hydrostruct.xrd.first_look import FILTER_REACH
from hydrostruct.xrd.foreign import Explained, cheaper, explain_rest, fit_with_single_peaks, typical_width
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import LeBailModel, cell_parameters, phase_slots
from hydrostruct.xrd.search import trial_cells
from hydrostruct.xrd.single_peaks import own_lines, own_parameters

Floats = npt.NDArray[np.float64]

_TRIED = 3
_LOOKED_AT = 3000
_ROUNDS = 2
_MOST_FREE = 2
_LEAST_KEPT = 0.5
_MOST_PEAKS = 20
_FULL = 12.0  # what a line counts at most: half of the square of five standard deviations
_APART_FWHM = 1.5
_NEAR_FWHM = 0.6


def search_again(model: LeBailModel, found: Explained, *, terms: int | None) -> Explained:
    """Look for cells of single phases that leave fewer lines to single peaks.

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
        What was given, or a solution that costs clearly less, single peaks and their parameters counted (Bayesian
        information criterion). Phases of up to two free cell parameters are looked at, where single peaks are no more
        than twenty: beyond, they follow misfit all over.
    """
    if found.foreign_deg.size > _MOST_PEAKS or not typical_width(found.model, found.solution) > 0:
        return found
    for _ in range(_ROUNDS):
        before = found
        for index in range(len(model.phases)):
            free = int(np.sum(cell_parameters(model, index) >= 0))
            if not 0 < free <= _MOST_FREE or not found.solution.position[~own_lines(found.model)].size:
                continue
            for components in _other_cells(model, found, index):
                trial = _with_cell(model, found, index, components, terms=terms)
                if _own_area(trial) > _LEAST_KEPT * _own_area(found):
                    found = cheaper(found, trial)
        if found is before:
            break
    return found


def _own_area(found: Explained) -> float:
    """What the lines of all phases amount to, in intensity × degrees: a cell that leaves its lines is no better one."""
    mine = found.solution.intensity[own_lines(found.model)]
    return float(np.sum(np.maximum(np.nan_to_num(mine), 0.0)))


def _other_cells(model: LeBailModel, found: Explained, index: int) -> list[Floats]:
    """Cells of one phase, other than its own, that would explain most of its lines and the single peaks, in order."""
    width = typical_width(found.model, found.solution)
    columns = line_columns(found.model, found.data.position, found.solution.slots)
    mine = (found.model.phase_of[columns.lines] == index) | (found.model.phase_of[columns.lines] >= len(model.phases))
    signal = found.solution.residual + columns.shape[:, mine] @ found.solution.intensity[columns.lines[mine]]
    seen = kernels.matched_filter(found.data.position, signal, found.data.weight, width, FILTER_REACH)
    step = width / 8.0
    grid = np.arange(found.data.position[0], found.data.position[-1], step)
    shown = shown_places(found.model, found.solution.slots, grid)
    here = np.interp(shown, found.data.position, seen, left=0.0, right=0.0)
    score = np.minimum(0.5 * np.maximum(here, 0.0) ** 2, _FULL)
    trial = trial_cells(model, index, width)
    terms = np.ascontiguousarray(model.terms[model.phase_of == index][:, : trial.shape[1]])
    total = kernels.score_apart(trial, terms, model.wavelength_ang, float(grid[0]), step, score, _APART_FWHM * width)
    own, _ = phase_slots(model, found.solution.slots, index)
    cells = np.vstack((own, trial[np.argsort(-total, kind="stable")[:_LOOKED_AT]]))
    places = np.clip(line_places(cells, terms, model.wavelength_ang), *found.data.position[[0, -1]])
    return [cells[row] for row in far_apart(places, _NEAR_FWHM * width, most=_TRIED + 1)[1:]]


def _with_cell(model: LeBailModel, found: Explained, index: int, components: Floats, *, terms: int | None) -> Explained:
    """A fit with another cell of one phase: lines that it leaves become single peaks, single peaks that it takes go."""
    values = found.solution.values[: own_parameters(model)].copy()
    moved = cell_parameters(model, index)
    values[moved[moved >= 0]] = components[moved >= 0]
    slots = found.solution.slots.copy()
    filled = model.link[: model.slots.size - 2] >= 0
    slots[: model.slots.size - 2][filled] = values[model.link[: model.slots.size - 2][filled]]
    place = line_columns(found.model, found.data.position, slots).position
    with np.errstate(invalid="ignore"):
        stays = found.solution.intensity > 0
    mine, single = found.model.phase_of == index, ~own_lines(found.model)
    # what the phase leaves may be another's line; what was single has no reason to be but the cell that is new
    free = stays & ((mine & _is_free(found, place[~single])) | (single & _is_free(found, place[mine])))
    places, widths = found.solution.position[free], found.solution.width[free]
    trial = fit_with_single_peaks(model, found.data, values, (places, widths), terms=terms)
    return explain_rest(model, trial, terms=terms)


def _is_free(found: Explained, places: Floats) -> npt.NDArray[np.bool_]:
    """Lines of a solution that lie on none of some places, shape (lines,)."""
    apart = np.abs(found.solution.position[:, None] - places[np.isfinite(places)][None, :])
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.min(apart, axis=1, initial=np.inf) > _NEAR_FWHM * typical_width(found.model, found.solution)
        )
