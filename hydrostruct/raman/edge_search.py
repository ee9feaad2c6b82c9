"""Where a spectrum falls: noise, slopes, the first-order band, every dip of the slope, and what noise could hide."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter
from scipy.signal import find_peaks
from scipy.special import erf

from hydrostruct.errors import InputError
from hydrostruct.numerics.local_slope import local_slope
from hydrostruct.numerics.noise import (
    point_noise,
    seen_noise_factor,
    smoothed_noise_factor,
    smoothing_passes,
    spike_mask,
)
from hydrostruct.raman.edge_rule import MEANT_CONTRAST
from hydrostruct.raman.spectrum import Spectrum

Floats = npt.NDArray[np.float64]

_BAND_CM1 = (1310.0, 1400.0)  # where the top of the first-order band of an anvil lies
HIGHEST_EDGE_CM1 = 2050.0  # 480 GPa, the end of every scale
_FLOOR_CM1 = 80.0
_LEAST_POINTS = 40
_SCALES_CM1 = (3.5, 8.0, 14.0)
_WIDE_CM1 = 10.0
_BACKGROUND_CM1 = 90.0
DIP_SIGMAS, NOISY_DIP_SIGMAS, _LESS_PROMINENCE = 4.0, 2.4, 0.5
_NO_BAND = 0.3  # where noise hides a step of this height, what was taken for the band is noise too
_SEEN_SIGMAS = 5.5  # a step of four standard deviations is missed as often as found
_MOST_FITS = 6
_MERGE_CM1 = 5.0
LINE_REACH_CM1 = 60.0
_BLUNT_CM1 = 4.0  # standard deviation of a step: as blunt as measured ones are
_POSSIBLE_SIGMAS = 3.4  # noise does it at one of some forty places in one spectrum of a hundred
_EXCLUDED_SIGMAS = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A spectrum ready for the search: spikes replaced, noise known, slopes at three scales.

    `passes`: how often the data were smoothed; `noise` is that of the data before it.
    """

    x: Floats
    y: Floats
    used: npt.NDArray[np.bool_]
    noise: Floats
    passes: float
    slopes: tuple[tuple[Floats, Floats], ...]
    smooth: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Steepness:
    """How fast the intensity falls, over what is usual about each place, in standard deviations.

    `reach`: half the window, in cm⁻¹.
    """

    reach: float
    x: Floats
    fall: Floats
    error: Floats
    excess: Floats
    ripple: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Dip:
    """A place where the slope is most negative, with the limits between which it is alone.

    `possible`: whether a step of the least height that is meant could lie there, for all that the noise says.
    """

    at: float
    low: float
    high: float
    width: float
    sigmas: float
    ripple: float
    possible: bool = False


def prepare(spectrum: Spectrum) -> Prepared:
    """A spectrum without spikes, its noise and its slopes in windows of three widths."""
    x = spectrum.shift_cm1
    measured = np.isfinite(spectrum.intensity)
    if np.count_nonzero(measured) < _LEAST_POINTS:
        raise InputError(
            f"{spectrum.name or 'spectrum'}: {np.count_nonzero(measured)} points. Expected {_LEAST_POINTS} or more to "
            "find an edge. Measure a wider range."
        )
    filled = np.interp(x, x[measured], spectrum.intensity[measured])
    used = measured & ~spike_mask(filled, noise=_seen_noise(filled))
    y = np.interp(x, x[used], filled[used])
    noise = point_noise(y)
    passes = smoothing_passes(y, noise)
    noise = noise * smoothed_noise_factor(passes)
    spacing = float(np.median(np.diff(x)))
    halves = [max(2, round(reach / spacing)) for reach in _SCALES_CM1]
    smooth = median_filter(np.convolve(np.pad(y, 2, mode="edge"), np.full(5, 0.2), mode="valid"), 3, mode="nearest")
    return Prepared(
        x=x, y=y, used=used, noise=noise, passes=passes, smooth=smooth,
        slopes=tuple(local_slope(x, y, half_width=half, sigma=noise) for half in halves),
    )  # fmt: skip


def _seen_noise(y: Floats) -> Floats:
    """The scatter of the points themselves, be they smoothed."""
    noise = point_noise(y)
    return noise * seen_noise_factor(smoothing_passes(y, noise))


def top_of_band(ready: Prepared) -> tuple[float, float]:
    """Top of the first-order band, and its height above what stands below it; NaN where it is not in the spectrum."""
    inside = np.flatnonzero((ready.x >= _BAND_CM1[0]) & (ready.x <= _BAND_CM1[1]))
    if inside.size < 5:
        return math.nan, float(np.ptp(ready.smooth))
    tops, shape = find_peaks(ready.smooth[inside], prominence=0.0)
    if tops.size == 0:
        return math.nan, float(np.ptp(ready.smooth))
    top = inside[tops[int(np.argmax(shape["prominences"]))]]
    return float(ready.x[top]), float(ready.smooth[top]) - _floor(ready, float(ready.x[top]))


def _floor(ready: Prepared, top: float) -> float:
    """What the band stands on: beside its low flank, where neither plateau nor far fluorescence counts."""
    below = (ready.x >= top - _FLOOR_CM1) & (ready.x <= top)
    above = (ready.x >= top) & (ready.x <= top + _FLOOR_CM1)
    measured = ready.x[0] <= top - 0.5 * _FLOOR_CM1
    return float(np.min(ready.smooth[below if measured else above]))


def far_steepness(ready: Prepared, band: float) -> list[Steepness]:
    """How fast it falls above the band's flank, in every window that the spectrum has room for."""
    lowest = (band if math.isfinite(band) else _BAND_CM1[0]) + LINE_REACH_CM1
    made = [_steepness(ready, number, lowest) for number in range(len(_SCALES_CM1))]
    return [one for one in made if one is not None]


