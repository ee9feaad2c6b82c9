"""Where the detector stands: ``.poni`` files of pyFAI, versions 1, 2 and 2.1."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydrostruct.errors import InputError
from hydrostruct.tables import read_text

DEFAULT_ORIENTATION = 3
"""The orientation that pyFAI takes when a file names none."""

_PLAIN_DETECTORS = ("", "detector", "detector unknown", "none", "null")
_NUMBERS = {"Distance": "distance", "Poni1": "poni1", "Poni2": "poni2", "Rot1": "rot1", "Rot2": "rot2", "Rot3": "rot3"}
_NEWEST_VERSION = 2.1
_METRES_TO_ANG = 1e10
_WAVELENGTH_RANGE_ANG = (0.05, 5.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """Position of a flat detector, in the convention of pyFAI (axis 1 counts rows, axis 2 columns)."""

    distance_m: float
    """Distance from the sample to the point of normal incidence, in m."""
    poni1_m: float
    """Point of normal incidence along axis 1, in m."""
    poni2_m: float
    """Point of normal incidence along axis 2, in m."""
    rot1_rad: float = 0.0
    """Rotation about axis 1, in rad."""
    rot2_rad: float = 0.0
    """Rotation about axis 2, in rad."""
    rot3_rad: float = 0.0
    """Rotation about the beam, in rad."""
    wavelength_ang: float = math.nan
    """Wavelength, in Å; NaN where the file names none."""
    pixel1_m: float = math.nan
    """Height of a pixel, in m; NaN when only the detector's name gives it."""
    pixel2_m: float = math.nan
    """Width of a pixel, in m; NaN when only the detector's name gives it."""
    orientation: int = DEFAULT_ORIENTATION
    """Corner in which the first pixel of the file lies, 1 to 4, as pyFAI counts; 2 is an image turned upside down."""
    detector: str = ""
    """Name of the detector as pyFAI knows it; empty when only its pixels are known."""
    shape: tuple[int, int] | None = None
    """Rows and columns of the detector, where the file says so."""
    name: str = "geometry"
    """The file, as a user knows it."""

    def __post_init__(self) -> None:
        """Check what a sign or a unit could get wrong."""
        for what, value in (
            ("distance", self.distance_m),
            ("pixel height", self.pixel1_m),
            ("pixel width", self.pixel2_m),
        ):
            if value <= 0 or math.isinf(value):
                raise InputError(f"{self.name}: the {what} is {value:g} m. Expected a length above 0. Edit the file.")
        check_orientation_number(self.orientation, where=self.name)


def check_orientation_number(orientation: int, *, where: str) -> None:
    """Refuse a detector orientation that pyFAI does not know.

    Parameters
    ----------
    orientation : int
        1 to 4.
    where : str
        For the message.

    Raises
    ------
    InputError
        When it is another number.
    """
    if orientation not in (1, 2, 3, 4):
        raise InputError(
            f"{where}: the orientation is {orientation}. Expected 1, 2, 3 or 4 (2 is upside down). Correct it."
        )


def read_geometry(
    path: str | os.PathLike[str], *, orientation: int | None = None, wavelength_ang: float | None = None
) -> Geometry:
    """Read a ``.poni`` file.

    Parameters
    ----------
    path : path-like
        Version 1 (pixel sizes on their own lines), 2 or 2.1 (detector with its configuration as JSON). When a file
        holds several calibrations, as pyFAI appends them, the last one counts.
    orientation : int, optional
        1 to 4, in place of the one in the file; 3 when neither names one.
    wavelength_ang : float, optional
        Wavelength, in Å, in place of the one in the file.

    Returns
    -------
    Geometry
        Checked.

    Raises
    ------
    InputError
        When a key is missing, or a number is not one (the line is named).
    """
    source = Path(path)
    entries = _entries(source)
    version = _number(source, entries, "poni_version", default=1.0)
    if version > _NEWEST_VERSION:
        raise InputError(
            f"{source}: poni_version is {version:g}. Expected 1, 2 or 2.1. Save it without parallax correction."
        )
    config = _detector_config(source, entries)
    name = entries.get("detector", (0, ""))[1]
    if orientation is not None:
        check_orientation_number(orientation, where="--orientation")
    pixels = _pixels(source, entries, config, name)
    return Geometry(
        **{
            f"{short}_{'rad' if short.startswith('rot') else 'm'}": _number(source, entries, key)
            for key, short in _NUMBERS.items()
        },
        wavelength_ang=_wavelength(source, entries, wavelength_ang),
        pixel1_m=pixels[0],
        pixel2_m=pixels[1],
        orientation=orientation or _orientation(source, config),
        detector="" if name.casefold() in _PLAIN_DETECTORS else name,
        shape=_shape(source, config),
        name=str(source),
    )


