"""Where the points of a run lie, and how much beam each one had: grids, positions files and monitors."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.grid import MapPoint, grid_points
from hydrostruct.run.config import MapSection
from hydrostruct.tables import read_text

Row = Mapping[str, str]


def map_points(section: MapSection, folder: Path, files: Sequence[str]) -> tuple[MapPoint, ...]:
    """Points of a run in the order of its images.

    Parameters
    ----------
    section : MapSection
        What the run.toml says of the map.
    folder : Path
        Of the run.toml.
    files : sequence of str
        File of each image, in natural order.

    Returns
    -------
    tuple of MapPoint
        One for each image; a single row when nothing is said.

    Raises
    ------
    InputError
        When shape or positions do not fit the images.
    """
    count = len(files)
    if section.positions is not None:
        return positioned_points(folder / section.positions, files)
    shape = section.shape or (1, count)
    if shape[0] * shape[1] != count:
        raise InputError(
            f"map: the shape {shape[0]} × {shape[1]} has {shape[0] * shape[1]} points, but {count} images were found. "
            "Expected one image for each point. Correct the shape or the pattern of the images."
        )
    return grid_points(shape, step_um=section.step_um or (math.nan, math.nan), order=section.order)


def monitor_values(
    name: str | None, positions: str | None, folder: Path, files: Sequence[str]
) -> npt.NDArray[np.float64] | None:
    """Incident intensity of each image.

    Parameters
    ----------
    name : str or None
        A table with a column ``monitor`` (or ``i0``), or the name of a column of the positions file; None for no
        monitor.
    positions : str or None
        The positions file.
    folder : Path
        Of the run.toml.
    files : sequence of str
        File of each image.

    Returns
    -------
    array, shape (images,), or None
        In any unit; above 0.

    Raises
    ------
    InputError
        When there is no such table or column, or a value is not above 0.
    """
    if name is None:
        return None
    if (folder / name).is_file():
        table, column = folder / name, ""
    elif positions is not None:
        table, column = folder / positions, name
    else:
        raise InputError(
            f"{folder / name}: no such file. Expected a table with a column 'monitor', or, beside a positions file, "
            "the name of one of its columns. Correct 'diffraction.monitor'."
        )
    rows = _in_order(_rows(table), files, table)
    column = column or _monitor_column(rows[0], table)
    values = np.array([_number(row, column, table) for row in rows])
    if not np.all(values > 0):
        point = int(np.flatnonzero(~(values > 0))[0]) + 1
        raise InputError(
            f"{table}: {column} is {values[point - 1]:g} at point {point}. Expected an intensity above 0. A point "
            "without beam has nothing to scale: correct the value, or remove 'diffraction.monitor'."
        )
    return values


def positioned_points(path: Path, files: Sequence[str], *, what: str = "images") -> tuple[MapPoint, ...]:
    """Where files were measured, by a table of positions.

    Parameters
    ----------
    path : Path
        A table with columns ``x_um``, ``y_um`` and, where wanted, ``file``.
    files : sequence of str
        The files, in natural order.
    what : str
        What they are, for messages.

    Returns
    -------
    tuple of MapPoint
        One for each file.

    Raises
    ------
    InputError
        When the table does not fit the files.
    """
    rows = _in_order(_rows(path), files, path, what=what)
    return tuple(
        MapPoint(point=number, row=-1, column=-1, x_um=_number(row, "x_um", path), y_um=_number(row, "y_um", path))
        for number, row in enumerate(rows, 1)
    )


def _rows(path: Path) -> list[Row]:
    """Rows of a table with a line of names, whatever separates its columns."""
    lines = [line for line in read_text(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    separator = max(",;\t", key=lines[0].count) if lines else ","
    rows = list(csv.DictReader(lines, delimiter=separator, skipinitialspace=True))
    if not rows:
        raise InputError(f"{path}: no row. Expected a line of names and a row for each image. Complete the table.")
    return [{str(key).strip(): (value or "") for key, value in row.items() if key is not None} for row in rows]


def _in_order(rows: list[Row], files: Sequence[str], path: Path, *, what: str = "images") -> list[Row]:
    """The row of each image: by the column ``file`` where there is one, else in the order they stand."""
    if "file" in rows[0]:
        return _matched(rows, files, path)
    if len(rows) != len(files):
        raise InputError(
            f"{path}: {len(rows)} rows, but {len(files)} {what} were found. Expected one for each, or a column 'file'."
        )
    return rows


def _matched(rows: list[Row], files: Sequence[str], path: Path) -> list[Row]:
    by_path: Callable[[str], str] = str
    shorten = by_path if len(set(map(_base, files))) < len(files) else _base
    known: dict[str, Row] = {}
    for row in rows:
        if shorten(row["file"]) in known:
            raise InputError(f"{path}: {row['file']} stands there twice. Expected one row for each image. Remove one.")
        known[shorten(row["file"])] = row
    missing = [name for name in files if shorten(name) not in known]
    if missing:
        hint = nearest_name(shorten(missing[0]), tuple(known))
        raise InputError(
            f"{path}: no row for {missing[0]}{f' and {len(missing) - 1} more' if missing[1:] else ''}. Expected one "
            f"for each image, by the column 'file'. {hint}"
        )
    return [known[shorten(name)] for name in files]


def _base(name: str) -> str:
    return PurePath(name.strip()).name


def _monitor_column(row: Row, path: Path) -> str:
    for name in row:
        if name.casefold() in ("monitor", "i0"):
            return name
    numbers = [name for name in row if name not in ("file", "x_um", "y_um")]
    if len(numbers) == 1:
        return numbers[0]
    raise InputError(f"{path}: columns {', '.join(row)}. Expected one called 'monitor' or 'i0'. Rename it.")


def _number(row: Row, column: str, path: Path) -> float:
    if column not in row:
        raise InputError(
            f"{path}: no column {column!r}. Expected it beside {', '.join(row)}. {nearest_name(column, tuple(row))}"
        )
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: {column} is {row[column]!r} in one row. Expected a number. Correct the table.")
    return value
