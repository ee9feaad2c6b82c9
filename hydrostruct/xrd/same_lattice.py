"""Two cells that are one lattice: the same axes in another order.

Where the absences of a space group do not tell its axes apart, as in P2₁2₁2₁, an orthorhombic cell has six names. The
one next to the start is meant.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import Cell, CrystalSystem, cell_array, cell_from_components
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.model import LeBailModel, phase_slots

Floats = npt.NDArray[np.float64]

_ALIKE = 1e-3


def solution_cell(model: LeBailModel, solution: Solution, index: int) -> Cell:
    """Fitted cell of one phase."""
    components, _ = phase_slots(model, solution.slots, index)
    return cell_from_components(components, model.phases[index].system)


def is_same_lattice(model: LeBailModel, one: Solution, other: Solution) -> bool:
    """Whether two solutions have the same lattice in every phase, the order of orthorhombic axes apart.

    Parameters
    ----------
    model : LeBailModel
        The phases.
    one, other : Solution
        Of fits of this model.

    Returns
    -------
    bool
        True where axes agree to 0.1 % and angles to as much.
    """
    return all(
        np.max(np.abs(_sorted_cell(model, one, index) / _sorted_cell(model, other, index) - 1.0)) < _ALIKE
        for index in range(len(model.phases))
    )


def distance_from_start(model: LeBailModel, solution: Solution) -> float:
    """Largest relative distance of an axis or angle of any phase from where it started."""
    return max(phase_distance(model, solution, index) for index in range(len(model.phases)))


def phase_distance(model: LeBailModel, solution: Solution, index: int) -> float:
    """Largest relative distance of an axis or angle of one phase from where it started."""
    start = cell_array(model.start_cells[index])
    return float(np.max(np.abs(cell_array(solution_cell(model, solution, index)) / start - 1.0)))


def _sorted_cell(model: LeBailModel, solution: Solution, index: int) -> Floats:
    cell = cell_array(solution_cell(model, solution, index))
    if model.phases[index].system is CrystalSystem.ORTHORHOMBIC:
        cell[:3] = np.sort(cell[:3])
    return cell
