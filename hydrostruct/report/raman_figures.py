"""Figures of Raman records on disk."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

from hydrostruct.report.figures import save_figure
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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with as_file(files("hydrostruct.report") / "hydrostruct.mplstyle") as style, matplotlib.style.context(style):
        figure = Figure(figsize=(9.0, 4.2))
        FigureCanvasAgg(figure)
        axes = plot_edge(edge, ax=figure.add_subplot())
        # "$" starts mathematics in a label: a file's name is text
        axes.set_title((Path(edge.file).name if title is None else title).replace("$", r"\$"), loc="left")
        return save_figure(figure, path)


def save_comparison_figure(
    before: Spectrum,
    after: Spectrum,
    changes: Sequence[LineChange],
    path: str | os.PathLike[str],
    *,
    range_cm1: tuple[float, float] | None = None,
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

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with as_file(files("hydrostruct.report") / "hydrostruct.mplstyle") as style, matplotlib.style.context(style):
        figure = Figure(figsize=(9.0, 4.2))
        FigureCanvasAgg(figure)
        axes = plot_comparison(before, after, changes, range_cm1=range_cm1, ax=figure.add_subplot())
        names = " → ".join(Path(one.name).name for one in (before, after))
        axes.set_title(names.replace("$", r"\$"), loc="left")
        return save_figure(figure, path)
