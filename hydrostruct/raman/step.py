"""A smoothed step on a background whose slope may differ on its two sides, fitted locally."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.numerics.least_squares import (
    LeastSquares,
    akaike_of,
    corrected_akaike,
    serial_factor,
    sigma_factor,
)
from hydrostruct.numerics.separable import fit_separable
from hydrostruct.raman.step_curve import (
    HIGH_TAIL,
    LOW_TAIL,
    NO_TAIL,
    steepest_place,
    step_columns,
    step_curve,
    step_width,
)
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_START_WIDTHS_CM1 = (1.5, 3.0, 5.0, 8.0)
_LARGEST_SIGMA = 0.2  # of the window: what is less certain is no position
_LEAST_WIDTH_POINTS = 0.6  # of the spacing: a narrower step falls between two points
_HELD_WIDTHS_CM1 = (1.5, 2.5, 4.0, 6.0)
_LINEAR = slice(2, 6)  # offset, height and the two slopes among the parameters
_MOST_SIGMA = 1.25  # of that without a tail; what the shape adds is the scatter of the three places
_NO_LIMIT: Floats = np.array(-math.inf)
_LEAST_TAIL_WIDTHS = 0.3  # a shorter one is none: the step's skewness is below 0.05
_TAIL_WIDTHS = 0.7  # of the width: where the length of a tail begins


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
    criterion: float
    """Akaike's, corrected; infinite for no fit."""
    values: Floats
    """Parameters of `step_curve`, shape (6,) or (7,)."""
    shift_cm1: Floats
    """Where the fit was made, in cm⁻¹, shape (m,)."""
    calculated: Floats
    """The fitted curve there, shape (m,)."""


def fit_step(x: Floats, y: Floats, *, sigma: Floats, start_cm1: float, tailed: bool = True) -> StepFit:
    """Fit one falling step.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹, rising.
    y, sigma : array, shape (m,)
        Intensity and its standard uncertainty.
    start_cm1 : float
        Where the step is looked for, in cm⁻¹.
    tailed : bool
        Whether to try a step with a tail on either side too.

    Returns
    -------
    StepFit

    Notes
    -----
    The curves are those of `step_curve`: without a tail, with one on the low and with one on the high side. The
    position is the minimum of the curve's derivative, averaged over the three with Akaike's weights; their differences
    are part of sigma [1]_.

    References
    ----------
    .. [1] K. P. Burnham and D. R. Anderson, Sociol. Methods Res. 33, 261 (2004), doi 10.1177/0049124104268644
    """
    begin = _start(x, y, sigma, start_cm1)
    if begin is None:
        return failed_step()
    scale = float(np.ptp(y)) or 1.0
    plain = _step_of(_least_squares(x, y, sigma, begin, scale), x, scale)
    if not plain.width_cm1 >= _LEAST_WIDTH_POINTS * float(np.median(np.diff(x))):
        return _held_step(x, y, sigma, begin, scale)
    return _averaged(_with_tails(x, y, sigma, plain)) if tailed else plain


def refit(x: Floats, y: Floats, *, sigma: Floats, known: StepFit) -> StepFit:
    """The same step fitted to other points about it, averaged over tails.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        As in `fit_step`.
    known : StepFit
        Without a tail, converged: where the fit begins.

    Returns
    -------
    StepFit
    """
    scale = float(np.ptp(y)) or 1.0
    plain = _step_of(_least_squares(x, y, sigma, known.values, scale), x, scale)
    return _averaged(_with_tails(x, y, sigma, plain))


def _with_tails(x: Floats, y: Floats, sigma: Floats, plain: StepFit) -> list[StepFit]:
    """A step and the same with a tail on either side; one that did not converge alone."""
    if plain.verdict is not Verdict.CONVERGED:
        return [plain]
    scale = float(np.ptp(y)) or 1.0
    least = np.array([-math.inf, -math.inf, math.log(_LEAST_TAIL_WIDTHS) + plain.values[1]])
    fits = [plain]
    for tail in (LOW_TAIL, HIGH_TAIL):
        found = _least_squares(x, y, sigma, _with_tail(plain.values, tail), scale, tail=tail, least=least)
        fits.append(_bounded(_step_of(found, x, scale, tail=tail), plain))
    return _compared([fit for fit in fits if fit.verdict is Verdict.CONVERGED], y, sigma)


def _compared(fits: list[StepFit], y: Floats, sigma: Floats) -> list[StepFit]:
    """Akaike's criterion of each anew: points whose noise is alike, as smoothing makes it, count for fewer.

    What is alike in the residuals of the best curve is noise; of a poorer one, shape as well.
    """
    rests = [(y - fit.calculated) / sigma for fit in fits]
    serial = min(map(serial_factor, rests))
    criteria = [
        akaike_of(rest, parameters=fit.values.size, serial=serial) for fit, rest in zip(fits, rests, strict=True)
    ]
    if not np.all(np.isfinite(criteria)):  # too few points count for more than one curve
        return fits
    return [replace(fit, criterion=criterion) for fit, criterion in zip(fits, criteria, strict=True)]


def _bounded(tailed: StepFit, plain: StepFit) -> StepFit:
    """A tail whose length the data leave open makes linear errors too wide: its curves lie between this and no tail."""
    most = _MOST_SIGMA * plain.position_sigma_cm1
    return replace(tailed, position_sigma_cm1=min(tailed.position_sigma_cm1, most))


