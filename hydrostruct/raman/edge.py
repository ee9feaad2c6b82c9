"""The high-frequency edge of stressed diamond: every falling step is found and fitted, one is chosen by a rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

from hydrostruct.errors import InputError
from hydrostruct.numerics.local_slope import local_slope
from hydrostruct.numerics.noise import point_noise, spike_mask
from hydrostruct.raman.edge_fit import EdgeCandidate, EdgeFit
from hydrostruct.raman.edge_rule import (
    CERTAIN_SIGMAS,
    MEANT_CONTRAST,
    STEP_CONTRAST,
    STEP_SIGMAS,
    FoundStep,
    chosen_step,
)
from hydrostruct.raman.line_or_step import line_preference
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.raman.step import StepFit, failed_step, fit_step, refit, step_guess
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_BAND_CM1 = (1310.0, 1400.0)  # where the top of the first-order band of an anvil lies
_HIGHEST_EDGE_CM1 = 2050.0  # 480 GPa, the end of every scale
_FLOOR_CM1 = 80.0
_LEAST_POINTS = 40
_SCALES_CM1 = (3.5, 8.0, 14.0)
_WIDE_CM1 = 10.0
_BACKGROUND_CM1 = 90.0
_DIP_SIGMAS, _NOISY_DIP_SIGMAS, _LESS_PROMINENCE = 4.0, 2.4, 0.5
_NO_BAND = 0.3  # where noise hides a step of this height, what was taken for the band is noise too
_SEEN_SIGMAS = 5.5  # a step of four standard deviations is missed as often as found
_MOST_FITS = 6
_MERGE_CM1 = 5.0
_LEAST_FITTED = 10
_WINDOW_WIDTHS, _WINDOW_CM1, _WINDOW_POINTS = 4.5, (14.0, 45.0), 8
_WINDOW_TRIALS = (1.0, 1.7, 2.5)
_WINDOW_SHARES = (1.0, 0.7, 1.4)  # the place's part in sigma is what it moves between them
_SHAPE_SHARE = 0.03
_OUTLIER_SIGMAS, _OUTLIER_SHARE = 5.0, 0.15
_LINE_REACH_CM1 = 60.0
_LINE_LEAST_CM1 = (25.0, 15.0)
_WIDTHS_CM1 = (0.3, 20.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    """A spectrum ready for the search: spikes replaced, noise known, slopes at two scales."""

    x: Floats
    y: Floats
    used: npt.NDArray[np.bool_]
    noise: Floats
    slopes: tuple[tuple[Floats, Floats], ...]
    smooth: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class _Steepness:
    """How fast the intensity falls, over what is usual about each place, in standard deviations."""

    x: Floats
    fall: Floats
    error: Floats
    excess: Floats
    ripple: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Dip:
    """A place where the slope is most negative, with the limits between which it is alone."""

    at: float
    low: float
    high: float
    width: float
    sigmas: float
    ripple: float


def find_edge(
    spectrum: Spectrum, *, near_cm1: float | None = None, range_cm1: tuple[float, float] | None = None
) -> EdgeFit:
    """Find the high-frequency edge of the diamond's first-order band.

    Parameters
    ----------
    spectrum : Spectrum
        It should reach from the band's top, near 1340 cm⁻¹, to well above the edge.
    near_cm1 : float, optional
        A hint, in cm⁻¹, such as the edge of the neighbouring point: the candidate nearest to it is taken, within 25.
    range_cm1 : (float, float), optional
        Candidates outside are left aside, in cm⁻¹.

    Returns
    -------
    EdgeFit
        ABSENT when no step stands above the noise; AMBIGUOUS, with the number of the most likely one, when another
        could be the edge as well.

    Raises
    ------
    InputError
        When the spectrum has too few points, or a hint is no number.

    Notes
    -----
    The edge is the minimum of dI/dν on the high side of the band [1]_. In an anvil under load the steepest slope of
    all is the flank of the strong first-order band of the diamond behind the culet; the edge is a step far above. So
    every dip of the local slope above the band's top is a candidate, and each is fitted by a smoothed step on a
    background whose slope may differ on its two sides. The rule: **the highest significant step above the flank of the
    band**. A step is significant when its height is five standard deviations and two percent of the band's; the flank
    of a line, which falls about as far as it rose just before, is none.

    References
    ----------
    .. [1] Y. Akahama and H. Kawamura, J. Appl. Phys. 96, 3748 (2004), doi 10.1063/1.1778482
    """
    _check_hints(near_cm1, range_cm1)
    ready = _prepare(spectrum)
    band, band_height = _band(ready)
    limit = _hidden_contrast(ready, band, band_height)
    dips = _dips(ready, band, least_sigmas=_NOISY_DIP_SIGMAS if limit > MEANT_CONTRAST else _DIP_SIGMAS)
    flank = bool(dips) and dips[0].at - band < _LINE_REACH_CM1
    end = 2.0 * dips[0].at - band if flank else -math.inf
    found = [
        _flank(dip)
        if near_cm1 is None and number == 0 and flank
        else _examine(ready, dip, band_height=band_height, flank_end=end if number else -math.inf)
        for number, dip in enumerate(dips)
    ]
    if range_cm1 is not None:
        found = [one for one in found if range_cm1[0] <= one.candidate.edge_cm1 <= range_cm1[1]]
    return _judged(spectrum, ready, found, band=band, near_cm1=near_cm1, hidden=limit)


def _check_hints(near: float | None, limits: tuple[float, float] | None) -> None:
    if near is not None and not 1300.0 <= near <= _HIGHEST_EDGE_CM1:
        raise InputError(f"the edge is looked for near {near:g}. Expected cm⁻¹, 1300 to {_HIGHEST_EDGE_CM1:g}.")
    if limits is not None and not limits[0] < limits[1]:
        raise InputError(f"the range of the edge is {limits[0]:g} to {limits[1]:g}. Expected two rising cm⁻¹.")


def _prepare(spectrum: Spectrum) -> _Prepared:
    x = spectrum.shift_cm1
    measured = np.isfinite(spectrum.intensity)
    if np.count_nonzero(measured) < _LEAST_POINTS:
        raise InputError(
            f"{spectrum.name or 'spectrum'}: {np.count_nonzero(measured)} points. Expected {_LEAST_POINTS} or more to "
            "find an edge. Measure a wider range."
        )
    filled = np.interp(x, x[measured], spectrum.intensity[measured])
    used = measured & ~spike_mask(filled)
    y = np.interp(x, x[used], filled[used])
    noise = point_noise(y)
    spacing = float(np.median(np.diff(x)))
    halves = [max(2, round(reach / spacing)) for reach in _SCALES_CM1]
    smooth = median_filter(np.convolve(np.pad(y, 2, mode="edge"), np.full(5, 0.2), mode="valid"), 3, mode="nearest")
    return _Prepared(
        x=x, y=y, used=used, noise=noise, smooth=smooth,
        slopes=tuple(local_slope(x, y, half_width=half, sigma=noise) for half in halves),
    )  # fmt: skip


def _band(ready: _Prepared) -> tuple[float, float]:
    """Top of the first-order band, and its height above what stands below it; NaN where it is not in the spectrum."""
    inside = np.flatnonzero((ready.x >= _BAND_CM1[0]) & (ready.x <= _BAND_CM1[1]))
    if inside.size < 5:
        return math.nan, float(np.ptp(ready.smooth))
    tops, shape = find_peaks(ready.smooth[inside], prominence=0.0)
    if tops.size == 0:
        return math.nan, float(np.ptp(ready.smooth))
    top = inside[tops[int(np.argmax(shape["prominences"]))]]
    return float(ready.x[top]), float(ready.smooth[top]) - _floor(ready, float(ready.x[top]))


def _floor(ready: _Prepared, top: float) -> float:
    """What the band stands on: beside its low flank, where neither plateau nor far fluorescence counts."""
    below = (ready.x >= top - _FLOOR_CM1) & (ready.x <= top)
    above = (ready.x >= top) & (ready.x <= top + _FLOOR_CM1)
    measured = ready.x[0] <= top - 0.5 * _FLOOR_CM1
    return float(np.min(ready.smooth[below if measured else above]))


def _hidden_contrast(ready: _Prepared, band: float, band_height: float) -> float:
    """Height over the band's of a step that is all but surely found, in the best window; 0 without a band."""
    if not (math.isfinite(band) and band_height > 0):
        return 0.0
    heights = []
    for (slope, error), reach in zip(ready.slopes, _SCALES_CM1, strict=True):
        steep = _steepness(ready, slope, error, band + _LINE_REACH_CM1)
        if steep is None:
            continue
        # the slope that `local_slope` finds in the middle of a step is 15/16 of height over half window
        heights.append(16.0 / 15.0 * reach * steep.ripple * float(np.median(steep.error)))
    hidden = _SEEN_SIGMAS * min(heights) / band_height if heights else 0.0
    return hidden if hidden < _NO_BAND else 0.0


