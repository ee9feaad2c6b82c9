from __future__ import annotations

import math

import numpy as np
import pytest
from btk_brute_force import smeared

import hydrostruct as hs
from hydrostruct.andreev.background import divided_by_curve, fit_outside_window, window_background
from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.andreev.deviation import deviation_gap, peak_height, peak_vanishing
from hydrostruct.andreev.fit import fit_conductance
from hydrostruct.verdict import Verdict

BIAS = np.linspace(-100.0, 100.0, 401)
X = BIAS / 100.0
NORMAL = 0.2 * (1 + 0.05 * X + 0.1 * X**2)


def simulate(temperature: float, gap: float, seed: int = 1, noise: float = 0.002) -> ConductanceCurve:
    clean = NORMAL * (smeared(BIAS, gap, 5.0, 0.3, temperature) if gap else np.ones(BIAS.size))
    raw = clean + np.random.default_rng(seed).normal(0, noise * 0.2, BIAS.size)
    return ConductanceCurve(bias_mv=BIAS, conductance=raw, temperature_k=temperature, name=f"{temperature:g} K")


def test_a_polynomial_outside_a_window_is_exact_for_a_polynomial() -> None:
    curve = ConductanceCurve(bias_mv=BIAS, conductance=NORMAL, sigma=np.full(BIAS.size, 1e-3))
    np.testing.assert_allclose(window_background(curve, degree=2, edge_mv=60.0), NORMAL, rtol=1e-10)
    with pytest.raises(hs.InputError, match="Lower the edge"):
        window_background(curve, degree=6, edge_mv=99.5)


def test_the_choice_of_a_window_is_carried_into_the_gap() -> None:
    curve = simulate(2.0, 21.04)
    joint, window = fit_conductance(curve), fit_outside_window(curve)
    assert window.gap_background_mev > joint.gap_background_mev
    assert window.gap_sigma_mev >= window.gap_background_mev
    assert abs(joint.gap_mev - 21.04) < 4 * joint.gap_sigma_mev
    assert abs(window.gap_mev - 21.04) < 4 * window.gap_sigma_mev
    assert window.conductance is not None
    np.testing.assert_allclose(window.normalised, window.conductance / window.background)


def test_a_curve_above_tc_serves_as_background() -> None:
    normalised = divided_by_curve(simulate(2.0, 21.04, seed=1), simulate(120.0, 0.0, seed=2))
    fit = fit_conductance(normalised, degree=0)
    assert fit.verdict is Verdict.CONVERGED, fit.reason
    assert abs(fit.gap_mev - 21.04) < 4 * fit.gap_sigma_mev


def test_the_deviation_reads_more_than_the_gap_and_by_how_much_is_known() -> None:
    # the bias of the paper's second way against the model that made the curves
    for temperature, gap in ((2.0, 21.04), (40.0, 20.8), (60.0, 19.7)):
        ratios = [deviation_gap(simulate(temperature, gap, seed=k), edge_mv=65.0).gap_mev / gap for k in range(8)]
        assert 2.6 < np.mean(ratios) < 3.2, temperature


def test_more_noise_hides_more_of_the_tails() -> None:
    quiet, loud = (deviation_gap(simulate(2.0, 21.04, noise=noise), edge_mv=65.0) for noise in (0.0005, 0.005))
    assert loud.gap_mev < quiet.gap_mev
    assert quiet.verdict is Verdict.DOUBTFUL  # it starts at the edge itself
    assert loud.verdict is Verdict.CONVERGED


def test_no_deviation_is_absent() -> None:
    for seed in range(5):
        found = deviation_gap(simulate(120.0, 0.0, seed=seed), edge_mv=65.0)
        assert found.verdict is Verdict.ABSENT
        assert math.isnan(found.gap_mev)


def test_the_height_of_a_peak_that_is_not_there_has_mean_0_and_a_true_sigma() -> None:
    found = np.array([peak_height(simulate(120.0, 0.0, seed=k), edge_mv=60.0, core_mv=10.0) for k in range(200)])
    pulls = found[:, 0] / found[:, 1]
    # 3.3 standard errors of 200 numbers
    assert abs(pulls.mean()) < 3.3 / math.sqrt(200)
    assert abs(pulls.std() - 1) < 3.3 / math.sqrt(400)


def test_the_peak_vanishes_at_tc_with_a_limit_above_it() -> None:
    # the gaps of the exact theory at Tc = 109 K
    series = {60.0: 19.67, 90.0: 14.14, 100.0: 10.3, 105.0: 6.9, 112.0: 0.0, 120.0: 0.0}
    curves = [simulate(t, gap, seed=int(t)) for t, gap in series.items()]
    found = peak_vanishing(curves, edge_mv=80.0, core_mv=10.0)
    assert found.verdict is Verdict.CONVERGED
    assert (found.tc_low_k, found.tc_high_k) == (105.0, 112.0)
    assert 105.0 <= found.tc_k <= 112.0
    assert 0 < found.upper_limit < 0.01
    assert peak_vanishing(curves[:3], edge_mv=80.0, core_mv=10.0).verdict is Verdict.DOUBTFUL
    assert peak_vanishing(curves[4:], edge_mv=80.0, core_mv=10.0).verdict is Verdict.ABSENT
