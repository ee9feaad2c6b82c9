"""What the uncertainties of the Le Bail fit are worth, on SIMULATED patterns: pulls, tails, and the Cramér-Rao floor.

Usage: python scripts/check_uncertainty.py [N] [--quick] [--data FOLDER] [--only WORDS]

N patterns of each case (default 1000, with --quick a tenth). --data names the shared folder of measured data: the shape
of the background in the cases "peak/background" is then that of nine measured frames (running median and spline of
their patterns, taken when the script runs, scaled to the counts of the case); without it, a smooth built-in shape.
--only takes the cases whose names contain the words.

Every pattern has cells of its own, drawn 0.2 % about those from which it is fitted, and Poisson noise (λ 0.6199 Å,
4-25°, 2000 points). Neither the simulator nor the floor below shares code with hydrostruct. The floor is the square
root of the diagonal of the inverse Fisher matrix at the truth, by numerical derivatives, with the intensities of all
allowed lines, the widths and as many background terms as the fit took as nuisance parameters.

A fit that did not come to rest, or a phase without a number, counts as a failure and has no pull. Wanted: mean of the
pulls within 0.1, spread 0.93-1.07, median sigma over the floor 0.98-1.10; with a wrong profile, 60-80 % of the truths
within one sigma, and median sigma at most 1.5 times the observed scatter. What misses is marked with a star.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LSQUnivariateSpline
from scipy.ndimage import median_filter
from scipy.optimize import least_squares

import hydrostruct as hs

Floats = NDArray[np.float64]
Shape = Callable[[Floats], Floats]

WAVELENGTH = 0.6199
ANGLES = np.linspace(4.0, 25.0, 2000)
MARGIN_FWHM = 10.0
CEH9_AREAS = {
    (1, 0, 0): 24, (1, 0, 1): 100, (0, 0, 2): 21, (1, 0, 2): 17, (1, 1, 0): 24, (2, 0, 0): 4.2, (1, 0, 3): 24,
    (2, 0, 1): 21, (1, 1, 2): 28, (2, 0, 2): 4.8, (0, 0, 4): 3.2, (1, 0, 4): 3.6, (2, 1, 0): 3.3, (2, 0, 3): 9.3,
    (2, 1, 1): 17.8,
}  # fmt: skip
CEH4_AREAS = {
    (0, 0, 2): 34, (1, 0, 1): 100, (1, 1, 0): 27, (1, 1, 2): 32, (1, 0, 3): 29, (0, 0, 4): 5.3, (2, 0, 0): 10.3,
    (2, 0, 2): 13.8, (2, 1, 1): 25.4, (1, 1, 4): 10.5,
}  # fmt: skip
FCC_AREAS = {(1, 1, 1): 100, (2, 0, 0): 46, (2, 2, 0): 25, (3, 1, 1): 27, (2, 2, 2): 8}


def squares(system: str, hkl: Any, cell: Floats) -> Floats:
    """1/d² of lines, by the textbook formula of each system."""
    h, k, l = np.array(hkl, dtype=float).T  # noqa: E741
    if system == "hexagonal":
        return 4.0 * (h * h + h * k + k * k) / (3.0 * cell[0] ** 2) + (l / cell[1]) ** 2
    if system == "tetragonal":
        return (h * h + k * k) / cell[0] ** 2 + (l / cell[1]) ** 2
    return (h * h + k * k + l * l) / cell[0] ** 2


def volume(system: str, cell: Floats) -> float:
    """Volume of the cell."""
    if system == "cubic":
        return float(cell[0] ** 3)
    return float(cell[0] ** 2 * cell[1] * (math.sqrt(3.0) / 2.0 if system == "hexagonal" else 1.0))


@dataclass(frozen=True)
class Crystal:
    """One simulated phase: where its lines may be, and how strong those are that it has."""

    name: str
    system: str
    cell: tuple[float, ...]
    allowed: Callable[[int, int, int], bool]
    areas: dict[tuple[int, int, int], float]
    share: float = 1.0
    lorentz: float = 0.0
    """Width of its own at θ = 0, in degrees; 0 for that of the case."""

    def lines(self) -> tuple[list[tuple[int, int, int]], Floats]:
        """Allowed lines to 31°, those that coincide by symmetry once, and their relative areas."""
        found = {}
        for h, k, l in itertools.product(range(8), repeat=3):  # noqa: E741
            ordered = h >= k and (self.system != "cubic" or k >= l)
            if (h, k, l) == (0, 0, 0) or not ordered or not self.allowed(h, k, l):
                continue
            square = float(squares(self.system, [(h, k, l)], np.array(self.cell))[0])
            if WAVELENGTH * math.sqrt(square) / 2.0 < math.sin(math.radians(31.0 / 2.0)):
                key = round(square, 9)
                if key not in found or (h, k, l) in self.areas:
                    found[key] = (h, k, l)
        hkl = list(found.values())
        return hkl, np.array([self.share * self.areas.get(one, 0.0) for one in hkl])


def hcp(h: int, k: int, l: int) -> bool:  # noqa: E741
    """P6_3/mmc."""
    return not (h == k and l % 2)


def body_centred(h: int, k: int, l: int) -> bool:  # noqa: E741
    """I4/mmm."""
    return (h + k + l) % 2 == 0


def face_centred(h: int, k: int, l: int) -> bool:  # noqa: E741
    """Fm-3m."""
    return h % 2 == k % 2 == l % 2


CEH9 = Crystal("CeH9-P63mmc", "hexagonal", (3.674, 5.427), hcp, CEH9_AREAS)
CEH4 = Crystal("CeH4-I4mmm", "tetragonal", (2.838, 5.801), body_centred, CEH4_AREAS, 0.4)
PT = Crystal("Pt", "cubic", (3.610,), face_centred, FCC_AREAS, 0.5)
CEH10 = Crystal("CeH10-Fm3m", "cubic", (5.190,), face_centred, FCC_AREAS, 0.5)


def bell_and_tails(x: Floats, gauss: Floats, lorentz: Floats) -> Floats:
    """Thompson-Cox-Hastings pseudo-Voigts of unit area, drawn to the ends of the pattern."""
    coefficients = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    full = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(coefficients)) ** 0.2
    q = lorentz / full
    return mixed(x, full, full, 1.36603 * q - 0.47719 * q * q + 0.11116 * q**3)


def mixed(x: Floats, narrow: Any, wide: Any, eta: Any) -> Floats:
    """A Gaussian of one width and a Lorentzian of another, full widths at half maximum; unit area."""
    deviation = narrow / (2.0 * math.sqrt(2.0 * math.log(2.0)))
    bell = np.exp(-(x**2) / (2.0 * deviation**2)) / (deviation * math.sqrt(2.0 * math.pi))
    return eta * wide / 2.0 / math.pi / (x**2 + (wide / 2.0) ** 2) + (1.0 - eta) * bell


def right_profile(x: Floats, gauss: float, lorentz: Floats, random: np.random.Generator) -> Floats:
    """The profile of the fit."""
    return bell_and_tails(x, gauss, lorentz)


def asymmetric_profile(x: Floats, gauss: float, lorentz: Floats, random: np.random.Generator) -> Floats:
    """Left half 30 % wider than the right; its place is where a symmetric line fits it best, as any is a convention."""
    return skewed(x + symmetric_place(gauss, float(np.mean(lorentz))), gauss, lorentz)


def skewed(x: Floats, gauss: float, lorentz: Any) -> Floats:
    """Two halves of different width, the mode at 0; unit area."""
    ratio = 1.3
    return bell_and_tails(x * np.where(x < 0, 1.0 + 1.0 / ratio, 1.0 + ratio) / 2.0, gauss, lorentz)


@cache
def symmetric_place(gauss: float, lorentz: float) -> float:
    """Where a symmetric line comes to rest on a skewed one, by least squares, from its mode."""
    x = np.linspace(-10.0, 10.0, 4001) * gauss
    line = skewed(x, gauss, lorentz)

    def misfit(values: Floats) -> Floats:
        place, area, narrow, wide = values
        return area * bell_and_tails(x - place, abs(narrow), abs(wide)) - line

    return float(least_squares(misfit, [0.0, 1.0, gauss, lorentz], x_scale=[gauss, 1.0, gauss, gauss]).x[0])


def mixture_profile(x: Floats, gauss: float, lorentz: Floats, random: np.random.Generator) -> Floats:
    """A narrow Lorentzian on a wide Gaussian, which no pseudo-Voigt is."""
    return mixed(x, 1.5 * gauss, 0.6 * gauss, 0.4)


def spotty_profile(x: Floats, gauss: float, lorentz: Floats, random: np.random.Generator) -> Floats:
    """Each line moved (5 % of its width), widened (10 %) and split into two unequal parts, at random."""
    count = lorentz.size
    shift = 0.05 * gauss * random.normal(size=count)
    wider = np.exp(0.1 * random.normal(size=count))
    part, apart = random.uniform(0.2, 0.8, count), 0.3 * gauss * np.abs(random.normal(size=count))
    near = bell_and_tails(x - shift + (1 - part) * apart, gauss * wider, lorentz)
    far = bell_and_tails(x - shift - part * apart, gauss * wider, lorentz)
    return part * near + (1 - part) * far


PROFILES = {
    "right": right_profile,
    "asymmetric": asymmetric_profile,
    "mixture": mixture_profile,
    "spotty": spotty_profile,
}


def built_in_background(x: Floats) -> Floats:
    """Smooth: falling Compton, one wide hump; its largest value about 1."""
    u = (x - x[0]) / (x[-1] - x[0])
    return (0.75 + 0.5 * np.exp(-2.5 * u) + 0.18 * np.exp(-(((u - 0.45) / 0.22) ** 2))) / 1.27


def measured_backgrounds(data: Path) -> list[Shape]:
    """Smoothed patterns of the nine measured frames, between the beam stop and the corner, stretched to any range."""
    shapes = []
    for path in sorted((data / "dac_map_fe3o4" / "dioptas_xy").glob("*.xy")):
        angle, counts = np.loadtxt(path, comments="#").T
        inside = (angle > 4.6) & (angle < 23.4)
        angle, middle = angle[inside], median_filter(counts[inside], 101, mode="nearest")
        spline = LSQUnivariateSpline(angle, middle, np.linspace(angle[0], angle[-1], 14)[1:-1])
        shapes.append(stretched(spline, float(angle[0]), float(angle[-1])))
    if not shapes:
        raise SystemExit(f"{data}: no patterns in dac_map_fe3o4/dioptas_xy. Expected the shared folder of data.")
    return shapes


def stretched(spline: Shape, low: float, high: float) -> Shape:
    """A curve over another range, its largest value 1."""
    largest = float(np.max(spline(np.linspace(low, high, 500))))
    return lambda x: spline(low + (high - low) * (x - x[0]) / (x[-1] - x[0])) / largest


@dataclass(frozen=True)
class Case:
    """What is simulated."""

    name: str
    crystals: tuple[Crystal, ...]
    height: float = 3000.0
    """Strongest line of the first phase, in counts; 0 to make the weakest line of all 5 sigma."""
    level: float = 3000.0
    """Largest background, in counts."""
    gauss: float = 0.066
    lorentz: float = 0.024
    profile: str = "right"
    backgrounds: list[Shape] = field(default_factory=lambda: [built_in_background])
    absent: tuple[tuple[int, tuple[int, int, int]], ...] = ()
    """Phase and hkl of lines that are not there."""


def lorentz_of(case: Case) -> list[float]:
    """Lorentzian width of each phase at θ = 0, in degrees."""
    return [crystal.lorentz or case.lorentz for crystal in case.crystals]


def areas_of(case: Case, height: float) -> list[tuple[list[tuple[int, int, int]], Floats]]:
    """Lines of each phase with their areas, in counts × degrees."""
    result = []
    for number, crystal in enumerate(case.crystals):
        hkl, areas = crystal.lines()
        gone = [(number, one) in case.absent for one in hkl]
        result.append((hkl, np.where(gone, 0.0, areas) * height * 1.2 * case.gauss * 1.15 / 100.0))
    return result


def profiles(
    case: Case, number: int, hkl: Any, cell: Floats, widths: Floats, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Lines of unit area, shape (points, lines), and their places."""
    sine = WAVELENGTH * np.sqrt(squares(case.crystals[number].system, hkl, cell)) / 2.0
    theta = np.arcsin(sine)
    place = np.degrees(2.0 * theta)
    draw = PROFILES[case.profile]
    gauss, lorentz = math.sqrt(widths[0]), widths[1 + number] / np.cos(theta)
    return draw(ANGLES[:, None] - place, gauss, lorentz, random), place


