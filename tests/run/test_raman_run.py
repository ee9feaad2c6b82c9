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


@pytest.mark.parametrize("option", [{"reach_um": 3.0}, {"offset_um": (1.0, 0.0)}, {"rotation_deg": 5.0}])
def test_what_is_said_of_positions_that_are_not_given_is_refused(
    folder: tuple[Path, list[tuple[float, float]]], option: dict[str, object]
) -> None:
    with pytest.raises(InputError, match=r"given without 'raman\.positions'"):
        analyse_raman(RamanSection(edge="edge_*.txt", **option), folder[0], 12)


def write_positions(base: Path, places: np.ndarray, name: str = "raman_positions.csv") -> None:
    rows = "".join(f"edge_{k}.txt,{x:.6f},{y:.6f}\n" for k, (x, y) in enumerate(places, 1))
    (base / name).write_text(f"file,x_um,y_um\n{rows}")


def test_spectra_at_positions_of_their_own_come_to_the_nearest_point(
    folder: tuple[Path, list[tuple[float, float]]], tmp_path: Path
) -> None:
    for number in range(1, 13):
        (tmp_path / f"edge_{number}.txt").write_bytes((folder[0] / f"edge_{number}.txt").read_bytes())
    places = grid_points((3, 4), step_um=(5.0, 5.0))
    on_map = np.array([(place.x_um, place.y_um) for place in places])
    order = np.random.default_rng(6).permutation(12)
    moved = on_map[order] + np.random.default_rng(7).uniform(-1.0, 1.0, (12, 2))
    # the stage of the spectrometer is turned and off: the table holds its own numbers
    angle = math.radians(30.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    write_positions(tmp_path, (moved - np.array([100.0, -40.0])) @ turn)  # the inverse of: turn, then add
    section = RamanSection(
        edge="edge_*.txt", positions="raman_positions.csv", offset_um=(100.0, -40.0), rotation_deg=30.0
    )
    points, notes = analyse_raman(section, tmp_path, 12, places=places)
    for number, one in enumerate(points):
        taken = int(np.flatnonzero(order == number)[0])
        assert abs(one.edge.edge_cm1 - folder[1][taken][0]) < 5 * one.edge.edge_sigma_cm1
        assert one.edge_distance_um == pytest.approx(float(np.hypot(*(moved[taken] - on_map[number]))), abs=1e-4)
        assert math.isnan(one.vibron_distance_um)
    assert "12 of 12 points have one within 2.5 µm" in notes[0]


def test_a_point_without_a_spectrum_within_reach_has_none_and_says_how_far_the_next_is(
    folder: tuple[Path, list[tuple[float, float]]], tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / f"edge_{number}.txt").write_bytes((folder[0] / f"edge_{number}.txt").read_bytes())
    write_positions(tmp_path, np.array([(0.4, 0.0), (10.0, 0.0)]))
    places = grid_points((1, 4), step_um=(5.0, 5.0))
    section = RamanSection(edge="edge_*.txt", positions="raman_positions.csv")
    points, notes = analyse_raman(section, tmp_path, 4, places=places)
    assert [one.edge is None for one in points] == [False, True, False, True]
    assert "within 2.5 µm of the point; the nearest is 4.6 µm away" in points[1].reason
    assert points[1].edge_distance_um == pytest.approx(4.6)
    assert "2 of 4 points" in notes[0]
    wide = section.model_copy(update={"reach_um": 6.0})
    assert all(one.edge is not None for one in analyse_raman(wide, tmp_path, 4, places=places)[0])


def test_positions_that_do_not_fit_are_refused(folder: tuple[Path, list[tuple[float, float]]], tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"edge_{number}.txt").write_bytes((folder[0] / f"edge_{number}.txt").read_bytes())
    write_positions(tmp_path, np.array([(0.0, 0.0)]))
    places = grid_points((1, 2), step_um=(5.0, 5.0))
    section = RamanSection(edge="edge_*.txt", positions="raman_positions.csv")
    with pytest.raises(InputError, match=r"no row for .*edge_2\.txt"):
        analyse_raman(section, tmp_path, 2, places=places)
    write_positions(tmp_path, np.array([(0.0, 0.0), (5.0, 0.0)]))
    with pytest.raises(InputError, match="positions on a map without"):
        analyse_raman(section, tmp_path, 2, places=grid_points((1, 2)))
    with pytest.raises(InputError, match="hold no positions"):
        analyse_raman(section.model_copy(update={"positions": "own"}), tmp_path, 2, places=places)
    (tmp_path / "raman_positions.csv").write_text("x_um,y_um\n0,0\n5,0\n9,9\n")
    with pytest.raises(InputError, match="3 rows, but 2 spectra"):
        analyse_raman(section, tmp_path, 2, places=places)


def test_a_map_file_brings_its_own_positions(tmp_path: Path) -> None:
    blocks = ["x\ty\twave\tintensity"]
    for number, at in enumerate((20.0, 10.0)):
        shift, counts, _, _ = simulate_edge(np.random.default_rng(number), 95.0)
        blocks += [f"{at}\t3.0\t{v:.3f}\t{c:.0f}" for v, c in zip(shift, counts, strict=True)]
    (tmp_path / "map.txt").write_text("\n".join(blocks) + "\n")
    section = RamanSection(edge="map.txt", positions="own", offset_um=(-10.0, -3.0))
    points, _ = analyse_raman(section, tmp_path, 2, places=grid_points((1, 2), step_um=(10.0, 10.0)))
    assert [one.edge.file.rsplit("::", 1)[1] for one in points] == ["1", "0"]
    assert all(one.edge_distance_um == pytest.approx(0.0, abs=1e-9) for one in points)
