"""Tc against pressure: own points beside the literature's, and dTc/dP with errors in both."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.phase import read_phase
from hydrostruct.numerics.least_squares import fit_least_squares
from hydrostruct.transport.curves import Floats
from hydrostruct.transport.read import read_named_table
from hydrostruct.verdict import Verdict

_LEAST_POINTS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class TcPoint:
    """One Tc at one pressure."""

    pressure_gpa: float
    """In GPa."""
    pressure_sigma_gpa: float
    """Its standard uncertainty, in GPa, with the shift on cooling; NaN where none is stated."""
    tc_k: float
    """In K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K; NaN where none is stated."""
    phase: str
    """The phase it is ascribed to."""
    quantity: str
    """What its authors call Tc: onset, intersection, a maximum, theory."""
    source: str
    """Authors and journal; ``this work`` for own points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TcPressureLine:
    """A straight line through Tc against pressure."""

    slope_k_per_gpa: float
    """dTc/dP, in K/GPa."""
    slope_sigma_k_per_gpa: float
    """Its standard uncertainty, in K/GPa."""
    tc_k: float
    """Tc at `pressure_gpa`, in K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K."""
    pressure_gpa: float
    """Mean pressure of the points, in GPa, where slope and Tc are about independent."""
    reduced_chi2: float
    """χ² per degree of freedom; NaN for two points. Sigmas are widened by its root where it exceeds 1."""
    verdict: Verdict
    """CONVERGED; DOUBTFUL where a line does not explain the points; NOT_CONVERGED."""
    reason: str
    """Whole sentences."""


def literature_tc(phase: str) -> tuple[TcPoint, ...]:
    """Published points of a phase of the library, with their sources.

    Parameters
    ----------
    phase : str
        Its name in the library.

    Returns
    -------
    tuple of TcPoint
        By pressure. Sigmas that the library does not hold are NaN.

    Examples
    --------
    >>> [(point.pressure_gpa, point.tc_k) for point in literature_tc("CeH9-P63mmc")][:2]
    [(88.0, 57.0), (93.5, 98.0)]
    """
    points = [
        TcPoint(pressure_gpa=one.pressure_gpa, pressure_sigma_gpa=math.nan, tc_k=one.tc_k, tc_sigma_k=one.tc_sigma_k,
                phase=phase, quantity=one.quantity, source=one.source)
        for one in read_phase(phase).critical_temperatures
    ]  # fmt: skip
    return tuple(sorted(points, key=lambda point: (point.pressure_gpa, point.tc_k)))


def read_tc_points(
    path: str | os.PathLike[str],
    *,
    phase: str = "",
    pressure_sigma_gpa: float = math.nan,
    tc_sigma_k: float = math.nan,
) -> tuple[TcPoint, ...]:
    """Own points from a table.

    Parameters
    ----------
    path : path-like
        Columns ``pressure_gpa, tc_k[, pressure_sigma_gpa, tc_sigma_k, pressure_after_gpa]`` by name; with a reading
        after the cooling the pressure is :func:`pressure_on_cooling`.
    phase : str
        What the points are ascribed to.
    pressure_sigma_gpa, tc_sigma_k : float
        Sigmas of all points, where the table has no such column; NaN where they are not known.

    Returns
    -------
    tuple of TcPoint
        Rows without a pressure or a Tc are left out.

    Raises
    ------
    InputError
        When a column is missing, or a number is below 0.
    """
    table = read_named_table(path)
    if not {"pressure_gpa", "tc_k"} <= set(table):
        raise InputError(
            f"{path}: columns are {', '.join(table)}. Expected pressure_gpa and tc_k[, pressure_sigma_gpa, tc_sigma_k, "
            "pressure_after_gpa]. Name them in the first line."
        )
    size = table["tc_k"].size
    reading = table.get("pressure_sigma_gpa", np.full(size, pressure_sigma_gpa))
    columns = zip(
        table["pressure_gpa"],
        table.get("pressure_after_gpa", np.full(size, math.nan)),
        reading,
        table["tc_k"],
        table.get("tc_sigma_k", np.full(size, tc_sigma_k)),
        strict=True,
    )
    points = [_own_point(*map(float, row), phase=phase) for row in columns]
    known = tuple(point for point in points if math.isfinite(point.pressure_gpa) and math.isfinite(point.tc_k))
    if not known or any(point.pressure_gpa < 0 or point.tc_k <= 0 for point in known):
        raise InputError(f"{path}: no point, or one below 0. Expected pressures in GPa and Tc in K. Check the columns.")
    return known


