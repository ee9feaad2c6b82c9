from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrostruct.errors import InputError
from hydrostruct.material.eos import (
    EosForm,
    EquationOfState,
    is_extrapolated,
    pressure_from_volume,
    pressure_sigma,
    volume_from_pressure,
    volume_sigma,
)
from hydrostruct.material.phase import read_phase
from hydrostruct.units import ANG3_PER_CM3_PER_MOL


def _eos(form: EosForm = EosForm.VINET, v0: float = 15.0, k0: float = 277.0, k0_prime: float = 5.08) -> EquationOfState:
    return EquationOfState(
        key="test",
        form=form,
        v0_ang3=v0,
        v0_sigma_ang3=0.01,
        k0_gpa=k0,
        k0_sigma_gpa=2.0,
        k0_prime=k0_prime,
        k0_prime_sigma=0.05,
        fixed=(),
        covariance=None,
        pressure_range_gpa=(10.0, 90.0),
        primary_standard="none",
        v0_basis="test",
        source="test",
        doi="",
        confidence="file",
    )


def _closed_form(eos: EquationOfState, volume: np.ndarray) -> np.ndarray:
    """The textbook formulas, written out."""
    k0, prime = eos.k0_gpa, eos.k0_prime
    x = volume / eos.v0_ang3
    if eos.form is EosForm.VINET:
        root = np.cbrt(x)
        return 3 * k0 * (1 - root) / root**2 * np.exp(1.5 * (prime - 1) * (1 - root))
    if eos.form is EosForm.MURNAGHAN:
        return k0 / prime * (x**-prime - 1)
    strain = 0.5 * (x ** (-2 / 3) - 1)
    last = 0.0 if eos.form is EosForm.BIRCH_MURNAGHAN_2 else 1.5 * (prime - 4) * strain
    return 3 * k0 * strain * (1 + 2 * strain) ** 2.5 * (1 + last)


