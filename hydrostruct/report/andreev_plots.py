"""Figures of point-contact spectra, drawn on the axes that they are given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hydrostruct.material.bcs import reduced_gap
from hydrostruct.report.plots import PHASE_COLOURS
from hydrostruct.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hydrostruct.andreev.fit_result import AndreevFit
    from hydrostruct.andreev.gap_fit import GapFit

_GREY = "#7f7f7f"
_NAMES = {
    "gap_mev": "Δ",
    "ln_broadening": "ln Γ",
    "barrier2": "Z²",
    "weight": "weight",
    "second_gap_mev": "Δ₂",
    "second_weight": "weight₂",
    "depth": "depth",
    "center_mv": "centre",
    "width_mv": "width",
}


def plot_raw_spectrum(fit: AndreevFit, *, ax: Axes | None = None) -> Axes:
    """The measured curve with its normal background.

    Parameters
    ----------
    fit : AndreevFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    axes.plot(fit.bias_mv, fit.conductance, ".", color=_GREY, markersize=1.5)
    axes.plot(fit.bias_mv, fit.background, color=PHASE_COLOURS[1], linewidth=0.9)
    axes.set_xlabel("bias (mV)")
    axes.set_ylabel("dI/dV")
    return axes


def plot_spectrum(fit: AndreevFit, *, ax: Axes | None = None) -> Axes:
    """The normalised curve with its fit, the gap marked.

    Parameters
    ----------
    fit : AndreevFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
        The title gives the gap and the temperature.
    """
    axes = plt.gca() if ax is None else ax
    axes.plot(fit.bias_mv, fit.normalised, ".", color=_GREY, markersize=2, label="measured over background")
    if np.any(np.isfinite(fit.calculated)):
        axes.plot(fit.bias_mv, fit.calculated, color=PHASE_COLOURS[1], linewidth=1.1, label=f"{fit.model} fit")
        for sign in (-1.0, 1.0):
            axes.axvline(sign * fit.gap_mev, color=PHASE_COLOURS[0], linewidth=0.7, linestyle=":")
    axes.axhline(1.0, color=_GREY, linewidth=0.5)
    axes.set_xlabel("bias (mV)")
    axes.set_ylabel("(dI/dV) / (dI/dV) of the background")
    axes.set_title(_gap_words(fit), loc="right")
    axes.legend(loc="upper left")
    return axes


def plot_waterfall(fits: Sequence[AndreevFit], *, ax: Axes | None = None) -> Axes:
    """Normalised curves of a series with their fits, the coldest below, each shifted up.

    Parameters
    ----------
    fits : sequence of AndreevFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    ordered = sorted(fits, key=lambda one: one.temperature_k, reverse=True)
    step = 0.6 * max(float(np.ptp(one.normalised)) for one in ordered)
    colours = plt.get_cmap("viridis")(np.linspace(0.0, 0.9, len(ordered)))
    for level, (fit, colour) in enumerate(zip(ordered[::-1], colours, strict=True)):
        shift = level * step
        axes.plot(fit.bias_mv, fit.normalised + shift, ".", color=colour, markersize=1.5)
        axes.plot(fit.bias_mv, fit.calculated + shift, color="black", linewidth=0.8)
        label = f"{fit.temperature_k:g} K"
        if fit.verdict is not Verdict.CONVERGED:
            label += f" ({fit.verdict})"
        axes.annotate(label, (1.01, 1.0 + shift), xycoords=("axes fraction", "data"), fontsize=7, va="center")
    axes.set_xlabel("bias (mV)")
    axes.set_ylabel("(dI/dV) / (dI/dV) of the background, shifted")
    return axes


def plot_reduced_gap(series: Sequence[GapFit], *, ax: Axes | None = None) -> Axes:
    """Gaps of one or more contacts over their Δ(0) against T/Tc, on the curve of weak-coupling theory.

    Parameters
    ----------
    series : sequence of GapFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    t = np.linspace(0.0, 1.0, 400)
    axes.plot(t, reduced_gap(t), color=_GREY, linewidth=1.2, label="BCS, weak coupling")
    for found, colour in zip(series, PHASE_COLOURS * len(series), strict=False):
        sigma = np.nan_to_num(found.gap_sigma_mev) / found.gap0_mev
        label = f"{found.file}: 2Δ/kTc = {found.ratio:.2f}, Tc {found.tc_k:.4g} K ({found.tc_source})"
        axes.errorbar(
            found.temperature_k / found.tc_k,
            found.gap_mev / found.gap0_mev,
            yerr=sigma,
            fmt="o",
            markersize=3.5,
            color=colour,
            label=label.replace("$", r"\$"),
        )
    axes.set_xlabel("T / Tc")
    axes.set_ylabel("Δ(T) / Δ(0)")
    axes.set_ylim(0.0, None)
    axes.legend(loc="lower left")
    return axes


def plot_gaps(found: GapFit, *, ax: Axes | None = None) -> Axes:
    """Gaps against temperature with their fit.

    Parameters
    ----------
    found : GapFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    t = np.linspace(0.0, found.tc_k, 300)
    axes.plot(t, found.gap0_mev * reduced_gap(t / found.tc_k, form=found.form), color=_GREY, linewidth=1.0)
    sigma = np.nan_to_num(found.gap_sigma_mev)
    axes.errorbar(found.temperature_k, found.gap_mev, yerr=sigma, fmt="o", markersize=2.5, color=PHASE_COLOURS[0])
    axes.set_xlabel("T (K)")
    axes.set_ylabel("Δ (meV)")
    return axes


def plot_correlation(fit: AndreevFit, *, ax: Axes | None = None) -> Axes:
    """The correlation matrix of the parameters, in numbers and colours; grey where one was held.

    Parameters
    ----------
    fit : AndreevFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    matrix = fit.correlation
    colours = plt.get_cmap("PuOr").with_extremes(bad="#d0d0d0")
    axes.imshow(np.ma.masked_invalid(matrix), vmin=-1.0, vmax=1.0, cmap=colours)
    names = [_NAMES.get(name, name) for name in fit.parameters]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    for row in range(len(names)):
        for column in range(len(names)):
            value = matrix[row, column]
            if math.isfinite(value):
                ink = "white" if abs(value) > 0.7 else "black"
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set_title("correlation", loc="left")
    return axes


def _gap_words(fit: AndreevFit) -> str:
    temperature = f"{fit.temperature_k:g} K"
    if fit.temperature_high_k > fit.temperature_low_k:
        temperature = f"{fit.temperature_low_k:g} to {fit.temperature_high_k:g} K"
    if not math.isfinite(fit.gap_mev):
        return f"{fit.verdict}, T = {temperature}"
    known = math.isfinite(fit.gap_sigma_mev) and fit.gap_sigma_mev > 0
    decimals = max(0, 1 - math.floor(math.log10(fit.gap_sigma_mev))) if known else 2
    gap = f"{fit.gap_mev:.{decimals}f} ± {fit.gap_sigma_mev:.{decimals}f}"
    return f"Δ = {gap} meV ({fit.verdict}), T = {temperature}"
