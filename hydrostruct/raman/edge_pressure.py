"""Pressure from the diamond edge, with the reading's error and the scale's apart."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.raman.scales import (
    DEFAULT_SCALE,
    EdgeScale,
    coefficient_gradient,
    read_scale,
    scale_edge,
    scale_names,
    scale_pressure,
)

Floats = npt.NDArray[np.float64]

_ROUNDING_GPA = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgePressure:
    """The pressure of one edge on one scale, and what the other scales say."""

    scale: str
    """Name of the scale."""
    primary_standard: str
    """What its pressures rest on."""
    edge_cm1: float
    """Edge, in cm⁻¹."""
    pressure_gpa: float
    """Pressure, in GPa; NaN outside the scale's range."""
    pressure_sigma_gpa: float
    """Its uncertainty from the reading of the edge, in GPa."""
    pressure_systematic_gpa: float
    """What the scale's coefficients and the axis do to all points alike, in GPa; NaN where neither is known."""
    scales: Mapping[str, float]
    """Pressure on every anvil-edge scale that is valid there, in GPa."""
    spread_gpa: float
    """Largest less smallest of `scales`, in GPa."""
    reason: str
    """Why there is no number; empty where there is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PressureChange:
    """The difference of two pressures on one scale, in which the common part cancels."""

    change_gpa: float
    """After less before, in GPa."""
    change_sigma_gpa: float
    """Its uncertainty from the two readings, in GPa."""
    change_systematic_gpa: float
    """What is left of the scale's uncertainty, in GPa."""


def edge_pressure(edge_cm1: npt.ArrayLike, *, scale: str | os.PathLike[str] = DEFAULT_SCALE) -> Floats:
    """Pressure of a diamond edge.

    Parameters
    ----------
    edge_cm1 : array-like
        Edge, in cm⁻¹; NaN gives NaN.
    scale : str or path-like
        Name of a scale, or a ``.toml`` of your own.

    Returns
    -------
    array
        Pressure, in GPa, of the shape given.

    Raises
    ------
    InputError
        When a value lies outside the scale's range.

    Examples
    --------
    >>> edge_pressure([1524.5848, 1539.1354]).round(3)
    array([ 93.5, 101.9])
    """
    found = read_scale(scale)
    pressure = scale_pressure(found, edge_cm1)
    _check_range(found, pressure)
    return pressure


def edge_from_pressure(pressure_gpa: npt.ArrayLike, *, scale: str | os.PathLike[str] = DEFAULT_SCALE) -> Floats:
    """Diamond edge at a pressure: the inverse of `edge_pressure`.

    Parameters
    ----------
    pressure_gpa : array-like
        Pressure, in GPa; NaN gives NaN.
    scale : str or path-like
        Name of a scale, or a ``.toml`` of your own.

    Returns
    -------
    array
        Edge, in cm⁻¹, of the shape given.

    Raises
    ------
    InputError
        When a value lies outside the scale's range.

    Examples
    --------
    >>> float(edge_from_pressure(100.0).round(2))
    1535.87
    """
    found = read_scale(scale)
    _check_range(found, np.asarray(pressure_gpa, dtype=np.float64))
    return scale_edge(found, pressure_gpa)


def read_edge_pressure(
    edge_cm1: float,
    edge_sigma_cm1: float,
    *,
    axis_sigma_cm1: float = math.nan,
    scale: str | os.PathLike[str] = DEFAULT_SCALE,
) -> EdgePressure:
    """Pressure of one edge with its uncertainties; no number, with a reason, outside the scale's range.

    Parameters
    ----------
    edge_cm1, edge_sigma_cm1 : float
        Edge and its standard uncertainty, in cm⁻¹; NaN where there is none.
    axis_sigma_cm1 : float
        Uncertainty of the axis, common to all its spectra, in cm⁻¹; NaN where it was not calibrated.
    scale : str or path-like
        Name of a scale, or a ``.toml`` of your own.

    Returns
    -------
    EdgePressure
    """
    found = read_scale(scale)
    pressure = float(scale_pressure(found, edge_cm1))
    inside = not math.isnan(edge_cm1) and _inside(found, pressure)
    slope = _slope(found, edge_cm1)
    systematic = math.hypot(_coefficient_part(found, edge_cm1), np.nan_to_num(slope * axis_sigma_cm1))
    others = valid_pressures(edge_cm1)
    reason = "" if inside or math.isnan(edge_cm1) else _outside(found, pressure)
    return EdgePressure(
        scale=found.name,
        primary_standard=found.primary_standard,
        edge_cm1=edge_cm1,
        pressure_gpa=pressure if inside else math.nan,
        pressure_sigma_gpa=slope * edge_sigma_cm1 if inside else math.nan,
        pressure_systematic_gpa=systematic if inside else math.nan,
        scales=others,
        spread_gpa=max(others.values()) - min(others.values()) if others else math.nan,
        reason=reason,
    )


