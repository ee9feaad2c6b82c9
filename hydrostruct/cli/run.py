"""``hydrostruct run``: a run.toml → patterns, fits, tables, results.nxs and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.verdict import NEEDS_ATTENTION

if TYPE_CHECKING:
    from hydrostruct.results.record import RunResult
    from hydrostruct.xrd.fit_result import PhaseFit


def run(
    config: Annotated[Path, typer.Argument(metavar="RUN.toml", help="What to analyse.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; 'results' beside RUN.toml.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", help="Processes; the numbers do not depend on it.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Analyse a whole map: images → patterns → fits → points.csv, phases.csv, results.nxs, figures.

    Example: hydrostruct run cell1/run.toml --workers 2
    """
    from hydrostruct.run.chain import run as run_chain
    from hydrostruct.run.progress import progress_bar

    check_folder("--out", out)
    target = config.parent / "results" if out is None else out
    with progress_bar() as tell:
        result = run_chain(config, out=target, workers=workers, progress=tell)
    return print_run(result, target, as_json=json)


def print_run(result: RunResult, target: Path, *, as_json: bool) -> int:
    """Print what a run found, and say what needs attention; returns the exit status."""
    if as_json:
        print_json(_document(result, target))
    else:
        print(format_run(result))
        print(f"\nwritten to {target}: points.csv, phases.csv, results.nxs, figures/, run.log")
    attention = [point for point in result.points if point.verdict in NEEDS_ATTENTION]
    for note in result.notes:
        print_note(f"attention: {note}")
    for point in attention:
        print_note(f"attention: point {point.place.point}: {point.verdict}. {point.reason}")
    return 1 if attention or result.notes else 0


def format_run(result: RunResult) -> str:
    """Table for people: a line for each phase at each point."""
    rows = []
    for point in result.points:
        place = [str(point.place.point), f"{point.place.x_um:g}", f"{point.place.y_um:g}"]
        if point.fit is None:
            rows.append([*place, "", point.verdict, *[""] * 6])
            continue
        quality = [f"{point.fit.rwp_percent:.3g}", f"{point.fit.gof:.3g}"]
        rows += [[*place, *_phase_cells(found), *quality] for found in point.fit.phases.values()]
    header = ["point", "x µm", "y µm", "phase", "verdict", "a Å", "c Å", "V/f.u. Å³", "share", "Rwp %", "GOF"]
    title = f"SIMULATED: {result.title}" if result.is_simulated else result.title
    note = "Brackets: one standard deviation of the last digits. A share of Bragg area is not a phase fraction."
    return "\n".join([title, format_table(rows, header=header), "", note])


def _phase_cells(found: PhaseFit) -> list[str]:
    return [
        found.name,
        found.verdict,
        *(format_value(getattr(found, f"{name}_ang"), getattr(found, f"{name}_sigma_ang")) for name in "ac"),
        format_value(found.volume_per_fu_ang3, found.volume_per_fu_sigma_ang3),
        format_value(found.share, found.share_sigma),
    ]


def _document(result: RunResult, target: Path) -> dict[str, Any]:
    from hydrostruct.cli.lebail_output import fit_document

    return {
        "title": result.title,
        "simulated": result.is_simulated,
        "out": str(target),
        "notes": list(result.notes),
        "points": [
            {
                "point": point.place.point,
                "row": point.place.row,
                "column": point.place.column,
                "x_um": point.place.x_um,
                "y_um": point.place.y_um,
                "file": point.file,
                "frame": point.frame,
                "verdict": point.verdict,
                "reason": point.reason,
                "spottiness": point.spottiness,
                "fit": None if point.fit is None else fit_document(point.fit),
            }
            for point in result.points
        ],
    }
