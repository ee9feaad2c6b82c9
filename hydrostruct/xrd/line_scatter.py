"""Lines that lie beside the places that their cell gives them by more than chance: what that does to the cell.

A spotty ring, or a profile that the model does not have, moves each line of a pattern by an amount of its own. The
points know nothing of it: to them thousands agree, where no more than a dozen lines do. It makes some lines wider than
others, too.

References
----------
Paule and Mandel, J. Res. Natl. Bur. Stand. 87, 377 (1982), doi 10.6028/jres.087.022: the variance between groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from hydrostruct.xrd import kernels
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.first_look import noise_scale
from hydrostruct.xrd.line_columns import line_columns, place_slopes
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.profile import CORE_FWHM, TYPICAL_MIXING

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHANCE = 0.05
"""Shifts that are no less likely than this are taken for noise."""
_STRONG_SIGMA = 10.0
_STEEP = 0.05
_BESIDE_FWHM = 1.0
_FEWEST, _CHANCE_OF_FEW = 3, 0.001
_ZERO_CHANCE = 0.01
_WIDTH_CHANCE, _ALLOWED = 0.01, 0.2
_PARTS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.09, 0.06, 0.04, 0.02)
_PLACE_OVER_WIDTH = 0.6  # √2/(2√(2 ln 2))
_ONE_SIGMA = 0.8413447460685429  # Φ(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LineScatter:
    """How lines scatter about their places, and what that does to the parameters of a fit."""

    parameter_covariance: Floats
    """To be added to that of the free parameters once it is scaled, shape (parameters, parameters)."""
    of_width: Floats
    """Standard deviation of the places of the lines of each phase over their width, shape (phases,); NaN for none."""
    zero_deg: float
    """Shift of the zero that would put that scatter right, in degrees; 0 where none would, or where one is free."""
    is_of_few: bool = False
    """Whether the lines are so few that the scatter says little more than that they disagree."""
    is_of_widths: bool = False
    """Whether it is what goes with the scatter of their widths, and their places are no farther off than noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Places:
    """Lines of a pattern: how far each lies from where its cell has it."""

    phase: Ints
    """Phase of each line, shape (lines,)."""
    shift: Floats
    """Measured less calculated place, in degrees."""
    variance: Floats
    """Of the shift, by noise alone, in degrees²."""
    slopes: Floats
    """Derivatives of the place by the free parameters, shape (lines, parameters)."""


