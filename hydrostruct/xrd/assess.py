"""From a least-squares solution to what can be said of the pattern and of each phase."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import Cell, cell_from_components, cell_numbers, reciprocal_components
from hydrostruct.verdict import Verdict
from hydrostruct.xrd import kernels
from hydrostruct.xrd.agreement import Agreement, agreement
from hydrostruct.xrd.common_doubts import with_common_doubts
from hydrostruct.xrd.engine import Solution, covariance
from hydrostruct.xrd.fit_notes import (
    CONTESTED,
    MISFIT_GOF,
    NEGATIVE_SIGMA,
    axis_notes,
    fit_warnings,
    followed_reasons,
    foreign_notes,
    shape_notes,
    stress_notes,
    unexplained_reason,
    width_notes,
)
from hydrostruct.xrd.fit_result import FittedLines, PatternFit, PhaseFit
from hydrostruct.xrd.line_scatter import LineScatter, line_scatter
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters, phase_slots
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.presence import DETECTION_SIGMA, gaussian_equivalent, line_significance, shares
from hydrostruct.xrd.profile import NO_WIDTHS, Widths
from hydrostruct.xrd.sector_spread import SectorSpread
from hydrostruct.xrd.single_peaks import has_peaks, own_parameters, under_peaks
from hydrostruct.xrd.slope_noise import without_slope_noise
from hydrostruct.xrd.width_sigmas import SPREAD_WORDS, instrument_notes, width_sigmas

if TYPE_CHECKING:
    from hydrostruct.xrd.part_spread import PartSpread

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_OBSERVED_SIGMA = 3.0
_LOOSE_CELL = 0.003
# Σz² of the lines of a phase, for each of them, from which on what their noise adds to it no longer counts
_STRONG_MEAN_SQUARE = 100.0
_LOOSE_SHARE = 0.3
_LIKELY = 0.9
_LARGE_PEAK = 0.2
_SURE_SIGMA = 12.0
_FAR_PLACES, _FAR_OF_FEW = 0.15, 0.05
_MANY_NEGATIVE = 2
_UNKNOWN = np.full(7, np.nan)
_CELL_NAMES = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg", "volume_ang3", "volume_per_fu_ang3")
_KINDS = ("", "_sigma", "_statistical", "_systematic")
# a_ang, … a_sigma_ang, …: the numbers of a cell as `PhaseFit` calls them
_STEMS = tuple(name.rsplit("_", 1) for name in _CELL_NAMES)
# interned, or each call with sixty keywords compares them letter by letter
_NUMBER_NAMES = tuple(sys.intern(f"{stem}{kind}_{unit}") for kind in _KINDS for stem, unit in _STEMS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Intensities of one solution with their covariance: what verdicts rest on."""

    solution: Solution
    """The solution."""
    agreement: Agreement
    """Its R factors."""
    inflation: float
    """What statistical sigmas are multiplied with for misfit, at least 1."""
    background: Floats
    """Fitted background at the points of the fit, shape (n,)."""
    intensity_sigma: Floats
    """Standard uncertainty of each line, scaled; NaN where the data cannot see it; shape (lines,)."""
    detection_scale: float
    """What `intensity_sigma` is multiplied with when the question is whether a line is there; 1 when sigma is known."""
    observed_lines: Ints
    """Lines of each phase above three standard deviations, shape (phases,)."""
    free_lines: Ints
    """Those of them that no line of another phase comes near, shape (phases,)."""
    negative_lines: Ints
    """Lines of each phase that point down by more than noise lets them: another line stands there; shape (phases,)."""
    in_range: npt.NDArray[np.bool_]
    """Lines whose core is in the data, shape (lines,)."""
    range_deg: tuple[float, float]
    """First and last angle of the data, in degrees."""
    significance: Floats
    """Of each phase, shape (phases,)."""
    share: Floats
    """Of each phase, shape (phases,)."""
    share_sigma: Floats
    """Its uncertainty, shape (phases,)."""
    parameter_covariance: Floats
    """Of the free parameters, unscaled, shape (parameters, parameters)."""
    scatter: LineScatter | None
    """How lines scatter about their places; None where they do no more than noise makes them."""


