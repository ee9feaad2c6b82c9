"""What was decided about one pattern, and how it is told: the options of a fit, its answer, the record of it."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.cell import cell_array
from hydrostruct.xrd.alternatives import Alternative, other_names
from hydrostruct.xrd.asked_terms import asked_notes
from hydrostruct.xrd.assess import report_fit
from hydrostruct.xrd.coincident_lines import spread_at_coincidence
from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.kernels import CELL_SLOTS, PHASE_SLOTS
from hydrostruct.xrd.line_spread import spread_over_lines
from hydrostruct.xrd.model import FitData, LeBailModel, hold
from hydrostruct.xrd.near_minima import weigh_minima
from hydrostruct.xrd.odd_widths import OddWidths
from hydrostruct.xrd.part_spread import part_spread
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.refine import check_refinement
from hydrostruct.xrd.rival_cells import weigh_rivals
from hydrostruct.xrd.rival_shift import shift_covariance
from hydrostruct.xrd.same_lattice import solution_cell
from hydrostruct.xrd.sector_spread import spread_over_sectors
from hydrostruct.xrd.tested_second import untold_second
from hydrostruct.xrd.tested_shift import UntoldShift, untold_shift

Floats = npt.NDArray[np.float64]

_SEARCH_WORDS = ("auto", "never", "always")
PROFILES = ("auto", "pseudo-voigt")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One solution with the data it was fitted to."""

    model: LeBailModel
    """The phases, and single peaks for lines that are none of theirs."""
    solution: Solution
    """Where the fit came to rest."""
    data: FitData
    """What it was fitted to."""
    evidence: Evidence
    """Its uncertainties."""
    absent: npt.NDArray[np.bool_]
    """Phases that are not there, shape (phases,)."""
    significance: Floats
    """Of each phase, from the fit in which its cell was free, shape (phases,)."""
    foreign: Explained
    """What belongs to no phase."""
    alternatives: tuple[Alternative, ...]
    """Other solutions that fit as well."""
    contested: npt.NDArray[np.bool_] | None = None
    """Phases all of whose lines single peaks could explain as well, shape (phases,); None for none."""
    beam_is_known: bool = False
    """Whether `evidence` has in it what Kα2 and axial divergence, found from the lines, leave open."""
    shift: UntoldShift | None = None
    """What it leaves open that the shift common to a map may be another; None to ask the pattern itself."""
    odd: OddWidths | None = None
    """What was left out since it has not the width of a line; None where nothing was."""
    beside: tuple[Solution, ...] = ()
    """Other minima of χ² that the data leave, from `hydrostruct.xrd.near_minima`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FitOptions:
    """The words of a fit, checked."""

    terms: int | None
    """Background terms; None for as many as the data ask for."""
    search: str
    """Whether to look for other cells: auto, never or always."""
    wavelength_sigma_ang: float | None
    """Standard uncertainty of the wavelength, in Å; None when it is not given."""
    distance_relative_sigma: float | None
    """Relative standard uncertainty of the detector's distance; None when it is not given."""
    method: str = "pawley"
    """How intensities are found in the end: pawley or le-bail."""
    loss: str = "squares"
    """What is made least in the end: squares, soft-l1 or cauchy."""
    profile: str = "auto"
    """Whether lines may have a shape of their own in common: auto, or pseudo-voigt for never."""
    held: frozenset[str] = frozenset()
    """Words that the user holds."""
    freed: frozenset[str] = frozenset()
    """Words that the user freed."""

    @property
    def not_asked(self) -> frozenset[str]:
        """Words that no pattern may ask for: held by the user, or of another geometry than that of the distance."""
        return self.held if self.distance_relative_sigma is None else self.held | {"displacement"}

    def check_model(self, model: LeBailModel, where: str) -> None:
        """Refuse an uncertainty of the distance of a detector in a geometry that has no such distance."""
        if self.distance_relative_sigma is not None and model.reflects:
            raise InputError(
                f"fit: {where or 'the pattern'} is of bragg-brentano geometry, and an uncertainty of the detector's "
                "distance was given. Expected none: a goniometer has no such distance. Leave it out; the place of the "
                "specimen is fitted as displacement."
            )

    @staticmethod
    def checked(
        background: str | int,
        search: str,
        wavelength_sigma_ang: float | None,
        distance_relative_sigma: float | None,
        *,
        method: str = "pawley",
        loss: str = "squares",
        profile: str = "auto",
        fix: Collection[str] = (),
        free: Collection[str] = (),
    ) -> FitOptions:
        """Refuse what cannot be meant."""
        if search not in _SEARCH_WORDS:
            raise InputError(f"fit: search is {search!r}. Expected one of {', '.join(_SEARCH_WORDS)}.")
        if profile not in PROFILES:
            raise InputError(f"fit: profile is {profile!r}. Expected one of {', '.join(PROFILES)}.")
        check_refinement(method, loss)
        terms = None if background == "auto" else background
        if terms is not None and (not isinstance(terms, int) or not 1 <= terms <= 60):
            raise InputError(f"fit: background is {background!r}. Expected 'auto' or 1 to 60 terms.")
        for what, value in (("wavelength", wavelength_sigma_ang), ("distance", distance_relative_sigma)):
            if value is not None and not (math.isfinite(value) and 0 <= value < 0.1):
                raise InputError(f"fit: the uncertainty of the {what} is {value:g}. Expected 0 to 0.1.")
        return FitOptions(
            terms=terms,
            search=search,
            wavelength_sigma_ang=wavelength_sigma_ang,
            distance_relative_sigma=distance_relative_sigma,
            method=method,
            loss=loss,
            profile=profile,
            held=frozenset(fix),
            freed=frozenset(free),
        )


