"""What the literature expects of the phases at a point: Tc at its pressure, with the scatter of what is published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.material.phase_record import CriticalTemperature, Phase

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedTc:
    """A published Tc at a pressure."""

    tc_k: float
    """In K; NaN where the library has no numbers on both sides of the pressure."""
    tc_sigma_k: float
    """Scatter of the published points and the pressure's sigma, in K; NaN where too few points tell a scatter."""
    reason: str
    """Which phase and whose numbers, or why there is none; a whole sentence."""


def expected_tc(phases: Sequence[Phase], pressure_gpa: float, *, pressure_sigma_gpa: float = 0.0) -> ExpectedTc:
    """The highest Tc that is published for phases at a pressure.

    Parameters
    ----------
    phases : sequence of Phase
        Those that were detected.
    pressure_gpa : float
        Pressure, in GPa; NaN where it is not known.
    pressure_sigma_gpa : float
        Its standard uncertainty, in GPa.

    Returns
    -------
    ExpectedTc

    Notes
    -----
    Straight between the published points, those of one pressure averaged, never beyond them; theory does not count.
    Authors differ in what they call Tc and by more than they state, so the scatter is measured on the table itself:
    how far each inner point lies from the line between its neighbours, as a root mean square. The slope times the
    pressure's sigma is added.

    Examples
    --------
    >>> from hydrostruct.material.phase import read_phase
    >>> found = expected_tc([read_phase("CeH9-P63mmc")], 100.0, pressure_sigma_gpa=1.0)
    >>> round(found.tc_k, 1), round(found.tc_sigma_k)
    (107.0, 18)
    """
    if not math.isfinite(pressure_gpa):
        return ExpectedTc(tc_k=math.nan, tc_sigma_k=math.nan, reason="No Tc is expected, as the pressure is not known.")
    found = [_of_phase(phase, pressure_gpa, pressure_sigma_gpa) for phase in phases]
    known = [one for one in found if math.isfinite(one.tc_k)]
    if known:
        return max(known, key=lambda one: one.tc_k)
    names = ", ".join(phase.name for phase in phases) or "no phase"
    return ExpectedTc(
        tc_k=math.nan,
        tc_sigma_k=math.nan,
        reason=f"No Tc is expected: the library has no measured Tc about {pressure_gpa:.1f} GPa for {names}.",
    )


def _of_phase(phase: Phase, pressure_gpa: float, pressure_sigma_gpa: float) -> ExpectedTc:
    points = [one for one in phase.critical_temperatures if "theory" not in one.quantity]
    pressure, tc = _averaged(points)
    if pressure.size < 2 or not pressure[0] <= pressure_gpa <= pressure[-1]:
        return ExpectedTc(tc_k=math.nan, tc_sigma_k=math.nan, reason="")
    upper = int(np.clip(np.searchsorted(pressure, pressure_gpa), 1, pressure.size - 1))
    slope = float((tc[upper] - tc[upper - 1]) / (pressure[upper] - pressure[upper - 1]))
    beside = [one for one in points if pressure[upper - 1] <= one.pressure_gpa <= pressure[upper]]
    sources = "; ".join(dict.fromkeys(one.source for one in beside))
    scatter = _scatter(pressure, tc)
    unknown = "" if math.isfinite(scatter) else " Two pressures tell no scatter."
    return ExpectedTc(
        tc_k=float(np.interp(pressure_gpa, pressure, tc)),
        tc_sigma_k=math.hypot(scatter, slope * pressure_sigma_gpa),
        reason=f"The expected Tc is that of {phase.name}, between points of {sources}.{unknown}",
    )


def _averaged(points: Sequence[CriticalTemperature]) -> tuple[Floats, Floats]:
    """Rising pressures, each once, with the mean Tc."""
    pressure, place, count = np.unique(
        np.array([one.pressure_gpa for one in points], dtype=np.float64), return_inverse=True, return_counts=True
    )
    return pressure, np.bincount(place, weights=[one.tc_k for one in points]) / np.maximum(count, 1)


def _scatter(pressure: Floats, tc: Floats) -> float:
    """Root mean square of how far inner points lie from the lines between their neighbours; NaN without inner ones."""
    if pressure.size < 3:
        return math.nan
    share = (pressure[1:-1] - pressure[:-2]) / (pressure[2:] - pressure[:-2])
    return float(np.sqrt(np.mean((tc[1:-1] - tc[:-2] - share * (tc[2:] - tc[:-2])) ** 2)))
