"""Frame + Integrator → Pattern: the mean of each ring with its honest sigma, and what must be known to trust it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.xrd.clipping import ClipReport, clipping_note, report_clipping
from hydrostruct.xrd.frames import Frame
from hydrostruct.xrd.integrator import ErrorModel, Integrator, build_integrator
from hydrostruct.xrd.masks import check_mask_shape, invalid_pixels
from hydrostruct.xrd.optics import check_frame_shape, clipped_means
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.rings import RingSums, poisson_variance, pooled_sigma, scatter_variance, sum_rings
from hydrostruct.xrd.spottiness import SECTORS, Spottiness, measure_spottiness, no_spottiness, sector_changes

__all__ = [
    "Integration",
    "Integrator",
    "build_integrator",
    "integrate_frame",
    "prepare_frame",
    "ring_sigma",
    "sum_prepared",
]

Floats = npt.NDArray[np.float64]

_MEDIAN_SHARE = 0.2
_MEDIAN_VARIANCE = 1.49
_MAD_TO_SIGMA = 1.4826022


@dataclass(frozen=True, kw_only=True, slots=True)
class Integration:
    """One frame, integrated."""

    pattern: Pattern
    """Intensity against 2θ; NaN in bins without a pixel."""
    counts: Floats
    """Pixels in each bin, shape (bins,); a fraction where pixels are split."""
    spottiness: Spottiness
    """Azimuthal scatter over Poisson."""
    clipped: ClipReport | None
    """What clipping removed; None when nothing was clipped."""
    masked_fraction: float
    """Fraction of all pixels that were not used."""
    notes: tuple[str, ...] = ()
    """What a user should know; whole sentences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """The pixels of a frame, corrected and ready to be summed."""

    signal: Floats
    """Counts less dark and background, shape (pixels,); 0 where not used."""
    norm: Floats
    """Weight of each pixel, shape (pixels,); 0 where not used."""


def integrate_frame(integrator: Integrator, frame: Frame) -> Integration:
    """Integrate one frame over rings.

    Parameters
    ----------
    integrator : Integrator
        From `build_integrator`.
    frame : Frame
        Of the integrator's shape.

    Returns
    -------
    Integration
        Pattern with its sigma, and what must be known to trust it.

    Raises
    ------
    InputError
        When the frame has another shape, or no usable pixel.
    """
    prepared = prepare_frame(integrator, frame)
    sums = sum_prepared(integrator, prepared)
    intensity, sigma = sums.intensity, ring_sigma(sums, integrator.error)
    report = None
    if integrator.clip != "none":
        plain, plain_sigma = intensity, sigma
        intensity, sigma, kept = _clip(integrator, prepared, sums)
        report = report_clipping(
            integrator.clip,
            integrator.windows_deg,
            two_theta_deg=integrator.two_theta_deg,
            plain=plain,
            plain_sigma=np.nan_to_num(plain_sigma),
            clipped=intensity,
            pixels=sums.pixels,
            kept=kept,
        )
    in_counts = _is_in_counts(frame)
    spottiness = (
        measure_spottiness(
            integrator.sectors,
            integrator.windows_deg,
            two_theta_deg=integrator.two_theta_deg,
            offset=integrator.offset,
            signal=prepared.signal,
            norm=prepared.norm,
            extra=integrator.subtracted_variance,
        )
        if in_counts
        else no_spottiness(integrator.windows_deg)
    )
    notes = _notes(integrator, report, in_counts=in_counts)
    changes = _sector_changes(integrator, prepared) if integrator.clip == "none" else None
    return Integration(
        pattern=_pattern(integrator, frame, intensity=intensity, sigma=sigma, notes=notes, changes=changes),
        counts=sums.pixels,
        spottiness=spottiness,
        clipped=report,
        masked_fraction=1.0 - np.count_nonzero(prepared.norm) / prepared.norm.size,
        notes=notes,
    )


