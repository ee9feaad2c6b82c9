"""How many background terms a fit takes when the data may choose."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy import stats

import hydrostruct as hs
from hydrostruct.xrd.model import (
    LONGEST_BACKGROUND_TERMS,
    MOST_BACKGROUND_TERMS,
    chebyshev_basis,
    prepare_data,
    with_more_terms,
    without_points,
)


def on_waves(simulator: ModuleType, seed: int) -> hs.Pattern:
    """A pattern on a ground of 33 Chebyshev terms, which no shorter one is."""
    random = np.random.default_rng(seed)
    one = simulator.simulate(random, level=(30000.0, 3000.0))
    u = np.linspace(-1.0, 1.0, one.two_theta.size)
    waves = np.polynomial.chebyshev.chebval(u, [20000.0] + [0.0] * 20 + [300.0] * 12)
    counts = random.poisson(one.clean + waves).astype(float)
    return hs.Pattern(
        two_theta_deg=one.two_theta, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=0.6199
    )


def test_more_terms_are_the_chebyshev_polynomials_of_the_same_range(simulator: ModuleType) -> None:
    data = prepare_data(on_waves(simulator, 1))
    whole = chebyshev_basis(data.position, LONGEST_BACKGROUND_TERMS)
    left_out = (data.position > 10.0) & (data.position < 11.0)
    for mine, theirs in ((data, whole), (without_points(data, left_out), whole[:, ~left_out])):
        longer = with_more_terms(mine)
        np.testing.assert_allclose(longer.basis, theirs, atol=1e-11)
        np.testing.assert_allclose(longer.gram, (theirs * mine.weight) @ theirs.T, rtol=1e-9, atol=1e-12)
    few = without_points(data, np.arange(data.position.size) % 10 != 0)
    assert with_more_terms(few) is few


def test_a_ground_that_asks_for_more_terms_than_were_made_ready_gets_them(simulator: ModuleType) -> None:
    phases = [hs.read_phase("CeH9-P63mmc"), hs.read_phase("CeH4-I4mmm")]
    fits = hs.fit_patterns([on_waves(simulator, seed) for seed in range(8)], phases)
    assert all(33 <= fit.background_terms <= LONGEST_BACKGROUND_TERMS for fit in fits)
    assert {fit.verdict.value for fit in fits} == {"converged"}
    pulls = [
        (fit.phases["CeH9-P63mmc"].a_ang - simulator.CEH9[0]) / fit.phases["CeH9-P63mmc"].a_sigma_ang for fit in fits
    ]
    assert np.sum(np.square(pulls)) < stats.chi2.isf(1e-3, len(pulls))


@pytest.mark.parametrize("level", ["good", "mid", "weak"])
def test_a_plain_ground_takes_no_more_than_before(simulator: ModuleType, level: str) -> None:
    one = simulator.simulate(np.random.default_rng(3), level=level)
    pattern = hs.Pattern(
        two_theta_deg=one.two_theta, intensity=one.counts, sigma=one.sigma, wavelength_ang=simulator.WAVELENGTH
    )
    fit = hs.fit_pattern(pattern, [hs.read_phase("CeH9-P63mmc"), hs.read_phase("CeH4-I4mmm")])
    assert fit.background_terms < MOST_BACKGROUND_TERMS