def _dips(ready: _Prepared, band: float, *, least_sigmas: float) -> list[_Dip]:
    """Where the slope is plainly more negative than about it, above the band's top; the lowest frequency first."""
    lowest = band if math.isfinite(band) else _BAND_CM1[0]
    kept: list[_Dip] = []
    for (slope, error), reach in zip(ready.slopes, _SCALES_CM1, strict=True):
        # a wide window runs the band's flank and what lies next to it together
        start = lowest if reach < _WIDE_CM1 else lowest + _LINE_REACH_CM1
        known = list(kept)
        for dip in _dips_of_scale(_steepness(ready, slope, error, start), least_sigmas):
            merge = max(_MERGE_CM1, reach)
            same = [k for k, other in enumerate(known) if abs(dip.at - other.at) <= merge]
            if not same:
                kept.append(dip)
            for k in same:  # the narrow window says where, the wide one how surely
                kept[k] = replace(kept[k], sigmas=max(kept[k].sigmas, dip.sigmas))
    strongest = sorted(kept, key=lambda dip: -dip.sigmas)[:_MOST_FITS]
    return sorted(strongest, key=lambda dip: dip.at)


def _steepness(ready: _Prepared, slope: Floats, error: Floats, lowest: float) -> _Steepness | None:
    good = np.flatnonzero(np.isfinite(slope) & (ready.x >= lowest) & (ready.x <= _HIGHEST_EDGE_CM1))
    if good.size < 10:
        return None
    x, fall = ready.x[good], -slope[good]
    reach = max(3, 2 * round(0.5 * _BACKGROUND_CM1 / float(np.median(np.diff(x)))) + 1)
    excess = (fall - median_filter(fall, min(reach, good.size), mode="nearest")) / error[good]
    ripple = max(1.0, 1.4826 * float(np.median(np.abs(excess))))
    return _Steepness(x=x, fall=fall, error=error[good], excess=excess, ripple=ripple)


