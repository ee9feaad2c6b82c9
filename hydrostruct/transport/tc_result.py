"""What a resistance curve says of its transitions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hydrostruct.transport.curves import Floats
from hydrostruct.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One transition of one sweep or, averaged, of one curve."""

    tc_k: float
    """Where the straight lines of the state above and of the transition meet, mean over the windows scanned, in K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K: noise, choice of windows, and half the hysteresis."""
    tc_statistical_k: float
    """The part of the noise, in K."""
    tc_window_spread_k: float
    """Standard deviation over the windows scanned, in K."""
    part: float
    """Its part of the whole drop, from 0 to 1."""
    significance: float
    """Rise of its peak in dR/dT, in standard deviations."""
    width_k: float
    """From 30 to 70 % of its own step, in K."""
    midpoint_k: float
    """Half of its own step, in K."""
    above_ohm_per_k: float
    """Slope of the line of the state above, in Ω/K, for the figure."""
    above_ohm: float
    """That line at `tc_k`, in Ω."""
    transition_ohm_per_k: float
    """Slope of the line of the transition, in Ω/K."""
    transition_ohm: float
    """That line at `tc_k`, in Ω."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepTc:
    """The same for one sweep."""

    direction: str
    """``cooling``, ``warming`` or ``unsorted``."""
    steps: tuple[Transition, ...]
    """Its transitions, the highest first."""
    onset_k: float
    """First departure from the normal line, in K; NaN where there is none."""
    onset_sigma_k: float
    """Its standard uncertainty, in K."""
    zero_k: float
    """Highest temperature of zero resistance, in K; NaN where it is not reached."""
    zero_sigma_k: float
    """Its standard uncertainty, in K."""
    t90_k: float
    """Where R falls to 90 % of the extrapolated normal line, in K."""
    t90_sigma_k: float
    """Its standard uncertainty, in K."""
    t50_k: float
    """50 %."""
    t50_sigma_k: float
    """Its standard uncertainty, in K."""
    t10_k: float
    """10 %."""
    t10_sigma_k: float
    """Its standard uncertainty, in K."""
    offset_ohm: float
    """Level below the transitions that was taken off, in Ω; 0 where there is no plateau or it is no offset."""
    residual_ohm: float
    """Level below the transitions where it is too high for an offset, in Ω; NaN where zero is reached or not seen."""
    floor_ohm: float
    """Standard deviation of a point at zero resistance, from the instrument's noise or from the plateau, in Ω."""
    doubts: tuple[str, ...]
    """Whole sentences."""
    temperature_k: Floats
    """Sorted temperatures, in K, shape (n,)."""
    resistance_ohm: Floats
    """Resistances, nothing taken off, in Ω, shape (n,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TcFit:
    """What one file says: the mean over its sweeps."""

    file: str
    """Where the curve comes from."""
    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    reason: str
    """Whole sentences that explain the verdict; empty when there is nothing to say."""
    tc_k: float
    """The highest transition's Tc by the intersection of two straight lines, in K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K: noise, choice of windows and hysteresis."""
    onset_k: float
    """First departure from the normal line by three sigma, in K."""
    onset_sigma_k: float
    """Its standard uncertainty, in K."""
    zero_k: float
    """Highest temperature at which R is zero within three sigma of the floor, in K."""
    zero_sigma_k: float
    """Its standard uncertainty, in K."""
    t90_k: float
    """Where R falls to 90 % of the extrapolated normal line, in K."""
    t90_sigma_k: float
    """Its standard uncertainty, in K."""
    t50_k: float
    """50 %, in K."""
    t50_sigma_k: float
    """Its standard uncertainty, in K."""
    t10_k: float
    """10 %, in K."""
    t10_sigma_k: float
    """Its standard uncertainty, in K."""
    steps: tuple[Transition, ...]
    """Every transition, the highest first."""
    hysteresis_k: float
    """Tc on warming less Tc on cooling, in K; NaN unless both were measured."""
    hysteresis_sigma_k: float
    """Its standard uncertainty, in K, from the noise."""
    sweeps: tuple[SweepTc, ...]
    """Each sweep by itself."""

    @property
    def steps_k(self) -> tuple[float, ...]:
        """Tc of every transition, in K, the highest first."""
        return tuple(step.tc_k for step in self.steps)


TC_NUMBERS = ("tc", "onset", "zero", "t90", "t50", "t10")
"""The temperatures of a `TcFit`, each with its sigma."""


def no_tc(file: str, verdict: Verdict, reason: str) -> TcFit:
    """The record of a curve without a transition."""
    numbers = {f"{name}{kind}_k": math.nan for name in TC_NUMBERS for kind in ("", "_sigma")}
    return TcFit(file=file, verdict=verdict, reason=reason, **numbers, steps=(), hysteresis_k=math.nan,
                 hysteresis_sigma_k=math.nan, sweeps=())  # fmt: skip
