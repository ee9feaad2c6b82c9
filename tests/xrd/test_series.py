"""What a series of wide patterns has in common: a stronger pattern is asked again, and earlier ones learn of it.

All patterns are SIMULATED: gold at a short wavelength, with a zero that nobody freed, its lines drawn out by slit and
sample of one height, summed over 200 heights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from tests.xrd import simulator

Floats = NDArray[np.float64]
AU, WAVELENGTH, ZERO = 4.078, 0.7, 0.01
SQUARES = (3, 4, 8, 11, 12, 16, 19, 20, 24, 27, 32)
LEVELS = 200


def leaning(seed: int, cell: float, *, height: float, strength: float, geometry: str = "transmission") -> hs.Pattern:
    random = np.random.default_rng(seed)
    x = np.arange(4.0, 60.0, 0.02)
    clean = np.full(x.size, 100.0)
    away = (np.arange(LEVELS) + 0.5) / LEVELS * 2 * height
    for square in SQUARES:
        bragg = 2 * np.arcsin(WAVELENGTH * np.sqrt(square) / cell / 2)
        places = np.arccos(np.cos(bragg) * np.sqrt(1 + away**2))
        parts = (2 * height - away) / (np.sin(places) * (1 + away**2))
        area = strength * random.uniform(50.0, 300.0)
        for place, part in zip(np.degrees(places) + ZERO, parts / parts.sum(), strict=True):
            near = slice(*np.searchsorted(x, [place - 2.5, place + 2.5]))
            clean[near] += simulator.peak(x[near], place, area * part, 0.05, 0.02)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=WAVELENGTH,
        geometry=geometry,
    )


def fitted(patterns: Sequence[hs.Pattern]) -> list[hs.PatternFit]:
    return hs.fit_patterns(patterns, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}})


def pulls(fits: Sequence[hs.PatternFit], cells: Floats) -> Floats:
    golds = [fit.phases["Au"] for fit in fits]
    return np.array([(gold.a_ang - cell) / gold.a_sigma_ang for gold, cell in zip(golds, cells, strict=True)])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_strong_pattern_is_asked_again_and_the_weak_ones_before_it_learn_what_it_found(seed: int) -> None:
    strengths = (0.05, 0.1, 1.0, 0.1)
    cells = AU * (1 + 1e-4 * np.arange(4))
    patterns = [
        leaning(10 * seed + number, cell, height=0.015, strength=strength)
        for number, (cell, strength) in enumerate(zip(cells, strengths, strict=True))
    ]
    fits = fitted(patterns)
    assert [fit.verdict for fit in fits] == [hs.Verdict.CONVERGED] * 4
    assert all(abs(fit.axial - 0.015) < 0.002 and fit.axial == fits[2].axial for fit in fits)
    assert np.all(np.abs(pulls(fits, cells)) < 4)  # 20 of 21 000 patterns, were sigma right
    assert fitted(patterns[:1])[0].axial == 0.0


def test_a_pattern_of_another_beam_keeps_its_own_fit() -> None:
    cells = np.full(2, AU)
    upright = leaning(3, AU, height=1e-4, strength=0.4)
    fits = fitted([upright, leaning(4, AU, height=0.02, strength=1.0)])
    alone = fitted([upright])[0]
    assert fits[1].axial == pytest.approx(0.02, rel=0.1)
    assert fits[0].axial == 0.0
    assert fits[0].phases["Au"].a_ang == alone.phases["Au"].a_ang
    assert np.all(np.abs(pulls(fits, cells)) < 4)


def test_patterns_of_one_beam_are_asked_once() -> None:
    cells = AU * (1 + 1e-4 * np.arange(5))
    patterns = [leaning(20 + number, cell, height=0.02, strength=1.0) for number, cell in enumerate(cells)]
    fits = fitted(patterns)
    assert len({fit.axial for fit in fits}) == 1
    assert np.all(np.abs(pulls(fits, cells)) < 4)


def test_weak_divergence_beside_a_zero_no_longer_leads_the_cell_astray() -> None:
    found = []
    for seed in range(8):
        fit = fitted([leaning(100 + seed, AU, height=0.02, strength=0.3)])[0]
        assert fit.axial == pytest.approx(0.02, rel=0.2)
        found.append(pulls([fit], np.array([AU]))[0])
    assert np.max(np.abs(found)) < 4


def test_without_divergence_none_is_found_beside_a_zero() -> None:
    for seed in range(6):
        fit = fitted([leaning(200 + seed, AU, height=1e-4, strength=0.3)])[0]
        assert (fit.axial, "zero" in fit.parameter_names) == (0.0, True)


def test_where_a_flat_specimen_may_be_displaced_weak_divergence_is_not_asked_for() -> None:
    pattern = leaning(300, AU, height=0.02, strength=0.1, geometry="bragg-brentano")
    assert fitted([pattern])[0].axial == 0.0
