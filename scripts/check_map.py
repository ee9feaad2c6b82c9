"""A whole map as one fit, on SIMULATED maps: is it better than separate fits by as much as theory says?

Usage: python scripts/check_map.py [N] [--reference | --coincident]     (default 40 maps of 5×5 points; about 2 s a map)

Every point of a map is CeH9 + CeH4 with intensities and a background of its own; the cell of CeH9 follows a plane, and
the detector has a zero shift that nobody knows. Fitted are the points by themselves with the zero free, and the map as
one fit in which zero, widths and the shape of the background are common. Printed is how far the gradient of a scatters
about the truth, beside what each fit says it should (its sigma), and the same for a itself. The ratio of the two sigmas
is what theory gives, since both are those of the least-squares problem; the ratio of the scatters is what happened.

With --reference the images of the reference run (seed 1) are made and analysed both ways.

With --coincident the maps (default 8; some 12 s each) have 36 points with strong lines, 20 000 counts on 3000, and c/a
of CeH9 drawn between 1.4955 and 1.5045: three pairs of its lines meet at 1.5, where the fits start. Printed is how many
maps came to rest, the steps, and pulls of a and c of CeH9 (mean, spread, largest): of the points apart, as they come
(the zero free where they ask), and together.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from check_pulls import CEH4, CEH9, simulate
from numpy.typing import NDArray

import hydrostruct as hs

Floats = NDArray[np.float64]
NAMES = ("CeH9-P63mmc", "CeH4-I4mmm")
SIDE, STEP_UM = 5, 5.0
STRAIN_PER_UM, ZERO_DEG = 4e-5, 0.01
COINCIDENT_POINTS, COINCIDENT_LEVEL, COINCIDENT_RATIOS = 36, (20000.0, 3000.0), (1.4955, 1.5045)
COINCIDENT_START = {"a_ang": 3.68, "c_ang": 1.5 * 3.68}


def simulated_map(random: np.random.Generator) -> tuple[list[hs.Pattern], Floats, Floats]:
    """Patterns, places and cells of CeH9; the zero shift is put in by moving the angles."""
    place = STEP_UM * np.array([(column, row) for row in range(SIDE) for column in range(SIDE)], dtype=float)
    cells = np.array(CEH9) * (1 + STRAIN_PER_UM * np.column_stack((place[:, 0], -place[:, 1])))
    patterns = []
    for cell in cells:
        level = (random.uniform(500, 4000), random.uniform(1500, 4000))
        patterns.append(with_zero(simulate(random, level, cell, np.array(CEH4))))
    return patterns, place, cells


def with_zero(pattern: hs.Pattern) -> hs.Pattern:
    """The pattern with its angles moved."""
    return dataclasses.replace(pattern, two_theta_deg=pattern.two_theta_deg + ZERO_DEG)


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
        zeros.append(zero_pull(whole))
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


def coincident_map(random: np.random.Generator) -> tuple[list[hs.Pattern], Floats]:
    """Patterns and cells of CeH9 whose lines meet in pairs."""
    a = CEH9[0] * (1 + random.normal(0, 0.002, COINCIDENT_POINTS))
    cells = np.column_stack((a, a * random.uniform(*COINCIDENT_RATIOS, COINCIDENT_POINTS)))
    return [with_zero(simulate(random, COINCIDENT_LEVEL, cell, np.array(CEH4))) for cell in cells], cells


def coincident_maps(count: int) -> None:
    """Print what became of maps whose points may rest on the wrong side of a coincidence."""
    phases, start = [hs.read_phase(name) for name in NAMES], {NAMES[0]: COINCIDENT_START}
    pulls: dict[str, list[Floats]] = {"apart": [], "together": []}
    rested, steps, zeros = 0, [], []
    for number in range(count):
        patterns, cells = coincident_map(np.random.default_rng([20261128, number]))
        apart = hs.fit_patterns(patterns, phases, cells=start)
        whole = hs.fit_map(patterns, phases, fits=apart, cells=start)
        rested += whole.verdict == "converged"
        steps.append(whole.steps)
        zeros.append(zero_pull(whole))
        pulls["apart"].append(cell_pulls(apart, cells))
        pulls["together"].append(cell_pulls(whole.fits, cells))
    print(f"SIMULATED maps, {count} of {COINCIDENT_POINTS} points, c/a of CeH9 {COINCIDENT_RATIOS}, starts at 1.5\n")
    print(f"{rested} of {count} maps came to rest, {np.mean(steps):.1f} steps on average (most {max(steps)})\n")
    print("fits      pulls of a: mean  spread  largest   of c: mean  spread  largest   points without a number")
    for name, found in pulls.items():
        every = np.concatenate(found)
        good = every[np.all(np.isfinite(every), axis=1)]
        numbers = [f"{x.mean():12.2f} {x.std():7.2f} {np.max(np.abs(x)):8.2f}" for x in good.T]
        print(f"{name:9} {numbers[0]:>33} {numbers[1]} {len(every) - len(good):17d} of {len(every)}")
    print(f"\nzero: pulls mean {np.mean(zeros):.2f}, spread {np.std(zeros):.2f}; true {ZERO_DEG}°")


def cell_pulls(fits: Sequence[hs.PatternFit], cells: Floats) -> Floats:
    """Pulls of a and c of CeH9, a row a point; NaN without a number."""
    found = [fit.phases[NAMES[0]] for fit in fits]
    values = np.array([(one.a_ang, one.c_ang) for one in found])
    sigma = np.array([(one.a_sigma_ang, one.c_sigma_ang) if one.detected else (np.nan, np.nan) for one in found])
    return (values - cells) / sigma


def zero_pull(whole: hs.MapFit) -> float:
    """Pull of the common zero."""
    index = whole.shared_names.index("zero")
    return float((whole.shared[index] - ZERO_DEG) / np.sqrt(whole.shared_covariance[index, index]))


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
    parser.add_argument("count", nargs="?", type=int, help="simulated maps (40, or 8 with --coincident)")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--reference", action="store_true", help="the reference run instead")
    other.add_argument("--coincident", action="store_true", help="maps of 36 points with lines that meet instead")
    arguments = parser.parse_args()
    if arguments.reference:
        reference_run()
    elif arguments.coincident:
        coincident_maps(arguments.count or 8)
    else:
        simulated_maps(arguments.count or 40)
    return 0


if __name__ == "__main__":
    sys.exit(main())
