"""Figures of Raman records, drawn on the axes that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from hydrostruct.report.plots import PHASE_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from hydrostruct.raman.compare import LineChange
    from hydrostruct.raman.edge_fit import EdgeFit
    from hydrostruct.raman.spectrum import Spectrum

_GREY = "#7f7f7f"
_MARGIN_CM1 = 60.0
_KIND_STYLES = {"step": "--", "weak": ":", "line": ":", "band": "-."}


def plot_edge(edge: EdgeFit, *, ax: Axes | None = None) -> Axes:
    """Spectrum with the fitted step, its derivative on an axis of its own, and every candidate marked.

    Parameters
    ----------
    edge : EdgeFit
        What to draw.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
        The intensity's axes; those of the derivative share its x.
    """
    axes = plt.gca() if ax is None else ax
    inside = _window(edge)
    x, used = edge.shift_cm1[inside], edge.used[inside]
    observed = edge.observed[inside]
    axes.plot(x[used], observed[used], ".", color=_GREY, markersize=3, label="measured")
    if not np.all(used):
        axes.plot(x[~used], observed[~used], "x", color="#bfbfbf", markersize=4, label="left out")
    axes.plot(edge.fit_shift_cm1, edge.calculated, color="black", linewidth=1.2, label="fit")
    right = axes.twinx()
    right.plot(x, edge.derivative[inside], color=PHASE_COLOURS[0], linewidth=0.8)
    right.set_ylabel("dI/dν (intensity per cm⁻¹)", color=PHASE_COLOURS[0])
    _mark(axes, right, edge)
    axes.set_xlabel("Raman shift (cm⁻¹)")
    axes.set_ylabel("intensity")
    axes.set_title(_title(edge), loc="right")
    axes.legend(loc="upper right")
    return axes


def plot_comparison(
    before: Spectrum,
    after: Spectrum,
    changes: Sequence[LineChange],
    *,
    range_cm1: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Two spectra, one above the other, and every line that came, went or moved.

    Parameters
    ----------
    before, after : Spectrum
        What to draw; the second is lifted above the first.
    changes : sequence of LineChange
        Lines that stayed are not marked.
    range_cm1 : (float, float), optional
        Only this range, in cm⁻¹.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    axes = plt.gca() if ax is None else ax
    lift = 0.0
    for spectrum, name, colour in ((before, "before", _GREY), (after, "after", PHASE_COLOURS[0])):
        x, y = spectrum.shift_cm1, spectrum.intensity
        if range_cm1 is not None:
            inside = (x >= range_cm1[0]) & (x <= range_cm1[1])
            x, y = x[inside], y[inside]
        low, high = (float(value) for value in np.nanpercentile(y, [0.5, 99.8]))
        scaled = (y - low) / ((high - low) or 1.0)
        axes.plot(x, scaled + lift, color=colour, linewidth=0.9, label=name)
        lift += 1.1
    axes.set_ylim(-0.15, 3.0)
    for change in changes:
        _mark_change(axes, change)
    axes.set_xlabel("Raman shift (cm⁻¹)")
    axes.set_ylabel("intensity, each to its own height")
    axes.set_yticks([])
    axes.legend(loc="upper right")
    return axes


def _mark_change(axes: Axes, change: LineChange) -> None:
    line = change.after if change.after is not None else change.before
    if line is None or change.kind in ("stayed", "not measured"):
        return
    word = f"{change.kind} {change.shift_cm1:+.1f}" if change.kind == "moved" else change.kind
    axes.axvline(line.position_cm1, color=PHASE_COLOURS[1], linewidth=0.8, linestyle="--")
    axes.annotate(
        f"{line.position_cm1:.1f} {word}", (line.position_cm1, 2.95), xytext=(-3.0, 0.0), textcoords="offset points",
        rotation=90, ha="right", va="top", fontsize=7,
    )  # fmt: skip


def _window(edge: EdgeFit) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """From the band's top, or below the lowest candidate, to above the highest."""
    places = [one.edge_cm1 for one in edge.candidates] or [float(np.median(edge.shift_cm1))]
    low, high = min(places) - _MARGIN_CM1, max(places) + _MARGIN_CM1
    return np.asarray((edge.shift_cm1 >= low) & (edge.shift_cm1 <= high))


def _mark(axes: Axes, right: Axes, edge: EdgeFit) -> None:
    for one in edge.candidates:
        chosen = one.edge_cm1 == edge.edge_cm1
        axes.axvline(
            one.edge_cm1, color=PHASE_COLOURS[1] if chosen else _GREY, linewidth=1.2 if chosen else 0.8,
            linestyle="-" if chosen else _KIND_STYLES[one.kind],
            label=f"{'edge' if chosen else one.kind} {one.edge_cm1:.1f}",
        )  # fmt: skip
    # the flank of the band is far steeper than the edge: the edge's own dip sets the scale of the derivative
    if np.isfinite(edge.edge_cm1):
        near = np.abs(edge.shift_cm1 - edge.edge_cm1) < 15.0
        depth = float(np.nanmax(np.abs(edge.derivative[near])))
        right.set_ylim(-1.6 * depth, 1.6 * depth)


def _title(edge: EdgeFit) -> str:
    if not np.isfinite(edge.edge_cm1):
        return str(edge.verdict)
    return f"edge {edge.edge_cm1:.2f} ± {edge.edge_sigma_cm1:.2f} cm⁻¹, {edge.verdict}"
