"""A phase from the library or from a user's file, and its cell at a pressure."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.cell import FREE_PARAMETERS, Cell, make_cell
from hydrostruct.material.eos import EquationOfState, is_extrapolated, volume_from_pressure, volume_sigma
from hydrostruct.material.library import library_path, phase_names
from hydrostruct.material.phase_record import Atom, Citation, CriticalTemperature, Phase

__all__ = [
    "Atom",
    "CellAtPressure",
    "Citation",
    "CriticalTemperature",
    "Phase",
    "cell_at",
    "phase_names",
    "read_phase",
    "start_at",
]

_SUFFIXES = (".toml", ".cif", ".jcpds", ".eosmat")


@dataclass(frozen=True, kw_only=True, slots=True)
class CellAtPressure:
    """The cell of a phase as near to a pressure as what is known allows."""

    cell: Cell
    """The cell, with the axial ratios of the reference."""
    pressure_gpa: float
    """The pressure at which it holds, in GPa: the one asked for, or the reference's when it cannot be moved."""
    eos_key: str | None
    """The equation of state that moved it; None when it stays at the reference."""
    extrapolated: bool
    """Whether the pressure lies outside the data of the equation of state."""
    volume_per_fu_ang3: float
    """Volume per formula unit, in Å³; NaN where the formula units are not known."""
    volume_per_fu_sigma_ang3: float
    """Its standard uncertainty from the equation of state, or from the reference cell; NaN where it is not known."""
    note: str
    """Why the cell stays at the reference, or that it is extrapolated; empty otherwise."""


def read_phase(name_or_path: str | os.PathLike[str]) -> Phase:
    """A phase, by its name in the library or from a file.

    Parameters
    ----------
    name_or_path : str or path-like
        A name that `phase_names` lists, or a file: `.toml` (the library's own form), `.cif`, `.jcpds`, `.eosmat`.

    Returns
    -------
    Phase

    Raises
    ------
    InputError
        When the name is unknown (the nearest one is named), or the file is missing or malformed.

    Examples
    --------
    >>> phase = read_phase("CeH9-P63mmc")
    >>> phase.space_group_number, phase.formula_units, round(phase.volume_per_fu_ang3, 4)
    (194, 2, 31.7204)
    """
    text = os.fspath(name_or_path)
    path = Path(text)
    suffix = path.suffix.lower()
    if isinstance(name_or_path, str) and text in phase_names():
        return _read_file(library_path(text), ".toml")
    if suffix in _SUFFIXES:
        return _read_file(path, suffix)
    if path.is_file():
        hint = nearest_name(suffix, _SUFFIXES)
        raise InputError(
            f"{path}: {suffix or 'no suffix'} is no kind of phase file. Expected one of {', '.join(_SUFFIXES)}. {hint}"
        )
    return _read_file(library_path(text), ".toml")


def cell_at(phase: Phase, pressure_gpa: float, *, eos: str | None = None) -> CellAtPressure:
    """The cell of a phase at a pressure, by its equation of state.

    Parameters
    ----------
    phase : Phase
        With its reference cell.
    pressure_gpa : float
        Pressure, in GPa.
    eos : str, optional
        Key of the equation of state; the phase's first when left out.

    Returns
    -------
    CellAtPressure
        The volume is that of the equation of state; the axial ratios and angles are those of the reference cell.
        Without an equation of state the reference cell itself, and a note that says so.

    Raises
    ------
    InputError
        When the pressure is no number, or there is no equation of state of that key.

    Examples
    --------
    >>> moved = cell_at(read_phase("Pt"), 100.0, eos="fei2007")
    >>> round(moved.cell.a_ang, 5), moved.extrapolated
    (3.65398, True)
    """
    if not math.isfinite(pressure_gpa):
        raise InputError(f"pressure {pressure_gpa} is no number. Expected GPa, such as 95. Correct it.")
    if not phase.equations_of_state and eos is None:
        return _reference(phase, pressure_gpa)
    chosen = phase.equation_of_state(eos)
    volume = float(volume_from_pressure(chosen, pressure_gpa))
    extrapolated = bool(is_extrapolated(chosen, pressure_gpa))
    known = phase.formula_units is not None
    return CellAtPressure(
        cell=_scaled(phase.cell, phase, volume * (phase.formula_units or 1)),
        pressure_gpa=pressure_gpa,
        eos_key=chosen.key,
        extrapolated=extrapolated,
        volume_per_fu_ang3=volume if known else math.nan,
        volume_per_fu_sigma_ang3=float(volume_sigma(chosen, pressure_gpa)) if known else math.nan,
        note=_extrapolation_note(phase, chosen, pressure_gpa) if extrapolated else "",
    )


