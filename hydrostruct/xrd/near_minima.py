"""Minima of χ² beside the one in which a fit of weak lines came to rest: three axes or more have many.

Each weak line holds little, and a cell one of whose axes is off by the width of a line finds others by chance. χ² of
the right one is lower by some tens, or by nothing: neither misfit nor curvature shows it. From where the fit came to
rest each axis is moved by a width to each side, and the fit repeated: the deepest is taken, and sigma covers those that
the data leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.asked_terms import chi2_unit
from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.foreign import Explained, rests_free
from hydrostruct.xrd.line_columns import place_slopes
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters

Floats = npt.NDArray[np.float64]

_MANY_FREE = 3
_STRONG_SIGMA, _LINES_A_NUMBER = 10.0, 4
_APART_SIGMA = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class NearMinima:
    """What the minima beside a solution leave open."""

    parameter_covariance: Floats
    """Squares of how far they lie from the solution, times their probabilities, shape (parameters, parameters)."""
    probability: Floats
    """That of the solution's own cell of each phase, shape (phases,)."""


def loose_phases(model: LeBailModel, evidence: Evidence) -> list[int]:
    """Phases with three free cell numbers or more, and fewer than four lines of ten sigma for each of them."""
    loose = []
    with np.errstate(invalid="ignore"):
        strong = evidence.solution.intensity > _STRONG_SIGMA * evidence.detection_scale * evidence.intensity_sigma
    for index in range(len(model.phases)):
        moved = cell_parameters(model, index)
        many = int(np.count_nonzero(moved >= 0))
        mine = (model.phase_of == index) & evidence.in_range
        if many >= _MANY_FREE and np.count_nonzero(strong & mine) < _LINES_A_NUMBER * many:
            loose.append(index)
    return loose


def near_minima(model: LeBailModel, data: FitData, evidence: Evidence, phases: Sequence[int]) -> list[Solution]:
    """Other minima that are reached when an axis of a phase is moved by the width of a line.

    Parameters
    ----------
    model, data, evidence
        What was fitted, to what, and what came of it.
    phases : sequence of int
        From `loose_phases`.

    Returns
    -------
    list of Solution
        At rest, each in a minimum of its own: more than a sigma from the solution, and from each other, in a number of
        the cell.
    """
    here = evidence.solution
    sigma = _sigmas(evidence)
    found: list[Solution] = []
    for index in phases:
        moved = cell_parameters(model, index)
        moved = moved[moved >= 0]
        mine = np.flatnonzero((model.phase_of == index) & evidence.in_range)
        reach = np.abs(place_slopes(model, here.slots, mine)[:, moved])
        for parameter, slopes in zip(moved, reach.T, strict=True):
            if not np.any(slopes > 0):
                continue
            step = float(np.median(here.width[mine][slopes > 0] / slopes[slopes > 0]))
            for sign in (-1.0, 1.0):
                start = here.values.copy()
                start[parameter] = np.clip(
                    start[parameter] + sign * step, model.lowest[parameter], model.highest[parameter]
                )
                one = solve(model, data, start)
                known = [here.values[moved], *(other.values[moved] for other in found)]
                if _is_sound(model, data, one) and all(
                    np.any(np.abs(one.values[moved] - values) > _APART_SIGMA * sigma[moved]) for values in known
                ):
                    found.append(one)
    return found


def weigh_minima(model: LeBailModel, data: FitData, evidence: Evidence, others: Sequence[Solution]) -> NearMinima:
    """How likely each minimum is, exp(−Δχ²/2) in units of what is left, and what that leaves open.

    Parameters
    ----------
    model, data, evidence
        What was fitted, to what, and what came of it.
    others : sequence of Solution
        From `near_minima`.

    Returns
    -------
    NearMinima
        A phase's own cell is that of all minima that have it within a sigma.
    """
    here = evidence.solution
    chi2 = np.array([here.chi2, *(one.chi2 for one in others)])
    weight = np.exp(-0.5 * np.minimum((chi2 - chi2.min()) / chi2_unit(here, data), 700.0))
    weight /= weight.sum()
    away = np.array([one.values - here.values for one in others]).reshape(len(others), here.values.size)
    is_apart = np.abs(away) > _APART_SIGMA * _sigmas(evidence)
    probability = np.ones(len(model.phases))
    for index in range(len(model.phases)):
        moved = cell_parameters(model, index)
        probability[index] -= weight[1:][np.any(is_apart[:, moved[moved >= 0]], axis=1)].sum()
    return NearMinima(parameter_covariance=(away * weight[1:, None]).T @ away, probability=probability)


def _sigmas(evidence: Evidence) -> Floats:
    return np.asarray(np.sqrt(np.maximum(np.diag(evidence.parameter_covariance), 0.0)) * evidence.inflation)


def _is_sound(model: LeBailModel, data: FitData, solution: Solution) -> bool:
    is_finite = bool(np.all(np.isfinite(solution.values)) and np.isfinite(solution.chi2))
    return is_finite and rests_free(Explained(model=model, solution=solution, data=data))
