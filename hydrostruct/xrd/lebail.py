"""Pattern + phases → PatternFit: the Le Bail fit, one pattern or many.

Intensities of all lines, background, cells and widths are fitted together by least squares; intensities are signed,
so that the estimate of a line that is not there has mean 0. The outcome is what a converged Le Bail or Pawley fit
aims at, with uncertainties that include those of the intensities.

References
----------
Le Bail, Duroy and Fourquet, Mater. Res. Bull. 23, 447 (1988), doi 10.1016/0025-5408(88)90019-0.
Pawley, J. Appl. Cryst. 14, 357 (1981), doi 10.1107/S0021889881009618.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.cell import Cell
from hydrostruct.material.phase import Phase
from hydrostruct.xrd.alternatives import EQUAL_CHI2, Alternative, other_cells
from hydrostruct.xrd.answer import Answer, FitOptions, report_answer, without_absent
from hydrostruct.xrd.asked_terms import (
    ASKED_WORDS,
    free_more,
    has_one_cell,
    is_rich,
    is_well_fitted,
    is_wide,
    with_asked_terms,
)
from hydrostruct.xrd.beam import with_beam_of, with_second_line
from hydrostruct.xrd.broad_phases import broadened, is_better, room_of, widths_near_limit, with_room
from hydrostruct.xrd.coincident_lines import off_coincidence
from hydrostruct.xrd.common_shape import misfits, with_common_shape
from hydrostruct.xrd.engine import Solution, fit_with_background, limit_widths, solve, start_values
from hydrostruct.xrd.first_look import Peaks, find_peaks, line_width
from hydrostruct.xrd.fit_result import PatternFit
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
from hydrostruct.xrd.instrument import held_by_instrument
from hydrostruct.xrd.left_out import fit_leaving_out, leave_out_rest
from hydrostruct.xrd.long_background import with_long_background
from hydrostruct.xrd.model import (
    MOST_BACKGROUND_TERMS,
    FitData,
    LeBailModel,
    build_model,
    fit_range,
    prepare_data,
    without_points,
)
from hydrostruct.xrd.odd_widths import OddWidths, odd_widths
from hydrostruct.xrd.pattern import BRAGG_BRENTANO, UNKNOWN, Pattern
from hydrostruct.xrd.presence import DETECTION_SIGMA, SUPPORTED_SIGMA
from hydrostruct.xrd.profile import Widths
from hydrostruct.xrd.refine import refine
from hydrostruct.xrd.same_lattice import distance_from_start, is_same_lattice, phase_distance
from hydrostruct.xrd.search import fit_evolved, may_be_elsewhere, search_cells
from hydrostruct.xrd.second_search import search_again
from hydrostruct.xrd.single_peaks import own_lines, own_parameters
from hydrostruct.xrd.tested_shift import with_tested_shift

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

__all__ = ["fit_pattern", "fit_patterns"]

_ALIKE_SIGMA = 1.0
_MANY_MORE, _SOME_MORE = 1.5, 2
_FEWEST_TAKEN, _TAKEN_LINES = 2, 4


def fit_pattern(
    pattern: Pattern,
    phases: Sequence[Phase],
    *,
    cells: Mapping[str, Mapping[str, float] | Cell] | None = None,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
    background: str | int = "auto",
    widths: Widths | None = None,
    instrument: Widths | None = None,
    free: Collection[str] = (),
    fix: Collection[str] = (),
    search: str = "auto",
    stress: Mapping[str, float] | None = None,
    wavelength_sigma_ang: float | None = None,
    distance_relative_sigma: float | None = None,
    seed: PatternFit | None = None,
    method: str = "pawley",
    loss: str = "squares",
    profile: str = "auto",
) -> PatternFit:
    """Le Bail fit of one pattern.

    Parameters
    ----------
    pattern : Pattern
        What was measured.
    phases : sequence of Phase
        What may be in it, from `read_phase`.
    cells : mapping, optional
        Start of the cell of a phase by its name: a Cell, or the free parameters (``{"a_ang": 3.70, "c_ang": 5.45}``).
    two_theta_deg : (low, high), optional
        Range, in degrees; all that was measured when left out.
    exclude_deg : sequence of (low, high)
        Regions to leave out, in degrees.
    background : "auto" or int
        Chebyshev terms; ``auto`` takes as many as the data ask for, 2 to 40.
    widths : Widths, optional
        Start of the widths; found from the data when left out.
    instrument : Widths, optional
        Widths of the instrument, from `read_widths` or `calibrate_widths`: all its terms are in the widths of every
        phase. The Gaussian ones are held; the Lorentzian ``size`` of a phase (and ``strain``, where it is freed) is
        fitted, and `PhaseFit.own_size_deg` is what it has beyond the instrument's. Signed: below 0 a phase has narrower
        lines than the instrument. The uncertainty of the instrument's widths is not in the sigmas.
    free, fix : collection of str
        What to free beyond, or to hold of, the default, which is the cells, one Gaussian ``w`` for the pattern and
        one Lorentzian ``size`` for each phase. Words: ``cell``, ``u``, ``v``, ``w``, ``p``, ``size``, ``strain``,
        ``zero``, ``displacement`` (of the sample; what it does depends on `Pattern.geometry`), and, by direction in the
        crystal, ``strain_axis``, ``strain_oblique``, ``strain_diagonal``, ``stress``, ``stress_shape`` (see
        `hydrostruct.xrd.direction`); with ``NAME:`` in front for one phase.
    search : {"auto", "never", "always"}
        Whether to look for better cells within some percent of the start; ``auto`` does so when the fit from the
        start does not convince.
    stress : mapping, optional
        Deviatoric stress Q of a phase by its name, as `hydrostruct.xrd.direction` defines it; the start where it is
        free, the value where it is not.
    wavelength_sigma_ang : float, optional
        Standard uncertainty of the wavelength, in Å: gives the systematic part.
    distance_relative_sigma : float, optional
        Relative standard uncertainty of the detector's distance: gives the systematic part. Keeps a pattern from asking
        for the displacement of a flat specimen; refused in Bragg-Brentano geometry, where there is no such distance.
    seed : PatternFit, optional
        A fit of another pattern with the same phases and free words: this one starts where that one came to rest, in
        its geometry where that of the pattern is unknown. With a displacement it must be of the pattern's.
    method : {"pawley", "le-bail"}
        All intensities by least squares, or, from the solution of that, the classical partition of the counts (see
        `hydrostruct.xrd.partition`): for comparison with other programs; where lines overlap it is the less accurate.
    loss : {"squares", "soft-l1", "cauchy"}
        What is made least once cells were found; the last two let single points far off stand apart (see
        `hydrostruct.xrd.robust`).
    profile : {"auto", "pseudo-voigt"}
        Whether to learn what all lines share beyond a pseudo-Voigt, where the misfit asks for it (see
        `hydrostruct.xrd.common_shape`), and over a wide range to free the zero, or the displacement of a flat specimen
        (see `Pattern.geometry`), ``u`` and ``v``, and to take Kα2 and axial divergence into account, where the pattern
        asks for them and they are not fixed (see `hydrostruct.xrd.asked_terms`); or never to.

    Returns
    -------
    PatternFit

    Raises
    ------
    InputError
        When the input cannot be fitted; a hard pattern returns a verdict.

    Examples
    --------
    >>> import hydrostruct as hs
    >>> angles = np.linspace(8.0, 20.0, 1200)
    >>> lines = [(15.55, 900.0), (17.98, 400.0)]
    >>> peaks = sum(h * np.exp(-4 * np.log(2) * ((angles - c) / 0.08) ** 2) for c, h in lines)
    >>> pattern = hs.Pattern(two_theta_deg=angles, intensity=peaks + 50.0, wavelength_ang=0.6199)
    >>> fit = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 3.97}})
    >>> fit.verdict.value, round(fit.phases["Au"].a_ang, 3)
    ('converged', 3.968)
    """
    fix = held_by_instrument(instrument, fix=fix, free=free, widths=widths)
    options = FitOptions.checked(
        background,
        search,
        wavelength_sigma_ang,
        distance_relative_sigma,
        method=method,
        loss=loss,
        profile=profile,
        fix=fix,
        free=free,
    )
    began = time.perf_counter()
    limits = fit_range(pattern, two_theta_deg)
    model = build_model(
        phases,
        pattern.wavelength_ang,
        two_theta_deg=limits,
        cells=cells,
        widths=widths,
        instrument=instrument,
        free=free,
        fix=fix,
        stress=stress,
        geometry=pattern.geometry,
    )
    data = prepare_data(
        pattern,
        two_theta_deg=two_theta_deg,
        exclude_deg=exclude_deg,
        background_terms=options.terms or MOST_BACKGROUND_TERMS,
        limits=limits,
    )
    model = limit_widths(model, line_width(data))
    model, values = _seeded(model, seed)
    options.check_model(model, pattern.name)
    room = {} if values is None else room_of(model, values)
    answer = _find_answer_with_room(model, data, options, seed=values, room=room)
    return report_answer(pattern, answer, options, began)


def fit_patterns(
    patterns: Sequence[Pattern],
    phases: Sequence[Phase],
    *,
    cells: Mapping[str, Mapping[str, float] | Cell] | None = None,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
    background: str | int = "auto",
    widths: Widths | None = None,
    instrument: Widths | None = None,
    free: Collection[str] = (),
    fix: Collection[str] = (),
    search: str = "auto",
    stress: Mapping[str, float] | None = None,
    wavelength_sigma_ang: float | None = None,
    distance_relative_sigma: float | None = None,
    method: str = "pawley",
    loss: str = "squares",
    profile: str = "auto",
) -> list[PatternFit]:
    """Le Bail fits of many patterns in this process, each seeded by the last one that convinced.

    A pattern whose fit from its neighbour does not convince is tried again from the start, so that one bad fit never
    poisons those after it.

    Parameters
    ----------
    patterns : sequence of Pattern
        In an order in which neighbours are alike.
    phases, cells, two_theta_deg, exclude_deg, background, widths, instrument, free, fix, search, stress : optional
        As in `fit_pattern`, the same for all patterns.
    wavelength_sigma_ang, distance_relative_sigma : float, optional
        As in `fit_pattern`.
    method, loss, profile : str
        As in `fit_pattern`.

    Returns
    -------
    list of PatternFit
        One for each pattern, in their order.

    Raises
    ------
    InputError
        As in `fit_pattern`.
    """
    fix = held_by_instrument(instrument, fix=fix, free=free, widths=widths)
    options = FitOptions.checked(
        background,
        search,
        wavelength_sigma_ang,
        distance_relative_sigma,
        method=method,
        loss=loss,
        profile=profile,
        fix=fix,
        free=free,
    )
    fits: list[PatternFit] = []
    model: LeBailModel | None = None
    data: FitData | None = None
    made_for: tuple[object, ...] = ()
    seed: Floats | None = None
    room: Mapping[str, float] = {}
    for pattern in patterns:
        began = time.perf_counter()
        limits = fit_range(pattern, two_theta_deg)
        data = prepare_data(
            pattern,
            two_theta_deg=two_theta_deg,
            exclude_deg=exclude_deg,
            background_terms=options.terms or MOST_BACKGROUND_TERMS,
            limits=limits,
            like=data,
        )
        if model is None or made_for != (pattern.wavelength_ang, pattern.geometry, *limits):
            model = build_model(
                phases,
                pattern.wavelength_ang,
                two_theta_deg=limits,
                cells=cells,
                widths=widths,
                instrument=instrument,
                free=free,
                fix=fix,
                stress=stress,
                geometry=pattern.geometry,
            )
            model = limit_widths(model, line_width(data))
            options.check_model(model, pattern.name)
            made_for, seed, room = (pattern.wavelength_ang, pattern.geometry, *limits), None, {}
        answer = _find_answer_with_room(model, data, options, seed=seed, room=room)
        if answer.solution.converged and not answer.absent.all() and not answer.alternatives:
            seed = answer.solution.values[: own_parameters(answer.model)]
            model = free_more(model, [name for name in answer.model.parameter_names if name in ASKED_WORDS])
            model = with_beam_of(model, answer.model)
            room = room_of(model, seed)
        fits.append(report_answer(pattern, answer, options, began))
    return fits


def _seeded(model: LeBailModel, seed: PatternFit | None) -> tuple[LeBailModel, Floats | None]:
    """The model with the terms that a seed was found to need, and the values of the seed."""
    if seed is None:
        return model, None
    model = free_more(model, [name for name in seed.parameter_names if name in ASKED_WORDS])
    if set(seed.parameter_names) != set(model.parameter_names):
        raise InputError("fit: the seed has other free parameters. Expected a fit with the same phases and free words.")
    if seed.second_line[1] > 0:
        model = replace(with_second_line(model) or model, second_line=seed.second_line)
    model = replace(model, axial=seed.axial, geometry=_seeded_geometry(model, seed))
    known = dict(zip(seed.parameter_names, seed.parameters, strict=True))
    return model, np.array([known[name] for name in model.parameter_names], dtype=np.float64)


def _seeded_geometry(model: LeBailModel, seed: PatternFit) -> str:
    """That of the pattern, or of the seed where it is unknown; a displacement of another meaning is refused."""
    if model.geometry == UNKNOWN:
        return seed.geometry
    if "displacement" in seed.parameter_names and (seed.geometry == BRAGG_BRENTANO) != model.reflects:
        raise InputError(
            f"fit: the seed has a displacement in {seed.geometry} geometry, and the pattern is of {model.geometry} "
            f"geometry, where it means another thing. Expected a seed of {model.geometry} geometry. Leave the seed "
            "out, or fit it again with this geometry."
        )
    return model.geometry


def _find_answer_with_room(
    model: LeBailModel, data: FitData, options: FitOptions, *, seed: Floats | None, room: Mapping[str, float]
) -> Answer:
    """The answer, with lines of a phase many times as wide as those of the others where that is better.

    A seed whose widths are beyond the limits of the model gives them room; what does not need it falls back.
    """
    if room:
        answer = _find_answer(with_room(model, room), data, options, seed=seed)
        if room.keys() <= widths_near_limit(model, answer.solution, answer.absent).keys():
            return answer
        seed = None
    answer = _find_answer(model, data, options, seed=seed)
    return _with_broad_phases(model, data, answer, options) or answer


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
    first = with_long_background(Explained(model=model, solution=nearest[0], data=nearest[1]), terms=options.terms)
    if may_ask:
        first = _with_asked(first, data, start, options) or first
    leaves_much = misfits(first.solution, first.data) or not first.is_complete
    if leaves_much and seed is None and options.search != "always":
        broad = _all_broad(first, data, options)
        if broad is not None:
            return broad
    if not is_clean and leaves_much:
        odd = odd_widths(data, first.solution.position)
        if odd.points.any():
            return _without_odd(model, data, odd, options, seed=seed, may_ask=may_ask)
    if first.model is not model:
        model, start = first.model, np.concatenate((start, first.solution.values[start.size :]))
    is_new = options.search == "auto" and seed is None
    shaped = _with_its_shape(first, options)
    doubted: Answer | None = None
    if options.search != "always":
        for one in (shaped,) if shaped is first else (shaped, first):
            if one.is_complete and not (is_new and may_be_elsewhere(model, one.solution, one.data)):
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


def _without_odd(
    model: LeBailModel, data: FitData, odd: OddWidths, options: FitOptions, *, seed: Floats | None, may_ask: bool
) -> Answer:
    """The answer without what has not the width of a line; with it, where that is all the lines of a phase."""
    clean = without_points(data, odd.points)
    answer = _find_answer(model, clean, options, seed=seed, may_ask=may_ask, is_clean=True)
    if answer.absent.any():
        whole = _find_answer(model, data, options, seed=seed, may_ask=may_ask, is_clean=True)
        follows = odd.humps.any() and misfits(whole.solution, whole.data)  # a wide line through a hump
        needs_few = 2 * whole.foreign.foreign_deg.size <= odd.spikes_deg.size + len(odd.humps_deg)
        if needs_few and not follows and whole.absent.sum() < answer.absent.sum():
            return whole
    return replace(answer, odd=odd)


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
    is_better = found.solution.converged and found.solution.chi2 <= best.solution.chi2
    return _settle(found if is_better else best, rivals, options)


def _as_explained(model: LeBailModel, pair: tuple[Solution, FitData]) -> Explained:
    return Explained(model=model, solution=pair[0], data=pair[1])


def _with_asked(found: Explained, data: FitData, start: Floats, options: FitOptions) -> Explained | None:
    """A solution with the terms that the pattern asks for; None where it asks for none."""
    model = found.model
    if options.profile != "auto" or model.asked or model.second_line[1] > 0 or model.axial > 0:
        return None
    shifted = with_tested_shift(found, data, terms=options.terms, held=options.not_asked)
    if shifted is not None:
        found, start = shifted, np.concatenate((start, shifted.solution.values[start.size :]))
    return with_asked_terms(found, data, [start], terms=options.terms, held=options.not_asked) or shifted


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


def _taken_lines(chosen: Explained, absent: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Lines of each phase in the range upon which single peaks stand, or points were left out, and how many it has.

    Of a phase that is there, those smaller than the peak. Single peaks follow any misfit of shape.
    """
    model, solution, data = chosen.model, chosen.solution, chosen.data
    single = np.flatnonzero(~own_lines(model))
    taken, lines = np.zeros((2, len(model.phases)), dtype=np.int64)
    inside = (solution.position > data.position[0]) & (solution.position < data.position[-1])
    typical = line_width(data) if np.any(absent) else 0.0  # the width of a phase that is absent may be anything
    for index in range(len(model.phases)):
        mine = np.flatnonzero((model.phase_of == index) & inside)
        wide = np.maximum(solution.width[mine], typical if absent[index] else 0.0)[:, None]
        near = np.abs(solution.position[mine][:, None] - solution.position[single]) < wide
        if absent[index]:
            left_out = np.abs(solution.position[mine][:, None] - chosen.left_out_deg) < wide
            is_taken = np.any(near, axis=1) | np.any(left_out, axis=1)
        else:
            with np.errstate(invalid="ignore"):
                larger = near & ~(solution.intensity[mine][:, None] > solution.intensity[single])
            is_taken = np.any(larger, axis=1)
        taken[index], lines[index] = np.count_nonzero(is_taken), mine.size
    return taken, lines


def _without_peaks(best: Explained, chosen: Explained, answer: Answer, options: FitOptions) -> Answer:
    """The answer, or one without single peaks where these stand on the lines of a phase that is there without them.

    On four lines they do not by chance. Where an absent phase has but two or three in the range, and they stand on all
    of them, the phase is not called absent, but its verdict says so.
    """
    if not chosen.foreign_deg.size:
        return answer
    taken, lines = _taken_lines(chosen, answer.absent)
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
