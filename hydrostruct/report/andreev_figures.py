"""Figures of point-contact spectra on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydrostruct.report.andreev_plots import (
    plot_correlation,
    plot_gaps,
    plot_raw_spectrum,
    plot_reduced_gap,
    plot_spectrum,
    plot_waterfall,
)
from hydrostruct.report.figures import figure_name, save_figure, styled_figure

if TYPE_CHECKING:
    from hydrostruct.andreev.fit_result import AndreevFit
    from hydrostruct.andreev.gap_fit import GapFit


def save_spectrum_figure(fit: AndreevFit, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Normalised curve with its fit, the raw curve with its background inset, correlation beside.

    Parameters
    ----------
    fit : AndreevFit
        What to draw.
    path : path-like
        The PNG to write.
    title : str, optional
        Above the axes on the left; the name of the curve's file when left out.

    Returns
    -------
    Path
    """
    with styled_figure((9.5, 4.2)) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(2.6, 1.0))
        plot_spectrum(fit, ax=left)
        left.set_title(figure_name(fit.file, title), loc="left")
        low, high = left.get_ylim()
        left.set_ylim(low, high + 0.35 * (high - low))
        inset = left.inset_axes((0.7, 0.7, 0.29, 0.28))
        plot_raw_spectrum(fit, ax=inset)
        inset.set_xlabel("")
        inset.tick_params(labelsize=6)
        inset.yaxis.label.set_size(7)
        plot_correlation(fit, ax=right)
        return save_figure(figure, path)


def save_waterfall_figure(
    fits: Sequence[AndreevFit], path: str | os.PathLike[str], *, title: str | None = None
) -> Path:
    """A series over temperature, one curve above the other.

    Parameters
    ----------
    fits : sequence of AndreevFit
        What to draw.
    path : path-like
        The PNG to write.
    title : str, optional
        Above the axes.

    Returns
    -------
    Path
    """
    with styled_figure((5.0, 6.5)) as figure:
        axes = plot_waterfall(fits, ax=figure.add_subplot())
        if title:
            axes.set_title(figure_name("", title), loc="left")
        return save_figure(figure, path)


def save_reduced_gap_figure(
    series: Sequence[GapFit], path: str | os.PathLike[str], *, title: str | None = None
) -> Path:
    """Reduced gaps of one or more contacts on the BCS curve, the first one's gaps inset.

    Parameters
    ----------
    series : sequence of GapFit
        What to draw.
    path : path-like
        The PNG to write.
    title : str, optional
        Above the axes.

    Returns
    -------
    Path
    """
    with styled_figure((6.0, 4.4)) as figure:
        axes = plot_reduced_gap(series, ax=figure.add_subplot())
        inset = axes.inset_axes((0.12, 0.3, 0.4, 0.4))
        plot_gaps(series[0], ax=inset)
        inset.tick_params(labelsize=6)
        if title:
            axes.set_title(figure_name("", title), loc="left")
        return save_figure(figure, path)
