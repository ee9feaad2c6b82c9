"""CPU time of one seeded Le Bail fit, against one dense least-squares solve of the same size in the same run.

Run: ``python scripts/bench_lebail.py``. The patterns are simulated.
Ratios travel between machines; milliseconds do not.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

import hydrostruct as hs
from hydrostruct.material.cell import CrystalSystem, make_cell
from hydrostruct.xrd.engine import limit_widths, solve, start_values
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.model import REACH_FWHM, build_model, prepare_data

# What it takes to draw a line with its slopes at one point, in multiplications.
_DRAWN = 15


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """Least CPU time of several runs, in ms."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1e3 * min(times)


def simulated(model_lines: list[tuple[float, float]], points: int, low: float, high: float, seed: int) -> hs.Pattern:
    """Pseudo-Voigts at given angles (position, height) on a curved background, with counting noise."""
    random = np.random.default_rng(seed)
    angle = np.linspace(low, high, points)
    counts = 3000 + 500 * np.cos(angle / 6)
    for position, height in model_lines:
        t = (angle - position) / 0.08
        counts = counts + height * (0.6 * np.exp(-2.7725887 * t**2) + 0.4 / (1 + 4 * t**2))
    observed = random.poisson(counts).astype(float)
    return hs.Pattern(two_theta_deg=angle, intensity=observed, sigma=np.sqrt(counts), wavelength_ang=0.6199)


def report(name: str, pattern: hs.Pattern, phases: list[hs.Phase], terms: int) -> None:
    """Time the engine and the whole of fit_patterns, and the dense solve.

    The last column is the engine's time over the multiplications that it should cost: at each point every line there
    is drawn and meets the lines, background terms and parameters that are there too; those meet each other.
    """
    limits = (float(pattern.two_theta_deg[0]), float(pattern.two_theta_deg[-1]))
    model = build_model(phases, pattern.wavelength_ang, two_theta_deg=limits)
    data = prepare_data(pattern, background_terms=terms)
    model = limit_widths(model, line_width(data))
    first = solve(model, data, start_values(model, data))
    seed = first.values * (1 + 2e-4 * np.random.default_rng(1).standard_normal(first.values.size))
    steps = solve(model, data, seed).steps
    engine = best_ms(lambda: solve(model, data, seed), 10)
    lines = int(np.isfinite(first.intensity).sum())
    reached = np.clip(first.position[:, None] + REACH_FWHM * first.width[:, None] * np.array([-1, 1]), *limits)
    overlap = float(np.nansum(reached[:, 1] - reached[:, 0])) / (limits[1] - limits[0])
    dense = np.random.default_rng(2).standard_normal((data.position.size, lines + terms + model.start.size))
    reference = best_ms(lambda: np.linalg.lstsq(dense, data.intensity, rcond=None), 3)
    series = [pattern] * 20
    whole = best_ms(lambda: hs.fit_patterns(series, phases, background=terms), 2) / len(series)
    everywhere = terms + model.start.size
    each = overlap * (_DRAWN + overlap / 2 + everywhere) + everywhere * model.start.size
    work = (steps + 1) * data.position.size * each
    print(
        f"{name:28s} {data.position.size:6d} {lines:5d} {overlap:7.1f} {engine:8.2f} {whole:12.2f} {reference:7.2f} "
        f"{engine / reference:7.3f} {whole / reference:7.3f} {1e6 * engine / work:8.3f}"
    )


def report_series(count: int, pattern: hs.Pattern, phases: list[hs.Phase]) -> None:
    """Rate and memory of a long series: the first quarter against the last."""
    fits: list[hs.PatternFit] = []
    rates, sizes = [], []
    for _ in range(4):
        began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        fits += hs.fit_patterns([pattern] * (count // 4), phases, background=12)
        rates.append(1e3 * (time.process_time() - began) / (count // 4))
        sizes.append((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (count // 4))
    print(f"{count} patterns in one process: ms a pattern, by quarters " + ", ".join(f"{rate:.2f}" for rate in rates))
    print("memory that a fit keeps, kB, by quarters " + ", ".join(f"{size:.0f}" for size in sizes))


def main() -> None:
    """Print the table."""
    ceh9, ceh4, gold = hs.read_phase("CeH9-P63mmc"), hs.read_phase("CeH4-I4mmm"), hs.read_phase("Au")
    angles = [11.1806, 12.9676, 13.1179, 17.2681, 19.4275, 22.4694, 22.7342, 23.4280, 23.5132]
    angles += [12.2688, 13.9670, 17.7701, 21.6507, 22.3681, 24.6811]
    heights = np.random.default_rng(0).uniform(500, 5000, len(angles))
    two = list(zip(angles, heights, strict=True))
    print("simulated; CPU ms, one thread; dense = one numpy.linalg.lstsq of the same points and parameters;")
    print("overlap = lines that reach a point; unit = ns per step and product of two columns at a point")
    head = ("points", "lines", "overlap", "engine", "fit_patterns", "dense", "ratio", "ratio", "unit")
    print(" " * 28, "{:>6s} {:>5s} {:>7s} {:>8s} {:>12s} {:>7s} {:>7s} {:>7s} {:>8s}".format(*head))
    for points in (1000, 2000, 4000, 8000):
        report(f"CeH9 + CeH4, {points} points", simulated(two, points, 4.0, 25.0, 3), [ceh9, ceh4], 12)
    report("CeH9", simulated(two[:9], 2000, 4.0, 25.0, 3), [ceh9], 12)
    three = [*two, *zip((15.13, 17.49, 24.83), (3000.0, 2000.0, 1500.0), strict=True)]
    report("CeH9 + CeH4 + Au", simulated(three, 2000, 4.0, 25.0, 3), [ceh9, ceh4, gold], 12)
    for scale in (0.6, 0.8, 1.0):
        low = _triclinic(scale)
        positions = _positions(low, 25.0)
        many = list(zip(positions, np.random.default_rng(4).uniform(500, 5000, len(positions)), strict=True))
        report("triclinic", simulated(many, 8000, 3.0, 25.0, 5), [low], 12)
    report_series(10_000, simulated(two, 2000, 4.0, 25.0, 3), [ceh9, ceh4])


def _triclinic(scale: float) -> hs.Phase:
    lengths = {"a_ang": 7.1 * scale, "b_ang": 8.3 * scale, "c_ang": 6.2 * scale}
    cell = make_cell(CrystalSystem.TRICLINIC, **lengths, alpha_deg=92.0, beta_deg=101.0, gamma_deg=88.0)
    return replace(
        hs.read_phase("Ce-bct"), name="triclinic", system=CrystalSystem.TRICLINIC, space_group_number=2, cell=cell
    )


def _positions(phase: hs.Phase, highest_deg: float) -> list[float]:
    from hydrostruct.material.cell import two_theta
    from hydrostruct.material.reflections import phase_reflections

    d_min = 0.6199 / (2 * np.sin(np.radians(highest_deg / 2)))
    found = phase_reflections(phase, phase.cell, d_min_ang=d_min, d_max_ang=11.0)
    return [float(angle) for angle in two_theta(found.d_ang, 0.6199)]


if __name__ == "__main__":
    main()
