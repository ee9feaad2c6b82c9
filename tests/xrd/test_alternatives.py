"""What is said where other answers explain a pattern as well; SIMULATED patterns."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.engine import fit_with_background, limit_widths, start_values
from hydrostruct.xrd.evidence import weigh_evidence
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.fit_notes import followed_reasons
from hydrostruct.xrd.model import build_model, prepare_data

Floats = NDArray[np.float64]
WAVELENGTH = 0.6199
X = np.linspace(8.0, 24.0, 1500)
FCC = (3, 4, 8, 11, 12, 16, 19, 20)


def cubic(simulator: ModuleType, a: float, seed: int, areas: float = 40.0) -> hs.Pattern:
    """A face-centred cubic phase on a flat background."""
    random = np.random.default_rng(seed)
    clean = np.full(X.size, 400.0)
    for square in FCC:
        center = 2 * np.degrees(np.arcsin(WAVELENGTH * np.sqrt(square) / (2 * a)))
        clean += simulator.peak(X, center, areas * random.uniform(0.4, 1.0), 0.07, 0.02)
    return measured(random.poisson(clean).astype(float))


def measured(counts: Floats) -> hs.Pattern:
    return hs.Pattern(
        two_theta_deg=X, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=WAVELENGTH
    )


def test_two_phases_with_the_same_lines_and_cell_are_not_told_apart(simulator: ModuleType) -> None:
    phases = [hs.read_phase(name) for name in ("CeH10-Fm3m", "LaH10-Fm3m")]
    for seed in range(4):
        fit = hs.fit_pattern(cubic(simulator, 5.15, seed), phases)
        assert fit.verdict == "ambiguous"
        assert "in place of" in fit.reason
        (there,) = [one for one in fit.phases.values() if one.detected]
        (other,) = [one for one in fit.phases.values() if not one.detected]
        assert there.verdict == "ambiguous"
        assert there.free_lines == 0
        assert abs(there.a_ang - 5.15) < 5 * there.a_sigma_ang
        assert "may be either" in other.reason


def test_a_phase_whose_start_is_far_from_the_cell_takes_no_name(simulator: ModuleType) -> None:
    phases = [hs.read_phase(name) for name in ("CeH10-Fm3m", "LaH10-Fm3m")]
    cells = {"CeH10-Fm3m": {"a_ang": 5.16}, "LaH10-Fm3m": {"a_ang": 5.30}}
    fit = hs.fit_pattern(cubic(simulator, 5.15, 1), phases, cells=cells)
    assert fit.phases["CeH10-Fm3m"].verdict == "converged"
    assert fit.phases["LaH10-Fm3m"].verdict == "absent"


def test_other_cells_of_a_phase_that_is_absent_make_no_other_ambiguous(simulator: ModuleType) -> None:
    random = np.random.default_rng(5)
    for _ in range(4):
        one = simulator.simulate(random)
        pattern = hs.Pattern(
            two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=WAVELENGTH
        )
        fit = hs.fit_pattern(pattern, [hs.read_phase(name) for name in ("CeH9-P63mmc", "Pt")])
        if fit.phases["Pt"].verdict == "absent":
            assert fit.phases["CeH9-P63mmc"].verdict != "ambiguous"


def test_a_cell_at_its_limit_gives_no_number(simulator: ModuleType) -> None:
    pattern = cubic(simulator, 5.15, 2)
    fit = hs.fit_pattern(pattern, [hs.read_phase("CeH10-Fm3m")], cells={"CeH10-Fm3m": {"a_ang": 4.88}}, search="never")
    found = fit.phases["CeH10-Fm3m"]
    assert found.verdict in ("not converged", "absent")
    assert np.isnan(found.a_ang)
    assert fit.verdict != "converged"


def test_single_peaks_beside_the_lines_of_a_phase_make_it_doubtful(simulator: ModuleType) -> None:
    pattern = cubic(simulator, 5.15, 3)
    model = build_model([hs.read_phase("CeH10-Fm3m")], WAVELENGTH, two_theta_deg=(8.0, 24.0))
    data = prepare_data(pattern)
    model = limit_widths(model, line_width(data))
    solution, data = fit_with_background(model, data, start_values(model, data), terms=4)
    evidence = weigh_evidence(model, data, solution)
    mine = evidence.in_range
    place, width = solution.position[mine], solution.width[mine]
    assert "stand beside its lines" in followed_reasons(model, evidence, place[:6] + 2 * width[:6])[0]
    far = np.linspace(8.5, 23.5, 12)
    far = far[np.min(np.abs(far[:, None] - place), axis=1) > 5 * width.max()]
    assert far.size >= 5
    assert followed_reasons(model, evidence, far) == [""]
    assert followed_reasons(model, evidence, np.append(far, place[0])) == [""]  # one of them by chance
