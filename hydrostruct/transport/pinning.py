"""Ic(T) or Jc(T) → models, compared by AICc, with what the data cannot tell said in a sentence."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.numerics.least_squares import LeastSquares, fit_least_squares
from hydrostruct.transport.curves import Floats
from hydrostruct.transport.pinning_models import MODELS, penetration_depth, pinning_shape
from hydrostruct.transport.read import read_named_table
from hydrostruct.verdict import Verdict

_LEAST_POINTS = 4
_ALIKE = 4.0
_KAPPA = 80.0
_STARTS = 40
_SURE = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CriticalCurrents:
    """Ic or Jc against temperature."""

    temperature_k: Floats
    """In K, shape (n,)."""
    value: Floats
    """In `unit`, shape (n,)."""
    sigma: Floats | None
    """Standard uncertainties in the same unit, shape (n,); None where none are known."""
    unit: str
    """``a`` for a current, ``a_cm2`` for a density."""
    name: str = ""
    """Where they come from."""

    def __post_init__(self) -> None:
        where = self.name or "critical currents"
        table = [np.array(column, dtype=np.float64) for column in (self.temperature_k, self.value)]
        given = [*table, np.array(self.sigma, dtype=np.float64)] if self.sigma is not None else table
        if any(column.ndim != 1 or column.shape != table[0].shape for column in given):
            raise InputError(f"{where}: the columns differ in length. Expected one value for each temperature.")
        good = np.all([np.isfinite(column) for column in given], axis=0)
        given = [column[good] for column in given]
        if given[0].size < _LEAST_POINTS:
            raise InputError(f"{where}: {given[0].size} rows of numbers. Expected {_LEAST_POINTS} or more.")
        if np.any(given[0] <= 0) or not np.any(given[1] > 0):
            raise InputError(f"{where}: temperatures and critical currents must lie above 0. Check the columns.")
        if len(given) == 3 and np.any(given[2] <= 0):
            raise InputError(f"{where}: a sigma is {np.min(given[2]):g}. Expected above 0, or no such column.")
        for column in given:
            column.flags.writeable = False
        for word, column in zip(("temperature_k", "value", "sigma"), given, strict=False):
            object.__setattr__(self, word, column)


@dataclass(frozen=True, kw_only=True, slots=True)
class PinningFit:
    """One model."""

    model: str
    """Its name, one of `pinning_models.MODELS`."""
    verdict: Verdict
    """CONVERGED; DOUBTFUL where the residuals reject it; NOT_CONVERGED."""
    parameters: dict[str, float]
    """``ic0_a`` or ``jc0_a_cm2``, ``tc_k``, and ``exponent`` or ``penetration_nm``."""
    sigmas: dict[str, float]
    """Standard uncertainties by the same names."""
    correlation: float
    """Of the value at 0 K with Tc; NaN where Tc was fixed without error."""
    covariance: Floats
    """Of ln of the value at 0 K, Tc (and the exponent), shape (parameters, parameters)."""
    aicc: float
    """Akaike's criterion for small samples; smaller is better."""
    chi2: float
    """Sum of squared residuals over sigma; in units of the best model's scatter where no sigmas are known."""
    runs_sigmas: float
    """How far the number of runs of equal signs in the residuals lies from that of a random order, in sigma."""
    residuals: Floats
    """Measured less fitted, in the unit of the data, shape (n,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PinningComparison:
    """All models, the best first."""

    file: str
    """Where the data come from."""
    verdict: Verdict
    """CONVERGED where one model stands alone; AMBIGUOUS where others explain the data as well; FAILED."""
    reason: str
    """What the data tell apart and what they do not, in sentences."""
    models: tuple[PinningFit, ...]
    """Every model."""
    data: CriticalCurrents
    """What was fitted."""


def read_critical_currents(path: str | os.PathLike[str]) -> CriticalCurrents:
    """Ic(T) or Jc(T) from a table.

    Parameters
    ----------
    path : path-like
        Columns ``temperature_k`` and ``ic_a[, ic_sigma_a]`` or ``jc_a_cm2[, jc_sigma_a_cm2]``.

    Returns
    -------
    CriticalCurrents

    Raises
    ------
    InputError
        When a column is missing.
    """
    table = read_named_table(path)
    for unit, value, sigma in (("a_cm2", "jc_a_cm2", "jc_sigma_a_cm2"), ("a", "ic_a", "ic_sigma_a")):
        if "temperature_k" in table and value in table:
            return CriticalCurrents(temperature_k=table["temperature_k"], value=table[value], sigma=table.get(sigma),
                                    unit=unit, name=str(path))  # fmt: skip
    raise InputError(f"{path}: columns are {', '.join(table)}. Expected temperature_k with ic_a[, ic_sigma_a] or "
                     "jc_a_cm2[, jc_sigma_a_cm2]. Name them in the first line.")  # fmt: skip


def compare_pinning(
    data: CriticalCurrents, *, tc_k: float = math.nan, tc_sigma_k: float = 0.0, models: tuple[str, ...] = MODELS
) -> PinningComparison:
    """Every model fitted to the same data, the best first.

    Parameters
    ----------
    data : CriticalCurrents
        Ic or Jc against temperature.
    tc_k : float
        Tc where it is known from elsewhere, in K; NaN leaves it free.
    tc_sigma_k : float
        Its uncertainty, in K: it enters as one more measurement. 0 holds Tc fixed.
    models : tuple of str
        Which ones.

    Returns
    -------
    PinningComparison

    Raises
    ------
    InputError
        When Tc is no number, or lies below a temperature at which a critical current was measured.

    Notes
    -----
    AICc = χ² + 2k + 2k(k + 1)/(N − k − 1) with known sigmas; N ln(χ²/N) in place of χ² where none are given, k then one
    more for the scatter. Models within 4 of the best are not told from it. The value at 0 K is an extrapolation.

    Examples
    --------
    >>> t = np.linspace(60.0, 77.0, 18)
    >>> exact = CriticalCurrents(temperature_k=t, value=2.92e6 * pinning_shape(t, "delta-l", tc_k=78.0), sigma=None,
    ...                          unit="a_cm2")
    >>> best = compare_pinning(exact).models[0]
    >>> best.model, round(best.parameters["tc_k"], 3), round(best.parameters["jc0_a_cm2"] / 1e6, 3)
    ('delta-l', 78.0, 2.92)
    """
    _check_tc(data, tc_k, tc_sigma_k)
    scale = float(np.max(data.value))
    fits = [_fit(data, model, scale, tc_k, tc_sigma_k) for model in models]
    unit = min((_chi2(one[1]) for one in fits), default=1.0)
    records = sorted((_record(data, model, fit, scale, unit, tc_k, tc_sigma_k) for model, fit in fits),
                     key=lambda one: one.aicc if math.isfinite(one.aicc) else math.inf)  # fmt: skip
    verdict, reason = _sentence(records, data)
    return PinningComparison(file=data.name, verdict=verdict, reason=reason, models=tuple(records), data=data)


def _check_tc(data: CriticalCurrents, tc_k: float, tc_sigma_k: float) -> None:
    """A Tc from elsewhere must be one, and no sure critical current may lie above it."""
    if not (math.isfinite(tc_sigma_k) and tc_sigma_k >= 0):
        raise InputError(f"the sigma of Tc is {tc_sigma_k:g} K. Expected a number, 0 or above. Correct it.")
    if math.isnan(tc_k):
        return
    sure = data.value > (0.0 if data.sigma is None else _SURE * data.sigma)
    last = float(np.max(data.temperature_k[sure], initial=0.0))
    if not last < tc_k + _SURE * tc_sigma_k < math.inf:
        raise InputError(
            f"{data.name or 'critical currents'}: Tc is given as {tc_k:g} ± {tc_sigma_k:g} K, but a critical current "
            f"was measured at {last:g} K. Expected a Tc above it. Correct Tc or its sigma, or leave Tc free."
        )


def value_at_zero(temperature_k: float, value: float, *, model: str, tc_k: float, exponent: float = math.nan) -> float:
    """The value at 0 K that a model of a given Tc needs to pass through one point.

    Examples
    --------
    >>> [round(value_at_zero(60.0, 0.2467, model="delta-l", tc_k=tc), 2) for tc in (76.0, 78.0, 80.0)]
    [3.61, 2.92, 2.44]
    """
    return float(value / pinning_shape(temperature_k, model, tc_k=tc_k, exponent=exponent))


def _fit(data: CriticalCurrents, model: str, scale: float, tc_k: float, tc_sigma_k: float) -> tuple[str, LeastSquares]:
    """One model from the best of many starts: beyond the last point Tc has local minima."""
    sigma = data.sigma / scale if data.sigma is not None else np.ones(data.value.size)
    y = data.value / scale
    free = not (math.isfinite(tc_k) and tc_sigma_k == 0)

    def unpacked(p: Floats) -> tuple[float, float, float]:
        tc = float(p[1]) if free else tc_k
        exponent = float(np.clip(p[2 if free else 1], 0.05, 40.0)) if model == "power-law" else math.nan
        return math.exp(min(max(float(p[0]), -60.0), 60.0)), max(tc, 1e-3), exponent

    def residuals(p: Floats) -> Floats:
        top, tc, exponent = unpacked(p)
        rest = (y - top * pinning_shape(data.temperature_k, model, tc_k=tc, exponent=exponent)) / sigma
        prior = [(tc - tc_k) / tc_sigma_k] if free and math.isfinite(tc_k) else []
        return np.concatenate([rest, prior])

    best = min(_starts(data, model, y, sigma, tc_k if math.isfinite(tc_k) else math.nan, free),
               key=lambda p: float(np.sum(residuals(np.array(p)) ** 2)))  # fmt: skip
    return model, fit_least_squares(residuals, best)


def _starts(data: CriticalCurrents, model: str, y: Floats, sigma: Floats, tc_k: float, free: bool) -> list[list[float]]:
    """Tc over a wide scan (and exponents), each with the best value at 0 K, which is linear."""
    last = float(np.max(data.temperature_k))
    middle = float(np.median(data.temperature_k))
    tcs = np.geomspace(0.5 * (middle + last), 2.0 * last, _STARTS) if math.isnan(tc_k) else [tc_k]
    exponents = (1.0, 1.5, 2.0, 2.5, 3.0) if model == "power-law" else (math.nan,)
    starts = []
    for tc in tcs:
        for exponent in exponents:
            shape = pinning_shape(data.temperature_k, model, tc_k=float(tc), exponent=exponent) / sigma
            top = float(shape @ (y / sigma)) / max(float(shape @ shape), 1e-300)
            start = [math.log(max(top, 1e-12)), *([float(tc)] if free else [])]
            starts.append([*start, exponent] if model == "power-law" else start)
    return starts


def _chi2(fit: LeastSquares) -> float:
    chi2 = float(fit.residuals @ fit.residuals)
    return chi2 / max(fit.residuals.size - fit.values.size, 1) if math.isfinite(chi2) else math.inf


def _record(
    data: CriticalCurrents, model: str, fit: LeastSquares, scale: float, unit: float, tc_k: float, tc_sigma_k: float
) -> PinningFit:
    """Names, sigmas and criteria of one fit."""
    size, known = data.value.size, data.sigma is not None
    chi2 = max(float(fit.residuals @ fit.residuals), 1e-24 * size)
    free = fit.values.size + (0 if known else 1)
    misfit = chi2 if known else size * math.log(chi2 / size)
    correction = 2.0 * free * (free + 1) / (size - free - 1) if size > free + 1 else math.inf
    # without sigmas the scatter of each fit is its own; with them a misfit widens the errors
    factor = max(1.0, fit.reduced_chi2) if known else fit.reduced_chi2
    covariance = fit.covariance * factor
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    tc_free = not (math.isfinite(tc_k) and tc_sigma_k == 0)
    word = "jc0_a_cm2" if data.unit == "a_cm2" else "ic0_a"
    top = scale * math.exp(min(float(fit.values[0]), 300.0))
    parameters = {word: top, "tc_k": float(fit.values[1]) if tc_free else tc_k}
    sigmas = {word: top * float(sigma[0]), "tc_k": float(sigma[1]) if tc_free else 0.0}
    if model == "power-law":
        parameters["exponent"], sigmas["exponent"] = float(fit.values[-1]), float(sigma[-1])
    if model == "self-field" and data.unit == "a_cm2":
        depth = penetration_depth(top, kappa=_KAPPA)
        parameters["penetration_nm"], sigmas["penetration_nm"] = depth, depth * float(sigma[0]) / 3.0
    correlation = float(covariance[0, 1] / (sigma[0] * sigma[1])) if tc_free and np.all(sigma[:2] > 0) else math.nan
    rest = fit.residuals[:size]
    runs = _runs(rest) if known or np.max(np.abs(rest)) > 1e-9 else math.nan  # rounding has no random order
    rejected = (known and fit.reduced_chi2 > 1.0 + 4.0 * math.sqrt(2.0 / max(size - free, 1))) or runs < -3.0
    good = fit.verdict is Verdict.CONVERGED
    return PinningFit(
        model=model,
        verdict=(Verdict.DOUBTFUL if rejected else Verdict.CONVERGED) if good else Verdict.NOT_CONVERGED,
        parameters=parameters,
        sigmas=sigmas,
        correlation=correlation,
        covariance=covariance,
        aicc=misfit + 2.0 * free + correction,
        chi2=chi2 if known else chi2 / max(unit, 1e-300),
        runs_sigmas=runs,
        residuals=rest * (data.sigma if data.sigma is not None else scale),
    )


def _runs(residuals: Floats) -> float:
    """Wald and Wolfowitz's test: fewer runs of signs than chance means a wrong shape."""
    signs = residuals > 0
    plus, minus = int(np.count_nonzero(signs)), int(np.count_nonzero(~signs))
    total = plus + minus
    if plus == 0 or minus == 0 or total < 6:
        return math.nan
    runs = 1 + int(np.count_nonzero(signs[1:] != signs[:-1]))
    mean = 2.0 * plus * minus / total + 1.0
    variance = (mean - 1.0) * (mean - 2.0) / (total - 1.0)
    return (runs - mean) / math.sqrt(variance) if variance > 0 else math.nan


