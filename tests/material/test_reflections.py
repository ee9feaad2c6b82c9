from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrostruct.errors import InputError
from hydrostruct.material.cell import FREE_PARAMETERS, Cell, crystal_system, d_spacing, make_cell, two_theta
from hydrostruct.material.phase import read_phase
from hydrostruct.material.reflections import (
    allowed_reflections,
    heavy_atom_null,
    phase_reflections,
    powder_intensities,
)

PAPER_WAVELENGTH_ANG = 0.6199

# reference sheet of the project, section 7: hkl, multiplicity, d, 2θ, intensity, intensity of cerium alone
CEH9_LINES = """
1 0 0  6  3.18178 11.1806  23.6
1 0 1  12 2.74482 12.9676 100
0 0 2  2  2.71350 13.1179  21.3
1 0 2  12 2.06464 17.2681  16.8
1 1 0  6  1.83700 19.4275  24.3
2 0 0  6  1.59089 22.4694   4.2
1 0 3  12 1.57260 22.7342  23.5
2 0 1  12 1.52665 23.4280  21.1
1 1 2  12 1.52119 23.5132  28.5
2 0 2  12 1.3724  26.1050   4.8
0 0 4  2  1.3567  26.4117   3.2
1 0 4  12 1.2480  28.7601   3.6
2 1 0  12 1.2026  29.8712   3.3
2 0 3  12 1.1946  30.0749   9.3
2 1 1  24 1.1741  30.6134  17.8
"""
CEH4_LINES = """
0 0 2  2  2.90050 12.2688  34.0
1 0 1  8  2.54928 13.9670 100
1 1 0  4  2.00677 17.7701  27.2
1 1 2  8  1.65029 21.6507  31.9
1 0 3  8  1.59800 22.3681  28.9
0 0 4  2  1.45025 24.6811   5.3
2 0 0  4  1.41900 25.2335  10.3
2 0 2  8  1.2746  28.1471  13.8
2 1 1  16 1.2399  28.9535  25.4
1 1 4  8  1.1754  30.5783  10.5
"""


def _cell_of(space_group: int) -> Cell:
    """A cell without accidental relations, small enough for a brute force."""
    system = crystal_system(space_group)
    generic = {
        "a_ang": 4.1, "b_ang": 4.7313, "c_ang": 5.2179, "alpha_deg": 83.7, "beta_deg": 101.31, "gamma_deg": 95.13,
    }  # fmt: skip
    return make_cell(system, **{name: generic[name] for name in FREE_PARAMETERS[system]})


def _box(cell: Cell, d_min_ang: float) -> np.ndarray:
    largest = int(max(cell.a_ang, cell.b_ang, cell.c_ang) / d_min_ang) + 1
    axis = np.arange(-largest, largest + 1)
    hkl = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    hkl = hkl[np.any(hkl != 0, axis=1)]
    return hkl[d_spacing(hkl, cell) >= d_min_ang]


def _slow_twin(space_group: int, cell: Cell, d_min_ang: float) -> dict[tuple[int, ...], int]:
    """From the structure factor of three general sites, without a rule: hkl → how many share its d and |F|."""
    from pymatgen.symmetry.groups import SpaceGroup

    rng = np.random.default_rng(space_group)
    hkl = _box(cell, d_min_ang)
    operations = [op.affine_matrix for op in SpaceGroup.from_int_number(space_group, hexagonal=True).symmetry_ops]
    amplitude = np.zeros(len(hkl), dtype=complex)
    for weight in (1.0, 0.61, 0.37):
        site = np.append(rng.random(3), 1.0)
        images = np.array([(matrix @ site)[:3] for matrix in operations])
        amplitude += weight * np.exp(2j * np.pi * hkl @ images.T).sum(axis=1)
    seen = np.round(np.abs(amplitude), 6)
    spacing = np.round(d_spacing(hkl, cell), 6)
    sets: dict[tuple[float, float], list[tuple[int, ...]]] = {}
    for index in np.flatnonzero(seen > 1e-5):
        sets.setdefault((float(spacing[index]), float(seen[index])), []).append(tuple(map(int, hkl[index])))
    return {member: len(members) for members in sets.values() for member in members}


