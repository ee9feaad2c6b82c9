"""The library's own form of a phase: one TOML file, its schema in phases/README.md."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.cell import FREE_PARAMETERS, Cell, CrystalSystem, crystal_system, make_cell
from hydrostruct.material.eos import PARAMETERS, EosForm, EquationOfState
from hydrostruct.material.formula import formula_composition
from hydrostruct.material.phase_record import CONFIDENCES, Citation, CriticalTemperature, Phase
from hydrostruct.tables import read_text
from hydrostruct.units import ANG3_PER_CM3_PER_MOL

_CITED = ("source", "doi", "confidence")
_KEYS = {
    "the file": ("name", "formula", "notes", "structure", "cell", "eos", "critical_temperature"),
    "[structure]": (
        "space_group_number", "space_group_symbol", "formula_units", "metal_atoms_per_formula_unit", "atoms", *_CITED,
    ),
    "[cell]": (
        "pressure_gpa", *_CITED,
        *(f"{axis}{sigma}_ang" for axis in "abc" for sigma in ("", "_sigma")),
        *(f"{angle}{sigma}_deg" for angle in ("alpha", "beta", "gamma") for sigma in ("", "_sigma")),
    ),
    "[[eos]]": (
        "key", "form", "v0", "v0_sigma", "v0_basis", "k0_gpa", "k0_sigma_gpa", "k0_prime", "k0_prime_sigma", "fixed",
        "error_confidence", "covariance", "pressure_range_gpa", "primary_standard", "notes", *_CITED,
    ),
    "[[critical_temperature]]": ("pressure_gpa", "tc_k", "tc_sigma_k", "quantity", *_CITED),
}  # fmt: skip
_V0_BASES = ("ang3/cell", "ang3/formula-unit", "ang3/atom", "cm3/mol")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """One table of the file, with what an error message needs to point at it."""

    path: Path
    where: str
    values: Mapping[str, Any]

    def wrong(self, key: str, expected: str) -> InputError:
        shown = f"is {self.values[key]!r}" if key in self.values else "is missing"
        return InputError(f"{self.path}: {self.where}: {key!r} {shown}. Expected {expected}. Edit the file.")

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(key, "text")
        return value

    def number(self, key: str, *, default: float | None = None, above: float = -math.inf) -> float:
        value = self.values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= above:
            raise self.wrong(key, "a number" if above == -math.inf else f"a number above {above:g}")
        return float(value)

    def choice(self, key: str, known: Iterable[str]) -> str:
        value = self.text(key)
        if value not in known:
            raise self.wrong(key, f"one of {', '.join(known)}")
        return value


def read_toml(path: Path) -> Phase:
    """A phase from its TOML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Phase

    Raises
    ------
    InputError
        When the file is missing, is no TOML, lacks a key, has an unknown one, or a value is out of its range.
    """
    top = _tables(path)
    structure, cell_table = _sub_table(top, "structure"), _sub_table(top, "cell")
    number = _whole(structure, "space_group_number", 1, 230)
    system = crystal_system(number) if number is not None else CrystalSystem.TRICLINIC
    formula = _checked_formula(top)
    units = _whole(structure, "formula_units", 1, 10_000)
    cell, sigma, pressure = _read_cell(cell_table, system)
    states = tuple(_read_eos(table, formula, units) for table in _table_list(top, "eos"))
    _check_keys_differ(path, [state.key for state in states])
    return Phase(
        name=top.text("name"),
        formula=formula,
        space_group_number=number,
        space_group_symbol=structure.text("space_group_symbol", default="" if number is None else None),
        system=system,
        formula_units=units,
        metal_atoms_per_fu=structure.number("metal_atoms_per_formula_unit"),
        cell=cell,
        cell_sigma=sigma,
        cell_pressure_gpa=pressure,
        equations_of_state=states,
        critical_temperatures=tuple(_read_tc(table) for table in _table_list(top, "critical_temperature")),
        lines_hkl=None,
        cif_path=_atoms_file(structure),
        source=str(path),
        citations=(_citation(structure, "structure"), _citation(cell_table, "cell")),
        notes=_notes(top),
    )


def _tables(path: Path) -> _Table:
    try:
        values = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: no TOML ({error}). Expected the form of phases/README.md. Edit the file.") from error
    return _checked(_Table(path=path, where="the file", values=values))


def _checked(table: _Table) -> _Table:
    known = _KEYS[table.where.split(" number ")[0]]
    for key in table.values:
        if key not in known:
            hint = nearest_name(key, known) or f"Expected one of {', '.join(known)}."
            raise InputError(f"{table.path}: {table.where}: unknown key {key!r}. {hint} Edit the file.")
    return table


def _sub_table(top: _Table, key: str) -> _Table:
    values = top.values.get(key)
    if not isinstance(values, dict):
        raise top.wrong(key, f"a table [{key}]")
    return _checked(_Table(path=top.path, where=f"[{key}]", values=values))


def _table_list(top: _Table, key: str) -> list[_Table]:
    values = top.values.get(key, [])
    if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
        raise top.wrong(key, f"tables [[{key}]]")
    return [
        _checked(_Table(path=top.path, where=f"[[{key}]] number {index}", values=item))
        for index, item in enumerate(values, 1)
    ]


def _whole(table: _Table, key: str, least: int, most: int) -> int | None:
    """A count, None where the file leaves it out because it is not known."""
    value = table.values.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise table.wrong(key, f"a whole number from {least} to {most}")
    return value


def _checked_formula(top: _Table) -> str:
    formula = top.text("formula")
    try:
        formula_composition(formula)
    except InputError as error:
        raise InputError(f"{top.path}: {error} Edit the file.") from error
    return formula


def _notes(top: _Table) -> tuple[str, ...]:
    notes = top.values.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise top.wrong("notes", "a list of sentences")
    return tuple(notes)


def _citation(table: _Table, subject: str) -> Citation:
    return Citation(
        subject=subject,
        source=table.text("source"),
        doi=table.text("doi", default=""),
        confidence=table.choice("confidence", CONFIDENCES),
    )


def _read_cell(table: _Table, system: CrystalSystem) -> tuple[Cell, Cell, float]:
    free = FREE_PARAMETERS[system]
    given = [key for key in table.values if key.endswith(("_ang", "_deg")) and "_sigma_" not in key]
    foreign = sorted(set(given) - set(free))
    if foreign:
        raise InputError(
            f"{table.path}: {table.where}: {foreign[0]!r} is tied in a {system} cell. Expected {', '.join(free)}. "
            "Remove it."
        )
    cell = make_cell(system, **{name: _length_or_nan(table, name) for name in free})
    if cell.is_known and not math.isfinite(cell.volume_ang3):
        raise InputError(f"{table.path}: {table.where}: the angles close no cell. Correct them.")
    sigmas = {name: table.number(_sigma_key(name), default=math.nan) for name in free}
    tied = make_cell(system, **sigmas)
    fixed = {name: 0.0 for name in ("alpha_deg", "beta_deg", "gamma_deg") if name not in free}
    return cell, replace(tied, **fixed), table.number("pressure_gpa", default=math.nan)


def _length_or_nan(table: _Table, name: str) -> float:
    value = table.number(name)
    if not (math.isnan(value) or value > 0):
        raise table.wrong(name, "a number above 0, or nan where it is not known")
    return value


def _sigma_key(name: str) -> str:
    stem, unit = name.rsplit("_", 1)
    return f"{stem}_sigma_{unit}"


def _read_eos(table: _Table, formula: str, formula_units: int | None) -> EquationOfState:
    basis = table.choice("v0_basis", _V0_BASES)
    if basis == "ang3/cell" and formula_units is None:
        raise table.wrong("v0_basis", "another basis, as [structure] has no formula_units,")
    factor = {
        "ang3/cell": 1 / (formula_units or 1),
        "ang3/formula-unit": 1.0,
        "ang3/atom": sum(formula_composition(formula).values()),
        "cm3/mol": ANG3_PER_CM3_PER_MOL,
    }[basis]
    fixed = _fixed(table)
    scale = _normal_quantile_ratio(table)
    return EquationOfState(
        key=table.text("key"),
        form=EosForm(table.choice("form", tuple(EosForm))),
        v0_ang3=table.number("v0", above=0) * factor,
        v0_sigma_ang3=_sigma(table, "v0_sigma", "v0" in fixed) * factor * scale,
        k0_gpa=table.number("k0_gpa", above=0),
        k0_sigma_gpa=_sigma(table, "k0_sigma_gpa", "k0" in fixed) * scale,
        k0_prime=table.number("k0_prime"),
        k0_prime_sigma=_sigma(table, "k0_prime_sigma", "k0_prime" in fixed) * scale,
        fixed=fixed,
        covariance=_covariance(table, factor),
        pressure_range_gpa=_pressure_range(table),
        primary_standard=table.text("primary_standard"),
        v0_basis=f"{table.number('v0'):g} {basis}",
        source=table.text("source"),
        doi=table.text("doi", default=""),
        confidence=table.choice("confidence", CONFIDENCES),
        notes=table.text("notes", default=""),
    )


def _fixed(table: _Table) -> tuple[str, ...]:
    fixed = table.values.get("fixed", [])
    if not isinstance(fixed, list) or not set(fixed) <= set(PARAMETERS):
        raise table.wrong("fixed", f"a list of {', '.join(PARAMETERS)}")
    return tuple(fixed)


def _sigma(table: _Table, key: str, fixed: bool) -> float:
    value = 0.0 if fixed else table.number(key, default=math.nan)
    if value < 0:
        raise table.wrong(key, "a number not below 0")
    return value


def _normal_quantile_ratio(table: _Table) -> float:
    """What turns published errors of a stated confidence into standard uncertainties."""
    from statistics import NormalDist

    confidence = table.number("error_confidence", default=0.682689492, above=0)
    if confidence >= 1:
        raise table.wrong("error_confidence", "a share between 0 and 1, such as 0.95")
    return 1.0 / NormalDist().inv_cdf((1 + confidence) / 2)


def _covariance(table: _Table, factor: float) -> tuple[tuple[float, ...], ...] | None:
    rows = table.values.get("covariance")
    if rows is None:
        return None
    if not isinstance(rows, list) or [len(row) for row in rows if isinstance(row, list)] != [3, 3, 3]:
        raise table.wrong("covariance", "three rows of three numbers, for v0, k0_gpa, k0_prime")
    scale = (factor, 1.0, 1.0)
    return tuple(tuple(float(v) * scale[i] * scale[j] for j, v in enumerate(row)) for i, row in enumerate(rows))


def _pressure_range(table: _Table) -> tuple[float, float]:
    limits = table.values.get("pressure_range_gpa", [math.nan, math.nan])
    if not isinstance(limits, list) or len(limits) != 2 or not all(isinstance(v, int | float) for v in limits):
        raise table.wrong("pressure_range_gpa", "two numbers, lowest and highest")
    low, high = map(float, limits)
    if low >= high:
        raise table.wrong("pressure_range_gpa", "two rising numbers")
    return low, high


def _read_tc(table: _Table) -> CriticalTemperature:
    return CriticalTemperature(
        pressure_gpa=table.number("pressure_gpa", above=0),
        tc_k=table.number("tc_k", above=0),
        tc_sigma_k=table.number("tc_sigma_k", default=math.nan),
        quantity=table.text("quantity"),
        source=table.text("source"),
        doi=table.text("doi", default=""),
        confidence=table.choice("confidence", CONFIDENCES),
    )


def _atoms_file(structure: _Table) -> str | None:
    name = structure.text("atoms", default="")
    if not name:
        return None
    cif = structure.path.parent / name
    if not cif.is_file():
        raise InputError(
            f"{structure.path}: [structure]: 'atoms' is {name!r}, and there is no such file. Write its path."
        )
    return str(cif)


def _check_keys_differ(path: Path, keys: list[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise InputError(f"{path}: two equations of state have the key {twice[0]!r}. Expected one each. Rename one.")
