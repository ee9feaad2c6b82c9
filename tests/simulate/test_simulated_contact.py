"""The simulated contact: another way to the numbers that theory and the analysis have."""

from __future__ import annotations

import time

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.simulate.contact import contact_conductance, gap_at, simulate_contacts


def test_the_sum_over_energies_is_the_published_conductance():
    bias = np.linspace(-90.0, 90.0, 91)
    for temperature, gap, z in ((2.0, 21.04, 0.3), (60.0, 18.2, 0.0), (105.0, 6.8, 1.5)):
        mine = contact_conductance(bias, gap_mev=gap, broadening_mev=3.0, barrier=z, temperature_k=temperature)
        theirs = hs.andreev_conductance(bias, gap_mev=gap, broadening_mev=3.0, barrier=z, temperature_k=temperature)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=2e-6)
    open_contact = contact_conductance(np.zeros(1), gap_mev=20.0, broadening_mev=1e-6, barrier=0.0, temperature_k=0.5)
    assert open_contact[0] == pytest.approx(2.0, abs=1e-5)


def test_the_gap_closes_as_weak_coupling_has_it():
    for temperature in (2.0, 50.0, 90.0, 105.0):
        expected = float(hs.bcs_gap(temperature, gap0_mev=21.04, tc_k=109.0))
        assert gap_at(temperature, gap0_mev=21.04, tc_k=109.0) == pytest.approx(expected, rel=2e-5)
    assert gap_at(109.0, gap0_mev=21.04, tc_k=109.0) == 0.0


def test_spectra_come_with_their_truth_and_quickly():
    began = time.process_time()
    curves = simulate_contacts(1, label="SIMULATED")
    assert time.process_time() - began < 6.0  # about one second where nothing else runs
    spectra = [(curve, text) for curve, text in curves if curve.kind == "conductance"]
    assert [curve.temperature_k for curve, _ in spectra][0::9] == [2.0, 105.0]
    assert all(text.startswith("# SIMULATED") for _, text in curves if text)
    assert spectra[0][0].gap_mev == pytest.approx(21.04)
