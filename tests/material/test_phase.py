from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest

from hydrostruct.errors import InputError
from hydrostruct.material.cell import CrystalSystem
from hydrostruct.material.eos import pressure_from_volume
from hydrostruct.material.formula import formula_composition
from hydrostruct.material.phase import cell_at, read_phase

ENTRY = """
name = "mine"
formula = "CeH9"

[structure]
space_group_number = 194
space_group_symbol = "P6_3/mmc"
formula_units = 2
metal_atoms_per_formula_unit = 1
source = "me"
confidence = "file"

[cell]
pressure_gpa = 93.5
a_ang = 3.674
c_ang = 5.427
source = "me"
confidence = "file"

[[eos]]
key = "mine2026"
form = "vinet"
v0 = 100.0
v0_basis = "ang3/cell"
k0_gpa = 120.0
k0_prime = 4.5
pressure_range_gpa = [80.0, 120.0]
primary_standard = "guess"
source = "me"
confidence = "file"
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_paper_cells_have_their_volumes_per_formula_unit() -> None:
    # reference sheet of the project, section 4
    for name, volume, sigma in (("CeH9-P63mmc", 31.7204, 0.0729), ("CeH4-I4mmm", 23.3613, 0.0496)):
        here = cell_at(read_phase(name), 93.5)
        assert here.volume_per_fu_ang3 == pytest.approx(volume, abs=5e-5)
        assert here.volume_per_fu_sigma_ang3 == pytest.approx(sigma, abs=5e-5)
        assert here.note == ""


def test_a_user_toml_works_like_a_name(tmp_path: Path) -> None:
    phase = read_phase(_written(tmp_path, ENTRY))
    assert (phase.name, phase.formula_units, phase.system) == ("mine", 2, CrystalSystem.HEXAGONAL)
    moved = cell_at(phase, 100.0)
    state = phase.equation_of_state()
    assert float(pressure_from_volume(state, moved.volume_per_fu_ang3)) == pytest.approx(100.0, rel=1e-9)
    assert moved.cell.volume_ang3 / 2 == pytest.approx(moved.volume_per_fu_ang3, rel=1e-12)
    assert moved.cell.c_ang / moved.cell.a_ang == pytest.approx(5.427 / 3.674, rel=1e-12)
    assert not moved.extrapolated
    assert cell_at(phase, 150.0).extrapolated
    assert "its data end at 80 and 120 GPa" in cell_at(phase, 150.0).note


def test_without_an_equation_of_state_the_cell_stays_and_says_so() -> None:
    moved = cell_at(read_phase("CeH9-P63mmc"), 120.0)
    assert (moved.cell.a_ang, moved.pressure_gpa, moved.eos_key) == (3.674, 93.5, None)
    assert "cannot be moved to 120 GPa" in moved.note
    unknown = cell_at(read_phase("YH6-Im3m"), 120.0)
    assert math.isnan(unknown.cell.a_ang)
    assert "it is unknown" in unknown.note


def test_hydrogen_has_a_volume_without_a_cell() -> None:
    moved = cell_at(read_phase("H2"), 93.5)
    assert moved.volume_per_fu_ang3 == pytest.approx(2 * 2.424, abs=1e-3)
    assert math.isnan(moved.cell.a_ang)


def test_a_phase_travels_between_processes() -> None:
    phase = read_phase("CeH9-P63mmc")
    assert repr(pickle.loads(pickle.dumps(phase))) == repr(phase)  # NaN is not equal to itself


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("formula_units = 2", "formula_units = 0", "'formula_units' is 0. Expected a whole number from 1"),
        ("formula_units = 2", "formula_unit = 2", "unknown key 'formula_unit'. Did you mean 'formula_units'"),
        ("space_group_number = 194", "space_group_number = 294", "'space_group_number' is 294"),
        ('formula = "CeH9"', 'formula = "CxH9"', "formula 'CxH9' is not understood"),
        ("a_ang = 3.674", "a_ang = -1.0", "'a_ang' is -1.0. Expected a number above 0"),
        ("a_ang = 3.674", 'a_ang = "3.674"', "'a_ang' is '3.674'. Expected a number"),
        ("a_ang = 3.674", "", "'a_ang' is missing"),
        ("c_ang = 5.427", "c_ang = 5.427\nb_ang = 3.7", "'b_ang' is tied in a hexagonal cell"),
        ('form = "vinet"', 'form = "vine"', "'form' is 'vine'. Expected one of vinet"),
        ('v0_basis = "ang3/cell"', 'v0_basis = "cell"', "'v0_basis' is 'cell'"),
        ("pressure_range_gpa = [80.0, 120.0]", "pressure_range_gpa = [120.0, 80.0]", "two rising numbers"),
        ("k0_gpa = 120.0", "k0_gpa = 0.0", "'k0_gpa' is 0.0. Expected a number above 0"),
        ('confidence = "file"', 'confidence = "sure"', "'confidence' is 'sure'"),
        ('source = "me"', 'source = ""', "'source' is ''. Expected text"),
        ("[cell]", "[cell", "no TOML"),
        ("[cell]", "[zelle]", "unknown key 'zelle'"),
        ("k0_prime = 4.5", "k0_prime = 4.5\ncovariance = [[1.0]]", "three rows of three numbers"),
        ("k0_prime = 4.5", 'k0_prime = 4.5\nfixed = ["K0"]', "a list of v0, k0, k0_prime"),
        ("k0_prime = 4.5", "k0_prime = 4.5\nerror_confidence = 95", "a share between 0 and 1"),
        ("formula_units = 2", 'formula_units = 2\natoms = "none.cif"', "there is no such file"),
    ],
)
def test_a_malformed_toml_is_named_in_one_sentence(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in ENTRY
    path = _written(tmp_path, ENTRY.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_phase(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_two_equations_of_state_of_one_key_are_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, ENTRY + ENTRY[ENTRY.index("[[eos]]") :])
    with pytest.raises(InputError, match="two equations of state have the key 'mine2026'"):
        read_phase(path)


def test_unknown_names_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'CeH9-P63mmc'"):
        read_phase("CeH9-P63mc")
    with pytest.raises(InputError, match="no such file"):
        read_phase(tmp_path / "none.toml")
    text = tmp_path / "phase.txt"
    text.write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="no kind of phase file"):
        read_phase(text)
    for suffix in (".toml", ".cif", ".jcpds", ".eosmat"):
        empty = tmp_path / f"empty{suffix}"
        empty.touch()
        with pytest.raises(InputError, match="the file is empty"):
            read_phase(empty)
        junk = tmp_path / f"junk{suffix}"
        junk.write_bytes(b"\x00\x01\x02 junk")
        with pytest.raises(InputError, match="binary data"):
            read_phase(junk)
        prose = tmp_path / f"prose{suffix}"
        prose.write_text("There is nothing here.\nNothing at all.\n", encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_phase(prose)
        assert str(prose) in str(caught.value)


def test_a_pressure_or_key_without_meaning_is_named() -> None:
    with pytest.raises(InputError, match="is no number"):
        cell_at(read_phase("Pt"), math.nan)
    with pytest.raises(InputError, match=r"no equation of state 'fei'\. Expected one of fei2007"):
        cell_at(read_phase("Pt"), 100.0, eos="fei")
    with pytest.raises(InputError, match="no reliable equation of state"):
        cell_at(read_phase("CeH9-P63mmc"), 100.0, eos="fei2007")


@pytest.mark.parametrize("formula", ["", "9H", "Ce H-9", "Ce(H2)4", "H0", "H."])
def test_text_that_is_no_formula_is_refused(formula: str) -> None:
    with pytest.raises(InputError, match="is not understood"):
        formula_composition(formula)
