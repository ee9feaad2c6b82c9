"""The least-squares problem of one curve or of a series: parameters → residuals, backgrounds eliminated.

A curve is background × shape; the background is a polynomial in V/V_max, linear in its coefficients, which have one
best value at given shape: they are eliminated (variable projection; Golub and Pereyra, 10.1137/0710036; Kaufman,
10.1007/BF01932995), and so marginalised in every uncertainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.curve import ConductanceCurve, point_sigma
from hydrostruct.andreev.models import Model
from hydrostruct.numerics.least_squares import LeastSquares, fit_least_squares, serial_factor

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Shapes = list[tuple[Floats, Floats]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FitData:
    """One curve, ready to be fitted."""

    bias_mv: Floats
    """Bias, in mV, shape (n,)."""
    observed: Floats
    """dI/dV over sigma, shape (n,)."""
    sigma: Floats
    """Standard uncertainty, shape (n,)."""
    terms: Floats
    """Terms of the background, shape (n, degree + 1)."""
    temperature_k: float
    """Temperature, in K."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Curves, the model, and which parameter of the whole fills which place of each curve."""

    curves: tuple[FitData, ...]
    """The data."""
    model: Model
    """The shape."""
    places: Integers
    """For each curve, the index of each of the model's parameters in the whole, shape (curves, parameters)."""


def fit_data(curve: ConductanceCurve, degree: int) -> FitData:
    """A curve ready to be fitted, its background of a degree.

    Parameters
    ----------
    curve : ConductanceCurve
        With a temperature.
    degree : int
        Degree of the background.

    Returns
    -------
    FitData
    """
    sigma = point_sigma(curve)
    scaled = curve.bias_mv / float(np.max(np.abs(curve.bias_mv)))
    return FitData(
        bias_mv=curve.bias_mv,
        observed=curve.conductance / sigma,
        sigma=sigma,
        terms=_terms(scaled, degree),
        temperature_k=curve.temperature_k,
    )


def _terms(scaled: Floats, degree: int) -> Floats:
    return np.asarray(np.polynomial.legendre.legvander(scaled, degree), dtype=np.float64)


def with_degree(problem: Problem, degree: int) -> Problem:
    """The same problem with backgrounds of another degree."""
    curves = []
    for data in problem.curves:
        scaled = data.bias_mv / float(np.max(np.abs(data.bias_mv)))
        curves.append(
            replace(data, terms=np.asarray(np.polynomial.legendre.legvander(scaled, degree), dtype=np.float64))
        )
    return replace(problem, curves=tuple(curves))


def background_of(data: FitData, shape: Floats) -> Floats:
    """The best background at a given shape, in the unit of the data, shape (n,)."""
    design = data.terms * (shape / data.sigma)[:, None]
    coefficients = np.linalg.lstsq(design, data.observed, rcond=None)[0]
    return np.asarray(data.terms @ coefficients)


def shapes_of(problem: Problem, values: Floats) -> Shapes:
    """The normalised curve and its derivatives, for each curve."""
    return [
        problem.model.shape(data.bias_mv, values[places], data.temperature_k, 4)
        for data, places in zip(problem.curves, problem.places, strict=True)
    ]


def residuals(problem: Problem, shapes: Shapes) -> Floats:
    """(observed − model)/sigma of all curves one after the other, backgrounds at their best."""
    rest = []
    for data, (shape, _) in zip(problem.curves, shapes, strict=True):
        q = np.linalg.qr(data.terms * (shape / data.sigma)[:, None])[0]
        rest.append(data.observed - q @ (q.T @ data.observed))
    return np.concatenate(rest)


