"""Known truth: simulated patterns of CeH9 and CeH4, fitted as a user would."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hydrostruct.errors import InputError
from hydrostruct.material.phase import Phase, read_phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.lebail import PatternFit, fit_pattern, fit_patterns
from hydrostruct.xrd.pattern import Pattern

CEH9, CEH4 = "CeH9-P63mmc", "CeH4-I4mmm"
NUMBERS = ("a_ang", "c_ang", "volume_ang3")
CHANCE = 1e-3  # that perfect code fails one of the tests of pulls


@pytest.fixture(scope="module")
def phases() -> list[Phase]:
    return [read_phase(CEH9), read_phase(CEH4)]


def as_pattern(made: Any, name: str = "simulated", wavelength: float = 0.6199) -> Pattern:
    return Pattern(
        two_theta_deg=made.two_theta, intensity=made.counts, sigma=made.sigma, wavelength_ang=wavelength, name=name
    )


def truth(name: str, pair: tuple[float, float]) -> tuple[float, float, float]:
    a, c = pair
    return a, c, a * a * c * (math.sqrt(3) / 2 if name == CEH9 else 1.0)


def sigma_of(found: Any, number: str, kind: str = "sigma") -> float:
    stem, unit = number.rsplit("_", 1)
    return float(getattr(found, f"{stem}_{kind}_{unit}"))


def pulls_of(fit: PatternFit, cells: dict[str, tuple[float, float]], kind: str) -> list[float]:
    """(fitted − true)/sigma of all numbers; infinite where there is none."""
    out = []
    for name, pair in cells.items():
        found = fit.phases[name]
        for number, value in zip(NUMBERS, truth(name, pair), strict=True):
            pull = (getattr(found, number) - value) / sigma_of(found, number, kind)
            out.append(pull if math.isfinite(pull) else math.inf)
    return out


@pytest.fixture(scope="module")
def hundred(simulator: ModuleType, phases: list[Phase]) -> tuple[list[PatternFit], dict[str, Any]]:
    """A hundred patterns, each with cells of its own, from a start some tenths of a percent off."""
    random = np.random.default_rng(2026)
    fits, cells = [], []
    for _ in range(100):
        pressed = 1 + random.normal(0, 0.002, 4)
        ceh9 = (simulator.CEH9[0] * pressed[0], simulator.CEH9[1] * pressed[1])
        ceh4 = (simulator.CEH4[0] * pressed[2], simulator.CEH4[1] * pressed[3])
        made = simulator.simulate(random, level="mid", ceh9=ceh9, ceh4=ceh4)
        fits.append(fit_pattern(as_pattern(made), phases))
        cells.append({CEH9: ceh9, CEH4: ceh4})
    return fits, {"cells": cells}


def test_pulls_of_cells_and_volumes_have_mean_zero_and_spread_one(hundred: Any) -> None:
    fits, known = hundred
    pulls = np.array([pulls_of(fit, cells, "statistical") for fit, cells in zip(fits, known["cells"], strict=True)])
    count, checks = pulls.shape[0], 2 * pulls.shape[1]
    assert np.all(np.isfinite(pulls)), "a fit gave no number"
    tail = CHANCE / checks / 2
    assert np.all(np.abs(pulls.mean(axis=0)) < -stats.norm.ppf(tail) / math.sqrt(count)), pulls.mean(axis=0)
    low, high = np.sqrt(stats.chi2.ppf([tail, 1 - tail], count - 1) / (count - 1))
    spread = pulls.std(axis=0, ddof=1)
    assert np.all((spread > low) & (spread < high)), spread


def test_the_sigma_to_use_is_a_few_percent_above_the_statistical_one_for_perfect_data(hundred: Any) -> None:
    fits, _ = hundred
    ratio = [fit.phases[CEH9].a_sigma_ang / fit.phases[CEH9].a_statistical_ang for fit in fits]
    assert min(ratio) >= 1.0
    assert np.mean(ratio) < 1.05


def test_every_one_of_the_hundred_is_converged(hundred: Any) -> None:
    fits, _ = hundred
    assert {fit.verdict for fit in fits} == {Verdict.CONVERGED}
    assert {found.verdict for fit in fits for found in fit.phases.values()} == {Verdict.CONVERGED}


def test_gof_and_the_serial_factor_of_perfect_data_are_near_one(hundred: Any) -> None:
    fits, _ = hundred
    gof = np.array([fit.gof for fit in fits])
    assert abs(gof.mean() - 1.0) < 0.01  # each has a spread of 1/√(2·2000) = 0.016
    assert np.all(np.abs(gof - 1.0) < 0.08)
    serial = np.array([fit.serial_factor for fit in fits])
    assert np.all(serial >= 1.0)
    assert serial.mean() < 1.03


def test_both_phases_are_detected_and_share_the_bragg_area_as_simulated(hundred: Any, simulator: ModuleType) -> None:
    fits, _ = hundred
    area9 = sum(line[3] for line in simulator.CEH9_LINES[:9])
    area4 = 0.4 * sum(line[3] for line in simulator.CEH4_LINES[:6])
    for fit in fits:
        assert all(found.detected and found.significance > 10 for found in fit.phases.values())
        assert sum(found.share for found in fit.phases.values()) == pytest.approx(1.0)
    pulls = [(fit.phases[CEH9].share - area9 / (area9 + area4)) / fit.phases[CEH9].share_sigma for fit in fits]
    assert abs(np.mean(pulls)) < 0.5
    assert 0.75 < np.std(pulls) < 1.3


def test_the_calculated_pattern_and_background_are_those_of_the_truth(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    made = simulator.simulate(np.random.default_rng(1), level="good")
    fit = fit_pattern(as_pattern(made), phases)
    pull = (fit.calculated - made.clean) / np.sqrt(made.clean)
    assert np.sqrt(np.mean(pull**2)) < 0.25
    assert np.median(np.abs(fit.background / simulator.background(made.two_theta, 3000.0) - 1)) < 0.01


@pytest.mark.parametrize("level", ["good", "mid"])
def test_starts_two_percent_off_on_each_axis_find_the_truth(
    simulator: ModuleType, phases: list[Phase], level: str
) -> None:
    random = np.random.default_rng(40)
    good = 0
    signs = [np.array(one) for one in np.ndindex(2, 2, 2, 2)]
    for index in range(20):
        factor = 1 + 0.02 * (2 * signs[(index * 5) % 16] - 1)
        start = {
            CEH9: {"a_ang": simulator.CEH9[0] * factor[0], "c_ang": simulator.CEH9[1] * factor[1]},
            CEH4: {"a_ang": simulator.CEH4[0] * factor[2], "c_ang": simulator.CEH4[1] * factor[3]},
        }
        fit = fit_pattern(as_pattern(simulator.simulate(random, level=level)), phases, cells=start)
        right = True
        for name, pair in ((CEH9, simulator.CEH9), (CEH4, simulator.CEH4)):
            for number, value in zip(NUMBERS[:2], pair, strict=True):
                off = abs(getattr(fit.phases[name], number) - value)
                right &= off < max(2e-4 * value, 4 * sigma_of(fit.phases[name], number))
        if not right:
            assert fit.verdict is not Verdict.CONVERGED, "a wrong answer called converged"
        good += right
    assert good >= 18


def test_in_pure_background_nothing_is_found(simulator: ModuleType, phases: list[Phase]) -> None:
    random = np.random.default_rng(3)
    for _ in range(5):
        fit = fit_pattern(as_pattern(simulator.simulate(random, ceh9=None, ceh4=None)), phases)
        assert fit.verdict is Verdict.ABSENT
        for found in fit.phases.values():
            assert found.verdict is Verdict.ABSENT
            assert not found.detected
            assert math.isnan(found.a_ang)
            assert math.isnan(found.volume_per_fu_sigma_ang3)


def test_a_phase_that_is_not_there_is_absent_and_does_not_harm_the_other(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    random = np.random.default_rng(4)
    for _ in range(10):
        fit = fit_pattern(as_pattern(simulator.simulate(random, ceh4=None)), phases)
        assert fit.phases[CEH4].verdict is Verdict.ABSENT
        assert fit.phases[CEH9].verdict is Verdict.CONVERGED
        assert max(abs(pull) for pull in pulls_of(fit, {CEH9: simulator.CEH9}, "sigma")) < 4
        assert "CeH4-I4mmm: absent." in fit.reason


def test_the_significance_of_a_weak_phase_grows_with_its_lines(simulator: ModuleType, phases: list[Phase]) -> None:
    medians = []
    for share in (0.02, 0.06, 0.2):
        random = np.random.default_rng(5)
        fits = [
            fit_pattern(as_pattern(simulator.simulate(random, level="mid", ceh4_share=share)), phases) for _ in range(7)
        ]
        medians.append(np.median([fit.phases[CEH4].significance for fit in fits]))
        for fit in fits:
            found = fit.phases[CEH4]
            assert found.detected == (found.significance >= 4)
            assert (found.verdict is Verdict.ABSENT) == (not found.detected)
    assert medians[0] < 3 < medians[1] < medians[2]
    assert 10 < medians[2] < 30


def test_an_uncertain_wavelength_gives_the_same_relative_uncertainty_of_the_axes(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    pattern = as_pattern(simulator.simulate(np.random.default_rng(6), level="good"))
    sigma = 6.199e-5
    fit = fit_pattern(pattern, phases, wavelength_sigma_ang=sigma)
    plain = fit_pattern(pattern, phases)
    for name in (CEH9, CEH4):
        found = fit.phases[name]
        assert found.a_systematic_ang / found.a_ang == pytest.approx(sigma / 0.6199, rel=1e-3)
        assert found.b_systematic_ang == pytest.approx(found.a_systematic_ang, rel=1e-9)
        assert found.c_systematic_ang / found.c_ang == pytest.approx(sigma / 0.6199, rel=1e-3)
        assert found.volume_systematic_ang3 / found.volume_ang3 == pytest.approx(3 * sigma / 0.6199, rel=2e-3)
        assert found.gamma_systematic_deg == 0
        assert math.isnan(plain.phases[name].a_systematic_ang)
        assert found.a_sigma_ang == pytest.approx(plain.phases[name].a_sigma_ang, rel=1e-6)


def test_an_uncertain_distance_counts_unless_the_displacement_is_fitted(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    pattern = as_pattern(simulator.simulate(np.random.default_rng(7), level="good"))
    fit = fit_pattern(pattern, phases, distance_relative_sigma=1e-4)
    found = fit.phases[CEH9]
    # Δ(2θ) = ½ sin(4θ)·1e-4 at small angles is a scale of 1e-4 of the angle, less towards wider ones
    assert 0.8e-4 < found.a_systematic_ang / found.a_ang < 1.05e-4
    free = fit_pattern(pattern, phases, distance_relative_sigma=1e-4, free=["zero", "displacement"])
    assert free.phases[CEH9].a_systematic_ang == pytest.approx(0.0, abs=1e-9)
    both = fit_pattern(pattern, phases, distance_relative_sigma=1e-4, wavelength_sigma_ang=6.199e-5)
    assert both.phases[CEH9].a_systematic_ang > found.a_systematic_ang


def test_zero_and_displacement_are_found_with_their_uncertainties(simulator: ModuleType, phases: list[Phase]) -> None:
    random = np.random.default_rng(8)
    pulls = []
    for _ in range(20):
        made = simulator.simulate(random, level="good", zero=0.01, displacement=4e-4)
        fit = fit_pattern(as_pattern(made), phases, free=["zero", "displacement"])
        assert fit.verdict is Verdict.CONVERGED
        pulls.append(
            [
                (fit.zero_deg - 0.01) / fit.zero_sigma_deg,
                (fit.displacement - 4e-4) / fit.displacement_sigma,
                *pulls_of(fit, {CEH9: simulator.CEH9, CEH4: simulator.CEH4}, "sigma"),
            ]
        )
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 4.0 / math.sqrt(20))
    assert np.all(np.std(pulls, axis=0) < 1.6)


@pytest.mark.parametrize("reverse", [False, True])
def test_many_patterns_at_once_give_the_numbers_of_one_at_a_time(
    simulator: ModuleType, phases: list[Phase], reverse: bool
) -> None:
    random = np.random.default_rng(9)
    patterns = []
    for index in range(8):
        factor = 1 + 0.0012 * index
        ceh9 = tuple(factor * axis for axis in simulator.CEH9)
        ceh4 = tuple(factor * axis for axis in simulator.CEH4)
        patterns.append(as_pattern(simulator.simulate(random, ceh9=ceh9, ceh4=ceh4), f"p{index}"))
    if reverse:
        patterns.reverse()
    together = fit_patterns(patterns, phases)
    assert [fit.file for fit in together] == [pattern.name for pattern in patterns]
    for pattern, fit in zip(patterns, together, strict=True):
        alone = fit_pattern(pattern, phases)
        for name in (CEH9, CEH4):
            for number in NUMBERS:
                difference = getattr(fit.phases[name], number) - getattr(alone.phases[name], number)
                assert abs(difference) < 0.05 * sigma_of(alone.phases[name], number), (pattern.name, name, number)


@pytest.mark.parametrize("hopeless", ["noise", "other"])
def test_one_hopeless_first_pattern_does_not_poison_the_others(
    simulator: ModuleType, phases: list[Phase], hopeless: str
) -> None:
    random = np.random.default_rng(10)
    if hopeless == "noise":
        first = as_pattern(simulator.simulate(random, ceh9=None, ceh4=None))
    else:
        cells = {"ceh9": (3.45, 5.9), "ceh4": (3.05, 5.3)}
        first = as_pattern(simulator.simulate(random, level="good", **cells))
    others = [as_pattern(simulator.simulate(random)) for _ in range(4)]
    for fit in fit_patterns([first, *others], phases)[1:]:
        assert fit.verdict is Verdict.CONVERGED
        pulls = pulls_of(fit, {CEH9: simulator.CEH9, CEH4: simulator.CEH4}, "sigma")
        assert max(abs(pull) for pull in pulls) < 4.5


def test_a_constant_factor_on_intensity_and_sigma_changes_no_cell(simulator: ModuleType, phases: list[Phase]) -> None:
    made = simulator.simulate(np.random.default_rng(11))
    plain = fit_pattern(as_pattern(made), phases)
    for factor in (1e-6, 1e6):
        scaled = Pattern(
            two_theta_deg=made.two_theta,
            intensity=factor * made.counts,
            sigma=factor * made.sigma,
            wavelength_ang=0.6199,
        )
        fit = fit_pattern(scaled, phases)
        assert fit.verdict is plain.verdict
        for name in (CEH9, CEH4):
            found, other = fit.phases[name], plain.phases[name]
            assert abs(found.a_ang - other.a_ang) < 0.02 * other.a_sigma_ang
            assert found.a_sigma_ang == pytest.approx(other.a_sigma_ang, rel=0.01)
            assert found.significance == pytest.approx(other.significance, rel=0.01)


def test_sigmas_that_are_half_of_the_truth_are_made_good(simulator: ModuleType, phases: list[Phase]) -> None:
    made = simulator.simulate(np.random.default_rng(12))
    plain = fit_pattern(as_pattern(made), phases)
    low = Pattern(two_theta_deg=made.two_theta, intensity=made.counts, sigma=made.sigma / 2, wavelength_ang=0.6199)
    fit = fit_pattern(low, phases)
    assert fit.gof == pytest.approx(2.0, abs=0.1)
    assert fit.phases[CEH9].a_sigma_ang == pytest.approx(plain.phases[CEH9].a_sigma_ang, rel=0.08)
    assert fit.phases[CEH9].a_statistical_ang == pytest.approx(plain.phases[CEH9].a_statistical_ang / 2, rel=0.08)


def test_excluded_regions_and_points_that_were_not_measured_take_no_part(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    made = simulator.simulate(np.random.default_rng(13), level="good")
    hurt = made.counts.copy()
    spot = (made.two_theta > 11.4) & (made.two_theta < 11.8)
    hurt[spot] += 5e5
    pattern = Pattern(two_theta_deg=made.two_theta, intensity=hurt, sigma=made.sigma, wavelength_ang=0.6199)
    fit = fit_pattern(pattern, phases, exclude_deg=[(11.4, 11.8), (5.0, 5.5)])
    assert not np.any(fit.fitted & (fit.two_theta_deg > 11.4) & (fit.two_theta_deg < 11.8))
    assert max(abs(p) for p in pulls_of(fit, {CEH9: simulator.CEH9, CEH4: simulator.CEH4}, "sigma")) < 4
    blank = Pattern(
        two_theta_deg=made.two_theta,
        intensity=np.where(spot, np.nan, hurt),
        sigma=made.sigma,
        wavelength_ang=0.6199,
    )
    same = fit_pattern(blank, phases, exclude_deg=[(5.0, 5.5)])
    assert same.phases[CEH9].a_ang == pytest.approx(fit.phases[CEH9].a_ang, abs=1e-6)


def test_what_is_fixed_stays_and_has_no_uncertainty(simulator: ModuleType, phases: list[Phase]) -> None:
    pattern = as_pattern(simulator.simulate(np.random.default_rng(14)))
    fit = fit_pattern(pattern, phases, fix=["CeH4-I4mmm:cell"], search="never")
    assert fit.phases[CEH4].a_ang == pytest.approx(2.838, abs=1e-12)
    assert fit.phases[CEH4].a_sigma_ang == 0
    assert fit.phases[CEH9].a_sigma_ang > 0


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("no phase is given", {"phases": []}),
        ("is given 2 times", {"phases": "twice"}),
        ("the range runs from 25 to 5°. Expected the lower angle first", {"two_theta_deg": (25, 5)}),
        ("the range 30 to 40° has no data. Expected a part of 4 to 25°", {"two_theta_deg": (30, 40)}),
        ("no line between 4° and 6°", {"two_theta_deg": (4, 6)}),
        ("3 measured points between", {"two_theta_deg": (12.95, 12.98), "phases": "CeH9"}),
        ("the excluded region runs from 12 to 11", {"exclude_deg": [(12, 11)]}),
        ("a cell is given for 'CeH9'.*Did you mean 'CeH9-P63mmc'", {"cells": {"CeH9": {"a_ang": 3.7}}}),
        ("'b_ang' is not free in a hexagonal cell", {"cells": {CEH9: {"b_ang": 3.7}}}),
        ("has no volume", {"cells": {CEH9: {"a_ang": 0.0}}}),
        ("has no volume", {"cells": {CEH9: {"a_ang": -3.7}}}),
        ("its cell is not known", {"cells": {CEH9: {"a_ang": math.nan}}}),
        ("'zro' cannot be freed or fixed.*Did you mean 'zero'", {"free": ["zro"]}),
        ("'CeH4:size' names no phase", {"fix": ["CeH4:size"]}),
        ("are lists of words", {"free": "zero"}),
        ("search is 'hard'", {"search": "hard"}),
        ("background is 0", {"background": 0}),
        ("background is 'many'", {"background": "many"}),
        ("the uncertainty of the wavelength is -1", {"wavelength_sigma_ang": -1.0}),
        ("the uncertainty of the distance is nan", {"distance_relative_sigma": math.nan}),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_plain_words(
    simulator: ModuleType, phases: list[Phase], words: str, options: dict[str, Any]
) -> None:
    pattern = as_pattern(simulator.simulate(np.random.default_rng(15)))
    given = dict(options)
    chosen = given.pop("phases", phases)
    if isinstance(chosen, str):
        chosen = {"twice": [phases[0], phases[0]], "CeH9": phases[:1]}[chosen]
    with pytest.raises(InputError, match=words):
        fit_pattern(pattern, chosen, **given)


def test_a_pattern_of_zeros_has_nothing_in_it(phases: list[Phase]) -> None:
    angles = np.linspace(4.0, 25.0, 500)
    fit = fit_pattern(Pattern(two_theta_deg=angles, intensity=np.zeros(500), wavelength_ang=0.6199), phases)
    assert fit.verdict is Verdict.ABSENT
    assert math.isnan(fit.rwp_percent)
    assert math.isnan(fit.rp_percent)


def test_no_pattern_at_all_gives_no_fit(phases: list[Phase]) -> None:
    assert fit_patterns([], phases) == []


def test_a_line_at_the_very_end_of_the_range_drowns_no_share(simulator: ModuleType, phases: list[Phase]) -> None:
    (end,) = simulator.hexagonal_angles(((2, 0, 1, 21.0),), *simulator.CEH9, simulator.WAVELENGTH)
    pattern = as_pattern(simulator.simulate(np.random.default_rng(31), limits=(4.0, 30.0)))
    for away in (-0.03, -0.01, 0.0, 0.02):
        fit = fit_pattern(pattern, phases, two_theta_deg=(5.0, float(end) + away), background=30)
        assert fit.verdict is Verdict.CONVERGED, fit.reason
        assert sum(found.share for found in fit.phases.values()) == pytest.approx(1.0)
        assert 0 < fit.phases[CEH9].share_sigma < 0.015


def test_a_shift_of_the_zero_that_nobody_freed_is_told_and_cured_by_freeing_it(
    simulator: ModuleType, phases: list[Phase]
) -> None:
    random = np.random.default_rng(31)
    for _ in range(4):
        pattern = as_pattern(simulator.simulate(random, level=(100_000.0, 3000.0), zero=0.01))
        fit = fit_pattern(pattern, phases)
        assert fit.verdict is not Verdict.CONVERGED
        assert "Free zero" in fit.phases[CEH9].reason
        freed = fit_pattern(pattern, phases, free=["zero"])
        assert freed.verdict is Verdict.CONVERGED
        assert freed.zero_deg == pytest.approx(0.01, abs=5 * freed.zero_sigma_deg)
        straight = fit_pattern(as_pattern(simulator.simulate(random, level=(100_000.0, 3000.0))), phases)
        assert straight.verdict is Verdict.CONVERGED
