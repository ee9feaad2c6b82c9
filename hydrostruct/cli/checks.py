"""What is refused before any work: options that are no number, folders that cannot be written."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hydrostruct.errors import InputError


def check_not_negative(**options: float | None) -> None:
    """Refuse an option that is below 0, infinite or no number; one that was not given is None.

    Parameters
    ----------
    **options : float or None
        By the option's name with underscores: ``tc_sigma`` for ``--tc-sigma``.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, value in options.items():
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise InputError(f"{_option(name)} is {value:g}. Expected a number, 0 or above. Correct it.")


def check_above_zero(**options: float | None) -> None:
    """Refuse an option that is not above 0; one that was not given is None.

    Parameters
    ----------
    **options : float or None
        By the option's name with underscores.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, value in options.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{_option(name)} is {value:g}. Expected a number above 0. Correct it.")


def check_folder(option: str, folder: Path | None) -> None:
    """Refuse a folder that cannot be made or written, before anything is computed; nothing is left behind.

    Parameters
    ----------
    option : str
        As the user types it.
    folder : Path or None
        None where the option was not given.

    Raises
    ------
    InputError
        Naming the option and the folder.
    """
    if folder is None:
        return
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"{option} {folder}: cannot be written ({error.strerror}). Expected a folder. Choose another one."
        ) from error


def figure_title(files: Iterable[str], name: str = "") -> str:
    """What stands above a figure: the name, and that the data are simulated where their header says so.

    Parameters
    ----------
    files : iterable of str
        The files that the figure shows.
    name : str
        What it shows.

    Returns
    -------
    str
    """
    from hydrostruct.tables import says_simulated

    mark = "simulated" if any(says_simulated(file) for file in files) else ""
    return f"{name} ({mark})" if name and mark else name or mark


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
