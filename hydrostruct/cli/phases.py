"""`hydrostruct phases`: the library; one phase with its cell at a pressure and its lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.errors import InputError

if TYPE_CHECKING:
    from hydrostruct.material.cell import Cell
    from hydrostruct.material.eos import EquationOfState
    from hydrostruct.material.phase import CellAtPressure, Phase
    from hydrostruct.material.reflections import Reflections

_AXES = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg")
_DEFAULT_RANGE_DEG = (2.0, 40.0)


def phases(
    name: Annotated[
        str | None, typer.Argument(help="A name of the library, or a .toml, .cif, .jcpds or .eosmat file.")
    ] = None,
    pressure: Annotated[float | None, typer.Option(help="Pressure in GPa: the cell there.", metavar="GPA")] = None,
    wavelength: Annotated[
        float | None, typer.Option(help="X-ray wavelength in Å: the lines with their 2θ.", metavar="ANG")
    ] = None,
    two_theta_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--range", help="2θ range of the lines, in degrees; 2 to 40 when left out.", metavar="LO HI"),
    ] = None,
    eos: Annotated[str | None, typer.Option(help="Key of the equation of state; the first when left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the phase library, or show one phase: cell, volume, equations of state, Tc, lines.

    Example: hydrostruct phases CeH9-P63mmc --pressure 95 --wavelength 0.6199
    """
    if name is None:
        if any(option is not None for option in (pressure, wavelength, two_theta_range, eos)):
            raise InputError("phases: no phase is named. Expected one with these options, such as CeH9-P63mmc.")
        _list_library(as_json)
        return
    limits = _checked_options(pressure, wavelength, two_theta_range)
    _show_phase(name, pressure=pressure, wavelength=wavelength, limits=limits, eos=eos, as_json=as_json)


def _checked_options(
    pressure: float | None, wavelength: float | None, limits: tuple[float, float] | None
) -> tuple[float, float]:
    if pressure is not None and not 0 <= pressure <= 2000:
        raise InputError(f"--pressure is {pressure:g}. Expected GPa, from 0 to 2000, such as 95.")
    if wavelength is not None and not 0.1 <= wavelength <= 2.5:
        raise InputError(f"--wavelength is {wavelength:g}. Expected Å, from 0.1 to 2.5, such as 0.6199 for 20 keV.")
    if limits is not None and wavelength is None:
        raise InputError("--range needs a wavelength. Expected --wavelength in Å, such as 0.6199. Add it.")
    low, high = limits or _DEFAULT_RANGE_DEG
    if not 0 < low < high < 180:
        raise InputError(f"--range is {low:g} {high:g}. Expected two rising angles 2θ between 0 and 180 degrees.")
    return low, high


def _list_library(as_json: bool) -> None:
    from hydrostruct.material.phase import phase_names, read_phase

    library = [read_phase(name) for name in phase_names()]
    if as_json:
        print_json([_phase_record(phase) for phase in library])
        return
    header = (
        "name",
        "formula",
        "space group",
        "Z",
        "P_gpa",
        "a_ang",
        "b_ang",
        "c_ang",
        "V/fu_ang3",
        "EOS",
        "cell from",
    )
    print(format_table([_library_row(phase) for phase in library], header=header))


def _library_row(phase: Phase) -> list[str]:
    axes = [f"{length:.4f}" if math.isfinite(length) else "n/a" for length in _lengths(phase.cell)]
    return [
        phase.name,
        phase.formula,
        phase.space_group_symbol or "n/a",
        str(phase.formula_units or "n/a"),
        format_value(phase.cell_pressure_gpa),
        *axes,
        f"{phase.volume_per_fu_ang3:.3f}" if math.isfinite(phase.volume_per_fu_ang3) else "n/a",
        ", ".join(state.key for state in phase.equations_of_state) or "none",
        phase.citations[1].confidence,
    ]


def _lengths(cell: Cell) -> tuple[float, float, float]:
    return cell.a_ang, cell.b_ang, cell.c_ang


