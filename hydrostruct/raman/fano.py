"""Fano's line: one that interferes with a broad background, and leans to one side for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.numerics.least_squares import LeastSquares, corrected_akaike, fit_least_squares, sigma_factor
from hydrostruct.raman.lines import LineFit, no_line
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_STARTS = (0.0, 0.2, -0.2)
_PARAMETERS = 6  # top, ln width, height, asymmetry, background at the middle, its slope
_LARGEST_ASYMMETRY = 1.0  # beyond, the line is more dip than peak, and its top no line's


@dataclass(frozen=True, kw_only=True, slots=True)
class FanoFit:
    """What a fit of Fano's profile says of one line."""

    line: LineFit
    """Top, full width of the resonance, height; `lorentz_share` is 1, and the area that of the symmetric line."""
    asymmetry: float
    """1/q: 0 for a symmetric line, above 0 for one that leans to high frequency; NaN where there is no fit."""
    asymmetry_sigma: float
    """Its standard uncertainty."""
    resonance_cm1: float
    """The frequency without the interference, in cm⁻¹."""
    resonance_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹."""
    criterion: float
    """Akaike's corrected criterion; infinite where there is no fit."""


def fano_profile(x: Floats, top_cm1: float, *, width: float, asymmetry: float) -> Floats:
    """Fano's profile of height 1 above its background.

    Parameters
    ----------
    x : array, shape (n,)
        Raman shift, in cm⁻¹.
    top_cm1, width : float
        Top, and full width of the resonance, in cm⁻¹.
    asymmetry : float
        r = 1/q.

    Returns
    -------
    array, shape (n,)

    Notes
    -----
    [(q + ε)²/(1 + ε²) − 1]/q² = (1 − r² + 2rε)/(1 + ε²) with ε = 2(ν − ν₀)/w: 1 at its top, ε = r, and a Lorentzian
    for r = 0 [1]_.

    References
    ----------
    .. [1] U. Fano, Phys. Rev. 124, 1866 (1961), doi 10.1103/PhysRev.124.1866

    Examples
    --------
    >>> fano_profile(np.array([-1.0, 0.0, 1.0]), 0.0, width=2.0, asymmetry=0.0)
    array([0.5, 1. , 0.5])
    """
    reduced = 2.0 * (x - top_cm1) / width + asymmetry
    return np.asarray((1.0 - asymmetry**2 + 2.0 * asymmetry * reduced) / (1.0 + reduced**2))


def fit_fano(x: Floats, y: Floats, *, sigma: Floats, start_cm1: float, width_cm1: float) -> FanoFit:
    """Fit one Fano line on a straight background.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        Raman shift in cm⁻¹, intensity and its standard uncertainty.
    start_cm1, width_cm1 : float
        Where the line is about, and how wide.

    Returns
    -------
    FanoFit
    """
    if x.size <= _PARAMETERS:
        return _no_fano("There are too few points for a fit.")
    scale, middle, span = max(float(np.ptp(y)), 1e-300), float(np.mean(x)), float(x[-1] - x[0])

    def residuals(p: Floats) -> Floats:
        line = fano_profile(x, p[0], width=math.exp(float(np.clip(p[1], -10.0, 10.0))), asymmetry=p[3])
        return np.asarray((y - scale * (p[4] + p[5] * (x - middle) / span + p[2] * line)) / sigma)

    floor = float(np.min(y)) / scale
    height = float(np.interp(start_cm1, x, y)) / scale - floor
    found = [
        fit_least_squares(residuals, [start_cm1, math.log(width_cm1), height, lean, floor, 0.0]) for lean in _STARTS
    ]
    return _fano_of(min(found, key=corrected_akaike), x, scale)


def _fano_of(found: LeastSquares, x: Floats, scale: float) -> FanoFit:
    top, log_width, height, lean = (float(value) for value in found.values[:4])
    settled = found.verdict is Verdict.CONVERGED and x[0] < top < x[-1] and height > 0
    if not settled or not abs(lean) < _LARGEST_ASYMMETRY:
        return _no_fano("The fit did not come to rest as a line.")
    width, factor = math.exp(float(np.clip(log_width, -10.0, 10.0))), sigma_factor(found)
    errors = np.sqrt(np.maximum(np.diag(found.covariance), 0.0)) * factor
    # the resonance lies at top − r w/2
    gradient = np.zeros(found.values.size)
    gradient[[0, 1, 3]] = 1.0, -0.5 * lean * width, -0.5 * width
    resonance_sigma = math.sqrt(max(float(gradient @ found.covariance @ gradient), 0.0)) * factor
    line = LineFit(
        verdict=Verdict.CONVERGED, reason="", position_cm1=top, position_sigma_cm1=float(errors[0]), width_cm1=width,
        width_sigma_cm1=float(errors[1]) * width, height=height * scale, height_sigma=float(errors[2]) * scale,
        area=height * scale * width * math.pi / 2.0, lorentz_share=1.0, significance=height / float(errors[2]),
    )  # fmt: skip
    return FanoFit(
        line=line, asymmetry=lean, asymmetry_sigma=float(errors[3]), resonance_cm1=top - 0.5 * lean * width,
        resonance_sigma_cm1=resonance_sigma, criterion=corrected_akaike(found),
    )  # fmt: skip


def _no_fano(reason: str) -> FanoFit:
    nothing = math.nan
    return FanoFit(
        line=no_line(reason), asymmetry=nothing, asymmetry_sigma=nothing, resonance_cm1=nothing,
        resonance_sigma_cm1=nothing, criterion=math.inf,
    )  # fmt: skip
