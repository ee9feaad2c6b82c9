"""Sigma of patterns that came without: simulated counts in any unit, and noise that is not that of counts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.guessed_sigma import guessed_sigma
from hydrostruct.xrd.pattern import write_pattern
from tests.xrd import simulator

Floats = NDArray[np.float64]
NAMES = ("CeH9-P63mmc", "CeH4-I4mmm")


@pytest.fixture(scope="module")
def phases() -> list[hs.Phase]:
    return [hs.read_phase(name) for name in NAMES]


def two_columns(intensity: Floats, angles: Floats) -> hs.Pattern:
    return hs.Pattern(two_theta_deg=angles, intensity=intensity, wavelength_ang=simulator.WAVELENGTH)


def lines(height: float, *, number: int = 5, width: float = 0.08) -> Floats:
    """Simulated lines of random heights over 2000 points."""
    random = np.random.default_rng(7)
    x = np.linspace(5.0, 25.0, 2000)
    centers = 5.0 + 20.0 * (np.arange(number) + 0.5) / number
    shape = np.exp(-4 * np.log(2) * ((x[:, None] - centers) / width) ** 2)
    return height * (shape @ random.random(number))


def numbers(fit: hs.PatternFit) -> Floats:
    """All that must not depend on the unit of the intensity."""
    of_phases = [
        (one.a_ang, one.c_ang, one.a_sigma_ang, one.c_sigma_ang, one.share, one.share_sigma, one.significance)
        for one in fit.phases.values()
    ]
    return np.array([*np.ravel(of_phases), fit.rp_percent, fit.rwp_percent, fit.rexp_percent, fit.gof])


@pytest.mark.parametrize("level", ["good", "mid", "weak"])
def test_a_pattern_in_any_unit_gives_the_same_cell_sigma_verdicts_and_r_factors(
    phases: list[hs.Phase], level: str
) -> None:
    one = simulator.simulate(np.random.default_rng(21), level=level)
    smooth = np.convolve(one.counts, [0.25, 0.5, 0.25], mode="same")[2:-2]
    for intensity, angles in ((one.counts, one.two_theta), (0.123 * smooth, one.two_theta[2:-2])):
        plain = hs.fit_pattern(two_columns(intensity, angles), phases)
        for factor in (1e-6, 1e-3, 1e3):
            fit = hs.fit_pattern(two_columns(intensity * factor, angles), phases)
            assert [one.verdict for one in fit.phases.values()] == [one.verdict for one in plain.phases.values()]
            assert (fit.verdict, fit.reason) == (plain.verdict, plain.reason)
            np.testing.assert_allclose(numbers(fit), numbers(plain), rtol=1e-4)


@pytest.mark.parametrize("mean", [0.05, 0.5, 3.0, 12.0, 100.0, 3000.0, 1e5])
@pytest.mark.parametrize("number", [0, 5, 100])
def test_counts_keep_their_square_root_whatever_the_lines(mean: float, number: int) -> None:
    random = np.random.default_rng(5)
    clean = mean + lines(10.0 * mean, number=number, width=0.05) if number else np.full(2000, mean)
    for _ in range(5):
        counts = random.poisson(clean).astype(float)
        np.testing.assert_array_equal(guessed_sigma(counts).sigma, np.sqrt(np.maximum(counts, 1.0)))
        found = guessed_sigma(1e-3 * counts)
        if np.unique(counts).size > 3:
            assert found.scale == pytest.approx(math.sqrt(1e-3), rel=1e-9)
            assert found.floor == pytest.approx(1e-3, rel=1e-9)


def test_few_points_and_patterns_without_noise_keep_the_square_root() -> None:
    line = lines(1000.0)
    for intensity in (line, line + 50.0, np.zeros(100), np.full(100, 7.3), np.array([100.0, 121.0, 0.25])):
        np.testing.assert_array_equal(guessed_sigma(intensity).sigma, np.sqrt(np.maximum(intensity, 1.0)))


@pytest.mark.parametrize("gain", [1e-4, 0.03, 5.0, 40.0])
def test_sigma_is_the_noise_where_that_is_not_of_counts(gain: float) -> None:
    random = np.random.default_rng(6)
    clean = 500.0 + lines(3000.0)
    for whole in (False, True):
        true = np.sqrt(gain * clean)
        seen = clean + true * random.normal(size=clean.size)
        if whole and gain > 1:
            seen = np.rint(seen)
        found = guessed_sigma(seen)
        assert found.scale == pytest.approx(math.sqrt(gain), rel=0.1)
        assert np.median(found.sigma / true) == pytest.approx(1.0, abs=0.1)
        assert guessed_sigma(1e5 * seen).scale == pytest.approx(math.sqrt(1e5) * found.scale, rel=1e-6)


def test_lines_everywhere_do_not_make_sigma_much_too_large() -> None:
    random = np.random.default_rng(8)
    clean = 300.0 + lines(3000.0, number=60)
    scaled = 0.01 * (random.poisson(clean) + 0.3 * random.random(clean.size))
    assert 0.95 < guessed_sigma(scaled).scale / 0.1 < 1.6


@pytest.mark.parametrize(("level", "height"), [(20.0, 100.0), (300.0, 1000.0), (3000.0, 3000.0)])
def test_where_a_background_was_taken_off_its_noise_was_not(level: float, height: float) -> None:
    counts = np.random.default_rng(9).poisson(level + lines(height)) - level
    for factor in (1.0, 1e-4):
        found = guessed_sigma(factor * counts)
        low = np.abs(counts) < 0.1 * level
        assert np.median(found.sigma[low]) == pytest.approx(factor * math.sqrt(level), rel=0.2)
        assert found.sigma.max() < 2 * factor * math.sqrt(level + 2 * height)


def test_a_point_without_data_has_no_sigma_and_does_no_harm() -> None:
    counts = np.random.default_rng(10).poisson(300.0, 500).astype(float)
    counts[100:130] = np.nan
    found = guessed_sigma(1e-3 * counts)
    assert found.scale == pytest.approx(math.sqrt(1e-3))
    np.testing.assert_array_equal(np.isnan(found.sigma), np.isnan(counts))


def test_a_fit_says_what_was_taken_and_a_written_pattern_keeps_it(phases: list[hs.Phase], tmp_path: Path) -> None:
    one = simulator.simulate(np.random.default_rng(22), level="mid")
    np.savetxt(tmp_path / "a.xy", np.column_stack((one.two_theta, 1e-4 * one.counts)))
    read = hs.read_pattern(tmp_path / "a.xy", wavelength_ang=simulator.WAVELENGTH)
    assert read.sigma_source == "noise"
    assert read.notes == (
        "No sigma column: the noise of the pattern is 0.01 of the square root of the intensity (of 0.0001 where that "
        "is less); sigma is scaled to it.",
    )
    fit = hs.fit_pattern(read, phases)
    assert fit.warnings == read.notes
    assert abs(fit.gof - 1.0) < 0.1
    again = hs.read_pattern(write_pattern(read, tmp_path / "b.xye"), wavelength_ang=simulator.WAVELENGTH)
    assert (again.sigma_source, again.notes) == ("noise", ())
    np.testing.assert_allclose(again.sigma, read.sigma, rtol=1e-5)


def test_pulls_of_scaled_counts_without_sigma_spread_by_one(phases: list[hs.Phase]) -> None:
    pulls = []
    for seed in range(40):
        one = simulator.simulate(np.random.default_rng(300 + seed), level="mid")
        fit = hs.fit_pattern(two_columns(one.counts / one.counts.max(), one.two_theta), phases)
        for name, (a, c) in zip(NAMES, (simulator.CEH9, simulator.CEH4), strict=True):
            found = fit.phases[name]
            assert found.verdict.value == "converged"
            pulls += [(found.a_ang - a) / found.a_sigma_ang, (found.c_ang - c) / found.c_sigma_ang]
    assert 0.75 < np.std(pulls) < 1.25
    assert np.max(np.abs(pulls)) < 4.5
