from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.material.cell import CrystalSystem, cell_array, d_spacing, make_cell
from hydrostruct.material.phase import cell_at, read_phase
from hydrostruct.material.reflections import phase_reflections

V4 = """VERSION: 4
COMMENT: made for a test
K0: 100
K0P: 4
SYMMETRY: {symmetry}
{cell}
DIHKL: {d:.5f} 100 {hkl}
"""


def _jcpds(folder: Path, text: str) -> Path:
    path = folder / "test.jcpds"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_jcpds_and_cif_of_the_shared_folder_loads(shared_data: Path) -> None:
    for path in sorted((shared_data / "jcpds").glob("*/*")):
        phase = read_phase(path)
        assert phase.cell.is_known
        if phase.lines_hkl or phase.space_group_number:
            lines = phase_reflections(phase, phase.cell, d_min_ang=0.7)
            np.testing.assert_allclose(lines.d_ang, d_spacing(lines.hkl, phase.cell))


@pytest.mark.parametrize("pair", [("Fe5Si3", "Fe5Si3-pkpo"), ("fesi_new", "fesi_new-pkpo")])
def test_peakpo_files_are_the_same_phase_as_their_twins(shared_data: Path, pair: tuple[str, str]) -> None:
    first, second = (read_phase(shared_data / "jcpds" / "peakpo" / f"{stem}.jcpds") for stem in pair)
    assert first.cell == second.cell
    assert first.lines_hkl == second.lines_hkl
    assert first.system == second.system
    assert [(e.k0_gpa, e.k0_prime) for e in first.equations_of_state] == [
        (e.k0_gpa, e.k0_prime) for e in second.equations_of_state
    ]


def test_versions_of_one_jcpds_agree(shared_data: Path) -> None:
    folder = shared_data / "jcpds" / "dioptas"
    new, old = read_phase(folder / "au_Anderson.jcpds"), read_phase(folder / "au_version3.jcpds")
    assert new.cell == old.cell
    assert old.equations_of_state[0].k0_gpa == pytest.approx(166.6)
    assert set(old.lines_hkl or ()) <= set(new.lines_hkl or ())


def test_a_jcpds_whose_spacings_are_of_another_volume_says_so(shared_data: Path) -> None:
    phase = read_phase(shared_data / "jcpds" / "dioptas" / "nanana.jcpds")
    assert any("a cell 0.7929 times as long" in note for note in phase.notes)
    assert phase_reflections(phase, phase.cell, d_min_ang=3.0).d_ang[0] == pytest.approx(5.5128 / math.sqrt(3))


def test_a_jcpds_without_bulk_modulus_has_no_equation_of_state(shared_data: Path) -> None:
    assert read_phase(shared_data / "jcpds" / "peakpo" / "fesi-pkpo.jcpds").equations_of_state == ()


def test_gold_of_a_jcpds_moves_with_pressure(shared_data: Path) -> None:
    moved = cell_at(read_phase(shared_data / "jcpds" / "dioptas" / "au_Anderson.jcpds"), 30.0)
    assert moved.cell.a_ang == pytest.approx(cell_at(read_phase("Au"), 30.0).cell.a_ang, rel=2e-3)
    assert math.isnan(moved.volume_per_fu_ang3)
    assert moved.extrapolated


def test_the_first_version_of_jcpds_is_read(tmp_path: Path) -> None:
    text = "Rhenium, an old file\n2, 2.76, 433.8, 3.46, 1.615\nd-spacing I/I0 h k l\n2.390 32 1 0 0\n2.106 100 1 0 1\n"
    phase = read_phase(_jcpds(tmp_path, text))
    assert phase.system is CrystalSystem.HEXAGONAL
    assert phase.cell.c_ang == pytest.approx(2.76 * 1.615)
    assert phase.lines_hkl == ((1, 0, 0), (1, 0, 1))