def _with_tail(p: Floats, tail: int) -> Floats:
    """Where the fit of a step with a tail begins: as wide and in the middle where the one without it was."""
    length = _TAIL_WIDTHS * math.exp(p[1])
    return np.asarray(np.append(p, math.log(length)) - np.array([tail * length, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0]))


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
    return failed_step() if begin is None else _held_step(x, y, sigma, begin, float(np.ptp(y)) or 1.0)


def _held_step(x: Floats, y: Floats, sigma: Floats, begin: Floats, scale: float) -> StepFit:
    """A step that the noise lets shrink to nothing between two points: fitted at held widths, all of them averaged."""
    fits = []
    for width in _HELD_WIDTHS_CM1:
        found = _least_squares(x, y, sigma, begin, scale, log_width=math.log(width))
        fit = _step_of(_with_width(found, math.log(width)), x, scale)
        fits.append(replace(fit, criterion=corrected_akaike(found)))
    return replace(_averaged(fits), width_held=True)


def _with_width(found: LeastSquares, log_width: float) -> LeastSquares:
    """A fit at a held width, with that width among its values and no uncertainty of it."""
    covariance = np.insert(np.insert(found.covariance, 1, 0.0, axis=0), 1, 0.0, axis=1)
    return replace(found, values=np.insert(found.values, 1, log_width), covariance=covariance)


def _averaged(given: list[StepFit]) -> StepFit:
    """The best of some fits, its position averaged over all that converged with Akaike's weights."""
    fits = [one for one in given if one.verdict is Verdict.CONVERGED]
    criteria = np.array([one.criterion for one in fits])
    if len(fits) < 2 or not np.all(np.isfinite(criteria)):
        return fits[0] if fits else failed_step()
    weights = np.exp(-0.5 * (criteria - np.min(criteria)))
    weights /= np.sum(weights)
    places = np.array([fit.position_cm1 for fit in fits])
    mean = float(weights @ places)
    errors = np.hypot(np.array([fit.position_sigma_cm1 for fit in fits]), places - mean)
    best = fits[int(np.argmin(criteria))]
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
    x: Floats,
    y: Floats,
    sigma: Floats,
    begin: Floats,
    scale: float,
    *,
    log_width: float | None = None,
    tail: int = NO_TAIL,
    least: Floats = _NO_LIMIT,
) -> LeastSquares:
    """A fit of all parameters, in the order of `step_curve`, or of all but the width."""
    weight = 1.0 / sigma

    def columns(q: Floats) -> tuple[Floats, Floats]:
        held = q if log_width is None else np.insert(q, 1, log_width)
        design, slopes = step_columns(x, held, tail=tail)
        slopes = slopes if log_width is None else np.delete(slopes, 1, axis=0)
        return weight[:, None] * design, weight[:, None] * slopes

    start = begin[:1] if log_width is not None else np.append(begin[:2], begin[_LINEAR.stop :])
    found = fit_separable(columns, y * (weight / scale), start, least=least)
    return _in_order(replace(found, residuals=scale * found.residuals, covariance=found.covariance / scale**2), start)


def _in_order(found: LeastSquares, start: Floats) -> LeastSquares:
    """The tail's length, which the fit has beside the width, put last."""
    if start.size < 3 or found.values.size == start.size:
        return found
    order = [0, 1, *range(3, found.values.size), 2]
    return replace(found, values=found.values[order], covariance=found.covariance[np.ix_(order, order)])


def _step_of(found: LeastSquares, x: Floats, scale: float, *, tail: int = NO_TAIL) -> StepFit:
    """The record of a fit, not converged where it is no falling step within the window."""
    if found.verdict is not Verdict.CONVERGED or not x[0] < found.values[0] < x[-1] or found.values[3] <= 0:
        return failed_step()
    position, gradient = steepest_place(found.values, tail=tail)
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
        width_cm1=step_width(found.values),
        width_held=False,
        height=float(found.values[3]) * scale,
        height_sigma=math.sqrt(max(float(found.covariance[3, 3]), 0.0)) * scale * factor,
        gof=gof,
        criterion=corrected_akaike(found),
        values=found.values,
        shift_cm1=x,
        calculated=step_curve(x, found.values, scale, tail=tail),
    )


def failed_step() -> StepFit:
    """The record of a fit that came to no rest."""
    nothing = math.nan
    return StepFit(
        verdict=Verdict.NOT_CONVERGED, position_cm1=nothing, position_statistical_cm1=nothing,
        position_sigma_cm1=nothing, width_cm1=nothing, width_held=False, height=nothing, height_sigma=nothing,
        gof=nothing, criterion=math.inf, values=np.empty(0), shift_cm1=np.empty(0), calculated=np.empty(0),
    )  # fmt: skip


def _start(x: Floats, y: Floats, sigma: Floats, start: float) -> Floats | None:
    """The best of a few widths and places, the linear parameters solved for each."""
    scale = float(np.ptp(y)) or 1.0
    best, lowest = None, math.inf
    for width in _START_WIDTHS_CM1:
        for place in (start - 0.5 * width, start + 0.5 * width):
            p = np.array([place, math.log(width), 0.0, 0.0, 0.0, 0.0])
            design = step_columns(x, p)[0] / sigma[:, None]
            linear = np.linalg.lstsq(design, y / (scale * sigma), rcond=None)[0]
            rest = float(np.sum((y / (scale * sigma) - design @ linear) ** 2))
            if rest < lowest and linear[1] > 0:
                best, lowest = np.concatenate([p[:2], linear]), rest
    return best
