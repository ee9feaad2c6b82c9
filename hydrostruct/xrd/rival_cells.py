"""Could a weak phase have another cell? Every cell within some percent is weighed by what its lines would find.

The lines of a weak phase stand two to five standard deviations above the noise, and least squares comes to rest on
whatever is near. Its covariance knows the curvature there and nothing of the next minimum. Here every cell of a grid is
weighed, so that the sigma covers the cells that the data cannot rule out.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from hydrostruct.material.cell import CrystalSystem
from hydrostruct.xrd import kernels
from hydrostruct.xrd.beam import shown_places
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.first_look import FILTER_REACH
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters, phase_slots
from hydrostruct.xrd.search import SEARCH_LIMIT

Floats = npt.NDArray[np.float64]

_POINTS = 161
_WEAK = 20.0
_HIDDEN_FWHM = 0.7
_SEEN_SIGMA = 3.0
_OWN_FWHM = 1.0
# lines that see the same peak tell of it once
_APART_FWHM = 1.5
# typical heights of lines over their sigma, each as likely as the other before
_TYPICAL_SIGMAS = (3.0, 9.0, 27.0)
_SYSTEMS = (CrystalSystem.CUBIC, CrystalSystem.TETRAGONAL, CrystalSystem.HEXAGONAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class RivalCells:
    """What all cells about a solution say of it.

    Where the solution is its own cell, with probability p, its sigma is what least squares says; where it is another,
    that cell's distance counts: sigma² is p times the one and the sum of the other.
    """

    parameter_covariance: Floats
    """Squares of how far other cells lie from the solution, times their probabilities, shape (parameters, parameters);
    0 where none was weighed."""
    probability: Floats
    """That of the solution's own cell, its lines no more than a width away, shape (phases,); 1 where not weighed."""


def weigh_rivals(
    model: LeBailModel, data: FitData, evidence: Evidence, *, absent: npt.NDArray[np.bool_]
) -> RivalCells | None:
    """Weigh the cells about each phase whose own cell the data hold loosely.

    Parameters
    ----------
    model, data, evidence
        What was fitted, to what, and what came of it.
    absent : array of bool, shape (phases,)
        Phases that are not there.

    Returns
    -------
    RivalCells or None
        Cubic, tetragonal and hexagonal phases of less than 20 sigma are weighed, when the sigma of an axis is more than
        half a step of the grid (0.02 %); others keep what least squares says. None where none is weighed.

    Notes
    -----
    The weight of a cell is Π √(2π)/s exp(u²/2) Φ(u) over its lines, with u = z − 1/s and z what a matched filter sees
    there in units of its sigma: the likelihood with the intensity of each line taken over all values from 0 up, which
    are likely before in proportion to exp(−z/s); and the sum of it over s = 3, 9 and 27. Lines that see the same peak
    count once. Where a line of another phase stands, nothing can be seen, and it counts as 1. All cells within 3 % are
    alike before.
    """
    weak = [index for index in range(len(model.phases)) if not absent[index] and _is_weak(model, evidence, index)]
    if not weak:
        return None
    matrix = np.zeros_like(evidence.parameter_covariance)
    probability = np.ones(len(model.phases))
    for index in weak:
        moved = cell_parameters(model, index)
        values = evidence.solution.values[moved]
        factors = np.linspace(1.0 - SEARCH_LIMIT, 1.0 + SEARCH_LIMIT, _POINTS)
        grid = np.array(list(itertools.product(factors, repeat=moved.size)))
        trial = np.ascontiguousarray(values / grid**2)
        weight = _weights(model, data, evidence, index, trial)
        own = _is_own(model, evidence, index, trial)
        away = trial[~own] - values
        matrix[np.ix_(moved, moved)] = (away * weight[~own, None]).T @ away
        probability[index] = float(weight[own].sum())
    return RivalCells(parameter_covariance=matrix, probability=probability)


