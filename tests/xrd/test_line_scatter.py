"""Lines of spotty rings: of widths of their own, and moved each by a part of its width. All patterns are SIMULATED."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import hydrostruct as hs
from hydrostruct.xrd import kernels, line_scatter
from hydrostruct.xrd.engine import fit_with_background, start_values
from hydrostruct.xrd.evidence import Evidence, weigh_evidence
from hydrostruct.xrd.model import build_model, prepare_data
from hydrostruct.xrd.profile import CORE_FWHM, TYPICAL_MIXING
from tests.xrd import simulator

Floats = NDArray[np.float64]
GAUSS, LORENTZ, FWHM = 0.066, 0.024, 0.079
STARTS = {"CeH9-P63mmc": {"a_ang": 3.676, "c_ang": 5.425}}
PLACES = simulator.hexagonal_angles(simulator.CEH9_LINES, *simulator.CEH9, simulator.WAVELENGTH)


def spotty(seed: int, *, wider: float = 0.0, moved: float = 0.0, height: float = 3000.0) -> tuple[hs.Pattern, Floats]:
    """CeH9 whose widths scatter by a part of themselves, and places by a part of the width; with the widths."""
    random = np.random.default_rng([seed, 13])
    x = np.linspace(4.0, 25.0, 2000)
    factors = np.exp(wider * random.normal(size=PLACES.size))
    clean = simulator.background(x, 3000.0)
    for line, place, factor in zip(simulator.CEH9_LINES, PLACES, factors, strict=True):
        area = height * FWHM * 1.15 * line[3] / 100.0
        at = place + moved * FWHM * random.normal()
        clean = clean + simulator.peak(x, at, area, GAUSS * factor, LORENTZ * factor)
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=simulator.WAVELENGTH,
    ), factors


def weighed(pattern: hs.Pattern) -> Evidence:
    model = build_model([hs.read_phase("CeH9-P63mmc")], simulator.WAVELENGTH, cells=STARTS, two_theta_deg=(4.0, 25.0))
    data = prepare_data(pattern, background_terms=20)
    solution, used = fit_with_background(model, data, start_values(model, data), terms=None)
    return weigh_evidence(model, used, solution)


def test_the_pull_of_a_width_is_that_of_the_line() -> None:
    """Noise-free lines of known widths, fitted with one width: slope over curvature gives each back."""
    x = np.linspace(0.0, 10.0, 4000)
    centers, factors = np.array([2.0, 5.0, 8.0]), np.array([0.97, 1.0, 1.04])
    area = np.array([30.0, 60.0, 20.0])

    def drawn(widths: Floats) -> Floats:
        fixed = (1 - TYPICAL_MIXING) / TYPICAL_MIXING
        lorentz = [w / 2 / np.pi / ((x - c) ** 2 + w**2 / 4) for c, w in zip(centers, widths, strict=True)]
        bell = 2 * np.sqrt(np.log(2) / np.pi)
        gauss = [bell / w * np.exp(-4 * np.log(2) * ((x - c) / w) ** 2) for c, w in zip(centers, widths, strict=True)]
        return TYPICAL_MIXING * area @ (np.array(lorentz) + fixed * np.array(gauss))

    slope, size = kernels.width_pulls(
        x,
        np.ones(x.size),
        drawn(0.1 * factors) - drawn(np.full(3, 0.1)),
        np.arange(3),
        centers,
        np.full(3, 0.1),
        area,
        TYPICAL_MIXING,
        CORE_FWHM,
    )
    np.testing.assert_allclose(slope / size, np.log(factors), atol=0.003)


def test_lines_of_one_width_in_their_places_scatter_by_noise_alone() -> None:
    seen = [weighed(spotty(seed)[0]).scatter is not None for seed in range(40)]
    assert sum(seen) <= 6  # 1 in 20 by the places, 1 in 100 by the widths


def test_widths_that_scatter_tell_of_grains_though_the_places_look_right() -> None:
    found = [weighed(spotty(seed, wider=0.12)[0]) for seed in range(20)]
    told = [one for one in found if one.scatter is not None and one.scatter.is_of_widths]
    assert len(told) >= 10  # 4 by the places; where these leave less than chance has it 1 in 5 times, nothing
    for one in told:
        assert one.scatter is not None
        added = np.diag(one.scatter.parameter_covariance)[:2] / np.diag(one.parameter_covariance)[:2]
        assert np.all(added > 0)
        assert np.all(added < 25)
        assert np.all(one.scatter.of_width == 0)


def test_widths_that_scatter_alone_raise_no_doubt() -> None:
    for seed in range(6):
        fit = hs.fit_pattern(spotty(seed, wider=0.12)[0], [hs.read_phase("CeH9-P63mmc")], cells=STARTS)
        assert fit.verdict is hs.Verdict.CONVERGED, fit.reason


@pytest.mark.parametrize(("height", "seed"), [(1500.0, 190), (1500.0, 305), (3000.0, 18)])
def test_sigma_covers_grains_that_the_places_do_not_show(
    height: float, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell took up the shifts of the strongest lines: 5.9, 7.5, and 5.2 sigma off by the places alone."""
    pattern = spotty(seed, wider=0.12, moved=0.07, height=height)[0]
    assert farthest(pattern) < 5
    monkeypatch.setattr(line_scatter, "_scatter_of_widths", lambda *_: 0.0)
    assert farthest(pattern) > 5


def test_one_sigma_of_spotty_lines_covers_two_thirds() -> None:
    pulls = np.array([pulls_of(spotty(seed, wider=0.12, moved=0.07, height=1500.0)[0]) for seed in range(60)])
    assert 0.55 < np.mean(np.abs(pulls) < 1) < 0.8


def pulls_of(pattern: hs.Pattern) -> tuple[float, float]:
    """Of a and c, in sigma."""
    found = hs.fit_pattern(pattern, [hs.read_phase("CeH9-P63mmc")], cells=STARTS).phases["CeH9-P63mmc"]
    a, c = simulator.CEH9
    return (found.a_ang - a) / found.a_sigma_ang, (found.c_ang - c) / found.c_sigma_ang


def farthest(pattern: hs.Pattern) -> float:
    return max(abs(pull) for pull in pulls_of(pattern))
