"""SIMULATED spectra of stressed anvils, a second simulator: other shapes, other noise, other axes than the first.

The edge is one of several curves (logistic, arctangent, a spread of sharp edges with an exponential or Lorentzian
tail, a hump before the fall, a steep front with a long foot, a hollow behind, two edges side by side), on a plateau
that leaves the first-order band as a power of the distance, with slopes of either sign. Light of the second anvil,
fluorescence that rises or falls, weak lines, spikes on the edge, detectors with gain, smoothed data and fine, coarse
or uneven axes are drawn by chance. No code is shared with the analysis.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from edge_simulator import Floats, SimulatedEdge, edge_of_pressure
from scipy.ndimage import gaussian_filter1d

Shape = Callable[[Floats], Floats]

FAMILIES = ("logistic", "arctangent", "exponential", "lorentzian", "hump", "front", "hollow", "foot")
_TRUTH_REACH_CM1 = 12.0
_GRID_CM1 = 0.05


def simulate_anvil(
    random: np.random.Generator,
    *,
    family: str | None = None,
    contrast: float | None = None,
    pressure_gpa: float | None = None,
) -> SimulatedEdge:
    """One spectrum, with counting noise of any gain, reading noise and, in every fourth, smoothing."""
    drawn = FAMILIES[random.integers(len(FAMILIES))]
    pressure = random.uniform(60.0, 150.0) if pressure_gpa is None else pressure_gpa
    place = edge_of_pressure(pressure)
    share = math.exp(random.uniform(math.log(0.05), math.log(0.6))) if contrast is None else contrast
    main = math.exp(random.uniform(math.log(3000.0), math.log(40000.0)))
    step = _plateau(random, place, _edge(random, family or drawn, place))
    parts = [_band(random, empty=share == 0.0), _scaled(share, step), _glow(random)]
    parts += [_lines(random, place, max(share, 0.05)), _second_anvil(random, place, share)]

    x = _axis(random, place)
    blur = max(random.uniform(0.5, 1.5), 0.6 * float(np.median(np.diff(x))))

    # a few shifted copies would not do: each keeps the kink of an edge, and the steepest fall with it
    grid = np.arange(x[0] - 10.0, x[-1] + 10.0, _GRID_CM1)
    sharp = main * sum((part(grid) for part in parts), np.zeros_like(grid))
    seen = gaussian_filter1d(sharp, blur / _GRID_CM1, mode="nearest")

    def noiseless(axis: Floats) -> Floats:
        """What a spectrometer of finite resolution sees of the sum of all parts."""
        return np.asarray(np.interp(axis, grid, seen))

    fine = np.arange(place - _TRUTH_REACH_CM1, place + _TRUTH_REACH_CM1, 0.5 * _GRID_CM1)
    slope = gaussian_filter1d(np.gradient(noiseless(fine), fine), 2.0)
    return SimulatedEdge(
        shift_cm1=x,
        counts=_measured(random, noiseless(x), x, place, main),
        edge_cm1=float(fine[1:-1][np.argmin(slope[1:-1])]),
        end_cm1=place,
        contrast=share,
        pressure_gpa=pressure,
    )


def _axis(random: np.random.Generator, place: float) -> Floats:
    """Fine, usual or coarse; even, or with a spacing that changes; it ends 45 to 300 above the edge."""
    spacing = (random.uniform(0.3, 0.6), random.uniform(0.8, 1.4), random.uniform(1.8, 2.5))[random.integers(3)]
    low, high = random.uniform(1000.0, 1290.0), place + random.uniform(45.0, 300.0)
    u = np.linspace(0.0, 1.0, round((high - low) / spacing))
    bend = random.uniform(-0.12, 0.12)
    return np.asarray(low + (high - low) * (u + bend * u * (1.0 - u)))


def _measured(random: np.random.Generator, smooth: Floats, x: Floats, place: float, main: float) -> Floats:
    gain = (1.0, random.uniform(0.2, 1.0), random.uniform(1.5, 4.0))[random.integers(3)]
    reading = random.uniform(2.0, 12.0) * math.sqrt(gain)
    noise = random.normal(0.0, np.sqrt(gain * np.maximum(smooth, 0.0) + reading**2))
    counts = smooth + noise + random.uniform(0.0, 600.0)
    spikes = list(random.integers(5, x.size - 5, random.integers(0, 4)))
    if random.random() < 0.2:
        spikes.append(int(np.searchsorted(x, place + random.uniform(-8.0, 8.0))))
    if random.random() < 0.25:
        counts = np.convolve(np.pad(counts, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    for at in spikes:
        counts[at] += random.uniform(0.1, 1.5) * main
        counts[at + 1] += random.choice([0.0, 0.3]) * random.random() * main
    return np.asarray(counts)


def _scaled(height: float, shape: Shape) -> Shape:
    return lambda x: height * shape(x)


def _lorentz(x: Floats, center: float, full_width: float) -> Floats:
    return np.asarray(1.0 / (1.0 + ((x - center) / (0.5 * full_width)) ** 2))


def _gauss(x: Floats, center: float, full_width: float) -> Floats:
    return np.asarray(np.exp(-4.0 * math.log(2.0) * ((x - center) / full_width) ** 2))


def _band(random: np.random.Generator, *, empty: bool) -> Shape:
    """The first-order band, of height 1 about, with a shoulder on its low side; in every eighth on the high side."""
    top = random.uniform(1336.0, 1356.0)
    low, high = random.uniform(6.0, 12.0), random.uniform(6.0, 14.0)
    side = 1.0 if random.random() < 0.125 and not empty else -1.0
    beside, much = top + side * random.uniform(8.0, 14.0), random.uniform(0.0, 0.5)

    wide = random.uniform(6.0, 14.0)

    def shape(x: Floats) -> Floats:
        main = np.where(x < top, _lorentz(x, top, low), 0.3 * _lorentz(x, top, high) + 0.7 * _gauss(x, top, high))
        return np.asarray(main + much * _gauss(x, beside, wide))

    return shape


def _spread(random: np.random.Generator, place: float, tail: Shape, *, reach: float) -> Shape:
    """Sharp edges of many places below the highest, each as likely as `tail` says."""
    depths = np.linspace(0.0, reach, 60)
    weight = tail(depths)
    weight /= np.sum(weight)
    width = random.uniform(1.2, 3.0)

    def shape(x: Floats) -> Floats:
        z = (x[:, None] - (place - depths)[None, :]) / width
        return np.asarray((0.5 - 0.5 * np.tanh(0.8 * z)) @ weight)

    return shape


def _edge(random: np.random.Generator, family: str, place: float) -> Shape:
    """From 1 on the low side to 0 on the high side."""
    width, more = random.uniform(1.5, 4.5), random.uniform(0.0, 1.0)
    if family == "logistic":
        return lambda x: np.asarray(0.5 - 0.5 * np.tanh((x - place) / (2.0 * width)))
    if family == "arctangent":
        return lambda x: np.asarray(0.5 - np.arctan((x - place) / (0.6 * width)) / math.pi)
    if family == "exponential":
        return _spread(random, place, lambda depth: np.exp(-depth / (2.0 + 6.0 * more)), reach=40.0)
    if family == "lorentzian":
        return _spread(random, place, lambda depth: 1.0 / (1.0 + (depth / (2.0 + 3.0 * more)) ** 2), reach=60.0)
    if family == "front":  # steep on the low side, its foot an exponential
        front = 0.3 * width
        return lambda x: np.where(x < place, 1.0 - 0.3 * np.exp(np.minimum(x - place, 0.0) / front),
                                  0.7 * np.exp(-np.maximum(x - place, 0.0) / (7.0 / 3.0 * front)))  # fmt: skip
    if family == "hump":
        at, wide, high = place - random.uniform(9.0, 22.0), random.uniform(10.0, 25.0), 0.1 + 0.4 * more
        step: Shape = lambda x: np.asarray(0.5 - 0.5 * np.tanh((x - place) / (1.4 * width)))  # noqa: E731
        return lambda x: step(x) * (1.0 + high * _gauss(x, at, wide))
    if family == "foot":  # a part of the light comes from a rim under less, or more, load
        other = place - random.uniform(10.0, 16.0)
        return lambda x: np.asarray(
            (0.5 - 0.5 * np.tanh((x - place) / width)) * (0.7 + 0.3 * more)
            + (0.3 - 0.3 * more) * (0.5 - 0.5 * np.tanh((x - other) / (2.0 * width)))
        )
    return lambda x: np.asarray(
        0.5 - 0.5 * np.tanh((x - place) / (1.2 * width)) - 0.1 * more * _gauss(x, place + 8.0, 9.0)
    )


def _plateau(random: np.random.Generator, place: float, edge: Shape) -> Shape:
    """From the band to the edge: a decay as a power of the distance, and a slope; nothing below the band."""
    start, decay, power = 1345.0, random.uniform(0.0, 2.0), random.uniform(0.8, 2.0)
    slope = random.uniform(-0.5, 0.5) / (place - start)

    def shape(x: Floats) -> Floats:
        distance = np.maximum(x - start, 0.0)
        level = 1.0 + slope * (x - place) + decay * (1.0 + distance / 15.0) ** -power
        return np.asarray(np.maximum(level, 0.0) * edge(x) / (1.0 + np.exp(-np.clip((x - start) / 5.0, -60.0, 60.0))))

    return shape


def _glow(random: np.random.Generator) -> Shape:
    """Fluorescence: up to twice the band, rising or falling, with a curvature of its own."""
    height = math.exp(random.uniform(math.log(0.03), math.log(2.0)))
    rate, bend = random.uniform(-1.5, 1.5), random.uniform(-0.4, 0.4)

    def shape(x: Floats) -> Floats:
        t = (x - 1450.0) / 500.0
        return np.asarray(height * np.exp(rate * t + bend * t * t))

    return shape


def _lines(random: np.random.Generator, place: float, share: float) -> Shape:
    """Up to two weak lines of the sample, above the edge or below it."""
    away = [-60.0, 35.0, 60.0, 120.0, 200.0]
    made = [
        (share * random.uniform(0.02, 0.25), place + random.choice(away), random.uniform(5.0, 20.0))
        for _ in range(random.integers(0, 3))
    ]
    return lambda x: np.asarray(sum((h * _lorentz(x, at, wide) for h, at, wide in made), np.zeros_like(x)))


def _second_anvil(random: np.random.Generator, place: float, share: float) -> Shape:
    """In every third spectrum a feebler and blunter step below: the other anvil, out of focus."""
    if random.random() > 1.0 / 3.0:
        return np.zeros_like
    at, width, height = place - random.uniform(30.0, 70.0), random.uniform(4.0, 9.0), share * random.uniform(0.05, 0.4)
    return lambda x: np.asarray(
        height * (0.5 - np.arctan((x - at) / width) / math.pi) / (1.0 + np.exp((1345.0 - x) / 5.0))
    )
