"""What clipping removed: in a diamond anvil cell the spots may be the sample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_DANGER = 0.2
_BASE_PERCENT = 10.0
_CERTAIN_SIGMAS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipReport:
    """What clipping took from a pattern, for each window in 2θ and in all."""

    method: str
    """``sigma`` or ``median``."""
    edges_deg: Floats
    """Limits of the windows in 2θ, in degrees, shape (windows + 1,)."""
    pixels_removed: Floats
    """Fraction of the pixels that clipping left out, shape (windows,); 0 to 1, NaN in a window without pixels."""
    intensity_removed: Floats
    """Fraction of all intensity that is gone, shape (windows,)."""
    peaks_removed: Floats
    """Fraction of the intensity above the window's lower decile that is gone, shape (windows,); NaN without peaks."""
    pixels_removed_total: float
    """Fraction of all pixels in the pattern."""
    intensity_removed_total: float
    """Fraction of the intensity of the whole pattern."""
    peaks_removed_total: float
    """Fraction of the intensity above the lower deciles, over the windows that have peaks; NaN when none has."""


def report_clipping(
    method: str,
    edges_deg: Floats,
    *,
    two_theta_deg: Floats,
    plain: Floats,
    plain_sigma: Floats,
    clipped: Floats,
    pixels: Floats,
    kept: Floats,
) -> ClipReport:
    """Compare a clipped pattern with the plain mean.

    Parameters
    ----------
    method : str
        The name of the clipping.
    edges_deg : array, shape (windows + 1,)
        Limits of the windows in 2θ, in degrees.
    two_theta_deg, plain, plain_sigma, clipped : array, shape (bins,)
        Axis in degrees, mean of all pixels with its sigma, mean of those that clipping kept; NaN where empty.
    pixels, kept : array, shape (bins,)
        Pixels before and after.

    Returns
    -------
    ClipReport
        Fractions; negative when clipping raised the intensity.
    """
    count = edges_deg.size - 1
    window = np.clip(np.searchsorted(edges_deg, two_theta_deg, side="right") - 1, 0, count - 1)
    good = np.isfinite(plain) & (pixels > 0)
    lost_pixels, all_pixels = (_add(window, part, good, count) for part in (pixels - kept, pixels))
    taken = plain - np.where(np.isfinite(clipped), clipped, 0.0)
    lost, total = _add(window, taken, good, count), _add(window, plain, good, count)
    above = _above_base(window, plain, good=good, count=count)
    peaks = _add(window, above, good, count)
    spread = np.sqrt(_add(window, plain_sigma**2, good, count))
    has_peaks = (peaks > _CERTAIN_SIGMAS * spread) & (peaks > 0)
    peaks_total = float(peaks[has_peaks].sum())
    return ClipReport(
        method=method,
        edges_deg=edges_deg,
        pixels_removed=_fraction(lost_pixels, all_pixels),
        intensity_removed=_fraction(lost, total),
        peaks_removed=_fraction(lost, np.where(has_peaks, peaks, 0.0)),
        pixels_removed_total=_total(lost_pixels.sum(), all_pixels.sum()),
        intensity_removed_total=_total(lost.sum(), total.sum()),
        peaks_removed_total=_total(lost[has_peaks].sum(), peaks_total),
    )


def clipping_note(report: ClipReport) -> str:
    """A sentence when clipping took a good part of the peaks.

    Parameters
    ----------
    report : ClipReport
        From `report_clipping`.

    Returns
    -------
    str
        Empty when no window lost more than a fifth of what stands above its background.
    """
    if not np.any(np.nan_to_num(report.peaks_removed) > _DANGER):
        return ""
    worst = int(np.nanargmax(report.peaks_removed))
    low, high = report.edges_deg[worst : worst + 2]
    percent = min(100.0, 100.0 * report.peaks_removed[worst])
    return (
        f"Clipping removed {percent:.0f} % of the peaks between {low:.2f} and {high:.2f}°: spots may be the sample. "
        "Compare with --clip none."
    )


def _above_base(window: npt.NDArray[np.intp], plain: Floats, *, good: npt.NDArray[np.bool_], count: int) -> Floats:
    above = np.zeros(plain.size)
    for number in range(count):
        here = good & (window == number)
        if np.any(here):
            above[here] = np.maximum(plain[here] - np.percentile(plain[here], _BASE_PERCENT), 0.0)
    return above


def _add(window: npt.NDArray[np.intp], values: Floats, good: npt.NDArray[np.bool_], count: int) -> Floats:
    return np.asarray(np.bincount(window[good], weights=values[good], minlength=count), dtype=np.float64)


def _fraction(part: Floats, whole: Floats) -> Floats:
    result: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    result.setflags(write=False)
    return result


def _total(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole > 0 else math.nan
