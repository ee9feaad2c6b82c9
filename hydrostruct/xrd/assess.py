"""From what a solution says of its lines to the record of a fit: every number of it, and its uncertainty."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import cell_numbers, reciprocal_components
from hydrostruct.verdict import Verdict
from hydrostruct.xrd import kernels
from hydrostruct.xrd.broad_shares import share_sigmas
from hydrostruct.xrd.common_doubts import with_common_doubts
from hydrostruct.xrd.evidence import OBSERVED_SIGMA, Evidence
from hydrostruct.xrd.fit_notes import (
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
from hydrostruct.xrd.fit_verdict import PhaseFindings, pattern_verdict, phase_verdict
from hydrostruct.xrd.line_scatter import LineScatter
from hydrostruct.xrd.model import FitData, LeBailModel, cell_parameters, phase_slots
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.profile import NO_WIDTHS, Widths
from hydrostruct.xrd.sector_spread import SectorSpread
from hydrostruct.xrd.single_peaks import has_peaks, own_parameters, under_peaks
from hydrostruct.xrd.width_sigmas import SPREAD_WORDS, instrument_notes, width_sigmas

if TYPE_CHECKING:
    from hydrostruct.xrd.part_spread import PartSpread

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LARGE_PEAK = 0.2
_UNKNOWN = np.full(7, np.nan)
_CELL_NAMES = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg", "volume_ang3", "volume_per_fu_ang3")
_KINDS = ("", "_sigma", "_statistical", "_systematic")
# a_ang, … a_sigma_ang, …: the numbers of a cell as `PhaseFit` calls them
_STEMS = tuple(name.rsplit("_", 1) for name in _CELL_NAMES)
# interned, or each call with sixty keywords compares them letter by letter
_NUMBER_NAMES = tuple(sys.intern(f"{stem}{kind}_{unit}") for kind in _KINDS for stem, unit in _STEMS)


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
    share_spread = share_sigmas(model, evidence)
    width_spreads = _width_spreads(model, evidence, sectors=sectors, others=others, by_parts=by_parts)
    fits = {
        phase.name: _report_phase(
            model,
            evidence,
            index,
            PhaseFindings(
                is_absent=bool(absent[index]),
                is_contested=_says(contested, index),
                significance=float(significance[index]),
                taken=int(taken[index]),
                free_lines=0 if _says(nameless, index) else int(evidence.free_lines[index]),
                is_ambiguous=_says(ambiguous, index),
                is_nameless=_says(nameless, index),
                unexplained=" ".join(
                    part for part in (unexplained, followed[index] if followed else "", shift_reason) if part
                ),
                probability=1.0 if rivals is None else float(rivals[2][index]),
            ),
            share_sigma=float(share_spread[index]),
            systematic=None if systematic is None else systematic[index],
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
        cell_numbers=dict(zip(fits, kernels.cell_counts(model.link, len(model.phases)).tolist(), strict=True)),
        followed=any(followed),
        single_peaks=0 if lines_left_out else foreign_deg.size,
        observed=int(evidence.observed_lines.sum()),
    )
    verdict, reasons = pattern_verdict(evidence, fits, alternatives)
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


def _says(flags: npt.NDArray[np.bool_] | None, index: int) -> bool:
    return flags is not None and bool(flags[index])


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


def _report_phase(
    model: LeBailModel,
    evidence: Evidence,
    index: int,
    findings: PhaseFindings,
    *,
    share_sigma: float,
    systematic: Floats | None,
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
    verdict, reason = phase_verdict(model, evidence, index, findings)
    has_numbers = verdict not in (Verdict.ABSENT, Verdict.NOT_CONVERGED)
    if not has_numbers:
        numbers = dict.fromkeys(numbers, math.nan)
    share = float(evidence.share[index])
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
        detected=not findings.is_absent,
        significance=findings.significance,
        share=share,
        share_sigma=share_sigma,
        free_lines=findings.free_lines,
        widths=Widths(u_deg2=u, v_deg2=v, w_deg2=w, p_deg2=p, size_deg=size, strain_deg=strain),
        widths_sigma=widths_sigma,
        instrument=model.instrument or NO_WIDTHS,
        **by_direction,
        **_direction_numbers(model, evidence, index, volume_ang3=numbers["volume_ang3"]),
        lines=(_expected_lines if findings.is_absent else _fitted_lines)(model, evidence, index),
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
        least = OBSERVED_SIGMA * evidence.detection_scale * evidence.intensity_sigma
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
