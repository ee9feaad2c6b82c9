"""One zero, or one displacement, for a whole map: what it leaves open that it may be the other of the two.

Both move all lines of a wide pattern one way, and the cells that go with them differ. The fit of a single pattern that
asked for one of them weighs the other (`hydrostruct.xrd.rival_shift`); here the whole map tells which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from hydrostruct.xrd.asked_terms import is_wide
from hydrostruct.xrd.engine import solve
from hydrostruct.xrd.map_minimum import MapState, at_what_is_common
from hydrostruct.xrd.map_points import FitPoint
from hydrostruct.xrd.model import FitData, LeBailModel, hold
from hydrostruct.xrd.rival_shift import RivalShift, rival_probability, rival_shift
from hydrostruct.xrd.tested_shift import SHIFT_GAIN, UntoldShift

_OTHERS = {"zero": "displacement", "displacement": "zero"}


def shifts_left_open(
    points: Sequence[FitPoint], states: Sequence[MapState], words: Collection[str], *, held: Collection[str]
) -> list[UntoldShift | None]:
    """What it leaves open at each point that the common shift may be the other one.

    Parameters
    ----------
    points : sequence of FitPoint
        Of the map.
    states : sequence of MapState
        Where they came to rest.
    words : collection of str
        What is common, without what the user says is there.
    held : collection of str
        Words that the user holds.

    Returns
    -------
    list of UntoldShift or None
        w d dᵀ for each point: d is how far its parameters lie from those with the other term, w the probability of
        that, from the χ² of all points together. A reason to doubt them where it is better by 9. None where no shift
        is common, only one can be, or tan θ runs over less than 0.4.
    """
    word = next((one for one in _OTHERS if one in words), "")
    if not word:
        return [None] * len(points)
    rivals = [_rival(point, state, word, held) for point, state in zip(points, states, strict=True)]
    rise = sum(rival.rise for rival in rivals if rival is not None)
    weight = rival_probability(rise)
    reason = (
        f"A {_OTHERS[word]} in place of the common {word} would take {-rise:.0f} of chi², with other cells; sigma "
        f"covers it. Have {_OTHERS[word]} in common, or hold it if it cannot be."
    )
    return [
        None
        if rival is None
        else UntoldShift(
            covariance=weight * np.outer(rival.apart, rival.apart), reason=reason if rise < -SHIFT_GAIN else ""
        )
        for rival in rivals
    ]


def _rival(point: FitPoint, state: MapState, word: str, held: Collection[str]) -> RivalShift | None:
    """The other shift at one point, from its own best value of the common one."""
    if word not in state.model.parameter_names or not is_wide(point.data):
        return None
    model, data = _with_own_shift(point, state, word)
    return rival_shift(model, data, solve(model, data, state.values), held=held)


def _with_own_shift(point: FitPoint, state: MapState, word: str) -> tuple[LeBailModel, FitData]:
    """Model and data of one point, its shift free as if the pattern had asked for it, all else that is common held."""
    _, data = at_what_is_common(point, state)
    is_held = point.shared[: state.values.size] >= 0
    is_held[state.model.parameter_names.index(word)] = False
    model = hold(state.model, state.values, is_held)
    return replace(model, asked=(*(one for one in model.asked if one not in _OTHERS), word)), data
