"""Edges of the second simulator: other shapes, axes and detectors; a part of what scripts/check_edges.py counts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from anvil_simulator import FAMILIES, simulate_anvil

import hydrostruct as hs
from hydrostruct.numerics.noise import spike_mask
from hydrostruct.raman.edge_fit import EdgeCandidate
from hydrostruct.raman.edge_rule import FoundStep, chosen_step
from hydrostruct.raman.line_or_step import line_preference
from hydrostruct.raman.step import failed_step
from hydrostruct.verdict import Verdict

X = np.arange(1500.0, 1600.0, 1.0)


def found_edge(made: object) -> object:
    return hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts))  # type: ignore[attr-defined]


def test_a_seeded_part_of_the_second_simulator_is_right_or_flagged() -> None:
    random = np.random.default_rng(20261125)
    errors, wrong, unflagged = [], 0, 0
    for number in range(48):
        made = simulate_anvil(random, family=FAMILIES[number % len(FAMILIES)])
        edge = found_edge(made)
        error = edge.edge_cm1 - made.edge_cm1
        errors.append(error)
        wrong += not abs(error) < 6.0
        unflagged += not abs(error) < 6.0 and edge.verdict == "converged"
    assert wrong <= 5
    assert unflagged == 0
    assert abs(float(np.nanmedian(errors))) < 0.3


def test_no_edge_of_the_second_simulator_is_converged_where_there_is_none() -> None:
    random = np.random.default_rng(5)
    found = [found_edge(simulate_anvil(random, contrast=0.0)) for _ in range(24)]
    assert sum(edge.verdict == "absent" for edge in found) >= 19
    assert not any(edge.verdict == "converged" for edge in found)


def test_where_the_noise_hides_the_steps_looked_for_absence_is_not_said() -> None:
    random = np.random.default_rng(6)
    x = np.linspace(1100.0, 1800.0, 600)
    clean = 3000.0 / (1.0 + ((x - 1345.0) / 5.0) ** 2) + 8000.0
    edge = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=clean + random.normal(0.0, 250.0, x.size)))
    assert edge.verdict == "ambiguous"
    assert "hides steps" in edge.reason
    assert edge.candidates
    quiet = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=clean + random.normal(0.0, 20.0, x.size)))
    assert quiet.verdict == "absent"


def band_and_step(random: np.random.Generator, *, contrast: float, noise: float) -> hs.Spectrum:
    x = np.linspace(1150.0, 1750.0, 600)
    clean = 10000.0 / (1.0 + ((x - 1345.0) / 6.0) ** 2) + 3000.0
    step = 10000.0 * contrast * (0.5 - 0.5 * np.tanh((x - 1540.0) / 4.0))
    return hs.Spectrum(shift_cm1=x, intensity=clean + step + random.normal(0.0, noise, x.size))


def test_a_step_that_noise_all_but_hides_is_ambiguous_and_not_absent() -> None:
    unsure = [hs.find_edge(band_and_step(np.random.default_rng(k), contrast=0.05, noise=200.0)) for k in range(60)]
    assert all(edge.ambiguous for edge in unsure)
    missed = [edge for edge in unsure if "cannot be excluded" in edge.reason]
    assert len(missed) >= 3
    assert sum(abs(edge.edge_cm1 - 1540.0) < 6.0 for edge in missed) >= len(missed) - 1
    empty = [hs.find_edge(band_and_step(np.random.default_rng(k), contrast=0.0, noise=150.0)) for k in range(60)]
    assert sum(edge.verdict == "absent" for edge in empty) >= 56


def test_a_step_that_a_smeared_cosmic_ray_cuts_in_two_is_ambiguous() -> None:
    x = np.linspace(1100.0, 1750.0, 325)
    clean = 40000.0 / (1.0 + ((x - 1345.0) / 7.0) ** 2) + 5000.0 + 9000.0 * (0.5 - 0.5 * np.tanh((x - 1565.0) / 3.0))
    counts = clean + np.random.default_rng(1).normal(0.0, 60.0, x.size)
    verdicts = []
    for ray in (0.0, 15000.0):
        counts[int(np.searchsorted(x, 1565.0)) + 2] += ray
        smooth = np.convolve(np.pad(counts, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        edge = hs.find_edge(hs.Spectrum(shift_cm1=x, intensity=smooth))
        verdicts.append(edge.verdict)
    assert verdicts == ["converged", "ambiguous"]
    assert "cuts the fall" in edge.reason


def test_of_two_steps_side_by_side_the_higher_is_doubted() -> None:
    pair = [found_step(at, significance=16.0, height=1.0, line=-30.0) for at in (1560.0, 1566.0)]
    best, verdict, reason = chosen_step(pair, near_cm1=None, band=1345.0)
    assert best is pair[1]
    assert verdict == "ambiguous"
    assert "right beside it" in reason
    cut = replace(pair[1], cut=True)
    assert "cuts the fall" in chosen_step([cut], near_cm1=None, band=1345.0)[2]
    assert chosen_step([pair[1]], near_cm1=None, band=1345.0)[1] == "converged"


def line_like(place: float, *, significance: float, line: float) -> FoundStep:
    one = found_step(place, significance=significance, height=1.0, line=line)
    return replace(one, candidate=replace(one.candidate, kind="line"))


@pytest.mark.parametrize(("significance", "verdict"), [(11.0, "ambiguous"), (7.0, "converged")])
def test_a_step_beside_the_band_is_doubted_where_a_plain_fall_like_a_lines_stands_above(
    significance: float, verdict: str
) -> None:
    beside = found_step(1370.0, significance=38.0, height=2.0, line=math.nan)
    above = line_like(1492.0, significance=significance, line=8.0)
    best, found, _ = chosen_step([beside, above], near_cm1=None, band=1345.0)
    assert best is beside
    assert found == verdict
    lone = found_step(1440.0, significance=38.0, height=2.0, line=-30.0)
    assert chosen_step([lone, above], near_cm1=None, band=1345.0)[1] == "converged"


@pytest.mark.parametrize(
    ("significance", "line", "verdict"), [(5.5, 9.0, "ambiguous"), (5.5, 20.0, "absent"), (4.5, 9.0, "absent")]
)
def test_the_only_fall_is_no_certain_line_where_a_line_is_little_better(
    significance: float, line: float, verdict: str
) -> None:
    only = line_like(1518.0, significance=significance, line=line)
    assert chosen_step([only], near_cm1=None, band=1345.0)[1] == verdict


def found_step(place: float, *, significance: float, height: float, line: float) -> FoundStep:
    candidate = EdgeCandidate(
        edge_cm1=place, edge_sigma_cm1=0.3, significance=significance, contrast=0.2, width_cm1=4.0, kind="step"
    )
    fit = replace(failed_step(), verdict=Verdict.CONVERGED, position_cm1=place, height=height)
    return FoundStep(candidate=candidate, fit=fit, line_preference=line)


@pytest.mark.parametrize(("surer", "line", "place"), [(40.0, 2.0, 1540.0), (25.0, 2.0, 1600.0), (40.0, -8.0, 1600.0)])
def test_a_fall_like_a_lines_gives_way_to_a_lower_step_twice_as_sure(surer: float, line: float, place: float) -> None:
    lower = found_step(1540.0, significance=surer, height=1.5, line=-30.0)
    upper = found_step(1600.0, significance=15.0, height=1.0, line=line)
    best, verdict, _ = chosen_step([lower, upper], near_cm1=None, band=1345.0)
    assert best is not None
    assert best.candidate.edge_cm1 == place
    assert verdict == ("ambiguous" if abs(line) < 6.0 else "converged")


@pytest.mark.parametrize(("significance", "verdict"), [(6.0, "ambiguous"), (8.0, "converged")])
def test_a_lone_step_is_doubted_where_it_could_be_noise_and_not_where_it_is_only_imprecise(
    significance: float, verdict: str
) -> None:
    lone = found_step(1540.0, significance=significance, height=1.0, line=-30.0)
    assert chosen_step([lone], near_cm1=None, band=1345.0)[1] == verdict


@pytest.mark.parametrize(
    ("height", "line", "verdict"), [(10.0, 9.0, "ambiguous"), (10.0, 600.0, "converged"), (1.5, 9.0, "converged")]
)
def test_a_step_that_a_fall_like_a_lines_above_outdoes_is_doubted_unless_it_is_a_line(
    height: float, line: float, verdict: str
) -> None:
    step = found_step(1498.0, significance=20.0, height=1.0, line=-100.0)
    above = line_like(1547.0, significance=35.0, line=line)
    above = replace(above, fit=replace(above.fit, height=height))
    assert chosen_step([step, above], near_cm1=None, band=1345.0)[1] == verdict


def test_a_plain_fall_of_less_than_the_meant_height_is_not_passed_over_for_a_line_little_better() -> None:
    only = line_like(1545.0, significance=14.0, line=11.0)
    low = replace(only, candidate=replace(only.candidate, contrast=0.033))
    assert chosen_step([low], near_cm1=None, band=1345.0)[1] == "ambiguous"
    feeble = replace(low, candidate=replace(low.candidate, significance=7.0))
    assert chosen_step([feeble], near_cm1=None, band=1345.0)[1] == "absent"


def test_a_line_above_the_foot_of_an_edge_is_a_line_however_curved_its_background_is() -> None:
    clean = 500.0 + 100.0 / (1.0 + ((X - 1555.0) / 5.5) ** 2) + 200.0 * np.exp(-(X - 1500.0) / 15.0)
    place, sigma = 1555.0 + 11.0 / math.sqrt(12.0), np.full(X.size, 2.0)
    for seed in range(10):
        y = clean + np.random.default_rng(seed).normal(0.0, sigma)
        assert line_preference(X, y, sigma=sigma, place_cm1=place) > 100.0


@pytest.mark.parametrize("width", [5.0, 12.0, 25.0])
def test_a_line_is_told_from_a_step_and_a_hump_before_an_edge_is_no_line(width: float) -> None:
    random = np.random.default_rng(7)
    noise = random.normal(0.0, 2.0, X.size)
    line = 100.0 * np.exp(-4.0 * math.log(2.0) * ((X - 1555.0) / width) ** 2)
    step = 100.0 * (0.5 - 0.5 * np.tanh((X - 1560.0) / 3.0))
    sigma = np.full(X.size, 2.0)

    def preference(y: np.ndarray, place: float) -> float:
        return line_preference(X, 500.0 + y + noise, sigma=sigma, place_cm1=place)

    assert preference(line, 1555.0 + 0.4247 * width) > 6.0
    assert preference(step, 1560.0) < -6.0
    assert preference(step * (1.0 + 0.003 * line), 1560.0) <= 0.0


def test_needles_on_a_falling_edge_are_spikes_and_a_line_of_three_points_is_none() -> None:
    random = np.random.default_rng(8)
    y = 1000.0 + 4000.0 * (0.5 - 0.5 * np.tanh((X - 1550.0) / 4.0)) + random.normal(0.0, 5.0, X.size)
    assert not spike_mask(y).any()
    hit = y.copy()
    hit[50] += 900.0
    hit[56:58] += 400.0
    assert set(np.flatnonzero(spike_mask(hit))) == {50, 56, 57}
    sharp = y + 900.0 * np.exp(-4.0 * math.log(2.0) * ((X - 1575.3) / 3.0) ** 2)
    assert not spike_mask(sharp)[70:80].any()
