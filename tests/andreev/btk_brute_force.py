"""The BTK conductance written otherwise than in the package: amplitudes, and plain quadrature. Shares no code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

K_B = 0.08617333262145
GAUSS = np.polynomial.legendre.leggauss(20)


def coherence(energy: Floats, gap: float, gamma: float, z: float) -> Floats:
    """Conductance at no temperature from u², v² and the amplitudes of reflection, as published."""
    e = np.abs(energy) + 1j * gamma
    root = np.sqrt((e**2 - gap**2).astype(complex))
    ratio = root / e
    ratio = np.where(ratio.real < 0, -ratio, ratio)
    u2 = 0.5 * (1 + ratio)
    v2 = 1 - u2
    norm = u2 + z**2 * (u2 - v2)
    andreev = np.abs(np.sqrt(u2 * v2) / norm) ** 2
    normal = np.abs((u2 - v2) * (z**2 + 1j * z) / norm) ** 2
    return np.asarray((1 + z**2) * (1 + andreev - normal))


def closed_form(energy: Floats, gap: float, z: float) -> Floats:
    """Blonder, Tinkham and Klapwijk's table II: no broadening, no temperature."""
    e = np.abs(np.asarray(energy, dtype=float))
    out = np.empty_like(e)
    inside = e < gap
    a = gap**2 / (e**2 + (gap**2 - e**2) * (1 + 2 * z**2) ** 2)
    out[inside] = ((1 + z**2) * 2 * a)[inside]
    x = np.sqrt(np.maximum(e**2 - gap**2, 0)) / np.where(e > 0, e, 1.0)
    u2 = 0.5 * (1 + x)
    v2 = 1 - u2
    gamma2 = (u2 + z**2 * (u2 - v2)) ** 2
    outside = (1 + z**2) * (1 + u2 * v2 / gamma2 - (u2 - v2) ** 2 * z**2 * (1 + z**2) / gamma2)
    out[~inside] = outside[~inside]
    return out


def smeared(bias: Floats, gap: float, gamma: float, z: float, temperature: float, *, panels: int = 24) -> Floats:
    """Quadrature for one bias after the other, cut at both edges of the gap and ever finer towards them."""
    t = K_B * temperature
    out = np.empty(bias.shape)
    fine = np.concatenate([[0.0], np.geomspace(1e-12, 1e4, 41)])
    for index, v in np.ndenumerate(bias):
        low, high = v - 36 * t, v + 36 * t
        cuts = [np.linspace(low, high, panels + 1)]
        for edge in (-gap, gap):
            cuts += [edge + fine * gap, edge - fine * gap]
        edges = np.unique(np.concatenate(cuts))
        edges = edges[(edges >= low) & (edges <= high)]
        half, mid = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
        e = mid[:, None] + half[:, None] * GAUSS[0]
        thermal = 1 / (4 * t * np.cosh((e - v) / (2 * t)) ** 2)
        out[index] = np.sum(half[:, None] * GAUSS[1] * coherence(e, gap, gamma, z) * thermal)
    return out