def _dips_of_scale(steep: _Steepness | None, least_sigmas: float) -> list[_Dip]:
    if steep is None:
        return []
    x, fall, excess, ripple = steep.x, steep.fall, steep.excess, steep.ripple
    least = least_sigmas * ripple
    places, _ = find_peaks(excess, height=least, prominence=least - _LESS_PROMINENCE * ripple)
    dips = []
    for number, place in enumerate(places):
        half = 0.5 * excess[place]
        below, above = np.flatnonzero(excess[:place] < half), np.flatnonzero(excess[place:] < half)
        full = (x[place + above[0]] if above.size else x[-1]) - (x[below[-1]] if below.size else x[0])
        # between neighbours the window ends where the slope is flattest, so that no other dip bends the fit
        low = -math.inf if number == 0 else _saddle(x, fall, places[number - 1], place)
        high = math.inf if number == len(places) - 1 else _saddle(x, fall, place, places[number + 1])
        dips.append(
            _Dip(at=float(x[place]), low=float(low), high=float(high), width=float(full),
                 sigmas=float(excess[place] / ripple), ripple=ripple)
        )  # fmt: skip
    return dips


def _saddle(x: Floats, fall: Floats, first: int, second: int) -> float:
    return float(x[first + int(np.argmin(fall[first : second + 1]))])


