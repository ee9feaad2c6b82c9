"""Pulls of the Le Bail fit on SIMULATED patterns: do the uncertainties mean what they say?

Usage: python scripts/check_pulls.py [N]        (default 1000 patterns at each level; about 0.02 s a pattern)

Every pattern is simulated CeH9 + CeH4 (λ 0.6199 Å, 4-25°, 2000 points, FWHM about 0.08°, Poisson noise) with cells of
its own, drawn 0.2 % about the published ones, and is fitted from the published ones. The simulator below shares no code
with hydrostruct; it is that of tests/xrd/simulator.py.

A fit that did not converge, or a phase without a number, counts as a failure and has no pull.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hydrostruct as hs

Floats = NDArray[np.float64]

WAVELENGTH = 0.6199
CEH9, CEH4 = (3.674, 5.427), (2.838, 5.801)
CEH9_LINES = (
    (1, 0, 0, 24), (1, 0, 1, 100), (0, 0, 2, 21), (1, 0, 2, 17), (1, 1, 0, 24), (2, 0, 0, 4.2), (1, 0, 3, 24),
    (2, 0, 1, 21), (1, 1, 2, 28), (2, 0, 2, 4.8), (0, 0, 4, 3.2), (1, 0, 4, 3.6), (2, 1, 0, 3.3), (2, 0, 3, 9.3),
    (2, 1, 1, 17.8),
)  # fmt: skip
CEH4_LINES = (
    (0, 0, 2, 34), (1, 0, 1, 100), (1, 1, 0, 27), (1, 1, 2, 32), (1, 0, 3, 29), (0, 0, 4, 5.3), (2, 0, 0, 10.3),
    (2, 0, 2, 13.8), (2, 1, 1, 25.4), (1, 1, 4, 10.5),
)  # fmt: skip
CEH4_SHARE = 0.4
LEVELS = {"good": (20000.0, 3000.0), "mid": (3000.0, 3000.0), "weak": (400.0, 1500.0)}
NUMBERS = ("a_ang", "c_ang", "volume_ang3")


def peak(x: Floats, center: float, area: float, gauss: float, lorentz: float) -> Floats:
    """Thompson-Cox-Hastings pseudo-Voigt, drawn to the ends of the pattern."""
    coefficients = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    full = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(coefficients)) ** 0.2
    q = lorentz / full
    eta = 1.36603 * q - 0.47719 * q * q + 0.11116 * q**3
    deviation = full / (2.0 * math.sqrt(2.0 * math.log(2.0)))
    bell = np.exp(-((x - center) ** 2) / (2.0 * deviation**2)) / (deviation * math.sqrt(2.0 * math.pi))
    tails = full / 2.0 / math.pi / ((x - center) ** 2 + (full / 2.0) ** 2)
    return area * (eta * tails + (1.0 - eta) * bell)


def simulate(random: np.random.Generator, level: str | tuple[float, float], ceh9: Floats, ceh4: Floats) -> hs.Pattern:
    """One simulated pattern; a level is a name, or the height of the strongest line and the background."""
    height, low = LEVELS[level] if isinstance(level, str) else level
    x = np.linspace(4.0, 25.0, 2000)
    u = (x - x[0]) / (x[-1] - x[0])
    clean = low * (0.75 + 0.5 * np.exp(-2.5 * u) + 0.18 * np.exp(-(((u - 0.45) / 0.22) ** 2)))
    unit = height * 0.08 * 1.15 / 100.0
    for h, k, l, area in CEH9_LINES:  # noqa: E741
        inverse = math.sqrt(4.0 * (h * h + h * k + k * k) / (3.0 * ceh9[0] ** 2) + (l / ceh9[1]) ** 2)
        clean = clean + line(x, inverse, unit * area)
    for h, k, l, area in CEH4_LINES:  # noqa: E741
        inverse = math.sqrt((h * h + k * k) / ceh4[0] ** 2 + (l / ceh4[1]) ** 2)
        clean = clean + line(x, inverse, unit * area * CEH4_SHARE)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=WAVELENGTH
    )


def line(x: Floats, inverse_d: float, area: float) -> Floats:
    """A line at its Bragg angle."""
    theta = math.asin(WAVELENGTH * inverse_d / 2.0)
    return peak(x, math.degrees(2.0 * theta), area, 0.066, 0.024 / math.cos(theta))


def true_numbers(name: str, pair: Floats) -> tuple[float, float, float]:
    """a, c and the volume."""
    factor = math.sqrt(3.0) / 2.0 if name.startswith("CeH9") else 1.0
    return float(pair[0]), float(pair[1]), float(factor * pair[0] ** 2 * pair[1])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Pulls of cells and volumes on simulated patterns.")
    parser.add_argument("count", nargs="?", type=int, default=1000, help="patterns at each level")
    count = parser.parse_args().count
    names = ("CeH9-P63mmc", "CeH4-I4mmm")
    phases = [hs.read_phase(name) for name in names]
    print(f"SIMULATED patterns, {count} at each level; pulls are (fitted - true) / sigma, sigma the one to use")
    print(f"standard error of a mean {1 / math.sqrt(count):.3f}, of a spread {1 / math.sqrt(2 * count):.3f};")
    print("Gaussian tails: 4.6 % beyond 2, 0.27 % beyond 3; failures have no number; sigma/scatter: median sigma over")
    print("the standard deviation of the errors.\n")
    print("level  phase        number   mean  spread   >2 %   >3 %  failures  sigma/scatter  median sigma")
    for level in LEVELS:
        run_level(level, count, names, phases)
    return 0


def run_level(level: str, count: int, names: tuple[str, str], phases: list[hs.Phase]) -> None:
    """Simulate, fit and print one level."""
    random = np.random.default_rng(20261122)
    errors: dict[tuple[str, str], list[tuple[float, float]]] = {(n, q): [] for n in names for q in NUMBERS}
    verdicts: Counter[str] = Counter()
    gof, serial, began = [], [], time.perf_counter()
    for _ in range(count):
        cells = dict(
            zip(names, (np.array(pair) * (1 + random.normal(0, 0.002, 2)) for pair in (CEH9, CEH4)), strict=True)
        )
        fit = hs.fit_pattern(simulate(random, level, *cells.values()), phases)
        gof.append(fit.gof)
        serial.append(fit.serial_factor)
        verdicts.update(f"{name}: {fit.phases[name].verdict}" for name in names)
        for name in names:
            for number, value in zip(NUMBERS, true_numbers(name, cells[name]), strict=True):
                errors[name, number].append(one_error(fit.phases[name], number, value))
    for (name, number), pairs in errors.items():
        table = np.array(pairs)
        good = table[np.all(np.isfinite(table), axis=1)]
        pull = good[:, 0] / good[:, 1]
        far = [100.0 * float(np.mean(np.abs(pull) > limit)) for limit in (2, 3)]
        print(
            f"{level:5}  {name:11}  {number.rpartition('_')[0]:6}  {pull.mean():6.3f}  {pull.std(ddof=1):6.3f}  "
            f"{far[0]:5.1f}  {far[1]:5.2f}  {len(table) - len(good):8d}  "
            f"{np.median(good[:, 1]) / good[:, 0].std(ddof=1):13.3f}  {np.median(good[:, 1]):12.3g}"
        )
    seconds = (time.perf_counter() - began) / count
    print(f"       GOF {np.mean(gof):.4f}, serial factor {np.mean(serial):.4f}, {1e3 * seconds:.1f} ms a pattern")
    print("       " + "; ".join(f"{word} {number}" for word, number in sorted(verdicts.items())) + "\n")


def one_error(found: Any, number: str, value: float) -> tuple[float, float]:
    """Fitted less true, and its sigma."""
    stem, unit = number.rsplit("_", 1)
    return getattr(found, number) - value, getattr(found, f"{stem}_sigma_{unit}")


if __name__ == "__main__":
    sys.exit(main())
