"""What stays on the same pixels is masked; what the sample does, powder, texture or grains, is not."""

from __future__ import annotations

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import Frame
from hydrostruct.xrd.geometry import Geometry
from hydrostruct.xrd.integrator import Integrator, build_integrator
from hydrostruct.xrd.steady_spots import steady_spots

SHAPE = (300, 320)
PIXEL_M, DISTANCE_M = 172e-6, 0.1
CENTRE = (150.0, 160.0)


@pytest.fixture(scope="module")
def integrator() -> Integrator:
    geometry = Geometry(
        distance_m=DISTANCE_M, poni1_m=CENTRE[0] * PIXEL_M, poni2_m=CENTRE[1] * PIXEL_M, pixel1_m=PIXEL_M,
        pixel2_m=PIXEL_M, wavelength_ang=0.5, orientation=3, shape=SHAPE,
    )  # fmt: skip
    return build_integrator(geometry, shape=SHAPE, bins=400)


def frames(spots: list[tuple[int, int]], *, texture: float = 0.0, moving: int = 0, count: int = 9) -> list[Frame]:
    """Simulated frames: one ring on a background, spots that stay, grains that move, counting noise."""
    random = np.random.default_rng(11)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    radius, azimuth = np.hypot(y - CENTRE[0], x - CENTRE[1]), np.arctan2(y - CENTRE[0], x - CENTRE[1])
    ring = 200 * np.exp(-(((radius - 90) / 3) ** 2)) * (1 + texture * np.cos(2 * azimuth))
    made = []
    for _ in range(count):
        level = 50 + ring
        places = spots + [(int(a), int(b)) for a, b in random.integers(20, 280, (moving, 2))]
        for row, column in places:
            level = level + 3000 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 4.0)
        made.append(Frame(image=random.poisson(level).astype(np.int32), source="simulated", name="simulated"))
    return made


def test_spots_that_stay_are_masked_and_little_else(integrator: Integrator) -> None:
    places = [(60, 70), (151, 251), (240, 100)]  # the second lies on the ring
    found = steady_spots(integrator, frames(places, moving=6))
    assert found.spots == 3
    for row, column in places:
        assert found.mask[row - 2 : row + 3, column - 2 : column + 3].all()
    assert found.mask.sum() < 3 * 150


@pytest.mark.parametrize("texture", [0.0, 0.5, 1.0])
def test_powder_texture_and_moving_grains_lose_nothing(integrator: Integrator, texture: float) -> None:
    found = steady_spots(integrator, frames([], texture=texture, moving=6))
    assert found.spots == 0
    assert not found.mask.any()


def test_too_few_frames_are_refused(integrator: Integrator) -> None:
    with pytest.raises(InputError, match="5 or more"):
        steady_spots(integrator, frames([], count=4))
