"""A whole map as one fit: what all points have in common is fitted once.

The zero shift belongs to the detector, the widths to the instrument and the sample, the shape of the background to
diamonds and air: fitted anew at every point, each of them costs uncertainty of the cell that the map as a whole need
not pay. Cells, intensities and the scale of the background stay each point's own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.cell import Cell, cell_slopes
from hydrostruct.material.phase import Phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.agreement import agreement
from hydrostruct.xrd.answer import Answer, FitOptions, report_answer
from hydrostruct.xrd.assess import weigh_evidence
from hydrostruct.xrd.blocks import Block, BlockSpread, block_spreads, block_step
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.kernels import PHASE_SLOTS, weighted_gram
from hydrostruct.xrd.lebail import fit_patterns
from hydrostruct.xrd.line_columns import LineColumns, line_columns, slope_columns
from hydrostruct.xrd.map_points import FitPoint, can_take_part, prepare_points
from hydrostruct.xrd.map_result import MapFit
from hydrostruct.xrd.model import (
    LeBailModel,
    cell_parameters,
    hold,
    phase_slots,
)
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.profile import Widths
from hydrostruct.xrd.robust import MOST_ROUNDS, STILL, counted_residual, loss_factor, with_factor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

COMMON_WORDS = ("zero", "displacement", "widths", "background")
"""What may be common to the points of a map."""
_MOST_STEPS = 40
_MOST_DAMPING = 1e7
_TOLERANCE = 1e-3
_RIDGE = 1e-6
_MOST_SHIFT = 1.5
_CLEARLY_WORSE = 1.15


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """One point at one set of values."""

    chi2: float
    values: Floats
    slots: Floats
    columns: LineColumns
    basis: Floats
    linear: Floats
    residual: Floats
    linear_normal: Floats
    across: Floats
    slopes_normal: Floats
    block: Block


def fit_map(
    patterns: Sequence[Pattern],
    phases: Sequence[Phase],
    *,
    common: Collection[str] = ("zero", "widths", "background"),
    fits: Sequence[PatternFit] | None = None,
    cells: Mapping[str, Mapping[str, float] | Cell] | None = None,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
    background: str | int = "auto",
    widths: Widths | None = None,
    instrument: Widths | None = None,
    free: Collection[str] = (),
    fix: Collection[str] = (),
    stress: Mapping[str, float] | None = None,
    wavelength_sigma_ang: float | None = None,
    distance_relative_sigma: float | None = None,
    method: str = "pawley",
    loss: str = "squares",
    profile: str = "auto",
) -> MapFit:
    """Le Bail fit of all patterns of a map at once.

    Parameters
    ----------
    patterns : sequence of Pattern
        Of one wavelength and one geometry.
    phases : sequence of Phase
        What may be in them.
    common : collection of str
        What all points share: ``zero`` (fitted, in degrees), ``displacement`` (fitted; along the beam over the
        distance, or, in Bragg-Brentano geometry, below the axis over the radius), ``widths`` (all that are free),
        ``background`` (its shape; each point has its own scale, level and slope).
    fits : sequence of PatternFit, optional
        Fits of the same patterns by themselves, to start from; made here when left out.
    cells, two_theta_deg, exclude_deg, background, widths, instrument, free, fix, stress, wavelength_sigma_ang,
        distance_relative_sigma : optional
        As in `fit_pattern`, the same for all patterns.
    method : {"pawley"}
        All intensities by least squares. The classical partition is refused here: its shares are no minimum of
        anything, so that nothing tells one pattern's say in what is common from another's.
    loss : {"squares", "soft-l1", "cauchy"}
        What is made least, as in `fit_pattern`; what is common is fitted with the same weights.
    profile : {"auto", "pseudo-voigt"}
        As in `fit_pattern`, for the fits to start from; where those are given they have it in them.

    Returns
    -------
    MapFit
        A pattern whose own fit did not converge, or in which no phase was found, takes no part and keeps its own fit.

    Raises
    ------
    InputError
        As in `fit_pattern`; for patterns of different wavelengths; for a word that is not known.

    Notes
    -----
    Gauss-Newton with Marquardt's damping. At each point the intensities and the background are eliminated (variable
    projection), then the cell, and what is left is a small matrix of the common parameters (Schur complement): the
    cost goes with the number of points. The uncertainty of each point's cell includes that of the common parameters,
    and `hydrostruct.xrd.map_result.map_numbers` gives the part that all points have in common. With another loss than
    squares all points are weighted anew, each by the scatter of its own residuals, until no weight moves.
    """
    words = _checked(patterns, common, method=method, free=free, fix=fix)
    options = FitOptions.checked(
        background, "never", wavelength_sigma_ang, distance_relative_sigma, method=method, loss=loss, profile=profile
    )
    settings: dict[str, Any] = {
        "cells": cells,
        "widths": widths,
        "fix": fix,
        "stress": stress,
        "instrument": instrument,
    }
    if fits is None:
        limits: dict[str, Any] = {"two_theta_deg": two_theta_deg, "exclude_deg": exclude_deg}
        settings_of_fits: dict[str, Any] = {"background": background, "free": free, "loss": loss, "profile": profile}
        settings_of_fits["distance_relative_sigma"] = distance_relative_sigma
        fits = fit_patterns(patterns, phases, **settings_of_fits, **settings, **limits)
    began = time.perf_counter()
    alone = [not can_take_part(fit) for fit in fits]
    if all(alone):
        return _nothing(fits, began)
    freed = (*free, *(word for word in ("zero", "displacement") if word in words))
    points, names, start = prepare_points(patterns, phases, fits, words=words, free=freed, settings=settings)
    for point in points:
        options.check_model(point.model, patterns[point.number].name)
    points, counted, least = _least_loss(points, names, start, loss=loss)
    scales = [_inflation(*one) for one in zip(points, least.states, counted, strict=True)]
    covariance, spreads = block_spreads([state.block for state in least.states], least.held, scales=scales)
    reported = list(fits)
    follows: list[dict[str, Floats]] = [{} for _ in fits]
    for point, state, rest, scale, spread in zip(points, least.states, counted, scales, spreads, strict=True):
        whole = _whole_spread(state, covariance, scale=scale, spread=spread)
        answer = _answer(point, state, rest, whole, steps=least.steps, converged=least.converged)
        reported[point.number] = _compared(
            report_answer(patterns[point.number], answer, options, began), fits[point.number]
        )
        follows[point.number] = _cells_by_shared(point, state, spread)
    return MapFit(
        verdict=Verdict.CONVERGED if least.converged else Verdict.NOT_CONVERGED,
        reason=_reason(alone, converged=least.converged, steps=least.steps),
        fits=tuple(reported),
        took_part=tuple(not one for one in alone),
        shared_names=names,
        shared=least.shared,
        shared_covariance=covariance,
        by_shared=tuple(follows),
        steps=least.steps,
        seconds=time.perf_counter() - began,
    )


def _checked(
    patterns: Sequence[Pattern], common: Collection[str], *, method: str, free: Collection[str], fix: Collection[str]
) -> frozenset[str]:
    if not patterns:
        raise InputError("map: no pattern. Expected one or more.")
    if len({pattern.wavelength_ang for pattern in patterns}) > 1:
        raise InputError("map: the patterns have different wavelengths. Expected one. Fit them apart.")
    if len({pattern.geometry for pattern in patterns}) > 1:
        raise InputError("map: the patterns have different geometries. Expected one. Fit them apart.")
    return check_common(common, method=method, free=free, fix=fix)


def check_common(
    common: Collection[str], *, method: str = "pawley", free: Collection[str] = (), fix: Collection[str] = ()
) -> frozenset[str]:
    """What is common, checked.

    Parameters
    ----------
    common : collection of str
        Words, of `COMMON_WORDS`.
    method, free, fix : optional
        As in `fit_map`.

    Returns
    -------
    frozenset of str

    Raises
    ------
    InputError
        For a word that is not known, or one that does not go with the others or with the rest.
    """
    words = [common] if isinstance(common, str) else list(common)
    for word in words:
        if word not in COMMON_WORDS:
            raise InputError(
                f"map: {word!r} cannot be common to all points. Expected some of {', '.join(COMMON_WORDS)}. "
                + nearest_name(word, COMMON_WORDS)
            )
    if {"zero", "displacement"} <= set(words):
        raise InputError(
            "map: zero and displacement are both common. Expected one: at small angles they move lines alike. Take one."
        )
    for word in sorted({"zero", "displacement"} & set(words)):
        if word in fix:
            raise InputError(f"map: {word} is common and held. Expected one of the two. Leave it out of one.")
        other = "zero" if word == "displacement" else "displacement"
        if other in free:
            raise InputError(
                f"map: {word} is common and {other} is free. Expected one: at small angles they move lines alike."
            )
    if method != "pawley":
        raise InputError(
            f"map: the method is {method!r}. Expected pawley where points have something in common: the shares of the "
            "classical partition are no minimum of anything, and what is common would have none. Fit the patterns "
            "apart with it, or take method pawley."
        )
    return frozenset(words)


def _nothing(fits: Sequence[PatternFit], began: float) -> MapFit:
    return MapFit(
        verdict=Verdict.ABSENT,
        reason="In no pattern was a phase found by itself: there is nothing to have in common.",
        fits=tuple(fits),
        took_part=(False,) * len(fits),
        shared_names=(),
        shared=np.empty(0),
        shared_covariance=np.empty((0, 0)),
        by_shared=({},) * len(fits),
        steps=0,
        seconds=time.perf_counter() - began,
    )


def _reason(alone: Sequence[bool], *, converged: bool, steps: int) -> str:
    sentences = [] if converged else [f"The fit of the map did not come to rest in {steps} steps."]
    if any(alone):
        listed = ", ".join(str(number) for number, one in enumerate(alone, 1) if one)
        sentences.append(f"Pattern(s) {listed} took no part: no phase was found there, or their own fit failed.")
    return " ".join(sentences)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Minimum:
    """Where the fit of the map came to rest."""

    states: list[_State]
    shared: Floats
    held: Bools
    steps: int
    converged: bool


def _least_loss(
    points: list[FitPoint], names: Sequence[str], start: Floats, *, loss: str
) -> tuple[list[FitPoint], list[Floats], _Minimum]:
    """Where a loss is least: least squares, all points weighted anew until no weight moves.

    The points come back with the weights of the end, and with the residuals that make their covariances Huber's.
    """
    least = _least_chi2(points, names, start)
    factors = [np.ones(point.data.weight.size) for point in points]
    weighted, steps, settled = points, least.steps, loss == "squares"
    for _ in range(0 if settled else MOST_ROUNDS):
        fresh = [_factor(*one, loss=loss) for one in zip(points, least.states, strict=True)]
        settled = all(np.max(np.abs(new - old)) < STILL for new, old in zip(fresh, factors, strict=True))
        if settled:
            break
        factors = fresh
        weighted = [_weighted(*one) for one in zip(points, least.states, factors, strict=True)]
        least = _least_chi2(weighted, names, least.shared)
        steps += least.steps
    counted = [
        counted_residual(point.data, state.residual, factor, loss=loss)
        for point, state, factor in zip(points, least.states, factors, strict=True)
    ]
    return weighted, counted, replace(least, steps=steps, converged=least.converged and settled)


def _factor(point: FitPoint, state: _State, *, loss: str) -> Floats:
    return loss_factor(point.data, state.residual, loss=loss)


def _weighted(point: FitPoint, state: _State, factor: Floats) -> FitPoint:
    return replace(point, data=with_factor(point.data, factor), start=state.values)


def _least_chi2(points: Sequence[FitPoint], names: Sequence[str], start: Floats) -> _Minimum:
    """Gauss-Newton with Marquardt's damping on all parameters of all points."""
    limits = _shared_limits(points, names)
    shared = np.clip(start, *limits)
    states = [_evaluate(point, point.start, shared) for point in points]
    damping, steps, converged = 1e-4, 0, False
    while steps < _MOST_STEPS and damping < _MOST_DAMPING:
        chi2 = sum(state.chi2 for state in states)
        scale = max(1.0, chi2 / sum(point.data.position.size for point in points))
        held = _held(states, names, shared, limits)
        moves, common, expected = block_step([state.block for state in states], held, damping=damping)
        if expected <= _TOLERANCE * scale * math.sqrt(len(points)) and damping <= 1e-2:
            converged = True
            break
        shifts = [_largest_shift(p, s, m) for p, s, m in zip(points, states, moves, strict=True)]
        factor = min(1.0, _MOST_SHIFT / max(shifts))
        trial = np.clip(shared + factor * common, *limits)
        new = [
            _evaluate(point, state.values + factor * move[: state.values.size], trial)
            for point, state, move in zip(points, states, moves, strict=True)
        ]
        steps += 1
        if sum(state.chi2 for state in new) < chi2:
            states, shared, damping = new, trial, max(0.1 * damping, 1e-8)
        elif expected < 10 * _TOLERANCE * scale:
            converged = True  # what is left to gain is below the rounding of chi2
            break
        else:
            damping = max(8.0 * damping, 1e-3)
    held = _held(states, names, shared, limits)
    return _Minimum(states=states, shared=shared, held=held, steps=steps, converged=converged)


