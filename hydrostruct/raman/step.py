"""A smoothed step on a background whose slope may differ on its two sides, fitted locally."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import erfc

from hydrostruct.numerics.least_squares import LeastSquares, corrected_akaike, fit_least_squares, sigma_factor
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_START_WIDTHS_CM1 = (1.5, 3.0, 5.0, 8.0)
_PARAMETERS = 6  # without skewness
_LARGEST_SIGMA = 0.2  # of the window: what is less certain is no position
_LEAST_WIDTH_POINTS = 0.6  # of the spacing: a narrower step falls between two points
_HELD_WIDTHS_CM1 = (1.5, 2.5, 4.0, 6.0)
_REACH_WIDTHS = 1.2  # beyond, the first skewed term has minima of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class StepFit:
    """What a local fit says of one falling step."""

    verdict: Verdict
    """CONVERGED, or NOT_CONVERGED."""
    position_cm1: float
    """Minimum of the derivative of the fitted curve, in cm⁻¹; NaN where there is none."""
    position_statistical_cm1: float
    """Its uncertainty from the noise alone, in cm⁻¹."""
    position_sigma_cm1: float
    """Its standard uncertainty, scaled for a poor fit and for serial correlation, in cm⁻¹."""
    width_cm1: float
    """Standard deviation of the smoothing, in cm⁻¹."""
    width_held: bool
    """Whether the data fix no width, so that some were tried."""
    height: float
    """Height of the step, in units of intensity."""
    height_sigma: float
    """Its standard uncertainty."""
    gof: float
    """Root of the reduced χ²."""
    shift_cm1: Floats
    """Where the fit was made, in cm⁻¹, shape (m,)."""
    calculated: Floats
    """The fitted curve there, shape (m,)."""


def fit_step(x: Floats, y: Floats, *, sigma: Floats, start_cm1: float, skewed: bool = True) -> StepFit:
    """Fit one falling step.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹, rising.
    y, sigma : array, shape (m,)
        Intensity and its standard uncertainty.
    start_cm1 : float
        Where the step is looked for, in cm⁻¹.
    skewed : bool
        Whether to try a skewed step too.

    Returns
    -------
    StepFit

    Notes
    -----
    With z = (x − x₀)/w, φ the normal density and S = ½ erfc(z/√2) the curve is
    c + A S + l (x − x₀) S + r (x − x₀)(1 − S) + k (z² − 1) φ: the background's slope is l on the low side and r on the
    high side, k is the skewness (first term of Gram and Charlier). The position is the minimum of the curve's
    derivative: that of the curves with and without skewness, averaged with Akaike's weights, their difference part of
    sigma [1]_.

    References
    ----------
    .. [1] K. P. Burnham and D. R. Anderson, Sociol. Methods Res. 33, 261 (2004), doi 10.1177/0049124104268644
    """
    begin = _start(x, y, sigma, start_cm1)
    if begin is None:
        return failed_step()
    scale = float(np.ptp(y)) or 1.0
    found = [_least_squares(x, y, sigma, begin, scale)]
    if skewed:
        found.append(_least_squares(x, y, sigma, np.append(found[0].values, 0.0), scale))
    fits = [(corrected_akaike(one), _step_of(one, x, scale)) for one in found]
    fits = [(criterion, fit) for criterion, fit in fits if fit.verdict is Verdict.CONVERGED]
    spacing = float(np.median(np.diff(x)))
    if not fits or min(fits)[1].width_cm1 < _LEAST_WIDTH_POINTS * spacing:
        return _held_step(x, y, sigma, begin, scale)
    return _averaged(fits)


def _held_step(x: Floats, y: Floats, sigma: Floats, begin: Floats, scale: float) -> StepFit:
    """A step that the noise lets shrink to nothing between two points: fitted at held widths, all of them averaged."""
    fits = []
    for width in _HELD_WIDTHS_CM1:
        start = np.append(begin[:1], begin[2:])
        found = _least_squares(x, y, sigma, start, scale, log_width=math.log(width))
        fits.append((corrected_akaike(found), _step_of(_with_width(found, math.log(width)), x, scale)))
    mean = _averaged([one for one in fits if one[1].verdict is Verdict.CONVERGED] or [(math.inf, failed_step())])
    return replace(mean, width_held=True)


def _with_width(found: LeastSquares, log_width: float) -> LeastSquares:
    """A fit at a held width, with that width among its values and no uncertainty of it."""
    covariance = np.insert(np.insert(found.covariance, 1, 0.0, axis=0), 1, 0.0, axis=1)
    return replace(found, values=np.insert(found.values, 1, log_width), covariance=covariance)


def _averaged(fits: list[tuple[float, StepFit]]) -> StepFit:
    """The best of some fits, its position averaged over all of them with Akaike's weights."""
    criteria = np.array([criterion for criterion, _ in fits])
    best = fits[int(np.argmin(criteria))][1]
    if len(fits) == 1 or not np.all(np.isfinite(criteria)):
        return best
    weights = np.exp(-0.5 * (criteria - np.min(criteria)))
    weights /= np.sum(weights)
    places = np.array([fit.position_cm1 for _, fit in fits])
    mean = float(weights @ places)
    errors = np.hypot(np.array([fit.position_sigma_cm1 for _, fit in fits]), places - mean)
    return replace(best, position_cm1=mean, position_sigma_cm1=float(weights @ errors))


