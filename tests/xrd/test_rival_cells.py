"""A weak phase: its sigma covers the cells that the data cannot rule out."""

from __future__ import annotations

import numpy as np

import hydrostruct as hs
from tests.xrd import simulator

WEAK = "CeH4-I4mmm"


def test_the_cell_of_a_weak_phase_lies_within_its_sigma() -> None:
    phases = [hs.read_phase(name) for name in ("CeH9-P63mmc", WEAK)]
    random = np.random.default_rng(11)
    pulls = []
    for _ in range(40):
        off = 1 + random.normal(0, 0.002, 4)
        ceh9 = (simulator.CEH9[0] * off[0], simulator.CEH9[1] * off[1])
        ceh4 = (simulator.CEH4[0] * off[2], simulator.CEH4[1] * off[3])
        one = simulator.simulate(random, level="weak", ceh9=ceh9, ceh4=ceh4)
        pattern = hs.Pattern(
            two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=simulator.WAVELENGTH
        )
        found = hs.fit_pattern(pattern, phases).phases[WEAK]
        if found.detected:
            pulls.append((found.a_ang - ceh4[0]) / found.a_sigma_ang)
            pulls.append((found.c_ang - ceh4[1]) / found.c_sigma_ang)
    # lines of two to four sigma: least squares alone gives 1.3 for a and 1.8 for c
    assert len(pulls) > 40
    assert 0.6 < np.std(pulls) < 1.35


def test_a_phase_of_one_weak_line_is_doubtful_and_says_how_likely_its_cell_is() -> None:
    random = np.random.default_rng(3)
    x = np.linspace(8.0, 22.0, 1400)
    clean = 300.0 + simulator.peak(x, 15.55, 12.0, 0.06, 0.02)
    counts = random.poisson(clean).astype(float)
    pattern = hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=simulator.WAVELENGTH
    )
    cells = {WEAK: {"a_ang": 2.84, "c_ang": 5.80}}
    found = hs.fit_pattern(pattern, [hs.read_phase(WEAK)], cells=cells).phases[WEAK]
    assert found.verdict.value != "converged"


def test_a_strong_phase_keeps_the_sigma_of_least_squares() -> None:
    phases = [hs.read_phase(name) for name in ("CeH9-P63mmc", WEAK)]
    one = simulator.simulate(np.random.default_rng(2), level="mid")
    pattern = hs.Pattern(
        two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=simulator.WAVELENGTH
    )
    fit = hs.fit_pattern(pattern, phases)
    for name in fit.phases:
        found = fit.phases[name]
        inflation = max(1.0, fit.gof) * fit.serial_factor
        assert np.isclose(found.a_sigma_ang, found.a_statistical_ang * inflation)
