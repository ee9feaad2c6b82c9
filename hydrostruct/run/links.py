"""The links of a run: every map point beside every curve, with the pressure and the Tc that is expected there."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hydrostruct.linkage.expected_tc import expected_tc
from hydrostruct.linkage.first_link import Link, LinkedCurve, LinkedPoint, link_points
from hydrostruct.material.eos import pressure_from_volume, pressure_sigma
from hydrostruct.material.phase_record import Phase
from hydrostruct.results.record import PointResult, RunResult
from hydrostruct.run.config import RunConfig
from hydrostruct.verdict import Verdict


def link_run(
    config: RunConfig, result: RunResult, curves: Sequence[LinkedCurve], *, phases: Sequence[Phase]
) -> tuple[Link, ...]:
    """Every point of a run beside every curve of its load step.

    Parameters
    ----------
    config : RunConfig
        Names the sample, the cell and the load step, and where the electrodes lie.
    result : RunResult
        The map.
    curves : sequence of LinkedCurve
        The transport.
    phases : sequence of Phase
        Those that were fitted, with what is published of them.

    Returns
    -------
    tuple of Link
    """
    if not curves:
        return ()
    points = [_linked_point(point, phases) for point in result.points]
    run = ", ".join(dict.fromkeys(word for word in (config.sample, config.cell, config.load_step) if word))
    electrodes = None if config.transport is None else config.transport.electrodes_um
    return link_points(points, curves, run=run or config.title, electrodes_um=electrodes)


def _linked_point(point: PointResult, phases: Sequence[Phase]) -> LinkedPoint:
    detected = [] if point.fit is None else [one for one in phases if point.fit.phases[one.name].detected]
    pressure, sigma = _pressure(point, detected)
    expected = expected_tc(detected, pressure, pressure_sigma_gpa=sigma)
    return LinkedPoint(
        point=point.place.point,
        x_um=point.place.x_um,
        y_um=point.place.y_um,
        phases=tuple(one.name for one in detected),
        pressure_gpa=pressure,
        expected_tc_k=expected.tc_k,
        expected_tc_sigma_k=expected.tc_sigma_k,
        expectation=expected.reason,
    )


def _pressure(point: PointResult, detected: Sequence[Phase]) -> tuple[float, float]:
    """Pressure of the diamond edge, else of the equation of state that tells it best; NaN where neither is there."""
    edge = None if point.raman is None else point.raman.pressure
    if edge is not None and math.isfinite(edge.pressure_gpa):
        parts = [edge.pressure_sigma_gpa, edge.pressure_systematic_gpa]
        return edge.pressure_gpa, math.hypot(*(part for part in parts if math.isfinite(part)))
    known = [(math.nan, math.inf)]
    for phase in detected:
        fit = None if point.fit is None else point.fit.phases[phase.name]
        if fit is None or fit.verdict is not Verdict.CONVERGED or not phase.equations_of_state:
            continue
        state = phase.equation_of_state()
        value = float(pressure_from_volume(state, fit.volume_per_fu_ang3))
        sigma = float(pressure_sigma(state, fit.volume_per_fu_ang3, volume_sigma_ang3=fit.volume_per_fu_sigma_ang3))
        if math.isfinite(value) and math.isfinite(sigma):
            known.append((value, sigma))
    pressure, sigma = min(known, key=lambda one: one[1])
    return pressure, sigma if math.isfinite(pressure) else math.nan
