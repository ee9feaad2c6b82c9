"""Cells with three to six free parameters from starts that are off in every axis and angle."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.evolved_cells import PeakList, explained_weight

Floats = NDArray[np.float64]
SCRIPT = Path(__file__).parents[2] / "scripts" / "check_low_symmetry.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_the_weight_that_cells_explain_is_that_of_the_obvious_loop() -> None:
    random = np.random.default_rng(1)
    terms = random.integers(0, 4, (12, 3)).astype(float)
    cells = random.uniform(0.03, 0.05, (5, 3))
    peaks = PeakList(
        place_deg=np.array([6.0, 9.0, 13.0, 13.6]),
        weight=np.array([1.0, 3.0, 2.0, 0.5]),
        width_deg=0.1,
        wavelength_ang=0.62,
        zero_deg=0.02,
    )
    slow = []
    for cell in cells:
        places = [2 * np.degrees(np.arcsin(0.31 * np.sqrt(row @ cell))) + 0.02 for row in terms]
        nearest = [int(np.argmin(np.abs(peaks.place_deg - place))) for place in places]
        total = 0.0
        for peak in range(4):
            mine = [p for p, near in zip(places, nearest, strict=True) if near == peak]
            away = min((abs(place - peaks.place_deg[peak]) for place in mine), default=np.inf)
            total += peaks.weight[peak] * np.exp(-0.5 * (away / 0.3) ** 2)
        slow.append(total)
    np.testing.assert_allclose(explained_weight(cells, terms, peaks, reach_deg=0.3), slow, rtol=1e-9)


@pytest.mark.parametrize("system", ["orthorhombic", "monoclinic", "triclinic"])
def test_starts_two_percent_off_in_every_axis_end_right(script: dict[str, Any], tmp_path: Path, system: str) -> None:
    random = np.random.default_rng(11)
    _, _, free, middle = script["SYSTEMS"][system]
    phase = script["phase_of"](tmp_path, system)
    pulls = []
    for _ in range(6):
        cell = np.array(middle)
        cell[list(free)] *= random.uniform(0.97, 1.03, len(free))
        hkl = script["lines_of"](system, cell)
        pattern = script["pattern_of"](hkl, script["areas_of"](hkl, random), cell, random)
        start = script["start_of"](system, cell, random, low=0.01, high=0.02)
        fit = hs.fit_pattern(pattern, [phase], cells={system: start})
        word, mine = script["judged"](system, cell, fit)
        assert word == "right", (cell, start, fit.reason)
        pulls += mine
    assert 0.6 < np.std(pulls) < 1.5


def test_a_drifting_lattice_is_followed(script: dict[str, Any], tmp_path: Path) -> None:
    random = np.random.default_rng(12)
    first = np.array(script["SYSTEMS"]["monoclinic"][3])
    hkl = script["lines_of"]("monoclinic", first)
    areas = script["areas_of"](hkl, random)
    cells = [first * (1 - part * np.array([0.02, 0.013, 0.016, 0.0, -0.007, 0.0])) for part in np.linspace(0, 1, 12)]
    patterns = [script["pattern_of"](hkl, areas, cell, random) for cell in cells]
    start = script["start_of"]("monoclinic", first, random, low=0.005, high=0.01)
    phase = script["phase_of"](tmp_path, "monoclinic")
    fits = hs.fit_patterns(patterns, [phase], cells={"monoclinic": start})
    words = [script["judged"]("monoclinic", cell, fit)[0] for cell, fit in zip(cells, fits, strict=True)]
    assert set(words) == {"right"}
