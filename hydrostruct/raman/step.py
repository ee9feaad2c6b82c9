"""A smoothed step on a background whose slope may differ on its two sides, fitted locally."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.numerics.least_squares import LeastSquares, sigma_factor
from hydrostruct.raman.kernels import best_start, fit_shape, steepest
from hydrostruct.raman.step_curve import step_curve
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_START_WIDTHS_CM1 = (1.5, 3.0, 5.0, 8.0)
_LARGEST_SIGMA = 0.2  # of the window: what is less certain is no position
_LEAST_WIDTH_POINTS = 0.6  # of the spacing: a narrower step falls between two points
_HELD_WIDTHS_CM1 = (1.5, 2.5, 4.0, 6.0)


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
    """Standard deviation of the smoothing, tail included, in cm⁻¹."""
    width_held: bool
    """Whether the data fix no width, so that some were tried."""
    height: float
    """Height of the step, in units of intensity."""
    height_sigma: float
    """Its standard uncertainty."""
    gof: float
    """Root of the reduced χ²."""
    factor: float
    """What a poor fit and serial correlation make of uncertainties: 1 or more."""
    residuals: Floats
    """Residuals over sigma, shape (m,)."""
    values: Floats
    """Parameters of `step_curve` in units of the data's range, shape (6,)."""
    shift_cm1: Floats
    """Where the fit was made, in cm⁻¹, shape (m,)."""
    calculated: Floats
    """The fitted curve there, shape (m,)."""


def fit_step(x: Floats, y: Floats, *, sigma: Floats, start_cm1: float) -> StepFit:
    """Fit one falling step without a tail.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹, rising.
    y, sigma : array, shape (m,)
        Intensity and its standard uncertainty.
    start_cm1 : float
        Where the step is looked for, in cm⁻¹.

    Returns
    -------
    StepFit
        Where the noise lets the step shrink to nothing between two points, the average over a few widths.
    """
    begin = _start(x, y, sigma, start_cm1)
    if begin is None:
        return failed_step()
    plain = fit_tail(x, y, sigma=sigma, start=begin)
    if not plain.width_cm1 >= _LEAST_WIDTH_POINTS * float(np.median(np.diff(x))):
        return _held_step(x, y, sigma, begin)
    return plain


def fit_held_step(x: Floats, y: Floats, *, sigma: Floats, start_cm1: float) -> StepFit:
    """Fit one falling step whose width the data do not say.

    Parameters
    ----------
    x, y, sigma, start_cm1
        As in `fit_step`.

    Returns
    -------
    StepFit
        The average over a few widths.
    """
    begin = _start(x, y, sigma, start_cm1)
    return failed_step() if begin is None else _held_step(x, y, sigma, begin)


def fit_tail(
    x: Floats, y: Floats, *, sigma: Floats, start: Floats, ratio: float = 0.0, least_width: float = 0.0
) -> StepFit:
    """Fit one falling step whose tail has a given length over its width.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        As in `fit_step`.
    start : array, shape (2,)
        Middle of the step, in cm⁻¹, and log of its standard deviation, tail included: where the fit begins.
    ratio : float
        As in `step_curve`.
    least_width : float
        The standard deviation, tail included, stays above, in cm⁻¹.

    Returns
    -------
    StepFit
    """
    spread = math.hypot(1.0, ratio)
    width = math.exp(float(start[1])) / spread
    begin = np.array([start[0] - ratio * width, math.log(width)])
    least = math.log(least_width / spread) if least_width > 0 else -math.inf
    return _step_of(x, y, sigma, begin, ratio=ratio, least=least)


def _held_step(x: Floats, y: Floats, sigma: Floats, begin: Floats) -> StepFit:
    """A step that the noise lets shrink to nothing between two points: fitted at held widths, all of them averaged."""
    fits = [_step_of(x, y, sigma, np.array([begin[0], math.log(width)]), held=True) for width in _HELD_WIDTHS_CM1]
    return replace(_averaged(fits), width_held=True)


