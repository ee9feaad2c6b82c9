"""The patterns of a map made ready for one fit: the model of each point, and what the points have in common."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import FREE_PARAMETERS, Cell, make_cell
from hydrostruct.material.phase import Phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.asked_terms import ASKED_WORDS, free_more
from hydrostruct.xrd.beam import BEAM_WORDS, beam_value
from hydrostruct.xrd.common_shape import without_shape
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.kernels import CELL_SLOTS, PHASE_SLOTS, weighted_gram
from hydrostruct.xrd.model import (
    FitData,
    LeBailModel,
    build_model,
    hold,
    phase_slots,
    prepare_data,
    without_points,
)
from hydrostruct.xrd.pattern import BRAGG_BRENTANO, Pattern
from hydrostruct.xrd.profile import WIDTH_NAMES
from hydrostruct.xrd.single_peaks import with_peaks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_OWN_TERMS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class FitPoint:
    """One pattern of the map, ready for the fit."""

    number: int
    """Its place among the patterns."""
    model: LeBailModel
    """Its phases and single peaks."""
    data: FitData
    """Its points; the basis holds its own background terms only."""
    polynomials: Floats
    """What the common background shape is made of, at its points, shape (shape terms, n)."""
    beam: tuple[str, ...]
    """What of the beam is fitted, of `hydrostruct.xrd.beam.BEAM_WORDS`: then it is common to all points."""
    shared: Ints
    """For each parameter of the model, then each shape term, then each word of the beam, the number of the common one,
    -1 for its own."""
    absent: Bools
    """Phases that are not there, shape (phases,)."""
    start: Floats
    """Where its parameters start, shape (parameters,)."""
    left_out_deg: Floats
    """Places of lines of no phase whose points its own fit left out, in degrees, shape (lines,)."""


def can_take_part(fit: PatternFit) -> bool:
    """Whether a pattern has something to say for the map: its own fit came to rest and found a phase."""
    return fit.verdict in (Verdict.CONVERGED, Verdict.DOUBTFUL, Verdict.AMBIGUOUS) and any(
        phase.detected for phase in fit.phases.values()
    )


def prepare_points(
    patterns: Sequence[Pattern],
    phases: Sequence[Phase],
    fits: Sequence[PatternFit],
    *,
    words: frozenset[str],
    free: Collection[str],
    settings: Mapping[str, Any],
) -> tuple[list[FitPoint], tuple[str, ...], Floats]:
    """Make the points of a map ready.

    Parameters
    ----------
    patterns, phases
        What was measured, and what may be in it.
    fits : sequence of PatternFit
        Of each pattern by itself.
    words : frozenset of str
        What is common: ``zero``, ``displacement``, ``widths``, ``background``.
    free : collection of str
        As in `fit_pattern`.
    settings : mapping
        ``cells``, ``widths``, ``instrument``, ``fix``, ``stress``, as in `fit_pattern`; range and exclusions are
        those of the fits.

    Returns
    -------
    points : list of FitPoint
        Those that take part.
    names : tuple of str
        Of what they have in common.
    start : array, shape (names,)
        Where that starts.
    """
    taking = [number for number, fit in enumerate(fits) if can_take_part(fit)]
    limits = [_limits(fits[number]) for number in taking]
    span = (min(low for low, _ in limits), max(high for _, high in limits))
    asked = [_asked_words([fits[number] for number in taking], fits[number], words) for number in taking]
    models = [
        _own_model(phases, fits[number], free=free, asked=more, settings=settings)
        for number, more in zip(taking, asked, strict=True)
    ]
    beam: tuple[str, ...] = ()
    if words:
        models, beam = _with_common_beam(models, words)
    names, start = _shared_start(models, words)
    shape = _background_shape([fits[number] for number in taking], span) if "background" in words else np.empty(0)
    names = (*names, *(f"background:{_OWN_TERMS + term}" for term in range(shape.size)), *beam)
    points = [
        _point(number, patterns[number], fits[number], mine, names=names, shape_terms=shape.size, span=span, beam=beam)
        for number, mine in zip(taking, models, strict=True)
    ]
    return points, names, np.concatenate((start, shape, [beam_value(models[0][0], word) for word in beam]))


def _asked_words(fits: Sequence[PatternFit], mine: PatternFit, words: frozenset[str]) -> list[str]:
    """Words that the point's own fit freed because the pattern asks for them; with common widths those of all points.

    One shift of the lines is enough: where one is common, no point has the other as well.
    """
    asked = [name for name in mine.parameter_names if name in ASKED_WORDS]
    if {"zero", "displacement"} & words:
        asked = [name for name in asked if name not in ("zero", "displacement")]
    if "widths" in words:
        asked += [name for name in ("u", "v") if any(name in fit.parameter_names for fit in fits)]
    return list(dict.fromkeys(asked))


def _with_common_beam(
    models: Sequence[tuple[LeBailModel, Floats, Bools]], words: frozenset[str]
) -> tuple[list[tuple[LeBailModel, Floats, Bools]], tuple[str, ...]]:
    """The models with one beam, that of the points which saw more of it than a wavelength, and what of it is fitted."""
    doubles = [model for model, _, _ in models if model.second_line[1] > 0]
    leaning = [model.axial for model, _, _ in models if model.axial > 0]
    beam: dict[str, Any] = {}
    if doubles:
        part = float(np.median([model.second_line[1] for model in doubles]))
        beam |= {"wavelength_ang": doubles[0].wavelength_ang, "second_line": (doubles[0].second_line[0], part)}
    if leaning:
        beam["axial"] = float(np.median(leaning))
    if "displacement" in words and any(model.reflects for model, _, _ in models):
        beam["geometry"] = BRAGG_BRENTANO  # what is common must move the lines of all points alike
    common = [(replace(model, **beam), values, absent) for model, values, absent in models] if beam else list(models)
    return common, tuple(word for word in BEAM_WORDS if word in beam)


def _limits(fit: PatternFit) -> tuple[float, float]:
    """First and last angle that took part in a fit, in degrees."""
    angles = fit.two_theta_deg[fit.fitted]
    return float(angles[0]), float(angles[-1])


def _point(
    number: int,
    pattern: Pattern,
    fit: PatternFit,
    mine: tuple[LeBailModel, Floats, Bools],
    *,
    names: tuple[str, ...],
    shape_terms: int,
    span: tuple[float, float],
    beam: tuple[str, ...],
) -> FitPoint:
    """One point at the angles of its own fit, with the background terms that it needs."""
    model, values, absent = mine
    data = prepare_data(pattern, two_theta_deg=_limits(fit), background_terms=1)
    data = without_shape(without_points(data, ~fit.fitted[data.kept]), fit.beyond_profile[fit.fitted])
    own = _OWN_TERMS if shape_terms else fit.background_terms
    whole = _polynomials(data.position, span, max(own, _OWN_TERMS + shape_terms))
    basis = np.ascontiguousarray(whole[:own])
    return FitPoint(
        number=number,
        model=model,
        data=replace(data, basis=basis, gram=weighted_gram(basis, data.weight)),
        polynomials=whole[_OWN_TERMS : _OWN_TERMS + shape_terms],
        beam=beam,
        shared=np.array(
            [names.index(name) if name in names else -1 for name in model.parameter_names]
            + [names.index(f"background:{_OWN_TERMS + term}") for term in range(shape_terms)]
            + [names.index(word) for word in beam],
            dtype=np.int64,
        ),
        absent=absent,
        start=values,
        left_out_deg=_strangers(fit)[1],
    )


def _own_model(
    phases: Sequence[Phase],
    fit: PatternFit,
    *,
    free: Collection[str],
    asked: Sequence[str],
    settings: Mapping[str, Any],
) -> tuple[LeBailModel, Floats, Bools]:
    """Model of one point with the single peaks of its own fit, its start, and the phases that are not there."""
    limits = _limits(fit)
    cells = dict(settings["cells"] or {})
    cells |= {phase.name: _fitted_cell(fit, phase) for phase in phases if fit.phases[phase.name].detected}
    model = build_model(
        phases,
        fit.wavelength_ang,
        two_theta_deg=limits,
        cells=cells,
        widths=settings["widths"],
        instrument=settings.get("instrument"),
        free=free,
        fix=settings["fix"],
        stress=settings.get("stress"),
        geometry=fit.geometry,
    )
    model = replace(free_more(model, asked), second_line=fit.second_line, axial=fit.axial)
    known = dict(zip(fit.parameter_names, fit.parameters, strict=True))
    values = np.array([known.get(name, start) for name, start in zip(model.parameter_names, model.start, strict=True)])
    absent = np.array([not fit.phases[phase.name].detected for phase in phases])
    model = _without_missing_lines(model, fit, limits)
    places, widths = _peaks(fit)
    model, values = with_peaks(model, values, places, widths)
    held = np.array([_belongs_to(name, phases, absent) for name in model.parameter_names])
    model = hold(model, values, held)
    for phase in np.flatnonzero(absent):
        model.slots[phase * PHASE_SLOTS : phase * PHASE_SLOTS + CELL_SLOTS] = np.nan
    return model, values, absent


def _fitted_cell(fit: PatternFit, phase: Phase) -> Cell:
    found = fit.phases[phase.name]
    return make_cell(phase.system, **{name: getattr(found, name) for name in FREE_PARAMETERS[phase.system]})


def _belongs_to(name: str, phases: Sequence[Phase], chosen: Bools) -> bool:
    """Whether a parameter belongs to one of the chosen phases."""
    word, _, rest = name.partition(":")
    owner = rest.rpartition(":")[0] if word == "cell" else rest
    return any(phase.name == owner for phase, is_chosen in zip(phases, chosen, strict=True) if is_chosen)


def _without_missing_lines(model: LeBailModel, fit: PatternFit, limits: tuple[float, float]) -> LeBailModel:
    """The model without the lines that the point's own fit let go: strangers lie on them."""
    terms = model.terms.copy()
    for index, phase in enumerate(model.phases):
        found = fit.phases[phase.name]
        if not found.detected:
            continue
        kept = {tuple(hkl) for hkl in found.lines.hkl.tolist()}
        mine = model.reflections_of[index]
        components, _ = phase_slots(model, model.slots, index)
        padded = np.zeros(terms.shape[1])
        padded[: components.size] = components
        for reflection in mine:
            line = model.reflection_line[reflection]
            sine = 0.5 * model.wavelength_ang * math.sqrt(max(float(model.terms[line] @ padded), 0.0))
            angle = math.degrees(2 * math.asin(min(sine, 1.0)))
            well_inside = limits[0] * 1.05 < angle < limits[1] * 0.95
            if (
                well_inside
                and tuple(model.reflection_hkl[reflection].tolist()) not in kept
                and _is_measured(fit, angle)
            ):
                terms[line] = 0.0
    return replace(model, terms=terms)


