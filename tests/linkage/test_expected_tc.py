"""The Tc that the literature expects: between published points only, with the scatter that they show."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import hydrostruct as hs
from hydrostruct.linkage.expected_tc import expected_tc
from hydrostruct.linkage.first_link import LinkedCurve, LinkedPoint, link_points

CEH9 = hs.read_phase("CeH9-P63mmc")


def test_between_two_published_points_it_is_straight_and_theory_does_not_count() -> None:
    # 94.8 GPa, 105 K and 105 GPa, 109 K; the theory of 100 GPa, 74 K lies between them
    found = expected_tc([CEH9], 99.9)
    assert found.tc_k == pytest.approx(107.0)
    assert "CeH9-P63mmc" in found.reason
    assert "Cao et al." in found.reason
    assert expected_tc([CEH9], 130.0).tc_k == pytest.approx(101.0)  # the mean of 100 and 102


def test_the_scatter_is_that_of_the_table_and_the_pressure_adds_its_slope() -> None:
    # how far 93.5, 94.8, 105 and 125 GPa lie from the lines between their neighbours, by hand
    misses = [98 - (57 + 48 * 5.5 / 6.8), 105 - (98 + 11 * 1.3 / 11.5), 109 - (105 - 35 * 10.2 / 30.2),
              70 - (109 - 8 * 20 / 25)]  # fmt: skip
    scatter = math.sqrt(sum(miss**2 for miss in misses) / 4)
    assert expected_tc([CEH9], 99.9).tc_sigma_k == pytest.approx(scatter)
    wide = expected_tc([CEH9], 90.0, pressure_sigma_gpa=2.0)
    assert wide.tc_sigma_k == pytest.approx(math.hypot(scatter, 2.0 * 41 / 5.5))


@pytest.mark.parametrize("pressure", [87.9, 130.1, math.nan])
def test_outside_the_table_nothing_is_expected_and_it_is_said(pressure: float) -> None:
    found = expected_tc([CEH9], pressure)
    assert math.isnan(found.tc_k)
    assert math.isnan(found.tc_sigma_k)
    assert found.reason.startswith("No Tc is expected")


def test_the_highest_of_the_phases_counts_and_two_points_tell_no_scatter() -> None:
    found = expected_tc([hs.read_phase("Pt"), CEH9, hs.read_phase("CeH10-Fm3m")], 100.0)
    assert found.tc_k == pytest.approx(115.2)
    assert "CeH10-Fm3m" in found.reason
    assert math.isnan(found.tc_sigma_k)
    assert "no scatter" in found.reason
    assert math.isnan(expected_tc([hs.read_phase("Pt")], 100.0).tc_k)
    assert math.isnan(expected_tc([replace(CEH9, critical_temperatures=())], 100.0).tc_k)


def test_a_link_carries_what_is_expected_and_why() -> None:
    point = LinkedPoint(point=1, x_um=0.0, y_um=0.0, phases=("CeH9-P63mmc",), pressure_gpa=99.9, expected_tc_k=107.0,
                        expected_tc_sigma_k=18.0, expectation="As published.")  # fmt: skip
    curve = LinkedCurve(kind="resistance", file="rt.csv", tc_k=105.0, tc_sigma_k=0.2)
    (link,) = link_points([point], [curve], run="r", electrodes_um=None)
    assert (link.expected_tc_k, link.expected_tc_sigma_k) == (107.0, 18.0)
    assert link.reason.endswith("As published.")
