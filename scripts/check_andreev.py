"""Pulls of the gap on SIMULATED spectra: do the uncertainties mean what they say?

Usage: python scripts/check_andreev.py [N]        (default 1000 spectra at each of 2, 20 and 60 K; some 0.2 s each)

Each spectrum has a gap, a broadening, a barrier, a weight and a cubic background of its own, 361 biases and white noise
of 0.2 % of the middle of the curve. The fit is told the temperature and nothing else: degree of the background, noise
and all parameters are its own affair. A fit without a number counts as a failure and has no pull. The simulator is
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
from hydrostruct.andreev.fit import fit_conductance

Floats = NDArray[np.float64]

TEMPERATURES = {2.0: 21.04, 20.0: 21.0, 60.0: 18.2}
NOISE = 0.002


def simulate(random: np.random.Generator, temperature: float, gap: float) -> tuple[ConductanceCurve, float]:
    """One simulated spectrum and its gap."""
    bias = np.linspace(-90.0, 90.0, 361)
    gap = gap * random.uniform(0.9, 1.1)
    broadening, z, weight = random.uniform(2.0, 6.0), random.uniform(0.15, 0.45), random.uniform(0.5, 1.0)
    clean = 1 + weight * (smeared(bias, gap, broadening, z, temperature) - 1)
    x = bias / 90.0
    background = 0.2 * (
        1 + random.normal(0, 0.05) * x + random.normal(0.1, 0.05) * x**2 + random.normal(0, 0.03) * x**3
    )
    raw = clean * background
    raw = raw + random.normal(0.0, NOISE * float(np.mean(raw)), bias.size)
    return ConductanceCurve(bias_mv=bias, conductance=raw, temperature_k=temperature), gap


def pulls(count: int, temperature: float, seed: int) -> tuple[Floats, Counter[str], list[float], float]:
    """Pulls, verdicts, uncertainties and ms a fit at one temperature."""
    random = np.random.default_rng([seed, int(temperature)])  # no draw is shared between temperatures
    found, sigmas, verdicts, spent = [], [], Counter[str](), 0.0
    for _ in range(count):
        curve, gap = simulate(random, temperature, TEMPERATURES[temperature])
        began = time.process_time()
        fit = fit_conductance(curve)
        spent += time.process_time() - began
        verdicts[fit.verdict.value] += 1
        if math.isfinite(fit.gap_mev):
            found.append((fit.gap_mev - gap) / fit.gap_sigma_mev)
            sigmas.append(fit.gap_sigma_mev)
    return np.array(found), verdicts, sigmas, 1e3 * spent / count


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Pulls of the gap on simulated spectra.")
    parser.add_argument("count", nargs="?", type=int, default=1000, help="spectra at each temperature")
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    print(f"SIMULATED spectra, {given.count} at each temperature, seed {given.seed}; pulls are (fitted - true) / sigma")
    print(" T K    mean  spread  error   >2 %   >3 %  failures  median sigma meV  ms a fit  verdicts")
    for temperature in TEMPERATURES:
        found, verdicts, sigmas, spent = pulls(given.count, temperature, given.seed)
        far = [100.0 * float(np.mean(np.abs(found) > limit)) for limit in (2, 3)]
        words = ", ".join(f"{word} {number}" for word, number in sorted(verdicts.items()))
        print(
            f"{temperature:4.0f}  {found.mean():6.3f}  {found.std(ddof=1):6.3f}  {1 / math.sqrt(2 * found.size):5.3f}  "
            f"{far[0]:5.1f}  {far[1]:5.2f}  {given.count - found.size:8d}  {np.median(sigmas):16.3f}  {spent:8.1f}  "
            f"{words}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