def start_at(phase: Phase, pressure_gpa: float) -> Cell | None:
    """Start of a fit at a pressure: the cell of the equation of state.

    Parameters
    ----------
    phase : Phase
        With or without an equation of state.
    pressure_gpa : float
        Pressure, in GPa.

    Returns
    -------
    Cell or None
        None when the phase has no equation of state or no cell that it could move: then its own cell is the start.

    Raises
    ------
    InputError
        When the pressure is no number.
    """
    if not (phase.equations_of_state and phase.cell.is_known):
        return None
    return cell_at(phase, pressure_gpa).cell


def _read_file(path: Path, suffix: str) -> Phase:
    """Each reader is loaded when its kind of file is met."""
    if suffix == ".toml":
        from hydrostruct.material.phase_toml import read_toml

        return read_toml(path)
    if suffix == ".cif":
        from hydrostruct.material.cif import read_cif

        return read_cif(path)
    if suffix == ".jcpds":
        from hydrostruct.material.jcpds import read_jcpds

        return read_jcpds(path)
    from hydrostruct.material.eosmat import read_eosmat

    return read_eosmat(path)


def _reference(phase: Phase, pressure_gpa: float) -> CellAtPressure:
    moved = not math.isclose(pressure_gpa, phase.cell_pressure_gpa, abs_tol=1e-9)
    where = "unknown" if not phase.cell.is_known else f"the one at {phase.cell_pressure_gpa:g} GPa"
    note = (
        f"{phase.name}: no reliable equation of state is known, so its cell cannot be moved to {pressure_gpa:g} GPa; "
        f"it is {where}."
    )
    return CellAtPressure(
        cell=phase.cell,
        pressure_gpa=phase.cell_pressure_gpa,
        eos_key=None,
        extrapolated=False,
        volume_per_fu_ang3=phase.volume_per_fu_ang3,
        volume_per_fu_sigma_ang3=reference_volume_sigma(phase),
        note=note if moved else "",
    )


def reference_volume_sigma(phase: Phase) -> float:
    """Standard uncertainty of the reference cell's volume per formula unit, lengths taken as independent, in Å³.

    Parameters
    ----------
    phase : Phase
        With its cell and the cell's uncertainties.

    Returns
    -------
    float
        NaN where cell, uncertainties or formula units are not known. Angles other than fixed ones are not counted.

    Examples
    --------
    >>> round(reference_volume_sigma(read_phase("CeH9-P63mmc")), 4)
    0.0729
    """
    if phase.formula_units is None:
        return math.nan
    square = 0.0
    for name in FREE_PARAMETERS[phase.system]:
        if name.endswith("_ang"):
            power = _axes_tied_to(name, phase)
            square += (power * getattr(phase.cell_sigma, name) / getattr(phase.cell, name)) ** 2
    return phase.volume_per_fu_ang3 * math.sqrt(square)


def _axes_tied_to(name: str, phase: Phase) -> int:
    free = FREE_PARAMETERS[phase.system]
    return 1 + (name == "a_ang") * (("b_ang" not in free) + ("c_ang" not in free))


def _scaled(cell: Cell, phase: Phase, volume_ang3: float) -> Cell:
    factor = (volume_ang3 / cell.volume_ang3) ** (1 / 3) if volume_ang3 > 0 else math.nan
    free = {
        name: getattr(cell, name) * (factor if name.endswith("_ang") else 1.0) for name in FREE_PARAMETERS[phase.system]
    }
    return make_cell(phase.system, **free)


def _extrapolation_note(phase: Phase, eos: EquationOfState, pressure_gpa: float) -> str:
    low, high = eos.pressure_range_gpa
    known = f"its data end at {low:g} and {high:g} GPa" if math.isfinite(high) else "the range of its data is not known"
    return f"{phase.name}: {pressure_gpa:g} GPa is extrapolated with {eos.key}; {known}."
