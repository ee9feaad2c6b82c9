"""Equations of state: P(V) and V(P) at room temperature, with their uncertainties.

The forms are those of peritheos; what is here is the record with its source, missing numbers, the inverse over arrays
and the propagation of errors. Volumes are per formula unit, so that phases can be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.cell import Floats

PARAMETERS = ("v0", "k0", "k0_prime")
"""The order of parameters in a covariance."""


class EosForm(StrEnum):
    """The forms that can be evaluated; parameters never move from one to another."""

    VINET = "vinet"
    BIRCH_MURNAGHAN_2 = "birch-murnaghan-2"
    BIRCH_MURNAGHAN_3 = "birch-murnaghan-3"
    MURNAGHAN = "murnaghan"


@dataclass(frozen=True, kw_only=True, slots=True)
class EquationOfState:
    """One published isotherm near 300 K."""

    key: str
    """Short name, unique within its phase: first author and year."""
    form: EosForm
    """Its formula."""
    v0_ang3: float
    """Volume at zero pressure per formula unit, in Å³; of the whole cell where its formula units are not known."""
    v0_sigma_ang3: float
    """Its standard uncertainty, in Å³; 0 where fixed, NaN where none is stated."""
    k0_gpa: float
    """Bulk modulus at zero pressure, in GPa."""
    k0_sigma_gpa: float
    """Its standard uncertainty, in GPa; 0 where fixed, NaN where none is stated."""
    k0_prime: float
    """Pressure derivative of the bulk modulus, no unit; 4 for the second-order form."""
    k0_prime_sigma: float
    """Its standard uncertainty; 0 where fixed, NaN where none is stated."""
    fixed: tuple[str, ...]
    """Which of v0, k0, k0_prime the authors held fixed."""
    covariance: tuple[tuple[float, ...], ...] | None
    """Covariance of v0 (Å³), k0 (GPa), k0_prime, 3 by 3; None where only the errors are published."""
    pressure_range_gpa: tuple[float, float]
    """Pressures of the data, in GPa; NaN where they are not known."""
    primary_standard: str
    """What the pressures of the data rest on."""
    v0_basis: str
    """Unit and basis of V0 as published."""
    source: str
    """Authors, journal, year."""
    doi: str
    """Its DOI; empty where there is none."""
    confidence: str
    """How sure the transfer of the numbers is, see `phase_record.CONFIDENCES`."""
    notes: str = ""
    """What a user must know."""


def pressure_from_volume(eos: EquationOfState, volume_ang3: npt.ArrayLike) -> Floats:
    """Pressure at a volume.

    Parameters
    ----------
    eos : EquationOfState
        The isotherm.
    volume_ang3 : array_like
        Volume on the basis of `eos.v0_ang3` (per formula unit), in Å³, above 0.

    Returns
    -------
    array
        Pressure, in GPa, same shape; NaN where the volume is NaN or not above 0.

    References
    ----------
    Vinet et al. (1987), doi:10.1103/PhysRevB.35.1945; Birch (1947), doi:10.1103/PhysRev.71.809.

    Examples
    --------
    >>> from hydrostruct.material.phase import read_phase
    >>> platinum = read_phase("Pt").equation_of_state("fei2007")
    >>> pressure_from_volume(platinum, [48.786 / 4, float("nan")]).round(1)
    array([100.,  nan])
    """
    volume = np.asarray(volume_ang3, dtype=np.float64)
    return _where_valid(_model(*_parameters(eos)).pressure, volume, np.isfinite(volume) & (volume > 0))


def volume_from_pressure(eos: EquationOfState, pressure_gpa: npt.ArrayLike) -> Floats:
    """Volume at a pressure, the inverse of `pressure_from_volume` on its monotonic branch.

    Parameters
    ----------
    eos : EquationOfState
        The isotherm.
    pressure_gpa : array_like
        Pressure, in GPa.

    Returns
    -------
    array
        Volume on the basis of `eos.v0_ang3`, in Å³, same shape; NaN where the pressure is NaN, or is a tension that
        no volume bears.

    Examples
    --------
    >>> from hydrostruct.material.phase import read_phase
    >>> round(2 * float(volume_from_pressure(read_phase("Re").equation_of_state("anzellini2014"), 100.0)), 4)
    24.4405
    """
    pressure = np.asarray(pressure_gpa, dtype=np.float64)
    return _where_valid(_model(*_parameters(eos)).volume, pressure, np.isfinite(pressure))


def volume_sigma(eos: EquationOfState, pressure_gpa: npt.ArrayLike) -> Floats:
    """Standard uncertainty of the volume at a pressure that the errors of the parameters leave.

    Parameters
    ----------
    eos : EquationOfState
        The isotherm; without a covariance its errors count as independent, which overstates.
    pressure_gpa : array_like
        Pressure, in GPa, taken as exact.

    Returns
    -------
    array
        In Å³, same shape; NaN where a free parameter has no published error.
    """
    pressure = np.asarray(pressure_gpa, dtype=np.float64)
    slopes = _slopes(eos, lambda model: _where_valid(model.volume, pressure, np.isfinite(pressure)))
    return _propagated(slopes, _covariance(eos))


def pressure_sigma(
    eos: EquationOfState, volume_ang3: npt.ArrayLike, *, volume_sigma_ang3: npt.ArrayLike = 0.0
) -> Floats:
    """Standard uncertainty of the pressure at a volume, from the volume and from the parameters together.

    Parameters
    ----------
    eos : EquationOfState
        The isotherm; without a covariance its errors count as independent, which overstates.
    volume_ang3 : array_like
        Volume on the basis of `eos.v0_ang3`, in Å³.
    volume_sigma_ang3 : array_like
        Its standard uncertainty, in Å³.

    Returns
    -------
    array
        In GPa, same shape; NaN where a free parameter has no published error.
    """
    volume = np.asarray(volume_ang3, dtype=np.float64)
    valid = np.isfinite(volume) & (volume > 0)
    parameters = _propagated(_slopes(eos, lambda model: _where_valid(model.pressure, volume, valid)), _covariance(eos))
    model = _model(*_parameters(eos))
    per_volume = _where_valid(model.bulk_modulus, volume, valid) / np.where(valid, volume, np.nan)
    return np.asarray(np.hypot(parameters, per_volume * np.asarray(volume_sigma_ang3, dtype=np.float64)))


def is_extrapolated(eos: EquationOfState, pressure_gpa: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether a pressure lies outside the data of an isotherm.

    Parameters
    ----------
    eos : EquationOfState
        The isotherm.
    pressure_gpa : array_like
        Pressure, in GPa.

    Returns
    -------
    array of bool
        Same shape; True too where the range is not known, except at zero pressure, which V0 fixes.
    """
    pressure = np.asarray(pressure_gpa, dtype=np.float64)
    low, high = eos.pressure_range_gpa
    return np.asarray(~((pressure >= low) & (pressure <= high) | (pressure == 0.0)))


