"""Tc against pressure: errors in both axes, literature points with their sources."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hydrostruct as hs


def test_the_slope_between_the_published_ends_is_one_kelvin_per_gigapascal() -> None:
    points = [point for point in hs.literature_tc("CeH9-P63mmc") if "Chen" in point.source]
    assert [(point.pressure_gpa, point.tc_k) for point in points] == [(88.0, 57.0), (130.0, 100.0)]
    line = hs.fit_tc_pressure([point.pressure_gpa for point in points], [point.tc_k for point in points],
                              pressure_sigma_gpa=3.0, tc_sigma_k=2.0)  # fmt: skip
    assert line.slope_k_per_gpa == pytest.approx(1.0, abs=0.03)
    assert line.tc_k + line.slope_k_per_gpa * (95 - line.pressure_gpa) == pytest.approx(64.0, abs=0.5)
    assert math.isnan(line.reduced_chi2)


def test_every_literature_point_says_what_it_is_and_where_it_stands() -> None:
    for name in ("CeH9-P63mmc", "CeH10-Fm3m"):
        points = hs.literature_tc(name)
        assert points
        assert all(point.source and point.quantity and point.phase == name for point in points)
        assert [point.pressure_gpa for point in points] == sorted(point.pressure_gpa for point in points)


def test_pulls_of_the_slope_with_errors_in_both_axes() -> None:
    random, pulls = np.random.default_rng(12), []
    true = np.linspace(90.0, 130.0, 9)
    for _ in range(400):
        line = hs.fit_tc_pressure(true + random.normal(0, 2.0, 9), 60 + 1.5 * (true - 90) + random.normal(0, 2.0, 9),
                                  pressure_sigma_gpa=2.0, tc_sigma_k=2.0)  # fmt: skip
        pulls.append((line.slope_k_per_gpa - 1.5) / line.slope_sigma_k_per_gpa)
    # sigmas are widened where χ² exceeds 1 by chance, so that the spread lies a little below 1
    assert 0.75 < np.std(pulls) < 1.12
    assert abs(np.mean(pulls)) < 0.2


def test_swapping_the_axes_gives_the_inverse_slope() -> None:
    x, y = np.array([90.0, 100.0, 112.0, 121.0]), np.array([61.0, 69.0, 84.0, 90.0])
    line = hs.fit_tc_pressure(x, y, pressure_sigma_gpa=2.0, tc_sigma_k=1.0)
    back = hs.fit_tc_pressure(y, x, pressure_sigma_gpa=1.0, tc_sigma_k=2.0)
    assert line.slope_k_per_gpa * back.slope_k_per_gpa == pytest.approx(1.0, rel=1e-4)


def test_points_off_any_line_are_doubtful_and_bad_input_is_refused() -> None:
    line = hs.fit_tc_pressure([90, 100, 110], [60, 90, 60], pressure_sigma_gpa=0.5, tc_sigma_k=0.5)
    assert line.verdict == "doubtful"
    with pytest.raises(hs.InputError, match="fewer than two different pressures"):
        hs.fit_tc_pressure([90, 90], [60, 90], pressure_sigma_gpa=0.5, tc_sigma_k=0.5)
    with pytest.raises(hs.InputError, match="sigma is not above 0"):
        hs.fit_tc_pressure([90, 95], [60, 90], pressure_sigma_gpa=0.0, tc_sigma_k=0.5)
