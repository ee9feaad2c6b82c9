"""What a series of wide patterns has in common: a stronger pattern is asked again, and earlier ones learn of it.

All patterns are SIMULATED: gold at a short wavelength, with a zero that nobody freed, its lines drawn out by slit and
sample of one height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd import series
from hydrostruct.xrd.find_answer import find_answer
from tests.xrd import simulator

Floats = NDArray[np.float64]
AU, WAVELENGTH, ZERO = 4.078, 0.7, 0.01
SQUARES = (3, 4, 8, 11, 12, 16, 19, 20, 24, 27, 32)
SEEDS = (4, 8, 15)
"""Of series whose first pattern finds a zero and no divergence."""
CHANCE = 1239
"""Seed of a pattern without a zero that takes one by chance, 9 of χ²."""


def leaning(
    seed: int,
    cell: float = AU,
    *,
    height: float,
    strength: float,
    geometry: str = "transmission",
    zero: float = ZERO,
    wavelength: float = WAVELENGTH,
) -> hs.Pattern:
    """Gold with a zero, seen through a slit as high as the sample; `strength` is that of its lines."""
    random = np.random.default_rng(seed)
    x = np.arange(4.0, 60.0, 0.02)
    clean = np.full(x.size, 100.0)
    for square in SQUARES:
        center = np.degrees(2 * np.arcsin(wavelength * np.sqrt(square) / cell / 2))
        area = strength * random.uniform(50.0, 300.0)
        clean += simulator.leaning_peak(x, center, area, height=height, lorentz=0.02, zero=zero)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=wavelength,
        geometry=geometry,
    )


def fitted(patterns: Sequence[hs.Pattern], *, free: Sequence[str] = ()) -> list[hs.PatternFit]:
    return hs.fit_patterns(patterns, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}, free=free)


def pulls(fits: Sequence[hs.PatternFit], cells: Floats) -> Floats:
    golds = [fit.phases["Au"] for fit in fits]
    return np.array([(gold.a_ang - cell) / gold.a_sigma_ang for gold, cell in zip(golds, cells, strict=True)])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_strong_pattern_is_asked_again_and_the_weak_ones_before_it_learn_what_it_found(seed: int) -> None:
    cells = AU * (1 + 1e-4 * np.arange(4))
    strengths = (0.25, 0.1, 1.0, 0.1)
    patterns = [
        leaning(10 * seed + number, cell, height=0.01, strength=strength)
        for number, (cell, strength) in enumerate(zip(cells, strengths, strict=True))
    ]
    alone = fitted(patterns[:1])[0]
    assert (alone.axial, "zero" in alone.parameter_names) == (0.0, True)  # which its seed would hand on
    fits = fitted(patterns)
    assert [fit.verdict for fit in fits] == [hs.Verdict.CONVERGED] * 4
    assert all(abs(fit.axial - 0.01) < 0.002 and fit.axial == fits[2].axial for fit in fits)
    assert np.all(np.abs(pulls(fits, cells)) < 4)


def test_a_pattern_of_another_beam_keeps_its_own_fit() -> None:
    cells = np.full(2, AU)
    upright = leaning(3, AU, height=1e-4, strength=0.4)
    fits = fitted([upright, leaning(4, AU, height=0.02, strength=1.0)])
    alone = fitted([upright])[0]
    assert fits[1].axial == pytest.approx(0.02, rel=0.1)
    assert fits[0].axial == 0.0
    assert fits[0].phases["Au"].a_ang == alone.phases["Au"].a_ang
    assert np.all(np.abs(pulls(fits, cells)) < 4)


def test_patterns_of_one_beam_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[bool] = []

    def counted(*given: Any, **words: Any) -> Any:
        starts.append(words["seed"] is None)
        return find_answer(*given, **words)

    monkeypatch.setattr(series, "find_answer", counted)
    cells = AU * (1 + 1e-4 * np.arange(5))
    patterns = [leaning(20 + number, cell, height=0.02, strength=1.0) for number, cell in enumerate(cells)]
    fits = fitted(patterns)
    assert starts == [True, False, False, False, False]
    assert len({fit.axial for fit in fits}) == 1
    assert np.all(np.abs(pulls(fits, cells)) < 4)


def test_a_broken_pattern_does_not_keep_the_others_from_being_asked() -> None:
    weak, strong = leaning(10, height=0.01, strength=0.25), leaning(12, height=0.01, strength=1.0)
    counts = np.array(leaning(30, height=0.01, strength=0.05).intensity)
    counts += np.round(1e5 * np.exp(-4 * np.log(2) * ((weak.two_theta_deg - 20.0) / 0.09) ** 2))
    broken = replace(weak, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)))
    fits = fitted([broken, weak, strong])
    assert fits[0].verdict is not hs.Verdict.CONVERGED
    assert fits[1].axial == fits[2].axial > 0
    assert np.all(np.abs(pulls(fits[1:], np.full(2, AU))) < 4)


def test_a_shift_by_chance_is_no_shift_of_the_whole_series() -> None:
    patterns = [leaning(CHANCE - 5 + number, height=1e-4, strength=0.3, zero=0.0) for number in range(12)]
    fits = fitted(patterns)
    assert [number for number, fit in enumerate(fits) if "zero" in fit.parameter_names] == [5]
    assert not any(fit.axial for fit in fits)


def test_wavelengths_are_series_of_their_own() -> None:
    first = [leaning(10, height=0.01, strength=0.25), leaning(12, height=0.01, strength=1.0)]
    second = [leaning(40 + n, height=1e-4, strength=one, wavelength=0.6) for n, one in enumerate((1.0, 0.5))]
    together = fitted([*first, *second])
    for one, other in zip(together, [*fitted(first), *fitted(second)], strict=True):
        assert (one.axial, one.phases["Au"].a_ang) == (other.axial, other.phases["Au"].a_ang)
    assert together[0].axial > 0
    assert together[3].axial == 0.0


def test_a_pattern_that_lost_points_learns_as_well() -> None:
    random = np.random.default_rng(10)
    strong = leaning(12, height=0.015, strength=1.0)
    x = strong.two_theta_deg
    weak = []
    for number in range(2):
        counts = np.array(leaning(150 + number, height=0.015, strength=0.1).intensity)
        for _ in range(4):
            most, place, width = (random.uniform(*ends) for ends in ((20, 250), (6, 58), (0.02, 1.5)))
            counts += random.poisson(most * np.exp(-4 * np.log(2) * ((x - place) / width) ** 2))
        weak.append(replace(strong, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0))))
    fits = fitted([*weak, strong])
    alone = fitted(weak[:1])[0]
    assert alone.axial == 0.0
    assert not alone.fitted.all()
    assert {fit.axial for fit in fits} == {fits[2].axial}
    assert np.all(np.abs(pulls(fits, np.full(3, AU))) < 4)


def test_divergence_is_asked_for_beside_a_zero_that_the_user_freed() -> None:
    for seed in range(5):
        fit = fitted([leaning(100 + seed, height=0.02, strength=0.3)], free=["zero"])[0]
        assert fit.axial == pytest.approx(0.02, rel=0.2)
        assert abs(pulls([fit], np.array([AU]))[0]) < 4


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


def test_a_fit_that_leaves_most_of_its_pattern_is_no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of something else, as when the beam met the gasket: its widths, zero and misfit are no measure of others."""
    seeds: list[Floats | None] = []

    def leaving(*given: Any, **words: Any) -> Any:
        seeds.append(words["seed"])
        answer = find_answer(*given, **words)
        if len(seeds) != 3:
            return answer
        left = replace(answer.evidence.agreement, rwp_background_corrected_percent=60.0, gof=4.0)
        return replace(answer, evidence=replace(answer.evidence, agreement=left))

    monkeypatch.setattr(series, "find_answer", leaving)
    fitted([leaning(20 + number, height=0.02, strength=1.0) for number in range(4)])
    assert [seed is None for seed in seeds] == [True, False, False, False]
    assert np.array_equal(np.asarray(seeds[2]), np.asarray(seeds[3]))
    assert not np.array_equal(np.asarray(seeds[1]), np.asarray(seeds[2]))
