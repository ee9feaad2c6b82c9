"""Allowed hkl and multiplicities of any space group, from its symmetry operations alone.

One representative stands for all reflections that the Laue class makes equal (Friedel's law included). A reflection is
absent when an operation (R, t) of the group gives hR = h with h·t not an integer.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.material.cell import (
    Cell,
    CrystalSystem,
    Floats,
    Ints,
    cell_array,
    crystal_system,
    d_spacing,
    metric_terms,
    reciprocal_components,
    two_theta,
)
from hydrostruct.material.phase import Phase

_TRANSLATION_PARTS = 24
_MOST_CANDIDATES = 3_000_000
_HOLOHEDRY: dict[CrystalSystem, int] = {
    CrystalSystem.CUBIC: 221,
    CrystalSystem.TETRAGONAL: 123,
    CrystalSystem.HEXAGONAL: 191,
    CrystalSystem.ORTHORHOMBIC: 47,
    CrystalSystem.MONOCLINIC: 10,
    CrystalSystem.TRICLINIC: 2,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reflections:
    """The powder lines of one cell, the largest spacing first."""

    hkl: Ints
    """Miller indices of one of each set of equivalent reflections, shape (n, 3)."""
    multiplicity: Ints
    """How many equivalent reflections each stands for, shape (n,)."""
    d_ang: Floats
    """Spacing of the lattice planes, in Å, shape (n,)."""

    def __post_init__(self) -> None:
        for array in (self.hkl, self.multiplicity, self.d_ang):
            array.setflags(write=False)


def allowed_reflections(space_group: int, cell: Cell, *, d_min_ang: float, d_max_ang: float = math.inf) -> Reflections:
    """Reflections that a space group does not extinguish.

    Parameters
    ----------
    space_group : int
        1 to 230, standard setting: hexagonal axes for R lattices, unique axis b and cell choice 1 for monoclinic.
    cell : Cell
        A cell that obeys the group's lattice system.
    d_min_ang, d_max_ang : float
        Smallest and largest spacing, in Å, both included.

    Returns
    -------
    Reflections
        Sorted by falling spacing; 100 stands for its set, not -110.

    Raises
    ------
    InputError
        When the group does not exist, the cell is unknown or breaks the group's symmetry, or the range is empty.

    References
    ----------
    International Tables for Crystallography, Volume A. Operations: spglib, Togo, Shinohara & Tanaka (2024),
    doi:10.1080/27660400.2024.2384822.

    Examples
    --------
    >>> from hydrostruct.material.cell import make_cell
    >>> cell = make_cell(CrystalSystem.HEXAGONAL, a_ang=3.674, c_ang=5.427)
    >>> lines = allowed_reflections(194, cell, d_min_ang=2.0)
    >>> lines.hkl.tolist(), lines.multiplicity.tolist()
    ([[1, 0, 0], [1, 0, 1], [0, 0, 2], [1, 0, 2]], [6, 12, 2, 12])
    """
    _check_range(d_min_ang, d_max_ang)
    _check_system(cell, crystal_system(space_group), f"space group {space_group}")
    rotations, translations = _operations(space_group)
    laue = _laue_rotations(space_group)
    hkl = _representatives(_candidates(cell, d_min_ang, d_max_ang), laue)
    hkl = hkl[~_is_absent(hkl, rotations, translations)]
    return _sorted_lines(hkl, laue, cell)


def phase_reflections(phase: Phase, cell: Cell, *, d_min_ang: float, d_max_ang: float = math.inf) -> Reflections:
    """Powder lines of a phase with a given cell.

    Parameters
    ----------
    phase : Phase
        Its space group decides; without one its explicit list of lines, whose spacings are computed from the cell.
    cell : Cell
        The cell at hand.
    d_min_ang, d_max_ang : float
        Smallest and largest spacing, in Å, both included.

    Returns
    -------
    Reflections
        For a list without a space group the multiplicities are those of the lattice system's holohedry.

    Raises
    ------
    InputError
        As `allowed_reflections`, and when the phase has neither a space group nor lines.

    Examples
    --------
    >>> from hydrostruct.material.phase import read_phase
    >>> pt = read_phase("Pt")
    >>> phase_reflections(pt, pt.cell, d_min_ang=1.9).hkl.tolist()
    [[1, 1, 1], [2, 0, 0]]
    """
    if phase.space_group_number is not None:
        return allowed_reflections(phase.space_group_number, cell, d_min_ang=d_min_ang, d_max_ang=d_max_ang)
    if phase.lines_hkl is None:
        raise InputError(f"{phase.source}: no space group and no lines. Expected one of them. Add it to the file.")
    _check_range(d_min_ang, d_max_ang)
    _check_system(cell, phase.system, f"phase {phase.name}")
    laue = _laue_rotations(_HOLOHEDRY[phase.system])
    listed = np.unique(_representative_of_each(np.array(phase.lines_hkl, dtype=np.int64), laue), axis=0)
    d_ang = d_spacing(listed, cell)
    return _sorted_lines(listed[(d_ang >= d_min_ang) & (d_ang <= d_max_ang)], laue, cell)


def heavy_atom_null(phase: Phase, hkl: Ints) -> np.ndarray:
    """Which reflections the heaviest element of a phase does not feed.

    Parameters
    ----------
    phase : Phase
        With its atoms.
    hkl : array of int, shape (n, 3)
        Miller indices.

    Returns
    -------
    array of bool, shape (n,)
        True where the waves of the heaviest atoms cancel, below 0.1 % of what they could sum to; False throughout
        for a phase without atoms.

    Examples
    --------
    >>> from hydrostruct.material.phase import read_phase
    >>> heavy_atom_null(read_phase("CeH9-P63mmc"), np.array([[1, 0, 1], [3, 0, 1], [3, 0, 3]]))
    array([False,  True,  True])
    """
    indices = np.asarray(hkl, dtype=np.int64).reshape(-1, 3)
    if not phase.atoms:
        return np.zeros(len(indices), dtype=bool)
    heaviest = max(atom.atomic_number for atom in phase.atoms)
    heavy = [atom for atom in phase.atoms if atom.atomic_number == heaviest]
    positions = np.array([atom.position for atom in heavy])
    occupancy = np.array([atom.occupancy for atom in heavy])
    amplitude = np.abs(np.exp(2j * np.pi * (indices @ positions.T)) @ occupancy)
    return np.asarray(amplitude < 1e-3 * occupancy.sum())


def powder_intensities(phase: Phase, lines: Reflections, *, wavelength_ang: float) -> Floats:
    """Calculated relative intensities of a powder without texture, absorption or thermal motion.

    Parameters
    ----------
    phase : Phase
        With its atoms.
    lines : Reflections
        Its lines.
    wavelength_ang : float
        X-ray wavelength, in Å.

    Returns
    -------
    array, shape (n,)
        In percent of the strongest; NaN for a phase without atoms, and where a line is out of reach (λ > 2d).

    Notes
    -----
    I = m |F|² (1 + cos² 2θ) / (sin² θ cos θ), F with the form factors of neutral atoms that pymatgen ships, without
    anomalous scattering.

    Examples
    --------
    >>> from hydrostruct.material.phase import read_phase
    >>> phase = read_phase("CeH9-P63mmc")
    >>> lines = phase_reflections(phase, phase.cell, d_min_ang=2.7)
    >>> powder_intensities(phase, lines, wavelength_ang=0.6199).round(0)
    array([ 24., 100.,  21.])
    """
    if not phase.atoms or not len(lines.d_ang):
        return np.full(len(lines.d_ang), math.nan)
    waves = np.exp(2j * np.pi * (lines.hkl @ np.array([atom.position for atom in phase.atoms]).T))
    s_squared = 1.0 / (4.0 * lines.d_ang**2)
    by_element = {atom.element: _form_factor(atom.element, atom.atomic_number, s_squared) for atom in phase.atoms}
    factors = np.stack([atom.occupancy * by_element[atom.element] for atom in phase.atoms], axis=1)
    theta = np.radians(two_theta(lines.d_ang, wavelength_ang)) / 2
    polarised = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    intensity = lines.multiplicity * np.abs((waves * factors).sum(axis=1)) ** 2 * polarised
    return np.asarray(100.0 * intensity / np.nanmax(intensity)) if np.isfinite(intensity).any() else intensity


def _form_factor(element: str, atomic_number: int, s_squared: Floats) -> Floats:
    """f(s) = Z − 41.78214 s² Σ a exp(−b s²), with s = sin θ / λ in Å⁻¹; Z where the table has no such element."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    a, b = np.array(ATOMIC_SCATTERING_PARAMS.get(element, [[0.0, 0.0]]), dtype=np.float64).T
    gaussians = np.exp(-np.multiply.outer(s_squared, b)) @ a
    return np.asarray(atomic_number - 41.78214 * s_squared * gaussians)


