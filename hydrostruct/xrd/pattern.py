"""One diffraction pattern, and the text files that hold it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.files import write_whole
from hydrostruct.tables import read_columns, read_text
from hydrostruct.xrd.empty_bins import empty_bins, empty_bins_note
from hydrostruct.xrd.guessed_sigma import guessed_sigma, noise_note

Floats = npt.NDArray[np.float64]

PATTERN_SUFFIXES = (".xy", ".xye", ".chi", ".fxye", ".dat", ".csv")
"""Files that hold a pattern, not an image."""
GUESSED = ("counting", "noise")
"""Sources of a sigma that nobody gave."""
BRAGG_BRENTANO = "bragg-brentano"
"""The flat specimen of a laboratory diffractometer, in reflection."""
UNKNOWN = "unknown"
"""Nothing was said."""
GEOMETRIES = (UNKNOWN, "transmission", BRAGG_BRENTANO)
"""How a pattern may have been measured; an area detector or a capillary is ``transmission``."""
_WAVELENGTH_RANGE_ANG = (0.08, 5.0)  # 155 keV; below lie the wavelengths of diffraction stations in nm
_CENTIDEGREES = 100.0
_LARGEST = 1e30  # of intensity and sigma: what is computed from their squares is still a number


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """Intensity against 2θ, with the uncertainty of every point and the wavelength it belongs to.

    Arrays are checked and made read-only when the record is made. A point that was not measured has NaN intensity;
    it stays in its place and takes no part in a fit. What stands for a bin without data (see
    `hydrostruct.xrd.empty_bins`) is made NaN where no sigma above 0 says that it was measured, and a note says so.
    """

    two_theta_deg: Floats
    """Bragg angle 2θ, in degrees, rising, shape (n,)."""
    intensity: Floats
    """Intensity, in any linear unit, shape (n,); NaN where nothing was measured."""
    sigma: Floats | None = None
    """Standard uncertainty of the intensity, shape (n,); when left out √max(I, 1), or where the noise is another, what
    the pattern shows (see `hydrostruct.xrd.guessed_sigma`), and `sigma_source` says so."""
    wavelength_ang: float
    """Wavelength, in Å."""
    name: str = ""
    """Where the pattern comes from, as a user knows it."""
    sigma_source: str = "given"
    """How sigma came about: ``given``, ``azimuthal``, ``poisson``; or guessed: ``counting`` for √max(I, 1), ``noise``
    for k √max(I, floor) with k from the noise of neighbouring points."""
    geometry: str = "unknown"
    """How it was measured: ``transmission`` (area detector, capillary), ``bragg-brentano`` (flat specimen of a
    laboratory diffractometer, in reflection), or ``unknown``. Says what a displacement of the sample does to its lines.
    """
    notes: tuple[str, ...] = ()
    """What was changed on reading, and what a user should know; whole sentences."""
    sector_changes: npt.NDArray[np.float32] | None = None
    """What leaving out each sector of the rings changes the intensity by, shape (sectors, n); None when not known."""

    def __post_init__(self) -> None:
        """Check the arrays once, and make them read-only."""
        position = _frozen(self.two_theta_deg)
        intensity = _frozen(self.intensity)
        _check_wavelength(self.wavelength_ang, self.name)
        _check_geometry(self.geometry, self.name)
        _check_axis(position, intensity, self.name)
        intensity, notes = _without_empty_bins(position, intensity, self.sigma, self.notes)
        source = self.sigma_source
        if self.sigma is None:
            guess = guessed_sigma(intensity)
            sigma, source = guess.sigma, "counting" if guess.is_counting else "noise"
            notes = notes if guess.is_counting else (*notes, noise_note(guess))
        else:
            sigma = np.asarray(self.sigma, dtype=np.float64)
            _check_sigma(sigma, intensity, self.name)
        for field, value in (
            ("two_theta_deg", position),
            ("intensity", intensity),
            ("sector_changes", _checked_sectors(self.sector_changes, intensity, self.name)),
            ("sigma", _frozen(sigma)),
            ("sigma_source", source),
            ("notes", notes),
        ):
            object.__setattr__(self, field, value)


def read_pattern(path: str | os.PathLike[str], *, wavelength_ang: float, geometry: str = "unknown") -> Pattern:
    """Read a 1D pattern: ``.xy``, ``.xye``, ``.chi``, ``.fxye`` (GSAS), ``.dat``, ``.csv``.

    Parameters
    ----------
    path : path-like
        Columns 2θ (degrees; centidegrees in ``.fxye``), intensity and, where there is a third, sigma.
    wavelength_ang : float
        Wavelength, in Å.
    geometry : {"unknown", "transmission", "bragg-brentano"}
        How it was measured; where it is unknown, what `write_pattern` noted in the file.

    Returns
    -------
    Pattern
        Sorted by angle, with a note when the file was not; without a sigma column sigma is √max(I, 1), or the noise
        that is seen where it is another, with a note.

    Raises
    ------
    InputError
        When the file cannot be read as a pattern.
    """
    source = Path(path)
    header: tuple[str, ...] = ()
    if source.suffix.lower() == ".fxye":
        columns = _read_fxye(source)
    else:
        columns, header = read_columns(source)
        _refuse_other_axes(source, header)
    notes: list[str] = []
    position, intensity = columns[:, 0], columns[:, 1]
    sigma = columns[:, 2] if columns.shape[1] >= 3 else None
    order = np.argsort(position, kind="stable")
    if np.any(np.diff(position) < 0):
        notes.append("The angles were not in rising order and have been sorted.")
    missing = ""
    if sigma is None:
        missing = "The file has no uncertainties"
    elif bool(np.all(sigma == 0)):
        missing, sigma = "All uncertainties in the file are 0", None
    read = Pattern(
        two_theta_deg=position[order],
        intensity=intensity[order],
        sigma=None if sigma is None else sigma[order],
        wavelength_ang=wavelength_ang,
        name=str(source),
        sigma_source=_written_source(header),
        geometry=_written_geometry(header) if geometry == GEOMETRIES[0] else geometry,
        notes=tuple(notes),
    )
    if missing and read.sigma_source == "counting":
        note = f"{missing}: sigma is the square root of max(intensity, 1)."
        return replace(read, notes=(*read.notes, note))
    return read


def write_pattern(pattern: Pattern, path: str | os.PathLike[str]) -> Path:
    """Write a pattern as ``.xye`` text: 2θ in degrees, intensity, sigma.

    Parameters
    ----------
    pattern : Pattern
        Points with NaN intensity are left out: the format has no word for them.
    path : path-like
        The file to write, whole or not at all.

    Returns
    -------
    Path
        The file written.
    """
    assert pattern.sigma is not None
    good = np.isfinite(pattern.intensity)
    lines = [
        f"# hydrostruct pattern: {_one_line(pattern.name)}",
        f"# wavelength_ang = {pattern.wavelength_ang:.8g}",
        f"# sigma = {pattern.sigma_source}",
        f"# geometry = {pattern.geometry}",
        *(f"# note: {_one_line(note)}" for note in pattern.notes),
        "# two_theta_deg intensity sigma",
    ]
    rows = zip(pattern.two_theta_deg[good], pattern.intensity[good], pattern.sigma[good], strict=True)
    lines += [f"{position:.6f} {value:.7g} {sigma:.7g}" for position, value, sigma in rows]
    return write_whole(path, "\n".join(lines) + "\n")


def _frozen(values: npt.ArrayLike) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _without_empty_bins(
    position: Floats, intensity: Floats, sigma: npt.ArrayLike | None, notes: tuple[str, ...]
) -> tuple[Floats, tuple[str, ...]]:
    """Intensities with NaN where a value stands for a bin without data, and the notes with a sentence about it."""
    if sigma is None:
        left_out = empty_bins(intensity)
    else:
        given = np.asarray(sigma, dtype=np.float64)
        if given.shape != intensity.shape or np.all(given > 0):
            return intensity, notes
        left_out = empty_bins(intensity) & ~(given > 0)
    if not np.any(left_out):
        return intensity, notes
    note = empty_bins_note(position, intensity, left_out)
    return _frozen(np.where(left_out, np.nan, intensity)), (*notes, note)


def _checked_sectors(
    changes: npt.NDArray[np.float32] | None, intensity: Floats, name: str
) -> npt.NDArray[np.float32] | None:
    if changes is None:
        return None
    array = np.array(changes, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != intensity.size or not np.all(np.isfinite(array)):
        raise InputError(
            f"{name or 'pattern'}: the changes by sector have shape {array.shape}. Expected numbers, one row for each "
            f"sector and {intensity.size} columns."
        )
    array.setflags(write=False)
    return array


def _check_geometry(geometry: str, name: str) -> None:
    if geometry not in GEOMETRIES:
        raise InputError(
            f"{name or 'pattern'}: the geometry is {geometry!r}. Expected one of {', '.join(GEOMETRIES)}. "
            + nearest_name(str(geometry), GEOMETRIES)
        )


def _check_wavelength(wavelength_ang: float, name: str) -> None:
    low, high = _WAVELENGTH_RANGE_ANG
    if not (np.isfinite(wavelength_ang) and low <= wavelength_ang <= high):
        meant = ""
        if 0 < wavelength_ang < 1e-9:
            meant = f" In metres? Then give {wavelength_ang * 1e10:.6g}."
        elif 0 < wavelength_ang < low:
            meant = f" In nanometres? Then give {wavelength_ang * 10:.6g}."
        elif wavelength_ang > 2000.0:
            meant = f" An energy in eV? Then give {12398.419843 / wavelength_ang:.6g}."
        elif wavelength_ang > high:
            meant = f" An energy in keV? Then give {12.398419843 / wavelength_ang:.6g}."
        raise InputError(
            f"{name or 'pattern'}: the wavelength is {wavelength_ang:g}. Expected Å, from {low:g} to {high:g}.{meant}"
        )


def _check_axis(position: Floats, intensity: Floats, name: str) -> None:
    where = name or "pattern"
    if position.ndim != 1 or position.shape != intensity.shape:
        raise InputError(
            f"{where}: 2θ has shape {position.shape}, intensity {intensity.shape}. Expected two columns of one length."
        )
    if position.size < 2:
        raise InputError(f"{where}: {position.size} point(s). Expected a pattern of two or more.")
    if not np.all(np.isfinite(position)):
        raise InputError(f"{where}: {np.sum(~np.isfinite(position))} angle(s) are not numbers. Remove those rows.")
    if np.any(np.diff(position) <= 0):
        place = position[1:][np.diff(position) <= 0][0]
        raise InputError(
            f"{where}: 2θ does not rise at {place:g}°. Expected rising angles without repeats. Sort "
            "it, and remove what is there twice."
        )
    if position[0] < -180.0 or position[-1] > 180.0:
        raise InputError(
            f"{where}: 2θ runs from {position[0]:g} to {position[-1]:g}. Expected degrees, below 180. Convert the axis."
        )
    if not np.any(np.isfinite(intensity)):
        raise InputError(f"{where}: no intensity is a number. Expected measured values. Check the file or the mask.")
    largest = np.max(np.abs(intensity[np.isfinite(intensity)]))
    if largest > _LARGEST:
        raise InputError(f"{where}: an intensity is {largest:g}. Expected numbers below {_LARGEST:g}. Check the file.")


def _check_sigma(sigma: Floats, intensity: Floats, name: str) -> None:
    where = name or "pattern"
    if sigma.shape != intensity.shape:
        raise InputError(f"{where}: sigma has shape {sigma.shape}, intensity {intensity.shape}. Expected one length.")
    measured = sigma[np.isfinite(intensity)]
    bad = ~(np.isfinite(measured) & (measured > 0))
    if np.any(bad):
        raise InputError(
            f"{where}: sigma is {measured[bad][0]:g} at {int(bad.sum())} of {measured.size} points. Expected values "
            "above 0. Remove those points, or the column: sigma is then the square root of the intensity."
        )
    for extreme in (float(np.min(measured)), float(np.max(measured))):
        if not 1.0 / _LARGEST <= extreme <= _LARGEST:
            raise InputError(
                f"{where}: sigma is {extreme:g} somewhere. Expected {1 / _LARGEST:g} to {_LARGEST:g}. Check the file."
            )


def _read_fxye(path: Path) -> Floats:
    """Rows of a GSAS file; its title and BANK lines come before them."""
    rows: list[list[float]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        words = line.split()
        try:
            row = [float(word) for word in words[:3]]
        except ValueError:
            row = []
        if len(row) == 3:
            rows.append(row)
        elif rows and words and not words[0].startswith(("#", "BANK")):
            raise InputError(
                f"{path}: line {number} is {line.strip()[:40]!r}. Expected three numbers, as on the lines before it. "
                "The file may be cut short: write it again, or remove the line."
            )
    if len(rows) < 2:
        raise InputError(f"{path}: {len(rows)} row(s) of three numbers. Expected a GSAS FXYE file. Check the file.")
    values = np.array(rows)
    values[:, 0] /= _CENTIDEGREES
    return values


def _refuse_other_axes(path: Path, header: tuple[str, ...]) -> None:
    text = " ".join(header).casefold()
    other = re.search(r"\bq[ _](nm|a)\^?-1|\(1/å\)|\bq \(|\bd[-_]spacing", text)
    if re.search(r"\b2th_rad", text) or (other and not re.search(r"2th|two.?theta", text)):
        raise InputError(
            f"{path}: the axis is not 2θ. Expected degrees 2θ. Integrate the images again on 2θ, or convert "
            "the column: 2θ = 2 arcsin(Qλ/4π) = 2 arcsin(λ/2d)."
        )


def _written_source(header: tuple[str, ...]) -> str:
    """Where sigma came from, as `write_pattern` writes it."""
    found = re.search(r"^# sigma = (azimuthal|poisson|counting|noise)$", "\n".join(header), re.MULTILINE)
    return found.group(1) if found else "given"


def _written_geometry(header: tuple[str, ...]) -> str:
    """How a pattern was measured, as `write_pattern` writes it."""
    found = re.search(rf"^# geometry = ({'|'.join(GEOMETRIES)})$", "\n".join(header), re.MULTILINE)
    return found.group(1) if found else GEOMETRIES[0]


def _one_line(text: str) -> str:
    return " ".join(text.split())
