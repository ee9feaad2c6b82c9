"""A first look at a pattern before any phase: what stands above a smooth background, and how wide its lines are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

from hydrostruct.xrd.kernels import point_scatter
from hydrostruct.xrd.model import FitData

Floats = npt.NDArray[np.float64]

_PEAK_SIGMA = 5.0
_STRONGEST = 12
_SMOOTH_POINTS = 1.5
# what Gaussian smoothing over so many points leaves of white noise: 1/√(2√π · points)
_SMOOTHED_NOISE = 0.434
FILTER_REACH = 1.5
"""A matched filter looks this many widths to each side."""


def above_background(data: FitData) -> Floats:
    """Intensity less a smooth background that runs below the lines.

    Parameters
    ----------
    data : FitData
        The pattern.

    Returns
    -------
    array, shape (n,)
        A Chebyshev background of up to twelve terms is taken off; points above it count ever less.
    """
    few = data.basis[: min(12, len(data.basis))]
    weight = data.weight.copy()
    for _ in range(8):
        weighted = few * weight
        coefficients = np.linalg.lstsq(weighted @ few.T, weighted @ data.intensity, rcond=None)[0]
        above = (data.intensity - few.T @ coefficients) * np.sqrt(data.weight)
        weight = data.weight / (1.0 + np.maximum(above, 0.0) ** 2)
    return np.asarray(data.intensity - few.T @ coefficients)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peaks:
    """Lines of a pattern, whatever made them, the strongest first."""

    position_deg: Floats
    """Tops, in degrees, shape (n,)."""
    prominence: Floats
    """Height over the higher of the two valleys beside it, in units of intensity, shape (n,)."""
    width_deg: Floats
    """Full width at half of the prominence, in degrees, shape (n,)."""
    low_deg: Floats
    """Where it ends on the low side, 2 % of its prominence above the valley, in degrees, shape (n,)."""
    high_deg: Floats
    """Where it ends on the high side, in degrees, shape (n,)."""


def find_peaks(data: FitData) -> Peaks:
    """Find what stands out of a pattern by more than five times its noise, without any model.

    Parameters
    ----------
    data : FitData
        The pattern.

    Returns
    -------
    Peaks
    """
    step = float(np.median(np.diff(data.position)))
    smooth = ndimage.gaussian_filter1d(above_background(data), _SMOOTH_POINTS)
    bend = data.intensity[1:-1] - 0.5 * (data.intensity[:-2] + data.intensity[2:])
    noise = float(np.median(np.abs(bend))) / 0.6745 / np.sqrt(1.5) * _SMOOTHED_NOISE
    top, found = signal.find_peaks(smooth, prominence=max(_PEAK_SIGMA * noise, 1e-12), width=0)
    order = np.argsort(-found["prominences"], kind="stable")
    top = top[order]
    wide = np.sqrt(np.maximum(found["widths"][order] ** 2 - (2.3548 * _SMOOTH_POINTS) ** 2, 4.0))
    _, _, low, high = signal.peak_widths(smooth, top, rel_height=0.98)
    index = np.arange(data.position.size)
    return Peaks(
        position_deg=data.position[top],
        prominence=found["prominences"][order],
        width_deg=wide * step,
        low_deg=np.interp(low, index, data.position),
        high_deg=np.interp(high, index, data.position),
    )


def line_width(data: FitData) -> float:
    """Width of the narrower lines of a pattern: the first quartile of the most prominent ones.

    Parameters
    ----------
    data : FitData
        The pattern.

    Returns
    -------
    float
        Full width at half maximum, in degrees; six points where no line stands out.
    """
    found = find_peaks(data).width_deg[:_STRONGEST]
    if not found.size:
        return 6.0 * float(np.median(np.diff(data.position)))
    return float(np.sort(found)[(found.size - 1) // 4])


def noise_scale(data: FitData) -> float:
    """Point-to-point scatter of the data in units of its sigma: 1 when sigma is right.

    Robust: from the median of how far each point lies from the mean of its neighbours.
    """
    return float(point_scatter(data.intensity, data.weight))