def weigh_evidence(
    model: LeBailModel,
    data: FitData,
    solution: Solution,
    *,
    spread: tuple[Ints, Floats] | None = None,
    most_inflation: float = math.inf,
) -> Evidence:
    """Uncertainties, significance and shares of one solution.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    spread : (lines, covariance), optional
        As `hydrostruct.xrd.engine.covariance` gives them, where other patterns have a say in them.
    most_inflation : float
        The most that sigmas are multiplied with for misfit. When a phase is found absent it is what the fit with its
        lines says: weak lines that may be there after all are no misfit of the others.

    Returns
    -------
    Evidence
    """
    seen, matrix = covariance(model, data, solution) if spread is None else spread
    n_linear = seen.size + len(data.basis)
    background = solution.background @ data.basis
    report = agreement(
        data.measured,
        solution.residual,
        background=background,
        weight=data.weight,
        n_parameters=n_linear + data.shape_terms + solution.held.size - int(np.count_nonzero(solution.held)),
    )
    inflation = min(report.inflation, most_inflation)
    # a guessed sigma may be far too large: whether a line is there is then judged by the residuals themselves
    doubt = 1.0 if data.sigma_is_known else min(1.0, max(report.gof, 1e-3)) ** 2
    lines = matrix[: seen.size, : seen.size].copy()
    sigma, inside, evidence, area, area_spread, observed, free, negative = kernels.weigh_lines(
        data.position,
        data.step_deg,
        solution.position,
        solution.width,
        solution.intensity,
        model.phase_of,
        len(model.phases),
        seen,
        lines,
        inflation**2,
        _OBSERVED_SIGMA * math.sqrt(doubt),
        NEGATIVE_SIGMA,
    )
    share, share_sigma = shares(area, area_spread)
    parameters = matrix[n_linear:, n_linear:]
    faint = _faint_lines(model, seen, inside, evidence, doubt)
    if faint.size:
        parameters = without_slope_noise(
            model, data, solution, covariance=matrix, lines=faint, spread=lines[np.ix_(faint, faint)] * doubt
        )
    return Evidence(
        solution=solution,
        agreement=report,
        inflation=inflation,
        background=background,
        intensity_sigma=sigma,
        detection_scale=math.sqrt(doubt),
        observed_lines=observed,
        free_lines=free,
        negative_lines=negative,
        in_range=inside,
        range_deg=(float(data.position[0]), float(data.position[-1])),
        significance=_significance(model, solution, lines, (seen, inside), evidence, doubt=doubt),
        share=share,
        share_sigma=share_sigma,
        parameter_covariance=parameters,
        scatter=line_scatter(
            model,
            data,
            solution,
            intensity_sigma=sigma,
            covariance=parameters,
            gof=report.gof,
            serial=report.serial_factor,
        ),
    )


def _faint_lines(
    model: LeBailModel, seen: Ints, inside: npt.NDArray[np.bool_], evidence: tuple[Floats, ...], doubt: float
) -> Ints:
    """Lines of phases whose lines are weak on the average, as rows of the covariance."""
    weak = evidence[0] < _STRONG_MEAN_SQUARE * doubt * evidence[2]  # and not where nothing can be said
    if not weak.any():
        return np.empty(0, dtype=np.int64)
    phase = model.phase_of[seen]
    own = np.minimum(phase, len(model.phases) - 1)
    return np.flatnonzero((phase < len(model.phases)) & weak[own] & inside[seen])


