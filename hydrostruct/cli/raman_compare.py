"""``hydrostruct raman compare``: two spectra of one place → what came, went and moved, and how far the pressure did."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder, figure_title
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

if TYPE_CHECKING:
    from hydrostruct.raman.compare import LineChange
    from hydrostruct.raman.spectrum import Spectrum

_BAND_CM1 = (1330.0, 1450.0)  # a spectrum that holds this may hold an edge


def compare(
    before: Annotated[Path, typer.Argument(help="The first spectrum, as before heating.")],
    after: Annotated[Path, typer.Argument(help="The second, at the same place.")],
    range_: Annotated[
        tuple[float, float] | None, typer.Option("--range", help="Lines within this range in cm⁻¹.", metavar="LO HI")
    ] = None,
    ratio: Annotated[
        float, typer.Option("--ratio", help="Intensity after over before for the same light, as by exposure.")
    ] = 1.0,
    axis_sigma: Annotated[
        float, typer.Option("--axis-sigma", help="Uncertainty of one axis against the other, in cm⁻¹.")
    ] = 0.0,
    scale: Annotated[str, typer.Option("--scale", help="Edge scale, where both hold an edge.")] = "akahama2006",
    laser: Annotated[float | None, typer.Option("--laser", help="Laser line in nm, for an axis in nm or eV.")] = None,
    axis: Annotated[str, typer.Option("--axis", help="Unit of the axis: auto, cm1, nm, ev.")] = "auto",
    despike: Annotated[bool, typer.Option("--despike", help="Leave out cosmic rays first, and say how many.")] = False,
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="Take off a baseline first: arpls, asls, snip, modpoly.")
    ] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw both as a PNG into this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Compare two spectra of one place, as before and after heating.

    Example: hydrostruct raman compare before.txt after.txt --range 100 900 --figure figures
    """
    from hydrostruct.raman.compare import compare_lines
    from hydrostruct.raman.prepare import prepare_spectrum
    from hydrostruct.raman.read import read_spectrum

    if range_ is not None and not range_[0] < range_[1]:
        raise InputError(f"--range is {range_[0]:g} {range_[1]:g}. Expected two rising cm⁻¹, such as 100 900.")
    if laser is not None and axis == "cm1":
        raise InputError("--laser is given with --axis cm1. Expected one: shifts in cm⁻¹ need no laser. Leave one out.")
    check_folder("--figure", figure)
    raw = [
        prepare_spectrum(read_spectrum(name, laser_nm=laser, axis=axis), despike=despike) for name in (before, after)
    ]
    first, second = (prepare_spectrum(one, baseline=baseline) for one in raw)
    for one in (first, second):
        for note in one.notes:
            print_note(f"note: {one.name}: {note}")
    changes = compare_lines(first, second, range_cm1=range_, axis_sigma_cm1=axis_sigma, intensity_ratio=ratio)
    document = {
        "before": str(before),
        "after": str(after),
        "verdict": Verdict.CONVERGED if changes else Verdict.ABSENT,
        "reason": "" if changes else "No line stands above the noise in either spectrum.",
        "lines": [change_document(one) for one in changes],
        "edge": _edges(*raw, scale=scale),  # a baseline would take the step with it
    }
    if figure is not None:
        from hydrostruct.report.raman_figures import save_comparison_figure

        path = figure / f"{before.stem}_{after.stem}_compare.png"
        title = figure_title([str(before), str(after)], f"{before.name} → {after.name}")
        print_note(f"figure: {save_comparison_figure(first, second, changes, path, range_cm1=range_, title=title)}")
    if json:
        print_json(document)
    else:
        print(_text(document))
    return _attention(document)


def _attention(document: dict[str, Any]) -> int:
    """Say what needs a look, and give the status for it."""
    notes = [document["reason"]] if document["verdict"] in NEEDS_ATTENTION else []
    if document["edge"] is not None and Verdict.AMBIGUOUS in document["edge"]["verdicts"]:
        notes.append("An edge is ambiguous, and with it the change of the pressure.")
    for note in notes:
        print_note(f"attention: {document['before']} → {document['after']}: {note}")
    return 1 if notes else 0


def change_document(change: LineChange) -> dict[str, Any]:
    """What became of a line, under plain names."""
    document: dict[str, Any] = {"kind": change.kind}
    for name, line in (("before", change.before), ("after", change.after)):
        document[f"{name}_cm1"] = None if line is None else line.position_cm1
        document[f"{name}_sigma_cm1"] = None if line is None else line.position_sigma_cm1
        document[f"{name}_height"] = None if line is None else line.height
    fields = ("shift_cm1", "shift_sigma_cm1", "height_change", "height_change_sigma", "significance")
    return document | {name: getattr(change, name) for name in fields}


def _edges(before: Spectrum, after: Spectrum, *, scale: str) -> dict[str, Any] | None:
    """Both edges and how far the pressure moved; None where a spectrum does not hold the band."""
    from hydrostruct.raman.edge import find_edge
    from hydrostruct.raman.edge_pressure import pressure_change, read_edge_pressure

    if any(one.shift_cm1[0] > _BAND_CM1[0] or one.shift_cm1[-1] < _BAND_CM1[1] for one in (before, after)):
        return None
    found = [find_edge(one) for one in (before, after)]
    read = [read_edge_pressure(one.edge_cm1, one.edge_sigma_cm1, scale=scale) for one in found]
    moved = pressure_change(*read)
    return {
        "scale": scale,
        "verdicts": [one.verdict for one in found],
        "edge_cm1": [one.edge_cm1 for one in found],
        "edge_sigma_cm1": [one.edge_sigma_cm1 for one in found],
        "pressure_gpa": [one.pressure_gpa for one in read],
        "pressure_sigma_gpa": [one.pressure_sigma_gpa for one in read],
        "change_gpa": moved.change_gpa,
        "change_sigma_gpa": moved.change_sigma_gpa,
        "change_systematic_gpa": moved.change_systematic_gpa,
    }


def _text(document: dict[str, Any]) -> str:
    rows = [
        [
            one["kind"],
            *(_place(one, name) for name in ("before", "after")),
            format_value(one["shift_cm1"], one["shift_sigma_cm1"]),
            format_value(one["height_change"], one["height_change_sigma"]),
            f"{one['significance']:.1f}",
        ]
        for one in document["lines"]
    ]
    header = ["what", "before cm⁻¹", "after cm⁻¹", "shift cm⁻¹", "change of height", "sigmas"]
    lines = [format_table(rows, header=header) if rows else document["reason"]]
    edge = document["edge"]
    if edge is not None and not math.isfinite(edge["change_gpa"]):
        lines += ["", f"No change of the pressure: the diamond edges are {' and '.join(edge['verdicts'])}."]
    elif edge is not None:
        moved = format_value(edge["change_gpa"], edge["change_sigma_gpa"])
        first, second = (
            format_value(p, s) for p, s in zip(edge["pressure_gpa"], edge["pressure_sigma_gpa"], strict=True)
        )
        lines += [
            "",
            f"Pressure of the diamond edge ({edge['scale']}): {first} → {second} GPa "
            f"({', '.join(edge['verdicts'])}), change {moved} GPa, "
            f"of which the scale leaves ±{edge['change_systematic_gpa']:.2f}.",
        ]
    return "\n".join(lines)


def _place(line: dict[str, Any], name: str) -> str:
    if line[f"{name}_cm1"] is None:
        return "n/a"
    return format_value(line[f"{name}_cm1"], line[f"{name}_sigma_cm1"])
