"""The classical Le Bail fit: against a slow twin, against least squares, and for lines that are not there."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from hydrostruct.errors import InputError
from hydrostruct.material.phase import Phase, read_phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.lebail import PatternFit, fit_pattern
from hydrostruct.xrd.pattern import Pattern

Floats = NDArray[np.float64]
CEH9, CEH4 = "CeH9-P63mmc", "CeH4-I4mmm"
REACH, CORE = 25.0, 2.0


@pytest.fixture(scope="module")
def ceh9() -> Phase:
    return read_phase(CEH9)


def pattern_of(made: Any) -> Pattern:
    return Pattern(
        two_theta_deg=made.two_theta, intensity=made.counts, sigma=made.sigma, wavelength_ang=0.6199, name="simulated"
    )


class SlowPartition:
    """CeH9 by Le Bail's recipe: share the counts out point by point, then least squares at fixed areas, and again."""

    def __init__(self, simulator: ModuleType, pattern: Pattern, known: PatternFit, terms: int) -> None:
        assert pattern.sigma is not None
        self.simulator, self.x, self.y, self.sigma = simulator, pattern.two_theta_deg, pattern.intensity, pattern.sigma
        lines = known.phases[CEH9].lines
        self.hkl = tuple((*(float(abs(i)) for i in hkl),) for hkl in lines.hkl)
        # which points are shared out is decided once, by the fit that comes before
        self.core = [
            [bool(abs(x - place) <= CORE * width) for x in self.x]
            for place, width in zip(lines.two_theta_deg, lines.width_deg, strict=True)
        ]
        u = 2 * (self.x - self.x[0]) / (self.x[-1] - self.x[0]) - 1
        self.chebyshev = np.polynomial.chebyshev.chebvander(u, terms - 1)
        self.step = np.gradient(self.x)

    def profiles(self, values: Floats) -> list[Floats]:
        """Unit lines at a cell, one W and one size, lowered at their ends as the engine's are."""
        out = []
        for place in self.simulator.hexagonal_angles(self.hkl, values[0], values[1], 0.6199):
            g, l = math.sqrt(values[2]), values[3] / math.cos(math.radians(place / 2))  # noqa: E741
            full = (
                g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2 + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
            ) ** 0.2
            eta = 1.36603 * (l / full) - 0.47719 * (l / full) ** 2 + 0.11116 * (l / full) ** 3
            t = (self.x - place) / full
            tails = 2 / math.pi * (1 / (1 + 4 * t**2) - 1 / (1 + 4 * REACH**2))
            bell = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * math.log(2) * t**2)
            out.append(np.where(np.abs(t) <= REACH, (eta * tails + (1 - eta) * bell) / full, 0.0))
        return out

    def share(self, profiles: list[Floats], areas: list[float], background: Floats) -> list[float]:
        """One sharing: each line takes its part of what each point has above, or below, what is calculated."""
        calculated = background + sum(area * one for area, one in zip(areas, profiles, strict=True))
        amplitudes = []
        for area, profile, core in zip(areas, profiles, self.core, strict=True):
            known = sum((p / s) ** 2 for p, s, inside in zip(profile, self.sigma, core, strict=True) if inside)
            amplitudes.append((area + math.sqrt(area**2 + 4 / known)) / 2)
        fresh = list(areas)
        for i in range(self.x.size):
            parts = [a * p[i] if core[i] else 0.0 for a, p, core in zip(amplitudes, profiles, self.core, strict=True)]
            if sum(parts) > 0:
                for k, part in enumerate(parts):
                    fresh[k] += part / sum(parts) * (self.y[i] - calculated[i]) * self.step[i]
        return fresh

    def fit(self, start: Floats, cycles: int) -> tuple[Floats, list[float]]:
        """Cell, W and size, and the areas."""
        values = np.concatenate((start, [float(np.median(self.y))], np.zeros(self.chebyshev.shape[1] - 1)))
        areas = [float(np.sum((self.y - np.median(self.y)) * self.step)) / len(self.hkl)] * len(self.hkl)
        scale = np.concatenate((1e-3 * start, np.full(self.chebyshev.shape[1], 10.0)))
        for _ in range(cycles):
            for _ in range(2):
                areas = self.share(self.profiles(values), areas, self.chebyshev @ values[4:])

            def misfit(moved: Floats, before: Floats = values, now: tuple[float, ...] = tuple(areas)) -> Floats:
                at = before + scale * moved
                lines = sum(area * one for area, one in zip(now, self.profiles(at), strict=True))
                return (self.y - self.chebyshev @ at[4:] - lines) / self.sigma

            values = values + scale * optimize.least_squares(misfit, np.zeros(values.size), max_nfev=2).x
        return values[:4], areas