def report_fit(
    pattern: Pattern,
    model: LeBailModel,
    data: FitData,
    evidence: Evidence,
    *,
    absent: npt.NDArray[np.bool_],
    significance: Floats,
    systematic: Floats | None,
    foreign_deg: Floats,
    foreign_area: float,
    lines_left_out: bool,
    seconds: float,
    contested: npt.NDArray[np.bool_] | None = None,
    alternatives: tuple[str, ...] = (),
    ambiguous: npt.NDArray[np.bool_] | None = None,
    nameless: npt.NDArray[np.bool_] | None = None,
    sectors: SectorSpread | None = None,
    others: Sequence[Floats] = (),
    rivals: tuple[Floats, Floats, Floats] | None = None,
    shift: Floats | None = None,
    shift_reason: str = "",
    parts: PartSpread | None = None,
) -> PatternFit:
    """Put everything that a fit says into records.

    Parameters
    ----------
    pattern, model, data, evidence
        What was fitted and what came of it.
    absent : array of bool, shape (phases,)
        Phases that were found absent; their cells were held.
    significance : array, shape (phases,)
        Significance of each phase, from the fit in which its cell was free.
    systematic : array, optional, shape (phases, 7)
        Common uncertainty of a, b, c, α, β, γ, V.
    foreign_deg : array, shape (lines,)
        Lines of the pattern that no phase explains, in degrees.
    foreign_area : float
        Their area, in intensity × degrees.
    lines_left_out : bool
        Whether their points were left out; they were fitted as single peaks otherwise.
    seconds : float
        Time taken.
    contested : array of bool, optional, shape (phases,)
        Phases all of whose lines single peaks could explain as well.
    alternatives : tuple of str
        Other solutions that fit as well, in words.
    ambiguous : array of bool, optional, shape (phases,)
        Phases of which these say something else; None for none.
    nameless : array of bool, optional, shape (phases,)
        Phases that explain the same lines with the same cell as another; None for none.
    sectors : SectorSpread, optional
        How the solution scatters with the sectors of the rings: where that is more than the pattern alone says, it is
        the uncertainty.
    others : sequence of array, shape (parameters, parameters)
        Covariances by what the curvature of chi² does not know: scatter of the cells with single lines left out, from
        `hydrostruct.xrd.line_spread`, and with lines that all but coincide, from
        `hydrostruct.xrd.coincident_lines`. The largest sigma counts.
    rivals : (covariance, part, probability), optional
        From `hydrostruct.xrd.rival_cells` and `hydrostruct.xrd.near_minima`: how far other cells lie that the data
        leave, times their probability; the part of the square of each phase's sigma that stays beside it; and the
        probability of each phase's own cell.
    shift : array, optional, shape (parameters, parameters)
        From `hydrostruct.xrd.rival_shift`: what the choice between zero and displacement leaves open; or, from
        `hydrostruct.xrd.tested_shift`, that between one of them and none; and a Kα2 that may be there.
    shift_reason : str
        Why that makes the cells doubtful, in words; empty where it does not.
    parts : PartSpread, optional
        From `hydrostruct.xrd.part_spread`: what the beam leaves open, and how the solution scatters with the parts of a
        wide pattern.

    Returns
    -------
    PatternFit
    """
    if shift is not None:
        evidence = _with_shift(evidence, shift)
    if parts is not None:
        evidence = replace(evidence, parameter_covariance=evidence.parameter_covariance + parts.by_beam)
    by_parts = None if parts is None else parts.by_parts
    solution = evidence.solution
    unexplained = unexplained_reason(evidence, foreign_area)
    followed = [] if lines_left_out else followed_reasons(model, evidence, foreign_deg)
    taken = _observed_under_peaks(model, evidence)
    width_spreads = _width_spreads(model, evidence, sectors=sectors, others=others, by_parts=by_parts)
    fits = {
        phase.name: _report_phase(
            model,
            evidence,
            index,
            is_absent=bool(absent[index]),
            is_contested=contested is not None and bool(contested[index]),
            significance=float(significance[index]),
            taken=int(taken[index]),
            systematic=None if systematic is None else systematic[index],
            is_ambiguous=ambiguous is not None and bool(ambiguous[index]),
            is_nameless=nameless is not None and bool(nameless[index]),
            unexplained=" ".join(
                part for part in (unexplained, followed[index] if followed else "", shift_reason) if part
            ),
            sectors=sectors,
            others=others,
            rivals=rivals,
            by_parts=by_parts,
            width_spreads=width_spreads,
        )
        for index, phase in enumerate(model.phases)
    }
    fits = with_common_doubts(
        fits,
        cell_numbers={
            phase.name: int(np.count_nonzero(cell_parameters(model, index) >= 0))
            for index, phase in enumerate(model.phases)
        },
        followed=any(followed),
        single_peaks=0 if lines_left_out else foreign_deg.size,
        observed=int(evidence.observed_lines.sum()),
    )
    verdict, reasons = _pattern_verdict(solution, evidence, fits, alternatives)
    assert pattern.sigma is not None
    mine = own_parameters(model)
    spread = {
        name: _scaled_sigma(evidence, model.parameter_names.index(name), by_parts)
        for name in ("zero", "displacement")
        if name in model.parameter_names
    }
    return PatternFit(
        file=pattern.name,
        verdict=verdict,
        reason=" ".join(reasons),
        rp_percent=evidence.agreement.rp_percent,
        rwp_percent=evidence.agreement.rwp_percent,
        rwp_background_corrected_percent=evidence.agreement.rwp_background_corrected_percent,
        rexp_percent=evidence.agreement.rexp_percent,
        gof=evidence.agreement.gof,
        serial_factor=evidence.agreement.serial_factor,
        seconds=seconds,
        steps=solution.steps,
        phases=fits,
        two_theta_deg=pattern.two_theta_deg,
        observed=pattern.intensity,
        sigma=pattern.sigma,
        fitted=data.kept,
        calculated=_on_pattern(data, data.measured - solution.residual),
        beyond_profile=_on_pattern(data, np.zeros_like(data.intensity))
        if data.beyond_profile is None
        else _on_pattern(data, data.beyond_profile),
        background=_on_pattern(data, evidence.background),
        background_terms=len(data.basis),
        zero_deg=float(solution.slots[-2]),
        zero_sigma_deg=spread.get("zero", 0.0),
        displacement=float(solution.slots[-1]),
        displacement_sigma=spread.get("displacement", 0.0),
        parameter_names=model.parameter_names[:mine],
        parameters=solution.values[:mine],
        covariance=evidence.parameter_covariance[:mine, :mine],
        wavelength_ang=model.wavelength_ang,
        geometry=model.geometry,
        warnings=(
            *pattern.notes,
            *foreign_notes(foreign_deg, left_out=lines_left_out),
            *axis_notes(
                pattern,
                foreign_deg,
                is_strange=bool(unexplained)
                or verdict is Verdict.ABSENT
                or foreign_deg.size > int(evidence.observed_lines.sum()),
            ),
            *fit_warnings(model, evidence),
            *shape_notes(data, evidence.background),
            *width_notes(model, data, evidence),
            *stress_notes(fits),
            *(instrument_notes(fits) if model.instrument is not None else ()),
        ),
        foreign_lines_deg=foreign_deg,
    )