def _averaged(given: list[StepFit]) -> StepFit:
    """The best of some fits, its place averaged over all that converged: likelihood times the room of each place.

    Noise lets a narrow step fit well, but at few places: without the room it would count too much.
    """
    fits = [one for one in given if one.verdict is Verdict.CONVERGED]
    if len(fits) < 2:
        return fits[0] if fits else failed_step()
    chi2 = np.array([float(fit.residuals @ fit.residuals) for fit in fits])
    best = fits[int(np.argmin(chi2))]
    places = np.array([fit.position_cm1 for fit in fits])
    weights = np.exp(-0.5 * (chi2 - np.min(chi2)) / best.factor**2)
    weights *= np.array([fit.position_statistical_cm1 for fit in fits])
    weights /= np.sum(weights)
    mean = float(weights @ places)
    variance = float(weights @ (np.array([fit.position_sigma_cm1 for fit in fits]) ** 2 + (places - mean) ** 2))
    return replace(best, position_cm1=mean, position_sigma_cm1=math.sqrt(variance))


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


def _step_of(
    x: Floats,
    y: Floats,
    sigma: Floats,
    begin: Floats,
    *,
    ratio: float = 0.0,
    least: float = -math.inf,
    held: bool = False,
) -> StepFit:
    """The record of a fit, not converged where it is no falling step within the window."""
    scale = float(np.ptp(y)) or 1.0
    values, rest, covariance, gradient = np.empty(6), np.empty(x.size), np.zeros((6, 6)), np.empty(6)
    weight = 1.0 / sigma
    done = fit_shape(x, y * (weight / scale), weight, begin, ratio, least, held, values, rest, covariance)
    if not done or not x[0] < values[0] < x[-1] or values[3] <= 0:
        return failed_step()
    position = steepest(values, ratio, gradient)
    statistical = math.sqrt(max(float(gradient @ covariance @ gradient), 0.0)) / scale
    if not (x[0] < position < x[-1] and 0 < statistical < _LARGEST_SIGMA * (x[-1] - x[0])):
        return failed_step()
    fitted = np.delete(values, 1) if held else values
    found = LeastSquares(values=fitted, covariance=covariance, residuals=scale * rest, verdict=Verdict.CONVERGED)
    factor = sigma_factor(found)
    return StepFit(
        verdict=Verdict.CONVERGED,
        position_cm1=float(position),
        position_statistical_cm1=statistical,
        position_sigma_cm1=statistical * factor,
        width_cm1=math.exp(values[1]) * math.hypot(1.0, ratio),
        width_held=False,
        height=float(values[3]) * scale,
        height_sigma=math.sqrt(max(float(covariance[3, 3]), 0.0)) * factor,
        gof=math.sqrt(found.reduced_chi2),
        factor=factor,
        residuals=found.residuals,
        values=values,
        shift_cm1=x,
        calculated=step_curve(x, values, scale, ratio=ratio),
    )


def failed_step() -> StepFit:
    """The record of a fit that came to no rest."""
    nothing = math.nan
    return StepFit(
        verdict=Verdict.NOT_CONVERGED, position_cm1=nothing, position_statistical_cm1=nothing,
        position_sigma_cm1=nothing, width_cm1=nothing, width_held=False, height=nothing, height_sigma=nothing,
        gof=nothing, factor=nothing, residuals=np.empty(0), values=np.empty(0),
        shift_cm1=np.empty(0), calculated=np.empty(0),
    )  # fmt: skip


def _start(x: Floats, y: Floats, sigma: Floats, start: float) -> Floats | None:
    """The best of a few widths and places."""
    widths = np.repeat(_START_WIDTHS_CM1, 2)
    places = start + 0.5 * widths * np.tile([-1.0, 1.0], len(_START_WIDTHS_CM1))
    scale, weight = float(np.ptp(y)) or 1.0, 1.0 / sigma
    best = int(best_start(x, y * (weight / scale), weight, places, np.log(widths)))
    return None if best < 0 else np.array([places[best], math.log(widths[best])])
