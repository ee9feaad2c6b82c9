"""Terms that a wide pattern asks for: Kα2, zero, displacement, widths by the angle, axial divergence.

All patterns are SIMULATED. What is found is said, and does not move the cell.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.errors import InputError
from hydrostruct.xrd import kernels
from hydrostruct.xrd.asked_terms import _at_least, free_more
from hydrostruct.xrd.beam import TUBES_ANG, with_second_line
from hydrostruct.xrd.engine import limit_widths, solve, start_values
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import LeBailModel, build_model, prepare_data
from hydrostruct.xrd.other_shift import fit_other_shift
from hydrostruct.xrd.profile import pseudo_voigt
from hydrostruct.xrd.single_peaks import with_peaks
from tests.xrd import simulator

Floats = NDArray[np.float64]
LAB6 = 4.1569
CU_KA1, CU_KA2 = TUBES_ANG["Cu"]
SYNCHROTRON = 0.4139
CUBIC_F = sorted(
    {h * h + k * k + l * l for h in range(9) for k in range(9) for l in range(9) if h % 2 == k % 2 == l % 2} - {0}  # noqa: E741
)
AU = 4.078


def lines_of_lab6(wavelength: float, low: float, high: float) -> list[tuple[float, float]]:
    """Angles of a primitive cubic cell and heights that have no system."""
    random = np.random.default_rng(1)
    sums = sorted({h * h + k * k + l * l for h in range(8) for k in range(8) for l in range(8)} - {0})  # noqa: E741
    heights = random.uniform(0.2, 1.0, len(sums))
    found = []
    for square, height in zip(sums, heights, strict=True):
        sine = wavelength * math.sqrt(square) / LAB6 / 2
        if sine < 1:
            found.append((math.degrees(2 * math.asin(sine)), float(height)))
    return [one for one in found if low - 1 < one[0] < high + 1]


def counted(x: Floats, clean: Floats, wavelength: float, seed: int) -> hs.Pattern:
    counts = np.random.default_rng(seed).poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=wavelength
    )


def tube_pattern(seed: int, *, zero: float) -> hs.Pattern:
    """LaB6 with Cu Kα1 and Kα2, lines that widen with the angle."""
    x = np.arange(20.0, 110.0, 0.02)
    clean = np.full(x.size, 80.0)
    for angle, height in lines_of_lab6(CU_KA1, 20.0, 112.0):
        tangent = math.tan(math.radians(angle / 2))
        gauss = math.sqrt(0.004 - 0.002 * tangent + 0.006 * tangent**2)
        second = math.degrees(2 * math.asin(min(CU_KA2 / CU_KA1 * math.sin(math.radians(angle / 2)), 1.0)))
        clean += 2500.0 * height * 0.07 * simulator.peak(x, angle + zero, 1.0, gauss, 0.03)
        clean += 1250.0 * height * 0.07 * simulator.peak(x, second + zero, 1.0, gauss, 0.03)
    return counted(x, clean, CU_KA1, seed)


def axial_pattern(seed: int, *, height: float) -> hs.Pattern:
    """LaB6 at a short wavelength, its lines drawn out by slit and sample of one height, summed over 400 heights."""
    x = np.arange(3.0, 52.0, 0.005)
    clean = np.full(x.size, 50.0)
    for angle, area in lines_of_lab6(SYNCHROTRON, 3.0, 52.0):
        away = (np.arange(400) + 0.5) / 400 * 2 * height
        places = np.arccos(np.cos(math.radians(angle)) * np.sqrt(1 + away**2))
        parts = (2 * height - away) / (np.sin(places) * (1 + away**2))
        for place, part in zip(np.degrees(places), parts / parts.sum(), strict=True):
            near = np.abs(x - place) < 1.0
            clean[near] += 40.0 * area * part * simulator.peak(x[near], place, 1.0, 0.012, 0.006)
    return counted(x, clean, SYNCHROTRON, seed)


def angle(wavelength: float, square: float, cell: float = AU) -> float:
    sine = wavelength * np.sqrt(square) / cell / 2.0
    return float(np.degrees(2.0 * np.arcsin(sine))) if sine < 0.99 else float("nan")


def shifted(simulator: ModuleType, *, zero: float, seed: int) -> hs.Pattern:
    x = np.arange(30.0, 150.0, 0.05)
    clean = np.full(x.size, 150.0)
    areas = np.random.default_rng(seed).uniform(200.0, 1000.0, len(CUBIC_F))
    for square, area in zip(CUBIC_F, areas, strict=True):
        center = angle(1.494, square)
        if np.isfinite(center):
            tangent = np.tan(np.radians(center / 2))
            gauss = float(np.sqrt(0.085 * tangent**2 - 0.119 * tangent + 0.124))
            clean += simulator.peak(x, center + zero, area, gauss, 0.08 / np.cos(np.radians(center / 2)))
    return counted(x, clean, 1.494, seed)


def doublet(simulator: ModuleType, *, seed: int) -> hs.Pattern:
    x = np.arange(30.0, 130.0, 0.02)
    clean = np.full(x.size, 100.0)
    areas = np.random.default_rng(seed).uniform(50.0, 300.0, len(CUBIC_F))
    for square, area in zip(CUBIC_F, areas, strict=True):
        for wavelength, part in ((CU_KA1, 2.0 / 3.0), (CU_KA2, 1.0 / 3.0)):
            if np.isfinite(angle(wavelength, square)):
                clean += simulator.peak(x, angle(wavelength, square), part * area, 0.07, 0.04)
    return counted(x, clean, CU_KA1, seed)


def leaning(simulator: ModuleType, *, height: float, seed: int) -> hs.Pattern:
    """Lines from every height of a sample to every height of a slit, each on its own Debye cone."""
    x = np.arange(4.0, 60.0, 0.01)
    clean = np.full(x.size, 100.0)
    heights = np.linspace(-height, height, 41)
    apart = np.abs(heights[:, None] - heights[None, :]).ravel()
    levels, counts = np.unique(np.round(apart, 12), return_counts=True)
    areas = np.random.default_rng(seed).uniform(50.0, 300.0, len(CUBIC_F))
    for square, area in zip(CUBIC_F, areas, strict=True):
        center = angle(0.7, square)
        if not center < 62.0:
            continue
        seen = np.degrees(np.arccos(np.cos(np.radians(center)) * np.sqrt(1.0 + levels**2)))
        for place, count in zip(seen, counts, strict=True):
            clean += simulator.peak(x, place, area * count / apart.size, 0.05, 0.02)
    return counted(x, clean, 0.7, seed)


@pytest.fixture(scope="module")
def lab6() -> list[hs.Phase]:
    return [hs.read_phase("LaB6")]


def test_a_tube_pattern_is_fitted_with_its_second_line_and_zero(lab6: list[hs.Phase]) -> None:
    for seed, zero in ((1, 0.03), (2, -0.05)):
        # χ² does not tell this zero from a displacement: where that is not ruled out, it is in the sigma
        fits = [
            hs.fit_pattern(tube_pattern(seed, zero=zero), lab6, cells={"LaB6": {"a_ang": 4.152}}, fix=fix)
            for fix in ([], ["displacement"])
        ]
        for fit in fits:
            found = fit.phases["LaB6"]
            assert fit.verdict is hs.Verdict.CONVERGED
            assert fit.gof < 1.1
            assert abs(fit.zero_deg - zero) < 5 * fit.zero_sigma_deg
            assert abs(found.a_ang - LAB6) < 5 * found.a_sigma_ang
            assert fit.foreign_lines_deg.size == 0
            assert "Kα2" in " ".join(fit.warnings)
            assert "zero" in " ".join(fit.warnings)
        assert fits[1].phases["LaB6"].a_sigma_ang < 2e-4


def test_what_the_user_holds_stays_held(lab6: list[hs.Phase]) -> None:
    pattern = tube_pattern(3, zero=0.03)
    start = {"LaB6": {"a_ang": 4.157}}
    fit = hs.fit_pattern(pattern, lab6, cells=start, fix=["zero"])
    assert fit.zero_deg == 0.0
    assert "zero" not in fit.parameter_names
    plain = hs.fit_pattern(pattern, lab6, cells=start, profile="pseudo-voigt")
    assert "Kα2" not in " ".join(plain.warnings)
    assert "zero" not in plain.parameter_names


def test_a_beam_said_to_have_no_second_line_or_divergence_gets_none(lab6: list[hs.Phase]) -> None:
    """The tube's pattern then misfits and says so; weak lines carry no sigma for what is not there."""
    held = hs.fit_pattern(
        tube_pattern(3, zero=0.03), lab6, cells={"LaB6": {"a_ang": 4.157}}, fix=["kalpha2", "axial", "displacement"]
    )
    assert held.second_line == (1.0, 0.0)
    assert held.axial == 0.0
    assert not any("Kα2" in one or "divergence" in one for one in (held.reason, *held.warnings))
    leaning = axial_pattern(4, height=0.01)
    fits = [hs.fit_pattern(leaning, lab6, cells={"LaB6": {"a_ang": 4.152}}, fix=fix) for fix in ([], ["axial"])]
    assert [fit.axial > 0 for fit in fits] == [True, False]


