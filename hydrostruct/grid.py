"""The map: points, rows, columns, positions, scan orders, and the natural order of file names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from hydrostruct.errors import InputError, nearest_name

SCAN_ORDERS = ("row", "column", "row-snake", "column-snake")
"""Which axis moves first, and whether every second line runs backwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapPoint:
    """One place of a map."""

    point: int
    """Number in scan order, from 1."""
    row: int
    """Row, from 0; row 0 is scanned first and y grows with the row; -1 for points that make no grid."""
    column: int
    """Column, from 0; x grows with the column; -1 for points that make no grid."""
    x_um: float
    """Position to the right, in µm; NaN where it is not known."""
    y_um: float
    """Position up, in µm; NaN where it is not known."""


def grid_points(
    shape: tuple[int, int], *, step_um: tuple[float, float] = (math.nan, math.nan), order: str = "row"
) -> tuple[MapPoint, ...]:
    """Points of a raster map in the order of the scan.

    Parameters
    ----------
    shape : (rows, columns)
        Each at least 1.
    step_um : (x, y)
        Distance of neighbours, in µm.
    order : str
        ``row``: x moves first; ``column``: y moves first; with ``-snake`` every second line runs backwards.

    Returns
    -------
    tuple of MapPoint

    Raises
    ------
    InputError
        For an order that is not known or a shape without points.

    Examples
    --------
    >>> [(p.row, p.column) for p in grid_points((2, 3), order="row-snake")]
    [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]
    """
    if order not in SCAN_ORDERS:
        raise InputError(
            f"map: order is {order!r}. Expected one of {', '.join(SCAN_ORDERS)}. {nearest_name(order, SCAN_ORDERS)}"
        )
    rows, columns = shape
    if rows < 1 or columns < 1:
        raise InputError(f"map: shape is {rows} × {columns}. Expected at least one row and one column.")
    by_row = order.startswith("row")
    outer, inner = (rows, columns) if by_row else (columns, rows)
    points: list[MapPoint] = []
    for line in range(outer):
        backwards = order.endswith("snake") and line % 2 == 1
        for step in reversed(range(inner)) if backwards else range(inner):
            row, column = (line, step) if by_row else (step, line)
            x, y = column * step_um[0], row * step_um[1]
            points.append(MapPoint(point=len(points) + 1, row=row, column=column, x_um=x, y_um=y))
    return tuple(points)


def neighbours(points: Iterable[MapPoint], *, most: int = 8) -> tuple[tuple[int, ...], ...]:
    """The nearest points of each point, the nearest first.

    Parameters
    ----------
    points : iterable of MapPoint
        A map; neighbours are told by rows and columns where there are some, by positions elsewhere.
    most : int
        Neighbours of a point at the most.

    Returns
    -------
    tuple of tuple of int
        For each point the indices, from 0, of those within one row and one column, or of the nearest by position.

    Examples
    --------
    >>> neighbours(grid_points((1, 3)))
    ((1,), (0, 2), (1,))
    """
    listed = tuple(points)
    gridded = all(point.row >= 0 and point.column >= 0 for point in listed)

    def distance(a: MapPoint, b: MapPoint) -> float:
        if gridded:
            return math.hypot(a.row - b.row, a.column - b.column)
        return math.hypot(a.x_um - b.x_um, a.y_um - b.y_um)

    found = []
    for i, point in enumerate(listed):
        apart = sorted((distance(point, other), j) for j, other in enumerate(listed) if j != i)
        near = [j for far, j in apart if not gridded or far < 1.5]
        found.append(tuple(near[:most]))
    return tuple(found)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that counts the numbers in a name: 2 comes before 11.

    Parameters
    ----------
    name : str
        A file name or path.

    Returns
    -------
    tuple
        Comparable with the keys of other names.

    Examples
    --------
    >>> sorted(["map_11.tif", "map_2.tif", "map_1.tif"], key=natural_key)
    ['map_1.tif', 'map_2.tif', 'map_11.tif']
    """
    parts = re.split(r"([0-9]+)", name)
    keys = [(1, int(part), part) if part.isdecimal() else (0, 0, part.casefold()) for part in parts if part]
    return (*keys, (-1, 0, name))


def natural_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names in natural order, as a person would number them.

    Parameters
    ----------
    names : iterable of str
        File names or paths, in any order.

    Returns
    -------
    tuple of str
        The same names; two runs give the same order whatever the order they came in.
    """
    return tuple(sorted(names, key=natural_key))
