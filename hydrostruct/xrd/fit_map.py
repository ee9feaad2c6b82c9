"""A whole map as one fit: what all points have in common is fitted once.

The zero shift belongs to the detector, the widths to the instrument and the sample, the shape of the background to
diamonds and air: fitted anew at every point, each of them costs uncertainty of the cell that the map as a whole need
not pay. Cells, intensities and the scale of the background stay each point's own.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.cell import Cell, cell_slopes
from hydrostruct.material.phase import Phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.agreement import agreement
from hydrostruct.xrd.answer import Answer, FitOptions, report_answer
from hydrostruct.xrd.blocks import BlockSpread, block_spreads
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.evidence import weigh_evidence
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.foreign import Explained
from hydrostruct.xrd.lebail import fit_patterns
from hydrostruct.xrd.map_minimum import MapState, Minimum, at_what_is_common, least_chi2
from hydrostruct.xrd.map_points import FitPoint, can_take_part, prepare_points
from hydrostruct.xrd.map_result import MapFit
from hydrostruct.xrd.map_shift import shifts_left_open
from hydrostruct.xrd.map_sides import least_of_both_sides
from hydrostruct.xrd.map_verdict import compared_fit
from hydrostruct.xrd.model import cell_parameters, phase_slots
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.profile import Widths
from hydrostruct.xrd.robust import MOST_ROUNDS, STILL, counted_residual, loss_factor, with_factor
from hydrostruct.xrd.tested_shift import UntoldShift

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

COMMON_WORDS = ("zero", "displacement", "widths", "background")
"""What may be common to the points of a map."""


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
    freed = (*free, *(word for word in ("zero", "displacement") if word in words))
    options = FitOptions.checked(
        background,
        "never",
        wavelength_sigma_ang,
        distance_relative_sigma,
        method=method,
        loss=loss,
        profile=profile,
        fix=fix,
        free=freed,
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
    points, names, start = prepare_points(patterns, phases, fits, words=words, free=freed, settings=settings)
    for point in points:
        options.check_model(point.model, patterns[point.number].name)
    points, counted, least = _least_loss(points, names, start, loss=loss)
    scales = [_inflation(*one) for one in zip(points, least.states, counted, strict=True)]
    covariance, spreads = block_spreads([state.block for state in least.states], least.held, scales=scales)
    reported = list(fits)
    follows: list[dict[str, Floats]] = [{} for _ in fits]
    shifts = shifts_left_open(points, least.states, words.difference(free), held=options.not_asked)
    for point, state, rest, scale, spread, shift in zip(
        points, least.states, counted, scales, spreads, shifts, strict=True
    ):
        whole = _whole_spread(state, covariance, scale=scale, spread=spread)
        answer = _answer(point, state, rest, whole, least=least, shift=shift)
        reported[point.number] = compared_fit(
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


def _least_loss(
    points: list[FitPoint], names: Sequence[str], start: Floats, *, loss: str
) -> tuple[list[FitPoint], list[Floats], Minimum]:
    """Where a loss is least: least squares, all points weighted anew until no weight moves.

    The points come back with the weights of the end, and with the residuals that make their covariances Huber's.
    """
    least = least_of_both_sides(points, names, least_chi2(points, names, start))
    factors = [np.ones(point.data.weight.size) for point in points]
    weighted, steps, settled = points, least.steps, loss == "squares"
    for _ in range(0 if settled else MOST_ROUNDS):
        fresh = [_factor(*one, loss=loss) for one in zip(points, least.states, strict=True)]
        settled = all(np.max(np.abs(new - old)) < STILL for new, old in zip(fresh, factors, strict=True))
        if settled:
            break
        factors = fresh
        weighted = [_weighted(*one) for one in zip(points, least.states, factors, strict=True)]
        least = least_chi2(weighted, names, least.shared)
        steps += least.steps
    counted = [
        counted_residual(point.data, state.residual, factor, loss=loss)
        for point, state, factor in zip(points, least.states, factors, strict=True)
    ]
    return weighted, counted, replace(least, steps=steps, converged=least.converged and settled)


def _factor(point: FitPoint, state: MapState, *, loss: str) -> Floats:
    return loss_factor(point.data, state.residual, loss=loss)


def _weighted(point: FitPoint, state: MapState, factor: Floats) -> FitPoint:
    return replace(point, data=with_factor(point.data, factor), start=state.values)


def _inflation(point: FitPoint, state: MapState, counted: Floats) -> float:
    return agreement(
        point.data.measured,
        counted,
        background=state.basis.T @ state.linear[state.columns.lines.size :],
        weight=point.data.weight,
        n_parameters=state.linear.size + point.data.shape_terms + int(np.sum(state.block.shared < 0)),
    ).inflation


def _whole_spread(state: MapState, covariance: Floats, *, scale: float, spread: BlockSpread) -> Floats:
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


def _answer(
    point: FitPoint, state: MapState, counted: Floats, spread: Floats, *, least: Minimum, shift: UntoldShift | None
) -> Answer:
    """What one point says, as the fit of a single pattern says it; common parameters are held where it goes on."""
    model = state.model
    lines = state.columns.lines.size
    intensity = np.full(model.phase_of.size, np.nan)
    intensity[state.columns.lines] = state.linear[:lines]
    solution = Solution(
        converged=least.converged,
        steps=least.steps,
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
    held, data = at_what_is_common(point, state)
    evidence = weigh_evidence(held, data, replace(solution, residual=counted), spread=(state.columns.lines, spread))
    return Answer(
        model=held,
        solution=solution,
        data=data,
        evidence=replace(evidence, solution=solution),
        absent=point.absent,
        significance=np.where(point.absent, 0.0, evidence.significance),
        foreign=Explained(model=held, solution=solution, data=data, left_out_deg=point.left_out_deg),
        alternatives=(),
        beam_is_known=bool(point.beam),
        shift=shift,
    )


def _cells_by_shared(point: FitPoint, state: MapState, spread: BlockSpread) -> dict[str, Floats]:
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