@lru_cache(maxsize=230)
def _operations(space_group: int) -> tuple[Ints, Ints]:
    """Rotations (m, 3, 3) and translations (m, 3) in 24ths of the axes, in the standard setting."""
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, about how it reports errors
        database: Any = spglib.get_symmetry_from_database(_standard_hall_numbers()[space_group])
    parts = np.rint(database["translations"] * _TRANSLATION_PARTS).astype(np.int64) % _TRANSLATION_PARTS
    return np.ascontiguousarray(database["rotations"], dtype=np.int64), parts


@lru_cache(maxsize=1)
def _standard_hall_numbers() -> dict[int, int]:
    """The first of spglib's 530 settings of each group is the standard one, R lattices on hexagonal axes."""
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        settings: list[Any] = [spglib.get_spacegroup_type(hall_number) for hall_number in range(1, 531)]
    numbers = [int(setting.number) for setting in settings]
    return {number: numbers.index(number) + 1 for number in set(numbers)}


@lru_cache(maxsize=230)
def _laue_rotations(space_group: int) -> Ints:
    """The rotations of the Laue class, shape (m, 3, 3): those of the point group and their negatives.

    Changes of sign come first: they thin out the candidates of `_representatives` fastest.
    """
    rotations = _operations(space_group)[0]
    laue = np.unique(np.concatenate([rotations, -rotations]), axis=0)
    on_diagonal = np.abs(np.diagonal(laue, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(laue[np.argsort(-on_diagonal, kind="stable")])


def _check_range(d_min_ang: float, d_max_ang: float) -> None:
    if not (d_min_ang > 0 and d_max_ang > d_min_ang and math.isfinite(d_min_ang)):
        raise InputError(
            f"spacings from {d_min_ang:g} to {d_max_ang:g} Å are no range. Expected two lengths above 0, rising."
        )


def _check_system(cell: Cell, system: CrystalSystem, what: str) -> None:
    """Refuse a cell whose shape the system does not allow, by one part in 10 000."""
    if not cell.is_known:
        raise InputError(f"{what}: the cell has parameters without a value. Expected all of them. Give the cell.")
    full = reciprocal_components(cell, CrystalSystem.TRICLINIC)
    probe = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.int64)
    allowed = metric_terms(probe, system) @ reciprocal_components(cell, system)
    given = metric_terms(probe, CrystalSystem.TRICLINIC) @ full
    if not np.allclose(allowed, given, rtol=2e-4, atol=0):
        shape = ", ".join(f"{value:g}" for value in cell_array(cell))
        raise InputError(f"{what}: the cell ({shape}) is not {system}. Expected a {system} one. Correct the cell.")


def _candidates(cell: Cell, d_min_ang: float, d_max_ang: float) -> Ints:
    """Every hkl within the range, of each pair h and -h one, shape (n, 3)."""
    largest = [math.floor(length / d_min_ang + 1e-9) for length in (cell.a_ang, cell.b_ang, cell.c_ang)]
    if (2 * largest[0] + 1) * (2 * largest[1] + 1) * (largest[2] + 1) > _MOST_CANDIDATES:
        raise InputError(
            f"d above {d_min_ang:g} Å gives millions of lines. Expected a spacing that a pattern can resolve. Raise it."
        )
    axes = (np.arange(-largest[0], largest[0] + 1), np.arange(-largest[1], largest[1] + 1), np.arange(largest[2] + 1))
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int64)
    h, k, l = hkl.T  # noqa: E741 - the field's names
    hkl = hkl[(l > 0) | (k > 0) & (l == 0) | (h > 0) & (k == 0) & (l == 0)]
    d_ang = d_spacing(hkl, cell)
    # a line on the border belongs to the range whatever the last bit of its spacing says
    return np.asarray(hkl[(d_ang >= d_min_ang * (1 - 1e-12)) & (d_ang <= d_max_ang * (1 + 1e-12))])