@pytest.mark.parametrize("form", list(EosForm))
def test_pressures_are_those_of_the_textbook(form: EosForm) -> None:
    eos = _eos(form)
    volume = np.linspace(0.6, 1.02, 50) * eos.v0_ang3
    np.testing.assert_allclose(pressure_from_volume(eos, volume), _closed_form(eos, volume), rtol=1e-10, atol=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    form=st.sampled_from(list(EosForm)),
    k0=st.floats(1.0, 500.0),
    k0_prime=st.floats(2.5, 8.0),
    pressure=st.floats(0.0, 400.0),
)
def test_volume_is_the_inverse_of_pressure(form: EosForm, k0: float, k0_prime: float, pressure: float) -> None:
    # a third-order Birch-Murnaghan curve turns back when K0' is small and the compression large
    eos = _eos(form, k0=k0, k0_prime=max(k0_prime, 4.0) if form is EosForm.BIRCH_MURNAGHAN_3 else k0_prime)
    volume = volume_from_pressure(eos, pressure)
    assert float(pressure_from_volume(eos, volume)) == pytest.approx(pressure, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(form=st.sampled_from(list(EosForm)), k0=st.floats(1.0, 500.0), k0_prime=st.floats(4.0, 8.0))
def test_volume_falls_with_pressure(form: EosForm, k0: float, k0_prime: float) -> None:
    volume = volume_from_pressure(_eos(form, k0=k0, k0_prime=k0_prime), np.linspace(0.0, 300.0, 61))
    assert np.all(np.diff(volume) < 0)
    assert volume[0] == pytest.approx(15.0, rel=1e-12)


def test_published_volumes_are_met() -> None:
    # reference sheet of the project, section 3.3
    rhenium = read_phase("Re").equation_of_state("anzellini2014")
    assert 2 * float(volume_from_pressure(rhenium, 100.0)) == pytest.approx(24.4405, abs=1e-4)
    platinum = read_phase("Pt").equation_of_state("fei2007")
    assert 4 * float(volume_from_pressure(platinum, 100.0)) == pytest.approx(48.786, abs=5e-4)
    hydrogen = read_phase("H2").equation_of_state("loubeyre1996")
    molar = volume_from_pressure(hydrogen, [100.0, 10.0]) / ANG3_PER_CM3_PER_MOL
    np.testing.assert_allclose(molar, [2.8382, 6.6368], atol=1e-4)
    per_atom = volume_from_pressure(hydrogen, [93.5, 100.0, 101.9, 105.0]) / 2
    np.testing.assert_allclose(per_atom, [2.424, 2.356, 2.338, 2.308], atol=6e-4)


def test_missing_numbers_stay_missing_and_keep_their_place() -> None:
    eos = _eos()
    pressure = pressure_from_volume(eos, [[12.0, math.nan], [-1.0, 15.0]])
    assert pressure.shape == (2, 2)
    assert np.isnan(pressure).tolist() == [[False, True], [True, False]]
    volume = volume_from_pressure(eos, [math.nan, 50.0])
    assert np.isnan(volume).tolist() == [True, False]
    assert volume_from_pressure(eos, math.nan).shape == ()
    assert volume_from_pressure(eos, []).shape == (0,)


def test_a_tension_that_no_volume_bears_has_no_volume() -> None:
    volume = volume_from_pressure(_eos(), [-1.0e4, 10.0, -1.0])
    assert np.isnan(volume).tolist() == [True, False, False]


def test_sigma_of_the_volume_is_that_of_random_parameters() -> None:
    eos = _eos()
    rng = np.random.default_rng(1)
    drawn = [
        float(
            volume_from_pressure(
                replace(
                    eos,
                    v0_ang3=rng.normal(eos.v0_ang3, eos.v0_sigma_ang3),
                    k0_gpa=rng.normal(eos.k0_gpa, eos.k0_sigma_gpa),
                    k0_prime=rng.normal(eos.k0_prime, eos.k0_prime_sigma),
                ),
                60.0,
            )
        )
        for _ in range(2000)
    ]
    assert float(volume_sigma(eos, 60.0)) == pytest.approx(np.std(drawn), rel=0.06)


def test_sigma_of_the_pressure_is_that_of_the_volume_times_the_slope() -> None:
    eos = _eos()
    pressure = np.array([20.0, 60.0])
    volume = volume_from_pressure(eos, pressure)
    slope = (pressure_from_volume(eos, volume + 1e-5) - pressure_from_volume(eos, volume - 1e-5)) / 2e-5
    np.testing.assert_allclose(pressure_sigma(eos, volume), volume_sigma(eos, pressure) * np.abs(slope), rtol=1e-4)
    both = pressure_sigma(eos, volume, volume_sigma_ang3=0.02)
    np.testing.assert_allclose(both, np.hypot(pressure_sigma(eos, volume), 0.02 * slope), rtol=1e-4)


def test_a_covariance_counts() -> None:
    eos = _eos()
    independent = ((1e-4, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 2.5e-3))
    correlated = ((1e-4, 0.0, 0.0), (0.0, 4.0, -0.095), (0.0, -0.095, 2.5e-3))
    assert float(volume_sigma(replace(eos, covariance=independent), 60.0)) == pytest.approx(
        float(volume_sigma(eos, 60.0))
    )
    assert float(volume_sigma(replace(eos, covariance=correlated), 60.0)) < float(volume_sigma(eos, 60.0))


def test_an_unpublished_error_gives_no_sigma() -> None:
    assert math.isnan(float(volume_sigma(replace(_eos(), k0_sigma_gpa=math.nan), 60.0)))


def test_pressures_outside_the_data_are_extrapolated() -> None:
    eos = _eos()
    assert is_extrapolated(eos, [0.0, 5.0, 10.0, 90.0, 90.1, -1.0, math.nan]).tolist() == [
        False, True, False, False, True, True, True,
    ]  # fmt: skip
    unknown = replace(eos, pressure_range_gpa=(math.nan, math.nan))
    assert is_extrapolated(unknown, [0.0, 1.0]).tolist() == [False, True]


def test_parameters_that_give_no_curve_are_named() -> None:
    with pytest.raises(InputError, match="give no curve"):
        pressure_from_volume(_eos(k0=-1.0), 10.0)
