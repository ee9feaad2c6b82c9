"""Terms that a pattern asks for beyond those that were freed: zero, displacement, widths by the angle, Kα2, divergence.

Over the narrow range of a diamond cell none can be told from the cell, and all are left to the user. Over a wide one,
of a laboratory or a high-resolution instrument, they are no matter of taste: lines lie beside their places, and what
looks like foreign lines is their misfit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.agreement import serial_factor
from hydrostruct.xrd.beam import BEAM_LIMITS, is_of_a_tube, with_beam_value, with_second_line
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.engine import Solution, fit_with_background, solve
from hydrostruct.xrd.first_look import Peaks, find_peaks
from hydrostruct.xrd.foreign import Explained, rests_free
from hydrostruct.xrd.kernels import CELL_SLOTS, PHASE_SLOTS
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.other_shift import SHIFT_LIMITS, fit_other_shift
from hydrostruct.xrd.pattern import UNKNOWN

Floats = npt.NDArray[np.float64]

_LEAST_RANGE, _RANGE_OF_ZERO = 0.4, 0.2
_FEWEST_LINES, _LINES_FOR_ZERO, _LINES_WITHOUT_STRESS = 3, 10, 5
_CLEARLY = 30.0
_UNEXPECTED = 9.0  # χ² by which a displacement must beat a zero, or a zero a displacement in Bragg-Brentano geometry
_LEAST_GAIN, _MUCH = 0.01, 0.1
_HEIGHTS = (0.001, 0.002, 0.004, 0.008, 0.015, 0.025, 0.04)
_TRIAL_STEPS = 8
_WORSE = 1.05
_SMALL_RESIDUAL = 0.3
_MOST_FITTED, _LEAST_FITTED = 0.85, 0.5
_NOISE_SIGMA = 4.0
_STRONG_SIGMA, _STRONG = 10.0, 0.01
_NEAR_FWHM = 0.5
_LIMITS = {**SHIFT_LIMITS, "u": (-0.5, 2.0), "v": (-0.5, 0.5)}
_PATTERN_WORDS = ("zero", "displacement")
ASKED_WORDS = tuple(_LIMITS)
"""What may be freed because the pattern asks for it."""
LEANING_GAIN = 6.0
"""χ² that axial divergence must take beside what shifts and widens lines, where what is left is no more than noise.

Taken in vain it costs a little of sigma, which knows of it; missed it leads the cell astray by ten of them."""
WIDTH_WORDS = ("u", "v")
"""Widths that follow the angle."""
RICH = 40
"""Strong lines of a rich pattern: more than single peaks may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asking:
    """What every trial needs."""

    data: FitData
    """The pattern with the longest background."""
    starts: Sequence[Floats]
    """Where the cells may be as well."""
    narrow: Floats
    """A start with the widths of single lines."""
    terms: int | None
    """Background terms; None to let the data choose."""


def with_asked_terms(
    found: Explained, data: FitData, starts: Sequence[Floats], *, terms: int | None, held: Collection[str]
) -> Explained | None:
    """Fit again with a free zero or displacement, and widths that follow the angle, where the pattern asks for them.

    Parameters
    ----------
    found : Explained
        Where a fit of the phases alone came to rest.
    data : FitData
        The pattern with the longest background.
    starts : sequence of array, shape (parameters,)
        Where the cells may be as well: a shift of the zero leads a fit without it astray.
    terms : int or None
        Background terms; None to let the data choose.
    held : collection of str
        Words that the user holds; ``kalpha2`` and ``axial`` among them ask for neither.

    Returns
    -------
    Explained or None
        With more free parameters, the zero among them where lines are not few, Kα2 and axial divergence; with a
        displacement in Bragg-Brentano geometry in place of the zero where that is said or the wavelength a tube's, and
        the pattern is fitted so much better. None where the fit leaves no more than noise, the range of tan θ is below
        0.4, the lines are fewer than three, the terms do not take 30 of χ² (in units of what is left, times the serial
        factor) and a hundredth of it, or what they give is no fit: 85 strong lines of 100 must be fitted to a third of
        their height. Axial divergence is not asked for where lines are too few for a zero, which it would replace; it
        is worth 6 where the other terms leave no more than noise, and no flat specimen may be displaced.
    """
    if not is_wide(data) or not misfits(found.solution, found.data):
        return None
    peaks = find_peaks(data)
    if peaks.position_deg.size < _FEWEST_LINES:
        return None
    # a stress moves few lines much as a zero does, and a displacement any
    has_few = has_few_lines(found.model, data, peaks)
    is_unsure = has_few and may_be_asked(found.model, "zero", held)
    if has_few or "displacement" in found.model.parameter_names:
        held = {*held, "zero", "displacement"}
    asked = (_shift_word(found.model, held), WIDTH_WORDS)
    is_near = fitted_part(found, peaks) >= _MOST_FITTED
    asking = _Asking(data=data, starts=() if is_near else starts, narrow=starts[0], terms=terms)
    best = found
    for _ in range(2):  # without Kα2 a shift of the zero is hard to see, and the other way about
        if "kalpha2" not in held:
            best = _with_second(best, asking)
        for words in asked:
            best = _with_words(best, [word for word in words if may_be_asked(best.model, word, held)], asking)
            if fitted_part(best, peaks) < _LEAST_FITTED:
                return None  # the cell is another: nothing that is added to it can be believed
        if best is found:
            break
        best = _with_its_part(best)
    # a shift of the zero takes up most of what axial divergence does, and moves the cell: it is asked in any case, and
    # where it cannot be, divergence would take its place
    if not is_unsure and "axial" not in held:
        best = _with_axial(best, [word for words in asked for word in words if may_be_asked(best.model, word, held)])
    best = with_displacement(best, held)
    return None if best is found or not is_well_fitted(best, peaks) else best


