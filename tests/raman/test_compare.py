"""Lines before and after, Fano's profile, several vibrons and other isotopes: simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_lines import voigt_by_numbers

import hydrostruct as hs
from hydrostruct.raman.fano import fano_profile, fit_fano


def sample(random: np.random.Generator, lines: list[tuple[float, float]]) -> hs.Spectrum:
    x = np.linspace(100.0, 900.0, 700)
    smooth = 500.0 + 0.1 * x
    for at, height in lines:
        smooth = smooth + height * voigt_by_numbers(x, at, 4.0, 3.0)
    return hs.Spectrum(shift_cm1=x, intensity=random.poisson(smooth).astype(float))


def test_lines_that_came_went_moved_and_stayed_are_told_apart() -> None:
    random = np.random.default_rng(41)
    before = sample(random, [(250.0, 300.0), (400.0, 500.0), (650.0, 400.0)])
    after = sample(random, [(164.0, 250.0), (400.0, 500.0), (653.0, 400.0)])
    kinds = {round(one.before.position_cm1 if one.before else one.after.position_cm1, -1): one  # type: ignore[union-attr]
             for one in hs.compare_lines(before, after)}  # fmt: skip
    assert {at: one.kind for at, one in kinds.items()} == {
        160.0: "came",
        250.0: "went",
        400.0: "stayed",
        650.0: "moved",
    }
    assert kinds[650.0].shift_cm1 == pytest.approx(3.0, abs=4 * kinds[650.0].shift_sigma_cm1)
    assert kinds[160.0].height_change > 0 > kinds[250.0].height_change
    assert kinds[250.0].height_change == pytest.approx(-300.0, abs=5 * kinds[250.0].height_change_sigma)
    assert math.isnan(kinds[160.0].shift_cm1)


def test_pulls_of_the_shift_and_of_the_change_in_height_have_spread_one() -> None:
    random = np.random.default_rng(42)
    shifts, heights = [], []
    for _ in range(80):
        move = random.uniform(-3.0, 3.0)
        before, after = sample(random, [(500.0, 300.0), (250.0, 100.0)]), sample(random, [(500.0 + move, 300.0)])
        found = hs.compare_lines(before, after)
        both = next(one for one in found if one.before is not None and one.after is not None)
        shifts.append((both.shift_cm1 - move) / both.shift_sigma_cm1)
        heights += [
            (one.height_change + 100.0) / one.height_change_sigma
            for one in found
            if one.kind == "went" and abs(one.before.position_cm1 - 250.0) < 5
        ]  # type: ignore[union-attr]
    assert abs(np.mean(shifts)) < 0.4
    assert 0.75 < np.std(shifts, ddof=1) < 1.3
    assert len(heights) > 60
    assert 0.6 < np.std(heights, ddof=1) < 1.4


def test_equal_spectra_rarely_show_a_change() -> None:
    random = np.random.default_rng(43)
    kinds = [
        one.kind for _ in range(30)
        for one in hs.compare_lines(sample(random, [(400.0, 60.0), (650.0, 400.0)]),
                                    sample(random, [(400.0, 60.0), (650.0, 400.0)]))
    ]  # fmt: skip
    assert sum(kind in ("came", "went", "moved") for kind in kinds) <= 3


def test_what_the_other_spectrum_does_not_reach_has_not_gone() -> None:
    random = np.random.default_rng(44)
    before = sample(random, [(250.0, 300.0), (650.0, 400.0)])
    whole = sample(random, [(650.0, 400.0)])
    part = whole.shift_cm1 > 450.0
    after = hs.Spectrum(shift_cm1=whole.shift_cm1[part], intensity=whole.intensity[part])
    assert [one.kind for one in hs.compare_lines(before, after)] == ["not measured", "stayed"]
    twice = hs.Spectrum(shift_cm1=whole.shift_cm1, intensity=2.0 * whole.intensity)
    assert [one.kind for one in hs.compare_lines(whole, twice, intensity_ratio=2.0)] == ["stayed"]
    with pytest.raises(hs.InputError, match="reach"):
        hs.compare_lines(before, whole, reach_cm1=0.0)


@given(asymmetry=st.floats(-0.9, 0.9), width=st.floats(1.0, 50.0))
def test_fanos_profile_has_its_top_where_it_says_and_is_that_of_the_paper(asymmetry: float, width: float) -> None:
    x = np.linspace(4000.0, 4400.0, 40_001)
    y = fano_profile(x, 4200.0, width=width, asymmetry=asymmetry)
    assert x[np.argmax(y)] == pytest.approx(4200.0, abs=0.02)
    if abs(asymmetry) > 0.01:  # the slow twin: q itself
        q, reduced = 1.0 / asymmetry, 2.0 * (x - (4200.0 - 0.5 * asymmetry * width)) / width
        assert np.allclose(y, ((q + reduced) ** 2 / (1.0 + reduced**2) - 1.0) / q**2, atol=1e-8)


def test_pulls_of_fanos_line_have_spread_one() -> None:
    random = np.random.default_rng(45)
    x = np.linspace(4050.0, 4350.0, 240)
    pulls: list[list[float]] = []
    for _ in range(80):
        q, width = random.uniform(2.0, 6.0) * random.choice([-1, 1]), random.uniform(12.0, 25.0)
        place = random.uniform(4170.0, 4230.0)
        reduced = 2.0 * (x - place) / width
        y = random.poisson(2000.0 + 1500.0 * ((q + reduced) ** 2 / (1 + reduced**2) - 1) / q**2).astype(float)
        found = fit_fano(x, y, sigma=np.sqrt(np.maximum(y, 1.0)), start_cm1=place + 2.0, width_cm1=15.0)
        assert found.line.verdict == "converged"
        pulls.append([(found.resonance_cm1 - place) / found.resonance_sigma_cm1,
                      (found.asymmetry - 1.0 / q) / found.asymmetry_sigma])  # fmt: skip
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.4)
    assert np.all(np.abs(np.std(pulls, axis=0, ddof=1) - 1.0) < 0.3)


def vibrons(random: np.random.Generator, lines: list[tuple[float, float]]) -> hs.Spectrum:
    x = np.linspace(3950.0, 4300.0, 280)
    smooth = 400.0 + 0.2 * (x - 3950.0)
    for at, height in lines:
        smooth = smooth + height * voigt_by_numbers(x, at, 3.0, 4.0)
    return hs.Spectrum(shift_cm1=x, intensity=random.poisson(smooth).astype(float))


def test_a_second_vibron_is_taken_only_where_it_is_worth_it() -> None:
    random = np.random.default_rng(46)
    alone = [len(hs.find_vibron(vibrons(random, [(4194.0, 900.0)])).lines) for _ in range(30)]
    assert sum(count > 1 for count in alone) <= 1
    both = [hs.find_vibron(vibrons(random, [(4194.0, 900.0), (4206.0, 500.0)])) for _ in range(15)]
    assert sum(len(one.lines) == 2 for one in both) >= 14
    for one in both:
        if len(one.lines) == 2:
            assert "2 lines" in one.reason
            assert abs(one.lines[0].position_cm1 - 4194.0) < 5 * one.lines[0].position_sigma_cm1 + 0.5
    assert len(hs.find_vibron(vibrons(random, [(4194.0, 900.0), (4206.0, 500.0)]), most_lines=1).lines) == 1


def test_auto_takes_fanos_profile_for_a_leaning_line_and_not_for_another() -> None:
    random = np.random.default_rng(47)
    x = np.linspace(3950.0, 4300.0, 280)
    leaning = random.poisson(800.0 + 1500.0 * fano_profile(x, 4194.0, width=18.0, asymmetry=0.35)).astype(float)
    found = hs.find_vibron(hs.Spectrum(shift_cm1=x, intensity=leaning), profile="auto")
    assert found.profile == "fano"
    assert found.asymmetry == pytest.approx(0.35, abs=5 * found.asymmetry_sigma)
    assert found.vibron_cm1 == pytest.approx(4194.0, abs=1.0)
    upright = hs.find_vibron(vibrons(random, [(4194.0, 900.0)]), profile="auto")
    assert upright.profile == "pseudo-voigt"
    assert math.isnan(upright.asymmetry)
    with pytest.raises(hs.InputError, match="profile is 'lorentz'"):
        hs.find_vibron(vibrons(random, [(4194.0, 900.0)]), profile="lorentz")


def test_deuterium_and_hd_are_marked_and_are_no_pressure_of_h2() -> None:
    random = np.random.default_rng(48)
    x = np.linspace(2700.0, 4300.0, 1400)
    smooth = 400.0 + 300.0 * voigt_by_numbers(x, 3020.0, 4.0, 4.0) + 300.0 * voigt_by_numbers(x, 3665.0, 4.0, 4.0)
    spectrum = hs.Spectrum(shift_cm1=x, intensity=random.poisson(smooth).astype(float))
    found = hs.find_vibron(spectrum)
    assert found.verdict == "absent"
    assert found.branches == ()
    marked = {one.isotope: one for one in found.isotopes}
    assert marked["D2"].vibron_cm1 == pytest.approx(3020.0, abs=1.0)
    assert marked["D2"].h2_equivalent_cm1 == pytest.approx(3020.0 * 4161.2 / 2993.6, rel=1e-3)
    assert marked["HD"].h2_equivalent_cm1 == pytest.approx(3665.0 * 4161.2 / 3632.2, rel=1e-3)
    assert "memory-high" in marked["D2"].source
