"""Simulated transport curves with known truth; shares no code with the analysis, and its shapes are not its models.

R(T): a sheet of inclusions whose local Tc scatter, mixed by effective-medium theory, on a Bloch-Grüneisen normal state,
with offset, drift, lock-in noise (with memory) and jitter of the thermometer. V(I): many filaments in series, each of
which resists beyond a critical current of its own, drawn so that the sum is a power law; thermal voltage, drift, noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WINDOWS = ((0.2, 0.8), (0.3, 0.7), (0.4, 0.6))
_STARTS = (3.0, 4.0, 5.0)
_LENGTHS = (5.0, 10.0, 20.0)


def bloch_gruneisen(temperature: Floats, debye: float, residual: float, scale: float) -> Floats:
    """Resistance of a metal by the Bloch-Grüneisen integral, by the midpoint rule."""
    result = np.empty(temperature.shape)
    for index, value in enumerate(temperature):
        top = min(debye / value, 50.0)
        u = (np.arange(400) + 0.5) * top / 400
        result[index] = (value / debye) ** 5 * np.sum(u**5 / (np.expm1(u) * -np.expm1(-u))) * top / 400
    return residual + scale * result


def part_below(temperature: Floats, centre: float, width: float, skew: float) -> Floats:
    """Part of the sheet with a local Tc above T: a skewed bell, by its sum."""
    grid = np.linspace(centre - 9 * width, centre + 9 * width, 3000)
    x = (grid - centre) / width
    tail = np.array([0.5 * math.erfc(-skew * value / math.sqrt(2.0)) for value in x])
    density = np.exp(-0.5 * x**2) * tail
    cumulative = np.cumsum(density) / np.sum(density)
    return 1.0 - np.interp(temperature, grid, cumulative)


def sheet(part: Floats, contrast: float = 3e4) -> Floats:
    """Resistance over the normal one of a flat mixture with a superconducting part (Bruggeman, two dimensions)."""
    b = (1.0 - 2.0 * part) * (1.0 - contrast)
    return 2.0 / (b + np.sqrt(b * b + 4.0 * contrast))


@dataclass(frozen=True)
class SimulatedSheet:
    """One simulated sample."""

    centres: tuple[float, ...]
    widths: tuple[float, ...]
    shares: tuple[float, ...]
    skew: float
    debye: float
    residual: float
    scale: float

    def resistance(self, temperature: Floats) -> Floats:
        """The curve without noise: steps in series."""
        normal = bloch_gruneisen(temperature, self.debye, self.residual, self.scale)
        total = np.zeros(temperature.shape)
        for centre, width, share in zip(self.centres, self.widths, self.shares, strict=True):
            total += share * sheet(part_below(temperature, centre, width, self.skew))
        return normal * total


def draw_sheet(random: np.random.Generator, steps: int = 1) -> SimulatedSheet:
    """A sample with one or two transitions, about 100 K."""
    first = float(random.uniform(90, 105))
    width = float(random.uniform(0.4, 1.5))
    if steps == 1:
        centres, widths, shares = (first,), (width,), (1.0,)
    else:
        share = float(random.uniform(0.3, 0.7))
        centres, widths = (first, first - float(random.uniform(9, 14))), (width, float(random.uniform(0.4, 1.5)))
        shares = (share, 1.0 - share)
    return SimulatedSheet(centres, widths, shares, float(random.uniform(-1.5, 1.5)), float(random.uniform(300, 900)),
                          float(random.uniform(0.1, 0.5)), float(random.uniform(1.0, 6.0)))  # fmt: skip


def measured(
    random: np.random.Generator, sample: SimulatedSheet, *, noise: float = 0.004, points: int = 700,
    low: float = 70.0, high: float = 150.0, memory: float = 0.0, jitter: float = 0.0, offset: float = 0.0,
    drift: float = 0.0, cooling: bool = True,
) -> tuple[Floats, Floats]:  # fmt: skip
    """One sweep: temperatures and resistances in the order measured; noise in parts of the resistance at the top."""
    temperature = np.linspace(high, low, points) if cooling else np.linspace(low, high, points)
    temperature = temperature + random.uniform(-0.4, 0.4, points) * (high - low) / points
    true = sample.resistance(temperature)
    unit = float(np.max(true))
    white = random.normal(0, noise * unit, points)
    for index in range(1, points):  # the lock-in's low-pass filter remembers
        white[index] = memory * white[index - 1] + math.sqrt(1 - memory**2) * white[index]
    shown = temperature + (random.normal(0, jitter, points) if jitter else 0.0)
    return shown, true + white + offset * unit + drift * unit * np.linspace(0.0, 1.0, points)


def true_tc(sample: SimulatedSheet, low: float = 70.0, high: float = 150.0) -> Floats:
    """The nine times three intersections on the curve without noise, for a sample with one step.

    This is what "true Tc" means by the definition of two straight lines: the analysis gives their mean, and another
    reader with another window of the family would have given another one of them.
    """
    t = np.linspace(low, high, 4001)
    r = sample.resistance(t)
    middle, width = sample.centres[0], sample.widths[0]
    for _ in range(12):
        start = middle + 4 * width
        use = (t >= start) & (t <= start + 10 * width)
        line = np.polyfit(t[use], r[use], 1)
        bottom = float(np.mean(r[t <= middle - 4 * width]))
        part = (r - bottom) / (np.polyval(line, t) - bottom)
        near = (t < start) & (t > middle - 5 * width)
        at = {x: float(np.interp(x, part[near], t[near])) for x in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)}
        middle, width = at[0.5], at[0.7] - at[0.3]
    found = []
    for start in _STARTS:
        for length in _LENGTHS:
            begin = middle + start * width
            use = (t >= begin) & (t <= begin + length * width)
            m1, b1 = np.polyfit(t[use], r[use], 1)
            for first, second in _WINDOWS:
                use = (t >= at[first]) & (t <= at[second])
                m2, b2 = np.polyfit(t[use], r[use], 1)
                found.append((b2 - b1) / (m1 - m2))
    return np.array(found)


@dataclass(frozen=True)
class SimulatedWire:
    """A wire of many filaments in series; beyond its own critical current each resists as flux flow does."""

    scale_a: float
    steepness: float
    flow_ohm: float

    def voltage(self, current: Floats) -> Floats:
        """∫ ρ (I − x) p(x) dx over the critical currents x below I, with p ∝ x^(n − 2), summed over filaments."""
        count = 4000
        total = np.zeros(current.shape)
        for index, value in enumerate(np.abs(current)):
            x = (np.arange(count) + 0.5) * value / count
            total[index] = np.sum((value - x) * (x / self.scale_a) ** (self.steepness - 2)) * value / count
        return np.sign(current) * self.flow_ohm * total / self.scale_a

    def critical_current(self, criterion_v: float) -> float:
        """Where the sum reaches a voltage: in closed form ρ a (I/a)^n / (n (n − 1))."""
        n = self.steepness
        return self.scale_a * (criterion_v * n * (n - 1) / (self.flow_ohm * self.scale_a)) ** (1 / n)


def draw_wire(random: np.random.Generator) -> SimulatedWire:
    """A wire of some ten milliamperes."""
    return SimulatedWire(*(float(random.uniform(*ends)) for ends in ((0.02, 0.08), (5, 30), (0.05, 0.5))))


def measured_voltage(
    random: np.random.Generator, wire: SimulatedWire, *, top: float, points: int = 161, noise: float = 3e-8,
    relative: float = 0.0, thermal: float = 0.0, lead_ohm: float = 0.0, both: bool = True, **_: Any,
) -> tuple[Floats, Floats]:  # fmt: skip
    """A pulsed sweep: currents, and voltages with a thermal offset, a lead's resistance and noise."""
    current = np.linspace(-top if both else 0.0, top, points)
    clean = wire.voltage(current)
    clean = clean * np.exp(random.normal(0, relative, points)) if relative else clean
    return current, clean + thermal + lead_ohm * current + random.normal(0, noise, points)
