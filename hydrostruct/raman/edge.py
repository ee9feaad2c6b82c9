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
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.raman.step import StepFit, failed_step, fit_step, step_guess
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_BAND_CM1 = (1310.0, 1400.0)  # where the top of the first-order band of an anvil lies
_HIGHEST_EDGE_CM1 = 2050.0  # 480 GPa, the end of every scale
_LEAST_POINTS = 40
_SCALES_CM1 = (3.5, 8.0, 14.0)
_WIDE_CM1 = 10.0
_BACKGROUND_CM1 = 90.0
_DIP_SIGMAS, _DIP_PROMINENCE = 4.0, 3.5
_MOST_FITS = 6
_MERGE_CM1 = 5.0
_LEAST_FITTED = 10
_WINDOW_WIDTHS, _WINDOW_CM1 = 4.5, (14.0, 45.0)
_WINDOW_TRIALS = (1.0, 1.7, 2.5)
_STEP_SIGMAS, _SURE_SIGMAS, _CERTAIN_SIGMAS, _MARGINAL_SIGMAS = 5.0, 9.0, 14.0, 3.0
_STEP_CONTRAST, _SMALL_CONTRAST, _SURE_CONTRAST = 0.02, 0.025, 0.035
_HELD_HINT_SIGMAS = 7.0
_HINTS = ((8.0, 0.014), (4.3, _STEP_CONTRAST), (4.1, 0.05))  # the weaker a step, the higher it must seem
_FLANK_WIDTHS = 1.25  # of the band's half width: nearer to its flank a step may be the band's own
_LINE_RISE = 0.6
_LINE_REACH_CM1 = 60.0
_WIDTHS_CM1 = (0.3, 20.0)
_NARROW_CM1 = 1.4
_NEAR_CM1 = 25.0


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
class _Dip:
    """A place where the slope is most negative, with the limits between which it is alone."""

    at: float
    low: float
    high: float
    width: float
    sigmas: float
    ripple: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    candidate: EdgeCandidate
    fit: StepFit


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
    dips = _dips(ready, band)
    found = [
        _flank(dip)
        if near_cm1 is None and number == 0 and dip.at - band < _LINE_REACH_CM1
        else _examine(ready, dip, band_height=band_height)
        for number, dip in enumerate(dips)
    ]
    if range_cm1 is not None:
        found = [one for one in found if range_cm1[0] <= one.candidate.edge_cm1 <= range_cm1[1]]
    return _judged(spectrum, ready, found, band=band, near_cm1=near_cm1)


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
    floor = min(float(np.min(ready.smooth[: top + 1])), float(np.min(ready.smooth[top:])))
    return float(ready.x[top]), float(ready.smooth[top]) - floor


def _dips(ready: _Prepared, band: float) -> list[_Dip]:
    """Where the slope is plainly more negative than about it, above the band's top; the lowest frequency first."""
    lowest = band if math.isfinite(band) else _BAND_CM1[0]
    kept: list[_Dip] = []
    for (slope, error), reach in zip(ready.slopes, _SCALES_CM1, strict=True):
        # a wide window runs the band's flank and what lies next to it together
        start = lowest if reach < _WIDE_CM1 else lowest + _LINE_REACH_CM1
        known = list(kept)
        for dip in _dips_of_scale(ready, slope, error, start):
            merge = max(_MERGE_CM1, reach)
            same = [k for k, other in enumerate(known) if abs(dip.at - other.at) <= merge]
            if not same:
                kept.append(dip)
            for k in same:  # the narrow window says where, the wide one how surely
                kept[k] = replace(kept[k], sigmas=max(kept[k].sigmas, dip.sigmas))
    strongest = sorted(kept, key=lambda dip: -dip.sigmas)[:_MOST_FITS]
    return sorted(strongest, key=lambda dip: dip.at)


def _dips_of_scale(ready: _Prepared, slope: Floats, error: Floats, lowest: float) -> list[_Dip]:
    good = np.flatnonzero(np.isfinite(slope) & (ready.x >= lowest) & (ready.x <= _HIGHEST_EDGE_CM1))
    if good.size < 10:
        return []
    x, fall = ready.x[good], -slope[good]
    reach = max(3, 2 * round(0.5 * _BACKGROUND_CM1 / float(np.median(np.diff(x)))) + 1)
    excess = (fall - median_filter(fall, min(reach, good.size), mode="nearest")) / error[good]
    ripple = max(1.0, 1.4826 * float(np.median(np.abs(excess))))
    places, _ = find_peaks(excess, height=_DIP_SIGMAS * ripple, prominence=_DIP_PROMINENCE * ripple)
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


def _flank(dip: _Dip) -> _Found:
    """The fall next to the band's top: its own flank, which is not fitted unless a hint asks for it."""
    nothing = math.nan
    candidate = EdgeCandidate(
        edge_cm1=dip.at, edge_sigma_cm1=nothing, significance=dip.sigmas, contrast=nothing, width_cm1=nothing,
        kind="band",
    )  # fmt: skip
    return _Found(candidate=candidate, fit=failed_step())