def hidden_contrast(far: list[Steepness], band_height: float) -> float:
    """Height over the band's of a step that is all but surely found, in the best window; 0 without a band."""
    if not band_height > 0:
        return 0.0
    hidden = _SEEN_SIGMAS * min((float(np.median(_unit_contrast(one, band_height))) for one in far), default=0.0)
    return hidden if hidden < _NO_BAND else 0.0


def possible_dip(far: list[Steepness], band_height: float, *, noisy: bool) -> Dip | None:
    """The steepest place where a blunt step of the least height that is meant cannot be excluded; None where it can.

    Asked of the window in which such a step stands out most from the noise. Where `noisy`, no place can be excluded.
    """
    if not (far and band_height > 0):
        return None
    units = [_unit_contrast(one, band_height) / _blunt_response(one.reach) for one in far]
    best = int(np.argmin([np.median(unit) for unit in units]))
    if _SEEN_SIGMAS * float(np.median(units[best])) >= _NO_BAND:
        return None
    steep, sigmas = far[best], far[best].excess / far[best].ripple
    could = (sigmas >= _POSSIBLE_SIGMAS) & ((sigmas + _EXCLUDED_SIGMAS) * units[best] >= MEANT_CONTRAST)
    could = (could | noisy) & (sigmas > 0)
    could[[0, -1]] = False
    if not np.any(could):
        return None
    at = int(np.argmax(np.where(could, sigmas, 0.0)))
    return Dip(
        at=float(steep.x[at]), low=-math.inf, high=math.inf, width=2.355 * _BLUNT_CM1, sigmas=float(sigmas[at]),
        ripple=steep.ripple, possible=True,
    )  # fmt: skip


def with_possible(dips: list[Dip], possible: Dip | None) -> list[Dip]:
    """The dips and one where a step is possible, which may be one of them."""
    if possible is None:
        return dips
    near = [dip for dip in dips if abs(dip.at - possible.at) <= _SCALES_CM1[-1]]
    if near:
        same = max(near, key=lambda dip: dip.sigmas)
        return [replace(dip, possible=True) if dip is same else dip for dip in dips]
    low = max((0.5 * (dip.at + possible.at) for dip in dips if dip.at < possible.at), default=-math.inf)
    high = min((0.5 * (dip.at + possible.at) for dip in dips if dip.at > possible.at), default=math.inf)
    return sorted([*dips, replace(possible, low=low, high=high)], key=lambda dip: dip.at)


def _unit_contrast(steep: Steepness, band_height: float) -> Floats:
    """Height over the band's of a sharp step that is one standard deviation of the slope; shape of `steep.x`."""
    # the slope that `local_slope` finds in the middle of a step is 15/16 of height over half window
    return np.asarray(16.0 / 15.0 * steep.reach * steep.ripple * steep.error / band_height)


def _blunt_response(reach: float) -> float:
    """Slope that a window finds in the middle of a blunt step, over that of a sharp one."""
    t = np.linspace(0.0, 1.0, 101)
    lever = t * (1.0 - t**2)
    return float(lever @ erf(t * reach / (math.sqrt(2.0) * _BLUNT_CM1)) / np.sum(lever))


def dips_of(ready: Prepared, band: float, far: list[Steepness], *, least_sigmas: float) -> list[Dip]:
    """Where the slope is plainly more negative than about it, above the band's top; the lowest frequency first."""
    lowest = band if math.isfinite(band) else _BAND_CM1[0]
    kept: list[Dip] = []
    for number, reach in enumerate(_SCALES_CM1):
        # a wide window runs the band's flank and what lies next to it together
        wide = next((one for one in far if one.reach == reach), None)
        steep = _steepness(ready, number, lowest) if reach < _WIDE_CM1 else wide
        known = list(kept)
        for dip in _dips_of_scale(steep, least_sigmas):
            merge = max(_MERGE_CM1, reach)
            same = [k for k, other in enumerate(known) if abs(dip.at - other.at) <= merge]
            if not same:
                kept.append(dip)
            for k in same:  # the narrow window says where, the wide one how surely
                kept[k] = replace(kept[k], sigmas=max(kept[k].sigmas, dip.sigmas))
    strongest = sorted(kept, key=lambda dip: -dip.sigmas)[:_MOST_FITS]
    return sorted(strongest, key=lambda dip: dip.at)


def _steepness(ready: Prepared, number: int, lowest: float) -> Steepness | None:
    slope, error = ready.slopes[number]
    good = np.flatnonzero(np.isfinite(slope) & (ready.x >= lowest) & (ready.x <= HIGHEST_EDGE_CM1))
    if good.size < 10:
        return None
    x, fall = ready.x[good], -slope[good]
    reach = max(3, 2 * round(0.5 * _BACKGROUND_CM1 / float(np.median(np.diff(x)))) + 1)
    excess = (fall - median_filter(fall, min(reach, good.size), mode="nearest")) / error[good]
    ripple = max(1.0, 1.4826 * float(np.median(np.abs(excess))))
    return Steepness(reach=_SCALES_CM1[number], x=x, fall=fall, error=error[good], excess=excess, ripple=ripple)


def _dips_of_scale(steep: Steepness | None, least_sigmas: float) -> list[Dip]:
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
            Dip(at=float(x[place]), low=float(low), high=float(high), width=float(full),
                 sigmas=float(excess[place] / ripple), ripple=ripple)
        )  # fmt: skip
    return dips


def _saddle(x: Floats, fall: Floats, first: int, second: int) -> float:
    return float(x[first + int(np.argmin(fall[first : second + 1]))])
