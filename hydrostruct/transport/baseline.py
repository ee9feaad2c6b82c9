"""What a voltmeter shows without the sample's voltage: offset, thermal voltage, a slope; and which lead is which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hydrostruct.numerics.least_squares import serial_factor
from hydrostruct.transport.curves import Bools, Floats

_LEAST_POINTS = 4
_TOP = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """V = offset + slope·I at currents that the superconductor carries without loss."""

    offset_v: float
    """In V."""
    slope_ohm: float
    """In Ω."""
    covariance: Floats
    """Of both, shape (2, 2)."""
    noise_v: float
    """Standard deviation of a point, in V."""

    def at(self, current_a: Floats) -> Floats:
        """The baseline at some currents, in V."""
        return np.asarray(self.offset_v + self.slope_ohm * current_a)


def fit_baseline(current: Floats, voltage: Floats, *, below_a: float) -> Baseline:
    """The line through the points of small current.

    Parameters
    ----------
    current, voltage : array, shape (n,)
        In A and V.
    below_a : float
        Magnitude of the current up to which points count, in A; raised where fewer than four lie below.

    Returns
    -------
    Baseline
    """
    size = np.abs(current)
    least = float(np.sort(size)[min(_LEAST_POINTS, size.size) - 1])
    use = size <= max(below_a, least)
    design = np.stack([np.ones(np.count_nonzero(use)), current[use]], axis=1)
    values, *_ = np.linalg.lstsq(design, voltage[use], rcond=None)
    rest = voltage[use] - design @ values
    freedom = max(rest.size - 2, 1)
    quantum = 1e-9 * float(np.max(np.abs(voltage)))
    noise = max(float(np.sqrt(rest @ rest / freedom)), quantum, 1e-100)
    inverse = np.linalg.pinv(design.T @ design)
    return Baseline(
        offset_v=float(values[0]),
        slope_ohm=float(values[1]),
        covariance=inverse * (noise * serial_factor(rest)) ** 2,
        noise_v=noise,
    )


def lead_sign(current: Floats, voltage: Floats, baseline: Baseline) -> float:
    """−1 where the voltage at the largest currents is opposite to them: the leads are swapped.

    Parameters
    ----------
    current, voltage : array, shape (n,)
        In A and V.
    baseline : Baseline
        What is to be taken off.

    Returns
    -------
    float
        1 or −1.

    Examples
    --------
    >>> i = np.linspace(0.0, 2.0, 50)
    >>> lead_sign(i, -1e-6 * i**20, fit_baseline(i, -1e-6 * i**20, below_a=0.8))
    -1.0
    """
    order = np.argsort(np.abs(current))[-min(_TOP, current.size) :]
    along = np.sign(current[order]) * (voltage[order] - baseline.at(current[order]))
    total = float(np.sum(along))
    return -1.0 if total < -3.0 * baseline.noise_v * np.sqrt(order.size) else 1.0


def zero_plateau(current: Floats, voltage: Floats, baseline: Baseline) -> float:
    """Largest current up to which no three points in a row leave the baseline by three sigma, in A."""
    order = np.argsort(np.abs(current), kind="stable")
    out: Bools = np.abs(voltage[order] - baseline.at(current[order])) > 3.0 * baseline.noise_v
    run = np.flatnonzero(out[:-2] & out[1:-1] & out[2:]) if out.size > 2 else np.array([], dtype=int)
    if not run.size:
        return float(np.abs(current[order[-1]]))
    return float(np.abs(current[order[run[0] - 1]])) if run[0] > 0 else 0.0
