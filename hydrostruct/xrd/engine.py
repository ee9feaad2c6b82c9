"""One least-squares fit from one start: prepared data and a model in, numbers out.

This is the seam between the records of a fit and the compiled loops: everything here is arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.agreement import serial_factor
from hydrostruct.xrd.first_look import line_width, noise_scale
from hydrostruct.xrd.model import MARGIN_FWHM, REACH_FWHM, FitData, LeBailModel, hold, with_terms

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_STEPS = 60
_TOLERANCE = 1e-4
# a step that moves a line by more than this part of its width
_FAR = 0.2
_START_TERMS = 12
_FEWEST_TERMS = 2
_COST_OF_A_TERM = 2.0
# width parameters that wait until the lines have arrived
_LATE = ("u", "v", "p", "strain_oblique", "strain_diagonal")
# part of the widest that a line may be
_WIDE = 0.6


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """Where one least-squares fit came to rest."""

    converged: bool
    """Whether the next step would move nothing by more than a few thousandths of its uncertainty."""
    steps: int
    """Trial steps taken."""
    chi2: float
    """Weighted sum of squares."""
    values: Floats
    """Free parameters."""
    slots: Floats
    """Every slot, the fixed ones included."""
    intensity: Floats
    """Area of each line; NaN where the data cannot see it."""
    background: Floats
    """Chebyshev coefficients."""
    residual: Floats
    """Measured less calculated at the points of the fit."""
    held: npt.NDArray[np.bool_]
    """Parameters that rest on a limit."""
    position: Floats
    """Position of each line, in degrees."""
    width: Floats
    """Full width at half maximum of each line, in degrees."""
    equations: tuple[Any, ...] | None = None
    """What the loops know of the minimum, for its covariance; None when the solution was not found by them."""


def solve(
    model: LeBailModel, data: FitData, values: Floats, *, most_steps: int = MOST_STEPS, widths_are_known: bool = False
) -> Solution:
    """Fit from a start.

    Parameters
    ----------
    model : LeBailModel
        Lines, slots and limits.
    data : FitData
        The pattern.
    values : array, shape (parameters,)
        The start.
    most_steps : int
        Trial steps; with 0 the start itself is the solution, its intensities and background fitted.
    widths_are_known : bool
        Whether the start has the widths of a pattern like this one: they then stay until the cells have arrived.

    Returns
    -------
    Solution
    """
    answer = np.minimum(np.maximum(values, model.lowest), model.highest)
    slots = model.slots.copy()  # the loops fill them
    status, steps, chi2, intensity, background, residual, held, position, width, equations = kernels.least_chi2(
        data.position,
        data.intensity,
        data.weight,
        data.basis,
        data.gram,
        model.beam,
        model.phase_of,
        model.terms,
        slots,
        model.link,
        answer,
        model.lowest,
        model.highest,
        REACH_FWHM,
        MARGIN_FWHM,
        most_steps,
        _TOLERANCE,
        _FAR if widths_are_known else math.inf,
    )
    return Solution(
        converged=status == kernels.CONVERGED,
        steps=steps,
        chi2=chi2,
        values=answer,
        slots=slots,
        intensity=intensity,
        background=background,
        residual=residual,
        held=held,
        position=position,
        width=width,
        equations=equations,
    )


def linear_chi2(model: LeBailModel, data: FitData, slots: Floats) -> tuple[float, Floats, Floats]:
    """Best intensities and background at given cells and widths.

    Parameters
    ----------
    model, data
        As for `solve`.
    slots : array
        Cells, widths, zero and displacement.

    Returns
    -------
    chi2 : float
    intensity : array, shape (lines,)
    gains : array, shape (terms,)
        Square roots of what each background term, one after the other, takes off chi².
    """
    chi2, intensity, gains = kernels.linear_fit(
        data.position,
        data.intensity,
        data.weight,
        data.basis,
        data.gram,
        model.beam,
        model.phase_of,
        model.terms,
        slots,
        REACH_FWHM,
        MARGIN_FWHM,
    )
    return chi2, intensity, gains


def covariance(model: LeBailModel, data: FitData, solution: Solution) -> tuple[Ints, Floats]:
    """Covariance of everything that was fitted.

    Returns
    -------
    lines : array of int, shape (seen,)
        The lines that the data can see.
    covariance : array, shape (seen + terms + parameters,) squared
        Of their intensities, the background and the free parameters, in this order; unscaled.
    """
    equations = solution.equations or kernels.equations_at(
        data.position,
        data.intensity,
        data.weight,
        data.basis,
        data.gram,
        model.beam,
        model.phase_of,
        model.terms,
        solution.slots,
        model.link,
        solution.held.size,
        REACH_FWHM,
        MARGIN_FWHM,
    )
    seen, matrix = kernels.covariance_of(equations, len(data.basis), solution.held)
    return seen, matrix


def start_values(model: LeBailModel, data: FitData) -> Floats:
    """The model's start with widths that suit the data, where widths are free and none was given.

    Parameters
    ----------
    model : LeBailModel
        Gives cells and limits.
    data : FitData
        Its strongest lines tell the width.

    Returns
    -------
    array, shape (parameters,)
    """
    if any(model.start[index] > 0 for index in _width_parameters(model)):
        return model.start.copy()
    return with_widths(model, model.start, line_width(data))


def with_widths(model: LeBailModel, values: Floats, width_deg: float) -> Floats:
    """Values of the free parameters with the widths set to one full width at half maximum, in degrees."""
    out = values.copy()
    for index in _width_parameters(model):
        name = model.parameter_names[index]
        out[index] = (0.8 * width_deg) ** 2 if name.startswith("w") else 0.3 * width_deg if name[0:2] == "si" else 0.0
    return out


def limit_widths(model: LeBailModel, width_deg: float) -> LeBailModel:
    """The model with the widths held below three times that of a typical line, so that none becomes background.

    Parameters
    ----------
    model : LeBailModel
        What is fitted.
    width_deg : float
        Full width at half maximum of the narrower lines of the pattern, in degrees.

    Returns
    -------
    LeBailModel
        Widths given by the user stay within reach whatever the pattern looks like.
    """
    highest = model.highest.copy()
    widest = 3.0 * width_deg
    tangent = np.tan(np.radians(0.25 * float(np.nanmax(_angles(model)))))
    for index in _width_parameters(model):
        name = model.parameter_names[index]
        limit = widest**2 if name.startswith("w") else widest if name.startswith("size") else widest / tangent
        highest[index] = min(model.highest[index], max(limit, 3.0 * model.start[index]))
    return replace(model, highest=highest)


def _angles(model: LeBailModel) -> Floats:
    """Bragg angles of the lines at the start, in degrees."""
    components = model.slots[:-2].reshape(-1, kernels.PHASE_SLOTS)[:, : kernels.CELL_SLOTS]
    squares = np.einsum("lc,lc->l", model.terms[:, : kernels.CELL_SLOTS], components[model.phase_of])
    sine = 0.5 * model.wavelength_ang * np.sqrt(np.maximum(squares, 0.0))
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(sine, 1.0))))


def _width_parameters(model: LeBailModel) -> list[int]:
    names = model.parameter_names
    return [
        i for i, name in enumerate(names) if name == "w" or name.startswith(("w:", "size:", "strain:", "strain_axis:"))
    ]


def choose_terms(model: LeBailModel, data: FitData, solution: Solution) -> int:
    """How many background terms the data ask for: least criterion of Akaike.

    The Bayesian one stops earlier, where each term that is missing is worth up to 2.7 sigma; weak lines were then 0.15
    sigma too low on 2000 points. The noise is the scatter from point to point, whatever sigma says, times the serial
    correlation of the residuals, so that a wrong peak shape buys fewer terms.
    """
    chi2, _, gains = linear_chi2(model, data, solution.slots)
    noise = noise_scale(data) ** 2 * serial_factor(solution.residual * np.sqrt(data.weight))
    after = chi2 + np.concatenate((np.cumsum(gains[::-1] ** 2)[::-1][1:], [0.0]))
    score = after / noise + _COST_OF_A_TERM * np.arange(1, len(gains) + 1)
    return max(_FEWEST_TERMS, int(np.argmin(score)) + 1)


def fit_with_background(
    model: LeBailModel, data: FitData, values: Floats, *, terms: int | None, widths_are_known: bool = False
) -> tuple[Solution, FitData]:
    """Fit from a start with a given number of background terms, or with as many as the data ask for.

    Parameters
    ----------
    model, data, values
        As for `solve`; the data with the longest background.
    terms : int or None
        Background terms; None to let the data choose.
    widths_are_known : bool
        As for `solve`.

    Returns
    -------
    solution : Solution
    data : FitData
        With the background terms that were used.
    """
    used = with_terms(data, terms if terms is not None else min(_START_TERMS, len(data.basis)))
    if not widths_are_known:
        values = _arrived(model, used, values)
    solution = solve(model, used, values, widths_are_known=widths_are_known)
    if terms is not None:
        return solution, used
    if _lines_are_background(model, solution):
        start = solve(model, data, values, most_steps=0)
        used = with_terms(data, max(len(used.basis), choose_terms(model, data, start)))
        solution = solve(model, used, values)
    for _ in range(2):
        count = choose_terms(model, data, solution)
        if count == len(used.basis):
            break
        used = with_terms(data, count)
        solution = solve(model, used, solution.values)
    return solution, used


def _arrived(model: LeBailModel, data: FitData, values: Floats) -> Floats:
    """Values from a fit without the terms by which widths follow the angle and the direction.

    Lines beside their peaks drive them off.
    """
    late = np.array([name.partition(":")[0] in _LATE for name in model.parameter_names])
    return solve(hold(model, values, late), data, values).values if np.any(late) else values


def _lines_are_background(model: LeBailModel, solution: Solution) -> bool:
    """Whether lines grew towards the widest that they may be: they then stand for background terms that are missing."""
    return any(solution.values[index] > _WIDE * model.highest[index] for index in _width_parameters(model))