def without_absent(model: LeBailModel, solution: Solution, absent: npt.NDArray[np.bool_]) -> tuple[LeBailModel, Floats]:
    """The model without the lines of absent phases, and the values with their cells back at the start.

    Parameters
    ----------
    model, solution
        What was fitted and where it came to rest.
    absent : array of bool, shape (phases,)
        Phases that are not there.

    Returns
    -------
    model : LeBailModel
        Their parameters stay in the list, held, so that a fit can be a seed for a pattern in which they are there.
    values : array, shape (parameters,)
    """
    if not absent.any():
        return model, solution.values
    gone = [phase.name for phase, missing in zip(model.phases, absent, strict=True) if missing]
    values, held = solution.values.copy(), np.zeros(solution.values.size, dtype=np.bool_)
    for index, name in enumerate(model.parameter_names):
        word, _, rest = name.partition(":")
        if (rest.rpartition(":")[0] if word == "cell" else rest) in gone:
            held[index] = True
            values[index] = model.start[index] if word == "cell" else values[index]
    without = hold(model, values, held)
    for phase in np.flatnonzero(absent):
        without.slots[phase * PHASE_SLOTS : phase * PHASE_SLOTS + CELL_SLOTS] = np.nan
    return without, values


def _systematic(model: LeBailModel, answer: Answer, options: FitOptions) -> Floats | None:
    """What wavelength and distance do to a, b, c, α, β, γ, V of each phase: half the change between ± one sigma."""
    if options.wavelength_sigma_ang is None and options.distance_relative_sigma is None:
        return None
    moved = []
    if options.wavelength_sigma_ang:
        pair = [
            replace(model, wavelength_ang=model.wavelength_ang + sign * options.wavelength_sigma_ang)
            for sign in (1, -1)
        ]
        moved.append(pair)
    if options.distance_relative_sigma:
        pair = []
        for sign in (1, -1):
            slots = model.slots.copy()
            slots[-1] += sign * options.distance_relative_sigma
            pair.append(replace(model, slots=slots))
        if model.link[-1] < 0:
            moved.append(pair)
    square = np.zeros((len(model.phases), 7))
    for pair in moved:
        ends = [_cell_table(other, _resettled(other, answer)) for other in pair]
        square += ((ends[0] - ends[1]) / 2) ** 2
    return np.sqrt(square)


def _rivals(model: LeBailModel, answer: Answer) -> tuple[Floats, Floats, Floats] | None:
    """What other cells leave open, what part of sigma that is not in, and how likely each phase's own cell is.

    None where no other was weighed.
    """
    far = weigh_rivals(model, answer.data, answer.evidence, absent=answer.absent)
    if not answer.beside:
        return None if far is None else (far.parameter_covariance, far.probability, far.probability)
    near = weigh_minima(model, answer.data, answer.evidence, answer.beside)
    if far is None:
        return near.parameter_covariance, np.ones(near.probability.size), near.probability
    return far.parameter_covariance + near.parameter_covariance, far.probability, far.probability * near.probability


