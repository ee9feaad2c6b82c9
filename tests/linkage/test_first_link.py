"""Every point beside every curve, with the distance to the electrodes, and no more said than is known."""

from __future__ import annotations

import math

import pytest

from hydrostruct.linkage.first_link import LinkedCurve, LinkedPoint, link_points

SQUARE = [(0.0, 0.0), (30.0, 30.0), (30.0, 0.0), (0.0, 30.0)]  # as a user may give them: not around the edge
CURVE = LinkedCurve(kind="resistance", file="rt.csv", tc_k=107.0, tc_sigma_k=0.2)


def point(number: int, x: float, y: float) -> LinkedPoint:
    return LinkedPoint(point=number, x_um=x, y_um=y, phases=("CeH9", "CeH4"), pressure_gpa=93.5)


@pytest.mark.parametrize(
    ("x", "y", "between", "distance"),
    [(15, 15, True, math.hypot(15, 15)), (0, 0, True, 0), (33, 4, False, 5), (-3, 15, False, math.hypot(3, 15))],
)
def test_a_point_is_between_the_electrodes_or_so_far_from_them(
    x: float, y: float, between: bool, distance: float
) -> None:
    (link,) = link_points([point(1, x, y)], [CURVE], run="r", electrodes_um=SQUARE)
    assert link.is_between is between
    assert link.distance_um == pytest.approx(distance)
    assert (link.phases, link.pressure_gpa, link.tc_k) == ("CeH9; CeH4", 93.5, 107.0)
    assert ("not shown" in link.reason) is between


def test_without_places_every_point_stands_beside_every_curve_and_it_is_said() -> None:
    points = [point(1, math.nan, math.nan), point(2, 1.0, 1.0)]
    links = link_points(points, [CURVE, CURVE], run="r", electrodes_um=None)
    assert [link.point for link in links] == [1, 1, 2, 2]
    assert all(link.is_between is None and "not known" in link.reason for link in links)
    (lost, *_) = link_points(points, [CURVE], run="r", electrodes_um=SQUARE)
    assert lost.is_between is None
