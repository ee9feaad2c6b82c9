"""A shift of few or weak lines of a wide pattern, which their misfit does not show.

All patterns are SIMULATED: platinum on a laboratory diffractometer, seven lines at the most.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.engine import solve, start_values
from hydrostruct.xrd.model import LeBailModel, build_model, prepare_data
from hydrostruct.xrd.tested_shift import BY_CHANCE, SHIFT_GAIN, untold_shift
from tests.xrd import simulator

Floats = NDArray[np.float64]
PT, COPPER = 3.92, 1.540593
SQUARES = (3, 4, 8, 11, 12, 16, 19)
PLACES = [math.degrees(2 * math.asin(COPPER * math.sqrt(square) / PT / 2)) for square in SQUARES]


def platinum(
    seed: int,
    *,
    zero: float = 0.0,
    height: float = 0.0,
    most: float = 300.0,
    geometry: str = "unknown",
    top: float = 110.0,
    jitter: float = 0.0,
) -> hs.Pattern:
    """Counts of platinum with a zero, or a specimen that lies too low by a part of the goniometer's radius."""
    random = np.random.default_rng(seed)
    x = np.arange(20.0, top, 0.02)
    clean = 200.0 + 100.0 * np.exp(-(x - 20.0) / 30.0)
    sizes = random.uniform(0.2, 1.0, len(PLACES))
    for number, (place, size) in enumerate(zip(PLACES, sizes / sizes.max(), strict=True)):
        seen = place + zero + jitter * (-1) ** number - math.degrees(2 * height * math.cos(math.radians(place / 2)))
        clean += most * size * simulator.peak(x, seen, 0.2, 0.13, 0.05)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=COPPER,
        geometry=geometry,
    )


def fitted(pattern: hs.Pattern, *, fix: tuple[str, ...] = (), profile: str = "auto") -> tuple[hs.PatternFit, float]:
    """The fit, and how far its cell lies from the true one, in sigma."""
    phases = [hs.read_phase("Pt")]
    fit = hs.fit_pattern(pattern, phases, cells={"Pt": {"a_ang": PT * 1.0005}}, fix=fix, profile=profile)
    return fit, (fit.phases["Pt"].a_ang - PT) / fit.phases["Pt"].a_sigma_ang


def start(seed: int, *, zero: float, top: float = 110.0) -> tuple[LeBailModel, object, object]:
    pattern = platinum(seed, zero=zero, top=top)
    model = build_model([hs.read_phase("Pt")], COPPER, two_theta_deg=(20.0, top))
    data = prepare_data(pattern, background_terms=4)
    return model, data, solve(model, data, start_values(model, data))


@pytest.mark.parametrize("most", [300.0, 1000.0, 5000.0])
def test_a_zero_that_nobody_freed_no_longer_leads_the_cell_of_few_lines_astray(most: float) -> None:
    for seed in range(6):
        fit, pull = fitted(platinum(seed, zero=0.05, most=most))
        assert fit.verdict is hs.Verdict.CONVERGED, fit.reason
        assert abs(pull) < 4
        assert any("shift of the zero" in note or "displacement" in note for note in fit.warnings)


def test_a_specimen_that_lies_too_low_no_longer_leads_the_cell_of_few_lines_astray() -> None:
    for geometry in ("unknown", "bragg-brentano"):
        for seed in range(4):
            fit, pull = fitted(platinum(seed, height=1e-3, most=1000.0, geometry=geometry))
            assert fit.verdict is hs.Verdict.CONVERGED, fit.reason
            assert abs(pull) < 4


def test_where_nothing_shifts_the_lines_nothing_is_freed_and_sigma_stays_that_of_the_cell() -> None:
    pulls, sigmas = [], []
    for seed in range(60):
        pattern = platinum(seed)
        fit, pull = fitted(pattern)
        assert fit.verdict is hs.Verdict.CONVERGED, fit.reason
        assert not {"zero", "displacement"} & set(fit.parameter_names)
        pulls.append(pull)
        if seed < 10:
            plain, _ = fitted(pattern, profile="pseudo-voigt")
            sigmas.append(fit.phases["Pt"].a_sigma_ang / plain.phases["Pt"].a_sigma_ang)
    assert 0.72 < np.std(pulls) < 1.3  # 999 of 1000 times, were sigma right
    assert np.median(sigmas) < 1.1


def test_a_shift_that_the_user_holds_is_neither_freed_nor_counted() -> None:
    pattern = platinum(3, zero=0.05, most=1000.0)
    held, _ = fitted(pattern, fix=("zero", "displacement"))
    plain, _ = fitted(pattern, fix=("zero", "displacement"), profile="pseudo-voigt")
    assert not {"zero", "displacement"} & set(held.parameter_names)
    assert held.phases["Pt"].a_sigma_ang == pytest.approx(plain.phases["Pt"].a_sigma_ang, rel=1e-6)


def test_the_cell_that_goes_with_a_shift_counts_as_much_as_the_shift_is_likely() -> None:
    for zero in (0.0, 0.01, 0.02, 0.05):
        model, data, solution = start(1, zero=zero)
        untold = untold_shift(model, data, solution, held=(), scatters=False)
        free = build_model([hs.read_phase("Pt")], COPPER, two_theta_deg=(20.0, 110.0), free=["zero"])
        shifted = solve(free, data, start_values(free, data))
        cell, other = solution.values[0], shifted.values[0]
        gain = (solution.chi2 - shifted.chi2) / (shifted.chi2 / data.position.size)
        by_shift = 1 - BY_CHANCE / max(gain, BY_CHANCE)
        expected = abs(other - cell) * math.sqrt(by_shift / (1 + math.exp(0.5 * (SHIFT_GAIN - gain))))
        assert math.sqrt(untold.covariance[0, 0]) == pytest.approx(expected, rel=0.2, abs=1e-8)
        assert ("Free zero" in untold.reason) == (gain > SHIFT_GAIN)


