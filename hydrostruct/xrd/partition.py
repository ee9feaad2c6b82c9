"""The classical Le Bail fit: the counts of each point are shared out between the lines.

References
----------
Le Bail, Duroy and Fourquet, Mater. Res. Bull. 23, 447 (1988), doi 10.1016/0025-5408(88)90019-0.
Le Bail, Powder Diffr. 20, 316 (2005), doi 10.1154/1.2135315: what became of it, and how it fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.evidence import Evidence, weigh_evidence
from hydrostruct.xrd.line_columns import LineColumns, line_columns, slope_columns
from hydrostruct.xrd.model import FitData, LeBailModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ONE_LINE_FWHM = 0.25
"""Lines closer than this part of a width are one line to the sharing, and have equal parts of it."""
CORE_FWHM = 2.0
"""Counts up to so many widths from a line are shared out to it; beyond there is only noise to be had."""
_CYCLES = 5
_SHARINGS = 10
_MOST_STEPS = 60
_STILL = 1e-3
_SINGULAR = 1e-9
_LONGEST = 10.0
_WHOLE_STEPS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rules:
    """What of the sharing stays as it was at the start, so that nothing jumps while lines move."""

    group_of: Ints
    """Lines of one number are one line, shape (lines,)."""
    near: npt.NDArray[np.bool_]
    """Whose core each point is in, shape (n, lines); that of a line of which the data see a tail only is empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """One set of cells, widths, background and areas."""

    values: Floats
    slots: Floats
    background: Floats
    columns: LineColumns
    rules: _Rules
    areas: Floats
    """Of the seen lines, shape (seen,)."""
    residual: Floats


def partition_fit(
    model: LeBailModel, data: FitData, solution: Solution, *, most_inflation: float = math.inf
) -> tuple[Solution, Evidence]:
    """Le Bail's fit from the cells and widths of a least-squares solution, all intensities equal at the start.

    Parameters
    ----------
    model, data, solution
        What was fitted by least squares, to what, and where it came to rest.
    most_inflation : float
        As in `hydrostruct.xrd.evidence.weigh_evidence`.

    Returns
    -------
    solution : Solution
        Where the sharing and the least squares leave each other in peace; not converged where they do not.
    evidence : Evidence
        Its uncertainties, from the covariance of its own equations.

    Notes
    -----
    A line k of unit profile φ and area I takes Σ q (y − b) of the counts above background b, its share q of a point
    being Iφ over the sum of that for all lines. Written as I + Σ q (y − b − Σ Iφ) the same sum may become negative;
    only the amplitudes in q must not, so there I stands as (I + √(I² + 4ε²))/2 with ε the counting uncertainty of the
    area. For any fixed shares the areas are then an unbiased estimate: a line that is not there has mean 0, but
    for what its own noise does to its shares where it lies on another line. Where Le Bail's own sum is kept
    positive, such a line keeps 0.4 sigma, the mean of a Gaussian cut at 0.

    In turn with ten such sharings, one damped least-squares step moves cells, widths and background with the areas
    held. At rest, S(y − c) = 0 with the rows of S the shares of the lines and the weighted slopes of the rest. Hundreds
    of cycles would be needed to get there, since widths and areas trade; after five, steps (SD)⁻¹ S(y − c), D the
    derivatives of c, lead to the same place. Lines less than a quarter of a width apart, which some hundred cycles
    would leave at the ratio of the start, are one line to the sharing, in equal parts. A line of which the data see
    a tail only keeps the area that least squares gave it.

    The covariance is (SD)⁻¹ S V Sᵀ (SD)⁻ᵀ, V the variances of the points: that of this place, intensities included,
    where Le Bail's own uncertainties leave them out. Where lines were taken for one, it is the covariance of least
    squares, which knows that their ratio is not known; that equal parts may be wrong is in no covariance.
    """
    rules = _Rules(
        group_of=_groups(solution.position, solution.width), near=_near(data, solution.position, solution.width)
    )
    state = _at(model, data, rules, solution.values, solution.slots, solution.background, solution.intensity)
    state = _shared(data, _all_equal(state))
    damping, held, settled, steps = 1e-3, solution.held, False, 0
    for _ in range(_CYCLES):
        moved, damping = _least_squares_step(model, data, state, held, damping)
        state = _shared(data, moved)
    for steps in range(1, _MOST_STEPS + 1):
        part = 1.0 if steps <= _WHOLE_STEPS else 0.4  # shares that overshoot swing for ever
        state, held, size = _joint_step(model, data, state, held, part)
        settled = size < _STILL
        if settled:
            break
    rest = replace(
        solution,
        converged=settled,
        steps=solution.steps + _CYCLES + steps,
        chi2=float(np.sum(data.weight * state.residual**2)),
        values=state.values,
        slots=state.slots,
        intensity=_intensity(state),
        background=state.background,
        residual=state.residual,
        held=held,
        position=state.columns.position,
        width=state.columns.width,
        equations=None,
    )
    spread = _covariance(model, data, state, held)
    return rest, weigh_evidence(model, data, rest, spread=spread, most_inflation=most_inflation)


