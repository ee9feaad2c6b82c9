"""Axes calibrated by SIMULATED lamps."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.raman.axis import vacuum_wavelength

# the strongest lines of neon between 570 and 645 nm, in air
NEON = [585.24878, 588.18950, 594.48340, 602.99968, 607.43376, 609.61630, 614.30627, 616.35937, 621.72812]


def in_vacuum(air: float) -> float:
    """Edlén's formula of 1966: another than the one that is tested."""
    s2 = (1e3 / air) ** 2
    return air * (1.0 + 1e-8 * (8342.13 + 2406030.0 / (130.0 - s2) + 15997.0 / (38.9 - s2)))


def lamp(random: np.random.Generator, *, shift: float, stretch: float, low: float, high: float) -> hs.Spectrum:
    """A lamp on an axis that is off by −shift and −stretch about 2000 cm⁻¹."""
    x = np.arange(low, high, 1.1)
    y = np.full(x.size, 300.0)
    for air in NEON:
        true = 1e7 / in_vacuum(532.0) - 1e7 / in_vacuum(air)
        seen = (true - shift + stretch * 2000.0) / (1.0 + stretch)
        y = y + random.uniform(500.0, 6000.0) * np.exp(-(((x - seen) / 2.0) ** 2))
    return hs.Spectrum(shift_cm1=x, intensity=random.poisson(y).astype(float), laser_nm=532.0)


def test_two_formulas_of_the_air_agree() -> None:
    for air in NEON:
        assert float(vacuum_wavelength(air)) == pytest.approx(in_vacuum(air), abs=2e-5)


def test_shift_and_stretch_are_found_with_pulls_of_spread_one() -> None:
    random = np.random.default_rng(61)
    pulls, counts = [], []
    for _ in range(60):
        shift, stretch = random.uniform(-12.0, 12.0), random.uniform(-0.001, 0.001)
        found = hs.calibrate_axis(lamp(random, shift=shift, stretch=stretch, low=1600.0, high=2700.0))
        assert found.verdict == "converged"
        counts.append(found.measured_cm1.size)
        correction, sigma = hs.axis_correction(found, [1700.0, 2600.0])
        truth = shift + stretch * (np.array([1700.0, 2600.0]) - 2000.0)
        pulls.append((correction - truth) / sigma)
    assert np.median(counts) >= 8
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.5)
    assert np.all(np.std(pulls, axis=0, ddof=1) < 1.25)
    assert np.all(np.std(pulls, axis=0, ddof=1) > 0.5)  # the floor of a line's place makes sigma careful


def test_a_corrected_edge_lies_right_and_carries_the_axis_in_its_systematic_part() -> None:
    random = np.random.default_rng(62)
    calibration = hs.calibrate_axis(lamp(random, shift=4.0, stretch=0.0, low=1300.0, high=2300.0), laser_sigma_nm=0.01)
    assert calibration.shift_sigma_cm1 > 0.35  # 0.01 nm at 532 nm is 0.353 cm⁻¹
    x = np.linspace(1400.0, 1700.0, 300)
    moved = hs.corrected_spectrum(hs.Spectrum(shift_cm1=x, intensity=x), calibration, at_cm1=1550.0)
    assert np.allclose(moved.shift_cm1 - x, 4.0, atol=0.3)
    assert moved.axis_sigma_cm1 > 0.35
    assert "lines of a lamp" in moved.notes[-1]
    read = hs.read_edge_pressure(1550.0, 0.1, axis_sigma_cm1=moved.axis_sigma_cm1)
    assert read.pressure_systematic_gpa > hs.read_edge_pressure(1550.0, 0.1).pressure_systematic_gpa


def test_air_taken_as_vacuum_moves_the_edge_by_what_the_index_says() -> None:
    found = [hs.calibrate_axis(lamp(np.random.default_rng(63), shift=0.0, stretch=0.0, low=1600.0, high=2700.0),
                               lines=NEON, medium=medium) for medium in ("air", "vacuum")]  # fmt: skip
    difference = found[1].shift_cm1 - found[0].shift_cm1
    assert difference == pytest.approx(found[0].centre_cm1 * 2.77e-4, abs=0.05)


def test_one_line_is_doubtful_and_a_wrong_lamp_is_said() -> None:
    random = np.random.default_rng(64)
    one = hs.calibrate_axis(lamp(random, shift=1.0, stretch=0.0, low=1650.0, high=1740.0), lines=[585.24878])
    assert one.verdict == "doubtful"
    assert one.shift_cm1 == pytest.approx(1.0, abs=0.3)
    assert one.stretch == 0.0
    dark = hs.Spectrum(shift_cm1=np.arange(1600.0, 2700.0), intensity=random.poisson(300.0, 1100).astype(float),
                       laser_nm=532.0)  # fmt: skip
    none = hs.calibrate_axis(dark)
    assert none.verdict == "not converged"
    assert math.isnan(none.shift_cm1)
    assert "none fits" in none.reason
    with pytest.raises(hs.InputError, match="no number"):
        hs.corrected_spectrum(dark, none)
    wrong = hs.calibrate_axis(
        lamp(random, shift=0.0, stretch=0.0, low=1600.0, high=2700.0), lines=[587.0, 600.3, 611.1]
    )
    assert wrong.verdict != "converged"


def test_what_cannot_be_meant_is_refused() -> None:
    random = np.random.default_rng(65)
    known = lamp(random, shift=0.0, stretch=0.0, low=1600.0, high=2700.0)
    unknown = hs.Spectrum(shift_cm1=known.shift_cm1, intensity=known.intensity)
    with pytest.raises(hs.InputError, match="laser line is not known"):
        hs.calibrate_axis(unknown)
    with pytest.raises(hs.InputError, match=r"'nean' is not known.*neon"):
        hs.calibrate_axis(known, lines="nean")
    with pytest.raises(hs.InputError, match="none of the lamp's lines"):
        hs.calibrate_axis(known, laser_nm=1064.0)
    with pytest.raises(hs.InputError, match="medium is 'water'"):
        hs.calibrate_axis(known, medium="water")
    with pytest.raises(hs.InputError, match="uncertainty of the laser"):
        hs.calibrate_axis(known, laser_sigma_nm=-1.0)
