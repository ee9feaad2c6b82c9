"""c/a near 1.5 of a hexagonal phase, where pairs of its lines coincide: no cell comes to rest there by mistake."""

from __future__ import annotations

import numpy as np
import pytest

import hydrostruct as hs
from tests.xrd import simulator

NAME = "CeH9-P63mmc"


def simulated_pull(random: np.random.Generator, ratio: float) -> tuple[float, float]:
    """Error of c over its sigma, and sigma over c, from a start at c/a = 1.5."""
    a = simulator.CEH9[0] * (1.0 + random.normal(0.0, 0.002))
    one = simulator.simulate(random, level=(1500.0, 600.0), ceh9=(a, ratio * a))
    pattern = hs.Pattern(
        two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=simulator.WAVELENGTH
    )
    phases = [hs.read_phase(name) for name in (NAME, "CeH4-I4mmm")]
    start = 1.001 * a
    found = hs.fit_pattern(pattern, phases, cells={NAME: {"a_ang": start, "c_ang": 1.5 * start}}).phases[NAME]
    return (found.c_ang - ratio * a) / found.c_sigma_ang, found.c_sigma_ang / found.c_ang


def test_a_fit_that_starts_where_lines_coincide_leaves_that_place() -> None:
    random = np.random.default_rng(4)
    pulls = [simulated_pull(random, ratio)[0] for ratio in np.linspace(1.4955, 1.5045, 40)]
    assert np.max(np.abs(pulls)) < 4.0
    assert 0.7 < np.std(pulls) < 1.3


def simulated_excess(random: np.random.Generator, ratio: float) -> float:
    """Sigma of c over what the curvature of chi² says, CeH9 alone."""
    one = simulator.simulate(random, level=(1500.0, 600.0), ceh9=(3.7, ratio * 3.7), ceh4=None)
    pattern = hs.Pattern(
        two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=simulator.WAVELENGTH
    )
    fit = hs.fit_pattern(pattern, [hs.read_phase(NAME)], cells={NAME: {"a_ang": 3.7, "c_ang": ratio * 3.7}})
    found = fit.phases[NAME]
    return found.c_sigma_ang / (found.c_statistical_ang * max(1.0, fit.gof) * fit.serial_factor)


def test_at_a_coincidence_sigma_may_be_more_than_the_curvature_says_and_elsewhere_it_is_not() -> None:
    random = np.random.default_rng(5)
    assert np.max([simulated_excess(random, 1.5) for _ in range(12)]) > 1.1
    assert np.isclose(simulated_excess(random, 1.49), 1.0)


def test_single_peaks_on_the_lines_of_a_phase_do_not_make_it_absent() -> None:
    # a zero of 0.01° that nobody freed: a cell far off, with single peaks on all its lines, explains more
    for seed in (554, 755):
        random = np.random.default_rng(seed)
        a, ratio = simulator.CEH9[0] * (1.0 + random.normal(0.0, 0.002)), random.uniform(1.4955, 1.5045)
        one = simulator.simulate(random, level="good", ceh9=(a, ratio * a), zero=0.01)
        pattern = hs.Pattern(
            two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=simulator.WAVELENGTH
        )
        phases = [hs.read_phase(name) for name in (NAME, "CeH4-I4mmm")]
        fit = hs.fit_pattern(pattern, phases, cells={NAME: {"a_ang": 3.68, "c_ang": 1.5 * 3.68}})
        assert fit.phases[NAME].a_ang == pytest.approx(a, rel=1e-3)  # the zero goes into the cell
        assert fit.foreign_lines_deg.size == 0
