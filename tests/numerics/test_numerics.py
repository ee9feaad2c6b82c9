from __future__ import annotations

import numpy as np
import pytest

from hydrostruct.numerics.least_squares import fit_least_squares, serial_factor
from hydrostruct.numerics.local_slope import local_slope
from hydrostruct.numerics.noise import (
    point_noise,
    seen_noise_factor,
    smoothed_noise_factor,
    smoothing_passes,
    spike_mask,
)
from hydrostruct.verdict import Verdict


def test_local_slope_equals_its_slow_twin() -> None:
    random = np.random.default_rng(2)
    x = np.cumsum(random.uniform(0.5, 1.5, 60))
    y, sigma = random.normal(0, 1, 60), random.uniform(0.5, 2, 60)
    slope, error = local_slope(x, y, half_width=4, sigma=sigma)
    for k in range(4, 56):
        near = slice(k - 4, k + 5)
        weight = 1 - (np.arange(-4, 5) / 5.0) ** 2
        fit = np.polyfit(x[near], y[near], 1, w=np.sqrt(weight))
        assert slope[k] == pytest.approx(fit[0], abs=1e-10)
        changes = [np.polyfit(x[near], y[near] + step, 1, w=np.sqrt(weight))[0] - fit[0] for step in np.eye(9) * 1.0]
        assert error[k] == pytest.approx(np.sqrt(np.sum((np.array(changes) * sigma[near]) ** 2)), rel=1e-8)
    assert np.isnan(slope[:4]).all()
    assert np.isnan(slope[56:]).all()


def test_pulls_of_the_local_slope_have_spread_one() -> None:
    random = np.random.default_rng(3)
    x = np.arange(5000.0)
    slope, error = local_slope(x, 0.3 * x + random.normal(0, 2.0, x.size), half_width=5, sigma=2.0)
    pulls = ((slope - 0.3) / error)[5:-5:11]
    assert abs(pulls.std() - 1.0) < 3.3 / np.sqrt(2 * pulls.size)


def test_a_short_curve_has_no_slope() -> None:
    assert np.isnan(local_slope(np.arange(3.0), np.arange(3.0), half_width=2)[0]).all()


@pytest.mark.parametrize(("gain", "reading"), [(1.0, 0.0), (0.2, 8.0), (0.0, 5.0)])
def test_noise_that_grows_with_intensity_is_told_from_the_spectrum(gain: float, reading: float) -> None:
    random = np.random.default_rng(4)
    x = np.linspace(0, 1, 1024)
    smooth = 400.0 + 500.0 * x + 4000.0 * np.exp(-(((x - 0.4) / 0.03) ** 2))
    true = np.sqrt(gain * smooth + reading**2)
    ratio = np.mean([point_noise(smooth + random.normal(0, true)) / true for _ in range(20)], axis=0)
    assert abs(float(np.median(ratio)) - 1.0) < 0.06


def test_the_dim_end_of_a_short_spectrum_is_not_taken_for_noiseless() -> None:
    x = np.linspace(1250.0, 1560.0, 124)
    clean = 2000.0 + 5000.0 * np.exp(-(((x - 1349.0) / 9.0) ** 2)) - 500.0 * (x > 1497.0)
    true = 15.0 + 0.06 * (clean - 1500.0)
    for seed in range(20):
        y = clean + np.random.default_rng(seed).normal(0.0, true)
        assert np.min(point_noise(y)) > 0.5 * 15.0
        assert np.count_nonzero(spike_mask(y)) <= 2


def test_spikes_are_found_and_lines_are_left_alone() -> None:
    random = np.random.default_rng(5)
    x = np.arange(1000.0)
    smooth = 500.0 + 20000.0 * np.exp(-(((x - 300.0) / 6.0) ** 2))
    y = random.poisson(smooth).astype(float)
    assert not spike_mask(y)[270:330].any()
    spikes = [100, 500, 501, 700]
    y[spikes] += [600.0, 4000.0, 2500.0, 300.0]
    assert spike_mask(y)[spikes].all()
    assert np.count_nonzero(spike_mask(y)) <= len(spikes) + 4


@pytest.mark.parametrize(("spacing", "passes"), [(0.4, 1), (1.2, 1), (1.2, 2)])
def test_noise_of_smoothed_data_is_no_spike_and_spikes_are_no_noise(spacing: float, passes: int) -> None:
    random = np.random.default_rng(6)
    x = np.arange(1200.0, 1700.0, spacing)
    clean = 900.0 + 9000.0 / (1.0 + ((x - 1345.0) / 6.0) ** 2) + 2000.0 * (0.5 - 0.5 * np.tanh((x - 1550.0) / 4.0))
    told = []
    for _ in range(20):
        y = clean + random.normal(0.0, 30.0, x.size)
        for _ in range(passes):
            y = np.convolve(np.pad(y, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        spikes = random.integers(20, x.size - 20, 3)
        y[spikes] += random.uniform(500.0, 5000.0, 3)
        noise = point_noise(y)
        found = smoothing_passes(y, noise)
        mask = spike_mask(y, noise=noise * seen_noise_factor(found))
        assert mask[spikes].all()
        assert np.count_nonzero(mask) <= spikes.size + 3
        told.append((found, np.median(noise) * smoothed_noise_factor(found)))
    assert np.allclose(np.median(told, axis=0), (passes, 30.0), rtol=(0.1, 0.2))


def test_a_fit_that_cannot_come_to_rest_says_so() -> None:
    fit = fit_least_squares(lambda p: np.array([np.nan * p[0], 1.0, 2.0]), [1.0])
    assert fit.verdict is Verdict.NOT_CONVERGED
    flat = fit_least_squares(lambda p: np.array([1.0, 2.0, 3.0]) + 0.0 * p[0], [1.0])
    assert flat.verdict is Verdict.NOT_CONVERGED


def test_pulls_of_a_straight_line_have_spread_one_and_their_covariance_is_the_known_one() -> None:
    random = np.random.default_rng(6)
    x = np.linspace(0, 1, 25)
    design = np.stack([x, np.ones_like(x)], axis=1)
    pulls = []
    for _ in range(150):
        y = design @ [2.0, 1.0] + random.normal(0, 0.1, x.size)
        fit = fit_least_squares(lambda p, y=y: (y - design @ p) / 0.1, [0.0, 0.0])
        np.testing.assert_allclose(fit.covariance, 0.01 * np.linalg.inv(design.T @ design), rtol=1e-6)
        pulls.append((fit.values - [2.0, 1.0]) / np.sqrt(np.diag(fit.covariance)))
    assert abs(np.std(pulls) - 1.0) < 0.2


def test_white_noise_is_not_called_correlated() -> None:
    random = np.random.default_rng(7)
    assert np.mean([serial_factor(random.normal(0, 1, 40)) for _ in range(500)]) < 1.05