def _with_shift(evidence: Evidence, shift: Floats) -> Evidence:
    """The evidence with a covariance that no scale applies to added to that of the scatter of lines."""
    scatter = evidence.scatter
    if scatter is None:
        scatter = LineScatter(parameter_covariance=shift, of_width=np.zeros(evidence.share.size), zero_deg=0.0)
    else:
        scatter = replace(scatter, parameter_covariance=scatter.parameter_covariance + shift)
    return replace(evidence, scatter=scatter)


def _on_pattern(data: FitData, values: Floats) -> Floats:
    """Values at the fitted points, put in their places of the whole pattern; NaN elsewhere."""
    if values.size == data.kept.size:
        whole = values
    else:
        whole = np.full(data.kept.shape, np.nan)
        whole[data.kept] = values
    whole.setflags(write=False)
    return whole


def solution_cell(model: LeBailModel, solution: Solution, index: int) -> Cell:
    """Fitted cell of one phase."""
    components, _ = phase_slots(model, solution.slots, index)
    return cell_from_components(components, model.phases[index].system)


def _significance(
    model: LeBailModel,
    solution: Solution,
    lines: Floats,
    which: tuple[Ints, npt.NDArray[np.bool_]],
    evidence: tuple[Floats, ...],
    *,
    doubt: float,
) -> Floats:
    """How surely each phase is there, in standard deviations; see `hydrostruct.xrd.presence.line_significance`."""
    seen, inside = which
    out = np.zeros(len(model.phases))
    fitted_of = kernels.cell_counts(model.link, len(model.phases)).tolist()
    for index, (statistic, upward, count) in enumerate(zip(*(part.tolist() for part in evidence[:3]), strict=True)):
        fitted = fitted_of[index]
        if count and math.isnan(statistic):
            mine = ((model.phase_of[seen] == index) & inside[seen]).nonzero()[0]
            block = lines[mine[:, None], mine] * doubt
            out[index] = line_significance(solution.intensity[seen[mine]], block, n_fitted=fitted)
        elif count and upward > 0:
            out[index] = gaussian_equivalent(statistic / doubt, int(count) + fitted)
    return out


