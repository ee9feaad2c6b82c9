from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrostruct.errors import InputError
from hydrostruct.material.cell import (
    FREE_PARAMETERS,
    Cell,
    CrystalSystem,
    cell_array,
    cell_covariance,
    cell_from_components,
    cell_numbers,
    cell_slopes,
    cell_volume,
    crystal_system,
    d_spacing,
    make_cell,
    metric_terms,
    reciprocal_components,
    two_theta,
)

SYSTEMS = list(CrystalSystem)
LENGTHS = st.floats(2.0, 20.0)
ANGLES = st.floats(65.0, 115.0)


@st.composite
def systems_and_cells(draw: Any) -> tuple[CrystalSystem, Cell]:
    system = draw(st.sampled_from(SYSTEMS))
    free = {name: draw(LENGTHS if name.endswith("_ang") else ANGLES) for name in FREE_PARAMETERS[system]}
    return system, make_cell(system, **free)


def axes(cell: Cell) -> np.ndarray[Any, Any]:
    """Cartesian axes, written down as in a textbook: a along x, b in the plane of x and y."""
    alpha, beta, gamma = np.radians([cell.alpha_deg, cell.beta_deg, cell.gamma_deg])
    along_y = (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
    up = math.sqrt(1 - np.cos(beta) ** 2 - along_y**2)
    return np.array(
        [
            [cell.a_ang, 0, 0],
            [cell.b_ang * np.cos(gamma), cell.b_ang * np.sin(gamma), 0],
            [cell.c_ang * np.cos(beta), cell.c_ang * along_y, cell.c_ang * up],
        ]
    )


def example(system: CrystalSystem) -> Cell:
    values = {"a_ang": 4.1, "b_ang": 5.2, "c_ang": 6.3, "alpha_deg": 83.0, "beta_deg": 97.0, "gamma_deg": 101.0}
    return make_cell(system, **{name: values[name] for name in FREE_PARAMETERS[system]})


@given(systems_and_cells())
def test_a_cell_comes_back_from_its_components(given_cell: tuple[CrystalSystem, Cell]) -> None:
    system, cell = given_cell
    back = cell_from_components(reciprocal_components(cell, system), system)
    np.testing.assert_allclose(cell_array(back), cell_array(cell), rtol=1e-9)


@given(systems_and_cells())
def test_components_come_back_from_their_cell(given_cell: tuple[CrystalSystem, Cell]) -> None:
    system, cell = given_cell
    components = reciprocal_components(cell, system)
    back = reciprocal_components(cell_from_components(components, system), system)
    np.testing.assert_allclose(back, components, rtol=1e-9, atol=1e-12)


@given(systems_and_cells())
def test_the_volume_is_that_of_the_parallelepiped(given_cell: tuple[CrystalSystem, Cell]) -> None:
    _, cell = given_cell
    assert cell_volume(cell) == pytest.approx(abs(np.linalg.det(axes(cell))), rel=1e-9)
    assert cell.volume_ang3 == cell_volume(cell)


@given(systems_and_cells(), st.lists(st.tuples(*[st.integers(-5, 5)] * 3), min_size=1, max_size=6))
def test_spacings_are_those_of_the_cartesian_reciprocal_lattice(
    given_cell: tuple[CrystalSystem, Cell], hkl: list[tuple[int, int, int]]
) -> None:
    system, cell = given_cell
    chosen = np.array([indices for indices in hkl if any(indices)] or [(1, 0, 0)])
    vectors = chosen @ np.linalg.inv(axes(cell)).T
    expected = 1 / np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(d_spacing(chosen, cell), expected, rtol=1e-8)
    square = metric_terms(chosen, system) @ reciprocal_components(cell, system)
    np.testing.assert_allclose(square, expected**-2, rtol=1e-7)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_covariance_agrees_with_random_draws(system: CrystalSystem) -> None:
    random = np.random.default_rng(11)
    components = reciprocal_components(example(system), system)
    mix = random.normal(size=(components.size, components.size))
    scale = 2e-4 * np.max(np.abs(components))
    covariance = scale**2 * (mix @ mix.T / components.size + np.eye(components.size))
    drawn = random.multivariate_normal(components, covariance, size=4000)
    cells = [cell_from_components(one, system) for one in drawn]
    numbers = np.array([np.append(cell_array(cell), cell_volume(cell)) for cell in cells])
    found = cell_covariance(components, covariance, system)
    sigma = np.sqrt(np.diag(found))
    np.testing.assert_allclose(sigma, numbers.std(axis=0), rtol=0.06, atol=1e-12)
    free = sigma > 0
    ours = found[np.ix_(free, free)] / np.outer(sigma[free], sigma[free])
    np.testing.assert_allclose(ours, np.corrcoef(numbers[:, free].T), atol=0.07)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_covariance_agrees_with_central_differences(system: CrystalSystem) -> None:
    components = reciprocal_components(example(system), system)
    step = 1e-5 * np.max(np.abs(components))
    columns = []
    for moved in step * np.eye(components.size):
        ends = [cell_from_components(components + sign * moved, system) for sign in (1, -1)]
        numbers = [np.append(cell_array(cell), cell_volume(cell)) for cell in ends]
        columns.append((numbers[0] - numbers[1]) / (2 * step))
    slopes = np.array(columns).T
    mix = np.random.default_rng(12).normal(size=(components.size, components.size))
    expected = slopes @ mix @ mix.T @ slopes.T
    found = cell_covariance(components, mix @ mix.T, system)
    sigma = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(np.sqrt(np.diag(found)), sigma, rtol=1e-7)
    np.testing.assert_allclose(found, expected, atol=1e-7 * float(np.max(np.outer(sigma, sigma))))


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_short_way_to_a_cell_agrees_with_the_long_one(system: CrystalSystem) -> None:
    components = reciprocal_components(example(system), system)
    values, slopes = cell_numbers(components, system)
    cell = cell_from_components(components, system)
    np.testing.assert_allclose(values, [*cell_array(cell), cell.volume_ang3], rtol=1e-13)
    np.testing.assert_allclose(slopes, cell_slopes(components, system), rtol=1e-12, atol=1e-12 * np.abs(slopes).max())
    assert np.isnan(cell_numbers(-components, system)[0]).all()


@pytest.mark.parametrize("system", list(CrystalSystem))
def test_the_covariance_of_no_cell_is_nan(system: CrystalSystem) -> None:
    components = -reciprocal_components(example(system), system)
    assert np.all(np.isnan(cell_covariance(components, np.eye(components.size), system)))


@pytest.mark.parametrize("system", SYSTEMS)
def test_tied_axes_share_their_sigma_and_fixed_angles_have_none(system: CrystalSystem) -> None:
    components = reciprocal_components(example(system), system)
    found = cell_covariance(
        components, np.diag((1e-4 * np.max(np.abs(components))) ** 2 * np.ones(components.size)), system
    )
    sigma = np.sqrt(np.diag(found))
    for index, name in enumerate(("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg")):
        if name in FREE_PARAMETERS[system]:
            assert sigma[index] > 0
        elif index < 3:
            assert sigma[index] == pytest.approx(sigma[0])
        else:
            assert sigma[index] == 0


@pytest.mark.parametrize(
    ("system", "lengths", "sigmas", "volume", "sigma"),
    [
        (CrystalSystem.HEXAGONAL, (3.674, 5.427), (0.004, 0.004), 31.7204, 0.0729),
        (CrystalSystem.TETRAGONAL, (2.838, 5.801), (0.003, 0.001), 23.3613, 0.0496),
    ],
)
def test_volumes_of_the_published_cells_carry_the_right_uncertainty(
    system: CrystalSystem, lengths: tuple[float, float], sigmas: tuple[float, float], volume: float, sigma: float
) -> None:
    """Cells of Cao et al., 10.48550/arXiv.2401.12682, their axes independent; two formula units a cell."""

    def components(pair: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return reciprocal_components(make_cell(system, a_ang=float(pair[0]), c_ang=float(pair[1])), system)

    middle, step = np.array(lengths), 1e-6
    forward = np.array([(components(middle + d) - components(middle - d)) / (2 * step) for d in step * np.eye(2)]).T
    spread = forward @ np.diag(np.square(sigmas)) @ forward.T
    found = cell_covariance(components(middle), spread, system)
    np.testing.assert_allclose(np.sqrt(np.diag(found))[[0, 2]], sigmas, rtol=1e-6)
    assert cell_volume(make_cell(system, a_ang=lengths[0], c_ang=lengths[1])) / 2 == pytest.approx(volume, abs=5e-5)
    assert math.sqrt(found[6, 6]) / 2 == pytest.approx(sigma, abs=5e-5)


def test_a_metric_that_is_not_positive_gives_no_cell() -> None:
    for components in ([-0.1, 0.1], [0.1, 0.0], [math.nan, 0.1]):
        cell = cell_from_components(np.array(components), CrystalSystem.TETRAGONAL)
        assert not cell.is_known
        assert math.isnan(cell.volume_ang3)


def test_angles_that_close_no_cell_are_refused() -> None:
    cell = Cell(a_ang=3.0, b_ang=3.0, c_ang=3.0, alpha_deg=150.0, beta_deg=100.0, gamma_deg=120.0)
    assert math.isnan(cell.volume_ang3)
    with pytest.raises(InputError, match=r"has no volume\. Expected positive lengths and angles that close"):
        reciprocal_components(cell, CrystalSystem.TRICLINIC)


@pytest.mark.parametrize("length", [0.0, -3.0])
def test_a_length_that_is_not_positive_is_refused(length: float) -> None:
    cell = make_cell(CrystalSystem.CUBIC, a_ang=length)
    with pytest.raises(InputError, match=r"has no volume|positive"):
        reciprocal_components(cell, CrystalSystem.CUBIC)


def test_an_unknown_length_stays_unknown() -> None:
    cell = make_cell(CrystalSystem.TETRAGONAL, a_ang=3.0, c_ang=math.nan)
    assert not cell.is_known
    assert math.isnan(cell.volume_ang3)


def test_parameters_that_a_system_does_not_have_are_refused() -> None:
    with pytest.raises(InputError, match=r"b_ang does not fit\. Expected a_ang, c_ang of a hexagonal cell"):
        make_cell(CrystalSystem.HEXAGONAL, a_ang=3.0, b_ang=3.0, c_ang=5.0)
    with pytest.raises(InputError, match="c_ang does not fit"):
        make_cell(CrystalSystem.HEXAGONAL, a_ang=3.0)


@pytest.mark.parametrize(
    ("first", "last", "system"),
    [
        (1, 2, "triclinic"),
        (3, 15, "monoclinic"),
        (16, 74, "orthorhombic"),
        (75, 142, "tetragonal"),
        (143, 194, "hexagonal"),
        (195, 230, "cubic"),
    ],
)
def test_every_space_group_has_its_system(first: int, last: int, system: str) -> None:
    assert {crystal_system(number).value for number in range(first, last + 1)} == {system}


@pytest.mark.parametrize("number", [0, 231, -5])
def test_there_are_230_space_groups(number: int) -> None:
    with pytest.raises(InputError, match=r"does not exist\. Expected a number from 1 to 230"):
        crystal_system(number)


def test_a_spacing_below_half_the_wavelength_reflects_nowhere() -> None:
    angles = two_theta([2.74482, 0.3, 0.1], 0.6199)
    assert angles[0] == pytest.approx(12.9676, abs=1e-4)
    assert np.isnan(angles[1:]).all()
