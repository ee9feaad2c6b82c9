"""Spectra from files of any kind: `read_spectrum` for one, `read_spectra` for a map."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.raman.raw import Floats, RawSpectra
from hydrostruct.raman.spectrum import AXES, Spectrum, check_laser, shift_axis

_HIGHEST_EV, _LOWEST_EV = 6.0, 0.5
_NEAR_LASER = (0.95, 1.35)
_UNREADABLE = {
    ".l6s": "LabSpec 6 has no public description and no maintained reader",
    ".l6m": "LabSpec 6 has no public description and no maintained reader",
    ".wip": "WITec projects have no public description",
    ".sif": "Andor's .sif is not read",
}


def read_spectrum(
    path: str | os.PathLike[str], *, laser_nm: float | None = None, axis: str = "auto", index: int | None = None
) -> Spectrum:
    """Read one Raman spectrum.

    Parameters
    ----------
    path : path-like
        Text (``.txt``, ``.csv``, ``.asc``, …), Renishaw ``.wdf``, Princeton ``.spe``, Galactic ``.spc``.
    laser_nm : float, optional
        Wavelength of the laser, in nm; outranks what the file states.
    axis : str
        ``cm1``, ``nm`` or ``ev``; ``auto`` believes the file, else takes cm⁻¹ unless `laser_nm` is given
        and the numbers show otherwise.
    index : int, optional
        Which spectrum of a map, from 0.

    Returns
    -------
    Spectrum
        Sorted by Raman shift.

    Raises
    ------
    InputError
        When the file cannot be read as a spectrum, or holds several and `index` is not given.
    """
    spectra = read_spectra(path, laser_nm=laser_nm, axis=axis)
    if index is None:
        if len(spectra) > 1:
            raise InputError(
                f"{path}: it holds {len(spectra)} spectra. Expected one. Choose with index, or use read_spectra."
            )
        return spectra[0]
    if not 0 <= index < len(spectra):
        raise InputError(f"{path}: there is no spectrum {index}. Expected 0 to {len(spectra) - 1}. Choose another.")
    return spectra[index]


def read_spectra(
    path: str | os.PathLike[str], *, laser_nm: float | None = None, axis: str = "auto"
) -> tuple[Spectrum, ...]:
    """Read all Raman spectra of a file: one, or those of a map in the order of the file.

    Parameters
    ----------
    path : path-like
        As in `read_spectrum`.
    laser_nm : float, optional
        Wavelength of the laser, in nm; outranks what the file states.
    axis : str
        As in `read_spectrum`.

    Returns
    -------
    tuple of Spectrum
        Each with its position in µm where the file states it.

    Raises
    ------
    InputError
        When the file cannot be read as spectra.
    """
    if axis not in AXES:
        raise InputError(f"axis is {axis!r}. Expected one of {', '.join(AXES)}. Choose one.")
    source = Path(path)
    if laser_nm is not None:
        check_laser(laser_nm, "laser")
    raw = _read_raw(source)
    laser = raw.laser_nm if laser_nm is None else laser_nm
    unit, notes = _axis_unit(raw, axis, laser if laser_nm is not None else math.nan)
    count = len(raw.intensity)
    return tuple(
        _spectrum(
            shift_axis(raw.axis if raw.axis.ndim == 1 else raw.axis[k], unit, laser_nm=laser, where=str(source)),
            raw.intensity[k],
            laser_nm=laser,
            x_um=float(raw.x_um[k]) if raw.x_um.size == count else math.nan,
            y_um=float(raw.y_um[k]) if raw.y_um.size == count else math.nan,
            name=str(source) if count == 1 else f"{source}::{k}",
            notes=(*raw.notes, *notes),
        )
        for k in range(count)
    )


def _read_raw(source: Path) -> RawSpectra:
    from hydrostruct.raman.galactic import read_spc
    from hydrostruct.raman.princeton import read_spe
    from hydrostruct.raman.renishaw import read_wdf
    from hydrostruct.raman.text import read_text_spectra

    suffix = source.suffix.lower()
    if suffix in _UNREADABLE and source.exists():
        raise InputError(f"{source}: {_UNREADABLE[suffix]}. Expected another form. Export it as text from its program.")
    readers = {".wdf": read_wdf, ".spc": read_spc, ".spe": read_spe}
    return readers.get(suffix, read_text_spectra)(source)


def _axis_unit(raw: RawSpectra, asked: str, given_laser_nm: float) -> tuple[str, tuple[str, ...]]:
    """The unit of the axis, and a note where it was guessed from the numbers."""
    if asked != "auto":
        return asked, ()
    if raw.unit != "auto":
        return raw.unit, ()
    low, high = float(np.nanmin(raw.axis)), float(np.nanmax(raw.axis))
    if not math.isnan(given_laser_nm) and low > _LOWEST_EV and high < _HIGHEST_EV:
        return "ev", ("The axis was taken as eV from its numbers; say --axis cm1 if it is not.",)
    # a user who names the laser of a file without units, all of it just about that number, has wavelengths
    if given_laser_nm * _NEAR_LASER[0] < low and high < given_laser_nm * _NEAR_LASER[1]:
        return "nm", ("The axis was taken as nm from its numbers and the laser; say --axis cm1 if it is not.",)
    return "cm1", ()


def _spectrum(
    shift: Floats, intensity: Floats, *, laser_nm: float, x_um: float, y_um: float, name: str, notes: tuple[str, ...]
) -> Spectrum:
    order = np.argsort(shift, kind="stable")
    if np.any(np.diff(shift) < 0) and np.any(np.diff(shift) > 0):
        notes = (*notes, "The axis was not in order and has been sorted.")
    return Spectrum(
        shift_cm1=shift[order],
        intensity=intensity[order],
        laser_nm=laser_nm,
        x_um=x_um,
        y_um=y_um,
        name=name,
        notes=notes,
    )
