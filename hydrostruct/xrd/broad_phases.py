"""A phase whose lines are many times as wide as those of the others: fine grains of hydride beside annealed metal.

A fit holds widths below three times that of the narrower lines of its pattern, so that no line becomes background. A
phase that rests there is tried with lines far wider, and with no more background than that takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.engine import Solution, fit_with_background
from hydrostruct.xrd.foreign import Explained, residual_scale
from hydrostruct.xrd.model import FitData, LeBailModel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NEAR_LIMIT = 0.7
_ROOM = 6.0
_STARTS = (2.0, 4.0)  # in units of the limit
_WORDS = ("w:", "size:", "strain:")


def widths_near_limit(model: LeBailModel, solution: Solution, absent: Bools) -> dict[str, float]:
    """Widths of phases that grew towards the widest that they may be.

    Parameters
    ----------
    model : LeBailModel
        Whose limits are meant.
    solution : Solution
        Where it came to rest, with whatever parameters beyond those of the model.
    absent : array, shape (phases,)
        Phases that are not there, whose widths mean nothing.

    Returns
    -------
    dict
        What each may become in `broadened`, by its name: six times as much as it was held to, in degrees or degrees².
    """
    near = np.flatnonzero(solution.values[: model.highest.size] >= _NEAR_LIMIT * model.highest)
    if not near.size:
        return {}
    there = {phase.name for phase, is_absent in zip(model.phases, absent, strict=True) if not is_absent}
    found = {}
    for index in near:
        name = model.parameter_names[index]
        if name.startswith(_WORDS) and name.partition(":")[2] in there:
            room = _ROOM**2 if name.startswith("w:") else _ROOM
            found[name] = room * float(model.highest[index])
    return found


def room_of(model: LeBailModel, seed: Floats) -> dict[str, float]:
    """What widths of a seed may become that are beyond the limits of a model: the pattern it is of needed the room.

    Parameters
    ----------
    model : LeBailModel
        What is fitted.
    seed : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    dict
        Twice the value of each, in degrees or degrees², by name.
    """
    beyond = np.flatnonzero(seed > model.highest)
    names = [(int(index), model.parameter_names[index]) for index in beyond]
    return {name: 2.0 * float(seed[index]) for index, name in names if name.startswith(_WORDS)}


def with_room(model: LeBailModel, highest: Mapping[str, float]) -> LeBailModel:
    """The model with other limits of some of its widths.

    Parameters
    ----------
    model : LeBailModel
        What is fitted.
    highest : mapping of str to float
        The largest value of each parameter named, in degrees or degrees².

    Returns
    -------
    LeBailModel
    """
    limits = model.highest.copy()
    for name, value in highest.items():
        if name in model.parameter_names:
            index = model.parameter_names.index(name)
            limits[index] = max(limits[index], value)
    return replace(model, highest=limits)


def broadened(
    model: LeBailModel, data: FitData, values: Floats, highest: Mapping[str, float], *, terms: int | None
) -> Explained:
    """The fit with lines of some phases many times as wide as the others.

    Parameters
    ----------
    model : LeBailModel
        Without single peaks.
    data : FitData
        With the longest background, and with the humps, which may be lines of such a phase.
    values : array, shape (parameters,)
        Where the fit came to rest that had no room.
    highest : mapping of str to float
        From `widths_near_limit`.
    terms : int or None
        Background terms that were asked for; None to let the data choose.

    Returns
    -------
    Explained
        The best one of four, which start from twice and four times the limit.
    """
    wide = with_room(model, highest)
    rows = [model.parameter_names.index(name) for name in highest]
    is_width = np.array([name == "w" or name.startswith(_WORDS) for name in model.parameter_names])
    tried = []
    for times, is_new in itertools.product(_STARTS, (False, True)):
        # the other lines may have been driven to a width meanwhile from which there is no way back
        start = np.where(is_width & is_new, model.start, values)
        start[rows] = [
            model.highest[row] * (times**2 if model.parameter_names[row].startswith("w:") else times) for row in rows
        ]
        solution, used = fit_with_background(wide, data, start, terms=terms)
        tried.append(Explained(model=wide, solution=solution, data=used))
    return min(tried, key=lambda one: one.cost(1.0))


def is_better(new: Explained, old: Explained) -> bool:
    """Whether a fit with broad lines explains a pattern better than the one without.

    Parameters
    ----------
    new, old : Explained
        With room, and without. Where they are of the same points the Bayesian information criterion tells; where the
        old one left points out the new one must fit them all.

    Returns
    -------
    bool
    """
    if not (new.solution.converged and new.is_complete):
        return False
    if not np.array_equal(new.data.kept, old.data.kept):
        return not misfits(new.solution, new.data)
    scale = min(residual_scale(one.solution, one.data) for one in (new, old))
    return new.cost(scale) < old.cost(scale)
