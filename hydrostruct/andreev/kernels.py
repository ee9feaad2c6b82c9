"""The loops of the BTK conductance: energies kept complex, thermal smearing exact, derivatives beside values.

With ε = E + iΓ, Ω = √(ε² − Δ²) in the upper half plane, q = Z² and D = ε + (1 + 2q)Ω the probabilities of Blonder,
Tinkham and Klapwijk (10.1103/PhysRevB.25.4515) are A = Δ²/|D|² and B = 4q(1 + q)|Ω|²/|D|², and

    (1 + q)(1 + A − B) = (1 + q)(|ε|² + |Ω|² + Δ² + 2(1 + 2q) Re εΩ*) / |D|²,

a sum of terms that are not negative: nothing cancels at high barriers, where it becomes Re(ε/Ω), Dynes' density of
states.

The thermal average is a sum over Gauss-Legendre panels on the axis E ≥ 0 (the conductance is even in E), common to
all biases: no panel is wider than a few k_BT, and panels shrink towards E = Δ as far as Γ needs. On one panel the
thermal weight x/(1 + x)² needs one exponential, x being a product of a factor for the node and one for panel and bias.

The slow, obvious twin of all this stands in the tests.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

NODES = 12
_THERMAL_WIDTH = 5.0  # widest panel, in k_BT: the poles of the thermal weight lie 3.14 k_BT off the axis
_REACH = 27.0  # the thermal weight beyond it is below 2e-12
_GROWTH = 3.0  # width of a panel over its distance from the edge of the gap
_SHARPEST = 1e-11  # smallest panel, in gaps: where there is no broadening the edge is a square root
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)
_FAST = {"reassoc", "contract", "arcp", "nsz"}


@njit(cache=True, error_model="numpy", nogil=True)
def sharp_conductance(energy, gap, broadening, barrier2, out):
    """Conductance at one temperature of zero, and its derivatives by gap, broadening and squared barrier.

    ``out[0]`` the value, ``out[1:4]`` the derivatives; energies of either sign.
    """
    c = 1.0 + 2.0 * barrier2
    for k in range(energy.shape[0]):
        epsilon = complex(abs(energy[k]), broadening)
        omega = np.sqrt((epsilon - gap) * (epsilon + gap))
        mixed = (epsilon * omega.conjugate()).real
        square = epsilon.real**2 + epsilon.imag**2 + omega.real**2 + omega.imag**2 + gap * gap
        numerator = square + 2.0 * c * mixed
        d = epsilon + c * omega
        denominator = d.real**2 + d.imag**2
        value = numerator / denominator
        # at the very edge without broadening the derivatives are infinite: huge will do
        root = omega if omega != 0.0 else complex(1e-100, 0.0)
        by_gap = -gap / root
        by_broadening = 1j * epsilon / root
        out[0, k] = (1.0 + barrier2) * value
        up = 2.0 * gap + 2.0 * (omega.conjugate() * by_gap).real + 2.0 * c * (epsilon * by_gap.conjugate()).real
        down = 2.0 * c * (d.conjugate() * by_gap).real
        out[1, k] = (1.0 + barrier2) * (up - value * down) / denominator
        up = 2.0 * epsilon.imag + 2.0 * (omega.conjugate() * by_broadening).real
        up += 2.0 * c * (1j * omega.conjugate() + epsilon * by_broadening.conjugate()).real
        down = 2.0 * (d.conjugate() * (1j + c * by_broadening)).real
        out[2, k] = (1.0 + barrier2) * (up - value * down) / denominator
        down = 4.0 * (d.conjugate() * omega).real
        out[3, k] = value + (1.0 + barrier2) * (4.0 * mixed - value * down) / denominator


@njit(cache=True, error_model="numpy", nogil=True)
def _panel_edges(gap, broadening, thermal, top):
    """Rising edges of panels from 0 to `top`."""
    widest = _THERMAL_WIDTH * thermal
    smallest = max(broadening, _SHARPEST * gap)
    # upwards from the edge of the gap, and downwards from it to 0; distances from the edge grow alike
    above = [0.0]
    while above[-1] < top - gap:
        above.append(above[-1] + min(widest, max(smallest, _GROWTH * above[-1])))
    below = [0.0]
    while below[-1] < gap:
        below.append(min(gap, below[-1] + min(widest, max(smallest, _GROWTH * below[-1]))))
    edges = np.empty(len(above) + len(below) - 1)
    for k in range(len(below)):
        edges[k] = gap - below[len(below) - 1 - k]
    for k in range(1, len(above)):
        edges[len(below) - 1 + k] = gap + above[k]
    return edges


@njit(cache=True, error_model="numpy", nogil=True)
def _panels_in_use(edges, bias, reach):
    """Which panels some bias can see, from `bias` sorted, not negative."""
    used = np.zeros(edges.shape[0] - 1, dtype=np.bool_)
    for k in range(used.shape[0]):
        first = np.searchsorted(bias, edges[k] - reach)
        near = first < bias.shape[0] and bias[first] <= edges[k + 1] + reach
        used[k] = near or edges[k] < reach - bias[0]
    return used


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _add_panel(factors, values, scale, sums):
    """Add to `sums` one panel's share: `scale` is exp((bias − center)/k_BT)."""
    for j in range(NODES):
        x = factors[j] * scale
        weight = x / ((1.0 + x) * (1.0 + x))
        for row in range(sums.shape[0]):
            sums[row] += weight * values[row, j]


@njit(cache=True, error_model="numpy", nogil=True)
def thermal_conductance(bias, gap, broadening, barrier2, thermal, rows, out):
    """Thermally averaged conductance at `bias`, of either sign: ``out[:rows]`` as of :func:`sharp_conductance`."""
    size = np.sort(np.abs(bias))
    reach = _REACH * thermal
    edges = _panel_edges(gap, broadening, thermal, size[-1] + reach)
    used = _panels_in_use(edges, size, reach)
    count = 0
    for k in range(used.shape[0]):
        count += used[k]
    center = np.empty(count)
    half = np.empty(count)
    at = 0
    for k in range(used.shape[0]):
        if used[k]:
            center[at] = 0.5 * (edges[k] + edges[k + 1])
            half[at] = 0.5 * (edges[k + 1] - edges[k])
            at += 1
    energy = np.empty(count * NODES)
    factors = np.empty((count, NODES))
    for k in range(count):
        for j in range(NODES):
            energy[k * NODES + j] = center[k] + half[k] * _POINTS[j]
            factors[k, j] = math.exp(-half[k] * _POINTS[j] / thermal)
    sharp = np.empty((4, count * NODES))
    sharp_conductance(energy, gap, broadening, barrier2, sharp)
    values = np.empty((count, rows, NODES))
    for k in range(count):
        for row in range(rows):
            for j in range(NODES):
                values[k, row, j] = sharp[row, k * NODES + j] * half[k] * _WEIGHTS[j] / thermal
    sums = np.empty(rows)
    for i in range(bias.shape[0]):
        v = abs(bias[i])
        sums[:] = 0.0
        first = np.searchsorted(center, v - reach)
        for k in range(max(first - 1, 0), count):
            if center[k] - half[k] > v + reach:
                break
            if center[k] + half[k] >= v - reach:
                _add_panel(factors[k], values[k], math.exp((v - center[k]) / thermal), sums)
        for k in range(count):
            if center[k] - half[k] > reach - v:
                break
            _add_panel(factors[k], values[k], math.exp((-v - center[k]) / thermal), sums)
        for row in range(rows):
            out[row, i] = sums[row]
