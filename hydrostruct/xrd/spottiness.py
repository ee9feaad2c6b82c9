"""How spotty the rings are: scatter along the rings over that of counting."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from hydrostruct.xrd.rings import share_matrix

Floats = npt.NDArray[np.float64]

SECTORS = 36
"""Sectors in which a ring is cut: ten degrees each."""
_LEAST_SECTORS = 8
_LEAST_COUNTS = 3.0
_NORMAL_QUARTILES = 1.3489795


@dataclass(frozen=True, kw_only=True, slots=True)
class Spottiness:
    """How much more the intensity scatters along the rings than counting alone explains."""

    overall: float
    """Of the whole pattern: 1 for a perfect powder; NaN when the image is not in counts or too weak."""
    edges_deg: Floats
    """Limits of the windows in 2θ, in degrees, shape (windows + 1,)."""
    windows: Floats
    """Of each window, shape (windows,); NaN where there is too little to say."""


def sector_matrix(ring: npt.NDArray[np.intp], sector: npt.NDArray[np.intp], *, bins: int) -> csr_array:
    """Which pixels belong to which sector of which ring.

    Parameters
    ----------
    ring, sector : array of int, shape (pixels,)
        Ring of each pixel (outside 0 to ``bins - 1``: none) and sector, 0 to 35.
    bins : int
        Number of rings.

    Returns
    -------
    sparse array, shape (bins * 36, pixels)
        1 where a pixel belongs.
    """
    inside = np.flatnonzero((ring >= 0) & (ring < bins))
    key = ring[inside] * SECTORS + sector[inside]
    order = inside[np.argsort(key, kind="stable")].astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=bins * SECTORS))]).astype(np.int32)
    return share_matrix(np.ones(order.size), order, starts, pixels=ring.size)


def measure_spottiness(
    matrix: csr_array,
    edges_deg: Floats,
    *,
    two_theta_deg: Floats,
    offset: npt.NDArray[np.float32],
    signal: Floats,
    norm: Floats,
    extra: Floats | None,
) -> Spottiness:
    """Measure how spotty the rings of an image are.

    Parameters
    ----------
    matrix : sparse array, shape (bins * 36, pixels)
        From `sector_matrix`.
    edges_deg : array, shape (windows + 1,)
        Limits of the windows in 2θ, in degrees.
    two_theta_deg : array, shape (bins,)
        Centres of the rings.
    offset : array, shape (pixels,)
        Distance of each pixel from the centre of its ring, in widths of a bin.
    signal, norm : array, shape (pixels,)
        Counts and weights; both 0 where a pixel is not used.
    extra : array, shape (pixels,), optional
        Variance of what was subtracted.

    Returns
    -------
    Spottiness
        Overall and for each window.

    Notes
    -----
    Each ring (bin of 2θ) is cut into 36 sectors. With the ring's level I (the median of its sectors), a sector that
    counts S and is expected to count E = Σ n·(I + I′·offset) has the excess y = (S − E)/Σn with the variance
    v = E/(Σn)². Shadows, texture and strain vary slowly along a ring and are not spots: what counts is the second
    difference of neighbouring sectors, z = (y₋ − 2y + y₊)/√(v₋ + 4v + v₊). The ring's variance is
    V = (quartile distance of its z/1.349)² · ΣE: a few hot pixels or one strong single-crystal spot leave it as it
    is, many grains do not. Spottiness is √(ΣV/ΣE) over the rings of a window: how much larger the scatter of
    ten-degree sectors is than √counts. Perfect powder gives 1 up to some 10⁵ counts a pixel. When sectors
    expect fewer than 3 counts, neighbouring rings are taken together.
    """
    rings = two_theta_deg.size
    shape = (rings, SECTORS)
    counted = (matrix @ signal).reshape(shape)
    weight = (matrix @ norm).reshape(shape)
    added = np.zeros(shape) if extra is None else (matrix @ np.where(norm > 0, extra, 0.0)).reshape(shape)
    level = _ring_level(counted, weight)
    # on the flank of a line it matters where in the bin the pixels of a sector happen to lie
    slope = np.gradient(level)
    expected = level[:, None] * weight + slope[:, None] * (matrix @ (norm * offset)).reshape(shape)
    residual = counted - expected
    expected = np.maximum(expected, 0.0)
    step = _rings_together(expected + added, weight > 0)
    variance, poisson = _ring_variances(*(_together(part, step) for part in (residual, expected + added, weight)))
    centre = _together(two_theta_deg[:, None], step)[:, 0] / _together(np.ones((rings, 1)), step)[:, 0]
    window = np.clip(np.searchsorted(edges_deg, centre, side="right") - 1, 0, edges_deg.size - 2)
    count = edges_deg.size - 1
    top = np.bincount(window, weights=variance, minlength=count)
    bottom = np.bincount(window, weights=poisson, minlength=count)
    windows = np.sqrt(np.divide(top, bottom, out=np.full(count, np.nan), where=bottom > 0))
    overall = math.sqrt(top.sum() / bottom.sum()) if bottom.sum() > 0 else math.nan
    windows.setflags(write=False)
    return Spottiness(overall=overall, edges_deg=edges_deg, windows=windows)


def sector_changes(counted: Floats, weight: Floats) -> npt.NDArray[np.float32]:
    """What leaving out one sector changes the mean of each ring by.

    Parameters
    ----------
    counted, weight : array, shape (rings, sectors)
        Summed counts and summed weights.

    Returns
    -------
    array of float32, shape (sectors, rings)
        0 where the sector, or everything but the sector, saw nothing.

    Examples
    --------
    >>> sector_changes(np.array([[2.0, 4.0]]), np.array([[1.0, 1.0]])).T
    array([[ 1., -1.]], dtype=float32)
    """
    total, all_weight = counted.sum(axis=1, keepdims=True), weight.sum(axis=1, keepdims=True)
    rest = all_weight - weight
    usable = (weight > 0) & (rest > 1e-9 * all_weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = np.where(usable, (total - counted) / rest - total / all_weight, 0.0)
    return np.ascontiguousarray(changes.T, dtype=np.float32)


def no_spottiness(edges_deg: Floats) -> Spottiness:
    """The answer for an image that is not in counts: nothing can be said.

    Parameters
    ----------
    edges_deg : array, shape (windows + 1,)
        Limits of the windows in 2θ, in degrees.

    Returns
    -------
    Spottiness
        NaN throughout.
    """
    windows = np.full(edges_deg.size - 1, np.nan)
    windows.setflags(write=False)
    return Spottiness(overall=math.nan, edges_deg=edges_deg, windows=windows)


def _ring_level(counted: Floats, weight: Floats) -> Floats:
    """Median over the sectors where they count enough for one, else the mean (the median of few counts is biased)."""
    total = weight.sum(axis=1)
    mean = np.divide(counted.sum(axis=1), total, out=np.zeros(total.size), where=total > 0)
    rates = np.sort(np.divide(counted, weight, out=np.full(weight.shape, np.nan), where=weight > 0), axis=1)
    median = np.nan_to_num(_quantile(rates, (weight > 0).sum(axis=1), 0.5))
    sectors = np.maximum((weight > 0).sum(axis=1), 1)
    return np.where(median * total / sectors >= 2.0 * _LEAST_COUNTS, median, mean)


def _rings_together(expected: Floats, used: npt.NDArray[np.bool_]) -> int:
    """How many rings to take together, so that a typical sector expects enough counts: 1, 2, 4, … 64."""
    typical = float(np.median(expected[used])) if np.any(used) else 0.0
    step = 1
    while step < 64 and typical * step < _LEAST_COUNTS:
        step *= 2
    return step


def _together(values: Floats, step: int) -> Floats:
    result: Floats = values if step == 1 else np.add.reduceat(values, np.arange(0, values.shape[0], step), axis=0)
    return result


def _ring_variances(residual: Floats, expected: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Robust variance and Poisson variance of each ring; 0, 0 where there are too few sectors with counts."""
    # sectors of which a gap or the edge leaves a sliver say little and scatter by their edges
    usable = (weight > 0.25 * weight.max(axis=1, keepdims=True, initial=0.0)) & (expected >= _LEAST_COUNTS)
    excess = np.divide(residual, weight, out=np.full(weight.shape, np.nan), where=usable)
    variance = np.divide(expected, weight**2, out=np.full(weight.shape, np.nan), where=usable)
    bend = np.roll(excess, 1, axis=1) - 2.0 * excess + np.roll(excess, -1, axis=1)
    spread = np.roll(variance, 1, axis=1) + 4.0 * variance + np.roll(variance, -1, axis=1)
    z = np.sort(bend / np.sqrt(spread), axis=1)
    number = np.isfinite(z).sum(axis=1)
    width = (_quantile(z, number, 0.75) - _quantile(z, number, 0.25)) / _NORMAL_QUARTILES
    poisson = np.where(number >= _LEAST_SECTORS, np.where(usable, expected, 0.0).sum(axis=1), 0.0)
    return np.nan_to_num(width) ** 2 * poisson, poisson


def _quantile(rows: Floats, number: npt.NDArray[np.intp], level: float) -> Floats:
    """Quantile of each sorted row, of which the first `number` entries count; NaN for none."""
    place = np.maximum(number - 1, 0) * level
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, np.maximum(number - 1, 0))
    index = np.arange(rows.shape[0])
    lower = rows[index, low]
    result: Floats = lower + (place - low) * (rows[index, high] - lower)
    return result