def _shared_limits(points: Sequence[FitPoint], names: Sequence[str]) -> tuple[Floats, Floats]:
    """Smallest and largest values of what is common: those of the models; the shape of the background has none."""
    lowest, highest = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for point in points:
        mine = point.shared[: point.model.start.size]
        at = mine[mine >= 0]
        lowest[at] = np.maximum(lowest[at], point.model.lowest[mine >= 0])
        highest[at] = np.minimum(highest[at], point.model.highest[mine >= 0])
    return lowest, highest


def _held(states: Sequence[_State], names: Sequence[str], shared: Floats, limits: tuple[Floats, Floats]) -> Bools:
    """Common parameters that rest on a limit, and the term of the background's shape that sets its scale."""
    gradient = np.zeros(shared.size)
    for state in states:
        common = state.block.shared >= 0
        np.add.at(gradient, state.block.shared[common], state.block.gradient[common])
    held = ((shared <= limits[0]) & (gradient < 0)) | ((shared >= limits[1]) & (gradient > 0))
    shape = np.array([name.startswith("background:") for name in names], dtype=np.bool_)
    if np.any(shape):
        held[int(np.argmax(np.where(shape, np.abs(shared), -1.0)))] = True
    return np.asarray(held)


def _largest_shift(point: FitPoint, state: _State, move: Floats) -> float:
    """Largest move of a line under a step, in units of its width; at least 1e-6."""
    largest = 1e-6
    for line in state.columns.lines:
        base = point.model.phase_of[line] * PHASE_SLOTS
        link = np.concatenate((point.model.link[base : base + PHASE_SLOTS], point.model.link[-2:]))
        filled = link >= 0
        shift = float(state.columns.by_slot[line, filled, 0] @ move[link[filled]])
        largest = max(largest, abs(shift) / float(state.columns.width[line]))
    return largest