def _report_phase(
    model: LeBailModel,
    evidence: Evidence,
    index: int,
    *,
    is_absent: bool,
    is_contested: bool,
    significance: float,
    taken: int,
    systematic: Floats | None,
    is_ambiguous: bool,
    is_nameless: bool,
    unexplained: str,
    sectors: SectorSpread | None,
    others: Sequence[Floats],
    rivals: tuple[Floats, Floats, Floats] | None,
    by_parts: Floats | None,
    width_spreads: dict[str, dict[str, float]],
) -> PhaseFit:
    phase = model.phases[index]
    others = [*others, *([] if sectors is None else [sectors.parameter_covariance])]
    others += [] if by_parts is None else [by_parts]
    numbers = _cell_numbers(model, evidence, index, systematic, others, rivals)
    observed = int(evidence.observed_lines[index])
    free_lines = 0 if is_nameless else int(evidence.free_lines[index])
    verdict, reason = _phase_verdict(
        model,
        evidence,
        index,
        is_absent=is_absent,
        is_contested=is_contested,
        significance=significance,
        observed=observed,
        taken=taken,
        free_lines=free_lines,
        is_ambiguous=is_ambiguous,
        is_nameless=is_nameless,
        unexplained=unexplained,
        probability=1.0 if rivals is None else float(rivals[2][index]),
    )
    has_numbers = verdict not in (Verdict.ABSENT, Verdict.NOT_CONVERGED)
    if not has_numbers:
        numbers = dict.fromkeys(numbers, math.nan)
    share, share_sigma = float(evidence.share[index]), float(evidence.share_sigma[index])
    if sectors is not None and math.isfinite(share):
        share_sigma = float(np.fmax(share_sigma, sectors.share_sigma[index]))
    if not has_numbers:
        share = share_sigma = math.nan
    _, widths = phase_slots(model, evidence.solution.slots, index)
    u, v, w, p, size, strain = widths.tolist()
    widths_sigma, by_direction = width_sigmas(phase.name, width_spreads, has_numbers=has_numbers)
    return PhaseFit(
        name=phase.name,
        verdict=verdict,
        reason=reason,
        detected=not is_absent,
        significance=significance,
        share=share,
        share_sigma=share_sigma,
        free_lines=free_lines,
        widths=Widths(u_deg2=u, v_deg2=v, w_deg2=w, p_deg2=p, size_deg=size, strain_deg=strain),
        widths_sigma=widths_sigma,
        instrument=model.instrument or NO_WIDTHS,
        **by_direction,
        **_direction_numbers(model, evidence, index, volume_ang3=numbers["volume_ang3"]),
        lines=_expected_lines(model, evidence, index) if is_absent else _fitted_lines(model, evidence, index),
        **numbers,
    )


def _cell_numbers(
    model: LeBailModel,
    evidence: Evidence,
    index: int,
    systematic: Floats | None,
    others: Sequence[Floats],
    rivals: tuple[Floats, Floats, Floats] | None,
) -> dict[str, float]:
    phase = model.phases[index]
    components, _ = phase_slots(model, evidence.solution.slots, index)
    free = cell_parameters(model, index)
    values, slopes = cell_numbers(components, phase.system)
    statistical = kernels.spreads_of(slopes, evidence.parameter_covariance, free)
    sigma = statistical * evidence.inflation
    if evidence.scatter is not None:
        sigma = np.hypot(sigma, kernels.spreads_of(slopes, evidence.scatter.parameter_covariance, free))
    for covariances in others:  # what the curvature at the minimum does not know
        sigma = np.maximum(sigma, kernels.spreads_of(slopes, covariances, free))
    if rivals is not None:
        sigma = np.hypot(math.sqrt(rivals[1][index]) * sigma, kernels.spreads_of(slopes, rivals[0], free))
    common = _UNKNOWN if systematic is None else systematic
    per_fu = 1.0 / phase.formula_units if phase.formula_units else math.nan
    columns = [one.tolist() for one in (values, sigma, statistical, common)]
    numbers = [number for column in columns for number in (*column, column[6] * per_fu)]
    return dict(zip(_NUMBER_NAMES, numbers, strict=True))


