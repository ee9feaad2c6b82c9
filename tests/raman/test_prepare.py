"""Cosmic rays, smoothing and baselines, on request."""

from __future__ import annotations

import numpy as np
import pytest

import hydrostruct as hs


def simulated() -> tuple[hs.Spectrum, list[int]]:
    random = np.random.default_rng(52)
    x = np.linspace(100.0, 900.0, 800)
    counts = random.poisson(400.0 + 0.3 * x + 500.0 * np.exp(-(((x - 500.0) / 8.0) ** 2))).astype(float)
    spikes = [120, 300, 301, 640]
    counts[spikes] += 900.0
    return hs.Spectrum(shift_cm1=x, intensity=counts), spikes


def test_nothing_is_done_by_default() -> None:
    spectrum, _ = simulated()
    assert hs.prepare_spectrum(spectrum) is spectrum


def test_cosmic_rays_become_gaps_and_the_note_counts_them() -> None:
    spectrum, spikes = simulated()
    found = hs.prepare_spectrum(spectrum, despike=True)
    assert set(spikes) <= set(np.flatnonzero(np.isnan(found.intensity)))
    assert np.count_nonzero(np.isnan(found.intensity)) <= len(spikes) + 3
    assert "left out as cosmic rays" in found.notes[-1]
    clean = hs.Spectrum(shift_cm1=spectrum.shift_cm1, intensity=1.0 + 0.0 * spectrum.shift_cm1)
    assert "0 points" in hs.prepare_spectrum(clean, despike=True).notes[-1]


def test_smoothing_keeps_a_parabola_and_says_what_it_costs() -> None:
    x = np.linspace(0.0, 100.0, 201)
    y = 3.0 + 0.1 * x + 0.02 * x**2
    found = hs.prepare_spectrum(hs.Spectrum(shift_cm1=x, intensity=y), smooth_cm1=5.0)
    assert np.allclose(found.intensity, y)
    assert "11 points" in found.notes[-1]
    assert "too small" in found.notes[-1]
    gap = y.copy()
    gap[50] = np.nan
    assert np.isnan(hs.prepare_spectrum(hs.Spectrum(shift_cm1=x, intensity=gap), smooth_cm1=5.0).intensity[50])
    for wrong in (0.1, 500.0, -1.0, np.nan):
        with pytest.raises(hs.InputError, match="window of the smoothing"):
            hs.prepare_spectrum(hs.Spectrum(shift_cm1=x, intensity=y), smooth_cm1=wrong)


def test_a_line_stays_where_it_is_when_the_baseline_is_taken_off() -> None:
    spectrum, _ = simulated()
    found = hs.prepare_spectrum(spectrum, despike=True, baseline="arpls")
    assert abs(np.nanmedian(found.intensity)) < 10.0
    assert "arpls of stiffness 100000" in found.notes[-1]
    (line,) = hs.find_lines(found)
    assert line.position_cm1 == pytest.approx(500.0, abs=5 * line.position_sigma_cm1)
    assert line.height == pytest.approx(500.0, rel=0.08)
    with pytest.raises(hs.InputError, match="not known"):
        hs.prepare_spectrum(spectrum, baseline="arp")
