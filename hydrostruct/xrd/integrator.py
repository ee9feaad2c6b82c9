"""What all frames of a measurement share, built once a process: bins, masks, corrections, shares of pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.masks import check_mask_shape
from hydrostruct.xrd.optics import (
    Split,
    check_frame_shape,
    detector_gaps,
    open_engine,
    pixel_angles,
    pixel_shares,
    pixel_weights,
)
from hydrostruct.xrd.spottiness import SECTORS, sector_matrix

Floats = npt.NDArray[np.float64]
ErrorModel = Literal["azimuthal", "poisson"]
Clip = Literal["none", "sigma", "median"]

_SPLITS = ("no", "bbox", "full")
_ERRORS = ("azimuthal", "poisson")
_CLIPS = ("none", "sigma", "median")
_WINDOWS = 20
_MOST_BINS = 100_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Integrator:
    """Everything that the frames of one measurement share, built once a process.

    Notes
    -----
    Bins without splitting are statistically independent, which a fit with weights 1/sigma² needs; with splitting the
    sigma of each bin is right, but neighbours are correlated.
    """

    geometry: Geometry
    """Where the detector stands."""
    shape: tuple[int, int]
    """Rows and columns of the frames."""
    two_theta_deg: Floats
    """Centres of the bins, in degrees, shape (bins,), equally spaced."""
    range_deg: tuple[float, float]
    """Outer limits of the first and the last bin, in degrees."""
    windows_deg: Floats
    """Limits of the twenty windows that clipping and spottiness are reported for, in degrees, shape (21,)."""
    split: Split
    """How pixels are shared between bins."""
    error: ErrorModel
    """Where sigma comes from."""
    clip: Clip
    """What is left out of each ring."""
    polarization: float | None
    """Polarization factor, -1 to 1; None without this correction."""
    saturation: float | None
    """Counts from which a pixel is saturated, where the caller says so."""
    mask_invalid: bool
    """Whether negative and saturated pixels are masked."""
    masked: npt.NDArray[np.bool_]
    """Pixels never used, shape (rows, columns)."""
    norm: Floats
    """Solid angle, polarization and flat field of each pixel, shape (pixels,); 0 where masked."""
    subtracted: Floats | None
    """Dark and background counts to subtract, shape (pixels,)."""
    subtracted_variance: Floats | None
    """Variance of what is subtracted plus the counts it stands for, shape (pixels,)."""
    weights: csr_array
    """Share of each pixel in each bin, shape (bins, pixels)."""
    squares: csr_array
    """The shares squared."""
    sectors: csr_array
    """Which pixels make which sector of which ring, shape (bins * 36, pixels)."""
    ring: npt.NDArray[np.intp]
    """Bin of the centre of each pixel, shape (pixels,); -1 outside."""
    offset: npt.NDArray[np.float32]
    """Distance of the centre of each pixel from that of its bin, in widths of a bin, -0.5 to 0.5, shape (pixels,)."""
    azimuth_deg: Floats
    """Azimuth of each pixel, -180 to 180°, shape (pixels,)."""
    engine: Any
    """The pyFAI integrator."""


def build_integrator(
    geometry: Geometry,
    *,
    shape: tuple[int, int],
    mask: npt.NDArray[np.bool_] | None = None,
    bins: int = 2000,
    two_theta_deg: tuple[float, float] | None = None,
    polarization: float | None = 0.99,
    solid_angle: bool = True,
    split: Split = "no",
    error: ErrorModel = "azimuthal",
    clip: Clip = "none",
    dark: npt.NDArray[Any] | None = None,
    dark_scale: float = 1.0,
    flat: npt.NDArray[Any] | None = None,
    background: npt.NDArray[Any] | None = None,
    background_scale: float = 1.0,
    saturation: float | None = None,
    mask_invalid: bool = True,
) -> Integrator:
    """Build what all frames of a measurement share.

    Parameters
    ----------
    geometry : Geometry
        With a wavelength.
    shape : tuple of int
        Rows and columns of the frames.
    mask : array of bool, shape (rows, columns), optional
        True where a pixel is never used.
    bins : int
        Number of points of the pattern, 2 or more.
    two_theta_deg : tuple of float, optional
        Range, in degrees; all that the detector sees when left out.
    polarization : float or None
        -1 to 1, 0 for an unpolarized beam; None corrects nothing; 0.99 for a synchrotron
        with a horizontal plane of polarization.
    solid_angle : bool
        Correct for the solid angle of a pixel.
    split : {"no", "bbox", "full"}
        Pixels to the bin of their centre, shared by their bounding box, or by their true outline.
    error : {"azimuthal", "poisson"}
        Sigma from the scatter within each ring, or from counting.
    clip : {"none", "sigma", "median"}
        Mean of all pixels, of those within 3 sigma, or of the middle fifth of each ring (40 to 60 %).
    dark, flat, background : array, shape (rows, columns), optional
        Dark and background frames in counts, as measured (the dark is taken off the background too); flat field.
    dark_scale, background_scale : float
        Factors, such as a ratio of exposure times; nothing is scaled unless asked.
    saturation : float, optional
        Counts from which a pixel is saturated; as each frame says when left out.
    mask_invalid : bool
        False keeps negative and saturated pixels, to compare with programs that do; NaN stays masked.

    Returns
    -------
    Integrator
        To be used for every frame.

    Raises
    ------
    InputError
        When an option is out of range, a shape does not fit, or the wavelength is missing.
    """
    check_options(
        geometry,
        bins=bins,
        two_theta_deg=two_theta_deg,
        polarization=polarization,
        split=split,
        error=error,
        clip=clip,
        saturation=saturation,
    )
    check_frame_shape(geometry, shape, where=geometry.name)
    engine = open_engine(geometry, shape)
    masked = _static_mask(engine, shape, mask=mask, flat=flat, dark=dark, background=background)
    norm = _normalisation(engine, shape, solid_angle=solid_angle, polarization=polarization, flat=flat)
    norm[masked.ravel()] = 0.0
    subtracted, variance = _subtracted(
        shape, dark=dark, dark_scale=dark_scale, background=background, background_scale=background_scale
    )
    centres, weights = pixel_shares(engine, shape, bins=bins, two_theta_deg=two_theta_deg, split=split)
    step = (centres[-1] - centres[0]) / (bins - 1)
    limits = (float(centres[0] - step / 2), float(centres[-1] + step / 2))
    ring, offset, azimuth, sectors = _places(engine, shape, limits=limits, bins=bins, used=~masked.ravel())
    windows = np.linspace(*limits, _WINDOWS + 1)
    windows.setflags(write=False)
    return Integrator(
        geometry=geometry,
        shape=shape,
        two_theta_deg=centres,
        range_deg=limits,
        windows_deg=windows,
        split=split,
        error=error,
        clip=clip,
        polarization=polarization,
        saturation=saturation,
        mask_invalid=mask_invalid,
        masked=masked,
        norm=norm,
        subtracted=subtracted,
        subtracted_variance=variance,
        weights=weights,
        squares=weights if split == "no" else weights.power(2),
        sectors=sectors,
        ring=ring,
        offset=offset,
        azimuth_deg=azimuth,
        engine=engine,
    )


def check_options(
    geometry: Geometry,
    *,
    bins: int,
    two_theta_deg: tuple[float, float] | None,
    polarization: float | None,
    split: str,
    error: str,
    clip: str,
    saturation: float | None = None,
) -> None:
    """Refuse options out of range, before any image is read.

    Parameters
    ----------
    geometry : Geometry
        Must have a wavelength.
    bins, two_theta_deg, polarization, split, error, clip, saturation
        As `build_integrator` takes them.

    Raises
    ------
    InputError
        Names the option and what it may be.
    """
    _check_words(split=split, error=error, clip=clip)
    if not math.isfinite(geometry.wavelength_ang):
        raise InputError(
            f"{geometry.name}: no wavelength. Expected 'Wavelength: …' in metres. Add it, or use --wavelength."
        )
    if not 2 <= bins <= _MOST_BINS:
        raise InputError(f"bins: {bins} given. Expected 2 to {_MOST_BINS}. 2000 suits most detectors.")
    if polarization is not None and not -1.0 <= polarization <= 1.0:
        raise InputError(f"polarization: {polarization:g} given. Expected -1 to 1. 0.99 suits a synchrotron.")
    if saturation is not None and not saturation > 0.0:
        raise InputError(f"saturation: {saturation:g} given. Expected counts above 0, such as 1000000.")
    if two_theta_deg is None:
        return
    low, high = two_theta_deg
    if not 0.0 <= low < high <= 180.0:
        hint = f" Reversed? Then give {high:g} {low:g}." if low > high >= 0.0 else ""
        raise InputError(f"range: {low:g} to {high:g} given. Expected two rising angles 2θ, from 0 to 180°.{hint}")


def _check_words(**given: str) -> None:
    for (option, word), known in zip(given.items(), (_SPLITS, _ERRORS, _CLIPS), strict=True):
        if word not in known:
            raise InputError(f"{option}: {word!r} given. Expected {', '.join(known)}. {nearest_name(word, known)}")


def _static_mask(
    engine: Any,
    shape: tuple[int, int],
    *,
    mask: npt.NDArray[np.bool_] | None,
    flat: npt.NDArray[Any] | None,
    dark: npt.NDArray[Any] | None,
    background: npt.NDArray[Any] | None,
) -> npt.NDArray[np.bool_]:
    """Gaps, the mask, and pixels that a correction cannot correct: a flat field of 0, a dark that is NaN."""
    masked = detector_gaps(engine, shape)
    if mask is not None:
        check_mask_shape(mask, shape, where="mask")
        masked |= mask
    if np.all(masked):
        raise InputError("mask: every pixel is masked. Expected pixels with 0, which are used. Is the mask inverted?")
    for where, image, floor in (("flat", flat, 0.0), ("dark", dark, -np.inf), ("background", background, -np.inf)):
        if image is None:
            continue
        check_mask_shape(image, shape, where=where)
        masked |= ~(np.isfinite(image) & (image > floor))
        if np.all(masked):
            wanted = "numbers above 0" if where == "flat" else "numbers"
            raise InputError(f"{where}: it leaves no pixel to use. Expected {wanted}. Check that it is the right file.")
    masked.setflags(write=False)
    return masked


def _normalisation(
    engine: Any, shape: tuple[int, int], *, solid_angle: bool, polarization: float | None, flat: npt.NDArray[Any] | None
) -> Floats:
    norm = pixel_weights(engine, shape, solid_angle=solid_angle, polarization=polarization)
    if flat is not None:
        norm *= np.where(np.isfinite(flat) & (flat > 0), flat, 1.0)
    return norm.ravel()


def _subtracted(
    shape: tuple[int, int],
    *,
    dark: npt.NDArray[Any] | None,
    dark_scale: float,
    background: npt.NDArray[Any] | None,
    background_scale: float,
) -> tuple[Floats | None, Floats | None]:
    """Counts to subtract, D(1 − k) + k B, and the variance this brings: its own, and that of the counts themselves."""
    if dark is None and background is None:
        return None, None
    level, own = np.zeros(shape), np.zeros(shape)
    share = 1.0 if background is None else 1.0 - background_scale
    for image, factor in ((dark, share * dark_scale), (background, background_scale)):
        if image is not None:
            counts = np.nan_to_num(np.asarray(image, dtype=np.float64))
            level += factor * counts
            own += factor**2 * np.maximum(counts, 0.0)
    return level.ravel(), (own + np.maximum(level, 0.0)).ravel()


def _places(
    engine: Any, shape: tuple[int, int], *, limits: tuple[float, float], bins: int, used: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32], Floats, csr_array]:
    two_theta, azimuth = (angle.ravel() for angle in pixel_angles(engine, shape))
    place = (two_theta - limits[0]) / (limits[1] - limits[0]) * bins
    ring = np.floor(place).astype(np.intp)
    offset = (place - ring - 0.5).astype(np.float32)
    ring[(ring < 0) | (ring >= bins)] = -1
    sector = np.minimum(((azimuth + 180.0) / (360.0 / SECTORS)).astype(np.intp), SECTORS - 1)
    return ring, offset, azimuth, sector_matrix(np.where(used, ring, -1), sector, bins=bins)