def _shift_word(model: LeBailModel, held: Collection[str]) -> tuple[str, ...]:
    """What is asked first of the two that shift lines: a displacement where it is expected and no zero can be."""
    has_zero = "zero" in model.parameter_names or may_be_asked(model, "zero", held)
    return ("displacement",) if model.reflects and not has_zero else ("zero",)


def is_wide(data: FitData) -> bool:
    """Whether tan θ runs over more than 0.4: then a zero is no cell, and widths follow the angle."""
    return _range_of(data) >= _LEAST_RANGE


def tells_zero(data: FitData) -> bool:
    """Whether tan θ runs over more than 0.2: a zero of sharp lines is then no cell, if they lie in their places."""
    return _range_of(data) >= _RANGE_OF_ZERO


def _range_of(data: FitData) -> float:
    low, high = (math.tan(math.radians(0.5 * data.position[end])) for end in (0, -1))
    return high - low


def is_well_fitted(found: Explained, peaks: Peaks) -> bool:
    """Whether a fit came to rest and has 85 of 100 lines of a pattern, as `fitted_part` counts them.

    Parameters
    ----------
    found : Explained
        Where a fit came to rest.
    peaks : Peaks
        Lines of the pattern.

    Returns
    -------
    bool
    """
    return rests_free(found) and fitted_part(found, peaks) >= _MOST_FITTED


def fitted_part(found: Explained, peaks: Peaks) -> float:
    """Part of the strong lines of a pattern of which a fit leaves no more than a third of their height.

    Parameters
    ----------
    found : Explained
        Where a fit came to rest.
    peaks : Peaks
        Lines of the pattern.

    Returns
    -------
    float
        0 to 1; NaN without lines. Those count that stand ten sigma high, and a hundredth of the strongest. A right cell
        has nearly all of them even where their shape is not the model's; a wrong one of many lines has some by chance.
    """
    data = found.data
    strong, sigma = _strong_lines(data, peaks)
    reach = _NEAR_FWHM * peaks.width_deg[strong]
    first = np.searchsorted(data.position, peaks.position_deg[strong] - reach)
    last = np.searchsorted(data.position, peaks.position_deg[strong] + reach, side="right")
    left = np.array([
        np.max(np.abs(found.solution.residual[low:high]), initial=0.0) for low, high in zip(first, last, strict=True)
    ])  # fmt: skip
    small = _SMALL_RESIDUAL * peaks.prominence[strong] + _NOISE_SIGMA * sigma[strong]
    return float(np.mean(left < small)) if left.size else np.nan


def has_few_lines(model: LeBailModel, data: FitData, peaks: Peaks) -> bool:
    """Whether the strong lines of a pattern are so few that a misfit alone is no sign of a shift: a stress may be it.

    Fewer than ten; than five where the pattern is said to be of Bragg-Brentano geometry, which no diamond cell has.
    """
    least = _LINES_WITHOUT_STRESS if model.reflects else _LINES_FOR_ZERO
    return _strong_lines(data, peaks)[0].size < least


def is_rich(data: FitData, peaks: Peaks) -> bool:
    """Whether a pattern has forty strong lines or more: a wrong cell then meets few of them by chance."""
    return _strong_lines(data, peaks)[0].size >= RICH


