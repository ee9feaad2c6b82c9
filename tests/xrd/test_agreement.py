from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hydrostruct.xrd.agreement import agreement, serial_factor
from hydrostruct.xrd.presence import gaussian_equivalent, line_significance, shares


def test_r_factors_are_those_of_their_definitions() -> None:
    y, residual = np.array([10.0, 20.0, 30.0, 40.0]), np.array([1.0, -2.0, 3.0, -1.0])
    weight, background = 1 / y, np.full(4, 5.0)
    found = agreement(y, residual, background=background, weight=weight, n_parameters=1)
    chi2 = 0.1 + 0.2 + 0.3 + 0.025
    assert found.rp_percent == pytest.approx(7.0)
    assert found.rwp_percent == pytest.approx(100 * math.sqrt(chi2 / 100))
    assert found.rexp_percent == pytest.approx(100 * math.sqrt(3 / 100))
    assert found.rwp_background_corrected_percent == pytest.approx(100 * math.sqrt(chi2 / np.sum((y - 5) ** 2 / y)))
    assert found.gof == pytest.approx(found.rwp_percent / found.rexp_percent)
    assert found.inflation >= 1


def test_white_noise_has_a_serial_factor_of_one() -> None:
    """Bérar and Lelann, 10.1107/S0021889890008391, over its value for white noise."""
    random = np.random.default_rng(1)
    factors = [serial_factor(random.normal(size=2000)) for _ in range(200)]
    assert np.mean(factors) == pytest.approx(1.0, abs=0.02)


def test_correlated_noise_is_inflated_by_about_what_correlation_does_to_a_mean() -> None:
    random = np.random.default_rng(2)
    noise = np.convolve(random.normal(size=20_000), np.ones(5) / 5**0.5, mode="valid")
    assert 1.5 < serial_factor(noise) < 2.5  # √5 = 2.24 for a mean


@given(st.floats(0.1, 60.0))
def test_one_line_is_as_significant_as_it_is_strong(sigmas: float) -> None:
    found = line_significance(np.array([sigmas]), np.array([[1.0]]))
    assert found == pytest.approx(sigmas, rel=1e-3, abs=1e-6)


def test_lines_that_point_down_are_no_evidence() -> None:
    assert line_significance(np.array([-9.0, 1.0]), np.eye(2)) == 0.0
    assert line_significance(np.empty(0), np.empty((0, 0))) == 0.0


@given(st.floats(0.0, 2e4), st.integers(1, 40))
@example(value=5e-324, degrees=1)
def test_the_gaussian_equivalent_grows_with_the_statistic_and_is_never_negative(value: float, degrees: int) -> None:
    found = gaussian_equivalent(value, degrees)
    assert math.copysign(1.0, found) == 1.0
    assert gaussian_equivalent(value * 1.01 + 0.01, degrees) >= found


def test_the_gaussian_equivalent_has_no_step_where_the_probability_underflows() -> None:
    values = [gaussian_equivalent(statistic, 12) for statistic in np.linspace(1200.0, 1450.0, 251)]
    steps = np.diff(values)
    assert steps.max() < 2 * steps.min()


def test_shares_add_up_and_carry_the_uncertainty_of_a_ratio() -> None:
    random = np.random.default_rng(3)
    areas, covariance = np.array([300.0, 100.0]), np.array([[25.0, -6.0], [-6.0, 16.0]])
    share, sigma = shares(areas, covariance)
    drawn = random.multivariate_normal(areas, covariance, size=20_000)
    assert share.sum() == pytest.approx(1.0)
    assert sigma[0] == pytest.approx(np.std(drawn[:, 0] / drawn.sum(axis=1)), rel=0.03)
    assert np.isnan(shares(np.array([-1.0, 0.5]), covariance)[0]).all()
