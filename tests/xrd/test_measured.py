"""Patterns of other people, and the simulated ones that stand beside them (see MANIFEST of the shared data)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hydrostruct as hs

NAMES = {"CeH9": "CeH9-P63mmc", "CeH4": "CeH4-I4mmm"}
STARTS = {"CeH9-P63mmc": {"a_ang": 3.70, "c_ang": 5.45}, "CeH4-I4mmm": {"a_ang": 2.85, "c_ang": 5.82}}


def pulls(fit: hs.PatternFit, cells: dict[str, list[float]]) -> list[float]:
    out = []
    for short, (a, c) in cells.items():
        found = fit.phases[NAMES[short]]
        out += [(found.a_ang - a) / found.a_sigma_ang, (found.c_ang - c) / found.c_sigma_ang]
    return out


@pytest.fixture(scope="module")
def phases() -> list[hs.Phase]:
    return [hs.read_phase(name) for name in NAMES.values()]


def test_a_certified_lab6_has_its_cell_and_the_displacement_that_its_certificate_states(shared_data: Path) -> None:
    """SRM 660c, 10.1017/S0885715620000068: the specimen 0.07877 mm above the axis of a goniometer of 217.5 mm."""
    lines = (shared_data / "patterns/nist_srm660c_LaB6_100a.cif").read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if "_pd_proc_ls_weight" in line) + 1
    last = next(number for number, line in enumerate(lines) if number > first and line.startswith("data_"))
    x, y, weight = np.unique(np.loadtxt(lines[first:last]), axis=0).T
    once = np.concatenate(([True], np.diff(x) > 0))
    pattern = hs.Pattern(
        two_theta_deg=x[once], intensity=y[once], sigma=1.0 / np.sqrt(weight[once]), wavelength_ang=1.5405929
    )
    fit = hs.fit_pattern(pattern, [hs.read_phase("LaB6")], cells={"LaB6": {"a_ang": 4.16}})
    assert fit.verdict is hs.Verdict.CONVERGED, fit.reason
    assert fit.geometry == "bragg-brentano"
    assert fit.displacement == pytest.approx(-0.07877 / 217.5, rel=0.05)
    assert fit.phases["LaB6"].a_ang == pytest.approx(4.156780, rel=3e-5)


@pytest.fixture(scope="module")
def truth(shared_data: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((shared_data / "simulated_lebail" / "truth.json").read_text())
    return read


@pytest.mark.parametrize("level", ["good", "mid", "weak"])
@pytest.mark.parametrize("start", [None, STARTS])
def test_the_simulated_patterns_give_the_true_cells(
    shared_data: Path, truth: dict[str, Any], phases: list[hs.Phase], level: str, start: Any
) -> None:
    pattern = hs.read_pattern(shared_data / "simulated_lebail" / f"{level}.xye", wavelength_ang=0.6199)
    fit = hs.fit_pattern(pattern, phases, cells=start, two_theta_deg=(4, 25))
    assert max(abs(pull) for pull in pulls(fit, truth[level]["cells"])) < 3
    assert fit.rwp_percent <= truth[level]["Rwp_true_model"] * 1.005
    assert fit.rexp_percent == pytest.approx(truth[level]["Rexp"], rel=0.03)
    assert fit.gof == pytest.approx(1.0, abs=0.06)
    assert fit.verdict in (hs.Verdict.CONVERGED, hs.Verdict.DOUBTFUL), fit.reason
    if level != "weak":
        assert fit.verdict is hs.Verdict.CONVERGED, fit.reason


@pytest.mark.parametrize(("level", "floor"), [("good", (3.5, 8.6, 4.2, 14)), ("mid", (17, 45, 22, 78))])
def test_uncertainties_are_near_the_smallest_that_the_data_allow(
    shared_data: Path, phases: list[hs.Phase], level: str, floor: tuple[float, ...]
) -> None:
    """Cramér-Rao bounds of the project's reference sheet, in 1e-5 Å; there with widths common to both phases."""
    pattern = hs.read_pattern(shared_data / "simulated_lebail" / f"{level}.xye", wavelength_ang=0.6199)
    fit = hs.fit_pattern(pattern, phases, cells=STARTS, two_theta_deg=(4, 25))
    found = [value for one in fit.phases.values() for value in (one.a_statistical_ang, one.c_statistical_ang)]
    np.testing.assert_allclose(found, np.array(floor) * 1e-5, rtol=0.12)