def test_a_second_line_is_held_and_never_freed(lab6: list[hs.Phase]) -> None:
    for word in ("kalpha2", "axial"):
        with pytest.raises(InputError, match="cannot be freed"):
            build_model(lab6, CU_KA1, two_theta_deg=(20.0, 90.0), free=[word])
        with pytest.raises(InputError, match="Expected one of cell"):
            build_model(lab6, CU_KA1, two_theta_deg=(20.0, 90.0), fix=[f"LaB6:{word}"])


def test_axial_divergence_is_found_with_its_size(lab6: list[hs.Phase]) -> None:
    fit = hs.fit_pattern(axial_pattern(4, height=0.01), lab6, cells={"LaB6": {"a_ang": 4.152}})
    note = next(one for one in fit.warnings if "axial divergence" in one)
    assert float(note.partition("distance ")[2].partition(")")[0]) == pytest.approx(0.01, rel=0.1)
    found = fit.phases["LaB6"]
    assert abs(found.a_ang / LAB6 - 1) < 2e-5
    assert fit.verdict is hs.Verdict.CONVERGED


def test_a_wide_pattern_that_asks_for_nothing_gets_nothing(lab6: list[hs.Phase]) -> None:
    x = np.arange(3.0, 52.0, 0.01)
    clean = np.full(x.size, 50.0)
    for angle, area in lines_of_lab6(SYNCHROTRON, 3.0, 52.0):
        clean += 20.0 * area * simulator.peak(x, angle, 1.0, 0.03, 0.01)
    fit = hs.fit_pattern(counted(x, clean, SYNCHROTRON, 5), lab6, cells={"LaB6": {"a_ang": 4.155}})
    assert fit.zero_deg == 0.0
    assert not any("asks for it" in one or "freed" in one for one in fit.warnings)
    assert abs(fit.phases["LaB6"].a_ang - LAB6) < 5 * fit.phases["LaB6"].a_sigma_ang


