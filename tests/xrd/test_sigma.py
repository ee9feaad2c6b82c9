"""The uncertainty of a bin is the scatter that it shows over repeated images: simulated flat fields."""

from __future__ import annotations

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import Frame
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.integrate import build_integrator, integrate_frame
from hydrostruct.xrd.rings import pooled_sigma

SHAPE = (100, 110)
GEOMETRY = Geometry(
    distance_m=0.05, poni1_m=0.0061, poni2_m=0.0047, wavelength_ang=0.62, pixel1_m=1e-4, pixel2_m=1e-4, rot1_rad=0.05
)


def frame_of(image: np.ndarray) -> Frame:
    return Frame(image=image, source="simulated", name="simulated")


def repeated(images: list[np.ndarray], **options: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed scatter, mean of sigma, and pixels of each bin over repeated images."""
    integrator = build_integrator(GEOMETRY, shape=SHAPE, solid_angle=False, polarization=None, **options)  # type: ignore[arg-type]
    results = [integrate_frame(integrator, frame_of(image)) for image in images]
    intensity = np.array([result.pattern.intensity for result in results])
    sigma = np.array([result.pattern.sigma for result in results])
    return intensity.std(axis=0, ddof=1), np.sqrt((sigma**2).mean(axis=0)), results[0].counts


def poisson_images(level: float, number: int = 200, seed: int = 1) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.poisson(level, SHAPE).astype(np.int32) for _ in range(number)]


@pytest.mark.parametrize("split", ["no", "bbox", "full"])
@pytest.mark.parametrize("error", ["azimuthal", "poisson"])
@pytest.mark.parametrize("level", [2.0, 40.0])
def test_sigma_is_the_scatter_of_repeated_flat_fields(split: str, error: str, level: float) -> None:
    observed, claimed, pixels = repeated(poisson_images(level), bins=120, split=split, error=error)
    full = pixels >= 3
    ratio = observed[full] / claimed[full]
    assert full.sum() > 100
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)
    # 200 images: the observed scatter itself is known to 5 %
    assert np.all(np.abs(ratio - 1.0) < 0.3)
    assert ratio.std() < 0.075


def test_sigma_is_the_scatter_when_it_is_not_that_of_counting() -> None:
    random = np.random.default_rng(2)
    images = [np.rint(random.normal(1000.0, 100.0, SHAPE)).astype(np.int32) for _ in range(200)]
    for split in ("no", "bbox", "full"):
        observed, claimed, pixels = repeated(images, bins=120, split=split)
        ratio = (observed / claimed)[pixels >= 3]
        assert np.median(ratio) == pytest.approx(1.0, abs=0.02)


def test_bins_of_a_few_pixels_have_a_steady_sigma() -> None:
    image = poisson_images(50.0, 1)[0]
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=3000, solid_angle=False, polarization=None)
    result = integrate_frame(integrator, frame_of(image))
    few = (result.counts >= 1) & (result.counts <= 4)
    assert few.sum() > 1000
    assert result.pattern.sigma is not None
    relative = result.pattern.sigma[few] / np.sqrt(50.0 / result.counts[few])
    assert relative.min() > 0.6
    assert relative.max() < 2.0
    pulls = (result.pattern.intensity[few] - 50.0) / result.pattern.sigma[few]
    assert pulls.std() == pytest.approx(1.0, abs=0.06)
    assert abs(pulls.mean()) < 0.1


def test_bins_without_a_pixel_are_nan_and_stay_in_place() -> None:
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=20000)
    pattern = integrate_frame(integrator, frame_of(poisson_images(5.0, 1)[0])).pattern
    assert pattern.intensity.size == 20000
    assert 0 < np.isnan(pattern.intensity).sum() < 20000


def test_an_image_of_zeros_has_a_sigma_above_zero() -> None:
    integrator = build_integrator(GEOMETRY, shape=SHAPE, bins=120)
    pattern = integrate_frame(integrator, frame_of(np.zeros(SHAPE, dtype=np.int32))).pattern
    measured = np.isfinite(pattern.intensity)
    assert pattern.sigma is not None
    assert np.all(pattern.sigma[measured] > 0)


@pytest.mark.parametrize("clip", ["sigma", "median"])
def test_sigma_holds_after_clipping(clip: str) -> None:
    observed, claimed, pixels = repeated(poisson_images(100.0, 100), bins=60, clip=clip)
    ratio = (observed / claimed)[pixels >= 30]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.08)


def test_what_is_subtracted_adds_its_variance() -> None:
    random = np.random.default_rng(4)
    pulls = []
    for _ in range(40):
        dark = random.poisson(30.0, SHAPE)
        image = random.poisson(50.0, SHAPE).astype(np.int32)
        integrator = build_integrator(
            GEOMETRY, shape=SHAPE, bins=60, error="poisson", solid_angle=False, polarization=None, dark=dark
        )
        pattern = integrate_frame(integrator, frame_of(image)).pattern
        pulls.append((pattern.intensity - 20.0) / pattern.sigma)
    assert np.nanstd(pulls) == pytest.approx(1.0, abs=0.05)
    assert abs(np.nanmean(pulls)) < 0.08


def test_dark_background_and_flat_are_taken_off() -> None:
    flat = np.where(np.arange(SHAPE[1]) < 50, 0.5, 1.5) * np.ones(SHAPE)
    dark, background = np.full(SHAPE, 7), np.full(SHAPE, 7 + 20)
    image = (7 + 10 + 40 * flat).astype(np.float64)
    integrator = build_integrator(
        GEOMETRY, shape=SHAPE, bins=60, polarization=None, solid_angle=False,
        dark=dark, background=background, background_scale=0.5, flat=flat,
    )  # fmt: skip
    pattern = integrate_frame(integrator, frame_of(image)).pattern
    np.testing.assert_allclose(pattern.intensity[np.isfinite(pattern.intensity)], 40.0, rtol=1e-9)


def test_a_dark_of_another_shape_is_told() -> None:
    with pytest.raises(InputError, match="dark: has 5 x 5 pixels"):
        build_integrator(GEOMETRY, shape=SHAPE, dark=np.zeros((5, 5)))


def test_without_any_scatter_known_sigma_is_that_of_counting() -> None:
    reference = np.array([4.0, 9.0])
    sigma = pooled_sigma(np.array([np.nan, np.nan]), reference=reference, effective_pixels=np.array([1.0, 1.0]))
    np.testing.assert_allclose(sigma, [2.0, 3.0])


def test_pixels_that_a_dark_or_background_does_not_know_are_left_out() -> None:
    dark = np.full(SHAPE, 7.0)
    dark[:5] = np.nan
    assert np.all(build_integrator(GEOMETRY, shape=SHAPE, dark=dark).masked[:5])
    assert np.all(build_integrator(GEOMETRY, shape=SHAPE, background=dark).masked[:5])


@pytest.mark.parametrize(("what", "value"), [("dark", np.nan), ("background", np.nan), ("flat", 0.0)])
def test_a_correction_that_leaves_no_pixel_is_named(what: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{what}: it leaves no pixel to use"):
        build_integrator(GEOMETRY, shape=SHAPE, **{what: np.full(SHAPE, value)})


@pytest.mark.parametrize("saturation", [0.0, -1.0, np.nan])
def test_a_saturation_that_is_no_count_is_refused(saturation: float) -> None:
    with pytest.raises(InputError, match=r"saturation: .* Expected counts above 0"):
        build_integrator(GEOMETRY, shape=SHAPE, saturation=saturation)