@pytest.mark.parametrize(
    ("code", "cell", "expected"),
    [
        (1, "4.0", (4, 4, 4, 90, 90, 90)),
        (2, "4.0 6.0", (4, 4, 6, 90, 90, 120)),
        (3, "4.0 6.0", (4, 4, 6, 90, 90, 90)),
        (4, "4.0 5.0 6.0", (4, 5, 6, 90, 90, 90)),
        (5, "4.0 5.0 6.0 100.0", (4, 5, 6, 90, 100, 90)),
        (5, "4.0 5.0 6.0 90.0 100.0 90.0", (4, 5, 6, 90, 100, 90)),
        (6, "4.0 5.0 6.0 80.0 85.0 95.0", (4, 5, 6, 80, 85, 95)),
    ],
)
def test_every_symmetry_code_of_version_3_gives_its_cell(
    tmp_path: Path, code: int, cell: str, expected: tuple[float, ...]
) -> None:
    phase = read_phase(
        _jcpds(tmp_path, f"3\ncomment\n {code} 100.0 4.0\n{cell}\n(blank for future use)\nd-spacing I h k l\n")
    )
    np.testing.assert_allclose(cell_array(phase.cell), expected)


def test_rhombohedral_axes_become_hexagonal_ones(tmp_path: Path) -> None:
    # corundum: a = 5.13 Å, alpha = 55.28°; its 110 line on rhombohedral axes is 012 on hexagonal ones
    text = V4.format(symmetry="RHOMBOHEDRAL", cell="A: 5.1284\nALPHA: 55.28", d=3.48, hkl="1 1 0")
    phase = read_phase(_jcpds(tmp_path, text))
    assert phase.cell.a_ang == pytest.approx(4.759, abs=2e-3)
    assert phase.cell.c_ang == pytest.approx(12.99, abs=5e-3)
    assert phase.lines_hkl == ((0, 1, 2),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SYMMETRY: CUBIC", "SYMMETRY: ROUND", "SYMMETRY is 'ROUND'"),
        ("A: 4.0", "A: four", "line 6: A is 'four'. Expected a number"),
        ("A: 4.0", "A: 0", "A is 0. Expected a number above 0"),
        ("A: 4.0", "B: 4.0", "A is missing"),
        ("K0: 100", "K0: -3", "K0 is -3"),
        ("1 1 1", "1 1", "Expected d in Å, intensity, h, k, l"),
        ("1 1 1", "0 0 0", "indices 0 0 0"),
        ("K0: 100", "K0 100", "Expected 'KEY: value'"),
    ],
)
def test_a_malformed_jcpds_is_named_in_one_sentence(tmp_path: Path, old: str, new: str, message: str) -> None:
    good = V4.format(symmetry="CUBIC", cell="A: 4.0", d=4 / math.sqrt(3), hkl="1 1 1")
    assert read_phase(_jcpds(tmp_path, good)).lines_hkl == ((1, 1, 1),)
    with pytest.raises(InputError) as caught:
        read_phase(_jcpds(tmp_path, good.replace(old, new)))
    assert message in str(caught.value)


def test_spacings_that_fit_no_copy_of_the_cell_are_refused(tmp_path: Path) -> None:
    text = V4.format(symmetry="CUBIC", cell="A: 4.0", d=3.1, hkl="1 1 1") + "DIHKL: 1.6 50 2 2 0\n"
    with pytest.raises(InputError, match="Expected agreement to 1 %"):
        read_phase(_jcpds(tmp_path, text))


@pytest.mark.parametrize(("name", "group", "units"), [("fcc", 225, 4), ("hcp", 194, 2), ("magnesiowustite", 225, 4)])
def test_a_cif_gives_group_and_formula_units(shared_data: Path, name: str, group: int, units: int) -> None:
    phase = read_phase(shared_data / "jcpds" / "dioptas" / f"{name}.cif")
    assert (phase.space_group_number, phase.formula_units) == (group, units)
    assert phase.metal_atoms_per_fu == pytest.approx(1.0)
    assert phase.atoms


