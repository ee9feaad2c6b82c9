"""A whole map as one fit, on SIMULATED maps: is it better than separate fits by as much as theory says?

Usage: python scripts/check_map.py [N] [--reference]     (default 40 maps of 5×5 points; about 1.5 s a map)

Every point of a map is CeH9 + CeH4 with intensities and a background of its own; the cell of CeH9 follows a plane, and
the detector has a zero shift that nobody knows. Fitted are the points by themselves with the zero free, and the map as
one fit in which zero, widths and the shape of the background are common. Printed is how far the gradient of a scatters
about the truth, beside what each fit says it should (its sigma), and the same for a itself. The ratio of the two sigmas
is what theory gives, since both are those of the least-squares problem; the ratio of the scatters is what happened.

With --reference the images of the reference run (seed 1) are made and analysed both ways.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from check_pulls import CEH4, CEH9, WAVELENGTH, simulate
from numpy.typing import NDArray

import hydrostruct as hs

Floats = NDArray[np.float64]
NAMES = ("CeH9-P63mmc", "CeH4-I4mmm")
SIDE, STEP_UM = 5, 5.0
STRAIN_PER_UM, ZERO_DEG = 4e-5, 0.01


def simulated_map(random: np.random.Generator) -> tuple[list[hs.Pattern], Floats, Floats]:
    """Patterns, places and cells of CeH9; the zero shift is put in by moving the angles."""
    place = STEP_UM * np.array([(column, row) for row in range(SIDE) for column in range(SIDE)], dtype=float)
    cells = np.array(CEH9) * (1 + STRAIN_PER_UM * np.column_stack((place[:, 0], -place[:, 1])))
    patterns = []
    for cell in cells:
        one = simulate(random, (random.uniform(500, 4000), random.uniform(1500, 4000)), cell, np.array(CEH4))
        patterns.append(
            hs.Pattern(
                two_theta_deg=one.two_theta_deg + ZERO_DEG,
                intensity=one.intensity,
                sigma=one.sigma,
                wavelength_ang=WAVELENGTH,
            )
        )
    return patterns, place, cells


def plane(values: Floats, covariance: Floats, place: Floats) -> tuple[float, float]:
    """Slope along x and its sigma, by generalised least squares over the points that have a number."""
    good = np.isfinite(values) & np.isfinite(np.diag(covariance))
    values, covariance, place = values[good], covariance[np.ix_(good, good)], place[good]
    design = np.column_stack((np.ones(len(place)), place - place.mean(axis=0)))
    weight = np.linalg.inv(covariance)
    spread = np.linalg.inv(design.T @ weight @ design)
    return float((spread @ design.T @ weight @ values)[1]), float(np.sqrt(spread[1, 1]))


def simulated_maps(count: int) -> None:
    """Print the comparison over many maps."""
    phases = [hs.read_phase(name) for name in NAMES]
    truth = CEH9[0] * STRAIN_PER_UM
    rows: dict[str, list[tuple[float, float]]] = {"apart": [], "together": []}
    errors: dict[str, list[Floats]] = {"apart": [], "together": []}
    zeros, seconds = [], {"apart": 0.0, "together": 0.0}
    for number in range(count):
        patterns, place, cells = simulated_map(np.random.default_rng([20261122, number]))
        began = time.process_time()
        apart = hs.fit_patterns(patterns, phases, free=["zero"])
        middle = time.process_time()
        whole = hs.fit_map(patterns, phases)
        seconds["apart"] += middle - began
        seconds["together"] += time.process_time() - middle
        values = np.array([fit.phases[NAMES[0]].a_ang for fit in apart])
        sigma = np.array([fit.phases[NAMES[0]].a_sigma_ang for fit in apart])
        rows["apart"].append(plane(values, np.diag(sigma**2), place))
        errors["apart"].append(np.column_stack((values - cells[:, 0], sigma)))
        numbers = hs.map_numbers(whole, NAMES[0], number="a_ang")
        rows["together"].append(plane(numbers.values, numbers.covariance, place))
        sigma = np.sqrt(np.diag(numbers.covariance))
        errors["together"].append(np.column_stack((numbers.values - cells[:, 0], sigma)))
        index = whole.shared_names.index("zero")
        zeros.append((whole.shared[index] - ZERO_DEG) / np.sqrt(whole.shared_covariance[index, index]))
    print(f"SIMULATED maps, {count} of {SIDE}×{SIDE} points; gradients of a in 1e-6 Å/µm, a in 1e-5 Å\n")
    print(
        "fits      gradient: scatter  sigma   pulls: mean  spread   a: scatter   sigma   pulls: mean  spread  CPU s/map"
    )
    for name, found in rows.items():
        slope, spread = np.array(found).T
        every = np.concatenate(errors[name])
        error, sigma = every[np.all(np.isfinite(every), axis=1)].T
        pull, own = (slope - truth) / spread, error / sigma
        print(
            f"{name:9} {1e6 * np.sqrt(np.mean((slope - truth) ** 2)):16.2f} {1e6 * np.median(spread):6.2f} "
            f"{pull.mean():12.2f} {pull.std():7.2f} {1e5 * np.sqrt(np.mean(error**2)):12.2f} "
            f"{1e5 * np.sqrt(np.mean(sigma**2)):7.2f} {own.mean():12.2f} {own.std():7.2f} {seconds[name] / count:9.2f}"
        )
    ratio = [
        np.sqrt(np.mean((np.array(rows["apart"])[:, 0] - truth) ** 2))
        / np.sqrt(np.mean((np.array(rows["together"])[:, 0] - truth) ** 2)),
        np.median(np.array(rows["apart"])[:, 1]) / np.median(np.array(rows["together"])[:, 1]),
    ]
    print(f"\ngradient better by {ratio[0]:.2f} (scatter), {ratio[1]:.2f} (theory)")
    print(
        f"zero: pulls mean {np.mean(zeros):.2f}, spread {np.std(zeros):.2f}; true {ZERO_DEG}°; standard error of a "
        f"spread {1 / np.sqrt(2 * count):.2f}"
    )


def reference_run() -> None:
    """The images of the reference run: points apart, apart with the zero free, and together with a common zero."""
    from hydrostruct.simulate.reference_run import simulate_run

    with tempfile.TemporaryDirectory() as folder:
        truth = simulate_run(folder, seed=1)
        path = Path(folder) / "run.toml"
        text = path.read_text(encoding="utf-8")
        for label, line in (("apart", ""), ("together", 'common = ["zero", "widths", "background"]\n')):
            path.write_text(text.replace('clip = "none"\n', f'clip = "none"\n{line}'), encoding="utf-8")
            result = hs.run(path, out=Path(folder) / label)
            fits = [point.fit for point in result.points]
            print(f"\nSIMULATED reference run, seed 1, points {label}{', with a common zero' if line else ''}:")
            for note in result.notes:
                if "One fit of" in note or "V of the cell" in note:
                    print("  " + note)
            print_phases(fits, result, truth)
            if not line:
                print("\nSIMULATED reference run, seed 1, points apart, the zero free at each:")
                print_phases([with_free_zero(point, result.phase_names) for point in result.points], result, truth)


def with_free_zero(point: Any, names: Sequence[str]) -> hs.PatternFit | None:
    """The fit of a point again, from where it came to rest, with a zero shift of its own."""
    if point.fit is None:
        return None
    found = {name: fit for name, fit in point.fit.phases.items() if fit.detected}
    cells = {
        name: {axis: getattr(fit, axis) for axis in ("a_ang", "c_ang") if axis == "a_ang" or fit.c_ang != fit.a_ang}
        for name, fit in found.items()
    }
    angles = point.fit.two_theta_deg[point.fit.fitted]
    return hs.fit_pattern(
        point.pattern,
        [hs.read_phase(name) for name in names if name in found],
        cells=cells,
        two_theta_deg=(float(angles[0]), float(angles[-1])),
        free=["zero"],
        search="never",
    )


def print_phases(fits: Sequence[hs.PatternFit | None], result: Any, truth: Any) -> None:
    """Slope of V along x and pulls of V of each phase, beside the truth; sigma are the points' own."""
    for name in ("CeH9-P63mmc", "CeH4-I4mmm", "Re", "Pt"):
        table = np.array(
            [
                (
                    point.place.x_um,
                    point.place.y_um,
                    fit.phases[name].volume_per_fu_ang3,
                    fit.phases[name].volume_per_fu_sigma_ang3,
                    put_in.phases[name].volume_per_fu_ang3,
                )
                for fit, point, put_in in zip(fits, result.points, truth.points, strict=True)
                if fit is not None and name in put_in.phases and name in fit.phases and fit.phases[name].detected
            ]
        )
        table = table[np.all(np.isfinite(table), axis=1)]
        covariance = np.diag(table[:, 3] ** 2)
        slope, sigma = plane(table[:, 2], covariance, table[:, :2])
        true, _ = plane(table[:, 4], covariance, table[:, :2])
        pull = (table[:, 2] - table[:, 4]) / table[:, 3]
        sigma_ppm = 1e6 * np.median(table[:, 3] / table[:, 2])
        print(
            f"  {name:12} {len(table)} points; V per f.u.: median sigma {sigma_ppm:.0f} ppm, pulls {pull.mean():+.2f}, "
            f"{pull.std():.2f}; dV/dx {1e3 * slope:+.3f} ± {1e3 * sigma:.3f}, true {1e3 * true:+.3f} in 1e-3 Å³/µm"
        )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="A map as one fit beside fits of its points.")
    parser.add_argument("count", nargs="?", type=int, default=40, help="simulated maps")
    parser.add_argument("--reference", action="store_true", help="the reference run instead")
    arguments = parser.parse_args()
    if arguments.reference:
        reference_run()
    else:
        simulated_maps(arguments.count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
