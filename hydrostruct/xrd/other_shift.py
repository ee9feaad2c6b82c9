"""A displacement of the specimen in Bragg-Brentano geometry in place of a shift of the zero, or the other way about.

Each moves the cell its own way. Swapped alone, one leaves all lines beside their peaks, the widths grow to reach them,
and the fit rests in a false minimum: the cell goes with the swap, and the widths wait.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.line_columns import line_places, place_slopes
from hydrostruct.xrd.model import FitData, LeBailModel, hold
from hydrostruct.xrd.pattern import BRAGG_BRENTANO

Floats = npt.NDArray[np.float64]

SHIFT_LIMITS = {"zero": (-1.0, 1.0), "displacement": (-0.02, 0.02)}
"""In degrees, and over the radius of the goniometer."""
_PLACE_WORDS = ("cell:", "peak:place:", *SHIFT_LIMITS)
_STEPS = 3


def fit_other_shift(model: LeBailModel, data: FitData, values: Floats) -> tuple[LeBailModel, Solution]:
    """Fit with a displacement in Bragg-Brentano geometry in place of a free zero, or the other way about.

    Parameters
    ----------
    model : LeBailModel
        With one of the two free.
    data : FitData
        What is fitted.
    values : array, shape (parameters,)
        Of its free parameters, where the fit came to rest.

    Returns
    -------
    model : LeBailModel
    solution : Solution
        From cells that leave the lines where they were, as nearly as can be; first with what is no place held.
    """
    other = _swapped(model)
    start = _with_the_same_places(model, other, data, values)
    near = solve(hold(other, start, ~_moves_lines(other)), data, start)
    return other, solve(other, data, near.values)


def _swapped(model: LeBailModel) -> LeBailModel:
    """The model with the other of the two free, at the same number."""
    old, new = ("zero", "displacement") if model.link[-2] >= 0 else ("displacement", "zero")
    index = model.parameter_names.index(old)
    start, lowest, highest = model.start.copy(), model.lowest.copy(), model.highest.copy()
    link = np.concatenate((model.link[:-2], model.link[:-3:-1]))
    start[index], (lowest[index], highest[index]) = 0.0, SHIFT_LIMITS[new]
    return replace(
        model,
        link=link,
        asked=tuple(new if word == old else word for word in model.asked),
        parameter_names=tuple(new if name == old else name for name in model.parameter_names),
        start=start,
        lowest=lowest,
        highest=highest,
        geometry=BRAGG_BRENTANO if new == "displacement" else model.geometry,
    )


def _moves_lines(model: LeBailModel) -> npt.NDArray[np.bool_]:
    return np.array([name.startswith(_PLACE_WORDS) for name in model.parameter_names])


def _with_the_same_places(model: LeBailModel, other: LeBailModel, data: FitData, values: Floats) -> Floats:
    """Values of the swapped model whose lines lie nearest to where they were, by Gauss-Newton steps."""
    seen = line_places(model, _slots(model, values))
    inside = (seen > data.position[0]) & (seen < data.position[-1])
    moved = np.flatnonzero(_moves_lines(other) & np.isin(np.arange(values.size), other.link))
    values = values.copy()
    values[other.link[-2:].max()] = 0.0
    for _ in range(_STEPS):
        slots = _slots(other, values)
        away = seen - line_places(other, slots)
        lines = np.flatnonzero(inside & np.isfinite(away))
        slopes = place_slopes(other, slots, lines)[:, moved]
        size = np.maximum(np.linalg.norm(slopes, axis=0), np.finfo(np.float64).tiny)
        step = np.linalg.lstsq(slopes / size, away[lines], rcond=None)[0] / size
        values[moved] += step
        values = np.minimum(np.maximum(values, other.lowest), other.highest)
    return values


def _slots(model: LeBailModel, values: Floats) -> Floats:
    slots, filled = model.slots.copy(), model.link >= 0
    slots[filled] = values[model.link[filled]]
    return slots
