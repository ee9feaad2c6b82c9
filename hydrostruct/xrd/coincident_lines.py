"""Lines of phases that all but coincide: cells that come to rest there, and what such lines say of a cell.

Of two lines a fraction of their width apart the intensities are known badly, one against the other, and the place of
both together is what the two make of it: a little more of one and less of the other moves it. At the coincidence itself
no intensities move it, and the cell seems held by the place of a strong line; a little beside it the cell is as free as
the other lines leave it. So chi² has a minimum of its own there, and its curvature promises too much. c/a = 1.5 of a
hexagonal phase, where 002 meets 101, 200 meets 103 and 201 meets 112, is such a place, and CeH9 at 100 GPa is near it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.asked_terms import chi2_unit
from hydrostruct.xrd.engine import Solution, covariance, solve
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.line_columns import place_slopes
from hydrostruct.xrd.line_spread import leave_out_lines
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.profile import CORE_FWHM, TYPICAL_MIXING

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CLOSE_FWHM = 0.25
_MUCH = 0.5  # of what is known of the place of both, by these two themselves
_MANY_LINES = 40  # that a phase has: no two of them hold its cell
_FAR_SIGMA, _WITHIN_SIGMA = 2.0, 4.0
_LEAST_LEFT = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pairs:
    """Lines that all but coincide and matter to a cell."""

    lines: Ints
    """Their numbers, shape (pairs, 2)."""
    gap_deg: Floats
    """Place of the second less that of the first, in degrees, shape (pairs,)."""
    slopes: Floats
    """Its derivatives by the free parameters, shape (pairs, parameters)."""


def off_coincidence(found: Explained) -> Explained:
    """The solution where the other lines of a pattern want the cell, if it is better than that at a coincidence.

    Parameters
    ----------
    found : Explained
        Where a fit came to rest.

    Returns
    -------
    Explained
        The same where no lines coincide, or where no other is better. The fit is repeated without the lines, and from
        there, and from two standard deviations of their distance on each side of it, with them.
    """
    model, data, solution = found.model, found.data, found.solution
    if not solution.converged or solution.equations is None or not _close_lines(model, solution).size:
        return found
    count = solution.values.size
    moved = ~solution.held
    parameters = np.zeros((count, count))
    parameters[np.ix_(moved, moved)] = np.linalg.pinv(solution.equations[-1][np.ix_(moved, moved)], hermitian=True)
    pairs = _pairs_that_matter(model, data, solution, parameters)
    if pairs is None:
        return found
    less, rest = leave_out_lines(model, data, solution, np.unique(pairs.lines))
    alone = solve(less, rest, solution.values)
    _, matrix = covariance(less, rest, alone)
    free = matrix[-count:, -count:]
    starts = [alone.values]
    for slope in pairs.slopes:
        size = np.sqrt(max(float(slope @ free @ slope), 0.0))
        away = _FAR_SIGMA * (free @ slope) / size if size > 0 else np.zeros(count)
        starts += [alone.values + away, alone.values - away]
    others = [solve(model, data, start) for start in starts if np.all(np.isfinite(start))]
    best = min((one for one in others if one.converged), key=lambda one: one.chi2, default=solution)
    return replace(found, solution=best) if best.chi2 < solution.chi2 - chi2_unit(solution, data) else found


def spread_at_coincidence(model: LeBailModel, data: FitData, evidence: Evidence) -> Floats | None:
    """Covariance of the parameters without lines that the other lines cannot tell apart.

    Parameters
    ----------
    model, data, evidence
        What was fitted, to what, and what came of it.

    Returns
    -------
    array, shape (parameters, parameters), or None
        Scaled; None where there are no two such lines. Two lines of phases are left out, with the points within a
        width of them, where they are closer than a quarter of their width, half or more of what is known of
        their place comes from them, and their distance is less than two standard deviations of what the other lines
        say of it.
    """
    solution, inflation = evidence.solution, evidence.inflation
    pairs = _pairs_that_matter(model, data, solution, evidence.parameter_covariance)
    if pairs is None:
        return None
    doubtful = np.zeros(len(pairs.lines), dtype=np.bool_)
    for row, slope in enumerate(pairs.slopes):
        by_others = slope @ _without(model, data, solution, pairs.lines[row]) @ slope
        doubtful[row] = abs(pairs.gap_deg[row]) < _FAR_SIGMA * inflation * np.sqrt(max(by_others, 0.0))
    if not np.any(doubtful):
        return None
    return _without(model, data, solution, np.unique(pairs.lines[doubtful])) * inflation**2


def _close_lines(model: LeBailModel, solution: Solution) -> Ints:
    """Neighbours closer than a part of their width, one of them at least of a phase of few lines, shape (pairs, 2)."""
    pairs = kernels.close_lines(
        solution.position, solution.width, solution.intensity, model.phase_of, len(model.phases), _CLOSE_FWHM
    )
    if not len(pairs):
        return np.asarray(pairs)
    many = np.bincount(model.phase_of[np.isfinite(solution.intensity)], minlength=len(model.phases)) > _MANY_LINES
    return np.asarray(pairs[~many[model.phase_of[pairs]].all(axis=1)])


def _pairs_that_matter(model: LeBailModel, data: FitData, solution: Solution, parameters: Floats) -> _Pairs | None:
    """Close lines that say much of what is known of their place, and that the others hardly tell apart.

    ``parameters`` is the unscaled covariance of the free parameters.
    """
    lines = _close_lines(model, solution)
    if not lines.size:
        return None
    first, second = (place_slopes(model, solution.slots, np.ascontiguousarray(lines[:, side])) for side in (0, 1))
    both, apart = 0.5 * (first + second), second - first
    size = _curvature(data, solution, lines)
    towards = both @ parameters
    known = np.einsum("kp,kp->k", towards, both) * size
    # without what a pair says of its place the covariance is larger by so much (Sherman and Morrison)
    more = size / np.maximum(1.0 - known, _LEAST_LEFT) * np.einsum("kp,kp->k", towards, apart) ** 2
    by_others = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", apart, parameters, apart) + more, 0.0))
    gap = solution.position[lines[:, 1]] - solution.position[lines[:, 0]]
    matter = (known > _MUCH) & (np.abs(gap) < _WITHIN_SIGMA * by_others)
    if not np.any(matter):
        return None
    return _Pairs(lines=lines[matter], gap_deg=gap[matter], slopes=apart[matter])


def _curvature(data: FitData, solution: Solution, pairs: Ints) -> Floats:
    """Curvature of half chi² along the place of each pair of lines, taken as one, shape (pairs,)."""
    together = solution.intensity.copy()
    together[pairs[:, 0]] += solution.intensity[pairs[:, 1]]
    _, size = kernels.place_pulls(
        data.position,
        data.weight,
        solution.residual,
        np.ascontiguousarray(pairs[:, 0]),
        solution.position,
        solution.width,
        together,
        TYPICAL_MIXING,
        CORE_FWHM,
    )
    return np.asarray(size)


def _without(model: LeBailModel, data: FitData, solution: Solution, lines: Ints) -> Floats:
    """Covariance of the free parameters, unscaled, without some lines and the points about them."""
    less, rest = leave_out_lines(model, data, solution, lines)
    _, matrix = covariance(less, rest, replace(solution, equations=None))
    count = solution.values.size
    return np.asarray(matrix[-count:, -count:])
