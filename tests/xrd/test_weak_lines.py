"""Weak lines of many over a wide range: what leaves no more than noise may still have the wrong cell, beam or zero.

All patterns are SIMULATED, by `scripts/check_weak.py`.
"""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.beam import is_of_a_tube
from hydrostruct.xrd.engine import solve, start_values
from hydrostruct.xrd.evidence import weigh_evidence
from hydrostruct.xrd.model import FitData, LeBailModel, build_model, prepare_data
from hydrostruct.xrd.near_minima import loose_phases, near_minima, weigh_minima
from hydrostruct.xrd.tested_second import untold_second

Floats = NDArray[np.float64]
SCRIPT = Path(__file__).parents[2] / "scripts" / "check_weak.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def phase(script: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> hs.Phase:
    found: hs.Phase = script["phase_of"](tmp_path_factory.mktemp("weak"))
    return found


@pytest.mark.parametrize(("kind", "most_off"), [("tube", 0.001), ("tube", 0.01), ("short", 0.01)])
def test_the_cell_is_right_or_doubtful(script: dict[str, Any], phase: hs.Phase, kind: str, most_off: float) -> None:
    random = np.random.default_rng([5, round(1e4 * most_off)])
    outcomes = [script["one_start"](random, kind, phase, most_off) for _ in range(10)]
    assert sum(converged for converged, _ in outcomes) >= 7
    for converged, pulls in outcomes:
        assert not converged or np.all(np.abs(pulls) < 5), pulls


def test_a_jump_in_a_series_does_not_lead_the_next_pattern_astray(script: dict[str, Any], phase: hs.Phase) -> None:
    random = np.random.default_rng([5, 7])
    outcomes = [script["one_jump"](random, "short", phase) for _ in range(6)]
    assert sum(converged for converged, _ in outcomes) >= 4
    for converged, pulls in outcomes:
        assert not converged or np.all(np.abs(pulls) < 5), pulls


def weak(
    script: dict[str, Any], phase: hs.Phase, kind: str, cell: Floats, seed: int, free: Sequence[str] = ("zero",)
) -> tuple[LeBailModel, FitData]:
    pattern = script["simulate"](np.random.default_rng(seed), kind, cell, {})
    ends = (float(pattern.two_theta_deg[0]), float(pattern.two_theta_deg[-1]))
    cells = {"weak": dict(zip(script["NAMES"], cell.tolist(), strict=True))}
    model = build_model([phase], pattern.wavelength_ang, cells=cells, two_theta_deg=ends, free=free)
    return model, prepare_data(pattern, background_terms=6)


def test_minima_beside_are_minima_and_apart(script: dict[str, Any], phase: hs.Phase) -> None:
    seen = 0
    for seed in range(4):
        model, data = weak(script, phase, "short", np.array([4.91, 5.72, 4.23]), seed)
        solution = solve(model, data, start_values(model, data))
        evidence = weigh_evidence(model, data, solution)
        assert loose_phases(model, evidence) == [0]
        others = near_minima(model, data, evidence, [0])
        sigma = np.sqrt(np.diag(evidence.parameter_covariance)[:3]) * evidence.inflation
        known = [solution.values[:3]]
        for one in others:
            again = solve(model, data, one.values)
            assert again.chi2 == pytest.approx(one.chi2, abs=0.5)
            assert all(np.any(np.abs(one.values[:3] - values) > sigma) for values in known)
            known.append(one.values[:3])
            seen += 1
    assert seen


def test_strong_lines_hold_a_cell_and_nothing_beside_it_is_tried(script: dict[str, Any], phase: hs.Phase) -> None:
    model, data = weak(script, phase, "short", np.array([4.91, 5.72, 4.23]), 1)
    solution = solve(model, data, start_values(model, data))
    evidence = weigh_evidence(model, data, solution)
    strong = replace(evidence, intensity_sigma=evidence.intensity_sigma / 1e3)
    assert loose_phases(model, strong) == []


def test_minima_are_weighed_by_chi2(script: dict[str, Any], phase: hs.Phase) -> None:
    model, data = weak(script, phase, "short", np.array([4.91, 5.72, 4.23]), 1)
    solution = solve(model, data, start_values(model, data))
    moved = solution.values.copy()
    moved[0] *= 1.01
    evidence = weigh_evidence(model, data, solution)
    for apart, likely in ((0.0, 0.5), (200.0, 1.0), (-200.0, 0.0)):
        other = replace(solution, values=moved, chi2=solution.chi2 + apart)
        weighed = weigh_minima(model, data, evidence, [other])
        assert weighed.probability[0] == pytest.approx(likely, abs=1e-6)
        expected = (1 - likely) * (moved[0] - solution.values[0]) ** 2
        assert weighed.parameter_covariance[0, 0] == pytest.approx(expected, abs=1e-12 * solution.values[0] ** 2)
    near = replace(solution, values=solution.values * (1 + 1e-9))
    assert weigh_minima(model, data, evidence, [near]).probability[0] == pytest.approx(1.0)


def test_what_a_second_line_leaves_open_is_between_the_two_cells(script: dict[str, Any], phase: hs.Phase) -> None:
    cell = np.array([8.478, 5.397, 6.958])
    model, data = weak(script, phase, "tube", cell, 2, free=())
    assert is_of_a_tube(model.wavelength_ang)
    faint = replace(data, weight=data.weight / 400.0)  # as if sigma were twenty times as large: nothing misfits
    found = untold_second(model, faint, solve(model, faint, start_values(model, faint)))
    assert found is not None
    assert "Kα2 may be in it" in found.reason
    relative = np.sqrt(np.diag(found.covariance)[:3]) / start_values(model, faint)[:3]
    # of 1/d²: 8.3 in 10 000 of the axes is what the mean of Kα1 and Kα2 differs from Kα1 by
    assert np.all(relative > 0.3 * 2 * 8.3e-4)
    assert np.all(relative < 2.0 * 2 * 8.3e-4)
    assert untold_second(model, faint, solve(model, faint, start_values(model, faint)), held=["kalpha2"]) is None
    model, data = weak(script, phase, "short", np.array([4.91, 5.72, 4.23]), 2)
    assert untold_second(model, data, solve(model, data, start_values(model, data))) is None
