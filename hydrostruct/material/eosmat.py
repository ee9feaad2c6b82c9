"""Phases from `.eosmat` files, through peritheos."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydrostruct.errors import InputError
from hydrostruct.material.cell import FREE_PARAMETERS, Cell, CrystalSystem, crystal_system, make_cell
from hydrostruct.material.eos import EosForm, EquationOfState
from hydrostruct.material.formula import metal_atoms
from hydrostruct.material.phase_record import Citation, Phase
from hydrostruct.tables import read_text

_FORMS = {
    "Vinet": EosForm.VINET,
    "BM2": EosForm.BIRCH_MURNAGHAN_2,
    "BM3": EosForm.BIRCH_MURNAGHAN_3,
    "Murnaghan": EosForm.MURNAGHAN,
}
_ROOM_TEMPERATURE_K = (290.0, 310.0)
_CELL_UNIT = "angstrom^3/conventional_unit_cell"


def read_eosmat(path: Path) -> Phase:
    """A phase from an `.eosmat` file.

    Parameters
    ----------
    path : Path
        Any version that peritheos reads.

    Returns
    -------
    Phase
        With every isotherm near 300 K of a form known here; what is left out is said in its notes.

    Raises
    ------
    InputError
        When the file is missing, is no eosmat, or lacks formula, formula units, symmetry or lattice.
    """
    document = _document(path)
    try:
        return _phase(path, document)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: {error} is missing or malformed. Expected an eosmat of peritheos.") from error


def _document(path: Path) -> Mapping[str, Any]:
    read_text(path)
    from peritheos import load_eosmat
    from peritheos.errors import PeritheosError

    try:
        document: Mapping[str, Any] = load_eosmat(path)
    except (PeritheosError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: no eosmat that peritheos reads ({error}). Check the file.") from error
    return document


def _phase(path: Path, document: Mapping[str, Any]) -> Phase:
    units = int(document["formula_units_per_cell"])
    number = document.get("space_group_number")
    system = crystal_system(int(number)) if number else CrystalSystem(str(document["symmetry"]).lower())
    records = document["eos_records"]
    states = tuple(_equation(record, units) for record in records if _is_usable(record))
    return Phase(
        name=path.stem,
        formula=str(document["formula"]),
        space_group_number=int(number) if number else None,
        space_group_symbol=str(document.get("space_group") or ""),
        system=system,
        formula_units=units,
        metal_atoms_per_fu=metal_atoms(str(document["formula"])),
        cell=_cell(document.get("lattice") or {}, system),
        cell_sigma=Cell(a_ang=math.nan, b_ang=math.nan, c_ang=math.nan),
        cell_pressure_gpa=math.nan,
        equations_of_state=states,
        critical_temperatures=(),
        lines_hkl=None if number else _lines(document),
        cif_path=None,
        source=str(path),
        citations=tuple(
            Citation(subject=subject, source=str(path), doi="", confidence="file") for subject in ("structure", "cell")
        ),
        notes=_notes(document, records),
    )


def _cell(lattice: Mapping[str, Any], system: CrystalSystem) -> Cell:
    free = {name: lattice.get(name.split("_")[0]) for name in FREE_PARAMETERS[system]}
    return make_cell(system, **{name: math.nan if value is None else float(value) for name, value in free.items()})


def _lines(document: Mapping[str, Any]) -> tuple[tuple[int, int, int], ...] | None:
    return tuple((int(row[0]), int(row[1]), int(row[2])) for row in document.get("peaks") or ()) or None


def _is_usable(record: Mapping[str, Any]) -> bool:
    """An isotherm near 300 K, of a known form, with numbers for its parameters."""
    low, high = _ROOM_TEMPERATURE_K
    parameters = record.get("parameters") or {}
    wanted = ("V0", "K0") if record.get("model") == "BM2" else ("V0", "K0", "K0_prime")
    return (
        record.get("model") in _FORMS
        and low <= float(record.get("temperature_ref") or 300.0) <= high
        and all((parameters.get(name) or {}).get("value") is not None for name in wanted)
    )


def _notes(document: Mapping[str, Any], records: list[Mapping[str, Any]]) -> tuple[str, ...]:
    notes = ["The pressure of the lattice in an eosmat is not stated; the cell at a pressure comes from V0."]
    left_out = sum(not _is_usable(record) for record in records)
    if left_out:
        notes.append(f"{left_out} of {len(records)} equations of state are of other forms or temperatures: left out.")
    volume_unit = (document.get("units") or {}).get("volume", _CELL_UNIT)
    if volume_unit != _CELL_UNIT:
        notes.append(f"Volumes are taken as {_CELL_UNIT}, although the file says {volume_unit}.")
    return tuple(notes)


def _equation(record: Mapping[str, Any], units: int) -> EquationOfState:
    values = {name: float(item["value"]) for name, item in record["parameters"].items() if _has_value(item)}
    sigmas = {name: _sigma(record, name) for name in ("V0", "K0", "K0_prime")}
    fixed = [name for name in ("V0", "K0", "K0_prime") if (record["parameters"].get(name) or {}).get("fixed")]
    low, high = record.get("experimental_pressure_range_gpa") or (math.nan, math.nan)
    second_order = record["model"] == "BM2"
    reference = record.get("reference") or {}
    return EquationOfState(
        key=str(record["identifier"]),
        form=_FORMS[record["model"]],
        v0_ang3=values["V0"] / units,
        v0_sigma_ang3=sigmas["V0"] / units,
        k0_gpa=values["K0"],
        k0_sigma_gpa=sigmas["K0"],
        k0_prime=4.0 if second_order else values["K0_prime"],
        k0_prime_sigma=0.0 if second_order else sigmas["K0_prime"],
        fixed=tuple(name.lower() for name in fixed),
        covariance=None,
        pressure_range_gpa=(float(low), float(high)),
        primary_standard=_standard(record.get("pressure_calibration") or {}),
        v0_basis=f"{values['V0']:g} ang3/cell",
        source=_source(reference),
        doi=str(reference.get("doi") or ""),
        confidence="file",
    )


def _has_value(item: object) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("value"), int | float)


def _sigma(record: Mapping[str, Any], name: str) -> float:
    """Standard uncertainty: a published error, scaled from its confidence; 0 for a fixed parameter without one."""
    from statistics import NormalDist

    item = record["parameters"].get(name) or {}
    if item.get("error") is None:
        return 0.0 if item.get("fixed") else math.nan
    confidence = record.get("parameter_error_confidence")
    quantile = NormalDist().inv_cdf((1 + float(confidence)) / 2) if confidence else 1.0
    return float(item["error"]) / quantile


def _standard(calibration: Mapping[str, Any]) -> str:
    methods = calibration.get("methods") or ()
    names = [
        str(method.get("reference_calibration_record") or method.get("reference_eos_record") or method.get("kind"))
        for method in methods
    ]
    return ", ".join(dict.fromkeys(names)) or "not stated"


def _source(reference: Mapping[str, Any]) -> str:
    authors = reference.get("authors") or ["unknown authors"]
    first = f"{authors[0]} et al." if len(authors) > 1 else str(authors[0])
    parts = (reference.get("source"), reference.get("volume"), reference.get("locator"))
    return f"{first}, {' '.join(str(part) for part in parts if part)} ({reference.get('year', 'year unknown')})"
