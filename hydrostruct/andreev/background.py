"""Other ways to the normal background than the joint fit: a polynomial outside a window, or a curve above Tc."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.curve import ConductanceCurve, point_sigma
from hydrostruct.andreev.fit import fit_conductance
from hydrostruct.andreev.fit_result import AndreevFit
from hydrostruct.errors import InputError
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

WINDOW_DEGREES = (2, 3, 4, 5, 6)
_EDGES_IN_GAPS = (2.0, 2.5, 3.0)
_FREE_TERMS = 3


def window_background(curve: ConductanceCurve, *, degree: int, edge_mv: float) -> Floats:
    """A polynomial through the points outside a window of bias, as the paper's authors take it.

    Parameters
    ----------
    curve : ConductanceCurve
    degree : int
        Degree, at least 0.
    edge_mv : float
        Points with |bias| above it are fitted, in mV.

    Returns
    -------
    array, shape (n,)
        The background at every bias.

    Raises
    ------
    InputError
        When fewer points lie outside than the polynomial needs.
    """
    outside = np.abs(curve.bias_mv) > edge_mv
    if np.count_nonzero(outside) < degree + 1 + _FREE_TERMS:
        raise InputError(
            f"{curve.name or 'curve'}: {np.count_nonzero(outside)} points lie beyond {edge_mv:.4g} mV. Expected "
            f"{degree + 1 + _FREE_TERMS} or more for degree {degree}. Lower the edge."
        )
    scaled = curve.bias_mv / float(np.max(np.abs(curve.bias_mv)))
    terms = np.polynomial.legendre.legvander(scaled, degree)
    weight = 1.0 / point_sigma(curve)
    design = (terms * weight[:, None])[outside]
    return np.asarray(terms @ np.linalg.lstsq(design, (curve.conductance * weight)[outside], rcond=None)[0])


def divided(curve: ConductanceCurve, background: Floats) -> ConductanceCurve:
    """The curve over a background, its sigma too.

    Raises
    ------
    InputError
        When the background is not above 0 everywhere.
    """
    if not np.all(background > 0):
        raise InputError(f"{curve.name or 'curve'}: the background is not above 0 everywhere. Lower its degree.")
    sigma = point_sigma(curve) / background
    return replace(curve, conductance=curve.conductance / background, sigma=sigma)


def divided_by_curve(curve: ConductanceCurve, normal: ConductanceCurve) -> ConductanceCurve:
    """The curve over one that was measured above Tc, where both have points.

    Parameters
    ----------
    curve, normal : ConductanceCurve
        In the same unit; `normal` above Tc.

    Returns
    -------
    ConductanceCurve
        Its sigma holds that of both.

    Raises
    ------
    InputError
        When the two do not share a range of bias.

    Examples
    --------
    >>> x = np.linspace(-10.0, 10.0, 41)
    >>> above = ConductanceCurve(bias_mv=x, conductance=2.0 + 0.01 * x, temperature_k=120.0)
    >>> below = ConductanceCurve(bias_mv=x, conductance=(2.0 + 0.01 * x) * (1.0 + 0.1 * (np.abs(x) < 2)))
    >>> divided_by_curve(below, above).conductance.max().round(6)
    np.float64(1.1)
    """
    low, high = float(normal.bias_mv[0]), float(normal.bias_mv[-1])
    inside = (curve.bias_mv >= low) & (curve.bias_mv <= high)
    if np.count_nonzero(inside) < 20:
        raise InputError(f"{normal.name or 'curve above Tc'}: it reaches from {low:g} to {high:g} mV. Expected more.")
    below = np.interp(curve.bias_mv[inside], normal.bias_mv, normal.conductance)
    share = np.interp(curve.bias_mv[inside], normal.bias_mv, point_sigma(normal)) / below
    value = curve.conductance[inside] / below
    sigma = np.abs(value) * np.hypot(point_sigma(curve)[inside] / curve.conductance[inside], share)
    return replace(curve, bias_mv=curve.bias_mv[inside], conductance=value, sigma=sigma)


def fit_outside_window(
    curve: ConductanceCurve,
    *,
    degrees: Sequence[int] = WINDOW_DEGREES,
    edges_mv: Sequence[float] | None = None,
    model: str = "s-wave",
    weight: float | None = None,
) -> AndreevFit:
    """The paper's way: the background first, outside a window, then the fit; both choices scanned.

    Parameters
    ----------
    curve : ConductanceCurve
    degrees : sequence of int
        Degrees to try.
    edges_mv : sequence of float, optional
        Edges of the window, in mV; 2, 2.5 and 3 gaps of the joint fit when left out.
    model, weight
        As in :func:`~hydrostruct.andreev.fit.fit_conductance`.

    Returns
    -------
    AndreevFit
        That with the median gap; the spread over all choices is its `gap_background_mev`, and in its sigma.

    Raises
    ------
    InputError
        When no choice leaves points enough.

    Notes
    -----
    The curve of a superconductor still lies above 1 at three gaps; a polynomial outside takes that with it. The joint
    fit does not have this fault, and is the default.
    """
    joint = fit_conductance(curve, model=model, weight=weight)
    if math.isnan(joint.gap_mev):
        return joint
    edges = [one * joint.gap_mev for one in _EDGES_IN_GAPS] if edges_mv is None else list(edges_mv)
    found: list[tuple[AndreevFit, Floats]] = []
    for edge in edges:
        for degree in degrees:
            try:
                background = window_background(curve, degree=degree, edge_mv=edge)
                normalised = divided(curve, background)
            except InputError:
                continue
            fit = fit_conductance(normalised, model=model, weight=weight, degree=0)
            if math.isfinite(fit.gap_mev):
                found.append((fit, background))
    if not found:
        raise InputError(
            f"{curve.name or 'curve'}: no window leaves points enough beyond {min(edges):.4g} mV. Measure further "
            "out, or use the joint background."
        )
    found.sort(key=lambda one: one[0].gap_mev)
    middle, background = found[len(found) // 2]
    spread = float(np.std([one[0].gap_mev for one in found]))
    verdict, reason = middle.verdict, middle.reason
    if spread > 0.1 * middle.gap_mev and verdict is Verdict.CONVERGED:
        verdict, reason = Verdict.DOUBTFUL, f"The choice of the background moves the gap by {spread:.2g} meV."
    return replace(
        middle,
        verdict=verdict,
        reason=reason,
        conductance=curve.conductance,
        background=background * middle.background,
        gap_background_mev=spread,
        gap_sigma_mev=math.hypot(middle.gap_statistical_mev, spread),
    )