def has_one_cell(found: Explained, data: FitData, peaks: Peaks) -> bool:
    """Whether no other cell needs to be looked for: one phase alone has 85 of 100 of forty strong lines or more."""
    return len(found.model.phases) == 1 and is_rich(data, peaks) and is_well_fitted(found, peaks)


def asked_notes(model: LeBailModel, solution: Solution, freed: Collection[str]) -> tuple[str, ...]:
    """What was added to a fit because the pattern asked for it, in words; nothing for what the user freed."""
    notes = []
    asked = {"zero", "u", "displacement"}.intersection(model.parameter_names).difference(freed)
    if "zero" in asked:
        notes.append(f"The lines ask for a shift of the zero: it was freed, and is {solution.slots[-2]:.4f}°.")
    if "u" in asked:
        notes.append("The widths of the lines follow the angle: u and v were freed.")
    if "displacement" in asked:
        side = "below" if solution.slots[-1] > 0 else "above"
        notes.append(
            f"The lines lie as a flat specimen puts them that is {abs(solution.slots[-1]):.2e} of the goniometer's "
            f"radius {side} its axis (Bragg-Brentano): displacement was freed."
        )
    ratio, part = model.second_line
    if part > 0:
        notes.append(
            f"Each line has a companion at {ratio * model.wavelength_ang:.6f} Å, Kα2, with {part:.2f} of the area of "
            f"both: it was taken into account, and {model.wavelength_ang:.6f} Å is taken for Kα1."
        )
    if model.axial > 0:
        notes.append(f"The lines lean as axial divergence makes them (height over distance {model.axial:.4f}).")
    return tuple(notes)


def _strong_lines(data: FitData, peaks: Peaks) -> tuple[npt.NDArray[np.int64], Floats]:
    """Numbers of the lines that count, and sigma of the intensity at every line."""
    sigma = 1.0 / np.sqrt(np.interp(peaks.position_deg, data.position, data.weight))
    least = np.maximum(_STRONG_SIGMA * sigma, _STRONG * np.max(peaks.prominence, initial=0.0))
    return np.flatnonzero(peaks.prominence > least), sigma


def may_be_asked(model: LeBailModel, word: str, held: Collection[str]) -> bool:
    """Whether a pattern may ask for a word: it is not free, the user holds it for no phase, and it has no value."""
    is_held = any(one.rpartition(":")[2] == word for one in held)
    return word not in model.parameter_names and not is_held and not np.any(model.slots[_slots_of(model, word)])


def _slots_of(model: LeBailModel, word: str) -> npt.NDArray[np.int64]:
    """Numbers of the slots that a word fills: of the pattern, or of every phase."""
    count = (model.slots.size - 2) // PHASE_SLOTS
    if word in _PATTERN_WORDS:
        return np.array([count * PHASE_SLOTS + _PATTERN_WORDS.index(word)])
    return np.arange(count) * PHASE_SLOTS + CELL_SLOTS + ("u", "v").index(word)


def free_more(model: LeBailModel, words: Sequence[str]) -> LeBailModel:
    """The model with more free parameters, which start at 0 and come after its own.

    Parameters
    ----------
    model : LeBailModel
        Without single peaks.
    words : sequence of str
        Of ``zero``, ``displacement``, ``u``, ``v``; those that are free already are passed over.

    Returns
    -------
    LeBailModel
    """
    new = [word for word in words if word not in model.parameter_names]
    if not new:
        return model
    link = model.link.copy()
    for number, word in enumerate(new):
        link[_slots_of(model, word)] = len(model.parameter_names) + number
    limits = np.array([_LIMITS[word] for word in new]).reshape(-1, 2)
    return replace(
        model,
        link=link,
        asked=(*model.asked, *new),
        parameter_names=(*model.parameter_names, *new),
        start=np.concatenate((model.start, np.zeros(len(new)))),
        lowest=np.concatenate((model.lowest, limits[:, 0])),
        highest=np.concatenate((model.highest, limits[:, 1])),
    )


def _with_second(found: Explained, asking: _Asking) -> Explained:
    """The fit with the Kα2 of its tube, where there is one and it is better by a tenth."""
    if found.model.second_line[1] > 0 or not misfits(found.solution, found.data):
        return found
    double = with_second_line(found.model)
    if double is None:
        return found
    many = found.solution.values
    starts = [np.concatenate((start, many[start.size :])) for start in asking.starts]
    fresh = many.copy()  # widths that had to hold two lines lead to another minimum
    for index, name in enumerate(found.model.parameter_names):
        if not name.startswith(("cell:", "zero")):
            fresh[index] = asking.narrow[index] if index < asking.narrow.size else 0.0
    return _best_of(found, double, [many, fresh, *starts], asking, least_gain=_MUCH)


