"""What the noise of weak lines pretends to know of the cell; SIMULATED patterns."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd.engine import Solution, covariance, fit_with_background, limit_widths, start_values
from hydrostruct.xrd.evidence import weigh_evidence
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.line_columns import line_columns, slope_columns
from hydrostruct.xrd.model import FitData, LeBailModel, build_model, prepare_data
from hydrostruct.xrd.slope_noise import without_slope_noise

Floats = NDArray[np.float64]
ANGLES = np.linspace(8.0, 24.0, 1500)


def fitted(counts: Floats, wavelength: float) -> tuple[LeBailModel, FitData, Solution]:
    """A fit of CeH9 with four background terms."""
    pattern = hs.Pattern(two_theta_deg=ANGLES, intensity=counts, sigma=np.sqrt(counts), wavelength_ang=wavelength)
    data = prepare_data(pattern)
    model = build_model([hs.read_phase("CeH9-P63mmc")], wavelength, two_theta_deg=(8.0, 24.0))
    model = limit_widths(model, line_width(data))
    solution, data = fit_with_background(model, data, start_values(model, data), terms=4)
    return model, data, solution


def clean(simulator: ModuleType, height: float) -> Floats:
    """CeH9 on a flat background, before noise; heights of the lines in counts."""
    out = np.full(ANGLES.size, 1000.0)
    angles = simulator.hexagonal_angles(simulator.CEH9_LINES, *simulator.CEH9, simulator.WAVELENGTH)
    for center, (*_, area) in zip(angles, simulator.CEH9_LINES, strict=True):
        out += simulator.peak(ANGLES, center, height * 0.09 * area / 100.0, 0.07, 0.02)
    return out


def known(model: LeBailModel, data: FitData, solution: Solution, intensity: Floats) -> Floats:
    """Normal matrix of the parameters at some areas, intensities and background marginalised; dense, the slow way."""
    columns = line_columns(model, data.position, solution.slots)
    root = np.sqrt(data.weight)[:, None]
    linear = np.column_stack((columns.shape, data.basis.T)) * root
    slopes = slope_columns(columns, model, intensity) * root
    left = slopes - linear @ np.linalg.lstsq(linear, slopes, rcond=1e-10)[0]
    return np.asarray(left.T @ left)


def test_what_is_taken_off_is_what_noise_adds_in_the_mean(simulator: ModuleType) -> None:
    model, data, solution = fitted(clean(simulator, 250.0), simulator.WAVELENGTH)
    seen, matrix = covariance(model, data, solution)
    spread = matrix[: seen.size, : seen.size]
    here = known(model, data, solution, solution.intensity[seen])
    random = np.random.default_rng(4)
    draws = random.multivariate_normal(solution.intensity[seen], spread, size=3000)
    added = np.mean([known(model, data, solution, one) for one in draws], axis=0) - here
    cleared = np.linalg.inv(here - added)
    expected = cleared @ here @ cleared
    got = without_slope_noise(model, data, solution, covariance=matrix, lines=np.arange(seen.size), spread=spread)
    naive = np.sqrt(np.diag(matrix[-len(got) :, -len(got) :]))
    np.testing.assert_allclose(np.sqrt(np.diag(got)), np.sqrt(np.diag(expected)), rtol=0.02)
    assert np.all(np.sqrt(np.diag(got))[:2] > 1.03 * naive[:2])  # of a few lines of three to nine sigma


@pytest.mark.parametrize("height", [250.0, 20000.0])
def test_only_weak_phases_are_given_a_wider_sigma(simulator: ModuleType, height: float) -> None:
    counts = np.random.default_rng(1).poisson(clean(simulator, height)).astype(float)
    model, data, solution = fitted(counts, simulator.WAVELENGTH)
    plain = covariance(model, data, solution)[1][-solution.held.size :, -solution.held.size :]
    found = weigh_evidence(model, data, solution).parameter_covariance
    wider = np.sqrt(np.diag(found)[:2] / np.diag(plain)[:2])
    assert np.all(wider > 1.02) if height < 1000.0 else np.array_equal(found, plain)


def test_lines_that_are_all_noise_leave_a_covariance_that_is_finite(simulator: ModuleType) -> None:
    counts = np.random.default_rng(2).poisson(clean(simulator, 5.0)).astype(float)
    model, data, solution = fitted(counts, simulator.WAVELENGTH)
    found = weigh_evidence(model, data, solution).parameter_covariance
    assert np.all(np.isfinite(found))
    assert np.all(np.linalg.eigvalsh(found) > -1e-9 * np.max(np.abs(found)))


def test_a_weak_phase_that_is_left_out_is_no_misfit_of_the_other(simulator: ModuleType) -> None:
    inflated, scale = [], []
    for seed in range(16):
        angles = simulator.tetragonal_angles(simulator.CEH4_LINES, *simulator.CEH4, simulator.WAVELENGTH)
        expected = clean(simulator, 4000.0)
        for center, (*_, area) in zip(angles, simulator.CEH4_LINES, strict=True):
            expected += simulator.peak(ANGLES, center, 95.0 * 0.09 * area / 100.0, 0.07, 0.02)
        counts = np.random.default_rng(seed).poisson(expected).astype(float)
        pattern = hs.Pattern(
            two_theta_deg=ANGLES, intensity=counts, sigma=np.sqrt(counts), wavelength_ang=simulator.WAVELENGTH
        )
        phases = [hs.read_phase(name) for name in ("CeH9-P63mmc", "CeH4-I4mmm")]
        fit = hs.fit_pattern(pattern, phases)
        if fit.phases["CeH4-I4mmm"].detected:
            continue
        found = fit.phases["CeH9-P63mmc"]
        inflated.append(max(1.0, fit.gof) * fit.serial_factor)
        scale.append(found.a_sigma_ang / found.a_statistical_ang)
    assert len(scale) >= 6
    assert np.all(np.array(scale) <= np.array(inflated) * (1 + 1e-9))
    assert np.mean(scale) < np.mean(inflated) - 0.01