def step_guess(x: Floats, y: Floats, *, sigma: Floats, start_cm1: float) -> tuple[float, float]:
    """Place and width of a step, in cm⁻¹, from a coarse search; NaN where nothing falls.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        As in `fit_step`.
    start_cm1 : float
        Where the step is looked for, in cm⁻¹.

    Returns
    -------
    place, width : float
    """
    begin = _start(x, y, sigma, start_cm1)
    return (math.nan, math.nan) if begin is None else (float(begin[0]), math.exp(float(begin[1])))


def _least_squares(
    x: Floats, y: Floats, sigma: Floats, begin: Floats, scale: float, *, log_width: float | None = None
) -> LeastSquares:
    """A fit of all parameters, or of all but the width."""

    def whole(p: Floats) -> Floats:
        return p if log_width is None else np.insert(p, 1, log_width)

    def residuals(p: Floats) -> Floats:
        return np.asarray((y - step_curve(x, whole(p), scale)) / sigma)

    def jacobian(p: Floats) -> Floats:
        slopes = -_step_slopes(x, whole(p), scale) / sigma[:, None]
        return np.asarray(slopes if log_width is None else np.delete(slopes, 1, axis=1))

    return fit_least_squares(residuals, begin, jacobian=jacobian)


def _step_of(found: LeastSquares, x: Floats, scale: float) -> StepFit:
    """The record of a fit, not converged where it is no falling step within the window."""
    if found.verdict is not Verdict.CONVERGED or not x[0] < found.values[0] < x[-1] or found.values[3] <= 0:
        return failed_step()
    position, gradient = _minimum_of_derivative(found.values)
    statistical = math.sqrt(max(float(gradient @ found.covariance @ gradient), 0.0))
    if not (x[0] < position < x[-1] and 0 < statistical < _LARGEST_SIGMA * (x[-1] - x[0])):
        return failed_step()
    gof = math.sqrt(found.reduced_chi2)
    factor = sigma_factor(found)
    return StepFit(
        verdict=Verdict.CONVERGED,
        position_cm1=position,
        position_statistical_cm1=statistical,
        position_sigma_cm1=statistical * factor,
        width_cm1=math.exp(min(float(found.values[1]), 10.0)),
        width_held=False,
        height=float(found.values[3]) * scale,
        height_sigma=math.sqrt(max(float(found.covariance[3, 3]), 0.0)) * scale * factor,
        gof=gof,
        shift_cm1=x,
        calculated=step_curve(x, found.values, scale),
    )


def failed_step() -> StepFit:
    """The record of a fit that came to no rest."""
    nothing = math.nan
    return StepFit(
        verdict=Verdict.NOT_CONVERGED, position_cm1=nothing, position_statistical_cm1=nothing,
        position_sigma_cm1=nothing, width_cm1=nothing, width_held=False, height=nothing, height_sigma=nothing,
        gof=nothing, shift_cm1=np.empty(0), calculated=np.empty(0),
    )  # fmt: skip