def _flank(dip: _Dip) -> FoundStep:
    """The fall next to the band's top: its own flank, which is not fitted unless a hint asks for it."""
    nothing = math.nan
    candidate = EdgeCandidate(
        edge_cm1=dip.at, edge_sigma_cm1=nothing, significance=dip.sigmas, contrast=nothing, width_cm1=nothing,
        kind="band",
    )  # fmt: skip
    return FoundStep(candidate=candidate, fit=failed_step(), line_preference=math.nan)


def _examine(ready: _Prepared, dip: _Dip, *, band_height: float, flank_end: float) -> FoundStep:
    """Fit one dip in a window as wide as a first search says."""
    inside = _window(ready, dip, max(dip.width / 2.355, 1.5))
    place, width = dip.at, math.nan
    if np.any(inside):
        place, width = step_guess(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], start_cm1=dip.at)
    fit = failed_step()
    for factor in _WINDOW_TRIALS:  # a noisy step may need more background, or less, before its fit comes to rest
        inside = _window(ready, replace(dip, at=place), factor * max(width, 0.25 * dip.width))
        if np.any(inside) and fit.verdict is not Verdict.CONVERGED:
            fit = _fitted(ready, inside, place)
    known = fit.verdict is Verdict.CONVERGED
    contrast = fit.height / band_height if known and band_height > 0 else 0.0
    preference = _line_preference(ready, dip, fit, flank_end) if known else math.nan
    kind = _kind(fit, dip.sigmas, contrast, preference) if known else "weak"
    candidate = EdgeCandidate(
        edge_cm1=fit.position_cm1 if known else dip.at,
        edge_sigma_cm1=fit.position_sigma_cm1,
        significance=dip.sigmas,
        contrast=contrast,
        width_cm1=fit.width_cm1,
        kind=kind,
    )
    return FoundStep(candidate=candidate, fit=fit, line_preference=preference)


def _fitted(ready: _Prepared, inside: npt.NDArray[np.bool_], place: float) -> StepFit:
    """A fit of the step; points far above it, as what a cosmic ray left beside its core, are left out of a second."""
    fit = fit_step(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], start_cm1=place, tailed=False)
    if fit.verdict is not Verdict.CONVERGED:
        return fit
    rest = (ready.y[inside] - fit.calculated) / ready.noise[inside]
    high = rest > _OUTLIER_SIGMAS * max(1.0, 1.4826 * float(np.median(np.abs(rest))))
    if not 0 < np.count_nonzero(high) <= _OUTLIER_SHARE * high.size:
        return fit
    kept = np.flatnonzero(inside)[~high]
    again = fit_step(ready.x[kept], ready.y[kept], sigma=ready.noise[kept], start_cm1=place, tailed=False)
    return again if again.verdict is Verdict.CONVERGED else fit


def _refined(ready: _Prepared, one: FoundStep) -> FoundStep:
    """The chosen step once more: its place averaged over tails and windows, the shape's part in sigma.

    No edge is quite one of the curves: its place depends on which are tried, and on how much of them is looked at.
    """
    if one.fit.verdict is not Verdict.CONVERGED:
        return one
    shares = () if one.fit.width_held else _WINDOW_SHARES
    fits = [fit for share in shares if (fit := _of_window(ready, one.fit, share)).verdict is Verdict.CONVERGED]
    fits = fits or [one.fit]
    mean = float(np.mean([fit.position_cm1 for fit in fits]))
    scatter = [math.hypot(fit.position_sigma_cm1, fit.position_cm1 - mean) for fit in fits]
    sigma = math.hypot(float(np.mean(scatter)), _SHAPE_SHARE * fits[0].width_cm1)
    fit = replace(fits[0], position_cm1=mean, position_sigma_cm1=sigma)
    return replace(one, candidate=replace(one.candidate, edge_cm1=mean, edge_sigma_cm1=sigma), fit=fit)


