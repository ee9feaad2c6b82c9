from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrostruct.errors import InputError
from hydrostruct.grid import SCAN_ORDERS, grid_points, natural_key, natural_order, neighbours

NAMES = st.lists(st.text(alphabet="aAbB_-.0123456789 /é²", max_size=10), max_size=8)


def test_two_comes_before_eleven() -> None:
    assert natural_order(["m_11.tif", "m_2.tif", "m_1.tif"]) == ("m_1.tif", "m_2.tif", "m_11.tif")


def test_every_number_in_a_name_counts() -> None:
    names = ["s10_p2.xy", "s2_p10.xy", "s2_p9.xy", "s10_p1.xy"]
    assert natural_order(names) == ("s2_p9.xy", "s2_p10.xy", "s10_p1.xy", "s10_p2.xy")


def test_leading_zeros_do_not_change_the_order_of_numbers() -> None:
    assert natural_order(["a010", "a9", "a0011"]) == ("a9", "a010", "a0011")


def test_names_of_letters_and_digits_compare() -> None:
    assert natural_order(["1a", "a1", "", "1"]) == natural_order(["a1", "1", "1a", ""])


def test_superscript_digits_are_letters() -> None:
    assert natural_order(["a²", "a1"]) == natural_order(["a1", "a²"])


def test_huge_numbers_in_names_are_no_trouble() -> None:
    assert natural_order(["a" + "9" * 400, "a1"])[0] == "a1"


@given(NAMES, st.integers(0, 2**32))
def test_the_order_does_not_depend_on_the_order_given(names: list[str], seed: int) -> None:
    shuffled = list(names)
    random.Random(seed).shuffle(shuffled)
    assert natural_order(shuffled) == natural_order(names)


@given(NAMES)
def test_ordering_keeps_every_name_and_does_nothing_the_second_time(names: list[str]) -> None:
    once = natural_order(names)
    assert sorted(once) == sorted(names)
    assert natural_order(once) == once


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 6))
def test_numbers_sort_as_numbers_whatever_their_padding(first: int, second: int, width: int) -> None:
    names = [f"p_{number:0{width}d}.xye" for number in (first, second)]
    assert (natural_key(names[0]) < natural_key(names[1])) == (first < second)


@given(NAMES)
def test_different_names_have_different_keys(names: list[str]) -> None:
    assert len({natural_key(name) for name in names}) == len(set(names))


@pytest.mark.parametrize("order", SCAN_ORDERS)
@given(rows=st.integers(1, 7), columns=st.integers(1, 7))
def test_a_scan_visits_every_place_once_and_y_grows_with_the_row(order: str, rows: int, columns: int) -> None:
    points = grid_points((rows, columns), step_um=(5.0, 2.0), order=order)
    assert [point.point for point in points] == list(range(1, rows * columns + 1))
    assert {(point.row, point.column) for point in points} == {(r, c) for r in range(rows) for c in range(columns)}
    assert all((point.x_um, point.y_um) == (5.0 * point.column, 2.0 * point.row) for point in points)
    if "snake" in order:
        steps = [abs(a.row - b.row) + abs(a.column - b.column) for a, b in pairwise(points)]
        assert all(step == 1 for step in steps)


def test_an_unknown_scan_order_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'row-snake'"):
        grid_points((2, 2), order="row-snak")


def test_neighbours_are_those_within_one_row_and_column_the_nearest_first() -> None:
    near = neighbours(grid_points((3, 3)))
    assert set(near[4]) == {0, 1, 2, 3, 5, 6, 7, 8}
    assert set(near[4][:4]) == {1, 3, 5, 7}
    assert set(near[0]) == {1, 3, 4}