def _groups(position: Floats, width: Floats) -> Ints:
    """Numbers that lines share when each is within a quarter of a width of the next, shape (lines,)."""
    order = np.argsort(position, kind="stable")  # lines without a place come last, apart
    near = np.diff(position[order]) < ONE_LINE_FWHM * width[order][1:]
    numbers = np.empty(order.size, dtype=np.int64)
    numbers[order] = np.concatenate(([0], np.cumsum(~near)))
    return numbers


def _at(
    model: LeBailModel,
    data: FitData,
    rules: _Rules,
    values: Floats,
    slots: Floats,
    background: Floats,
    intensity: Floats,
) -> _State:
    """State with the areas of all lines given, shape (lines,); a line that comes into sight has none."""
    slots = slots.copy()
    filled = model.link >= 0
    slots[filled] = values[model.link[filled]]
    columns = line_columns(model, data.position, slots)
    areas = np.nan_to_num(intensity[columns.lines])
    residual = data.intensity - data.basis.T @ background - columns.shape @ areas
    return _State(
        values=values,
        slots=slots,
        background=background,
        columns=columns,
        rules=rules,
        areas=areas,
        residual=residual,
    )


def _parts(state: _State) -> Floats:
    """What each line has of the area of its group, shape (seen, groups); lines that take no counts have nothing."""
    takes = np.any(_core(state) > 0, axis=0)
    _, group = np.unique(state.rules.group_of[state.columns.lines], return_inverse=True)
    members = np.where(takes[:, None], group[:, None] == np.arange(group.max() + 1), False)
    return np.asarray(members / np.maximum(np.sum(members, axis=0), 1))


def _intensity(state: _State) -> Floats:
    """Areas of all lines; NaN where the data cannot see them."""
    out = np.full(state.columns.position.size, np.nan)
    out[state.columns.lines] = state.areas
    return out


def _all_equal(state: _State) -> _State:
    """The same with one area for all lines that take counts, and their sum as it was; others keep theirs."""
    takes = np.any(_core(state) > 0, axis=0)
    areas = np.where(takes, max(float(np.mean(state.areas[takes])), 0.0) if np.any(takes) else 0.0, state.areas)
    return replace(state, areas=areas, residual=state.residual + state.columns.shape @ (state.areas - areas))


def _near(data: FitData, position: Floats, width: Floats) -> npt.NDArray[np.bool_]:
    """Whose core each point is in."""
    with np.errstate(invalid="ignore"):
        away = np.abs(data.position[:, None] - position)
        return np.asarray((away <= CORE_FWHM * width) & np.any(away <= 0.5 * width, axis=0))


def _core(state: _State) -> Floats:
    """The profiles of the seen lines, cut where their counts are no longer shared out, shape (n, seen)."""
    return np.where(state.rules.near[:, state.columns.lines], state.columns.shape, 0.0)


def _share_columns(data: FitData, state: _State, core: Floats) -> Floats:
    """Share of each line in each point, in degrees, shape (n, seen)."""
    seen = np.sum(data.weight[:, None] * core**2, axis=0)
    sigma = 1.0 / np.sqrt(np.where(seen > 0, seen, np.inf))
    parts = core * (0.5 * (state.areas + np.sqrt(state.areas**2 + 4.0 * sigma**2)))
    total = np.sum(parts, axis=1)
    step = np.gradient(data.position)
    return np.asarray(parts * np.where(total > 0, step / np.where(total > 0, total, 1.0), 0.0)[:, None])


def _shared(data: FitData, state: _State) -> _State:
    """Ten sharings of the counts."""
    core, parts = _core(state), _parts(state)
    for _ in range(_SHARINGS):
        more = parts @ ((parts > 0).T @ (_share_columns(data, state, core).T @ state.residual))
        state = replace(state, areas=state.areas + more, residual=state.residual - state.columns.shape @ more)
    return state


