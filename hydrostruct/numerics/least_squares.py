"""Small least-squares fits: values, covariance, and whether they came to rest (door to lmfit)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_MOST_EVALUATIONS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class LeastSquares:
    """What a small fit says."""

    values: Floats
    """The parameters, shape (parameters,)."""
    covariance: Floats
    """Their covariance for residuals of unit variance, shape (parameters, parameters); NaN where it is singular."""
    residuals: Floats
    """Residuals over sigma, shape (points,)."""
    verdict: Verdict
    """CONVERGED, or NOT_CONVERGED."""

    @property
    def reduced_chi2(self) -> float:
        """χ² over the degrees of freedom; NaN where there are none."""
        freedom = self.residuals.size - self.values.size
        return float(self.residuals @ self.residuals) / freedom if freedom > 0 else math.nan


def fit_least_squares(
    residuals: Callable[[Floats], Floats],
    start: npt.ArrayLike,
    *,
    jacobian: Callable[[Floats], Floats] | None = None,
    tolerance: float = 1.5e-8,
) -> LeastSquares:
    """Least squares by Levenberg and Marquardt.

    Parameters
    ----------
    residuals : callable
        (observed − model) / sigma, shape (points,), of the parameters, shape (parameters,).
    start : array-like, shape (parameters,)
        Where to begin.
    jacobian : callable, optional
        The derivatives of `residuals`, shape (points, parameters).
    tolerance : float
        The fit rests when χ² and the parameters change by a smaller share than this.

    Returns
    -------
    LeastSquares

    Examples
    --------
    >>> x = np.arange(5.0)
    >>> fit = fit_least_squares(lambda p: 2.0 * x + 1.0 - p[0] * x - p[1], [0.0, 0.0])
    >>> fit.values.round(6), fit.verdict.value
    (array([2., 1.]), 'converged')
    """
    import lmfit

    parameters = lmfit.Parameters()
    begin = np.asarray(start, dtype=np.float64)
    for index, value in enumerate(begin):
        parameters.add(f"p{index}", value=float(value))

    def of(current: Any) -> Floats:
        return np.array([one.value for one in current.values()])

    options: dict[str, Any] = {"max_nfev": _MOST_EVALUATIONS, "ftol": tolerance, "xtol": tolerance}
    if jacobian is not None:
        options["Dfun"] = lambda current, *_: jacobian(of(current))
    try:
        with np.errstate(all="ignore"):
            found = lmfit.Minimizer(lambda current: residuals(of(current)), parameters, calc_covar=False).leastsq(
                **options
            )
        values, converged = of(found.params), bool(found.success)
    except (ValueError, TypeError, FloatingPointError, np.linalg.LinAlgError):  # lmfit refuses NaN in many ways
        values, converged = begin, False
    rest = residuals(values)
    covariance = _covariance(values, residuals, jacobian)
    at_rest = converged and bool(np.all(np.isfinite(covariance)) and np.all(np.isfinite(rest)))
    return LeastSquares(
        values=values,
        covariance=covariance,
        residuals=rest,
        verdict=Verdict.CONVERGED if at_rest else Verdict.NOT_CONVERGED,
    )


def serial_factor(residuals: npt.ArrayLike) -> float:
    """What serial correlation of residuals does to uncertainties: 1 unless neighbours are plainly alike.

    Parameters
    ----------
    residuals : array-like, shape (n,)
        In the order of the data.

    Returns
    -------
    float
        √((1 + ρ)/(1 − ρ)) with the correlation ρ of neighbours, where it is more than two standard errors above 0.

    Examples
    --------
    >>> serial_factor([1.0, -1.0, 1.0, -1.0])
    1.0
    >>> serial_factor(np.repeat([1.0, -1.0, 1.0, -1.0], 8)) > 2.0
    True
    """
    rest = np.asarray(residuals, dtype=np.float64)
    total = float(rest @ rest)
    if rest.size < 4 or not total > 0:
        return 1.0
    rho = float(rest[1:] @ rest[:-1]) / total
    if rho < 2.0 / math.sqrt(rest.size):
        return 1.0
    rho = min(rho, 0.9)
    return math.sqrt((1.0 + rho) / (1.0 - rho))


def sigma_factor(fit: LeastSquares) -> float:
    """What multiplies unscaled uncertainties: √(reduced χ²) and the serial correlation, where they plainly exceed 1.

    A few dozen points give √(reduced χ²) only to some ten percent: taking every value above 1 at its word would make
    uncertainties too large on average. So it counts where χ² is more than two standard deviations too large.

    Examples
    --------
    >>> fit = fit_least_squares(lambda p: np.array([1.0, -1.0] * 20) - p[0], [0.0])
    >>> sigma_factor(fit)
    1.0
    """
    freedom = max(fit.residuals.size - fit.values.size, 1)
    excess = fit.reduced_chi2
    scale = math.sqrt(excess) if excess > 1.0 + 2.0 * math.sqrt(2.0 / freedom) else 1.0
    return scale * serial_factor(fit.residuals)


def corrected_akaike(fit: LeastSquares) -> float:
    """Akaike's criterion, corrected for few points, with the scale of the noise unknown; infinite for no fit.

    Parameters
    ----------
    fit : LeastSquares
        Fits of the same points are compared: the least is best.

    Returns
    -------
    float
        n ln(χ²/n) + 2kn/(n − k − 1) with the noise's scale among the k parameters.

    References
    ----------
    C. M. Hurvich and C.-L. Tsai, Biometrika 76, 297 (1989), doi 10.1093/biomet/76.2.297

    Examples
    --------
    >>> fit = fit_least_squares(lambda p: np.array([1.0, -1.0] * 20) - p[0], [0.0])
    >>> round(corrected_akaike(fit), 2)
    4.32
    """
    if fit.verdict is not Verdict.CONVERGED:
        return math.inf
    return akaike_of(fit.residuals, parameters=fit.values.size)


def akaike_of(residuals: Floats, *, parameters: int, serial: float = 1.0) -> float:
    """The same from the residuals; infinite for too few points.

    Parameters
    ----------
    residuals : array, shape (n,)
        Over sigma.
    parameters : int
        How many were fitted.
    serial : float
        As `serial_factor` says of the noise, the same for all that are compared: so many points less count.

    Examples
    --------
    >>> akaike_of(np.ones(40), parameters=2, serial=2.0) < akaike_of(np.ones(40), parameters=3, serial=2.0)
    True
    """
    points, free = residuals.size / serial**2, parameters + 1
    if points - free < 2:
        return math.inf
    chi2 = max(float(residuals @ residuals), 1e-300)
    return points * math.log(chi2 / residuals.size) + 2.0 * free * points / (points - free - 1)


def _covariance(
    values: Floats, residuals: Callable[[Floats], Floats], jacobian: Callable[[Floats], Floats] | None
) -> Floats:
    slopes = jacobian(values) if jacobian is not None else _differences(values, residuals)
    scale = np.sqrt(np.sum(slopes**2, axis=0))
    if not np.all(np.isfinite(scale)) or np.any(scale == 0):
        return np.full((values.size, values.size), np.nan)
    try:
        inverse = np.linalg.inv((slopes / scale).T @ (slopes / scale))
    except np.linalg.LinAlgError:
        return np.full((values.size, values.size), np.nan)
    return np.asarray(inverse / np.outer(scale, scale))


def _differences(values: Floats, residuals: Callable[[Floats], Floats]) -> Floats:
    columns = []
    for index in range(values.size):
        step = np.zeros(values.size)
        step[index] = 1e-6 * max(abs(values[index]), 1e-3)
        columns.append((residuals(values + step) - residuals(values - step)) / (2.0 * step[index]))
    return np.stack(columns, axis=1)
