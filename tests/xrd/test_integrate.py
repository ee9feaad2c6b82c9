"""From image to pattern: against a slow twin, against other programs, and what clipping does to spots."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.cake import integrate_cake, integrate_sectors
from hydrostruct.xrd.frames import Frame, find_frames, iterate_frames
from hydrostruct.xrd.geometry import Geometry, read_geometry
from hydrostruct.xrd.integrate import build_integrator, integrate_frame
from hydrostruct.xrd.optics import two_theta_map

SHAPE = (300, 280)
GEOMETRY = Geometry(
    distance_m=0.2, poni1_m=0.026, poni2_m=0.022, wavelength_ang=0.62, pixel1_m=1.72e-4, pixel2_m=1.72e-4
)
DIOPTAS = Geometry(
    distance_m=0.284634930882,
    poni1_m=0.08722,
    poni2_m=0.08342,
    rot1_rad=-0.000251,
    rot2_rad=0.000603,
    wavelength_ang=0.3344,
    pixel1_m=172e-6,
    pixel2_m=172e-6,
    orientation=2,
)


def frame_of(image: np.ndarray[Any, Any], source: str = "simulated") -> Frame:
    return Frame(image=image, source=source, name="simulated")


def polar() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """2θ and azimuth of an untilted detector, written down without the code under test."""
    row, column = np.indices(SHAPE) + 0.5
    y, x = row * GEOMETRY.pixel1_m - GEOMETRY.poni1_m, column * GEOMETRY.pixel2_m - GEOMETRY.poni2_m
    return np.degrees(np.arctan(np.hypot(x, y) / GEOMETRY.distance_m)), np.degrees(np.arctan2(y, x))


def test_the_plain_mean_is_that_of_the_obvious_loop() -> None:
    random = np.random.default_rng(3)
    image = random.poisson(30.0, SHAPE).astype(np.int32)
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=50, two_theta_deg=(1.0, 8.0), polarization=0.99)
    pattern = integrate_frame(integrator, frame_of(image)).pattern
    angle, azimuth = (np.radians(part) for part in polar())
    weight = np.cos(angle) ** 3
    weight *= 0.5 * (1 + np.cos(angle) ** 2 - 0.99 * np.cos(2 * azimuth) * np.sin(angle) ** 2)
    edges = np.linspace(1.0, 8.0, 51)
    slow = np.zeros(50)
    for place in range(50):
        ring = (np.degrees(angle) >= edges[place]) & (np.degrees(angle) < edges[place + 1])
        slow[place] = image[ring].sum() / weight[ring].sum()
    # pixels on an edge between bins may fall to either side in single precision
    np.testing.assert_allclose(pattern.intensity, slow, rtol=5e-3)
    assert np.median(np.abs(pattern.intensity / slow - 1.0)) < 3e-4
    np.testing.assert_allclose(pattern.two_theta_deg, (edges[1:] + edges[:-1]) / 2, atol=1e-6)


@pytest.mark.parametrize("split", ["no", "bbox", "full"])
def test_the_plain_mean_is_that_of_pyfai(split: Any) -> None:
    image = np.random.default_rng(4).poisson(30.0, SHAPE).astype(np.int32)
    tilted = dataclasses.replace(GEOMETRY, rot1_rad=0.02, rot2_rad=-0.03)
    integrator = build_integrator(tilted, shape=SHAPE, bins=200, split=split)
    ours = integrate_frame(integrator, frame_of(image)).pattern
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = integrator.engine.integrate1d_ng(
            image, 200, unit="2th_deg", polarization_factor=0.99, method=(split, "csr", "cython")
        )
    np.testing.assert_allclose(ours.two_theta_deg, theirs.radial, rtol=1e-5)
    filled = np.isfinite(ours.intensity)
    np.testing.assert_allclose(ours.intensity[filled], theirs.intensity[filled], rtol=1e-5)


def test_two_theta_agrees_with_the_textbook() -> None:
    np.testing.assert_allclose(two_theta_map(GEOMETRY, SHAPE), polar()[0], atol=1e-5)


def test_masked_negative_saturated_and_nan_pixels_take_no_part() -> None:
    image = np.full(SHAPE, 10.0)
    image[::7, ::3] = -2.0
    image[::11, ::5] = np.nan
    image[::13, ::2] = 1e6
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[:40] = True
    image[:40] = 500.0
    integrator = build_integrator(
        GEOMETRY, shape=SHAPE, mask=mask, bins=60, solid_angle=False, polarization=None, saturation=1e6
    )
    result = integrate_frame(integrator, frame_of(image))
    np.testing.assert_allclose(result.pattern.intensity[result.counts > 0], 10.0)
    assert 0.2 < result.masked_fraction < 0.6


@pytest.mark.parametrize(("orientation", "agrees"), [(1, False), (2, True), (3, False), (4, False)])
def test_the_measured_map_agrees_with_dioptas_under_the_right_orientation(
    shared_data: Path, orientation: int, agrees: bool
) -> None:
    folder = shared_data / "dac_map_fe3o4"
    geometry = dataclasses.replace(DIOPTAS, orientation=orientation)
    sources = find_frames(str(folder / "*.tif"))
    sources = sources if agrees else sources[:1]
    integrator = build_integrator(geometry, shape=(1043, 981), bins=1508, split="bbox", mask_invalid=False)
    for frame in iterate_frames(sources):
        pattern = integrate_frame(integrator, frame).pattern
        theirs = np.loadtxt(folder / "dioptas_xy" / f"{frame.name}.xy")
        np.testing.assert_allclose(pattern.two_theta_deg, theirs[:, 0], atol=1e-4)
        rms = np.sqrt(np.mean((pattern.intensity - theirs[:, 1]) ** 2) / np.mean(theirs[:, 1] ** 2))
        assert (rms < 0.0015) == agrees
        assert agrees or rms > 0.01


def test_the_lines_of_measured_ceria_lie_where_the_pattern_of_2015_has_them(shared_data: Path) -> None:
    folder = shared_data / "ceo2_pilatus1m"
    geometry = read_geometry(folder / "CeO2_Pilatus1M.poni", orientation=2)
    frame = next(iterate_frames(find_frames(str(folder / "*.tif"))))
    pattern = integrate_frame(build_integrator(geometry, shape=frame.image.shape), frame).pattern
    theirs = np.loadtxt(folder / "CeO2_Pilatus1M.xy", comments="#")
    for d_ang in 5.4115 / np.sqrt(np.array([3.0, 8.0, 11.0])):
        line = 2 * np.degrees(np.arcsin(0.4066 / 2 / d_ang))
        ours = centroid(pattern.two_theta_deg, pattern.intensity, line)
        assert ours == pytest.approx(centroid(theirs[:, 0], theirs[:, 1], line), abs=0.002)
        assert ours == pytest.approx(line, abs=0.01)


def centroid(angle: np.ndarray[Any, Any], intensity: np.ndarray[Any, Any], line: float) -> float:
    near = (np.abs(angle - line) < 0.15) & np.isfinite(intensity)
    above = intensity[near] - np.percentile(intensity[near], 10)
    top = above > 0.3 * above.max()
    return float(np.sum(angle[near][top] * above[top]) / np.sum(above[top]))


# --- spots


def spotty_image(grains: int, seed: int = 5) -> np.ndarray[Any, Any]:
    """A ring at 5° made of grains on a background of 20 counts."""
    random = np.random.default_rng(seed)
    angle, azimuth = polar()
    expected = np.full(SHAPE, 20.0)
    for place in random.uniform(-180, 180, grains):
        turned = (azimuth - place + 180) % 360 - 180
        expected += 4000.0 * np.exp(-0.5 * ((angle - 5.0) / 0.04) ** 2 - 0.5 * (turned / 0.12) ** 2)
    return random.poisson(expected).astype(np.int32)


def test_clipping_takes_nearly_all_of_a_ring_of_100_grains_and_says_so() -> None:
    frame = frame_of(spotty_image(100))
    options: dict[str, Any] = {"shape": SHAPE, "bins": 300, "two_theta_deg": (3.0, 7.0)}
    plain = integrate_frame(build_integrator(GEOMETRY, **options), frame)
    clipped = integrate_frame(build_integrator(GEOMETRY, clip="sigma", **options), frame)
    near = np.abs(plain.pattern.two_theta_deg - 5.0) < 0.15
    left = np.sum(clipped.pattern.intensity[near] - 20.0) / np.sum(plain.pattern.intensity[near] - 20.0)
    assert left < 0.2
    assert clipped.clipped is not None
    window = np.searchsorted(clipped.clipped.edges_deg, 5.0) - 1
    removed = clipped.clipped.peaks_removed[window]
    assert removed > 0.75
    assert clipped.clipped.peaks_removed_total > 0.75
    assert 0.0 < clipped.clipped.pixels_removed[window] < 0.5
    assert any("spots may be the sample" in note for note in clipped.pattern.notes)


def test_the_median_loses_a_spotty_ring_too() -> None:
    frame = frame_of(spotty_image(60))
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=300, two_theta_deg=(3.0, 7.0), clip="median")
    report = integrate_frame(integrator, frame).clipped
    assert report is not None
    assert report.peaks_removed_total > 0.75


def test_clipping_leaves_a_smooth_powder_ring_alone() -> None:
    random = np.random.default_rng(6)
    image = random.poisson(20.0 + 200.0 * np.exp(-0.5 * ((polar()[0] - 5.0) / 0.06) ** 2)).astype(np.int32)
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=300, two_theta_deg=(3.0, 7.0), clip="sigma")
    result = integrate_frame(integrator, frame_of(image))
    assert result.clipped is not None
    assert result.clipped.peaks_removed_total < 0.05
    assert result.pattern.notes == ()


@pytest.mark.parametrize("level", [0.3, 5.0, 300.0])
def test_a_perfect_powder_has_spottiness_one(level: float) -> None:
    random = np.random.default_rng(7)
    image = random.poisson(level * (1 + 5 * np.exp(-0.5 * ((polar()[0] - 5.0) / 0.06) ** 2))).astype(np.int32)
    result = integrate_frame(build_integrator(GEOMETRY, shape=SHAPE, bins=500), frame_of(image))
    assert result.spottiness.overall == pytest.approx(1.0, abs=0.1)


def test_spots_raise_the_spottiness_of_their_window_and_texture_does_not() -> None:
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=300, two_theta_deg=(3.0, 7.0))
    spotty = integrate_frame(integrator, frame_of(spotty_image(100))).spottiness
    window = int(np.searchsorted(spotty.edges_deg, 5.0) - 1)
    assert spotty.windows[window] > 5.0
    assert spotty.windows[2] == pytest.approx(1.0, abs=0.15)
    angle, azimuth = polar()
    random = np.random.default_rng(8)
    textured = (1 + 0.5 * np.cos(2 * np.radians(azimuth))) * (20 + 300 * np.exp(-0.5 * ((angle - 5) / 0.06) ** 2))
    smooth = integrate_frame(integrator, frame_of(random.poisson(textured).astype(np.int32))).spottiness
    assert smooth.overall < 1.3


def test_one_strong_spot_is_not_a_spotty_ring() -> None:
    random = np.random.default_rng(9)
    image = random.poisson(50.0, SHAPE).astype(np.int32)
    image[200:206, 100:106] = 100_000
    result = integrate_frame(build_integrator(GEOMETRY, shape=SHAPE, bins=500), frame_of(image))
    assert result.spottiness.overall == pytest.approx(1.0, abs=0.1)


def test_an_image_that_is_not_in_counts_has_no_spottiness_and_says_so() -> None:
    image = np.random.default_rng(10).normal(1.0, 0.1, SHAPE)
    result = integrate_frame(build_integrator(GEOMETRY, shape=SHAPE, bins=100), frame_of(image))
    assert np.isnan(result.spottiness.overall)
    assert any("not in whole counts" in note for note in result.pattern.notes)


# --- cakes and sectors


def test_a_cake_shows_the_azimuth_and_its_mean_is_the_pattern() -> None:
    azimuth = polar()[1]
    image = np.rint(1000 + 500 * np.cos(np.radians(azimuth))).astype(np.int32)
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=40, solid_angle=False, polarization=None)
    cake = integrate_cake(integrator, frame_of(image), azimuth_bins=36)
    assert cake.intensity.shape == (36, 40)
    row = int(np.argmin(np.abs(cake.azimuth_deg - 5.0)))
    assert np.nanmean(cake.intensity[row]) == pytest.approx(1500, rel=0.02)
    row = int(np.argmin(np.abs(np.abs(cake.azimuth_deg) - 175.0)))
    assert np.nanmean(cake.intensity[row]) == pytest.approx(500, rel=0.05)
    assert np.all(cake.sigma[np.isfinite(cake.intensity)] > 0)


def test_sectors_are_patterns_of_their_own() -> None:
    _, azimuth = polar()
    image = np.where(azimuth > 0, 100, 10).astype(np.int32)
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=40, solid_angle=False, polarization=None)
    low, high = integrate_sectors(integrator, frame_of(image), sectors=2)
    assert np.nanmedian(low.intensity) == pytest.approx(10)
    assert np.nanmedian(high.intensity) == pytest.approx(100)
    with pytest.raises(InputError, match="sectors: 0 given"):
        integrate_sectors(integrator, frame_of(image), sectors=0)


# --- what is refused


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"bins": 1}, r"bins: 1 given\. Expected 2 to"),
        ({"two_theta_deg": (9.0, 3.0)}, r"range: 9 to 3 given.*Reversed\? Then give 3 9"),
        ({"two_theta_deg": (100.0, 120.0)}, r"no pixel lies between 100 and 120"),
        ({"polarization": 1.5}, r"polarization: 1\.5 given"),
        ({"clip": "sigmas"}, r"clip: 'sigmas' given\. .*Did you mean 'sigma'"),
        ({"split": "half"}, r"split: 'half' given"),
        ({"error": "gauss"}, r"error: 'gauss' given"),
        ({"mask": np.zeros((280, 300), dtype=np.bool_)}, r"mask: has 280 x 300 pixels.*turned by 90"),
        ({"mask": np.ones(SHAPE, dtype=np.bool_)}, r"every pixel is masked"),
    ],
)
def test_options_out_of_range_are_told(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        build_integrator(GEOMETRY, shape=SHAPE, **options)


def test_a_geometry_without_wavelength_is_told() -> None:
    with pytest.raises(InputError, match="no wavelength"):
        build_integrator(dataclasses.replace(GEOMETRY, wavelength_ang=float("nan")), shape=SHAPE)


def test_a_frame_without_a_usable_pixel_is_told() -> None:
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=50)
    with pytest.raises(InputError, match="no pixel is left"):
        integrate_frame(integrator, frame_of(np.full(SHAPE, np.nan)))


def test_a_frame_of_another_shape_is_told() -> None:
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=50)
    with pytest.raises(InputError, match=r"10 x 10 pixels\. Expected 300 x 280"):
        integrate_frame(integrator, frame_of(np.zeros((10, 10), dtype=np.int32)))


def test_a_detector_known_by_name_refuses_other_images_and_names_what_fits() -> None:
    geometry = dataclasses.replace(GEOMETRY, detector="Pilatus1M", pixel1_m=float("nan"), pixel2_m=float("nan"))
    with pytest.raises(InputError, match=r"981 x 1043.*turned by 90"):
        build_integrator(geometry, shape=(981, 1043))
    with pytest.raises(InputError, match=r"619 x 487.*Pilatus300k.*would fit"):
        build_integrator(geometry, shape=(619, 487))
    assert build_integrator(geometry, shape=(1043, 981), bins=100).masked.sum() == 73533
    with pytest.raises(InputError, match=r"not known.*Did you mean"):
        build_integrator(dataclasses.replace(geometry, detector="Pilatos1M"), shape=(1043, 981))
