"""The Raman spectra of a run: which spectrum belongs to which point, its edge, pressure and vibron."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.grid import MapPoint, natural_order
from hydrostruct.numerics.plane import fit_plane
from hydrostruct.raman.edge import find_edge
from hydrostruct.raman.edge_fit import EdgeFit
from hydrostruct.raman.edge_pressure import read_edge_pressure
from hydrostruct.raman.read import read_spectra
from hydrostruct.raman.scales import read_scale
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.raman.vibron import find_vibron
from hydrostruct.results.record import PointRaman
from hydrostruct.run.config import RamanSection
from hydrostruct.run.points import positioned_points

Floats = npt.NDArray[np.float64]
Executor = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


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
    section: RamanSection,
    folder: Path,
    count: int,
    *,
    places: Sequence[MapPoint] = (),
    executor: Executor = map,
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
    places : sequence of MapPoint
        Where they lie; needed when the spectra have positions of their own.
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
        When there are neither one nor as many spectra as points, the scale is not known, or positions do not fit.
    """
    _check_positions(section)
    scale = str(folder / section.scale) if (folder / section.scale).is_file() else section.scale
    read_scale(scale)
    edges = _placed(section.edge, "raman.edge", section, folder, count, places)
    vibrons = _placed(section.vibron, "raman.vibron", section, folder, count, places)
    jobs = [
        RamanJob(edge=edge, vibron=vibron, scale=scale)
        for edge, vibron in zip(edges.spectra, vibrons.spectra, strict=True)
    ]
    found = tuple(
        replace(one, edge_distance_um=edge_um, vibron_distance_um=vibron_um)
        for one, edge_um, vibron_um in zip(
            executor(analyse_spectra, jobs), edges.distances_um, vibrons.distances_um, strict=True
        )
    )
    return found, tuple(note for note in (edges.note, vibrons.note) if note)