def _with_its_part(found: Explained) -> Explained:
    """The fit with the part of Kα2 that suits the pattern best: the least of a parabola, twice."""
    part = found.model.second_line[1]
    if not part > 0:
        return found

    def with_part(model: LeBailModel, part: float) -> LeBailModel:
        low, high = BEAM_LIMITS["second_line"]
        return with_beam_value(model, "second_line", min(max(part, low), high))

    best = _at_rest(_at_least(found, part, with_part, (0.15, 0.05)))
    return best if rests_free(best) else found


def _at_least(
    found: Explained, value: float, changed: Callable[[LeBailModel, float], LeBailModel], reaches: Sequence[float]
) -> Explained:
    """The fit with the value of something in its model at which χ² is least, by a parabola over relative reaches."""
    tried = [(found.solution.chi2, value, found)]

    def settled(value: float) -> float:
        nearest = min(tried, key=lambda one: one[0])[2]
        one = _resettled(nearest, changed(nearest.model, value))
        tried.append((one.solution.chi2, value, one))
        return one.solution.chi2

    for reach in reaches:
        here, middle, _ = min(tried, key=lambda one: one[0])
        low, high = settled(middle * (1.0 - reach)), settled(middle * (1.0 + reach))
        bend = low - 2.0 * here + high
        step = 0.5 * (low - high) / bend if bend > 0 else math.copysign(1.0, low - high)
        # beyond a wide reach lies 0, which no height is below
        settled(middle * max(1.0 + reach * min(max(step, -2.0), 2.0), 0.5 * (1.0 - reach)))
    return min(tried, key=lambda one: one[0])[2]


def _with_words(found: Explained, words: Sequence[str], asking: _Asking) -> Explained:
    """The better of a fit and those with more free words, from where it is and from other starts."""
    if not words or not misfits(found.solution, found.data):
        return found
    wide, new, many = free_more(found.model, words), np.zeros(len(words)), found.solution.values
    starts = [np.concatenate((start, many[start.size :], new)) for start in asking.starts]
    return _best_of(found, wide, [np.concatenate((many, new)), *starts], asking, least_gain=_LEAST_GAIN)


def _best_of(
    found: Explained, model: LeBailModel, starts: Sequence[Floats], asking: _Asking, *, least_gain: float
) -> Explained:
    """The best fit of another model from some starts, or what was given where that is as good."""
    trials = [solve(model, found.data, values, most_steps=_TRIAL_STEPS) for values in starts]
    best = min(trials, key=lambda one: one.chi2)
    if not _is_worth_it(found.solution, best, found.data, least_gain):
        return found
    solution, data = fit_with_background(model, asking.data, best.values, terms=asking.terms, widths_are_known=True)
    settled = replace(found, model=model, solution=solution, data=data)
    is_better = rests_free(settled) and _is_worth_it(found.solution, solution, data, least_gain)
    return settled if is_better else found


def _with_axial(found: Explained, words: Sequence[str]) -> Explained:
    """The fit with axial divergence and free words, where it is better for that."""
    pair = best_divergence(found, words)
    if pair is None:
        return found
    upright, leaning = pair
    if not misfits(found.solution, found.data) and not may_reflect(found.model):
        return leaning if saved_chi2(upright.solution, leaning.solution, leaning.data) > LEANING_GAIN else found
    return leaning if _is_worth_it(found.solution, leaning.solution, leaning.data, _LEAST_GAIN) else found


def best_divergence(found: Explained, words: Sequence[str]) -> tuple[Explained, Explained] | None:
    """The fit with the axial divergence that suits a pattern best, and more free words.

    Without a free zero the divergence, which moves the lines of low angles, is held back by the cell; without free
    widths it makes them as wide as they are.

    Parameters
    ----------
    found : Explained
        Where a fit came to rest.
    words : sequence of str
        To be freed as well, as in `free_more`.

    Returns
    -------
    (Explained, Explained) or None
        At rest, the words alone, and divergence with them; None where it had a divergence already, is no better with
        one, or does not come to rest with one.
    """
    if found.model.axial > 0:
        return None
    wide = free_more(found.model, words)
    start = replace(found.solution, values=np.concatenate((found.solution.values, np.zeros(len(words)))))
    tried = [_resettled(replace(found, solution=start), wide)]
    for height in _HEIGHTS:
        tried.append(_resettled(tried[-1], replace(wide, axial=height)))
        if tried[-1].solution.chi2 > _WORSE * min(one.solution.chi2 for one in tried):
            break
    best = min(tried, key=lambda one: one.solution.chi2)
    if best is tried[0]:
        return None
    upright, leaning = _at_rest(tried[0]), _at_rest(_at_least_height(best, (0.3, 0.08)))
    return (upright, leaning) if rests_free(leaning) else None