def test_the_partition_is_that_of_a_slow_and_obvious_twin(simulator: ModuleType, ceh9: Phase) -> None:
    made = simulator.simulate(
        np.random.default_rng(8), ceh4=None, limits=(9.5, 15.5), points=300, gauss=0.11, size=0.05, level=(3000, 500)
    )
    pattern = pattern_of(made)
    options: dict[str, Any] = {"background": 4, "search": "never"}
    squares = fit_pattern(pattern, [ceh9], **options)
    fast = fit_pattern(pattern, [ceh9], method="le-bail", **options)
    found = fast.phases[CEH9]
    assert fast.verdict is Verdict.CONVERGED
    assert len(found.lines.two_theta_deg) == 3
    slow = SlowPartition(simulator, pattern, squares, 4)
    values, areas = slow.fit(np.array([3.674, 5.427, 0.0121, 0.05]), 150)
    assert abs(found.a_ang - values[0]) < 0.05 * found.a_statistical_ang
    assert abs(found.c_ang - values[1]) < 0.05 * found.c_statistical_ang
    assert found.widths.size_deg == pytest.approx(values[3], abs=2e-3)
    assert np.all(np.abs(found.lines.intensity - areas) < 0.1 * found.lines.intensity_sigma)
    # and it is another place than that of least squares
    assert np.max(np.abs(found.lines.intensity / squares.phases[CEH9].lines.intensity - 1)) > 1e-4


def test_where_lines_are_apart_it_agrees_with_least_squares(simulator: ModuleType, ceh9: Phase) -> None:
    random = np.random.default_rng(9)
    for _ in range(12):
        pattern = pattern_of(simulator.simulate(random, ceh4=None, level="good"))
        squares, shared = (fit_pattern(pattern, [ceh9], method=one).phases[CEH9] for one in ("pawley", "le-bail"))
        for number in ("a", "c"):
            sigma = getattr(squares, f"{number}_sigma_ang")
            assert abs(getattr(shared, f"{number}_ang") - getattr(squares, f"{number}_ang")) < sigma
            assert 0.9 < getattr(shared, f"{number}_sigma_ang") / sigma < 1.25
        strong = squares.lines.intensity > 50 * squares.lines.intensity_sigma
        assert strong.sum() >= 3
        assert np.max(np.abs(shared.lines.intensity / squares.lines.intensity - 1)[strong]) < 0.04


def test_where_lines_overlap_it_is_the_less_accurate_and_says_so(simulator: ModuleType, ceh9: Phase) -> None:
    random = np.random.default_rng(10)
    phases = [ceh9, read_phase(CEH4)]
    ratios, pulls = [], []
    for _ in range(20):
        made = simulator.simulate(random, gauss=0.2, size=0.07, level=(18000.0, 3000.0))
        squares, shared = (fit_pattern(pattern_of(made), phases, method=one) for one in ("pawley", "le-bail"))
        if shared.verdict is Verdict.NOT_CONVERGED:
            continue
        ratios.append(shared.phases[CEH9].a_sigma_ang / squares.phases[CEH9].a_sigma_ang)
        pulls.append((shared.phases[CEH9].a_ang - simulator.CEH9[0]) / shared.phases[CEH9].a_sigma_ang)
    assert len(ratios) >= 12
    assert np.median(ratios) > 1.05
    assert abs(np.mean(pulls)) < 1.0
    assert np.std(pulls) < 2.0


def test_a_line_that_is_not_there_comes_out_negative_as_often_as_not(simulator: ModuleType, ceh9: Phase) -> None:
    """Le Bail's own sum, kept positive, would never; its mean would be 0.4 sigma."""
    random = np.random.default_rng(11)
    height = {line[:3]: line[3] for line in simulator.CEH9_LINES}
    assert height[1, 0, 2] == 17
    kept = simulator.CEH9_LINES
    simulator.CEH9_LINES = tuple((*line[:3], 0.0 if line[:3] == (1, 0, 2) else line[3]) for line in kept)
    try:
        made = [simulator.simulate(random, ceh4=None, level="mid") for _ in range(60)]
    finally:
        simulator.CEH9_LINES = kept
    pulls = []
    for one in made:
        lines = fit_pattern(pattern_of(one), [ceh9], method="le-bail").phases[CEH9].lines
        row = [sorted(abs(hkl)) == [0, 1, 2] and abs(hkl[2]) == 2 for hkl in lines.hkl].index(True)
        pulls.append(lines.intensity[row] / lines.intensity_sigma[row])
    assert 17 <= np.sum(np.array(pulls) < 0) <= 43  # 999 in 1000
    assert abs(np.mean(pulls)) < 0.2 + 3.3 / math.sqrt(60)
    assert 0.7 < np.std(pulls) < 1.35


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"method": "rietveld"}, "method is 'rietveld'. Expected one of pawley, le-bail"),
        ({"loss": "l2"}, "loss is 'l2'. Expected one of squares, soft-l1, cauchy"),
        ({"method": "le-bail", "loss": "cauchy"}, "Expected squares there"),
    ],
)
def test_a_method_or_loss_that_is_none_is_refused(
    simulator: ModuleType, ceh9: Phase, words: dict[str, str], message: str
) -> None:
    made = simulator.simulate(np.random.default_rng(1), ceh4=None)
    with pytest.raises(InputError, match=message):
        fit_pattern(pattern_of(made), [ceh9], **words)
