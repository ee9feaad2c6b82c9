"""Values that stand for bins without data are left out of a fit; simulated patterns, and counts that look like them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.errors import InputError
from hydrostruct.xrd.empty_bins import empty_bins
from tests.xrd import simulator

Floats = NDArray[np.float64]
NAMES = ("CeH9-P63mmc", "CeH4-I4mmm")


@pytest.fixture(scope="module")
def phases() -> list[hs.Phase]:
    return [hs.read_phase(name) for name in NAMES]


@pytest.fixture(scope="module")
def clean() -> simulator.Simulated:
    return simulator.simulate(np.random.default_rng(11), level="mid")


def marked(clean: simulator.Simulated, value: float, low: float, high: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Simulated counts with one value between two angles."""
    inside = (clean.two_theta > low) & (clean.two_theta < high)
    return np.where(inside, value, clean.counts), inside


def two_columns(clean: simulator.Simulated, counts: Floats) -> hs.Pattern:
    return hs.Pattern(two_theta_deg=clean.two_theta, intensity=counts, wavelength_ang=simulator.WAVELENGTH)


def cells(fit: hs.PatternFit) -> list[float]:
    assert [fit.phases[name].verdict.value for name in NAMES] == ["converged", "converged"]
    return [value for name in NAMES for value in (fit.phases[name].a_ang, fit.phases[name].c_ang)]


@pytest.mark.parametrize("value", [0.0, -1.0, -2.0, 65535.0, 4294967295.0])
@pytest.mark.parametrize(("low", "high"), [(10.9, 12.0), (14.0, 14.03), (0.0, 8.5), (24.0, 90.0)])
def test_bins_without_data_are_left_out_and_it_is_said(
    phases: list[hs.Phase], clean: simulator.Simulated, value: float, low: float, high: float
) -> None:
    counts, inside = marked(clean, value, low, high)
    made = two_columns(clean, counts)
    np.testing.assert_array_equal(np.isnan(made.intensity), inside)
    assert len(made.notes) == 1
    assert f"{inside.sum()} points are exactly {value:.0f} among intensities of about" in made.notes[0]
    assert f"{clean.two_theta[inside][0]:.2f} to {clean.two_theta[inside][-1]:.2f}°" in made.notes[0]
    missing = two_columns(clean, np.where(inside, np.nan, clean.counts))
    fit, other = (hs.fit_pattern(one, phases) for one in (made, missing))
    assert cells(fit) == cells(other)
    assert made.notes[0] in fit.warnings


def test_saturated_bins_at_the_tops_of_lines_are_left_out(phases: list[hs.Phase]) -> None:
    clean = simulator.simulate(np.random.default_rng(12), level="good")
    for value in (-1.0, 65535.0):
        saturated = clean.counts > 9000
        made = two_columns(clean, np.where(saturated, value, clean.counts))
        np.testing.assert_array_equal(np.isnan(made.intensity), saturated)
        numbers = hs.fit_pattern(made, phases).phases[NAMES[0]]
        assert abs(numbers.a_ang - simulator.CEH9[0]) < 4 * numbers.a_sigma_ang


def test_a_file_and_many_patterns_and_a_map_leave_them_out(
    phases: list[hs.Phase], clean: simulator.Simulated, tmp_path: Path
) -> None:
    counts, inside = marked(clean, 0.0, 10.9, 12.0)
    np.savetxt(tmp_path / "a.xy", np.column_stack((clean.two_theta, counts)))
    read = hs.read_pattern(tmp_path / "a.xy", wavelength_ang=simulator.WAVELENGTH)
    np.testing.assert_array_equal(np.isnan(read.intensity), inside)
    patterns = [two_columns(clean, clean.counts), read, two_columns(clean, clean.counts)]
    many = hs.fit_patterns(patterns, phases)
    common = hs.fit_map(patterns, phases).fits
    alone = cells(many[0])
    for fits in (many, common):
        for fit in fits:
            np.testing.assert_allclose(cells(fit), alone, rtol=5e-4)
        assert [any("exactly 0" in note for note in fit.warnings) for fit in fits] == [False, True, False]


@pytest.mark.parametrize("mean", [0.05, 0.5, 2.0, 5.0, 10.0, 20.0])
def test_zeros_among_few_counts_are_counts(mean: float) -> None:
    random = np.random.default_rng(3)
    lines = simulator.peak(np.linspace(0.0, 20.0, 2000), 9.0, 1.0, 0.1, 0.03)
    for scale in (1.0, 1e-3):
        found = [empty_bins(scale * random.poisson(mean * (1 + lines))) for _ in range(20)]
        assert np.count_nonzero(found) <= 1


def test_zeros_and_negatives_about_a_background_that_was_taken_off_are_data() -> None:
    random = np.random.default_rng(4)
    lines = 300.0 * simulator.peak(np.linspace(0.0, 20.0, 2000), 9.0, 1.0, 0.1, 0.03)
    for level in (20.0, 300.0, 3000.0):
        counts = random.poisson(level + lines) - level
        assert np.any(counts == 0.0)
        for intensity in (counts, np.maximum(counts, 0.0), counts / counts.max()):
            assert not np.any(empty_bins(intensity))


def test_a_pattern_scaled_to_the_largest_number_keeps_its_highest_point(clean: simulator.Simulated) -> None:
    for scaled in (clean.counts * (65535.0 / clean.counts.max()), clean.clean * (65535.0 / clean.clean.max())):
        assert not np.any(empty_bins(scaled))


def test_calculated_patterns_and_constant_ones_have_no_empty_bins() -> None:
    line = simulator.peak(np.linspace(0.0, 20.0, 2000), 9.0, 1.0, 0.1, 0.0)
    for intensity in (line, np.where(line < 1e-3, 0.0, line), np.round(1000 * line), np.zeros(100), np.full(100, -1.0)):
        assert not np.any(empty_bins(intensity))


def test_sigma_0_at_an_empty_bin_leaves_it_out_and_elsewhere_is_refused(clean: simulator.Simulated) -> None:
    counts, inside = marked(clean, 0.0, 10.9, 12.0)
    axis = {"two_theta_deg": clean.two_theta, "wavelength_ang": simulator.WAVELENGTH}
    for sigma in (0.0, -1.0, np.nan):
        made = hs.Pattern(intensity=counts, sigma=np.where(inside, sigma, clean.sigma), **axis)
        np.testing.assert_array_equal(np.isnan(made.intensity), inside)
        assert "taken for bins without data" in made.notes[0]
    measured = hs.Pattern(intensity=counts, sigma=clean.sigma, **axis)
    assert not np.any(np.isnan(measured.intensity))
    with pytest.raises(InputError, match=f"sigma is 0 at {inside.sum()} of {inside.size} points"):
        hs.Pattern(intensity=clean.counts, sigma=np.where(inside, 0.0, clean.sigma), **axis)
