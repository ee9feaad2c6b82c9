from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import hydrostruct as hs
from hydrostruct.material.bcs import GAP_RATIO, bcs_gap, gap_ratio, reduced_gap, superfluid_density
from hydrostruct.material.coupling import (
    allen_dynes_coupling,
    allen_dynes_tc,
    log_phonon_temperature,
    strong_coupling_ratio,
)


def test_the_published_table_is_met() -> None:
    # B. Mühlschlegel, Z. Phys. 155, 313 (1959)
    t = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
    published = [1.0, 0.99988, 0.99712, 0.98503, 0.95688, 0.90699, 0.82877, 0.71104, 0.52634, 0.38032, 0.24358, 0.17295]
    np.testing.assert_allclose(reduced_gap(t), published, atol=5.1e-6)
    assert pytest.approx(3.527754, abs=1e-6) == 2 * GAP_RATIO


@given(t=st.floats(0.05, 0.9999))
def test_the_gap_solves_its_equation(t: float) -> None:
    delta = float(reduced_gap(t))
    x = delta * GAP_RATIO / t

    def inner(s: float) -> float:
        return 1.0 / (math.exp(min(x * math.cosh(s), 700.0)) + 1.0)

    integral = quad(inner, 0, math.acosh(max(700 / x, 1.01)), epsabs=1e-13, epsrel=1e-12, limit=400)[0]
    # ln(Δ0/Δ) = 2∫; an error e of the gap moves the two sides apart by more than e
    assert -math.log(delta) == pytest.approx(2 * integral, abs=1e-7)


def test_near_tc_the_gap_is_a_square_root() -> None:
    assert float(reduced_gap(0.9999)) / math.sqrt(1e-4) == pytest.approx(1.7367, abs=2e-4)


@pytest.mark.parametrize(
    ("form", "worst"),
    [
        ("tanh-1.74", -0.0174),
        ("tanh-bcs", -0.0141),
        ("carrington-manzano", 0.0101),
        ("gross", -0.0180),
        ("cosine", 0.021),
    ],
)
def test_the_approximations_are_as_far_off_as_is_known(form: str, worst: float) -> None:
    t = np.linspace(0.001, 0.999, 999)
    off = reduced_gap(t, form=form) - reduced_gap(t)
    assert off[np.argmax(np.abs(off))] == pytest.approx(worst, abs=1e-4)


def test_ends_shapes_and_nan() -> None:
    found = reduced_gap([[0.0, 1.0], [1.5, np.nan]])
    assert found.shape == (2, 2)
    assert found[0].tolist() == [1.0, 0.0]
    assert found[1, 0] == 0.0
    assert np.isnan(found[1, 1])
    assert np.all(np.diff(reduced_gap(np.linspace(0.2, 1.0, 500))) < 0)
    assert float(bcs_gap(0.0, gap0_mev=21.04, tc_k=109.0)) == 21.04
    assert float(bcs_gap(130.0, gap0_mev=21.04, tc_k=109.0)) == 0.0


def test_wrong_input_is_refused() -> None:
    with pytest.raises(hs.InputError, match=r"tanh-1\.74"):
        reduced_gap(0.5, form="tanh-1.7")
    with pytest.raises(hs.InputError, match="0 or above"):
        reduced_gap(-0.1)
    with pytest.raises(hs.InputError, match="tc_k"):
        bcs_gap(1.0, gap0_mev=1.0, tc_k=0.0)


def test_the_ratio_has_its_uncertainty() -> None:
    ratio, sigma = gap_ratio(21.04, 109.0, gap0_sigma_mev=0.2, tc_sigma_k=2.0)
    assert ratio == pytest.approx(4.480, abs=5e-4)
    assert sigma == pytest.approx(0.09, abs=0.005)


@pytest.mark.parametrize(("tc", "expected"), [(98, 873), (105, 936), (109, 972), (112, 998)])
def test_strong_coupling_is_inverted(tc: float, expected: float) -> None:
    assert log_phonon_temperature(4.36, tc) == pytest.approx(expected, abs=1)
    assert strong_coupling_ratio(0.11219) == pytest.approx(4.36, abs=1e-4)
    assert math.isnan(log_phonon_temperature(3.4, tc))
    assert math.isnan(log_phonon_temperature(5.55, tc))


@pytest.mark.parametrize(
    ("coulomb", "plain", "first", "both"),
    [(0.10, 1.475, 1.368, 1.332), (0.13, 1.619, 1.499, 1.460), (0.15, 1.722, 1.592, 1.551)],
)
def test_allen_and_dynes_are_inverted(coulomb: float, plain: float, first: float, both: float) -> None:
    tc, phonon = 0.11219 * 1000, 1000.0
    assert allen_dynes_coupling(tc, phonon, coulomb=coulomb, shape=False) == pytest.approx(plain, abs=6e-4)
    assert allen_dynes_coupling(tc, phonon, coulomb=coulomb) == pytest.approx(first, abs=6e-4)
    found = allen_dynes_coupling(tc, phonon, coulomb=coulomb, moment_ratio=1.3)
    assert found == pytest.approx(both, abs=6e-4)
    assert allen_dynes_tc(found, phonon, coulomb=coulomb, moment_ratio=1.3) == pytest.approx(tc, rel=1e-9)
    assert allen_dynes_tc(0.05, phonon, coulomb=coulomb) == 0.0
    assert math.isnan(allen_dynes_coupling(1e5, phonon))


def test_superfluid_density_falls_from_1_to_0_as_2_times_what_is_left_near_tc() -> None:
    t = np.linspace(0.0, 1.0, 201)
    density = superfluid_density(t)
    assert density[0] == 1.0
    assert density[-1] == 0.0
    assert np.all(np.diff(density) <= 1e-12)
    assert float(superfluid_density(0.995)) == pytest.approx(2 * 0.005, rel=0.02)
    assert np.isnan(superfluid_density([float("nan"), -0.1])).all()
    assert superfluid_density([1.5]).tolist() == [0.0]
