"""Pressure at the temperature of a measurement."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hydrostruct as hs


def test_at_room_temperature_nothing_changes() -> None:
    warm = hs.cold_pressure(93.5, 300.0, pressure_sigma_gpa=0.3)
    assert warm.pressure_gpa == pytest.approx(93.5)
    assert warm.pressure_sigma_gpa == pytest.approx(0.3)
    assert warm.shift_sigma_gpa == pytest.approx(0.0, abs=1e-12)


def test_the_default_is_an_allowance_that_says_so() -> None:
    cold = hs.cold_pressure(100.0, 0.0)
    assert cold.pressure_gpa == 100.0
    assert cold.pressure_sigma_gpa == pytest.approx(3.0)
    assert "memory-low" in cold.source
    assert "allowance" in cold.source


@given(first=st.floats(0.0, 320.0), second=st.floats(0.0, 320.0))
def test_the_shift_grows_as_it_gets_colder(first: float, second: float) -> None:
    low, high = sorted((first, second))
    ways = [hs.cold_pressure(95.0, t, shift_gpa=2.0, shift_sigma_gpa=0.5).shift_gpa for t in (low, high)]
    assert ways[0] >= ways[1] - 1e-12
    assert ways[0] <= 2.0 + 1e-12


def test_a_shift_of_ones_own_is_added_and_its_sigma_carried() -> None:
    cold = hs.cold_pressure(93.5, 2.0, pressure_sigma_gpa=0.3, shift_gpa=1.3, shift_sigma_gpa=0.4)
    assert cold.pressure_gpa == pytest.approx(94.8, abs=1e-3)
    assert cold.pressure_sigma_gpa == pytest.approx(0.5, abs=1e-3)
    assert "own" in cold.source
    # the slow twin: Einstein's heat, integrated over temperature
    steps = 20_000
    heat = [0.0, 0.0]
    for k in range(1, steps):
        t = 300.0 * k / steps
        u = 260.0 / t
        capacity = u * u * math.exp(-u) / (1.0 - math.exp(-u)) ** 2
        heat[0] += capacity
        heat[1] += capacity if t > 98.0 else 0.0
    assert hs.cold_pressure(90.0, 98.0, shift_gpa=1.0).shift_gpa == pytest.approx(heat[1] / heat[0], abs=1e-3)


def test_nan_stays_nan_and_nonsense_is_refused() -> None:
    assert math.isnan(hs.cold_pressure(math.nan, 100.0).pressure_gpa)
    for keys in ({"temperature_k": 400.0}, {"temperature_k": -1.0}, {"temperature_k": 9.0, "shift_sigma_gpa": -1.0},
                 {"temperature_k": 9.0, "shift_gpa": math.nan}):  # fmt: skip
        with pytest.raises(hs.InputError, match="Expected"):
            hs.cold_pressure(95.0, **keys)  # type: ignore[arg-type]
    with pytest.raises(hs.InputError, match="pressure is 900"):
        hs.cold_pressure(900.0, 9.0)
