"""Figures of a run: a map for each quantity, the fit of each point, and a sheet that shows all at one look."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from hydrostruct.numerics.plane import fit_plane
from hydrostruct.report.figures import save_figure
from hydrostruct.report.plots import plot_fit
from hydrostruct.results.nexus import map_values, phase_values, point_values, raman_values
from hydrostruct.results.record import RunResult
from hydrostruct.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

Floats = npt.NDArray[np.float64]

_MISSING = "#c8c8c8"
_LOOSE_SHARE = 0.2
_SURE_GRADIENT, _ARROW_SHARE = 2.0, 0.35
_QUANTITIES = {
    "volume_per_fu_ang3": "V per formula unit (Å³)",
    "a_ang": "a (Å)",
    "c_ang": "c (Å)",
    "share": "share of Bragg area",
    "significance": "significance (sigma)",
}


_RAMAN = {
    "pressure_gpa": "pressure by the diamond edge (GPa)",
    "edge_cm1": "diamond edge (cm⁻¹)",
    "vibron_cm1": "hydrogen vibron (cm⁻¹)",
}


def plot_map(result: RunResult, values: Floats, *, label: str = "", ax: Axes | None = None) -> Axes:
    """Values of the points in their places: x to the right and y up, in µm; missing is grey.

    Parameters
    ----------
    result : RunResult
        Gives the places.
    values : array, shape (points,)
        One for each point, NaN where there is none.
    label : str
        The quantity with its unit, beside the colour bar.
    ax : Axes, optional
        Where to draw; new axes when left out.

    Returns
    -------
    Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    ax.set_facecolor(_MISSING)
    x, y = _centres(result)
    gridded = map_values(result, values)
    if gridded.ndim == 2:
        drawn: ScalarMappable = ax.pcolormesh(_edges(x), _edges(y), np.ma.masked_invalid(gridded), rasterized=True)
    else:
        known = np.isfinite(values)
        drawn = ax.scatter(x[known], y[known], c=values[known], s=60)
        ax.scatter(x[~known], y[~known], c="#909090", s=20, marker="x")
    ax.set_aspect("equal")
    unit = "µm" if all(np.isfinite(point.place.x_um) for point in result.points) else "points"
    ax.set_xlabel(f"x ({unit})")
    ax.set_ylabel(f"y ({unit})")
    ax.figure.colorbar(drawn, ax=ax, label=label, shrink=0.85)
    return ax


def draw_gradient(result: RunResult, values: Floats, sigma: Floats, *, ax: Axes) -> Axes:
    """An arrow up the gradient of a map, with its size and sigma; no arrow where it is within two sigma of none.

    Parameters
    ----------
    result : RunResult
        Gives the places.
    values, sigma : array, shape (points,)
        Pressures and their standard uncertainties, in GPa.
    ax : Axes
        Where the map is drawn.

    Returns
    -------
    Axes
    """
    x = np.array([point.place.x_um for point in result.points])
    y = np.array([point.place.y_um for point in result.points])
    plane = fit_plane(x, y, values=values, sigma=sigma)
    if plane is None:
        return ax
    size = float(np.hypot(plane.slope_x, plane.slope_y))
    error = float(np.hypot(plane.slope_x * plane.slope_x_sigma, plane.slope_y * plane.slope_y_sigma)) / (size or 1.0)
    ax.set_title(f"gradient {size:.3f} ± {error:.3f} GPa/µm", loc="right", fontsize=8)
    if size > _SURE_GRADIENT * error:
        reach = _ARROW_SHARE * min(float(np.ptp(x)), float(np.ptp(y)))
        step = reach * np.array([plane.slope_x, plane.slope_y]) / size
        middle = np.array([plane.x_middle_um, plane.y_middle_um])
        ax.annotate(
            "", xy=tuple(middle + step), xytext=tuple(middle - step),
            arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.2, "mutation_scale": 12,
                        "path_effects": [withStroke(linewidth=3.5, foreground="white")]},
        )  # fmt: skip
    return ax


