"""A phase whose lines are many times as wide as those of the other."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hydrostruct.material.phase import Phase, read_phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.broad_phases import is_better, room_of, widths_near_limit, with_room
from hydrostruct.xrd.engine import fit_with_background, limit_widths, start_values
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.lebail import fit_pattern, fit_patterns
from hydrostruct.xrd.model import FitData, LeBailModel, build_model, fit_range, prepare_data
from hydrostruct.xrd.pattern import Pattern

CEH9, CEH4 = "CeH9-P63mmc", "CeH4-I4mmm"


@pytest.fixture(scope="module")
def phases() -> list[Phase]:
    return [read_phase(CEH9), read_phase(CEH4)]


def made(
    simulator: ModuleType,
    random: np.random.Generator,
    *,
    size: float,
    level: float = 5000.0,
    more: Any = 0.0,
    off: float = 8e-3,
) -> tuple[Pattern, np.ndarray]:
    """CeH9 with lines of a width of its own beside CeH4, and the true axes, up to 0.8 % from those of
    the phases."""
    ceh9, ceh4 = (np.array(axes) * (1 + random.uniform(-off, off, 2)) for axes in (simulator.CEH9, simulator.CEH4))
    sharp = simulator.simulate(random, ceh9=None, ceh4=tuple(ceh4), ceh4_share=1.0)
    broad = simulator.simulate(random, ceh4=None, ceh9=tuple(ceh9), level=(level, 1.0), size=size)
    counts = sharp.counts + broad.counts + random.poisson(np.broadcast_to(more, sharp.counts.shape))
    pattern = Pattern(
        two_theta_deg=sharp.two_theta, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=0.6199
    )
    return pattern, np.concatenate((ceh9, ceh4))


def pulls(fit: Any, truth: np.ndarray) -> np.ndarray:
    both = [fit.phases[name] for name in (CEH9, CEH4)]
    values = np.array([value for one in both for value in (one.a_ang, one.c_ang)])
    sigma = np.array([value for one in both for value in (one.a_sigma_ang, one.c_sigma_ang)])
    return np.asarray((values - truth) / sigma)


def prepared(pattern: Pattern, phases: list[Phase]) -> tuple[LeBailModel, FitData]:
    limits = fit_range(pattern, None)
    model = build_model(phases, pattern.wavelength_ang, two_theta_deg=limits)
    data = prepare_data(pattern, two_theta_deg=None, exclude_deg=(), background_terms=24, limits=limits)
    return limit_widths(model, line_width(data)), data


@pytest.mark.parametrize("size", [0.25, 0.5])
def test_cells_and_widths_are_true(simulator: ModuleType, phases: list[Phase], size: float) -> None:
    random = np.random.default_rng(51)
    found = []
    for _ in range(12):
        pattern, truth = made(simulator, random, size=size)
        fit = fit_pattern(pattern, phases)
        assert fit.verdict in (Verdict.CONVERGED, Verdict.DOUBTFUL)
        assert not any("limit" in note for note in fit.warnings)
        known = fit.phases[CEH9].widths
        assert known.size_deg == pytest.approx(size, rel=0.35)
        assert fit.phases[CEH4].widths.size_deg < 0.06
        found.append(pulls(fit, truth))
    assert np.abs(found).max() < 4.5
    assert 0.7 < np.sqrt(np.mean(np.square(found))) < 1.35


def test_a_strangers_line_beside_them_is_no_hindrance(simulator: ModuleType, phases: list[Phase]) -> None:
    random = np.random.default_rng(52)
    x = made(simulator, random, size=0.4)[0].two_theta_deg
    for place in (9.3, 14.6, 18.1):
        stranger = 2000.0 * np.exp(-(((x - place) / 0.05) ** 2))
        pattern, truth = made(simulator, random, size=0.4, more=stranger)
        fit = fit_pattern(pattern, phases)
        assert np.abs(pulls(fit, truth)).max() < 4.5
        assert fit.foreign_lines_deg == pytest.approx([place], abs=0.02)


def test_in_a_series_broad_lines_come_and_go(simulator: ModuleType, phases: list[Phase]) -> None:
    """A phase far wider from the third pattern to the fifth: neither side spoils the other."""
    random = np.random.default_rng(53)
    sizes = [0.02, 0.02, 0.4, 0.45, 0.35, 0.02]
    pairs = [made(simulator, random, size=size, level=20000.0 if size > 0.1 else 3000.0) for size in sizes]
    fits = fit_patterns([pattern for pattern, _ in pairs], phases)
    for fit, (_, truth), size in zip(fits, pairs, sizes, strict=True):
        assert np.abs(pulls(fit, truth)).max() < 4.5
        assert fit.phases[CEH9].widths.size_deg == pytest.approx(size, abs=0.1 * size + 0.02)
    again = fit_pattern(pairs[3][0], phases, seed=fits[4])
    assert again.phases[CEH9].a_ang == pytest.approx(fits[3].phases[CEH9].a_ang, abs=1e-4)


def test_a_gasket_is_no_broad_line(simulator: ModuleType, phases: list[Phase]) -> None:
    """A hump where one line of a phase lies that has others: these stay narrow."""
    random = np.random.default_rng(54)
    x = made(simulator, random, size=0.02)[0].two_theta_deg
    for place in (13.5, 16.0, 19.0):
        hump = 3000.0 * np.exp(-(((x - place) / 0.25) ** 2))
        pattern, truth = made(simulator, random, size=0.02, level=2000.0, more=hump)
        fit = fit_pattern(pattern, phases)
        assert np.abs(pulls(fit, truth)).max() < 4.5
        assert all(phase.widths.size_deg < 0.06 for phase in fit.phases.values())


def test_only_widths_of_phases_that_are_there_get_room(simulator: ModuleType, phases: list[Phase]) -> None:
    model, data = prepared(made(simulator, np.random.default_rng(55), size=0.4, off=0.0)[0], phases)
    solution, _ = fit_with_background(model, data, start_values(model, data), terms=None)
    name = f"size:{CEH9}"
    row = model.parameter_names.index(name)
    nowhere, gone = np.zeros(2, dtype=np.bool_), np.array([True, False])
    assert widths_near_limit(model, solution, nowhere) == {name: pytest.approx(6.0 * model.highest[row])}
    assert widths_near_limit(model, solution, gone) == {}
    wide = with_room(model, {name: 1.5, "size:not in the model": 1.0})
    assert wide.highest[row] == 1.5
    assert np.delete(wide.highest, row) == pytest.approx(np.delete(model.highest, row))
    assert with_room(model, {name: 1e-6}).highest[row] == model.highest[row]
    seed = model.start.copy()
    assert room_of(model, seed) == {}
    seed[row] = 2.0 * model.highest[row]
    assert room_of(model, seed) == {name: pytest.approx(4.0 * model.highest[row])}


def test_a_fit_is_better_by_its_cost_and_at_rest(simulator: ModuleType, phases: list[Phase]) -> None:
    model, data = prepared(made(simulator, np.random.default_rng(56), size=0.02, off=0.0)[0], phases)
    solution, used = fit_with_background(model, data, start_values(model, data), terms=None)
    good = Explained(model=model, solution=solution, data=used)
    worse = replace(good, solution=replace(solution, chi2=1.2 * solution.chi2))
    assert is_better(good, worse)
    assert not is_better(worse, good)
    assert not is_better(good, good)
    assert not is_better(replace(good, solution=replace(solution, converged=False)), worse)