def _rank(hkl: Ints) -> Ints:
    """A number for each hkl, the largest for the one that is printed: few minus signs, l and k not negative, high h."""
    negatives = (hkl < 0).sum(axis=-1)
    head = (3 - negatives) * 4 + (hkl[..., 2] >= 0) * 2 + (hkl[..., 1] >= 0)
    shifted = hkl + 2**15
    return np.asarray(((head * 2**16 + shifted[..., 0]) * 2**16 + shifted[..., 1]) * 2**16 + shifted[..., 2])


def _representatives(hkl: Ints, laue: Ints) -> Ints:
    """Those hkl that no equivalent outranks; of a half sphere the sign is turned where the other half ranks higher."""
    ranked = np.where((_rank(-hkl) > _rank(hkl))[:, None], -hkl, hkl)
    rank = _rank(ranked)
    for rotation in laue:
        stays = _rank(ranked @ rotation) <= rank
        ranked, rank = ranked[stays], rank[stays]
    return ranked


def _images(hkl: Ints, rotations: Ints) -> Ints:
    """The images h R of every h under every R, shape (n, m, 3); by floats, whose matrix product is fast."""
    columns = rotations.transpose(1, 0, 2).reshape(3, -1).astype(np.float64)
    return np.asarray(np.rint(hkl.astype(np.float64) @ columns).astype(np.int64).reshape(len(hkl), len(rotations), 3))


def _representative_of_each(hkl: Ints, laue: Ints) -> Ints:
    images = _images(hkl, laue)
    best = np.argmax(_rank(images), axis=1)
    return np.asarray(images[np.arange(len(hkl)), best])


def _is_absent(hkl: Ints, rotations: Ints, translations: Ints) -> np.ndarray:
    fixed = (_images(hkl, rotations) == hkl[:, None, :]).all(axis=2)
    return np.asarray((fixed & ((hkl @ translations.T) % _TRANSLATION_PARTS != 0)).any(axis=1))


def _sorted_lines(hkl: Ints, laue: Ints, cell: Cell) -> Reflections:
    stays = (_images(hkl, laue) == hkl[:, None, :]).all(axis=2).sum(axis=1)
    d_ang = d_spacing(hkl, cell) if len(hkl) else np.empty(0)
    order = np.lexsort((-_rank(hkl), -np.round(d_ang, 10)))
    multiplicity = len(laue) // np.maximum(stays, 1)
    return Reflections(hkl=hkl[order], multiplicity=multiplicity[order].astype(np.int64), d_ang=d_ang[order])
