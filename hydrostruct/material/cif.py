"""Phases from CIF, brought to the standard setting of their space group."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.material.cell import FREE_PARAMETERS, Cell, crystal_system, make_cell
from hydrostruct.material.formula import ATOMIC_NUMBERS, metal_atoms
from hydrostruct.material.phase_record import Atom, Citation, Phase
from hydrostruct.tables import read_text

_SYMMETRY_TOLERANCE_ANG = 0.01
_ROUTINE = (
    r"No _symmetry_equiv_pos_as_xyz type key found\. Spacegroup from \S+ used\.",
    r"No Pauling electronegativity for .* expecting a float\.",
    r"\d+ fractional coordinates rounded to ideal values to avoid issues with finite precision\.",
)


def read_cif(path: Path) -> Phase:
    """A phase from a CIF.

    Parameters
    ----------
    path : Path
        The file; its first structure is taken, whatever its setting.

    Returns
    -------
    Phase
        In the standard setting; its symmetry is the one that the atoms have to 0.01 Å, not the file's word. The cell
        counts as one at ambient pressure unless the file says otherwise.

    Raises
    ------
    InputError
        When the file is missing, or holds no structure that can be read.
    """
    structure, block, notes = _structure(path)
    dataset, occupants = _standardised(path, structure)
    number = int(dataset.number)
    system = crystal_system(number)
    full = _cell_of(dataset.std_lattice)
    formula, units = _formula_and_units(block, dataset, occupants, structure)
    stated = block.get("_symmetry_Int_Tables_number") or block.get("_space_group_IT_number")
    if stated is not None and str(stated) != str(number):
        notes = (*notes, f"The file says space group {stated}; its atoms have the symmetry of {number}, which is used.")
    notes = (*notes, *_axes_note(structure.lattice.abc, full))
    return Phase(
        name=path.stem,
        formula=formula,
        space_group_number=number,
        space_group_symbol=str(dataset.international),
        system=system,
        formula_units=units,
        metal_atoms_per_fu=metal_atoms(formula),
        cell=make_cell(system, **{name: getattr(full, name) for name in FREE_PARAMETERS[system]}),
        cell_sigma=Cell(a_ang=math.nan, b_ang=math.nan, c_ang=math.nan),
        cell_pressure_gpa=_pressure_gpa(block),
        equations_of_state=(),
        critical_temperatures=(),
        lines_hkl=None,
        cif_path=str(path.resolve()),
        source=str(path),
        citations=tuple(
            Citation(subject=subject, source=str(path), doi="", confidence="file") for subject in ("structure", "cell")
        ),
        notes=notes,
    )


def read_atoms(path: str) -> tuple[Atom, ...]:
    """Every atom of the conventional cell of a CIF, in the standard setting.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    tuple of Atom
        Atoms that share a site stand one after the other, each with its occupancy.

    Raises
    ------
    InputError
        As `read_cif`.
    """
    return _atoms_of_version(path, _version(path))


def _version(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _atoms_of_version(path: str, version: int) -> tuple[Atom, ...]:
    """Read once for each state of the file; `version` is part of the key only."""
    structure, _, _ = _structure(Path(path))
    dataset, occupants = _standardised(Path(path), structure)
    return tuple(
        Atom(
            element=symbol,
            atomic_number=ATOMIC_NUMBERS[symbol],
            position=(float(x), float(y), float(z)),
            occupancy=occupancy,
        )
        for kind, (x, y, z) in zip(dataset.std_types, dataset.std_positions, strict=True)
        for symbol, occupancy in occupants[kind]
    )


def _structure(path: Path) -> tuple[Any, dict[str, Any], tuple[str, ...]]:
    """The first structure, the raw entries of its block, and what pymatgen had to say."""
    text = read_text(path)
    from pymatgen.io.cif import CifParser

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parser = CifParser.from_str(text)
            structure = parser.parse_structures(primitive=False)[0]
            block = next(iter(parser.as_dict().values()))
    except Exception as error:  # pymatgen raises whatever its parts raise
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(
            f"{path}: no structure can be read from this CIF ({reason}). Expected a cell, a space group and atoms. "
            "Check the file."
        ) from error
    messages = dict.fromkeys(_message(str(warning.message)) for warning in caught)
    return structure, block, tuple(f"pymatgen: {message}" for message in messages if message)


def _message(warning: str) -> str:
    """What a warning of pymatgen says of the file; empty when it says nothing that a user must know."""
    said = " ".join(warning.split()).removeprefix("Issues encountered while parsing CIF: ")
    for routine in _ROUTINE:
        said = re.sub(routine, "", said).strip()
    return said


def _axes_note(file_ang: Sequence[float], standard: Cell) -> tuple[str, ...]:
    """A note where the standard setting calls the axes of the file by other names."""
    known = np.array([standard.a_ang, standard.b_ang, standard.c_ang])
    order = [int(np.argmin(np.abs(np.asarray(file_ang) / length - 1.0))) for length in known]
    same = np.allclose(np.asarray(file_ang)[order], known, rtol=1e-6)
    if not same or np.allclose(file_ang, known, rtol=1e-6):
        return ()
    names = ", ".join("abc"[index] for index in order)
    return (f"In the standard setting, which is used, a, b, c are the file's {names}: give starts of the cell so.",)


def _standardised(path: Path, structure: Any) -> tuple[Any, list[list[tuple[str, float]]]]:
    """The symmetry dataset of spglib, and which elements, with which occupancy, each kind of site holds."""
    import spglib

    kinds: dict[tuple[tuple[str, float], ...], int] = {}
    types = [kinds.setdefault(_occupants(site), len(kinds)) for site in structure]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, about how it reports errors
            dataset = spglib.get_symmetry_dataset(
                (structure.lattice.matrix, structure.frac_coords, types), symprec=_SYMMETRY_TOLERANCE_ANG
            )
    except Exception as error:  # spglib's errors have no common base in all its versions
        raise InputError(f"{path}: no symmetry is found ({error}). Check the atoms of the file.") from error
    if dataset is None:
        raise InputError(f"{path}: no symmetry is found. Expected atoms that do not overlap. Check the file.")
    return dataset, [list(kind) for kind in kinds]


def _occupants(site: Any) -> tuple[tuple[str, float], ...]:
    amounts: dict[str, float] = {}
    for species, occupancy in site.species.items():
        symbol = "H" if species.symbol in ("D", "T") else species.symbol
        amounts[symbol] = amounts.get(symbol, 0.0) + round(float(occupancy), 6)
    return tuple(sorted(amounts.items()))


def _cell_of(lattice: Any) -> Cell:
    vectors = np.asarray(lattice, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = [float(vectors[i] @ vectors[j] / (lengths[i] * lengths[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = [math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) for cosine in cosines]
    names = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg")
    return Cell(**dict(zip(names, [*map(float, lengths), *angles], strict=True)))


def _formula_and_units(block: dict[str, Any], dataset: Any, occupants: Any, structure: Any) -> tuple[str, int]:
    """Formula of one unit and Z: from the file's own Z where it divides, else from the common divisor."""
    content: dict[str, float] = {}
    for kind in dataset.std_types:
        for symbol, occupancy in occupants[kind]:
            content[symbol] = content.get(symbol, 0.0) + occupancy
    stated = _number(block.get("_cell_formula_units_Z"))
    growth = len(dataset.std_types) / len(structure)
    units = round(stated * growth) if math.isfinite(stated) else 0
    if units < 1:
        whole = [round(count) for count in content.values()]
        integral = all(abs(count - round(count)) < 1e-3 for count in content.values())
        units = math.gcd(*whole) if integral else 1
    return "".join(f"{symbol}{_amount(count / units)}" for symbol, count in content.items()), units


def _amount(count: float) -> str:
    return "" if abs(count - 1) < 1e-6 else f"{round(count, 4):g}"


def _pressure_gpa(block: dict[str, Any]) -> float:
    kilopascal = _number(block.get("_cell_measurement_pressure") or block.get("_diffrn_ambient_pressure"))
    return kilopascal * 1e-6 if math.isfinite(kilopascal) else 0.0


def _number(text: object) -> float:
    match = re.match(r"\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)", str(text))
    return float(match[1]) if match else math.nan
