"""Strain that differs along the axis, and deviatoric stress: against a simulator, and against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.material.cell import CrystalSystem, make_cell
from hydrostruct.xrd import kernels
from hydrostruct.xrd.direction import diagonal_term, direction_terms, stephens_coefficients
from hydrostruct.xrd.model import build_model
from tests.xrd import simulator

Floats = NDArray[np.float64]
GOLD, LINES = 3.85, ((1, 1, 1, 100), (2, 0, 0, 45), (2, 2, 0, 30), (3, 1, 1, 35), (2, 2, 2, 10), (4, 0, 0, 6),
                     (3, 3, 1, 12), (4, 2, 0, 11))  # fmt: skip


def pressed_gold(seed: int, *, stress: float, shape: float) -> hs.Pattern:
    """A simulated cubic F pattern to 2θ = 45° whose spacings a stress along the beam has moved."""
    random = np.random.default_rng(seed)
    x = np.linspace(10.0, 45.0, 3500)
    clean = 400.0 - 5.0 * (x - 10.0)
    for h, k, l, height in LINES:  # noqa: E741
        total = h * h + k * k + l * l
        gamma = (h * h * k * k + k * k * l * l + l * l * h * h) / total**2
        spacing = GOLD / math.sqrt(total)
        for _ in range(20):  # θ is that of the spacing as it is seen
            sine = simulator.WAVELENGTH / 2 / spacing
            spacing = GOLD / math.sqrt(total) * (1 + (1 - 3 * sine * sine) * (stress + shape * (gamma - 0.2)))
        angle = math.degrees(2 * math.asin(simulator.WAVELENGTH / 2 / spacing))
        clean = clean + simulator.peak(x, angle, 40.0 * height, 0.05, 0.02)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=simulator.WAVELENGTH
    )


def test_a_stress_that_goes_with_orientation_is_found_and_its_effect_told() -> None:
    gold, pulls, shapes = hs.read_phase("Au"), [], []
    for seed in range(12):
        pattern = pressed_gold(seed, stress=0.0, shape=0.012)
        fit = hs.fit_pattern(pattern, [gold], cells={"Au": {"a_ang": 3.86}}, free=["Au:stress_shape"])
        found = fit.phases["Au"]
        pulls.append((found.a_ang - GOLD) / found.a_sigma_ang)
        shapes.append((found.stress_shape - 0.012) / found.stress_shape_sigma)
        assert found.stress == 0.0
        assert found.stress_sigma == 0.0
        assert found.stress_volume_ang3 != 0.0
    # 24 pulls of perfect code: chi-square below 52 in 999 of 1000 seeds
    assert np.sum(np.square(pulls)) + np.sum(np.square(shapes)) < 52


def test_a_stress_that_is_given_moves_the_volume_by_three_times_itself() -> None:
    pattern = pressed_gold(3, stress=0.003, shape=0.0)
    phases, cells = [hs.read_phase("Au")], {"Au": {"a_ang": 3.86}}
    without = hs.fit_pattern(pattern, phases, cells=cells).phases["Au"]
    found = hs.fit_pattern(pattern, phases, cells=cells, stress={"Au": 0.003}).phases["Au"]
    assert abs(found.a_ang - GOLD) < 4 * found.a_sigma_ang
    assert abs(without.a_ang - GOLD) > 20 * without.a_statistical_ang
    assert without.volume_ang3 - found.volume_ang3 == pytest.approx(found.stress_volume_ang3, rel=0.1)
    assert found.stress_volume_ang3 == pytest.approx(3 * 0.003 * found.volume_ang3, rel=0.25)
    assert without.stress_volume_ang3 == 0.0


def test_strain_along_the_axis_is_found_apart_from_that_across_it() -> None:
    random = np.random.default_rng(7)
    x = np.linspace(4.0, 30.0, 3000)
    a, c = simulator.CEH9
    clean = simulator.background(x, 800.0)
    angles = simulator.hexagonal_angles(simulator.CEH9_LINES, a, c, simulator.WAVELENGTH)
    for (h, k, l, height), angle in zip(simulator.CEH9_LINES, angles, strict=True):  # noqa: E741
        inverse = 4 * (h * h + h * k + k * k) / (3 * a * a) + (l / c) ** 2
        along = (l / c) ** 2 / inverse
        width = (0.1 * (1 - along) + 0.6 * along) * math.tan(math.radians(angle / 2))
        clean = clean + simulator.peak(x, angle, 30.0 * height, 0.05, width)
    counts = random.poisson(clean).astype(float)
    pattern = hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=simulator.WAVELENGTH
    )
    phases = [hs.read_phase("CeH9-P63mmc")]
    cells = {"CeH9-P63mmc": {"a_ang": a * 1.002, "c_ang": c * 0.998}}
    words = ["CeH9-P63mmc:strain", "CeH9-P63mmc:strain_axis"]
    fit = hs.fit_pattern(pattern, phases, cells=cells, free=words, fix=["size"])
    alike = hs.fit_pattern(pattern, phases, cells=cells, free=words[:1], fix=["size"])
    found = fit.phases["CeH9-P63mmc"]
    assert found.widths.strain_deg == pytest.approx(0.1, abs=0.04)
    assert found.strain_axis_deg == pytest.approx(0.6, abs=0.06)
    assert alike.phases["CeH9-P63mmc"].strain_axis_deg == alike.phases["CeH9-P63mmc"].widths.strain_deg
    assert fit.gof < alike.gof - 0.01
    assert abs(found.a_ang - a) < 4 * found.a_sigma_ang
    assert abs(found.c_ang - c) < 4 * found.c_sigma_ang


def test_the_four_terms_of_a_tetragonal_strain_are_found() -> None:
    """A simulated tetragonal pattern whose widths follow Stephens' quartic form, far from the linear one."""
    random = np.random.default_rng(11)
    x = np.linspace(5.0, 32.0, 5000)
    a, c = simulator.CEH4
    phase = hs.read_phase("CeH4-I4mmm")
    cell = make_cell(CrystalSystem.TETRAGONAL, a_ang=a, c_ang=c)
    truth = {"strain_deg": 0.3, "strain_axis_deg": 0.5, "strain_oblique_deg2": 0.2, "strain_diagonal_deg2": 0.5}
    form = stephens_coefficients(cell, CrystalSystem.TETRAGONAL, **truth)
    clean = np.full(x.size, 300.0)
    model = build_model([phase], simulator.WAVELENGTH, two_theta_deg=(5.0, 32.0), cells={phase.name: cell})
    for h, k, l in model.reflection_hkl:  # noqa: E741
        spacing = 1 / math.sqrt((h * h + k * k) / a**2 + l * l / c**2)
        angle = math.degrees(2 * math.asin(simulator.WAVELENGTH / 2 / spacing))
        quartic = form["S400"] * (h**4 + k**4) + form["S202"] * (h * h + k * k) * l * l + form["S004"] * l**4
        quartic += form["S220"] * h * h * k * k
        width = math.degrees(2 * spacing**2 * math.sqrt(quartic)) * math.tan(math.radians(angle / 2))
        clean = clean + simulator.peak(x, angle, random.uniform(500.0, 2000.0), 0.03, width)
    counts = random.poisson(clean).astype(float)
    pattern = hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=simulator.WAVELENGTH
    )
    words = ["strain", "strain_axis", "strain_oblique", "strain_diagonal"]
    start = {phase.name: {"a_ang": a * 1.002, "c_ang": c * 0.999}}
    fit = hs.fit_pattern(pattern, [phase], cells=start, free=words, fix=["size"], profile="pseudo-voigt")
    linear = hs.fit_pattern(pattern, [phase], cells=start, free=words[:2], fix=["size"], profile="pseudo-voigt")
    found = fit.phases[phase.name]
    sigma = dict(zip(fit.parameter_names, np.sqrt(np.diag(fit.covariance)), strict=True))
    assert found.widths.strain_deg == pytest.approx(0.3, abs=4 * sigma[f"strain:{phase.name}"])
    assert found.strain_axis_deg == pytest.approx(0.5, abs=4 * sigma[f"strain_axis:{phase.name}"])
    assert found.strain_oblique_deg2 == pytest.approx(0.2, abs=4 * sigma[f"strain_oblique:{phase.name}"])
    assert found.strain_diagonal_deg2 == pytest.approx(0.5, abs=4 * sigma[f"strain_diagonal:{phase.name}"])
    assert sigma[f"strain_diagonal:{phase.name}"] < 0.1
    assert fit.gof < 1.05
    assert fit.foreign_lines_deg.size == 0
    assert linear.gof > 1.05 or linear.foreign_lines_deg.size > 3  # what widths without these terms leave
    assert abs(found.a_ang - a) < 4 * found.a_sigma_ang
    assert abs(found.c_ang - c) < 4 * found.c_sigma_ang