def line_scatter(
    model: LeBailModel,
    data: FitData,
    solution: Solution,
    *,
    intensity_sigma: Floats,
    covariance: Floats,
    gof: float,
    serial: float,
) -> LineScatter | None:
    """Scatter of the lines of all phases about their places, where it is more than noise.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    intensity_sigma : array, shape (lines,)
        Uncertainty of the area of each line; those ten times above theirs are looked at, if no single peak stands
        within a width of them.
    covariance : array, shape (parameters, parameters)
        Of the free parameters, unscaled.
    gof, serial : float
        Goodness of fit and serial factor.

    Returns
    -------
    LineScatter or None
        None where the lines lie, and are as wide, as noise lets them. Where they have fewer than three degrees of
        freedom, that they disagree is believed at 1 in 1000, and their scatter says little more.

    Notes
    -----
    With s the slope of the residuals along the place of a line and m its square sum, both weighted, a line is off by
    s/m ± noise/√m. The variance τ² between the lines is that at which these shifts, less what the parameters can take
    up, have a weighted sum of squares as large as their degrees of freedom n (Paule and Mandel). It is that of all
    lines, but of the lines of a phase alone where these scatter otherwise (1 in 20). τ² t² C JᵀM²J C is the covariance
    of the parameters, J the slopes of the places by them, M = diag(m), and t the one-sigma quantile of Student's
    distribution of n degrees of freedom, since so few lines know τ² badly.

    The cells take up much of the shifts of the few strongest lines, so that what is left may look like noise by chance.
    The widths of the lines tell then: N grains that scatter by s make a line's centre uncertain by s/√N and its
    standard deviation by s/√(2N), so that places scatter by 0.6 of the full width times the relative scatter of the
    widths. Where widths scatter by more than noise (1 in 100) that is taken for τ, or as large a part of its square as
    leaves the weighted sum of squares no smaller than chance has it 1 in 5 times.
    """
    strong, slope, size, square, degrees = kernels.shifted_lines(
        data.position,
        data.weight,
        solution.residual,
        solution.position,
        solution.width,
        solution.intensity,
        intensity_sigma,
        model.phase_of,
        model.link,
        len(model.phases),
        _STRONG_SIGMA,
        _BESIDE_FWHM,
        TYPICAL_MIXING,
        CORE_FWHM,
    )
    if model.axial > 0 or model.second_line[1] > 0:  # a line of several copies has a slope of its own
        slope, size = _pulls_of_copies(model, data, solution, strong)
        square = float((slope**2 / size).sum())
    most = CHANCE if degrees >= _FEWEST else _CHANCE_OF_FEW
    if degrees < 1:
        return None
    is_of_widths = _chance(square / min(1.0, gof) ** 2, degrees) > most
    by_widths = _scatter_of_widths(model, data, solution, strong, serial) if is_of_widths else 0.0
    if is_of_widths and not by_widths:
        return None  # noise is no less than either says; where it is more, the lines are asked again
    noise = noise_scale(data) * serial
    places = _Places(
        phase=model.phase_of[strong],
        shift=slope / size,
        variance=noise**2 / size,
        slopes=place_slopes(model, solution.slots, strong),
    )
    if is_of_widths:
        variance = _as_widths_say(places, (_PLACE_OVER_WIDTH * by_widths * solution.width[strong]) ** 2)
    else:
        variance = _variance_of_places(places, len(model.phases), most)
    if variance is None:
        return None
    pull = covariance @ (places.slopes * size[:, None]).T
    relative = np.sqrt(variance) / solution.width[strong]
    spread = np.array([_mean(relative[places.phase == index]) for index in range(len(model.phases))])
    return LineScatter(
        parameter_covariance=np.asarray((pull * variance) @ pull.T),
        of_width=np.zeros(len(model.phases)) if is_of_widths else spread,
        zero_deg=0.0 if is_of_widths else _shift_of_zero(model, places),
        is_of_few=degrees < _FEWEST,
        is_of_widths=is_of_widths,
    )


def _pulls_of_copies(model: LeBailModel, data: FitData, solution: Solution, lines: Ints) -> tuple[Floats, Floats]:
    """Slope of half χ² along the place of each line of several copies, and its curvature, shape (lines,)."""
    columns = line_columns(model, data.position, solution.slots)
    slope, size = np.zeros(lines.size), np.zeros(lines.size)
    for row, line in enumerate(lines):
        number = int(np.flatnonzero(columns.lines == line)[0])
        window, by_place = columns.windows[number], columns.by_line[number][0] * solution.intensity[line]
        by_place = np.where(np.abs(by_place) > _STEEP * np.max(np.abs(by_place)), by_place, 0.0)
        slope[row] = float(np.sum(data.weight[window] * by_place * solution.residual[window]))
        size[row] = float(np.sum(data.weight[window] * by_place**2))
    return slope, size


def _variance_of_places(places: _Places, n_phases: int, most_chance: float) -> Floats | None:
    """Variance of the place of each line, its uncertainty taken in, shape (lines,); None where noise is enough."""
    common, degrees, chance = _between(places, np.ones(places.shift.size, dtype=np.bool_))
    if chance > most_chance:
        return None
    out = np.full(places.shift.size, common * _quantile(degrees) ** 2)
    for index in range(n_phases):
        mine = places.phase == index
        if mine.sum() <= _FEWEST:
            continue
        own, degrees, _ = _between(places, mine)
        if degrees < _FEWEST:
            continue
        tail = _chance(_weighted_sum(places, mine, common), degrees)
        if min(tail, 1.0 - tail) < 0.5 * CHANCE:
            out[mine] = own * _quantile(degrees) ** 2
    return out


