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
from hydrostruct.raman.fano import FanoFit, fit_fano
from hydrostruct.raman.lines import SIGNIFICANT, LineFit, find_lines, least_height, prepared
from hydrostruct.raman.several import fit_several
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.tables import read_text
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

BRANCHES = ("lower", "upper")
PROFILES = ("pseudo-voigt", "fano", "auto")
"""Words for the shape of the vibron; ``auto`` chooses by Akaike's corrected criterion."""
ISOTOPES = ("HD", "D2")
_RANGE_CM1 = (3900.0, 4300.0)
_WINDOW_WIDTHS, _LEAST_WINDOW_POINTS = 4.0, 16
_LEAST_ISOTOPE_POINTS = 30
_LEAST_WIDTHS = 0.3  # of the vibron's width: narrower lines in its range are another thing
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
class IsotopeLine:
    """A line where the vibron of HD or D2 may lie: marked, and never a pressure of H2."""

    isotope: str
    """``HD`` or ``D2``."""
    vibron_cm1: float
    """Top of the line, in cm⁻¹."""
    vibron_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹."""
    width_cm1: float
    """Full width at half maximum, in cm⁻¹."""
    significance: float
    """Height over its uncertainty."""
    h2_equivalent_cm1: float
    """Where H2 would lie by the ratio of the free molecules, in cm⁻¹; good to some ten cm⁻¹."""
    source: str
    """Where the ratio comes from, and how sure it is."""


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
    """Every line of the range, by position; where the peak is worth several lines, each of them."""
    profile: str
    """Shape of the vibron: ``pseudo-voigt`` or ``fano``; empty where there is none."""
    asymmetry: float
    """1/q of Fano's profile, above 0 where the line leans to high frequency; NaN for a pseudo-Voigt."""
    asymmetry_sigma: float
    """Its standard uncertainty."""
    isotopes: tuple[IsotopeLine, ...]
    """Lines where HD and D2 may lie, where the spectrum reaches there."""
    branches: tuple[VibronBranch, ...]
    """The pressures that it may mean; the one that an edge pressure chooses stands alone."""


def find_vibron(
    spectrum: Spectrum, *, edge_pressure_gpa: float | None = None, profile: str = "pseudo-voigt", most_lines: int = 3
) -> VibronFit:
    """Find the H2 vibron between 3900 and 4300 cm⁻¹ and give its pressures.

    Parameters
    ----------
    spectrum : Spectrum
        It must reach into that range.
    edge_pressure_gpa : float, optional
        Pressure of the diamond edge, in GPa: the nearer branch is taken.
    profile : str
        ``pseudo-voigt``, ``fano``, or ``auto``: the one that Akaike's corrected criterion prefers.
    most_lines : int
        Pseudo-Voigt lines that one peak may be at the most; a further one is taken only where it is plainly worth it.

    Returns
    -------
    VibronFit
        ABSENT, with an upper limit, when no line stands above the noise. Of several lines the vibron is the largest.

    Raises
    ------
    InputError
        When the spectrum has too few points there, or an option is not known.
    """
    if profile not in PROFILES:
        raise InputError(f"profile is {profile!r}. Expected one of {', '.join(PROFILES)}. Choose one.")
    if not 1 <= most_lines <= 4:
        raise InputError(f"most_lines is {most_lines}. Expected 1 to 4. Choose another.")
    lines = find_lines(spectrum, range_cm1=_RANGE_CM1)
    if not lines:
        return _vibron(spectrum, None, lines, verdict=Verdict.ABSENT, reason="No line stands above the noise.")
    peak = max(lines, key=lambda one: one.area)
    best, lines, fano = _shaped(spectrum, peak, lines, profile=profile, most_lines=most_lines)
    if best is None:
        reason = "Fano's profile did not come to rest at the line. Take another profile."
        return _vibron(spectrum, None, lines, verdict=Verdict.NOT_CONVERGED, reason=reason)
    branches = vibron_branches(best.position_cm1, best.position_sigma_cm1)
    if edge_pressure_gpa is not None and branches:
        branches = (min(branches, key=lambda one: abs(one.pressure_gpa - edge_pressure_gpa)),)
    reasons = [] if branches else ["The shift is near the maximum, or off both branches: no pressure."]
    places = [one.position_cm1 for one in lines if one.width_cm1 > _LEAST_WIDTHS * best.width_cm1]
    if len(places) > 1:
        listed = ", ".join(f"{place:.1f}" for place in places)
        reasons.append(f"There are {len(places)} lines, at {listed} cm⁻¹; the largest is taken.")
    return _vibron(
        spectrum, best, lines, verdict=Verdict.CONVERGED, reason=" ".join(reasons), branches=branches, fano=fano
    )


