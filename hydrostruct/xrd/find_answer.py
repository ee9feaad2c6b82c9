"""Model + data → answer: which solution is taken, what becomes a single peak or is left out, which phases are there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.alternatives import EQUAL_CHI2, Alternative, other_cells
from hydrostruct.xrd.answer import Answer, FitOptions, without_absent
from hydrostruct.xrd.asked_terms import (
    ASKED_WORDS,
    chi2_unit,
    free_more,
    has_one_cell,
    is_rich,
    is_well_fitted,
    is_wide,
    with_asked_terms,
)
from hydrostruct.xrd.beam import with_beam_of
from hydrostruct.xrd.broad_phases import broadened, is_better, room_of, widths_near_limit, with_room
from hydrostruct.xrd.coincident_lines import off_coincidence
from hydrostruct.xrd.common_shape import misfits, with_common_shape
from hydrostruct.xrd.engine import Solution, fit_with_background, solve, start_values
from hydrostruct.xrd.first_look import Peaks, find_peaks, line_width
from hydrostruct.xrd.foreign import (
    Explained,
    capped_chi2,
    convinces,
    explain_rest,
    explained,
    fit_trusting,
    is_supported,
    release_lines,
    residual_scale,
    rests_free,
    without_flanks,
)
from hydrostruct.xrd.left_out import fit_leaving_out, leave_out_rest
from hydrostruct.xrd.long_background import with_long_background
from hydrostruct.xrd.model import FitData, LeBailModel, with_terms, without_points
from hydrostruct.xrd.near_minima import loose_phases, near_minima
from hydrostruct.xrd.odd_widths import OddWidths, odd_widths
from hydrostruct.xrd.presence import DETECTION_SIGMA, SUPPORTED_SIGMA
from hydrostruct.xrd.refine import refine
from hydrostruct.xrd.same_lattice import distance_from_start, is_same_lattice, phase_distance
from hydrostruct.xrd.search import fit_evolved, may_be_elsewhere, search_cells
from hydrostruct.xrd.second_search import search_again
from hydrostruct.xrd.single_peaks import own_lines, own_parameters, under_peaks
from hydrostruct.xrd.tested_second import with_tested_second
from hydrostruct.xrd.tested_shift import with_tested_shift

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ALIKE_SIGMA = 1.0
_MANY_MORE, _SOME_MORE = 1.5, 2
_FEWEST_TAKEN, _TAKEN_LINES = 2, 4
_MOST_MOVES = 3
_MUCH_MORE, _MOST_OF_MISFIT = 4.0, 2.0


def find_answer(
    model: LeBailModel, data: FitData, options: FitOptions, *, seed: Floats | None, room: Mapping[str, float]
) -> Answer:
    """Fit one pattern from a seed or from its start, and look for other explanations only as far as needed.

    Parameters
    ----------
    model : LeBailModel
        The phases alone.
    data : FitData
        The pattern, with the longest background.
    options : FitOptions
        What was asked for.
    seed : array or None, shape (parameters,)
        Where a neighbour came to rest; None to start from the model.
    room : mapping of str to float
        Widths of the seed that are beyond the limits of the model, from `hydrostruct.xrd.broad_phases.room_of`: they
        get room, and a pattern that does not need it falls back.

    Returns
    -------
    Answer
        With lines of a phase many times as wide as those of the others, where that is better.
    """
    if room:
        answer = _find_answer(with_room(model, room), data, options, seed=seed)
        if room.keys() <= widths_near_limit(model, answer.solution, answer.absent).keys():
            return _at_deepest(answer, options)
        seed = None
    answer = _find_answer(model, data, options, seed=seed)
    return _at_deepest(_with_broad_phases(model, data, answer, options) or answer, options)


def _at_deepest(answer: Answer, options: FitOptions) -> Answer:
    """The answer in the deepest of the minima beside it, and those that the data leave; of weak lines alone."""
    plain = options.method == "pawley" and options.loss == "squares"
    if options.search == "never" or not plain or not answer.solution.converged or answer.absent.any():
        return answer
    phases = loose_phases(answer.model, answer.evidence)
    for moves in range(_MOST_MOVES + 1 if phases else 0):
        others = near_minima(answer.model, answer.data, answer.evidence, phases)
        answer = replace(answer, beside=tuple(others))
        deepest = min(others, key=lambda one: one.chi2, default=answer.solution)
        gained = (answer.solution.chi2 - deepest.chi2) / chi2_unit(answer.solution, answer.data)
        if not gained > 1.0 or moves == _MOST_MOVES:
            break
        equal = answer.alternatives if gained < EQUAL_CHI2 else ()
        settled = _settle(replace(answer.foreign, solution=deepest), equal, options)
        is_worse = np.any(settled.evidence.negative_lines > answer.evidence.negative_lines)
        if not settled.solution.converged or settled.absent.any() or is_worse:
            break
        answer = replace(settled, contested=answer.contested, odd=answer.odd)
    return answer


def _with_broad_phases(model: LeBailModel, data: FitData, answer: Answer, options: FitOptions) -> Answer | None:
    """The answer with lines of some phases many times as wide as the others, if that is better; else None."""
    highest = widths_near_limit(model, answer.solution, answer.absent)
    values = answer.solution.values[: own_parameters(answer.model)]
    if not highest or room_of(model, values[: model.start.size]):  # a fit that had the room already
        return None
    points, odd = data, None
    if answer.odd is not None and answer.odd.spikes.any():
        points, odd = without_points(data, answer.odd.spikes), answer.odd.without_humps()
    asked = [name for name in answer.model.parameter_names if name in ASKED_WORDS]
    own = with_beam_of(free_more(model, asked), answer.model)
    broad = broadened(own, points, values, highest, terms=options.terms)
    if not broad.is_complete:
        wide, terms = broad.model, options.terms
        broad = without_flanks(wide, explain_rest(wide, broad, terms=terms), terms=terms)
    if not is_better(broad, answer.foreign):
        return None
    settled = _settle(broad, answer.alternatives, options)
    return None if settled.absent.sum() > answer.absent.sum() else replace(settled, odd=odd)


def _all_broad(first: Explained, data: FitData, options: FitOptions) -> Answer | None:
    """The answer with broad lines where these, and no single peaks, explain the whole pattern; else None.

    Asked before anything is taken for a gasket or a stranger's line, which a broad line is like.
    """
    nowhere = np.zeros(len(first.model.phases), dtype=np.bool_)
    highest = widths_near_limit(first.model, first.solution, nowhere)
    if not highest:
        return None
    broad = broadened(first.model, data, first.solution.values, highest, terms=options.terms)
    if misfits(broad.solution, broad.data) or not is_better(broad, first):
        return None
    answer = _settle(broad, (), options)
    return None if answer.absent.any() or answer.evidence.negative_lines.any() else answer


def _find_answer(
    model: LeBailModel,
    data: FitData,
    options: FitOptions,
    *,
    seed: Floats | None,
    may_ask: bool = True,
    is_clean: bool = False,
) -> Answer:
    """Fit from the seed or the start; look further only as far as needed.

    Where a fit leaves more than noise, what has not the width of a line is left out. A fit that explains every line of
    the pattern is taken at once. Where lines are left over, the start is first given the benefit of the doubt: lines
    that are not its own become single peaks, and the fit is repeated. Cells elsewhere are preferred to that only when
    they explain the pattern clearly better.
    """
    start = start_values(model, data) if seed is None else seed
    nearest = fit_with_background(model, data, start, terms=options.terms, widths_are_known=seed is not None)
    plain = with_long_background(Explained(model=model, solution=nearest[0], data=nearest[1]), terms=options.terms)
    asked = _with_asked(plain, data, start, options, is_seeded=seed is not None) if may_ask else None
    first = plain if asked is None else asked
    is_complete = first.is_complete
    leaves_much = misfits(first.solution, first.data) or not is_complete
    if leaves_much and seed is None and options.search != "always":
        broad = _all_broad(first, data, options)
        if broad is not None:
            return broad
    if not is_clean and leaves_much:
        odd = odd_widths(data, first.solution.position)
        if odd.humps.any() and is_well_fitted(first, find_peaks(data)):
            odd = odd if _stand_out(odd.humps, first.solution, data) else odd.without_humps()
        if odd.points.any():
            return _without_odd(model, data, odd, options, seed=seed, may_ask=may_ask)
    if first.model is not model:
        model, start = first.model, np.concatenate((start, first.solution.values[start.size :]))
    is_new = options.search == "auto" and seed is None
    shaped = _with_its_shape(first, options)
    doubted: Answer | None = None
    if options.search != "always":
        for one in (shaped,) if shaped is first else (shaped, first):
            convinced = is_complete if one is first else one.is_complete
            if convinced and not (is_new and may_be_elsewhere(model, one.solution, one.data)):
                answer = _settle(one, (), options)
                # a long background follows many things, and only a wrong cell makes a line point down
                if not (is_new and answer.evidence.negative_lines.any()):
                    return answer
                doubted = answer
    peaks = find_peaks(data)
    nearest = (first.solution, first.data)
    is_far = is_new and not has_one_cell(first, data, peaks)
    evolved = fit_evolved(model, data, nearest, peaks, terms=options.terms) if is_far else []
    tried = [(first.solution, first.data), *evolved]
    if is_far and first.model is not plain.model and misfits(*_best(model, tried)):
        other = _far_and_plain(plain, data, _as_explained(model, _best(model, tried)), peaks, options)
        if other is not None:
            return other
    if evolved and convinces(model, *_best(model, tried)):
        best = _best(model, tried)
        found = _with_its_shape(Explained(model=model, solution=best[0], data=best[1]), options)
        return _settle(found, other_cells(model, tried, best), options)
    if options.search != "always" and (is_wide(data) or is_rich(data, peaks)):
        rich = _rich_answer(model, (start, data, peaks), tried, options)
        if rich is not None:
            return rich
    far = _answer_near_or_far(model, (start, data, peaks), tried, (first, shaped), options, is_seeded=seed is not None)
    return doubted if doubted is not None and far.absent.sum() > doubted.absent.sum() else far


def _far_and_plain(
    plain: Explained, data: FitData, best: Explained, peaks: Peaks, options: FitOptions
) -> Answer | None:
    """The answer from cells elsewhere that were looked for without what the start asked for, if that fits better.

    A wrong cell asks for a zero, too, and the places at which cells are then looked for are shifted by it.
    """
    evolved = fit_evolved(plain.model, data, (plain.solution, plain.data), peaks, terms=options.terms)
    if not evolved:
        return None
    found = _as_explained(plain.model, min(evolved, key=lambda pair: pair[0].chi2))
    asked = _with_asked(found, data, found.solution.values, options) or found
    scale = min(residual_scale(one.solution, one.data) for one in (asked, best))
    if not asked.cost(scale) < best.cost(scale) - EQUAL_CHI2:
        return None
    return _find_answer(asked.model, data, options, seed=asked.solution.values, may_ask=False, is_clean=True)


def _without_odd(
    model: LeBailModel, data: FitData, odd: OddWidths, options: FitOptions, *, seed: Floats | None, may_ask: bool
) -> Answer:
    """The answer without what has not the width of a line; with it, where that is all the lines of a phase."""
    clean = without_points(data, odd.points)
    answer = _find_answer(model, clean, options, seed=seed, may_ask=may_ask, is_clean=True)
    if odd.humps.any() and not _humps_are_strange(answer, odd, data):
        spikes = odd.without_humps()
        if spikes.points.any():
            return _without_odd(model, data, spikes, options, seed=seed, may_ask=may_ask)
        return _find_answer(model, data, options, seed=seed, may_ask=may_ask, is_clean=True)
    if answer.absent.any():
        whole = _find_answer(model, data, options, seed=seed, may_ask=may_ask, is_clean=True)
        follows = odd.humps.any() and misfits(whole.solution, whole.data)  # a wide line through a hump
        needs_few = 2 * whole.foreign.foreign_deg.size <= odd.spikes_deg.size + len(odd.humps_deg)
        if needs_few and not follows and whole.absent.sum() < answer.absent.sum():
            return whole
    return replace(answer, odd=odd)


def _humps_are_strange(answer: Answer, odd: OddWidths, data: FitData) -> bool:
    """Whether the lines of an answer that was found without the humps leave far more there than elsewhere.

    Lines that lie close, or on each other's tails, may add up to a hump, and a right cell explains it.
    """
    points = without_points(data, odd.spikes)
    points = with_terms(points, min(len(answer.data.basis), len(points.basis)))
    there = solve(answer.model, points, answer.solution.values, most_steps=0)
    return _stand_out(odd.humps[~odd.spikes], there, points)


def _stand_out(humps: npt.NDArray[np.bool_], solution: Solution, data: FitData) -> bool:
    """Whether a fit leaves far more where the humps are than elsewhere, and without them less than half of its misfit.

    Where the lines have another shape than the model, their flanks leave more than the rest, everywhere.
    """
    left = solution.residual**2 * data.weight
    elsewhere, everywhere = float(np.mean(left[~humps])), float(np.mean(left))
    is_more = float(np.mean(left[humps])) > _MUCH_MORE * elsewhere
    return is_more and everywhere - 1.0 > _MOST_OF_MISFIT * (elsewhere - 1.0)


def _answer_near_or_far(
    model: LeBailModel,
    given: tuple[Floats, FitData, Peaks],
    tried: list[tuple[Solution, FitData]],
    known: tuple[Explained, Explained],
    options: FitOptions,
    *,
    is_seeded: bool,
) -> Answer:
    """Give the start the benefit of the doubt, look for cells elsewhere, and decide between the two."""
    start, data, peaks = given
    first, shaped = known
    has_evolved = len(tried) > 1
    trusting = fit_trusting(model, data, start, peaks, terms=options.terms)
    tried.insert(1, trusting.on_everything)
    supported = is_supported(trusting.explained, peaks)
    alternatives: tuple[Alternative, ...] = ()
    if options.search == "always" or (options.search == "auto" and not (supported and is_seeded)):
        alternatives = _search(model, data, tried, (True, True) if has_evolved else (False, True, True), options)
    best = _best(model, tried)
    found = Explained(model=model, solution=best[0], data=best[1])
    found = shaped if best[0] is first.solution else _with_its_shape(found, options)
    return _decided(found, trusting.explained, given, alternatives, options)


def _rich_answer(
    model: LeBailModel,
    given: tuple[Floats, FitData, Peaks],
    tried: list[tuple[Solution, FitData]],
    options: FitOptions,
) -> Answer | None:
    """The answer to a pattern of many lines that no profile fits well enough, if one cell has nearly all of them.

    There single peaks would follow the misfit of each line, at great cost: what lies on no line is left out instead.
    """
    start, data, peaks = given
    best = _as_explained(model, _best(model, tried))
    if not is_well_fitted(best, peaks) and options.search == "auto":
        _search(model, data, tried, (False, True), options)
        best = _as_explained(model, _best(model, tried))
    asked = None if best.solution is tried[0][0] else _with_asked(best, data, start, options)
    if asked is not None:
        return _find_answer(asked.model, data, options, seed=asked.solution.values, may_ask=False, is_clean=True)
    best = _with_its_shape(best, options)
    if not is_well_fitted(best, peaks) or not (is_wide(data) or misfits(best.solution, best.data)):
        return None
    rivals = other_cells(model, tried, _best(model, tried))
    found = leave_out_rest(model, best.solution, best.data)
    # a line whose top was left out is drawn no more, and its tails may be worth more than what was to be left out
    leaves_less = found.solution.converged and found.solution.chi2 <= best.solution.chi2
    return _settle(found if leaves_less else best, rivals, options)


def _as_explained(model: LeBailModel, pair: tuple[Solution, FitData]) -> Explained:
    return Explained(model=model, solution=pair[0], data=pair[1])


def _with_asked(
    found: Explained, data: FitData, start: Floats, options: FitOptions, *, is_seeded: bool = False
) -> Explained | None:
    """A solution with the terms that the pattern asks for; None where it asks for none."""
    model = found.model
    if options.profile != "auto" or model.asked or model.second_line[1] > 0 or model.axial > 0:
        return None
    held = options.not_asked
    double = None if is_seeded else with_tested_second(found, data, [start], terms=options.terms, held=held)
    if double is not None:
        return double
    starts = [] if is_seeded else [start]
    shifted = with_tested_shift(found, data, starts, terms=options.terms, held=held, is_seeded=is_seeded)
    if shifted is not None:
        found, start = shifted, np.concatenate((start, shifted.solution.values[start.size :]))
    more = with_asked_terms(found, data, [start], terms=options.terms, held=held) or shifted
    if more is None or is_seeded:
        return more
    for ask in (with_tested_second, with_tested_shift):  # what others hid may be seen now
        again = ask(more, data, [start], terms=options.terms, held=held)
        if again is not None:
            return again
    return more


def _search(
    model: LeBailModel,
    data: FitData,
    tried: list[tuple[Solution, FitData]],
    own_signal: Sequence[bool],
    options: FitOptions,
) -> tuple[Alternative, ...]:
    """Add fits from cells elsewhere to those that were tried, until one convinces; returns rivals of the best."""
    for own in own_signal:
        starts = search_cells(model, *_best(model, tried), own_signal=own)
        tried += [fit_with_background(model, data, values, terms=options.terms) for values in starts]
        if convinces(model, *_best(model, tried)):
            break
    return other_cells(model, tried, _best(model, tried))


def _decided(
    best: Explained,
    near: Explained,
    given: tuple[Floats, FitData, Peaks],
    alternatives: tuple[Alternative, ...],
    options: FitOptions,
) -> Answer:
    """Give what is left over to single peaks, or leave it out; take the best solution or that near the start."""
    chosen, is_near, least = _chosen(best, near, given, options)
    answer = _settle(chosen, () if is_near else alternatives, options, least=least)
    return _without_peaks(best, chosen, answer, options)


def _chosen(
    best: Explained, near: Explained, given: tuple[Floats, FitData, Peaks], options: FitOptions
) -> tuple[Explained, bool, float]:
    """The solution that is taken, whether it is that near the start, and what a phase needs to be there, in sigma.

    Where the best one's lines share a shape of their own, which most of them foretell, it is taken: a solution near the
    start that knows nothing of the shape is no match for it.
    """
    model, terms = best.model, options.terms
    start, data, peaks = given
    supported = is_supported(near, peaks)
    found = without_flanks(model, explain_rest(model, best, terms=terms), terms=terms)
    if options.search != "never" and not (found.shape_misfits and found.is_complete):
        found = without_flanks(model, search_again(model, found, terms=terms), terms=terms)
    near = without_flanks(model, near, terms=terms)
    has_shape = best.data.beyond_profile is not None
    if not found.is_complete and (has_shape or not near.is_complete):
        found = leave_out_rest(model, best.solution, best.data)
        if has_shape:
            return found, False, DETECTION_SIGMA
        near = fit_leaving_out(model, data, start, peaks, terms=terms)
        supported = is_supported(near, peaks)
        if not supported:
            return found, False, DETECTION_SIGMA
    found, near = (
        without_flanks(model, release_lines(model, one, terms=terms), terms=terms)
        if one.foreign_deg.size and one.is_complete
        else one
        for one in (found, near)
    )
    stays = not has_shape and not convinces(model, best.solution, best.data) and rests_free(near)
    # where single peaks were seen to follow the shape of lines, more of them are no better explanation
    stays = stays and not (found.shape_misfits and near.foreign_deg.size > found.foreign_deg.size)
    if stays and _is_as_good(near, found, (best.solution, best.data), peaks):
        return near, True, SUPPORTED_SIGMA if supported else DETECTION_SIGMA
    return found, False, DETECTION_SIGMA


def _with_its_shape(found: Explained, options: FitOptions) -> Explained:
    """A solution with what its lines share beyond their profiles, if its misfit asks for that; else as it is."""
    if options.profile != "auto" or not misfits(found.solution, found.data):
        return found
    shaped = with_common_shape(found.model, found.solution, found.data)
    return found if shaped is None else replace(found, solution=shaped[0], data=shaped[1])


def _taken_lines(chosen: Explained, absent: npt.NDArray[np.bool_], best: Explained) -> tuple[Ints, Ints]:
    """Lines of each phase in the range upon which single peaks stand, or points were left out, and how many it has.

    Of a phase that is there, those smaller than the peak. Single peaks follow any misfit of shape. The cell of one that
    is absent may have gone anywhere: its lines are looked for where the best solution has them, too, if that has nearly
    all lines of the pattern.
    """
    known = [chosen.solution]
    if np.any(absent) and is_well_fitted(best, find_peaks(best.data)):
        known.append(best.solution)
    taken, lines = np.zeros((2, len(chosen.model.phases)), dtype=np.int64)
    for index in range(taken.size):
        if absent[index]:
            ways = [_taken_of_absent(chosen, index, places) for places in known]
            taken[index], lines[index] = max(ways)
        else:
            taken[index], lines[index] = _taken_of_present(chosen, index)
    return taken, lines


def _taken_of_absent(chosen: Explained, index: int, places: Solution) -> tuple[int, int]:
    """Lines of an absent phase at their places in a solution that are taken, and how many there are."""
    mine = _lines_in_range(chosen, index, places)
    # the width of a phase that is absent may be anything
    wide = np.maximum(places.width[mine], line_width(chosen.data))[:, None]
    gone = np.concatenate((chosen.solution.position[~own_lines(chosen.model)], chosen.left_out_deg))
    near = np.abs(places.position[mine][:, None] - gone) < wide
    return int(np.count_nonzero(np.any(near, axis=1))), mine.size


def _taken_of_present(chosen: Explained, index: int) -> tuple[int, int]:
    """Lines of a phase that is there on which a larger single peak stands, and how many it has."""
    mine = _lines_in_range(chosen, index, chosen.solution)
    return int(np.count_nonzero(under_peaks(chosen.model, chosen.solution)[mine])), mine.size


def _lines_in_range(chosen: Explained, index: int, places: Solution) -> Ints:
    """Numbers of the lines of a phase that are in the range at their places in a solution."""
    mine = np.flatnonzero(chosen.model.phase_of == index)  # the same in every solution: single peaks come after them
    position = places.position[mine]
    inside: Ints = mine[(position > chosen.data.position[0]) & (position < chosen.data.position[-1])]
    return inside


def _without_peaks(best: Explained, chosen: Explained, answer: Answer, options: FitOptions) -> Answer:
    """The answer, or one without single peaks where these stand on the lines of a phase that is there without them.

    On four lines they do not by chance. Where an absent phase has but two or three in the range, and they stand on all
    of them, the phase is not called absent, but its verdict says so.
    """
    if not chosen.foreign_deg.size:
        return answer
    taken, lines = _taken_lines(chosen, answer.absent, best)
    many = taken >= _TAKEN_LINES
    few = answer.absent & ~many & (taken >= _FEWEST_TAKEN) & (taken == lines)
    if not np.any(many | few):
        return answer
    plain = _settle(best, answer.alternatives, options)
    if plain.absent.sum() >= max(1, answer.absent.sum()):
        return answer
    return replace(plain, contested=few & ~plain.absent)


def _is_as_good(near: Explained, found: Explained, best: tuple[Solution, FitData], peaks: Peaks) -> bool:
    """Whether a solution near the start explains the pattern as well as the best one elsewhere.

    Where both leave nothing unexplained, or one of them, the Bayesian information criterion tells. Where neither does,
    misfit of shape and background decides any sum of squares, and lines of the pattern are counted instead.
    """
    if near.is_complete != found.is_complete:
        return near.is_complete
    if near.is_complete:
        scale = min(residual_scale(one.solution, one.data) for one in (near, found))
        return near.cost(scale) <= found.cost(scale)
    mine, theirs = explained(near.solution, peaks), explained(best[0], peaks)
    return theirs <= _MANY_MORE * mine + _SOME_MORE


def _best(model: LeBailModel, tried: Sequence[tuple[Solution, FitData]]) -> tuple[Solution, FitData]:
    """The solution that explains most: least capped chi², with a fine for each background term.

    Of those that name the axes of one lattice in another order it is that next to the start.
    """
    scale = residual_scale(*min(tried, key=lambda pair: pair[0].chi2))

    def cost(pair: tuple[Solution, FitData]) -> float:
        solution, data = pair
        return capped_chi2(solution, data, scale=scale) + math.log(data.position.size) * len(data.basis)

    best = min(tried, key=cost)
    same = [pair for pair in tried if is_same_lattice(model, pair[0], best[0]) and cost(pair) < cost(best) + EQUAL_CHI2]
    return min(same, key=lambda pair: distance_from_start(model, pair[0])) if len(same) > 1 else best


def _settle(
    found: Explained, alternatives: tuple[Alternative, ...], options: FitOptions, *, least: float = DETECTION_SIGMA
) -> Answer:
    """Take away phases that are not there, so that they chase no noise and share no line, and fit the others again.

    One after the other, the weakest first, and of those alike the one farthest from its start: two phases that share
    their lines are each weak beside the other, and what the first gives up may be all that the second needs.
    """
    found = off_coincidence(with_long_background(found, terms=options.terms))
    model, data = found.model, found.data
    refined = refine(model, data, found.solution, method=options.method, loss=options.loss)
    significance, misfit = refined.evidence.significance, refined.evidence.inflation
    absent = np.zeros(significance.size, dtype=np.bool_)
    while (weak := (significance < least) & ~absent).any():
        if not refined.solution.converged:
            absent |= weak
            break
        alike = np.flatnonzero(weak & (significance < significance[weak].min() + _ALIKE_SIGMA))
        absent[max(alike, key=lambda index: phase_distance(model, refined.solution, int(index)))] = True
        held_model, values = without_absent(model, refined.solution, absent)
        solution = solve(held_model, data, values)
        refined = refine(held_model, data, solution, method=options.method, loss=options.loss, most_inflation=misfit)
        significance = np.where(absent, significance, refined.evidence.significance)
    return Answer(
        model=model,
        solution=refined.solution,
        data=refined.data,
        evidence=refined.evidence,
        absent=absent,
        significance=significance,
        foreign=found if refined.solution is found.solution else replace(found, solution=refined.solution),
        alternatives=alternatives,
    )