def _show_phase(
    name: str,
    *,
    pressure: float | None,
    wavelength: float | None,
    limits: tuple[float, float],
    eos: str | None,
    as_json: bool,
) -> None:
    from hydrostruct.material.phase import cell_at, read_phase

    phase = read_phase(name)
    if eos is not None:
        phase.equation_of_state(eos)
    moved = cell_at(phase, pressure, eos=eos) if pressure is not None else _at_reference(phase)
    record = {**_phase_record(phase), **_cell_record(moved)}
    if wavelength is not None:
        record["lines"] = _line_records(phase, moved.cell, wavelength, limits)
    if moved.note:
        print_note(f"note: {moved.note}")
    if as_json:
        print_json(record)
    else:
        print("\n\n".join(_blocks(phase, moved, record)))


def _at_reference(phase: Phase) -> CellAtPressure:
    from hydrostruct.material.phase import CellAtPressure, reference_volume_sigma

    return CellAtPressure(
        cell=phase.cell,
        pressure_gpa=phase.cell_pressure_gpa,
        eos_key=None,
        extrapolated=False,
        volume_per_fu_ang3=phase.volume_per_fu_ang3,
        volume_per_fu_sigma_ang3=reference_volume_sigma(phase),
        note="",
    )


def _phase_record(phase: Phase) -> dict[str, Any]:
    return {
        "name": phase.name,
        "formula": phase.formula,
        "space_group_number": phase.space_group_number,
        "space_group_symbol": phase.space_group_symbol,
        "system": phase.system,
        "formula_units": phase.formula_units,
        "metal_atoms_per_fu": phase.metal_atoms_per_fu,
        "cell_pressure_gpa": phase.cell_pressure_gpa,
        **{axis: getattr(phase.cell, axis) for axis in _AXES},
        **{_sigma_name(axis): getattr(phase.cell_sigma, axis) for axis in _AXES},
        "volume_per_fu_ang3": phase.volume_per_fu_ang3,
        "equations_of_state": [_fields(state) for state in phase.equations_of_state],
        "critical_temperatures": [_fields(value) for value in phase.critical_temperatures],
        "citations": [_fields(citation) for citation in phase.citations],
        "notes": phase.notes,
        "source": phase.source,
    }


def _fields(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)


def _sigma_name(axis: str) -> str:
    stem, unit = axis.rsplit("_", 1)
    return f"{stem}_sigma_{unit}"


def _cell_record(moved: CellAtPressure) -> dict[str, Any]:
    return {
        "at_pressure": {
            "pressure_gpa": moved.pressure_gpa,
            **{axis: getattr(moved.cell, axis) for axis in _AXES},
            "volume_ang3": moved.cell.volume_ang3,
            "volume_per_fu_ang3": moved.volume_per_fu_ang3,
            "volume_per_fu_sigma_ang3": moved.volume_per_fu_sigma_ang3,
            "eos": moved.eos_key,
            "extrapolated": moved.extrapolated,
            "note": moved.note,
        }
    }


def _line_records(phase: Phase, cell: Cell, wavelength: float, limits: tuple[float, float]) -> list[dict[str, Any]]:
    """The lines between two angles, with what the heaviest atoms give and a calculated intensity."""
    from hydrostruct.material.cell import two_theta
    from hydrostruct.material.reflections import heavy_atom_null, phase_reflections, powder_intensities

    if not cell.is_known:
        raise InputError(
            f"{phase.name}: its cell is not known, so it has no lines. Give a file with a cell, or no wavelength."
        )
    d_max, d_min = (wavelength / (2 * math.sin(math.radians(angle / 2))) for angle in limits)
    lines: Reflections = phase_reflections(phase, cell, d_min_ang=d_min, d_max_ang=d_max)
    columns = (
        lines.hkl,
        lines.multiplicity,
        lines.d_ang,
        two_theta(lines.d_ang, wavelength),
        powder_intensities(phase, lines, wavelength_ang=wavelength),
        heavy_atom_null(phase, lines.hkl),
    )
    names = ("hkl", "multiplicity", "d_ang", "two_theta_deg", "intensity_percent", "heavy_atom_null")
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _blocks(phase: Phase, moved: CellAtPressure, record: dict[str, Any]) -> list[str]:
    blocks = [_head(phase, moved)]
    if phase.equations_of_state:
        blocks.append(_eos_table(phase.equations_of_state, moved))
    if phase.critical_temperatures:
        blocks.append(_tc_table(phase))
    if "lines" in record:
        blocks.append(_line_table(phase, record["lines"]))
    if phase.notes:
        blocks.append("\n".join(f"note: {note}" for note in phase.notes))
    return blocks


