"""The level below all transitions: zero, an offset of the instrument, or a resistance that remains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hydrostruct.transport.curves import ResistanceCurve
from hydrostruct.transport.lines import Line, fit_line
from hydrostruct.transport.steps import STARTS, StepShape
from hydrostruct.transport.sweeps import Sweep

SIGMAS = 3.0
"""How many standard deviations of the floor still are zero, and of the normal line still normal."""
_LARGEST_OFFSET_SHARE = 0.02
_LEAST_POINTS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Plateau:
    """What lies below the lowest transition."""

    line: Line | None
    """Through the plateau, with a slope only where the data show a drift; None where no plateau is seen."""
    offset_ohm: float
    """What is taken off, in Ω."""
    residual_ohm: float
    """What remains and is no offset, in Ω; NaN where there is none."""
    floor_ohm: float
    """Standard deviation of a point at zero resistance, in Ω."""
    doubts: tuple[str, ...]
    """Whole sentences."""


def find_plateau(sweep: Sweep, shapes: list[StepShape], curve: ResistanceCurve) -> Plateau:
    """The plateau below the lowest transition, and what its level means.

    Parameters
    ----------
    sweep : Sweep
        The curve.
    shapes : list of StepShape
        Its steps, the highest first.
    curve : ResistanceCurve
        Its current and voltage noise give the instrument's floor.

    Returns
    -------
    Plateau

    Notes
    -----
    No resistance is negative, so a negative level is an offset whatever its size; a positive one is an offset up to 2 %
    of the normal resistance, and otherwise a resistance that remains.
    """
    lowest = shapes[-1]
    window = sweep.temperature_k <= lowest.middle_k - STARTS[0] * lowest.width_k
    instrument = curve.voltage_noise_v / curve.current_a
    noise = float(np.median(sweep.noise_ohm[window])) if np.any(window) else float(np.min(sweep.noise_ohm))
    floor = instrument if math.isfinite(instrument) else noise
    if np.count_nonzero(window) < _LEAST_POINTS:
        return Plateau(line=None, offset_ohm=0.0, residual_ohm=math.nan, floor_ohm=floor, doubts=())
    line = fit_line(sweep.temperature_k, sweep.resistance_ohm, window)
    if abs(line.slope) <= SIGMAS * float(np.sqrt(np.sum((line.slope_weights * sweep.noise_ohm) ** 2))):
        zero = np.zeros(line.slope_weights.shape)
        line = Line(slope=0.0, height=line.height, centre_k=line.centre_k, slope_weights=zero,
                    height_weights=line.height_weights)  # fmt: skip
    normal = abs(float(shapes[0].above[0].at(shapes[0].middle_k)))
    level = float(line.at(lowest.middle_k - STARTS[0] * lowest.width_k))
    within = level <= max(_LARGEST_OFFSET_SHARE * normal, SIGMAS * floor)
    doubts = () if within else (f"Below the transition {level:.3g} Ω remain: the sample does not reach zero.",)
    return Plateau(
        line=line,
        offset_ohm=level if within else 0.0,
        residual_ohm=math.nan if within else level,
        floor_ohm=floor,
        doubts=doubts,
    )
