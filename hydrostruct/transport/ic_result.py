"""What a voltage-current curve says of its critical current."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hydrostruct.transport.curves import Floats
from hydrostruct.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class CriticalCurrentFit:
    """Ic and n of one curve, always with the criterion they belong to."""

    file: str
    """Where the curve comes from."""
    verdict: Verdict
    """CONVERGED, DOUBTFUL; ABSENT where the sample is ohmic or no voltage appears; FAILED with too few points."""
    reason: str
    """Whole sentences that explain the verdict; empty when there is nothing to say."""
    temperature_k: float
    """Mean temperature, in K; NaN where it is not known."""
    ic_a: float
    """Current at which the superconductor's voltage is the criterion, in A, by the power law about it."""
    ic_sigma_a: float
    """Its standard uncertainty, in A."""
    n: float
    """Exponent of V ∝ Iⁿ over the points above the criterion."""
    n_sigma: float
    """Its standard uncertainty."""
    criterion_v: float
    """The criterion, in V."""
    polarity: str
    """``normal``, or ``reversed`` where V falls as I rises: leads swapped, sign corrected."""
    ic_crossing_a: float
    """Where the points themselves pass the criterion, without a model, in A; NaN where they do not."""
    offset_v: float
    """Thermal voltage and offset that were taken off, in V, in the sign of the file."""
    offset_sigma_v: float
    """Its standard uncertainty, in V."""
    lead_ohm: float
    """Slope of the baseline, in Ω, taken off too."""
    lead_sigma_ohm: float
    """Its standard uncertainty, in Ω."""
    noise_v: float
    """Standard deviation of a point about the baseline, in V."""
    relative_noise: float
    """Scatter of the voltage about the power law beyond that noise, in parts of the voltage."""
    plateau_a: float
    """Largest current with no voltage beyond three sigma: the zero-voltage plateau, in A."""
    resistance_ohm: float
    """Slope of the straight line through all points, in Ω."""
    resistance_sigma_ohm: float
    """Its standard uncertainty, in Ω."""
    ohmic: bool
    """Whether that line explains the curve as well as a power law."""
    hysteresis_sigmas: float
    """Voltage on falling less on rising current above half of Ic, in standard deviations; NaN unless both are there."""
    current_a: Floats
    """Currents, in the order measured, in A, shape (n,)."""
    voltage_v: Floats
    """Voltages with the baseline taken off and the sign put right, in V, shape (n,)."""
    fitted_v: Floats
    """The power law at every current, in V, shape (n,); NaN where there is none."""


def converted_ic(ic_a: float, n: float, *, criterion_v: float, to_criterion_v: float) -> float:
    """Critical current at another criterion.

    Parameters
    ----------
    ic_a, n : float
        What was found at `criterion_v`.
    criterion_v, to_criterion_v : float
        The two criteria, in V (or both in V/m).

    Returns
    -------
    float
        In A: Ic (V₂/V₁)^(1/n).

    Examples
    --------
    >>> round(converted_ic(74e-3, 20.0, criterion_v=1e-6, to_criterion_v=1e-7), 5)
    0.06595
    """
    return float(ic_a * (to_criterion_v / criterion_v) ** (1.0 / n))


def pulse_heat(current_a: float, *, contact_ohm: float, pulse_s: float) -> tuple[float, float]:
    """Joule power and energy of one current pulse in the contacts.

    Parameters
    ----------
    current_a : float
        In A.
    contact_ohm : float
        Resistance that the current crosses, in Ω.
    pulse_s : float
        Length of the pulse, in s.

    Returns
    -------
    power_w, energy_j : float

    Examples
    --------
    >>> power, energy = pulse_heat(74e-3, contact_ohm=4.5, pulse_s=0.01)
    >>> round(1e3 * power, 1), round(1e3 * energy, 2)
    (24.6, 0.25)
    """
    power = current_a**2 * contact_ohm
    return (power, power * pulse_s) if math.isfinite(power) else (math.nan, math.nan)
