"""V = Vc (I/Ic)ⁿ over the points above a criterion, with noise that is partly absolute and partly relative."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hydrostruct.numerics.least_squares import LeastSquares, fit_least_squares
from hydrostruct.transport.baseline import Baseline
from hydrostruct.transport.curves import Floats
from hydrostruct.verdict import Verdict

_LARGEST_LOG = 60.0
_SCATTER_STEPS = 14
_LEAST_RELATIVE, _MOST_RELATIVE = 1e-4, 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLaw:
    """One fit."""

    ln_ic: float
    """Logarithm of Ic in A."""
    n: float
    """The exponent."""
    covariance: Floats
    """Of both, noise of the points and of the baseline together, shape (2, 2)."""
    relative_noise: float
    """Scatter in parts of the voltage."""
    verdict: Verdict
    """CONVERGED or NOT_CONVERGED."""

    def at(self, current_a: Floats, criterion_v: float) -> Floats:
        """Voltage, in V, of magnitudes of current."""
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(criterion_v * np.exp(self.n * (np.log(np.abs(current_a)) - self.ln_ic)))


def fit_power_law(current: Floats, voltage: Floats, *, baseline: Baseline, criterion_v: float) -> PowerLaw:
    """Ic and n by least squares on a scale that is even for both kinds of noise.

    Parameters
    ----------
    current : array, shape (n,)
        Currents of the points above the criterion, signs as measured, in A.
    voltage : array, shape (n,)
        Their voltages along the current, the baseline taken off, in V.
    baseline : Baseline
        Its noise, and its own uncertainty.
    criterion_v : float
        The voltage that defines Ic, in V.

    Returns
    -------
    PowerLaw

    Notes
    -----
    With variance s² + (rV)² the function asinh(rV/s)/r has the same noise everywhere: it is V/s where the noise of the
    voltmeter rules, and ln V where that of the current and the temperature does (a relative change of either moves V by
    n times as much). r is 0 unless the residuals ask for it, and then such that χ² is its expectation.
    """
    log_current = np.log(np.abs(current))
    start = _start(log_current, voltage, criterion_v)
    noise, relative = baseline.noise_v, 0.0
    fit = _fit(log_current, voltage, start, noise, _LEAST_RELATIVE, criterion_v)
    if fit.reduced_chi2 > 1.0 + 2.0 * math.sqrt(2.0 / max(voltage.size - 2, 1)) or fit.verdict is not Verdict.CONVERGED:
        relative, fit = _scatter(log_current, voltage, start, noise, criterion_v)
    covariance = fit.covariance + _from_baseline(fit, log_current, current, baseline, max(relative, _LEAST_RELATIVE),
                                                 criterion_v)  # fmt: skip
    return PowerLaw(ln_ic=float(fit.values[0]), n=float(fit.values[1]), covariance=covariance,
                    relative_noise=relative, verdict=fit.verdict)  # fmt: skip


def _start(log_current: Floats, voltage: Floats, criterion_v: float) -> list[float]:
    """The straight line in ln V against ln I."""
    good = voltage > 0
    x, y = log_current[good], np.log(voltage[good] / criterion_v)
    lever = x - np.mean(x)
    spread = float(lever @ lever)
    n = max(float(lever @ y) / spread, 0.5) if spread > 1e-18 else 10.0
    return [float(np.mean(x) - np.mean(y) / n), n]


def _fit(
    log_current: Floats, voltage: Floats, start: list[float], noise: float, relative: float, criterion_v: float
) -> LeastSquares:
    measured = np.arcsinh(relative * voltage / noise) / relative

    def residuals(p: Floats) -> Floats:
        power = np.clip(p[1] * (log_current - p[0]), -_LARGEST_LOG, _LARGEST_LOG)
        return np.asarray(measured - np.arcsinh(relative * criterion_v * np.exp(power) / noise) / relative)

    return fit_least_squares(residuals, start)


def _scatter(
    log_current: Floats, voltage: Floats, start: list[float], noise: float, criterion_v: float
) -> tuple[float, LeastSquares]:
    """The relative noise at which χ² is what it should be, by halving its logarithm's interval."""
    low, high = math.log(_LEAST_RELATIVE), math.log(_MOST_RELATIVE)
    for _ in range(_SCATTER_STEPS):
        middle = 0.5 * (low + high)
        fit = _fit(log_current, voltage, start, noise, math.exp(middle), criterion_v)
        if fit.verdict is not Verdict.CONVERGED or fit.reduced_chi2 > 1.0:
            low = middle
        else:
            high = middle
    return math.exp(high), _fit(log_current, voltage, start, noise, math.exp(high), criterion_v)


def _from_baseline(
    fit: LeastSquares, log_current: Floats, current: Floats, baseline: Baseline, relative: float, criterion_v: float
) -> Floats:
    """What the uncertainty of the baseline does to both parameters."""
    model = criterion_v * np.exp(np.clip(fit.values[1] * (log_current - fit.values[0]), -_LARGEST_LOG, _LARGEST_LOG))
    steep = 1.0 / np.sqrt(baseline.noise_v**2 + (relative * model) ** 2)
    by_parameter = steep[:, None] * np.stack([-fit.values[1] * model,
                                              model * (log_current - fit.values[0])], axis=1)  # fmt: skip
    by_baseline = -steep[:, None] * np.stack([np.sign(current), np.abs(current)], axis=1)
    moved = fit.covariance @ by_parameter.T @ by_baseline
    return np.asarray(moved @ baseline.covariance @ moved.T)
