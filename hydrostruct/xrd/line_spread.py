"""What single lines do to a cell: where strangers' lines stand in a pattern, each line of a phase is left out in turn.

A stranger whose lines stand free is fitted beside the phases. One of its lines may lie under a line of the phase, too
near to be told apart, and pull the cell by many times what counting says. No misfit tells; the other lines do.

References
----------
Efron and Stein, The Annals of Statistics 9, 586 (1981), doi 10.1214/aos/1176345462: the jackknife.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.kernels import weighted_gram
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters
from hydrostruct.xrd.single_peaks import has_peaks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SEEN_SIGMA = 3.0
_FEWEST_LINES = 3
_OUT_FWHM = 1.0
_NO_WEIGHT = 1e-12
_STEPS = 8
# what the jackknife over a dozen lines of uneven weight gives, on the average, where nothing is wrong
_USUAL = 1.35


def spread_over_lines(model: LeBailModel, data: FitData, evidence: Evidence) -> Floats | None:
    """Repeat a fit without each line of each phase: the jackknife.

    Parameters
    ----------
    model, data, evidence
        What was fitted, with single peaks for the strangers, to what, and what came of it.

    Returns
    -------
    array, shape (parameters, parameters), or None
        Covariance of the cells; None when no stranger's line was fitted. Phases of fewer than three lines above three
        sigma have 0.

    Notes
    -----
    With θ₋ₖ the cell without line k, (K − 1)/K Σ (θ₋ₖ − θ̄)(θ₋ₖ − θ̄)ᵀ over K lines, over 1.35²: that is what it is, in
    units of the covariance, where there is no stranger. The points of the line are left out with it, to a width.
    """
    if not has_peaks(model):
        return None
    solution = evidence.solution
    matrix = np.zeros_like(evidence.parameter_covariance)
    least = _SEEN_SIGMA * evidence.detection_scale * evidence.intensity_sigma
    with np.errstate(invalid="ignore"):
        observed = (solution.intensity > least) & evidence.in_range
    for index in range(len(model.phases)):
        moved = cell_parameters(model, index)
        lines = np.flatnonzero(observed & (model.phase_of == index))
        if lines.size < _FEWEST_LINES or np.any(moved < 0):
            continue
        without = np.array([_without(model, data, evidence, int(line))[moved] for line in lines])
        away = without - without.mean(axis=0)
        matrix[np.ix_(moved, moved)] = (lines.size - 1) / lines.size * (away.T @ away) / _USUAL**2
    return matrix


def leave_out_lines(model: LeBailModel, data: FitData, solution: Solution, lines: Ints) -> tuple[LeBailModel, FitData]:
    """Model and data without some lines and the points within a width of them.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    lines : array of int, shape (k,)
        Their numbers.

    Returns
    -------
    model : LeBailModel
    data : FitData
        With all its points; those that are out have next to no weight.
    """
    away = np.abs(data.position[:, None] - solution.position[lines])
    weight = np.where(np.any(away < _OUT_FWHM * solution.width[lines], axis=1), _NO_WEIGHT * data.weight, data.weight)
    terms = model.terms.copy()
    terms[lines] = 0.0
    return replace(model, terms=terms), replace(data, weight=weight, gram=weighted_gram(data.basis, weight))


def _without(model: LeBailModel, data: FitData, evidence: Evidence, line: int) -> Floats:
    """Parameters of the fit without one line and its points."""
    less, rest = leave_out_lines(model, data, evidence.solution, np.array([line]))
    return solve(less, rest, evidence.solution.values, most_steps=_STEPS).values
