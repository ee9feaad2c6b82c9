"""A loss that lets single points stand apart: least squares, weighted anew until nothing moves.

Spots that no mask took away put narrow spikes on a pattern. Where one sits on the flank of a line, least squares moves
the line; a loss that grows more slowly than the square beyond some standard deviations does so much less.

References
----------
Huber and Ronchetti, Robust Statistics (2nd ed., 2009), doi 10.1002/9780470434697, section 7.6: the covariance.
Holland and Welsch, Commun. Stat. Theory Methods 6, 813 (1977), doi 10.1080/03610927708827533: reweighting.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.evidence import Evidence, weigh_evidence
from hydrostruct.xrd.kernels import scatter_scales, weighted_gram
from hydrostruct.xrd.model import FitData, LeBailModel

Floats = npt.NDArray[np.float64]

LOSSES = ("squares", "soft-l1", "cauchy")
KNEE_SIGMA = {"soft-l1": 6.0, "cauchy": 9.0}
"""Where a residual begins to count less, in standard deviations: on Gaussian noise both cost a thousandth of sigma."""
MOST_ROUNDS = 50
"""Least-squares fits until the weights must have settled."""
STILL = 1e-3
"""Weights that change by no more than this part have settled."""
_LEAST_SCALE = 1e-6


def robust_fit(
    model: LeBailModel, data: FitData, solution: Solution, *, loss: str, most_inflation: float = math.inf
) -> tuple[Solution, FitData, Evidence]:
    """Fit again with a loss that grows more slowly than the square.

    Parameters
    ----------
    model, data, solution
        What was fitted by least squares, to what, and where it came to rest.
    loss : {"soft-l1", "cauchy"}
        The loss.
    most_inflation : float
        As in `hydrostruct.xrd.evidence.weigh_evidence`.

    Returns
    -------
    solution : Solution
        Where the fit of that loss comes to rest; not converged when the weights did not settle.
    data : FitData
        With the weights that belong to it.
    evidence : Evidence
        Its uncertainties; its R factors count a point as far as the loss does.

    Notes
    -----
    With z = (y − c)/(s sigma) and s the median scatter of the residuals (median of |z| over 0.6745), the loss is
    2k²(√(1 + z²/k²) − 1) (soft-l1) or k² log(1 + z²/k²) (cauchy), k = 6 or 9; each round is least squares with the
    weights f/sigma², f = (1 + z²/k²)^(−1/2) or (1 + z²/k²)^(−1). The covariance is Huber's: (JᵀWfJ)⁻¹ of those weights,
    times s² ⟨ψ²⟩⟨f⟩/⟨ψ′⟩², ψ = zf, so that a spot makes no sigma of the others larger than what it does to them. On
    Gaussian noise the fit is within some hundredths of a sigma of least squares. Spots all on one side of the lines
    still move the cell, by less, and no sigma knows of it.
    """
    factor = np.ones(data.weight.size)
    weighted, steps, settled = data, solution.steps, False
    for _ in range(MOST_ROUNDS):
        fresh = loss_factor(data, solution.residual, loss=loss)
        settled = bool(np.max(np.abs(fresh - factor)) < STILL)
        if settled:
            break
        factor = fresh
        weighted = with_factor(data, factor)
        solution = solve(model, weighted, solution.values)
        steps += solution.steps
    solution = replace(solution, converged=solution.converged and settled, steps=steps)
    counted = replace(solution, residual=counted_residual(data, solution.residual, factor, loss=loss))
    evidence = weigh_evidence(model, weighted, counted, most_inflation=most_inflation)
    return solution, weighted, replace(evidence, solution=solution)


def loss_factor(data: FitData, residual: Floats, *, loss: str) -> Floats:
    """What a loss multiplies the weights of the points with, at their residuals.

    Parameters
    ----------
    data : FitData
        With the weights of its sigma.
    residual : array, shape (n,)
        Measured less calculated.
    loss : {"squares", "soft-l1", "cauchy"}
        The loss.

    Returns
    -------
    array, shape (n,)
        Above 0, at most 1.
    """
    if loss == "squares":
        return np.ones(residual.size)
    u = _standard(data, residual, loss)
    return np.asarray(1.0 / np.sqrt(1.0 + u * u) if loss == "soft-l1" else 1.0 / (1.0 + u * u))


def with_factor(data: FitData, factor: Floats) -> FitData:
    """The same data with its weights multiplied, point by point."""
    weight = data.weight * factor
    return replace(data, weight=weight, gram=weighted_gram(data.basis, weight))


def counted_residual(data: FitData, residual: Floats, factor: Floats, *, loss: str) -> Floats:
    """Residuals whose weighted squares, under the weights of the fit, make its covariance Huber's.

    Parameters
    ----------
    data, residual, loss
        As for `loss_factor`.
    factor : array, shape (n,)
        What the weights of the fit were multiplied with.

    Returns
    -------
    array, shape (n,)
    """
    if loss == "squares":
        return residual
    slope = max(float(np.mean(_influence_slope(_standard(data, residual, loss), loss))), 0.1)
    return np.asarray(residual * np.sqrt(factor * np.mean(factor)) / slope)


def _standard(data: FitData, residual: Floats, loss: str) -> Floats:
    """Residuals over sigma in units of the knee of a loss."""
    scale = max(float(scatter_scales(data.intensity, data.weight, residual)[1]), _LEAST_SCALE)
    return np.asarray(residual * np.sqrt(data.weight) / (KNEE_SIGMA[loss] * scale))


def _influence_slope(u: Floats, loss: str) -> Floats:
    """Derivative of ψ, what a point does to the fit, by its residual."""
    square = 1.0 + u * u
    return np.asarray(square**-1.5 if loss == "soft-l1" else (1.0 - u * u) / square**2)
