"""Figures of transport: R(T) with its construction, V(I) families, Jc(T) with models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hydrostruct.report.plots import PHASE_COLOURS
from hydrostruct.transport.pinning_models import pinning_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from hydrostruct.transport.ic_result import CriticalCurrentFit
    from hydrostruct.transport.pinning import PinningComparison
    from hydrostruct.transport.tc_pressure import TcPoint, TcPressureLine
    from hydrostruct.transport.tc_result import TcFit

_GREY = "#7f7f7f"
_MOST_MODELS = 4


def plot_resistance(found: TcFit, *, ax: Axes | None = None) -> Axes:
    """R(T) with the construction lines of every transition and an inset at zero.

    Parameters
    ----------
    found : TcFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    top = max(float(np.max(sweep.resistance_ohm)) for sweep in found.sweeps)
    for index, sweep in enumerate(found.sweeps):
        axes.plot(sweep.temperature_k, sweep.resistance_ohm, ".", markersize=2.5, label=sweep.direction,
                  color=PHASE_COLOURS[index % len(PHASE_COLOURS)], rasterized=True)  # fmt: skip
    for step in found.steps:
        ends = step.tc_k + np.array([-1.0, 12.0]) * step.width_k
        axes.plot(ends, step.above_ohm + step.above_ohm_per_k * (ends - step.tc_k), "--", color="black", linewidth=0.9)
        rise = np.array([-step.above_ohm, 0.12 * top]) / step.transition_ohm_per_k
        axes.plot(step.tc_k + rise, step.transition_ohm + step.transition_ohm_per_k * rise, "--", color="black",
                  linewidth=0.9)  # fmt: skip
        axes.annotate(f"{step.tc_k:.2f} ± {step.tc_sigma_k:.2f} K", (step.tc_k, step.above_ohm),
                      xytext=(8, -16), textcoords="offset points", ha="left")  # fmt: skip
    axes.set_ylim(-0.06 * top, 1.25 * top)
    axes.set_xlabel("temperature (K)")
    axes.set_ylabel("resistance (Ω)")
    axes.legend(loc="lower right")
    if np.isfinite(found.zero_k):
        _inset(found, axes)
    return axes


def _inset(found: TcFit, axes: Axes) -> None:
    """The foot of the lowest transition, about zero."""
    step = found.steps[-1]
    inset = axes.inset_axes((0.09, 0.55, 0.26, 0.33))
    low, high = found.zero_k - 3.0 * step.width_k, found.zero_k + 1.5 * step.width_k
    for index, sweep in enumerate(found.sweeps):
        near = (sweep.temperature_k > low) & (sweep.temperature_k < high)
        inset.plot(sweep.temperature_k[near], sweep.resistance_ohm[near] - sweep.offset_ohm, ".", markersize=2.5,
                   color=PHASE_COLOURS[index % len(PHASE_COLOURS)])  # fmt: skip
    inset.axhline(0.0, color=_GREY, linewidth=0.6)
    inset.axvline(found.zero_k, color="black", linewidth=0.8, linestyle=":")
    inset.set_title(f"zero at {found.zero_k:.2f} K, offset off", fontsize="small", loc="left")
    inset.tick_params(labelsize="small")


def plot_voltage(fits: Sequence[CriticalCurrentFit], *, ax: Axes | None = None) -> Axes:
    """V(I) of several temperatures, offsets taken off, with their power laws.

    Parameters
    ----------
    fits : sequence of CriticalCurrentFit
        What to draw, coloured by temperature (by order where none is known).
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    for fit, colour in zip(fits, _colours(fits), strict=True):
        order = np.argsort(fit.current_a, kind="stable")
        axes.plot(fit.current_a[order], 1e6 * fit.voltage_v[order], ".", markersize=3, color=colour,
                  label=_label(fit))  # fmt: skip
        inside = np.abs(fit.current_a[order]) >= 0.8 * fit.ic_a
        line = np.where(inside, fit.fitted_v[order], np.nan)
        axes.plot(fit.current_a[order], 1e6 * line, color=colour, linewidth=0.9)
    axes.set_xlabel("current (A)")
    axes.set_ylabel("voltage, offset taken off (µV)")
    axes.legend(fontsize="small", loc="best")
    return axes


def plot_differential_resistance(fits: Sequence[CriticalCurrentFit], *, ax: Axes | None = None) -> Axes:
    """|dV/dI| of several temperatures.

    Parameters
    ----------
    fits : sequence of CriticalCurrentFit
        What to draw, coloured by temperature.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    from hydrostruct.transport.critical_current import differential_resistance
    from hydrostruct.transport.curves import VoltageCurve

    axes = plt.gca() if ax is None else ax
    for fit, colour in zip(fits, _colours(fits), strict=True):
        current, slope, sigma = differential_resistance(
            VoltageCurve(current_a=fit.current_a, voltage_v=fit.voltage_v), half_width=2
        )
        axes.plot(current, 1e6 * np.abs(slope), color=colour, linewidth=1.0, label=_label(fit))
        low, high = np.abs(slope) - sigma, np.abs(slope) + sigma
        axes.fill_between(current, 1e6 * low, 1e6 * high, color=colour, alpha=0.2, linewidth=0)
    axes.set_xlabel("current (A)")
    axes.set_ylabel("|dV/dI| (µΩ)")
    return axes


