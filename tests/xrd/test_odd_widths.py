"""Spots and gaskets: what has not the width of a line is left out, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hydrostruct.material.phase import Phase, read_phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.lebail import fit_pattern, fit_patterns
from hydrostruct.xrd.model import FitData, fit_range, prepare_data
from hydrostruct.xrd.odd_widths import OddWidths, odd_widths
from hydrostruct.xrd.pattern import Pattern

CEH9, CEH4 = "CeH9-P63mmc", "CeH4-I4mmm"


@pytest.fixture(scope="module")
def phases() -> list[Phase]:
    return [read_phase(CEH9), read_phase(CEH4)]


def gasket(x: Any, place: float, height: float = 3000.0) -> Any:
    """Two grains' worth of a broad line, some five lines wide."""
    return height * (np.exp(-(((x - place) / 0.2) ** 2)) + 0.4 * np.exp(-np.abs(x - place - 0.3) / 0.25))


def made(
    simulator: ModuleType, random: np.random.Generator, *, spots: int = 0, hump: bool = False, **given: Any
) -> tuple[Pattern, np.ndarray]:
    """A pattern with spikes of two points, or a hump, and the true axes, up to 0.8 % from those of the phases."""
    ceh9, ceh4 = (np.array(axes) * (1 + random.uniform(-8e-3, 8e-3, 2)) for axes in (simulator.CEH9, simulator.CEH4))
    one = simulator.simulate(random, ceh9=tuple(ceh9), ceh4=tuple(ceh4), **given)
    counts = one.counts + (random.poisson(gasket(one.two_theta, random.uniform(12.0, 20.0))) if hump else 0.0)
    at = random.integers(0, counts.size - 1, spots)
    for points in (at, at + 1):
        np.add.at(counts, points, random.integers(500, 20000, spots))
    pattern = Pattern(
        two_theta_deg=one.two_theta, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=0.6199
    )
    return pattern, np.concatenate((ceh9, ceh4))


def found_in(pattern: Pattern, lines_deg: Any = ()) -> OddWidths:
    data = prepare_data(
        pattern, two_theta_deg=None, exclude_deg=(), background_terms=12, limits=fit_range(pattern, None)
    )
    return odd_widths(data, np.array(lines_deg, dtype=np.float64))


def pulls(fit: Any, truth: np.ndarray) -> np.ndarray:
    both = [fit.phases[name] for name in (CEH9, CEH4)]
    values = np.array([value for one in both for value in (one.a_ang, one.c_ang)])
    sigma = np.array([value for one in both for value in (one.a_sigma_ang, one.c_sigma_ang)])
    return np.asarray((values - truth) / sigma)


@pytest.mark.parametrize("what", [{"spots": 12}, {"hump": True}, {"spots": 6, "hump": True}])
def test_spots_and_a_gasket_lead_no_cell_astray(
    simulator: ModuleType, phases: list[Phase], what: dict[str, Any]
) -> None:
    random = np.random.default_rng(31)
    for _ in range(6):
        pattern, truth = made(simulator, random, **what)
        fit = fit_pattern(pattern, phases)
        assert np.all(np.abs(pulls(fit, truth)) < 4.5)
        assert fit.verdict is Verdict.CONVERGED
        assert any("gasket" in note for note in fit.warnings) == what.get("hump", False)
        assert any("spike" in note for note in fit.warnings) == ("spots" in what)
        assert fit.foreign_lines_deg.size >= what.get("spots", 0) - 2  # two may lie in one place


def test_a_neighbour_as_seed_is_as_good(simulator: ModuleType, phases: list[Phase]) -> None:
    random = np.random.default_rng(32)
    for what in ({"spots": 12}, {"hump": True}):
        pairs = [made(simulator, random, **what) for _ in range(3)]
        for fit, (_, truth) in zip(fit_patterns([pattern for pattern, _ in pairs], phases), pairs, strict=True):
            assert np.all(np.abs(pulls(fit, truth)) < 4.5)


@pytest.mark.parametrize("given", [{}, {"level": "good"}, {"level": "weak"}, {"points": 700}, {"points": 6000}])
def test_lines_are_neither_spikes_nor_humps(simulator: ModuleType, given: dict[str, Any]) -> None:
    random = np.random.default_rng(33)
    for _ in range(10):
        assert not found_in(made(simulator, random, **given)[0]).points.any()


def test_spots_are_found_where_they_are(simulator: ModuleType) -> None:
    random = np.random.default_rng(34)
    one = simulator.simulate(random)
    at, counts = np.array([100, 700, 1500]), one.counts.copy()
    counts[at] += 2000.0
    counts[at + 1] += 1500.0
    found = found_in(Pattern(two_theta_deg=one.two_theta, intensity=counts, wavelength_ang=0.6199))
    assert found.spikes_deg == pytest.approx(one.two_theta[at], abs=0.03)
    assert found.points[np.concatenate((at, at + 1))].all()
    assert found.points.sum() <= 15


def test_narrow_tops_of_lines_are_no_spikes() -> None:
    random, x = np.random.default_rng(35), np.arange(5.0, 25.0, 0.01)
    clean = np.full(x.size, 400.0)
    for place in np.arange(7.0, 24.0, 1.3):
        t = x - place
        clean += 800.0 / (1 + (t / 0.01) ** 2) + 300.0 * np.exp(-2.77 * (t / 0.12) ** 2)
    assert not found_in(Pattern(two_theta_deg=x, intensity=random.poisson(clean), wavelength_ang=0.6199)).points.any()


