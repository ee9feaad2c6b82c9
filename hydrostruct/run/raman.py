"""The Raman spectra of a run: which spectrum belongs to which point, its edge, pressure and vibron."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.grid import MapPoint, natural_order
from hydrostruct.raman.edge import find_edge
from hydrostruct.raman.edge_fit import EdgeFit
from hydrostruct.raman.edge_pressure import read_edge_pressure
from hydrostruct.raman.read import read_spectra
from hydrostruct.raman.scales import read_scale
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.raman.vibron import find_vibron
from hydrostruct.results.record import PointRaman
from hydrostruct.run.config import RamanSection

Floats = npt.NDArray[np.float64]
Executor = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

_FEWEST_PLACES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class RamanJob:
    """The spectra of one point; what an executor carries to a process."""

    edge: Spectrum | str | None
    """Spectrum of the anvil; a sentence where it cannot be read."""
    vibron: Spectrum | str | None
    """Spectrum of hydrogen; a sentence where it cannot be read."""
    scale: str
    """Pressure scale."""


def analyse_raman(
    section: RamanSection, folder: Path, count: int, *, executor: Executor = map
) -> tuple[tuple[PointRaman, ...], tuple[str, ...]]:
    """Edge, pressure and vibron of every point.

    Parameters
    ----------
    section : RamanSection
        What the run.toml says.
    folder : Path
        Of the run.toml.
    count : int
        Points of the run.
    executor : callable
        Maps a function over jobs, in their order.

    Returns
    -------
    points : tuple of PointRaman
        One for each point; a spectrum that cannot be read is a reason there, and stops nothing.
    notes : tuple of str
        What concerns all points.

    Raises
    ------
    InputError
        When there are neither one nor as many spectra as points, or the scale is not known.
    """
    scale = str(folder / section.scale) if (folder / section.scale).is_file() else section.scale
    read_scale(scale)
    edges = _spectra(section.edge, "raman.edge", section, folder, count)
    vibrons = _spectra(section.vibron, "raman.vibron", section, folder, count)
    jobs = [RamanJob(edge=edge, vibron=vibron, scale=scale) for edge, vibron in zip(edges, vibrons, strict=True)]
    notes = tuple(
        f"{what}: one spectrum for the run; its numbers stand at every point."
        for what, given in (("raman.edge", edges), ("raman.vibron", vibrons))
        if count > 1 and given[0] is not None and all(one is given[0] for one in given)
    )
    return tuple(executor(analyse_spectra, jobs)), notes


def analyse_spectra(job: RamanJob) -> PointRaman:
    """Edge, pressure and vibron of one point."""
    reasons: list[str] = []
    edge: EdgeFit | None = None
    pressure = vibron = None
    if isinstance(job.edge, Spectrum):
        edge = find_edge(job.edge)
        pressure = read_edge_pressure(
            edge.edge_cm1, edge.edge_sigma_cm1, axis_sigma_cm1=job.edge.axis_sigma_cm1, scale=job.scale
        )
        reasons += [text for text in (edge.reason, pressure.reason) if text]
    if isinstance(job.vibron, Spectrum):
        gpa = math.nan if pressure is None else pressure.pressure_gpa
        vibron = find_vibron(job.vibron, edge_pressure_gpa=gpa if math.isfinite(gpa) else None)
        reasons += [vibron.reason] if vibron.reason else []
    reasons += [text for text in (job.edge, job.vibron) if isinstance(text, str)]
    return PointRaman(edge=edge, pressure=pressure, vibron=vibron, reason=" ".join(reasons))


def pressure_gradient(places: Sequence[MapPoint], raman: Sequence[PointRaman]) -> str:
    """A sentence on how the pressure of the edge changes over the map; empty when it cannot be told.

    Parameters
    ----------
    places : sequence of MapPoint
        Positions, in µm.
    raman : sequence of PointRaman
        Pressures, in GPa.

    Returns
    -------
    str
        Slopes along x and y in GPa/µm, from a plane through all points by weighted least squares; sigma is scaled by
        how far the points lie from the plane, when that is more than their own sigma.
    """
    rows = [
        (place.x_um, place.y_um, one.pressure.pressure_gpa, one.pressure.pressure_sigma_gpa)
        for place, one in zip(places, raman, strict=True)
        if one.pressure is not None
    ]
    table = np.array([row for row in rows if np.all(np.isfinite(row)) and row[3] > 0])
    if len(table) < _FEWEST_PLACES or np.ptp(table[:, 0]) == 0 or np.ptp(table[:, 1]) == 0:
        return ""
    x, y, pressure, sigma = table.T
    design = np.column_stack((np.ones_like(x), x - x.mean(), y - y.mean())) / sigma[:, None]
    values, _, rank, _ = np.linalg.lstsq(design, pressure / sigma, rcond=None)
    if rank < 3:
        return ""
    left = pressure / sigma - design @ values
    scale = max(1.0, math.sqrt(float(left @ left) / (len(table) - 3)))
    spread = np.sqrt(np.diag(np.linalg.inv(design.T @ design))) * scale
    shape = " The points do not lie on a plane: sigma is scaled for it." if scale > 1.5 else ""
    return (
        f"Pressure of the diamond edge: {values[0]:.2f} ± {spread[0]:.2f} GPa in the middle, gradient "
        f"{values[1]:+.4f} ± {spread[1]:.4f} GPa/µm along x and {values[2]:+.4f} ± {spread[2]:.4f} along y.{shape}"
    )


def _spectra(
    pattern: str | None, key: str, section: RamanSection, folder: Path, count: int
) -> list[Spectrum | str | None]:
    """The spectrum of each point: one for all, one file for each, or the spectra of one file."""
    if pattern is None:
        return [None] * count
    path = str(folder / pattern)
    names = natural_order(glob.glob(path)) if glob.has_magic(path) else (path,)  # noqa: PTH207 - may be absolute
    if not names:
        raise InputError(f"{path}: no file matches {key}. Expected one, or one for each point. Check the pattern.")
    if len(names) == 1:
        found: list[Spectrum | str | None] = list(read_spectra(names[0], laser_nm=section.laser_nm))
    else:
        found = [_read_one(name, section) for name in names]
    if len(found) not in (1, count):
        raise InputError(
            f"{path}: {len(found)} spectra for {count} points. Expected one for the run, or one for each point. "
            f"Correct {key}."
        )
    return found * count if len(found) == 1 else found


def _read_one(name: str, section: RamanSection) -> Spectrum | str:
    try:
        spectra = read_spectra(name, laser_nm=section.laser_nm)
    except InputError as error:
        return str(error)
    if len(spectra) != 1:
        return f"{name}: it holds {len(spectra)} spectra. Expected one for its point."
    return spectra[0]
