"""What one phase is: its symmetry, its cell at a pressure, what is known of it, and where each number comes from."""

from __future__ import annotations

from dataclasses import dataclass

from hydrostruct.errors import InputError
from hydrostruct.material.cell import Cell, CrystalSystem
from hydrostruct.material.eos import EquationOfState

CONFIDENCES = ("paper", "seen", "library", "derived", "memory-high", "memory-medium", "memory-low", "file")
"""Where a number comes from, the surest first; `file` is a user's own file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """Where a number comes from."""

    subject: str
    """What it vouches for: `structure` or `cell`."""
    source: str
    """Authors, journal, year."""
    doi: str
    """Its DOI; empty where there is none."""
    confidence: str
    """One of `CONFIDENCES`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CriticalTemperature:
    """One published Tc at one pressure."""

    pressure_gpa: float
    """Pressure, in GPa."""
    tc_k: float
    """Critical temperature, in K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K; NaN where none is stated."""
    quantity: str
    """What the authors call Tc: onset, maximum, midpoint, theory or as stated."""
    source: str
    """Authors, journal, year."""
    doi: str
    """Its DOI; empty where there is none."""
    confidence: str
    """One of `CONFIDENCES`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Atom:
    """One atom of the conventional cell."""

    element: str
    """Its symbol."""
    atomic_number: int
    """Its atomic number."""
    position: tuple[float, float, float]
    """Fractional coordinates."""
    occupancy: float
    """Share of the cells in which it is there, 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """One crystalline phase, in the standard setting of its space group."""

    name: str
    """Its name in the library, or the stem of its file."""
    formula: str
    """Chemical formula of one formula unit; empty where the file says nothing."""
    space_group_number: int | None
    """1 to 230; None where only a list of lines is known."""
    space_group_symbol: str
    """Hermann–Mauguin symbol; empty where it is not known."""
    system: CrystalSystem
    """Lattice system; R lattices use hexagonal axes."""
    formula_units: int | None
    """Formula units in the cell (Z); None where it is not known."""
    metal_atoms_per_fu: float
    """Metal atoms in a formula unit (other heavy atoms in H3S); NaN where it is not known."""
    cell: Cell
    """The cell at `cell_pressure_gpa`; NaN where no verified value is known."""
    cell_sigma: Cell
    """Standard uncertainties of its lengths (Å) and angles (degrees); NaN where none is stated, 0 where fixed."""
    cell_pressure_gpa: float
    """Pressure of `cell`, in GPa; NaN where it is not known."""
    equations_of_state: tuple[EquationOfState, ...]
    """Every one that is known, the default first; empty where none is reliable."""
    critical_temperatures: tuple[CriticalTemperature, ...]
    """Published Tc, by rising pressure."""
    lines_hkl: tuple[tuple[int, int, int], ...] | None
    """The lines of a phase without a space group (JCPDS); None where the space group decides."""
    cif_path: str | None
    """The file with the atoms; None where they are not known."""
    source: str
    """The file it was read from."""
    citations: tuple[Citation, ...]
    """Where structure and cell come from; equations of state and Tc carry their own."""
    notes: tuple[str, ...]
    """What a user of the numbers must know, in whole sentences."""

    @property
    def volume_per_fu_ang3(self) -> float:
        """Volume of the reference cell per formula unit, in Å³; NaN where cell or formula units are not known."""
        return self.cell.volume_ang3 / self.formula_units if self.formula_units else float("nan")

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Every atom of the conventional cell, read on first use; empty where they are not known."""
        if self.cif_path is None:
            return ()
        from hydrostruct.material.cif import read_atoms

        return read_atoms(self.cif_path)

    def equation_of_state(self, key: str | None = None) -> EquationOfState:
        """The equation of state with a key, the default one without.

        Raises
        ------
        InputError
            When there is none, or none with that key.
        """
        known = [eos.key for eos in self.equations_of_state]
        if not known:
            raise InputError(f"{self.name}: no reliable equation of state is known. Give the cell at the pressure.")
        if key is not None and key not in known:
            raise InputError(f"{self.name}: no equation of state {key!r}. Expected one of {', '.join(known)}.")
        return self.equations_of_state[known.index(key) if key is not None else 0]
