"""Gaps at several temperatures → Δ(0), Tc and their ratio, with the Tc that went in named."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.bcs import bcs_gap, gap_ratio, reduced_gap
from hydrostruct.numerics.least_squares import LeastSquares, fit_least_squares
from hydrostruct.tables import read_columns
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_SHARPEST_START = 1.03
_FAR_TC = 1.35


@dataclass(frozen=True, kw_only=True, slots=True)
class GapFit:
    """Δ(0) and Tc of a series of gaps."""

    file: str
    """Name of the series."""
    verdict: Verdict
    """Whether the numbers can be used."""
    reason: str
    """Why not, or why with care."""
    gap0_mev: float
    """Δ(0), in meV."""
    gap0_sigma_mev: float
    """Its standard uncertainty, in meV."""
    tc_k: float
    """The Tc that is in `ratio`, in K."""
    tc_sigma_k: float
    """Its standard uncertainty, in K; 0 for a given one without an uncertainty."""
    tc_source: str
    """Where it comes from: ``fit of the gaps`` or ``given``."""
    fitted_tc_k: float
    """Tc of the fit of the gaps, in K; NaN where it was held."""
    ratio: float
    """2Δ(0)/k_B Tc."""
    ratio_sigma: float
    """Its standard uncertainty, the correlation of both in it."""
    correlation: float
    """Correlation of Δ(0) and Tc; NaN where Tc was held."""
    reduced_chi2: float
    """χ² over the degrees of freedom; NaN without them."""
    form: str
    """Name of the shape."""
    temperature_k: Floats
    """Temperatures, in K, shape (n,)."""
    gap_mev: Floats
    """Gaps, in meV, shape (n,)."""
    gap_sigma_mev: Floats
    """Their uncertainties, in meV, shape (n,)."""


def fit_gaps(
    temperature_k: npt.ArrayLike,
    gap_mev: npt.ArrayLike,
    *,
    gap_sigma_mev: npt.ArrayLike | None = None,
    tc_k: float | None = None,
    tc_sigma_k: float = 0.0,
    form: str = "exact",
    name: str = "",
) -> GapFit:
    """Fit the shape of weak-coupling theory to gaps, Δ(0) and Tc free (the α-model).

    Parameters
    ----------
    temperature_k, gap_mev : array-like, shape (n,)
        Temperatures, in K, and gaps, in meV; rows with NaN are left out.
    gap_sigma_mev : array-like, shape (n,), optional
        Their standard uncertainties, in meV; the scatter tells them when left out.
    tc_k : float, optional
        Hold Tc at this, in K: one that was measured otherwise.
    tc_sigma_k : float
        Its standard uncertainty, in K.
    form : str
        As in :func:`~hydrostruct.material.bcs.reduced_gap`.
    name : str
        What the series is known by.

    Returns
    -------
    GapFit

    Raises
    ------
    InputError
        When there are fewer gaps than unknowns, or a number is none.

    Examples
    --------
    >>> t = np.linspace(2.0, 95.0, 12)
    >>> fit = fit_gaps(t, bcs_gap(t, gap0_mev=21.04, tc_k=109.0), gap_sigma_mev=np.full(12, 0.1))
    >>> round(fit.gap0_mev, 3), round(fit.tc_k, 3), round(fit.ratio, 3), fit.tc_source
    (21.04, 109.0, 4.48, 'fit of the gaps')
    """
    temperature, gap, sigma = _rows(name, temperature_k, gap_mev, gap_sigma_mev)
    least = 2 if tc_k is None else 1
    if gap.size < least:
        raise InputError(f"{name or 'series'}: {gap.size} gaps. Expected {least} or more. Measure more temperatures.")
    if tc_k is not None and not (0 < tc_k < math.inf and 0 <= tc_sigma_k < math.inf):
        raise InputError(f"tc_k is {tc_k:g} K. Expected a temperature above 0 K. Correct it.")
    reduced_gap(0.5, form=form)
    weight = np.ones(gap.size) if sigma is None else 1.0 / sigma
    found = _solve(temperature, gap, weight, tc_k, form)
    freedom = gap.size - found.values.size
    scale = max(1.0, math.sqrt(found.reduced_chi2)) if freedom > 0 else 1.0
    if sigma is None:
        scale = math.sqrt(found.reduced_chi2) if freedom > 0 else math.nan
    covariance = scale**2 * found.covariance
    gap0, gap0_sigma = float(found.values[0]), math.sqrt(float(covariance[0, 0]))
    if tc_k is None:
        tc, tc_sigma, source = float(found.values[1]), math.sqrt(float(covariance[1, 1])), "fit of the gaps"
        correlation = float(covariance[0, 1]) / (gap0_sigma * tc_sigma) if gap0_sigma * tc_sigma > 0 else math.nan
    else:
        tc, tc_sigma, source, correlation = tc_k, tc_sigma_k, "given", math.nan
    ratio, _ = gap_ratio(gap0, tc)
    relative = (gap0_sigma / gap0) ** 2 + (tc_sigma / tc) ** 2
    if tc_k is None and math.isfinite(correlation):
        relative -= 2.0 * correlation * gap0_sigma * tc_sigma / (gap0 * tc)
    verdict, reason = _judge(found, temperature, tc, tc_k is None, sigma is None, freedom)
    return GapFit(
        file=name,
        verdict=verdict,
        reason=reason,
        gap0_mev=gap0,
        gap0_sigma_mev=gap0_sigma,
        tc_k=tc,
        tc_sigma_k=tc_sigma,
        tc_source=source,
        fitted_tc_k=tc if tc_k is None else math.nan,
        ratio=ratio,
        ratio_sigma=ratio * math.sqrt(max(relative, 0.0)) if math.isfinite(relative) else math.nan,
        correlation=correlation,
        reduced_chi2=found.reduced_chi2 if sigma is not None else math.nan,
        form=form,
        temperature_k=temperature,
        gap_mev=gap,
        gap_sigma_mev=np.full(gap.size, math.nan) if sigma is None else sigma,
    )


def read_gaps(path: str | os.PathLike[str]) -> tuple[Floats, Floats, Floats | None]:
    """Temperatures, gaps and, where there are, their uncertainties, from a file.

    Parameters
    ----------
    path : path-like
        Columns ``temperature_k, gap_mev[, gap_sigma_mev]``, by name in any order, or in this one without names.

    Returns
    -------
    temperature_k, gap_mev : array, shape (n,)
    gap_sigma_mev : array, shape (n,), or None

    Raises
    ------
    InputError
        When the columns are not there.
    """
    values, header = read_columns(path)
    known = ("temperature_k", "gap_mev", "gap_sigma_mev")
    for line in reversed(header):
        words = [word.casefold() for word in re.split(r"[\s,;]+", line.strip().lstrip("#!%; "))]
        if len(words) == values.shape[1] and set(known) & set(words):
            if not set(known[:2]) <= set(words):
                raise InputError(f"{path}: the columns are {', '.join(words)}. Expected temperature_k and gap_mev.")
            columns = [values[:, words.index(one)] if one in words else None for one in known]
            return columns[0], columns[1], columns[2]  # type: ignore[return-value]
    return values[:, 0], values[:, 1], values[:, 2] if values.shape[1] > 2 else None


def _rows(
    name: str, temperature_k: npt.ArrayLike, gap_mev: npt.ArrayLike, gap_sigma_mev: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats | None]:
    where = name or "series"
    temperature, gap = (np.asarray(values, dtype=np.float64) for values in (temperature_k, gap_mev))
    sigma = None if gap_sigma_mev is None else np.asarray(gap_sigma_mev, dtype=np.float64)
    if temperature.ndim != 1 or gap.shape != temperature.shape or (sigma is not None and sigma.shape != gap.shape):
        raise InputError(f"{where}: temperatures, gaps and uncertainties differ in number. Expected as many of each.")
    good = np.isfinite(temperature) & np.isfinite(gap)
    if sigma is not None:
        good &= np.isfinite(sigma)
        if np.any(sigma[good] <= 0):
            raise InputError(f"{where}: a gap_sigma_mev is not above 0. Expected uncertainties. Leave the column out.")
    if np.any(temperature[good] < 0):
        raise InputError(f"{where}: a temperature is below 0 K. Expected K. Correct the file.")
    return temperature[good], gap[good], None if sigma is None else sigma[good]


def _solve(temperature: Floats, gap: Floats, weight: Floats, tc_k: float | None, form: str) -> LeastSquares:
    """The best of several starts in Tc: a gap above the Tc of a trial pulls at nothing."""
    if tc_k is not None:
        return fit_least_squares(
            lambda p: weight * (gap - bcs_gap(temperature, gap0_mev=p[0], tc_k=tc_k, form=form)), [float(np.max(gap))]
        )

    def residuals(p: Floats) -> Floats:
        return np.asarray(weight * (gap - bcs_gap(temperature, gap0_mev=p[0], tc_k=abs(p[1]) + 1e-9, form=form)))

    above = temperature[gap > 0.02 * float(np.max(gap))]
    last = float(np.max(above)) if above.size else float(np.max(temperature))
    starts = [[float(np.max(gap)), last * factor] for factor in (_SHARPEST_START, 1.1, 1.3, 1.8)]
    found = [fit_least_squares(residuals, start) for start in starts]
    # a step may have crossed to the mirror image below 0 K, which is as good
    upright = [one for one in found if one.values[1] > 0] or found
    return min(upright, key=lambda one: float(np.nan_to_num(one.residuals @ one.residuals, nan=math.inf)))


def _judge(
    found: LeastSquares, temperature: Floats, tc: float, tc_free: bool, no_sigma: bool, freedom: int
) -> tuple[Verdict, str]:
    if found.verdict is not Verdict.CONVERGED:
        return Verdict.NOT_CONVERGED, "The fit did not come to rest."
    doubts = []
    if tc_free and tc > _FAR_TC * float(np.max(temperature)):
        doubts.append(f"Tc, {tc:.4g} K, is far above the last gap, at {float(np.max(temperature)):.4g} K.")
    if not no_sigma and freedom > 0 and found.reduced_chi2 > 1.0 + 3.0 * math.sqrt(2.0 / freedom):
        doubts.append(f"The gaps scatter more than their uncertainties: reduced χ² {found.reduced_chi2:.3g}.")
    if no_sigma and freedom <= 0:
        doubts.append("There is no uncertainty and no scatter to tell it from.")
    return (Verdict.DOUBTFUL if doubts else Verdict.CONVERGED), " ".join(doubts)
