"""Baselines of simulated spectra."""

from __future__ import annotations

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.numerics.baseline import BASELINES, smooth_baseline


def simulated(points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = np.linspace(100.0, 900.0, points)
    truth = 500.0 + 0.2 * x + 200.0 * np.exp(-(((x - 300.0) / 300.0) ** 2))
    lines = 300.0 * np.exp(-(((x - 400.0) / 6.0) ** 2)) + 200.0 / (1.0 + ((x - 650.0) / 4.0) ** 2)
    return x, np.random.default_rng(51).poisson(truth + lines).astype(float), truth


@pytest.mark.parametrize(("method", "share"), [(name, 0.02 if name == "arpls" else 0.15) for name in BASELINES])
def test_the_baseline_is_that_of_the_simulation(method: str, share: float) -> None:
    x, y, truth = simulated(700)
    found = smooth_baseline(x, y, method=method)
    assert np.sqrt(np.mean((found - truth) ** 2)) < share * np.mean(truth)


@pytest.mark.parametrize("points", [400, 1600])
def test_sampling_does_not_change_the_baseline(points: int) -> None:
    x, y, truth = simulated(points)
    assert np.sqrt(np.mean((smooth_baseline(x, y) - truth) ** 2)) < 0.02 * np.mean(truth)


def test_the_stiffest_curve_is_a_straight_line() -> None:
    x, y, _ = simulated(500)
    found = smooth_baseline(x, y, stiffness=1e12)
    assert np.max(np.abs(np.diff(found, 2))) < 1e-3


def test_what_cannot_be_meant_is_refused() -> None:
    x, y, _ = simulated(100)
    with pytest.raises(hs.InputError, match=r"'arpl' is not known.*arpls"):
        smooth_baseline(x, y, method="arpl")
    with pytest.raises(hs.InputError, match="stiffness is 0"):
        smooth_baseline(x, y, stiffness=0.0)
    with pytest.raises(hs.InputError, match="5 points"):
        smooth_baseline(x[:5], y[:5])
    assert np.array_equal(smooth_baseline(x, np.full(100, 3.0)), np.full(100, 3.0))
