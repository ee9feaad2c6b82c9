"""Simulated Raman spectra: the edge of a stressed anvil, and the vibron of hydrogen. Shares no code with the analysis.

Light comes from all depths of the anvil, from the unstressed table to the culet; the sum of the lines of all depths is
a band with a skewed step at its high end. The edge that counts as true is where the noiseless spectrum falls most
steeply there.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_FREE_CM1, _MODULUS_GPA, _MODULUS_SLOPE = 1334.0, 547.0, 3.75
_EDGE_AXIS_CM1 = np.linspace(1050.0, 1850.0, 1024)
_VIBRON_AXIS_CM1 = np.linspace(3850.0, 4450.0, 600)
_TOP_CM1, _TOP_GPA, _POWER, _FALL = 4260.0, 37.0, 1.5808, 0.107628


def edge_at_pressure(pressure_gpa: float) -> float:
    """High end of the band at a pressure, in cm⁻¹: Akahama and Kawamura, J. Appl. Phys. 100, 043516 (2006)."""
    half = 0.5 * (_MODULUS_SLOPE - 1.0)
    strain = (math.sqrt(1.0 + 4.0 * half * pressure_gpa / _MODULUS_GPA) - 1.0) / (2.0 * half)
    return _FREE_CM1 * (1.0 + strain)


def vibron_at_pressure(pressure_gpa: float) -> float:
    """Vibron above its maximum, in cm⁻¹: an interpolation, which the analysis uses as well and cannot confirm."""
    return _TOP_CM1 - _FALL * float((pressure_gpa - _TOP_GPA) ** _POWER)


def simulate_edge(rng: np.random.Generator, pressure_gpa: float) -> tuple[Floats, Floats, float, float]:
    """One spectrum of a stressed anvil.

    Parameters
    ----------
    rng : Generator
        For shape and noise.
    pressure_gpa : float
        Pressure at the culet, in GPa.

    Returns
    -------
    shift_cm1, counts : array
        Axis in cm⁻¹, and counts.
    edge_cm1 : float
        Where the noiseless spectrum falls most steeply at the end of the band.
    pressure_gpa : float
        The pressure which that edge means on the scale of 2006.
    """
    end = edge_at_pressure(pressure_gpa)
    strength, tilt, width = rng.uniform(0.25, 0.5), rng.uniform(-0.3, 0.3), rng.uniform(4.0, 8.0)
    glow, slope, first = rng.uniform(0.1, 0.5), rng.uniform(-0.2, 0.2), rng.uniform(1340.0, 1350.0)

    def noiseless(axis: Floats) -> Floats:
        depth = np.linspace(1337.0, end, 1200)
        share = (depth - depth[0]) / (end - depth[0])
        weight = (1.0 + tilt * (share - 1.0)) * (1.0 - np.exp(-(end - depth) / 0.8))
        band = np.zeros_like(axis)
        for centre, amount in zip(depth, weight, strict=True):
            band += amount * _bell(axis, centre, width)
        band *= (depth[1] - depth[0]) / (1.064 * width)
        t = (axis - 1400.0) / 400.0
        return np.asarray(9000.0 * (_bell(axis, first, 13.0) + strength * band + glow + slope * t * t * 0.5) + 200.0)

    fine = np.arange(end - 12.0, end + 12.0, 0.05)
    edge = float(fine[np.argmin(np.gradient(noiseless(fine), fine))])
    counts = rng.poisson(noiseless(_EDGE_AXIS_CM1)).astype(np.float64)
    strain = edge / _FREE_CM1 - 1.0
    pressure = _MODULUS_GPA * strain * (1.0 + 0.5 * (_MODULUS_SLOPE - 1.0) * strain)
    return _EDGE_AXIS_CM1, counts, edge, pressure


def simulate_vibron(rng: np.random.Generator, pressure_gpa: float) -> tuple[Floats, Floats, float]:
    """One spectrum of hydrogen under pressure: axis in cm⁻¹, counts, and the true top of the line in cm⁻¹."""
    centre = vibron_at_pressure(pressure_gpa)
    full_width, share = rng.uniform(25.0, 45.0), rng.uniform(0.3, 0.7)
    u = (_VIBRON_AXIS_CM1 - centre) / (0.5 * full_width)
    line = share / (1.0 + u * u) + (1.0 - share) * np.exp(-math.log(2.0) * u * u)
    t = (_VIBRON_AXIS_CM1 - 4150.0) / 300.0
    smooth = 900.0 + rng.uniform(-120.0, 120.0) * t + 60.0 * t * t + rng.uniform(150.0, 500.0) * line
    return _VIBRON_AXIS_CM1, rng.poisson(smooth).astype(np.float64), centre


def spectrum_text(label: str, shift_cm1: Floats, counts: Floats) -> str:
    """A spectrum as two columns of text, labelled."""
    rows = zip(shift_cm1, counts, strict=True)
    return f"# {label}\n# shift (cm-1)\tcounts\n" + "".join(f"{x:.3f}\t{y:.0f}\n" for x, y in rows)


def _bell(axis: Floats, centre: float, full_width: float) -> Floats:
    return np.asarray(np.exp(-4.0 * math.log(2.0) * ((axis - centre) / full_width) ** 2))