def _sentence(models: list[PinningFit], data: CriticalCurrents) -> tuple[Verdict, str]:
    """What the data can tell, and what they cannot."""
    if not models or not math.isfinite(models[0].aicc):
        return Verdict.FAILED, "No model could be fitted."
    best = models[0]
    alike = [one.model for one in models[1:] if one.aicc - best.aicc < _ALIKE]
    word = next(iter(best.parameters))
    low = float(np.min(data.temperature_k)) / best.parameters["tc_k"]
    sentences = []
    if alike:
        sentences.append(f"The data do not tell {best.model} from {', '.join(alike)} (AICc differs by less than 4).")
    elif len(models) > 1:
        behind = models[1].aicc - best.aicc
        sentences.append(f"{best.model} explains the data best; {models[1].model} is {behind:.1f} behind in AICc.")
    values = [one.parameters[word] for one in models if one.aicc - best.aicc < _ALIKE]
    if low > 0.3:
        across = f", from {min(values):.3g} to {max(values):.3g} over these models" if len(values) > 1 else ""
        sentences.append(f"The value at 0 K is extrapolated from T/Tc = {low:.2f}{across}.")
    if abs(best.correlation) > 0.9:
        sentences.append(f"It is tied to Tc with a correlation of {best.correlation:.3f}.")
    return Verdict.AMBIGUOUS if alike else Verdict.CONVERGED, " ".join(sentences)
