"""Figures on disk: the project's style, one PNG a figure, whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

from hydrostruct.files import write_whole
from hydrostruct.report.plots import plot_fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hydrostruct.xrd.fit_result import PatternFit


def save_fit_figure(fit: PatternFit, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Draw a fit and write it as PNG.

    Parameters
    ----------
    fit : PatternFit
        What to draw.
    path : path-like
        The file to write.
    title : str, optional
        Above the axes on the left; the name of the pattern's file when left out.

    Returns
    -------
    Path
        The file written.
    """
    with styled_figure((9.0, 4.2)) as figure:
        plot_fit(fit, ax=figure.add_subplot()).set_title(figure_name(fit.file, title), loc="left")
        return save_figure(figure, path)


@contextmanager
def styled_figure(size: tuple[float, float]) -> Iterator[Figure]:
    """An empty figure in the project's style, which belongs to no window; the style holds within the block.

    Parameters
    ----------
    size : (width, height)
        In inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with as_file(files("hydrostruct.report") / "hydrostruct.mplstyle") as style, matplotlib.style.context(style):
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        yield figure


def figure_name(file: str, title: str | None) -> str:
    """The title, or the file's name where none is given, as text: "$" would start mathematics."""
    return (Path(file).name if title is None else title).replace("$", r"\$")


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return write_whole(path, buffer.getvalue())
