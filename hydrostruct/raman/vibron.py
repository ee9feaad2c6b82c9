"""The Raman vibron of hydrogen, and the two pressures that one shift has."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.library import library_folder
from hydrostruct.numerics.noise import point_noise
from hydrostruct.raman.lines import SIGNIFICANT, LineFit, find_lines, least_height, prepared
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.tables import read_text
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

BRANCHES = ("lower", "upper")
_RANGE_CM1 = (3900.0, 4300.0)
_LIMIT_SIGMAS = 4.5  # simulated lines of this height are found in 95 of 100 spectra


@dataclass(frozen=True, kw_only=True, slots=True)
class VibronBranch:
    """One of the pressures that a vibron may mean."""

    branch: str
    """``lower``, below the maximum of the shift near 38 GPa, or ``upper``."""
    pressure_gpa: float
    """Pressure, in GPa."""
    pressure_sigma_gpa: float
    """Its standard uncertainty, in GPa; on the upper branch with what the interpolation leaves open."""
    source: str
    """Where the branch comes from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VibronFit:
    """The hydrogen vibron of one spectrum."""

    file: str
    """Where the spectrum comes from."""
    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    reason: str
    """Whole sentences; empty when there is nothing to say."""
    vibron_cm1: float
    """Top of the line, in cm⁻¹; NaN where there is none."""
    vibron_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹."""
    width_cm1: float
    """Full width at half maximum, in cm⁻¹."""
    width_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹."""
    height: float
    """Height above the background, in units of intensity."""
    height_sigma: float
    """Its standard uncertainty."""
    significance: float
    """Height over its uncertainty; 0 where there is no line."""
    height_upper_limit: float
    """Height above which a line would hardly have been missed, where there is none; else NaN."""
    lines: tuple[LineFit, ...]
    """Every line of the range, by position."""
    branches: tuple[VibronBranch, ...]
    """The pressures that it may mean; the one that an edge pressure chooses stands alone."""


def find_vibron(spectrum: Spectrum, *, edge_pressure_gpa: float | None = None) -> VibronFit:
    """Find the H2 vibron between 3900 and 4300 cm⁻¹ and give its pressures.

    Parameters
    ----------
    spectrum : Spectrum
        It must reach into that range.
    edge_pressure_gpa : float, optional
        Pressure of the diamond edge, in GPa: the nearer branch is taken.

    Returns
    -------
    VibronFit
        ABSENT, with an upper limit, when no line stands above the noise.

    Raises
    ------
    InputError
        When the spectrum has too few points there.
    """
    lines = find_lines(spectrum, range_cm1=_RANGE_CM1)
    if not lines:
        return _vibron(spectrum, None, lines, verdict=Verdict.ABSENT, reason="No line stands above the noise.")
    best = max(lines, key=lambda one: one.area)
    branches = vibron_branches(best.position_cm1, best.position_sigma_cm1)
    if edge_pressure_gpa is not None and branches:
        branches = (min(branches, key=lambda one: abs(one.pressure_gpa - edge_pressure_gpa)),)
    reason = "" if branches else "The shift is near the maximum, or off both branches: no pressure."
    return _vibron(spectrum, best, lines, verdict=Verdict.CONVERGED, reason=reason, branches=branches)


