"""Figures of Raman records on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hydrostruct.report.figures import figure_name, save_figure, styled_figure
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
    with styled_figure((9.0, 4.2)) as figure:
        axes = plot_edge(edge, ax=figure.add_subplot())
        axes.set_title(figure_name(edge.file, title), loc="left")
        return save_figure(figure, path)
