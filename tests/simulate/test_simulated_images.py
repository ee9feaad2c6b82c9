"""What is in a simulated image: noise, gaps, spots, and lines where the truth says."""

from __future__ import annotations

import math
from dataclasses import replace

import fabio
import numpy as np
import pytest
from scipy.optimize import curve_fit

import hydrostruct as hs
from hydrostruct.simulate.detector import SimulatedDetector, gap_pixels
from hydrostruct.simulate.images import SATURATION_COUNTS, background_shape, build_scene, simulate_image
from hydrostruct.simulate.lines import PHASES, line_angles_deg
from hydrostruct.simulate.reference_run import make_truth
from hydrostruct.simulate.truth import Settings

RANGE = (5.0, 25.0)
CLEAN = Settings(grains=math.inf, diamond_spots=0)


def _image(settings, *, number=14, seed=1):
    plan = make_truth(seed=seed, shape=(5, 5), settings=settings)
    scene = build_scene(plan.detector, settings=settings, seed=seed, wanted_deg=RANGE)
    return scene, simulate_image(scene, plan.points[number - 1])


def _pattern(run_folder, image):
    geometry = hs.read_geometry(run_folder / "xrd" / "geometry.poni")
    integrator = hs.build_integrator(geometry, shape=image.counts.shape, bins=2000, two_theta_deg=RANGE)
    return hs.integrate_frame(integrator, hs.Frame(image=image.counts, source="simulated", name="simulated")).pattern


