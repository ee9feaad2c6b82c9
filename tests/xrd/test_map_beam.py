"""Maps of wide patterns: Kα2, axial divergence, and what shifts the lines, in common and fitted.

All patterns are SIMULATED, each with a truth of its own that the package does not know.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.map_minimum import evaluate
from hydrostruct.xrd.map_points import prepare_points
from tests.xrd import simulator
from tests.xrd.test_asked_terms import AU, CU_KA1, CU_KA2, CUBIC_F, LAB6, angle, counted, displaced

Floats = NDArray[np.float64]
ZERO, HEIGHT, STRAIN = 0.01, 0.02, 1e-4
START = {"Au": {"a_ang": AU}}


def doublet(seed: int, cell: float) -> hs.Pattern:
    """Gold with Cu Kα1 and half as much Kα2; its widths follow the angle as a size makes them."""
    x = np.arange(30.0, 130.0, 0.04)
    clean = np.full(x.size, 100.0)
    for square, area in zip(CUBIC_F, np.random.default_rng(seed).uniform(50.0, 300.0, len(CUBIC_F)), strict=True):
        for wavelength, part in ((CU_KA1, 2.0 / 3.0), (CU_KA2, 1.0 / 3.0)):
            center = angle(wavelength, square, cell)
            if np.isfinite(center):
                size = 0.03 / np.cos(np.radians(center / 2))
                clean += simulator.peak(x, center + ZERO, part * area, 0.07, size)
    return replace(counted(x, clean, CU_KA1, seed), geometry="transmission")


def leaning(seed: int, cell: float) -> hs.Pattern:
    """Gold seen through a slit as high as the sample."""
    x = np.arange(4.0, 60.0, 0.02)
    clean = np.full(x.size, 100.0)
    for square, area in zip(CUBIC_F, np.random.default_rng(seed).uniform(50.0, 300.0, len(CUBIC_F)), strict=True):
        center = angle(0.7, square, cell)
        if not center < 62.0:
            continue
        size = 0.02 / np.cos(np.radians(center / 2))
        clean += simulator.leaning_peak(x, center, area, height=HEIGHT, lorentz=size, zero=ZERO)
    return counted(x, clean, 0.7, seed)


MAKERS = {"second_line": (doublet, 1.0 / 3.0), "axial": (leaning, HEIGHT)}


def simulated_map(word: str, seed: int) -> tuple[list[hs.Pattern], Floats]:
    cells = AU * (1.0 + STRAIN * np.arange(4))
    return [MAKERS[word][0](100 * seed + number, cell) for number, cell in enumerate(cells)], cells


@pytest.mark.parametrize("word", ["second_line", "axial"])
def test_the_beam_is_found_and_cells_scatter_as_sigma_says(word: str) -> None:
    gold, beams, zeros, pulls, ratios = [hs.read_phase("Au")], [], [], [], []
    for seed in range(6):
        patterns, cells = simulated_map(word, seed)
        alone = hs.fit_patterns(patterns, gold, cells=START)
        whole = hs.fit_map(patterns, gold, fits=alone, cells=START)
        assert whole.verdict.value == "converged", whole.reason
        assert all(fit.verdict.value == "converged" for fit in whole.fits)
        sigma = np.sqrt(np.diag(whole.shared_covariance))
        at = {name: number for number, name in enumerate(whole.shared_names)}
        beams.append((whole.shared[at[word]] - MAKERS[word][1]) / sigma[at[word]])
        zeros.append((whole.shared[at["zero"]] - ZERO) / sigma[at["zero"]])
        # the record of each point has what was fitted, not what its own fit had found
        of_points = [fit.second_line[1] if word == "second_line" else fit.axial for fit in whole.fits]
        assert of_points == pytest.approx([whole.shared[at[word]]] * 4)
        numbers = hs.map_numbers(whole, "Au", number="a_ang")
        root = np.linalg.cholesky(np.linalg.inv(numbers.covariance)).T
        pulls.append(root @ (numbers.values - cells))
        own = np.array([fit.phases["Au"].a_sigma_ang for fit in alone])
        ratios.append(np.median(own / np.sqrt(np.diag(numbers.covariance))))
    # bounds that perfect code passes in 999 of 1000 seeds: 6 beams, 6 zeros, 24 pulls
    assert np.sum(np.square(beams)) < 22.5
    assert np.sum(np.square(zeros)) < 22.5
    assert 0.56 < np.sqrt(np.mean(np.square(pulls))) < 1.47
    assert np.median(ratios) > 1.3


@pytest.mark.parametrize("word", ["second_line", "axial"])
def test_a_point_that_did_not_see_the_beam_by_itself_has_that_of_the_map(word: str) -> None:
    gold = [hs.read_phase("Au")]
    patterns, cells = simulated_map(word, 0)
    fits = hs.fit_patterns(patterns, gold, cells=START)
    fits[2] = hs.fit_pattern(patterns[2], gold, cells=START, profile="pseudo-voigt")
    assert (fits[2].second_line[1], fits[2].axial) == (0.0, 0.0)
    whole = hs.fit_map(patterns, gold, fits=fits, cells=START)
    found = whole.fits[2].phases["Au"]
    assert whole.verdict.value == "converged"
    assert (whole.fits[2].second_line, whole.fits[2].axial) == (whole.fits[0].second_line, whole.fits[0].axial)
    assert abs(found.a_ang - cells[2]) < 4 * found.a_sigma_ang


@pytest.mark.parametrize("word", ["second_line", "axial"])
def test_derivatives_by_the_beam_are_those_of_the_residuals(word: str) -> None:
    gold = [hs.read_phase("Au")]
    patterns, _ = simulated_map(word, 1)
    points, names, start = prepare_points(
        patterns,
        gold,
        hs.fit_patterns(patterns, gold, cells=START),
        words=frozenset(("zero", "widths")),
        free=("zero",),
        settings={"cells": None, "widths": None, "fix": ()},
    )
    point, index = points[0], names.index(word)
    middle = start.copy()
    middle[index] *= 1.1
    step = np.zeros(start.size)
    step[index] = 1e-3 * middle[index]
    ends = [evaluate(point, point.start, middle + sign * step).chi2 for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * step[index])
    mine = int(np.flatnonzero(point.shared == index)[0])
    gradient = evaluate(point, point.start, middle).block.gradient[mine]
    assert -2 * gradient == pytest.approx(slope, rel=5e-3)


def test_with_nothing_in_common_each_point_keeps_its_beam() -> None:
    gold = [hs.read_phase("Au")]
    patterns, _ = simulated_map("second_line", 2)
    fits = hs.fit_patterns(patterns, gold, cells=START)
    fits[1] = replace(fits[1], second_line=(fits[1].second_line[0], 0.3))
    whole = hs.fit_map(patterns, gold, common=(), fits=fits, cells=START)
    assert whole.shared_names == ()
    assert [fit.second_line[1] for fit in whole.fits] == [fit.second_line[1] for fit in fits]


@pytest.mark.parametrize("geometry", ["unknown", "bragg-brentano"])
def test_one_zero_for_displaced_specimens_moves_no_cell_beyond_its_sigma(geometry: str) -> None:
    powder, start = [hs.read_phase("LaB6")], {"LaB6": {"a_ang": 4.155}}
    for seed in range(3):
        patterns = [displaced(10 * seed + n, height=4e-4, geometry=geometry, high=120.0) for n in range(4)]
        whole = hs.fit_map(patterns, powder, cells=start)
        assert whole.verdict.value == "converged", whole.reason
        for fit in whole.fits:
            found = fit.phases["LaB6"]
            assert abs(found.a_ang - LAB6) < 4 * found.a_sigma_ang
            if fit.verdict.value == "doubtful":
                assert "displacement in place of the common zero" in fit.reason


def test_one_displacement_of_all_specimens_is_found_with_the_cells() -> None:
    powder, start = [hs.read_phase("LaB6")], {"LaB6": {"a_ang": 4.155}}
    shifts, better = [], []
    for seed in range(6):
        patterns = [displaced(10 * seed + n, height=4e-4, geometry="bragg-brentano", high=120.0) for n in range(4)]
        alone = hs.fit_patterns(patterns, powder, cells=start)
        whole = hs.fit_map(patterns, powder, fits=alone, cells=start, common=("displacement", "widths", "background"))
        assert all(fit.verdict.value == "converged" for fit in whole.fits)
        index = whole.shared_names.index("displacement")
        shifts.append((whole.shared[index] - 4e-4) / np.sqrt(whole.shared_covariance[index, index]))
        for fit, own in zip(whole.fits, alone, strict=True):
            found = fit.phases["LaB6"]
            assert abs(found.a_ang - LAB6) < 4 * found.a_sigma_ang
            better.append(own.phases["LaB6"].a_sigma_ang / found.a_sigma_ang)
    assert np.sum(np.square(shifts)) < 22.5  # that perfect code passes in 999 of 1000 seeds
    assert np.median(better) > 1.5


def test_what_the_user_says_is_there_or_holds_is_not_weighed_against_another() -> None:
    powder, start = [hs.read_phase("LaB6")], {"LaB6": {"a_ang": 4.155}}
    patterns = [displaced(n, height=4e-4, high=120.0) for n in range(3)]
    alone = hs.fit_patterns(patterns, powder, cells=start)
    weighed = hs.fit_map(patterns, powder, fits=alone, cells=start).fits[0].phases["LaB6"]
    for settings in ({"free": ["zero"]}, {"fix": ["displacement"]}):
        told = hs.fit_map(patterns, powder, fits=alone, cells=start, **settings).fits[0].phases["LaB6"]
        assert told.a_sigma_ang < 0.2 * weighed.a_sigma_ang
        assert told.a_ang == pytest.approx(weighed.a_ang, abs=0.1 * weighed.a_sigma_ang)
