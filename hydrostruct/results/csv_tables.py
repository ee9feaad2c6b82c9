"""points.csv, phases.csv, transport.csv and links.csv: the same bytes for the same input."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydrostruct.files import write_whole
from hydrostruct.results.record import PointResult, RunResult

POINT_COLUMNS = (
    "point",
    "row",
    "column",
    "x_um",
    "y_um",
    "file",
    "verdict",
    "reason",
    "rp_percent",
    "rwp_percent",
    "gof",
    "spottiness",
    "edge_cm1",
    "edge_sigma_cm1",
    "pressure_gpa",
    "pressure_sigma_gpa",
    "vibron_cm1",
    "vibron_sigma_cm1",
    "frame",
    "exposure_s",
    "monitor",
    "pressure_systematic_gpa",
    "pressure_scale",
    "edge_verdict",
    "vibron_verdict",
    "raman_reason",
    "edge_distance_um",
    "vibron_distance_um",
)
RAMAN_MAPS = {
    "pressure": ("gpa", "GPa"),
    "edge": ("cm1", "1/cm"),
    "vibron": ("cm1", "1/cm"),
}
"""Numbers of the Raman spectra that are drawn as maps, with the unit of their names, and the unit itself."""
_CELL = tuple(
    f"{stem}{kind}_{unit}"
    for stem, unit in (
        *((name, "ang") for name in "abc"),
        *((name, "deg") for name in ("alpha", "beta", "gamma")),
        ("volume", "ang3"),
        ("volume_per_fu", "ang3"),
    )
    for kind in ("", "_sigma")
)
_SYSTEMATIC = ("a_systematic_ang", "b_systematic_ang", "c_systematic_ang", "volume_per_fu_systematic_ang3")
PHASE_COLUMNS = (
    "point",
    "phase",
    "verdict",
    "reason",
    "detected",
    "significance",
    *_CELL,
    "share",
    "share_sigma",
    "share_upper_limit",
    "hydrogen_per_metal",
    "hydrogen_per_metal_sigma",
    "pressure_eos_gpa",
    "pressure_eos_sigma_gpa",
    "free_lines",
    *_SYSTEMATIC,
)


TRANSPORT_COLUMNS = ("file", "kind", "temperature_k", "quantity", "value", "sigma", "unit", "verdict", "reason")
LINK_COLUMNS = (
    "point",
    "run",
    "kind",
    "file",
    "tc_k",
    "tc_sigma_k",
    "expected_tc_k",
    "expected_tc_sigma_k",
    "pressure_gpa",
    "phases",
    "reason",
    "distance_um",
    "is_between",
)


def write_tables(result: RunResult, folder: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write points.csv and phases.csv into a folder, and transport.csv and links.csv for a run with transport.

    Parameters
    ----------
    result : RunResult
        What was found.
    folder : path-like
        Where to write.

    Returns
    -------
    points, phases : Path
        The files; NaN is an empty cell.
    """
    target = Path(folder)
    points = (_point_row(point) for point in result.points)
    phases = (row for point in result.points for row in _phase_rows(point))
    written = (
        write_whole(target / "points.csv", _text(POINT_COLUMNS, points, result.is_simulated)),
        write_whole(target / "phases.csv", _text(PHASE_COLUMNS, phases, result.is_simulated)),
    )
    if result.transport:
        numbers = ({name: getattr(one, name) for name in TRANSPORT_COLUMNS} for one in result.transport)
        write_whole(target / "transport.csv", _text(TRANSPORT_COLUMNS, numbers, result.is_simulated))
        links = ({name: getattr(one, name, None) for name in LINK_COLUMNS} for one in result.links)
        write_whole(target / "links.csv", _text(LINK_COLUMNS, links, result.is_simulated))
    return written


def _point_row(point: PointResult) -> dict[str, object]:
    row: dict[str, object] = {
        "point": point.place.point,
        "row": point.place.row if point.place.row >= 0 else math.nan,
        "column": point.place.column if point.place.column >= 0 else math.nan,
        "x_um": point.place.x_um,
        "y_um": point.place.y_um,
        "file": point.file,
        "verdict": point.verdict,
        "reason": point.reason,
        "spottiness": point.spottiness,
        "frame": point.frame,
        "exposure_s": point.exposure_s,
        "monitor": point.monitor,
    }
    if point.fit is not None:
        row.update(rp_percent=point.fit.rp_percent, rwp_percent=point.fit.rwp_percent, gof=point.fit.gof)
    row.update(raman_numbers(point))
    return row


def raman_numbers(point: PointResult) -> dict[str, object]:
    """What the Raman spectra of a point say, by the names of the columns; nothing for a run without.

    Parameters
    ----------
    point : PointResult
        One point.

    Returns
    -------
    dict
        Edge and vibron in cm⁻¹, pressure in GPa with its systematic part, verdicts, and the reason.
    """
    raman = point.raman
    if raman is None:
        return {}
    row: dict[str, object] = {"raman_reason": raman.reason}
    row |= {name: getattr(raman, name) for name in ("edge_distance_um", "vibron_distance_um")}
    if raman.edge is not None:
        row.update(edge_cm1=raman.edge.edge_cm1, edge_sigma_cm1=raman.edge.edge_sigma_cm1)
        row["edge_verdict"] = raman.edge.verdict
    if raman.pressure is not None:
        names = ("pressure_gpa", "pressure_sigma_gpa", "pressure_systematic_gpa")
        row.update({name: getattr(raman.pressure, name) for name in names})
        row["pressure_scale"] = raman.pressure.scale
    if raman.vibron is not None:
        row.update(vibron_cm1=raman.vibron.vibron_cm1, vibron_sigma_cm1=raman.vibron.vibron_sigma_cm1)
        row["vibron_verdict"] = raman.vibron.verdict
    return row


def _phase_rows(point: PointResult) -> Iterable[dict[str, object]]:
    for found in point.fit.phases.values() if point.fit is not None else ():
        row: dict[str, object] = {"point": point.place.point, "phase": found.name}
        names = ("verdict", "reason", "detected", "significance", "share", "share_sigma", "free_lines")
        row.update({name: getattr(found, name) for name in (*names, *_CELL, *_SYSTEMATIC)})
        yield row


def _text(columns: Sequence[str], rows: Iterable[dict[str, object]], is_simulated: bool) -> str:
    """A table; one of a simulated measurement says so in every row, in a last column that others do not have."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    label = ("simulated",) if is_simulated else ()
    writer.writerow((*columns, *label))
    for row in rows:
        writer.writerow([*(_cell(row.get(column)) for column in columns), *("true" for _ in label)])
    return stream.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}" if math.isfinite(value) else ""
    text = str(value)
    # a spreadsheet takes such a cell of a stranger's file for a formula
    return "'" + text if text[:1] in ("=", "+", "@") else text
