"""A shift of the zero or a displaced specimen: what it does to a cell that a pattern cannot tell which it was.

Both move all lines one way. Where the pattern asked for one of them, the other is the next explanation, and the cell
that goes with it may lie many standard deviations off.

References
----------
Hoeting, Madigan, Raftery and Volinsky, Stat. Sci. 14, 382 (1999), doi 10.1214/ss/1009212519: averaging over models.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.asked_terms import UNEXPECTED, chi2_unit, may_be_asked, may_reflect, with_other_shift
from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.model import FitData, LeBailModel

Floats = npt.NDArray[np.float64]


def shift_covariance(
    model: LeBailModel, data: FitData, solution: Solution, *, held: Collection[str], reflects: bool
) -> Floats | None:
    """What the choice between a shift of the zero and a displacement adds to the covariance of the parameters.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    held : collection of str
        Words that the user holds.
    reflects : bool
        Whether the pattern is said to be of Bragg-Brentano geometry: a displacement is then expected, else a zero.

    Returns
    -------
    array or None, shape (parameters, parameters)
        w d dᵀ: d is how far the parameters lie from those with the other term, w = 1/(1 + exp(Δχ²/2)) the probability
        of that, χ² in units of what is left, and 9 more for what is not expected. None where the pattern asked for
        neither, or only one can be.
    """
    if len({"zero", "displacement"} & set(model.asked)) != 1:
        return None
    other_word = "zero" if "displacement" in model.asked else "displacement"
    if not may_be_asked(model, other_word, held) or not may_reflect(model):
        return None
    other_model, start = with_other_shift(model, solution.values)
    other = solve(other_model, data, start)
    if not other.converged:
        return None
    rise = (other.chi2 - solution.chi2) / chi2_unit(solution, data)
    rise += UNEXPECTED if reflects == (other_word == "zero") else -UNEXPECTED
    weight = 1.0 / (1.0 + math.exp(min(0.5 * rise, 700.0)))
    apart = other.values - solution.values
    index = model.parameter_names.index("zero" if other_word == "displacement" else "displacement")
    apart[index] = solution.values[index]
    return weight * np.outer(apart, apart)
