"""CPU time of one seeded Le Bail fit, against one dense least-squares solve of the same size in the same run.

Run: ``python scripts/bench_lebail.py``. The patterns are simulated.
Ratios travel between machines; milliseconds do not.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from collections.abc import Callable

import numpy as np

import hydrostruct as hs
from hydrostruct.material.cell import CrystalSystem, make_cell
from hydrostruct.xrd.engine import limit_widths, solve, start_values
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.model import build_model, prepare_data


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
    """Time the engine and the whole of fit_patterns, and the dense solve."""
    limits = (float(pattern.two_theta_deg[0]), float(pattern.two_theta_deg[-1]))
    model = build_model(phases, pattern.wavelength_ang, two_theta_deg=limits)
    data = prepare_data(pattern, background_terms=terms)
    model = limit_widths(model, line_width(data))
    first = solve(model, data, start_values(model, data))
    seed = first.values * (1 + 2e-4 * np.random.default_rng(1).standard_normal(first.values.size))
    engine = best_ms(lambda: solve(model, data, seed), 20)
    lines = int(np.isfinite(first.intensity).sum())
    dense = np.random.default_rng(2).standard_normal((data.position.size, lines + terms + model.start.size))
    reference = best_ms(lambda: np.linalg.lstsq(dense, data.intensity, rcond=None), 3)
    series = [pattern] * 20
    whole = best_ms(lambda: hs.fit_patterns(series, phases, background=terms), 2) / len(series)
    print(
        f"{name:34s} {data.position.size:6d} {lines:6d} {engine:9.2f} {whole:12.2f} {reference:10.2f} "
        f"{engine / reference:8.3f} {whole / reference:8.3f}"
    )


def main() -> None:
    """Print the table."""
    ceh9, ceh4 = hs.read_phase("CeH9-P63mmc"), hs.read_phase("CeH4-I4mmm")
    angles = [11.1806, 12.9676, 13.1179, 17.2681, 19.4275, 22.4694, 22.7342, 23.4280, 23.5132]
    angles += [12.2688, 13.9670, 17.7701, 21.6507, 22.3681, 24.6811]
    heights = np.random.default_rng(0).uniform(500, 5000, len(angles))
    two = list(zip(angles, heights, strict=True))
    print("simulated; CPU ms, one thread; dense = one numpy.linalg.lstsq of the same points and parameters")
    head = ("points", "lines", "engine", "fit_patterns", "dense", "ratio", "ratio")
    print(" " * 34, "{:>6s} {:>6s} {:>9s} {:>12s} {:>10s} {:>8s} {:>8s}".format(*head))
    for points in (1000, 2000, 4000, 8000):
        report(f"CeH9 + CeH4, {points} points", simulated(two, points, 4.0, 25.0, 3), [ceh9, ceh4], 12)
    cell = make_cell(
        CrystalSystem.TRICLINIC, a_ang=7.1, b_ang=8.3, c_ang=6.2, alpha_deg=92.0, beta_deg=101.0, gamma_deg=88.0
    )
    low = _triclinic(cell)
    positions = _positions(low, 25.0)
    many = list(zip(positions, np.random.default_rng(4).uniform(500, 5000, len(positions)), strict=True))
    report("triclinic, 8000 points", simulated(many, 8000, 3.0, 25.0, 5), [low], 12)


def _triclinic(cell: hs.Cell) -> hs.Phase:
    from dataclasses import replace

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
