"""Raman spectra of a run: each point its own, one for all, and what is said when they do not fit."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.grid import grid_points
from hydrostruct.results.record import PointRaman
from hydrostruct.run.config import RamanSection
from hydrostruct.run.raman import analyse_raman, pressure_gradient
from hydrostruct.simulate.spectra import simulate_edge, simulate_vibron, spectrum_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[float, float]]]:
    """Simulated spectra of twelve points whose pressure grows by 0.8 GPa a step; numbers without leading zeros."""
    base = tmp_path_factory.mktemp("raman")
    truth = []
    for number in range(1, 13):
        rng = np.random.default_rng(number)
        pressure = 90.0 + 0.8 * number
        shift, counts, edge, _ = simulate_edge(rng, pressure)
        (base / f"edge_{number}.txt").write_text(spectrum_text("SIMULATED", shift, counts))
        shift, counts, vibron = simulate_vibron(rng, pressure)
        (base / f"vibron_{number}.txt").write_text(spectrum_text("SIMULATED", shift, counts))
        truth.append((edge, vibron))
    return base, truth


@pytest.fixture(scope="module")
def found(folder: tuple[Path, list[tuple[float, float]]]) -> tuple[PointRaman, ...]:
    section = RamanSection(edge="edge_*.txt", vibron="vibron_*.txt")
    return analyse_raman(section, folder[0], 12)[0]


def test_every_point_gets_its_own_spectra_in_natural_order(
    found: tuple[PointRaman, ...], folder: tuple[Path, list[tuple[float, float]]]
) -> None:
    for one, (edge, vibron) in zip(found, folder[1], strict=True):
        assert abs(one.edge.edge_cm1 - edge) < 5 * one.edge.edge_sigma_cm1
        assert abs(one.vibron.vibron_cm1 - vibron) < 5 * one.vibron.vibron_sigma_cm1
        assert one.pressure.pressure_systematic_gpa > one.pressure.pressure_sigma_gpa
        # the edge says which of the two pressures of a vibron is meant
        assert [branch.branch for branch in one.vibron.branches] == ["upper"]
    pressures = [one.pressure.pressure_gpa for one in found]
    assert np.all(np.diff(pressures) > 0)


def test_the_gradient_is_that_of_a_plane_with_its_error(found: tuple[PointRaman, ...]) -> None:
    truth = (95.0, 0.3, -0.2)
    rng = np.random.default_rng(4)
    places = grid_points((4, 5), step_um=(2.0, 3.0))
    made = []
    for place in places:
        value = truth[0] + truth[1] * (place.x_um - 4.0) + truth[2] * (place.y_um - 4.5) + rng.normal(0, 0.1)
        pressure = replace(found[0].pressure, pressure_gpa=value, pressure_sigma_gpa=0.1)
        made.append(PointRaman(edge=None, pressure=pressure, vibron=None, reason=""))
    words = pressure_gradient(places, made).replace("+", "").split()
    middle, middle_sigma = float(words[5]), float(words[7])
    assert abs(middle - truth[0]) < 4 * middle_sigma < 0.2
    along = [words.index("along"), len(words) - 2]
    for at, true in zip(along, truth[1:], strict=True):
        numbers = [float(word.strip(".")) for word in words[:at] if word.strip("-.").replace(".", "").isdigit()][-2:]
        assert abs(numbers[0] - true) < 4 * numbers[1] < 0.1
    missing = [replace(one, pressure=None) for one in made]
    assert pressure_gradient(places, missing) == ""
    assert pressure_gradient(grid_points((1, 20), step_um=(1.0, 1.0)), made) == ""


def test_one_spectrum_for_the_run_stands_at_every_point_and_says_so(
    folder: tuple[Path, list[tuple[float, float]]],
) -> None:
    points, notes = analyse_raman(RamanSection(edge="edge_3.txt"), folder[0], 4)
    assert len({one.edge.edge_cm1 for one in points}) == 1
    assert all(one.vibron is None for one in points)
    assert notes == ("raman.edge: one spectrum for the run; its numbers stand at every point.",)


def test_a_spectrum_that_cannot_be_read_is_a_reason_at_its_point(
    folder: tuple[Path, list[tuple[float, float]]], tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"e{number}.txt").write_bytes((folder[0] / f"edge_{number}.txt").read_bytes())
    (tmp_path / "e2.txt").write_bytes(b"\x00\x01 broken")
    points, _ = analyse_raman(RamanSection(edge="e*.txt"), tmp_path, 3)
    assert points[1].edge is None
    assert "e2.txt" in points[1].reason
    assert math.isfinite(points[0].edge.edge_cm1)
    assert math.isfinite(points[2].edge.edge_cm1)


def test_a_number_of_spectra_that_fits_no_map_is_refused(folder: tuple[Path, list[tuple[float, float]]]) -> None:
    with pytest.raises(InputError, match="12 spectra for 9 points"):
        analyse_raman(RamanSection(edge="edge_*.txt"), folder[0], 9)
    with pytest.raises(InputError, match=r"no file matches raman\.vibron"):
        analyse_raman(RamanSection(vibron="none_*.txt"), folder[0], 9)
    with pytest.raises(InputError, match="akahama2006"):
        analyse_raman(RamanSection(edge="edge_1.txt", scale="akahama2005"), folder[0], 9)
