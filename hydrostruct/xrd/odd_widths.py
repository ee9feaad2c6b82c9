"""What has not the width of a line: spikes of one or two points, and humps many times as wide as the lines.

A spot that no mask took away is as wide as a pixel or two, a gasket whose grains are small or strained many times as
wide as the lines of the sample. Neither is a line of a phase whose lines are not of that width, and a search for cells
that scores them as such, or a fit that lays single peaks over them, is led astray. Their points take no part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

from hydrostruct.xrd.first_look import above_background, find_peaks, noise_scale
from hydrostruct.xrd.model import FitData, without_points

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SPIKE_SIGMA, _HUMP_SIGMA = 10.0, 5.0
_NEAR_THE_FOOT = 0.9  # where a Gaussian is 1.8 times as wide as at half of its height
_NARROWEST, _WIDEST, _NARROWER = 3.2, 6.5, 0.9  # points, points, full widths of lines
_MOST_OF_HEIGHT = 0.5
_TIMES_WIDER = 6.0
_FEWEST_LINES = 3
_NEIGHBOURS, _BESIDE = 15, 4
_MOST_ON_LINES, _MUCH_HIGHER = 0.5, 8.0
_FOOT_WITHIN = 15  # points: a spike on a line has its foot on the line
_SMOOTH_POINTS = 1.5
_WIDEST_HUMP, _MOST_OF_RANGE = 30.0, 0.12  # in widths of lines, and of the range: what is wider is background
_FOOT_SIGMA, _FOOT = 2.0, 0.02
_PART_OF_LINES, _LEAST_LINE = 0.3, 0.02
_MOST_PART = 0.25
_DENSE_FWHM = 4.0
_SHOWN = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class OddWidths:
    """Points of a pattern that belong to something that has not the width of its lines."""

    spikes: Bools
    """Those of spikes, shape (n,)."""
    humps: Bools
    """Those of humps, shape (n,)."""
    spikes_deg: Floats
    """Tops of the spikes, in degrees, shape (spikes,)."""
    humps_deg: Floats
    """First and last angle of each hump, in degrees, shape (humps, 2)."""
    in_humps_deg: Floats
    """Tops of what stands out where the humps are, in degrees, shape (tops,): lines, or the humps themselves."""
    width_deg: float
    """Typical full width of a line at half maximum, in degrees; not finite where there are no humps."""

    def foreign_to(self, lines_deg: Floats) -> Floats:
        """Give what was left out though no line is near it.

        Parameters
        ----------
        lines_deg : array, shape (lines,)
            Where the lines of the phases are, in degrees.

        Returns
        -------
        array, shape (tops,)
            Spikes, and what stands out of a hump farther than a width from any line, in degrees.
        """
        apart = np.abs(self.in_humps_deg[:, None] - lines_deg).min(axis=1, initial=np.inf)
        return np.concatenate((self.spikes_deg, self.in_humps_deg[apart > self.width_deg]))

    def without_humps(self) -> OddWidths:
        """The spikes alone."""
        nothing = np.empty(0)
        return replace(self, humps=np.zeros_like(self.humps), humps_deg=nothing.reshape(0, 2), in_humps_deg=nothing)

    @property
    def points(self) -> Bools:
        """All of them, shape (n,)."""
        return np.asarray(self.spikes | self.humps)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in words; none where nothing was."""
        found = []
        if self.spikes_deg.size:
            shown = ", ".join(f"{angle:.2f}°" for angle in self.spikes_deg[:_SHOWN])
            found.append(
                f"{self.spikes_deg.size} spike(s) narrower than any line were left out: {shown}"
                f"{' …' if self.spikes_deg.size > _SHOWN else ''}. Mask the spots in the image."
            )
        for low, high in self.humps_deg:
            found.append(
                f"{low:.2f} to {high:.2f}° was left out, with the lines that lie there: something stands there that is "
                "many times as wide as the lines (gasket, glass)."
            )
        return tuple(found)