def test_the_mean_wavelength_of_a_tube_becomes_that_of_its_first_line(lab6: list[hs.Phase]) -> None:
    mean = (2 * CU_KA1 + CU_KA2) / 3
    for wavelength in (CU_KA1, mean):
        double = with_second_line(build_model(lab6, wavelength, two_theta_deg=(20.0, 90.0)))
        assert double is not None
        assert double.wavelength_ang == pytest.approx(CU_KA1, rel=1e-9)
        assert double.second_line[0] == pytest.approx(CU_KA2 / CU_KA1)
    assert with_second_line(build_model(lab6, 0.6199, two_theta_deg=(5.0, 40.0))) is None


def test_a_shift_of_the_zero_and_widths_that_follow_the_angle_are_found_and_said(simulator: ModuleType) -> None:
    for seed in range(3):
        fit = hs.fit_pattern(
            shifted(simulator, zero=0.6, seed=seed), [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}
        )
        found = fit.phases["Au"]
        assert fit.verdict.value == "converged", fit.reason
        assert abs(found.a_ang - AU) < 4 * found.a_sigma_ang
        assert abs(fit.zero_deg - 0.6) < 4 * fit.zero_sigma_deg
        assert any("shift of the zero" in note for note in fit.warnings)


def test_a_zero_that_is_held_leaves_a_fit_that_nobody_believes(simulator: ModuleType) -> None:
    pattern = shifted(simulator, zero=0.6, seed=4)
    fit = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}, fix=["zero"])
    assert "zero" not in fit.parameter_names
    assert fit.verdict.value != "converged"


