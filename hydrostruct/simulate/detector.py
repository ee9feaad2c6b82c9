"""The simulated detector: where its pixels are, what they see, where its gaps lie.

The geometry is written from rays, in the convention of pyFAI for distance, point of normal incidence, rotations and
orientation; pyFAI itself is not used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GAP_VALUE = -1
"""What a pixel between two modules reads."""
DEAD_VALUE = -2
"""What a dead pixel reads."""
_MODULE = (195, 487)
_GAP = (17, 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedDetector:
    """A flat detector of modules and its place, as a ``.poni`` file states it."""

    shape: tuple[int, int] = (1043, 981)
    """Rows and columns."""
    pixel_m: float = 172e-6
    """Side of a square pixel, in m."""
    distance_m: float = 0.205
    """Distance from the sample to the point of normal incidence, in m."""
    poni1_m: float = 0.0938
    """Point of normal incidence along axis 1, in m."""
    poni2_m: float = 0.0795
    """Point of normal incidence along axis 2, in m."""
    rot1_rad: float = 0.0041
    """Rotation about axis 1, in rad."""
    rot2_rad: float = -0.0063
    """Rotation about axis 2, in rad."""
    rot3_rad: float = 0.0
    """Rotation about the beam, in rad."""
    orientation: int = 2
    """Corner in which the first pixel lies, 1 to 4, as pyFAI counts; 2 is an image turned upside down."""
    wavelength_ang: float = 0.6199
    """Wavelength, in Å."""


def pixel_angles_deg(detector: SimulatedDetector) -> tuple[Floats, Floats]:
    """Bragg angle and azimuth of the centre of every pixel.

    Parameters
    ----------
    detector : SimulatedDetector
        With its place.

    Returns
    -------
    two_theta_deg, azimuth_deg : array, shape (rows, columns)
        In degrees; the azimuth runs from -180 to 180°, 0 along axis 2, 90° along axis 1.
    """
    x, y, z = _laboratory(detector)
    two_theta = np.degrees(np.arctan2(np.hypot(x, y), z))
    return two_theta, np.degrees(np.arctan2(x, y))


def pixel_efficiency(detector: SimulatedDetector, *, polarization: float) -> Floats:
    """Counts of a pixel for one unit of intensity: its relative solid angle times the polarization of the beam.

    Parameters
    ----------
    detector : SimulatedDetector
        With its place.
    polarization : float
        (I_h − I_v)/(I_h + I_v), -1 to 1; the plane of polarization lies along axis 2.

    Returns
    -------
    array, shape (rows, columns)
        1 at the point of normal incidence but for polarization.

    Notes
    -----
    The solid angle falls as cos³ of the angle of incidence; the polarization factor is
    ½[1 + cos²2θ − p cos 2χ sin²2θ].
    """
    x, y, z = _laboratory(detector)
    square = x * x + y * y + z * z
    solid_angle = (detector.distance_m / np.sqrt(square)) ** 3
    horizontal, vertical = y * y / square, x * x / square
    return np.asarray(
        solid_angle * (1.0 - (1.0 + polarization) / 2.0 * horizontal - (1.0 - polarization) / 2.0 * vertical)
    )


def pixel_at(detector: SimulatedDetector, two_theta_deg: Floats, azimuth_deg: Floats) -> tuple[Floats, Floats]:
    """Where scattered rays meet the detector.

    Parameters
    ----------
    detector : SimulatedDetector
        With its place.
    two_theta_deg, azimuth_deg : array
        Directions, in degrees.

    Returns
    -------
    row, column : array
        As indices of the image; whole numbers are centres of pixels. They may lie outside.
    """
    angle, azimuth = np.radians(two_theta_deg), np.radians(azimuth_deg)
    ray = np.stack([np.sin(angle) * np.sin(azimuth), np.sin(angle) * np.cos(azimuth), np.cos(angle)])
    on_detector = np.tensordot(_rotation(detector).T, ray, axes=1)
    scale = detector.distance_m / on_detector[2]
    row = (on_detector[0] * scale + detector.poni1_m) / detector.pixel_m - 0.5
    column = (on_detector[1] * scale + detector.poni2_m) / detector.pixel_m - 0.5
    return _oriented(detector, row, column)


def pixels_per_degree(detector: SimulatedDetector, two_theta_deg: float) -> tuple[float, float]:
    """Size of a degree on the detector, its tilt left out.

    Parameters
    ----------
    detector : SimulatedDetector
        With its place.
    two_theta_deg : float
        Where, in degrees.

    Returns
    -------
    radial, tangential : float
        Pixels for a degree of 2θ, and for a degree of azimuth.
    """
    angle, length = np.radians(two_theta_deg), detector.distance_m / detector.pixel_m
    return float(np.radians(1.0) * length / np.cos(angle) ** 2), float(np.radians(1.0) * length * np.tan(angle))


def gap_pixels(detector: SimulatedDetector) -> npt.NDArray[np.bool_]:
    """Pixels between the modules.

    Parameters
    ----------
    detector : SimulatedDetector
        Of any shape.

    Returns
    -------
    array of bool, shape (rows, columns)
        True where there is no sensor.
    """
    row, column = (
        np.arange(side) % (module + gap) >= module
        for side, module, gap in zip(detector.shape, _MODULE, _GAP, strict=True)
    )
    return np.asarray(row[:, None] | column[None, :])


def poni_text(detector: SimulatedDetector, *, label: str) -> str:
    """The geometry as a ``.poni`` file, version 2.1.

    Parameters
    ----------
    detector : SimulatedDetector
        With its place.
    label : str
        For the first line.

    Returns
    -------
    str
        The text of the file.
    """
    config = {
        "pixel1": detector.pixel_m,
        "pixel2": detector.pixel_m,
        "max_shape": list(detector.shape),
        "orientation": detector.orientation,
    }
    return (
        f"# {label}\n"
        "# The true geometry of the simulated images; axis 1 counts rows, axis 2 columns\n"
        "poni_version: 2.1\n"
        "Detector: Detector\n"
        f"Detector_config: {json.dumps(config)}\n"
        f"Distance: {detector.distance_m!r}\n"
        f"Poni1: {detector.poni1_m!r}\n"
        f"Poni2: {detector.poni2_m!r}\n"
        f"Rot1: {detector.rot1_rad!r}\n"
        f"Rot2: {detector.rot2_rad!r}\n"
        f"Rot3: {detector.rot3_rad!r}\n"
        f"Wavelength: {detector.wavelength_ang:.6g}e-10\n"
    )


def _laboratory(detector: SimulatedDetector) -> tuple[Floats, Floats, Floats]:
    """Centres of the pixels as seen from the sample, in m: along axis 1, along axis 2, along the beam."""
    rows, columns = detector.shape
    row, column = _oriented(
        detector, np.arange(rows, dtype=np.float64)[:, None], np.arange(columns, dtype=np.float64)[None, :]
    )
    first = np.broadcast_to((row + 0.5) * detector.pixel_m - detector.poni1_m, detector.shape)
    second = np.broadcast_to((column + 0.5) * detector.pixel_m - detector.poni2_m, detector.shape)
    flat = np.stack([first, second, np.full(detector.shape, detector.distance_m)])
    x, y, z = np.tensordot(_rotation(detector), flat, axes=1)
    return x, y, z


def _oriented(detector: SimulatedDetector, row: Floats, column: Floats) -> tuple[Floats, Floats]:
    """From indices of the image to those on the detector, and back: the first pixel lies in another corner."""
    rows, columns = detector.shape
    if detector.orientation in (1, 2):
        row = rows - 1 - row
    if detector.orientation in (1, 4):
        column = columns - 1 - column
    return row, column


def _rotation(detector: SimulatedDetector) -> Floats:
    """From detector to laboratory: about axis 1 and axis 2 left-handed, about the beam right-handed, in this order."""
    (c1, c2, c3), (s1, s2, s3) = (
        function((detector.rot1_rad, detector.rot2_rad, detector.rot3_rad)) for function in (np.cos, np.sin)
    )
    first = np.array([[1.0, 0.0, 0.0], [0.0, c1, s1], [0.0, -s1, c1]])
    second = np.array([[c2, 0.0, -s2], [0.0, 1.0, 0.0], [s2, 0.0, c2]])
    third = np.array([[c3, -s3, 0.0], [s3, c3, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(third @ second @ first)