def test_stephens_coefficients_are_the_strain_of_every_plane() -> None:
    terms = {"strain_deg": 0.2, "strain_axis_deg": 0.5, "strain_oblique_deg2": 0.05, "strain_diagonal_deg2": 0.03}
    hkl = np.array([[1, 0, 0], [0, 0, 2], [1, 1, 0], [2, 1, 3], [1, 1, 1], [3, 0, 1]])
    h, k, l = hkl.T.astype(float)  # noqa: E741
    for system, c in ((CrystalSystem.TETRAGONAL, 5.5), (CrystalSystem.HEXAGONAL, 5.5), (CrystalSystem.CUBIC, None)):
        cell = make_cell(system, a_ang=4.0, **({"c_ang": c} if c else {}))
        along, _ = direction_terms(hkl, cell, system)
        own = terms if c else terms | {"strain_axis_deg": 0.2, "strain_oblique_deg2": 0.0}
        square = (own["strain_deg"] * (1 - along) + own["strain_axis_deg"] * along) ** 2
        square += own["strain_oblique_deg2"] * 4 * along * (1 - along)
        square += own["strain_diagonal_deg2"] * diagonal_term(hkl, cell, system)
        form = stephens_coefficients(cell, system, **own)
        in_plane = h * h + k * k
        if system is CrystalSystem.HEXAGONAL:
            in_plane = h * h + h * k + k * k
            quartic = form["S400"] * in_plane**2 + form["S202"] * in_plane * l * l + form["S004"] * l**4
            inverse = 4 * in_plane / 3 / 16 + l * l / 5.5**2
        elif system is CrystalSystem.TETRAGONAL:
            quartic = form["S400"] * (h**4 + k**4) + form["S202"] * in_plane * l * l + form["S004"] * l**4
            quartic += form["S220"] * h * h * k * k
            inverse = in_plane / 16 + l * l / 5.5**2
        else:
            quartic = form["S400"] * (h**4 + k**4 + l**4) + form["S220"] * (h * h * k * k + in_plane * l * l)
            inverse = (in_plane + l * l) / 16
        np.testing.assert_allclose(np.degrees(2 * np.sqrt(quartic)) / inverse, np.sqrt(square), rtol=1e-12)


