"""The step's fast fit beside a slow one, and the place of steps whose tail nobody knows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

import hydrostruct as hs
from hydrostruct.raman.kernels import fit_shape, share, steepest
from hydrostruct.raman.step import _averaged, failed_step, fit_step
from hydrostruct.raman.step_curve import step_curve, step_share
from hydrostruct.raman.step_place import StepPlace, _prior, place_of_windows, step_place
from hydrostruct.verdict import Verdict

X = np.arange(1470.0, 1531.0)
RATIOS = [0.0, 0.7, -0.7, 3.0, -5.0]


def parameters(ratio: float) -> np.ndarray:
    return np.array([1500.3 - 2.0 * ratio, math.log(2.5), 2.0, 3.0, 0.01, -0.02])


@pytest.mark.parametrize("ratio", [0.0, 0.02, -0.3, 1.0, -6.0])
def test_the_fast_share_is_the_slow_one_and_its_slope_the_difference(ratio: float) -> None:
    z = np.linspace(-30.0, 30.0, 601)
    fast = np.array([share(one, ratio) for one in z])
    assert np.allclose(fast[:, 0], step_share(z, ratio=ratio), atol=1e-12)
    slope = (step_share(z + 1e-5, ratio=ratio) - step_share(z - 1e-5, ratio=ratio)) / 2e-5
    assert np.allclose(fast[:, 1], slope, atol=1e-7)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_fast_fit_is_a_least_squares_of_all_parameters(ratio: float) -> None:
    random = np.random.default_rng(1)
    sigma = 0.05 + 0.02 * random.random(X.size)
    y = step_curve(X, parameters(ratio), ratio=ratio) + random.normal(0.0, sigma)
    values, rest, covariance = np.empty(6), np.empty(X.size), np.empty((6, 6))
    start = np.array([1500.0 - 2.0 * ratio, math.log(3.0)])
    assert fit_shape(X, y / sigma, 1.0 / sigma, start, ratio, -math.inf, False, values, rest, covariance)
    slow = least_squares(
        lambda p: (y - step_curve(X, p, ratio=ratio)) / sigma, parameters(ratio), x_scale="jac", xtol=1e-12, ftol=1e-12
    )
    error = np.sqrt(np.diagonal(covariance))
    assert np.all(np.abs(values - slow.x) < 0.01 * error)
    assert rest @ rest == pytest.approx(2.0 * slow.cost, rel=1e-4)
    assert np.allclose(rest, (y - step_curve(X, values, ratio=ratio)) / sigma, atol=1e-9)
    assert np.allclose(covariance / np.outer(error, error), correlation(slow.jac), atol=0.02)
    assert np.allclose(error, np.sqrt(np.diagonal(np.linalg.inv(slow.jac.T @ slow.jac))), rtol=0.01)


def correlation(slopes: np.ndarray) -> np.ndarray:
    covariance = np.linalg.inv(slopes.T @ slopes)
    error = np.sqrt(np.diagonal(covariance))
    return np.asarray(covariance / np.outer(error, error))


@pytest.mark.parametrize(("least", "held", "free"), [(math.log(4.0), False, 5), (-math.inf, True, 5)])
def test_a_width_at_its_limit_or_held_stays_and_has_no_uncertainty(least: float, held: bool, free: int) -> None:
    y = step_curve(X, parameters(0.0)) + np.random.default_rng(2).normal(0.0, 0.05, X.size)
    values, rest, covariance = np.empty(6), np.empty(X.size), np.empty((6, 6))
    start = np.array([1499.0, math.log(4.0)])
    assert fit_shape(X, 20.0 * y, np.full(X.size, 20.0), start, 0.0, least, held, values, rest, covariance)
    assert values[1] == pytest.approx(math.log(4.0))
    assert not covariance[1].any()
    assert np.linalg.matrix_rank(covariance / np.max(np.abs(covariance)), tol=1e-12) == free


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_steepest_place_and_its_slopes_are_those_of_the_curve(ratio: float) -> None:
    p, gradient = parameters(ratio), np.empty(6)
    p[4:] = [-0.03, 0.02]
    place = steepest(p, ratio, gradient)
    fine = np.arange(place - 5.0, place + 5.0, 1e-3)
    assert place == pytest.approx(fine[np.argmin(np.gradient(step_curve(fine, p, ratio=ratio), fine))], abs=2e-3)
    for index in range(6):
        change = np.zeros(6)
        change[index] = 1e-5
        numeric = (steepest(p + change, ratio, np.empty(6)) - steepest(p - change, ratio, np.empty(6))) / 2e-5
        assert gradient[index] == pytest.approx(numeric, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("length", [0.05, 3.0, 20.0])
def test_a_tail_is_the_sum_of_sharp_edges(side: float, length: float) -> None:
    p = np.array([1550.0, math.log(2.0), 1.0, 4.0, 0.0, 0.0])
    places = 1550.0 - side * length * np.log((np.arange(4000) + 0.5) / 4000)
    fine = np.arange(1540.0, 1560.0, 0.05)
    slow = 1.0 + 4.0 * np.mean(
        [0.5 - 0.5 * np.vectorize(math.erf)((fine - at) / math.sqrt(8.0)) for at in places], axis=0
    )
    ratio = side * length / 2.0
    assert np.allclose(step_curve(fine, p, ratio=ratio), slow, atol=5e-3)
    assert steepest(p, ratio, np.empty(6)) == pytest.approx(fine[np.argmin(np.gradient(slow, fine))], abs=0.12)


def skewed(x: np.ndarray, side: float, length: float) -> np.ndarray:
    """Sharp edges with a tail, smoothed by a logistic curve: none of the shapes that are fitted."""
    depths = length * -np.log((np.arange(200) + 0.5) / 200)
    return 500.0 + 300.0 * np.mean([0.5 - 0.5 * np.tanh((x - 1500.0 - side * d) / 3.0) for d in depths], axis=0)


@pytest.mark.parametrize(("side", "length"), [(-1.0, 3.0), (1.0, 3.0), (-1.0, 0.01)])
def test_sigma_holds_what_an_unknown_tail_leaves_open(side: float, length: float) -> None:
    random = np.random.default_rng(3)
    fine = np.arange(1485.0, 1515.0, 0.01)
    truth = fine[np.argmin(np.gradient(skewed(fine, side, length), fine))]
    clean, sigma = skewed(X, side, length), np.full(X.size, 8.0)
    pulls, plain = [], []
    for _ in range(100):
        y = clean + random.normal(0.0, sigma)
        known = fit_step(X, y, sigma=sigma, start_cm1=truth)
        found = step_place(X, y, sigma=sigma, known=known)
        assert found is not None
        pulls.append((found.place_cm1 - truth) / math.sqrt(found.variance_cm1))
        plain.append((known.position_cm1 - truth) / known.position_sigma_cm1)
    tailed = length > 1.0  # none of the curves is quite this one: a tail still pulls, but not by five sigma
    assert abs(np.mean(pulls)) < (1.5 if tailed else 0.5)
    assert np.std(pulls, ddof=1) < (1.6 if tailed else 1.1)
    assert abs(np.mean(plain)) > 4.0 or not tailed


def test_before_the_data_every_skewness_is_as_likely_on_its_side() -> None:
    shares = np.linspace(-0.99, 0.99, 199)
    ratio = shares / (1.0 - np.abs(shares))
    draws = np.random.default_rng(5).normal(size=200_000)
    skewed = draws + ratio[150] * np.random.default_rng(6).exponential(size=draws.size)
    skewness = 2.0 * ratio**3 / (1.0 + ratio**2) ** 1.5
    assert np.mean((skewed - skewed.mean()) ** 3) / np.std(skewed) ** 3 == pytest.approx(skewness[150], abs=0.05)
    density = _prior(shares)[1:-1] / np.gradient(skewness)[1:-1]
    assert np.allclose(density[:80], density[0], rtol=0.15)
    assert np.allclose(density[-80:], 0.5 * density[0], rtol=0.15)


def test_of_fits_at_held_widths_each_counts_by_its_likelihood_and_the_room_of_its_place() -> None:
    pair = [
        replace(
            failed_step(), verdict=Verdict.CONVERGED, position_cm1=at, position_statistical_cm1=room,
            position_sigma_cm1=room, factor=1.0, residuals=np.array([chi]),
        )
        for at, room, chi in ((1500.0, 0.5, 2.0), (1502.0, 1.5, math.sqrt(6.0)))
    ]  # fmt: skip
    weight = 3.0 * math.exp(-1.0) / (1.0 + 3.0 * math.exp(-1.0))
    found = _averaged([*pair, failed_step()])
    assert found.position_cm1 == pytest.approx(1500.0 + 2.0 * weight)
    expected = (1.0 - weight) * 0.25 + weight * 2.25 + 4.0 * weight * (1.0 - weight)
    assert found.position_sigma_cm1**2 == pytest.approx(expected)
    assert _averaged(pair[:1]) is pair[0]
    assert _averaged([]).verdict is Verdict.NOT_CONVERGED


def place(at: float, variance: float, gof: float = 1.0) -> StepPlace:
    fit = replace(failed_step(), gof=gof, residuals=np.zeros(50), values=np.zeros(6))
    return StepPlace(place_cm1=at, variance_cm1=variance, best=fit)


def test_windows_that_differ_by_no_more_than_their_noise_add_nothing_and_others_do() -> None:
    same = [place(1500.0, 0.09), place(1500.0, 0.05), place(1500.0, 0.04)]
    mean, sigma = place_of_windows(same)
    assert mean == 1500.0
    assert sigma**2 == pytest.approx((0.09 + 0.05 + 0.04 + 2 * (0.05 + 0.04 + 0.04)) / 9)
    apart = [replace(one, place_cm1=at) for one, at in zip(same, (1501.0, 1500.0, 1499.0), strict=True)]
    assert place_of_windows(apart)[1] ** 2 == pytest.approx(sigma**2 + 2.0 / 3.0 - (0.06 - sigma**2))
    assert place_of_windows([*same, place(1507.0, 0.01, gof=2.0)]) == (mean, sigma)


def test_smoothed_data_give_the_sigma_of_the_data_before_it() -> None:
    random = np.random.default_rng(4)
    x = np.linspace(1200.0, 1700.0, 420)
    clean = 9000.0 / (1.0 + ((x - 1345.0) / 6.0) ** 2) + 1500.0 * (0.5 - 0.5 * np.tanh((x - 1530.0) / 4.0)) + 800.0
    errors, smoothed = [], []
    for _ in range(40):
        y = clean + random.normal(0.0, 60.0, x.size)
        soft = np.convolve(np.pad(y, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        rough, fine = (hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=one)) for one in (y, soft))
        errors.append(rough.edge_sigma_cm1)
        smoothed.append((fine.edge_sigma_cm1, (fine.edge_cm1 - 1530.0) / fine.edge_sigma_cm1))
    sigma, pulls = np.array(smoothed).T
    assert 0.8 < np.median(sigma) / np.median(errors) < 1.3
    assert 0.6 < np.std(pulls, ddof=1) < 1.3