def _is_measured(fit: PatternFit, angle: float) -> bool:
    """Whether an angle, and what is a percent about it, took part in a fit."""
    near = np.abs(fit.two_theta_deg - angle) < 0.03 * angle
    return bool(np.any(near)) and bool(np.all(fit.fitted[near]))


def _peaks(fit: PatternFit) -> tuple[Floats, Floats]:
    """Places and widths of the single peaks of a fit; lines that were left out are none."""
    wide = np.concatenate([phase.lines.width_deg for phase in fit.phases.values()] or [np.empty(0)])
    wide = wide[np.isfinite(wide)]
    places = _strangers(fit)[0]
    width = float(np.median(wide)) if wide.size else 5 * float(np.median(np.diff(fit.two_theta_deg)))
    return places, np.full(places.size, width)


def _strangers(fit: PatternFit) -> tuple[Floats, Floats]:
    """Places of the lines of no phase: those that were fitted, and those whose points were left out."""
    nearest = np.abs(fit.two_theta_deg[None, :] - fit.foreign_lines_deg[:, None]).argmin(axis=1)
    is_fitted = fit.fitted[nearest] if nearest.size else np.zeros(0, dtype=np.bool_)
    return fit.foreign_lines_deg[is_fitted], fit.foreign_lines_deg[~is_fitted]


