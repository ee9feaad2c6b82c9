"""The paper's second way: where the curve leaves the background, and the temperature at which its peak vanishes.

Both need no model, and both are biased: the first reads a bias well above the gap (see `deviation_gap`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.background import window_background
from hydrostruct.andreev.curve import ConductanceCurve, point_sigma
from hydrostruct.errors import InputError
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_IN_A_ROW = 5
_SURE = 3.0
_LIMIT_95 = 1.645
_AT_EDGE = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviationGap:
    """The bias at which a curve leaves its background."""

    verdict: Verdict
    """CONVERGED; DOUBTFUL where the signs of bias disagree or the edge itself is met; or ABSENT."""
    gap_mev: float
    """Mean of the two signs of bias, in meV; NaN where the curve does not leave its background."""
    gap_sigma_mev: float
    """Half their difference and half a step, in quadrature, in meV; its bias against the gap is not in it."""
    negative_mv: float
    """Where it leaves at negative bias, in mV."""
    positive_mv: float
    """Where it leaves at positive bias, in mV."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeakVanishing:
    """The temperature at which the zero-bias peak is gone."""

    verdict: Verdict
    """CONVERGED, DOUBTFUL where the peak is still there in the hottest curve, or ABSENT."""
    tc_k: float
    """Where the height, extrapolated, is 0, in K; kept between the last curve with a peak and the next."""
    tc_low_k: float
    """The hottest temperature with a sure peak, in K."""
    tc_high_k: float
    """The next temperature measured, in K; NaN where there is none."""
    heights: Floats
    """Height of the peak over the background, shape (curves,), from cold to hot."""
    heights_sigma: Floats
    """Their standard uncertainties."""
    upper_limit: float
    """Height that the first curve without a sure peak excludes with 95 % confidence; NaN where there is none."""


def deviation_gap(curve: ConductanceCurve, *, edge_mv: float, degree: int = 2, sigmas: float = 3.0) -> DeviationGap:
    """The bias at which the curve, walked inwards, rises from its background for good.

    Parameters
    ----------
    curve : ConductanceCurve
    edge_mv : float
        The background is a polynomial through points with |bias| above it, in mV.
    degree : int
        Its degree.
    sigmas : float
        How many standard deviations are a deviation, for five points in a row.

    Returns
    -------
    DeviationGap

    Raises
    ------
    InputError
        When too few points lie outside.

    Notes
    -----
    This is not the gap. On simulated spectra (Γ 5 meV, Z 0.3, edge 65 mV) it reads 2.8 times the gap that made them at
    2 K, 3.0 at 60 K and 4.0 at 90 K with a noise of 0.2 %; 2.4, 2.6 and 3.4 with 0.5 %. The better the data, the
    further out a curve is seen to leave its background, whose tails end nowhere.
    """
    background = window_background(curve, degree=degree, edge_mv=edge_mv)
    above = (curve.conductance - background) / point_sigma(curve) > sigmas
    ends = []
    for sign in (-1.0, 1.0):
        side = np.flatnonzero((sign * curve.bias_mv >= 0) & (np.abs(curve.bias_mv) <= edge_mv))
        inwards = side[np.argsort(-np.abs(curve.bias_mv[side]), kind="stable")]
        # padded so that a short side has no run rather than an error
        padded = np.concatenate([above[inwards].astype(np.float64), np.zeros(_IN_A_ROW)])
        at = np.flatnonzero(np.convolve(padded, np.ones(_IN_A_ROW), mode="valid") == _IN_A_ROW)
        ends.append(float(curve.bias_mv[inwards[at[0]]]) if at.size else math.nan)
    gap = 0.5 * (ends[1] - ends[0])
    step = float(np.median(np.diff(curve.bias_mv)))
    sigma = math.hypot(0.5 * abs(ends[1] + ends[0]), 0.5 * step)
    unsure = sigma > 0.2 * gap or gap > _AT_EDGE * edge_mv
    verdict = Verdict.ABSENT if math.isnan(gap) else Verdict.DOUBTFUL if unsure else Verdict.CONVERGED
    return DeviationGap(
        verdict=verdict,
        gap_mev=gap,
        gap_sigma_mev=sigma if math.isfinite(gap) else math.nan,
        negative_mv=ends[0],
        positive_mv=ends[1],
    )


