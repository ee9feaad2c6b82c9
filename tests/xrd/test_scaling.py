"""A pattern scaled, or less a background: values, sigmas, and what cannot be meant."""

from __future__ import annotations

import numpy as np
import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.scaling import scaled_pattern, without_background


def pattern(low: float, high: float, level: float, wavelength: float = 0.5) -> Pattern:
    x = np.linspace(low, high, 201)
    return Pattern(two_theta_deg=x, intensity=level * x, sigma=np.full(201, level), wavelength_ang=wavelength, name="p")


def test_a_background_is_taken_off_with_its_sigma() -> None:
    found = without_background(pattern(5, 15, 3.0), pattern(4, 12, 1.0))
    inside = found.two_theta_deg < 12
    np.testing.assert_allclose(found.intensity[inside], 2 * found.two_theta_deg[inside])
    assert np.isnan(found.intensity[~inside & (found.two_theta_deg > 12.01)]).all()
    np.testing.assert_allclose(found.sigma[inside], np.sqrt(10.0))


def test_a_background_of_another_beam_or_range_is_refused() -> None:
    with pytest.raises(InputError, match="wavelength"):
        without_background(pattern(5, 15, 3.0), pattern(5, 15, 1.0, wavelength=0.4))
    with pytest.raises(InputError, match="overlap"):
        without_background(pattern(5, 15, 3.0), pattern(16, 20, 1.0))


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_factor_that_is_no_scale_is_refused(factor: float) -> None:
    with pytest.raises(InputError, match="above 0"):
        scaled_pattern(pattern(5, 15, 1.0), factor)
