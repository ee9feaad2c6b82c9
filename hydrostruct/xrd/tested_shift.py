"""A shift of all lines of a wide pattern that its misfit does not show: χ² with and without it is asked.

A detector's zero or a displaced specimen moves weak lines by a part of their width, the widths and the cell take up
most of that, and what is left is no more than noise, while the cell lies many standard deviations off. χ² of the fit
with the shift free tells what that noise does not.

References
----------
Schwarz, Ann. Stat. 6, 461 (1978), doi 10.1214/aos/1176344136: a parameter is worth ln n of χ².
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.asked_terms import (
    LEANING_GAIN,
    WIDTH_WORDS,
    best_divergence,
    free_more,
    has_few_lines,
    is_wide,
    may_be_asked,
    may_reflect,
    saved_chi2,
    tells_zero,
    with_displacement,
)
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.engine import Solution, fit_with_background, solve
from hydrostruct.xrd.evidence import weigh_evidence
from hydrostruct.xrd.first_look import Peaks, find_peaks, noise_scale
from hydrostruct.xrd.foreign import Explained, rests_free
from hydrostruct.xrd.kernels import cell_counts
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.single_peaks import own_lines

Floats = npt.NDArray[np.float64]

SHIFT_GAIN = 9.0
"""χ² that a shift must take to be believed, in units of what is left: chance takes as much in 1 of 400 patterns."""
BY_CHANCE = 4.0
"""χ² that a shift takes where there is none in 1 of 20 patterns."""
_BOTH_GAIN = SHIFT_GAIN + BY_CHANCE
_FEWEST_LINES = 3
_LESS_SCATTER = 0.5
_MOST_LEFT = 1.5
_LINES_LEFT = 2  # beyond the cells: one for the shift, and one that can contradict it


def with_tested_shift(
    found: Explained,
    data: FitData,
    starts: Sequence[Floats],
    *,
    terms: int | None,
    held: Collection[str],
    is_seeded: bool = False,
) -> Explained | None:
    """Fit again with a free zero, or displacement, where that takes 9 of χ² and the lines then lie in their places.

    Parameters
    ----------
    found : Explained
        Where a fit of the phases alone came to rest.
    data : FitData
        The pattern with the longest background.
    starts : sequence of array, shape (parameters,)
        Where the cells of a pattern of a narrower range, tan θ over less than 0.4, may be as well.
    terms : int or None
        Background terms; None to let the data choose.
    held : collection of str
        Words that the user holds.
    is_seeded : bool
        Whether a neighbour was asked: axial divergence is then asked for only where a shift is seen without.

    Returns
    -------
    Explained or None
        With axial divergence as well, where no flat specimen may be displaced and that takes 6 of χ² beside the shift,
        or beside a zero that the user freed, or both together 13 where the shift alone is not seen, if tan θ runs over
        more than 0.4. Else None where it runs over less than 0.2, a shift is free already or held, `with_asked_terms`
        looks for it, lines are fewer than three or leave less than two beyond the free parameters of the cells, they
        scatter with the shift nearly as before (a stress or few grains move them then), or far more than noise is left.
    """
    wide = is_wide(data)
    if not tells_zero(data) or (wide and not rests_free(found)):
        return None
    word = _word(found.model, held)
    if not word:
        may_lean = wide and not is_seeded and _is_free(found.model, "zero")
        return _beside_a_free_zero(found, held) if may_lean else None
    peaks = find_peaks(data)
    if wide and misfits(found.solution, found.data) and not has_few_lines(found.model, data, peaks):
        return None
    best = _shifted(found, word, () if wide else starts)
    if not _has_lines_enough(best, peaks):
        return None
    if wide and (not is_seeded or saved_chi2(found.solution, best.solution, found.data) > SHIFT_GAIN):
        best = _leaning(found, best, held)
    unshifted = [found.solution] if wide else [found.solution, *(solve(found.model, found.data, one) for one in starts)]
    if not saved_chi2(min(unshifted, key=least_first), best.solution, found.data) > SHIFT_GAIN:
        return None
    solution, used = fit_with_background(best.model, data, best.solution.values, terms=terms, widths_are_known=True)
    settled = with_displacement(replace(best, solution=solution, data=used), held)
    is_sound = rests_free(settled) and _leaves_little(settled)
    return settled if is_sound and _has_its_lines_in_place(found, settled) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class UntoldShift:
    """A shift that was not freed, and what it would do to the parameters."""

    covariance: Floats
    """To be added to that of the free parameters once it is scaled, shape (parameters, parameters)."""
    reason: str
    """Why the cells are doubtful, in words; empty where χ² does not say that the shift is there."""


def untold_shift(
    model: LeBailModel, data: FitData, solution: Solution, *, held: Collection[str], scatters: bool
) -> UntoldShift | None:
    """What a shift that was not freed leaves open in a wide pattern.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    held : collection of str
        Words that the user holds.
    scatters : bool
        Whether the lines scatter about their places: their scatter is then in sigma, and tells nothing of a shift.

    Returns
    -------
    UntoldShift or None
        w d dᵀ: d is how far the parameters lie from those with the shift free, w = (1 − 4/Δχ²)/(1 + exp((9 − Δχ²)/2)),
        χ² in units of what is left: the probability of the shift, without what chance makes of it. None where a shift
        is free, is held, cannot be told from the cells (tan θ runs over less than 0.2), or the fit with it did not come
        to rest.
    """
    word = "" if scatters or not tells_zero(data) else _word(model, held)
    if not word:
        return None
    found = Explained(model=model, solution=solution, data=data)
    shifted = _shifted(found, word).solution
    gain = saved_chi2(solution, shifted, data)
    apart = shifted.values[:-1] - solution.values
    if not (shifted.converged and math.isfinite(gain) and np.all(np.isfinite(apart))):
        return None
    weight = (1.0 - BY_CHANCE / max(gain, BY_CHANCE)) / (1.0 + math.exp(min(0.5 * (SHIFT_GAIN - gain), 700.0)))
    reason = (
        f"A {word} of {shifted.values[-1]:.2g} would take {gain:.0f} of chi²: its few lines cannot tell that from "
        f"another cause, and sigma covers it. Free {word}."
    )
    return UntoldShift(covariance=weight * np.outer(apart, apart), reason=reason if gain > SHIFT_GAIN else "")


def _word(model: LeBailModel, held: Collection[str]) -> str:
    """The shift that is asked first: a zero, or a displacement where that is expected and no zero may be asked."""
    if {"zero", "displacement"} & set(model.parameter_names):  # held too, where a whole map has one
        return ""
    if may_be_asked(model, "zero", held):
        return "zero"
    return "displacement" if model.reflects and may_be_asked(model, "displacement", held) else ""


def _has_lines_enough(found: Explained, peaks: Peaks) -> bool:
    """Whether the peaks of the pattern that stand on lines of phases, within a width, tell a shift from their cells.

    At least three, and two more than the cells take up; a phase with fewer than its cell has free parameters, as one
    that is not there, tells nothing and takes up no more than it has.
    """
    model, solution = found.model, found.solution
    own = own_lines(model)
    stands = np.abs(peaks.position_deg[:, None] - solution.position[own]) < solution.width[own]
    strongest = np.argmax(np.where(stands, solution.intensity[own], -np.inf), axis=1)
    taken = strongest[np.any(stands, axis=1)]  # where a phase that is not there has a line as well, it is not its own
    lines = np.bincount(model.phase_of[own][taken], minlength=len(model.phases))
    spare = np.maximum(lines - cell_counts(model.link, len(model.phases)), 0).sum()
    return bool(lines.sum() >= _FEWEST_LINES and spare >= _LINES_LEFT)


def _shifted(found: Explained, word: str, starts: Sequence[Floats] = ()) -> Explained:
    """The fit with a free shift, from where it is and from other starts: without the shift it may have gone astray."""
    model, own = free_more(found.model, [word]), found.solution.values
    others = [np.concatenate((start, own[start.size :])) for start in starts]
    tried = [
        replace(found, model=model, solution=solve(model, found.data, np.append(values, 0.0)))
        for values in (own, *others)
    ]
    return min(tried, key=lambda one: least_first(one.solution))


def least_first(solution: Solution) -> tuple[bool, float]:
    """A key that puts the deepest of the fits that came to rest first."""
    return not solution.converged, solution.chi2 if math.isfinite(solution.chi2) else math.inf


def _leaning(found: Explained, shifted: Explained, held: Collection[str]) -> Explained:
    """A shifted fit, with axial divergence where this takes 6 of χ² beside a shift that is seen, or both together 13.

    Divergence moves and leans the lines of low angles. A shift takes up the one and weak lines do not show the other,
    so that the cell is led farther astray than without either.
    """
    leaning, by_divergence = _with_divergence(shifted, held)
    by_shift = saved_chi2(found.solution, shifted.solution, found.data)
    is_seen = by_divergence > LEANING_GAIN if by_shift > SHIFT_GAIN else by_shift + by_divergence > _BOTH_GAIN
    return leaning if is_seen else shifted


def _beside_a_free_zero(found: Explained, held: Collection[str]) -> Explained | None:
    """A fit whose zero the user freed, with axial divergence where this takes 6 of χ²; else None."""
    if misfits(found.solution, found.data):  # more is then asked for
        return None
    leaning, by_divergence = _with_divergence(found, held)
    return leaning if by_divergence > LEANING_GAIN else None


def _with_divergence(found: Explained, held: Collection[str]) -> tuple[Explained, float]:
    """The fit with axial divergence, and χ² that this takes; as it is, and 0, where there is none to be told.

    A zero with divergence does what a displaced flat specimen does: where that may be, few lines cannot tell. What
    divergence does to the widths does not count: these are freed first.
    """
    words = [word for word in WIDTH_WORDS if may_be_asked(found.model, word, held)]
    pair = None if may_reflect(found.model) or "axial" in held else best_divergence(found, words)
    if pair is None:
        return found, 0.0
    upright, leaning = pair
    return leaning, saved_chi2(upright.solution, leaning.solution, found.data)


def _is_free(model: LeBailModel, word: str) -> bool:
    """Whether a word is free; that of a whole map may be held at a point."""
    slot = -2 if word == "zero" else -1
    return word in model.parameter_names and bool(model.link[slot] >= 0)


def _leaves_little(found: Explained) -> bool:
    """Whether a fit leaves no more than one and a half times the noise; what is left else, as of Kα2, asks first."""
    most = _MOST_LEFT * max(1.0, noise_scale(found.data) ** 2)
    return found.solution.chi2 < most * found.data.position.size


def _has_its_lines_in_place(before: Explained, after: Explained) -> bool:
    """Whether the lines do not scatter about their places once they are shifted, or half as much as before."""
    left, had = (weigh_evidence(one.model, one.data, one.solution).scatter for one in (after, before))
    if left is None or left.is_of_widths:
        return True
    return had is not None and bool(np.nanmax(left.of_width) < _LESS_SCATTER * np.nanmax(had.of_width))
