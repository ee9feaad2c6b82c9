"""Spotty rings: sigma from the sectors of the rings is true where that of single points is not."""

from __future__ import annotations

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.errors import InputError
from hydrostruct.xrd.spottiness import SECTORS, sector_changes

CELL = 3.97
WAVELENGTH = 0.6199
X = np.linspace(13.0, 30.0, 900)
LINES = ((3, 900.0), (4, 450.0), (8, 260.0), (11, 300.0))


def spotty_pattern(rng: np.random.Generator, grains: float | None) -> hs.Pattern:
    """Simulated sectors of gold rings: so many grains a line, each with its own place, brightness and strain."""
    expected = np.full((SECTORS, X.size), 400.0)
    for square, height in LINES:
        centre = 2 * np.degrees(np.arcsin(WAVELENGTH / 2 * np.sqrt(square) / CELL))
        if grains is None:
            expected += height * np.exp(-4 * np.log(2) * ((X - centre) / 0.09) ** 2)
            continue
        for _ in range(rng.poisson(grains)):
            bright, strain = rng.lognormal(-0.18, 0.6), rng.normal(0, 0.0012)
            own = centre - 2 * np.degrees(np.tan(np.radians(centre / 2))) * strain
            expected[rng.integers(SECTORS)] += (
                height * bright * SECTORS / grains * np.exp(-4 * np.log(2) * ((X - own) / 0.08) ** 2)
            )
    counts = rng.poisson(expected).T.astype(float)
    mean = counts.mean(axis=1)
    return hs.Pattern(
        two_theta_deg=X,
        intensity=mean,
        sigma=counts.std(axis=1, ddof=1) / np.sqrt(SECTORS),
        wavelength_ang=WAVELENGTH,
        sigma_source="azimuthal",
        sector_changes=sector_changes(counts, np.ones_like(counts)),
    )


def pulls(seed: int, grains: float | None, *, with_sectors: bool, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    gold = [hs.read_phase("Au")]
    found, sigmas = [], []
    for _ in range(count):
        pattern = spotty_pattern(rng, grains)
        if not with_sectors:
            pattern = hs.Pattern(
                two_theta_deg=X, intensity=pattern.intensity, sigma=pattern.sigma, wavelength_ang=WAVELENGTH
            )
        fit = hs.fit_pattern(pattern, gold, cells={"Au": {"a_ang": CELL}}, search="never").phases["Au"]
        found.append((fit.a_ang - CELL) / fit.a_sigma_ang)
        sigmas.append(fit.a_sigma_ang)
    return np.array(found), np.array(sigmas)


def test_few_grains_scatter_more_than_the_points_say_and_the_sectors_know() -> None:
    plain, _ = pulls(1, 60.0, with_sectors=False)
    known, _ = pulls(1, 60.0, with_sectors=True)
    assert np.sqrt(np.mean(plain**2)) > 1.5
    # 60 pulls: the spread is known to 9 %; sectors tell a sigma to 12 %, and few heavy grains make it a little small
    assert 0.75 < np.sqrt(np.mean(known**2)) < 1.35


def test_a_perfect_powder_keeps_its_sigma() -> None:
    _, plain = pulls(2, None, with_sectors=False, count=30)
    known, with_sectors = pulls(2, None, with_sectors=True, count=30)
    assert np.all(with_sectors >= plain * (1 - 1e-12))
    assert np.median(with_sectors / plain) < 1.12
    assert np.sqrt(np.mean(known**2)) < 1.4


def test_leaving_out_a_sector_gives_the_mean_of_the_others() -> None:
    rng = np.random.default_rng(3)
    counted, weight = rng.uniform(1, 5, (7, SECTORS)), rng.uniform(0.5, 2, (7, SECTORS))
    weight[2, 4] = counted[2, 4] = 0.0  # a sector in a gap
    changes = sector_changes(counted, weight)
    for sector in (0, 4, 35):
        others = np.arange(SECTORS) != sector
        expected = counted[:, others].sum(axis=1) / weight[:, others].sum(axis=1) - counted.sum(axis=1) / weight.sum(
            axis=1
        )
        np.testing.assert_allclose(changes[sector], expected, atol=1e-6)
    assert changes[4, 2] == 0.0


def test_changes_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="by sector"):
        hs.Pattern(
            two_theta_deg=X,
            intensity=X,
            sigma=X,
            wavelength_ang=0.6,
            sector_changes=np.zeros((36, 5), dtype=np.float32),
        )