def _resettled(model: LeBailModel, answer: Answer) -> Solution:
    held_model, values = without_absent(model, answer.solution, answer.absent)
    return solve(held_model, answer.data, values)


def _cell_table(model: LeBailModel, solution: Solution) -> Floats:
    cells = [solution_cell(model, solution, index) for index in range(len(model.phases))]
    return np.array([np.append(cell_array(cell), cell.volume_ang3) for cell in cells])


def report_answer(pattern: Pattern, answer: Answer, options: FitOptions, began: float) -> PatternFit:
    """Put an answer into a record, with the systematic part and the spread over the sectors of the rings.

    Parameters
    ----------
    pattern : Pattern
        What was measured.
    answer : Answer
        What came of it.
    options : FitOptions
        Say which systematic parts are wanted.
    began : float
        When the fit began, by `time.perf_counter`.

    Returns
    -------
    PatternFit
    """
    systematic = _systematic(answer.model, answer, options)
    model = without_absent(answer.model, answer.solution, answer.absent)[0]
    sectors = None
    if pattern.sector_changes is not None and answer.solution.converged:
        changes = pattern.sector_changes[:, answer.data.kept]
        sectors = spread_over_sectors(model, answer.data, answer.solution, changes, answer.evidence.in_range)
    spreads = (spread_over_lines, spread_at_coincidence) if answer.solution.converged else ()
    others = [spread(model, answer.data, answer.evidence) for spread in spreads]
    untold, shift = answer.shift, None
    if untold is None:
        shift = shift_covariance(model, answer.data, answer.solution, held=options.not_asked)
    if untold is None and shift is None and answer.solution.converged and options.profile == "auto":
        scatter = answer.evidence.scatter
        scatters = scatter is not None and not scatter.is_of_widths
        untold = untold_shift(model, answer.data, answer.solution, held=options.not_asked, scatters=scatters)
    second = None
    if answer.shift is None and answer.solution.converged and options.profile == "auto":
        second = untold_second(model, answer.data, answer.solution, held=options.not_asked)
    open_parts = [one.covariance for one in (untold, second) if one is not None]
    open_parts += [] if shift is None else [shift]
    rivals = _rivals(model, answer)
    # of cells that differ for absent phases alone nothing is told
    alternatives = [one for one in answer.alternatives if np.any(one.concerns & ~answer.absent)]
    names = other_names(answer.model, answer.evidence, answer.absent) if answer.solution.converged else ()
    fit = report_fit(
        pattern,
        model,
        answer.data,
        answer.evidence,
        absent=answer.absent,
        significance=answer.significance,
        systematic=systematic,
        foreign_deg=answer.foreign.foreign_deg,
        foreign_area=answer.foreign.foreign_area,
        contested=answer.contested,
        lines_left_out=bool(answer.foreign.left_out_deg.size),
        seconds=time.perf_counter() - began,
        alternatives=tuple(one.words for one in (*alternatives, *names)),
        ambiguous=np.any([one.concerns for one in alternatives], axis=0) if alternatives else None,
        nameless=np.any([one.concerns for one in names], axis=0) if names else None,
        sectors=sectors,
        others=[one for one in others if one is not None],
        shift=np.sum(open_parts, axis=0) if open_parts else None,
        shift_reason=" ".join(one.reason for one in (untold, second) if one is not None and one.reason),
        parts=part_spread(model, answer.data, answer.evidence, beam_is_known=answer.beam_is_known)
        if answer.solution.converged
        else None,
        rivals=rivals,
    )
    if answer.odd is not None:
        foreign = answer.odd.foreign_to(answer.solution.position)
        fit = replace(
            fit,
            warnings=(*fit.warnings, *answer.odd.notes),
            foreign_lines_deg=np.sort(np.concatenate((fit.foreign_lines_deg, foreign))),
        )
    notes = asked_notes(answer.model, answer.solution, options.freed)
    if not notes:
        return fit
    return replace(
        fit,
        warnings=(*fit.warnings, *notes),
        second_line=answer.model.second_line,
        axial=answer.model.axial,
    )
