"""Pulls of the gap on SIMULATED spectra: do the uncertainties mean what they say?

Usage: python scripts/check_andreev.py [N]             (default 1000 spectra at each of 2, 20 and 60 K; some 0.3 s each)
       python scripts/check_andreev.py 0 --series 200  (series of five temperatures, barrier and weight in common)

Each spectrum has a gap, a broadening, a barrier, a weight and a cubic background of its own, 361 biases and white noise
of 0.2 % of the middle of the curve. The fit is told the temperature and nothing else: degree of the background, noise
and all parameters are its own affair. A fit without a number counts as a failure and has no pull; pulls of fits that
converged, and are not doubtful, stand in a line of their own. In a series the gap follows a law of its own, between the
textbook's and a steeper one, and every spectrum has its own background and broadening. The simulator is
tests/andreev/btk_brute_force.py: published amplitudes and plain quadrature, no code of the package.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "andreev"))

from btk_brute_force import smeared

from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.andreev.fit import fit_conductance, fit_conductances

Floats = NDArray[np.float64]

TEMPERATURES = {2.0: 21.04, 20.0: 21.0, 60.0: 18.2}
NOISE = 0.002
SERIES_K = (2.0, 20.0, 60.0, 80.0, 95.0)


def spectrum(
    random: np.random.Generator, temperature: float, *, gap: float, broadening: float, z: float, weight: float
) -> ConductanceCurve:
    """One simulated spectrum with a background of its own."""
    bias = np.linspace(-90.0, 90.0, 361)
    clean = 1 + weight * (smeared(bias, gap, broadening, z, temperature) - 1)
    x = bias / 90.0
    background = 0.2 * (
        1 + random.normal(0, 0.05) * x + random.normal(0.1, 0.05) * x**2 + random.normal(0, 0.03) * x**3
    )
    raw = clean * background
    raw = raw + random.normal(0.0, NOISE * float(np.mean(raw)), bias.size)
    return ConductanceCurve(bias_mv=bias, conductance=raw, temperature_k=temperature)


def simulate(random: np.random.Generator, temperature: float, gap: float) -> tuple[ConductanceCurve, float]:
    """One simulated spectrum and its gap."""
    gap = gap * random.uniform(0.9, 1.1)
    broadening, z, weight = random.uniform(2.0, 6.0), random.uniform(0.15, 0.45), random.uniform(0.5, 1.0)
    return spectrum(random, temperature, gap=gap, broadening=broadening, z=z, weight=weight), gap


def simulate_series(random: np.random.Generator) -> tuple[list[ConductanceCurve], list[float]]:
    """One contact at several temperatures, and its gaps."""
    top, tc, power = 21.04 * random.uniform(0.9, 1.1), random.uniform(103.0, 112.0), random.uniform(2.8, 3.6)
    z, weight = random.uniform(0.15, 0.45), random.uniform(0.5, 1.0)
    gaps = [top * math.sqrt(1.0 - (temperature / tc) ** power) for temperature in SERIES_K]
    curves = [
        spectrum(random, temperature, gap=gap, broadening=random.uniform(2.0, 6.0), z=z, weight=weight)
        for temperature, gap in zip(SERIES_K, gaps, strict=True)
    ]
    return curves, gaps


Found = list[tuple[float, float, str]]


def pulls(count: int, temperature: float, seed: int) -> tuple[Found, float]:
    """Pull, uncertainty and verdict of each, and ms a fit, at one temperature."""
    random = np.random.default_rng([seed, int(temperature)])  # no draw is shared between temperatures
    found, spent = [], 0.0
    for _ in range(count):
        curve, gap = simulate(random, temperature, TEMPERATURES[temperature])
        began = time.process_time()
        fit = fit_conductance(curve)
        spent += time.process_time() - began
        found.append(((fit.gap_mev - gap) / fit.gap_sigma_mev, fit.gap_sigma_mev, fit.verdict.value))
    return found, 1e3 * spent / count


def series_pulls(count: int, seed: int) -> tuple[dict[float, Found], float]:
    """The same for each temperature of series that are fitted whole."""
    random = np.random.default_rng([seed, 7])
    found: dict[float, Found] = {temperature: [] for temperature in SERIES_K}
    spent = 0.0
    for _ in range(count):
        curves, gaps = simulate_series(random)
        began = time.process_time()
        fits = fit_conductances(curves)
        spent += time.process_time() - began
        for fit, gap in zip(fits, gaps, strict=True):
            row = (fit.gap_mev - gap) / fit.gap_sigma_mev, fit.gap_sigma_mev, fit.verdict.value
            found[fit.temperature_k].append(row)
    return found, 1e3 * spent / count


def show(name: str, found: Found, spent: float) -> None:
    """Two lines: all, and those that converged."""
    words = ", ".join(f"{word} {number}" for word, number in sorted(Counter(one[2] for one in found).items()))
    for which, kept in (("all", found), ("converged", [one for one in found if one[2] == "converged"])):
        table = np.array([one[:2] for one in kept if math.isfinite(one[0])]).reshape(-1, 2)
        if len(table) < 2:
            continue
        pull = table[:, 0]
        far = [100.0 * float(np.mean(np.abs(pull) > limit)) for limit in (2, 3)]
        tail = f"{spent:8.1f}  {words}" if which == "all" else ""
        spread = f"{pull.std(ddof=1):6.3f}  {1 / math.sqrt(2 * pull.size):5.3f}"
        cells = [f"{name:>6}  {which:9}  {pull.mean():6.3f}  {spread}  {far[0]:5.1f}  {far[1]:5.2f}"]
        cells.append(f"{len(kept) - pull.size:8d}  {np.median(table[:, 1]):16.3f}  {tail}")
        print("  ".join(cells).rstrip(), flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Pulls of the gap on simulated spectra.")
    parser.add_argument("count", nargs="?", type=int, default=1000, help="spectra at each temperature")
    parser.add_argument("--series", type=int, default=0, help="series over temperature")
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    head = "   T K  which        mean  spread  error   >2 %   >3 %  failures  median sigma meV  ms a fit  verdicts"
    if given.count:
        print(f"SIMULATED spectra, {given.count} at each temperature, seed {given.seed}; (fitted - true) / sigma")
        print(head)
        for temperature in TEMPERATURES:
            found, spent = pulls(given.count, temperature, given.seed)
            show(f"{temperature:g}", found, spent)
    if given.series:
        print(
            f"SIMULATED series of {len(SERIES_K)}, {given.series} of them, seed {given.seed}; (fitted - true) / sigma"
        )
        print(head)
        rows, spent = series_pulls(given.series, given.seed)
        for temperature, found in rows.items():
            show(f"{temperature:g}", found, spent)
        show("all", [one for found in rows.values() for one in found], spent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
