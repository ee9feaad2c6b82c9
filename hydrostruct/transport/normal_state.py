"""The normal state above a transition: a line, Bloch–Grüneisen, or that in parallel with saturation, by AICc."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.numerics.least_squares import fit_least_squares
from hydrostruct.transport.curves import Floats, ResistanceCurve
from hydrostruct.verdict import Verdict

_NODES = 48
_MOST_POINTS = 200
_LEAST_POINTS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalStateModel:
    """One model of the normal state."""

    model: str
    """``line``, ``bloch-gruneisen`` or ``bloch-gruneisen-saturation``."""
    parameters: dict[str, float]
    """Values by name with unit."""
    sigmas: dict[str, float]
    """Standard uncertainties by the same names; NaN where the data do not fix one."""
    aicc: float
    """Akaike's criterion for small samples; smaller is better."""
    verdict: Verdict
    """CONVERGED or NOT_CONVERGED."""


def bloch_gruneisen(temperature_k: Floats, debye_k: float) -> Floats:
    """(T/Θ)⁵ ∫₀^{Θ/T} x⁵ / [(eˣ − 1)(1 − e⁻ˣ)] dx.

    Parameters
    ----------
    temperature_k : array
        Temperatures, in K, above 0.
    debye_k : float
        Debye temperature, in K, above 0.

    Returns
    -------
    array
        No unit, same shape; 1/4·T/Θ for high temperatures, 124.43·(T/Θ)⁵ for low ones.

    Examples
    --------
    >>> (bloch_gruneisen(np.array([10.0, 4000.0]), 400.0) / np.array([124.4313 * 0.025**5, 2.5])).round(4)
    array([1.    , 0.9994])
    """
    temperature = np.asarray(temperature_k, dtype=np.float64)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    top = np.minimum(debye_k / temperature, 60.0)
    x = 0.5 * top[..., None] * (nodes + 1.0)
    with np.errstate(over="ignore"):
        values = x**5 * np.exp(-x) / np.expm1(-x) ** 2
    return np.asarray((temperature / debye_k) ** 5 * (values @ weights) * 0.5 * top)


def fit_normal_state(curve: ResistanceCurve, above_k: float) -> tuple[NormalStateModel, ...]:
    """Models of R(T) above a temperature, the best first.

    Parameters
    ----------
    curve : ResistanceCurve
        The curve.
    above_k : float
        Where the normal state begins, in K: some kelvin above the onset.

    Returns
    -------
    tuple of NormalStateModel
        Empty where fewer than twelve points lie there. Models less than 2 apart in AICc are not told apart by
        the data.

    Raises
    ------
    InputError
        When `above_k` is not a number.
    """
    if not math.isfinite(above_k):
        raise InputError(f"{curve.name or 'curve'}: above_k is {above_k}. Expected K. Give the end of the transition.")
    use = curve.temperature_k > above_k
    if np.count_nonzero(use) < _LEAST_POINTS:
        return ()
    temperature, resistance, count = _binned(curve.temperature_k[use], curve.resistance_ohm[use])
    found = [_fit(name, model, start, temperature, resistance, count)
             for name, (model, start) in _models(temperature, resistance).items()]  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.aicc if math.isfinite(one.aicc) else math.inf))


def _models(temperature: Floats, resistance: Floats) -> dict[str, tuple[Callable[[Floats], Floats], dict[str, float]]]:
    slope, height = np.polyfit(temperature, resistance, 1)
    low, top = float(resistance[0]), float(resistance[-1])
    debye = 600.0
    scale = max((top - low) / float(np.ptp(bloch_gruneisen(temperature[[0, -1]], debye))), 1e-12)
    residual = max(low - scale * float(bloch_gruneisen(temperature[:1], debye)[0]), 0.05 * abs(low))

    def ideal(p: Floats) -> Floats:
        return np.asarray(p[0] + p[1] * bloch_gruneisen(temperature, math.exp(min(max(p[2], 2.0), 10.0))))

    def saturating(p: Floats) -> Floats:
        metal = ideal(p[:3])
        return np.asarray(metal / (1.0 + metal * math.exp(-p[3])))

    return {
        "line": (lambda p: p[0] + p[1] * temperature,
                 {"residual_ohm": float(height), "slope_ohm_per_k": float(slope)}),
        "bloch-gruneisen": (ideal, {"residual_ohm": residual, "scale_ohm": scale, "debye_k": math.log(debye)}),
        "bloch-gruneisen-saturation": (
            saturating,
            {"residual_ohm": residual, "scale_ohm": 2.0 * scale, "debye_k": math.log(debye),
             "saturation_ohm": math.log(5.0 * abs(top) + 1e-300)},
        ),
    }  # fmt: skip


def _fit(
    name: str, model: Callable[[Floats], Floats], start: dict[str, float], temperature: Floats, resistance: Floats,
    count: Floats,
) -> NormalStateModel:  # fmt: skip
    """One model by least squares with a noise that the residuals tell."""
    unit = max(float(np.ptp(resistance)), 1e-300)
    weight = np.sqrt(count)
    fit = fit_least_squares(lambda p: weight * (resistance - model(p)) / unit, list(start.values()))
    size, free = resistance.size, len(start) + 1
    chi2 = max(float(fit.residuals @ fit.residuals), 1e-24)
    correction = 2.0 * free * (free + 1) / (size - free - 1) if size > free + 1 else math.inf
    scale = math.sqrt(fit.reduced_chi2) if size > free else math.nan
    sigma = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0)) * scale
    values = dict(zip(start, map(float, fit.values), strict=True))
    errors = dict(zip(start, map(float, sigma), strict=True))
    for word in ("debye_k", "saturation_ohm"):  # fitted as logarithms, so that they stay above 0
        if word in values:
            values[word] = math.exp(min(values[word], 60.0))
            errors[word] *= values[word]
    return NormalStateModel(model=name, parameters=values, sigmas=errors, verdict=fit.verdict,
                            aicc=size * math.log(chi2 / size) + 2.0 * free + correction)  # fmt: skip


def _binned(temperature: Floats, resistance: Floats) -> tuple[Floats, Floats, Floats]:
    """Means of neighbours: hundreds of points say as much as thousands here, and serial noise counts less."""
    order = np.argsort(temperature, kind="stable")
    parts = np.array_split(order, min(_MOST_POINTS, order.size))
    mean = [(temperature[part].mean(), resistance[part].mean(), part.size) for part in parts]
    table = np.array(mean, dtype=np.float64)
    return table[:, 0], table[:, 1], table[:, 2]