def _direction_numbers(model: LeBailModel, evidence: Evidence, index: int, *, volume_ang3: float) -> dict[str, float]:
    """Strain along the axis, the terms of the stress with their sigma, and what these do to the volume."""
    base = index * kernels.PHASE_SLOTS
    slots = evidence.solution.slots
    axis, oblique, diagonal, stress, shape = slots[
        base + kernels.STRAIN_AXIS_SLOT : base + kernels.PHASE_SLOTS
    ].tolist()
    numbers = {"strain_axis_deg": axis, "strain_oblique_deg2": oblique, "strain_diagonal_deg2": diagonal}
    moved = model.link[base + kernels.STRESS_SLOT : base + kernels.PHASE_SLOTS].tolist()
    numbers["stress"], numbers["stress_shape"] = stress, shape
    for name, parameter in zip(("stress_sigma", "stress_shape_sigma"), moved, strict=True):
        numbers[name] = _scaled_sigma(evidence, parameter) if parameter >= 0 else 0.0
    numbers["stress_volume_ang3"] = 0.0
    if numbers["stress"] or numbers["stress_shape"]:
        mine = (model.phase_of == index) & evidence.in_range
        sine2 = np.sin(np.radians(evidence.solution.position[mine] / 2)) ** 2
        shape = model.terms[mine, kernels.CELL_SLOTS + 1]
        relative = (1 - 3 * sine2) * (numbers["stress"] + numbers["stress_shape"] * shape)
        numbers["stress_volume_ang3"] = 3.0 * volume_ang3 * float(np.mean(relative)) if relative.size else 0.0
    return numbers


def _scaled_sigma(evidence: Evidence, parameter: int, by_parts: Floats | None = None) -> float:
    """Uncertainty of a free parameter, with the scatter of the lines and that of the parts of the pattern."""
    sigma = math.sqrt(max(float(evidence.parameter_covariance[parameter, parameter]), 0.0))
    sigma *= evidence.inflation
    if evidence.scatter is not None:
        scattered = float(evidence.scatter.parameter_covariance[parameter, parameter])
        sigma = math.hypot(sigma, math.sqrt(max(scattered, 0.0)))
    return sigma if by_parts is None else max(sigma, math.sqrt(max(float(by_parts[parameter, parameter]), 0.0)))


def _width_spreads(
    model: LeBailModel,
    evidence: Evidence,
    *,
    sectors: SectorSpread | None,
    others: Sequence[Floats],
    by_parts: Floats | None,
) -> dict[str, dict[str, float]]:
    """Uncertainty of each free width by phase and word; NaN for one that rests on its limit."""
    others = [*others, *([] if sectors is None else [sectors.parameter_covariance])]
    held = evidence.solution.held.tolist()
    found: dict[str, dict[str, float]] = {}
    for at, name in enumerate(model.parameter_names):
        word, _, phase = name.partition(":")
        if word in SPREAD_WORDS:
            sigma = math.nan if held[at] else _scaled_sigma(evidence, at, by_parts)
            for covariances in others:
                sigma = max(sigma, math.sqrt(max(float(covariances[at, at]), 0.0)))
            found.setdefault(phase, {})[word] = sigma
    return found


