"""Simulated powder patterns with a known truth; shares no code with hydrostruct.

Reflections are written down by hand from the reference sheet of the project (PHYSICS.md, section 7), spacings come from
the textbook formulas of each system, lines are Thompson-Cox-Hastings pseudo-Voigts drawn to the ends of the pattern,
noise is Poisson's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WAVELENGTH = 0.6199
CEH9 = (3.674, 5.427)
CEH4 = (2.838, 5.801)
# h, k, l, relative area; to 30.7°, so that tails reach in from outside the range
CEH9_LINES = (
    (1, 0, 0, 24), (1, 0, 1, 100), (0, 0, 2, 21), (1, 0, 2, 17), (1, 1, 0, 24), (2, 0, 0, 4.2), (1, 0, 3, 24),
    (2, 0, 1, 21), (1, 1, 2, 28), (2, 0, 2, 4.8), (0, 0, 4, 3.2), (1, 0, 4, 3.6), (2, 1, 0, 3.3), (2, 0, 3, 9.3),
    (2, 1, 1, 17.8),
)  # fmt: skip
CEH4_LINES = (
    (0, 0, 2, 34), (1, 0, 1, 100), (1, 1, 0, 27), (1, 1, 2, 32), (1, 0, 3, 29), (0, 0, 4, 5.3), (2, 0, 0, 10.3),
    (2, 0, 2, 13.8), (2, 1, 1, 25.4), (1, 1, 4, 10.5),
)  # fmt: skip
LEVELS = {"good": (20000.0, 3000.0), "mid": (3000.0, 3000.0), "weak": (400.0, 1500.0)}
"""Height of the strongest line, and background, in counts."""


@dataclass(frozen=True)
class Simulated:
    """One pattern and what is in it."""

    two_theta: Floats
    clean: Floats
    counts: Floats
    sigma: Floats


def hexagonal_angles(lines: tuple[tuple[float, ...], ...], a: float, c: float, wavelength: float) -> Floats:
    """2θ in degrees: 1/d² = 4(h² + hk + k²)/3a² + l²/c²."""
    h, k, l = np.array([line[:3] for line in lines], dtype=float).T  # noqa: E741
    inverse = np.sqrt(4.0 * (h * h + h * k + k * k) / (3.0 * a * a) + (l / c) ** 2)
    return np.degrees(2.0 * np.arcsin(wavelength * inverse / 2.0))


def tetragonal_angles(lines: tuple[tuple[float, ...], ...], a: float, c: float, wavelength: float) -> Floats:
    """2θ in degrees: 1/d² = (h² + k²)/a² + l²/c²."""
    h, k, l = np.array([line[:3] for line in lines], dtype=float).T  # noqa: E741
    return np.degrees(2.0 * np.arcsin(wavelength * np.sqrt((h * h + k * k) / a**2 + (l / c) ** 2) / 2.0))


def peak(x: Floats, center: float, area: float, gauss: float, lorentz: float) -> Floats:
    """Pseudo-Voigt whose width and mixing follow Thompson, Cox and Hastings."""
    coefficients = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    full = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(coefficients)) ** 0.2
    q = lorentz / full
    eta = 1.36603 * q - 0.47719 * q * q + 0.11116 * q**3
    half = full / 2.0
    deviation = full / (2.0 * np.sqrt(2.0 * np.log(2.0)))
    bell = np.exp(-((x - center) ** 2) / (2.0 * deviation**2)) / (deviation * np.sqrt(2.0 * np.pi))
    tails = half / np.pi / ((x - center) ** 2 + half**2)
    return area * (eta * tails + (1.0 - eta) * bell)


def leaning_peak(x: Floats, center: float, area: float, *, height: float, lorentz: float, zero: float = 0.0) -> Floats:
    """A line seen through a slit as high as the sample: a sum over 200 distances of two heights.

    `height` is half of each over their distance from one another; Finger, Cox and Jephcoat, J. Appl. Cryst. 27, 892.
    """
    apart = (np.arange(200) + 0.5) / 200 * 2 * height
    seen = np.arccos(np.cos(np.radians(center)) * np.sqrt(1.0 + apart**2))
    parts = (2 * height - apart) / (np.sin(seen) * (1.0 + apart**2))
    line = np.zeros(x.size)
    for place, part in zip(np.degrees(seen), parts / parts.sum(), strict=True):
        near = slice(*np.searchsorted(x, [place - 2.5, place + 2.5]))
        line[near] += peak(x[near], place + zero, area * part, 0.05, lorentz)
    return line


def background(x: Floats, level: float) -> Floats:
    """Smooth: falling Compton, one wide hump."""
    u = (x - x[0]) / (x[-1] - x[0])
    return level * (0.75 + 0.5 * np.exp(-2.5 * u) + 0.18 * np.exp(-(((u - 0.45) / 0.22) ** 2)))


def simulate(
    rng: np.random.Generator,
    *,
    level: str | tuple[float, float] = "mid",
    ceh9: tuple[float, float] | None = CEH9,
    ceh4: tuple[float, float] | None = CEH4,
    ceh4_share: float = 0.4,
    limits: tuple[float, float] = (4.0, 25.0),
    points: int = 2000,
    gauss: float = 0.066,
    size: float = 0.024,
    wavelength: float = WAVELENGTH,
    zero: float = 0.0,
    displacement: float = 0.0,
) -> Simulated:
    """One pattern of CeH9 and CeH4 on a smooth background, with Poisson noise; a phase given as None is not there."""
    height, low = LEVELS[level] if isinstance(level, str) else level
    x = np.linspace(*limits, points)
    clean = background(x, low)
    full_width = 0.08
    unit = height * full_width * 1.15 / 100.0
    parts = []
    if ceh9 is not None:
        angles = hexagonal_angles(CEH9_LINES, *ceh9, wavelength)
        parts += [(angle, unit * line[3]) for angle, line in zip(angles, CEH9_LINES, strict=True)]
    if ceh4 is not None:
        angles = tetragonal_angles(CEH4_LINES, *ceh4, wavelength)
        parts += [(angle, unit * ceh4_share * line[3]) for angle, line in zip(angles, CEH4_LINES, strict=True)]
    for angle, area in parts:
        radians = np.radians(angle)
        shifted = angle + zero + np.degrees(displacement * np.sin(2.0 * radians) / 2.0)
        clean = clean + peak(x, shifted, area, gauss, size / np.cos(radians / 2.0))
    counts = rng.poisson(clean).astype(float)
    return Simulated(two_theta=x, clean=clean, counts=counts, sigma=np.sqrt(np.maximum(counts, 1.0)))
