from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from pymatgen.symmetry.groups import SpaceGroup

from hydrostruct.errors import InputError
from hydrostruct.material.cell import cell_array, crystal_system
from hydrostruct.material.cif import read_cif
from hydrostruct.material.eos import is_extrapolated, pressure_from_volume, volume_from_pressure
from hydrostruct.material.formula import formula_composition
from hydrostruct.material.library import library_folder, phase_names
from hydrostruct.material.phase import cell_at, read_phase
from hydrostruct.material.phase_record import CONFIDENCES

_PROMISED = (
    "CeH9-P63mmc CeH9-F43m CeH10-Fm3m CeH8 CeH4-I4mmm CeH3-Pm3n CeH2-Fm3m Ce-fcc Ce-bct Re Pt Au W cBN NaCl-B1 NaCl-B2 "
    "Ne Ar diamond H2 CeO2 LaB6 Si SiO2-stishovite LaH10-Fm3m LaH4-I4mmm YH6-Im3m YH9-P63mmc CaH6-Im3m ThH10-Fm3m "
    "H3S-Im3m FeH2 FeH3"
)
PROMISED = _PROMISED.split()


def test_the_library_holds_the_promised_names() -> None:
    assert set(phase_names()) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_every_entry_cites_a_source_for_each_number(name: str) -> None:
    phase = read_phase(name)
    assert phase.name == name
    cited = [*phase.citations, *phase.equations_of_state, *phase.critical_temperatures]
    assert [citation.subject for citation in phase.citations] == ["structure", "cell"]
    assert all(item.source and item.confidence in CONFIDENCES and item.confidence != "file" for item in cited)
    assert all(item.doi == "" or item.doi.startswith("10.") for item in cited)
    assert all(state.primary_standard for state in phase.equations_of_state)


@pytest.mark.parametrize("name", PROMISED)
def test_every_entry_is_consistent_with_its_space_group(name: str) -> None:
    phase = read_phase(name)
    if phase.space_group_number is None:
        assert phase.notes
        return
    assert phase.space_group_symbol == SpaceGroup.from_int_number(phase.space_group_number).symbol
    assert phase.system is crystal_system(phase.space_group_number)


@pytest.mark.parametrize("name", PROMISED)
def test_an_entry_without_a_cell_says_so(name: str) -> None:
    phase = read_phase(name)
    assert phase.cell.is_known or any("NaN" in note or "verified" in note for note in phase.notes)
    assert phase.cell.is_known == math.isfinite(phase.cell_pressure_gpa)


@pytest.mark.parametrize("name", PROMISED)
def test_every_equation_of_state_inverts(name: str) -> None:
    for state in read_phase(name).equations_of_state:
        low, high = state.pressure_range_gpa
        pressure = np.linspace(max(low, 0.0), high, 25)
        volume = volume_from_pressure(state, pressure)
        np.testing.assert_allclose(pressure_from_volume(state, volume), pressure, rtol=1e-9, atol=1e-9)
        assert np.all(np.diff(volume) < 0)
        assert not is_extrapolated(state, pressure).any()
        assert is_extrapolated(state, high * 1.01)


@pytest.mark.parametrize("name", PROMISED)
def test_equations_of_state_of_one_phase_agree_where_both_have_data(name: str) -> None:
    # a slip of a digit or of a basis moves a volume by far more than pressure scales differ
    states = read_phase(name).equations_of_state
    for other in states[1:]:
        low = max(states[0].pressure_range_gpa[0], other.pressure_range_gpa[0])
        high = min(states[0].pressure_range_gpa[1], other.pressure_range_gpa[1])
        pressure = np.linspace(low, max(low, high), 5)
        ratio = volume_from_pressure(other, pressure) / volume_from_pressure(states[0], pressure)
        np.testing.assert_allclose(ratio, 1.0, atol=0.06 if name == "Ar" else 0.025)


