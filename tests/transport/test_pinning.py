"""Ic(T) models: the reference sheet's numbers, limits, and what data can and cannot tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.transport.pinning_models import MODELS

T = np.linspace(60.0, 77.0, 18)


def data(values: np.ndarray, sigma: np.ndarray | None = None) -> hs.CriticalCurrents:
    return hs.CriticalCurrents(temperature_k=T, value=values, sigma=sigma, unit="a_cm2", name="simulated")


def test_the_papers_numbers() -> None:
    density, systematic = hs.current_density(74e-3, width_um=30.0, thickness_um=1.0, thickness_sigma_um=0.3)
    assert density / 1e6 == pytest.approx(0.2467, abs=5e-5)
    assert systematic / density == pytest.approx(0.3)
    assert float(4 * hs.pinning_shape(60.0, "delta-l", tc_k=78.0)) == pytest.approx(0.3377, abs=5e-5)
    assert float(4 * hs.pinning_shape(60.0, "delta-l", tc_k=80.0)) == pytest.approx(0.4051, abs=5e-5)
    assert float(4 * hs.pinning_shape(60.0, "delta-l", tc_k=75.13)) == pytest.approx(0.2467, abs=2e-4)


@pytest.mark.parametrize(
    ("tc", "jc0"),
    [(76, 3.61), (77, 3.23), (78, 2.92), (79, 2.66), (80, 2.44), (82, 2.08), (98, 0.936), (105, 0.763), (109, 0.694),
     (120, 0.566)],
)  # fmt: skip
def test_the_jc0_that_matches_74_ma_at_each_tc(tc: float, jc0: float) -> None:
    assert hs.value_at_zero(60.0, 0.24667, model="delta-l", tc_k=tc) == pytest.approx(jc0, abs=0.006)


def test_other_models_at_the_same_point() -> None:
    assert hs.value_at_zero(60.0, 0.24667, model="delta-tc", tc_k=78.0) == pytest.approx(0.476, abs=6e-4)
    assert hs.value_at_zero(60.0, 0.24667, model="delta-l-unsquared", tc_k=78.0) == pytest.approx(12.8, abs=0.06)


def test_shapes_have_their_limits() -> None:
    for model in MODELS:
        shape = hs.pinning_shape([0.0, 30.0, 78.0, 100.0], model, tc_k=78.0, exponent=2.0)
        assert shape[0] == pytest.approx(1.0)
        assert 0 < shape[1] < 1
        assert shape[2:].tolist() == [0.0, 0.0]
    near = 1 - 1e-4
    assert float(hs.pinning_shape(near, "delta-l", tc_k=1.0)) == pytest.approx(4 * 1e-4**2.5, rel=1e-3)
    assert float(hs.pinning_shape(near, "delta-tc", tc_k=1.0)) == pytest.approx(4 * 1e-4 ** (7 / 6), rel=1e-3)
    low = 1e-2
    assert 1 - float(hs.pinning_shape(low, "delta-l", tc_k=1.0)) == pytest.approx(3 * low**2, rel=1e-3)
    assert 1 - float(hs.pinning_shape(low, "delta-tc", tc_k=1.0)) == pytest.approx(low**2 / 3, rel=1e-3)
    with pytest.raises(hs.InputError, match="Did you mean 'delta-l'"):
        hs.pinning_shape(60.0, "delta_l", tc_k=78.0)


def test_noise_free_delta_l_data_reject_the_others_as_the_reference_sheet_says() -> None:
    exact = data(2.92e6 * hs.pinning_shape(T, "delta-l", tc_k=78.0))
    found = hs.compare_pinning(exact)
    assert [one.model for one in found.models][:3] == ["delta-l", "power-law", "delta-l-unsquared"]
    assert found.verdict == "converged"
    by_name = {one.model: one for one in found.models}
    assert set(by_name) == set(MODELS)
    expected = {"delta-tc": (71.5, 0.044), "ginzburg-landau": (73.0, 0.028), "delta-l-unsquared": (79.0, 0.0056),
                "power-law": (77.44, 0.0008), "delta-l": (78.0, 0.0)}  # fmt: skip
    for name, (tc, residual) in expected.items():
        one = by_name[name]
        assert one.parameters["tc_k"] == pytest.approx(tc, abs=0.06)
        assert np.sqrt(np.mean(one.residuals**2)) / exact.value.max() == pytest.approx(residual, rel=0.05, abs=1e-9)
    assert by_name["power-law"].parameters["exponent"] == pytest.approx(2.245, abs=1e-3)
    assert by_name["delta-tc"].aicc > by_name["delta-l"].aicc + 100


def test_two_percent_noise_leaves_delta_l_and_a_power_law_apart_by_nothing_and_says_so() -> None:
    clean = 2.92e6 * hs.pinning_shape(T, "delta-l", tc_k=78.0)
    sigma = 0.02 * clean.max() * np.ones(T.size)
    found = hs.compare_pinning(data(clean + np.random.default_rng(1).normal(0, sigma), sigma))
    assert found.verdict == "ambiguous"
    assert "do not tell" in found.reason
    assert "extrapolated" in found.reason
    alike = {one.model for one in found.models if one.aicc - found.models[0].aicc < 4}
    assert {"delta-l", "power-law"} <= alike or {"delta-l", "delta-l-unsquared"} <= alike


def test_pulls_of_jc0_and_tc_are_those_of_true_sigmas() -> None:
    random, pulls = np.random.default_rng(9), []
    t = T / 78.0
    clean = 2.92e6 * (1 - t**2) ** 2.5 / np.sqrt(1 + t**2)
    for _ in range(150):
        sigma = 0.03 * clean + 1e3
        (one,) = hs.compare_pinning(data(clean + random.normal(0, sigma), sigma), models=("delta-l",)).models
        pulls.append([math.log(one.parameters["jc0_a_cm2"] / 2.92e6) / one.sigmas["jc0_a_cm2"] * 2.92e6,
                      (one.parameters["tc_k"] - 78.0) / one.sigmas["tc_k"]])  # fmt: skip
    assert np.all(np.abs(np.std(pulls, axis=0) - 1) < 0.2)
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.3)


def test_a_known_tc_enters_with_its_error_or_fixed() -> None:
    clean = 2.92e6 * hs.pinning_shape(T, "delta-l", tc_k=78.0)
    sigma = 0.05 * clean + 1e3
    noisy = data(clean + np.random.default_rng(2).normal(0, sigma), sigma)
    free, known, fixed = (
        hs.compare_pinning(noisy, models=("delta-l",), **more).models[0]
        for more in ({}, {"tc_k": 78.0, "tc_sigma_k": 0.05}, {"tc_k": 78.0})
    )
    assert fixed.sigmas["tc_k"] == 0.0
    assert math.isnan(fixed.correlation)
    assert fixed.sigmas["jc0_a_cm2"] < known.sigmas["jc0_a_cm2"] < free.sigmas["jc0_a_cm2"]
    assert free.correlation < -0.8
    with pytest.raises(hs.InputError, match="Tc is given as 12"):
        hs.compare_pinning(noisy, tc_k=12.0)


def test_self_field_gives_the_reference_sheets_penetration_depths() -> None:
    for jc0, kappa, depth in ((4e6, 60, 247), (4e6, 100, 256), (2.92e6, 60, 274), (2.92e6, 100, 284)):
        assert hs.penetration_depth(jc0, kappa=kappa) == pytest.approx(depth, abs=0.6)
        assert float(hs.self_field_density(hs.penetration_depth(jc0, kappa=kappa), kappa=kappa)) == pytest.approx(jc0)


def test_the_thickness_is_known_to_thirty_percent_at_best() -> None:
    thickness, sigma = hs.swollen_thickness(1.0)
    assert 0.94 < thickness < 1.27
    assert sigma >= 0.3 * thickness
    with pytest.raises(hs.InputError, match="cross-section"):
        hs.current_density(1.0, width_um=0.0, thickness_um=1.0)
