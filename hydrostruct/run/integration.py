"""One image of a run → its pattern: what an executor carries to a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import FrameSource, read_frame, read_image
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.integrate import Integration, Integrator, build_integrator, integrate_frame
from hydrostruct.xrd.integrator import Clip, ErrorModel
from hydrostruct.xrd.masks import check_mask_shape, read_mask
from hydrostruct.xrd.optics import Split, check_frame_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegrationPlan:
    """How the images of a run are integrated; the same plan builds the same integrator in every process."""

    geometry: Geometry
    """Where the detector stands."""
    masks: tuple[str, ...]
    """Mask files, combined."""
    dark: str | None
    """Dark image."""
    flat: str | None
    """Flat image."""
    background: str | None
    """Image to take off."""
    bins: int
    """Points of a pattern."""
    polarization: float
    """Polarization factor."""
    clip: Clip
    """Clipping."""
    split: Split
    """Pixel splitting."""
    error: ErrorModel
    """Where sigma comes from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageJob:
    """One frame to integrate."""

    source: FrameSource
    """The file."""
    index: int
    """Frame in it, from 1."""
    plan: IntegrationPlan
    """How."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageAnswer:
    """What became of one frame."""

    integration: Integration | None = None
    """The pattern; None when the frame cannot be read."""
    exposure_s: float = float("nan")
    """Exposure time, in s."""
    x_um: float = float("nan")
    """Stage position from the header, in µm."""
    y_um: float = float("nan")
    """Stage position from the header, in µm."""
    reason: str = ""
    """Why the frame cannot be read."""


def integrate_image(job: ImageJob) -> ImageAnswer:
    """Read and integrate one frame; a frame that cannot be read gives a reason, not an error."""
    try:
        frame = read_frame(job.source, index=job.index)
        rows, columns = frame.image.shape
        integrator = _integrator(job.plan, (rows, columns))
        return ImageAnswer(
            integration=integrate_frame(integrator, frame),
            exposure_s=frame.exposure_s,
            x_um=frame.x_um,
            y_um=frame.y_um,
        )
    except InputError as error:
        return ImageAnswer(reason=str(error))


def check_plan(plan: IntegrationPlan, shape: tuple[int, int], *, where: str) -> None:
    """Refuse what would fail for every image: a geometry, mask or correction of another shape.

    Parameters
    ----------
    plan : IntegrationPlan
        How the images are integrated.
    shape : (rows, columns)
        Of the first image.
    where : str
        The first image, for the message.

    Raises
    ------
    InputError
        Names the file that does not fit.
    """
    check_frame_shape(plan.geometry, shape, where=where)
    _integrator(plan, shape)


# One integrator for each process: its tables take longer to make than an image takes to integrate.
@lru_cache(maxsize=4)
def _integrator(plan: IntegrationPlan, shape: tuple[int, int]) -> Integrator:
    images: dict[str, Any] = {}
    for what in ("dark", "flat", "background"):
        name = getattr(plan, what)
        if name is not None:
            images[what] = read_image(name)
            check_mask_shape(images[what], shape, where=name)
    mask = None
    for name in plan.masks:
        one = read_mask(Path(name), shape=shape)
        mask = one if mask is None else np.logical_or(mask, one)
    return build_integrator(
        plan.geometry,
        shape=shape,
        mask=mask,
        bins=plan.bins,
        polarization=plan.polarization,
        clip=plan.clip,
        split=plan.split,
        error=plan.error,
        **images,
    )