Entries = dict[str, tuple[int, str]]


def _entries(path: Path) -> Entries:
    """Line number and text of each ``Key: value``; keys in lower case, a later one replaces an earlier one."""
    entries: Entries = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        key, separator, value = line.partition(":")
        if separator and not line.lstrip().startswith("#"):
            entries[key.strip().casefold()] = (number, value.strip())
    if "distance" not in entries:
        raise InputError(
            f"{path}: no line 'Distance: …'. Expected a .poni file of pyFAI. Check that this is the right file."
        )
    spline = entries.get("splinefile", (0, "none"))[1]
    if spline.casefold() not in ("none", ""):
        raise InputError(
            f"{path}: names the spline '{spline}'. Expected a detector without one. Undistort the images first."
        )
    return entries


def _number(path: Path, entries: Entries, key: str, *, default: float | None = None) -> float:
    if key.casefold() not in entries:
        if default is not None:
            return default
        raise InputError(f"{path}: no line '{key}: …'. Expected one with a number. Save the calibration again.")
    line, text = entries[key.casefold()]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: line {line}: '{key}' is {text!r}. Expected a number. Edit the file.")
    return value


def _wavelength(path: Path, entries: Entries, given_ang: float | None) -> float:
    low, high = _WAVELENGTH_RANGE_ANG
    if given_ang is not None:
        where, value = "--wavelength", given_ang
    elif entries.get("wavelength", (0, "none"))[1].casefold() in ("none", ""):
        return math.nan
    else:
        where, value = str(path), _number(path, entries, "Wavelength") * _METRES_TO_ANG
    if not low <= value <= high:
        unit = "Å" if given_ang is not None else f"metres, from {low / _METRES_TO_ANG:g} to {high / _METRES_TO_ANG:g}"
        raise InputError(f"{where}: the wavelength is {value:g} Å. Expected {low:g} to {high:g} Å. Give it in {unit}.")
    return value


def _detector_config(path: Path, entries: Entries) -> dict[str, Any]:
    line, text = entries.get("detector_config", (0, "{}"))
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: line {line}: 'Detector_config' is {text[:60]!r}. Expected JSON. Edit the file."
        ) from error
    if not isinstance(config, dict):
        raise InputError(
            f"{path}: line {line}: 'Detector_config' is {text[:60]!r}. Expected a JSON object. Edit the file."
        )
    return config


def _pixels(path: Path, entries: Entries, config: dict[str, Any], name: str) -> tuple[float, float]:
    if "pixelsize1" in entries:
        return _number(path, entries, "PixelSize1"), _number(path, entries, "PixelSize2")
    found = [config.get("pixel1"), config.get("pixel2")]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in found):
        return float(found[0] or 0.0), float(found[1] or 0.0)
    if any(value is not None for value in found):
        raise InputError(
            f"{path}: the pixel sizes are {found[0]!r}, {found[1]!r}. Expected two numbers in m. Edit the file."
        )
    if name.casefold() in _PLAIN_DETECTORS:
        raise InputError(
            f"{path}: neither pixel sizes nor a detector. Expected 'PixelSize1: …' or 'Detector: …'. Add them."
        )
    return math.nan, math.nan


def _orientation(path: Path, config: dict[str, Any]) -> int:
    value = config.get("orientation", DEFAULT_ORIENTATION)
    if not isinstance(value, int) or value not in (0, 1, 2, 3, 4):
        raise InputError(
            f"{path}: the orientation is {value!r}. Expected 1, 2, 3 or 4. Edit the file, or use --orientation."
        )
    return value or DEFAULT_ORIENTATION  # pyFAI writes 0 for "not stated"


def _shape(path: Path, config: dict[str, Any]) -> tuple[int, int] | None:
    value = config.get("max_shape")
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(side, int) and side > 0 for side in value)):
        raise InputError(f"{path}: 'max_shape' is {value!r}. Expected [rows, columns] or null. Edit the file.")
    return value[0], value[1]
