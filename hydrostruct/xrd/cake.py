"""An image unrolled: intensity against 2θ and azimuth, and the patterns of azimuthal sectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import Frame
from hydrostruct.xrd.integrate import prepare_frame, ring_sigma, sum_prepared
from hydrostruct.xrd.integrator import Integrator
from hydrostruct.xrd.pattern import Pattern

Floats = npt.NDArray[np.float64]

_MOST_SECTORS = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Cake:
    """One image in polar coordinates."""

    two_theta_deg: Floats
    """Centres of the columns, in degrees, shape (bins,)."""
    azimuth_deg: Floats
    """Centres of the rows, in degrees from -180 to 180, shape (rows,), as pyFAI counts them."""
    intensity: Floats
    """Mean intensity, shape (rows, bins); NaN where no pixel lies."""
    sigma: Floats
    """Standard uncertainty from counting, shape (rows, bins), for images in counts; NaN where no pixel lies."""
    name: str
    """Where the image comes from."""


def integrate_cake(integrator: Integrator, frame: Frame, *, azimuth_bins: int = 360) -> Cake:
    """Unroll an image.

    Parameters
    ----------
    integrator : Integrator
        Its bins are the columns, whatever its splitting and clipping: each pixel goes to one cell.
    frame : Frame
        Of the integrator's shape.
    azimuth_bins : int
        Number of rows, 1 to 3600.

    Returns
    -------
    Cake
        With NaN where the detector does not reach.

    Raises
    ------
    InputError
        When the frame has another shape or no usable pixel, or the number is out of range.
    """
    _check_number(azimuth_bins, "azimuth_bins")
    prepared = prepare_frame(integrator, frame)
    bins = integrator.two_theta_deg.size
    row = np.minimum(((integrator.azimuth_deg + 180.0) / 360.0 * azimuth_bins).astype(np.intp), azimuth_bins - 1)
    used = (prepared.norm > 0) & (integrator.ring >= 0)
    cell = (row * bins + integrator.ring)[used]
    signal, norm = (
        np.bincount(cell, weights=values[used], minlength=azimuth_bins * bins).reshape(azimuth_bins, bins)
        for values in (prepared.signal, prepared.norm)
    )
    extra = np.zeros_like(norm)
    if integrator.subtracted_variance is not None:
        extra = np.bincount(cell, weights=integrator.subtracted_variance[used], minlength=norm.size).reshape(norm.shape)
    filled = norm > 0
    intensity = np.divide(signal, norm, out=np.full(norm.shape, np.nan), where=filled)
    variance = np.maximum(signal, 1.0) + extra
    sigma = np.divide(np.sqrt(variance), norm, out=np.full(norm.shape, np.nan), where=filled)
    azimuth = -180.0 + 360.0 * (np.arange(azimuth_bins) + 0.5) / azimuth_bins
    for array in (intensity, sigma, azimuth):
        array.setflags(write=False)
    return Cake(
        two_theta_deg=integrator.two_theta_deg,
        azimuth_deg=azimuth,
        intensity=intensity,
        sigma=sigma,
        name=frame.source,
    )


def integrate_sectors(integrator: Integrator, frame: Frame, *, sectors: int = 8) -> tuple[Pattern, ...]:
    """Patterns of equal azimuthal sectors, without clipping.

    Parameters
    ----------
    integrator : Integrator
        Bins, splitting and origin of sigma.
    frame : Frame
        Of the integrator's shape.
    sectors : int
        How many, from -180° on, 1 to 3600.

    Returns
    -------
    tuple of Pattern
        One for each sector that holds a usable pixel, its azimuths in the name.

    Raises
    ------
    InputError
        When the frame has another shape or no usable pixel, or the number is out of range.
    """
    _check_number(sectors, "sectors")
    prepared = prepare_frame(integrator, frame)
    place = np.minimum(((integrator.azimuth_deg + 180.0) / 360.0 * sectors).astype(np.intp), sectors - 1)
    patterns = []
    for number in range(sectors):
        sums = sum_prepared(integrator, prepared, only=place == number)
        if not np.any(sums.norm > 0):
            continue
        low, high = (-180.0 + 360.0 * edge / sectors for edge in (number, number + 1))
        patterns.append(
            Pattern(
                two_theta_deg=integrator.two_theta_deg,
                intensity=sums.intensity,
                sigma=ring_sigma(sums, integrator.error),
                wavelength_ang=integrator.geometry.wavelength_ang,
                name=f"{frame.source} (azimuth {low:g} to {high:g}°)",
                sigma_source=integrator.error,
                geometry="transmission",
            )
        )
    return tuple(patterns)


def _check_number(number: int, what: str) -> None:
    if not 1 <= number <= _MOST_SECTORS:
        raise InputError(f"{what}: {number} given. Expected 1 to {_MOST_SECTORS}. 8 or 360 suit most images.")
