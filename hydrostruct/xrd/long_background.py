"""More background terms than a pattern is made ready with, once nothing else is left to explain.

A long background follows whatever is in a pattern: lines of a phase that nobody named, or of a cell that is wrong. So
it is no help on the way to a solution, and is tried on one that explains every line.
"""

from __future__ import annotations

from dataclasses import replace

from hydrostruct.xrd.engine import choose_terms, solve
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.model import MOST_BACKGROUND_TERMS, with_more_terms, with_terms


def with_long_background(found: Explained, *, terms: int | None) -> Explained:
    """A solution with as many background terms as the data ask for, where it took all that there were.

    Parameters
    ----------
    found : Explained
        Where a fit came to rest.
    terms : int or None
        Background terms that were asked for; None to let the data choose.

    Returns
    -------
    Explained
        The same where fewer do, where there are too few points for more, and where something line-shaped is left.
    """
    if terms is not None or len(found.data.basis) != MOST_BACKGROUND_TERMS or not found.solution.converged:
        return found
    data = with_more_terms(found.data)
    count = choose_terms(found.model, data, found.solution)
    if count <= MOST_BACKGROUND_TERMS:
        return found
    used = with_terms(data, count)
    longer = replace(found, solution=solve(found.model, used, found.solution.values), data=used)
    return longer if longer.is_complete else found
