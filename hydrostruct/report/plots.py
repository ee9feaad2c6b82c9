"""Figures of one record each, drawn on the axes that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from hydrostruct.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hydrostruct.xrd.fit_result import PatternFit
    from hydrostruct.xrd.pattern import Pattern

# Okabe and Ito's colours, which the colour-blind tell apart: https://jfly.uni-koeln.de/color/
PHASE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_GREY = "#7f7f7f"


def plot_pattern(pattern: Pattern, *, ax: Axes | None = None) -> Axes:
    """Intensity against 2θ; gaps where nothing was measured.

    Parameters
    ----------
    pattern : Pattern
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    axes.plot(pattern.two_theta_deg, pattern.intensity, color=PHASE_COLOURS[0], linewidth=0.8)
    axes.set_xlabel("2θ (degrees)")
    axes.set_ylabel("intensity")
    return axes


def plot_fit(fit: PatternFit, *, ax: Axes | None = None) -> Axes:
    """Observed points, fit, background, ticks of every phase, and the difference below.

    Parameters
    ----------
    fit : PatternFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
        The legend gives each phase with its verdict; the title Rwp and GOF.
    """
    axes = plt.gca() if ax is None else ax
    position, observed = fit.two_theta_deg, fit.observed
    inside = (position >= np.min(position[fit.fitted])) & (position <= np.max(position[fit.fitted]))
    aside = inside & ~fit.fitted & np.isfinite(observed)
    low, high = float(np.nanmin(observed[inside])), float(np.nanmax(observed[inside]))
    span = max(high - low, 1e-12)
    dots: dict[str, Any] = {"markersize": 2, "linestyle": "", "marker": ".", "rasterized": True}
    axes.plot(position[fit.fitted], observed[fit.fitted], color=_GREY, label="observed", **dots)
    if np.any(aside):
        axes.plot(position[aside], observed[aside], color="#d0d0d0", label="left out", **dots)
    axes.plot(position[inside], fit.background[inside], color=_GREY, linewidth=0.8, linestyle="--", label="background")
    axes.plot(position[inside], fit.calculated[inside], color="black", linewidth=0.9, label="fit")
    level = low - 0.05 * span
    for index, found in enumerate(fit.phases.values()):
        colour = PHASE_COLOURS[index % len(PHASE_COLOURS)] if found.verdict is not Verdict.ABSENT else "#bfbfbf"
        label = found.name if found.verdict is Verdict.CONVERGED else f"{found.name} ({found.verdict})"
        axes.plot(
            found.lines.two_theta_deg,
            np.full(found.lines.two_theta_deg.shape, level),
            "|",
            color=colour,
            markersize=7,
            label=label,
        )
        level -= 0.05 * span
    difference = (observed - fit.calculated)[inside]
    offset = level - float(np.nanmax(difference))
    axes.axhline(offset, color=_GREY, linewidth=0.5)
    axes.plot(position[inside], difference + offset, color=PHASE_COLOURS[0], linewidth=0.6, label="difference")
    if fit.foreign_lines_deg.size:
        axes.plot(
            fit.foreign_lines_deg,
            np.full(fit.foreign_lines_deg.shape, high + 0.05 * span),
            "v",
            color=_GREY,
            markersize=4,
            label="of no phase",
        )
    # a background that trades with lines outside the range may run far off: what was measured sets the scale
    axes.set_ylim(float(np.nanmin(difference)) + offset - 0.05 * span, high + 0.12 * span)
    axes.set_xlabel(f"2θ (degrees), λ = {fit.wavelength_ang:g} Å")
    axes.set_ylabel("intensity")
    axes.set_title(f"Rwp {fit.rwp_percent:.2f} %, Rexp {fit.rexp_percent:.2f} %, GOF {fit.gof:.2f}", loc="right")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes
