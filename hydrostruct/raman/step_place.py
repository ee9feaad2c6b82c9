"""Where a step falls fastest when its shape is not known: averaged over lengths of tails, and over windows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.numerics.least_squares import serial_factor
from hydrostruct.raman.step import StepFit, fit_tail
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_LEAST_WIDTH_POINTS = 0.6
_SHARES = tuple(0.21 * k for k in range(-4, 5))  # of the tail in the whole length; negative on the low side
_HIGH_ODDS = 0.5  # of a tail on the high side against one on the low side
_MOST_MORE, _FINEST = 8, 0.02  # tails tried between these where the data tell them apart
_PLAINLY_WORSE = 3.0  # standard deviations of the reduced χ²
_TOLD_APART = 1.0  # χ², in units of its own scale


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPlace:
    """Where a step of unknown tail falls fastest."""

    place_cm1: float
    """Mean over the tails, in cm⁻¹."""
    variance_cm1: float
    """Variance, what the tails leave open included, in cm⁻²."""
    best: StepFit
    """The fit of the likeliest tail."""


def step_place(x: Floats, y: Floats, *, sigma: Floats, known: StepFit, passes: float = 0.0) -> StepPlace | None:
    """The place of a step whose tail may have any length on either side.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        Raman shift, in cm⁻¹, rising; intensity and its standard uncertainty.
    known : StepFit
        The step without a tail: where the fits begin.
    passes : float
        How often the data were smoothed, as `smoothing_passes` says: so much likeness of residuals is known of.

    Returns
    -------
    StepPlace or None
        None where no fit came to rest.

    Notes
    -----
    The tail's share t = τ/(w + τ) of the whole length is unknown: the place is its mean over t, as are the variance of
    the noise and that of the place between tails [1]_. Before the data every skewness of the step is equally likely on
    a side, as the place goes with it and t does not: half the range of t is as good as no tail. It is 2τ³/(w² + τ²)^1.5
    [2]_. The low side, less and less load away from the culet's middle, is twice as likely as the high one.

    References
    ----------
    .. [1] J. A. Hoeting et al., Stat. Sci. 14, 382 (1999), doi 10.1214/ss/1009212519
    .. [2] E. Grushka, Anal. Chem. 44, 1733 (1972), doi 10.1021/ac60319a011
    """
    least = _LEAST_WIDTH_POINTS * float(np.median(np.diff(x)))
    begin = np.array([known.position_cm1, math.log(known.width_cm1)])
    fits: dict[float, StepFit] = {}

    def add(share: float, start: Floats) -> None:
        fit = fit_tail(x, y, sigma=sigma, start=start, ratio=share / (1.0 - abs(share)), least_width=least)
        if fit.verdict is Verdict.CONVERGED:
            fits[share] = fit

    for share in _SHARES:
        add(share, begin)
    if not fits:
        return None
    for _ in range(_MOST_MORE // 2):
        best, scale = _best(fits, passes)
        more = _between(fits, best, scale)
        if not more:
            break
        start = np.array([fits[best].position_cm1, math.log(fits[best].width_cm1)])
        for share in more:
            add(share, start)
    return _averaged(fits, passes)


def place_of_windows(given: list[StepPlace]) -> tuple[float, float]:
    """Mean place over nested windows, and its standard uncertainty, in cm⁻¹.

    Parameters
    ----------
    given : list of StepPlace
        At least one; each of a part of the data of another, or of more of them. One that the curve describes plainly
        worse than the first holds something else, such as the flank of the band, and is left out.

    Returns
    -------
    place, sigma : float

    Notes
    -----
    Places of nested windows share their noise: the covariance of two is the smaller of their variances, and they
    differ by as much as the larger exceeds it [1]_. What they scatter more is the model's, and part of sigma.

    References
    ----------
    .. [1] J. A. Hausman, Econometrica 46, 1251 (1978), doi 10.2307/1913827
    """
    found = [one for one in given if _describes(one.best, given[0].best)]
    places = np.array([one.place_cm1 for one in found])
    variances = np.array([one.variance_cm1 for one in found])
    mean = float(np.mean(places))
    noise = float(np.mean(np.minimum.outer(variances, variances)))
    scatter = float(np.mean((places - mean) ** 2))
    expected = max(float(np.mean(variances)) - noise, 0.0)
    return mean, math.sqrt(noise + max(scatter - expected, 0.0))


def _describes(fit: StepFit, first: StepFit) -> bool:
    """Whether a curve describes its window about as well as the first does its own."""
    spread = math.sqrt(2.0 / max(fit.residuals.size - fit.values.size, 1))
    return fit is first or fit.gof**2 <= max(1.0, first.gof**2) * (1.0 + _PLAINLY_WORSE * spread)


def _best(fits: dict[float, StepFit], passes: float) -> tuple[float, float]:
    """The likeliest tail, and the scale of χ²."""
    best = min(fits, key=lambda share: _chi2(fits[share]))
    fit = fits[best]
    freedom = max(fit.residuals.size - fit.values.size - 1, 1)
    excess = _chi2(fit) / freedom
    poor = excess if excess > 1.0 + 2.0 * math.sqrt(2.0 / freedom) else 1.0
    alike = max(1.0, serial_factor(fit.residuals) ** 2 / (1.0 + 4.0 * passes))
    return best, poor * alike


def _chi2(fit: StepFit) -> float:
    return float(fit.residuals @ fit.residuals)


def _between(fits: dict[float, StepFit], best: float, scale: float) -> list[float]:
    """Tails halfway to the neighbours of the likeliest, where χ² leaps between them."""
    order = sorted(fits)
    at, least = order.index(best), _chi2(fits[best])
    beside = [order[k] for k in (at - 1, at + 1) if 0 <= k < len(order)]
    return [
        0.5 * (best + share)
        for share in beside
        if abs(share - best) > _FINEST and _chi2(fits[share]) - least > _TOLD_APART * scale
    ]


def _averaged(fits: dict[float, StepFit], passes: float) -> StepPlace:
    best, scale = _best(fits, passes)
    shares = np.array(sorted(fits))
    of = [fits[share] for share in shares]
    chi2 = np.array([_chi2(fit) for fit in of])
    weights = _prior(shares) * np.exp(-0.5 * (chi2 - np.min(chi2)) / scale)
    weights /= np.sum(weights)
    places = np.array([fit.position_cm1 for fit in of])
    noise = np.array([fit.position_statistical_cm1 for fit in of]) ** 2 * scale
    mean = float(weights @ places)
    variance = float(weights @ (noise + (places - mean) ** 2))
    return StepPlace(place_cm1=mean, variance_cm1=variance, best=replace(fits[best], position_cm1=mean))


def _prior(shares: Floats) -> Floats:
    """How likely the tails about each share are before the data."""
    if shares.size == 1:
        return np.ones(1)
    limits = np.concatenate(
        [[1.5 * shares[0] - 0.5 * shares[1]], 0.5 * (shares[1:] + shares[:-1]), [1.5 * shares[-1] - 0.5 * shares[-2]]]
    )
    return np.asarray(np.diff(_likelihood_below(np.clip(limits, -1.0, 1.0))))


def _likelihood_below(shares: Floats) -> Floats:
    """How likely tails on the low side of each share are, but for a constant: skewnesses are equally likely."""
    skewness = np.sign(shares) * (shares**2 / (shares**2 + (1.0 - np.abs(shares)) ** 2)) ** 1.5
    return np.asarray(np.where(skewness > 0, _HIGH_ODDS, 1.0) * skewness)