def _check_positions(section: RamanSection) -> None:
    given = [name for name in ("offset_um", "rotation_deg", "reach_um") if name in section.model_fields_set]
    if given and section.positions is None:
        raise InputError(
            f"raman.{given[0]}: given without 'raman.positions'. Expected both: it is said of positions that the "
            "spectra have. Give 'raman.positions', or leave it out."
        )


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
    if not rows:
        return ""
    x, y, pressure, sigma = np.array(rows).T
    plane = fit_plane(x, y, values=pressure, sigma=sigma)
    if plane is None:
        return ""
    shape = " The points do not lie on a plane: sigma is scaled for it." if plane.excess > 1.5 else ""
    return (
        f"Pressure of the diamond edge: {plane.middle:.2f} ± {plane.middle_sigma:.2f} GPa in the middle, gradient "
        f"{plane.slope_x:+.4f} ± {plane.slope_x_sigma:.4f} GPa/µm along x and {plane.slope_y:+.4f} ± "
        f"{plane.slope_y_sigma:.4f} along y.{shape}"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A spectrum for each point, or none."""

    spectra: Sequence[Spectrum | str | None]
    distances_um: list[float]
    note: str


def _placed(
    pattern: str | None, key: str, section: RamanSection, folder: Path, count: int, places: Sequence[MapPoint]
) -> _Placed:
    """The spectrum of each point: one for all, one file for each, the spectra of one file, or the nearest."""
    nowhere = [math.nan] * count
    if pattern is None:
        return _Placed(spectra=[None] * count, distances_um=nowhere, note="")
    spectra, names = _spectra(pattern, key, section, folder)
    if section.positions is not None:
        return _nearest(spectra, _positions(spectra, names, key, section, folder), key, section, places)
    if len(spectra) not in (1, count):
        raise InputError(
            f"{folder / pattern}: {len(spectra)} spectra for {count} points. Expected one for the run, or one for each "
            f"point. Correct {key}, or give 'raman.positions'."
        )
    if len(spectra) > 1 or count == 1:
        return _Placed(spectra=spectra, distances_um=nowhere, note="")
    note = f"{key}: one spectrum for the run; its numbers stand at every point."
    return _Placed(spectra=spectra * count, distances_um=nowhere, note=note)


def _positions(
    spectra: list[Spectrum | str], names: tuple[str, ...], key: str, section: RamanSection, folder: Path
) -> Floats:
    """Where the spectra were taken, turned and moved to the map, in µm, shape (spectra, 2)."""
    if section.positions == "own":
        own = [(one.x_um, one.y_um) if isinstance(one, Spectrum) else (math.nan, math.nan) for one in spectra]
        taken = np.array(own)
        if not np.any(np.isfinite(taken)):
            raise InputError(
                f"{key}: the files hold no positions. Expected a table. Give 'raman.positions' a file of x_um, y_um."
            )
    else:
        assert section.positions is not None
        listed = positioned_points(folder / section.positions, names, what="spectra")
        taken = np.array([(one.x_um, one.y_um) for one in listed])
    angle = math.radians(section.rotation_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(taken @ turn.T + np.array(section.offset_um))


def _nearest(
    spectra: list[Spectrum | str], taken: Floats, key: str, section: RamanSection, places: Sequence[MapPoint]
) -> _Placed:
    """The nearest spectrum of each point, within reach."""
    points = np.array([(place.x_um, place.y_um) for place in places])
    if points.size == 0 or not np.all(np.isfinite(points)):
        raise InputError(
            f"{key}: spectra with positions on a map without. Expected µm for the map. Give 'map.step_um' or "
            "'map.positions'."
        )
    reach = _half_step(points) if section.reach_um is None else section.reach_um
    apart = np.hypot(*(points[:, None, :] - taken[None, :, :]).transpose(2, 0, 1))
    apart = np.where(np.isfinite(apart), apart, np.inf)
    chosen = np.argmin(apart, axis=1)
    least = apart[np.arange(len(points)), chosen]
    found: list[Spectrum | str | None] = [
        spectra[index] if far <= reach else _too_far(key, float(far), reach)
        for index, far in zip(chosen, least, strict=True)
    ]
    near = least[least <= reach]
    farthest = f"; the farthest is {np.max(near):.2f} µm away" if near.size else ""
    note = f"{key}: {len(spectra)} spectra at positions of their own; {near.size} of {len(points)} points have one "
    return _Placed(
        spectra=found,
        distances_um=[float(far) if math.isfinite(far) else math.nan for far in least],
        note=f"{note}within {reach:.3g} µm{farthest}.",
    )


def _too_far(key: str, far: float, reach: float) -> str:
    return f"{key}: no spectrum within {reach:.3g} µm of the point; the nearest is {far:.3g} µm away."


def _half_step(points: Floats) -> float:
    """Half the least distance of two points; any distance for a single one."""
    apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    others = apart[apart > 0]
    # a spectrum that lies half a step away in x is within reach in spite of rounding
    return 0.5 * float(np.min(others)) * (1.0 + 1e-9) if others.size else math.inf


def _spectra(
    pattern: str, key: str, section: RamanSection, folder: Path
) -> tuple[list[Spectrum | str], tuple[str, ...]]:
    """All spectra that a pattern names, in natural order, and their files' names."""
    path = str(folder / pattern)
    names = natural_order(glob.glob(path)) if glob.has_magic(path) else (path,)  # noqa: PTH207 - may be absolute
    if not names:
        raise InputError(f"{path}: no file matches {key}. Expected one, or one for each point. Check the pattern.")
    if len(names) == 1:
        found: list[Spectrum | str] = list(read_spectra(names[0], laser_nm=section.laser_nm))
        return found, tuple(names) if len(found) == 1 else tuple(f"{names[0]}::{k}" for k in range(len(found)))
    return [_read_one(name, section) for name in names], tuple(names)


def _read_one(name: str, section: RamanSection) -> Spectrum | str:
    try:
        spectra = read_spectra(name, laser_nm=section.laser_nm)
    except InputError as error:
        return str(error)
    if len(spectra) != 1:
        return f"{name}: it holds {len(spectra)} spectra. Expected one for its point."
    return spectra[0]
