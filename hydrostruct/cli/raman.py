"""``hydrostruct raman``: spectra → diamond edge, hydrogen vibron, lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder, figure_title
from hydrostruct.cli.lebail import expand_files
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

if TYPE_CHECKING:
    from hydrostruct.raman.edge_fit import EdgeFit
    from hydrostruct.raman.edge_pressure import EdgePressure
    from hydrostruct.raman.spectrum import Spectrum
    from hydrostruct.raman.vibron import VibronFit

raman = typer.Typer(
    name="raman",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Raman spectra: pressure from the diamond edge, the hydrogen vibron, any lines.",
)

Files = Annotated[list[str], typer.Argument(help="Spectra: text, .wdf, .spe, .spc; a quoted glob works.")]
Laser = Annotated[float | None, typer.Option("--laser", help="Laser line in nm, for an axis in nm or eV.")]
Axis = Annotated[str, typer.Option("--axis", help="Unit of the axis: auto, cm1, nm, ev.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_EDGE_NUMBERS = ("edge_cm1", "edge_sigma_cm1", "edge_statistical_cm1", "edge_systematic_cm1", "width_cm1", "contrast")
_VIBRON_NUMBERS = (
    "vibron_cm1", "vibron_sigma_cm1", "width_cm1", "width_sigma_cm1", "height", "height_sigma", "significance",
    "height_upper_limit",
)  # fmt: skip
_PRESSURE_NUMBERS = ("pressure_gpa", "pressure_sigma_gpa", "pressure_systematic_gpa", "spread_gpa")


@raman.command()
def edge(
    files: Files,
    scale: Annotated[
        str, typer.Option("--scale", help="Edge scale, or the path of a .toml of your own.")
    ] = "akahama2006",
    near: Annotated[float | None, typer.Option("--near", help="Take the step nearest to this, in cm⁻¹.")] = None,
    pressure: Annotated[
        tuple[float, float] | None,
        typer.Option("--pressure", help="Range of pressure in GPa that the edge lies in.", metavar="LO HI"),
    ] = None,
    laser: Laser = None,
    axis: Axis = "auto",
    axis_sigma: Annotated[
        float | None, typer.Option("--axis-sigma", help="Uncertainty of the axis in cm⁻¹, for the systematic part.")
    ] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw each edge as a PNG into this folder.")] = None,
    json: Json = False,
) -> int:
    """Find the diamond edge and give the pressure.

    Example: hydrostruct raman edge "edge/*.txt" --scale akahama2006 --json
    """
    from dataclasses import replace

    from hydrostruct.raman.edge import find_edge
    from hydrostruct.raman.edge_pressure import edge_from_pressure, read_edge_pressure
    from hydrostruct.raman.scales import read_scale

    if axis_sigma is not None and not (math.isfinite(axis_sigma) and axis_sigma >= 0):
        raise InputError(f"--axis-sigma is {axis_sigma:g}. Expected cm⁻¹, 0 or above. Correct it.")
    check_folder("--figure", figure)
    read_scale(scale)
    limits = None if pressure is None else tuple(float(edge_from_pressure(one, scale=scale)) for one in pressure)

    def analyse(spectrum: Spectrum) -> dict[str, Any]:
        if axis_sigma is not None:
            spectrum = replace(spectrum, axis_sigma_cm1=axis_sigma)
        found = find_edge(spectrum, near_cm1=near, range_cm1=limits)  # type: ignore[arg-type]
        read = read_edge_pressure(
            found.edge_cm1, found.edge_sigma_cm1, axis_sigma_cm1=spectrum.axis_sigma_cm1, scale=scale
        )
        if figure is not None:
            _draw_edge(found, figure)
        return edge_document(found, read)

    documents = _each(files, analyse, laser=laser, axis=axis, failed=lambda file, why: _failed_edge(file, why, scale))
    return _finish(documents, json, _edge_table)


@raman.command()
def vibron(
    files: Files,
    edge_pressure: Annotated[
        float | None, typer.Option("--edge-pressure", help="Pressure of the diamond edge in GPa: chooses the branch.")
    ] = None,
    laser: Laser = None,
    axis: Axis = "auto",
    json: Json = False,
) -> int:
    """Find the hydrogen vibron and give both of its pressures.

    Example: hydrostruct raman vibron "vibron/*.txt" --edge-pressure 93.5 --json
    """
    from hydrostruct.raman.vibron import find_vibron

    if edge_pressure is not None and not 0 <= edge_pressure <= 1000:
        raise InputError(f"--edge-pressure is {edge_pressure:g}. Expected GPa, from 0 to 1000, such as 95.")

    def analyse(spectrum: Spectrum) -> dict[str, Any]:
        return vibron_document(find_vibron(spectrum, edge_pressure_gpa=edge_pressure))

    documents = _each(files, analyse, laser=laser, axis=axis, failed=_failed_vibron)
    return _finish(documents, json, _vibron_table)


@raman.command()
def peaks(
    files: Files,
    range_: Annotated[
        tuple[float, float] | None, typer.Option("--range", help="Range in cm⁻¹.", metavar="LO HI")
    ] = None,
    laser: Laser = None,
    axis: Axis = "auto",
    json: Json = False,
) -> int:
    """Find and fit all lines of a spectrum.

    Example: hydrostruct raman peaks sample.txt --range 100 900 --json
    """
    from hydrostruct.raman.lines import find_lines

    if range_ is not None and not range_[0] < range_[1]:
        raise InputError(f"--range is {range_[0]:g} {range_[1]:g}. Expected two rising cm⁻¹, such as 100 900.")

    def analyse(spectrum: Spectrum) -> dict[str, Any]:
        found = find_lines(spectrum, range_cm1=range_)
        return {
            "file": spectrum.name,
            "verdict": Verdict.CONVERGED if found else Verdict.ABSENT,
            "reason": "" if found else "No line stands above the noise.",
            "peaks": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found],
        }

    def failed(file: str, message: str) -> dict[str, Any]:
        return {"file": file, "verdict": Verdict.FAILED, "reason": message, "peaks": []}

    return _finish(_each(files, analyse, laser=laser, axis=axis, failed=failed), json, _peak_table)


def vibron_document(found: VibronFit) -> dict[str, Any]:
    """A vibron under the names that JSON promises."""
    return {
        "file": found.file,
        "verdict": found.verdict,
        "reason": found.reason,
        **{name: getattr(found, name) for name in _VIBRON_NUMBERS},
        "branches": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.branches],
    }


def _failed_vibron(file: str, message: str) -> dict[str, Any]:
    return {"file": file, "verdict": Verdict.FAILED, "reason": message, **dict.fromkeys(_VIBRON_NUMBERS),
            "branches": []}  # fmt: skip


def _vibron_table(documents: list[dict[str, Any]]) -> str:
    rows = []
    for one in documents:
        pressures = {
            branch["branch"]: format_value(branch["pressure_gpa"], branch["pressure_sigma_gpa"])
            for branch in one["branches"]
        }
        rows.append([
            one["file"], str(one["verdict"]), _value(one, "vibron_cm1"), _value(one, "width_cm1"),
            pressures.get("lower", "n/a"), pressures.get("upper", "n/a"),
        ])  # fmt: skip
    header = ["spectrum", "verdict", "vibron cm⁻¹", "width cm⁻¹", "P GPa, lower branch", "P GPa, upper branch"]
    return "\n".join([
        format_table(rows, header=header), "",
        "One shift has two pressures, below and above the maximum near 38 GPa. The upper branch is an interpolation",
        "through the paper's own point: it is no independent check of a pressure.",
        *(f"{one['file']}: {one['reason']}" for one in documents if one["reason"]),
    ])  # fmt: skip


def _peak_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [one["file"], _value(peak, "position_cm1"), _value(peak, "width_cm1"), f"{peak['height']:.4g}",
         f"{peak['significance']:.1f}", str(peak["verdict"])]
        for one in documents for peak in one["peaks"]
    ]  # fmt: skip
    return format_table(rows, header=["spectrum", "line cm⁻¹", "width cm⁻¹", "height", "sigmas", "verdict"])


def edge_document(found: EdgeFit, read: EdgePressure) -> dict[str, Any]:
    """An edge and its pressure under the names that JSON promises."""
    outside = read.reason and math.isnan(read.pressure_gpa)
    return {
        "file": found.file,
        "verdict": Verdict.DOUBTFUL if outside and found.verdict is Verdict.CONVERGED else found.verdict,
        "reason": " ".join(word for word in (found.reason, read.reason) if word),
        **{name: getattr(found, name) for name in _EDGE_NUMBERS},
        "ambiguous": found.ambiguous,
        "candidates": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.candidates],
        "scale": read.scale,
        "primary_standard": read.primary_standard,
        **{name: getattr(read, name) for name in _PRESSURE_NUMBERS},
        "scales": dict(read.scales),
    }


def _failed_edge(file: str, message: str, scale: str) -> dict[str, Any]:
    return {
        "file": file,
        "verdict": Verdict.FAILED,
        "reason": message,
        **dict.fromkeys((*_EDGE_NUMBERS,)),
        "ambiguous": False,
        "candidates": [],
        "scale": scale,
        "primary_standard": None,
        **dict.fromkeys(_PRESSURE_NUMBERS),
        "scales": {},
    }


def _each(
    files: list[str],
    analyse: Callable[[Spectrum], dict[str, Any]],
    *,
    laser: float | None,
    axis: str,
    failed: Callable[[str, str], dict[str, Any]],
) -> list[dict[str, Any]]:
    """What is found in every spectrum of every file; a file that cannot be read does not stop the others."""
    from hydrostruct.raman.read import read_spectra

    documents, messages = [], []
    names = expand_files(files)
    for name in names:
        try:
            found = []
            for spectrum in read_spectra(name, laser_nm=laser, axis=axis):
                for note in spectrum.notes:
                    print_note(f"note: {spectrum.name}: {note}")
                found.append(analyse(spectrum))
            documents += found
        except InputError as error:
            messages.append(error)
            documents.append(failed(name, str(error)))
    if len(messages) == len(names) == 1:
        raise messages[0]
    return documents


def _finish(documents: list[dict[str, Any]], json: bool, table: Callable[[list[dict[str, Any]]], str]) -> int:
    if json:
        print_json(documents)
    else:
        print(table(documents))
    attention = [one for one in documents if one["verdict"] in NEEDS_ATTENTION]
    for one in attention:
        print_note(f"attention: {one['file']}: {one['verdict']}. {one['reason']}")
    return 1 if attention else 0


def _value(document: dict[str, Any], name: str) -> str:
    stem, unit = name.rsplit("_", 1)
    value, sigma = document[name], document[f"{stem}_sigma_{unit}"]
    return "n/a" if value is None else format_value(value, math.nan if sigma is None else sigma)


def _short(value: float | None, digits: int = 1) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _edge_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [
            one["file"],
            str(one["verdict"]),
            _value(one, "edge_cm1"),
            _value(one, "pressure_gpa"),
            _short(one["pressure_systematic_gpa"]),
            _short(one["spread_gpa"]),
            str(len(one["candidates"])),
        ]
        for one in documents
    ]
    header = ["spectrum", "verdict", "edge cm⁻¹", "P GPa", "systematic", "spread", "candidates"]
    first = documents[0]
    lines = [
        format_table(rows, header=header),
        "",
        f"Scale {first['scale']}; primary standard: {first['primary_standard'] or 'n/a'}.",
        "In brackets one standard deviation of the reading. The systematic part is common to all points; the spread is",
        "that of the anvil-edge scales valid there.",
    ]
    for one in documents:
        if len(documents) == 1 and one["scales"]:
            lines.append(", ".join(f"{name} {value:.1f}" for name, value in one["scales"].items()))
        if one["verdict"] is Verdict.DOUBTFUL:
            lines.append(f"{one['file']}: {one['reason']}")
        if one["verdict"] is Verdict.AMBIGUOUS:
            places = ", ".join(f"{c['edge_cm1']:.1f} ({c['kind']})" for c in one["candidates"])
            lines.append(f"{one['file']}: candidates {places}")
    return "\n".join(lines)


def _draw_edge(found: EdgeFit, folder: Path) -> None:
    from hydrostruct.report.raman_figures import save_edge_figure

    name = Path(found.file.replace("::", "_"))
    stem = name.stem if name.suffix in (".txt", ".csv", ".asc") else name.name
    title = figure_title([found.file.split("::")[0]], Path(found.file).name)
    save_edge_figure(found, folder / f"{stem}.png", title=title)