def jacobian(problem: Problem, shapes: Shapes, count: int) -> Floats:
    """Derivatives of :func:`residuals` (Kaufman's) by `count` parameters, shape (points, count)."""
    whole = np.zeros((sum(data.bias_mv.size for data in problem.curves), count))
    row = 0
    for data, places, (shape, slopes) in zip(problem.curves, problem.places, shapes, strict=True):
        q, r = np.linalg.qr(data.terms * (shape / data.sigma)[:, None])
        background = data.terms @ np.linalg.lstsq(r, q.T @ data.observed, rcond=None)[0]
        block = slopes.T * (background / data.sigma)[:, None]
        block -= q @ (q.T @ block)
        rows = slice(row, row + data.bias_mv.size)
        for column, place in enumerate(places):
            whole[rows, place] -= block[:, column]
        row += data.bias_mv.size
    return whole


def solve(problem: Problem, start: Floats, *, held: tuple[int, ...] = ()) -> LeastSquares:
    """The least-squares solution.

    Parameters
    ----------
    problem : Problem
    start : array, shape (parameters,)
        Where to begin.
    held : tuple of int
        Parameters that stay as they start; their rows of the covariance are 0.

    Returns
    -------
    LeastSquares
        All parameters, held ones among them.
    """
    free = np.array([k for k in range(start.size) if k not in held], dtype=np.intp)

    def whole(part: Floats) -> Floats:
        values = start.copy()
        values[free] = part
        return values

    # residuals and derivatives are asked for one after the other at the same place: the curves are computed once
    last: dict[bytes, Shapes] = {}

    def shapes(part: Floats) -> Shapes:
        key = part.tobytes()
        if key not in last:
            last.clear()
            last[key] = shapes_of(problem, whole(part))
        return last[key]

    found = fit_least_squares(
        lambda part: residuals(problem, shapes(part)),
        start[free],
        jacobian=lambda part: jacobian(problem, shapes(part), start.size)[:, free],
    )
    covariance = np.zeros((start.size, start.size))
    covariance[np.ix_(free, free)] = found.covariance
    return replace(found, values=whole(found.values), covariance=covariance)


def chi2(found: LeastSquares) -> float:
    """Sum of squared residuals."""
    return float(found.residuals @ found.residuals)


def correlation_factor(problem: Problem, rest: Floats) -> float:
    """What serial correlation within each curve does to uncertainties, the mean over the curves."""
    cuts = np.cumsum([data.bias_mv.size for data in problem.curves])[:-1]
    return float(np.sqrt(np.mean([serial_factor(one) ** 2 for one in np.split(rest, cuts)])))


def uncertainty_factor(problem: Problem, found: LeastSquares) -> float:
    """What multiplies unscaled uncertainties: √(reduced χ²) where it is plainly above 1, and serial correlation."""
    freedom = max(found.residuals.size - coefficient_count(problem, found), 1)
    excess = chi2(found) / freedom
    scale = math.sqrt(excess) if excess > 1.0 + 2.0 * math.sqrt(2.0 / freedom) else 1.0
    return scale * correlation_factor(problem, found.residuals)


def coefficient_count(problem: Problem, found: LeastSquares) -> int:
    """Parameters and background coefficients together; a parameter that was held has no variance."""
    free = int(np.count_nonzero(np.diag(found.covariance) != 0))
    return free + sum(int(data.terms.shape[1]) for data in problem.curves)


def corrected_aic(problem: Problem, rest: Floats, count: int, *, serial: float = 1.0) -> float:
    """Akaike's criterion with its correction for few points, residuals' scale unknown; smaller is better.

    `serial` is the correlation factor of the residuals, squared the number of points that tell as much as one.
    """
    size = rest.size / serial**2
    if size - count - 1 <= 0:
        return math.inf
    return float(
        size * math.log(max(float(rest @ rest), 1e-300) / rest.size)
        + 2.0 * count
        + 2.0 * count * (count + 1) / (size - count - 1)
    )


def null_residuals(problem: Problem) -> Floats:
    """Residuals of the backgrounds alone."""
    rest = []
    for data in problem.curves:
        q = np.linalg.qr(data.terms / data.sigma[:, None])[0]
        rest.append(data.observed - q @ (q.T @ data.observed))
    return np.concatenate(rest)
