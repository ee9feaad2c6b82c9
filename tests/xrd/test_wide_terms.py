"""Wide patterns, simulated: what they ask for beyond cells and widths is found, said, and does not move the cell."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.errors import InputError
from hydrostruct.xrd import kernels
from hydrostruct.xrd.profile import pseudo_voigt

CUBIC_F = sorted(
    {h * h + k * k + l * l for h in range(9) for k in range(9) for l in range(9) if h % 2 == k % 2 == l % 2} - {0}  # noqa: E741
)
AU, CU, SECOND = 4.078, 1.540593, 1.544427


def angle(wavelength: float, square: float, cell: float = AU) -> float:
    sine = wavelength * np.sqrt(square) / cell / 2.0
    return float(np.degrees(2.0 * np.arcsin(sine))) if sine < 0.99 else float("nan")


def noisy(x: np.ndarray, clean: np.ndarray, seed: int, wavelength: float) -> hs.Pattern:
    counts = np.random.default_rng(seed).poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=wavelength
    )


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
    return noisy(x, clean, seed, 1.494)


def doublet(simulator: ModuleType, *, seed: int) -> hs.Pattern:
    x = np.arange(30.0, 130.0, 0.02)
    clean = np.full(x.size, 100.0)
    areas = np.random.default_rng(seed).uniform(50.0, 300.0, len(CUBIC_F))
    for square, area in zip(CUBIC_F, areas, strict=True):
        for wavelength, part in ((CU, 2.0 / 3.0), (SECOND, 1.0 / 3.0)):
            if np.isfinite(angle(wavelength, square)):
                clean += simulator.peak(x, angle(wavelength, square), part * area, 0.07, 0.04)
    return noisy(x, clean, seed, CU)


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
    return noisy(x, clean, seed, 0.7)


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


def test_a_pattern_that_asks_for_nothing_gets_nothing(simulator: ModuleType) -> None:
    x = np.arange(10.0, 60.0, 0.02)
    clean = np.full(x.size, 200.0)
    for square in CUBIC_F:
        if angle(0.7, square) < 60.0:
            clean += simulator.peak(x, angle(0.7, square), 100.0, 0.07, 0.04)
    fit = hs.fit_pattern(noisy(x, clean, 1, 0.7), [hs.read_phase("Au")], cells={"Au": {"a_ang": AU}})
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
    fit = hs.fit_pattern(noisy(x, clean, 3, 1.0), [phase], cells={phase.name: {"a_ang": a, "b_ang": b, "c_ang": c}})
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
    pattern = noisy(x, np.full(x.size, 100.0), 1, 0.6)
    with pytest.raises(InputError, match="order of the standard setting of Pnma"):
        hs.fit_pattern(pattern, [phase], cells={phase.name: {"a_ang": 4.78, "b_ang": 4.93, "c_ang": 6.90}})
