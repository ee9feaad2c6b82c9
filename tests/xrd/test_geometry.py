"""Calibrations of pyFAI: versions, orientation, and what is wrong with a broken one."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.geometry import Geometry, read_geometry

VERSION_1 = """# Calibration
PixelSize1: 0.000172
PixelSize2: 0.000172
Distance: 0.2
Poni1: 0.09
Poni2: 0.08
Rot1: 0.01
Rot2: -0.02
Rot3: 0.0
SplineFile: None
Wavelength: 4.066e-11
"""
VERSION_2 = """poni_version: 2.1
Detector: Detector
Detector_config: {"pixel1": 0.000172, "pixel2": 0.000172, "max_shape": null, "orientation": 2}
Distance: 0.2
Poni1: 0.09
Poni2: 0.08
Rot1: 0.01
Rot2: -0.02
Rot3: 0.0
Wavelength: 4.066e-11
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "cell.poni"
    path.write_text(text)
    return path


def test_version_1_gives_lengths_in_metres_and_the_wavelength_in_angstrom(tmp_path: Path) -> None:
    geometry = read_geometry(written(tmp_path, VERSION_1))
    assert (geometry.distance_m, geometry.poni1_m, geometry.poni2_m) == (0.2, 0.09, 0.08)
    assert (geometry.rot1_rad, geometry.rot2_rad, geometry.rot3_rad) == (0.01, -0.02, 0.0)
    assert geometry.wavelength_ang == pytest.approx(0.4066, rel=1e-12)
    assert geometry.orientation == 3
    assert geometry.pixel1_m == geometry.pixel2_m == 0.000172


def test_the_orientation_of_version_2_1_is_kept_and_an_option_replaces_it(tmp_path: Path) -> None:
    path = written(tmp_path, VERSION_2)
    assert read_geometry(path).orientation == 2
    assert read_geometry(path, orientation=4).orientation == 4


def test_of_several_calibrations_in_one_file_the_last_counts(tmp_path: Path) -> None:
    path = written(tmp_path, VERSION_1 + VERSION_1.replace("Distance: 0.2", "Distance: 0.3"))
    assert read_geometry(path).distance_m == 0.3


def test_a_wavelength_given_replaces_the_one_in_the_file(tmp_path: Path) -> None:
    assert read_geometry(written(tmp_path, VERSION_1), wavelength_ang=0.62).wavelength_ang == 0.62


def test_a_file_without_wavelength_gives_nan(tmp_path: Path) -> None:
    path = written(tmp_path, VERSION_1.replace("Wavelength: 4.066e-11\n", ""))
    assert math.isnan(read_geometry(path).wavelength_ang)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Distance: 0.2", "Distance: far", r"line 4: 'Distance' is 'far'\. Expected a number"),
        ("Poni1: 0.09\n", "", r"no line 'Poni1"),
        ("Distance: 0.2\n", "", r"no line 'Distance"),
        ("Distance: 0.2", "Distance: -0.2", r"distance is -0\.2 m"),
        ("Wavelength: 4.066e-11", "Wavelength: 0.4066", r"wavelength is 4\.066e\+09 Å"),
        ("Wavelength: 4.066e-11", "Wavelength: nan", r"line 11: 'Wavelength' is 'nan'"),
        ("SplineFile: None", "SplineFile: frelon.spline", r"spline 'frelon\.spline'"),
        ("PixelSize1: 0.000172\nPixelSize2: 0.000172\n", "", r"neither pixel sizes nor a detector"),
    ],
)
def test_a_broken_version_1_is_told_with_its_line(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in VERSION_1
    with pytest.raises(InputError, match=sentence):
        read_geometry(written(tmp_path, VERSION_1.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"orientation": 2}', '"orientation": 2', r"line 3: 'Detector_config' is .* Expected JSON"),
        ('"orientation": 2', '"orientation": 7', r"orientation is 7"),
        ('"pixel1": 0.000172', '"pixel1": "wide"', r"pixel sizes are 'wide'"),
        ('"max_shape": null', '"max_shape": 5', r"'max_shape' is 5"),
        ("poni_version: 2.1", "poni_version: 3", r"poni_version is 3"),
    ],
)
def test_a_broken_version_2_is_told(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in VERSION_2
    with pytest.raises(InputError, match=sentence):
        read_geometry(written(tmp_path, VERSION_2.replace(old, new)))


def test_an_orientation_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="orientation is 5"):
        read_geometry(written(tmp_path, VERSION_1), orientation=5)


def test_a_missing_and_a_binary_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_geometry(tmp_path / "none.poni")
    (tmp_path / "image.poni").write_bytes(b"II*\x00" + bytes(50))
    with pytest.raises(InputError, match="binary"):
        read_geometry(tmp_path / "image.poni")


def numbers(geometry: Geometry) -> tuple[float, ...]:
    parts = dataclasses.asdict(geometry)
    return tuple(parts[name] for name in sorted(parts) if isinstance(parts[name], float))


def test_the_two_versions_of_measured_calibrations_are_one_geometry(shared_data: Path) -> None:
    folder = shared_data / "geometry"
    names = sorted(folder.glob("LaB6_30keV*.poni"))
    assert len(names) == 4
    assert len({numbers(read_geometry(name)) for name in names}) == 1


def test_every_measured_calibration_loads(shared_data: Path) -> None:
    for path in sorted((shared_data / "geometry").glob("*.poni")):
        geometry = read_geometry(path)
        assert 0.1 < geometry.wavelength_ang < 1.0
    assert read_geometry(shared_data / "geometry/LaB6_40keV_MarCCD_new_with_orientation.poni").orientation == 2
    assert read_geometry(shared_data / "geometry/Ti64_908mm_refined.poni").detector == "PilatusCdTe2M"
