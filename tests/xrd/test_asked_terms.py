"""Terms that a wide pattern asks for: Kα2, zero, widths by the angle, axial divergence; on SIMULATED patterns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.beam import TUBES_ANG, with_second_line
from hydrostruct.xrd.model import build_model
from tests.xrd import simulator

Floats = NDArray[np.float64]
LAB6 = 4.1569
CU_KA1, CU_KA2 = TUBES_ANG["Cu"]
SYNCHROTRON = 0.4139


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


@pytest.fixture(scope="module")
def lab6() -> list[hs.Phase]:
    return [hs.read_phase("LaB6")]


def test_a_tube_pattern_is_fitted_with_its_second_line_and_zero(lab6: list[hs.Phase]) -> None:
    for seed, zero in ((1, 0.03), (2, -0.05)):
        fit = hs.fit_pattern(tube_pattern(seed, zero=zero), lab6, cells={"LaB6": {"a_ang": 4.152}})
        found = fit.phases["LaB6"]
        assert fit.verdict is hs.Verdict.CONVERGED
        assert fit.gof < 1.1
        assert abs(fit.zero_deg - zero) < 5 * fit.zero_sigma_deg
        assert abs(found.a_ang - LAB6) < 5 * found.a_sigma_ang
        assert found.a_sigma_ang < 2e-4
        assert fit.foreign_lines_deg.size == 0
        assert "Kα2" in " ".join(fit.warnings)
        assert "zero" in " ".join(fit.warnings)


def test_what_the_user_holds_stays_held(lab6: list[hs.Phase]) -> None:
    pattern = tube_pattern(3, zero=0.03)
    start = {"LaB6": {"a_ang": 4.157}}
    fit = hs.fit_pattern(pattern, lab6, cells=start, fix=["zero"])
    assert fit.zero_deg == 0.0
    assert "zero" not in fit.parameter_names
    plain = hs.fit_pattern(pattern, lab6, cells=start, profile="pseudo-voigt")
    assert "Kα2" not in " ".join(plain.warnings)
    assert "zero" not in plain.parameter_names


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
