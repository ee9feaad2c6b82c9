"""The simulated sample: which phases sit where on the map, and at which pressure. All numbers are invented for it.

The hydrides at 93.5 GPa have the cells that the paper reports for its point 14, and the pressure there is 93.5 GPa;
how they compress, and how much there is of each where, is made up. Platinum and rhenium follow the cells of the
reference sheet of the project (section 3.3: Fei 2007 and Anzellini 2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hydrostruct.simulate.lines import PHASES, volume_per_metal_ang3
from hydrostruct.simulate.truth import PhaseTruth, PointTruth, Settings

_REFERENCE_GPA = 93.5
_SUMMIT_GPA = 94.4
_SUMMIT = (0.32, 0.36)
_ANCHOR = (0.75, 0.5)
_HYDRIDES = {
    "CeH9-P63mmc": (3.674, 5.427, 400.0),
    "CeH4-I4mmm": (2.838, 5.801, 420.0),
    "CeH10-Fm3m": (5.190, 5.190, 390.0),
}
_STIFFENING = 4.0
_TABLE_GPA = (93.5, 94.8, 100.0, 101.9, 105.0)
_TABLE_ANG = {
    "Pt": ((3.6654, 3.6631, 3.6540, 3.6507, 3.6455),) * 2,
    "Re": ((2.6034, 2.6019, 2.5958, 2.5936, 2.5901), (4.2006, 4.1981, 4.1883, 4.1848, 4.1792)),
}
_CUBIC_HYDRIDE_NEAR = (0.4, 0.8)
_CUBIC_HYDRIDE_POINTS = 2
_EMPTY_NEAR = (1.0, 0.0)
_EMPTY_AREA = 0.15


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A point of the map and where it lies between the edges, 0 to 1 along x (u) and y (v)."""

    row: int
    column: int
    u: float
    v: float
    is_rim: bool


def map_truth(shape: tuple[int, int], *, step_um: tuple[float, float], settings: Settings) -> tuple[PointTruth, ...]:
    """What is true at each point of the map.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    step_um : tuple of float
        Steps along x and y, in µm.
    settings : Settings
        For the strength of the lines.

    Returns
    -------
    tuple of PointTruth
        Row after row, for infinitely many grains: the images say what the grains drawn make of it.
    """
    places = _places(shape)
    cubic, empty = _special_places(places)
    points = []
    for number, place in enumerate(places, 1):
        pressure = pressure_at(place.u, place.v)
        amounts = _amounts(place, has_cubic_hydride=place in cubic, is_empty=place == empty)
        points.append(
            PointTruth(
                point=number,
                row=place.row,
                column=place.column,
                x_um=place.column * step_um[0],
                y_um=place.row * step_um[1],
                file=f"xrd/map_{number:03d}.tif",
                pressure_gpa=pressure,
                bragg_area=settings.bragg_counts_deg * sum(amounts.values()),
                bragg_area_expected=settings.bragg_counts_deg * sum(amounts.values()),
                phases=_phase_truths(amounts, pressure),
            )
        )
    return tuple(points)


def pressure_at(u: float, v: float) -> float:
    """Pressure on the map: a dome, 93.5 GPa at the place of the paper's point 14.

    Parameters
    ----------
    u, v : float
        Place between the edges, 0 to 1 along x and y.

    Returns
    -------
    float
        In GPa.

    Examples
    --------
    >>> round(pressure_at(0.75, 0.5), 6)
    93.5
    >>> round(pressure_at(0.0, 0.0) - pressure_at(1.0, 1.0), 2)
    2.82
    """
    fall = (_SUMMIT_GPA - _REFERENCE_GPA) / math.dist(_ANCHOR, _SUMMIT) ** 2
    return _SUMMIT_GPA - fall * math.dist((u, v), _SUMMIT) ** 2


