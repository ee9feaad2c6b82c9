"""Kα2 that weak lines of a tube do not show by their misfit: χ² with and without it is asked.

The second line has a third of the area, and is a part of a width away. Weak lines without it become wider and their
cell larger or smaller by up to 8 in 10 000, and what is left is no more than noise.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.asked_terms import chi2_unit, is_wide
from hydrostruct.xrd.beam import with_second_line
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.engine import Solution, fit_with_background, solve
from hydrostruct.xrd.foreign import Explained, rests_free
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters
from hydrostruct.xrd.tested_shift import SHIFT_GAIN, UntoldShift, least_first, with_tested_shift

Floats = npt.NDArray[np.float64]


def with_tested_second(
    found: Explained, data: FitData, starts: Sequence[Floats], *, terms: int | None, held: Collection[str]
) -> Explained | None:
    """Fit again with Kα2, and what shift is then seen, where that takes 9 of χ² more than the shift without.

    Parameters
    ----------
    found : Explained
        Where a fit of the phases alone came to rest.
    data : FitData
        The pattern with the longest background.
    starts : sequence of array, shape (parameters,)
        As in `hydrostruct.xrd.tested_shift.with_tested_shift`.
    terms : int or None
        Background terms; None to let the data choose.
    held : collection of str
        Words that the user holds.

    Returns
    -------
    Explained or None
        None where Kα2 is held, tan θ runs over less than 0.4, the wavelength is no tube's, or more than noise is left:
        `hydrostruct.xrd.asked_terms` then asks.
    """
    double = None if "kalpha2" in held else _doubled(found, data)
    if double is None:
        return None
    solution, used = fit_with_background(double.model, data, double.solution.values, terms=terms, widths_are_known=True)
    double = replace(double, solution=solution, data=used)
    single, double = (with_tested_shift(one, data, starts, terms=terms, held=held) or one for one in (found, double))
    unit = chi2_unit(double.solution, double.data)
    gain = _price(single, unit) - _price(double, unit)
    return double if rests_free(double) and gain > SHIFT_GAIN else None


def untold_second(
    model: LeBailModel, data: FitData, solution: Solution, *, held: Collection[str] = ()
) -> UntoldShift | None:
    """What a Kα2 leaves open that was not taken into account, since χ² does not say that it is there.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    held : collection of str
        Words that the user holds.

    Returns
    -------
    UntoldShift or None
        w d dᵀ: d is how far the parameters lie from those with Kα2, w = 1/(1 + exp(−Δχ²/2)) its probability, were it
        as likely as not before. None where nothing is open, as `with_tested_second` says.
    """
    double = None if "kalpha2" in held else _doubled(Explained(model=model, solution=solution, data=data), data)
    if double is None or not double.solution.converged:
        return None
    gain = (solution.chi2 - double.solution.chi2) / chi2_unit(double.solution, data)
    apart = double.solution.values - solution.values
    if not (math.isfinite(gain) and np.all(np.isfinite(apart))):
        return None
    weight = 1.0 / (1.0 + math.exp(min(max(-0.5 * gain, -700.0), 700.0)))
    reason = (
        f"Kα2 may be in it (χ² would be {'lower' if gain > 0 else 'higher'} by {abs(gain):.1f}): its lines are too "
        "weak to tell, and sigma covers it."
    )
    return UntoldShift(covariance=weight * np.outer(apart, apart), reason=reason if gain > -SHIFT_GAIN else "")


def _doubled(found: Explained, data: FitData) -> Explained | None:
    """The same fit with Kα2, at rest, where it may be asked for."""
    if not is_wide(data) or found.model.second_line[1] > 0 or not rests_free(found):
        return None
    model = with_second_line(found.model)
    if model is None or misfits(found.solution, found.data):
        return None
    # the lines were those of the mean wavelength, and the cell goes with it
    ratio, part = model.second_line
    mean = model.wavelength_ang * (1.0 + part * (ratio - 1.0))
    scaled = found.solution.values.copy()
    for index in range(len(model.phases)):
        moved = cell_parameters(model, index)
        scaled[moved[moved >= 0]] *= (found.model.wavelength_ang / mean) ** 2
    tried = [
        solve(model, found.data, np.clip(values, model.lowest, model.highest))
        for values in (scaled, found.solution.values)
    ]
    return replace(found, model=model, solution=min(tried, key=least_first))


def _price(found: Explained, unit: float) -> float:
    """χ² of a fit in units of what is left, with what its parameters and its background cost."""
    count = len(found.data.basis) + len(found.model.parameter_names)
    return found.solution.chi2 / unit + math.log(found.data.position.size) * count