def test_the_second_line_of_a_tube_is_seen_and_its_part_found(simulator: ModuleType) -> None:
    for seed, offset in enumerate((1.0, 1.01, 0.99)):
        fit = hs.fit_pattern(doublet(simulator, seed=seed), [hs.read_phase("Au")], cells={"Au": {"a_ang": AU * offset}})
        found = fit.phases["Au"]
        assert fit.verdict.value == "converged", fit.reason
        assert abs(found.a_ang - AU) < 4 * found.a_sigma_ang
        assert fit.second_line[1] == pytest.approx(1.0 / 3.0, abs=0.04)
        assert any("Kα2" in note for note in fit.warnings)


def test_axial_divergence_is_seen_and_no_longer_moves_the_cell(simulator: ModuleType) -> None:
    for seed, height in enumerate((0.015, 0.025)):
        pattern = leaning(simulator, height=height, seed=seed)
        fit = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}})
        plain = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}, profile="pseudo-voigt")
        assert fit.axial == pytest.approx(height, rel=0.15)
        assert abs(fit.phases["Au"].a_ang - AU) < 4 * fit.phases["Au"].a_sigma_ang
        assert abs(fit.phases["Au"].a_ang / AU - 1.0) < 2.5e-5
        assert abs(plain.phases["Au"].a_ang / AU - 1.0) > 5e-5


def test_a_fit_seeded_by_one_that_was_asked_has_its_terms(simulator: ModuleType) -> None:
    patterns = [doublet(simulator, seed=seed) for seed in (7, 8)]
    first = hs.fit_pattern(patterns[0], [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}})
    second = hs.fit_pattern(patterns[1], [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}}, seed=first)
    assert second.second_line == first.second_line
    assert abs(second.phases["Au"].a_ang - AU) < 4 * second.phases["Au"].a_sigma_ang
    both = hs.fit_patterns(patterns, [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}})
    assert all(one.second_line[1] > 0 for one in both)


def test_gold_that_asks_for_nothing_gets_nothing(simulator: ModuleType) -> None:
    x = np.arange(10.0, 60.0, 0.02)
    clean = np.full(x.size, 200.0)
    for square in CUBIC_F:
        if angle(0.7, square) < 60.0:
            clean += simulator.peak(x, angle(0.7, square), 100.0, 0.07, 0.04)
    fit = hs.fit_pattern(counted(x, clean, 0.7, 1), [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}})
    assert (fit.second_line, fit.axial, fit.zero_deg) == ((1.0, 0.0), 0.0, 0.0)
    assert not {"zero", "u", "v"} & set(fit.parameter_names)


def test_a_line_of_several_copies_is_their_sum() -> None:
    x = np.linspace(10.0, 14.0, 2001)
    beam = np.array([0.7, 1.003, 0.3, 0.02])
    places, parts, rates = (np.empty(2 * kernels.AXIAL_POINTS) for _ in range(3))
    count = kernels.line_copies(12.0, beam, places, parts, rates)
    assert count == 2 * kernels.AXIAL_POINTS
    assert parts[:count].sum() == pytest.approx(1.0)
    assert places[: kernels.AXIAL_POINTS].max() < 12.0 < places[kernels.AXIAL_POINTS : count].max()
    found = [np.empty(x.size) for _ in range(4)]
    kernels.fill_profiles(
        x, np.array([0]), np.array([12.0]), np.array([0.05]), np.array([0.4]), 25.0, beam, np.array([0]),
        np.array([x.size]), np.array([0, x.size]), *found,
    )  # fmt: skip
    lowered = 0.4 * 2.0 / np.pi / 0.05 / (1.0 + 4.0 * 25.0**2)
    plain = np.zeros(x.size)
    for place, part in zip(places[:count], parts[:count], strict=True):
        near = np.abs(x - place) <= 25.0 * 0.05
        plain += part * np.where(near, pseudo_voigt(x - place, 0.05, 0.4) - lowered, 0.0)
    np.testing.assert_allclose(found[0], plain, atol=1e-6 * plain.max())