def test_slopes_of_lines_by_stress_and_strain_are_differences() -> None:
    phases = [hs.read_phase("CeH9-P63mmc")]
    free = ["zero", "displacement", "strain", "strain_axis", "strain_oblique", "stress", "stress_shape"]
    model = build_model(phases, 0.6199, two_theta_deg=(5.0, 30.0), free=free)
    model.terms[:, kernels.CELL_SLOTS + 2] = np.linspace(0.0, 1.0, model.phase_of.size)  # as a tetragonal phase has it
    slots = model.slots.copy()
    slots[kernels.CELL_SLOTS + 2 : kernels.CELL_SLOTS + 9] = (0.005, 0.0, 0.02, 0.1, 0.3, 0.02, -0.003)
    slots[kernels.STRESS_SLOT : kernels.STRESS_SLOT + 2] = (0.002, 0.01)
    slots[-2:] = (0.01, 0.001)

    def state(values: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
        n = model.phase_of.size
        out = (
            np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, kernels.CENTER_SLOPES)),
            np.zeros((n, kernels.WIDTH_SLOPES)), np.zeros((n, kernels.WIDTH_SLOPES)),
        )  # fmt: skip
        kernels.line_state(values, model.wavelength_ang, model.phase_of, model.terms, *out)
        return out

    here = state(slots)
    columns = {0: 0, 1: 1, kernels.STRESS_SLOT: 8, kernels.STRESS_SLOT + 1: 9, slots.size - 2: 6, slots.size - 1: 7}
    for slot, column in columns.items():
        step = np.zeros(slots.size)
        step[slot] = 1e-6
        slope = (state(slots + step)[0] - state(slots - step)[0]) / 2e-6
        np.testing.assert_allclose(here[3][:, column], slope, rtol=1e-5, atol=1e-6)
    for j in range(kernels.WIDTH_SLOPES):
        step = np.zeros(slots.size)
        step[kernels.CELL_SLOTS + j] = 1e-7
        ends = state(slots + step), state(slots - step)
        np.testing.assert_allclose(here[4][:, j], (ends[0][1] - ends[1][1]) / 2e-7, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(here[5][:, j], (ends[0][2] - ends[1][2]) / 2e-7, rtol=1e-4, atol=1e-6)


def test_the_direction_terms_average_to_nothing_over_a_sphere() -> None:
    random = np.random.default_rng(2)
    for system, free in ((CrystalSystem.CUBIC, {}), (CrystalSystem.TETRAGONAL, {"c_ang": 4.0})):
        cell = make_cell(system, a_ang=4.0, **free)
        # random directions as very large indices
        directions = random.normal(size=(200_000, 3))
        hkl = np.round(1e4 * directions).astype(np.int64)
        along, shape = direction_terms(hkl, cell, system)
        assert abs(shape.mean()) < 4 * shape.std() / math.sqrt(shape.size)
        assert along.mean() == pytest.approx(0.0 if system is CrystalSystem.CUBIC else 1 / 3, abs=0.003)


def test_a_direction_term_is_refused_where_the_system_has_none() -> None:
    pattern = pressed_gold(1, stress=0.0, shape=0.0)
    gold = [hs.read_phase("Au")]
    with pytest.raises(hs.InputError, match="hexagonal or tetragonal"):
        hs.fit_pattern(pattern, gold, free=["Au:strain_axis"])
    with pytest.raises(hs.InputError, match="stress Q"):
        hs.fit_pattern(pattern, gold, stress={"Au": 0.5})
    with pytest.raises(hs.InputError, match="not among the phases"):
        hs.fit_pattern(pattern, gold, stress={"Pt": 0.001})