def prepare_frame(integrator: Integrator, frame: Frame) -> Prepared:
    """Correct the pixels of a frame, and leave out those that cannot be used.

    Parameters
    ----------
    integrator : Integrator
        From `build_integrator`.
    frame : Frame
        Of the integrator's shape.

    Returns
    -------
    Prepared
        Counts and weights of all pixels.

    Raises
    ------
    InputError
        When the frame has another shape, or no usable pixel.
    """
    if frame.image.shape != integrator.shape:
        check_frame_shape(integrator.geometry, frame.image.shape, where=frame.source)
        check_mask_shape(frame.image, integrator.shape, where=frame.source)
    bad = invalid_pixels(frame, saturation=integrator.saturation, mask_negative=integrator.mask_invalid)
    norm = np.where(bad.ravel(), 0.0, integrator.norm)
    if not np.any(norm):
        raise InputError(
            f"{frame.source}: no pixel is left: all are NaN, negative, saturated or masked. Expected an exposed image. "
            "Check the image and the mask."
        )
    raw = np.nan_to_num(frame.image.ravel().astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if integrator.subtracted is not None:
        raw -= integrator.subtracted
    raw[norm == 0] = 0.0
    return Prepared(signal=raw, norm=norm)


def sum_prepared(integrator: Integrator, prepared: Prepared, *, only: npt.NDArray[np.bool_] | None = None) -> RingSums:
    """Sum prepared pixels over the rings.

    Parameters
    ----------
    integrator : Integrator
        From `build_integrator`.
    prepared : Prepared
        From `prepare_frame`.
    only : array of bool, shape (pixels,), optional
        Pixels to use; all when left out.

    Returns
    -------
    RingSums
        For each bin.
    """
    signal, norm = prepared.signal, prepared.norm
    if only is not None:
        signal, norm = np.where(only, signal, 0.0), np.where(only, norm, 0.0)
    return sum_rings(
        integrator.weights, integrator.squares, signal=signal, norm=norm, extra=integrator.subtracted_variance
    )


def ring_sigma(sums: RingSums, error: ErrorModel) -> Floats:
    """Standard uncertainty of the mean of each ring.

    Parameters
    ----------
    sums : RingSums
        Of all pixels.
    error : {"azimuthal", "poisson"}
        From scatter, steadied by neighbouring rings where pixels are few; or from counting.

    Returns
    -------
    array, shape (bins,)
        Above 0; NaN in an empty bin.
    """
    reference = poisson_variance(sums)
    if error == "poisson":
        result: Floats = np.sqrt(reference)
        return result
    variance = scatter_variance(sums, sums.intensity)
    return pooled_sigma(variance, reference=reference, effective_pixels=sums.effective_pixels)


def _clip(integrator: Integrator, prepared: Prepared, sums: RingSums) -> tuple[Floats, Floats, Floats]:
    """Intensity, sigma and pixels of the rings after clipping."""
    intensity, standard_error, kept = _means_after(integrator, prepared.signal, prepared.norm)
    if integrator.clip == "sigma":
        variance = standard_error**2
        reference = poisson_variance(sums) * _over(sums.pixels, kept)
    else:
        variance = _median_variance(integrator, prepared, intensity, sums)
        kept = np.where(kept > 0, _MEDIAN_SHARE * sums.pixels, 0.0)
        reference = poisson_variance(sums) * _MEDIAN_VARIANCE
    empty = (kept <= 0) | (sums.pixels <= 0)
    intensity[empty] = np.nan
    if integrator.error == "poisson":
        return intensity, np.sqrt(reference), kept
    left = np.where(empty, 0.0, np.minimum(kept, sums.effective_pixels))
    return intensity, pooled_sigma(variance, reference=reference, effective_pixels=left), kept


def _over(whole: Floats, part: Floats) -> Floats:
    result: Floats = np.maximum(whole / np.maximum(part, 1e-9), 1.0)
    return result


def _means_after(integrator: Integrator, signal: Floats, norm: Floats) -> tuple[Floats, Floats, Floats]:
    assert integrator.clip != "none"
    return clipped_means(
        integrator.engine,
        np.where(norm > 0, signal, np.nan).reshape(integrator.shape).astype(np.float32),
        weights=np.where(integrator.norm > 0, integrator.norm, 1.0).reshape(integrator.shape).astype(np.float32),
        mask=integrator.masked,
        bins=integrator.two_theta_deg.size,
        range_deg=integrator.range_deg,
        split=integrator.split,
        method=integrator.clip,
    )


def _median_variance(integrator: Integrator, prepared: Prepared, intensity: Floats, sums: RingSums) -> Floats:
    """Variance of the mean of the middle fifth: 1.49 σ²/m for normal scatter; σ from the median deviation of the ring.

    The pixels within the band say nothing of the scatter of the ring: it is asked for again, of the deviations.
    """
    level = np.nan_to_num(intensity)[np.maximum(integrator.ring, 0)]
    deviation = np.where(prepared.norm > 0, np.abs(prepared.signal - level * prepared.norm), 0.0)
    spread = _MAD_TO_SIGMA * _means_after(integrator, deviation, prepared.norm)[0]
    result: Floats = _MEDIAN_VARIANCE * spread**2 / np.maximum(sums.effective_pixels, 1.0)
    return result


def _is_in_counts(frame: Frame) -> bool:
    """Whole numbers are taken for counts; a sample of the pixels decides for images stored as fractions."""
    if frame.image.dtype.kind in "ui":
        return True
    sample = frame.image.ravel()[:: max(1, frame.image.size // 20000)]
    sample = sample[np.isfinite(sample)]
    return bool(sample.size) and bool(np.all(sample == np.rint(sample)))


def _notes(integrator: Integrator, report: ClipReport | None, *, in_counts: bool) -> tuple[str, ...]:
    notes = []
    if not in_counts:
        notes.append(
            "The image is not in whole counts: spottiness is not known, and Poisson uncertainties would be wrong."
        )
    if report is not None:
        notes.append(clipping_note(report))
    if integrator.split != "no":
        notes.append("Pixels are split between bins: neighbouring points are correlated.")
    return tuple(note for note in notes if note)


def _sector_changes(integrator: Integrator, prepared: Prepared) -> npt.NDArray[np.float32]:
    """What leaving out a sector changes; pixels count for the ring of their centre, split or not."""
    shape = (integrator.two_theta_deg.size, SECTORS)
    counted, weight = ((integrator.sectors @ part).reshape(shape) for part in (prepared.signal, prepared.norm))
    return sector_changes(counted, weight)


def _pattern(
    integrator: Integrator,
    frame: Frame,
    *,
    intensity: Floats,
    sigma: Floats,
    notes: tuple[str, ...],
    changes: npt.NDArray[np.float32] | None,
) -> Pattern:
    if not np.any(np.isfinite(intensity)):
        raise InputError(
            f"{frame.source}: no bin holds a usable pixel. Expected some in the range. Check range and mask."
        )
    return Pattern(
        two_theta_deg=integrator.two_theta_deg,
        intensity=intensity,
        sigma=sigma,
        wavelength_ang=integrator.geometry.wavelength_ang,
        name=frame.source,
        sigma_source=integrator.error,
        geometry="transmission",
        notes=notes,
        sector_changes=changes,
    )