def _own_point(
    before_gpa: float, after_gpa: float, sigma_gpa: float, tc_k: float, tc_sigma: float, *, phase: str
) -> TcPoint:
    """A point of this work; without a reading after the cooling the one before stands."""
    pressure, sigma = before_gpa, sigma_gpa
    if math.isfinite(after_gpa):
        known = sigma_gpa if math.isfinite(sigma_gpa) else 0.0
        pressure, sigma = pressure_on_cooling(before_gpa, after_gpa, reading_sigma_gpa=known)
    return TcPoint(
        pressure_gpa=pressure, pressure_sigma_gpa=sigma, tc_k=tc_k, tc_sigma_k=tc_sigma, phase=phase,
        quantity="measured", source="this work",
    )  # fmt: skip


def pressure_on_cooling(before_gpa: float, after_gpa: float, *, reading_sigma_gpa: float = 0.0) -> tuple[float, float]:
    """Pressure at Tc of a cell whose pressure was read warm, before and after a cooling.

    Parameters
    ----------
    before_gpa, after_gpa : float
        The readings, in GPa.
    reading_sigma_gpa : float
        Uncertainty of one reading, in GPa.

    Returns
    -------
    pressure_gpa, pressure_sigma_gpa : float
        The middle; the shift as the width of a box (over √12), with the readings' own error.

    Examples
    --------
    >>> [round(value, 2) for value in pressure_on_cooling(93.5, 95.5)]
    [94.5, 0.58]
    """
    sigma = math.hypot((after_gpa - before_gpa) / math.sqrt(12.0), reading_sigma_gpa / math.sqrt(2.0))
    return 0.5 * (before_gpa + after_gpa), sigma


def fit_tc_pressure(
    pressure_gpa: npt.ArrayLike, tc_k: npt.ArrayLike, *, pressure_sigma_gpa: npt.ArrayLike, tc_sigma_k: npt.ArrayLike
) -> TcPressureLine:
    """dTc/dP with errors in both axes.

    Parameters
    ----------
    pressure_gpa, tc_k : array-like, shape (n,)
        Two or more points at different pressures.
    pressure_sigma_gpa, tc_sigma_k : array-like
        Standard uncertainties, above 0, of shape (n,) or one for all.

    Returns
    -------
    TcPressureLine

    Raises
    ------
    InputError
        When there are fewer than two different pressures, or a sigma is not above 0.

    Notes
    -----
    Orthogonal distance regression: Σ (ΔP/σ_P)² + (ΔTc/σ_Tc)² is least. For a line the ΔP can be eliminated, which
    leaves Σ (Tc − a − bP)²/(σ_Tc² + b²σ_P²).

    Examples
    --------
    >>> line = fit_tc_pressure([90, 100, 110], [60, 70, 80], pressure_sigma_gpa=2.0, tc_sigma_k=1.0)
    >>> round(line.slope_k_per_gpa, 6), round(line.tc_k, 6)
    (1.0, 70.0)
    """
    columns = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64)
                                    for one in (pressure_gpa, tc_k, pressure_sigma_gpa, tc_sigma_k)))  # fmt: skip
    pressure, tc, pressure_sigma, tc_sigma = columns
    if pressure.ndim != 1 or np.unique(pressure).size < _LEAST_POINTS or not np.all(np.isfinite(columns)):
        raise InputError("Tc against pressure: fewer than two different pressures, or a number is missing. Expected "
                         "two or more points without NaN. Leave out those that have none.")  # fmt: skip
    if np.any(pressure_sigma <= 0) or np.any(tc_sigma <= 0):
        raise InputError("Tc against pressure: a sigma is not above 0. Expected both errors of every point.")
    centre = float(np.mean(pressure))
    away = pressure - centre

    def residuals(p: Floats) -> Floats:
        return np.asarray((tc - p[1] - p[0] * away) / np.hypot(tc_sigma, p[0] * pressure_sigma))

    fit = fit_least_squares(residuals, np.polyfit(away, tc, 1))
    freedom = pressure.size - 2
    chi2 = float(fit.residuals @ fit.residuals) / freedom if freedom > 0 else math.nan
    wide = math.sqrt(max(chi2, 1.0)) if freedom > 0 else 1.0
    sigma = np.sqrt(np.diag(fit.covariance)) * wide
    poor = freedom > 0 and chi2 > 1.0 + 3.0 * math.sqrt(2.0 / freedom)
    return TcPressureLine(
        slope_k_per_gpa=float(fit.values[0]),
        slope_sigma_k_per_gpa=float(sigma[0]),
        tc_k=float(fit.values[1]),
        tc_sigma_k=float(sigma[1]),
        pressure_gpa=centre,
        reduced_chi2=chi2,
        verdict=(Verdict.DOUBTFUL if poor else Verdict.CONVERGED) if fit.verdict is Verdict.CONVERGED else fit.verdict,
        reason=f"A line does not explain the points (reduced χ² {chi2:.1f}); sigmas are widened." if poor else "",
    )
