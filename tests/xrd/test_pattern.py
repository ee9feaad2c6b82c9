from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.pattern import Pattern, read_pattern, write_pattern

WAVELENGTH = 0.6199
ANGLES = np.array([5.0, 5.01, 5.02, 5.03])
COUNTS = np.array([100.0, 121.0, 400.0, 0.25])


def pattern(**changes: object) -> Pattern:
    values = {"two_theta_deg": ANGLES, "intensity": COUNTS, "wavelength_ang": WAVELENGTH, **changes}
    return Pattern(**values)  # type: ignore[arg-type]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_without_sigma_it_is_the_root_of_the_counts_and_at_least_one() -> None:
    made = pattern()
    np.testing.assert_array_equal(made.sigma, [10.0, 11.0, 20.0, 1.0])
    assert made.sigma_source == "counting"


def test_arrays_are_copies_that_nobody_can_change() -> None:
    mine = COUNTS.copy()
    made = pattern(intensity=mine, sigma=[1, 1, 1, 1])
    mine[0] = 7.0
    assert made.intensity[0] == 100.0
    for array in (made.two_theta_deg, made.intensity, made.sigma):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_lists_of_integers_are_taken() -> None:
    made = pattern(two_theta_deg=[1, 2, 3], intensity=[4, 5, 6])
    assert made.intensity.dtype == np.float64


