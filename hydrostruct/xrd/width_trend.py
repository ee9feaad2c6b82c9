"""Do the widths of the lines follow the angle in a way that the fit does not? Then it should free u and v.

Over the narrow range of a diamond cell one Gaussian and one Lorentzian width do. Over the range of a neutron or
laboratory pattern the instrument's own width changes by a factor of two, and no misfit says which word is missing.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.profile import CORE_FWHM, TYPICAL_MIXING, pseudo_voigt
from hydrostruct.xrd.single_peaks import own_lines

Floats = npt.NDArray[np.float64]

_LEAST_RANGE = 0.25
_STRONG_SIGMA = 10.0
_FEWEST_LINES = 6
_STEP = 0.02
_CLEARLY = 25.0
_LEAST_CHANGE = 0.04


def width_trend(
    model: LeBailModel, data: FitData, solution: Solution, *, intensity_sigma: Floats, noise: float
) -> float:
    """How far the widths of strong lines stray from the fitted ones with the angle.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    intensity_sigma : array, shape (lines,)
        Uncertainty of the area of each line.
    noise : float
        Standard deviation of the residuals over sigma.

    Returns
    -------
    float
        Root mean square of the smooth part of it, relative; 0 where it may be chance, where u and v are free, and over
        a range of tan θ below 0.25.

    Notes
    -----
    What the residuals of each line say of its width, its area being free, against a parabola in tan θ: it must take 25
    off χ², and amount to 4 %.
    """
    low, high = (math.tan(math.radians(0.5 * data.position[end])) for end in (0, -1))
    if "u" in model.parameter_names or high - low < _LEAST_RANGE or not noise > 0:
        return 0.0
    with np.errstate(invalid="ignore"):
        strong = np.flatnonzero(own_lines(model) & (solution.intensity > _STRONG_SIGMA * intensity_sigma))
    if strong.size < _FEWEST_LINES:
        return 0.0
    change, root = np.array([_width_change(data, solution, int(line)) for line in strong]).T
    tangent = np.tan(np.radians(0.5 * solution.position[strong]))
    design = np.vander(tangent, 3) * root[:, None] / noise
    scaled = change * root / noise
    answer = np.linalg.lstsq(design, scaled, rcond=None)[0]
    gained = float(scaled @ scaled - np.sum((scaled - design @ answer) ** 2))
    amount = float(np.sqrt(np.mean((np.vander(tangent, 3) @ answer) ** 2)))
    return amount if gained > _CLEARLY and amount > _LEAST_CHANGE else 0.0


def _width_change(data: FitData, solution: Solution, line: int) -> tuple[float, float]:
    """Relative change of its width that the residuals of a line ask for, and one over its uncertainty."""
    width = solution.width[line]
    first, last = np.searchsorted(data.position, solution.position[line] + np.array([-1, 1]) * CORE_FWHM * width)
    offset, weight = data.position[first:last] - solution.position[line], data.weight[first:last]
    shape = pseudo_voigt(offset, width, TYPICAL_MIXING)
    slope = pseudo_voigt(offset, width * (1 + _STEP), TYPICAL_MIXING) - pseudo_voigt(
        offset, width * (1 - _STEP), TYPICAL_MIXING
    )
    slope *= solution.intensity[line] / (2 * _STEP)
    total = float(np.sum(weight * shape**2))
    slope -= shape * (float(np.sum(weight * shape * slope)) / total if total > 0 else 0.0)  # the area is free
    size = float(np.sum(weight * slope**2))
    if not size > 0:
        return 0.0, 0.0
    return float(np.sum(weight * slope * solution.residual[first:last])) / size, float(np.sqrt(size))
