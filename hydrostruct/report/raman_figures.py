"""Figures of Raman records on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hydrostruct.report.figures import figure_name, save_figure, styled_figure
from hydrostruct.report.raman_plots import plot_comparison, plot_edge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydrostruct.raman.compare import LineChange
    from hydrostruct.raman.edge_fit import EdgeFit
    from hydrostruct.raman.spectrum import Spectrum


def save_edge_figure(edge: EdgeFit, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Draw an edge and write it as PNG.

    Parameters
    ----------
    edge : EdgeFit
        What to draw.
    path : path-like
        The file to write.
    title : str, optional
        Above the axes on the left; the name of the spectrum's file when left out.

    Returns
    -------
    Path
        The file written.
    """
    with styled_figure((9.0, 4.2)) as figure:
        axes = plot_edge(edge, ax=figure.add_subplot())
        axes.set_title(figure_name(edge.file, title), loc="left")
        return save_figure(figure, path)


def save_comparison_figure(
    before: Spectrum,
    after: Spectrum,
    changes: Sequence[LineChange],
    path: str | os.PathLike[str],
    *,
    range_cm1: tuple[float, float] | None = None,
    title: str | None = None,
) -> Path:
    """Draw two spectra with what came, went and moved, and write it as PNG.

    Parameters
    ----------
    before, after : Spectrum
        What to draw.
    changes : sequence of LineChange
        What to mark.
    path : path-like
        The file to write.
    range_cm1 : (float, float), optional
        Only this range, in cm⁻¹.
    title : str, optional
        Stands above; the names of both files when left out.

    Returns
    -------
    Path
        The file written.
    """
    with styled_figure((9.0, 4.2)) as figure:
        axes = plot_comparison(before, after, changes, range_cm1=range_cm1, ax=figure.add_subplot())
        names = " → ".join(Path(one.name).name for one in (before, after))
        axes.set_title(figure_name(names, names if title is None else title), loc="left")
        return save_figure(figure, path)
