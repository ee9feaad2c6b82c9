from __future__ import annotations

import csv
import itertools
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from btk_brute_force import closed_form, coherence, smeared
from hypothesis import given, settings
from scipy.integrate import quad

import hydrostruct as hs
from hydrostruct.andreev.conductance import (
    andreev_conductance,
    conductance_rows,
    d_wave_conductance,
    effective_barrier,
    two_gap_conductance,
)


def test_the_reference_table_is_met_to_1e8(shared_data: Path) -> None:
    lines = (shared_data.parent / "reference" / "btk_reference.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == 144
    for row in rows:
        found = andreev_conductance(
            float(row["bias_mv"]),
            gap_mev=float(row["delta_mev"]),
            broadening_mev=float(row["gamma_mev"]),
            barrier=float(row["z"]),
            temperature_k=float(row["temperature_k"]),
        )
        assert float(found) == pytest.approx(float(row["conductance"]), abs=1e-8), row


# the values of Blonder, Tinkham and Klapwijk's formulas at no temperature, 10.1103/PhysRevB.25.4515
@pytest.mark.parametrize(
    ("barrier", "expected"),
    [
        (0.0, (2.0, 2.0, 2.0, 1.145898)),
        (0.2, (1.783265, 1.849218, 2.08, 1.152364)),
        (0.3, (1.565642, 1.684308, 2.18, 1.159871)),
        (0.5, (1.111111, 1.290323, 2.5, 1.180340)),
        (0.7, (0.760127, 0.934081, 2.98, 1.203649)),
        (1.0, (0.444444, 0.571429, 4.0, 1.236068)),
        (5.0, (0.019992, 0.026653, 52.0, 1.332883)),
    ],
)
def test_published_values_at_no_temperature(barrier: float, expected: tuple[float, ...]) -> None:
    found = andreev_conductance([0.0, 0.5, 1.0, 1.5], gap_mev=1.0, barrier=barrier)
    np.testing.assert_allclose(found, expected, atol=6e-7)


@pytest.mark.parametrize("barrier", [0.0, 0.3, 1.0, 5.0])
def test_the_closed_forms_are_met_to_1e8_on_both_sides_of_the_edge(barrier: float) -> None:
    bias = np.concatenate([np.linspace(-3, 3, 241), 1 + np.array([-1e-9, 1e-9, -1e-5, 1e-5])])
    found = andreev_conductance(bias, gap_mev=1.0, barrier=barrier)
    np.testing.assert_allclose(found, closed_form(bias, 1.0, barrier), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("temperature", [0.05, 1.0, 5.0, 40.0])
@pytest.mark.parametrize("barrier", [0.0, 0.4, 3.0])
def test_smeared_closed_forms_are_met_across_the_kinks(barrier: float, temperature: float) -> None:
    bias = np.array([0.0, 0.3, 0.9, 1.0, 1.1, 2.0, 4.0])
    thermal = 0.08617333262145 * temperature

    def of(v: float) -> float:
        def part(low: float, high: float, edge: float, sign: float) -> float:
            # E = edge ± t² takes the square root of the edge away
            top = np.sqrt(max(high - low, 0.0))

            def inner(t: float) -> float:
                e = edge + sign * t * t
                w = 1 / (4 * thermal * np.cosh(min(abs(e - v) / (2 * thermal), 300)) ** 2)
                return 2 * t * float(closed_form(np.array([e]), 1.0, barrier)[0]) * w

            cuts = sorted({0.0, top, *(np.sqrt(abs(x - edge)) for x in (v, v - 5 * thermal, v + 5 * thermal))})
            cuts = [c for c in cuts if 0 <= c <= top]
            return sum(quad(inner, a, b, epsabs=1e-12, epsrel=1e-11, limit=200)[0] for a, b in itertools.pairwise(cuts))

        reach = max(4.0, v) + 40 * thermal
        return part(1, reach, 1, 1) + part(0, 1, 1, -1) + part(0, 1, -1, 1) + part(1, reach, -1, -1)

    found = andreev_conductance(bias, gap_mev=1.0, barrier=barrier, temperature_k=temperature)
    np.testing.assert_allclose(found, [of(v) for v in bias], atol=1e-8, rtol=1e-8)


@given(
    gap=st.floats(0.2, 40.0),
    ratio=st.floats(0.0, 1.5),
    z=st.floats(0.0, 6.0),
    temperature=st.floats(0.3, 120.0),
)
@settings(max_examples=40, deadline=None)
def test_the_fast_kernel_equals_its_slow_twin(gap: float, ratio: float, z: float, temperature: float) -> None:
    ratio = 0.0 if ratio < 1e-9 else ratio
    bias = gap * np.array([-2.7, -1.0, 0.0, 0.4, 0.99, 1.02, 1.6, 5.0])
    found = andreev_conductance(bias, gap_mev=gap, broadening_mev=ratio * gap, barrier=z, temperature_k=temperature)
    slow = smeared(bias, gap, ratio * gap, z, temperature, panels=60)
    np.testing.assert_allclose(found, slow, atol=2e-9, rtol=2e-9)


def test_a_high_barrier_gives_the_dynes_density_of_states() -> None:
    bias = np.linspace(-4, 4, 81)
    for broadening in (0.02, 0.3):
        energy = bias + 1j * broadening
        dynes = np.abs((energy / np.sqrt(energy**2 - 1.0)).real)
        found = andreev_conductance(bias, gap_mev=1.0, broadening_mev=broadening, barrier=1e5)
        np.testing.assert_allclose(found, dynes, rtol=2e-8)


def test_the_broadening_keeps_its_imaginary_part() -> None:
    # programs that drop it give 2 at zero bias whatever the broadening
    found = andreev_conductance(0.0, gap_mev=21.04, broadening_mev=5.0)
    assert float(found) == pytest.approx(1.6244, abs=5e-5)
    assert float(found) == pytest.approx(float(coherence(np.array([0.0]), 21.04, 5.0, 0.0)[0]), abs=1e-12)


def test_zero_bias_is_normal_at_the_known_barrier() -> None:
    assert float(andreev_conductance(0.0, gap_mev=1.0, barrier=0.55589)) == pytest.approx(1.0, abs=1e-5)


@given(z=st.floats(0.0, 3.0), broadening=st.floats(0.0, 2.0), temperature=st.floats(0.0, 50.0))
@settings(max_examples=30, deadline=None)
def test_the_curve_is_even_positive_and_one_far_out(z: float, broadening: float, temperature: float) -> None:
    bias = np.linspace(-30.0, 30.0, 61)
    found = andreev_conductance(bias, gap_mev=3.0, broadening_mev=broadening, barrier=z, temperature_k=temperature)
    np.testing.assert_allclose(found, found[::-1], rtol=1e-9)
    assert np.all(found > 0)
    far = andreev_conductance(1e4, gap_mev=3.0, broadening_mev=broadening, barrier=z, temperature_k=temperature)
    assert float(far) == pytest.approx(1.0, abs=1e-6)


def test_smearing_keeps_the_excess_current() -> None:
    # ∫(σ − 1)dV does not change with temperature; at Z = 0 it is 2·4/3 gaps
    bias = np.linspace(-600, 600, 60001)
    tails = 2 / (4 * 600)  # beyond 600 gaps σ − 1 = Δ²/4E²
    for temperature in (3.0, 20.0):
        curve = andreev_conductance(bias, gap_mev=1.0, temperature_k=temperature)
        assert np.trapezoid(curve - 1.0, bias) + tails == pytest.approx(8 / 3, abs=1e-7)


def test_weight_velocity_and_two_gaps() -> None:
    bias = np.linspace(-5, 5, 11)
    whole = andreev_conductance(bias, gap_mev=1.0, barrier=0.5, temperature_k=1.0)
    half = andreev_conductance(bias, gap_mev=1.0, barrier=0.5, temperature_k=1.0, weight=0.4)
    np.testing.assert_allclose(half, 0.6 + 0.4 * whole)
    assert effective_barrier(0.3, velocity_ratio=2.0) == pytest.approx(np.sqrt(0.09 + 1 / 8))
    assert effective_barrier(0.3, velocity_ratio=0.5) == pytest.approx(effective_barrier(0.3, velocity_ratio=2.0))
    mismatch = andreev_conductance(bias, gap_mev=1.0, velocity_ratio=2.0)
    np.testing.assert_allclose(mismatch, andreev_conductance(bias, gap_mev=1.0, barrier=np.sqrt(1 / 8)))
    two = two_gap_conductance(bias, gaps_mev=(1.0, 3.0), barriers=(0.5, 0.2), share=0.25, temperature_k=1.0)
    other = andreev_conductance(bias, gap_mev=3.0, barrier=0.2, temperature_k=1.0)
    np.testing.assert_allclose(two, 0.25 * whole + 0.75 * other)


def test_d_wave_is_the_mean_over_angles() -> None:
    bias = np.array([0.0, 3.0, 9.0, 10.0, 14.0])
    found = d_wave_conductance(bias, gap_mev=10.0, broadening_mev=1.0, barrier=0.4, temperature_k=0.0)
    slow = [
        quad(lambda t, v=v: float(coherence(np.array([v]), 10 * abs(np.cos(2 * t)), 1.0, 0.4)[0]), 0, np.pi / 4)[0]
        * 4
        / np.pi
        for v in bias
    ]
    np.testing.assert_allclose(found, slow, atol=1e-6)


def test_derivatives_are_those_of_the_values() -> None:
    bias = np.linspace(-60, 60, 41)
    at = {"gap_mev": 21.0, "broadening_mev": 3.0, "barrier2": 0.2}
    for temperature in (0.0, 2.0, 60.0):
        rows = conductance_rows(bias, temperature_k=temperature, **at)
        for index, name in enumerate(at, 1):
            up, down = ({**at, name: at[name] + step} for step in (1e-4, -1e-4))
            slope = conductance_rows(bias, temperature_k=temperature, rows=1, **up)[0]
            slope = (slope - conductance_rows(bias, temperature_k=temperature, rows=1, **down)[0]) / 2e-4
            np.testing.assert_allclose(rows[index], slope, atol=2e-6)


def test_shapes_are_kept_and_nan_stays_nan() -> None:
    bias = np.array([[0.0, np.nan], [1.0, -1.0]])
    found = hs.andreev_conductance(bias, gap_mev=1.0, temperature_k=1.0)
    assert found.shape == (2, 2)
    assert np.isnan(found[0, 1])
    assert np.isfinite(found).sum() == 3
    assert np.isnan(hs.andreev_conductance([1.0], gap_mev=float("nan"))).all()
    assert np.all(hs.andreev_conductance([0.0, 1.0], gap_mev=0.0, temperature_k=1.0) == 1.0)
    assert hs.andreev_conductance([], gap_mev=1.0, temperature_k=1.0).shape == (0,)


def test_the_coldest_and_the_hottest_are_finite() -> None:
    bias = np.linspace(-90, 90, 361)
    for temperature in (1e-12, 1e-3, 1e6):
        found = andreev_conductance(bias, gap_mev=21.0, broadening_mev=1e-9, barrier=0.3, temperature_k=temperature)
        assert np.all(np.isfinite(found))


@pytest.mark.parametrize(
    "wrong",
    [{"gap_mev": -1.0}, {"broadening_mev": -0.1}, {"barrier": -0.1}, {"temperature_k": -2.0}, {"weight": 1.2},
     {"velocity_ratio": 0.0}, {"temperature_k": float("inf")}],
)  # fmt: skip
def test_a_parameter_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(hs.InputError, match=next(iter(wrong))):
        andreev_conductance([0.0], **{"gap_mev": 1.0, **wrong})