def step_curve(x: Floats, p: Floats, scale: float = 1.0) -> Floats:
    """The curve of parameters (x₀, ln w, c, A, l, r[, k]), all but the first two in units of `scale`."""
    z = (x - p[0]) / math.exp(min(p[1], 10.0))
    share = 0.5 * erfc(z / math.sqrt(2.0))
    curve = p[2] + p[3] * share + p[4] * (x - p[0]) * share + p[5] * (x - p[0]) * (1.0 - share)
    if p.size > _PARAMETERS:
        curve = curve + p[6] * (z * z - 1.0) * _bell(z)
    return np.asarray(scale * curve)


def _bell(z: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi))


def _slope(x: Floats, p: Floats) -> Floats:
    """Derivative of the curve by x, in units of its scale."""
    width = math.exp(min(p[1], 10.0))
    z = (x - p[0]) / width
    share, bell = 0.5 * erfc(z / math.sqrt(2.0)), _bell(z)
    slope = p[4] * share + p[5] * (1.0 - share) - (p[3] + (p[4] - p[5]) * (x - p[0])) * bell / width
    if p.size > _PARAMETERS:
        slope = slope + p[6] * z * (3.0 - z * z) * bell / width
    return np.asarray(slope)


def _step_slopes(x: Floats, p: Floats, scale: float) -> Floats:
    """Derivatives of the curve by its parameters, shape (m, 6 or 7)."""
    width = math.exp(min(p[1], 10.0))
    z = (x - p[0]) / width
    share, bell = 0.5 * erfc(z / math.sqrt(2.0)), _bell(z)
    by_z = -(p[3] + (p[4] - p[5]) * (x - p[0])) * bell  # of what depends on z alone, and on x − x₀ through S
    columns = [np.ones_like(x), share, (x - p[0]) * share, (x - p[0]) * (1.0 - share)]
    if p.size > _PARAMETERS:
        by_z = by_z + p[6] * z * (3.0 - z * z) * bell
        columns.append((z * z - 1.0) * bell)
    first = [-by_z / width - p[4] * share - p[5] * (1.0 - share), -z * by_z]
    return np.asarray(scale * np.stack(first + columns, axis=1))


def _start(x: Floats, y: Floats, sigma: Floats, start: float) -> Floats | None:
    """The best of a few widths and places, the linear parameters solved for each."""
    scale = float(np.ptp(y)) or 1.0
    best, lowest = None, math.inf
    for width in _START_WIDTHS_CM1:
        for place in (start - 0.5 * width, start + 0.5 * width):
            p = np.array([place, math.log(width), 0.0, 0.0, 0.0, 0.0])
            design = _step_slopes(x, p, 1.0)[:, 2:] / sigma[:, None]
            linear = np.linalg.lstsq(design, y / (scale * sigma), rcond=None)[0]
            rest = float(np.sum((y / (scale * sigma) - design @ linear) ** 2))
            if rest < lowest and linear[1] > 0:
                best, lowest = np.concatenate([p[:2], linear]), rest
    return best


def _minimum_of_derivative(p: Floats) -> tuple[float, Floats]:
    """Where the curve falls fastest, and the derivatives of that place by the parameters.

    The place is a root of the second derivative g; by the theorem of implicit functions its derivative by a parameter
    is −(∂g/∂p)/(∂g/∂x).
    """
    width = math.exp(min(p[1], 10.0))
    grid = p[0] + width * np.linspace(-_REACH_WIDTHS, _REACH_WIDTHS, 97)
    step = 1e-3 * width

    def bend(at: float, q: Floats) -> float:
        ends = _slope(np.array([at + step, at - step]), q)
        return float(ends[0] - ends[1]) / (2.0 * step)

    def bend_slope(at: float) -> float:
        return (bend(at + step, p) - bend(at - step, p)) / (2.0 * step)

    at = float(grid[int(np.argmin(_slope(grid, p)))])
    for _ in range(4):
        curvature = bend_slope(at)
        if not curvature > 0:
            return math.nan, np.full(p.size, np.nan)
        at -= float(np.clip(bend(at, p) / curvature, -0.1 * width, 0.1 * width))
    gradient = np.empty(p.size)
    for index in range(p.size):
        change = np.zeros(p.size)
        change[index] = 1e-5 * (width if index == 0 else max(abs(float(p[index])), 1e-3))
        gradient[index] = (bend(at, p + change) - bend(at, p - change)) / (2.0 * change[index])
    return at, -gradient / bend_slope(at)