def _observed_under_peaks(model: LeBailModel, evidence: Evidence) -> Ints:
    """Observed lines of each phase upon which a large single peak stands, shape (phases,)."""
    if not has_peaks(model):
        return np.zeros(len(model.phases), dtype=np.int64)
    with np.errstate(invalid="ignore"):
        least = _OBSERVED_SIGMA * evidence.detection_scale * evidence.intensity_sigma
        observed = evidence.in_range & (evidence.solution.intensity > least)
    lines = np.flatnonzero(observed & under_peaks(model, evidence.solution, _LARGE_PEAK))
    return np.bincount(model.phase_of[lines], minlength=len(model.phases))


def _expected_lines(model: LeBailModel, evidence: Evidence, index: int) -> FittedLines:
    """Where a phase that is absent would have its lines, by its start; without intensities."""
    components = np.zeros(model.terms.shape[1])
    known = reciprocal_components(model.start_cells[index], model.phases[index].system)
    components[: known.size] = known
    mine = model.reflections_of[index]
    sine = 0.5 * model.wavelength_ang * np.sqrt(model.terms[model.reflection_line[mine]] @ components)
    position = np.degrees(2.0 * np.arcsin(np.minimum(sine, 1.0)))
    low, high = evidence.range_deg
    mine, position = mine[(position > low) & (position < high)], position[(position > low) & (position < high)]
    order = np.argsort(position, kind="stable")
    nothing = np.full(order.size, np.nan)
    return FittedLines(
        hkl=model.reflection_hkl[mine[order]],
        multiplicity=model.reflection_multiplicity[mine[order]],
        two_theta_deg=position[order],
        width_deg=nothing,
        intensity=nothing,
        intensity_sigma=nothing,
    )


def _fitted_lines(model: LeBailModel, evidence: Evidence, index: int) -> FittedLines:
    solution = evidence.solution
    mine, known = kernels.seen_reflections(
        model.reflections_of[index],
        model.reflection_line,
        model.members,
        evidence.in_range,
        solution.position,
        solution.width,
        solution.intensity,
        evidence.intensity_sigma,
    )
    position, width, intensity, sigma = known
    return FittedLines(
        hkl=model.reflection_hkl[mine],
        multiplicity=model.reflection_multiplicity[mine],
        two_theta_deg=position,
        width_deg=width,
        intensity=intensity,
        intensity_sigma=sigma,
    )


