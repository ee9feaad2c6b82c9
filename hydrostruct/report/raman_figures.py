"""Figures of Raman records on disk."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

from hydrostruct.report.figures import save_figure
from hydrostruct.report.raman_plots import plot_edge

if TYPE_CHECKING:
    from hydrostruct.raman.edge_fit import EdgeFit


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
