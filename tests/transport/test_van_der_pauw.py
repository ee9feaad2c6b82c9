"""Sheet resistance: published values, the equation itself, and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrostruct import sheet_resistance, sheet_resistance_sigma


@pytest.mark.parametrize(
    ("first", "second", "sheet", "factor"),
    [(1, 1, 4.532360, 1.0), (1, 2, 6.528503, 0.960280), (1, 3, 8.218791, 0.906679), (1, 10, 17.431126, 0.699259)],
)
def test_the_values_of_the_reference_sheet(first: float, second: float, sheet: float, factor: float) -> None:
    found = float(sheet_resistance(first, second))
    assert found == pytest.approx(sheet, abs=6e-7)
    assert found / (math.pi / math.log(2) * (first + second) / 2) == pytest.approx(factor, abs=6e-7)


@given(st.floats(1e-6, 1e6), st.floats(1e-4, 1.0))
def test_the_equation_holds_to_twelve_digits(larger: float, ratio: float) -> None:
    smaller = larger * ratio
    sheet = float(sheet_resistance(larger, smaller))
    assert math.exp(-math.pi * larger / sheet) + math.exp(-math.pi * smaller / sheet) == pytest.approx(1.0, abs=1e-12)
    assert sheet == pytest.approx(float(sheet_resistance(smaller, larger)), rel=1e-12)


def test_a_negative_or_missing_resistance_has_no_sheet_resistance() -> None:
    assert np.isnan(sheet_resistance([-0.1, 0.0, math.nan, 1.0], [1.0, 1.0, 1.0, math.nan])).all()


def test_the_sigma_is_what_a_thousand_draws_scatter() -> None:
    random = np.random.default_rng(4)
    draws = sheet_resistance(random.normal(2.0, 0.02, 4000), random.normal(5.0, 0.05, 4000))
    sigma = float(sheet_resistance_sigma(2.0, 5.0, first_sigma_ohm=0.02, second_sigma_ohm=0.05))
    assert np.std(draws) == pytest.approx(sigma, rel=0.06)
