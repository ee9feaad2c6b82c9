from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from btk_brute_force import smeared

import hydrostruct as hs
from hydrostruct.andreev.curve import ConductanceCurve, symmetrised, without_series_resistance, without_spikes
from hydrostruct.andreev.fit import fit_conductance
from hydrostruct.andreev.read import read_conductance
from hydrostruct.andreev.slope import conductance_from_iv

BIAS = np.linspace(-60.0, 60.0, 121)
CURVE = 1.0 + 0.4 / (1.0 + (BIAS / 20.0) ** 2)


def write(path: Path, *columns: np.ndarray, names: str = "", above: str = "") -> Path:
    rows = "\n".join(",".join(f"{value:.8g}" for value in row) for row in zip(*columns, strict=True))
    path.write_text("\n".join(part for part in (above, names, rows) if part) + "\n")
    return path


def test_the_temperature_of_the_column_goes_before_header_name_and_option(tmp_path: Path) -> None:
    t = np.full(BIAS.size, 7.0)
    file = tmp_path / "cell_20K.csv"
    write(file, BIAS, CURVE, t, names="bias_mv,conductance,temperature_k", above="# temperature_k = 11")
    assert read_conductance(file, temperature_k=30.0).temperature_k == 7.0
    write(file, BIAS, CURVE, names="bias_mv,conductance", above="# temperature_k = 11")
    found = read_conductance(file, temperature_k=30.0)
    assert found.temperature_k == 11.0
    assert any("30 K" in one for one in found.warnings)
    write(file, BIAS, CURVE, names="bias_mv,conductance")
    assert read_conductance(file, temperature_k=30.0).temperature_k == 20.0
    bare = write(tmp_path / "cell.csv", BIAS, CURVE)
    assert read_conductance(bare, temperature_k=30.0).temperature_k == 30.0
    assert math.isnan(read_conductance(bare).temperature_k)


def test_columns_may_stand_in_any_order_and_have_a_sigma(tmp_path: Path) -> None:
    sigma = np.full(BIAS.size, 0.01)
    file = write(tmp_path / "a_2K.csv", sigma, CURVE, BIAS, names="conductance_sigma,conductance,bias_mv")
    curve = read_conductance(file)
    np.testing.assert_allclose(curve.bias_mv, BIAS)
    np.testing.assert_allclose(curve.conductance, CURVE, rtol=1e-7)
    assert curve.sigma is not None
    assert np.all(curve.sigma == 0.01)


def test_a_falling_sweep_with_missing_points_is_put_in_order(tmp_path: Path) -> None:
    values = CURVE.copy()
    values[5] = np.nan
    file = write(tmp_path / "a_2K.csv", BIAS[::-1], values[::-1], names="bias_mv,conductance")
    curve = read_conductance(file)
    assert curve.bias_mv.size == 120
    assert np.all(np.diff(curve.bias_mv) > 0)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"hello\nworld\n", b"1,2\n3,4\n", b"bias_mv,conductance\n"])
def test_garbage_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad_2K.csv"
    file.write_bytes(content)
    with pytest.raises(hs.InputError, match="bad_2K"):
        read_conductance(file)


def test_columns_without_a_bias_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a_2K.csv", BIAS, CURVE, names="temperature_k,conductance")
    with pytest.raises(hs.InputError, match="bias_mv and conductance"):
        read_conductance(file)


def junction(points: int = 721) -> tuple[np.ndarray, np.ndarray]:
    """Current and voltage of a simulated junction of 5 Ω, even steps of current; trapezoid of a fine dI/dV."""
    fine = np.linspace(-90.0, 90.0, 7201)
    conductance = 0.2 * smeared(fine[::20], 21.04, 3.0, 0.3, 4.0)
    conductance = np.interp(fine, fine[::20], conductance)
    current = np.concatenate([[0.0], np.cumsum(0.5 * (conductance[1:] + conductance[:-1]) * np.diff(fine))])
    current -= np.interp(0.0, fine, current)
    steps = np.linspace(current[0], current[-1], points)
    return 1e-3 * steps, 1e-3 * np.interp(steps, current, fine)