def vibron_branches(vibron_cm1: float, vibron_sigma_cm1: float = 0.0) -> tuple[VibronBranch, ...]:
    """Both pressures of a vibron, the lower first; none near the maximum, where dP/dν diverges.

    Parameters
    ----------
    vibron_cm1, vibron_sigma_cm1 : float
        Shift and its standard uncertainty, in cm⁻¹.

    Returns
    -------
    tuple of VibronBranch

    Examples
    --------
    >>> [(one.branch, round(one.pressure_gpa, 1)) for one in vibron_branches(4194.0, 0.5)]
    [('lower', 3.8), ('upper', 95.0)]
    >>> vibron_branches(4262.0)
    ()
    """
    found = []
    for branch in BRANCHES:
        table = _data(library_folder())[branch]
        low, high = table["range_cm1"]
        if not low <= vibron_cm1 <= high:
            continue
        values = [_pressures(table, vibron_cm1 + step) for step in (-0.5, 0.0, 0.5)]
        slope = float(np.mean(values[2] - values[0]))
        model = float(np.std(values[1], ddof=1)) if values[1].size > 1 else 0.0
        found.append(
            VibronBranch(
                branch=branch,
                pressure_gpa=float(np.median(values[1])),
                pressure_sigma_gpa=math.hypot(slope * vibron_sigma_cm1, model),
                source=f"{table['source']} ({table['confidence']})",
            )
        )
    return tuple(found)


def vibron_pressure(vibron_cm1: npt.ArrayLike, *, branch: str) -> Floats:
    """Pressure of an H2 vibron on one branch.

    Parameters
    ----------
    vibron_cm1 : array-like
        Shift, in cm⁻¹; NaN gives NaN.
    branch : str
        ``lower`` or ``upper``: one shift has two pressures, and nothing in it tells them apart.

    Returns
    -------
    array
        In GPa; NaN outside the branch, near the maximum too.

    Raises
    ------
    InputError
        When the branch is neither.

    Examples
    --------
    >>> vibron_pressure([4170.0, 4200.0, 4262.0], branch="lower").round(2)
    array([1.16, 4.8 ,  nan])
    """
    if branch not in BRANCHES:
        raise InputError(f"branch is {branch!r}. Expected one of {', '.join(BRANCHES)}. Choose one.")
    given = np.asarray(vibron_cm1, dtype=np.float64)
    table = _data(library_folder())[branch]
    low, high = table["range_cm1"]
    values = [
        float(np.median(_pressures(table, float(one)))) if low <= one <= high else math.nan for one in np.ravel(given)
    ]
    return np.array(values).reshape(given.shape)


def _pressures(table: dict[str, Any], vibron: float) -> Floats:
    """Pressure, in GPa, for each model of a branch; no range asked."""
    if table["form"] == "polynomial":
        total = 0.0
        for coefficient in reversed(table["coefficients"]):
            total = total * vibron + coefficient
        return np.array([total])
    top, at, power, factor = np.array(table["rows"]).T
    return np.asarray(at + (np.maximum(top - vibron, 0.0) / factor) ** (1.0 / power))


def _vibron(
    spectrum: Spectrum,
    best: LineFit | None,
    lines: tuple[LineFit, ...],
    *,
    verdict: Verdict,
    reason: str,
    branches: tuple[VibronBranch, ...] = (),
) -> VibronFit:
    nothing = math.nan
    return VibronFit(
        file=spectrum.name,
        verdict=verdict,
        reason=reason,
        vibron_cm1=nothing if best is None else best.position_cm1,
        vibron_sigma_cm1=nothing if best is None else best.position_sigma_cm1,
        width_cm1=nothing if best is None else best.width_cm1,
        width_sigma_cm1=nothing if best is None else best.width_sigma_cm1,
        height=nothing if best is None else best.height,
        height_sigma=nothing if best is None else best.height_sigma,
        significance=0.0 if best is None else best.significance,
        height_upper_limit=_upper_limit(spectrum) if verdict is Verdict.ABSENT else nothing,
        lines=lines,
        branches=branches,
    )


def _upper_limit(spectrum: Spectrum) -> float:
    """The search's own threshold, and what noise may take away from a line's height."""
    _, y, _ = prepared(spectrum, _RANGE_CM1)
    return (1.0 + _LIMIT_SIGMAS / SIGNIFICANT) * least_height(point_noise(y))


@lru_cache(maxsize=4)
def _data(folder: Path) -> dict[str, Any]:
    return tomllib.loads(read_text(folder / "data" / "vibron.toml"))