def _is_weak(model: LeBailModel, evidence: Evidence, index: int) -> bool:
    """Whether the cells about a phase are to be weighed."""
    if evidence.significance[index] > _WEAK or model.phases[index].system not in _SYSTEMS:
        return False
    moved = cell_parameters(model, index)
    return not np.any(moved < 0) and _is_loose(evidence, moved)


def _is_loose(evidence: Evidence, moved: npt.NDArray[np.int64]) -> bool:
    """Whether the sigma of an axis is more than half a step of the grid."""
    sigma = np.sqrt(np.maximum(np.diag(evidence.parameter_covariance)[moved], 0.0)) * evidence.inflation
    step = 2.0 * SEARCH_LIMIT / (_POINTS - 1)
    return bool(np.any(0.5 * sigma / np.abs(evidence.solution.values[moved]) > 0.5 * step))


def _weights(model: LeBailModel, data: FitData, evidence: Evidence, index: int, trial: Floats) -> Floats:
    solution = evidence.solution
    columns = line_columns(model, data.position, solution.slots)
    mine = model.phase_of[columns.lines] == index
    # a line outside of which a tail is seen trades with the background: what it is said to have is no signal
    inside = mine & evidence.in_range[columns.lines]
    signal = solution.residual + columns.shape[:, inside] @ solution.intensity[columns.lines[inside]]
    width = float(np.median(solution.width[columns.lines[mine]]))
    noise = evidence.inflation * evidence.detection_scale  # a guessed sigma may be far too large
    seen = kernels.matched_filter(data.position, signal, data.weight, width, FILTER_REACH) / noise
    hidden = np.zeros(seen.size, dtype=np.bool_)
    for line in columns.lines[~mine]:
        if solution.intensity[line] > _SEEN_SIGMA * evidence.detection_scale * evidence.intensity_sigma[line]:
            hidden |= np.abs(data.position - solution.position[line]) < _HIDDEN_FWHM * solution.width[line]
    step = width / 8.0
    angles = np.arange(data.position[0], data.position[-1], step)
    shown = shown_places(model, solution.slots, angles)
    terms = np.ascontiguousarray(model.terms[model.phase_of == index][:, : trial.shape[1]])
    totals = [
        kernels.score_apart(
            trial,
            terms,
            model.wavelength_ang,
            float(angles[0]),
            step,
            np.interp(shown, data.position, np.where(hidden, 0.0, _favour(seen, typical)), left=0.0, right=0.0),
            _APART_FWHM * width,
        )
        for typical in _TYPICAL_SIGMAS
    ]
    weight = np.exp(np.array(totals) - np.max(totals)).sum(axis=0)
    return np.asarray(weight / weight.sum())


def _favour(seen: Floats, typical: float) -> Floats:
    """Logarithm of how much better a line explains what is seen, in units of sigma, than none does.

    The mean over all heights, which are likely before in proportion to exp(−height/typical).
    """
    less = seen - 1.0 / typical
    constant = 0.5 * math.log(2.0 * math.pi) - math.log(typical)
    return np.asarray(0.5 * less**2 + special.log_ndtr(less) + constant)


def _is_own(model: LeBailModel, evidence: Evidence, index: int, trial: Floats) -> npt.NDArray[np.bool_]:
    """Cells none of whose lines in the range lies more than a width from the solution's."""
    mine = (model.phase_of == index) & evidence.in_range
    components, _ = phase_slots(model, evidence.solution.slots, index)
    terms = model.terms[mine][:, : trial.shape[1]]
    theta = np.radians(evidence.solution.position[mine] / 2)
    # Δ2θ = tan θ Δq/q for a small change of q = 1/d²
    change = np.degrees(np.tan(theta)) * ((trial - components) @ terms.T) / (terms @ components)
    return np.asarray(np.all(np.abs(change) < _OWN_FWHM * evidence.solution.width[mine], axis=1))