def _shared_start(
    models: Sequence[tuple[LeBailModel, Floats, Bools]], words: frozenset[str]
) -> tuple[tuple[str, ...], Floats]:
    """What the models have in common, and where it starts: the median over the points that have it."""
    found: dict[str, list[float]] = {}
    for model, values, _ in models:
        linked = set(model.link[model.link >= 0].tolist())
        for index, (name, value) in enumerate(zip(model.parameter_names, values, strict=True)):
            if index in linked and _is_shared(name, words):
                found.setdefault(name, []).append(float(value))
    return tuple(found), np.array([float(np.median(values)) for values in found.values()])


def _is_shared(name: str, words: frozenset[str]) -> bool:
    word = name.partition(":")[0]
    return word in words or (word in WIDTH_NAMES and "widths" in words)


def _polynomials(position: Floats, span: tuple[float, float], terms: int) -> Floats:
    """Chebyshev polynomials over the range of the map, shape (terms, n)."""
    u = 2.0 * (position - span[0]) / (span[1] - span[0]) - 1.0
    return np.ascontiguousarray(np.polynomial.chebyshev.chebvander(u, terms - 1).T)


def _background_shape(fits: Sequence[PatternFit], span: tuple[float, float]) -> Floats:
    """Coefficients of the mean background beyond level and slope, the largest of them ±1; none for a straight one."""
    terms = max(fit.background_terms for fit in fits)
    coefficients = []
    for fit in fits:
        good = np.isfinite(fit.background)
        polynomials = _polynomials(fit.two_theta_deg[good], span, terms)
        coefficients.append(np.linalg.lstsq(polynomials.T, fit.background[good], rcond=None)[0])
    shape = np.mean(coefficients, axis=0)[_OWN_TERMS:]
    largest = float(np.max(np.abs(shape), initial=0.0))
    return np.asarray(shape / largest) if largest > 0 else np.empty(0)