def test_axes_that_no_absence_tells_apart_keep_the_order_of_the_start(simulator: ModuleType, tmp_path: Path) -> None:
    a, b, c = 7.785, 10.647, 7.614
    (tmp_path / "three-screws.cif").write_text(
        "data_x\n_chemical_formula_sum 'Fe'\n"
        f"_cell_length_a {a}\n_cell_length_b {b}\n_cell_length_c {c}\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n_cell_formula_units_Z 4\n"
        "_symmetry_space_group_name_H-M 'P 21 21 21'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
        "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nFe1 Fe 0.113 0.217 0.371\n"
    )
    phase = hs.read_phase(str(tmp_path / "three-screws.cif"))
    x = np.arange(5.0, 40.0, 0.01)
    clean = np.full(x.size, 150.0)
    random = np.random.default_rng(3)
    for h, k, l in np.ndindex(9, 12, 9):  # noqa: E741
        inverse = np.sqrt((h / a) ** 2 + (k / b) ** 2 + (l / c) ** 2)
        screws = (k == l == 0 and h % 2) or (h == l == 0 and k % 2) or (h == k == 0 and l % 2)
        if inverse > 0 and 0.5 * inverse < 0.33 and not screws:
            clean += simulator.peak(x, np.degrees(2 * np.arcsin(0.5 * inverse)), random.uniform(1.0, 60.0), 0.06, 0.03)
        # lines of a shape that no pseudo-Voigt has make the fit look for other cells
        if inverse > 0 and 0.5 * inverse < 0.33 and not screws:
            clean += simulator.peak(x, np.degrees(2 * np.arcsin(0.5 * inverse)) + 0.06, 6.0, 0.03, 0.01)
    fit = hs.fit_pattern(counted(x, clean, 1.0, 3), [phase], cells={phase.name: {"a_ang": a, "b_ang": b, "c_ang": c}})
    found = fit.phases[phase.name]
    assert fit.verdict.value != "ambiguous", fit.reason
    np.testing.assert_allclose([found.a_ang, found.b_ang, found.c_ang], [a, b, c], rtol=1e-3)


def test_a_start_whose_axes_are_in_the_order_of_the_file_is_refused_where_it_matters(tmp_path: Path) -> None:
    path = tmp_path / "other-setting.cif"
    path.write_text(
        "data_x\n_chemical_formula_sum 'Fe'\n_cell_length_a 4.78\n_cell_length_b 4.93\n_cell_length_c 6.90\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n_cell_formula_units_Z 8\n"
        "_symmetry_space_group_name_H-M 'P b n m'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
        "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nFe1 Fe 0.113 0.217 0.371\n"
    )
    phase = hs.read_phase(str(path))
    assert any("the file's b, c, a" in note for note in phase.notes)
    x = np.arange(5.0, 40.0, 0.02)
    pattern = counted(x, np.full(x.size, 100.0), 0.6, 1)
    with pytest.raises(InputError, match="order of the standard setting of Pnma"):
        hs.fit_pattern(pattern, [phase], cells={phase.name: {"a_ang": 4.78, "b_ang": 4.93, "c_ang": 6.90}})


def displaced(
    seed: int, *, height: float, geometry: str = "unknown", zero: float = 0.0, high: float = 140.0
) -> hs.Pattern:
    """LaB6 with Cu Kα1 and Kα2 on a diffractometer whose specimen lies too low by a part of its radius."""
    x = np.arange(20.0, high, 0.02)
    clean = np.full(x.size, 60.0)
    for angle_deg, size in lines_of_lab6(CU_KA1, 20.0, 140.0):
        for ratio, part in ((1.0, 2 / 3), (CU_KA2 / CU_KA1, 1 / 3)):
            theta = math.asin(min(ratio * math.sin(math.radians(angle_deg / 2)), 1.0))
            seen = math.degrees(2 * theta - 2 * height * math.cos(theta)) + zero
            clean += 150.0 * size * part * simulator.peak(x, seen, 1.0, 0.06, 0.03 / math.cos(theta))
    counts = np.random.default_rng(seed).poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=CU_KA1,
        geometry=geometry,
    )


