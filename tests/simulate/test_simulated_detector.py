"""The simulated detector against pyFAI, which it does not use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hydrostruct.simulate.detector import (
    SimulatedDetector,
    gap_pixels,
    pixel_angles_deg,
    pixel_at,
    pixel_efficiency,
    pixels_per_degree,
)

SMALL = SimulatedDetector(shape=(211, 197), pixel_m=860e-6, rot3_rad=0.3)


def _pyfai(detector):
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    return AzimuthalIntegrator(
        detector.distance_m,
        detector.poni1_m,
        detector.poni2_m,
        detector.rot1_rad,
        detector.rot2_rad,
        detector.rot3_rad,
        detector=Detector(
            detector.pixel_m, detector.pixel_m, max_shape=detector.shape, orientation=detector.orientation
        ),
        wavelength=detector.wavelength_ang * 1e-10,
    )


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_angles_solid_angles_and_polarization_agree_with_pyfai_in_every_orientation(orientation):
    detector = replace(SMALL, orientation=orientation)
    engine = _pyfai(detector)
    two_theta, _ = pixel_angles_deg(detector)
    assert np.max(np.abs(np.radians(two_theta) - engine.twoThetaArray(detector.shape))) < 1e-6
    efficiency = engine.solidAngleArray(detector.shape) * engine.polarization(detector.shape, factor=0.99)
    assert pixel_efficiency(detector, polarization=0.99) == pytest.approx(efficiency, rel=2e-5)


def test_the_detector_of_the_reference_run_agrees_with_pyfai():
    detector = SimulatedDetector()
    two_theta, _ = pixel_angles_deg(detector)
    assert np.max(np.abs(np.radians(two_theta) - _pyfai(detector).twoThetaArray(detector.shape))) < 1e-6


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_ray_meets_the_pixel_that_sees_it(orientation):
    detector = replace(SMALL, orientation=orientation)
    row, column = pixel_at(detector, *(angle.ravel() for angle in pixel_angles_deg(detector)))
    rows, columns = np.indices(detector.shape)
    assert row == pytest.approx(rows.ravel(), abs=1e-6)
    assert column == pytest.approx(columns.ravel(), abs=1e-6)


def test_rings_reach_25_degrees_and_lines_are_wider_than_a_pixel():
    detector = SimulatedDetector()
    two_theta, _ = pixel_angles_deg(detector)
    assert two_theta.max() > 28
    assert np.count_nonzero(np.abs(two_theta - 25) < 0.05) > 500
    radial, around = pixels_per_degree(detector, 13.0)
    assert radial * 0.085 > 1.5
    assert around == pytest.approx(np.radians(1) * 0.205 / 172e-6 * np.tan(np.radians(13)))


def test_gaps_lie_between_modules_of_195_by_487_pixels():
    gaps = gap_pixels(SimulatedDetector())
    assert gaps[:, 487:494].all()
    assert gaps[195:212].all()
    assert not gaps[:195, :487].any()
    assert gaps.sum() == 1043 * 981 - 10 * 195 * 487