def two_phases(seed: int, *, zero: float, top: float, finest: float = 0.02) -> tuple[hs.PatternFit, Floats]:
    """The fit of sharp lines of two phases, and how far their axes lie from the true ones, in sigma."""
    random = np.random.default_rng([seed, 7])
    made = simulator.simulate(
        random, limits=(4.0, top), points=3000, gauss=finest, size=finest / 3, zero=zero, level=(6000.0, 1500.0)
    )
    pattern = hs.Pattern(two_theta_deg=made.two_theta, intensity=made.counts, sigma=made.sigma, wavelength_ang=0.6199)
    true = {"CeH9-P63mmc": simulator.CEH9, "CeH4-I4mmm": simulator.CEH4}
    starts = {name: {"a_ang": a * 1.001, "c_ang": c * 0.999} for name, (a, c) in true.items()}
    fit = hs.fit_pattern(pattern, [hs.read_phase(name) for name in true], cells=starts)
    found = [
        ((phase.a_ang - a) / phase.a_sigma_ang, (phase.c_ang - c) / phase.c_sigma_ang)
        for phase, (a, c) in ((fit.phases[name], axes) for name, axes in true.items())
    ]
    return fit, np.ravel(found)


@pytest.mark.parametrize("zero", [0.01, -0.01])
def test_a_zero_is_found_over_a_range_that_tells_it_from_the_cells(zero: float) -> None:
    for seed in range(5):
        fit, pulls = two_phases(seed, zero=zero, top=29.5)
        assert fit.verdict is hs.Verdict.CONVERGED, fit.reason
        assert abs(fit.zero_deg - zero) < 4 * fit.zero_sigma_deg
        assert np.all(np.abs(pulls) < 4), pulls


def test_without_a_zero_none_is_freed_there() -> None:
    for seed in range(10):
        fit, pulls = two_phases(seed, zero=0.0, top=29.5)
        assert "zero" not in fit.parameter_names
        assert np.all(np.abs(pulls) < 4), pulls


@pytest.mark.parametrize("zero", [0.0, 0.004])
def test_a_phase_that_is_not_there_does_not_hide_a_zero(zero: float) -> None:
    """Its cell asks for no lines: the four of the other one tell the zero from a single axis."""
    for seed in range(6):
        random, x = np.random.default_rng([seed, 11]), np.arange(4.0, 31.0, 0.01)
        clean = 100.0 + 80.0 * np.exp(-(x - 4.0) / 4.0)
        for square, area in zip(SQUARES[:4], random.uniform(20.0, 60.0, 4), strict=True):
            place = math.degrees(2 * math.asin(0.6199 * math.sqrt(square) / PT / 2))
            clean += simulator.peak(x, place + zero, area, 0.02, 0.01)
        pattern = hs.Pattern(two_theta_deg=x, intensity=random.poisson(clean).astype(float), wavelength_ang=0.6199)
        fit = hs.fit_pattern(pattern, [hs.read_phase("Pt"), hs.read_phase("CeH9-P63mmc")], cells={"Pt": {"a_ang": PT}})
        found = fit.phases["Pt"]
        assert found.verdict is hs.Verdict.CONVERGED, found.reason
        assert abs(found.a_ang - PT) < 4 * found.a_sigma_ang
        assert ("zero" in fit.parameter_names) == (zero > 0)


def test_a_narrow_pattern_is_not_asked_for_a_shift() -> None:
    """Over that of a diamond cell a zero is left to the user; that it is there makes the cells doubtful."""
    fit, _ = two_phases(1, zero=0.01, top=25.0)
    assert "zero" not in fit.parameter_names
    assert fit.verdict is not hs.Verdict.CONVERGED


def test_two_lines_that_no_cell_has_make_a_cubic_cell_doubtful() -> None:
    """One of them may also be taken for a stranger's: then one line is left, and holds any axis."""
    for seed in range(6):
        crooked, _ = fitted(platinum(seed, zero=0.05, most=5000.0, top=50.0))
        straight, pull = fitted(platinum(seed, most=5000.0, top=50.0))
        assert crooked.verdict is hs.Verdict.DOUBTFUL
        assert straight.verdict is hs.Verdict.CONVERGED, straight.reason
        assert abs(pull) < 4


def test_three_lines_are_enough_to_see_a_large_shift() -> None:
    for seed in range(4):
        fit, pull = fitted(platinum(seed, zero=0.1, top=68.5))
        assert fit.verdict is hs.Verdict.CONVERGED, fit.reason
        assert abs(pull) < 4


def test_lines_that_scatter_about_their_places_are_given_no_shift() -> None:
    for seed in range(5):
        fit, pull = fitted(platinum(seed, zero=0.02, most=2000.0, jitter=0.02))
        assert not {"zero", "displacement"} & set(fit.parameter_names)
        assert abs(pull) < 4 or fit.verdict is not hs.Verdict.CONVERGED
