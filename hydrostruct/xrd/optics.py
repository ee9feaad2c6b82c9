"""The door to pyFAI: detectors, angles and corrections of pixels, their shares in bins, clipped means."""

from __future__ import annotations

import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.rings import share_matrix

Floats = npt.NDArray[np.float64]
Split = Literal["no", "bbox", "full"]

_CLIP_SIGMAS = 3.0
_CLIP_ROUNDS = 10
_MEDIAN_BAND = (40.0, 60.0)


def open_engine(geometry: Geometry, shape: tuple[int, int]) -> Any:
    """The pyFAI integrator of a geometry.

    Parameters
    ----------
    geometry : Geometry
        Where the detector stands.
    shape : tuple of int
        Rows and columns of the frames.

    Returns
    -------
    pyFAI.integrator.azimuthal.AzimuthalIntegrator
        For the functions of this room; nothing else looks into it.
    """
    with _quiet():
        from pyFAI.detectors import Detector
        from pyFAI.integrator.azimuthal import AzimuthalIntegrator

        if geometry.detector:
            detector = _named_detector(geometry)
        else:
            detector = Detector(geometry.pixel1_m, geometry.pixel2_m, max_shape=shape, orientation=geometry.orientation)
        return AzimuthalIntegrator(
            geometry.distance_m,
            geometry.poni1_m,
            geometry.poni2_m,
            geometry.rot1_rad,
            geometry.rot2_rad,
            geometry.rot3_rad,
            detector=detector,
            wavelength=geometry.wavelength_ang * 1e-10 if math.isfinite(geometry.wavelength_ang) else None,
        )


def check_frame_shape(geometry: Geometry, shape: tuple[int, ...], *, where: str) -> None:
    """Refuse frames of another shape than the detector of the geometry.

    Parameters
    ----------
    geometry : Geometry
        Names a detector or a shape, or neither: then everything fits.
    shape : tuple of int
        Rows and columns of the frames.
    where : str
        For the message.

    Raises
    ------
    InputError
        When the shapes differ; names the turned shape or the detectors that would fit.
    """
    expected = geometry.shape
    if geometry.detector:
        with _quiet():
            named = _named_detector(geometry).shape
        expected = tuple(named) if named else expected
    if expected is None or tuple(shape) == tuple(expected):
        return
    what = f"{geometry.detector or 'detector'} of {geometry.name}"
    if tuple(shape) == tuple(expected)[::-1]:
        advice = "It would fit turned by 90°: save the images as the detector wrote them, or calibrate with these."
    else:
        fitting = _detectors_of(tuple(shape))
        advice = f"{' or '.join(fitting)} would fit. " if fitting else ""
        advice += "Use the geometry of this detector."
    raise InputError(
        f"{where}: the image has {shape[0]} x {shape[1]} pixels. Expected {expected[0]} x {expected[1]}, as the {what} "
        f"has. {advice}"
    )


def two_theta_map(geometry: Geometry, shape: tuple[int, int]) -> Floats:
    """Bragg angle 2θ at the centre of every pixel.

    Parameters
    ----------
    geometry : Geometry
        Where the detector stands, its orientation included.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    array, shape (rows, columns)
        2θ, in degrees.
    """
    return pixel_angles(open_engine(geometry, shape), shape)[0]


