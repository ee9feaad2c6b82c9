"""What parts of a wide pattern, and a beam that was found by trial, do to the sigma of a cell; SIMULATED patterns."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd import part_spread as room
from hydrostruct.xrd.engine import fit_with_background, limit_widths, solve, start_values
from hydrostruct.xrd.evidence import Evidence, weigh_evidence
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.model import FitData, LeBailModel, build_model, prepare_data, without_points
from tests.xrd.test_asked_terms import AU, CUBIC_F, angle, counted, doublet, leaning

Floats = NDArray[np.float64]
WAVELENGTH = 0.4


def bent(simulator: ModuleType, *, drift: float, seed: int) -> hs.Pattern:
    """Gold whose lines lie beside their places by an amount that no cell follows, smoothly with the angle."""
    x = np.arange(10.0, 62.0, 0.01)
    clean = np.full(x.size, 80.0)
    areas = np.random.default_rng(seed).uniform(50.0, 300.0, len(CUBIC_F))
    for square, area in zip(CUBIC_F, areas, strict=True):
        center = angle(WAVELENGTH, square)
        if center < 63.0:
            seen = center + drift * math.sin(math.radians(8.0 * center))
            clean += simulator.peak(x, seen, area, 0.06, 0.03 / math.cos(math.radians(center / 2)))
    return counted(x, clean, WAVELENGTH, seed)


def fitted(pattern: hs.Pattern) -> tuple[LeBailModel, FitData, Evidence]:
    model = build_model(
        [hs.read_phase("Au")], WAVELENGTH, two_theta_deg=(10.0, 62.0), cells={"Au": {"a_ang": AU}}, free=["zero"]
    )
    data = prepare_data(pattern)
    model = limit_widths(model, line_width(data))
    solution, data = fit_with_background(model, data, start_values(model, data), terms=4)
    return model, data, weigh_evidence(model, data, solution)


def test_leaving_parts_out_to_first_order_is_fitting_without_them(simulator: ModuleType) -> None:
    model, data, evidence = fitted(bent(simulator, drift=0.01, seed=1))
    spread = room.part_spread(model, data, evidence)
    assert spread is not None
    assert spread.by_parts is not None
    without = []
    for rows in room.part_rows(data, room._strong_places(evidence)):
        left_out = np.zeros(data.position.size, dtype=np.bool_)
        left_out[rows] = True
        without.append(solve(model, without_points(data, left_out), evidence.solution.values).values)
    away = np.array(without) - np.mean(without, axis=0)
    slow = np.sqrt((len(away) - 1) / len(away) * np.sum(away**2, axis=0))
    places = [index for index, name in enumerate(model.parameter_names) if name.startswith(("cell", "zero"))]
    np.testing.assert_allclose(np.sqrt(np.diag(spread.by_parts))[places], slow[places], rtol=0.25)
    assert np.all(spread.by_beam == 0.0)


def test_a_misfit_that_goes_smoothly_with_the_angle_is_in_the_sigma(simulator: ModuleType) -> None:
    pulls, alone = [], []
    for seed in range(6):
        pattern = bent(simulator, drift=0.006 * (-1) ** seed, seed=seed)
        fit = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}, free=["zero"])
        found = fit.phases["Au"]
        pulls.append((found.a_ang - AU) / found.a_sigma_ang)
        alone.append((found.a_ang - AU) / found.a_statistical_ang)
    assert max(abs(pull) for pull in pulls) < 3.0
    assert max(abs(pull) for pull in alone) > 10.0


def test_a_pattern_that_is_fitted_has_no_scatter_of_parts(simulator: ModuleType) -> None:
    model, data, evidence = fitted(bent(simulator, drift=0.0, seed=2))
    assert room.part_spread(model, data, evidence) is None


@pytest.mark.parametrize("kind", ["axial", "second line"])
def test_a_beam_found_by_trial_is_in_the_sigma(simulator: ModuleType, kind: str) -> None:
    pulls = []
    for seed in range(12):
        made = leaning(simulator, height=0.015, seed=seed) if kind == "axial" else doublet(simulator, seed=seed)
        found = hs.fit_pattern(made, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}).phases["Au"]
        pulls.append((found.a_ang - AU) / found.a_sigma_ang)
    # 12 seeds: in 999 of 1000 cases a spread lies within 0.42 and 1.66
    assert 0.42 < np.sqrt(np.mean(np.square(pulls))) < 1.66
