"""Spots that stay on the same pixels over a whole map: reflections of the diamonds, and hot pixels.

The sample moves through the beam from point to point, the diamonds do not: what is bright on one pixel at nearly all
points, and only on few pixels of its ring, is no powder of the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import Frame
from hydrostruct.xrd.integrate import prepare_frame
from hydrostruct.xrd.integrator import Integrator

Floats = npt.NDArray[np.float64]

FEWEST_FRAMES = 5
"""With fewer frames a spot of the sample could be at all of them."""
_SHARE = 0.8
_SIGMA = 8.0
_GROWN_PIXELS = 2
_WIDEST_DEG = 15.0
_MOST_OF_A_RING = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class SteadySpots:
    """What stays on the same pixels."""

    mask: npt.NDArray[np.bool_]
    """True where a pixel belongs to such a spot, shape (rows, columns)."""
    spots: int
    """Spots, neighbouring pixels counted as one."""
    kept: int
    """Spots that were not masked, since they stretch along their ring as texture does, or are much of it."""


def steady_spots(integrator: Integrator, frames: Sequence[Frame]) -> SteadySpots:
    """Find the pixels that stand out of their ring at four points in five, or more.

    Parameters
    ----------
    integrator : Integrator
        Of the frames; says which pixel is on which ring.
    frames : sequence of Frame
        Spread over the map, five or more.

    Returns
    -------
    SteadySpots

    Raises
    ------
    InputError
        When there are too few frames, or one has another shape.

    Notes
    -----
    The value that a pixel exceeds at four points in five is compared with the median of its ring, in units of the
    scatter of the ring: above eight it stands out. A ring with texture has a wide scatter, and keeps its arcs; what is
    longer than 15° along the ring, or more than a quarter of a ring, is never masked. Two pixels about each spot go
    with it.
    """
    if len(frames) < FEWEST_FRAMES:
        raise InputError(
            f"steady spots: {len(frames)} images. Expected {FEWEST_FRAMES} or more. Use a mask of your own."
        )
    level = _steady_level(integrator, frames)
    bright = _stands_out(level, integrator.ring, np.bincount(integrator.ring[integrator.ring >= 0]).size)
    labels, count = ndimage.label(bright.reshape(integrator.shape), structure=np.ones((3, 3)))
    long = _long_labels(labels, count, integrator.azimuth_deg.reshape(integrator.shape))
    mask = ndimage.binary_dilation((labels > 0) & ~np.isin(labels, long), iterations=_GROWN_PIXELS)
    mask &= ~_rings_lost(mask.ravel(), integrator).reshape(mask.shape)
    masked = np.unique(labels[mask & (labels > 0)])
    mask.setflags(write=False)
    return SteadySpots(mask=mask, spots=masked.size, kept=count - masked.size)


def _steady_level(integrator: Integrator, frames: Sequence[Frame]) -> Floats:
    """What each pixel exceeds at four points in five, over its weight; NaN where it can never be used.

    A pixel that is saturated is as bright as can be, and does not make the spot less steady.
    """
    stack = np.empty((len(frames), integrator.norm.size), dtype=np.float32)
    for row, frame in zip(stack, frames, strict=True):
        prepared = prepare_frame(integrator, frame)
        saturated = frame.image.ravel() >= frame.saturation if np.isfinite(frame.saturation) else False
        with np.errstate(divide="ignore", invalid="ignore"):
            row[:] = np.where(prepared.norm > 0, prepared.signal / integrator.norm, np.where(saturated, np.inf, np.nan))
    place = int((1 - _SHARE) * len(frames))
    stack[np.isnan(stack)] = -np.inf
    level = np.partition(stack, place, axis=0)[place].astype(np.float64)
    level[np.isneginf(level) | (integrator.norm <= 0)] = np.nan
    return np.asarray(level)


def _stands_out(level: Floats, ring: npt.NDArray[np.intp], rings: int) -> npt.NDArray[np.bool_]:
    """Whether a pixel is far above the median of its ring, by the ring's own scatter and that of counting."""
    used = np.flatnonzero((ring >= 0) & ~np.isnan(level))
    order = used[np.lexsort((level[used], ring[used]))]
    middle, scatter = np.full(rings, np.nan), np.full(rings, np.nan)
    edges = np.searchsorted(ring[order], np.arange(rings + 1))
    for index in range(rings):
        values = level[order[edges[index] : edges[index + 1]]]
        if values.size < 8:
            continue
        middle[index] = np.median(values)
        scatter[index] = 1.4826 * np.median(np.abs(values - middle[index]))
    scatter = np.maximum(scatter, 0.5 * np.sqrt(np.maximum(middle, 1.0)))
    out = np.zeros(level.size, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        out[used] = level[used] > middle[ring[used]] + _SIGMA * scatter[ring[used]]
    return out


def _long_labels(labels: npt.NDArray[np.intp], count: int, azimuth_deg: Floats) -> npt.NDArray[np.intp]:
    """Spots that stretch along the ring as texture does."""
    long = []
    for label, place in enumerate(ndimage.find_objects(labels, max_label=count), 1):
        inside = np.radians(azimuth_deg[place][labels[place] == label])
        middle = np.angle(np.mean(np.exp(1j * inside)))
        away = np.degrees(np.angle(np.exp(1j * (inside - middle))))
        if np.ptp(away) > _WIDEST_DEG and inside.size > 10:
            long.append(label)
    return np.array(long, dtype=np.intp)


def _rings_lost(mask: npt.NDArray[np.bool_], integrator: Integrator) -> npt.NDArray[np.bool_]:
    """Pixels of rings of which the mask would take too much."""
    on = integrator.ring >= 0
    used = on & (integrator.norm > 0)
    rings = int(integrator.ring.max()) + 1
    all_pixels = np.bincount(integrator.ring[used], minlength=rings)
    gone = np.bincount(integrator.ring[used & mask], minlength=rings)
    too_much = gone > _MOST_OF_A_RING * all_pixels
    return on & too_much[np.maximum(integrator.ring, 0)]
