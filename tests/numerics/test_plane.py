"""Planes through simulated maps."""

from __future__ import annotations

import numpy as np

from hydrostruct.numerics.plane import fit_plane


def test_pulls_of_the_slopes_have_spread_one() -> None:
    random = np.random.default_rng(81)
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(5) * 5.0, np.arange(5) * 4.0))
    pulls = []
    for _ in range(200):
        sigma = random.uniform(0.1, 0.4, x.size)
        truth = random.uniform(-0.3, 0.3, 2)
        value = 95.0 + truth[0] * (x - x.mean()) + truth[1] * (y - y.mean()) + random.normal(0, sigma)
        found = fit_plane(x, y, values=value, sigma=sigma)
        assert found is not None
        pulls.append([(found.middle - 95.0) / found.middle_sigma, (found.slope_x - truth[0]) / found.slope_x_sigma,
                      (found.slope_y - truth[1]) / found.slope_y_sigma])  # fmt: skip
    # sigma is widened by what exceeds 1 and never narrowed: the spread lies a little below 1
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.3)
    assert np.all(np.abs(np.std(pulls, axis=0, ddof=1) - 0.93) < 0.2)


def test_points_off_the_plane_widen_the_sigmas() -> None:
    random = np.random.default_rng(82)
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(5.0), np.arange(5.0)))
    value = 95.0 + random.normal(0, 1.0, x.size)
    found = fit_plane(x, y, values=value, sigma=np.full(x.size, 0.1))
    assert found is not None
    assert 6.0 < found.excess < 14.0


def test_without_enough_places_there_is_no_plane() -> None:
    assert fit_plane([0, 1, 2], [0, 1, 0], values=[1, 2, 3], sigma=[1, 1, 1]) is None
    assert fit_plane([0, 1, 2, 3], [0, 0, 0, 0], values=[1, 2, 3, 4], sigma=[1, 1, 1, 1]) is None
    assert fit_plane([0, 1, 2, 3], [0, 1, 2, 3], values=[1, 2, 3, 4], sigma=[1, 1, 1, 1]) is None
    assert fit_plane([0, 1, 0, 1], [0, 0, 1, 1], values=[1, 2, np.nan, 4], sigma=[1, 1, 1, 1]) is None
