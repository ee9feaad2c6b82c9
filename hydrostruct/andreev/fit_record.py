"""From a solved problem to what a fit says: numbers, uncertainties, profile, verdict."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.assess import Evidence, assess
from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.andreev.fit_result import AndreevFit
from hydrostruct.andreev.models import BARRIER2, GAP, LN_BROADENING, WEIGHT, Model
from hydrostruct.andreev.problem import (
    FitData,
    Problem,
    background_of,
    chi2,
    fit_data,
    null_residuals,
    solve,
    uncertainty_factor,
)
from hydrostruct.numerics.least_squares import LeastSquares
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]
Trial = tuple[Problem, LeastSquares, float]
"""A background: problem, solution, criterion."""

_PROFILE_SIGMAS = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0)


def fitted_record(
    curve: ConductanceCurve,
    row: int,
    *,
    tried: list[Trial],
    best: Trial,
    held: tuple[int, ...],
    held_by_user: bool,
    profile: bool,
) -> AndreevFit:
    """What the best of several backgrounds says of one curve of a series.

    Parameters
    ----------
    curve : ConductanceCurve
        The curve.
    row : int
        Its place in the series.
    tried : list of Trial
        Every background.
    best : Trial
        The best of them.
    held : tuple of int
        Parameters that were held.
    held_by_user : bool
        Whether the user asked for that.
    profile : bool
        Whether to follow the likelihood along the gap.

    Returns
    -------
    AndreevFit
    """
    problem, found, _ = best
    data, places = problem.curves[row], problem.places[row]
    if found.verdict is not Verdict.CONVERGED:
        degree = data.terms.shape[1] - 1
        return record_without_number(
            curve, problem.model, degree, Verdict.NOT_CONVERGED, "The fit did not come to rest."
        )
    values, factor = found.values[places], uncertainty_factor(problem, found)
    covariance = factor**2 * found.covariance[np.ix_(places, places)]
    shape, _ = problem.model.shape(data.bias_mv, values, data.temperature_k, 1)
    background = background_of(data, shape)
    result = AndreevFit(
        file=curve.name,
        verdict=Verdict.CONVERGED,
        reason="",
        model=problem.model.name,
        temperature_k=curve.temperature_k,
        temperature_low_k=curve.temperature_k,
        temperature_high_k=curve.temperature_k,
        **_numbers(values, covariance, problem.model, held=bool(held)),
        **_gap_numbers(values, covariance, _background_spread(tried, int(places[GAP]))),
        **_agreement(problem, found, row, factor),
        parameters=problem.model.parameters,
        covariance=covariance,
        residual_rms=float(np.sqrt(np.mean((curve.conductance / background - shape) ** 2))),
        bias_mv=data.bias_mv,
        conductance=curve.conductance,
        background=background,
        calculated=shape,
        profile_gap_mev=np.empty(0),
        profile=np.empty(0),
        warnings=curve.warnings,
    )
    if profile:
        result = _with_profile(result, problem, found, int(places[GAP]), held, factor)
    evidence = _evidence(values, covariance, data, background, bool(held) and not held_by_user)
    verdict, reason = assess(result, evidence)
    return replace(result, verdict=verdict, reason=reason)


def _gap_numbers(values: Floats, covariance: Floats, spread: float) -> dict[str, Any]:
    """The gap with the parts of its uncertainty."""
    statistical = math.sqrt(max(float(covariance[GAP, GAP]), 0.0))
    return {
        "gap_mev": abs(float(values[GAP])),
        "gap_sigma_mev": math.hypot(statistical, spread),
        "gap_statistical_mev": statistical,
        "gap_background_mev": spread,
        "gap_temperature_mev": 0.0,
        "gap_low_mev": math.nan,
        "gap_high_mev": math.nan,
    }


def _numbers(values: Floats, covariance: Floats, model: Model, *, held: bool) -> dict[str, Any]:
    """Broadening, barrier, weight and, where there is one, the second gap."""
    sigmas = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    broadening, barrier2 = math.exp(float(values[LN_BROADENING])), float(values[BARRIER2])
    return {
        "broadening_mev": broadening,
        "broadening_sigma_mev": broadening * float(sigmas[LN_BROADENING]),
        "barrier": math.sqrt(max(barrier2, 0.0)),
        "barrier_sigma": _barrier_sigma(barrier2, float(sigmas[BARRIER2])),
        "weight": float(values[WEIGHT]),
        "weight_sigma": math.nan if held else float(sigmas[WEIGHT]),
        "second_gap_mev": abs(float(values[4])) if model.name == "two-gap" else math.nan,
    }


def _agreement(problem: Problem, found: LeastSquares, row: int, factor: float) -> dict[str, Any]:
    """Degree of the background, χ² of this curve, and by how much it beats the background alone."""
    degree = problem.curves[row].terms.shape[1] - 1
    cuts = np.cumsum([one.bias_mv.size for one in problem.curves])[:-1]
    rest = np.split(found.residuals, cuts)[row]
    nothing = np.split(null_residuals(problem), cuts)[row]
    return {
        "degree": degree,
        "reduced_chi2": float(rest @ rest) / max(rest.size - degree - 5, 1),
        "significance": math.sqrt(max(float(nothing @ nothing - rest @ rest), 0.0)) / factor,
    }


def _evidence(values: Floats, covariance: Floats, data: FitData, background: Floats, weight_held: bool) -> Evidence:
    """What the verdict needs beside the record."""
    return Evidence(
        barrier2=float(values[BARRIER2]),
        barrier2_sigma=math.sqrt(max(float(covariance[BARRIER2, BARRIER2]), 0.0)),
        weight_held=weight_held,
        noise=float(np.median(data.sigma / np.abs(background))),
    )


def _barrier_sigma(barrier2: float, sigma: float) -> float:
    """σ of Z from that of Z²; near 0, where Z² is a straight measure and Z is not, the Z that σ of Z² reaches."""
    edge = math.sqrt(sigma)
    return min(sigma / (2.0 * math.sqrt(barrier2)), edge) if barrier2 > 0 else edge


def _background_spread(tried: list[Trial], place: int) -> float:
    """Spread of a gap over the backgrounds, each weighing as its criterion says."""
    criteria = np.array([one[2] for one in tried])
    if not np.any(np.isfinite(criteria)):
        return 0.0
    weights = np.where(np.isfinite(criteria), np.exp(-0.5 * (criteria - np.min(criteria))), 0.0)
    gaps = np.array([abs(float(one[1].values[place])) for one in tried])
    known = weights > 0
    mean = np.average(gaps[known], weights=weights[known])
    return float(np.sqrt(np.average((gaps[known] - mean) ** 2, weights=weights[known])))


def _with_profile(
    result: AndreevFit, problem: Problem, found: LeastSquares, place: int, held: tuple[int, ...], factor: float
) -> AndreevFit:
    """The rise of χ² along the gap, everything else refitted at each."""
    least = chi2(found)
    center, sigma = result.gap_mev, result.gap_statistical_mev
    gaps, rises = [center], [0.0]
    for side in (-1.0, 1.0):
        start = found.values.copy()
        for step in (one for one in sorted(_PROFILE_SIGMAS, key=abs) if one * side > 0):
            start[place] = max(center + step * sigma, 1e-3 * center)
            moved = solve(problem, start, held=(*held, place))
            if np.all(np.isfinite(moved.values)):
                start = moved.values.copy()
            gaps.append(float(start[place]))
            rises.append((chi2(moved) - least) / factor**2)
    order = np.argsort(gaps)
    along, rise = np.array(gaps)[order], np.array(rises)[order]
    return replace(
        result,
        profile_gap_mev=along,
        profile=rise,
        gap_low_mev=_crossing(along[along <= center][::-1], rise[along <= center][::-1]),
        gap_high_mev=_crossing(along[along >= center], rise[along >= center]),
    )


def _crossing(gaps: Floats, rise: Floats) -> float:
    """Where the root of the rise, about straight, reaches 1 on the way out; NaN where it does not."""
    root = np.sqrt(np.maximum(rise, 0.0))
    beyond = np.flatnonzero(root >= 1.0)
    if beyond.size == 0:
        return math.nan
    k = int(beyond[0])
    share = (1.0 - root[k - 1]) / (root[k] - root[k - 1])
    return float(gaps[k - 1] + share * (gaps[k] - gaps[k - 1]))


def record_without_number(
    curve: ConductanceCurve, model: Model, degree: int, verdict: Verdict, reason: str
) -> AndreevFit:
    """A record for a curve of which nothing can be said."""
    data = fit_data(curve, degree)
    background = background_of(data, np.ones(data.bias_mv.size))
    nan, size = math.nan, len(model.parameters)
    return AndreevFit(
        file=curve.name, verdict=verdict, reason=reason, model=model.name, temperature_k=curve.temperature_k,
        temperature_low_k=curve.temperature_k, temperature_high_k=curve.temperature_k, gap_mev=nan, gap_sigma_mev=nan,
        gap_statistical_mev=nan, gap_background_mev=nan, gap_temperature_mev=nan, gap_low_mev=nan, gap_high_mev=nan,
        broadening_mev=nan, broadening_sigma_mev=nan, barrier=nan, barrier_sigma=nan, weight=nan, weight_sigma=nan,
        second_gap_mev=nan, parameters=model.parameters, covariance=np.full((size, size), nan), degree=degree,
        reduced_chi2=nan, residual_rms=float(np.std(curve.conductance / background)), significance=nan,
        bias_mv=data.bias_mv, conductance=curve.conductance, background=background,
        calculated=np.full(data.bias_mv.size, nan), profile_gap_mev=np.empty(0), profile=np.empty(0),
        warnings=curve.warnings,
    )  # fmt: skip
