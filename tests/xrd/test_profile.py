from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from hydrostruct.errors import InputError
from hydrostruct.xrd import kernels
from hydrostruct.xrd.profile import WIDTH_NAMES, Widths, combined_width, line_widths, pseudo_voigt, width_array

REACH = 25.0
BEAM = np.array([0.6199, 1.0, 0.0, 0.0])
POSITIVE = st.floats(1e-4, 2.0)


def test_the_width_formula_has_its_published_values() -> None:
    """Thompson, Cox and Hastings, 10.1107/S0021889887087090; a copy with + for × in one term fails the third."""
    width, mixing = combined_width([1.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    np.testing.assert_allclose(width, [1.0, 1.0, 11.67117**0.2], rtol=1e-12)
    np.testing.assert_allclose(width[2], 1.63464, atol=5e-6)
    np.testing.assert_allclose(mixing, [0.0, 1.0, 0.68254], atol=1e-5)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_widths_scale_and_mixing_does_not(gauss: float, lorentz: float, factor: float) -> None:
    width, mixing = combined_width(gauss, lorentz)
    scaled, same = combined_width(factor * gauss, factor * lorentz)
    np.testing.assert_allclose(scaled, factor * width, rtol=1e-9)
    np.testing.assert_allclose(same, mixing, rtol=1e-9)


@given(POSITIVE, POSITIVE)
def test_the_whole_is_wider_than_each_part_and_narrower_than_their_sum(gauss: float, lorentz: float) -> None:
    width, mixing = combined_width(gauss, lorentz)
    assert max(gauss, lorentz) * (1 - 1e-12) <= width <= (gauss + lorentz) * (1 + 1e-12)
    assert 0 <= mixing <= 1


@pytest.mark.parametrize("mixing", [0.0, 0.3, 1.0])
def test_a_line_has_unit_area_and_its_width(mixing: float) -> None:
    area = 2 * integrate.quad(lambda x: float(pseudo_voigt(x, 0.08, mixing)), 0, np.inf)[0]
    assert area == pytest.approx(1.0, abs=1e-8)
    assert pseudo_voigt(0.04, 0.08, mixing) / pseudo_voigt(0.0, 0.08, mixing) == pytest.approx(0.5)


def test_the_pseudo_voigt_is_close_to_the_convolution_it_stands_for() -> None:
    from scipy.special import voigt_profile

    gauss, lorentz = 0.06, 0.03
    x = np.linspace(-0.5, 0.5, 1001)
    true = voigt_profile(x, gauss / 2.354820045, lorentz / 2)
    assert np.max(np.abs(pseudo_voigt(x, *combined_width(gauss, lorentz)) - true)) < 0.012 * true.max()


def test_size_goes_with_the_secant_and_strain_with_the_tangent() -> None:
    at = np.array([10.0, 60.0])
    size, _ = line_widths(at, Widths(size_deg=0.1))
    strain, _ = line_widths(at, Widths(strain_deg=0.1))
    gauss, mixing = line_widths(at, Widths(u_deg2=0.3, v_deg2=-0.02, w_deg2=0.04, p_deg2=0.01))
    theta = np.radians(at / 2)
    np.testing.assert_allclose(size, 0.1 / np.cos(theta))
    np.testing.assert_allclose(strain, 0.1 * np.tan(theta))
    square = 0.3 * np.tan(theta) ** 2 - 0.02 * np.tan(theta) + 0.04 + 0.01 / np.cos(theta) ** 2
    np.testing.assert_allclose(gauss, np.sqrt(square))
    np.testing.assert_array_equal(mixing, 0.0)


def test_a_negative_square_of_a_width_is_refused() -> None:
    with pytest.raises(InputError, match="Expected a square above 0"):
        line_widths([10.0], Widths(v_deg2=-1.0))


def test_the_terms_stand_in_the_order_of_their_names() -> None:
    widths = Widths(u_deg2=1, v_deg2=2, w_deg2=3, p_deg2=4, size_deg=5, strain_deg=6)
    np.testing.assert_array_equal(width_array(widths), [1, 2, 3, 4, 5, 6])
    assert WIDTH_NAMES == ("u", "v", "w", "p", "size", "strain")


# --- the compiled loops against the plain functions and against differences

TERMS = np.array([
    [1.0, 0.0, 0, 0, 0, 0, 0, 0, 0], [3.0, 4.0, 0, 0, 0, 0, 0.4, 0.1, 0.2], [7.0, 1.0, 0, 0, 0, 0, 0.05, -0.1, 0.9]
])  # fmt: skip
BEAM = np.array([0.6199, 1.0, 0.0, 0.0])  # one wavelength, no axial divergence
PHASE_OF = np.zeros(3, dtype=np.int64)
SLOTS = np.array([0.1, 0.034, 0, 0, 0, 0, 0.02, -0.001, 0.004, 0.0003, 0.03, 0.05, 0.05, 0, 0, 0, 0, 0.013, 0.002])


def state(slots: np.ndarray, *, reflects: bool = False) -> tuple[np.ndarray, ...]:
    sizes = (kernels.CENTER_SLOPES, kernels.WIDTH_SLOPES, kernels.WIDTH_SLOPES)
    out = (np.zeros(3), np.zeros(3), np.zeros(3), *(np.zeros((3, size)) for size in sizes))
    kernels.line_state(slots, 0.6199, PHASE_OF, TERMS, *out, reflects)
    return out


def differences(slot: int, step: float, *, reflects: bool = False) -> list[np.ndarray]:
    ends = []
    for sign in (1, -1):
        moved = SLOTS.copy()
        moved[slot] += sign * step
        ends.append(state(moved, reflects=reflects)[:3])
    return [(high - low) / (2 * step) for high, low in zip(*ends, strict=True)]


def test_compiled_positions_and_widths_are_those_of_the_plain_functions() -> None:
    centers, gammas, etas, *_ = state(SLOTS)
    bragg = 2 * np.arcsin(0.6199 / 2 * np.sqrt(TERMS[:, :2] @ SLOTS[:2]))
    np.testing.assert_allclose(centers, np.degrees(bragg + 0.5 * 0.002 * np.sin(2 * bragg)) + 0.013, rtol=1e-12)
    width, mixing = line_widths(
        np.degrees(bragg), Widths(**dict(zip(Widths.__dataclass_fields__, SLOTS[6:12], strict=True)))
    )
    np.testing.assert_allclose(gammas, width, rtol=1e-12)
    np.testing.assert_allclose(etas, mixing, rtol=1e-12)


@pytest.mark.parametrize("reflects", [False, True])
@pytest.mark.parametrize("column", range(10))
def test_slopes_of_positions_are_the_differences(column: int, reflects: bool) -> None:
    slot = (0, 1, 2, 3, 4, 5, 17, 18, 15, 16)[column]
    expected, _, _ = differences(slot, 1e-7, reflects=reflects)
    np.testing.assert_allclose(state(SLOTS, reflects=reflects)[3][:, column], expected, rtol=1e-6, atol=1e-6)


def test_a_specimen_below_the_axis_moves_lines_to_lower_angles_by_the_cosine() -> None:
    bragg = np.arcsin(0.6199 / 2 * np.sqrt(TERMS[:, :2] @ SLOTS[:2]))
    moved = np.degrees(2 * bragg - 2 * 0.002 * np.cos(bragg)) + 0.013
    np.testing.assert_allclose(state(SLOTS, reflects=True)[0], moved, rtol=1e-12)


@pytest.mark.parametrize("column", range(7))
def test_slopes_of_widths_and_mixing_are_the_differences(column: int) -> None:
    _, by_width, by_mixing = differences(6 + column, 1e-7)
    np.testing.assert_allclose(state(SLOTS)[4][:, column], by_width, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(state(SLOTS)[5][:, column], by_mixing, rtol=1e-6, atol=1e-8)


def test_an_angle_that_reflects_nowhere_has_no_position() -> None:
    slots = SLOTS.copy()
    slots[:2] = 20.0
    assert np.isnan(state(slots)[0]).all()


def profiles(center: float, gamma: float, eta: float) -> tuple[np.ndarray, ...]:
    x = np.linspace(10.0, 14.0, 801)
    start, stop = np.array([0]), np.array([x.size])
    out = tuple(np.zeros(x.size) for _ in range(4))
    chosen, offsets = np.array([0]), np.array([0, x.size])
    kernels.fill_profiles(
        x, chosen, np.array([center]), np.array([gamma]), np.array([eta]), REACH, BEAM, start, stop, offsets, *out
    )
    return (x, *out)


def test_a_compiled_line_is_the_plain_one_lowered_to_nothing_at_the_end_of_its_window() -> None:
    x, shape, *_ = profiles(12.003, 0.08, 0.4)
    lowered = 0.4 * 2 / np.pi / 0.08 / (1 + 4 * REACH**2)
    np.testing.assert_allclose(shape, pseudo_voigt(x - 12.003, 0.08, 0.4) - lowered, atol=1e-11)
    assert profiles(12.0, 0.08, 1.0)[1][[0, -1]] == pytest.approx([0.0, 0.0], abs=1e-12)  # 25 widths away


@pytest.mark.parametrize(("index", "step"), [(0, 1e-6), (1, 1e-6), (2, 1e-6)])
def test_slopes_of_a_line_are_the_differences(index: int, step: float) -> None:
    middle = [12.003, 0.08, 0.4]
    high, low = list(middle), list(middle)
    high[index] += step
    low[index] -= step
    expected = (profiles(*high)[1] - profiles(*low)[1]) / (2 * step)
    found = profiles(*middle)[2 + index]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6 * np.max(np.abs(expected)))
