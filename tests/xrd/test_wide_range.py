"""Patterns over a wide range, as neutrons and laboratory tubes give them: widths that change with the angle."""

from __future__ import annotations

from types import ModuleType

import numpy as np

import hydrostruct as hs

WAVELENGTH, CELL, U, V, W = 1.494, 4.078, 0.085, -0.119, 0.124


def gold(simulator: ModuleType, random: np.random.Generator, *, zero: float, most: float = 1000.0) -> hs.Pattern:
    """A cubic F lattice from 30 to 150°, its Gaussian widths after Caglioti, on a flat ground."""
    x = np.arange(30.0, 150.0, 0.05)
    clean = np.full(x.size, 150.0)
    squares = {h * h + k * k + l * l for h in range(7) for k in range(7) for l in range(7) if h % 2 == k % 2 == l % 2}  # noqa: E741
    for square in sorted(squares - {0}):
        sine = WAVELENGTH * np.sqrt(square) / CELL / 2.0
        if sine < 0.99:
            theta = np.arcsin(sine)
            gauss = float(np.sqrt(U * np.tan(theta) ** 2 + V * np.tan(theta) + W))
            area = random.uniform(0.1 * most, most)
            clean += simulator.peak(x, np.degrees(2 * theta) + zero, area, gauss, 0.08 / np.cos(theta))
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=WAVELENGTH
    )


def test_widths_by_angle_are_found_when_the_zero_is_off_by_more_than_a_width(simulator: ModuleType) -> None:
    random = np.random.default_rng(7)
    for _ in range(5):
        pattern = gold(simulator, random, zero=0.6)
        fit = hs.fit_pattern(
            pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 4.078 * 1.002}}, free=["u", "v", "zero"]
        )
        assert fit.verdict.value == "converged", fit.reason
        found = fit.phases["Au"]
        assert abs(found.a_ang - CELL) < 4 * found.a_sigma_ang
        assert abs(fit.zero_deg - 0.6) < 4 * fit.zero_sigma_deg
        assert fit.gof < 1.1


def test_a_fit_says_when_widths_follow_the_angle_and_it_does_not_let_them(simulator: ModuleType) -> None:
    random = np.random.default_rng(8)
    for _ in range(3):
        pattern = gold(simulator, random, zero=0.0, most=300.0)
        plain = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 4.078}})
        free = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 4.078}}, free=["u", "v"])
        assert any("Free u and v" in note for note in plain.warnings)
        assert not any("Free u and v" in note for note in free.warnings)
    # the same widths at all angles: nothing to say
    x = np.arange(30.0, 150.0, 0.05)
    for seed in range(5):
        own = np.random.default_rng(seed)
        clean = np.full(x.size, 150.0)
        for square in (3, 4, 8, 11, 12, 16, 19, 20, 24, 27):
            theta = np.arcsin(WAVELENGTH * np.sqrt(square) / CELL / 2.0)
            clean += simulator.peak(x, np.degrees(2 * theta), own.uniform(100, 1000), 0.3, 0.08 / np.cos(theta))
        counts = own.poisson(clean).astype(float)
        same = hs.Pattern(two_theta_deg=x, intensity=counts, sigma=np.sqrt(counts + 1.0), wavelength_ang=WAVELENGTH)
        fit = hs.fit_pattern(same, [hs.read_phase("Au")], cells={"Au": {"a_ang": 4.078}})
        assert fit.verdict.value == "converged"
        assert not any("Free u and v" in note for note in fit.warnings)
