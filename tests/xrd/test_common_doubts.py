"""What the verdict of one phase says of the others. The pattern is SIMULATED."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.xrd.common_doubts import with_common_doubts
from hydrostruct.xrd.fit_result import PhaseFit
from tests.xrd import simulator

NAMES = ("CeH9-P63mmc", "CeH4-I4mmm")
NUMBERS = dict.fromkeys(NAMES, 2)


@pytest.fixture(scope="module")
def fits() -> dict[str, PhaseFit]:
    made = simulator.simulate(np.random.default_rng(3))
    pattern = hs.Pattern(
        two_theta_deg=made.two_theta, intensity=made.counts, sigma=made.sigma, wavelength_ang=simulator.WAVELENGTH
    )
    found = hs.fit_pattern(pattern, [hs.read_phase(name) for name in NAMES])
    assert found.verdict is hs.Verdict.CONVERGED
    return dict(found.phases)


def test_two_phases_without_doubt_stay_as_they_are(fits: dict[str, PhaseFit]) -> None:
    after = with_common_doubts(fits, cell_numbers=NUMBERS, followed=True, single_peaks=99, observed=9)
    assert after == fits


def test_a_phase_with_lines_enough_of_its_own_is_not_doubted_for_another(fits: dict[str, PhaseFit]) -> None:
    doubted = {**fits, NAMES[1]: replace(fits[NAMES[1]], verdict=hs.Verdict.DOUBTFUL)}
    after = with_common_doubts(doubted, cell_numbers=NUMBERS, followed=False, single_peaks=99, observed=9)
    assert after[NAMES[0]].verdict is hs.Verdict.CONVERGED


def test_a_phase_whose_lines_a_doubtful_one_shares_is_doubtful(fits: dict[str, PhaseFit]) -> None:
    doubted = {
        NAMES[0]: replace(fits[NAMES[0]], free_lines=2),
        NAMES[1]: replace(fits[NAMES[1]], verdict=hs.Verdict.AMBIGUOUS),
    }
    after = with_common_doubts(doubted, cell_numbers=NUMBERS, followed=False, single_peaks=0, observed=9)
    assert after[NAMES[0]].verdict is hs.Verdict.DOUBTFUL
    assert f"Only 2 of its lines lie apart from those of other phases, and {NAMES[1]}" in after[NAMES[0]].reason
    assert after[NAMES[1]].verdict is hs.Verdict.AMBIGUOUS


def test_where_single_peaks_outnumber_all_lines_and_follow_one_phase_all_are_doubtful(
    fits: dict[str, PhaseFit],
) -> None:
    doubted = {**fits, NAMES[1]: replace(fits[NAMES[1]], verdict=hs.Verdict.DOUBTFUL)}
    few = with_common_doubts(doubted, cell_numbers=NUMBERS, followed=True, single_peaks=9, observed=9)
    many = with_common_doubts(doubted, cell_numbers=NUMBERS, followed=True, single_peaks=10, observed=9)
    assert few[NAMES[0]].verdict is hs.Verdict.CONVERGED
    assert many[NAMES[0]].verdict is hs.Verdict.DOUBTFUL
    assert "may be lines of any phase" in many[NAMES[0]].reason
