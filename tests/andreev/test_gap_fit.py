from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.andreev.contact import contact_regime
from hydrostruct.andreev.gap_fit import fit_gaps, read_gaps
from hydrostruct.verdict import Verdict

# the exact gap of weak coupling: B. Mühlschlegel, Z. Phys. 155, 313 (1959)
T = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
GAP = np.array([1.0, 0.99988, 0.99712, 0.98503, 0.95688, 0.90699, 0.82877, 0.71104, 0.52634, 0.38032])


def test_a_published_curve_gives_back_its_gap_and_tc() -> None:
    fit = fit_gaps(109.0 * T, 21.04 * GAP, gap_sigma_mev=np.full(T.size, 0.05))
    assert fit.gap0_mev == pytest.approx(21.04, abs=1e-3)
    assert fit.tc_k == pytest.approx(109.0, abs=2e-3)
    assert fit.ratio == pytest.approx(4.480, abs=1e-3)
    assert fit.verdict is Verdict.CONVERGED


@pytest.mark.parametrize(
    ("tc", "ratio"), [(98, 4.983), (105, 4.651), (109, 4.480), (112, 4.360), (115, 4.246), (120, 4.069)]
)
def test_the_ratio_is_that_of_the_tc_that_is_named(tc: float, ratio: float) -> None:
    fit = fit_gaps([2.0], [21.04], gap_sigma_mev=[0.2], tc_k=tc, tc_sigma_k=2.0)
    assert fit.ratio == pytest.approx(ratio, abs=6e-4)
    assert fit.tc_source == "given"
    assert fit.ratio_sigma == pytest.approx(ratio * math.hypot(0.2 / 21.04, 2 / tc), rel=0.01)
    assert math.isnan(fit.fitted_tc_k)


def test_pulls_of_gap_tc_and_ratio_have_spread_one() -> None:
    random = np.random.default_rng(3)
    found = []
    for _ in range(150):
        gap = 21.04 * GAP + random.normal(0, 0.3, T.size)
        fit = fit_gaps(109.0 * T, gap, gap_sigma_mev=np.full(T.size, 0.3))
        truth = 2 * 21.04 / (0.08617333262 * 109)
        found.append(
            [
                (fit.gap0_mev - 21.04) / fit.gap0_sigma_mev,
                (fit.tc_k - 109) / fit.tc_sigma_k,
                (fit.ratio - truth) / fit.ratio_sigma,
            ]
        )
    pulls = np.array(found)
    # 3.3 standard errors of 150 numbers; χ² above 1 widens sigma, so spreads lie a little below 1
    assert np.all(np.abs(pulls.mean(axis=0)) < 3.3 / math.sqrt(150))
    assert np.all(pulls.std(axis=0) < 1 + 3.3 / math.sqrt(300))
    assert np.all(pulls.std(axis=0) > 0.75)


def test_gaps_that_end_far_below_tc_are_doubtful() -> None:
    fit = fit_gaps(109.0 * T[:6], 21.04 * GAP[:6], gap_sigma_mev=np.full(6, 0.2))
    assert fit.verdict is Verdict.DOUBTFUL
    assert "far above the last gap" in fit.reason


def test_without_uncertainties_the_scatter_tells_them() -> None:
    random = np.random.default_rng(1)
    fit = fit_gaps(109.0 * T, 21.04 * GAP + random.normal(0, 0.2, T.size))
    assert 0.03 < fit.gap0_sigma_mev < 0.3
    assert abs(fit.tc_k - 109) < 4 * fit.tc_sigma_k


def test_files_are_read_by_name_or_by_place(tmp_path: Path) -> None:
    named = tmp_path / "a.csv"
    named.write_text("gap_mev,temperature_k\n21.0,2\n20.0,40\n")
    temperature, gap, sigma = read_gaps(named)
    assert temperature.tolist() == [2.0, 40.0]
    assert gap.tolist() == [21.0, 20.0]
    assert sigma is None
    bare = tmp_path / "b.csv"
    bare.write_text("2 21 0.1\n40 20 0.2\n")
    sigma = read_gaps(bare)[2]
    assert sigma is not None
    assert sigma.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("temperature", "gap", "sigma"),
    [([2.0], [21.0], [0.1]), ([2.0, -1.0], [21.0, 20.0], [0.1, 0.1]), ([2.0, 3.0], [21.0, 20.0], [0.1, 0.0])],
)
def test_wrong_gaps_are_refused(temperature: list[float], gap: list[float], sigma: list[float]) -> None:
    with pytest.raises(hs.InputError):
        fit_gaps(temperature, gap, gap_sigma_mev=sigma)


def test_the_contact_of_the_paper_is_not_ballistic() -> None:
    contact = contact_regime(5.0, resistivity_uohm_cm=100.0, mean_free_path_nm=1.0)
    assert contact.regime == "thermal"
    assert "does not measure energies" in contact.warning
    assert contact.sharvin_ohm == pytest.approx(1.7e-5, rel=0.02)
    assert contact.maxwell_ohm == pytest.approx(0.1, rel=0.01)
    small = contact_regime(0.001, resistivity_uohm_cm=100.0, mean_free_path_nm=10.0)
    assert small.regime == "ballistic"
    assert small.warning == ""
    with pytest.raises(hs.InputError, match="radius_um"):
        contact_regime(0.0, resistivity_uohm_cm=1.0, mean_free_path_nm=1.0)
