"""Least squares of curves that are linear in most of their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.numerics.least_squares import LeastSquares
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]
Columns = Callable[[Floats], tuple[Floats, Floats]]

_MOST_STEPS = 40
_REST = 1e-6  # of the reduced χ²: what the next step would gain, a thousandth of a standard deviation
_ROUNDING = 1e-14  # of the sum of squares of the data
_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-9, 1e7
_TIGHTENED = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the search stands."""

    q: Floats
    linear: Floats
    chi2: float
    rest: Floats
    slopes: Floats
    """Derivatives of the curve by q at fixed c, shape (points, k)."""
    design: Floats
    inverse: Floats
    """Of the products of the columns, shape (n, n)."""


def fit_separable(
    columns: Columns, y: Floats, start: npt.ArrayLike, *, least: npt.ArrayLike = -math.inf
) -> LeastSquares:
    """Least squares of Σ cⱼ φⱼ(q): the c are solved for at every step, only the q are searched.

    Parameters
    ----------
    columns : callable
        Of q, shape (k,): the functions φ over sigma, shape (points, n), and their derivatives by q, shape
        (k, points, n).
    y : array, shape (points,)
        Data over sigma.
    start : array-like, shape (k,)
        Where q begins.
    least : array-like, shape (k,) or ()
        Below this no q goes; one that would is held there and has no uncertainty.

    Returns
    -------
    LeastSquares
        Values and covariance of q and then c.

    Notes
    -----
    The c are found by the normal equations: the φ must not be nearly dependent. Levenberg and Marquardt on the
    residuals that the best c leave, with Kaufman's derivatives [1]_: those at fixed c,
    less what a change of c would undo. The covariance is that of all parameters together.

    References
    ----------
    .. [1] L. Kaufman, BIT 15, 49 (1975), doi 10.1007/BF01932995

    Examples
    --------
    >>> x = np.arange(8.0)
    >>> def decay(q):
    ...     column = np.exp(-q[0] * x)[:, None]
    ...     return column, (-x[:, None] * column)[None]
    >>> fit_separable(decay, 3.0 * np.exp(-0.5 * x), [0.3]).values.round(6)
    array([0.5, 3. ])
    """
    q = np.asarray(start, dtype=np.float64)
    low = np.broadcast_to(np.asarray(least, dtype=np.float64), q.shape)
    try:
        with np.errstate(all="ignore"):
            return _searched(columns, y, np.maximum(q, low), low)
    except np.linalg.LinAlgError:
        return _lost(y, q)


def _searched(columns: Columns, y: Floats, q: Floats, least: Floats) -> LeastSquares:
    here, damping, at_rest = _placed(columns, y, q), _DAMPING, False
    freedom, rounding = max(y.size - q.size - here.linear.size, 1), _ROUNDING * float(y @ y)
    gradient, curvature, free = _descent(here, least)
    for _ in range(_MOST_STEPS):
        step = _step(gradient, curvature, damping)
        gain = _expected(gradient, curvature, step)
        at_rest = gain * (1.0 + damping) <= max(_REST * here.chi2 / freedom, rounding) or damping > _MOST_DAMPING
        if at_rest or not math.isfinite(gain):
            break
        trial = here.q.copy()
        trial[free] = np.maximum(trial[free] + step, least[free])
        there = _placed(columns, y, trial)
        if not there.chi2 < here.chi2:
            damping *= _TIGHTENED
            continue
        ratio = (here.chi2 - there.chi2) / gain
        # H. B. Nielsen's rule: less damping where χ² fell as foreseen, more where it fell less
        damping = max(_LEAST_DAMPING, damping * max(0.1, 1.0 - (2.0 * min(ratio, 1.0) - 1.0) ** 3))
        here = there
        gradient, curvature, free = _descent(here, least)
    return _record(here, free, at_rest=at_rest)


def _placed(columns: Columns, y: Floats, q: Floats) -> _Place:
    """The best linear parameters at q, and what they leave."""
    design, derivatives = columns(q)
    gram = design.T @ design
    unit = 1.0 / np.sqrt(np.diagonal(gram))
    inverse = unit[:, None] * np.linalg.inv(unit[:, None] * gram * unit) * unit
    linear = inverse @ (design.T @ y)
    rest = y - design @ linear
    slopes = (derivatives @ linear).T
    return _Place(q=q, linear=linear, chi2=float(rest @ rest), rest=rest, slopes=slopes, design=design, inverse=inverse)


def _descent(here: _Place, least: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Half the downward gradient of χ², its curvature, and which of the q are not held at their limits."""
    slopes = here.slopes - here.design @ (here.inverse @ (here.design.T @ here.slopes))
    gradient, curvature = slopes.T @ here.rest, slopes.T @ slopes
    free = (here.q > least) | (gradient > 0)
    return (gradient, curvature, free) if free.all() else (gradient[free], curvature[free][:, free], free)


def _step(gradient: Floats, curvature: Floats, damping: float) -> Floats:
    damped = curvature.copy()
    damped.flat[:: gradient.size + 1] *= 1.0 + damping
    return np.asarray(np.linalg.solve(damped, gradient))


def _expected(gradient: Floats, curvature: Floats, step: Floats) -> float:
    """By how much a step would lower χ² if the residuals were linear in q."""
    return float(step @ (2.0 * gradient - curvature @ step))


def _record(here: _Place, free: npt.NDArray[np.bool_], *, at_rest: bool) -> LeastSquares:
    known = np.append(free, np.ones(here.linear.size, dtype=bool))
    covariance = np.zeros((known.size, known.size))
    covariance[np.ix_(known, known)] = _covariance(np.hstack([here.slopes[:, free], here.design]))
    converged = at_rest and bool(np.all(np.isfinite(covariance)))
    return LeastSquares(
        values=np.append(here.q, here.linear),
        covariance=covariance,
        residuals=here.rest,
        verdict=Verdict.CONVERGED if converged else Verdict.NOT_CONVERGED,
    )


def _covariance(slopes: Floats) -> Floats:
    scale = np.sqrt(np.sum(slopes**2, axis=0))
    if not np.all(np.isfinite(scale)) or np.any(scale == 0):
        return np.full((scale.size, scale.size), np.nan)
    return np.asarray(np.linalg.inv((slopes / scale).T @ (slopes / scale)) / np.outer(scale, scale))


def _lost(y: Floats, q: Floats) -> LeastSquares:
    nothing = np.full((q.size, q.size), np.nan)
    return LeastSquares(values=q, covariance=nothing, residuals=y, verdict=Verdict.NOT_CONVERGED)
