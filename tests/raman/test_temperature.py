from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrostruct.errors import InputError
from hydrostruct.raman.temperature import anti_stokes_temperature


@given(temperature=st.floats(80.0, 3000.0), shift=st.floats(50.0, 1500.0))
def test_the_ratio_of_a_temperature_gives_it_back(temperature: float, shift: float) -> None:
    light = 1e7 / 532.0
    # 1 cm-1 is 1.438777 K (CODATA second radiation constant)
    ratio = ((light + shift) / (light - shift)) ** 3 * math.exp(-1.438776877 * shift / temperature)
    found, sigma = anti_stokes_temperature(ratio, shift, laser_nm=532.0, ratio_sigma=0.01 * ratio)
    assert found == pytest.approx(temperature, rel=1e-5)
    above = anti_stokes_temperature(1.001 * ratio, shift, laser_nm=532.0)[0]
    assert sigma == pytest.approx(10.0 * (above - found), rel=0.05, abs=1e-6) or math.isnan(above)


def test_a_ratio_without_a_temperature_has_none_and_a_wrong_shift_is_refused() -> None:
    assert math.isnan(anti_stokes_temperature(5.0, 164.0, laser_nm=532.0)[0])
    assert math.isnan(anti_stokes_temperature(math.nan, 164.0, laser_nm=532.0)[0])
    with pytest.raises(InputError, match="Raman shift is -164"):
        anti_stokes_temperature(0.5, -164.0, laser_nm=532.0)