def expected(case: Case, cells: list[Floats], height: float, shape: Shape, random: np.random.Generator) -> Floats:
    """Counts before noise."""
    widths = np.array([case.gauss**2, *lorentz_of(case)])
    clean = case.level * shape(ANGLES)
    for number, (cell, (hkl, areas)) in enumerate(zip(cells, areas_of(case, height), strict=True)):
        clean = clean + profiles(case, number, hkl, cell, widths, random)[0] @ areas
    return clean


def fisher_sigma(case: Case, height: float, terms: int, shape: Shape) -> tuple[list[Floats], Floats, Floats]:
    """Cramér-Rao floor: of a, c and the volume of each phase, and of the lines' areas, with the areas themselves."""
    case = replace(case, profile="right")
    none = np.random.default_rng(0)
    cells = [np.array(crystal.cell) for crystal in case.crystals]
    start = np.concatenate([*cells, [case.gauss**2], lorentz_of(case)])
    ends = np.cumsum([cell.size for cell in cells])
    lines = areas_of(case, height)

    def drawn(values: Floats) -> list[tuple[Floats, Floats]]:
        parts = np.split(values[: ends[-1]], ends[:-1])
        return [profiles(case, i, lines[i][0], part, values[ends[-1] :], none) for i, part in enumerate(parts)]

    def counts(values: Floats) -> Floats:
        return sum(shapes @ areas for (shapes, _), (_, areas) in zip(drawn(values), lines, strict=True))

    clean = counts(start) + case.level * shape(ANGLES)
    steps = 1e-5 * start
    slopes = [(counts(start + row) - counts(start - row)) / (2 * row.max()) for row in np.diag(steps)]
    near = MARGIN_FWHM * 1.2 * case.gauss
    columns, areas = [], []
    for (shapes, place), (_, own) in zip(drawn(start), lines, strict=True):
        seen = (place > ANGLES[0] - near) & (place < ANGLES[-1] + near)
        columns.append(shapes[:, seen])
        areas.append(np.where((place > ANGLES[0]) & (place < ANGLES[-1]), own, np.nan)[seen])
    u = 2.0 * (ANGLES - ANGLES[0]) / (ANGLES[-1] - ANGLES[0]) - 1.0
    basis = np.polynomial.chebyshev.chebvander(u, terms - 1)
    matrix = np.column_stack([*slopes, *columns, basis]) / np.sqrt(clean)[:, None]
    size = np.sqrt(np.sum(matrix**2, axis=0))
    covariance = np.linalg.pinv((matrix / size).T @ (matrix / size), rcond=1e-12, hermitian=True) / np.outer(size, size)
    floors = []
    for crystal, cell, end in zip(case.crystals, cells, ends, strict=True):
        block = covariance[end - cell.size : end, end - cell.size : end]
        power = np.array([3.0]) if cell.size == 1 else np.array([2.0, 1.0])
        slope = volume(crystal.system, cell) * power / cell
        floors.append(np.sqrt(np.append(np.diag(block), slope @ block @ slope)))
    count = sum(part.shape[1] for part in columns)
    return floors, np.sqrt(np.diag(covariance)[start.size : start.size + count]), np.concatenate(areas)


