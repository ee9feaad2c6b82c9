"""Galactic SPC files, ``.spc``: a head of 512 bytes, then one or more traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.raman.raw import Bytes, Floats, RawSpectra, read_bytes

_NEW_LITTLE_ENDIAN = 0x4B
_HEAD, _SUB_HEAD = 512, 32
_SHORT, _OWN_AXES, _AXIS_GIVEN = 1, 64, 128
_IS_FLOAT = -128
_UNITS = {1: "cm1", 3: "nm", 13: "cm1", 14: "ev"}


def read_spc(path: Path) -> RawSpectra:
    """The spectra of an ``.spc`` file of the new format.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    RawSpectra
        The axis is even where the file states only its ends.

    Raises
    ------
    InputError
        When the file is cut short, of the old format, or none.

    Notes
    -----
    Layout after the Galactic Universal Data Format Specification (1997). A reader of our own: the package that was
    tried prints on standard output and takes a wrong date for a fault, and brings pandas with it.
    """
    data = read_bytes(path)
    flags, version = data.number("B", 0), data.number("B", 1)
    if version != _NEW_LITTLE_ENDIAN:
        raise data.wrong(f"its format is 0x{version:02x}, not the new SPC 0x{_NEW_LITTLE_ENDIAN:02x}")
    points, traces = data.number("i", 4), data.number("i", 24)
    if not 1 <= traces <= 1_000_000:
        raise data.wrong(f"it states {traces} traces")
    unit = _UNITS.get(data.number("B", 28), "auto")
    if flags & _OWN_AXES:
        axis, intensity = _own_axes(data, traces)
    else:
        axis, intensity = _common_axis(data, flags, points, traces)
    return RawSpectra(axis=axis, intensity=intensity, unit=unit)


def _common_axis(data: Bytes, flags: int, points: int, traces: int) -> tuple[Floats, Floats]:
    if not 2 <= points <= 100_000_000:
        raise data.wrong(f"it states {points} points")
    place = _HEAD
    if flags & _AXIS_GIVEN:
        axis = data.array("<f4", place, count=points)
        place += 4 * points
    else:
        data.array("u1", place, count=points)  # there must be that many bytes before memory is taken for them
        axis = np.linspace(data.number("d", 8), data.number("d", 16), points)
    rows = []
    for _ in range(traces):
        row, place = _trace(data, flags, place + _SUB_HEAD, points, data.number("b", place + 1))
        rows.append(row)
    return axis, np.array(rows)


def _own_axes(data: Bytes, traces: int) -> tuple[Floats, Floats]:
    place, axes, rows = _HEAD, [], []
    for _ in range(traces):
        points = data.number("i", place + 16)
        exponent = data.number("b", place + 1)
        axes.append(data.array("<f4", place + _SUB_HEAD, count=points))
        row, place = _trace(data, 0, place + _SUB_HEAD + 4 * points, points, exponent)
        rows.append(row)
    if len({row.size for row in rows}) != 1:
        raise InputError(f"{data.path}: its traces differ in length. Expected one length. Export them one by one.")
    return np.array(axes), np.array(rows)


def _trace(data: Bytes, flags: int, place: int, points: int, exponent: int) -> tuple[Floats, int]:
    """The values of one trace, and where the next begins: floats, or whole numbers times a power of two."""
    shared = data.number("b", 3)
    if _IS_FLOAT in (exponent, shared):
        return data.array("<f4", place, count=points), place + 4 * points
    power = exponent or shared
    if flags & _SHORT:
        return data.array("<i2", place, count=points) * 2.0 ** (power - 16), place + 2 * points
    return data.array("<i4", place, count=points) * 2.0 ** (power - 32), place + 4 * points