def _examine(ready: _Prepared, dip: _Dip, *, band_height: float) -> _Found:
    """Fit one dip in a window as wide as a first search says."""
    inside = _window(ready, dip, max(dip.width / 2.355, 1.5))
    place, width = dip.at, math.nan
    if np.any(inside):
        place, width = step_guess(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], start_cm1=dip.at)
    fit = failed_step()
    for factor in _WINDOW_TRIALS:  # a noisy step may need more background, or less, before its fit comes to rest
        inside = _window(ready, replace(dip, at=place), factor * max(width, 0.25 * dip.width))
        if np.any(inside) and fit.verdict is not Verdict.CONVERGED:
            given = ready.x[inside], ready.y[inside]
            fit = fit_step(*given, sigma=ready.noise[inside], start_cm1=place)
    known = fit.verdict is Verdict.CONVERGED
    contrast = fit.height / band_height if known and band_height > 0 else 0.0
    kind = _kind(ready, fit, dip.sigmas, contrast) if known else "weak"
    candidate = EdgeCandidate(
        edge_cm1=fit.position_cm1 if known else dip.at,
        edge_sigma_cm1=fit.position_sigma_cm1,
        significance=dip.sigmas,
        contrast=contrast,
        width_cm1=fit.width_cm1,
        kind=kind,
    )
    return _Found(candidate=candidate, fit=fit)


def _window(ready: _Prepared, dip: _Dip, width: float) -> npt.NDArray[np.bool_]:
    """The points about a dip that its fit takes; none where they are too few."""
    reach = float(np.clip(_WINDOW_WIDTHS * width, *_WINDOW_CM1))
    low, high = max(dip.at - reach, dip.low), min(dip.at + reach, dip.high)
    inside = ready.used & (ready.x >= low) & (ready.x <= high)
    enough = np.count_nonzero(inside) >= _LEAST_FITTED and low < dip.at < high
    return inside if enough else np.zeros_like(inside)


def _kind(ready: _Prepared, fit: StepFit, significance: float, contrast: float) -> str:
    rise, fall = _rise_and_fall(ready, fit)
    if rise > _LINE_RISE * fall:
        return "line"
    low, high = _WIDTHS_CM1
    if fit.width_held:  # a fall between two points is as good as noise
        return "weak"
    if significance < _STEP_SIGMAS or contrast < _STEP_CONTRAST or not low <= fit.width_cm1 <= high:
        return "weak"
    return "step"


def _rise_and_fall(ready: _Prepared, fit: StepFit) -> tuple[float, float]:
    """How far the intensity rose on its way to the top of a step, and how far it fell after; 0, 1 for no rise."""
    low = max(fit.position_cm1 - 4.0 * fit.width_cm1 - 5.0, float(fit.shift_cm1[0]))
    near = np.flatnonzero((ready.x >= low) & (ready.x <= fit.position_cm1))
    if near.size < 3:
        return 0.0, 1.0
    top = near[int(np.argmax(ready.smooth[near]))]
    if top == near[0]:
        return 0.0, 1.0
    before = np.flatnonzero((ready.x >= ready.x[top] - _LINE_REACH_CM1) & (ready.x < ready.x[top]))
    higher = np.flatnonzero(ready.smooth[before] > ready.smooth[top])
    stretch = before[higher[-1] + 1 :] if higher.size else before
    if stretch.size == 0:
        return 0.0, 1.0
    bottom = stretch[int(np.argmin(ready.smooth[stretch]))]
    # the lowest of many noisy values lies below the true floor, and a rising background is no line
    chance = 3.0 * float(np.median(ready.noise[stretch])) / math.sqrt(5.0)
    glow = _rise_of_background(ready, fit) * float(ready.x[top] - ready.x[bottom])
    end = min(int(np.searchsorted(ready.x, fit.position_cm1 + 3.0 * fit.width_cm1)), ready.x.size - 1)
    rise = float(ready.smooth[top] - ready.smooth[bottom]) - chance - glow
    return rise, float(ready.smooth[top] - ready.smooth[end])


def _rise_of_background(ready: _Prepared, fit: StepFit) -> float:
    """Slope of the background on the high side, in intensity per cm⁻¹; 0 where it falls or is not measured."""
    start = fit.position_cm1 + 3.0 * fit.width_cm1
    after = ready.used & (ready.x >= start) & (ready.x <= start + _LINE_REACH_CM1)
    if np.count_nonzero(after) < _LEAST_FITTED:
        return 0.0
    return max(0.0, float(np.polyfit(ready.x[after] - start, ready.y[after], 1)[0]))


def _judged(
    spectrum: Spectrum, ready: _Prepared, found: list[_Found], *, band: float, near_cm1: float | None
) -> EdgeFit:
    chosen, verdict, reason = _chosen(found, near_cm1, band=band)
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


