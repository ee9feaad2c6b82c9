"""Every point of a map beside the transport of its load step: what is there, how far from the electrodes, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Place = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedPoint:
    """What a map says of one of its points."""

    point: int
    """Number of the point."""
    x_um: float
    """Position, in µm; NaN where it is not known."""
    y_um: float
    """Position, in µm; NaN where it is not known."""
    phases: tuple[str, ...]
    """Phases that were detected there."""
    pressure_gpa: float
    """Pressure there, in GPa; NaN where it is not known."""
    expected_tc_k: float = math.nan
    """Tc that the literature expects of its phases at this pressure, in K; NaN where none is known."""
    expected_tc_sigma_k: float = math.nan
    """Its standard uncertainty, in K."""
    expectation: str = ""
    """Whose numbers these are, or why there are none; a whole sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedCurve:
    """What one transport curve says."""

    kind: str
    """``resistance``, ``voltage_current`` or ``conductance``."""
    file: str
    """Where it comes from."""
    tc_k: float
    """Its Tc, in K; NaN for a curve that gives none."""
    tc_sigma_k: float
    """The standard uncertainty of Tc, in K."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One point beside one curve."""

    point: int
    """Number of the point."""
    run: str
    """Sample, cell and load step that both belong to."""
    kind: str
    """Kind of the curve."""
    file: str
    """Where the curve comes from."""
    tc_k: float
    """Tc of the curve, in K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K."""
    expected_tc_k: float
    """Tc that the literature expects of the phases at the point, in K; NaN where none is known."""
    expected_tc_sigma_k: float
    """Its standard uncertainty, in K."""
    pressure_gpa: float
    """Pressure at the point, in GPa."""
    phases: str
    """Phases detected at the point, with semicolons between them."""
    distance_um: float
    """From the point to the nearest electrode, in µm; NaN where positions are not known."""
    is_between: bool | None
    """Whether the point lies between the electrodes; None where positions are not known."""
    reason: str
    """Why the two stand side by side, and what that does not say."""


def link_points(
    points: Sequence[LinkedPoint], curves: Sequence[LinkedCurve], *, run: str, electrodes_um: Sequence[Place] | None
) -> tuple[Link, ...]:
    """Every point beside every curve of the same load step.

    Parameters
    ----------
    points : sequence of LinkedPoint
        Of one map.
    curves : sequence of LinkedCurve
        Measured in the same load step.
    run : str
        Sample, cell and load step.
    electrodes_um : sequence of (x, y), optional
        Where the electrodes touch the sample on the map, in µm: I+, I-, V-, V+.

    Returns
    -------
    tuple of Link
        Points in their order, and for each the curves in theirs.

    Notes
    -----
    Standing side by side is no proof: current flows where it flows. The reason says so.
    """
    return tuple(_link(point, curve, run, electrodes_um) for point in points for curve in curves)


def _link(point: LinkedPoint, curve: LinkedCurve, run: str, electrodes_um: Sequence[Place] | None) -> Link:
    known = electrodes_um is not None and math.isfinite(point.x_um) and math.isfinite(point.y_um)
    distance, between = math.nan, None
    if known and electrodes_um is not None:
        distance = min(math.dist((point.x_um, point.y_um), place) for place in electrodes_um)
        between = _is_inside((point.x_um, point.y_um), electrodes_um)
    return Link(
        point=point.point,
        run=run,
        kind=curve.kind,
        file=curve.file,
        tc_k=curve.tc_k,
        tc_sigma_k=curve.tc_sigma_k,
        expected_tc_k=point.expected_tc_k,
        expected_tc_sigma_k=point.expected_tc_sigma_k,
        pressure_gpa=point.pressure_gpa,
        phases="; ".join(point.phases),
        distance_um=distance,
        is_between=between,
        reason=f"{_reason(between, distance)} {point.expectation}".strip(),
    )


def _reason(between: bool | None, distance: float) -> str:
    same = "Same load step of the same run"
    if between is None:
        return (
            f"{same}; where the electrodes lie, or this point, is not known, so that all points stand beside the curve."
        )
    if between:
        return f"{same}; the point lies between the electrodes. That it carries the current is not shown."
    return f"{same}; the point lies outside the electrodes, {distance:.1f} µm from the nearest."


def _is_inside(place: Place, corners: Sequence[Place]) -> bool:
    """Whether a place lies in a polygon, its edge included; the corners are taken in their order around the middle."""
    middle = (sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners))
    around = sorted(corners, key=lambda corner: math.atan2(corner[1] - middle[1], corner[0] - middle[0]))
    sides = []
    for (ax, ay), (bx, by) in zip(around, [*around[1:], around[0]], strict=True):
        sides.append((bx - ax) * (place[1] - ay) - (by - ay) * (place[0] - ax))
    return all(side >= -1e-9 for side in sides)