@pytest.mark.parametrize("space_group", range(1, 231))
def test_every_space_group_agrees_with_the_structure_factor_of_general_sites(space_group: int) -> None:
    cell = _cell_of(space_group)
    twin = _slow_twin(space_group, cell, 1.27)
    lines = allowed_reflections(space_group, cell, d_min_ang=1.27)
    found = {tuple(map(int, hkl)): int(m) for hkl, m in zip(lines.hkl, lines.multiplicity, strict=True)}
    assert all(twin.get(hkl) == multiplicity for hkl, multiplicity in found.items())
    assert sum(found.values()) == len(twin)


@pytest.mark.parametrize(("name", "table"), [("CeH9-P63mmc", CEH9_LINES), ("CeH4-I4mmm", CEH4_LINES)])
def test_published_tables_are_met_to_a_ten_thousandth_of_a_degree(name: str, table: str) -> None:
    rows = np.array([line.split() for line in table.strip().splitlines()], dtype=float)
    phase = read_phase(name)
    lines = phase_reflections(phase, phase.cell, d_min_ang=1.174)
    assert lines.hkl.tolist() == rows[:, :3].astype(int).tolist()
    assert lines.multiplicity.tolist() == rows[:, 3].astype(int).tolist()
    np.testing.assert_allclose(lines.d_ang, rows[:, 4], atol=6e-5)
    np.testing.assert_allclose(two_theta(lines.d_ang, PAPER_WAVELENGTH_ANG), rows[:, 5], atol=1e-4)
    intensity = powder_intensities(phase, lines, wavelength_ang=PAPER_WAVELENGTH_ANG)
    np.testing.assert_allclose(intensity, rows[:, 6], rtol=0.03, atol=0.06)


def test_lines_that_cerium_does_not_feed_start_with_301_and_303() -> None:
    phase = read_phase("CeH9-P63mmc")
    lines = phase_reflections(phase, phase.cell, d_min_ang=0.9)
    null = heavy_atom_null(phase, lines.hkl)
    assert lines.hkl[null].tolist() == [[3, 0, 1], [3, 0, 3]]
    angles = two_theta(lines.d_ang[null], PAPER_WAVELENGTH_ANG)
    np.testing.assert_allclose(angles, [34.65, 39.60], atol=6e-3)
    h, k, l = lines.hkl.T  # noqa: E741
    assert np.array_equal(null, ((h - k) % 3 == 0) & (l % 2 == 1))


def test_222_of_silicon_is_allowed_by_the_group_and_empty_by_the_site() -> None:
    phase = read_phase("Si")
    lines = phase_reflections(phase, phase.cell, d_min_ang=1.3)
    assert lines.hkl[heavy_atom_null(phase, lines.hkl)].tolist() == [[2, 2, 2]]


def test_cerium_feeds_every_line_of_ceh4() -> None:
    phase = read_phase("CeH4-I4mmm")
    assert not heavy_atom_null(phase, phase_reflections(phase, phase.cell, d_min_ang=0.7).hkl).any()


@pytest.mark.parametrize(
    ("space_group", "first"),
    [
        (225, [[1, 1, 1], [2, 0, 0], [2, 2, 0], [3, 1, 1], [2, 2, 2]]),
        (229, [[1, 1, 0], [2, 0, 0], [2, 1, 1]]),
        (227, [[1, 1, 1], [2, 2, 0], [3, 1, 1], [2, 2, 2], [4, 0, 0]]),
        (221, [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 0, 0]]),
    ],
)
def test_cubic_lines_have_their_usual_names(space_group: int, first: list[list[int]]) -> None:
    cell = make_cell(crystal_system(space_group), a_ang=4.0)
    lines = allowed_reflections(space_group, cell, d_min_ang=0.9)
    assert lines.hkl[: len(first)].tolist() == first


