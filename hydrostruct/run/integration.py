"""One image of a run → its pattern: what an executor carries to a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import FrameSource, read_frame, read_image
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.integrate import Integration, Integrator, build_integrator, integrate_frame, prepare_frame
from hydrostruct.xrd.integrator import Clip, ErrorModel
from hydrostruct.xrd.masks import check_mask_shape, read_mask
from hydrostruct.xrd.optics import Split, check_frame_shape
from hydrostruct.xrd.pattern import Pattern, read_pattern
from hydrostruct.xrd.scaling import scaled_pattern, without_background
from hydrostruct.xrd.steady_spots import FEWEST_FRAMES, SteadySpots, steady_spots

_MOST_FRAMES = 16


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
    background_pattern: str | None
    """Pattern to take off, of the same beam."""
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
    scale: float = 1.0
    """What its pattern is multiplied by, for the incident intensity."""


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
        integration = integrate_frame(integrator, frame)
        return ImageAnswer(
            integration=replace(integration, pattern=_corrected(integration.pattern, job)),
            exposure_s=frame.exposure_s,
            x_um=frame.x_um,
            y_um=frame.y_um,
        )
    except InputError as error:
        return ImageAnswer(reason=str(error))


def _corrected(pattern: Pattern, job: ImageJob) -> Pattern:
    name = job.plan.background_pattern
    if name is not None:
        pattern = without_background(pattern, _read_background(name, pattern.wavelength_ang))
    return pattern if job.scale == 1.0 else scaled_pattern(pattern, job.scale)


@lru_cache(maxsize=4)
def _read_background(name: str, wavelength_ang: float) -> Pattern:
    return read_pattern(name, wavelength_ang=wavelength_ang, geometry="transmission")


def find_steady_spots(sources: Sequence[tuple[FrameSource, int]], plan: IntegrationPlan) -> SteadySpots | None:
    """Spots that stay on the same pixels over a map, from at most sixteen images spread over it.

    Parameters
    ----------
    sources : sequence of (FrameSource, index)
        All images of the run; those that cannot be read are passed over.
    plan : IntegrationPlan
        How they are integrated.

    Returns
    -------
    SteadySpots or None
        None when fewer than five images can be read.
    """
    picked = np.unique(np.linspace(0, len(sources) - 1, _MOST_FRAMES).round().astype(int))
    frames = []
    for number in picked:
        source, index = sources[number]
        try:
            frame = read_frame(source, index=index)
            integrator = _integrator(plan, (frame.image.shape[0], frame.image.shape[1]))
            prepare_frame(integrator, frame)
        except InputError:  # its own point is flagged for it
            continue
        frames.append((integrator, frame))
    if len({id(integrator) for integrator, _ in frames}) != 1 or len(frames) < FEWEST_FRAMES:
        return None
    return steady_spots(frames[0][0], [frame for _, frame in frames])


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
    if plan.background_pattern is not None:
        _read_background(plan.background_pattern, plan.geometry.wavelength_ang)


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
