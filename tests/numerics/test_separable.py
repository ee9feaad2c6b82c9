"""Least squares of curves that are linear in most parameters, beside its slow twin, the search in all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hydrostruct.numerics.least_squares import LeastSquares, fit_least_squares
from hydrostruct.numerics.separable import fit_separable
from hydrostruct.raman.step_curve import HIGH_TAIL, LOW_TAIL, NO_TAIL, step_columns, step_curve

X = np.linspace(1470.0, 1530.0, 70)
Q, C = np.array([1500.0, math.log(3.0), math.log(4.0)]), np.array([100.0, 60.0, -0.4, 0.1])


def both(y: np.ndarray, tail: int, sigma: float) -> tuple[LeastSquares, LeastSquares]:
    """The fast and the slow fit of one step, parameters in the same order."""
    size = 2 if tail == NO_TAIL else 3

    def columns(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        design, slopes = step_columns(X, q, tail=tail)
        return design / sigma, slopes / sigma

    def residuals(p: np.ndarray) -> np.ndarray:
        design, _ = columns(p[:size])
        return y / sigma - design @ p[size:]

    def jacobian(p: np.ndarray) -> np.ndarray:
        design, slopes = columns(p[:size])
        return -np.hstack([(slopes @ p[size:]).T, design])

    start = Q[:size] + np.array([1.0, 0.2, -0.2])[:size]
    fast = fit_separable(columns, y / sigma, start)
    slow = fit_least_squares(residuals, np.append(start, C), jacobian=jacobian, tolerance=1e-12)
    return fast, slow


@pytest.mark.parametrize("tail", [NO_TAIL, LOW_TAIL, HIGH_TAIL])
def test_the_slow_search_in_all_parameters_gives_the_same_within_a_thousandth_of_sigma(tail: int) -> None:
    random = np.random.default_rng(5)
    p = np.concatenate([Q[:2], C, Q[2:] if tail else []])
    compared = 0
    for _ in range(20):
        fast, slow = both(step_curve(X, p, tail=tail) + random.normal(0.0, 0.7, X.size), tail, 0.7)
        if not (fast.verdict == "converged" and slow.verdict == "converged"):
            continue
        compared += 1
        sigma = np.sqrt(np.diag(slow.covariance))
        assert np.all(np.abs(fast.values - slow.values) < 1e-3 * sigma)
        assert np.allclose(np.sqrt(np.diag(fast.covariance)), sigma, rtol=5e-3)
    assert compared >= 15


def test_a_parameter_at_its_limit_is_held_and_has_no_uncertainty() -> None:
    x = np.arange(10.0)

    def decay(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        column = np.exp(-q[0] * x)[:, None]
        return column, (-x[:, None] * column)[None]

    held = fit_separable(decay, 3.0 * np.exp(-0.2 * x), [0.6], least=[0.4])
    assert held.verdict == "converged"
    assert held.values[0] == 0.4
    assert held.covariance[0, 0] == 0.0
    assert held.covariance[1, 1] > 0.0
    free = fit_separable(decay, 3.0 * np.exp(-0.2 * x), [0.6], least=[0.1])
    assert free.values == pytest.approx([0.2, 3.0], abs=1e-6)


def test_columns_without_a_number_or_alike_do_not_converge() -> None:
    def lost(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full((6, 1), np.nan), np.full((1, 6, 1), np.nan)

    def alike(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.ones((6, 2)), np.zeros((1, 6, 2))

    for columns in (lost, alike):
        assert fit_separable(columns, np.arange(6.0), [1.0]).verdict == "not converged"
