"""What the options of ``hydrostruct lebail`` say: files, starts of cells, regions, words for one phase."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hydrostruct.cli.output import print_note
from hydrostruct.errors import InputError
from hydrostruct.grid import natural_order

_CELL_WORDS = {
    "a": "a_ang",
    "b": "b_ang",
    "c": "c_ang",
    "alpha": "alpha_deg",
    "beta": "beta_deg",
    "gamma": "gamma_deg",
}


def excluded_regions(given: list[str] | None) -> tuple[tuple[float, float], ...]:
    """Regions of ``--exclude LO HI``, in degrees."""
    return tuple(_pair(text) for text in given or ())


def expand_files(patterns: list[str], *, suffixes: tuple[str, ...] = ()) -> list[str]:
    """Names of files, globs opened in natural order.

    Parameters
    ----------
    patterns : list of str
        Paths, and globs that the shell did not open.
    suffixes : tuple of str
        A folder stands for the files in it that end so, in natural order; for itself where none are given.

    Returns
    -------
    list of str
        Each file once, in the order given.

    Raises
    ------
    InputError
        For a glob that matches nothing, or a folder without such a file.
    """
    import glob

    files: list[str] = []
    for pattern in patterns:
        is_glob = glob.has_magic(pattern) and not Path(pattern).exists()
        found = natural_order(glob.glob(pattern)) if is_glob else (pattern,)  # noqa: PTH207 - may be absolute
        if not found:
            raise InputError(f"{pattern}: no file matches. Expected one or more. Check the folder and the name.")
        if suffixes and Path(pattern).is_dir():
            found = natural_order(str(one) for one in Path(pattern).iterdir() if one.suffix.lower() in suffixes)
            if not found:
                raise InputError(
                    f"{pattern}: the folder has no pattern. Expected files {', '.join(suffixes)}. Name another."
                )
        files.extend(name for name in found if name not in files)
    return files


def start_cells(given: list[str], phases: list[Any], cells: list[str], pressure: float | None) -> dict[str, Any]:
    """Starts of the cells by the names that the records carry: from an equation of state, then from ``--cell``.

    Parameters
    ----------
    given : list of str
        The phases as the user named them.
    phases : list of Phase
        What they are.
    cells : list of str
        ``NAME:a=…,c=…``.
    pressure : float, optional
        In GPa.

    Returns
    -------
    dict
        Cell, or free parameters, by name of phase.
    """
    starts: dict[str, Any] = {}
    if pressure is not None:
        from hydrostruct.material.phase import start_at

        for one in phases:
            start = start_at(one, pressure)
            if start is not None:
                starts[one.name] = start
            else:
                print_note(
                    f"note: {one.name}: no equation of state moves its cell to {pressure:g} GPa; the start is its own."
                )
    for text in cells:
        name, _, words = text.rpartition(":")
        record = by_record_name(f"{name}:", given, phases)[:-1]
        system = next((one.system for one in phases if one.name == record), None)
        starts[record] = {**_as_parameters(starts.get(record), system), **_cell_words(text, words)}
    return starts


def background_terms(text: str) -> str | int:
    """Terms of ``--background``: a number, or ``auto``."""
    if text == "auto":
        return text
    if not re.fullmatch(r"[0-9]+", text):
        raise InputError(f"--background: {text!r} is not a number of terms. Expected auto, or 1 to 60.")
    return int(text)


def _pair(text: str) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in text.split())
    except ValueError as error:
        raise InputError(f"--exclude: {text!r} is not a region. Expected two angles in degrees, LO HI.") from error
    return low, high


def _cell_words(text: str, words: str) -> dict[str, float]:
    values = {}
    for word in words.split(","):
        key, _, number = word.partition("=")
        if key.strip() not in _CELL_WORDS:
            raise InputError(f"--cell {text!r}: {word!r} is not understood. Expected NAME:a=…,c=… in Å and degrees.")
        try:
            values[_CELL_WORDS[key.strip()]] = float(number)
        except ValueError as error:
            raise InputError(f"--cell {text!r}: {number!r} is not a number. Expected NAME:a=…,c=….") from error
    return values


def _as_parameters(start: Any, system: Any) -> dict[str, float]:
    """The free parameters of a start, so that some of them can be given anew."""
    from hydrostruct.material.cell import FREE_PARAMETERS, Cell

    if isinstance(start, Cell):
        return {name: getattr(start, name) for name in FREE_PARAMETERS[system]}
    return start or {}


def by_record_name(word: str, given: list[str], phases: list[Any]) -> str:
    """Words name a phase as the user did; the fit knows it by its record's name."""
    name, colon, what = word.rpartition(":")
    for said, record in zip(given, phases, strict=True):
        if name in (said, record.name, Path(said).name, Path(said).stem):
            return f"{record.name}{colon}{what}"
    return word


def stresses(given: list[str], phase: list[str], phases: list[Any]) -> dict[str, float]:
    """Stresses of ``--stress NAME:Q``, by the names of the records."""
    found = {}
    for text in given:
        name, _, value = by_record_name(text, phase, phases).rpartition(":")
        try:
            found[name] = float(value)
        except ValueError:
            raise InputError(f"--stress is {text!r}. Expected NAME:Q, such as Re:0.002.") from None
    return found