def height_of(case: Case) -> float:
    """The height of the case, or the one at which the weakest line that is there stands 5 sigma above nothing."""
    if case.height:
        return case.height
    low, high = 1.0, 1e6
    for _ in range(30):
        middle = math.sqrt(low * high)
        _, sigma, areas = fisher_sigma(case, middle, 6, case.backgrounds[0])
        weakest = np.nanmin((areas / sigma)[areas > 0])
        low, high = (middle, high) if weakest < 5.0 else (low, middle)
    return high


@dataclass(frozen=True)
class Outcome:
    """What the fits of one case gave."""

    case: Case
    names: list[tuple[int, str]]
    """Phase and number of each column."""
    errors: Floats
    """Fitted less true, shape (patterns, columns); NaN where there is no number."""
    sigma: Floats
    """The sigma to use, same shape."""
    statistical: Floats
    """The one before GOF and serial correlation, same shape."""
    floor: Floats
    """Same shape."""
    absent: Floats
    """Fitted area over its sigma of each line that is not there, shape (patterns, lines)."""
    trusted: NDArray[np.bool_]
    """Whether the phase of each column was called converged, same shape."""
    terms: list[int]
    verdicts: Counter[str]
    seconds: float

    @property
    def pulls(self) -> Floats:
        """(fitted - true) / sigma."""
        return self.errors / self.sigma


