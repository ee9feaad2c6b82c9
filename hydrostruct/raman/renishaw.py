"""Renishaw WiRE files, ``.wdf``: a chain of blocks, each with a name, a number and a length."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from hydrostruct.raman.raw import Bytes, Floats, RawSpectra, read_bytes

_BLOCK_HEADER = 16
_POINTS, _CAPACITY, _COUNT, _ORIGINS, _LASER = 60, 64, 72, 92, 156
_UNITS = {1: "cm1", 2: "nm", 4: "ev"}  # Raman shift in 1/cm, nm, eV
_ORIGIN_HEADER = 24
_SPATIAL_X, _SPATIAL_Y = 3, 4
_MOST_BLOCKS = 10_000


def read_wdf(path: Path) -> RawSpectra:
    """The spectra of a ``.wdf`` file, one or a map.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    RawSpectra
        With the laser and the positions that the file states.

    Raises
    ------
    InputError
        When the file is cut short or is none.

    Notes
    -----
    Layout after A. Henderson, doi 10.5281/zenodo.495477. A reader of our own: the published package follows a block
    of length 0 for ever, which a file padded with zeros makes it do.
    """
    data = read_bytes(path)
    blocks = _blocks(data)
    points, count = data.number("I", _POINTS), data.number("Q", _COUNT)
    if not 2 <= points <= 10_000_000 or not 1 <= count <= 10_000_000:
        raise data.wrong(f"it states {count} spectra of {points} points")
    if "XLST" not in blocks or "DATA" not in blocks:
        raise data.wrong("it has no axis or no data")
    axis_at = blocks["XLST"] + _BLOCK_HEADER
    unit = _UNITS.get(data.number("I", axis_at + 4), "auto")
    intensity = data.array("<f4", blocks["DATA"] + _BLOCK_HEADER, count=points * count)
    wavenumber = data.number("f", _LASER)
    x_um, y_um = _positions(data, blocks.get("ORGN"), count)
    return RawSpectra(
        axis=data.array("<f4", axis_at + 8, count=points),
        intensity=intensity.reshape(count, points),
        unit=unit,
        laser_nm=1e7 / wavenumber if wavenumber > 1.0 else math.nan,
        x_um=x_um,
        y_um=y_um,
    )


def _blocks(data: Bytes) -> dict[str, int]:
    """Where each kind of block begins; the first of a kind counts."""
    if data.data[:4] != b"WDF1":
        raise data.wrong(f"it begins with {data.data[:4]!r}, not with WDF1")
    found: dict[str, int] = {}
    place = 0
    while place + _BLOCK_HEADER <= len(data.data) and len(found) < _MOST_BLOCKS:
        size = data.number("Q", place + 8)
        if size < _BLOCK_HEADER:
            break
        found.setdefault(data.data[place : place + 4].decode("latin-1"), place)
        place += size
    return found


def _positions(data: Bytes, origin: int | None, count: int) -> tuple[Floats, Floats]:
    """Stage positions, in µm; empty where the file has none."""
    positions = {_SPATIAL_X: np.empty(0), _SPATIAL_Y: np.empty(0)}
    if origin is None:
        return positions[_SPATIAL_X], positions[_SPATIAL_Y]
    capacity, lists = data.number("Q", _CAPACITY), data.number("I", _ORIGINS)
    if not count <= capacity <= 10_000_000 or lists > 100:
        raise data.wrong(f"it states {lists} lists of {capacity} positions")
    place = origin + _BLOCK_HEADER + 4
    for _ in range(lists):
        kind = data.number("I", place) & 0x7FFFFFFF
        if kind in positions:
            positions[kind] = data.array("<f8", place + _ORIGIN_HEADER, count=count)
        place += _ORIGIN_HEADER + 8 * capacity
    return positions[_SPATIAL_X], positions[_SPATIAL_Y]
