"""Figures of transport on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydrostruct.report.figures import figure_name, save_figure, styled_figure
from hydrostruct.report.transport_plots import (
    plot_differential_resistance,
    plot_pinning,
    plot_resistance,
    plot_tc_pressure,
    plot_voltage,
)

if TYPE_CHECKING:
    from hydrostruct.transport.ic_result import CriticalCurrentFit
    from hydrostruct.transport.pinning import PinningComparison
    from hydrostruct.transport.tc_pressure import TcPoint, TcPressureLine
    from hydrostruct.transport.tc_result import TcFit


def save_tc_figure(found: TcFit, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """R(T) with its construction lines, as PNG; the title is the file's name when left out."""
    with styled_figure((7.0, 4.6)) as figure:
        plot_resistance(found, ax=figure.add_subplot()).set_title(figure_name(found.file, title), loc="left")
        return save_figure(figure, path)


def save_voltage_figure(
    fits: Sequence[CriticalCurrentFit], path: str | os.PathLike[str], *, title: str | None = None
) -> Path:
    """V(I) and |dV/dI| of one family, side by side, as PNG."""
    with styled_figure((10.0, 4.4)) as figure:
        left, right = figure.subplots(1, 2)
        plot_voltage(fits, ax=left).set_title(title or "", loc="left")
        plot_differential_resistance(fits, ax=right)
        return save_figure(figure, path)


def save_pinning_figure(found: PinningComparison, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Ic(T) or Jc(T) with its best models, as PNG; the title is the file's name when left out."""
    with styled_figure((7.0, 4.6)) as figure:
        plot_pinning(found, ax=figure.add_subplot()).set_title(figure_name(found.file, title), loc="left")
        return save_figure(figure, path)


def save_tc_pressure_figure(
    points: Sequence[TcPoint],
    path: str | os.PathLike[str],
    *,
    line: TcPressureLine | None = None,
    title: str | None = None,
) -> Path:
    """Tc against pressure, own points beside the literature's, as PNG."""
    with styled_figure((7.5, 4.6)) as figure:
        axes = plot_tc_pressure(points, line=line, ax=figure.add_subplot())
        axes.set_title(figure_name("", title), loc="left")
        return save_figure(figure, path)