def _evaluate(point: FitPoint, values: Floats, shared: Floats) -> _State:
    """Intensities and background at given cells and widths, and the normal equations of everything else."""
    model, data = point.model, point.data
    mine = point.shared[: values.size]
    values = np.where(mine >= 0, shared[np.maximum(mine, 0)], values) if shared.size else values
    values = np.clip(values, model.lowest, model.highest)
    slots = model.slots.copy()
    filled = model.link >= 0
    slots[filled] = values[model.link[filled]]
    columns = line_columns(model, data.position, slots)
    terms = point.shared[values.size :]
    basis = np.vstack((shared[terms] @ point.polynomials, data.basis)) if terms.size else data.basis
    root = np.sqrt(data.weight)
    linear_columns = np.column_stack((columns.shape, basis.T)) * root[:, None]
    normal = linear_columns.T @ linear_columns
    lines = columns.lines.size
    normal[np.arange(lines), np.arange(lines)] *= 1.0 + _RIDGE  # lines that coincide share equally
    right = linear_columns.T @ (data.intensity * root)
    linear = np.asarray(np.linalg.solve(normal, right), dtype=np.float64)
    residual = data.intensity - (linear_columns @ linear) / root
    slopes = slope_columns(columns, model, linear[:lines])
    if terms.size:
        slopes = np.column_stack((slopes, linear[lines] * point.polynomials.T))
    slopes *= root[:, None]
    across = linear_columns.T @ slopes
    gradient = slopes.T @ (residual * root)
    full = slopes.T @ slopes
    reduced = full - across.T @ np.linalg.solve(normal, across)
    return _State(
        chi2=float(np.sum(data.weight * residual**2)),
        values=values,
        slots=slots,
        columns=columns,
        basis=basis,
        linear=linear,
        residual=residual,
        linear_normal=normal,
        across=across,
        slopes_normal=full,
        block=Block(
            normal=reduced,
            gradient=gradient,
            shared=point.shared,
            fixed=_fixed(model, values, gradient, full, point.shared >= 0),
        ),
    )


