"""Spots that no mask took away: what they do to a cell by least squares, and by a loss that lets them stand apart."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hydrostruct.material.phase import Phase, read_phase
from hydrostruct.xrd.lebail import fit_pattern
from hydrostruct.xrd.pattern import Pattern

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


def test_spots_pull_the_cell_by_squares_and_hardly_by_the_other_losses(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    random = np.random.default_rng(22)
    errors: dict[str, list[float]] = {"squares": [], "soft-l1": [], "cauchy": []}
    for _ in range(8):
        pattern = made(simulator, random, 1500.0)
        for loss, found in errors.items():
            found.append(fit_pattern(pattern, phases, loss=loss).phases[CEH9].a_ang - simulator.CEH9[0])
    size = {loss: float(np.sqrt(np.mean(np.square(found)))) / CLEAN_SIGMA_ANG for loss, found in errors.items()}
    assert size["squares"] > 6.0, size
    assert size["soft-l1"] < 0.7 * size["squares"], size
    assert size["cauchy"] < 0.6 * size["squares"], size
