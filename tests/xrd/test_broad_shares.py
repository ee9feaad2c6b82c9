"""Shares where the lines of one phase are far wider than those of another. All patterns are SIMULATED."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd import assess
from tests.xrd import simulator

Floats = NDArray[np.float64]
CELLS = {
    "CeH9-P63mmc": {"a_ang": simulator.CEH9[0], "c_ang": simulator.CEH9[1]},
    "CeH4-I4mmm": {"a_ang": simulator.CEH4[0], "c_ang": simulator.CEH4[1]},
}


def beside_broad(seed: int, *, gauss: float, lorentz: float) -> tuple[hs.Pattern, float]:
    """Sharp CeH9 beside CeH4 of other widths, with the share of CeH4."""
    x = np.linspace(4.0, 25.0, 2000)
    sharp = simulator.hexagonal_angles(simulator.CEH9_LINES, *simulator.CEH9, simulator.WAVELENGTH)
    broad = simulator.tetragonal_angles(simulator.CEH4_LINES, *simulator.CEH4, simulator.WAVELENGTH)
    clean, areas = simulator.background(x, 3000.0), [0.0, 0.0]
    for place, line in zip(sharp, simulator.CEH9_LINES, strict=True):
        clean = clean + simulator.peak(x, place, 18.0 * line[3], 0.066, 0.01)
        areas[0] += 18.0 * line[3] * (place < 25.0)
    for place, line in zip(broad, simulator.CEH4_LINES, strict=True):
        clean = clean + simulator.peak(x, place, 9.0 * line[3], gauss, lorentz)
        areas[1] += 9.0 * line[3] * (place < 25.0)
    counts = np.random.default_rng([seed, 17]).poisson(clean).astype(float)
    pattern = hs.Pattern(two_theta_deg=x, intensity=counts, wavelength_ang=simulator.WAVELENGTH)
    return pattern, areas[1] / sum(areas)


def share_pull(seed: int, *, gauss: float, lorentz: float) -> tuple[float, float]:
    pattern, true = beside_broad(seed, gauss=gauss, lorentz=lorentz)
    found = hs.fit_pattern(pattern, [hs.read_phase(name) for name in CELLS], cells=CELLS).phases["CeH4-I4mmm"]
    return (found.share - true) / found.share_sigma, found.share_sigma


def test_a_share_of_broad_lines_knows_that_their_shape_was_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(4):
        pull, sigma = share_pull(seed, gauss=0.25, lorentz=0.25)
        assert abs(pull) < 2.5
    monkeypatch.setattr(assess, "share_sigmas", lambda _, evidence: evidence.share_sigma)
    bare, statistical = share_pull(seed, gauss=0.25, lorentz=0.25)
    assert abs(bare) > 5
    assert sigma > 3 * statistical


def test_a_share_of_lines_of_like_width_stays_statistical(monkeypatch: pytest.MonkeyPatch) -> None:
    pull, sigma = share_pull(1, gauss=0.066, lorentz=0.06)
    monkeypatch.setattr(assess, "share_sigmas", lambda _, evidence: evidence.share_sigma)
    assert share_pull(1, gauss=0.066, lorentz=0.06) == pytest.approx((pull, sigma))
    assert abs(pull) < 4


def test_what_one_share_leaves_open_the_others_share() -> None:
    pattern, _ = beside_broad(2, gauss=0.25, lorentz=0.25)
    fit = hs.fit_pattern(pattern, [hs.read_phase(name) for name in CELLS], cells=CELLS)
    first, second = fit.phases.values()
    assert first.share + second.share == pytest.approx(1.0)
    assert first.share_sigma == pytest.approx(second.share_sigma, rel=1e-6)
