"""results.nxs: everything that a run found, as NeXus that opens as maps in silx.

References
----------
NeXus definitions: https://manual.nexusformat.org
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.files import write_whole
from hydrostruct.results.csv_tables import RAMAN_MAPS, raman_numbers
from hydrostruct.results.record import PointResult, RunResult

Floats = npt.NDArray[np.float64]

PHASE_QUANTITIES = {
    "a": "ang",
    "b": "ang",
    "c": "ang",
    "alpha": "deg",
    "beta": "deg",
    "gamma": "deg",
    "volume": "ang3",
    "volume_per_fu": "ang3",
}
"""Fitted quantities of a phase that are drawn as maps, with their units."""
_UNITS = {"ang": "angstrom", "deg": "degree", "ang3": "angstrom^3", "": ""}


_TRANSPORT_NUMBERS = {"temperature_k": "K", "value": "", "sigma": ""}
_LINK_NUMBERS = {
    "point": "", "tc_k": "K", "tc_sigma_k": "K", "expected_tc_k": "K", "expected_tc_sigma_k": "K",
    "pressure_gpa": "GPa", "distance_um": "um",
}  # fmt: skip


def write_nexus(result: RunResult, path: str | os.PathLike[str]) -> Path:
    """Write a run as one NeXus file.

    Parameters
    ----------
    result : RunResult
        What was found.
    path : path-like
        The file, whole or not at all.

    Returns
    -------
    Path
        The file written.
    """
    import h5py

    with h5py.File.in_memory() as file:
        file.attrs["default"] = "entry"
        entry = _group(file, "entry", "NXentry", default=_default_map(result))
        entry["title"] = result.title
        entry["sample_name"] = result.sample
        entry["simulated"] = result.is_simulated
        _write_process(entry, result)
        _write_maps(entry, result)
        _write_patterns(entry, result)
        _write_transport(entry, result)
        file.flush()
        image = file.id.get_file_image()
    return write_whole(path, image)


def map_values(result: RunResult, values: Floats) -> Floats:
    """Values of the points put on the grid of the map.

    Parameters
    ----------
    result : RunResult
        Gives the grid.
    values : array, shape (points,)
        One for each point.

    Returns
    -------
    array
        Shape (rows, columns), NaN where there is no point; the values themselves for points that make no grid.
    """
    places = [point.place for point in result.points]
    if any(place.row < 0 for place in places):
        return values
    rows, columns = max(place.row for place in places) + 1, max(place.column for place in places) + 1
    grid = np.full((rows, columns), np.nan)
    for place, value in zip(places, values, strict=True):
        grid[place.row, place.column] = value
    return grid


def phase_values(result: RunResult, phase: str, name: str) -> Floats:
    """One attribute of the fits of one phase at all points, NaN where there is none, shape (points,)."""
    found = (point.fit.phases.get(phase) if point.fit else None for point in result.points)
    return np.array([np.nan if fit is None else float(getattr(fit, name)) for fit in found])


def raman_values(result: RunResult, name: str) -> Floats:
    """One number of the Raman spectra at all points, NaN where there is none, shape (points,)."""
    numbers = (raman_numbers(point).get(name) for point in result.points)
    return np.array([float(one) if isinstance(one, float) else np.nan for one in numbers])


def point_values(result: RunResult, name: str) -> Floats:
    """One attribute of the fits at all points, NaN where there is none, shape (points,)."""
    return np.array([np.nan if point.fit is None else float(getattr(point.fit, name)) for point in result.points])


def _group(parent: Any, name: str, nx_class: str, **attributes: Any) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    for key, value in attributes.items():
        group.attrs[key] = value
    return group


def _default_map(result: RunResult) -> str:
    return "maps/" + result.phase_names[0].replace("/", "_") + "_volume_per_fu"


def _write_process(entry: Any, result: RunResult) -> None:
    process = _group(entry, "process", "NXprocess")
    process["program"] = "hydrostruct"
    process["version"] = result.versions.get("hydrostruct", "")
    settings = _group(process, "settings", "NXnote")
    settings["type"] = "application/toml"
    settings["data"] = result.settings
    fit = _group(process, "fit", "NXcollection")
    fit["method"], fit["loss"], fit["profile"] = result.method, result.loss, result.profile
    versions = _group(process, "versions", "NXcollection")
    for name, number in result.versions.items():
        versions[name] = number
    checksums = _group(process, "checksums", "NXcollection")
    checksums["file"] = list(result.checksums)
    checksums["sha256"] = list(result.checksums.values())


def _write_maps(entry: Any, result: RunResult) -> None:
    maps = _group(entry, "maps", "NXcollection")
    for name in ("rwp_percent", "gof"):
        _write_map(maps, result, name, point_values(result, name), None, "")
    if any(point.raman is not None for point in result.points):
        for quantity, (ending, unit) in RAMAN_MAPS.items():
            values, sigma = (raman_values(result, f"{quantity}{kind}_{ending}") for kind in ("", "_sigma"))
            _write_map(maps, result, f"raman_{quantity}", values, sigma, unit)
    for phase in result.phase_names:
        stem = phase.replace("/", "_")
        for quantity, unit in PHASE_QUANTITIES.items():
            values = phase_values(result, phase, f"{quantity}_{unit}")
            sigma = phase_values(result, phase, f"{quantity}_sigma_{unit}")
            _write_map(maps, result, f"{stem}_{quantity}", values, sigma, _UNITS[unit])
        share, sigma = (phase_values(result, phase, name) for name in ("share", "share_sigma"))
        _write_map(maps, result, f"{stem}_share", share, sigma, "")
        _write_map(maps, result, f"{stem}_significance", phase_values(result, phase, "significance"), None, "")


def _write_map(maps: Any, result: RunResult, name: str, values: Floats, sigma: Floats | None, unit: str) -> None:
    gridded = map_values(result, values)
    group = _group(maps, name, "NXdata", signal=name)
    group[name] = gridded
    group[name].attrs["units"] = unit
    if sigma is not None:
        group[f"{name}_errors"] = map_values(result, sigma)
        group[f"{name}_errors"].attrs["units"] = unit
    x = np.array([point.place.x_um for point in result.points])
    y = np.array([point.place.y_um for point in result.points])
    axes = {"x": x, "y": y}
    if gridded.ndim == 2:
        axes = {"x": np.nanmean(map_values(result, x), axis=0), "y": np.nanmean(map_values(result, y), axis=1)}
        if not all(np.all(np.isfinite(axis)) for axis in axes.values()):
            axes = {"x": np.arange(gridded.shape[1]) * 1.0, "y": np.arange(gridded.shape[0]) * 1.0}
        group.attrs["axes"] = ["y", "x"]
    for axis, places in axes.items():
        group[axis] = places
        group[axis].attrs["units"] = "um"


def _write_patterns(entry: Any, result: RunResult) -> None:
    first = next((point.pattern for point in result.points if point.pattern is not None), None)
    if first is None:
        return
    group = _group(entry, "patterns", "NXdata", signal="intensity", axes=["point", "two_theta"])
    size = first.two_theta_deg.size
    group["point"] = [point.place.point for point in result.points]
    group["two_theta"] = first.two_theta_deg
    group["two_theta"].attrs["units"] = "degree"
    group["wavelength"] = result.wavelength_ang
    group["wavelength"].attrs["units"] = "angstrom"
    columns = {
        "intensity": lambda point: point.pattern and point.pattern.intensity,
        "intensity_errors": lambda point: point.pattern and point.pattern.sigma,
        "calculated": lambda point: point.fit and point.fit.calculated,
        "background": lambda point: point.fit and point.fit.background,
        "beyond_profile": lambda point: point.fit and point.fit.beyond_profile,
    }
    for name, column in columns.items():
        group.create_dataset(name, data=_stacked(result.points, column, size), compression="gzip", shuffle=True)


def _write_transport(entry: Any, result: RunResult) -> None:
    """Numbers of the transport curves, and every point beside every curve; columns as in the tables."""
    if not result.transport:
        return
    for name, rows, texts, numbers in (
        ("transport", result.transport, ("file", "kind", "quantity", "unit", "verdict", "reason"), _TRANSPORT_NUMBERS),
        ("links", result.links, ("run", "kind", "file", "phases", "reason"), _LINK_NUMBERS),
    ):
        group = _group(entry, name, "NXcollection")
        for column in texts:
            group[column] = [str(getattr(row, column)) for row in rows]
        for column, unit in numbers.items():
            group[column] = [getattr(row, column) for row in rows]
            group[column].attrs["units"] = unit


def _stacked(points: tuple[PointResult, ...], column: Any, size: int) -> Floats:
    stacked = np.full((len(points), size), np.nan)
    for row, point in enumerate(points):
        values = column(point)
        if values is not None and np.shape(values) == (size,):
            stacked[row] = values
    return stacked
