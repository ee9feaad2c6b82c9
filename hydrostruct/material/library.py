"""Where the phase library is, and which phases it holds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hydrostruct.errors import InputError, nearest_name

_PACKAGE = Path(__file__).resolve().parents[1]


def library_folder(package: Path = _PACKAGE) -> Path:
    """The folder `phases/`.

    Parameters
    ----------
    package : Path
        The folder of the package `hydrostruct`.

    Returns
    -------
    Path
        Beside the package when a `pyproject.toml` stands there (a source tree or an editable install, whose copy
        inside the package would grow stale), else inside the package.

    Raises
    ------
    InputError
        When neither is there.
    """
    beside, inside = package.parent / "phases", package / "phases"
    if (package.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    if inside.is_dir():
        return inside
    raise InputError(f"{inside}: the phase library is missing. Expected it in the package. Install hydrostruct again.")


def phase_names() -> tuple[str, ...]:
    """Names of the phases in the library, in alphabetical order.

    Examples
    --------
    >>> "CeH9-P63mmc" in phase_names()
    True
    """
    return _names(library_folder())


def library_path(name: str) -> Path:
    """The file of a phase of the library.

    Parameters
    ----------
    name : str
        A name of `phase_names`.

    Returns
    -------
    Path
        Its TOML file.

    Raises
    ------
    InputError
        When there is no such phase; names the nearest.
    """
    if name not in phase_names():
        raise InputError(
            f"phase {name!r} is not in the library. {nearest_name(name, phase_names())} "
            "Expected a name that 'hydrostruct phases' lists, or a .toml, .cif, .jcpds or .eosmat file."
        )
    return library_folder() / f"{name}.toml"


@lru_cache(maxsize=8)
def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted((path.stem for path in folder.glob("*.toml")), key=str.casefold))
