"""SIMULATED spectra of stressed anvils, of another shape than the model that is fitted to them.

Light comes from all depths of the anvil. From the table to the culet the line moves from its unstressed place to the
edge; how much light comes from each frequency is a broken power law with a sharp end, and each depth has a line of
its own width. The sum is a skewed step. No code is shared with the analysis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SimulatedEdge:
    """A simulated spectrum and its truth."""

    shift_cm1: Floats
    counts: Floats
    edge_cm1: float
    """Minimum of the derivative of the noiseless spectrum at the end of the band, in cm⁻¹."""
    end_cm1: float
    """Where the distribution of frequencies ends, in cm⁻¹."""
    contrast: float
    """Height of the step over the height of the first-order band."""
    pressure_gpa: float


def edge_of_pressure(pressure_gpa: float) -> float:
    """Akahama and Kawamura 2006, solved by bisection."""
    low, high = 1334.0, 1900.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        strain = middle / 1334.0 - 1.0
        low, high = (middle, high) if 547.0 * strain * (1.0 + 1.375 * strain) < pressure_gpa else (low, middle)
    return 0.5 * (low + high)


def line(x: Floats, center: float, full_width: float, lorentz: float) -> Floats:
    u = (x - center) / (0.5 * full_width)
    return np.asarray(lorentz / (1.0 + u * u) + (1.0 - lorentz) * np.exp(-np.log(2.0) * u * u))


def stressed_band(x: Floats, random: np.random.Generator, end: float) -> Floats:
    """Light of all depths, 1 at about the height of the step."""
    start = 1336.0
    places = np.linspace(start, end, 1500)
    share = (places - start) / (end - start)
    rise = random.uniform(-0.5, 0.5)
    weight = 1.0 + rise * (share - 0.9) + random.uniform(0.0, 0.8) * (1.0 - share) ** 3
    weight += random.uniform(0.0, 0.35) * np.exp(-((1.0 - share) * (end - start)) / random.uniform(8.0, 25.0))
    # the culet is not quite evenly loaded: the very end of the distribution is thinned out over some cm-1
    weight *= 1.0 - np.exp(-(end - places) / random.uniform(0.3, 1.5))
    width = random.uniform(3.0, 9.0)
    band = np.zeros_like(x)
    for place, amount in zip(places, weight, strict=True):
        band += amount * line(x, place, width, 0.25)
    return np.asarray(band * (places[1] - places[0]) / (1.23 * width))


def simulate_edge(
    random: np.random.Generator, *, pressure_gpa: float | None = None, contrast: float | None = None
) -> SimulatedEdge:
    """One spectrum of 1024 points with counting and reading noise."""
    pressure = random.uniform(60.0, 150.0) if pressure_gpa is None else pressure_gpa
    end = edge_of_pressure(pressure)
    share = float(np.exp(random.uniform(np.log(0.05), np.log(0.6)))) if contrast is None else contrast
    main = float(np.exp(random.uniform(np.log(2500.0), np.log(30000.0))))
    u = np.linspace(0.0, 1.0, 1024)
    start, reach = random.uniform(900.0, 1100.0), random.uniform(850.0, 1000.0)
    x = start + reach * (u - 0.06 * u * u) / 0.94
    fine = np.arange(end - 15.0, end + 15.0, 0.05)
    parts = random.integers(2**31)

    def noiseless(axis: Floats) -> Floats:
        own = np.random.default_rng(parts)
        center = own.uniform(1338.0, 1353.0)
        first = line(axis, center, own.uniform(8.0, 16.0), own.uniform(0.2, 0.7))
        first = first + own.uniform(0.1, 0.4) * line(axis, center - own.uniform(6.0, 14.0), own.uniform(5.0, 12.0), 0.3)
        t = (axis - 1350.0) / 500.0
        glow = own.uniform(0.05, 1.0) + own.uniform(-0.3, 0.3) * t + own.uniform(-0.15, 0.15) * t * t
        weak = own.uniform(0.0, 0.012) * line(axis, own.uniform(1390.0, 1430.0), 10.0, 0.5)
        return np.asarray(main * (first + share * stressed_band(axis, own, end) + np.maximum(glow, 0.02) + weak))

    smooth = noiseless(x)
    counts = random.poisson(smooth).astype(float) + random.normal(300.0, 5.0, x.size)
    for place in random.integers(10, x.size - 10, random.integers(0, 4)):
        counts[place] += random.uniform(0.1, 1.5) * main
        if random.random() < 0.4:
            counts[place + 1] += random.uniform(0.05, 0.5) * main
    # the window about the end of the distribution is where the definition's minimum lies
    slope = np.gradient(noiseless(fine), fine)
    return SimulatedEdge(
        shift_cm1=x,
        counts=counts,
        edge_cm1=float(fine[np.argmin(slope)]),
        end_cm1=end,
        contrast=share,
        pressure_gpa=pressure,
    )