def plot_pinning(found: PinningComparison, *, ax: Axes | None = None) -> Axes:
    """Ic(T) or Jc(T) with the best models; where they extrapolate, grey.

    Parameters
    ----------
    found : PinningComparison
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    data = found.data
    scale, label = (1e-6, "Jc (MA/cm²)") if data.unit == "a_cm2" else (1.0, "Ic (A)")
    best = found.models[:_MOST_MODELS]
    end = max(float(np.max(data.temperature_k)), *(one.parameters["tc_k"] for one in best))
    grid = np.linspace(0.0, 1.02 * end, 500)
    axes.axvspan(0.0, float(np.min(data.temperature_k)), color="#e8e8e8", label="extrapolated")
    for one, colour in zip(best, PHASE_COLOURS, strict=False):
        top = next(iter(one.parameters.values()))
        shape = pinning_shape(grid, one.model, tc_k=one.parameters["tc_k"],
                              exponent=one.parameters.get("exponent", np.nan))  # fmt: skip
        behind = one.aicc - found.models[0].aicc
        axes.plot(grid, scale * top * shape, color=colour, linewidth=1.1, label=f"{one.model}, ΔAICc {behind:.1f}")
    sigma = None if data.sigma is None else scale * data.sigma
    axes.errorbar(
        data.temperature_k, scale * data.value, yerr=sigma, fmt="o", markersize=4, color="black", label="data"
    )
    axes.set_yscale("log")
    positive = data.value[data.value > 0]
    highest = max(next(iter(one.parameters.values())) for one in best)
    axes.set_ylim(0.3 * scale * float(np.min(positive)), 3.0 * scale * highest)
    axes.set_xlim(0.0, 1.02 * end)
    axes.set_xlabel("temperature (K)")
    axes.set_ylabel(label)
    axes.legend(fontsize="small", loc="lower left")
    return axes


def _label(fit: CriticalCurrentFit) -> str:
    name = f"{fit.temperature_k:.1f} K" if np.isfinite(fit.temperature_k) else fit.file.replace("$", r"\$")
    return f"{name}, Ic {fit.ic_a:.4g} A" if np.isfinite(fit.ic_a) else f"{name}, {fit.verdict}"


def _colours(fits: Sequence[CriticalCurrentFit]) -> list[tuple[float, float, float, float]]:
    """Cold is dark; cividis is even to the eye and to the colour-blind."""
    values = np.array([fit.temperature_k for fit in fits])
    values = values if np.all(np.isfinite(values)) else np.arange(len(fits), dtype=float)
    span = max(float(np.ptp(values)), 1e-12)
    return [plt.get_cmap("cividis")(0.9 * (value - values.min()) / span) for value in values]


def plot_tc_pressure(points: Sequence[TcPoint], *, line: TcPressureLine | None = None, ax: Axes | None = None) -> Axes:
    """Tc against pressure: own points filled, the literature's open, theory crosses; a colour for each phase.

    Parameters
    ----------
    points : sequence of TcPoint
        What to draw; ``this work`` as the source marks own points.
    line : TcPressureLine, optional
        A straight line through some of them.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    phases = list(dict.fromkeys(point.phase for point in points))
    for point in points:
        colour = PHASE_COLOURS[phases.index(point.phase) % len(PHASE_COLOURS)]
        own, theory = point.source == "this work", "theory" in point.quantity
        sigmas = [value if np.isfinite(value) else None for value in (point.pressure_sigma_gpa, point.tc_sigma_k)]
        axes.errorbar(point.pressure_gpa, point.tc_k, xerr=sigmas[0], yerr=sigmas[1], color=colour,
                      marker="x" if theory else "*" if own else "o", markersize=11 if own else 6,
                      markerfacecolor=colour if own else "none")  # fmt: skip
    for phase in phases:
        axes.plot([], [], "o", color=PHASE_COLOURS[phases.index(phase) % len(PHASE_COLOURS)], label=phase)
    if line is not None:
        ends = np.array(axes.get_xlim())
        axes.plot(ends, line.tc_k + line.slope_k_per_gpa * (ends - line.pressure_gpa), "--", color=_GREY,
                  label=f"{line.slope_k_per_gpa:.2f} ± {line.slope_sigma_k_per_gpa:.2f} K/GPa")  # fmt: skip
        axes.set_xlim(*ends)
    for marker, word in (("*", "this work"), ("o", "literature"), ("x", "theory")):
        axes.plot([], [], marker, color="black", markerfacecolor="black" if marker == "*" else "none", linestyle="",
                  label=word)  # fmt: skip
    axes.set_xlabel("pressure (GPa)")
    axes.set_ylabel("Tc (K)")
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes
