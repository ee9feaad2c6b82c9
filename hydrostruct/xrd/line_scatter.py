"""Lines that lie beside the places that their cell gives them by more than chance: what that does to the cell.

A spotty ring, or a profile that the model does not have, moves each line of a pattern by an amount of its own. The
points know nothing of it: to them thousands agree, where no more than a dozen lines do.

References
----------
DerSimonian and Laird, Controlled Clinical Trials 7, 177 (1986), doi 10.1016/0197-2456(86)90046-2: the moment estimate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from hydrostruct.xrd import kernels
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.single_peaks import own_lines

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHANCE = 0.02
"""Shifts that are no less likely than this are taken for noise."""
_STRONG_SIGMA = 10.0
_CORE_FWHM = 1.5
_MIXING = 0.4
_LEAST_LEFT = 0.02
_FEWEST = 3


def scatter_covariance(
    model: LeBailModel, data: FitData, solution: Solution, *, intensity_sigma: Floats, covariance: Floats, noise: float
) -> Floats | None:
    """Covariance of the free parameters from lines that scatter about their places.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    intensity_sigma : array, shape (lines,)
        Uncertainty of the area of each line; those ten times above theirs are looked at.
    covariance : array, shape (parameters, parameters)
        Of the free parameters, unscaled.
    noise : float
        Standard deviation of the residuals over sigma.

    Returns
    -------
    array, shape (parameters, parameters), or None
        To be added; None where the lines lie as well as noise lets them.

    Notes
    -----
    With s the slope of the residuals along the place of a line and m its square sum, both weighted, a line is off by
    s/m ± noise/√m. Q = Σ s²/(m noise²) has a χ² distribution of as many degrees of freedom as there are lines less
    cell parameters and shifts, n. Where it is too large for chance, the variance of the places is
    τ² = (Q − n) noise² / (tr M − tr[(JᵀMJ)⁻¹ JᵀM²J]), and τ² C JᵀM²J C that of the parameters, J the slopes of the
    places by them and M = diag(m): what the cell follows of the scatter is not left in Q.
    """
    with np.errstate(invalid="ignore"):
        strong = np.flatnonzero(own_lines(model) & (solution.intensity > _STRONG_SIGMA * intensity_sigma))
    free = sum(name.startswith(("cell:", "zero", "displacement")) for name in model.parameter_names)
    degrees = strong.size - min(free, 2 * strong.size)
    if degrees < _FEWEST or not noise > 0:
        return None
    slope, size = kernels.place_pulls(
        data.position,
        data.weight,
        solution.residual,
        strong,
        solution.position,
        solution.width,
        solution.intensity,
        _MIXING,
        _CORE_FWHM,
    )
    seen = size > 0
    degrees -= int(np.sum(~seen))
    total = float(np.sum(slope[seen] ** 2 / size[seen])) / noise**2
    if degrees < _FEWEST or special.gammaincc(0.5 * degrees, 0.5 * total) > CHANCE:
        return None
    places = _place_slopes(model, data, solution, strong[seen])
    weighted = places * size[seen][:, None]
    taken = np.trace(np.linalg.pinv(places.T @ weighted, rcond=1e-10, hermitian=True) @ (weighted.T @ weighted))
    left = max(float(np.sum(size[seen]) - taken), _LEAST_LEFT * float(np.sum(size[seen])))
    variance = (total - degrees) * noise**2 / left
    pull = covariance @ weighted.T
    return np.asarray(variance * pull @ pull.T)


def _place_slopes(model: LeBailModel, data: FitData, solution: Solution, lines: Ints) -> Floats:
    """Derivatives of the places of lines by the free parameters, shape (lines, parameters)."""
    by_slot = line_columns(model, data.position, solution.slots).by_slot[lines, :, 0]
    per_phase = by_slot.shape[1] - 2
    out = np.zeros((lines.size, len(model.parameter_names)))
    for row, line in enumerate(lines):
        base = model.phase_of[line] * per_phase
        link = np.concatenate((model.link[base : base + per_phase], model.link[-2:]))
        np.add.at(out[row], link[link >= 0], by_slot[row, link >= 0])
    return out
