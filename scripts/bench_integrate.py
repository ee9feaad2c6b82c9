"""Time of one frame through the integrator, beside a plain numpy.bincount of the same pixels in the same run.

Run with one thread: OMP_NUM_THREADS=1 python scripts/bench_integrate.py [IMAGE PONI]
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from collections.abc import Callable

import numpy as np

from hydrostruct.xrd.frames import Frame, find_frames, iterate_frames
from hydrostruct.xrd.geometry import Geometry, read_geometry
from hydrostruct.xrd.integrate import build_integrator, integrate_frame

REPEATS = 9
BINS = 2000


def milliseconds(step: Callable[[], object]) -> float:
    """Median processor time of a step, in ms."""
    step()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def simulated() -> tuple[Frame, Geometry]:
    """A Pilatus 1M frame of Poisson counts, gaps included."""
    image = np.random.default_rng(1).poisson(100.0, (1043, 981)).astype(np.int32)
    for row in range(195, 1043, 212):
        image[row : row + 17] = -1
    image[:, 487:494] = -1
    geometry = Geometry(
        distance_m=0.2, poni1_m=0.0873, poni2_m=0.08, wavelength_ang=0.4, pixel1_m=172e-6, pixel2_m=172e-6
    )
    return Frame(image=image, source="simulated", name="simulated"), geometry


def main() -> None:
    """Print a line for each way of integrating."""
    if len(sys.argv) == 3:
        frame, geometry = next(iterate_frames(find_frames(sys.argv[1]))), read_geometry(sys.argv[2])
    else:
        frame, geometry = simulated()
    shape = (frame.image.shape[0], frame.image.shape[1])
    plain = build_integrator(geometry, shape=shape, bins=BINS)
    ring, counts = np.maximum(plain.ring, 0), frame.image.ravel().astype(np.float64)
    yardstick = milliseconds(lambda: np.bincount(ring, weights=counts, minlength=BINS))
    print(f"{shape[0]} x {shape[1]} pixels, {BINS} bins; numpy.bincount once: {yardstick:.1f} ms")
    for split, clip in (("no", "none"), ("bbox", "none"), ("full", "none"), ("no", "sigma"), ("no", "median")):
        start = time.process_time()
        integrator = build_integrator(geometry, shape=shape, bins=BINS, split=split, clip=clip)  # type: ignore[arg-type]
        built = time.process_time() - start
        took = milliseconds(lambda integrator=integrator: integrate_frame(integrator, frame))  # type: ignore[misc]
        times = f"{took:6.1f} ms a frame, {took / yardstick:5.1f} bincounts; set-up {built:.2f} s"
        print(f"split {split:4} clip {clip:6}: {times}")


if __name__ == "__main__":
    main()
