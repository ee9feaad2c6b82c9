"""V(I) → Ic and n at a criterion, whatever the offset, the sign of the leads and the direction of the sweep."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.numerics.local_slope import local_slope
from hydrostruct.transport.baseline import Baseline, fit_baseline, lead_sign, zero_plateau
from hydrostruct.transport.curves import Bools, Floats, VoltageCurve
from hydrostruct.transport.ic_result import CriticalCurrentFit
from hydrostruct.transport.power_law import PowerLaw, fit_power_law
from hydrostruct.verdict import Verdict

DEFAULT_CRITERION_V = 2e-7
"""0.2 µV: what a nanovoltmeter tells from its noise in some pulses."""
_LEAST_POINTS = 8
_LEAST_ABOVE = 2
_SIGMAS = 5.0
_LEAST_EXPONENT = 1.5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ohmic:
    """The straight line through everything."""

    resistance_ohm: float
    sigma_ohm: float
    excess: float
    """χ² of the line, per degree of freedom, in the noise that neighbouring points show."""


def fit_voltage_current(curve: VoltageCurve, *, criterion_v: float = DEFAULT_CRITERION_V) -> CriticalCurrentFit:
    """Critical current and n-value of one curve.

    Parameters
    ----------
    curve : VoltageCurve
        In the order measured; one or both signs of current.
    criterion_v : float
        The voltage that defines Ic, in V. A field criterion times the distance of the voltage leads.

    Returns
    -------
    CriticalCurrentFit
        ABSENT above Tc (ohmic), and where the current never reaches Ic.

    Raises
    ------
    InputError
        When the criterion is not above 0.

    Notes
    -----
    The baseline goes through currents at which the power law found is below a tenth of the noise; power law and
    baseline take turns. The law is fitted to the points above the last one below the criterion (or five sigma of noise,
    if that is more), as a change of slope far below would spoil n there. Where the criterion lies below the noise, Ic
    there is an extrapolation by the law itself.

    Examples
    --------
    >>> i = np.linspace(0.0, 0.08, 161)
    >>> v = 2e-7 * (i / 0.06) ** 20 + 5e-8 + 1e-9 * np.sin(40.0 * np.arange(161))
    >>> found = fit_voltage_current(VoltageCurve(current_a=i, voltage_v=v, temperature_k=60.0))
    >>> found.verdict.value, round(found.ic_a, 4), round(found.n, 1)
    ('converged', 0.06, 20.0)
    """
    if not (math.isfinite(criterion_v) and criterion_v > 0):
        raise InputError(f"criterion_v is {criterion_v}. Expected volts above 0, such as 2e-7. Give another one.")
    current, voltage = curve.current_a, curve.voltage_v
    if current.size < _LEAST_POINTS or np.unique(np.abs(current)).size < _LEAST_POINTS - 2:
        return _without_law(curve, criterion_v, Verdict.FAILED,
                            f"{current.size} points; {_LEAST_POINTS} at different currents are needed.")  # fmt: skip
    ohmic = _straight(current, voltage)
    if ohmic.excess < 1.0 + 6.0 * math.sqrt(2.0 / current.size):
        return _of_a_line(curve, criterion_v, ohmic)
    baseline, sign, law, window = _take_turns(current, voltage, criterion_v)
    if law is None:
        return _without_law(curve, criterion_v, Verdict.ABSENT,
                            f"No voltage of {criterion_v:g} V or more up to {np.max(np.abs(current)):.4g} A: Ic is "
                            "larger, or nothing but the baseline was measured.", ohmic=ohmic)  # fmt: skip
    return _result(curve, criterion_v, baseline, sign, law, window, ohmic)


def differential_resistance(curve: VoltageCurve, *, half_width: int = 2) -> tuple[Floats, Floats, Floats]:
    """dV/dI by local regression, with errors.

    Parameters
    ----------
    curve : VoltageCurve
        The curve.
    half_width : int
        Points on each side.

    Returns
    -------
    current_a, slope_ohm, slope_sigma_ohm : array, shape (m,)
        Sorted by current, equal currents merged; NaN within `half_width` of the ends. Sigma from the baseline's noise.

    Examples
    --------
    >>> i = np.linspace(0.0, 1.0, 11)
    >>> differential_resistance(VoltageCurve(current_a=i, voltage_v=3.0 * i))[1][2:4].round(6)
    array([3., 3.])
    """
    current, place, count = np.unique(curve.current_a, return_inverse=True, return_counts=True)
    voltage = np.bincount(place, weights=curve.voltage_v) / count
    noise = fit_baseline(curve.current_a, curve.voltage_v, below_a=0.3 * float(np.max(np.abs(current)))).noise_v
    slope, sigma = local_slope(current, voltage, half_width=half_width, sigma=noise / np.sqrt(count))
    return current, slope, sigma


def _take_turns(current: Floats, voltage: Floats, criterion_v: float) -> tuple[Baseline, float, PowerLaw | None, Bools]:
    """Baseline and power law in turns, each better by the other."""
    top = float(np.max(np.abs(current)))
    below, law, sign = 0.4 * top, None, 1.0
    baseline, window = fit_baseline(current, voltage, below_a=below), np.zeros(current.shape, dtype=bool)
    for _ in range(4):
        baseline = fit_baseline(current, voltage, below_a=below)
        sign = lead_sign(current, voltage, baseline)
        along = sign * np.sign(current) * (voltage - baseline.at(current))
        window = _above(np.abs(current), along, max(criterion_v, _SIGMAS * baseline.noise_v))
        if np.unique(np.abs(current[window])).size < _LEAST_ABOVE:
            return baseline, sign, None, window
        law = fit_power_law(current[window], along[window], baseline=baseline, criterion_v=criterion_v)
        share = (0.1 * baseline.noise_v / criterion_v) ** (1.0 / max(law.n, 1.0))
        below = min(max(share * math.exp(law.ln_ic), 0.15 * top), 0.8 * math.exp(law.ln_ic), 0.9 * top)
    return baseline, sign, law, window


def _above(size: Floats, along: Floats, least_v: float) -> Bools:
    """Points beyond the last current at which the voltage is below a threshold, each sign of the voltage by itself."""
    order = np.argsort(size, kind="stable")
    low = np.flatnonzero(along[order] < least_v)
    first = int(low[-1]) + 1 if low.size else 0
    window = np.zeros(size.shape, dtype=bool)
    window[order[first:]] = True
    return window


def _straight(current: Floats, voltage: Floats) -> _Ohmic:
    """The line through all points, held against the noise that second differences show."""
    order = np.argsort(current, kind="stable")
    x, y = current[order], voltage[order]
    design = np.stack([np.ones(x.size), x], axis=1)
    values, *_ = np.linalg.lstsq(design, y, rcond=None)
    rest = y - design @ values
    second = rest[2:] - 2.0 * rest[1:-1] + rest[:-2]
    noise = max(1.4826 * float(np.median(np.abs(second))) / math.sqrt(6.0), 1e-9 * float(np.max(np.abs(y))), 1e-100)
    chi2 = float(rest @ rest) / max(x.size - 2, 1)
    inverse = np.linalg.pinv(design.T @ design)
    return _Ohmic(resistance_ohm=float(values[1]), sigma_ohm=math.sqrt(inverse[1, 1] * max(chi2, noise**2)),
                  excess=chi2 / noise**2)  # fmt: skip


def _of_a_line(curve: VoltageCurve, criterion_v: float, ohmic: _Ohmic) -> CriticalCurrentFit:
    """No law: a resistor, or nothing at all."""
    top = float(np.max(np.abs(curve.current_a)))
    resists = abs(ohmic.resistance_ohm) > _SIGMAS * ohmic.sigma_ohm and abs(ohmic.resistance_ohm) * top > criterion_v
    reason = (
        f"V is proportional to I ({ohmic.resistance_ohm:.4g} Ω): no critical current."
        if resists
        else f"No voltage above the noise up to {top:.4g} A: Ic is larger, or nothing but the baseline was measured."
    )
    return _without_law(curve, criterion_v, Verdict.ABSENT, reason, ohmic=ohmic, resists=resists)


def _without_law(
    curve: VoltageCurve, criterion_v: float, verdict: Verdict, reason: str, *, ohmic: _Ohmic | None = None,
    resists: bool = False,
) -> CriticalCurrentFit:  # fmt: skip
    """A record without Ic."""
    nan = math.nan
    baseline = fit_baseline(curve.current_a, curve.voltage_v, below_a=float(np.max(np.abs(curve.current_a))))
    reversed_leads = resists and ohmic is not None and ohmic.resistance_ohm < 0
    return CriticalCurrentFit(
        file=curve.name, verdict=verdict, reason=reason, temperature_k=curve.temperature_k, ic_a=nan, ic_sigma_a=nan,
        n=nan, n_sigma=nan, criterion_v=criterion_v, polarity="reversed" if reversed_leads else "normal",
        ic_crossing_a=nan, offset_v=baseline.offset_v, offset_sigma_v=math.sqrt(baseline.covariance[0, 0]),
        lead_ohm=nan, lead_sigma_ohm=nan, noise_v=baseline.noise_v, relative_noise=nan,
        plateau_a=nan if resists or ohmic is None else float(np.max(np.abs(curve.current_a))),
        resistance_ohm=ohmic.resistance_ohm if ohmic else nan, resistance_sigma_ohm=ohmic.sigma_ohm if ohmic else nan,
        ohmic=resists, hysteresis_sigmas=nan, current_a=curve.current_a, voltage_v=curve.voltage_v - baseline.offset_v,
        fitted_v=np.full(curve.current_a.shape, nan),
    )  # fmt: skip


def _result(
    curve: VoltageCurve, criterion_v: float, baseline: Baseline, sign: float, law: PowerLaw, window: Bools,
    ohmic: _Ohmic,
) -> CriticalCurrentFit:  # fmt: skip
    """The record of a curve with a power law."""
    current = curve.current_a
    clean = sign * (curve.voltage_v - baseline.at(current))
    fitted = np.sign(current) * law.at(current, criterion_v)
    ic, sigma = math.exp(law.ln_ic), np.sqrt(np.maximum(np.diag(law.covariance), 0.0))
    hysteresis = _hysteresis(current, clean - fitted, window, np.hypot(baseline.noise_v, law.relative_noise * fitted))
    doubts = _doubts(curve, criterion_v, baseline, law, window, hysteresis, ic)
    good = law.verdict is Verdict.CONVERGED
    return CriticalCurrentFit(
        file=curve.name,
        verdict=(Verdict.DOUBTFUL if doubts else Verdict.CONVERGED) if good else Verdict.NOT_CONVERGED,
        reason=" ".join(doubts) if good else "The power law did not come to rest.",
        temperature_k=curve.temperature_k,
        ic_a=ic if good else math.nan,
        ic_sigma_a=ic * float(sigma[0]) if good else math.nan,
        n=law.n if good else math.nan,
        n_sigma=float(sigma[1]) if good else math.nan,
        criterion_v=criterion_v,
        polarity="reversed" if sign < 0 else "normal",
        ic_crossing_a=_crossing(np.abs(current), np.sign(current) * clean, criterion_v, window),
        offset_v=baseline.offset_v,
        offset_sigma_v=math.sqrt(baseline.covariance[0, 0]),
        lead_ohm=baseline.slope_ohm,
        lead_sigma_ohm=math.sqrt(baseline.covariance[1, 1]),
        noise_v=baseline.noise_v,
        relative_noise=law.relative_noise,
        plateau_a=zero_plateau(current, curve.voltage_v, baseline),
        resistance_ohm=ohmic.resistance_ohm,
        resistance_sigma_ohm=ohmic.sigma_ohm,
        ohmic=False,
        hysteresis_sigmas=hysteresis,
        current_a=current,
        voltage_v=clean,
        fitted_v=fitted,
    )


def _doubts(
    curve: VoltageCurve, criterion_v: float, baseline: Baseline, law: PowerLaw, window: Bools, hysteresis: float,
    ic: float,
) -> list[str]:  # fmt: skip
    """What a user should think of before using the numbers."""
    doubts = []
    distinct = np.unique(np.abs(curve.current_a[window])).size
    if distinct < 3:
        doubts.append(f"Only {distinct} currents lie above the criterion: n rests on them alone.")
    if _SIGMAS * baseline.noise_v > 2.0 * criterion_v:
        doubts.append(f"The criterion lies within the noise ({baseline.noise_v:.2g} V): Ic there is extrapolated by n.")
    if law.n < _LEAST_EXPONENT:
        doubts.append(f"n is {law.n:.2g}: hardly a transition, more a resistor.")
    if abs(hysteresis) > _SIGMAS:
        doubts.append(f"Rising and falling current differ by {hysteresis:.1f} sigma: the sample may be heated.")
    if ic > 1.02 * float(np.max(np.abs(curve.current_a))):
        doubts.append("Ic lies beyond the largest current.")
    return doubts


def _crossing(size: Floats, along: Floats, criterion_v: float, window: Bools) -> float:
    """Where the points pass the criterion, by a line in ln V between the two about it."""
    order = np.argsort(size, kind="stable")
    inside = np.flatnonzero(window[order])
    if not inside.size or inside[0] == 0:
        return math.nan
    low, high = order[inside[0] - 1], order[inside[0]]
    first, second = float(along[low]), float(along[high])
    if not first < criterion_v <= second:
        return math.nan
    logs = first > 0
    share = (
        math.log(criterion_v / first) / math.log(second / first) if logs else (criterion_v - first) / (second - first)
    )
    return float(size[low] + share * (size[high] - size[low]))


def _hysteresis(current: Floats, rest: Floats, window: Bools, noise: Floats) -> float:
    """Mean residual on falling less on rising magnitude of current, in its standard deviations."""
    change = np.gradient(np.abs(current))
    pulls = np.sign(current) * rest / noise
    rising, falling = pulls[window & (change > 0)], pulls[window & (change < 0)]
    if rising.size < 3 or falling.size < 3:
        return math.nan
    return float((falling.mean() - rising.mean()) / math.sqrt(1.0 / rising.size + 1.0 / falling.size))