def test_a_cif_in_another_setting_comes_back_in_the_standard_one(tmp_path: Path) -> None:
    # body-centred cubic tungsten by its primitive cell, without symmetry
    half = 3.165 / 2
    length, angle = math.sqrt(3) * half, math.degrees(math.acos(-1 / 3))
    path = tmp_path / "primitive.cif"
    path.write_text(
        "data_w\n"
        + "".join(f"_cell_length_{axis} {length:.8f}\n" for axis in "abc")
        + "".join(f"_cell_angle_{name} {angle:.8f}\n" for name in ("alpha", "beta", "gamma"))
        + "_symmetry_space_group_name_H-M 'P 1'\n_symmetry_Int_Tables_number 1\n"
        "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        "W1 W 0 0 0\n",
        encoding="utf-8",
    )
    phase = read_phase(path)
    assert phase.space_group_number == 229
    assert phase.cell.a_ang == pytest.approx(3.165, abs=1e-6)
    assert (phase.formula, phase.formula_units, len(phase.atoms)) == ("W", 2, 2)
    assert any("The file says space group 1" in note for note in phase.notes)


@pytest.mark.parametrize(
    ("stem", "name", "key"),
    [
        ("rhenium", "Re", "rhenium_anzellini_2014_vinet_1"),
        ("feh2", "FeH2", "feh2_p_pin_2014_vinet_1"),
        ("feh3", "FeH3", "feh3_p_pin_2014_vinet_1"),
        ("gold", "Au", "gold_fei_2007_vinet_2"),
        ("platinum", "Pt", "platinum_fei_2007_vinet_300k"),
    ],
)
def test_an_eosmat_gives_the_volumes_of_the_library(shared_data: Path, stem: str, name: str, key: str) -> None:
    phase = read_phase(shared_data / "eos" / f"{stem}.eosmat")
    library = read_phase(name)
    assert (phase.space_group_number, phase.formula_units) == (library.space_group_number, library.formula_units)
    moved, expected = cell_at(phase, 80.0, eos=key), cell_at(library, 80.0)
    assert moved.volume_per_fu_ang3 == pytest.approx(expected.volume_per_fu_ang3, rel=1e-5)
    if name not in ("FeH3", "Pt", "Au"):
        assert moved.volume_per_fu_sigma_ang3 == pytest.approx(expected.volume_per_fu_sigma_ang3, rel=0.01)


def test_gold_compression_points_lie_on_the_equation_of_state(shared_data: Path) -> None:
    from hydrostruct.material.eos import pressure_from_volume

    table = np.genfromtxt(shared_data / "eos" / "gold-takemura-2008-table3-compression.csv", delimiter=",", names=True)
    state = read_phase("Au").equation_of_state("takemura2008")
    error = (
        pressure_from_volume(state, table["lattice_111_angstrom"] ** 3 / 4) - table["ruby_pressure_dorogokupets_gpa"]
    )
    assert np.sqrt(np.nanmean(error**2)) < 1.0  # GPa, of 131: measured 0.7 with the lattice of one line


def test_a_line_list_is_merged_by_the_lattice(shared_data: Path) -> None:
    phase = read_phase(shared_data / "jcpds" / "dioptas" / "au_mal_anders_vers2.jcpds")
    lines = phase_reflections(phase, phase.cell, d_min_ang=1.0)
    assert lines.hkl.tolist() == [[1, 0, 0]]
    assert lines.multiplicity.tolist() == [6]
    bare = replace(phase, lines_hkl=None)
    with pytest.raises(InputError, match="no space group and no lines"):
        phase_reflections(bare, phase.cell, d_min_ang=1.0)


def test_listed_lines_move_with_the_cell(tmp_path: Path) -> None:
    phase = read_phase(_jcpds(tmp_path, V4.format(symmetry="CUBIC", cell="A: 4.0", d=4 / math.sqrt(3), hkl="1 1 1")))
    smaller = make_cell(CrystalSystem.CUBIC, a_ang=3.6)
    assert phase_reflections(phase, smaller, d_min_ang=1.0).d_ang[0] == pytest.approx(3.6 / math.sqrt(3))