def write_figures(result: RunResult, folder: str | os.PathLike[str]) -> list[Path]:
    """Draw a run: ``overview.png``, a map for each quantity of each phase, ``fit_001.png`` … for the points.

    Parameters
    ----------
    result : RunResult
        What was found.
    folder : path-like
        Where to write.

    Returns
    -------
    list of Path
        The files written.
    """
    target = Path(folder)
    with _style():
        written = [_overview(result, target / "overview.png")]
        for phase in result.phase_names:
            for name, label in _QUANTITIES.items():
                stem = f"map_{phase.replace('/', '_')}_{name}.png"
                written.append(_single(result, drawn_values(result, phase, name), f"{phase}: {label}", target / stem))
        written.append(_single(result, point_values(result, "rwp_percent"), "Rwp (%)", target / "map_rwp_percent.png"))
        for name, label in _RAMAN.items():
            values = raman_values(result, name)
            if np.any(np.isfinite(values)):
                written.append(
                    _single(result, values, label, target / f"map_{name}.png", gradient=name == "pressure_gpa")
                )
        for point in result.points:
            if point.fit is not None:
                figure, axes = _new((9.0, 4.2))
                plot_fit(point.fit, ax=axes)
                axes.set_title(_title(result, f"point {point.place.point}: {Path(point.file).name}"), loc="left")
                written.append(save_figure(figure, target / f"fit_{point.place.point:03d}.png"))
    return written


def drawn_values(result: RunResult, phase: str, name: str) -> Floats:
    """Values of one phase fit to be drawn: a cell that is one of several, or a share that says nothing, is missing.

    Parameters
    ----------
    result : RunResult
        What was found.
    phase, name : str
        The phase, and the attribute of its fits.

    Returns
    -------
    array, shape (points,)
    """
    values = phase_values(result, phase, name)
    if name == "share":
        return np.where(phase_values(result, phase, "share_sigma") < _LOOSE_SHARE, values, np.nan)
    if name == "significance":
        return values
    found = [point.fit.phases[phase].verdict if point.fit else Verdict.FAILED for point in result.points]
    return np.where([verdict in (Verdict.CONVERGED, Verdict.DOUBTFUL) for verdict in found], values, np.nan)


@contextmanager
def _style() -> Iterator[None]:
    with as_file(files("hydrostruct.report") / "hydrostruct.mplstyle") as style, matplotlib.style.context(style):
        yield


def _new(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _single(result: RunResult, values: Floats, label: str, path: Path, *, gradient: bool = False) -> Path:
    figure, axes = _new((4.2, 3.4))
    plot_map(result, values, label=label, ax=axes)
    if gradient:
        draw_gradient(result, values, raman_values(result, "pressure_sigma_gpa"), ax=axes)
    axes.set_title(_title(result, ""), loc="left")
    return save_figure(figure, path)


def _overview(result: RunResult, path: Path) -> Path:
    phases = result.phase_names
    figure = Figure(figsize=(3.4 * 3, 2.9 * len(phases) + 0.4))
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(phases), 3, squeeze=False)
    for row, phase in zip(grid, phases, strict=True):
        for axes, name in zip(row, ("volume_per_fu_ang3", "share", "significance"), strict=True):
            plot_map(result, drawn_values(result, phase, name), label=_QUANTITIES[name], ax=axes)
            axes.set_title(phase, loc="left")
    figure.suptitle(_title(result, result.title))
    return save_figure(figure, path)


def _title(result: RunResult, text: str) -> str:
    said = f"SIMULATED {text}".strip() if result.is_simulated else text
    # "$" starts mathematics in a label: a name is text
    return said.replace("$", r"\$")


def _centres(result: RunResult) -> tuple[Floats, Floats]:
    """Positions of columns and rows, or of the points where they make no grid; numbers where none are known."""
    x = np.array([point.place.x_um for point in result.points])
    y = np.array([point.place.y_um for point in result.points])
    gridded = map_values(result, x)
    if gridded.ndim == 1:
        return x, y
    columns = np.nanmean(gridded, axis=0)
    rows = np.nanmean(map_values(result, y), axis=1)
    if np.all(np.isfinite(columns)) and np.all(np.isfinite(rows)):
        return columns, rows
    return np.arange(gridded.shape[1], dtype=np.float64), np.arange(gridded.shape[0], dtype=np.float64)


def _edges(centres: Floats) -> Floats:
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate(([2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]))