def test_both_slopes_of_a_clean_curve_are_its_conductance() -> None:
    current, voltage = junction()
    for method, worst in (("local", 0.01), ("three-step", 0.01)):
        curve = conductance_from_iv(current, voltage, method=method)
        truth = 0.2 * smeared(curve.bias_mv, 21.04, 3.0, 0.3, 4.0)
        assert np.max(np.abs(curve.conductance / truth - 1)) < worst, method


def test_local_regression_has_errors_that_are_true() -> None:
    current, voltage = junction()
    random = np.random.default_rng(4)
    clean = conductance_from_iv(current, voltage)
    pulls = []
    for _ in range(20):
        noisy = conductance_from_iv(current, voltage + random.normal(0, 2e-6, voltage.size))
        assert noisy.sigma is not None
        near = np.interp(noisy.bias_mv, clean.bias_mv, clean.conductance)
        pulls.append((noisy.conductance - near) / noisy.sigma)
    assert 0.85 < np.std(np.concatenate(pulls)) < 1.15


def test_the_gap_is_the_same_by_both_slopes_and_the_default_scatters_less() -> None:
    current, voltage = junction()
    noisy = voltage + np.random.default_rng(6).normal(0, 3e-6, voltage.size)
    fits, scatter = {}, {}
    for method in ("local", "three-step"):
        curve = conductance_from_iv(current, noisy, method=method, temperature_k=4.0)
        fits[method] = fit_conductance(curve, degree=0)
        truth = 0.2 * smeared(curve.bias_mv, 21.04, 3.0, 0.3, 4.0)
        scatter[method] = float(np.std(curve.conductance / truth))
    assert scatter["local"] < scatter["three-step"]
    for method, fit in fits.items():
        assert abs(fit.gap_mev - 21.04) < max(4 * fit.gap_sigma_mev, 0.1), method


def test_a_voltage_current_file_is_read_as_one(tmp_path: Path) -> None:
    current, voltage = junction(301)
    file = write(tmp_path / "cell_4K.csv", voltage, current, names="voltage_v,current_a")
    curve = read_conductance(file)
    assert curve.temperature_k == 4.0
    assert curve.bias_mv[-1] > 80
    truth = 0.2 * smeared(curve.bias_mv, 21.04, 3.0, 0.3, 4.0)
    np.testing.assert_allclose(curve.conductance, truth, rtol=0.03)


def test_a_series_resistance_stretches_the_gap_and_is_taken_off() -> None:
    current, voltage = junction()
    whole = conductance_from_iv(current, voltage + 2.0 * current, temperature_k=4.0)
    stretched = fit_conductance(whole)
    junction_only = fit_conductance(without_series_resistance(whole, 2.0))
    assert stretched.gap_mev > 1.2 * 21.04
    assert junction_only.gap_mev == pytest.approx(21.04, abs=0.3)
    with pytest.raises(hs.InputError, match="series resistance"):
        without_series_resistance(whole, 50.0)


def test_spikes_are_left_out_and_it_is_said() -> None:
    random = np.random.default_rng(8)
    y = CURVE + random.normal(0, 0.002, BIAS.size)
    y[[20, 77]] += [0.2, -0.2]
    cleaned = without_spikes(ConductanceCurve(bias_mv=BIAS, conductance=y))
    assert cleaned.bias_mv.size == BIAS.size - 2
    assert cleaned.warnings == ("2 point(s) that stand alone were left out",)


def test_the_odd_part_of_a_curve_is_reported() -> None:
    even, asymmetry = symmetrised(ConductanceCurve(bias_mv=BIAS, conductance=CURVE + 0.001 * BIAS))
    np.testing.assert_allclose(even.conductance, CURVE, rtol=1e-9)
    assert asymmetry == pytest.approx(np.std(0.001 * BIAS) / np.ptp(CURVE), rel=1e-6)


def test_one_sign_cannot_be_symmetrised() -> None:
    with pytest.raises(hs.InputError, match="one sign"):
        symmetrised(ConductanceCurve(bias_mv=BIAS[80:] + 0.0, conductance=CURVE[80:]))
