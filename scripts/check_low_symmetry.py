"""Low symmetry: simulated patterns of many overlapping lines, fitted from starts that are off in every axis and angle.

Run: python scripts/check_low_symmetry.py [N] [--mode series|starts|all] [--system NAME] [--off PERCENT] [--seed S]

Modes: ``series``, 50 patterns whose lattice drifts by up to 2 %, each axis by an amount of its own; `fit_patterns` from
a start 0.5 to 1 % off in each axis and 0.5° in each free angle, and `fit_pattern` of each from a start as far off its
own cell. ``starts``, N cells of 30 to 100 lines, each start off by up to --off percent (default 1 and 2) in each axis
and up to 0.5° in each free angle. Areas of the lines are exponentially distributed, the strongest line about 3000
counts on 1500, FWHM 0.08°, λ 0.6199 Å, 4-25°, 2000 points, Poisson noise. A fit is right when every axis lies within
0.03 % and every angle within 0.03° of the truth, or within 5 sigma of it. With --strangers lines of a cubic F phase
that nobody names lie in the patterns of ``starts``. The simulator shares no code with hydrostruct.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hydrostruct as hs

Floats = NDArray[np.float64]

WAVELENGTH = 0.6199
X = np.linspace(4.0, 25.0, 2000)
GAUSS, SIZE = 0.066, 0.024
NAMES = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg")
SYSTEMS = {
    # space group, free numbers of the cell, a cell
    "cubic": ("Pm-3m", 221, (0,), (7.2, 7.2, 7.2, 90.0, 90.0, 90.0)),
    "orthorhombic": ("Pnma", 62, (0, 1, 2), (5.9, 8.1, 5.2, 90.0, 90.0, 90.0)),
    "monoclinic": ("P2_1/c", 14, (0, 1, 2, 4), (5.15, 5.2, 5.32, 90.0, 99.2, 90.0)),
    "triclinic": ("P-1", 2, (0, 1, 2, 3, 4, 5), (3.9, 4.4, 5.1, 85.0, 98.0, 103.0)),
}


def allowed(system: str, h: int, k: int, l: int) -> bool:  # noqa: E741
    """Reflection conditions of the general position."""
    if system == "orthorhombic":
        return not ((h == 0 and (k + l) % 2) or (l == 0 and h % 2))
    if system == "monoclinic":
        return not ((k == 0 and l % 2) or (h == 0 and l == 0 and k % 2))
    return True


def metric(cell: Floats) -> Floats:
    """Direct metric tensor."""
    a, b, c = cell[:3]
    x, y, z = np.cos(np.radians(cell[3:]))
    return np.array([[a * a, a * b * z, a * c * y], [a * b * z, b * b, b * c * x], [a * c * y, b * c * x, c * c]])


def lines_of(system: str, cell: Floats) -> Floats:
    """One hkl of each line to 27°, shape (lines, 3)."""
    reciprocal = np.linalg.inv(metric(cell))
    found = {}
    for hkl in itertools.product(range(-8, 9), range(-12, 13), range(-10, 11)):
        if hkl <= (0, 0, 0) or not allowed(system, *hkl):
            continue
        square = float(np.array(hkl) @ reciprocal @ np.array(hkl))
        if WAVELENGTH * math.sqrt(square) / 2.0 < math.sin(math.radians(13.5)):
            found[round(square, 9)] = hkl
    return np.array(list(found.values()), dtype=float)


def profile(x: Floats, gauss: float, lorentz: float) -> Floats:
    """Thompson-Cox-Hastings pseudo-Voigt of unit area."""
    coefficients = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    full = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(coefficients)) ** 0.2
    q = lorentz / full
    eta = 1.36603 * q - 0.47719 * q * q + 0.11116 * q**3
    deviation = full / (2.0 * math.sqrt(2.0 * math.log(2.0)))
    bell = np.exp(-(x**2) / (2.0 * deviation**2)) / (deviation * math.sqrt(2.0 * math.pi))
    return eta * full / 2.0 / math.pi / (x**2 + (full / 2.0) ** 2) + (1.0 - eta) * bell


def pattern_of(hkl: Floats, areas: Floats, cell: Floats, random: np.random.Generator, *, others: Any = None) -> Any:
    """One measured pattern, with other lines in it where they are given."""
    reciprocal = np.linalg.inv(metric(cell))
    theta = np.arcsin(WAVELENGTH / 2.0 * np.sqrt(np.einsum("li,ij,lj->l", hkl, reciprocal, hkl)))
    if others is not None:
        theta, areas = np.concatenate((theta, others[0])), np.concatenate((areas, others[1]))
    u = (X - X[0]) / (X[-1] - X[0])
    clean = 1500.0 * (0.75 + 0.5 * np.exp(-2.5 * u) + 0.18 * np.exp(-(((u - 0.45) / 0.22) ** 2)))
    for angle, area in zip(theta, areas, strict=True):
        clean += area * profile(X - math.degrees(2.0 * angle), GAUSS, SIZE / math.cos(angle))
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=X, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=WAVELENGTH
    )


def areas_of(hkl: Floats, random: np.random.Generator) -> Floats:
    """Exponentially distributed, the strongest 3000 counts high."""
    areas = random.exponential(size=len(hkl))
    return 3000.0 * 0.08 * 1.15 * areas / areas.max()


def phase_of(folder: Path, system: str) -> Any:
    """The phase as a user would give it."""
    symbol, number, free, cell = SYSTEMS[system]
    path = folder / f"{system}.toml"
    numbers = "\n".join(f"{NAMES[i]} = {cell[i]}" for i in free)
    path.write_text(
        f'name = "{system}"\nformula = "Fe2O3"\n[structure]\nspace_group_number = {number}\n'
        f'space_group_symbol = "{symbol}"\nformula_units = 2\nmetal_atoms_per_formula_unit = 2\nsource = "simulated"\n'
        f'confidence = "memory-high"\n[cell]\n{numbers}\nsource = "simulated"\nconfidence = "memory-high"\n'
    )
    return hs.read_phase(path)


def start_of(system: str, cell: Floats, random: np.random.Generator, *, low: float, high: float) -> dict[str, float]:
    """A start off by low to high (relative) in each axis, either way, and as much of 0.5° in each free angle."""
    values = {}
    for i in SYSTEMS[system][2]:
        part = random.uniform(low, high) / high * random.choice((-1.0, 1.0))
        values[NAMES[i]] = float(cell[i] * (1.0 + high * part) if i < 3 else cell[i] + 0.5 * part)
    return values


def judged(system: str, cell: Floats, fit: Any) -> tuple[str, list[float]]:
    """What a fit is: right, flagged or wrong; and its pulls."""
    found, pulls, right = fit.phases[system], [], True
    for i in SYSTEMS[system][2]:
        stem, unit = NAMES[i].rsplit("_", 1)
        away, sigma = getattr(found, NAMES[i]) - cell[i], getattr(found, f"{stem}_sigma_{unit}")
        pulls.append(away / sigma)
        right = right and (abs(away) < (3e-4 * cell[i] if i < 3 else 0.03) or abs(away) < 5.0 * sigma)
    verdict = str(fit.verdict)
    if right:
        return ("right" if verdict == "converged" else f"right, {verdict}"), pulls
    return ("WRONG, converged" if verdict == "converged" else f"wrong, {verdict}"), []


def told(title: str, words: list[str], pulls: list[list[float]], seconds: list[float]) -> None:
    """One line."""
    counts = ", ".join(f"{word} {number}" for word, number in sorted(collections.Counter(words).items()))
    flat = np.array([value for row in pulls for value in row if math.isfinite(value)])
    spread = f"pulls mean {flat.mean():+.2f} spread {flat.std():.2f}" if flat.size else "no pulls"
    print(f"{title:44s} {counts}; {spread}; {np.mean(seconds):.2f} s, longest {np.max(seconds):.2f}", flush=True)


def series(folder: Path, system: str, seed: int, count: int = 50) -> None:
    """A lattice that drifts."""
    random = np.random.default_rng(seed)
    free, first = SYSTEMS[system][2], np.array(SYSTEMS[system][3])
    drift = np.array([0.02, 0.013, 0.016, 0.5, 0.7, -0.6])
    hkl = lines_of(system, first)
    areas = areas_of(hkl, random)
    cells = []
    for part in np.linspace(0.0, 1.0, count):
        cell = first.copy()
        for i in free:
            cell[i] = first[i] * (1 - drift[i] * part) if i < 3 else first[i] + drift[i] * part
        cells.append(np.full(6, cell[0]) * [1, 1, 1, 0, 0, 0] + [0, 0, 0, 90, 90, 90] if system == "cubic" else cell)
    patterns = [pattern_of(hkl, areas, cell, random) for cell in cells]
    phase = phase_of(folder, system)
    start = start_of(system, cells[0], random, low=0.005, high=0.01)
    began = time.perf_counter()
    fits = hs.fit_patterns(patterns, [phase], cells={system: start})
    each = (time.perf_counter() - began) / count
    told(f"{system}, {len(hkl)} lines, fit_patterns", *_both(system, cells, fits), [each])
    seconds, fits = [], []
    for pattern, cell in zip(patterns, cells, strict=True):
        start = start_of(system, cell, random, low=0.005, high=0.01)
        began = time.perf_counter()
        fits.append(hs.fit_pattern(pattern, [phase], cells={system: start}))
        seconds.append(time.perf_counter() - began)
    told(f"{system}, {len(hkl)} lines, fit_pattern", *_both(system, cells, fits), seconds)


def _both(system: str, cells: list[Floats], fits: list[Any]) -> tuple[list[str], list[list[float]]]:
    pairs = [judged(system, cell, fit) for cell, fit in zip(cells, fits, strict=True)]
    return [word for word, _ in pairs], [pulls for _, pulls in pairs]


def strangers(random: np.random.Generator) -> Any:
    """Angles and areas of the lines of a cubic F phase, in degrees and counts × degrees."""
    squares = np.array([3.0, 4.0, 8.0, 11.0, 12.0])
    theta = np.arcsin(WAVELENGTH / 2.0 * np.sqrt(squares) / random.uniform(3.6, 4.0))
    heights = np.array([1.0, 0.5, 0.3, 0.35, 0.1]) * random.uniform(300.0, 2000.0)
    return theta, heights * 0.08 * 1.15


def starts(folder: Path, system: str, seed: int, count: int, off: float, *, with_strangers: bool) -> None:
    """Cells of their own, starts off by up to so much."""
    random = np.random.default_rng(seed)
    free, middle = SYSTEMS[system][2], np.array(SYSTEMS[system][3])
    phase, words, pulls, seconds, sizes = phase_of(folder, system), [], [], [], []
    while len(words) < count:
        cell = middle.copy()
        scale = random.uniform(0.9, 1.1)
        for i in free:
            cell[i] = middle[i] * scale * random.uniform(0.93, 1.07) if i < 3 else middle[i] + random.uniform(-4, 4)
        if system == "cubic":
            cell[:3] = cell[0]
        hkl = lines_of(system, cell)
        if not 30 <= len(hkl) <= 100 and system != "cubic":
            continue
        areas = areas_of(hkl, random)
        others = strangers(random) if with_strangers else None
        pattern = pattern_of(hkl, areas, cell, random, others=others)
        start = start_of(system, cell, random, low=0.0, high=off)
        began = time.perf_counter()
        fit = hs.fit_pattern(pattern, [phase], cells={system: start})
        seconds.append(time.perf_counter() - began)
        word, mine = judged(system, cell, fit)
        words.append(word)
        pulls.append(mine)
        sizes.append(len(hkl))
    told(f"{system}, {min(sizes)}-{max(sizes)} lines, off to {off:.1%}", words, pulls, seconds)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=50)
    parser.add_argument("--mode", choices=("series", "starts", "all"), default="all")
    parser.add_argument("--system", choices=tuple(SYSTEMS), action="append")
    parser.add_argument("--off", type=float, action="append")
    parser.add_argument("--strangers", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("SIMULATED patterns")
    with tempfile.TemporaryDirectory() as name:
        for system in given.system or SYSTEMS:
            if given.mode in ("series", "all"):
                series(Path(name), system, given.seed)
            if given.mode in ("starts", "all"):
                for off in given.off or (1.0, 2.0):
                    part = off / 100.0
                    starts(Path(name), system, given.seed, given.count, part, with_strangers=given.strangers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