def odd_widths(data: FitData, lines_deg: Floats) -> OddWidths:
    """Find what is far narrower or far wider than the lines of a pattern.

    Parameters
    ----------
    data : FitData
        The pattern.
    lines_deg : array, shape (lines,)
        About where the lines of the phases are, in degrees: where they lie closer than four of their widths they may
        add up to a hump, and none is looked for.

    Returns
    -------
    OddWidths
        Spikes stand ten standard deviations above the points beside them, and are half as wide as the lines, of which
        there must be three, and no wider than six points. No more than half of them may stand on lines that are not
        much lower, which may have narrow tops. Humps stay when everything narrower than six lines is taken off, are
        five standard deviations high, and three tenths of the lines' height. Humps are left alone when they make up
        more than a quarter of the pattern.
    """
    spikes, tops = _spikes(data)
    clean = without_points(data, spikes) if tops.size else data
    humps = _humps(clean, lines_deg)
    on_hump = np.zeros_like(spikes)
    on_hump[np.flatnonzero(~spikes)[humps.points]] = True
    return OddWidths(
        spikes=spikes,
        humps=on_hump,
        spikes_deg=tops,
        humps_deg=humps.limits_deg,
        in_humps_deg=humps.tops_deg,
        width_deg=humps.width_deg,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Humps:
    """Their points, shape (n,), limits, shape (humps, 2), what stands out there, and how wide a line is."""

    points: Bools
    limits_deg: Floats
    tops_deg: Floats
    width_deg: float


def _spikes(data: FitData) -> tuple[Bools, Floats]:
    """Points of the spikes, shape (n,), and their tops in degrees; none where lines may be as narrow."""
    none = np.zeros(data.position.size, dtype=np.bool_), np.empty(0)
    sigma = noise_scale(data) * ndimage.median_filter(1.0 / np.sqrt(data.weight), _NEIGHBOURS)
    top, found = signal.find_peaks(data.intensity, prominence=_SPIKE_SIGMA * sigma, wlen=_FOOT_WITHIN)
    known = (found["prominences"], found["left_bases"], found["right_bases"])
    at_foot, _, low, high = signal.peak_widths(data.intensity, top, _NEAR_THE_FOOT, known)
    # one line beside another has a foot as narrow as this, if it is but a part of the height
    may_be = (at_foot < _NARROWEST) | (found["prominences"] > _MOST_OF_HEIGHT * above_background(data)[top])
    widest = _NARROWEST
    for _ in range(2):  # the narrowest stand in the way of the lines' width
        is_spike = may_be & (at_foot < widest)
        if not is_spike.any():
            return none
        points = np.zeros_like(none[0])
        for first, last in zip(low[is_spike], high[is_spike], strict=True):
            points[int(np.floor(first)) : int(np.ceil(last)) + 1] = True
        clean = without_points(data, points)
        widest = min(_WIDEST, _NARROWER * _line_points(clean))
        if not widest >= _NARROWEST:
            return none
    tops = data.position[top[is_spike]]
    may_be_tops = _may_be_tops(clean, tops, found["prominences"][is_spike], sigma[~points])
    return none if np.mean(may_be_tops) > _MOST_ON_LINES else (points, tops)


def _line_points(data: FitData) -> float:
    """Typical full width at half maximum of what stands out of a pattern, in points; 0 for fewer than three."""
    peaks = find_peaks(data)
    counts = peaks.prominence > _LEAST_LINE * np.max(peaks.prominence, initial=0.0)
    return float(np.median(peaks.width_deg[counts])) / data.step_deg if counts.sum() >= _FEWEST_LINES else 0.0


def _may_be_tops(clean: FitData, places_deg: Floats, heights: Floats, sigma: Floats) -> Bools:
    """Which spikes stand on something that is not very much lower: lines may have narrow tops."""
    nearest = np.searchsorted(clean.position, places_deg)[:, None] + np.arange(-_BESIDE, _BESIDE)
    nearest = np.clip(nearest, 0, clean.position.size - 1)
    above = above_background(clean)[nearest]
    stands = np.mean(above > _FOOT_SIGMA * sigma[nearest], axis=1) > 0.5
    return np.asarray(stands & (heights < _MUCH_HIGHER * np.median(above, axis=1)))


def _humps(data: FitData, lines_deg: Floats) -> _Humps:
    """Find what stays when everything narrower than some lines is taken off."""
    none = np.zeros(data.position.size, dtype=np.bool_)
    nothing = _Humps(points=none, limits_deg=np.empty((0, 2)), tops_deg=np.empty(0), width_deg=np.nan)
    peaks = find_peaks(data)
    counts = peaks.prominence > _LEAST_LINE * np.max(peaks.prominence, initial=0.0)
    if np.count_nonzero(counts) < _FEWEST_LINES:
        return nothing
    width = float(np.median(peaks.width_deg[counts])) / data.step_deg
    narrow = int(np.ceil(_TIMES_WIDER * width))
    wide = min(int(_WIDEST_HUMP * width), int(_MOST_OF_RANGE * data.position.size))
    if wide <= 2 * narrow:
        return nothing
    smooth = ndimage.gaussian_filter1d(above_background(data), _SMOOTH_POINTS)
    valley = ndimage.grey_opening(smooth, narrow)
    height = valley - ndimage.grey_opening(valley, wide)
    sigma = noise_scale(data) / np.sqrt(data.weight)
    least = np.maximum(_HUMP_SIGMA * sigma, _PART_OF_LINES * float(np.median(peaks.prominence[counts])))
    points, limits = none.copy(), []
    for first, last in _regions(height, sigma, least):
        low, high = max(0, first - int(width)), min(data.position.size - 1, last + int(width))
        inside = np.count_nonzero((lines_deg > data.position[low]) & (lines_deg < data.position[high]))
        if _DENSE_FWHM * width * inside < high - low < wide:
            points[low : high + 1] = True
            limits.append((data.position[low], data.position[high]))
    if not limits or points.mean() > _MOST_PART:
        return nothing
    tops = peaks.position_deg[counts]
    tops = tops[points[np.searchsorted(data.position, tops)]]
    return _Humps(points=points, limits_deg=np.array(limits), tops_deg=np.sort(tops), width_deg=width * data.step_deg)


def _regions(height: Floats, sigma: Floats, least: Floats) -> list[tuple[int, int]]:
    """First and last point of each run that stands up, if its top is high enough, down to its foot."""
    regions = []
    remaining = height.copy()
    while np.any(remaining > least):
        top = int(np.argmax(np.where(remaining > least, remaining, -np.inf)))
        foot = np.maximum(_FOOT_SIGMA * sigma, _FOOT * remaining[top])
        below = np.flatnonzero(remaining <= foot)
        first = int(below[below < top].max(initial=-1)) + 1
        last = int(below[below > top].min(initial=height.size)) - 1
        regions.append((first, last))
        remaining[first : last + 1] = 0.0
    return sorted(regions)
