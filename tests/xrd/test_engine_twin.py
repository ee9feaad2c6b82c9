"""The slow twin: the same least-squares problem by plain numpy and scipy, everything in one dense matrix."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from hydrostruct.material.cell import Cell, CrystalSystem, crystal_system, make_cell
from hydrostruct.material.phase import Phase
from hydrostruct.xrd.engine import solve
from hydrostruct.xrd.lebail import fit_pattern
from hydrostruct.xrd.model import build_model, prepare_data
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.profile import Widths

Floats = NDArray[np.float64]
WAVELENGTH = 0.6199
REACH = 25.0
MARGIN = 10.0
NAMES = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg")
Rule = Callable[[int, int, int], bool]


def everything(h: int, k: int, l: int) -> bool:  # noqa: E741
    return True


def body_centred(h: int, k: int, l: int) -> bool:  # noqa: E741
    return (h + k + l) % 2 == 0


def hcp(h: int, k: int, l: int) -> bool:  # noqa: E741
    """P6_3/mmc: hh(-2h)l and its permutations need l even."""
    return not (l % 2 and (h == k or h == -2 * k or k == -2 * h))


def phase(name: str, group: int, **free: float) -> Phase:
    system = crystal_system(group)
    cell = make_cell(system, **free)
    return Phase(
        name=name,
        formula="X",
        space_group_number=group,
        space_group_symbol="",
        system=system,
        formula_units=1,
        metal_atoms_per_fu=1.0,
        cell=cell,
        cell_sigma=Cell(**dict.fromkeys(NAMES, math.nan)),
        cell_pressure_gpa=math.nan,
        equations_of_state=(),
        critical_temperatures=(),
        lines_hkl=None,
        cif_path=None,
        source="",
        citations=(),
        notes=(),
    )


def full_cell(system: CrystalSystem, free: Floats) -> Floats:
    """Six parameters from the free ones, written out system by system."""
    a = free[0]
    match system:
        case "cubic":
            return np.array([a, a, a, 90, 90, 90])
        case "tetragonal":
            return np.array([a, a, free[1], 90, 90, 90])
        case "hexagonal":
            return np.array([a, a, free[1], 90, 90, 120])
        case "orthorhombic":
            return np.array([*free, 90, 90, 90])
        case "monoclinic":
            return np.array([*free[:3], 90, free[3], 90])
        case _:
            return np.asarray(free)


def angles(hkl: Floats, cell: Floats) -> Floats:
    """2θ in degrees, from Cartesian axes."""
    a, b, c, alpha, beta, gamma = [*cell[:3], *np.radians(cell[3:])]
    y = (math.cos(alpha) - math.cos(beta) * math.cos(gamma)) / math.sin(gamma)
    axes = np.array(
        [
            [a, 0, 0],
            [b * math.cos(gamma), b * math.sin(gamma), 0],
            [c * math.cos(beta), c * y, c * math.sqrt(1 - math.cos(beta) ** 2 - y**2)],
        ]
    )
    inverse_d = np.linalg.norm(hkl @ np.linalg.inv(axes).T, axis=1)
    sine = WAVELENGTH * inverse_d / 2
    return np.degrees(2 * np.arcsin(np.where(sine < 1, sine, np.nan)))


def distinct_lines(rule: Rule, cell: Floats, limits: tuple[float, float]) -> Floats:
    """One of every set of reflections that share an angle, with some to spare beyond the limits."""
    grid = np.array([hkl for hkl in itertools.product(range(-7, 8), repeat=3) if any(hkl) and rule(*hkl)], dtype=float)
    found = angles(grid, cell)
    inside = (found > limits[0] - 3) & (found < limits[1] + 3)
    _, first = np.unique(np.round(found[inside], 7), return_index=True)
    return grid[inside][first]


class Twin:
    """Cells, one Gaussian W, a Lorentzian size for each phase; intensities and background by dense least squares."""

    def __init__(self, pattern: Pattern, phases: list[Phase], rules: list[Rule], terms: int) -> None:
        assert pattern.sigma is not None
        self.x, self.y, self.sigma = pattern.two_theta_deg, pattern.intensity, pattern.sigma
        self.systems = [one.system for one in phases]
        self.free = [[name for name in NAMES if name in free_names(one.system)] for one in phases]
        starts = [
            np.array([getattr(one.cell, name) for name in names]) for one, names in zip(phases, self.free, strict=True)
        ]
        limits = (float(self.x[0]), float(self.x[-1]))
        self.hkl = [
            distinct_lines(rule, full_cell(one.system, start), limits)
            for one, rule, start in zip(phases, rules, starts, strict=True)
        ]
        u = 2 * (self.x - self.x[0]) / (self.x[-1] - self.x[0]) - 1
        self.chebyshev = np.polynomial.chebyshev.chebvander(u, terms - 1)
        self.start = np.concatenate([*starts, [0.004], [0.03] * len(phases)])

    def columns(self, values: Floats) -> Floats:
        """Every line and every background term at every point."""
        count = len(self.systems)
        w, sizes = values[-1 - count], values[-count:]
        columns, at = [], 0
        for system, names, hkl, size in zip(self.systems, self.free, self.hkl, sizes, strict=True):
            centers = angles(hkl, full_cell(system, values[at : at + len(names)]))
            columns += [self.line(center, w, size) for center in centers]
            at += len(names)
        return np.column_stack([*columns, self.chebyshev])

    def line(self, center: float, w: float, size: float) -> Floats:
        g, l = math.sqrt(w), size / math.cos(math.radians(center / 2))  # noqa: E741
        full = (
            g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2 + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
        ) ** 0.2
        if not self.x[0] - MARGIN * full <= center <= self.x[-1] + MARGIN * full:
            return np.zeros_like(self.x)
        q = l / full
        eta = 1.36603 * q - 0.47719 * q**2 + 0.11116 * q**3
        t = (self.x - center) / full
        lorentz = 2 / math.pi * (1 / (1 + 4 * t**2) - 1 / (1 + 4 * REACH**2))
        gauss = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * math.log(2) * t**2)
        return np.where(np.abs(t) <= REACH, (eta * lorentz + (1 - eta) * gauss) / full, 0.0)

    def linear(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        weighted = self.columns(values) / self.sigma[:, None]
        answer = np.linalg.lstsq(weighted, self.y / self.sigma, rcond=1e-10)[0]
        return weighted, answer, self.y / self.sigma - weighted @ answer

    def fit(self) -> tuple[float, Floats, Floats, Floats]:
        """Least chi², the parameters, their marginal sigmas, and the intensities."""
        scale = np.where(self.start > 40, 1e-2, 1e-3) * self.start
        found = optimize.least_squares(
            lambda moved: self.linear(self.start + scale * moved)[2], np.zeros(self.start.size), xtol=1e-10, ftol=1e-12
        )
        values = self.start + scale * found.x
        weighted, answer, residual = self.linear(values)
        slopes = []
        for index in range(values.size):
            step = np.zeros(values.size)
            step[index] = 1e-5 * abs(values[index])
            ends = [self.columns(values + sign * step) @ answer for sign in (1, -1)]
            slopes.append((ends[0] - ends[1]) / (2 * step[index]) / self.sigma)
        jacobian = np.column_stack([*slopes, weighted])
        jacobian = jacobian[:, np.any(jacobian != 0, axis=0)]
        norm = np.linalg.norm(jacobian, axis=0)
        covariance = np.linalg.pinv((jacobian / norm).T @ (jacobian / norm), rcond=1e-13) / np.outer(norm, norm)
        return float(residual @ residual), values, np.sqrt(np.diag(covariance)[: values.size]), answer


def free_names(system: CrystalSystem) -> set[str]:
    return {
        "cubic": {"a_ang"},
        "tetragonal": {"a_ang", "c_ang"},
        "hexagonal": {"a_ang", "c_ang"},
        "orthorhombic": {"a_ang", "b_ang", "c_ang"},
        "monoclinic": {"a_ang", "b_ang", "c_ang", "beta_deg"},
        "triclinic": set(NAMES),
    }[system.value]


def simulated(
    phases: list[Phase],
    rules: list[Rule],
    *,
    seed: int,
    limits: tuple[float, float] = (8.0, 20.0),
    height: float = 4000.0,
    points: int = 600,
) -> Pattern:
    """Noise on lines of random area at the cells of the phases."""
    random = np.random.default_rng(seed)
    x = np.linspace(*limits, points)
    blank = Pattern(two_theta_deg=x, intensity=np.ones(points), sigma=np.ones(points), wavelength_ang=WAVELENGTH)
    twin = Twin(blank, phases, rules, 4)
    columns = twin.columns(np.concatenate([twin.start[: -1 - len(phases)], [0.0045], [0.025] * len(phases)]))
    area = height * 0.09 * random.uniform(0.2, 1.0, columns.shape[1] - 4)
    clean = columns @ np.concatenate([area, [900.0, -200.0, 60.0, 10.0]])
    return Pattern(
        two_theta_deg=x,
        intensity=random.normal(clean, np.sqrt(clean)),
        sigma=np.sqrt(clean),
        wavelength_ang=WAVELENGTH,
        name=f"simulated {seed}",
    )


CASES: dict[str, tuple[list[tuple[int, dict[str, float]]], list[Rule]]] = {
    "CeH9 and CeH4": (
        [(194, {"a_ang": 3.674, "c_ang": 5.427}), (139, {"a_ang": 2.838, "c_ang": 5.801})],
        [hcp, body_centred],
    ),
    "cubic": ([(221, {"a_ang": 3.61})], [everything]),
    "orthorhombic": ([(47, {"a_ang": 3.1, "b_ang": 3.73, "c_ang": 4.37})], [everything]),
    "monoclinic": ([(10, {"a_ang": 3.3, "b_ang": 3.0, "c_ang": 4.1, "beta_deg": 98.3})], [everything]),
    "triclinic": (
        [(2, {"a_ang": 2.9, "b_ang": 3.2, "c_ang": 3.6, "alpha_deg": 84.0, "beta_deg": 97.0, "gamma_deg": 101.0})],
        [everything],
    ),
    "cubic and orthorhombic": (
        [(221, {"a_ang": 3.61}), (47, {"a_ang": 3.1, "b_ang": 3.73, "c_ang": 4.37})],
        [everything, everything],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_fit_agrees_with_its_slow_twin(case: str) -> None:
    given, rules = CASES[case]
    phases = [phase(f"phase {index}", group, **free) for index, (group, free) in enumerate(given)]
    pattern = simulated(phases, rules, seed=20)
    chi2, values, sigmas, _ = Twin(pattern, phases, rules, 5).fit()
    fit = fit_pattern(pattern, phases, background=5, search="never")
    assert fit.verdict in ("converged", "doubtful"), fit.reason
    ours = float(np.sum(((fit.observed - fit.calculated) / fit.sigma) ** 2))
    assert ours == pytest.approx(chi2, abs=0.3)
    at = 0
    for one in phases:
        for name in [name for name in NAMES if name in free_names(one.system)]:
            stem, unit = name.rsplit("_", 1)
            found = fit.phases[one.name]
            assert getattr(found, name) == pytest.approx(values[at], abs=0.02 * sigmas[at]), name
            assert getattr(found, f"{stem}_statistical_{unit}") == pytest.approx(sigmas[at], rel=0.02), name
            at += 1
    widths = fit.phases[phases[0].name].widths
    assert widths.w_deg2 == pytest.approx(values[at], abs=0.03 * sigmas[at])
    assert widths.size_deg == pytest.approx(values[at + 1], abs=0.03 * sigmas[at + 1])
    spread = dict(zip(fit.parameter_names, np.sqrt(np.diag(fit.covariance)), strict=True))
    assert spread["w"] == pytest.approx(sigmas[at], rel=0.02)


def test_gof_counts_every_intensity_as_a_parameter() -> None:
    phases = [phase("cubic", 221, a_ang=3.61)]
    pattern = simulated(phases, [everything], seed=3)
    fit = fit_pattern(pattern, phases, background=5, search="never")
    twin = Twin(pattern, phases, [everything], 5)
    lines = int(np.sum(np.any(twin.columns(twin.start)[:, :-5] != 0, axis=0)))
    chi2 = float(np.sum(((fit.observed - fit.calculated) / fit.sigma) ** 2))
    assert fit.gof == pytest.approx(math.sqrt(chi2 / (600 - lines - 5 - 3)), rel=1e-9)
    assert fit.gof == pytest.approx(fit.rwp_percent / fit.rexp_percent, rel=1e-12)


def intensities(fit: Any, name: str) -> dict[tuple[int, ...], float]:
    lines = fit.phases[name].lines
    return {tuple(int(i) for i in hkl): float(value) for hkl, value in zip(lines.hkl, lines.intensity, strict=True)}


def test_333_and_511_of_a_cubic_phase_share_their_line_equally() -> None:
    phases = [phase("cubic", 225, a_ang=5.2)]

    def face_centred(h: int, k: int, l: int) -> bool:  # noqa: E741
        return h % 2 == k % 2 == l % 2

    pattern = simulated(phases, [face_centred], seed=4, limits=(28.0, 38.0))
    found = intensities(fit_pattern(pattern, phases, background=5, search="never"), "cubic")
    assert found[3, 3, 3] == pytest.approx(found[5, 1, 1], rel=1e-9)
    assert found[3, 3, 3] > 0
    assert all(value > 0 for value in found.values())


def test_hkl_and_khl_of_a_low_tetragonal_group_share_their_line_equally() -> None:
    phases = [phase("I4/m", 87, a_ang=4.45, c_ang=5.801)]
    pattern = simulated(phases, [body_centred], seed=5, limits=(10.0, 26.0), points=900)
    fit = fit_pattern(pattern, phases, background=5, search="never")
    found = intensities(fit, "I4/m")
    pairs = [(hkl, (hkl[1], hkl[0], hkl[2])) for hkl in found if (hkl[1], hkl[0], hkl[2]) in found and hkl[0] != hkl[1]]
    assert pairs
    for one, other in pairs:
        assert found[one] == pytest.approx(found[other], rel=1e-9)
    chi2, *_ = Twin(pattern, phases, [body_centred], 5).fit()
    ours = float(np.sum(((fit.observed - fit.calculated) / fit.sigma) ** 2))
    assert ours == pytest.approx(chi2, abs=0.3)


def test_two_phases_with_one_cell_share_their_lines_equally_and_are_not_told_apart() -> None:
    phases = [phase("one", 221, a_ang=3.61), phase("two", 221, a_ang=3.61)]
    pattern = simulated(phases[:1], [everything], seed=6)
    fixed = Widths(w_deg2=0.0045, size_deg=0.025)
    limits = (float(pattern.two_theta_deg[0]), float(pattern.two_theta_deg[-1]))
    model = build_model(phases, pattern.wavelength_ang, two_theta_deg=limits, fix=["cell", "size", "w"], widths=fixed)
    solution = solve(model, prepare_data(pattern, background_terms=5), model.start)
    first, second = (solution.intensity[model.phase_of == index] for index in (0, 1))
    assert np.sum(first > 10) == 4
    np.testing.assert_allclose(first, second, rtol=1e-3)
    # nothing says that there are two, or which: the report keeps one of them, with all that there is, and says so
    fit = fit_pattern(pattern, phases, background=5, search="never", fix=["cell", "size"], widths=fixed)
    assert sorted(found.verdict for found in fit.phases.values()) == ["absent", "ambiguous"]
    (kept,) = (found for found in fit.phases.values() if found.detected)
    strongest = int(np.argmax(kept.lines.intensity))
    assert kept.lines.intensity[strongest] == pytest.approx(2 * np.nanmax(first), rel=0.05)


def test_a_fit_with_nothing_free_but_intensities_and_background_is_a_fit() -> None:
    phases = [phase("cubic", 221, a_ang=3.61)]
    pattern = simulated(phases, [everything], seed=6)
    fixed = Widths(w_deg2=0.0045, size_deg=0.025)
    fit = fit_pattern(pattern, phases, background=5, search="never", fix=["cell", "w", "size"], widths=fixed)
    assert fit.gof == pytest.approx(1.0, abs=0.15)
    assert fit.phases["cubic"].a_ang == pytest.approx(3.61)
    assert fit.phases["cubic"].a_sigma_ang == 0


def test_the_intensity_of_a_line_that_is_not_there_has_mean_zero_and_its_sigma() -> None:
    """Clipping at zero would give a mean of +0.4 sigma."""
    cubic = [phase("cubic", 221, a_ang=3.61)]
    x = np.linspace(8.0, 20.0, 600)
    blank = Pattern(two_theta_deg=x, intensity=np.ones(600), sigma=np.ones(600), wavelength_ang=WAVELENGTH)
    twin = Twin(blank, cubic, [everything], 4)
    columns = twin.columns(np.array([3.61, 0.0045, 0.025]))
    missing = int(np.flatnonzero((np.abs(twin.hkl[0]) == 1).all(axis=1))[0])
    area = np.full(columns.shape[1] - 4, 150.0)
    area[missing] = 0.0
    clean = columns @ np.concatenate([area, [900.0, -200.0, 60.0, 10.0]])
    random = np.random.default_rng(8)
    pulls = []
    for _ in range(300):
        noisy = Pattern(
            two_theta_deg=x,
            intensity=random.normal(clean, np.sqrt(clean)),
            sigma=np.sqrt(clean),
            wavelength_ang=WAVELENGTH,
        )
        found = fit_pattern(noisy, cubic, background=5, search="never").phases["cubic"].lines
        mine = np.flatnonzero((found.hkl == 1).all(axis=1))[0]
        pulls.append(found.intensity[mine] / found.intensity_sigma[mine])
    assert abs(np.mean(pulls)) < 3.29 / math.sqrt(300)
    assert 0.87 < np.std(pulls) < 1.14


def test_a_line_pointing_down_is_a_warning() -> None:
    cubic = [phase("cubic", 221, a_ang=3.61)]
    pattern = simulated(cubic, [everything], seed=9)
    assert pattern.sigma is not None
    twin = Twin(pattern, cubic, [everything], 5)
    center = float(angles(np.array([[1.0, 1.0, 1.0]]), np.array([3.61, 3.61, 3.61, 90, 90, 90]))[0])
    area = intensities(fit_pattern(pattern, cubic, background=5, search="never"), "cubic")[1, 1, 1]
    turned = Pattern(
        two_theta_deg=pattern.two_theta_deg,
        intensity=pattern.intensity - 1.4 * area * twin.line(center, 0.0045, 0.025),
        sigma=pattern.sigma,
        wavelength_ang=WAVELENGTH,
    )
    fit = fit_pattern(turned, cubic, background=5, search="never")
    assert any("(1 1 1)" in warning and "is negative by" in warning for warning in fit.warnings)