def with_displacement(found: Explained, held: Collection[str]) -> Explained:
    """The fit with a displacement of the specimen in Bragg-Brentano geometry, where its lines ask for that.

    In place of a shift of the zero that was asked for: where χ² is lower by 9, or, where the pattern is said to be of
    that geometry, not higher by as much. Both at once follow any misfit, at the cost of the cell.

    Parameters
    ----------
    found : Explained
        Where a fit came to rest.
    held : collection of str
        Words that the user holds.

    Returns
    -------
    Explained
        What was given where nothing speaks for a displacement.
    """
    model = found.model
    if not may_be_asked(model, "displacement", held) or not may_reflect(model) or _is_freed(model, "zero"):
        return found
    if "zero" in model.asked:
        swapped, solution = fit_other_shift(model, found.data, found.solution.values)
        other = _at_best_height(replace(found, model=swapped, solution=solution))
        gained = (found.solution.chi2 - other.solution.chi2) / chi2_unit(found.solution, found.data)
        is_taken = gained > (-_UNEXPECTED if model.reflects else _UNEXPECTED)
        return other if is_taken and rests_free(other) else found
    if not model.reflects or not misfits(found.solution, found.data):
        return found
    start = replace(found.solution, values=np.append(found.solution.values, 0.0))
    return _better(found, _at_best_height(replace(found, model=free_more(model, ["displacement"]), solution=start)))


def _is_freed(model: LeBailModel, word: str) -> bool:
    """Whether a word is free because the user said so."""
    return word in model.parameter_names and word not in model.asked


def may_reflect(model: LeBailModel) -> bool:
    """Whether a pattern may be of Bragg-Brentano geometry: it is said to be, or has a tube's wavelength."""
    return model.reflects or (model.geometry == UNKNOWN and is_of_a_tube(model.wavelength_ang))


def _at_best_height(found: Explained) -> Explained:
    """The fit at rest, with the axial divergence that suits it best where there was one, or without."""
    without = _at_rest(replace(found, model=replace(found.model, axial=0.0)))
    if not found.model.axial > 0:
        return without
    return _better(without, _at_least_height(_resettled(found, found.model), (0.9, 0.3, 0.08)))


def _at_least_height(found: Explained, reaches: Sequence[float]) -> Explained:
    """The fit with the axial divergence at which χ² is least, by parabolas over relative reaches."""
    return _at_least(found, found.model.axial, lambda model, height: replace(model, axial=height), reaches)


def _better(found: Explained, other: Explained) -> Explained:
    """Another fit, at rest, where it is clearly better than one; else that."""
    last = _at_rest(other)
    return last if rests_free(last) and _is_worth_it(found.solution, last.solution, last.data, _LEAST_GAIN) else found


def _resettled(found: Explained, model: LeBailModel) -> Explained:
    """The same fit with another beam, a few steps on."""
    return replace(
        found, model=model, solution=solve(model, found.data, found.solution.values, most_steps=_TRIAL_STEPS)
    )


def _at_rest(found: Explained) -> Explained:
    return replace(found, solution=solve(found.model, found.data, found.solution.values))


def _is_worth_it(before: Solution, after: Solution, data: FitData, least_gain: float) -> bool:
    gained = before.chi2 - after.chi2
    return bool(gained > _CLEARLY * chi2_unit(after, data) and gained > least_gain * before.chi2)


def saved_chi2(before: Solution, after: Solution, data: FitData) -> float:
    """χ² by which one fit is better than another to the same data, in units of what is left."""
    return (before.chi2 - after.chi2) / chi2_unit(after, data)


def chi2_unit(solution: Solution, data: FitData) -> float:
    """χ² that a parameter takes by chance: what is left for each point, times the serial factor squared."""
    return solution.chi2 / data.position.size * serial_factor(solution.residual * np.sqrt(data.weight)) ** 2
