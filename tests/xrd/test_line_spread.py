"""A stranger's line under a line of the phase: sigma covers what it does, where strangers are about."""

from __future__ import annotations

import numpy as np

import hydrostruct as hs
from tests.xrd import simulator


def pattern_with(seed: int, strangers: tuple[tuple[float, float], ...]) -> hs.Pattern:
    """Simulated CeH9 with single lines at angles of their own."""
    random = np.random.default_rng(seed)
    one = simulator.simulate(random, level=(4000.0, 1000.0), ceh4=None)
    clean = one.clean
    for angle, area in strangers:
        clean = clean + simulator.peak(one.two_theta, angle, area, 0.066, 0.024)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=one.two_theta,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=simulator.WAVELENGTH,
    )


def test_a_line_under_a_line_of_the_phase_is_covered_where_a_stranger_is_seen() -> None:
    phase, name = [hs.read_phase("CeH9-P63mmc")], "CeH9-P63mmc"
    angle = simulator.hexagonal_angles(((0, 0, 2, 1),), *simulator.CEH9, simulator.WAVELENGTH)[0]
    pulls, by_counting = [], []
    for seed in range(10):
        free, hidden = (7.5, 60.0), (float(angle) + 0.015, 30.0)  # a fifth of a width from (002): hardly told apart
        found = hs.fit_pattern(pattern_with(seed, (free, hidden)), phase)
        numbers = found.phases[name]
        assert found.foreign_lines_deg.size >= 1
        pulls.append((numbers.c_ang - simulator.CEH9[1]) / numbers.c_sigma_ang)
        by_counting.append((numbers.c_ang - simulator.CEH9[1]) / numbers.c_statistical_ang)
    assert np.max(np.abs(by_counting)) > 5  # where the stranger was not found, counting alone is far off
    assert np.max(np.abs(pulls)) < 4


def test_without_strangers_sigma_is_that_of_the_fit() -> None:
    found = hs.fit_pattern(pattern_with(1, ()), [hs.read_phase("CeH9-P63mmc")])
    numbers = found.phases["CeH9-P63mmc"]
    assert not found.foreign_lines_deg.size
    assert np.isclose(numbers.c_sigma_ang, numbers.c_statistical_ang * max(1.0, found.gof) * found.serial_factor)
