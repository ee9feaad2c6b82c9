"""Spectra → gap, broadening, barrier and weight, with the uncertainty that the data allow.

One spectrum, or a series over temperature in which barrier and weight are common: above some 60 K a single spectrum
cannot tell gap, broadening, barrier and weight apart, and what is common to all breaks the tie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.andreev.fit_record import Trial, fitted_record, record_without_number
from hydrostruct.andreev.fit_result import AndreevFit
from hydrostruct.andreev.models import BARRIER2, GAP, LN_BROADENING, MODELS, S_WAVE, WEIGHT, Model
from hydrostruct.andreev.problem import (
    Problem,
    chi2,
    coefficient_count,
    corrected_aic,
    correlation_factor,
    fit_data,
    null_residuals,
    solve,
    with_degree,
)
from hydrostruct.andreev.start import start_values
from hydrostruct.errors import InputError, nearest_name
from hydrostruct.numerics.least_squares import LeastSquares
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

DEGREES = tuple(range(7))
_START_DEGREE = 4
_GOOD_FIT = 1.5
# a weight beyond this, or known no better than this, is no measurement
_MOST_WEIGHT, _MOST_WEIGHT_SIGMA = 1.5, 0.35
_ABOUT_AS_WELL = 6.0
_FALLS = (1.0, 0.8, 0.6, 0.35)
_RUN_OFF = 3.0
_TRIAL_WEIGHTS = (1.0, 0.8, 0.6, 0.45, 0.3)


def fit_conductance(
    curve: ConductanceCurve,
    *,
    model: str = "s-wave",
    degree: int | str = "auto",
    weight: float | None = None,
    temperature_range_k: tuple[float, float] | None = None,
    profile: bool = False,
) -> AndreevFit:
    """Fit one spectrum.

    Parameters
    ----------
    curve : ConductanceCurve
        dI/dV, normalised or not.
    model : str
        s-wave, two-gap, d-wave or critical-current.
    degree : int or str
        Degree of the polynomial background, 0 to 6, fitted jointly; ``"auto"`` weighs all of them by the corrected
        criterion of Akaike, and what they disagree about is part of the gap's uncertainty.
    weight : float, optional
        Hold the weight at this.
    temperature_range_k : pair of float, optional
        Lowest and highest temperature, in K, where the curve does not know its own.
    profile : bool
        Also the profile likelihood of the gap.

    Returns
    -------
    AndreevFit

    Raises
    ------
    InputError
        When an option is not one, or the temperature is neither known nor given as a range.

    Examples
    --------
    >>> from hydrostruct.andreev.conductance import andreev_conductance
    >>> bias = np.linspace(-90.0, 90.0, 181)
    >>> clean = andreev_conductance(bias, gap_mev=21.04, broadening_mev=5.0, barrier=0.3, temperature_k=2.0)
    >>> noisy = 0.2 * clean * (1.0 + 1e-3 * bias) + np.random.default_rng(0).normal(0.0, 4e-4, bias.size)
    >>> fit = fit_conductance(ConductanceCurve(bias_mv=bias, conductance=noisy, temperature_k=2.0))
    >>> bool(abs(fit.gap_mev - 21.04) < 3 * fit.gap_sigma_mev), fit.verdict.value
    (True, 'converged')
    """
    if temperature_range_k is not None:
        return _over_temperatures(curve, temperature_range_k, model, degree, weight, profile)
    return fit_conductances([curve], model=model, degree=degree, weight=weight, profile=profile)[0]


def fit_conductances(
    curves: Sequence[ConductanceCurve],
    *,
    model: str = "s-wave",
    degree: int | str = "auto",
    weight: float | None = None,
    share_broadening: bool = False,
    profile: bool = False,
) -> list[AndreevFit]:
    """Fit a series of spectra of one contact: barrier and weight are common to all.

    Parameters
    ----------
    curves : sequence of ConductanceCurve
        One contact at several temperatures, in any order.
    model, degree, weight, profile
        As in :func:`fit_conductance`.
    share_broadening : bool
        Γ, too, is common to all.

    Returns
    -------
    list of AndreevFit
        In the order given. A spectrum without a signal is ABSENT and takes no part.

    Raises
    ------
    InputError
        As :func:`fit_conductance`.
    """
    chosen = _checked(curves, model, degree, weight)
    degrees = DEGREES if degree == "auto" else (int(degree),)
    first = max(degrees) if len(degrees) == 1 else _START_DEGREE
    starts = [_own_start(curve, first, chosen, max(degrees)) for curve in curves]
    found_starts = {k: start for k, start in enumerate(starts) if start is not None}
    present = list(found_starts)
    fits: dict[int, AndreevFit] = {
        k: record_without_number(
            curves[k], chosen, first, Verdict.ABSENT, "No signal stands above the smooth background."
        )
        for k in range(len(curves))
        if k not in present
    }
    if len(present) > 1 and chosen is S_WAVE:
        found_starts = _followed(curves, found_starts, first)
    while present:
        shown = [curves[k] for k in present]
        problem, start = _series(shown, [found_starts[k] for k in present], chosen, first, share_broadening)
        tried, best, held = _solved(problem, start, degrees, weight)
        lost = [present[row] for row in range(len(present)) if _has_run_off(best, row)]
        if not lost:
            records = [
                fitted_record(
                    curve,
                    row,
                    tried=tried,
                    best=best,
                    held=held,
                    held_by_user=weight is not None,
                    profile=profile,
                )
                for row, curve in enumerate(shown)
            ]
            fits.update(zip(present, records, strict=True))
            break
        present = [k for k in present if k not in lost]
        why = "The fit ran off to a broadening without bounds: with this barrier and weight no gap is seen."
        fits |= {k: record_without_number(curves[k], chosen, first, Verdict.NOT_CONVERGED, why) for k in lost}
    return [fits[k] for k in range(len(curves))]


def _followed(curves: Sequence[ConductanceCurve], starts: dict[int, Floats], degree: int) -> dict[int, Floats]:
    """Starts of a series, followed from cold to hot with the barrier and the weight of the coldest.

    A hot spectrum alone may lead anywhere; the gap and the broadening of the next colder one lead near.
    """
    order = sorted(starts, key=lambda k: curves[k].temperature_k)
    cold = starts[order[0]]
    followed = {order[0]: cold}
    before = cold
    for k in order[1:]:
        problem, reach = _one(curves[k], degree), float(np.max(np.abs(curves[k].bias_mv)))
        tries = [cold.copy() for _ in range(1 + len(_FALLS))]
        tries[0][[GAP, LN_BROADENING]] = starts[k][[GAP, LN_BROADENING]]
        for trial, fall in zip(tries[1:], _FALLS, strict=True):
            trial[[GAP, LN_BROADENING]] = fall * before[GAP], before[LN_BROADENING]
        found = [solve(problem, trial, held=(BARRIER2, WEIGHT)) for trial in tries]
        near = [one for one in found if np.all(np.isfinite(one.values)) and 1e-3 < abs(one.values[GAP]) / reach < 1
                and one.values[LN_BROADENING] < math.log(reach)]  # fmt: skip
        followed[k] = before = min(near, key=chi2).values.copy() if near else starts[k]
        followed[k][GAP] = abs(followed[k][GAP])
    return followed


def _has_run_off(best: Trial, row: int) -> bool:
    """Whether gap or broadening of a curve lie far beyond its biases."""
    problem, found, _ = best
    reach = float(np.max(np.abs(problem.curves[row].bias_mv)))
    values = found.values[problem.places[row]]
    if found.verdict is not Verdict.CONVERGED or not np.all(np.isfinite(values)):
        return False  # which is said otherwise
    return bool(abs(values[GAP]) > _RUN_OFF * reach or values[LN_BROADENING] > math.log(_RUN_OFF * reach))


def _checked(curves: Sequence[ConductanceCurve], model: str, degree: int | str, weight: float | None) -> Model:
    if model not in MODELS:
        raise InputError(f"model is {model!r}. Expected {', '.join(MODELS)}. {nearest_name(model, MODELS)}")
    if degree != "auto" and degree not in DEGREES:
        raise InputError(f"degree is {degree!r}. Expected auto, or 0 to {DEGREES[-1]}. Choose one.")
    if weight is not None and not 0 < weight <= 1:
        raise InputError(f"weight is {weight:g}. Expected a number above 0, at most 1. Correct it.")
    if not curves:
        raise InputError("no curves were given. Expected one or more. Name a file.")
    for curve in curves:
        if math.isnan(curve.temperature_k):
            raise InputError(
                f"{curve.name or 'curve'}: the temperature is not known. Expected a column temperature_k, a line "
                "'# temperature_k = 20', a name such as cell_20K.csv, or --temperature. Give it, or a range."
            )
    return MODELS[model]


def _own_start(curve: ConductanceCurve, degree: int, model: Model, most: int) -> Floats | None:
    """Where the spectrum alone, as s-wave, leads; None where a background of at most a degree does as well."""
    problem = _one(curve, degree)
    first, *others = start_values(problem.curves[0])
    found = [solve(problem, first)]
    if not chi2(found[0]) < _GOOD_FIT * curve.bias_mv.size:
        found += [solve(problem, other) for other in others]
    settled = [one for one in found if np.all(np.isfinite(one.values)) and np.all(np.isfinite(one.residuals))]
    if not settled:
        return None
    best = min(settled, key=chi2)
    serial = correlation_factor(problem, best.residuals)
    least_gain = 10.0
    nothing = min(
        corrected_aic(problem, null_residuals(with_degree(problem, one)), one + 1, serial=serial)
        for one in range(degree, most + 1)
    )
    something = corrected_aic(problem, best.residuals, 4 + degree + 1, serial=serial)
    if something > nothing - least_gain:
        return None
    values = best.values.copy()
    values[GAP] = abs(values[GAP])
    reach = float(np.max(np.abs(curve.bias_mv)))
    if not 1e-3 * reach < values[GAP] < reach or not 0.01 < values[WEIGHT] < _MOST_WEIGHT:
        held = problem, start_values(problem.curves[0])[0]
        held[1][WEIGHT] = 1.0
        values = solve(*held, held=(WEIGHT,)).values
    return _extended(values, model)


def _extended(values: Floats, model: Model) -> Floats:
    """A start for the parameters that only this model has."""
    gap = abs(float(values[GAP]))
    if model.name == "two-gap":
        weight = float(values[WEIGHT])
        return np.array([1.3 * gap, *values[1:WEIGHT], 0.6 * weight, 0.5 * gap, 0.4 * weight])
    if model.name == "critical-current":
        return np.concatenate([values, [0.02, 1.6 * gap, 0.3 * gap]])
    return values


def _one(curve: ConductanceCurve, degree: int) -> Problem:
    places = np.arange(4, dtype=np.intp)[None, :]
    return Problem(curves=(fit_data(curve, degree),), model=S_WAVE, places=places)


def _series(
    curves: list[ConductanceCurve], starts: list[Floats], model: Model, degree: int, share_broadening: bool
) -> tuple[Problem, Floats]:
    """The whole problem; common parameters start where the coldest spectrum, which knows them best, has them."""
    common = {BARRIER2, WEIGHT} | ({LN_BROADENING} if share_broadening else set())
    coldest = starts[int(np.argmin([curve.temperature_k for curve in curves]))]
    values: list[float] = [float(coldest[k]) for k in sorted(common)]
    places = np.zeros((len(curves), len(model.parameters)), dtype=np.intp)
    for row, start in enumerate(starts):
        for k in range(len(model.parameters)):
            if k in common:
                places[row, k] = sorted(common).index(k)
            else:
                places[row, k] = len(values)
                values.append(float(start[k]))
    data = tuple(fit_data(curve, degree) for curve in curves)
    return Problem(curves=data, model=model, places=places), np.array(values)


def _solved(
    problem: Problem, start: Floats, degrees: tuple[int, ...], weight: float | None
) -> tuple[list[Trial], Trial, tuple[int, ...]]:
    """Every background, the best of them, and what was held."""
    place = int(problem.places[0, WEIGHT])
    held: tuple[int, ...] = ()
    if weight is not None:
        start[place], held = weight, (place,)
    tried = _over_degrees(problem, start, degrees, held)
    best = _best(tried)
    if weight is None and _weight_is_lost(best[1], place):
        # a background that leaves the weight to be known, and describes the curve about as well, is to be preferred
        known = [one for one in tried if not _weight_is_lost(one[1], place) and one[2] < best[2] + _ABOUT_AS_WELL]
        if known:
            tried, best = known, _best(known)
    if weight is None and _weight_is_lost(best[1], place):
        # one weight would make the gap look known: it is held at several, and their gaps' spread counts as that of
        # the backgrounds does
        tried, held = [], (place,)
        for trial in _TRIAL_WEIGHTS:
            start[place] = trial
            tried += _over_degrees(problem, start, degrees, held)
        best = _best(tried)
    return tried, best, held


def _over_degrees(problem: Problem, start: Floats, degrees: tuple[int, ...], held: tuple[int, ...]) -> list[Trial]:
    """The fit with each background: problem, solution, criterion."""
    middle = problem.curves[0].terms.shape[1] - 1
    tried: list[Trial] = []
    values = start
    serial = 1.0
    for degree in sorted(degrees, key=lambda one: abs(one - middle)):
        changed = with_degree(problem, degree)
        found = solve(changed, values, held=held)
        if degree == middle:
            values = found.values if np.all(np.isfinite(found.values)) else start
            serial = correlation_factor(changed, found.residuals)
        criterion = corrected_aic(changed, found.residuals, coefficient_count(changed, found), serial=serial)
        tried.append((changed, found, criterion if found.verdict is Verdict.CONVERGED else math.inf))
    return tried


def _best(tried: list[Trial]) -> Trial:
    return min(tried, key=lambda one: one[2])


def _weight_is_lost(found: LeastSquares, place: int) -> bool:
    sigma = math.sqrt(max(float(found.covariance[place, place]), 0.0))
    value = float(found.values[place])
    at_rest = found.verdict is Verdict.CONVERGED
    return not at_rest or not 0 < value < _MOST_WEIGHT or not sigma < _MOST_WEIGHT_SIGMA


def _over_temperatures(
    curve: ConductanceCurve,
    limits: tuple[float, float],
    model: str,
    degree: int | str,
    weight: float | None,
    profile: bool,
) -> AndreevFit:
    """The fit in the middle of a range of temperature, its ends in the uncertainty."""
    low, high = limits
    if not 0 <= low < high < math.inf:
        raise InputError(f"the range of temperature is {low:g} to {high:g} K. Expected two rising numbers in K.")
    fits = [
        fit_conductance(replace(curve, temperature_k=one), model=model, degree=degree, weight=weight, profile=profile)
        for one in (0.5 * (low + high), low, high)
    ]
    middle = fits[0]
    ends = [one.gap_mev for one in fits[1:] if math.isfinite(one.gap_mev)]
    spread = max((abs(one - middle.gap_mev) for one in ends), default=math.nan)
    known = f"The temperature is only known to lie between {low:g} and {high:g} K."
    verdict = Verdict.DOUBTFUL if middle.verdict is Verdict.CONVERGED else middle.verdict
    return replace(
        middle,
        verdict=verdict,
        reason=f"{known} {middle.reason}".strip(),
        temperature_low_k=low,
        temperature_high_k=high,
        gap_temperature_mev=spread,
        gap_sigma_mev=math.hypot(middle.gap_sigma_mev, spread),
    )
