"""The diamond edge: measured spectra, simulated truth, hints, ambiguity and absence."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from edge_simulator import edge_of_pressure, simulate_edge
from hypothesis import given, settings
from hypothesis import strategies as st

import hydrostruct as hs
from hydrostruct.raman.step import fit_step, step_curve


def spectrum(made: object) -> hs.Spectrum:
    return hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts)  # type: ignore[attr-defined]


@pytest.mark.parametrize("pressure", [17.2, 59.2])
def test_the_measured_anvils_give_the_pressure_of_their_names_without_a_hint(
    shared_data: Path, pressure: float
) -> None:
    edge = hs.find_edge(hs.read_spectrum(shared_data / "raman" / f"diamond_edge_{pressure}GPa.txt"))
    assert edge.verdict == "converged"
    strain = edge.edge_cm1 / 1334.0 - 1.0
    assert abs(547.0 * strain * (1 + 1.375 * strain) - pressure) < 1.5
    assert edge.edge_sigma_cm1 < 1.0
    # what the steepest slope of the whole spectrum would say is listed as the flank that it is
    assert [one.kind for one in edge.candidates][-1] == "band"
    assert edge.candidates[-1].edge_cm1 == pytest.approx(1358.0, abs=2.0)


def test_a_seeded_tenth_of_the_simulated_edges_is_right() -> None:
    random = np.random.default_rng(20261122)
    errors, pulls = [], []
    for _ in range(30):
        made = simulate_edge(random)
        edge = hs.find_edge(spectrum(made))
        errors.append(edge.edge_cm1 - made.edge_cm1)
        pulls.append(errors[-1] / edge.edge_sigma_cm1)
    right = np.abs(errors) < 6.0
    assert np.count_nonzero(right) >= 28
    assert abs(float(np.median(np.array(errors)[right]))) < 0.3
    assert 0.55 < float(np.std(np.array(pulls)[right], ddof=1)) < 1.5


def test_no_edge_is_found_where_none_was_simulated() -> None:
    random = np.random.default_rng(3)
    found = [hs.find_edge(spectrum(simulate_edge(random, contrast=0.0))) for _ in range(20)]
    assert sum(edge.verdict == "absent" for edge in found) >= 18
    assert not any(edge.verdict == "converged" for edge in found)
    for edge in found:
        if edge.verdict == "absent":
            assert math.isnan(edge.edge_cm1)
            assert math.isnan(edge.edge_sigma_cm1)
            assert "No step" in edge.reason


def test_two_steps_of_which_the_higher_is_feeble_are_ambiguous() -> None:
    made = simulate_edge(np.random.default_rng(8), pressure_gpa=80.0, contrast=0.4)
    x = made.shift_cm1
    height = 0.022 * float(np.ptp(made.counts))
    second = height * 0.5 * (1 - np.tanh((x - 1600.0) / 4.0))
    edge = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=made.counts + second))
    assert edge.verdict == "ambiguous"
    assert edge.ambiguous
    places = [one.edge_cm1 for one in edge.candidates]
    assert any(abs(place - made.edge_cm1) < 2 for place in places)
    assert any(abs(place - 1600.0) < 4 for place in places)
    hinted = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=made.counts + second), near_cm1=made.edge_cm1 + 8.0)
    assert hinted.verdict == "converged"
    assert abs(hinted.edge_cm1 - made.edge_cm1) < 2
    ranged = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=made.counts + second), range_cm1=(1450.0, 1560.0))
    assert abs(ranged.edge_cm1 - made.edge_cm1) < 2


def test_a_hint_far_from_every_step_finds_none() -> None:
    made = simulate_edge(np.random.default_rng(9), pressure_gpa=80.0, contrast=0.4)
    edge = hs.find_edge(spectrum(made), near_cm1=1700.0)
    assert edge.verdict == "absent"
    assert "within 25" in edge.reason


def test_a_line_above_the_edge_is_not_taken_for_it() -> None:
    made = simulate_edge(np.random.default_rng(10), pressure_gpa=90.0, contrast=0.3)
    bump = 0.2 * float(np.ptp(made.counts)) * np.exp(-(((made.shift_cm1 - 1620.0) / 8.0) ** 2))
    edge = hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts + bump))
    assert abs(edge.edge_cm1 - made.edge_cm1) < 2
    assert "line" in [one.kind for one in edge.candidates if one.edge_cm1 > 1610]


def test_points_without_a_number_and_turned_axes_do_not_matter() -> None:
    made = simulate_edge(np.random.default_rng(11), pressure_gpa=100.0, contrast=0.4)
    counts = made.counts.copy()
    counts[100:110] = np.nan
    edge = hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=counts))
    assert abs(edge.edge_cm1 - made.edge_cm1) < 2
    assert not edge.used[100:110].any()


@given(scale=st.floats(1e-6, 1e6), offset=st.floats(-1e3, 1e3))
@settings(max_examples=15, deadline=None)
def test_the_edge_does_not_depend_on_the_unit_of_intensity(scale: float, offset: float) -> None:
    made = simulate_edge(np.random.default_rng(12), pressure_gpa=100.0, contrast=0.4)
    plain = hs.find_edge(spectrum(made))
    scaled = hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=scale * (made.counts + offset)))
    assert scaled.edge_cm1 == pytest.approx(plain.edge_cm1, abs=0.02)
    assert scaled.edge_sigma_cm1 == pytest.approx(plain.edge_sigma_cm1, rel=0.02)


def test_the_step_is_met_exactly_without_noise_whatever_its_slopes() -> None:
    x = np.linspace(1470.0, 1530.0, 60)
    for left, right in ((0.0, 0.0), (-3.0, 0.5), (2.0, -1.0)):
        p = np.array([1500.0, math.log(4.0), 100.0, 200.0, left, right])
        fine = np.linspace(1490.0, 1510.0, 200_001)
        truth = fine[np.argmin(np.gradient(step_curve(fine, p), fine))]
        found = fit_step(x, step_curve(x, p), sigma=np.ones_like(x), start_cm1=1498.0)
        assert found.position_cm1 == pytest.approx(truth, abs=1e-3)
        assert found.height == pytest.approx(200.0, rel=1e-3)


def test_pulls_of_the_step_itself_have_spread_one_when_the_slopes_differ() -> None:
    random = np.random.default_rng(13)
    x = np.linspace(1470.0, 1530.0, 55)

    def curve(axis: np.ndarray) -> np.ndarray:
        share = 0.5 * (1 - np.tanh((axis - 1500.0) / 5.0))
        return 500.0 + 300.0 * share + (-2.0 * share + 0.3 * (1 - share)) * (axis - 1500.0)

    fine = np.linspace(1490.0, 1510.0, 20_001)
    truth = fine[np.argmin(np.gradient(curve(fine), fine))]
    pulls = []
    for _ in range(150):
        y = curve(x) + random.normal(0, 12.0, x.size)
        found = fit_step(x, y, sigma=np.full(x.size, 12.0), start_cm1=1501.0)
        pulls.append((found.position_cm1 - truth) / found.position_sigma_cm1)
    assert abs(np.mean(pulls)) < 0.35
    assert 0.75 < np.std(pulls, ddof=1) < 1.25


def test_wrong_hints_and_short_spectra_are_refused() -> None:
    made = simulate_edge(np.random.default_rng(14))
    with pytest.raises(hs.InputError, match="near 95"):
        hs.find_edge(spectrum(made), near_cm1=95.0)
    with pytest.raises(hs.InputError, match="two rising"):
        hs.find_edge(spectrum(made), range_cm1=(1600.0, 1400.0))
    with pytest.raises(hs.InputError, match="10 points"):
        hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1[:10], intensity=made.counts[:10]))


def test_flat_and_empty_spectra_have_no_edge() -> None:
    x = np.linspace(1000.0, 1900.0, 900)
    for counts in (np.zeros_like(x), np.full_like(x, 7.0), x - 1000.0):
        assert hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=counts)).verdict == "absent"


def test_the_simulator_puts_the_edge_where_its_pressure_says() -> None:
    made = simulate_edge(np.random.default_rng(15), pressure_gpa=93.5)
    assert edge_of_pressure(93.5) == pytest.approx(1524.5848, abs=1e-3)
    assert abs(made.edge_cm1 - made.end_cm1) < 4.0


def test_a_step_that_noise_lets_shrink_between_two_points_keeps_a_place() -> None:
    random = np.random.default_rng(31)
    x = np.linspace(1480.0, 1520.0, 45)
    pulls = []
    for _ in range(120):
        y = 100.0 + 30.0 * (x < 1500.3) + random.normal(0, 6.0, x.size)
        found = fit_step(x, y, sigma=np.full(x.size, 6.0), start_cm1=1500.0)
        assert found.verdict == "converged"
        pulls.append((found.position_cm1 - 1500.3) / found.position_sigma_cm1)
    assert np.std(pulls, ddof=1) < 1.3
    assert abs(np.median(pulls)) < 1.0


def test_below_15_gpa_there_is_the_true_edge_or_a_word_of_the_flank() -> None:
    random = np.random.default_rng(32)
    for _ in range(25):
        made = simulate_edge(random, pressure_gpa=random.uniform(2.0, 15.0))
        edge = hs.find_edge(spectrum(made))
        if edge.verdict == "converged":
            assert abs(edge.edge_cm1 - made.end_cm1) < 4.0
        else:
            assert edge.ambiguous or "flank of the first-order band" in edge.reason


def test_a_feeble_step_above_a_surer_one_is_ambiguous() -> None:
    random = np.random.default_rng(33)
    made = simulate_edge(random, pressure_gpa=80.0, contrast=0.4)
    x, thin = made.shift_cm1, made.counts / 60.0
    feeble = 0
    for share in (0.03, 0.04, 0.05, 0.06, 0.08):
        second = share * float(np.ptp(thin)) * 0.5 * (1 - np.tanh((x - 1650.0) / 3.0))
        edge = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=random.poisson(thin + second).astype(float)))
        mine = next((one for one in edge.candidates if one.edge_cm1 == edge.edge_cm1), None)
        if mine is not None and mine.edge_cm1 > 1600 and mine.significance < 14:
            feeble += 1
            assert edge.ambiguous
    assert feeble
