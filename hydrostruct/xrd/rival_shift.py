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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.asked_terms import chi2_unit, may_be_asked, may_reflect
from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.other_shift import fit_other_shift

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RivalShift:
    """The fit of a pattern with a displacement in place of its zero, or the other way about."""

    rise: float
    """By how much its χ² is higher, in units of what is left; below 0 where it fits better."""
    apart: Floats
    """How far its parameters lie away, the shift by all of its value, shape (parameters,)."""


def rival_shift(model: LeBailModel, data: FitData, solution: Solution, *, held: Collection[str]) -> RivalShift | None:
    """The fit with the other of zero and displacement.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    held : collection of str
        Words that the user holds.

    Returns
    -------
    RivalShift or None
        Both by least squares whatever the method was. A fit with the other term that did not come to rest counts where
        it was best. None where the pattern asked for neither, or only one can be.
    """
    if len({"zero", "displacement"} & set(model.asked)) != 1:
        return None
    mine, others = ("displacement", "zero") if "displacement" in model.asked else ("zero", "displacement")
    if not may_be_asked(model, others, held) or not may_reflect(model):
        return None
    own = solve(model, data, solution.values)
    other = fit_other_shift(model, data, own.values)[1]
    rise = (other.chi2 - own.chi2) / chi2_unit(own, data)
    apart = other.values - own.values
    apart[model.parameter_names.index(mine)] = own.values[model.parameter_names.index(mine)]
    if not (math.isfinite(rise) and np.all(np.isfinite(apart))):
        return None
    return RivalShift(rise=rise, apart=apart)


def rival_probability(rise: float) -> float:
    """Probability of another model whose χ² is higher by so much, if both are as likely beforehand; 0 to 1."""
    return 1.0 / (1.0 + math.exp(min(max(0.5 * rise, -700.0), 700.0)))


def shift_covariance(model: LeBailModel, data: FitData, solution: Solution, *, held: Collection[str]) -> Floats | None:
    """What the choice between a shift of the zero and a displacement adds to the covariance of the parameters.

    Parameters
    ----------
    model, data, solution, held
        As in `rival_shift`.

    Returns
    -------
    array or None, shape (parameters, parameters)
        w d dᵀ: d is how far the parameters lie from those with the other term, w = 1/(1 + exp(Δχ²/2)) the probability
        of that, χ² in units of what is left. Which of the two was expected, and so taken unless χ² speaks clearly, is
        no evidence, and does not count. None where `rival_shift` is.
    """
    rival = rival_shift(model, data, solution, held=held)
    return None if rival is None else rival_probability(rival.rise) * np.outer(rival.apart, rival.apart)
