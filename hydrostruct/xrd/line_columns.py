"""The lines of one pattern as columns of a matrix, with what each free parameter does to them.

The fast loops never make this matrix; where many patterns share parameters, its products with columns of another kind
are needed, and it is small.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.model import MARGIN_FWHM, REACH_FWHM, LeBailModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineColumns:
    """Lines at one set of cells and widths."""

    lines: Ints
    """Numbers of the lines that the data can see, in order of position, shape (seen,)."""
    shape: Floats
    """Each of them with unit area, shape (n, seen)."""
    position: Floats
    """Position of every line, in degrees, NaN where it has none, shape (lines,)."""
    width: Floats
    """Full width at half maximum of every line, in degrees, shape (lines,)."""
    windows: tuple[slice, ...]
    """Points that each seen line touches."""
    by_line: tuple[tuple[Floats, Floats, Floats], ...]
    """Derivatives of each seen line by its position, width and mixing, at those points."""
    by_slot: Floats
    """What the slots of a phase, zero and displacement do to position, width and mixing, shape (lines, 17, 3)."""


def line_columns(model: LeBailModel, position: Floats, slots: Floats) -> LineColumns:
    """Lines of a model at the points of a pattern.

    Parameters
    ----------
    model : LeBailModel
        Its lines and phases.
    position : array, shape (n,)
        2θ of the points, in degrees.
    slots : array, shape (slots of the model,)
        Cells, widths, zero and displacement.

    Returns
    -------
    LineColumns
    """
    count = model.phase_of.size
    center, width, mixing, slopes = _line_state(model, slots)
    starts, stops = np.empty(count, np.int64), np.empty(count, np.int64)
    seen = kernels.place_windows(position, center, width, REACH_FWHM, MARGIN_FWHM, model.beam, starts, stops)
    starts, stops = starts[: seen.size], stops[: seen.size]
    offsets = np.concatenate(([0], np.cumsum(stops - starts)))
    flat = [np.empty(int(offsets[-1])) for _ in range(4)]
    kernels.fill_profiles(position, seen, center, width, mixing, REACH_FWHM, model.beam, starts, stops, offsets, *flat)
    windows = tuple(slice(int(first), int(last)) for first, last in zip(starts, stops, strict=True))
    parts = [slice(int(first), int(last)) for first, last in itertools.pairwise(offsets)]
    shape = np.zeros((position.size, seen.size))
    for column, (window, part) in enumerate(zip(windows, parts, strict=True)):
        shape[window, column] = flat[0][part]
    return LineColumns(
        lines=seen,
        shape=shape,
        position=center,
        width=width,
        windows=windows,
        by_line=tuple((flat[1][part], flat[2][part], flat[3][part]) for part in parts),
        by_slot=_by_slot(*slopes),
    )


def line_places(model: LeBailModel, slots: Floats) -> Floats:
    """Position of every line of a model, in degrees, NaN where it has none, shape (lines,)."""
    return _line_state(model, slots)[0]


def place_slopes(model: LeBailModel, slots: Floats, lines: Ints) -> Floats:
    """Derivatives of the places of lines by each free parameter.

    Parameters
    ----------
    model : LeBailModel
        Its `link` says which parameter fills which slot.
    slots : array, shape (slots of the model,)
        Cells, widths, zero and displacement.
    lines : array of int, shape (k,)
        Numbers of the lines.

    Returns
    -------
    array, shape (k, parameters)
        In degrees.
    """
    slopes = _line_state(model, slots)[3]
    by_slot = _by_slot(*(part[lines] for part in slopes))[:, :, 0]
    bases = model.phase_of[lines] * kernels.PHASE_SLOTS
    common = np.full((lines.size, 2), [model.link.size - 2, model.link.size - 1])
    link = model.link[np.hstack((bases[:, None] + np.arange(kernels.PHASE_SLOTS), common))]
    out = np.zeros((lines.size, len(model.parameter_names)))
    row, slot = np.nonzero(link >= 0)
    np.add.at(out, (row, link[row, slot]), by_slot[row, slot])
    return out


def slope_columns(columns: LineColumns, model: LeBailModel, intensity: Floats) -> Floats:
    """Derivatives of the sum of all lines by each free parameter.

    Parameters
    ----------
    columns : LineColumns
        The lines.
    model : LeBailModel
        Its `link` says which parameter fills which slot.
    intensity : array, shape (seen,)
        Areas of the seen lines.

    Returns
    -------
    array, shape (n, parameters)
    """
    out = np.zeros((columns.shape.shape[0], len(model.parameter_names)))
    common = model.link[-2:]
    for number, (line, window) in enumerate(zip(columns.lines, columns.windows, strict=True)):
        base = model.phase_of[line] * kernels.PHASE_SLOTS
        link = np.concatenate((model.link[base : base + kernels.PHASE_SLOTS], common))
        for slot in np.flatnonzero(link >= 0):
            for part, factor in zip(columns.by_line[number], columns.by_slot[line, slot], strict=True):
                if factor != 0.0:
                    out[window, link[slot]] += (intensity[number] * factor) * part
    return out


def _line_state(model: LeBailModel, slots: Floats) -> tuple[Floats, Floats, Floats, tuple[Floats, Floats, Floats]]:
    """Position, width and mixing of every line, and the slopes of each as `hydrostruct.xrd.kernels` has them."""
    count = model.phase_of.size
    center, width, mixing = np.full(count, np.nan), np.zeros(count), np.zeros(count)
    by_center = np.zeros((count, kernels.CENTER_SLOPES))
    by_width, by_mixing = np.zeros((count, kernels.WIDTH_SLOPES)), np.zeros((count, kernels.WIDTH_SLOPES))
    kernels.line_state(
        slots,
        model.wavelength_ang,
        model.phase_of,
        model.terms,
        center,
        width,
        mixing,
        by_center,
        by_width,
        by_mixing,
        model.reflects,
    )
    return center, width, mixing, (by_center, by_width, by_mixing)


def _by_slot(d_center: Floats, d_width: Floats, d_mixing: Floats) -> Floats:
    """Derivatives of position, width and mixing in the order of a phase's slots, zero and displacement last."""
    cells, stress, widths = kernels.CELL_SLOTS, kernels.STRESS_SLOT, kernels.WIDTH_SLOPES
    out = np.zeros((len(d_center), kernels.PHASE_SLOTS + 2, 3))
    out[:, :cells, 0] = d_center[:, :cells]
    out[:, stress : stress + 2, 0] = d_center[:, cells + 2 :]
    out[:, kernels.PHASE_SLOTS :, 0] = d_center[:, cells : cells + 2]
    out[:, cells : cells + widths, 1] = d_width
    out[:, cells : cells + widths, 2] = d_mixing
    return out