def _scatter_of_widths(model: LeBailModel, data: FitData, solution: Solution, lines: Ints, serial: float) -> float:
    """Relative scatter of the widths of single lines about those of their phase; 0 where noise is enough."""
    slope, size = kernels.width_pulls(
        data.position,
        data.weight,
        solution.residual,
        lines,
        solution.position,
        solution.width,
        solution.intensity,
        TYPICAL_MIXING,
        CORE_FWHM,
    )
    if not np.all(size > 0):
        return 0.0
    own = (model.phase_of[lines][:, None] == np.arange(len(model.phases))).astype(float)
    noise = noise_scale(data) * serial
    between, degrees, by_noise = kernels.variance_between(own, slope / size, noise**2 / size)
    if degrees < _FEWEST or _chance(by_noise, degrees) > _WIDTH_CHANCE:
        return 0.0
    return math.sqrt(between)


def _as_widths_say(places: _Places, expected: Floats) -> Floats | None:
    """Variance of each line's place that goes with the scatter of widths, as far as the places do not contradict."""
    rank = kernels.shifts_left(places.slopes, places.shift, places.variance)[2]
    least = 2.0 * float(special.gammaincinv(0.5 * (places.shift.size - rank), _ALLOWED))
    for part in _PARTS:
        square, _, _ = kernels.shifts_left(places.slopes, places.shift, places.variance + part * expected)
        if square >= least:
            return part * expected
    return None


def _between(places: _Places, mine: npt.NDArray[np.bool_]) -> tuple[float, int, float]:
    """Variance between some of the lines, its degrees of freedom, and how likely noise alone makes their scatter."""
    between, degrees, by_noise = kernels.variance_between(
        places.slopes[mine], places.shift[mine], places.variance[mine]
    )
    return between, degrees, _chance(by_noise, degrees) if degrees > 0 else 1.0


def _weighted_sum(places: _Places, mine: npt.NDArray[np.bool_], between: float) -> float:
    """Weighted sum of squares of the shifts, less what the parameters take up, at a variance between the lines."""
    square, _, _ = kernels.shifts_left(places.slopes[mine], places.shift[mine], places.variance[mine] + between)
    return float(square)


def _shift_of_zero(model: LeBailModel, places: _Places) -> float:
    """A shift alike for all lines beside what the cells can take up, where chance gives one as clear 1 in 100 times."""
    if np.any(model.link[-2:] >= 0):
        return 0.0
    every = np.ones(places.shift.size, dtype=np.bool_)
    shifted = replace(places, slopes=np.column_stack((places.slopes, np.ones(places.shift.size))))
    between, degrees, _ = _between(shifted, every)
    if degrees < _FEWEST:
        return 0.0
    left = _weighted_sum(shifted, every, between)
    gained = _weighted_sum(places, every, between) - left
    if special.fdtrc(1, degrees, gained * degrees / max(left, 1e-300)) > _ZERO_CHANCE:
        return 0.0
    weight = np.sqrt(1.0 / (places.variance + between))
    scale = np.maximum(np.abs(shifted.slopes).max(axis=0), 1e-300)
    taken = np.linalg.lstsq(shifted.slopes / scale * weight[:, None], places.shift * weight, rcond=1e-9)[0]
    return float(taken[-1])


def _chance(square: float, degrees: int) -> float:
    """Probability of a χ² at least so large."""
    return float(special.gammaincc(0.5 * degrees, 0.5 * square))


def _quantile(degrees: int) -> float:
    """One-sided quantile of Student's distribution that one standard deviation is of a Gaussian."""
    return float(special.stdtrit(degrees, _ONE_SIGMA))


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else math.nan
