"""What all lines of a pattern have in common that no pseudo-Voigt has, learned from the lines themselves.

A detector, a beam or a strain gives every line the same shape in units of its width. Where that is no pseudo-Voigt,
strong lines leave residuals that are all alike, by which single peaks and cells are misled. What they share is found
as a smooth curve, tested on each line by what the others say, and taken off the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.interpolate import BSpline

from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.first_look import noise_scale
from hydrostruct.xrd.kernels import point_scatter
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.profile import TYPICAL_MIXING, pseudo_voigt
from hydrostruct.xrd.single_peaks import own_lines

Floats = npt.NDArray[np.float64]

_HALF_KNOTS = (0.25, 0.5, 0.75, 1.0, 1.3, 1.7, 2.3, 3.0, 4.0)
_KNOTS = np.array([-knot for knot in reversed(_HALF_KNOTS)] + [0.0, *_HALF_KNOTS])
_CURVES = _KNOTS.size - 4
SHAPE_TERMS = _CURVES - 4
"""Free coefficients of the curve: splines less what place, area, width and mixing can take up."""
_FEWEST_POINTS = 4.0
_ROUNDS = 6
_SETTLED = 1e-3
_SEEN = 9.0
_MISFIT_SIGMA = 4.0
_NOISE_SPREAD = 8.5  # three standard deviations of the square of the scatter, times √n
_FEWEST_LINES = 2
_CHANCE, _FORETOLD = 0.05, 0.5
_PLAIN = 25.0
_STEPS = 50.0  # of the table, in a width


@dataclass(frozen=True, kw_only=True, slots=True)
class _Curves:
    """The curves that lines may share, at the points that each line reaches."""

    whole: Floats
    """Sum over all lines of the curves times area over width, shape (n, SHAPE_TERMS)."""
    each: tuple[tuple[slice, Floats], ...]
    """The points of each line and its own part."""


def with_common_shape(model: LeBailModel, solution: Solution, data: FitData) -> tuple[Solution, FitData] | None:
    """Fit again without what the lines of phases have in common beyond their profiles.

    Parameters
    ----------
    model, solution, data
        What was fitted, where it came to rest, and to what.

    Returns
    -------
    (Solution, FitData) or None
        The data with the common shape taken off their intensity and kept as `beyond_profile`; None where the lines
        have none in common. What the other lines say of it must make a line fit better for so many of those that
        would show it as chance does once in twenty (five of five, seven of eight), and for half of the gain at least.
        Fewer than five lines must all fit better by 25 in χ² and half of their own gain: noise gains nothing like it,
        and a stranger on one of them is on none of the others.

    Notes
    -----
    With t = (x − x_k)/Γ_k the residuals are Σ_k (I_k/Γ_k) g(t), g a cubic spline that ends at |t| = 4 and is orthogonal
    to the pseudo-Voigt and its derivatives by place, width and mixing. The place of a line is therefore where a
    symmetric line fits its true shape best by plain least squares; any place of a line that is not symmetric is a
    convention. Shape and fit are found in turn, six times at the most; the best of them counts.
    """
    if not solution.converged or data.beyond_profile is not None:
        return None
    plain = data
    shape = np.zeros(data.position.size)
    best: tuple[Solution, FitData] | None = None
    for _ in range(_ROUNDS):
        curves = _curves(model, solution, data)
        found = None if curves is None else _common_curve(curves, solution.residual + shape, data)
        if found is None:
            return None
        shape = found
        data = without_shape(plain, shape)
        solution = solve(model, data, solution.values)
        if not solution.converged:
            return None
        if best is not None and best[0].chi2 - solution.chi2 < _SETTLED * solution.chi2:
            return best if best[0].chi2 < solution.chi2 else (solution, data)
        best = solution, data
    return best


def misfits(solution: Solution, data: FitData) -> bool:
    """Whether a solution leaves more than noise makes, in 1 of 30 000 patterns that it fits.

    Parameters
    ----------
    solution, data
        Where a fit came to rest, and to what.

    Returns
    -------
    bool
        The noise is the scatter from point to point, of the data or of the residuals, whichever is less, where that is
        more than sigma says.
    """
    points = data.position.size
    most = 1.0 + _MISFIT_SIGMA * math.sqrt(2.0 / points)
    taken = len(data.basis) + solution.values.size
    if solution.chi2 <= most * (points - taken - solution.intensity.size):  # were all lines seen
        return False
    taken += int(np.isfinite(solution.intensity).sum())
    mean = solution.chi2 / max(1, points - taken)
    if not mean > most:
        return False
    # sharp lines scatter from point to point as noise does; a fit takes them off, and what it misses of them adds
    noise = min(noise_scale(data), float(point_scatter(solution.residual, data.weight))) ** 2
    return noise < 1.0 + _NOISE_SPREAD / math.sqrt(points) or mean > most * noise


def without_shape(data: FitData, shape: Floats) -> FitData:
    """The data less what lines have beyond their profiles.

    Parameters
    ----------
    data : FitData
        As measured.
    shape : array, shape (n,)
        What the lines have in common, in intensity.

    Returns
    -------
    FitData
        The same where that is nothing.
    """
    if not np.any(shape):
        return data
    return replace(data, intensity=data.intensity - shape, beyond_profile=shape, shape_terms=SHAPE_TERMS)


def _curves(model: LeBailModel, solution: Solution, data: FitData) -> _Curves | None:
    """Curves of the lines that point up; None where these are too few, or too narrow for the data."""
    low, high = data.position[0], data.position[-1]
    with np.errstate(invalid="ignore"):
        seen = own_lines(model) & (solution.intensity > 0) & (solution.position > low) & (solution.position < high)
    numbers = np.flatnonzero(seen)
    if numbers.size < _FEWEST_LINES or np.median(solution.width[numbers]) < _FEWEST_POINTS * data.step_deg:
        return None
    reach = _KNOTS[-1] * solution.width[numbers]
    first = np.searchsorted(data.position, solution.position[numbers] - reach, side="right")
    last = np.searchsorted(data.position, solution.position[numbers] + reach)
    whole, each = np.zeros((data.position.size, SHAPE_TERMS)), []
    for line, window in zip(numbers, map(slice, first, last), strict=True):
        t = (data.position[window] - solution.position[line]) / solution.width[line]
        mine = _free_curves(t) * (solution.intensity[line] / solution.width[line])
        whole[window] += mine
        each.append((window, mine))
    return _Curves(whole=whole, each=tuple(each))


def _free_curves(t: Floats) -> Floats:
    """Combinations of splines that place, area, width and mixing of a line cannot take up, shape (n, SHAPE_TERMS)."""
    table = _table()
    at = (t - _KNOTS[0]) * _STEPS
    index = np.clip(at.astype(np.int64), 0, len(table) - 2)
    part = (at - index)[:, None]
    return np.asarray((1.0 - part) * table[index] + part * table[index + 1])


@cache
def _table() -> Floats:
    """The combinations on an even grid from the first knot to the last, orthonormal there."""
    t = np.linspace(_KNOTS[0], _KNOTS[-1], round((_KNOTS[-1] - _KNOTS[0]) * _STEPS) + 1)
    # knots go on to both sides; splines that begin or end beyond the last are left out, so that all end at 0
    ends = np.array([1.0, 2.0, 3.0])
    knots = np.concatenate((_KNOTS[0] - ends[::-1], _KNOTS, _KNOTS[-1] + ends))
    inside = np.clip(t, _KNOTS[0] + 1e-9, _KNOTS[-1] - 1e-9)
    splines = BSpline.design_matrix(inside, knots, 3)[:, 3 : 3 + _CURVES].toarray()
    line = pseudo_voigt(t, 1.0, TYPICAL_MIXING)
    directions = np.array([
        line,
        np.gradient(line, t),
        pseudo_voigt(t, 1.01, TYPICAL_MIXING) - pseudo_voigt(t, 0.99, TYPICAL_MIXING),
        pseudo_voigt(t, 1.0, 1.0) - pseudo_voigt(t, 1.0, 0.0),
    ])  # fmt: skip
    free = np.linalg.svd(directions @ splines)[2][len(directions) :].T
    table = splines @ free
    table.setflags(write=False)
    return np.asarray(table)


def _common_curve(curves: _Curves, left: Floats, data: FitData) -> Floats | None:
    """The common shape at the points of the pattern; None where the lines do not have it in common."""
    gram, right = _products(curves.whole, data.weight, left)
    curve = _solved(gram, right)
    least = _SEEN * noise_scale(data) ** 2
    foretold, fitted = [], []
    for window, mine in curves.each:
        own_gram, own_right = _products(mine, data.weight[window], left[window])
        if curve @ own_gram @ curve < least:
            continue  # it would not show
        others = _solved(gram - own_gram, right - own_right)
        foretold.append(2.0 * others @ own_right - others @ own_gram @ others)
        fitted.append(2.0 * curve @ own_right - curve @ own_gram @ curve)
    is_common = _is_common(np.array(foretold), np.array(fitted), plain=_PLAIN * noise_scale(data) ** 2)
    return np.asarray(curves.whole @ curve) if is_common else None


def _is_common(foretold: Floats, fitted: Floats, *, plain: float) -> bool:
    """Whether what the other lines say takes off each line, shape (lines,), enough of what its own curve does."""
    if foretold.size < _FEWEST_LINES or foretold.sum() < _FORETOLD * fitted.sum():
        return False
    better = int(np.count_nonzero(foretold > 0))
    if better and special.bdtrc(better - 1, foretold.size, 0.5) <= _CHANCE:
        return True
    return bool(np.all(foretold > np.maximum(plain, _FORETOLD * fitted)))


def _products(curves: Floats, weight: Floats, left: Floats) -> tuple[Floats, Floats]:
    weighted = curves * weight[:, None]
    return np.asarray(weighted.T @ curves), np.asarray(left @ weighted)


def _solved(gram: Floats, right: Floats) -> Floats:
    ridge = 1e-8 * float(np.trace(gram)) / len(gram)
    return np.asarray(np.linalg.solve(gram + ridge * np.eye(len(gram)), right))