def test_corundum_on_hexagonal_axes_has_its_usual_lines() -> None:
    cell = make_cell(crystal_system(167), a_ang=4.759, c_ang=12.992)
    lines = allowed_reflections(167, cell, d_min_ang=1.59)
    assert lines.hkl.tolist() == [
        [0, 1, 2],
        [1, 0, 4],
        [1, 1, 0],
        [0, 0, 6],
        [1, 1, 3],
        [2, 0, 2],
        [0, 2, 4],
        [1, 1, 6],
    ]
    assert lines.multiplicity.tolist() == [6, 6, 6, 2, 12, 6, 6, 12]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    lengths=st.tuples(*[st.floats(3.0, 8.0)] * 3),
    angles=st.tuples(*[st.floats(75.0, 105.0)] * 3),
    d_min=st.floats(0.9, 1.5),
)
def test_without_symmetry_every_pair_of_lattice_points_is_one_line(
    lengths: tuple[float, float, float], angles: tuple[float, float, float], d_min: float
) -> None:
    cell = Cell(
        a_ang=lengths[0], b_ang=lengths[1], c_ang=lengths[2],
        alpha_deg=angles[0], beta_deg=angles[1], gamma_deg=angles[2],
    )  # fmt: skip
    lines = allowed_reflections(1, cell, d_min_ang=d_min)
    assert np.all(lines.multiplicity == 2)
    assert 2 * len(lines.hkl) == len(_box(cell, d_min))
    assert np.all(np.diff(lines.d_ang) <= 1e-9)


def test_a_window_cuts_the_same_lines() -> None:
    cell = _cell_of(194)
    everything = allowed_reflections(194, cell, d_min_ang=0.8)
    window = allowed_reflections(194, cell, d_min_ang=1.0, d_max_ang=2.0)
    inside = (everything.d_ang >= 1.0) & (everything.d_ang <= 2.0)
    assert window.hkl.tolist() == everything.hkl[inside].tolist()


def test_a_window_without_lines_is_empty() -> None:
    lines = allowed_reflections(225, make_cell(crystal_system(225), a_ang=4.0), d_min_ang=5.0, d_max_ang=6.0)
    assert lines.hkl.shape == (0, 3)
    assert lines.multiplicity.shape == lines.d_ang.shape == (0,)


def test_ordinary_cells_take_milliseconds() -> None:
    cell = _cell_of(225)
    allowed_reflections(225, cell, d_min_ang=0.6)
    best = min(_seconds(225, cell) for _ in range(5))
    assert best < 0.05  # measured 2 ms; the bound is for a busy machine


def _seconds(space_group: int, cell: Cell) -> float:
    start = time.perf_counter()
    allowed_reflections(space_group, cell, d_min_ang=0.6)
    return time.perf_counter() - start


def test_wrong_input_is_named() -> None:
    cubic = make_cell(crystal_system(225), a_ang=4.0)
    with pytest.raises(InputError, match="space group 231 does not exist"):
        allowed_reflections(231, cubic, d_min_ang=1.0)
    with pytest.raises(InputError, match="is not cubic"):
        allowed_reflections(225, _cell_of(194), d_min_ang=1.0)
    with pytest.raises(InputError, match="no range"):
        allowed_reflections(225, cubic, d_min_ang=-1.0)
    with pytest.raises(InputError, match="no range"):
        allowed_reflections(225, cubic, d_min_ang=2.0, d_max_ang=1.0)
    with pytest.raises(InputError, match="millions of lines"):
        allowed_reflections(225, cubic, d_min_ang=0.001)
    with pytest.raises(InputError, match="without a value"):
        allowed_reflections(225, make_cell(crystal_system(225), a_ang=float("nan")), d_min_ang=1.0)
    with pytest.raises(InputError, match="no space group and no lines"):
        phase_reflections(read_phase("CeH8"), cubic, d_min_ang=1.0)


def test_the_arrays_of_a_record_are_read_only() -> None:
    lines = allowed_reflections(225, make_cell(crystal_system(225), a_ang=4.0), d_min_ang=1.0)
    with pytest.raises(ValueError, match="read-only"):
        lines.d_ang[0] = 1.0


def test_a_phase_without_atoms_has_no_intensities_and_no_null_lines() -> None:
    phase = read_phase("YH6-Im3m")
    cell = make_cell(phase.system, a_ang=3.6)
    lines = phase_reflections(phase, cell, d_min_ang=1.0)
    assert np.isnan(powder_intensities(phase, lines, wavelength_ang=0.6)).all()
    assert not heavy_atom_null(phase, lines.hkl).any()
