"""A measured map, nine frames of a raster in a diamond anvil cell, from its folder to its tables."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import hydrostruct as hs

GEOMETRY = (
    "poni_version: 2.1\nDetector: Detector\n"
    'Detector_config: {"pixel1": 0.000172, "pixel2": 0.000172, "max_shape": [1043, 981], "orientation": 2}\n'
    "Distance: 0.284634930882\nPoni1: 0.08722\nPoni2: 0.08342\nRot1: -0.000251\nRot2: 0.000603\nRot3: 0\n"
    "Wavelength: 3.344e-11\n"
)
CUBIC = (
    'name = "primitive-cubic"\nformula = "FeO"\n[structure]\nspace_group_number = 221\nspace_group_symbol = "Pm-3m"\n'
    'formula_units = 1\nmetal_atoms_per_formula_unit = 1\nsource = "indexing of two lines"\nconfidence = "derived"\n'
    '[cell]\npressure_gpa = 0\na_ang = 2.683\nsource = "indexing of two lines"\nconfidence = "derived"\n'
)


@pytest.fixture(scope="module")
def outcome(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[hs.RunResult, Path]:
    folder = tmp_path_factory.mktemp("fe3o4")
    (folder / "fe.poni").write_text(GEOMETRY)
    (folder / "cubic.toml").write_text(CUBIC)
    images = (shared_data / "dac_map_fe3o4").resolve() / "*.tif"
    (folder / "run.toml").write_text(
        f'title = "measured map"\n[map]\nshape = [3, 3]\n[diffraction]\nimages = "{images.as_posix()}"\n'
        'geometry = "fe.poni"\ntwo_theta_deg = [5.0, 20.0]\n[[phases]]\nname = "cubic.toml"\n'
    )
    return hs.run(folder / "run.toml", out=folder / "out"), folder / "out"


def test_frames_come_in_scan_order_at_the_places_of_their_headers(
    outcome: tuple[hs.RunResult, Path], shared_data: Path
) -> None:
    with (shared_data / "dac_map_fe3o4" / "positions.csv").open() as stream:
        expected = [
            (row["file"], 1e3 * float(row["horizontal_mm"]), 1e3 * float(row["vertical_mm"]), float(row["exposure_s"]))
            for row in csv.DictReader(stream)
        ]
    for point, (name, x, y, exposure) in zip(outcome[0].points, expected, strict=True):
        assert Path(point.file).name == name
        np.testing.assert_allclose((point.place.x_um, point.place.y_um), (x, y), atol=1e-6)
        assert point.exposure_s == pytest.approx(exposure, abs=2e-3)


def test_a_primitive_cubic_cell_is_held_by_two_lines_and_doubted(outcome: tuple[hs.RunResult, Path]) -> None:
    """Two lines lie at d = 2.68 and 1.897 Å; most of the Bragg intensity belongs to something else, and it is said."""
    cells = []
    for point in outcome[0].points:
        assert point.fit is not None
        found = point.fit.phases["primitive-cubic"]
        assert point.fit.verdict in (hs.Verdict.DOUBTFUL, hs.Verdict.ABSENT)
        assert point.fit.foreign_lines_deg.size >= 5
        # a spotty phase puts a line at 8.17° everywhere, and single crystals at 11.49°
        for angle in (8.17, 11.49):
            assert np.min(np.abs(point.fit.foreign_lines_deg - angle)) < 0.06
        if found.detected:
            cells.append(found.a_ang)
    assert len(cells) >= 7
    assert np.median(cells) == pytest.approx(2.684, abs=0.006)
    assert np.ptp(cells) < 0.04


def test_the_figures_and_tables_of_the_map_are_written(outcome: tuple[hs.RunResult, Path]) -> None:
    _, out = outcome
    names = {path.name for path in (out / "figures").iterdir()}
    assert {"overview.png", "map_primitive-cubic_volume_per_fu_ang3.png", "fit_001.png", "fit_009.png"} <= names
    assert (out / "steady_spots.tif").is_file()
    with (out / "points.csv").open() as stream:
        assert [row["point"] for row in csv.DictReader(stream)] == [str(number) for number in range(1, 10)]
