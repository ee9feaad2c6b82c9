"""Points of a map whose lines all but coincide: each is tried on both sides, at what the map has in common.

As the common zero and widths move, a point may stay on the wrong side of a coincidence, which the fit of its pattern
alone could not know: see `hydrostruct.xrd.coincident_lines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.coincident_lines import off_coincidence
from hydrostruct.xrd.engine import solve
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.map_minimum import MapState, Minimum, at_what_is_common, least_chi2
from hydrostruct.xrd.map_points import FitPoint

Floats = npt.NDArray[np.float64]

_MOST_ROUNDS = 3


def least_of_both_sides(points: Sequence[FitPoint], names: Sequence[str], least: Minimum) -> Minimum:
    """Where chi² is least, if a point is better off where its other lines want its cell, not where two coincide.

    Parameters
    ----------
    points : sequence of FitPoint
        Of the map.
    names : sequence of str
        Of what they have in common.
    least : Minimum
        Where they came to rest.

    Returns
    -------
    Minimum
        The same where no point is better elsewhere; else where the map came to rest from there, if that is lower.
    """
    for _ in range(_MOST_ROUNDS):  # what is common moves with the points that moved, and others may follow
        other = _from_other_sides(points, names, least) if least.converged else None
        if other is None:
            break
        is_better = other.converged and other.chi2 < least.chi2
        least = replace(other if is_better else least, steps=least.steps + other.steps)
        if not is_better:
            break
    return least


def _from_other_sides(points: Sequence[FitPoint], names: Sequence[str], least: Minimum) -> Minimum | None:
    """Where the map comes to rest if points start where each is better off; None where none is."""
    starts = [_better_start(*one) for one in zip(points, least.states, strict=True)]
    if all(start is None for start in starts):
        return None
    moved = [
        replace(point, start=state.values if start is None else start)
        for point, state, start in zip(points, least.states, starts, strict=True)
    ]
    return least_chi2(moved, names, least.shared)


def _better_start(point: FitPoint, state: MapState) -> Floats | None:
    """Values of a point from which its chi² is lower, at what is common; None where they are as good as any."""
    model, data = at_what_is_common(point, state)
    here = Explained(model=model, solution=solve(model, data, state.values), data=data)
    there = off_coincidence(here)
    return None if there is here else there.solution.values
