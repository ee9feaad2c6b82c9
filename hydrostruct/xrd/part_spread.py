"""What the parts of a wide pattern say of its cell: each is left out in turn, and the fit repeated to first order.

A profile that is not quite that of the model moves lines by little, but neighbours alike, and otherwise at another end
of the pattern. Neither points nor single lines know of it; the parts do. What was found by trial, Kα2 and axial
divergence, is a parameter like all others here.

References
----------
Künsch, The Annals of Statistics 17, 1217 (1989), doi 10.1214/aos/1176347265: the jackknife over blocks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.asked_terms import RICH, is_wide
from hydrostruct.xrd.beam import BEAM_WORDS, beam_slopes, beam_value
from hydrostruct.xrd.blocks import scaled_inverse
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.line_columns import LineColumns, line_columns, slope_columns
from hydrostruct.xrd.model import FitData, LeBailModel

Floats = npt.NDArray[np.float64]

_PARTS, _FEWEST_PARTS = 8, 5
_LINES_OF_A_PART = 3
_STRONG_SIGMA = 10.0
_RIDGE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class PartSpread:
    """What a covariance of the free parameters does not know; both shape (parameters, parameters)."""

    by_beam: Floats
    """To be added to it before it is scaled: what Kα2 and axial divergence, found by trial, leave open."""
    by_parts: Floats | None
    """Scatter of the parameters with parts of the pattern left out, not to be scaled; None where the fit leaves no more
    than noise, or the lines are too few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """What one part says of all that is not a line's own: normal matrix (p, p) and gradient (p,)."""

    normal: Floats
    gradient: Floats


def part_spread(
    model: LeBailModel, data: FitData, evidence: Evidence, *, beam_is_known: bool = False
) -> PartSpread | None:
    """Uncertainty by the beam, and by the parts of a pattern.

    Parameters
    ----------
    model, data, evidence
        What was fitted, to what, and what came of it.
    beam_is_known : bool
        Whether the covariance has in it already what the beam leaves open.

    Returns
    -------
    PartSpread or None
        None where the pattern is narrow and has less than forty strong lines, or nothing of either.

    Notes
    -----
    The pattern is cut between strong lines into eight parts of equally many, five at the least. With A and g the normal
    matrix and the gradient of background, cells, widths and beam, intensities eliminated part by part, the fit without
    part b is off by (A − A_b)⁻¹(g − g_b) to first order; the covariance is (K − 1)/K Σ (δ_b − δ̄)(δ_b − δ̄)ᵀ over K
    parts. Eight give a sigma to 27 %.
    """
    if model.phase_of.size < RICH and not is_wide(data):
        return None
    has_beam = not beam_is_known and (model.axial > 0 or model.second_line[1] > 0)
    leaves_much = misfits(evidence.solution, data)
    places = _strong_places(evidence)
    if not (has_beam or leaves_much) or not (is_wide(data) or places.size >= RICH):
        return None
    columns = line_columns(model, data.position, evidence.solution.slots)
    common = _common_columns(model, data, evidence.solution, columns)
    parts = [_part(columns, common, data, evidence.solution, rows) for rows in part_rows(data, places)]
    own = slice(len(data.basis), len(data.basis) + len(model.parameter_names))
    return PartSpread(
        by_beam=_by_beam(parts, own) if has_beam else np.zeros((own.stop - own.start,) * 2),
        by_parts=_jackknife(parts)[own, own] if leaves_much and len(parts) >= _FEWEST_PARTS else None,
    )


def _common_columns(model: LeBailModel, data: FitData, solution: Solution, columns: LineColumns) -> Floats:
    """Slopes of the calculated pattern by background, free parameters and beam, shape (n, p)."""
    intensity = np.nan_to_num(solution.intensity)
    slopes = slope_columns(columns, model, intensity[columns.lines])
    slopes[:, solution.held] = 0.0
    words = [word for word in BEAM_WORDS if beam_value(model, word) > 0]
    return np.column_stack([data.basis.T, slopes, beam_slopes(model, data.position, solution.slots, intensity, words)])


def _strong_places(evidence: Evidence) -> Floats:
    """Angles of the lines that stand ten sigma high, in degrees, rising."""
    solution = evidence.solution
    with np.errstate(invalid="ignore"):
        strong = evidence.in_range & (solution.intensity > _STRONG_SIGMA * evidence.intensity_sigma)
    return np.sort(solution.position[strong])


def part_rows(data: FitData, places: Floats) -> list[slice]:
    """Points of each part of a pattern.

    Parameters
    ----------
    data : FitData
        The pattern.
    places : array, shape (lines,)
        Angles of its strong lines, in degrees, rising.

    Returns
    -------
    list of slice
        Eight, cut midway between lines, with equally many of them; fewer where a part would have less than three.
    """
    count = max(1, min(_PARTS, places.size // _LINES_OF_A_PART))
    first = np.array([part[0] for part in np.array_split(np.arange(places.size), count)[1:]], dtype=np.intp)
    edges = 0.5 * (places[first - 1] + places[first])
    ends = [0, *np.searchsorted(data.position, edges).tolist(), data.position.size]
    return [slice(low, high) for low, high in itertools.pairwise(ends)]


def _part(columns: LineColumns, common: Floats, data: FitData, solution: Solution, rows: slice) -> _Part:
    """One part, the intensities of its lines eliminated."""
    root = np.sqrt(data.weight[rows])[:, None]
    lines = columns.shape[rows]
    lines = lines[:, lines.any(axis=0)] * root
    rest = np.column_stack([common[rows], solution.residual[rows]]) * root
    normal = lines.T @ lines
    normal[np.diag_indices_from(normal)] *= 1.0 + _RIDGE
    border = lines.T @ rest
    reduced = rest.T @ rest - border.T @ np.linalg.solve(normal, border)
    return _Part(normal=reduced[:-1, :-1], gradient=reduced[:-1, -1])


def _by_beam(parts: list[_Part], own: slice) -> Floats:
    """Covariance of the parameters with the beam free, less that with the beam known."""
    normal = np.sum([part.normal for part in parts], axis=0)
    return np.asarray(scaled_inverse(normal)[own, own] - scaled_inverse(normal[: own.stop, : own.stop])[own, own])


def _jackknife(parts: list[_Part]) -> Floats:
    """Scatter of everything common with parts left out."""
    normal, gradient = (np.sum([getattr(part, name) for part in parts], axis=0) for name in ("normal", "gradient"))
    without = [scaled_inverse(normal - part.normal) @ (gradient - part.gradient) for part in parts]
    away = np.array(without) - np.mean(without, axis=0)
    return np.asarray((len(parts) - 1) / len(parts) * away.T @ away)