def cell_at_pressure(name: str, pressure_gpa: float) -> tuple[float, float]:
    """Cell of a phase.

    Parameters
    ----------
    name : str
        One of `hydrostruct.simulate.lines.PHASES`.
    pressure_gpa : float
        Pressure, in GPa.

    Returns
    -------
    a_ang, c_ang : float
        In Å; c/a of a phase does not change.

    Notes
    -----
    Hydrides: V ∝ [1 + K′(P − 93.5 GPa)/K]^(−1/K′) (Murnaghan from 93.5 GPa). Metals: a parabola through the table.
    """
    if name in _TABLE_ANG:
        offset = np.array(_TABLE_GPA) - _REFERENCE_GPA
        a, c = (
            float(np.polyval(np.polyfit(offset, axis, 2), pressure_gpa - _REFERENCE_GPA)) for axis in _TABLE_ANG[name]
        )
        return a, c
    a, c, modulus = _HYDRIDES[name]
    scale = (1.0 + _STIFFENING * (pressure_gpa - _REFERENCE_GPA) / modulus) ** (-1.0 / (3.0 * _STIFFENING))
    return a * scale, c * scale


def _phase_truths(amounts: dict[str, float], pressure_gpa: float) -> dict[str, PhaseTruth]:
    total = sum(amounts.values())
    truths = {}
    for name, amount in amounts.items():
        a, c = cell_at_pressure(name, pressure_gpa)
        volume = volume_per_metal_ang3(PHASES[name], a_ang=a, c_ang=c)
        share = amount / total
        truths[name] = PhaseTruth(a_ang=a, c_ang=c, volume_per_fu_ang3=volume, share=share, share_expected=share)
    return truths


def _amounts(place: _Place, *, has_cubic_hydride: bool, is_empty: bool) -> dict[str, float]:
    """Bragg area of each phase, 1 for the whole sample where it is thickest; phases that are absent are left out."""
    corner = abs(2.0 * place.u - 1.0) * abs(2.0 * place.v - 1.0)
    amounts = {} if is_empty else _hydride_amounts(place, has_cubic_hydride=has_cubic_hydride)
    if place.is_rim and not is_empty and corner > 0.0:
        amounts["Pt"] = 0.05 + 0.05 * corner
    if place.is_rim:
        amounts["Re"] = _EMPTY_AREA if is_empty else 0.05 + 0.04 * corner
    return amounts


def _hydride_amounts(place: _Place, *, has_cubic_hydride: bool) -> dict[str, float]:
    thickness = 1.0 - 0.5 * math.dist((place.u, place.v), (0.5, 0.5)) ** 2
    ninth = 0.2 + 0.65 * 0.5 * (1.0 + math.sin(2.2 * place.u + 1.6 * place.v - 1.1))
    cubic = 0.15 if has_cubic_hydride else 0.0
    shares = {"CeH9-P63mmc": ninth * (1.0 - cubic), "CeH4-I4mmm": (1.0 - ninth) * (1.0 - cubic), "CeH10-Fm3m": cubic}
    return {name: thickness * share for name, share in shares.items() if share > 0.0}


def _places(shape: tuple[int, int]) -> list[_Place]:
    rows, columns = shape
    return [
        _Place(
            row=row,
            column=column,
            u=column / (columns - 1) if columns > 1 else 0.5,
            v=row / (rows - 1) if rows > 1 else 0.5,
            is_rim=row in (0, rows - 1) or column in (0, columns - 1),
        )
        for row in range(rows)
        for column in range(columns)
    ]


def _special_places(places: list[_Place]) -> tuple[list[_Place], _Place | None]:
    """Where the cubic hydride sits, and where there is no sample; a map of fewer than four points has neither."""
    if len(places) <= _CUBIC_HYDRIDE_POINTS + 1:
        return [], None
    empty = min(places, key=lambda place: math.dist((place.u, place.v), _EMPTY_NEAR))
    others = [place for place in places if place != empty]
    others.sort(key=lambda place: math.dist((place.u, place.v), _CUBIC_HYDRIDE_NEAR))
    return others[:_CUBIC_HYDRIDE_POINTS], empty