def _shaped(
    spectrum: Spectrum, peak: LineFit, lines: tuple[LineFit, ...], *, profile: str, most_lines: int
) -> tuple[LineFit | None, tuple[LineFit, ...], FanoFit | None]:
    """The vibron in the profile asked for, all lines, and Fano's fit where that one stands."""
    x, y, used = prepared(spectrum, _RANGE_CM1)
    reach = _WINDOW_WIDTHS * peak.width_cm1
    low, high = peak.position_cm1 - reach, peak.position_cm1 + reach
    inside = used & (x >= low) & (x <= high)
    if np.count_nonzero(inside) < _LEAST_WINDOW_POINTS:
        return peak, lines, None
    x, y, sigma = x[inside], y[inside], point_noise(y)[inside]
    others = tuple(one for one in lines if not low <= one.position_cm1 <= high)
    crowded = len(lines) - len(others) > 1  # the search found several there already, and fitted them together
    several, criterion = ((peak,), math.inf) if crowded else fit_several(x, y, sigma=sigma, line=peak, most=most_lines)
    if profile != "pseudo-voigt" and (profile == "fano" or not crowded):
        fano = fit_fano(x, y, sigma=sigma, start_cm1=peak.position_cm1, width_cm1=peak.width_cm1)
        if profile == "fano" or fano.criterion < criterion:
            found = fano.line.verdict is Verdict.CONVERGED
            shaped = (fano.line,) if found else ()
            return (fano.line if found else None), _ordered(*others, *shaped), (fano if found else None)
    if crowded or len(several) == 1:
        return peak, lines, None
    return max(several, key=lambda one: one.area), _ordered(*others, *several), None


def _ordered(*lines: LineFit) -> tuple[LineFit, ...]:
    return tuple(sorted(lines, key=lambda one: one.position_cm1))


def isotope_lines(spectrum: Spectrum) -> tuple[IsotopeLine, ...]:
    """Lines where the vibrons of HD and D2 may lie.

    Parameters
    ----------
    spectrum : Spectrum
        Of any range.

    Returns
    -------
    tuple of IsotopeLine
        The largest line in the range of each isotope that the spectrum reaches; C–H stretches lie near D2's.
    """
    found = []
    for isotope in ISOTOPES:
        table = _data(library_folder())[isotope]
        low, high = table["range_cm1"]
        covered = (spectrum.shift_cm1 >= low) & (spectrum.shift_cm1 <= high) & np.isfinite(spectrum.intensity)
        if np.count_nonzero(covered) < _LEAST_ISOTOPE_POINTS:
            continue
        lines = find_lines(spectrum, range_cm1=(low, high))
        if lines:
            best = max(lines, key=lambda one: one.area)
            found.append(
                IsotopeLine(
                    isotope=isotope, vibron_cm1=best.position_cm1, vibron_sigma_cm1=best.position_sigma_cm1,
                    width_cm1=best.width_cm1, significance=best.significance,
                    h2_equivalent_cm1=best.position_cm1 * table["ratio_to_h2"],
                    source=f"{table['source']} ({table['confidence']})",
                )
            )  # fmt: skip
    return tuple(found)


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
    fano: FanoFit | None = None,
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
        profile="" if best is None else "pseudo-voigt" if fano is None else "fano",
        asymmetry=nothing if fano is None else fano.asymmetry,
        asymmetry_sigma=nothing if fano is None else fano.asymmetry_sigma,
        isotopes=isotope_lines(spectrum),
        branches=branches,
    )


def _upper_limit(spectrum: Spectrum) -> float:
    """The search's own threshold, and what noise may take away from a line's height."""
    _, y, _ = prepared(spectrum, _RANGE_CM1)
    return (1.0 + _LIMIT_SIGMAS / SIGNIFICANT) * least_height(point_noise(y))


@lru_cache(maxsize=4)
def _data(folder: Path) -> dict[str, Any]:
    return tomllib.loads(read_text(folder / "data" / "vibron.toml"))