def test_a_displacement_is_found_with_the_cell_and_their_uncertainties(lab6: list[hs.Phase]) -> None:
    pulls = []
    for seed in range(12):
        pattern = displaced(seed, height=4e-4, geometry="bragg-brentano")
        fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.152}}, free=["displacement"])
        found = fit.phases["LaB6"]
        assert "zero" not in fit.parameter_names
        pulls.append([
            (fit.displacement - 4e-4) / fit.displacement_sigma,
            (found.a_ang - LAB6) / found.a_sigma_ang,
        ])  # fmt: skip
    # 12 seeds: in 999 of 1000 cases a mean of 12 lies within 0.95, a spread within 0.42 and 1.66
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.95)
    spread = np.sqrt(np.mean(np.square(pulls), axis=0))
    assert np.all((spread > 0.42) & (spread < 1.66))


@pytest.mark.parametrize("geometry", ["unknown", "bragg-brentano"])
def test_a_pattern_may_ask_for_a_displacement_in_place_of_a_zero(lab6: list[hs.Phase], geometry: str) -> None:
    for seed, height in ((1, 5e-4), (2, -4e-4)):
        pattern = displaced(seed, height=height, geometry=geometry)
        fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.16}})
        assert fit.verdict is hs.Verdict.CONVERGED
        assert fit.geometry == "bragg-brentano"
        assert fit.zero_deg == 0.0
        assert abs(fit.displacement - height) < 5 * fit.displacement_sigma
        assert abs(fit.phases["LaB6"].a_ang - LAB6) < 5 * fit.phases["LaB6"].a_sigma_ang
        assert ("below" if height > 0 else "above") in next(note for note in fit.warnings if "flat specimen" in note)


SHIFTS = [(3e-4, 0.0), (-3e-4, 0.0), (1e-3, 0.0), (-1e-3, 0.0), (2e-3, 0.0), (0.0, 0.03), (0.0, -0.05), (0.0, 0.1)]


@pytest.mark.parametrize("geometry", ["unknown", "bragg-brentano"])
@pytest.mark.parametrize(("height", "zero"), SHIFTS)
def test_what_shifts_the_lines_moves_no_cell_beyond_its_sigma(
    lab6: list[hs.Phase], height: float, zero: float, geometry: str
) -> None:
    for seed in (1, 2, 3):
        pattern = displaced(seed, height=height, zero=zero, high=120.0, geometry=geometry)
        fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.152}})
        found = fit.phases["LaB6"]
        assert fit.verdict is hs.Verdict.CONVERGED
        assert abs(found.a_ang - LAB6) < 4 * found.a_sigma_ang
        if abs(height) > 5e-4 and geometry == "bragg-brentano":
            assert abs(fit.displacement - height) < 4 * fit.displacement_sigma
            assert fit.zero_deg == 0.0


def test_a_zero_that_is_held_leaves_the_displacement_and_its_small_sigma(lab6: list[hs.Phase]) -> None:
    for height in (3e-4, -1e-3, 2e-3):
        pattern = displaced(1, height=height, high=120.0, geometry="bragg-brentano")
        fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.152}}, fix=["zero"])
        found = fit.phases["LaB6"]
        assert fit.verdict is hs.Verdict.CONVERGED
        assert abs(fit.displacement - height) < 4 * fit.displacement_sigma
        assert abs(found.a_ang - LAB6) < 4 * found.a_sigma_ang
        assert found.a_sigma_ang < 3e-5


def test_the_classical_partition_says_as_much_of_zero_and_displacement_as_least_squares(lab6: list[hs.Phase]) -> None:
    for geometry, height, zero in (("unknown", 3e-4, 0.0), ("bragg-brentano", 0.0, 0.03)):
        pattern = displaced(1, height=height, zero=zero, high=120.0, geometry=geometry)
        plain, classical = (
            hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.152}}, method=method).phases["LaB6"]
            for method in ("pawley", "le-bail")
        )
        assert classical.a_sigma_ang == pytest.approx(plain.a_sigma_ang, rel=0.1)
        assert abs(classical.a_ang - LAB6) < 4 * classical.a_sigma_ang