def _fixed(model: LeBailModel, values: Floats, gradient: Floats, normal: Floats, is_shared: Bools) -> Bools:
    """Parameters that move nothing, and those of the point's own that rest on a limit."""
    still = ~(np.diag(normal) > 0)
    on_limit = (values <= model.lowest) & (gradient[: values.size] < 0)
    on_limit |= (values >= model.highest) & (gradient[: values.size] > 0)
    still[: values.size] |= on_limit & ~is_shared[: values.size]
    return np.asarray(still)


def _inflation(point: FitPoint, state: _State, counted: Floats) -> float:
    return agreement(
        point.data.measured,
        counted,
        background=state.basis.T @ state.linear[state.columns.lines.size :],
        weight=point.data.weight,
        n_parameters=state.linear.size + point.data.shape_terms + int(np.sum(state.block.shared < 0)),
    ).inflation


def _whole_spread(state: _State, covariance: Floats, *, scale: float, spread: BlockSpread) -> Floats:
    """Covariance of intensities, background and the model's parameters at one point, before its own scale.

    The order is that of `hydrostruct.xrd.engine.covariance`.
    """
    inverse = np.linalg.inv(state.linear_normal)
    follows = -inverse @ state.across  # how intensities and background follow the other parameters
    others = spread.own + spread.by_shared @ covariance @ spread.by_shared.T / scale**2
    count = state.values.size
    top = inverse + follows @ others @ follows.T
    side = (follows @ others)[:, :count]
    return np.block([[top, side], [side.T, others[:count, :count]]])