def _head(phase: Phase, moved: CellAtPressure) -> str:
    group = f"{phase.system}, space group not known" if phase.lines_hkl else "space group not known"
    if phase.space_group_number:
        group = f"{phase.space_group_symbol} ({phase.space_group_number})"
    units = f"Z = {phase.formula_units}" if phase.formula_units else "Z not known"
    sigma = phase.cell_sigma if moved.eos_key is None else None
    lengths = ", ".join(
        f"{axis[0]} = {format_value(getattr(moved.cell, axis), getattr(sigma, axis) if sigma else math.nan)} Å"
        for axis in ("a_ang", "b_ang", "c_ang")
    )
    angles = ", ".join(f"{axis.split('_')[0]} = {format_value(getattr(moved.cell, axis))}°" for axis in _AXES[3:])
    where = f"{moved.pressure_gpa:g} GPa" if math.isfinite(moved.pressure_gpa) else "a pressure not stated"
    how = f"by {moved.eos_key}{', extrapolated' if moved.extrapolated else ''}" if moved.eos_key else "reference"
    lines = [
        f"{phase.name}: {phase.formula or 'formula not known'}, {group}, {units}",
        f"cell at {where} ({how}): {lengths}" if moved.cell.is_known else "cell: not known",
        *([f"  {angles}"] if moved.cell.is_known else []),
        _volume_line(phase, moved),
    ]
    lines += [f"{c.subject}: {c.source}{_doi(c.doi)} [{c.confidence}]" for c in phase.citations]
    return "\n".join(lines)


def _volume_line(phase: Phase, moved: CellAtPressure) -> str:
    """The volume of a formula unit, or of the cell where the formula units in it are not known."""
    if phase.formula_units is None and moved.cell.is_known:
        return f"volume of the cell: {format_value(moved.cell.volume_ang3)} Å³"
    return f"volume per formula unit: {format_value(moved.volume_per_fu_ang3, moved.volume_per_fu_sigma_ang3)} Å³"


def _doi(doi: str) -> str:
    return f", doi:{doi}" if doi else ""


def _eos_table(states: tuple[EquationOfState, ...], moved: CellAtPressure) -> str:
    from hydrostruct.material.eos import is_extrapolated

    rows = []
    for state in states:
        low, high = state.pressure_range_gpa
        asked = moved.eos_key is not None and bool(is_extrapolated(state, moved.pressure_gpa))
        rows.append(
            [
                state.key,
                state.form,
                format_value(state.v0_ang3, state.v0_sigma_ang3),
                format_value(state.k0_gpa, state.k0_sigma_gpa),
                format_value(state.k0_prime, state.k0_prime_sigma),
                (f"{low:g}-{high:g}" if math.isfinite(high) else "n/a") + (" extrapolated" if asked else ""),
                state.primary_standard,
                f"{state.source}{_doi(state.doi)} [{state.confidence}]",
            ]
        )
    header = ("EOS", "form", "V0_ang3", "K0_gpa", "K0'", "range_gpa", "primary standard", "source")
    return format_table(rows, header=header)


def _tc_table(phase: Phase) -> str:
    rows = [
        [
            format_value(value.pressure_gpa),
            format_value(value.tc_k, value.tc_sigma_k),
            value.quantity,
            f"{value.source}{_doi(value.doi)} [{value.confidence}]",
        ]
        for value in phase.critical_temperatures
    ]
    return format_table(rows, header=("P_gpa", "Tc_k", "what", "source"))


def _line_table(phase: Phase, lines: list[dict[str, Any]]) -> str:
    if not lines:
        return "no line in this range"
    heaviest = max(phase.atoms, key=lambda atom: atom.atomic_number).element if phase.atoms else ""
    rows = [
        [
            " ".join(map(str, line["hkl"])),
            str(line["multiplicity"]),
            f"{line['d_ang']:.5f}",
            f"{line['two_theta_deg']:.4f}",
            f"{line['intensity_percent']:.1f}" if math.isfinite(line["intensity_percent"]) else "n/a",
            f"{heaviest}-null" if line["heavy_atom_null"] else "",
        ]
        for line in lines
    ]
    table = format_table(rows, header=("hkl", "mult", "d_ang", "2theta_deg", "I_percent", ""))
    return f"{table}\nI: calculated, no texture, absorption or thermal motion" if heaviest else table