def pressure_change(before: EdgePressure, after: EdgePressure) -> PressureChange:
    """How far the pressure moved, as on laser heating, with the sigma of the difference.

    Parameters
    ----------
    before, after : EdgePressure
        On the same scale and axis.

    Returns
    -------
    PressureChange

    Raises
    ------
    InputError
        When the scales differ.

    Notes
    -----
    Each coefficient moves both pressures: only the difference of its two effects remains.

    Examples
    --------
    >>> before, after = (read_edge_pressure(edge, 0.3) for edge in (1539.1354, 1524.5848))
    >>> moved = pressure_change(before, after)
    >>> round(moved.change_gpa, 2), round(moved.change_sigma_gpa, 2), moved.change_systematic_gpa < 0.5
    (-8.4, 0.24, True)
    """
    if before.scale != after.scale:
        raise InputError(f"pressures on {before.scale} and {after.scale}. Expected one scale. Read both on one.")
    scale = read_scale(before.scale)
    left = coefficient_gradient(scale, after.edge_cm1) - coefficient_gradient(scale, before.edge_cm1)
    return PressureChange(
        change_gpa=after.pressure_gpa - before.pressure_gpa,
        change_sigma_gpa=math.hypot(before.pressure_sigma_gpa, after.pressure_sigma_gpa),
        change_systematic_gpa=float(np.sqrt(np.sum(left**2))),
    )


def valid_pressures(edge_cm1: float) -> dict[str, float]:
    """Pressure on every anvil-edge scale whose range holds it, in GPa, by name.

    Examples
    --------
    >>> {name: round(value, 1) for name, value in valid_pressures(1524.58).items()}
    {'akahama2004': 95.0, 'akahama2006': 93.5, 'eremets2023': 90.4, 'hilberer2026': 95.6, 'sakai2025': 87.8}
    """
    found = {}
    for name in scale_names():
        if name == "baer2008" or math.isnan(edge_cm1):
            continue
        scale = read_scale(name)
        pressure = float(scale_pressure(scale, edge_cm1))
        if scale.kind == "anvil" and _inside(scale, pressure):
            found[name] = pressure
    return found


def _coefficient_part(scale: EdgeScale, edge_cm1: float) -> float:
    return float(np.sqrt(np.sum(coefficient_gradient(scale, edge_cm1) ** 2)))


def _slope(scale: EdgeScale, edge_cm1: float) -> float:
    step = 1e-3
    return float(scale_pressure(scale, edge_cm1 + step) - scale_pressure(scale, edge_cm1 - step)) / (2.0 * step)


def _inside(scale: EdgeScale, pressure: float) -> bool:
    low, high = scale.range_gpa
    return low - _ROUNDING_GPA <= pressure <= high + _ROUNDING_GPA


def _check_range(scale: EdgeScale, pressure: Floats) -> None:
    for value in np.ravel(pressure):
        if not math.isnan(value) and not _inside(scale, float(value)):
            raise InputError(f"{_outside(scale, float(value))} Choose another scale.")


def _outside(scale: EdgeScale, pressure: float) -> str:
    low, high = scale.range_gpa
    return f"scale {scale.name}: the pressure would be {pressure:.1f} GPa. Expected {low:g} to {high:g}, its range."