def test_a_point_that_was_not_measured_stays_in_its_place() -> None:
    made = pattern(intensity=[1.0, np.nan, 3.0, 4.0], sigma=[1.0, np.nan, 1.0, 1.0])
    assert np.isnan(made.intensity[1])
    assert made.intensity.size == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"two_theta_deg": ANGLES[::-1]}, "does not rise at 5.02°"),
        ({"two_theta_deg": [5.0, 5.01, 5.01, 5.03]}, "does not rise at 5.01°. Expected rising angles without repeats"),
        ({"two_theta_deg": [5.0, np.nan, 5.02, 5.03]}, "1 angle.s. are not numbers"),
        ({"two_theta_deg": [5.0, 5.01, 5.02]}, r"shape \(3,\), intensity \(4,\)"),
        ({"two_theta_deg": [5.0], "intensity": [1.0]}, r"1 point\(s\)"),
        ({"two_theta_deg": [500.0, 501.0, 502.0, 2500.0]}, "from 500 to 2500. Expected degrees"),
        ({"intensity": [np.nan] * 4}, "no intensity is a number"),
        ({"intensity": [1.0, 1e200, 1.0, 1.0]}, r"an intensity is 1e\+200. Expected numbers below"),
        ({"sigma": [1.0, 0.0, 1.0, 0.0]}, "sigma is 0 at 2 of 4 points. Expected values above 0"),
        ({"sigma": [1.0, -2.0, 1.0, 1.0]}, "sigma is -2 at 1 of 4 points"),
        ({"sigma": [1.0, np.nan, 1.0, 1.0]}, "sigma is nan at 1 of 4 points"),
        ({"sigma": [1.0, 1e-200, 1.0, 1.0]}, "sigma is 1e-200 somewhere. Expected 1e-30 to 1e.30"),
        ({"sigma": [1.0, 1e200, 1.0, 1.0]}, r"sigma is 1e\+200 somewhere"),
        ({"sigma": [1.0, 1.0]}, r"sigma has shape \(2,\)"),
        ({"wavelength_ang": 0.6199e-10}, r"Expected Å, from 0.08 to 5. In metres\? Then give 0.6199\."),
        ({"wavelength_ang": 0.06199}, r"In nanometres\? Then give 0.6199\."),
        ({"wavelength_ang": 0.03344}, r"In nanometres\? Then give 0.3344\."),
        ({"wavelength_ang": 20.0}, r"An energy in keV\? Then give 0.619921\."),
        ({"wavelength_ang": 20000.0}, r"An energy in eV\? Then give 0.619921\."),
        ({"wavelength_ang": 0.0}, "the wavelength is 0. Expected Å"),
        ({"wavelength_ang": -0.6}, "the wavelength is -0.6. Expected Å"),
        ({"wavelength_ang": np.nan}, "the wavelength is nan. Expected Å"),
    ],
)
def test_wrong_arrays_are_refused_with_the_value_and_the_cure(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        pattern(**changes)


def test_a_message_names_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xy", "5.0 1\n5.1 2\n")
    with pytest.raises(InputError, match=r"a\.xy: the wavelength is 62"):
        read_pattern(path, wavelength_ang=62)


def test_xy_has_two_columns_and_says_what_sigma_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xy", "# 2th_deg I\n5.0 100\n5.01 121\n")
    read = read_pattern(path, wavelength_ang=WAVELENGTH)
    np.testing.assert_array_equal(read.sigma, [10.0, 11.0])
    assert read.sigma_source == "counting"
    assert read.notes == ("The file has no uncertainties: sigma is the square root of max(intensity, 1).",)
    assert read.name == str(path)


def test_xye_has_three_columns(tmp_path: Path) -> None:
    read = read_pattern(write(tmp_path / "a.xye", "5.0 100 3\n5.01 121 4\n"), wavelength_ang=WAVELENGTH)
    np.testing.assert_array_equal(read.sigma, [3.0, 4.0])
    assert read.sigma_source == "given"
    assert read.notes == ()


def test_chi_has_four_lines_before_its_columns(tmp_path: Path) -> None:
    text = "T:\\folder\\a.chi\n2th_deg\n\n       2\n 5.0E+00  1.0E+02\n 5.01E+00  1.21E+02\n"
    read = read_pattern(write(tmp_path / "a.chi", text), wavelength_ang=WAVELENGTH)
    np.testing.assert_array_equal(read.two_theta_deg, [5.0, 5.01])


def test_fxye_counts_in_centidegrees(tmp_path: Path) -> None:
    text = "title of 1 2 3\nBANK 1 3 3 CONST 500.0 1.0 0 0 FXYE\n500.0 100 3\n501.0 121 4\n502.0 90 5\n"
    read = read_pattern(write(tmp_path / "a.fxye", text), wavelength_ang=WAVELENGTH)
    np.testing.assert_allclose(read.two_theta_deg, [5.0, 5.01, 5.02])
    np.testing.assert_array_equal(read.sigma, [3.0, 4.0, 5.0])


def test_fxye_cut_short_is_refused(tmp_path: Path) -> None:
    text = "title\nBANK 1 3 3 CONST 500.0 1.0 0 0 FXYE\n500.0 100 3\n501.0 121 4\n502.0 9\n"
    with pytest.raises(InputError, match=r"line 5 is '502\.0 9'"):
        read_pattern(write(tmp_path / "a.fxye", text), wavelength_ang=WAVELENGTH)
    with pytest.raises(InputError, match="Expected a GSAS FXYE file"):
        read_pattern(write(tmp_path / "b.fxye", "title\nBANK 1\n"), wavelength_ang=WAVELENGTH)


def test_csv_with_a_header_and_a_decimal_comma(tmp_path: Path) -> None:
    text = "Winkel;Zählrate\n5,0;100\n5,01;121\n"
    read = read_pattern(write(tmp_path / "a.csv", text), wavelength_ang=WAVELENGTH)
    np.testing.assert_array_equal(read.intensity, [100.0, 121.0])


def test_descending_angles_are_sorted_and_it_is_said(tmp_path: Path) -> None:
    read = read_pattern(write(tmp_path / "a.xye", "5.2 3 1\n5.1 2 2\n5.0 1 3\n"), wavelength_ang=WAVELENGTH)
    np.testing.assert_array_equal(read.two_theta_deg, [5.0, 5.1, 5.2])
    np.testing.assert_array_equal(read.intensity, [1, 2, 3])
    np.testing.assert_array_equal(read.sigma, [3, 2, 1])
    assert read.notes == ("The angles were not in rising order and have been sorted.",)


def test_duplicate_angles_in_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without repeats"):
        read_pattern(write(tmp_path / "a.xy", "5.0 1\n5.1 2\n5.1 3\n"), wavelength_ang=WAVELENGTH)


def test_sigmas_that_are_all_zero_are_replaced_and_it_is_said(tmp_path: Path) -> None:
    read = read_pattern(write(tmp_path / "a.xye", "5.0 100 0\n5.1 400 0\n"), wavelength_ang=WAVELENGTH)
    np.testing.assert_array_equal(read.sigma, [10.0, 20.0])
    assert "All uncertainties in the file are 0" in read.notes[0]


def test_some_zero_sigmas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sigma is 0 at 1 of 2 points"):
        read_pattern(write(tmp_path / "a.xye", "5.0 100 0\n5.1 400 2\n"), wavelength_ang=WAVELENGTH)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.chi", "a.tif\nq_nm^-1\n\n 2\n"),
        ("a.xy", "# q_A^-1  I\n"),
        ("a.dat", "Q (1/A) I\n"),
        ("a.csv", "d-spacing,I\n"),
        ("a.xy", "# 2th_rad I\n"),
    ],
)
def test_an_axis_that_is_not_two_theta_in_degrees_is_refused(tmp_path: Path, name: str, header: str) -> None:
    with pytest.raises(InputError, match=r"the axis is not 2θ\. Expected degrees 2θ"):
        read_pattern(write(tmp_path / name, header + "0.5 1\n0.6 2\n"), wavelength_ang=WAVELENGTH)