def peak_height(curve: ConductanceCurve, *, edge_mv: float, core_mv: float, degree: int = 2) -> tuple[float, float]:
    """Mean height of the curve about zero bias over the background, as a part of it.

    Parameters
    ----------
    curve : ConductanceCurve
    edge_mv : float
        The background is fitted beyond it, in mV.
    core_mv : float
        The height is the mean of points with |bias| up to this, in mV.
    degree : int
        Degree of the background.

    Returns
    -------
    height, height_sigma : float
        The uncertainty of the background is in it; a curve without a peak has mean 0.

    Raises
    ------
    InputError
        When too few points lie within or beyond.
    """
    inside, outside = np.abs(curve.bias_mv) <= core_mv, np.abs(curve.bias_mv) > edge_mv
    if np.count_nonzero(inside) < 3:
        raise InputError(f"{curve.name or 'curve'}: fewer than 3 points lie within {core_mv:g} mV. Widen the core.")
    background = window_background(curve, degree=degree, edge_mv=edge_mv)
    sigma = point_sigma(curve)
    level = float(np.mean(background[inside]))
    height = float(np.mean(curve.conductance[inside])) / level - 1.0
    terms = np.polynomial.legendre.legvander(curve.bias_mv / float(np.max(np.abs(curve.bias_mv))), degree)
    design = (terms / sigma[:, None])[outside]
    middle = terms[inside].mean(axis=0)
    of_background = float(middle @ np.linalg.inv(design.T @ design) @ middle)
    of_points = float(np.sum(sigma[inside] ** 2)) / np.count_nonzero(inside) ** 2
    return height, math.sqrt(of_background + of_points) / level


def peak_vanishing(
    curves: Sequence[ConductanceCurve], *, edge_mv: float, core_mv: float, degree: int = 2
) -> PeakVanishing:
    """The temperature at which the zero-bias peak of a series vanishes: one definition of Tc among others.

    Parameters
    ----------
    curves : sequence of ConductanceCurve
        With temperatures, in any order.
    edge_mv, core_mv, degree
        As in :func:`peak_height`.

    Returns
    -------
    PeakVanishing

    Raises
    ------
    InputError
        When fewer than two curves are given, or a temperature is not known.
    """
    ordered = sorted(curves, key=lambda one: one.temperature_k)
    if len(ordered) < 2 or any(math.isnan(one.temperature_k) for one in ordered):
        raise InputError(f"{len(ordered)} curves. Expected two or more, each with its temperature. Name more files.")
    found = [peak_height(one, edge_mv=edge_mv, core_mv=core_mv, degree=degree) for one in ordered]
    height, sigma = np.array([one[0] for one in found]), np.array([one[1] for one in found])
    temperature = np.array([one.temperature_k for one in ordered])
    sure = np.flatnonzero(height > _SURE * sigma)
    if sure.size == 0:
        limit = max(float(height[0]), 0.0) + _LIMIT_95 * float(sigma[0])
        return _vanished(Verdict.ABSENT, math.nan, math.nan, math.nan, height, sigma, limit)
    last = int(sure[-1])
    low = float(temperature[last])
    if last + 1 == temperature.size:
        return _vanished(Verdict.DOUBTFUL, math.nan, low, math.nan, height, sigma, math.nan)
    high = float(temperature[last + 1])
    # near Tc the height falls as Δ², about straight; the last two sure curves lead to its zero
    before = max(last - 1, 0)
    fall = float(height[before] - height[last])
    end = low + float(height[last]) * (low - float(temperature[before])) / fall if fall > 0 else 0.5 * (low + high)
    limit = max(float(height[last + 1]), 0.0) + _LIMIT_95 * float(sigma[last + 1])
    return _vanished(Verdict.CONVERGED, min(max(end, low), high), low, high, height, sigma, limit)


def _vanished(
    verdict: Verdict, tc: float, low: float, high: float, height: Floats, sigma: Floats, limit: float
) -> PeakVanishing:
    return PeakVanishing(
        verdict=verdict,
        tc_k=tc,
        tc_low_k=low,
        tc_high_k=high,
        heights=height,
        heights_sigma=sigma,
        upper_limit=limit,
    )
