"""Where chi² of a whole map is least: Gauss-Newton on all points at once, what they have in common eliminated last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.beam import BEAM_LIMITS, beam_slopes, with_beam_value
from hydrostruct.xrd.blocks import Block, block_step
from hydrostruct.xrd.engine import solve
from hydrostruct.xrd.kernels import PHASE_SLOTS, weighted_gram
from hydrostruct.xrd.line_columns import LineColumns, line_columns, slope_columns
from hydrostruct.xrd.map_points import FitPoint
from hydrostruct.xrd.model import FitData, LeBailModel, hold

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MOST_STEPS = 40
_MOST_DAMPING, _LEAST_DAMPING = 1e7, 1e-8
_TOLERANCE = 1e-3
_RIDGE = 1e-6
_MOST_SHIFT = 1.5
_MOST_MISSED = 0.75
_IDLE_STEPS, _PATIENT = 4, 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MapState:
    """One point at one set of values."""

    model: LeBailModel
    """That of the point, with the beam of these values."""
    chi2: float
    """Weighted sum of squares, and what `ridge` adds to it."""
    ridge: Floats
    """Weight with which each line of the model is held to 0, NaN before it was seen, shape (lines,): lines that
    coincide share equally. It stays what it was at first, so that every step makes the same sum least."""
    values: Floats
    """Of the parameters of its model, the common ones among them, shape (parameters,)."""
    slots: Floats
    """Every slot of its model, the fixed ones included."""
    columns: LineColumns
    """Its lines."""
    basis: Floats
    """Its background: the common shape first, where there is one, shape (terms, n)."""
    linear: Floats
    """Areas of the lines, then the background, shape (seen + terms,)."""
    residual: Floats
    """Measured less calculated, shape (n,)."""
    linear_normal: Floats
    """Normal matrix of `linear`."""
    across: Floats
    """Products of what is linear with what is not."""
    slopes_normal: Floats
    """Normal matrix of what is not linear, at given intensities."""
    block: Block
    """The same with the intensities eliminated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Minimum:
    """Where the fit of the map came to rest."""

    states: list[MapState]
    """Of each point."""
    shared: Floats
    """What the points have in common, shape (shared,)."""
    held: Bools
    """What of it rests on a limit, or sets a scale, shape (shared,)."""
    steps: int
    """Trial steps taken."""
    converged: bool
    """Whether the next step would gain nothing."""

    @property
    def chi2(self) -> float:
        """Of all points together."""
        return sum(state.chi2 for state in self.states)


def least_chi2(points: Sequence[FitPoint], names: Sequence[str], start: Floats) -> Minimum:
    """Gauss-Newton with Marquardt's damping on all parameters of all points.

    Parameters
    ----------
    points : sequence of FitPoint
        From `hydrostruct.xrd.map_points.prepare_points`; each starts at its own start.
    names : sequence of str
        Of what they have in common.
    start : array, shape (names,)
        Where that starts.

    Returns
    -------
    Minimum

    Notes
    -----
    Where two lines of a point all but coincide, its chi² is no parabola, and a step overshoots from one side to the
    other; the step of a point whose cell is loose may be wild. One such point would keep the whole map from its rest.
    Each of them therefore comes to rest by itself after a step, at what is then common. Where a step gains nothing the
    next may promise ten times what is enough, where four in a row do, of any damping, thirty times.
    """
    limits = _shared_limits(points, names)
    shared = np.clip(start, *limits)
    states = [evaluate(point, point.start, shared) for point in points]
    damping, steps, idle, converged = 1e-4, 0, 0, False
    while steps < _MOST_STEPS and damping < _MOST_DAMPING:
        chi2 = sum(state.chi2 for state in states)
        scale = max(1.0, chi2 / sum(point.data.position.size for point in points))
        held = _held(states, names, shared, limits)
        blocks = [state.block for state in states]
        moves, common, expected = block_step(blocks, held, damping=damping)
        enough = _TOLERANCE * scale * math.sqrt(len(points))
        if expected <= enough and damping <= 1e-2:
            converged = True
            break
        shifts = [_largest_shift(p, s, m) for p, s, m in zip(points, states, moves, strict=True)]
        factor = min(1.0, _MOST_SHIFT / float(np.median(shifts)))
        trial = np.clip(shared + factor * common, *limits)
        new = [
            _moved(point, state, factor * move, trial, is_wild=factor * shift > _MOST_SHIFT, least=_TOLERANCE * scale)
            for point, state, move, shift in zip(points, states, moves, shifts, strict=True)
        ]
        steps += 1
        gained = chi2 - sum(state.chi2 for state in new)
        if gained > 0:
            states, shared, damping = new, trial, max(0.1 * damping, _LEAST_DAMPING)
        idle = idle + 1 if gained < enough else 0
        patience = _PATIENT if idle >= _IDLE_STEPS else 1.0
        if idle and block_step(blocks, held, damping=_LEAST_DAMPING)[2] < 10 * patience * enough:
            converged = True  # points that came to rest by themselves promise what they cannot give
            break
        if gained <= 0:
            damping = max(8.0 * damping, 1e-3)
    held = _held(states, names, shared, limits)
    return Minimum(states=states, shared=shared, held=held, steps=steps, converged=converged)