def _line(x, area, center, sigma, level, slope):
    gauss = np.exp(-0.5 * ((x - center) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return area * gauss + level + slope * (x - center)


def test_counts_scatter_as_poisson_says():
    _, drawn = _image(CLEAN)
    _, exact = _image(replace(CLEAN, poisson=False))
    good = exact.counts > 50
    pull = (drawn.counts[good] - exact.counts[good]) / np.sqrt(exact.counts[good])
    assert good.sum() > 800_000
    assert np.mean(pull**2) == pytest.approx(1.0, abs=0.006)
    assert np.mean(pull) == pytest.approx(0.0, abs=0.005)


def test_gaps_and_dead_pixels_are_negative_and_nothing_else_is():
    scene, image = _image(Settings())
    gaps = gap_pixels(scene.detector)
    assert image.counts.dtype == np.int32
    assert image.counts.shape == (1043, 981)
    assert np.all(image.counts[gaps] == -1)
    assert 15 <= np.sum(image.counts[~gaps] == -2) <= 20
    assert np.all(image.counts[~gaps] >= -2)
    assert not np.any(image.counts[~gaps] == -1)


def test_spots_of_the_anvils_stay_on_the_same_pixels_and_below_saturation(run):
    folder, truth = run
    frames = [fabio.open(str(folder / point.file)).data for point in truth.points]
    scene = build_scene(truth.detector, settings=truth.settings, seed=truth.seed, wanted_deg=truth.two_theta_deg)
    strong = (scene.anvils * scene.efficiency > 1500).reshape(truth.detector.shape) & (frames[0] >= 0)
    assert strong.sum() > 20
    assert min(frame[strong].min() for frame in frames) > 1300
    assert max(frame.max() for frame in frames) < SATURATION_COUNTS / 2


def test_rings_are_spotty_and_their_spots_differ_from_point_to_point(run):
    folder, truth = run
    first, second = (fabio.open(str(folder / truth.points[index].file)).data for index in (0, 2))
    scene = build_scene(truth.detector, settings=truth.settings, seed=truth.seed, wanted_deg=truth.two_theta_deg)
    ring = (np.abs(scene.two_theta_deg - 12.96) < 0.03).reshape(first.shape) & (first >= 0)
    ring &= (scene.anvils < 1).reshape(first.shape)
    assert np.var(first[ring]) > 20 * np.mean(first[ring])
    assert abs(np.corrcoef(first[ring], second[ring])[0, 1]) < 0.2


def test_an_image_does_not_depend_on_which_were_simulated_before(run):
    folder, truth = run
    plan = make_truth(seed=truth.seed, shape=truth.shape, settings=truth.settings)
    scene = build_scene(plan.detector, settings=plan.settings, seed=plan.seed, wanted_deg=plan.two_theta_deg)
    image = simulate_image(scene, plan.points[2])
    assert np.array_equal(image.counts, fabio.open(str(folder / plan.points[2].file)).data)
    drawn = {name: getattr(truth.points[2], name) for name in ("edge_cm1", "edge_pressure_gpa", "vibron_cm1")}
    assert replace(image.point, **drawn) == truth.points[2]


def test_integrated_smooth_rings_lie_at_the_true_angles_and_are_as_wide_as_stated(run):
    _, image = _image(CLEAN)
    pattern = _pattern(run[0], image)
    truth = image.point.phases
    for name, hkl in (("CeH9-P63mmc", (1, 0, 0)), ("CeH9-P63mmc", (1, 1, 0)), ("CeH4-I4mmm", (1, 0, 1))):
        phase, cell = PHASES[name], truth[name]
        angles = line_angles_deg(phase, a_ang=cell.a_ang, c_ang=cell.c_ang, wavelength_ang=0.6199)
        true = float(angles[[line[:3] for line in phase.lines].index(hkl)])
        near = np.abs(pattern.two_theta_deg - true) < 0.25
        found, _ = curve_fit(
            _line,
            pattern.two_theta_deg[near],
            pattern.intensity[near],
            p0=(10.0, true + 0.02, 0.05, 200.0, 0.0),
            sigma=pattern.sigma[near],
        )
        assert found[1] == pytest.approx(true, abs=0.003)
        assert abs(found[2]) * 2.3548 == pytest.approx(0.085, rel=0.06)


def test_the_background_of_an_integrated_image_is_the_one_that_was_put_in(run):
    _, image = _image(CLEAN, number=7)
    pattern = _pattern(run[0], image)
    clear = (pattern.two_theta_deg > 14.5) & (pattern.two_theta_deg < 16.5)
    expected = 220.0 * background_shape(pattern.two_theta_deg[clear], 0.6199)
    assert np.mean(pattern.intensity[clear] / expected) == pytest.approx(1.0, abs=2e-3)


def test_the_area_in_the_truth_is_that_of_the_integrated_spots(run):
    settings = Settings(diamond_spots=0, background_counts=0.0, bragg_counts_deg=7000.0, poisson=False)
    _, image = _image(settings, number=9)
    pattern = _pattern(run[0], image)
    area = np.nansum(pattern.intensity) * (pattern.two_theta_deg[1] - pattern.two_theta_deg[0])
    assert area == pytest.approx(image.point.bragg_area, rel=0.01)
    assert image.point.bragg_area == pytest.approx(image.point.bragg_area_expected, rel=0.4)


def test_on_the_average_grains_give_the_expected_shares():
    settings = Settings(diamond_spots=0, poisson=False)
    plan = make_truth(seed=5, shape=(5, 5), settings=settings)
    scene = build_scene(plan.detector, settings=settings, seed=5, wanted_deg=RANGE)
    ratios = [
        image.point.bragg_area / image.point.bragg_area_expected
        for image in (simulate_image(scene, point) for point in plan.points[6:14])
    ]
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_hydrides_are_found_where_they_are_from_starts_half_a_percent_off(run, seed):
    settings = Settings(diamond_spots=0)
    _, image = _image(settings, number=13, seed=seed)
    pattern = _pattern(run[0], image)
    truth = image.point.phases
    starts = {name: {"a_ang": cell.a_ang * 1.005, "c_ang": cell.c_ang * 0.995} for name, cell in truth.items()}
    fit = hs.fit_pattern(pattern, [hs.read_phase(name) for name in truth], cells=starts)
    assert fit.verdict is hs.Verdict.CONVERGED
    for name, cell in truth.items():
        found = fit.phases[name]
        assert found.a_ang == pytest.approx(cell.a_ang, rel=3e-4)
        assert found.c_ang == pytest.approx(cell.c_ang, rel=3e-4)
        assert found.share == pytest.approx(cell.share, abs=0.03)


def test_the_detector_stands_a_little_askew_and_upside_down():
    detector = SimulatedDetector()
    assert detector.orientation == 2
    assert detector.rot1_rad != 0
    assert detector.poni1_m != pytest.approx(detector.shape[0] * detector.pixel_m / 2, abs=1e-3)
