"""Other answers that explain a pattern as well: other cells, and other phases with the same cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import cell_array
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.foreign import capped_chi2, residual_scale
from hydrostruct.xrd.kernels import CELL_SLOTS
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.same_lattice import is_same_lattice, solution_cell

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EQUAL_CHI2 = 9.0
"""Solutions whose χ² differ by no more, in units of what is left, fit as well as each other."""
_APART = 1e-3
_NEAR_START = 0.02  # what a start may be off by, and is
_SEEN_SIGMA = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """Another answer."""

    words: str
    """What it is, as a whole sentence."""
    concerns: Bools
    """Phases of which it says something else, shape (phases,)."""


def other_cells(
    model: LeBailModel, tried: Sequence[tuple[Solution, FitData]], best: tuple[Solution, FitData]
) -> tuple[Alternative, ...]:
    """Solutions with cells more than 0.1 % away that explain as much within the noise.

    Parameters
    ----------
    model : LeBailModel
        The phases.
    tried : sequence of (Solution, FitData)
        All solutions.
    best : (Solution, FitData)
        The one that was taken.

    Returns
    -------
    tuple of Alternative
    """
    scale = residual_scale(*best)
    least = capped_chi2(*best, scale=scale)
    noise = max(1.0, least / max(1, best[1].position.size - len(best[1].basis)))
    own = _cells(model, best[0])
    known, found = [own], []
    for other, data in tried:
        cells = _cells(model, other)
        if not other.converged or is_same_lattice(model, other, best[0]):
            continue
        if any(np.max(np.abs(cells / one - 1.0)) < _APART for one in known):
            continue
        if capped_chi2(other, data, scale=scale) - least < EQUAL_CHI2 * noise:
            known.append(cells)
            concerns = np.max(np.abs(cells / own - 1.0), axis=1) >= _APART
            found.append(Alternative(words=_described(model, other), concerns=concerns))
    return tuple(found)


def other_names(model: LeBailModel, evidence: Evidence, absent: Bools) -> tuple[Alternative, ...]:
    """Phases that were found absent beside another, all of whose lines they would have with the same cell.

    Parameters
    ----------
    model : LeBailModel
        The phases; all lines of all of them, also of those that are absent.
    evidence : Evidence
        What was found.
    absent : array of bool, shape (phases,)
        Phases that are not there.

    Returns
    -------
    tuple of Alternative
        Where the start of the absent phase is within 2 % of that cell. Intensities are free: nothing but the start
        tells the two apart.
    """
    found = []
    for missing in np.flatnonzero(absent):
        for taken in np.flatnonzero(~absent):
            if not _has_all_lines(model, evidence, int(missing), int(taken)):
                continue
            cell = cell_array(solution_cell(model, evidence.solution, int(taken)))
            if np.max(np.abs(cell / cell_array(model.start_cells[missing]) - 1.0)) < _NEAR_START:
                names = [model.phases[index].name for index in (missing, taken)]
                concerns = np.zeros(len(model.phases), dtype=np.bool_)
                concerns[[missing, taken]] = True
                words = f"{names[0]} in place of {names[1]}, with the same cell: the lines do not tell which it is."
                found.append(Alternative(words=words, concerns=concerns))
    return tuple(found)


def _has_all_lines(model: LeBailModel, evidence: Evidence, missing: int, taken: int) -> bool:
    if model.phases[missing].system is not model.phases[taken].system:
        return False
    with np.errstate(invalid="ignore"):
        seen = evidence.solution.intensity > _SEEN_SIGMA * evidence.detection_scale * evidence.intensity_sigma
    mine = model.terms[(model.phase_of == taken) & seen & evidence.in_range, :CELL_SLOTS]
    theirs = {tuple(row) for row in model.terms[model.phase_of == missing, :CELL_SLOTS].tolist()}
    return len(mine) > 0 and all(tuple(row) in theirs for row in mine.tolist())


def _cells(model: LeBailModel, solution: Solution) -> Floats:
    return np.array([cell_array(solution_cell(model, solution, index)) for index in range(len(model.phases))])


def _described(model: LeBailModel, solution: Solution) -> str:
    parts = []
    for index, phase in enumerate(model.phases):
        cell = solution_cell(model, solution, index)
        parts.append(f"{phase.name} a {cell.a_ang:.4f}, b {cell.b_ang:.4f}, c {cell.c_ang:.4f} Å")
    return "; ".join(parts) + "."