def _chosen(found: list[_Found], near: float | None, *, band: float) -> tuple[_Found | None, Verdict, str]:
    """The rule: the highest significant step above the flank of the band."""
    if near is not None:
        return _nearest(found, near)
    steps = sorted((one for one in found if one.candidate.kind == "step"), key=lambda one: one.candidate.edge_cm1)
    if not steps:
        hints = [one for one in found if _is_hint(one)]
        if hints:
            best = max(hints, key=lambda one: one.candidate.significance)
            return best, Verdict.AMBIGUOUS, "Only a weak step stands above the first-order band."
        lost = [one for one in found if one.fit.verdict is not Verdict.CONVERGED and one.candidate.kind != "band"]
        if any(one.candidate.significance >= _STEP_SIGMAS for one in lost):
            place = max(lost, key=lambda one: one.candidate.significance).candidate.edge_cm1
            return None, Verdict.NOT_CONVERGED, f"There is a step near {place:.0f} cm⁻¹; its fit did not come to rest."
        flank = next((one.candidate.edge_cm1 for one in found if one.candidate.kind == "band"), math.nan)
        own = (
            f" The fall at {flank:.1f} cm⁻¹ is the flank of the first-order band: an edge upon it, as below some "
            "15 GPa, cannot be told from it."
            if math.isfinite(flank)
            else ""
        )
        return None, Verdict.ABSENT, f"No step stands above the noise above the first-order band.{own}"
    best = steps[-1]
    doubts = _doubts(best, steps[:-1], found, band=band)
    if doubts:
        return best, Verdict.AMBIGUOUS, " ".join(doubts)
    return best, Verdict.CONVERGED, ""


def _is_hint(one: _Found) -> bool:
    """Whether a weak step is more than a ripple."""
    mine = one.candidate
    if mine.kind != "weak" or one.fit.verdict is not Verdict.CONVERGED:
        return False
    if one.fit.width_held and mine.significance >= _HELD_HINT_SIGMAS:
        return True
    return any(mine.significance >= sigmas and mine.contrast >= contrast for sigmas, contrast in _HINTS)


def _nearest(found: list[_Found], near: float) -> tuple[_Found | None, Verdict, str]:
    known = [
        one for one in found
        if one.fit.verdict is Verdict.CONVERGED and one.candidate.significance >= _STEP_SIGMAS
        and abs(one.candidate.edge_cm1 - near) <= _NEAR_CM1
    ]  # fmt: skip
    if not known:
        return None, Verdict.ABSENT, f"No step stands above the noise within {_NEAR_CM1:g} cm⁻¹ of {near:g}."
    return min(known, key=lambda one: abs(one.candidate.edge_cm1 - near)), Verdict.CONVERGED, ""


def _doubts(best: _Found, lower: list[_Found], found: list[_Found], *, band: float) -> list[str]:
    """Why another candidate could be the edge as well; whole sentences."""
    doubts = []
    mine = best.candidate
    stronger = [one for one in lower if one.fit.height > 2.0 * best.fit.height]
    if stronger and (mine.significance < _SURE_SIGMAS or mine.contrast < _SURE_CONTRAST):
        doubts.append(f"A stronger step lies lower, at {stronger[-1].candidate.edge_cm1:.1f} cm⁻¹.")
    above = [
        one.candidate for one in found
        if one.candidate.edge_cm1 > mine.edge_cm1 and one.candidate.significance >= _MARGINAL_SIGMAS
        and one.candidate.kind == "weak" and one.fit.height > 0.15 * best.fit.height
    ]  # fmt: skip
    if above:
        doubts.append(f"A weak step lies higher, at {above[-1].edge_cm1:.1f} cm⁻¹.")
    surer = [one for one in lower if one.candidate.significance > 2.0 * mine.significance]
    if surer and not stronger and mine.significance < _CERTAIN_SIGMAS:
        doubts.append(f"A surer step lies lower, at {surer[-1].candidate.edge_cm1:.1f} cm⁻¹.")
    flank = next((one.candidate.edge_cm1 for one in found if one.candidate.kind == "band"), math.nan)
    if mine.edge_cm1 - flank < _FLANK_WIDTHS * (flank - band):
        doubts.append("It lies on the flank of the first-order band, which could be it.")
    if mine.significance < _CERTAIN_SIGMAS and mine.width_cm1 < _NARROW_CM1:
        doubts.append(f"The step is {mine.width_cm1:.1f} cm⁻¹ wide, as noise makes one: its place is not sure.")
    if mine.contrast < _SMALL_CONTRAST:
        doubts.append(
            f"The step is only {100 * mine.contrast:.1f} % of the band high: a weak line's flank could be it."
        )
    if mine.significance < _SURE_SIGMAS:
        doubts.append(f"The step is only {mine.significance:.1f} standard deviations high: its place is not sure.")
    return doubts