def _of_window(ready: _Prepared, known: StepFit, share: float) -> StepFit:
    """The step in a part of its window, or in a wider one; what was left out of it stays out."""
    x, at = known.shift_cm1, known.position_cm1
    left_out = (ready.x >= x[0]) & (ready.x <= x[-1]) & ~np.isin(ready.x, x)
    inside = ready.used & ~left_out & (ready.x >= at - share * (at - x[0])) & (ready.x <= at + share * (x[-1] - at))
    if np.count_nonzero(inside) < _LEAST_FITTED:
        return failed_step()
    return refit(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], known=known)


def _line_preference(ready: _Prepared, dip: _Dip, fit: StepFit, flank_end: float) -> float:
    """Asked of more than the fit's window: a line is known by what it rose from and falls back to."""
    low = min(dip.low, fit.position_cm1 - _LINE_LEAST_CM1[0])
    if math.isfinite(flank_end):  # the band is itself a line
        low = max(low, flank_end)
    if fit.position_cm1 - low < _LINE_LEAST_CM1[1]:
        return math.nan
    high = max(dip.high, fit.position_cm1 + _LINE_LEAST_CM1[1])
    near = ready.used & (ready.x >= low) & (ready.x <= high)
    return line_preference(ready.x[near], ready.y[near], sigma=ready.noise[near], place_cm1=fit.position_cm1)


def _window(ready: _Prepared, dip: _Dip, width: float) -> npt.NDArray[np.bool_]:
    """The points about a dip that its fit takes; none where they are too few."""
    least = max(_WINDOW_CM1[0], _WINDOW_POINTS * float(np.median(np.diff(ready.x))))
    reach = float(np.clip(_WINDOW_WIDTHS * width, least, max(least, _WINDOW_CM1[1])))
    low, high = max(dip.at - reach, dip.low), min(dip.at + reach, dip.high)
    inside = ready.used & (ready.x >= low) & (ready.x <= high)
    enough = np.count_nonzero(inside) >= _LEAST_FITTED and low < dip.at < high
    return inside if enough else np.zeros_like(inside)


def _kind(fit: StepFit, significance: float, contrast: float, preference: float) -> str:
    if preference > 0.0:
        return "line"
    low, high = _WIDTHS_CM1
    if fit.width_held and significance < CERTAIN_SIGMAS:  # a fall between two points is as good as noise
        return "weak"
    if significance < STEP_SIGMAS or contrast < STEP_CONTRAST or not low <= fit.width_cm1 <= high:
        return "weak"
    return "step"


def _judged(
    spectrum: Spectrum,
    ready: _Prepared,
    found: list[FoundStep],
    *,
    band: float,
    near_cm1: float | None,
    hidden: float,
) -> EdgeFit:
    chosen, verdict, reason = chosen_step(found, near_cm1=near_cm1, band=band, hidden_contrast=hidden)
    if chosen is not None:
        before, chosen = chosen, _refined(ready, chosen)
        found = [chosen if one is before else one for one in found]
    fit = failed_step() if chosen is None else chosen.fit
    nothing = math.nan
    return EdgeFit(
        file=spectrum.name,
        verdict=verdict,
        reason=reason,
        edge_cm1=fit.position_cm1,
        edge_sigma_cm1=fit.position_sigma_cm1,
        edge_statistical_cm1=fit.position_statistical_cm1,
        edge_systematic_cm1=spectrum.axis_sigma_cm1,
        width_cm1=fit.width_cm1,
        height=fit.height,
        height_sigma=fit.height_sigma,
        contrast=nothing if chosen is None else chosen.candidate.contrast,
        band_cm1=band,
        ambiguous=verdict is Verdict.AMBIGUOUS,
        candidates=tuple(one.candidate for one in sorted(found, key=lambda one: -one.candidate.edge_cm1)),
        shift_cm1=ready.x,
        observed=spectrum.intensity,
        used=ready.used,
        derivative=ready.slopes[0][0],
        fit_shift_cm1=fit.shift_cm1,
        calculated=fit.calculated,
    )
