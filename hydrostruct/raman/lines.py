"""Lines of any kind on a local background: found, fitted together where they overlap, with their uncertainties."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks, peak_widths

from hydrostruct.errors import InputError
from hydrostruct.numerics.least_squares import LeastSquares, fit_least_squares, sigma_factor
from hydrostruct.numerics.noise import point_noise, spike_mask
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_LEAST_POINTS = 20
_SMOOTHING_POINTS = 1.5
_GAIN = 1.0 / math.sqrt(2.0 * math.sqrt(math.pi) * _SMOOTHING_POINTS)  # what the smoothing leaves of the noise
SIGNIFICANT = 6.0
"""Standard deviations that a line must stand above the noise."""
_LEAST_FITTED_SIGMAS = 4.0  # of the height, width and background free: less than the search's own
_REACH_WIDTHS, _LEAST_REACH_POINTS = 4.0, 8
_PER_LINE = 4  # place, ln width, height, mixing
_MOST_TOGETHER = 4
_MOST_LINES = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFit:
    """What one fit says of one line."""

    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    reason: str
    """Whole sentences; empty when there is nothing to say."""
    position_cm1: float
    """Top of the line, in cm⁻¹; NaN where there is none."""
    position_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹."""
    width_cm1: float
    """Full width at half maximum, in cm⁻¹."""
    width_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹."""
    height: float
    """Height above the background, in units of intensity."""
    height_sigma: float
    """Its standard uncertainty."""
    area: float
    """Area, in intensity × cm⁻¹."""
    lorentz_share: float
    """Share of the Lorentzian in the pseudo-Voigt, from 0 to 1."""
    significance: float
    """Height over its uncertainty."""


def line_profile(x: Floats, position: float, *, width: float, lorentz_share: float) -> Floats:
    """Pseudo-Voigt of height 1: a Lorentzian and a Gaussian of one full width at half maximum.

    Parameters
    ----------
    x : array, shape (n,)
        Raman shift, in cm⁻¹.
    position, width : float
        Top and full width at half maximum, in cm⁻¹.
    lorentz_share : float
        From 0 to 1.

    Returns
    -------
    array, shape (n,)

    Examples
    --------
    >>> line_profile(np.array([-1.0, 0.0, 1.0]), 0.0, width=2.0, lorentz_share=0.3)
    array([0.5, 1. , 0.5])
    """
    square = (2.0 * (x - position) / width) ** 2
    return np.asarray(lorentz_share / (1.0 + square) + (1.0 - lorentz_share) * np.exp(-math.log(2.0) * square))


def find_lines(
    spectrum: Spectrum, *, range_cm1: tuple[float, float] | None = None, keep_sharp: bool = False
) -> tuple[LineFit, ...]:
    """Find and fit every line that stands above the noise.

    Parameters
    ----------
    spectrum : Spectrum
        Where to look.
    range_cm1 : (float, float), optional
        Only lines whose top lies within, in cm⁻¹.
    keep_sharp : bool
        Whether lines of two or three points are lines, as a lamp's are, and not cosmic rays.

    Returns
    -------
    tuple of LineFit
        By position; what comes to no rest as a line, a ripple or a shoulder, is none.

    Raises
    ------
    InputError
        When the spectrum, or what of it lies in the range, has too few points.
    """
    x, y, used = prepared(spectrum, range_cm1, keep_sharp=keep_sharp)
    noise = point_noise(y)
    smooth = gaussian_filter1d(y, _SMOOTHING_POINTS, mode="nearest")
    tops, shape = find_peaks(smooth, prominence=least_height(noise))
    strong = shape["prominences"] >= SIGNIFICANT * _GAIN * noise[tops]
    tops, prominences = tops[strong], shape["prominences"][strong]
    if tops.size > _MOST_LINES:
        order = np.sort(np.argsort(prominences)[-_MOST_LINES:])
        tops = tops[order]
    if tops.size == 0:
        return ()
    widths = peak_widths(smooth, tops, rel_height=0.5)[0] * float(np.median(np.diff(x)))
    found: list[LineFit] = []
    for group in _groups(x[tops], widths):
        low, high = (
            float(f(x[tops[group]] + s * _REACH_WIDTHS * widths[group])) for f, s in ((np.min, -1.0), (np.max, 1.0))
        )
        inside = used & (x >= low) & (x <= high)
        if np.count_nonzero(inside) < _PER_LINE * len(group) + _LEAST_REACH_POINTS:
            centre = int(tops[group[0]])
            inside = used & (np.abs(np.arange(x.size) - centre) <= 3 * _LEAST_REACH_POINTS)
        found += fit_lines(
            x[inside], y[inside], sigma=noise[inside], starts_cm1=x[tops[group]], widths_cm1=widths[group]
        )
    return tuple(sorted((one for one in found if _is_kept(one)), key=lambda one: one.position_cm1))


def fit_lines(
    x: Floats, y: Floats, *, sigma: Floats, starts_cm1: npt.ArrayLike, widths_cm1: npt.ArrayLike
) -> list[LineFit]:
    """Fit some pseudo-Voigt lines on one straight background.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        Raman shift in cm⁻¹, intensity and its standard uncertainty.
    starts_cm1, widths_cm1 : array-like, shape (lines,)
        Where the lines are about, and how wide.

    Returns
    -------
    list of LineFit
        One for each start.
    """
    return fit_lines_judged(x, y, sigma=sigma, starts_cm1=starts_cm1, widths_cm1=widths_cm1)[0]


def fit_lines_judged(
    x: Floats, y: Floats, *, sigma: Floats, starts_cm1: npt.ArrayLike, widths_cm1: npt.ArrayLike
) -> tuple[list[LineFit], LeastSquares | None]:
    """As `fit_lines`, with the fit itself; None where there are too few points."""
    starts, widths = np.atleast_1d(starts_cm1).astype(float), np.atleast_1d(widths_cm1).astype(float)
    scale = max(float(np.ptp(y)), 1e-300)
    middle = float(np.mean(x))
    span = float(x[-1] - x[0]) if x.size > 1 else 1.0

    def curve(p: Floats) -> Floats:
        total = p[-2] + p[-1] * (x - middle) / span
        for place, log_width, height, mixing in p[:-2].reshape(-1, _PER_LINE):
            total = total + height * line_profile(x, place, width=_width(log_width), lorentz_share=mixing)
        return np.asarray(scale * total)

    heights = [float(np.interp(at, x, y) - np.min(y)) / scale for at in starts]
    begin = np.concatenate([
        np.array([[at, math.log(width), height, 0.5]
                  for at, width, height in zip(starts, widths, heights, strict=True)]).ravel(),
        [float(np.min(y)) / scale, 0.0],
    ])  # fmt: skip
    if x.size <= begin.size:
        return [no_line("There are too few points for a fit.") for _ in starts], None
    found = fit_least_squares(lambda p: np.asarray((y - curve(p)) / sigma), begin)
    return [_line_of(found, index, x, scale) for index in range(starts.size)], found


def prepared(
    spectrum: Spectrum, range_cm1: tuple[float, float] | None = None, *, keep_sharp: bool = False
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Axis, intensity with spikes and gaps bridged, and which points are measured and no spikes."""
    x, intensity = spectrum.shift_cm1, spectrum.intensity
    if range_cm1 is not None:
        inside = (x >= range_cm1[0]) & (x <= range_cm1[1])
        x, intensity = x[inside], intensity[inside]
    measured = np.isfinite(intensity)
    if np.count_nonzero(measured) < _LEAST_POINTS:
        wanted = "" if range_cm1 is None else f" between {range_cm1[0]:g} and {range_cm1[1]:g} cm⁻¹"
        reach = f"{spectrum.shift_cm1[0]:.0f} to {spectrum.shift_cm1[-1]:.0f} cm⁻¹"
        raise InputError(
            f"{spectrum.name or 'spectrum'}: {np.count_nonzero(measured)} points{wanted}; it reaches from {reach}. "
            f"Expected {_LEAST_POINTS} or more there to look for lines in. Measure that range."
        )
    filled = np.interp(x, x[measured], intensity[measured])
    used = measured if keep_sharp else measured & ~spike_mask(filled)
    return x, np.interp(x, x[used], filled[used]), used


