"""Rings that lie off are seen, and nothing is claimed where nothing can be."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydrostruct.xrd.frames import Frame, find_frames, iterate_frames
from hydrostruct.xrd.geometry import Geometry, read_geometry
from hydrostruct.xrd.masks import read_mask
from hydrostruct.xrd.orientation import check_orientation

SHAPE = (400, 420)
PIXEL_M = 1.72e-4
GEOMETRY = Geometry(
    distance_m=0.2, poni1_m=0.030, poni2_m=0.040, wavelength_ang=0.62, pixel1_m=PIXEL_M, pixel2_m=PIXEL_M
)


def rings_as_stored(poni1_m: float, poni2_m: float, *, level: float = 20.0, seed: int = 1) -> Frame:
    row, column = np.indices(SHAPE) + 0.5
    angle = np.degrees(np.arctan(np.hypot(row * PIXEL_M - poni1_m, column * PIXEL_M - poni2_m) / 0.2))
    rings = sum(np.exp(-0.5 * ((angle - centre) / 0.06) ** 2) for centre in np.arange(3.0, 14.0, 1.3))
    image = np.random.default_rng(seed).poisson(level * (1 + rings)).astype(np.int32)
    return Frame(image=image, source="simulated", name="simulated")


def flipped(frame: Frame, *axes: int) -> Frame:
    return dataclasses.replace(frame, image=np.flip(frame.image, axes))


@pytest.mark.parametrize(("axes", "orientation"), [((), 3), ((0,), 2), ((1,), 4), ((0, 1), 1)])
def test_a_flipped_image_is_seen_and_the_right_orientation_named(axes: tuple[int, ...], orientation: int) -> None:
    report = check_orientation(flipped(rings_as_stored(0.030, 0.040), *axes), GEOMETRY)
    assert report.best == orientation
    assert report.fits == (orientation == 3)
    assert ("orientation 3" in report.note) == (orientation != 3)
    assert check_orientation(
        flipped(rings_as_stored(0.030, 0.040), *axes), dataclasses.replace(GEOMETRY, orientation=orientation)
    ).fits


def test_a_beam_in_the_middle_gives_no_alarm() -> None:
    centre = (SHAPE[0] * PIXEL_M / 2, SHAPE[1] * PIXEL_M / 2)
    geometry = dataclasses.replace(GEOMETRY, poni1_m=centre[0], poni2_m=centre[1])
    for orientation in (1, 2, 3, 4):
        assert check_orientation(rings_as_stored(*centre), dataclasses.replace(geometry, orientation=orientation)).fits


@pytest.mark.parametrize("seed", range(5))
def test_an_image_without_rings_gives_no_alarm(seed: int) -> None:
    random = np.random.default_rng(seed)
    slope = np.linspace(5, 50, SHAPE[0])[:, None] * np.ones(SHAPE)
    spots = np.zeros(SHAPE)
    for row, column in random.integers(10, 390, (40, 2)):
        spots[row - 3 : row + 3, column - 3 : column + 3] += 5000.0
    image = random.poisson(slope + spots).astype(np.int32)
    assert check_orientation(Frame(image=image, source="a", name="a"), GEOMETRY).fits


def test_a_slightly_wrong_calibration_gives_no_alarm() -> None:
    assert check_orientation(rings_as_stored(0.0301, 0.0399), GEOMETRY).fits


def test_an_image_of_nan_or_zeros_gives_no_alarm() -> None:
    for value in (np.nan, 0.0):
        image: np.ndarray[Any, Any] = np.full(SHAPE, value)
        assert check_orientation(Frame(image=image, source="a", name="a"), GEOMETRY).fits


def test_measured_images_are_known_to_be_upside_down(shared_data: Path) -> None:
    dac = Geometry(
        distance_m=0.284634930882, poni1_m=0.08722, poni2_m=0.08342, rot1_rad=-0.000251, rot2_rad=0.000603,
        wavelength_ang=0.3344, pixel1_m=172e-6, pixel2_m=172e-6,
    )  # fmt: skip
    ceria = read_geometry(shared_data / "ceo2_pilatus1m" / "CeO2_Pilatus1M.poni")
    iron = read_geometry(shared_data / "fe_bcc_pilatus" / "CeO2_cal_Dioptas.poni")
    mask = read_mask(shared_data / "fe_bcc_pilatus" / "DiffractionMask_Dioptas.mask")
    for geometry, pattern, masked in (
        (dac, "dac_map_fe3o4/*.tif", None),
        (ceria, "ceo2_pilatus1m/*.tif", None),
        (iron, "fe_bcc_pilatus/*.tif", mask),
    ):
        for frame in iterate_frames(find_frames(str(shared_data / pattern))[:3]):
            report = check_orientation(frame, geometry, mask=masked)
            assert not report.fits
            assert report.best == 2
            assert check_orientation(frame, dataclasses.replace(geometry, orientation=2), mask=masked).fits
