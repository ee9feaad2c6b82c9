"""Do the rings lie where the geometry says? Which orientation of the detector would fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from hydrostruct.xrd.frames import Frame
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.masks import invalid_pixels
from hydrostruct.xrd.optics import two_theta_map

Floats = npt.NDArray[np.float64]

_BOX_PIXELS = 31
_BLOCKS = 64
_LEAST_EXPLAINED = 0.003
_WORSE_SHARE = 0.75
_WORSE_SIGMAS = 3.5
_TOP_PERCENT = 99.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OrientationReport:
    """How well the rings of an image fit the geometry in each of the four orientations."""

    given: int
    """Orientation of the geometry."""
    best: int
    """Orientation under which the rings are sharpest; the given one when none is convincingly better."""
    explained: dict[int, float]
    """Share of the fine structure of the image that rings explain, 0 to 1, for each orientation."""
    significance: float
    """How convincingly the sharpest is better than the given one, in standard deviations."""
    fits: bool
    """False when another orientation is convincingly better."""
    note: str = ""
    """A sentence when the given orientation does not fit; empty otherwise."""


def check_orientation(
    frame: Frame, geometry: Geometry, *, mask: npt.NDArray[np.bool_] | None = None
) -> OrientationReport:
    """Compare how sharp the rings of an image are under the four orientations of a detector.

    Parameters
    ----------
    frame : Frame
        An image with rings; without any, or with the beam in the middle, nothing is claimed.
    geometry : Geometry
        With the orientation in question.
    mask : array of bool, shape (rows, columns), optional
        True where a pixel is not used.

    Returns
    -------
    OrientationReport
        With a sentence when another orientation fits better.

    Notes
    -----
    Counts are made to scatter alike (square root), the strongest 1 % is cut to the level of the next, and a running
    mean of 31 pixels is subtracted, so that shadows and a crooked background have no say. What is left is explained
    by rings, bins of 2θ as wide as 1.5 pixels, to the share 1 − Σ(y − ȳ)²/Σy², less what as many bins explain by
    chance. Two orientations are compared in each of 64 blocks of the detector: the better one must win in far more
    of them than chance would give (sign test), and explain a third more.
    """
    usable = ~invalid_pixels(frame)
    if mask is not None and mask.shape == usable.shape:
        usable &= ~mask
    texture = _fine_texture(frame.image, usable)
    block = _blocks(usable.shape)[usable]
    misfit, explained = {}, {}
    total = float(np.sum(texture**2))
    for orientation in (1, 2, 3, 4):
        angle = two_theta_map(replace(geometry, orientation=orientation), usable.shape)[usable]
        residual, bins = _ring_residual(texture, angle, size=max(usable.shape))
        misfit[orientation] = np.asarray(np.bincount(block, weights=residual**2, minlength=_BLOCKS), dtype=np.float64)
        chance = 1.0 - bins / max(texture.size, bins + 1)
        share = 1.0 - float(misfit[orientation].sum()) / (chance * total) if total > 0 else 0.0
        explained[orientation] = max(share, 0.0)
    return _judge(geometry, misfit, explained)


def _judge(geometry: Geometry, misfit: dict[int, Floats], explained: dict[int, float]) -> OrientationReport:
    given = geometry.orientation
    best = max(explained, key=lambda orientation: (explained[orientation], orientation == given))
    gain = misfit[given] - misfit[best]
    moved = np.count_nonzero(gain)
    significance = float(np.sum(np.sign(gain))) / math.sqrt(moved) if moved else 0.0
    worse = (
        explained[best] > _LEAST_EXPLAINED
        and explained[given] < _WORSE_SHARE * explained[best]
        and significance > _WORSE_SIGMAS
    )
    note = (
        f"{geometry.name}: rings lie off under orientation {given}; orientation {best} would fit (rings explain "
        f"{100 * explained[best]:.1f} % instead of {100 * explained[given]:.1f} % of the fine structure). "
        f"Use --orientation {best}."
    )
    return OrientationReport(
        given=given,
        best=best if worse else given,
        explained=explained,
        significance=significance,
        fits=not worse,
        note=note if worse else "",
    )


def _fine_texture(image: npt.NDArray[np.generic], usable: npt.NDArray[np.bool_]) -> Floats:
    """Stabilised counts of the usable pixels less their surroundings; strong spots cut down to the rest."""
    values = np.sqrt(np.maximum(np.where(usable, image, 0).astype(np.float64), 0.0))
    smooth = _running_mean(values, usable)
    fine = (values - smooth)[usable]
    if fine.size == 0:
        return fine
    low, high = np.percentile(fine, [100.0 - _TOP_PERCENT, _TOP_PERCENT])
    fine = np.clip(fine, low, high)
    result: Floats = fine - fine.mean()
    return result


def _running_mean(values: Floats, usable: npt.NDArray[np.bool_]) -> Floats:
    top = uniform_filter(np.where(usable, values, 0.0), _BOX_PIXELS, mode="constant")
    bottom = uniform_filter(usable.astype(np.float64), _BOX_PIXELS, mode="constant")
    result: Floats = np.divide(top, bottom, out=np.zeros(values.shape), where=bottom > 1e-9)
    return result


def _blocks(shape: tuple[int, int]) -> npt.NDArray[np.intp]:
    """Eight by eight blocks of the detector, numbered."""
    row = np.minimum(np.arange(shape[0]) * 8 // shape[0], 7)
    column = np.minimum(np.arange(shape[1]) * 8 // shape[1], 7)
    return (row[:, None] * 8 + column[None, :]).astype(np.intp)


def _ring_residual(texture: Floats, angle: Floats, *, size: int) -> tuple[Floats, int]:
    if texture.size == 0:
        return texture, 0
    bins = max(int(size / 1.5), 2)
    low, high = float(angle.min()), float(angle.max())
    ring = np.minimum(((angle - low) / max(high - low, 1e-12) * bins).astype(np.intp), bins - 1)
    count = np.bincount(ring, minlength=bins)
    mean = np.bincount(ring, weights=texture, minlength=bins) / np.maximum(count, 1)
    return texture - mean[ring], int(np.count_nonzero(count))