def _phase_verdict(
    model: LeBailModel,
    evidence: Evidence,
    index: int,
    *,
    is_absent: bool,
    is_contested: bool,
    significance: float,
    observed: int,
    taken: int,
    free_lines: int,
    is_ambiguous: bool,
    is_nameless: bool,
    unexplained: str,
    probability: float,
) -> tuple[Verdict, str]:
    if is_absent and is_nameless:
        return Verdict.ABSENT, "Another phase, with the same cell, took all lines that it would have; it may be either."
    if is_absent:
        return Verdict.ABSENT, "No line of it stands above the noise; the fit goes without it."
    if not evidence.solution.converged:
        return Verdict.NOT_CONVERGED, "The fit did not come to rest."
    moved = [parameter for parameter in cell_parameters(model, index).tolist() if parameter >= 0]
    if any(evidence.solution.held[parameter] for parameter in moved):
        return Verdict.NOT_CONVERGED, "The cell ran into its limit, 5 % from the start."
    reasons = []
    if any(_relative_sigma(evidence, parameter) > 2 * _LOOSE_CELL for parameter in moved[:3]):
        reasons.append("The data hold at least one axis to no better than 0.3 %.")
    if significance < DETECTION_SIGMA:
        reasons.append(f"Its lines lie where the pattern has lines, but amount to {significance:.1f} sigma only.")
    if is_contested:
        reasons.append(CONTESTED)
    if probability < _LIKELY:
        reasons.append(
            f"Other cells within 3 % would explain its weak lines too (probability of this one {probability:.2g}); "
            "sigma covers them."
        )
    if moved and observed <= len(moved):
        reasons.append(
            f"{observed} line(s) above 3 sigma hold {len(moved)} cell parameter(s): others could fit as well."
        )
    elif moved and observed - taken <= len(moved):
        reasons.append(
            f"Single peaks stand upon {taken} of its {observed} lines above 3 sigma, and the rest hold "
            f"{len(moved)} cell parameter(s): others could fit as well."
        )
    if not math.isfinite(evidence.share[index]):
        reasons.append("The lines of all phases together are not above 0 by three times their uncertainty.")
    if len(model.phases) > 1 and free_lines == 0:
        reasons.append("Every observed line of it could belong to another phase.")
    elif len(model.phases) > 1 and free_lines < len(moved) and significance < _SURE_SIGMA:
        reasons.append(
            f"It is weak, and only {free_lines} of its lines above 3 sigma lie apart from those of other phases: what "
            "these leave may be taken for it."
        )
    if evidence.share_sigma[index] > _LOOSE_SHARE:
        reasons.append("Its lines lie so close to another phase's that the data do not say whose they are.")
    negative = int(evidence.negative_lines[index])
    if negative >= _MANY_NEGATIVE:
        reasons.append(f"{negative} lines of it are negative by more than {NEGATIVE_SIGMA:g} sigma: its cell is wrong.")
    if evidence.scatter is not None and evidence.scatter.is_of_few and evidence.scatter.of_width[index] > _FAR_OF_FEW:
        reasons.append(
            "Its lines, or those of another phase, do not lie where one cell puts them, and are too few to say why: a "
            "zero, another cell, or a stress. Sigma counts the scatter."
        )
    elif evidence.scatter is not None and evidence.scatter.of_width[index] > _FAR_PLACES:
        reasons.append(
            f"Its lines scatter about the places of one cell by {100 * evidence.scatter.of_width[index]:.0f} % of "
            "their width: few grains, another cell, or not its lines; sigma counts the scatter."
        )
    if evidence.scatter is not None and evidence.scatter.zero_deg:
        reasons.append(
            f"The lines lie as a shift of the zero of {evidence.scatter.zero_deg:.3f}° would put them, which sigma "
            "does not know. Free zero, or displacement."
        )
    if unexplained:
        reasons.append(unexplained)
    if is_nameless:
        return Verdict.AMBIGUOUS, " ".join(["Another phase would explain the same lines with the same cell.", *reasons])
    if is_ambiguous:
        return Verdict.AMBIGUOUS, " ".join(["Other cells fit as well.", *reasons])
    return (Verdict.DOUBTFUL if reasons else Verdict.CONVERGED), " ".join(reasons)


def _relative_sigma(evidence: Evidence, parameter: int) -> float:
    """Scaled uncertainty of a free parameter over its value."""
    variance = max(float(evidence.parameter_covariance[parameter, parameter]), 0.0)
    return math.sqrt(variance) * evidence.inflation / abs(float(evidence.solution.values[parameter]))


def _pattern_verdict(
    solution: Solution, evidence: Evidence, fits: dict[str, PhaseFit], alternatives: tuple[str, ...]
) -> tuple[Verdict, list[str]]:
    verdicts = {fit.verdict for fit in fits.values()}
    missing = [name for name, fit in fits.items() if fit.verdict is Verdict.ABSENT]
    if len(missing) == len(fits):
        reasons = ["No line of any of the phases stands above the noise."]
        if evidence.agreement.gof > MISFIT_GOF / 2:
            reasons.append(
                f"The misfit is far above it (GOF {evidence.agreement.gof:.3g}), so that weak lines may be there. Take "
                "more background terms, or leave out what is not a line."
            )
        return Verdict.ABSENT, reasons
    reasons = [f"{', '.join(missing)}: absent."] if missing else []
    if not solution.converged:
        return Verdict.NOT_CONVERGED, [f"The fit did not come to rest in {solution.steps} steps.", *reasons]
    if alternatives:
        return Verdict.AMBIGUOUS, ["Other solutions fit as well:", *alternatives, *reasons]
    unsound = (Verdict.DOUBTFUL, Verdict.NOT_CONVERGED)
    reasons += [f"{name}: {fit.reason}" for name, fit in fits.items() if fit.verdict in unsound]
    if evidence.agreement.gof > MISFIT_GOF:
        reasons.append(
            f"GOF is {evidence.agreement.gof:.3g}: the misfit is far above the noise; sigma is scaled for it."
        )
    return (Verdict.DOUBTFUL if verdicts & set(unsound) else Verdict.CONVERGED), reasons
