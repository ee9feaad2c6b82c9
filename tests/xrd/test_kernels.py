"""The compiled loops against slow, obvious twins: plain numpy, and scipy's least squares over every parameter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

import hydrostruct as hs
from hydrostruct.xrd import kernels
from hydrostruct.xrd.beam import shown_places
from hydrostruct.xrd.engine import covariance, solve
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import LeBailModel, build_model, prepare_data
from hydrostruct.xrd.profile import Widths, combined_width, pseudo_voigt

Floats = NDArray[np.float64]
PHASES = ("CeH9-P63mmc", "CeH4-I4mmm")
REACH = 25.0
WAVELENGTH = 0.6199
FREE = ["zero", "displacement", "u"]


def pattern(sim: ModuleType, seed: int, *, level: str = "good") -> hs.Pattern:
    made = sim.simulate(np.random.default_rng(seed), level=level, points=700, limits=(8.0, 22.0), zero=0.004)
    return hs.Pattern(two_theta_deg=made.two_theta, intensity=made.counts, sigma=made.sigma, wavelength_ang=WAVELENGTH)


def drawn(x: Floats, center: float, width: float, mixing: float) -> Floats:
    """One line of unit area as the engine means it: within its reach, its Lorentzian lowered by the value there."""
    inside = np.abs(x - center) <= REACH * width
    floor = mixing * 2.0 / math.pi / width / (1.0 + 4.0 * REACH**2)
    return np.where(inside, pseudo_voigt(x - center, width, mixing) - floor, 0.0)


@pytest.mark.parametrize("mixing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("width", [0.03, 0.4])
def test_a_line_and_its_slopes_agree_with_the_formula_and_its_differences(width: float, mixing: float) -> None:
    x = np.linspace(5.0, 15.0, 3001)
    center = 9.123
    starts, stops = (
        np.array([np.searchsorted(x, center - REACH * width)]),
        np.array([np.searchsorted(x, center + REACH * width)]),
    )
    found = [np.empty(int(stops[0] - starts[0])) for _ in range(4)]
    kernels.fill_profiles(
        x, np.array([0]), np.array([center]), np.array([width]), np.array([mixing]), REACH,
        np.array([0.6199, 1.0, 0.0, 0.0]), starts, stops, np.array([0, int(stops[0] - starts[0])]), *found,
    )  # fmt: skip
    window = x[starts[0] : stops[0]]
    line = drawn(window, center, width, mixing)
    top = float(np.max(line))
    np.testing.assert_allclose(found[0], line, atol=2e-12 * top)
    middle = np.abs(window - center) < 0.99 * REACH * width
    for slope, ends, step in (
        (found[1], [drawn(window, center + s * 1e-5 * width, width, mixing) for s in (1, -1)], 1e-5 * width),
        (found[2], [drawn(window, center, width * (1 + s * 1e-5), mixing) for s in (1, -1)], 1e-5 * width),
        (found[3], [drawn(window, center, width, mixing + s * 1e-5) for s in (1, -1)], 1e-5),
    ):
        expected = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(slope[middle], expected[middle], atol=1e-7 * float(np.max(np.abs(expected))))


@pytest.mark.parametrize("even", [True, False])
def test_the_matched_filter_agrees_with_a_weighted_fit_at_every_point(even: bool) -> None:
    random = np.random.default_rng(5)
    x = np.linspace(4.0, 8.0, 300) if even else np.sort(random.uniform(4.0, 8.0, 300))
    residual, weight = random.normal(size=300), random.uniform(0.2, 3.0, 300)
    width, reach = 0.11, 1.5
    found = kernels.matched_filter(x, residual, weight, width, reach)
    for index in range(0, 300, 7):
        near = np.abs(x - x[index]) <= reach * width
        shape = np.exp(-4 * math.log(2) * ((x[near] - x[index]) / width) ** 2)
        columns = np.column_stack([shape, np.ones(near.sum())]) * np.sqrt(weight[near])[:, None]
        if near.sum() < 4:
            continue
        spread = np.linalg.inv(columns.T @ columns)
        height = (spread @ columns.T @ (residual[near] * np.sqrt(weight[near])))[0]
        assert found[index] == pytest.approx(height / math.sqrt(spread[0, 0]), rel=1e-9, abs=1e-12)


def test_the_gram_matrix_is_that_of_the_weighted_rows() -> None:
    random = np.random.default_rng(6)
    basis, weight = random.normal(size=(11, 333)), random.uniform(0.1, 2.0, 333)
    np.testing.assert_allclose(kernels.weighted_gram(basis, weight), (basis * weight) @ basis.T, rtol=1e-12, atol=1e-11)


class FullTwin:
    """Every intensity, background term, cell component and width in one list for scipy; nothing is eliminated."""

    def __init__(self, model: LeBailModel, measured: hs.Pattern, seen: NDArray[np.int64], terms: int) -> None:
        x = measured.two_theta_deg
        self.model, self.seen = model, seen
        self.x, self.y, self.sigma = x, measured.intensity, np.asarray(measured.sigma)
        self.chebyshev = np.polynomial.chebyshev.chebvander(2 * (x - x[0]) / (x[-1] - x[0]) - 1, terms - 1).T

    def profile(self, line: int, free: Floats) -> Floats:
        named = dict(zip(self.model.parameter_names, free, strict=True))
        phase = self.model.phases[self.model.phase_of[line]].name
        components = np.array([named.get(f"cell:{phase}:{j}", 0.0) for j in range(6)])
        theta = math.asin(WAVELENGTH / 2 * math.sqrt(float(self.model.terms[line, :6] @ components)))
        gauss = math.sqrt(named["u"] * math.tan(theta) ** 2 + named["w"])
        width, mixing = combined_width(gauss, named[f"size:{phase}"] / math.cos(theta))
        center = math.degrees(2 * theta + named["displacement"] * math.sin(4 * theta) / 2) + named["zero"]
        return drawn(self.x, center, float(width), float(mixing))

    def residual(self, values: Floats) -> Floats:
        lines, terms = len(self.seen), len(self.chebyshev)
        calculated = values[lines : lines + terms] @ self.chebyshev
        for area, line in zip(values[:lines], self.seen, strict=True):
            calculated = calculated + area * self.profile(int(line), values[lines + terms :])
        return np.asarray((calculated - self.y) / self.sigma)


def slopes(function: Callable[[Floats], Floats], at: Floats, step: Floats) -> Floats:
    """Central differences."""
    return np.column_stack([(function(at + d) - function(at - d)) / (2 * d.sum()) for d in np.diag(step)])


def test_values_and_covariance_agree_with_least_squares_over_everything(simulator: ModuleType) -> None:
    measured = pattern(simulator, 31)
    assert measured.sigma is not None
    phases = [hs.read_phase(name) for name in PHASES]
    cells = {
        name: {"a_ang": a, "c_ang": c} for name, (a, c) in zip(PHASES, (simulator.CEH9, simulator.CEH4), strict=True)
    }
    start = Widths(u_deg2=0.002, w_deg2=0.004, size_deg=0.02)
    model = build_model(phases, WAVELENGTH, two_theta_deg=(8.0, 22.0), cells=cells, widths=start, free=FREE)
    data = prepare_data(measured, background_terms=7)
    solution = solve(model, data, model.start)
    assert solution.converged
    assert not np.any(solution.held)
    seen, matrix = covariance(model, data, solution)
    ours = np.concatenate([solution.intensity[seen], solution.background, solution.values])
    sigmas = np.sqrt(np.diag(matrix))
    twin = FullTwin(model, measured, seen, 7)
    start_off = ours + 0.5 * sigmas * np.random.default_rng(1).choice([-1.0, 1.0], ours.size)

    def moved(shift: Floats) -> Floats:
        return twin.residual(start_off + sigmas * shift)

    found = optimize.least_squares(
        moved, np.zeros(ours.size), jac=lambda at: slopes(moved, at, np.full(at.size, 1e-3)), method="lm", xtol=1e-12
    )
    values = start_off + sigmas * found.x
    misfit = float(np.sum(data.weight * solution.residual**2))
    assert misfit == pytest.approx(2 * found.cost, abs=1e-3)
    # lines beyond the range hardly show: there the faint prior of the engine counts
    np.testing.assert_allclose((values - ours) / sigmas, 0.0, atol=0.1)
    np.testing.assert_allclose(((values - ours) / sigmas)[-model.start.size :], 0.0, atol=0.02)
    jacobian = slopes(lambda shift: twin.residual(ours + sigmas * shift), np.zeros(ours.size), np.full(ours.size, 1e-3))
    spread = np.linalg.inv(jacobian.T @ jacobian)
    np.testing.assert_allclose(spread, matrix / np.outer(sigmas, sigmas), atol=0.03)
    free = slice(-model.start.size, None)
    np.testing.assert_allclose(spread[free, free], (matrix / np.outer(sigmas, sigmas))[free, free], atol=3e-3)
    inside = np.flatnonzero((solution.position[seen] > 8.0) & (solution.position[seen] < 22.0))
    np.testing.assert_allclose(np.sqrt(np.diag(spread))[inside], 1.0, atol=3e-3)


def test_nothing_is_compiled_again_for_another_number_of_phases(simulator: ModuleType) -> None:
    phases = [hs.read_phase(name) for name in (*PHASES, "Au")]
    measured = pattern(simulator, 3, level="mid")
    counts = []
    for some in (phases[:1], phases[:2], phases):
        hs.fit_patterns([measured, measured], some, background=8, search="never")
        loops = (kernels.least_chi2, kernels.covariance_of, kernels.matched_filter, kernels.weighted_gram)
        counts.append([len(loop.signatures) for loop in loops])
    assert counts == [[1, 1, 1, 1]] * 3


def test_the_small_loops_agree_with_plain_numpy() -> None:
    random = np.random.default_rng(12)
    residual, weight = random.normal(size=400), random.uniform(0.5, 2.0, 400)
    intensity = 50.0 + random.normal(size=400)
    noise, middle = kernels.scatter_scales(intensity, weight, residual)
    bend = np.abs(intensity[1:-1] - 0.5 * (intensity[:-2] + intensity[2:])) * np.sqrt(weight[1:-1] / 1.5)
    assert noise == pytest.approx(float(np.median(bend)) / 0.6745, rel=1e-12)
    assert middle == pytest.approx(float(np.median(np.abs(residual) * np.sqrt(weight))) / 0.6745, rel=1e-12)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(np.signbit(residual))) + 1))
    runs, square = kernels.run_squares(residual)
    assert runs == pytest.approx(float(np.sum(np.add.reduceat(residual, starts) ** 2)), rel=1e-12)
    assert square == pytest.approx(float(np.sum(residual**2)), rel=1e-12)
    root = random.normal(size=(6, 9))
    values, covariance_matrix = random.normal(size=6), root @ root.T
    expected = float(values @ np.linalg.solve(covariance_matrix, values))
    assert kernels.wald_statistic(values, covariance_matrix) == pytest.approx(expected, rel=1e-9)
    twins = np.ones((2, 2))
    assert math.isnan(kernels.wald_statistic(np.ones(2), twins))


def test_the_matched_filter_of_an_even_grid_is_that_of_any_grid() -> None:
    random = np.random.default_rng(3)
    x = np.linspace(5.0, 15.0, 900)
    residual, weight = random.normal(size=x.size), random.uniform(0.5, 2.0, x.size)
    even = kernels.matched_filter(x, residual, weight, 0.08, 1.5)
    nearly = x.copy()
    nearly[450] += 2e-4 * (x[1] - x[0])  # enough for the loops to take every distance for itself
    uneven = kernels.matched_filter(nearly, residual, weight, 0.08, 1.5)
    np.testing.assert_allclose(even, uneven, atol=2e-3)
    reach, width = 1.5, 0.08
    for at in (0, 7, 450, 899):  # and both are the height of a bell over its sigma, by least squares
        near = np.abs(x - x[at]) <= reach * width
        bell = np.exp(-4 * math.log(2) * ((x[near] - x[at]) / width) ** 2)
        design = np.column_stack((bell, np.ones(bell.size))) * np.sqrt(weight[near])[:, None]
        spread = np.linalg.inv(design.T @ design)
        height = (spread @ design.T @ (residual[near] * np.sqrt(weight[near])))[0]
        assert even[at] == pytest.approx(height / math.sqrt(spread[0, 0]), abs=1e-6)


def test_a_line_in_residuals_is_seen_as_the_whole_matched_filter_sees_it() -> None:
    random = np.random.default_rng(21)
    x = np.linspace(5.0, 15.0, 900)
    widths, intensity, phase_of = np.full(2, 0.08), np.ones(2), np.zeros(2, dtype=np.int64)
    answers = []
    for height in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0) * 6:
        weight = random.uniform(0.5, 2.0, x.size)
        residual = random.normal(size=x.size) / np.sqrt(weight)
        residual += height * np.exp(-4 * math.log(2) * ((x - 9.3) / 0.08) ** 2)
        given = (x, 100.0 + residual, weight, residual, widths, intensity, phase_of, 1, 1.5, 1.25, 6.0)
        noise, middle = kernels.scatter_scales(100.0 + residual, weight, residual)
        seen = np.abs(kernels.matched_filter(x, residual, weight, 0.08, 1.5))
        typical = float(np.median(seen)) / 0.6745
        answers.append(bool(middle < 1.25 * noise and seen.max() < 6.0 * max(noise, typical)))
        assert kernels.leaves_nothing(*given) == answers[-1]
    assert set(answers) == {True, False}


def test_a_pattern_is_cut_to_what_is_measured_in_its_range() -> None:
    x, y = np.arange(10.0), np.arange(10.0)
    y[4] = np.nan
    kept, points = kernels.cut_pattern(x, y, np.full(10, 2.0), 1.0, 8.0, np.array([[5.5, 7.0]]))
    np.testing.assert_array_equal(np.flatnonzero(kept), [1, 2, 3, 5, 8])
    np.testing.assert_array_equal(points, [[1, 2, 3, 5, 8], [1, 2, 3, 5, 8], [0.25] * 5])


def test_reflections_come_by_angle_and_share_their_line() -> None:
    centers, widths = np.array([7.0, 5.0, 6.0, 9.0]), np.full(4, 0.1)
    intensity, sigma = np.array([6.0, 4.0, np.nan, 1.0]), np.array([0.6, 0.4, np.nan, 0.1])
    line_of, inside = np.array([0, 1, 0, 2, 3, 1]), np.array([True, True, True, False])
    mine, known = kernels.seen_reflections(
        np.arange(6), line_of, np.bincount(line_of), inside, centers, widths, intensity, sigma
    )
    np.testing.assert_array_equal(mine, [1, 5, 0, 2])
    np.testing.assert_allclose(known, [[5, 5, 7, 7], [0.1] * 4, [2, 2, 3, 3], [0.2, 0.2, 0.3, 0.3]])


def test_the_inverse_of_a_factored_matrix_keeps_to_the_envelope() -> None:
    random = np.random.default_rng(22)
    first = np.array([0, 0, 1, 2, 2, 0, 0])
    factor = np.tril(random.normal(size=(7, 7))) + 3.0 * np.eye(7)
    factor[np.arange(7)[None, :] < first[:, None]] = 0.0
    np.testing.assert_allclose(kernels._inverse_of(factor, first), np.linalg.inv(factor @ factor.T), atol=1e-12)


def test_pulls_at_the_places_of_lines_are_those_of_a_line_moved_a_little() -> None:
    random = np.random.default_rng(4)
    x = np.linspace(5.0, 8.0, 400)
    weight, residual = random.uniform(0.5, 2.0, x.size), random.normal(size=x.size)
    centers, widths, areas = np.array([5.9, 7.02]), np.array([0.08, 0.12]), np.array([30.0, 12.0])
    slope, size = kernels.place_pulls(x, weight, residual, np.array([1, 0]), centers, widths, areas, 0.4, 1.5)
    for row, line in enumerate((1, 0)):
        near = np.abs(x - centers[line]) <= 1.5 * widths[line]
        ends = [areas[line] * pseudo_voigt(x - centers[line] - s * 1e-6, widths[line], 0.4) for s in (1, -1)]
        by_place = np.where(near, (ends[0] - ends[1]) / 2e-6, 0.0)
        assert slope[row] == pytest.approx(float(np.sum(weight * by_place * residual)), rel=1e-5)
        assert size[row] == pytest.approx(float(np.sum(weight * by_place**2)), rel=1e-5)


def test_the_median_is_that_of_sorted_numbers() -> None:
    random = np.random.default_rng(4)
    for size in (1, 2, 3, 7, 50, 2000, 2001):
        normal = np.abs(random.normal(size=size))
        for values in (normal, normal * 1e-9, np.round(3 * normal), normal * (normal > 1.0), np.full(size, 2.0)):
            assert kernels.median_size(values) == np.median(values)
    assert math.isnan(kernels.median_size(np.array([1.0, math.nan, 2.0])))


def test_sums_of_polynomials_make_the_same_gram_matrix_as_products() -> None:
    random = np.random.default_rng(5)
    u = np.sort(random.uniform(-1.0, 1.0, 1700))
    weight = random.uniform(0.1, 3.0, u.size)
    for terms in (1, 2, 12, 40):
        basis = np.polynomial.chebyshev.chebvander(u, terms - 1).T
        expected = (basis * weight) @ basis.T
        np.testing.assert_allclose(kernels.chebyshev_gram(u, weight, terms), expected, rtol=1e-10, atol=1e-9)


def test_products_of_rows_are_those_of_matrices() -> None:
    random = np.random.default_rng(6)
    for rows, others, points in ((1, 1, 3), (7, 12, 2000), (4, 5, 513), (5, 5, 1200)):
        left, right = random.normal(size=(rows, points)), random.normal(size=(others, points))
        out = np.full((rows, others), np.nan)
        kernels._products(left, right, out, False)
        np.testing.assert_allclose(out, left @ right.T, rtol=1e-10, atol=1e-10)
        if rows == others:
            kernels._products(left, right, out, True)
            np.testing.assert_allclose(np.tril(out), np.tril(left @ right.T), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 10.0])
@pytest.mark.parametrize("fix", [(), ("cell",)])
def test_the_covariance_of_a_fit_is_that_at_its_last_point(
    simulator: ModuleType, fix: tuple[str, ...], scale: float
) -> None:
    """Also where sigma is far too large, so that all steps are small in chi², and where no line can move."""
    made = pattern(simulator, 3, level="mid")
    assert made.sigma is not None
    made = replace(made, sigma=scale * made.sigma)
    model = build_model([hs.read_phase(name) for name in PHASES], WAVELENGTH, two_theta_deg=(8.0, 22.0), fix=fix)
    data = prepare_data(made, background_terms=8)
    for off in (0.9, 1.0, 1.1):
        found = solve(model, data, np.where(model.start > 0, model.start, 0.03) * (off if fix else 1.0))
        again = covariance(model, data, replace(found, equations=None))[1]
        sizes = [np.sqrt(np.diag(one)[-found.values.size :]) for one in (covariance(model, data, found)[1], again)]
        assert found.converged
        np.testing.assert_allclose(sizes[0], sizes[1], rtol=0.05)


def test_variance_between_lines_is_where_their_weighted_scatter_is_their_number() -> None:
    random = np.random.default_rng(8)
    for lines, free in ((4, 1), (9, 2), (20, 4)):
        slopes = random.normal(size=(lines, free)) * 10.0 ** random.uniform(-6, 6, free)
        noise = 10.0 ** random.uniform(-8, -3, lines)
        shift = 5.0 * random.normal(size=lines) * np.sqrt(noise)
        between, degrees, _ = kernels.variance_between(slopes, shift, noise)
        root = np.sqrt(1.0 / (noise + between))
        scaled = slopes * root[:, None] / np.abs(slopes * root[:, None]).max(axis=0)
        left = shift * root - scaled @ np.linalg.lstsq(scaled, shift * root, rcond=None)[0]
        assert degrees == lines - free
        assert between > 0
        assert float(left @ left) == pytest.approx(degrees, rel=1e-9)


@pytest.mark.parametrize("geometry", ["transmission", "bragg-brentano"])
def test_a_search_looks_for_lines_where_zero_and_displacement_put_them(geometry: str) -> None:
    model = build_model([hs.read_phase(name) for name in PHASES], WAVELENGTH, two_theta_deg=(8.0, 22.0))
    model = replace(model, geometry=geometry)
    angles = np.linspace(8.0, 22.0, 500)
    at_rest, shifted = model.slots.copy(), model.slots.copy()
    shifted[-2:] = 0.05, 2e-3
    places = [line_columns(model, angles, slots).position for slots in (at_rest, shifted)]
    np.testing.assert_allclose(shown_places(model, shifted, places[0]), places[1], atol=1e-9)
