"""CPU time of the BTK conductance at 361 biases, against a brute-force quadrature of the same accuracy in the same run.

Run: ``python scripts/bench_andreev.py``. Ratios travel between machines; milliseconds do not.

Brute force here is what a careful person writes first: the published amplitudes in numpy, and for each bias an adaptive
quadrature (QUADPACK through scipy, its tolerance 1e-6) over the thermal window cut at both edges of the gap.
Both are held against a composite Gauss rule of 1e-10. The last lines time fits of a SIMULATED spectrum.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cmath
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.integrate import quad

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "andreev"))

from btk_brute_force import K_B, smeared

import hydrostruct as hs

CASES = (
    ("2 K", 21.04, 5.0, 0.3, 2.0),
    ("2 K, sharp", 21.04, 0.5, 0.2, 2.0),
    ("60 K", 17.5, 5.0, 0.3, 60.0),
    ("90 K", 9.5, 5.0, 0.3, 90.0),
    ("2 K, no broadening", 21.04, 0.0, 0.3, 2.0),
)


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """Least CPU time of several runs, in ms."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1e3 * min(times)


def amplitude_form(energy: float, gap: float, gamma: float, z: float) -> float:
    """The published amplitudes, one energy."""
    e = complex(abs(energy), gamma)
    root = cmath.sqrt(e * e - gap * gap)
    ratio = root / e if e else complex(1e9)
    ratio = -ratio if ratio.real < 0 else ratio
    u2 = 0.5 * (1 + ratio)
    v2 = 1 - u2
    norm = u2 + z * z * (u2 - v2)
    return (1 + z * z) * (1 + abs(cmath.sqrt(u2 * v2) / norm) ** 2 - abs((u2 - v2) * (z * z + 1j * z) / norm) ** 2)


def brute_force(bias: np.ndarray, gap: float, gamma: float, z: float, temperature: float) -> np.ndarray:
    """Adaptive quadrature, one bias after the other."""
    thermal = K_B * temperature
    out = []
    for v in bias:
        low, high = v - 20 * thermal, v + 20 * thermal
        cuts = [x for x in (-gap, gap) if low < x < high]

        def inner(e: float, v: float = v) -> float:
            return amplitude_form(e, gap, gamma, z) / (4 * thermal * math.cosh((e - v) / (2 * thermal)) ** 2)

        out.append(quad(inner, low, high, points=[v, *cuts], epsabs=1e-6, epsrel=1e-6, limit=200)[0])
    return np.array(out)


def main() -> None:
    """Print the table."""
    bias = np.linspace(-90.0, 90.0, 361)
    print("361 biases; CPU ms, one thread; error: largest difference from a Gauss rule of 1e-10")
    print(f"{'case':20s} {'ms':>7s} {'error':>8s} {'brute ms':>9s} {'error':>8s} {'ratio':>7s}")
    for name, gap, gamma, z, temperature in CASES:
        given = {"gap_mev": gap, "broadening_mev": gamma, "barrier": z, "temperature_k": temperature}
        truth = smeared(bias, gap, gamma, z, temperature, panels=60)
        fast = best_ms(lambda: hs.andreev_conductance(bias, **given), 20)  # noqa: B023
        slow = best_ms(lambda: brute_force(bias, gap, gamma, z, temperature), 1)  # noqa: B023
        errors = [
            np.max(np.abs(one - truth))
            for one in (hs.andreev_conductance(bias, **given), brute_force(bias, gap, gamma, z, temperature))
        ]
        print(f"{name:20s} {fast:7.3f} {errors[0]:8.1e} {slow:9.1f} {errors[1]:8.1e} {fast / slow:7.4f}")
    print("\nSIMULATED spectra, noise 0.2 %, cubic background; one fit, all backgrounds of degree 0 to 6 tried")
    random = np.random.default_rng(1)
    for name, gap, gamma, z, temperature in (CASES[0], CASES[2]):
        raw = smeared(bias, gap, gamma, z, temperature) * 0.2 * (1 + 1e-3 * bias + 2e-5 * bias**2 - 1e-7 * bias**3)
        noisy = raw + random.normal(0.0, 4e-4, bias.size)
        curve = hs.ConductanceCurve(bias_mv=bias, conductance=noisy, temperature_k=temperature)
        plain = best_ms(lambda: hs.fit_conductance(curve), 5)  # noqa: B023
        profile = best_ms(lambda: hs.fit_conductance(curve, profile=True), 5)  # noqa: B023
        print(f"{name:20s} {plain:7.1f} ms, with the profile likelihood of the gap {profile:7.1f} ms")


if __name__ == "__main__":
    main()
