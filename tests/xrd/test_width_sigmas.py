"""Uncertainties of widths: of size, strain and the strain by direction, against simulated truth."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import hydrostruct as hs

NAME = "CeH9-P63mmc"
GAUSS_DEG, SIZE_DEG, STRAIN_DEG, ALONG_DEG = 0.05, 0.04, 0.3, 0.6


def strained(simulator: ModuleType, seed: int, *, along: float = STRAIN_DEG, height: float = 8000.0) -> hs.Pattern:
    """Simulated CeH9 alone whose lines have size and strain, the strain along the axis perhaps another."""
    x = np.linspace(6.0, 30.0, 2400)
    a, c = simulator.CEH9
    clean = simulator.background(x, 1000.0)
    angles = simulator.hexagonal_angles(simulator.CEH9_LINES, a, c, simulator.WAVELENGTH)
    for angle, (h, k, l, area) in zip(angles, simulator.CEH9_LINES, strict=True):  # noqa: E741
        theta = np.radians(angle / 2)
        axial = (l / c) ** 2 / (4 * (h * h + h * k + k * k) / (3 * a * a) + (l / c) ** 2)
        lorentz = SIZE_DEG / np.cos(theta) + (STRAIN_DEG * (1 - axial) + along * axial) * np.tan(theta)
        clean = clean + simulator.peak(x, angle, height * 0.1 * area / 100, GAUSS_DEG, lorentz)
    counts = np.random.default_rng(seed).poisson(clean).astype(float)
    return hs.Pattern(two_theta_deg=x, intensity=counts, sigma=np.sqrt(counts), wavelength_ang=simulator.WAVELENGTH)


@pytest.fixture(scope="module")
def phases() -> list[hs.Phase]:
    return [hs.read_phase(NAME)]


def test_size_and_strain_lie_within_their_sigma(simulator: ModuleType, phases: list[hs.Phase]) -> None:
    fits = hs.fit_patterns([strained(simulator, seed) for seed in range(60)], phases, free=["strain"])
    pulls = []
    for fit in fits:
        assert fit.verdict.value == "converged", fit.reason
        found = fit.phases[NAME]
        values, sigmas = found.widths, found.widths_sigma
        assert found.strain_axis_sigma_deg == sigmas.strain_sigma_deg
        assert sigmas.u_sigma_deg2 == found.strain_oblique_sigma_deg2 == 0.0
        pulls.append(
            (
                (values.w_deg2 - GAUSS_DEG**2) / sigmas.w_sigma_deg2,
                (values.size_deg - SIZE_DEG) / sigmas.size_sigma_deg,
                (values.strain_deg - STRAIN_DEG) / sigmas.strain_sigma_deg,
            )
        )
    # bounds that perfect code passes in 999 of 1000 seeds
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 3.6 / np.sqrt(60))
    assert np.all(np.std(pulls, axis=0) > 0.70)
    assert np.all(np.std(pulls, axis=0) < 1.33)


def test_strain_along_the_axis_lies_within_its_sigma(simulator: ModuleType, phases: list[hs.Phase]) -> None:
    patterns = [strained(simulator, seed, along=ALONG_DEG) for seed in range(100, 130)]
    fits = hs.fit_patterns(patterns, phases, free=["strain", "strain_axis"])
    found = [fit.phases[NAME] for fit in fits]
    pulls = [(one.strain_axis_deg - ALONG_DEG) / one.strain_axis_sigma_deg for one in found]
    assert abs(np.mean(pulls)) < 3.3 / np.sqrt(30)
    assert 0.60 < np.std(pulls) < 1.47
    assert all(one.strain_axis_sigma_deg != one.widths_sigma.strain_sigma_deg for one in found)


def test_a_phase_that_is_absent_has_no_sigma_and_a_width_that_is_held_has_0(
    simulator: ModuleType, phases: list[hs.Phase]
) -> None:
    fit = hs.fit_pattern(strained(simulator, 1), [*phases, hs.read_phase("Pt")], fix=[f"{NAME}:size"])
    assert fit.phases["Pt"].verdict.value == "absent"
    assert np.isnan(fit.phases["Pt"].widths_sigma.size_sigma_deg)
    assert np.isnan(fit.phases["Pt"].strain_axis_sigma_deg)
    assert fit.phases[NAME].widths_sigma.size_sigma_deg == 0.0


def test_a_width_at_its_limit_has_no_sigma(simulator: ModuleType, phases: list[hs.Phase]) -> None:
    drawn = simulator.simulate(np.random.default_rng(2), level="good", ceh4=None, size=0.0)
    pattern = hs.Pattern(
        two_theta_deg=drawn.two_theta, intensity=drawn.counts, sigma=drawn.sigma, wavelength_ang=simulator.WAVELENGTH
    )
    found = hs.fit_pattern(pattern, phases, instrument=hs.Widths(w_deg2=0.07**2)).phases[NAME]
    assert found.widths.size_deg == 0.0
    assert np.isnan(found.widths_sigma.size_sigma_deg)
    assert found.a_sigma_ang > 0


def test_what_a_map_has_in_common_has_one_sigma(simulator: ModuleType, phases: list[hs.Phase]) -> None:
    patterns = [strained(simulator, seed) for seed in range(3)]
    whole = hs.fit_map(patterns, phases, common=("widths",), free=["strain"])
    spread = np.sqrt(np.diag(whole.shared_covariance))[whole.shared_names.index(f"strain:{NAME}")]
    for fit in whole.fits:
        assert fit.phases[NAME].widths_sigma.strain_sigma_deg == pytest.approx(spread, rel=1e-3)