def pixel_angles(engine: Any, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Bragg angle 2θ and azimuth at the centre of every pixel.

    Parameters
    ----------
    engine : pyFAI integrator
        From `open_engine`.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    two_theta_deg, azimuth_deg : array, shape (rows, columns)
        In degrees, the azimuth from -180 to 180.
    """
    with _quiet():
        two_theta = np.degrees(np.asarray(engine.twoThetaArray(shape), dtype=np.float64))
        azimuth = np.degrees(np.asarray(engine.chiArray(shape), dtype=np.float64))
    return two_theta, (azimuth + 180.0) % 360.0 - 180.0


def detector_gaps(engine: Any, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels that a detector known by name does not have.

    Parameters
    ----------
    engine : pyFAI integrator
        From `open_engine`.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    array of bool, shape (rows, columns)
        True in the gaps between modules.
    """
    with _quiet():
        gaps = engine.detector.mask
    if gaps is None or np.shape(gaps) != shape:
        return np.zeros(shape, dtype=np.bool_)
    return np.asarray(gaps, dtype=np.bool_)


def pixel_weights(engine: Any, shape: tuple[int, int], *, solid_angle: bool, polarization: float | None) -> Floats:
    """What a pixel counts for one unit of intensity: its relative solid angle and polarization.

    Parameters
    ----------
    engine : pyFAI integrator
        From `open_engine`.
    shape : tuple of int
        Rows and columns.
    solid_angle : bool
        Take the solid angle along.
    polarization : float or None
        -1 to 1; None to leave it out.

    Returns
    -------
    array, shape (rows, columns)
        Near 1 at small angles.
    """
    weights = np.ones(shape)
    with _quiet():
        if solid_angle:
            weights *= engine.solidAngleArray(shape)
        if polarization is not None:
            weights *= engine.polarization(shape, factor=polarization)
    return weights


def pixel_shares(
    engine: Any, shape: tuple[int, int], *, bins: int, two_theta_deg: tuple[float, float] | None, split: Split
) -> tuple[Floats, csr_array]:
    """Centres of the bins, and the share of each pixel in each bin.

    Parameters
    ----------
    engine : pyFAI integrator
        From `open_engine`.
    shape : tuple of int
        Rows and columns.
    bins : int
        Number of bins.
    two_theta_deg : tuple of float, optional
        Range, in degrees; all that the detector sees when left out.
    split : {"no", "bbox", "full"}
        How pixels are shared.

    Returns
    -------
    centres : array, shape (bins,)
        In degrees; read-only.
    shares : sparse array, shape (bins, pixels)
        Each 0 to 1.

    Raises
    ------
    InputError
        When no pixel lies in the range.
    """
    with _quiet():
        sparse = engine.setup_sparse_integrator(
            shape, bins, pos0_range=two_theta_deg, unit="2th_deg", split=split, algo="CSR"
        )
        centres = np.degrees(np.asarray(sparse.bin_centers, dtype=np.float64))
        shares = share_matrix(sparse.data, sparse.indices, sparse.indptr, pixels=shape[0] * shape[1])
    if shares.nnz == 0:
        low, high = two_theta_deg or (float(centres[0]), float(centres[-1]))
        raise InputError(f"range: no pixel lies between {low:g} and {high:g}°. Expected a range on the detector.")
    centres.setflags(write=False)
    return centres, shares


def clipped_means(
    engine: Any,
    image: npt.NDArray[np.float32],
    *,
    weights: npt.NDArray[np.float32],
    mask: npt.NDArray[np.bool_],
    bins: int,
    range_deg: tuple[float, float],
    split: Split,
    method: Literal["sigma", "median"],
) -> tuple[Floats, Floats, Floats]:
    """Means of rings without their outliers.

    Parameters
    ----------
    engine : pyFAI integrator
        From `open_engine`.
    image, weights : array, shape (rows, columns)
        Counts, NaN where a pixel is not used; and what a pixel counts for one unit of intensity.
    mask : array of bool, shape (rows, columns)
        Pixels that no frame uses.
    bins : int
        Number of bins.
    range_deg : tuple of float
        Outer limits of the bins, in degrees.
    split : {"no", "bbox", "full"}
        How pixels are shared.
    method : {"sigma", "median"}
        Leave out what is more than 3 sigma away, over and over; or all but the middle fifth (40 to 60 %).

    Returns
    -------
    intensity, standard_error, pixels : array, shape (bins,)
        Of the pixels that are left; the standard error of a median is not the one of the ring.
    """
    # all corrections go in as one flat field, so that the plain mean and the clipped one have the same weights
    options: dict[str, Any] = {
        "correctSolidAngle": False,
        "flat": weights,
        "mask": mask.astype(np.int8),
        "radial_range": range_deg,
        "unit": "2th_deg",
        "method": (split, "csr", "cython"),
    }
    with _quiet():
        if method == "sigma":
            found = engine.sigma_clip(
                image, bins, error_model="azimuthal", thres=_CLIP_SIGMAS, max_iter=_CLIP_ROUNDS, **options
            )
        else:
            found = engine.medfilt1d_ng(image, bins, percentile=_MEDIAN_BAND, error_model="azimuthal", **options)
    intensity, error, pixels = (np.array(part, dtype=np.float64) for part in (found.intensity, found.sem, found.count))
    return intensity, error, pixels


@contextmanager
def _quiet() -> Iterator[None]:
    """Import and call pyFAI with one thread, and without its log: what matters is said in a sentence.

    OpenMP reads the number of threads when pyFAI's extensions are loaded, and two gain nothing over one: processes
    share the work.
    """
    before = os.environ.get("OMP_NUM_THREADS")
    if "pyFAI" not in sys.modules and before is None:
        os.environ["OMP_NUM_THREADS"] = "1"
    logger = logging.getLogger("pyFAI")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pyFAI.detectors
            import pyFAI.integrator.azimuthal  # noqa: F401 - loads the extensions

            yield
        finally:
            logger.setLevel(level)
            if before is None:
                os.environ.pop("OMP_NUM_THREADS", None)


def _named_detector(geometry: Geometry) -> Any:
    from pyFAI.detectors import ALL_DETECTORS, detector_factory

    if geometry.detector.casefold() not in ALL_DETECTORS:
        raise InputError(
            f"{geometry.name}: the detector {geometry.detector!r} is not known. Expected one that pyFAI knows, or "
            f"'Detector' with pixel sizes. {nearest_name(geometry.detector, ALL_DETECTORS)}"
        )
    return detector_factory(geometry.detector, {"orientation": geometry.orientation})


def _detectors_of(shape: tuple[int, ...]) -> list[str]:
    with _quiet():
        from pyFAI.detectors import ALL_DETECTORS

        known = {kind.__name__ for kind in ALL_DETECTORS.values() if getattr(kind, "MAX_SHAPE", None) == shape}
    return sorted(known)[:3]