def least_height(noise: Floats) -> float:
    """Height from which a smoothed line counts.

    Parameters
    ----------
    noise : array, shape (n,)
        Standard deviation of the noise at each point.

    Returns
    -------
    float
        In units of the noise.
    """
    return SIGNIFICANT * _GAIN * float(np.median(noise))


def _groups(places: Floats, widths: Floats) -> list[list[int]]:
    """Neighbours that overlap are fitted together, up to four."""
    groups = [[0]]
    for index in range(1, places.size):
        near = places[index] - places[index - 1] < 1.5 * (widths[index] + widths[index - 1])
        if near and len(groups[-1]) < _MOST_TOGETHER:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _is_kept(one: LineFit) -> bool:
    return one.verdict is Verdict.CONVERGED and one.significance >= _LEAST_FITTED_SIGMAS


def _width(log_width: float) -> float:
    return math.exp(float(np.clip(log_width, -10.0, 10.0)))


def _line_of(found: LeastSquares, index: int, x: Floats, scale: float) -> LineFit:
    own = slice(index * _PER_LINE, (index + 1) * _PER_LINE)
    place, log_width, height, mixing = (float(v) for v in found.values[own])
    if not np.all(np.isfinite(found.residuals)) or not (x[0] < place < x[-1]) or height <= 0:
        return no_line("The fit did not come to rest.")
    width = _width(log_width)
    # a share below 0 or above 1 only says that the tails are thinner or thicker: bounds would hide its uncertainty
    share = float(np.clip(mixing, 0.0, 1.0))
    if found.verdict is not Verdict.CONVERGED:
        return no_line("The fit did not come to rest.")
    errors = _errors(found, index) * sigma_factor(found)
    if not np.all(np.isfinite(errors)):
        return no_line("The fit does not fix the line.")
    kernel = share * math.pi / 2.0 + (1.0 - share) * math.sqrt(math.pi / (4.0 * math.log(2.0)))
    return LineFit(
        verdict=Verdict.CONVERGED, reason="", position_cm1=place, position_sigma_cm1=float(errors[0]),
        width_cm1=width, width_sigma_cm1=float(errors[1]) * width, height=height * scale,
        height_sigma=float(errors[2]) * scale, area=height * scale * width * kernel, lorentz_share=share,
        significance=height / float(errors[2]),
    )  # fmt: skip


def _errors(found: LeastSquares, index: int) -> Floats:
    """Unscaled uncertainties of place, ln width and height."""
    diagonal = np.diag(found.covariance)[index * _PER_LINE : index * _PER_LINE + 3]
    return np.asarray(np.sqrt(np.where(diagonal > 0, diagonal, np.nan)))


def no_line(reason: str) -> LineFit:
    """The record of a line that came to no rest."""
    nothing = math.nan
    return LineFit(
        verdict=Verdict.NOT_CONVERGED, reason=reason, position_cm1=nothing, position_sigma_cm1=nothing,
        width_cm1=nothing, width_sigma_cm1=nothing, height=nothing, height_sigma=nothing, area=nothing,
        lorentz_share=nothing, significance=0.0,
    )  # fmt: skip