def one_fit(case: Case, cells: list[Floats], counts: Floats) -> Any:
    """A fit as a user would do it, from the cells of the library or near them."""
    pattern = hs.Pattern(
        two_theta_deg=ANGLES, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=WAVELENGTH
    )
    starts = {crystal.name: dict(zip(("a_ang", "c_ang"), crystal.cell, strict=False)) for crystal in case.crystals}
    return hs.fit_pattern(pattern, [hs.read_phase(crystal.name) for crystal in case.crystals], cells=starts)


def line_pull(found: Any, hkl: tuple[int, int, int]) -> float:
    """Intensity of one line over its sigma; NaN when the phase has none."""
    wanted = sorted(hkl[:2]), hkl[2]
    for row, one in enumerate(found.lines.hkl.tolist()):
        if (sorted(abs(index) for index in one[:2]), abs(one[2])) == wanted:
            return float(found.lines.intensity[row] / found.lines.intensity_sigma[row])
    return math.nan


def run_case(case: Case, count: int, seed: int = 20261122) -> Outcome:
    """Simulate and fit one case."""
    random, height, began = np.random.default_rng(seed), height_of(case), time.process_time()
    names = [
        (i, number)
        for i, crystal in enumerate(case.crystals)
        for number in (*("a_ang", "c_ang")[: len(crystal.cell)], "volume_ang3")
    ]
    floors: dict[tuple[int, int], Floats] = {}
    rows, absent, trusted, terms, verdicts = [], [], [], [], Counter()
    for index in range(count):
        cells = [np.array(one.cell) * (1 + random.normal(0, 0.002, len(one.cell))) for one in case.crystals]
        which = index % len(case.backgrounds)
        shape = case.backgrounds[which]
        fit = one_fit(case, cells, random.poisson(expected(case, cells, height, shape, random)).astype(float))
        terms.append(fit.background_terms)
        if (which, terms[-1]) not in floors:
            floors[which, terms[-1]] = np.concatenate(fisher_sigma(case, height, terms[-1], shape)[0])
        found = [fit.phases[crystal.name] for crystal in case.crystals]
        verdicts.update(f"{one.name} {one.verdict}" for one in found)
        true = np.concatenate(
            [np.append(cell, volume(one.system, cell)) for one, cell in zip(case.crystals, cells, strict=True)]
        )
        numbers = np.array([numbers_of(found[i], number) for i, number in names])
        rows.append(np.column_stack((numbers[:, 0] - true, numbers[:, 1:], floors[which, terms[-1]])))
        trusted.append([str(found[i].verdict) == "converged" for i, _ in names])
        absent.append([line_pull(found[i], hkl) for i, hkl in case.absent])
    table = np.array(rows)
    seconds = (time.process_time() - began) / count
    parts = dict(zip(("errors", "sigma", "statistical", "floor"), np.moveaxis(table, 2, 0), strict=True))
    return Outcome(
        case=replace(case, height=height),
        names=names,
        absent=np.array(absent),
        trusted=np.array(trusted),
        terms=terms,
        verdicts=verdicts,
        seconds=seconds,
        **parts,
    )