def _moved(point: FitPoint, state: MapState, step: Floats, shared: Floats, *, is_wild: bool, least: float) -> MapState:
    """One point after a step; at rest at what is then common, where the step is wild or does not do what it says."""
    there = state.values if is_wild else state.values + step[: state.values.size]
    new = evaluate(point, there, shared, ridge=state.ridge)
    if not is_wild and _is_as_foretold(state, new, step, least=least):
        return new
    begin = new if new.chi2 < state.chi2 else evaluate(point, state.values, shared, ridge=state.ridge)
    model, data = at_what_is_common(point, begin)
    rest = evaluate(point, solve(model, data, begin.values).values, shared, ridge=state.ridge)
    return min((new, rest), key=lambda one: one.chi2)


def _is_as_foretold(before: MapState, after: MapState, step: Floats, *, least: float) -> bool:
    """Whether chi² of a point fell by what its parabola says, to three quarters of what the step is in it.

    Of a step that the parabola does not feel, by less than `least`, nothing is asked.
    """
    size = float(step @ before.block.normal @ step)
    foretold = 2.0 * float(step @ np.where(before.block.fixed, 0.0, before.block.gradient)) - size
    missed = foretold - (before.chi2 - after.chi2)
    return size < least or missed <= _MOST_MISSED * max(foretold, size)


def at_what_is_common(point: FitPoint, state: MapState) -> tuple[LeBailModel, FitData]:
    """The model and the data of one point, what is common held, as the fit of a single pattern takes them.

    Parameters
    ----------
    point : FitPoint
        Of the map.
    state : MapState
        Where it is.

    Returns
    -------
    model : LeBailModel
    data : FitData
        Its background has the common shape as one term.
    """
    basis = np.ascontiguousarray(state.basis)
    data = replace(point.data, basis=basis, gram=weighted_gram(basis, point.data.weight))
    return hold(state.model, state.values, point.shared[: state.values.size] >= 0), data


def _shared_limits(points: Sequence[FitPoint], names: Sequence[str]) -> tuple[Floats, Floats]:
    """Smallest and largest values of what is common: those of the models; the shape of the background has none."""
    lowest, highest = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for point in points:
        mine = point.shared[: point.model.start.size]
        at = mine[mine >= 0]
        lowest[at] = np.maximum(lowest[at], point.model.lowest[mine >= 0])
        highest[at] = np.minimum(highest[at], point.model.highest[mine >= 0])
    for number, name in enumerate(names):
        if name in BEAM_LIMITS:
            lowest[number], highest[number] = BEAM_LIMITS[name]
    return lowest, highest


def _held(states: Sequence[MapState], names: Sequence[str], shared: Floats, limits: tuple[Floats, Floats]) -> Bools:
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


