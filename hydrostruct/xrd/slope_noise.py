"""What the noise of weak lines pretends to know of their places, and a covariance without it.

A line of area I tells of its place in proportion to I². Of a weak line only a fitted area is known, and the mean of its
square is I² + σ²: lines that are not there seem to hold the cell as lines of one sigma would. Where all lines are weak,
sigma is too small by as much.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.line_columns import LineColumns, line_columns
from hydrostruct.xrd.model import FitData, LeBailModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PARTS = 3  # place, width and mixing of a line
_MOST_NOISE = 0.6


def without_slope_noise(
    model: LeBailModel, data: FitData, solution: Solution, *, covariance: Floats, lines: Ints, spread: Floats
) -> Floats:
    """Covariance of the free parameters, were the areas of the lines known without noise.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    covariance : array, shape (seen + terms + parameters,) squared
        As `hydrostruct.xrd.engine.covariance` gives it.
    lines : array of int, shape (k,)
        Which of the seen lines are weak, as rows of the covariance.
    spread : array, shape (k, k)
        Covariance of their areas, by the noise that the pattern has.

    Returns
    -------
    array, shape (parameters, parameters)

    Notes
    -----
    C⁻¹ = B holds the squares of fitted areas, in the mean too large by S = Σ cov(Iₖ, Iₗ) dₖᵀ W dₗ, with d the
    derivatives of the lines of unit area by the parameters, less what intensities and background take up of them. The
    normal equations that lead to the parameters have the mean A = B − S, their noise is that of B, and the covariance
    is A⁻¹ B A⁻¹. S is an estimate as well; more than 0.6 of what is known in any direction is not taken off.
    """
    n_linear = covariance.shape[0] - solution.held.size
    by_parameters = covariance[n_linear:, n_linear:]
    free = np.flatnonzero(by_parameters.diagonal() > 0)
    if free.size == 0:
        return by_parameters
    columns = line_columns(model, data.position, solution.slots)
    slopes, by_part = _slopes(model, data, columns, lines)
    left = _left_by_linear(data, columns, slopes, covariance, n_linear, free)
    pretended = by_part.T @ (left * np.kron(spread, np.ones((_PARTS, _PARTS)))) @ by_part
    known = by_parameters[np.ix_(free, free)]
    size = np.sqrt(known.diagonal())
    value, vector = np.linalg.eigh(known / np.outer(size, size))
    root = size[:, None] * vector * np.sqrt(np.maximum(value, 0.0))
    part, direction = np.linalg.eigh(root.T @ pretended[np.ix_(free, free)] @ root)
    wider = (root @ direction) / (1.0 - np.clip(part, 0.0, _MOST_NOISE))
    out = by_parameters.copy()
    out[np.ix_(free, free)] = wider @ wider.T
    return out


def _slopes(model: LeBailModel, data: FitData, columns: LineColumns, lines: Ints) -> tuple[Floats, Floats]:
    """Derivatives of weak lines of unit area by place, width and mixing, and of these by the parameters.

    Shapes (3 k, n), weighted, and (3 k, parameters).
    """
    slopes = np.zeros((_PARTS * lines.size, data.position.size))
    by_part = np.zeros((_PARTS * lines.size, len(model.parameter_names)))
    root = np.sqrt(data.weight)
    for row, number in enumerate(lines):
        window, line = columns.windows[number], columns.lines[number]
        base = model.phase_of[line] * kernels.PHASE_SLOTS
        link = np.concatenate((model.link[base : base + kernels.PHASE_SLOTS], model.link[-2:]))
        linked = np.flatnonzero(link >= 0)
        for part in range(_PARTS):
            slopes[_PARTS * row + part, window] = columns.by_line[number][part] * root[window]
            np.add.at(by_part[_PARTS * row + part], link[linked], columns.by_slot[line, linked, part])
    return slopes, by_part


def _left_by_linear(
    data: FitData, columns: LineColumns, slopes: Floats, covariance: Floats, n_linear: int, free: Ints
) -> Floats:
    """Products of the slopes, less what intensities and background take up of them, shape (3 k, 3 k)."""
    linear = np.concatenate((columns.shape.T, data.basis)) * np.sqrt(data.weight)
    across = covariance[:n_linear, n_linear + free]
    own = covariance[np.ix_(n_linear + free, n_linear + free)]
    size = np.sqrt(own.diagonal())
    taken = across / size @ np.linalg.pinv(own / np.outer(size, size), rcond=1e-12, hermitian=True) @ (across / size).T
    by_linear = slopes @ linear.T
    return np.asarray(slopes @ slopes.T - by_linear @ (covariance[:n_linear, :n_linear] - taken) @ by_linear.T)