@pytest.mark.parametrize("name", PROMISED)
def test_the_reference_cell_at_zero_pressure_has_the_volume_of_the_equation_of_state(name: str) -> None:
    phase = read_phase(name)
    for state in phase.equations_of_state[:1]:
        if phase.cell_pressure_gpa == 0:
            assert phase.volume_per_fu_ang3 == pytest.approx(state.v0_ang3, rel=2e-3)


@pytest.mark.parametrize("name", [name for name in PROMISED if read_phase(name).cif_path])
def test_every_cif_agrees_with_its_toml(name: str) -> None:
    phase = read_phase(name)
    assert phase.cif_path is not None
    cif = read_cif(Path(phase.cif_path))
    assert cif.space_group_number == phase.space_group_number
    assert cif.formula_units == phase.formula_units
    assert formula_composition(cif.formula) == formula_composition(phase.formula)
    np.testing.assert_allclose(cell_array(cif.cell), cell_array(phase.cell), rtol=1e-9)
    assert len(phase.atoms) == phase.formula_units * sum(formula_composition(phase.formula).values())
    assert cif.notes == ()


def test_site_multiplicities_stated_in_every_cif_are_those_of_the_group() -> None:
    for path in library_folder().glob("*.cif"):
        rows = path.read_text(encoding="utf-8").split("_atom_site_occupancy\n")[1].strip().splitlines()
        assert sum(int(row.split()[2]) for row in rows) == len(read_phase(path.stem).atoms)


def test_metal_atoms_of_a_superhydride_are_those_that_are_no_hydrogen() -> None:
    for name in PROMISED:
        phase = read_phase(name)
        composition = formula_composition(phase.formula)
        if "H" in composition:
            assert phase.metal_atoms_per_fu == sum(n for symbol, n in composition.items() if symbol != "H")


# reference sheet of the project, section 3.3; pressure in GPa and lengths in Å
@pytest.mark.parametrize(
    ("pressure", "name", "key", "a", "c"),
    [
        (93.5, "Re", None, 2.6034, 4.2006),
        (94.8, "Re", None, 2.6019, 4.1981),
        (100.0, "Re", None, 2.5958, 4.1883),
        (101.9, "Re", None, 2.5936, 4.1848),
        (105.0, "Re", None, 2.5901, 4.1792),
        (93.5, "Pt", "fei2007", 3.6654, None),
        (100.0, "Pt", "fei2007", 3.65398, None),
        (105.0, "Pt", "dewaele2004", 3.6387, None),
        (101.9, "Pt", "fratanduono2021", 3.6537, None),
        (93.5, "Au", "fei2007", 3.7374, None),
        (105.0, "Au", "fei2007", 3.7152, None),
        (94.8, "W", "dewaele2004", 2.9479, None),
        (100.0, "W", "dewaele2004", 2.9398, None),
        (93.5, "cBN", None, 3.4116, None),
        (105.0, "cBN", None, 3.3934, None),
    ],
)
def test_cells_of_the_parasitic_phases_are_met(
    pressure: float, name: str, key: str | None, a: float, c: float | None
) -> None:
    moved = cell_at(read_phase(name), pressure, eos=key)
    assert moved.cell.a_ang == pytest.approx(a, abs=1.1e-4)
    if c is not None:
        assert moved.cell.c_ang == pytest.approx(c, abs=1.1e-4)


def test_published_errors_of_95_percent_become_standard_uncertainties() -> None:
    rhenium = read_phase("Re").equation_of_state("anzellini2014")
    assert rhenium.k0_sigma_gpa == pytest.approx(8.0 / 1.95996, rel=1e-4)


def test_the_library_is_found_beside_a_source_tree_first_and_inside_the_package_else(tmp_path: Path) -> None:
    package = tmp_path / "hydrostruct"
    package.mkdir()
    with pytest.raises(InputError, match="the phase library is missing"):
        library_folder(package)
    (package / "phases").mkdir()
    assert library_folder(package) == package / "phases"
    (tmp_path / "phases").mkdir()
    assert library_folder(package) == package / "phases"  # a folder of that name beside an installed package
    (tmp_path / "pyproject.toml").touch()
    assert library_folder(package) == tmp_path / "phases"