def _largest_shift(point: FitPoint, state: MapState, move: Floats) -> float:
    """Largest move of a line under a step, in units of its width; at least 1e-6."""
    largest = 1e-6
    for line in state.columns.lines:
        base = point.model.phase_of[line] * PHASE_SLOTS
        link = np.concatenate((point.model.link[base : base + PHASE_SLOTS], point.model.link[-2:]))
        filled = link >= 0
        shift = float(state.columns.by_slot[line, filled, 0] @ move[link[filled]])
        largest = max(largest, abs(shift) / float(state.columns.width[line]))
    return largest


def evaluate(point: FitPoint, values: Floats, shared: Floats, *, ridge: Floats | None = None) -> MapState:
    """Intensities and background at given cells and widths, and the normal equations of everything else.

    Parameters
    ----------
    point : FitPoint
        Its pattern and model.
    values : array, shape (parameters,)
        Of its model; those that are common are passed over.
    shared : array, shape (shared,)
        What is common.
    ridge : array, optional, shape (lines,)
        That of the state before.

    Returns
    -------
    MapState
    """
    model, data = point.model, point.data
    mine = point.shared[: values.size]
    values = np.where(mine >= 0, shared[np.maximum(mine, 0)], values) if shared.size else values
    values = np.clip(values, model.lowest, model.highest)
    slots = model.slots.copy()
    filled = model.link >= 0
    slots[filled] = values[model.link[filled]]
    terms, beam = np.split(point.shared[values.size :], [len(point.polynomials)])
    for word, number in zip(point.beam, beam, strict=True):
        model = with_beam_value(model, word, float(shared[number]))
    columns = line_columns(model, data.position, slots)
    basis = np.vstack((shared[terms] @ point.polynomials, data.basis)) if terms.size else data.basis
    root = np.sqrt(data.weight)
    linear_columns = np.column_stack((columns.shape, basis.T)) * root[:, None]
    normal = linear_columns.T @ linear_columns
    lines = columns.lines.size
    ridge = _with_seen(ridge if ridge is not None else np.full(model.phase_of.size, np.nan), columns, normal)
    normal[np.arange(lines), np.arange(lines)] += ridge[columns.lines]
    right = linear_columns.T @ (data.intensity * root)
    linear = np.asarray(np.linalg.solve(normal, right), dtype=np.float64)
    residual = data.intensity - (linear_columns @ linear) / root
    slopes = slope_columns(columns, model, linear[:lines])
    if terms.size:
        slopes = np.column_stack((slopes, linear[lines] * point.polynomials.T))
    if point.beam:
        intensity = np.zeros(model.phase_of.size)
        intensity[columns.lines] = linear[:lines]
        slopes = np.column_stack((slopes, beam_slopes(model, data.position, slots, intensity, point.beam)))
    slopes *= root[:, None]
    across = linear_columns.T @ slopes
    gradient = slopes.T @ (residual * root)
    full = slopes.T @ slopes
    reduced = full - across.T @ np.linalg.solve(normal, across)
    return MapState(
        model=model,
        chi2=float(np.sum(data.weight * residual**2) + np.sum(ridge[columns.lines] * linear[:lines] ** 2)),
        ridge=ridge,
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


def _with_seen(ridge: Floats, columns: LineColumns, normal: Floats) -> Floats:
    """The weights with those of lines that are seen for the first time."""
    mine = _RIDGE * np.diag(normal)[: columns.lines.size]
    known = ridge[columns.lines]
    out = ridge.copy()
    out[columns.lines] = np.where(np.isfinite(known), known, mine)
    return out


def _fixed(model: LeBailModel, values: Floats, gradient: Floats, normal: Floats, is_shared: Bools) -> Bools:
    """Parameters that move nothing, and those of the point's own that rest on a limit."""
    still = ~(np.diag(normal) > 0)
    on_limit = (values <= model.lowest) & (gradient[: values.size] < 0)
    on_limit |= (values >= model.highest) & (gradient[: values.size] > 0)
    still[: values.size] |= on_limit & ~is_shared[: values.size]
    return np.asarray(still)