def _answer(point: FitPoint, state: _State, counted: Floats, spread: Floats, *, steps: int, converged: bool) -> Answer:
    """What one point says, as the fit of a single pattern says it; common parameters are held where it goes on."""
    model = point.model
    lines = state.columns.lines.size
    intensity = np.full(model.phase_of.size, np.nan)
    intensity[state.columns.lines] = state.linear[:lines]
    solution = Solution(
        converged=converged,
        steps=steps,
        chi2=state.chi2,
        values=state.values,
        slots=state.slots,
        intensity=intensity,
        background=state.linear[lines:],
        residual=state.residual,
        held=state.block.fixed[: state.values.size] & (np.diag(state.slopes_normal)[: state.values.size] > 0),
        position=state.columns.position,
        width=state.columns.width,
    )
    basis = np.ascontiguousarray(state.basis)
    data = replace(point.data, basis=basis, gram=weighted_gram(basis, point.data.weight))
    held = hold(model, state.values, point.shared[: state.values.size] >= 0)
    evidence = weigh_evidence(held, data, replace(solution, residual=counted), spread=(state.columns.lines, spread))
    return Answer(
        model=held,
        solution=solution,
        data=data,
        evidence=replace(evidence, solution=solution),
        absent=point.absent,
        significance=np.where(point.absent, 0.0, evidence.significance),
        foreign=Explained(model=held, solution=solution, data=data),
        alternatives=(),
    )


def _compared(fit: PatternFit, before: PatternFit) -> PatternFit:
    """The fit of a point, `doubtful` where what the map has in common does not suit it."""
    if fit.gof < _CLEARLY_WORSE * max(1.0, before.gof):
        return fit
    note = (
        f"What the map has in common does not suit this point: GOF {fit.gof:.3g}, by itself {before.gof:.3g}. Have "
        "less in common, or leave the point out."
    )
    verdict = Verdict.DOUBTFUL if fit.verdict is Verdict.CONVERGED else fit.verdict
    return replace(fit, verdict=verdict, reason=f"{fit.reason} {note}".strip())


def _cells_by_shared(point: FitPoint, state: _State, spread: BlockSpread) -> dict[str, Floats]:
    """How the cell of each phase that is there follows the common parameters, shape (7, shared) each."""
    out = {}
    for index, phase in enumerate(point.model.phases):
        if point.absent[index]:
            continue
        components, _ = phase_slots(point.model, state.slots, index)
        moved = cell_parameters(point.model, index)
        slopes = cell_slopes(components, phase.system)
        rows = np.where((moved >= 0)[:, None], spread.by_shared[np.maximum(moved, 0)], 0.0)
        out[phase.name] = np.asarray(slopes @ rows)
    return out