def numbers_of(found: Any, number: str) -> tuple[float, float, float]:
    """A number with its sigma and the statistical part of it; NaN when the verdict gives none."""
    stem, unit = number.rsplit("_", 1)
    values = [getattr(found, f"{stem}{kind}_{unit}") for kind in ("", "_sigma", "_statistical")]
    return tuple(values) if str(found.verdict) not in ("absent", "not converged") else (math.nan,) * 3


def starred(value: float, low: float, high: float, form: str) -> str:
    """A number, with a star when it is not in the range that is wanted."""
    return format(value, form) + (" " if low <= value <= high else "*")


def print_outcome(outcome: Outcome) -> None:
    """One line for each number."""
    case, right = outcome.case, outcome.case.profile == "right"
    middle = sorted(outcome.terms)[len(outcome.terms) // 2]
    print(
        f"{case.name}: strongest line {case.height:.0f} on {case.level:.0f}; background terms {min(outcome.terms)} to "
        f"{max(outcome.terms)}, median {middle}; {1e3 * outcome.seconds:.0f} ms a pattern"
    )
    print(
        "  phase        number   mean  spread   >2 %   >3 %  fail  in 1 sigma  sigma/floor  stat./floor  sigma/scatter"
    )
    for column, (phase, number) in enumerate(outcome.names):
        good = np.isfinite(outcome.pulls[:, column])
        pull = outcome.pulls[good, column]
        if pull.size < 2:
            print(f"  {case.crystals[phase].name:11}  {number[:6]:6}  {np.sum(~good)} of {good.size} have no number")
            continue
        far = [100.0 * float(np.mean(np.abs(pull) > limit)) for limit in (2, 3)]
        ratio, bare = (
            float(np.median((part / outcome.floor)[good, column])) for part in (outcome.sigma, outcome.statistical)
        )
        scatter = float(np.median(outcome.sigma[good, column]) / outcome.errors[good, column].std(ddof=1))
        inside = 100.0 * float(np.mean(np.abs(pull) < 1))
        infinite = math.inf
        print(
            f"  {case.crystals[phase].name:11}  {number.rpartition('_')[0]:6} "
            f"{starred(pull.mean(), *((-0.1, 0.1) if right else (-infinite, infinite)), '6.2f')} "
            f"{starred(pull.std(ddof=1), *((0.93, 1.07) if right else (0, infinite)), '6.3f')}"
            f"{far[0]:6.1f} {far[1]:6.2f}  {np.sum(~good):4d}      "
            f"{starred(inside, *((0, 100) if right else (60, 80)), '5.1f')}      "
            f"{starred(ratio, *((0.98, 1.10) if right else (0, infinite)), '6.3f')}      {bare:6.3f}       "
            f"{starred(scatter, *((0, infinite) if right else (0, 1.5)), '5.2f')}"
        )
    for column, (phase, hkl) in enumerate(case.absent):
        pull = outcome.absent[np.isfinite(outcome.absent[:, column]), column]
        print(
            f"  {case.crystals[phase].name} {hkl}, not there: area over its sigma, mean "
            f"{pull.mean():.3f} +- {1 / math.sqrt(pull.size):.3f}, spread {pull.std(ddof=1):.3f}"
        )
    far = np.any(np.abs(outcome.pulls) > 5, axis=1)
    unflagged = np.any((np.abs(outcome.pulls) > 5) & outcome.trusted, axis=1)
    if np.any(far):
        print(f"  a number more than 5 sigma off: {far.sum()} patterns, {unflagged.sum()} of them called converged")
    print("  " + "; ".join(f"{word} {number}" for word, number in sorted(outcome.verdicts.items())) + "\n")


def all_cases(data: Path | None) -> list[Case]:
    """Every case; the measured shape of the background where the data are given."""
    two, three = (CEH9, CEH4), (CEH9, CEH4, PT)
    shapes = measured_backgrounds(data) if data else [built_in_background]
    cases = [
        Case(f"{number} phase(s), {word}", crystals, height)
        for number, crystals in ((1, (CEH9,)), (2, two), (3, three))
        for word, height in (("strong", 20000.0), ("middle", 3000.0), ("weakest line 5 sigma", 0.0))
    ]
    cases.append(Case("overlapping lines, 2 phases three times as wide", two, 6000.0, gauss=0.2, lorentz=0.07))
    cases.append(Case("overlapping lines, 3 phases with CeH10", (CEH9, CEH4, CEH10), 6000.0, gauss=0.1, lorentz=0.036))
    broad = replace(CEH9, share=5.0, lorentz=0.4)
    cases.append(Case("CeH9 five times as wide as CeH4, middle", (broad, CEH4), 3000.0))
    cases.append(Case("CeH9 five times as wide as CeH4, strong", (broad, CEH4), 20000.0))
    shape = "measured" if data else "built-in"
    cases += [
        Case(f"peak/background {ratio:g}, {shape} shape", two, ratio * 1e5, level=1e5, backgrounds=shapes)
        for ratio in (3.0, 1.0, 0.3, 0.1, 0.03)
    ]
    alike = (CEH9, replace(CEH4, share=1.0))
    faint: dict[str, Any] = {"height": 3e3, "level": 1e5, "backgrounds": shapes}
    cases.append(Case(f"peak/background 0.03, as much of CeH4, {shape} shape", alike, **faint))
    more: dict[str, Any] = {"height": 8.4e3, "level": 2.8e5, "backgrounds": shapes}
    cases.append(Case(f"peak/background 0.03, as much of CeH4, 280 000 counts, {shape} shape", alike, **more))
    cases.append(Case(f"peak/background 0.03, 1 phase, {shape} shape", (CEH9,), **faint))
    cases.append(Case("absent lines", two, absent=((0, (2, 0, 0)), (0, (1, 0, 2)), (1, (1, 1, 0)))))
    for profile in ("asymmetric", "mixture", "spotty"):
        for word, height in (("strong", 20000.0), ("middle", 3000.0)):
            cases.append(Case(f"wrong profile, {profile}, {word}", two, height, profile=profile))
    return cases


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Pulls, and sigma over the Cramér-Rao floor, on simulated patterns.")
    parser.add_argument("count", nargs="?", type=int, default=1000, help="patterns of each case")
    parser.add_argument("--quick", action="store_true", help="a tenth of them")
    parser.add_argument("--data", type=Path, help="shared folder of measured data, for the shape of the background")
    parser.add_argument("--only", default="", help="cases whose names contain these words")
    given = parser.parse_args()
    count = max(10, given.count // 10) if given.quick else given.count
    print(f"SIMULATED patterns, {count} of each case; pulls are (fitted - true) / sigma, sigma the one to use")
    print(f"standard error of a mean {1 / math.sqrt(count):.3f}, of a spread {1 / math.sqrt(2 * count):.3f}; a star: "
          "not as wanted")  # fmt: skip
    print("stat.: sigma before GOF and serial correlation; scatter: standard deviation of the errors\n", flush=True)
    for case in all_cases(given.data):
        if given.only in case.name:
            print_outcome(run_case(case, count))
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
