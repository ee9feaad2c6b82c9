"""The order in which files make a scan."""

from __future__ import annotations

import re
from collections.abc import Iterable


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