def _parameters(eos: EquationOfState) -> tuple[EosForm, float, float, float]:
    return eos.form, eos.v0_ang3, eos.k0_gpa, eos.k0_prime


@lru_cache(maxsize=512)
def _model(form: EosForm, v0: float, k0: float, k0_prime: float) -> Any:
    """The object of peritheos that evaluates a form."""
    from peritheos.eos import rt
    from peritheos.errors import PeritheosError

    classes = {
        EosForm.VINET: rt.Vinet,
        EosForm.BIRCH_MURNAGHAN_3: rt.BM3,
        EosForm.MURNAGHAN: rt.Murnaghan,
    }
    try:
        if form is EosForm.BIRCH_MURNAGHAN_2:
            return rt.BM2(v0, k0)
        return classes[form](v0, k0, k0_prime)
    except (PeritheosError, ValueError) as error:
        raise InputError(
            f"equation of state {form}: V0 = {v0:g} Å³, K0 = {k0:g} GPa, K0' = {k0_prime:g} give no curve ({error}). "
            "Expected V0 and K0 above 0. Correct the entry."
        ) from error


def _where_valid(function: Any, values: Floats, valid: npt.NDArray[np.bool_]) -> Floats:
    """Evaluate where an answer exists, NaN elsewhere: one bad point never stops the others."""
    from peritheos.errors import PeritheosError

    result = np.full(values.shape, math.nan)
    if not valid.any():
        return result
    try:
        result[valid] = function(np.ascontiguousarray(values[valid]))
    except (PeritheosError, ValueError, ArithmeticError):
        answers = [_one(function, float(value)) for value in values[valid]]
        result[valid] = answers
    return result


def _one(function: Any, value: float) -> float:
    from peritheos.errors import PeritheosError

    try:
        return float(function(value))
    except (PeritheosError, ValueError, ArithmeticError):
        return math.nan


def _slopes(eos: EquationOfState, quantity: Any) -> Floats:
    """Derivative of a quantity by each parameter, shape (3, …), by central differences."""
    form, *values = _parameters(eos)
    rows = []
    for index, value in enumerate(values):
        step = 1e-5 * max(abs(value), 1e-3)
        moved = [
            quantity(_model(form, *(v + sign * step * (i == index) for i, v in enumerate(values)))) for sign in (1, -1)
        ]
        rows.append((moved[0] - moved[1]) / (2 * step))
    return np.array(rows)


def _covariance(eos: EquationOfState) -> Floats:
    if eos.covariance is not None:
        return np.array(eos.covariance, dtype=np.float64)
    return np.diag([eos.v0_sigma_ang3, eos.k0_sigma_gpa, eos.k0_prime_sigma]) ** 2


def _propagated(slopes: Floats, covariance: Floats) -> Floats:
    variance = np.einsum("i...,ij,j...->...", slopes, covariance, slopes)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
