"""Spots that no mask took away: what they do to a cell by least squares, and by a loss that lets them stand apart."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hydrostruct.material.phase import Phase, read_phase
from hydrostruct.xrd.engine import fit_with_background, limit_widths, start_values
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.lebail import fit_pattern
from hydrostruct.xrd.model import build_model, fit_range, prepare_data
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.refine import refine
from hydrostruct.xrd.same_lattice import solution_cell

CEH9, CEH4 = "CeH9-P63mmc", "CeH4-I4mmm"
CLEAN_SIGMA_ANG = 1.6e-4  # of a of CeH9 in these patterns without spots
STRONG = ((1, 0, 0), (1, 0, 1), (1, 0, 2), (1, 1, 0))


@pytest.fixture(scope="module")
def phases() -> list[Phase]:
    return [read_phase(CEH9), read_phase(CEH4)]


def made(simulator: ModuleType, random: np.random.Generator, spot: float) -> Pattern:
    """A pattern with a spike of two points on the upper flank of four lines of CeH9."""
    one = simulator.simulate(random, level="mid")
    counts = one.counts.copy()
    for place in simulator.hexagonal_angles(STRONG, *simulator.CEH9, 0.6199):
        first = np.searchsorted(one.two_theta, place + 0.05)
        counts[first : first + 2] += spot
    return Pattern(
        two_theta_deg=one.two_theta, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=0.6199
    )


def numbers(fit: Any) -> tuple[np.ndarray, np.ndarray]:
    found = [fit.phases[name] for name in (CEH9, CEH4)]
    values = [value for one in found for value in (one.a_ang, one.c_ang, one.volume_ang3)]
    sigma = [value for one in found for value in (one.a_sigma_ang, one.c_sigma_ang, one.volume_sigma_ang3)]
    return np.array(values), np.array(sigma)


@pytest.mark.parametrize("loss", ["soft-l1", "cauchy"])
def test_without_spots_nothing_changes_by_a_tenth_of_sigma(
    simulator: ModuleType, phases: list[Phase], loss: str
) -> None:
    random = np.random.default_rng(21)
    for _ in range(8):
        pattern = made(simulator, random, 0.0)
        (plain, sigma), (robust, robust_sigma) = (
            numbers(fit_pattern(pattern, phases, loss=one)) for one in ("squares", loss)
        )
        assert np.all(np.abs(robust - plain) < 0.1 * sigma)
        assert np.all(np.abs(robust_sigma / sigma - 1.0) < 0.05)


def test_spots_are_taken_by_single_peaks_whatever_the_loss(simulator: ModuleType, phases: list[Phase]) -> None:
    random = np.random.default_rng(22)
    for loss in ("squares", "soft-l1", "cauchy"):
        fits = [fit_pattern(made(simulator, random, 1500.0), phases, loss=loss) for _ in range(5)]
        errors = np.array([fit.phases[CEH9].a_ang for fit in fits]) - simulator.CEH9[0]
        assert np.sqrt(np.mean(errors**2)) < 3.0 * CLEAN_SIGMA_ANG
        assert all(fit.foreign_lines_deg.size >= 4 for fit in fits)


def test_spots_pull_the_cell_by_squares_and_hardly_by_the_other_losses(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    """Where nothing stands beside the phases that could take them."""
    random = np.random.default_rng(22)
    errors: dict[str, list[float]] = {"squares": [], "soft-l1": [], "cauchy": []}
    for _ in range(8):
        pattern = made(simulator, random, 1500.0)
        model = build_model(phases, 0.6199, two_theta_deg=fit_range(pattern, None))
        data = prepare_data(pattern)
        model = limit_widths(model, line_width(data))
        solution, data = fit_with_background(model, data, start_values(model, data), terms=12)
        for loss, found in errors.items():
            refined = refine(model, data, solution, method="pawley", loss=loss)
            found.append(solution_cell(model, refined.solution, 0).a_ang - simulator.CEH9[0])
    size = {loss: float(np.sqrt(np.mean(np.square(found)))) / CLEAN_SIGMA_ANG for loss, found in errors.items()}
    assert size["squares"] > 6.0, size
    assert size["soft-l1"] < 0.7 * size["squares"], size
    assert size["cauchy"] < 0.6 * size["squares"], size