def test_a_map_of_25_points_gives_the_true_cell_at_every_one(
    shared_data: Path, truth: dict[str, Any], phases: list[hs.Phase]
) -> None:
    folder = shared_data / "simulated_lebail" / "map"
    names = [f"p{index:02d}" for index in range(25)]
    patterns = [hs.read_pattern(folder / f"{name}.xye", wavelength_ang=0.6199) for name in names]
    fits = hs.fit_patterns(patterns, phases, cells=STARTS, two_theta_deg=(4, 25))
    assert {fit.verdict for fit in fits} == {hs.Verdict.CONVERGED}
    found = np.array([pulls(fit, truth[name]["cells"]) for fit, name in zip(fits, names, strict=True)])
    assert np.max(np.abs(found)) < 4.0  # a hundred numbers
    assert np.mean(np.abs(found) > 3) <= 0.02
    assert 0.75 < math.sqrt(np.mean(found**2)) < 1.25


def test_the_map_gives_the_same_cells_point_by_point(shared_data: Path, phases: list[hs.Phase]) -> None:
    folder = shared_data / "simulated_lebail" / "map"
    patterns = [hs.read_pattern(folder / f"p{index:02d}.xye", wavelength_ang=0.6199) for index in range(0, 25, 4)]
    together = hs.fit_patterns(patterns, phases, cells=STARTS)
    for pattern, fit in zip(patterns, together, strict=True):
        alone = hs.fit_pattern(pattern, phases, cells=STARTS)
        for name, found in fit.phases.items():
            assert abs(found.a_ang - alone.phases[name].a_ang) < 0.05 * found.a_sigma_ang
            assert abs(found.c_ang - alone.phases[name].c_ang) < 0.05 * found.c_sigma_ang


def test_stishovite_at_39_gpa_has_the_volume_of_the_session_saved_with_it(shared_data: Path) -> None:
    """Hydrous SiO2 in a diamond cell (P-MatRes): tetragonal, 42.65 Å³ by the equation of state of the session."""
    pattern = hs.read_pattern(shared_data / "patterns" / "hSiO2_404_009.chi", wavelength_ang=0.3344)
    fit = hs.fit_pattern(
        pattern,
        [hs.read_phase("SiO2-stishovite")],
        cells={"SiO2-stishovite": {"a_ang": 4.0537, "c_ang": 2.5955}},
        two_theta_deg=(6, 21),
    )
    found = fit.phases["SiO2-stishovite"]
    assert found.volume_ang3 == pytest.approx(42.65, rel=0.015)
    assert 0 < found.volume_sigma_ang3 < 1.0
    assert found.detected
    assert fit.verdict in (hs.Verdict.CONVERGED, hs.Verdict.DOUBTFUL)


def test_every_pattern_file_of_other_programs_is_read(shared_data: Path) -> None:
    read = hs.read_pattern(shared_data / "ceo2_pilatus1m" / "CeO2_Pilatus1M.xy", wavelength_ang=0.4066)
    assert read.two_theta_deg[-1] < 180
    for path in sorted((shared_data / "dac_map_fe3o4" / "dioptas_xy").glob("*.xy")):
        assert hs.read_pattern(path, wavelength_ang=0.3344).intensity.size > 1000
    chi = hs.read_pattern(shared_data / "patterns" / "hSiO2_404_009.chi", wavelength_ang=0.3344)
    assert chi.intensity.size == 2155


def test_gold_is_found_whether_or_not_argon_is_offered_beside_it(shared_data: Path) -> None:
    """Two phases whose lines fall together are each weak beside the other; the one that is there must stay."""
    pattern = hs.read_pattern(shared_data / "patterns" / "hSiO2_404_009.chi", wavelength_ang=0.3344)
    phases = [hs.read_phase(name) for name in ("Au", "Ar")]
    starts = {phase.name: hs.cell_at(phase, 39.6).cell for phase in phases}
    fit = hs.fit_pattern(pattern, phases, cells=starts, two_theta_deg=(6, 21))
    assert fit.phases["Au"].detected
    assert fit.phases["Au"].a_ang == pytest.approx(3.877, abs=0.004)
    assert fit.phases["Au"].share == pytest.approx(1.0)
    assert not fit.phases["Ar"].detected


@pytest.mark.parametrize("others", [(), ("Au",), ("Au", "Ne")])
def test_stishovite_is_found_from_the_librarys_own_start_whatever_is_offered_beside_it(
    shared_data: Path, others: tuple[str, ...]
) -> None:
    """The start is that of the library's equation of state at the session's 39.6 GPa, not the session's own cell."""
    pattern = hs.read_pattern(shared_data / "patterns" / "hSiO2_404_009.chi", wavelength_ang=0.3344)
    phases = [hs.read_phase(name) for name in ("SiO2-stishovite", *others)]
    starts = {phase.name: hs.cell_at(phase, 39.6).cell for phase in phases}
    fit = hs.fit_pattern(pattern, phases, cells=starts, two_theta_deg=(6, 21))
    assert fit.phases["SiO2-stishovite"].volume_ang3 == pytest.approx(42.65, rel=0.015)
