"""Spectra from text: two columns, named columns, many spectra on one axis, and maps of Horiba and Renishaw."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.raman.raw import Floats, RawSpectra
from hydrostruct.tables import read_columns, read_text

_CM1 = re.compile(r"cm\s*\^?-1|cm⁻¹|cm-¹|1/cm|raman|shift|wave\s?number", re.IGNORECASE)
_NM = re.compile(r"\bnm\b|wave\s?length|nano\s?met", re.IGNORECASE)
_EV = re.compile(r"\bev\b|photon energy", re.IGNORECASE)
_LASER = re.compile(
    r"(?:laser|excitation)[^\n\d]{0,40}?(\d{3,4}(?:[.,]\d+)?)\s*(?:nm|$|[\s;,\]])", re.IGNORECASE | re.MULTILINE
)
_AXIS_NAMES = ("wave", "shift", "raman", "wavelength", "wavenumber", "energy", "x-axis", "pixel axis")
_INTENSITY_NAMES = ("intensity", "counts", "signal")
_MAP_LEADS = (1, 2, 3)
_LEAST_MAP_POINTS = 5


def read_text_spectra(path: Path) -> RawSpectra:
    """The spectra of a text file, whatever its separator, header, footer and decimal sign.

    Parameters
    ----------
    path : Path
        Two columns; three with the row of the detector between them; named columns, positions ``x`` and ``y`` among
        them; one axis and many spectra; or a map whose first line is the axis and whose others begin with positions.

    Returns
    -------
    RawSpectra

    Raises
    ------
    InputError
        When no two rows of numbers can be read.
    """
    text = read_text(path)
    found = _map_rows(text) or _from_columns(path)
    head = _words_of(text)
    return RawSpectra(
        axis=found.axis,
        intensity=found.intensity,
        unit=_unit(head),
        laser_nm=_laser(head),
        x_um=found.x_um,
        y_um=found.y_um,
        notes=found.notes,
    )


def _words_of(text: str) -> str:
    """The lines that are no rows of numbers."""
    return "\n".join(line for line in text.split("\n") if re.search(r"[A-Za-zÀ-ÿµ⁻]{2}", line))[:20_000]


def _unit(head: str) -> str:
    stripped = re.sub(r"(?:laser|excitation|grating|exposure|slit|spectrograph|date|acq)[^\n]*", "", head, flags=re.I)
    for unit, words in (("cm1", _CM1), ("nm", _NM), ("ev", _EV)):
        if words.search(stripped):
            return unit
    return "auto"


def _laser(head: str) -> float:
    values = [float(word.replace(",", ".")) for word in _LASER.findall(head)]
    return next((value for value in values if 150.0 <= value <= 2000.0), math.nan)


def _map_rows(text: str) -> RawSpectra | None:
    """A map written as one line of axis and then lines of position and intensities; None when it is not that."""
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) < 2 or "\t" not in lines[0]:
        return None
    axis, first = _numbers(lines[0]), _numbers(lines[1])
    lead = first.size - axis.size
    if axis.size < _LEAST_MAP_POINTS or lead not in _MAP_LEADS or not np.all(np.isfinite(axis)):
        return None
    rows = [_numbers(line) for line in lines[1:]]
    if any(row.size != first.size for row in rows):
        return None
    table = np.array(rows)
    x_um, y_um = (table[:, 0], table[:, 1]) if lead >= 2 else (np.empty(0), np.empty(0))
    return RawSpectra(axis=axis, intensity=table[:, lead:], x_um=x_um, y_um=y_um)


def _numbers(line: str) -> Floats:
    try:
        return np.array([float(word) for word in line.replace(",", ".").split("\t") if word.strip()])
    except ValueError:
        return np.empty(0)


def _from_columns(path: Path) -> RawSpectra:
    columns, header = read_columns(path, footer=True)
    named = _named_columns(columns, header)
    if named is not None:
        return named
    if columns.shape[1] == 2:
        return RawSpectra(axis=columns[:, 0], intensity=columns[:, 1:].T)
    if columns.shape[1] == 3 and _counts_rows(columns[:, 1]):
        return _rows_of_a_detector(path, columns)
    return RawSpectra(axis=columns[:, 0], intensity=columns[:, 1:].T)


def _named_columns(columns: Floats, header: tuple[str, ...]) -> RawSpectra | None:
    """Columns picked by the names that stand above them; None where the names do not tell."""
    lines = [line for line in header if line.strip()]
    names = (
        [word.strip(" #\"'").casefold() for word in re.split(r"\t+|[,;]|\s{2,}", lines[-1].strip())] if lines else []
    )
    names = [name for name in names if name]
    if columns.shape[1] < 3 or len(names) != columns.shape[1]:
        return None
    axes = [k for k, name in enumerate(names) if name.startswith(_AXIS_NAMES)]
    values = [k for k, name in enumerate(names) if name.startswith(_INTENSITY_NAMES)]
    if len(axes) != 1 or len(values) != 1:
        return None
    places = [k for letter in "xy" for k, name in enumerate(names) if re.fullmatch(rf"{letter}(\W.*)?", name)]
    return _split_points(columns[:, axes[0]], columns[:, values[0]], columns[:, places])


def _split_points(axis: Floats, intensity: Floats, places: Floats) -> RawSpectra:
    """A long table cut where the position changes, or where the axis begins again."""
    if places.shape[1] == 2:
        new = np.any(np.diff(places, axis=0) != 0, axis=1)
    else:
        step = np.sign(np.diff(axis))
        new = step == -np.sign(np.median(step))
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    pieces = np.split(np.arange(axis.size), starts[1:])
    if len({piece.size for piece in pieces}) != 1:
        raise InputError("a map in text: its spectra differ in length. Expected one length. Export the map again.")
    index = np.array(pieces)
    x_um, y_um = (places[starts, 0], places[starts, 1]) if places.shape[1] == 2 else (np.empty(0), np.empty(0))
    return RawSpectra(axis=axis[index], intensity=intensity[index], x_um=x_um, y_um=y_um)


def _counts_rows(column: Floats) -> bool:
    """Whether a column is the row of a detector: whole numbers that stay the same for long."""
    whole = bool(np.all(column == np.round(column)))
    return whole and int(np.count_nonzero(np.diff(column))) < column.size // 10


def _rows_of_a_detector(path: Path, columns: Floats) -> RawSpectra:
    rows = np.unique(columns[:, 1])
    pieces = [columns[columns[:, 1] == row] for row in rows]
    if len({len(piece) for piece in pieces}) != 1:
        raise InputError(f"{path}: the rows of the detector differ in length. Expected one length. Export them again.")
    return RawSpectra(
        axis=np.array([piece[:, 0] for piece in pieces]), intensity=np.array([piece[:, 2] for piece in pieces])
    )