def test_a_header_that_speaks_of_two_theta_may_name_other_axes_too(tmp_path: Path) -> None:
    text = "# converted from q_nm^-1\n# 2th_deg I\n5.0 1\n5.1 2\n"
    assert read_pattern(write(tmp_path / "a.xy", text), wavelength_ang=WAVELENGTH).intensity.size == 2


@pytest.mark.parametrize(
    "content", [b"", b"5.0 1\n", bytes(range(256)), b"\x89PNG\r\n\x1a\n" + bytes(20), b"no numbers\n"]
)
def test_what_is_not_a_pattern_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    for suffix in ("xy", "xye", "chi", "fxye"):
        path = tmp_path / f"a.{suffix}"
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"a\.{suffix}: "):
            read_pattern(path, wavelength_ang=WAVELENGTH)


def test_the_geometry_is_written_and_read_again_unless_another_is_said(tmp_path: Path) -> None:
    path = write_pattern(pattern(geometry="transmission"), tmp_path / "a.xye")
    assert read_pattern(path, wavelength_ang=WAVELENGTH).geometry == "transmission"
    assert read_pattern(path, wavelength_ang=WAVELENGTH, geometry="bragg-brentano").geometry == "bragg-brentano"
    assert read_pattern(write_pattern(pattern(), tmp_path / "b.xye"), wavelength_ang=WAVELENGTH).geometry == "unknown"
    with pytest.raises(InputError, match="geometry is None"):
        pattern(geometry=None)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    angles = np.linspace(4.0, 25.0, 500)
    made = Pattern(
        two_theta_deg=angles,
        intensity=random.normal(0, 1e4, 500),
        sigma=random.uniform(1e-3, 1e3, 500),
        wavelength_ang=WAVELENGTH,
        name="frame\n12",
        notes=("Two\nlines.",),
    )
    path = write_pattern(made, tmp_path / "new" / "a.xye")
    read = read_pattern(path, wavelength_ang=WAVELENGTH)
    np.testing.assert_allclose(read.two_theta_deg, made.two_theta_deg, atol=5e-7)
    np.testing.assert_allclose(read.intensity, made.intensity, rtol=1e-6)
    assert made.sigma is not None
    np.testing.assert_allclose(read.sigma, made.sigma, rtol=1e-6)
    assert (
        write_pattern(read, tmp_path / "b.xye").read_text().split("sigma\n")[1] == path.read_text().split("sigma\n")[1]
    )


def test_points_that_were_not_measured_are_not_written(tmp_path: Path) -> None:
    path = write_pattern(pattern(intensity=[1.0, np.nan, 3.0, 4.0]), tmp_path / "a.xye")
    assert read_pattern(path, wavelength_ang=WAVELENGTH).intensity.tolist() == [1.0, 3.0, 4.0]


def test_a_written_pattern_remembers_where_its_sigma_came_from(tmp_path: Path) -> None:
    path = write_pattern(pattern(), tmp_path / "a.xye")
    assert read_pattern(path, wavelength_ang=WAVELENGTH).sigma_source == "counting"


def test_angles_written_keep_points_a_ten_thousandth_of_a_degree_apart(tmp_path: Path) -> None:
    made = pattern(two_theta_deg=5.0 + 1e-4 * np.arange(4))
    read = read_pattern(write_pattern(made, tmp_path / "a.xye"), wavelength_ang=WAVELENGTH)
    np.testing.assert_allclose(np.diff(read.two_theta_deg), 1e-4, rtol=0.02)