def test_lines_stay_where_they_were_when_one_shift_takes_the_place_of_another(lab6: list[hs.Phase]) -> None:
    data = prepare_data(displaced(1, height=1e-3, high=120.0), background_terms=6)
    model = limit_widths(
        build_model(lab6, CU_KA1, two_theta_deg=(20.0, 120.0), cells={"LaB6": {"a_ang": 4.152}}), line_width(data)
    )
    model = free_more(with_second_line(model) or model, ["zero"])
    own = solve(model, data, start_values(model, data))
    other_model, other = fit_other_shift(model, data, own.values)
    assert other.converged
    assert other_model.parameter_names[3] == "displacement"
    assert other_model.reflects
    assert other.chi2 < own.chi2
    assert other.slots[-1] == pytest.approx(1e-3, abs=5e-5)
    back = fit_other_shift(other_model, data, other.values)[1]
    assert back.converged
    assert back.chi2 < 1.001 * own.chi2
    assert other.chi2 < back.chi2


def test_no_height_that_is_tried_is_negative(lab6: list[hs.Phase]) -> None:
    data = prepare_data(displaced(1, height=0.0, high=60.0), background_terms=6)
    model = replace(build_model(lab6, CU_KA1, two_theta_deg=(20.0, 60.0)), axial=0.01)
    found = Explained(model=model, solution=solve(model, data, start_values(model, data)), data=data)
    tried = []

    def changed(model: LeBailModel, height: float) -> LeBailModel:
        tried.append(height)
        return replace(model, axial=height)

    _at_least(found, 0.01, changed, (0.9, 0.9))
    assert len(tried) == 6
    assert min(tried) > 0


def test_no_displacement_is_asked_where_it_is_held_or_cannot_be(lab6: list[hs.Phase]) -> None:
    start = {"LaB6": {"a_ang": 4.157}}
    for geometry, fix in (("transmission", []), ("unknown", ["displacement"])):
        fit = hs.fit_pattern(displaced(3, height=5e-4, geometry=geometry), lab6, cells=start, fix=fix)
        assert fit.displacement == fit.displacement_sigma == 0.0
        assert fit.geometry == geometry


def test_a_zero_that_the_user_frees_gets_no_displacement_beside_it(lab6: list[hs.Phase]) -> None:
    pattern = displaced(3, height=5e-4, geometry="bragg-brentano")
    fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.157}}, free=["zero"])
    assert fit.displacement_sigma == 0.0
    assert fit.zero_sigma_deg > 0.0


def test_a_series_keeps_the_displacement_that_its_first_pattern_asked_for(lab6: list[hs.Phase]) -> None:
    patterns = [displaced(seed, height=5e-4) for seed in (4, 5)]
    fits = hs.fit_patterns(patterns, lab6, cells={"LaB6": {"a_ang": 4.157}})
    fits.append(hs.fit_pattern(patterns[1], lab6, cells={"LaB6": {"a_ang": 4.157}}, seed=fits[0]))
    for fit in fits:
        assert (fit.geometry, fit.zero_deg) == ("bragg-brentano", 0.0)
        assert abs(fit.displacement - 5e-4) < 5 * fit.displacement_sigma


@pytest.mark.parametrize(
    ("geometry", "free", "seeds", "seed_free"),
    [("bragg-brentano", ["displacement"], "unknown", ["displacement"]), ("transmission", [], "unknown", []),
     ("transmission", [], "bragg-brentano", [])],
)  # fmt: skip
def test_a_seed_whose_displacement_means_another_thing_is_refused(
    lab6: list[hs.Phase], geometry: str, free: list[str], seeds: str, seed_free: list[str]
) -> None:
    start = {"LaB6": {"a_ang": 4.157}}
    seed = hs.fit_pattern(displaced(4, height=5e-4, geometry=seeds), lab6, cells=start, free=seed_free)
    assert "displacement" in seed.parameter_names
    with pytest.raises(InputError, match=f"Expected a seed of {geometry} geometry"):
        hs.fit_pattern(displaced(5, height=5e-4, geometry=geometry), lab6, cells=start, free=free, seed=seed)


def test_a_seed_without_a_displacement_leaves_a_pattern_its_geometry(lab6: list[hs.Phase]) -> None:
    start = {"LaB6": {"a_ang": 4.157}}
    seed = hs.fit_pattern(displaced(4, height=0.0), lab6, cells=start)
    fit = hs.fit_pattern(displaced(5, height=0.0, geometry="bragg-brentano"), lab6, cells=start, seed=seed)
    assert (seed.geometry, fit.geometry) == ("unknown", "bragg-brentano")


