"""``hydrostruct transport tc-pressure``: own Tc beside the literature's, and dTc/dP with errors in both."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_above_zero, check_folder, figure_title
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION

if TYPE_CHECKING:
    from hydrostruct.transport.tc_pressure import TcPoint, TcPressureLine

_POINT_FIELDS = ("pressure_gpa", "pressure_sigma_gpa", "tc_k", "tc_sigma_k", "phase", "quantity", "source")
_LINE_FIELDS = (
    "slope_k_per_gpa", "slope_sigma_k_per_gpa", "tc_k", "tc_sigma_k", "pressure_gpa", "reduced_chi2", "verdict",
    "reason",
)  # fmt: skip


def tc_pressure(
    file: Annotated[
        str, typer.Argument(help="Table of pressure_gpa, tc_k[, pressure_sigma_gpa, tc_sigma_k, pressure_after_gpa].")
    ],
    phase: Annotated[str, typer.Option("--phase", help="What the points are ascribed to.")] = "own sample",
    literature: Annotated[
        list[str] | None, typer.Option("--literature", help="Add the published points of a phase; may be repeated.")
    ] = None,
    pressure_sigma: Annotated[
        float | None, typer.Option("--pressure-sigma", help="Of every pressure in GPa, where the table has none.")
    ] = None,
    tc_sigma: Annotated[
        float | None, typer.Option("--tc-sigma", help="Of every Tc in K, where the table has none.")
    ] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw as PNG into this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Draw Tc against pressure and fit dTc/dP to the own points, errors in both axes.

    A column pressure_after_gpa is the reading after the cooling: the point lies in the middle, the shift is in its
    sigma. Published points are shown, not fitted.

    Example: hydrostruct transport tc-pressure tc_p.csv --literature CeH9-P63mmc --figure figures
    """
    from hydrostruct.transport.tc_pressure import fit_tc_pressure, literature_tc, read_tc_points

    check_above_zero(pressure_sigma=pressure_sigma, tc_sigma=tc_sigma)
    check_folder("--figure", figure)
    sigmas = {"pressure_sigma_gpa": pressure_sigma, "tc_sigma_k": tc_sigma}
    given = {name: math.nan if value is None else value for name, value in sigmas.items()}
    own = read_tc_points(file, phase=phase, **given)
    published = [point for name in literature or [] for point in literature_tc(name)]
    line = None
    if len({point.pressure_gpa for point in own}) > 1:
        columns = list(
            zip(*((one.pressure_gpa, one.tc_k, one.pressure_sigma_gpa, one.tc_sigma_k) for one in own), strict=True)
        )
        if not all(math.isfinite(value) for column in columns for value in column):
            raise InputError(
                f"{file}: a point has no sigma. Expected errors in both: columns pressure_sigma_gpa and tc_sigma_k, or "
                "--pressure-sigma and --tc-sigma."
            )
        line = fit_tc_pressure(columns[0], columns[1], pressure_sigma_gpa=columns[2], tc_sigma_k=columns[3])
    if figure is not None:
        from hydrostruct.report.transport_figures import save_tc_pressure_figure

        path = figure / f"{Path(file).stem}_tc_pressure.png"
        title = figure_title([file], Path(file).name)
        print_note(f"figure: {save_tc_pressure_figure([*own, *published], path, line=line, title=title)}")
    if json:
        print_json(_document(file, own, published, line))
    else:
        print(_table([*own, *published], line))
    if line is not None and line.verdict in NEEDS_ATTENTION:
        print_note(f"attention: {file}: {line.verdict}. {line.reason}")
        return 1
    return 0


def _document(
    file: str, own: tuple[TcPoint, ...], published: list[TcPoint], line: TcPressureLine | None
) -> dict[str, Any]:
    return {
        "file": file,
        "points": [{name: getattr(point, name) for name in _POINT_FIELDS} for point in own],
        "literature": [{name: getattr(point, name) for name in _POINT_FIELDS} for point in published],
        "line": None if line is None else {name: getattr(line, name) for name in _LINE_FIELDS},
    }


def _table(points: list[TcPoint], line: TcPressureLine | None) -> str:
    rows = [
        [format_value(one.pressure_gpa, one.pressure_sigma_gpa), format_value(one.tc_k, one.tc_sigma_k), one.phase,
         one.quantity, one.source]
        for one in points
    ]  # fmt: skip
    lines = [format_table(rows, header=["P GPa", "Tc K", "phase", "what", "source"]), ""]
    if line is None:
        lines.append("One pressure alone has no slope.")
    else:
        lines.append(
            f"dTc/dP  {format_value(line.slope_k_per_gpa, line.slope_sigma_k_per_gpa)} K/GPa of the own points"
        )
        lines.append(f"Tc      {format_value(line.tc_k, line.tc_sigma_k)} K at {line.pressure_gpa:.4g} GPa")
        lines += [line.reason] if line.reason else []
    return "\n".join(lines)
