"""R(T) to Tc, on simulated curves of another shape than any model, and on curves that are hard."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transport_simulator as simulate

import hydrostruct as hs
from hydrostruct.transport.normal_state import bloch_gruneisen
from hydrostruct.transport.sweeps import split_sweeps


def found(temperature: Any, resistance: Any, **more: Any) -> hs.TcFit:
    return hs.find_tc(hs.ResistanceCurve(temperature_k=temperature, resistance_ohm=resistance, **more))


def logistic(t: Any, centre: float, width: float) -> Any:
    return 1.0 / (1.0 + np.exp(-(t - centre) / width))


def test_two_straight_lines_meet_where_they_were_drawn() -> None:
    t = np.linspace(80.0, 140.0, 3001)
    normal = 0.5 + 0.004 * t
    ramp = normal[np.searchsorted(t, 98.0)] * (t - 97.0)
    fit = found(t, np.clip(ramp, 0.0, normal))
    assert fit.verdict == "converged"
    assert fit.tc_k == pytest.approx(98.0, abs=0.01)
    assert fit.onset_k == pytest.approx(98.0, abs=0.2)
    assert fit.zero_k == pytest.approx(97.0, abs=0.2)
    assert fit.t50_k == pytest.approx(97.5, abs=0.01)
    assert fit.t90_k > fit.t50_k > fit.t10_k > fit.zero_k


def test_pulls_of_tc_are_those_of_a_true_sigma() -> None:
    random = np.random.default_rng(20261122)
    pulls, by_noise = [], []
    for _ in range(100):
        sample = simulate.draw_sheet(random)
        fit = found(*simulate.measured(random, sample, noise=0.005, points=2500, offset=-0.03))
        true = simulate.true_tc(sample)
        assert len(fit.steps) == 1
        pulls.append((fit.tc_k - random.choice(true)) / fit.tc_sigma_k)
        by_noise.append((fit.tc_k - true.mean()) / fit.steps[0].tc_statistical_k)
    # 3.3 standard errors of a spread of 100 draws: 0.23
    assert 0.77 < np.std(pulls) < 1.25
    assert abs(np.mean(pulls)) < 0.4
    assert 0.7 < np.std(by_noise) < 1.3


def test_both_transitions_are_found_each_with_its_part() -> None:
    random = np.random.default_rng(3)
    for _ in range(10):
        sample = simulate.draw_sheet(random, steps=2)
        fit = found(*simulate.measured(random, sample, noise=0.002, points=2000, low=60.0))
        assert len(fit.steps) == 2
        assert fit.tc_k == fit.steps_k[0] > fit.steps_k[1]
        for step, centre, share in zip(fit.steps, sample.centres, sample.shares, strict=True):
            assert abs(step.midpoint_k - centre) < 1.5
            assert step.part == pytest.approx(share, abs=0.1)
        assert fit.zero_k < fit.steps_k[1]


def test_a_metal_has_no_transition() -> None:
    t = np.linspace(10.0, 300.0, 1200)
    metal = simulate.bloch_gruneisen(t, 500.0, 0.2, 3.0)
    random = np.random.default_rng(7)
    for curve in (metal, 1.0 / (1.0 / metal + 1.0 / 0.6), 0.5 + 0.0 * t, 1.0 - 0.001 * t):
        for noise in (1e-4, 3e-3):
            fit = found(t, curve + random.normal(0, noise, t.size))
            assert fit.verdict == "absent"
            assert math.isnan(fit.tc_k)
            assert "above the noise" in fit.reason


def test_cooling_and_warming_are_told_apart_and_their_difference_enters_sigma() -> None:
    t = np.linspace(80.0, 130.0, 1500)
    random = np.random.default_rng(1)
    cooling, warming = (0.6 * logistic(t, 98.0 + shift, 0.4) for shift in (-0.15, 0.15))
    r = np.concatenate([cooling[::-1], warming]) + random.normal(0, 0.001, 3000)
    fit = found(np.concatenate([t[::-1], t]), r)
    assert [sweep.direction for sweep in fit.sweeps] == ["cooling", "warming"]
    assert fit.hysteresis_k == pytest.approx(0.3, abs=4 * fit.hysteresis_sigma_k)
    assert fit.tc_sigma_k > 0.15
    alone = found(t, warming + random.normal(0, 0.001, 1500))
    assert math.isnan(alone.hysteresis_k)
    assert fit.tc_k == pytest.approx(alone.tc_k - 0.15, abs=0.03)


def test_order_duplicates_offset_and_units_of_resistance_do_not_move_tc() -> None:
    t = np.linspace(80.0, 130.0, 1200)
    r = (0.4 + 0.002 * t) * logistic(t, 98.0, 0.4) + np.random.default_rng(2).normal(0, 0.001, t.size)
    plain = found(t, r)
    mixed = np.random.default_rng(3).permutation(t.size)
    assert found(t[mixed], r[mixed]).tc_k == pytest.approx(plain.tc_k, abs=1e-9)
    assert found(np.repeat(t, 2), np.repeat(r, 2)).tc_k == pytest.approx(plain.tc_k, abs=1e-9)
    assert found(t, 1e-3 * r).tc_k == pytest.approx(plain.tc_k, abs=1e-9)
    shifted = found(t, r - 0.05)
    assert shifted.tc_k == pytest.approx(plain.tc_k, abs=plain.tc_sigma_k)
    assert shifted.t50_k == pytest.approx(plain.t50_k, abs=0.01)
    assert shifted.sweeps[0].offset_ohm == pytest.approx(-0.05, abs=0.002)
    assert math.isfinite(shifted.zero_k)


def test_a_resistance_that_remains_is_not_zero() -> None:
    t = np.linspace(80.0, 130.0, 1200)
    fit = found(t, 0.1 + 0.5 * logistic(t, 98.0, 0.4) + np.random.default_rng(2).normal(0, 0.001, t.size))
    assert fit.verdict == "doubtful"
    assert "does not reach zero" in fit.reason
    assert math.isnan(fit.zero_k)
    assert fit.sweeps[0].residual_ohm == pytest.approx(0.1, abs=0.005)


def test_the_floor_is_the_instruments_where_it_is_known() -> None:
    t = np.linspace(80.0, 130.0, 1200)
    r = 0.5 * logistic(t, 98.0, 0.4) + np.random.default_rng(2).normal(0, 1e-4, t.size)
    fit = found(t, r, current_a=316e-6, voltage_noise_v=3.16e-6)
    assert fit.sweeps[0].floor_ohm == pytest.approx(0.01)
    assert fit.zero_k > found(t, r).zero_k


def test_half_a_curve_is_doubtful_and_too_few_points_fail() -> None:
    t = np.linspace(96.0, 100.0, 300)
    fit = found(t, 0.5 * logistic(t, 98.0, 0.5))
    assert fit.verdict == "doubtful"
    assert fit.reason
    assert found(t[:5], t[:5]).verdict == "failed"


def test_onset_and_zero_scatter_as_their_sigmas_say() -> None:
    random, onsets, zeros = np.random.default_rng(5), [], []
    t = np.linspace(90.0, 110.0, 1000)
    ramp = np.clip(0.4 * (t - 97.0), 0.0, 0.4)
    for _ in range(40):
        fit = found(t, ramp + random.normal(0, 0.002, t.size))
        onsets.append((fit.onset_k - 98.0) / fit.onset_sigma_k)
        zeros.append((fit.zero_k - 97.0) / fit.zero_sigma_k)
    for pulls in (onsets, zeros):
        assert np.std(pulls) < 2.0
        assert abs(np.mean(pulls)) < 2.5


def test_normal_state_models_are_told_apart_when_the_data_can() -> None:
    random = np.random.default_rng(8)
    t = np.linspace(110.0, 300.0, 800)
    metal = simulate.bloch_gruneisen(t, 700.0, 0.1, 4.0)
    curves = {
        "bloch-gruneisen": metal,
        "bloch-gruneisen-saturation": 1 / (1 / metal + 1 / 1.5),
        "line": 0.2 + 0.004 * t,
    }
    for name, clean in curves.items():
        curve = hs.ResistanceCurve(temperature_k=t, resistance_ohm=clean + random.normal(0, 2e-4, t.size))
        models = hs.fit_normal_state(curve, 105.0)
        assert {one.model for one in models} == set(curves)
        best = models[0]
        assert best.aicc <= min(one.aicc for one in models)
        if name == "line":
            assert best.model == "line" or models[0].aicc > next(o.aicc for o in models if o.model == "line") - 4
        else:
            assert next(o for o in models if o.model == "line").aicc > best.aicc + 10
        if best.model == name == "bloch-gruneisen":
            assert best.parameters["debye_k"] == pytest.approx(700.0, abs=4 * best.sigmas["debye_k"])


def test_the_bloch_gruneisen_integral_is_the_simulators() -> None:
    t = np.array([5.0, 40.0, 150.0, 300.0])
    assert bloch_gruneisen(t, 600.0) == pytest.approx(simulate.bloch_gruneisen(t, 600.0, 0.0, 1.0), rel=1e-4)


def test_files_in_other_units_and_with_a_header_of_words_read_the_same(tmp_path: Path) -> None:
    t = np.linspace(90.0, 110.0, 50)
    r = logistic(t, 98.0, 0.5)
    tables = {
        "a.csv": ("temperature_k,resistance_ohm", [t, r]),
        "b.csv": ("Resistance (mOhm);Temperature (K)", [1e3 * r, t]),
        "c.csv": ("T(K)\tV_uV\tI_mA", [t, 1e6 * 3e-4 * r, np.full(50, 0.3)]),
        "d.csv": ("temperature_c,resistance_kohm", [t - 273.15, 1e-3 * r]),
        "e.csv": ("", [t, r]),
    }
    for name, (header, columns) in tables.items():
        separator = next((one for one in (";", "\t", ",") if one in header), " ")
        rows = [separator.join(f"{value:.10g}" for value in row) for row in np.stack(columns, axis=1)]
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n")
        curve = hs.read_resistance(tmp_path / name)
        assert curve.temperature_k == pytest.approx(t, rel=1e-8)
        assert curve.resistance_ohm == pytest.approx(r, rel=1e-7)
    curve = hs.read_resistance(tmp_path / "c.csv")
    assert curve.current_a == pytest.approx(3e-4)
    (tmp_path / "f.csv").write_text("temperature_k,resistance_ohm\n90,\n91,0.1\n92,nan\n93,0.2\n")
    gaps = hs.read_resistance(tmp_path / "f.csv")
    assert gaps.temperature_k.tolist() == [91.0, 93.0]
    assert gaps.notes == ("1 row(s) without a number were left out.",)
    with pytest.raises(hs.InputError, match=r"'furlong'\. Expected one of K, mK, C"):
        hs.read_resistance(tmp_path / "a.csv", temperature_unit="furlong")
    (tmp_path / "g.csv").write_text("resistance_ohm,humidity\n1,2\n3,4\n")
    with pytest.raises(hs.InputError, match="no column for the temperature"):
        hs.read_resistance(tmp_path / "g.csv")


def test_many_turns_of_the_temperature_are_one_unsorted_sweep() -> None:
    t = 100.0 + 10.0 * np.sin(np.arange(2000) * 0.7)
    (sweep,) = split_sweeps(hs.ResistanceCurve(temperature_k=t, resistance_ohm=t))
    assert sweep.direction == "unsorted"
    assert np.all(np.diff(sweep.temperature_k) > 0)