def test_each_pattern_of_a_series_is_fitted_in_its_own_geometry(lab6: list[hs.Phase]) -> None:
    said = ["unknown", "transmission", "bragg-brentano", "unknown"]
    patterns = [displaced(seed, height=5e-4, geometry=one) for seed, one in enumerate(said, start=4)]
    fits = hs.fit_patterns(patterns, lab6, cells={"LaB6": {"a_ang": 4.157}})
    assert [fit.geometry for fit in fits] == ["bragg-brentano", "transmission", "bragg-brentano", "bragg-brentano"]
    assert [fit.displacement != 0.0 for fit in fits] == [True, False, True, True]


def test_a_goniometer_has_no_detector_whose_distance_is_uncertain(lab6: list[hs.Phase]) -> None:
    start = {"LaB6": {"a_ang": 4.157}}
    reflected, plain = (displaced(4, height=5e-4, geometry=one) for one in ("bragg-brentano", "unknown"))
    seed = hs.fit_pattern(reflected, lab6, cells=start)
    for fit in (
        lambda: hs.fit_pattern(reflected, lab6, cells=start, distance_relative_sigma=1e-4),
        lambda: hs.fit_patterns([plain, reflected], lab6, cells=start, distance_relative_sigma=1e-4),
        lambda: hs.fit_pattern(plain, lab6, cells=start, distance_relative_sigma=1e-4, seed=seed),
    ):
        with pytest.raises(InputError, match="a goniometer has no such distance"):
            fit()


def test_a_word_held_for_one_phase_is_not_asked(lab6: list[hs.Phase]) -> None:
    pattern = tube_pattern(3, zero=0.03)
    fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.157}}, fix=["LaB6:u"])
    assert "u" not in fit.parameter_names


@pytest.mark.parametrize("geometry", ["transmission", "bragg-brentano"])
def test_single_peaks_start_where_they_were_seen_whatever_shifts_the_lines(lab6: list[hs.Phase], geometry: str) -> None:
    model = build_model(lab6, CU_KA1, two_theta_deg=(20.0, 90.0), free=["zero", "displacement"], geometry=geometry)
    values = model.start.copy()
    values[[model.parameter_names.index(word) for word in ("zero", "displacement")]] = 0.05, 4e-4
    seen = np.array([25.0, 51.0, 78.0])
    model, values = with_peaks(model, values, seen, np.full(3, 0.1))
    slots = model.slots.copy()
    slots[model.link >= 0] = values[model.link[model.link >= 0]]
    drawn = line_columns(model, np.linspace(20.0, 90.0, 200), slots).position[-3:]
    np.testing.assert_allclose(drawn, seen, atol=1e-4)


def test_a_geometry_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match="'bragg-brentano'"):
        hs.Pattern(two_theta_deg=[1.0, 2.0], intensity=[1.0, 1.0], wavelength_ang=1.0, geometry="bragg-brentan")


def test_few_lines_of_a_flat_specimen_ask_for_its_displacement(lab6: list[hs.Phase]) -> None:
    x = np.arange(20.0, 80.0, 0.02)
    for seed in range(3):
        random = np.random.default_rng(seed)
        clean = np.full(x.size, 100.0)
        for place, _ in lines_of_lab6(CU_KA1, 20.0, 80.0)[:8]:
            area = random.uniform(50.0, 200.0)
            for wavelength, part in ((CU_KA1, 2 / 3), (CU_KA2, 1 / 3)):
                seen = math.degrees(2 * math.asin(wavelength / CU_KA1 * math.sin(math.radians(place / 2))))
                seen -= math.degrees(2 * 8e-4 * math.cos(math.radians(seen / 2)))
                clean += simulator.peak(x, seen, part * area, 0.07, 0.03)
        pattern = replace(counted(x, clean, CU_KA1, seed), geometry="bragg-brentano")
        fit = hs.fit_pattern(pattern, lab6, cells={"LaB6": {"a_ang": 4.17}})
        found = fit.phases["LaB6"]
        assert fit.second_line[1] == pytest.approx(1 / 3, abs=0.05)
        assert "displacement" in fit.parameter_names
        assert fit.foreign_lines_deg.size == 0
        assert abs(found.a_ang - LAB6) < 4 * found.a_sigma_ang