def _slopes(model: LeBailModel, data: FitData, state: _State) -> Floats:
    """Derivatives by background and free parameters, shape (n, terms + parameters)."""
    return np.column_stack((data.basis.T, slope_columns(state.columns, model, state.areas)))


def _least_squares_step(
    model: LeBailModel, data: FitData, state: _State, held: npt.NDArray[np.bool_], damping: float
) -> tuple[_State, float]:
    """One damped step of background, cells and widths at fixed areas."""
    slopes, terms = _slopes(model, data, state), len(data.basis)
    free = np.flatnonzero(np.concatenate((np.ones(terms, dtype=np.bool_), ~held)))
    slopes = slopes[:, free]
    normal = slopes.T @ (data.weight[:, None] * slopes)
    size = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    normal /= np.outer(size, size)
    gradient = slopes.T @ (data.weight * state.residual) / size
    chi2 = float(np.sum(data.weight * state.residual**2))
    while damping < 1e6:
        scaled = np.linalg.lstsq(normal + damping * np.eye(free.size), gradient, rcond=1e-14)[0]
        change = np.zeros(terms + held.size)
        change[free] = scaled / size
        values = np.clip(state.values + change[terms:], model.lowest, model.highest)
        trial = _at(model, data, state.rules, values, state.slots, state.background + change[:terms], _intensity(state))
        if np.sum(data.weight * trial.residual**2) <= chi2 * (1 + 1e-12):
            return trial, max(damping / 10, 1e-9)
        damping = max(10 * damping, 1e-6)
    return state, 1e-3


def _equations(
    model: LeBailModel, data: FitData, state: _State, held: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Rows of S as columns, derivatives of c, both of unit size over the noise, that size, and what is free in them."""
    slopes, parts = _slopes(model, data, state), _parts(state)
    shares = _share_columns(data, state, _core(state)) @ (parts > 0)
    rows = np.column_stack((shares, data.weight[:, None] * slopes))
    slopes = np.column_stack((state.columns.shape @ parts, slopes))
    free = np.any(slopes != 0, axis=0) & np.any(rows != 0, axis=0)
    free[free.size - held.size :] &= ~held
    rows, slopes = rows[:, free] / np.sqrt(data.weight)[:, None], slopes[:, free] * np.sqrt(data.weight)[:, None]
    size = np.linalg.norm(slopes, axis=0)
    return rows / np.linalg.norm(rows, axis=0), slopes / size, size, free


def _joint_step(
    model: LeBailModel, data: FitData, state: _State, held: npt.NDArray[np.bool_], part: float
) -> tuple[_State, npt.NDArray[np.bool_], float]:
    """One step of areas, background and parameters together; what it moves, in counting standard deviations."""
    rows, slopes, size, free = _equations(model, data, state, held)
    matrix, misfit = rows.T @ slopes, rows.T @ (state.residual * np.sqrt(data.weight))
    scaled = np.linalg.lstsq(matrix, misfit, rcond=_SINGULAR)[0]
    scaled *= part * min(1.0, _LONGEST / max(float(np.max(np.abs(scaled))), _LONGEST))
    change = np.zeros(free.size)
    change[free] = scaled / size
    parts, terms = _parts(state), len(data.basis)
    count = parts.shape[1]
    wanted = state.values + change[count + terms :]
    values = np.clip(wanted, model.lowest, model.highest)
    areas = _intensity(replace(state, areas=state.areas + parts @ change[:count]))
    moved = _at(model, data, state.rules, values, state.slots, state.background + change[count : count + terms], areas)
    return moved, held | (wanted != values), float(np.max(np.abs(scaled)))


def _covariance(
    model: LeBailModel, data: FitData, state: _State, held: npt.NDArray[np.bool_]
) -> tuple[Ints, Floats] | None:
    """Of the areas, the background and the free parameters; None where lines were taken for one."""
    parts = _parts(state)
    if np.any((parts > 0) & (parts < 1)):
        return None
    rows, slopes, size, free = _equations(model, data, state, held)
    matrix = rows.T @ slopes
    spread = np.linalg.solve(matrix, rows.T) / size[:, None]
    whole = np.zeros((free.size, free.size))
    whole[np.ix_(free, free)] = spread @ spread.T
    back = np.zeros((state.areas.size + free.size - parts.shape[1], free.size))
    back[: state.areas.size, : parts.shape[1]] = parts
    back[state.areas.size :, parts.shape[1] :] = np.eye(free.size - parts.shape[1])
    return state.columns.lines, back @ whole @ back.T