def test_a_hump_where_lines_of_the_phases_lie_close_is_left_alone() -> None:
    random, x = np.random.default_rng(36), np.arange(5.0, 25.0, 0.01)
    clean = 400.0 + gasket(x, 15.0)
    for place in (7.0, 9.0, 11.0, 20.0, 22.0):
        clean += 900.0 * np.exp(-2.77 * ((x - place) / 0.07) ** 2)
    pattern = Pattern(two_theta_deg=x, intensity=random.poisson(clean), wavelength_ang=0.6199)
    assert found_in(pattern).humps_deg.shape == (1, 2)
    assert found_in(pattern).humps_deg[0] == pytest.approx([14.2, 16.1], abs=0.3)
    assert not found_in(pattern, np.arange(14.0, 16.5, 0.2)).points.any()


def test_a_strangers_line_on_a_gasket_is_listed(simulator: ModuleType, phases: list[Phase]) -> None:
    random = np.random.default_rng(40)
    for _ in range(3):
        one = simulator.simulate(random)
        stranger = gasket(one.two_theta, 16.0) + 1500.0 * np.exp(-(((one.two_theta - 15.7) / 0.04) ** 2))
        pattern = Pattern(
            two_theta_deg=one.two_theta, intensity=one.counts + random.poisson(stranger), wavelength_ang=0.6199
        )
        fit = fit_pattern(pattern, phases)
        assert any("gasket" in note for note in fit.warnings)
        assert np.abs(fit.foreign_lines_deg - 15.7).min() < 0.05
        own = np.concatenate([phase.lines.two_theta_deg for phase in fit.phases.values()])
        own = own[np.abs(own - 16.0) > 0.1]  # the hump's own top
        assert np.abs(fit.foreign_lines_deg[:, None] - own).min() > 0.05


@pytest.mark.parametrize("spots", [0, 5])
def test_what_the_lines_explain_is_no_hump(
    simulator: ModuleType, phases: list[Phase], monkeypatch: pytest.MonkeyPatch, spots: int
) -> None:
    """Lines on each other's tails may look like one: it is put back where a fit without it leaves no less."""

    def with_a_hump(data: FitData, lines_deg: Any) -> OddWidths:
        found = odd_widths(data, lines_deg)
        humps = (data.position > 12.4) & (data.position < 13.4) & ~found.spikes
        return replace(found, humps=humps, humps_deg=np.array([[12.4, 13.4]]), width_deg=0.1)

    monkeypatch.setattr("hydrostruct.xrd.find_answer.odd_widths", with_a_hump)
    random = np.random.default_rng(41)
    for _ in range(2):
        pattern, truth = made(simulator, random, spots=spots)
        stranger = random.poisson(1500.0 * np.exp(-(((pattern.two_theta_deg - 15.7) / 0.05) ** 2)))
        fit = fit_pattern(replace(pattern, intensity=pattern.intensity + stranger), phases)
        assert not any("gasket" in note for note in fit.warnings)
        assert any("spike" in note for note in fit.warnings) == (spots > 0)
        assert fit.fitted[(fit.two_theta_deg > 12.4) & (fit.two_theta_deg < 13.4)].mean() > 0.8
        assert np.abs(fit.foreign_lines_deg - 15.7).min() < 0.03
        assert np.all(np.abs(pulls(fit, truth)) < 4.5)


def test_broad_lines_of_a_phase_among_sharp_ones_are_not_lost(simulator: ModuleType, phases: list[Phase]) -> None:
    """CeH9 of fine grains, seven times as wide as CeH4."""
    random = np.random.default_rng(37)
    for _ in range(3):
        sharp = simulator.simulate(random, ceh9=None, ceh4_share=1.0)
        broad = simulator.simulate(random, ceh4=None, level=(1500.0, 1.0), size=0.5)
        counts = sharp.counts + broad.counts
        pattern = Pattern(two_theta_deg=sharp.two_theta, intensity=counts, wavelength_ang=0.6199)
        fit = fit_pattern(pattern, phases)
        truth = np.array([*simulator.CEH9, *simulator.CEH4])
        assert np.all(np.abs(pulls(fit, truth)) < 4.5)


def test_a_spectrum_of_noise_has_none() -> None:
    random, x = np.random.default_rng(38), np.linspace(4.0, 25.0, 2000)
    for level in (0.5, 100.0):
        counts = random.poisson(level, x.size).astype(float)
        assert not found_in(Pattern(two_theta_deg=x, intensity=counts, wavelength_ang=0.6199)).points.any()


def test_a_phase_all_of_whose_lines_are_as_narrow_as_spots_is_kept(simulator: ModuleType, phases: list[Phase]) -> None:
    """CeH4 with lines little wider than a point, beside broad ones of CeH9 and a stranger's line."""
    random, seen = np.random.default_rng(39), 0
    for _ in range(6):
        sharp = simulator.simulate(random, ceh9=None, ceh4_share=1.0, gauss=0.012, size=0.004, level=(1000.0, 1000.0))
        broad = simulator.simulate(random, ceh4=None, level=(3000.0, 1.0), size=0.06)
        stranger = random.poisson(800.0 * np.exp(-(((sharp.two_theta - 8.0) / 0.06) ** 2)))
        counts = sharp.counts + broad.counts + stranger
        pattern = Pattern(two_theta_deg=sharp.two_theta, intensity=counts, wavelength_ang=0.6199)
        seen += found_in(pattern).spikes_deg.size
        fit = fit_pattern(pattern, phases)
        assert fit.phases[CEH4].detected
        assert np.all(np.abs(pulls(fit, np.array([*simulator.CEH9, *simulator.CEH4]))) < 4.5)
    assert seen > 10
