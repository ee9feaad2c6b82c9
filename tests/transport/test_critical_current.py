"""V(I) to Ic and n: measured tapes of other people, simulated wires, and what is no superconductor."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transport_simulator as simulate

import hydrostruct as hs


def fitted(current: Any, voltage: Any, criterion_v: float = 2e-7) -> hs.CriticalCurrentFit:
    return hs.fit_voltage_current(hs.VoltageCurve(current_a=current, voltage_v=voltage), criterion_v=criterion_v)


def test_measured_tapes_give_their_headers_ic_within_1_and_n_within_8_percent(shared_data: Path) -> None:
    compared = 0
    for path in sorted((shared_data / "iv_rebco" / "irradiated").glob("*.txt")):
        found = hs.fit_voltage_current(hs.read_voltage_current(path), criterion_v=2e-7)
        assert found.verdict == "converged"
        assert found.polarity == "normal"
        stated = re.search(r"Ic =\s*(\S+) A, n =\s*(\S+) ,", path.read_text().split("\n")[0])
        assert stated is not None
        ic, n = float(stated[1]), float(stated[2])
        if math.isfinite(ic):
            # the headers round to 0.01 A
            assert abs(found.ic_a - ic) < 0.01 * ic + 0.005
            assert abs(found.n - n) < 0.08 * n
            compared += 1
    assert compared == 9


def test_measured_swapped_leads_are_recognised(shared_data: Path) -> None:
    for path in (shared_data / "iv_rebco" / "reversed_polarity").glob("*.txt"):
        found = hs.fit_voltage_current(hs.read_voltage_current(path), criterion_v=2e-7)
        assert found.polarity == "reversed"
        assert 27 <= found.n <= 36
        if "24k" in path.name:
            assert abs(found.ic_a - 31.0) < 2.0
            assert found.temperature_k == pytest.approx(24.2, abs=0.1)
        else:
            assert found.ic_a == pytest.approx(2.93, rel=0.03)


def test_pulls_of_ic_and_n_are_those_of_true_sigmas() -> None:
    random, pulls = np.random.default_rng(11), []
    for index in range(100):
        wire = simulate.draw_wire(random)
        true = wire.critical_current(2e-7)
        current, voltage = simulate.measured_voltage(
            random, wire, top=true * random.uniform(1.15, 1.4), noise=1.5e-8, both=bool(index % 2),
            relative=0.1 * (index % 3 == 0), thermal=1e-7, lead_ohm=random.normal(0, 1e-7),
        )  # fmt: skip
        found = fitted(current, voltage)
        pulls.append([(found.ic_a - true) / found.ic_sigma_a, (found.n - wire.steepness) / found.n_sigma])
    # 3.3 standard errors of the spread of 100 draws are 0.23
    assert np.all(np.abs(np.std(pulls, axis=0) - 1.0) < 0.25)
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.35)


def test_offset_sign_and_order_do_not_move_ic() -> None:
    current = np.linspace(-0.08, 0.08, 321)
    clean = np.sign(current) * 2e-7 * np.abs(current / 0.06) ** 15
    voltage = clean + np.random.default_rng(1).normal(0, 5e-9, current.size)
    plain = fitted(current, voltage)
    assert plain.ic_a == pytest.approx(0.06, abs=4 * plain.ic_sigma_a)
    moved = fitted(current, voltage + 3e-7)
    assert moved.ic_a == pytest.approx(plain.ic_a, rel=1e-4)
    assert moved.offset_v - plain.offset_v == pytest.approx(3e-7, rel=1e-6)
    swapped = fitted(current, -voltage)
    assert (swapped.polarity, plain.polarity) == ("reversed", "normal")
    assert swapped.ic_a == pytest.approx(plain.ic_a, rel=1e-4)
    order = np.random.default_rng(2).permutation(current.size)
    assert fitted(current[order], voltage[order]).ic_a == pytest.approx(plain.ic_a, rel=1e-4)


def test_another_criterion_is_another_ic_by_n() -> None:
    current = np.linspace(0.0, 0.08, 321)
    voltage = 2e-7 * (current / 0.06) ** 15 + np.random.default_rng(1).normal(0, 5e-9, current.size)
    first, second = fitted(current, voltage), fitted(current, voltage, 1e-6)
    assert second.criterion_v == 1e-6
    expected = hs.converted_ic(first.ic_a, first.n, criterion_v=2e-7, to_criterion_v=1e-6)
    assert second.ic_a == pytest.approx(expected, abs=4 * second.ic_sigma_a)
    with pytest.raises(hs.InputError, match="criterion_v is -1"):
        fitted(current, voltage, -1.0)


def test_a_resistor_has_no_critical_current_and_neither_has_a_plateau() -> None:
    random = np.random.default_rng(3)
    current = np.linspace(-0.08, 0.08, 161)
    for sign in (1.0, -1.0):
        ohmic = fitted(current, sign * 0.3 * current + random.normal(0, 1e-6, current.size))
        assert ohmic.verdict == "absent"
        assert ohmic.ohmic
        assert ohmic.polarity == ("normal" if sign > 0 else "reversed")
        assert math.isnan(ohmic.ic_a)
        assert ohmic.resistance_ohm == pytest.approx(sign * 0.3, abs=5 * ohmic.resistance_sigma_ohm)
    silent = fitted(current, random.normal(0, 1e-8, current.size))
    assert silent.verdict == "absent"
    assert not silent.ohmic
    assert "No voltage" in silent.reason
    assert silent.plateau_a == pytest.approx(0.08)


def test_heating_shows_as_a_difference_of_rising_and_falling_current() -> None:
    up = np.linspace(0.0, 0.08, 161)
    current = np.concatenate([up, up[::-1]])
    law = 2e-7 * (current / 0.06) ** 15
    noise = np.random.default_rng(5).normal(0, 1e-8, current.size)
    assert abs(fitted(current, law + noise).hysteresis_sigmas) < 4
    warm = fitted(current, law * np.where(np.arange(322) < 161, 1.0, 1.3) + noise)
    assert warm.hysteresis_sigmas > 5
    assert warm.verdict == "doubtful"
    assert "heated" in warm.reason


def test_differential_resistance_has_true_errors() -> None:
    random = np.random.default_rng(6)
    current = np.linspace(-1.0, 1.0, 4001)
    voltage = 2e-8 * current + random.normal(0, 1e-8, current.size)
    at, slope, sigma = hs.differential_resistance(hs.VoltageCurve(current_a=current, voltage_v=voltage), half_width=5)
    inside = np.isfinite(slope)
    assert at.shape == slope.shape == sigma.shape
    assert np.std((slope[inside] - 2e-8) / sigma[inside]) == pytest.approx(1.0, abs=0.12)


def test_heat_of_a_pulse_is_that_of_the_reference_sheet() -> None:
    power, energy = hs.pulse_heat(74e-3, contact_ohm=4.5, pulse_s=0.01)
    assert power == pytest.approx(24.6e-3, abs=5e-5)
    assert energy == pytest.approx(0.25e-3, abs=5e-6)


def test_units_temperature_and_too_few_points(tmp_path: Path) -> None:
    current = np.linspace(0, 80, 41)
    rows = "\n".join(f"{i:.6g},{1e6 * 2e-7 * (i / 60) ** 12:.9g}" for i in current)
    path = tmp_path / "vi_61.5K.csv"
    path.write_text(f"current_mA,voltage_uV\n{rows}\n")
    curve = hs.read_voltage_current(path)
    assert curve.temperature_k == 61.5
    assert curve.current_a[-1] == pytest.approx(0.08)
    assert hs.fit_voltage_current(curve).ic_a == pytest.approx(0.06, rel=0.01)
    assert fitted([0, 1, 2.0], [0, 1, 2.0]).verdict == "failed"
