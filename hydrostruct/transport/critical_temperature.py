"""R(T) → Tc: every transition by intersection, onset, 90, 50, 10 %, zero, hysteresis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hydrostruct.transport.curves import Floats, ResistanceCurve
from hydrostruct.transport.departure import onset, zero
from hydrostruct.transport.fractions import fraction_temperature
from hydrostruct.transport.plateau import find_plateau
from hydrostruct.transport.steps import measure_step, shape_steps
from hydrostruct.transport.sweeps import Sweep, split_sweeps
from hydrostruct.transport.tc_result import TC_NUMBERS, SweepTc, TcFit, Transition, no_tc
from hydrostruct.transport.transitions import find_peaks_of_slope
from hydrostruct.verdict import Verdict

_LEAST_POINTS = 12
_SIGNIFICANT = 2.0


def find_tc(curve: ResistanceCurve) -> TcFit:
    """Tc and the other temperatures of a resistance curve.

    Parameters
    ----------
    curve : ResistanceCurve
        R(T) in the order measured: cooling, warming, both, or without order.

    Returns
    -------
    TcFit
        ABSENT where nothing drops, FAILED where there are too few points, DOUBTFUL with a reason.

    Notes
    -----
    Tc is where the straight line of the state above a transition meets that of the transition (the paper's definition).
    The windows, stated in parts of the curve itself so that nobody chooses them: the transition's line goes through
    20–80, 30–70 and 40–60 % of its own step; the normal line starts 3, 4 and 5 widths (30–70 %) above its middle and is
    5, 10 and 20 widths long; a state between two steps is taken 25, 35, 45 % of the
    distance of their feet to each side of its middle. Tc is the mean over all pairs; its sigma adds the noise, their
    spread, and half of a significant hysteresis.

    Examples
    --------
    >>> t = np.linspace(80.0, 140.0, 601)
    >>> r = (0.5 + 0.004 * t) / (1.0 + np.exp(-(t - 98.0) / 0.3))
    >>> found = find_tc(ResistanceCurve(temperature_k=t, resistance_ohm=r))
    >>> found.verdict.value, len(found.steps), round(found.tc_k, 1)
    ('converged', 1, 98.6)
    """
    if curve.temperature_k.size < _LEAST_POINTS:
        return no_tc(curve.name, Verdict.FAILED, f"{curve.temperature_k.size} points; {_LEAST_POINTS} are needed.")
    sweeps = [_analyse(sweep, curve) for sweep in split_sweeps(curve)]
    found = [sweep for sweep in sweeps if sweep is not None]
    if not found:
        return no_tc(curve.name, Verdict.ABSENT, "No drop in R(T) stands above the noise and the normal state's slope.")
    return _joined(curve.name, found, len(sweeps))


def _analyse(sweep: Sweep, curve: ResistanceCurve) -> SweepTc | None:
    """One sweep, None where it has no transition."""
    if sweep.temperature_k.size < _LEAST_POINTS:
        return None
    peaks = find_peaks_of_slope(sweep)
    if not peaks:
        return None
    shapes = shape_steps(sweep, peaks)
    steps = tuple(measure_step(sweep, shape, peak) for shape, peak in zip(shapes, peaks, strict=True))
    plateau = find_plateau(sweep, shapes, curve)
    fractions = {name: fraction_temperature(sweep, shapes, level, plateau)
                 for name, level in (("t90", 0.9), ("t50", 0.5), ("t10", 0.1))}  # fmt: skip
    ends = {"onset": onset(sweep, shapes[0]), "zero": zero(sweep, shapes[-1], plateau)}
    numbers = {f"{name}{kind}_k": value for name, pair in {**fractions, **ends}.items()
               for kind, value in zip(("", "_sigma"), pair, strict=True)}  # fmt: skip
    return SweepTc(
        direction=sweep.direction,
        steps=steps,
        **numbers,
        offset_ohm=plateau.offset_ohm,
        residual_ohm=plateau.residual_ohm,
        floor_ohm=plateau.floor_ohm,
        doubts=tuple(dict.fromkeys([*(word for shape in shapes for word in shape.doubts), *plateau.doubts])),
        temperature_k=sweep.temperature_k,
        resistance_ohm=sweep.resistance_ohm,
    )


def _joined(file: str, sweeps: list[SweepTc], measured: int) -> TcFit:
    """The mean over the sweeps, with half of a significant difference as a part of sigma."""
    doubts = list(dict.fromkeys(word for sweep in sweeps for word in sweep.doubts))
    if len(sweeps) < measured:
        doubts.append(f"Only {len(sweeps)} of {measured} sweeps show a transition.")
    if len({len(sweep.steps) for sweep in sweeps}) > 1:
        doubts.append("The sweeps differ in the number of their transitions.")
    main = max(sweeps, key=lambda sweep: len(sweep.steps))
    steps = tuple(_mean_step(step, sweeps) for step in main.steps)
    steps = tuple(sorted(steps, key=lambda step: -step.tc_k))
    numbers: dict[str, Any] = {"tc_k": steps[0].tc_k, "tc_sigma_k": steps[0].tc_sigma_k}
    for name in TC_NUMBERS[1:]:
        pairs = np.array([(getattr(s, f"{name}_k"), getattr(s, f"{name}_sigma_k")) for s in sweeps])
        numbers[f"{name}_k"], numbers[f"{name}_sigma_k"] = _mean(pairs)
    hysteresis, sigma = _hysteresis(sweeps)
    if abs(hysteresis) > 5.0 * sigma and abs(hysteresis) > 0.5 * steps[0].width_k:
        doubts.append(f"Tc differs by {hysteresis:.2g} K between warming and cooling: the thermometer may lag.")
    return TcFit(
        file=file,
        verdict=Verdict.DOUBTFUL if doubts or not math.isfinite(steps[0].tc_k) else Verdict.CONVERGED,
        reason=" ".join(doubts),
        **numbers,
        steps=steps,
        hysteresis_k=hysteresis,
        hysteresis_sigma_k=sigma,
        sweeps=tuple(sweeps),
    )


def _mean_step(step: Transition, sweeps: list[SweepTc]) -> Transition:
    """A transition averaged over the sweeps that show it."""
    from dataclasses import replace

    reach = max(3.0 * step.width_k, 0.02 * step.tc_k)
    alike = [min(sweep.steps, key=lambda other: abs(other.tc_k - step.tc_k)) for sweep in sweeps]
    alike = [other for other in alike if abs(other.tc_k - step.tc_k) <= reach] or [step]
    tc, statistical = _mean(np.array([(other.tc_k, other.tc_statistical_k) for other in alike]))
    noise = float(np.sqrt(np.mean([other.tc_statistical_k**2 for other in alike]) / len(alike)))
    spread = float(np.mean([other.tc_window_spread_k for other in alike]))
    return replace(step, tc_k=tc, tc_statistical_k=noise, tc_window_spread_k=spread,
                   tc_sigma_k=float(np.hypot(statistical, spread)))  # fmt: skip


def _mean(pairs: Floats) -> tuple[float, float]:
    """Plain mean of values, and its sigma with half of their range where that is significant."""
    good = pairs[np.isfinite(pairs[:, 0])]
    if not good.size:
        return math.nan, math.nan
    noise = math.sqrt(float(np.mean(good[:, 1] ** 2)) / len(good))
    half = 0.5 * float(np.ptp(good[:, 0]))
    apart = half if len(good) > 1 and half > _SIGNIFICANT * noise else 0.0
    return float(np.mean(good[:, 0])), math.hypot(noise, apart)


def _hysteresis(sweeps: list[SweepTc]) -> tuple[float, float]:
    """Tc on warming less Tc on cooling, and its sigma from the noise."""
    means = []
    for direction in ("warming", "cooling"):
        steps = [sweep.steps[0] for sweep in sweeps if sweep.direction == direction]
        if not steps:
            return math.nan, math.nan
        variance = np.mean([step.tc_statistical_k**2 for step in steps]) / len(steps)
        means.append((float(np.mean([step.tc_k for step in steps])), float(variance)))
    return means[0][0] - means[1][0], math.sqrt(means[0][1] + means[1][1])
