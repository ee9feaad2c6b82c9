"""A stranger's strong line draws a cell to itself; the lines that it leaves behind bring it back."""

from __future__ import annotations

import numpy as np
import pytest

import hydrostruct as hs
from tests.xrd import simulator

PHASES = ("CeH9-P63mmc", "CeH4-I4mmm")


def with_strangers(seed: int, strangers: tuple[tuple[float, float], ...]) -> hs.Pattern:
    """Simulated CeH9 and CeH4 with single lines at angles of their own."""
    random = np.random.default_rng(seed)
    one = simulator.simulate(random, level=(1500.0, 400.0))
    clean = one.clean.copy()
    for angle, area in strangers:
        clean += simulator.peak(one.two_theta, angle, area, 0.066, 0.024)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=one.two_theta, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=0.6199
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_cell_that_explains_single_peaks_wins_over_one_that_needs_them(seed: int) -> None:
    """The start puts CeH4 (101) within reach of a stranger three times as strong; CeH10's other lines stand free."""
    pattern = with_strangers(seed, ((11.87, 100.0), (13.72, 350.0), (19.45, 80.0), (22.85, 120.0)))
    start = {"CeH9-P63mmc": {"a_ang": 3.66, "c_ang": 5.45}, "CeH4-I4mmm": {"a_ang": 2.893, "c_ang": 5.88}}
    fit = hs.fit_pattern(pattern, [hs.read_phase(name) for name in PHASES], cells=start)
    found = [fit.phases[name] for name in PHASES]
    for one, (a, c) in zip(found, (simulator.CEH9, simulator.CEH4), strict=True):
        assert one.a_ang == pytest.approx(a, rel=5e-4)
        assert one.c_ang == pytest.approx(c, rel=5e-4)
    for stranger in (11.87, 13.72):
        assert np.min(np.abs(fit.foreign_lines_deg - stranger)) < 0.02
