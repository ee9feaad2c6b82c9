"""What the shape of lines that are far wider than others leaves open in the shares of the phases.

One Gaussian width is common to a pattern, and the narrowest lines say what it is. Lines of another phase that are many
times as wide are then Lorentzian, whatever they are: nothing asked for their shape. A Gaussian of the same height and
width has two thirds of the area.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.model import LeBailModel, phase_slots

Floats = npt.NDArray[np.float64]

_WIDER = 2.0
_GAUSS_OVER_LORENTZ = math.sqrt(1.0 / (math.pi * math.log(2.0)))
_OPEN = (1.0 - _GAUSS_OVER_LORENTZ) / math.sqrt(3.0)
"""Root mean square of what an area may be less, over it, if any shape between the two is as likely: 0.19."""


def share_sigmas(model: LeBailModel, evidence: Evidence) -> Floats:
    """Uncertainty of the share of each phase, the shape of lines far wider than others taken in.

    Parameters
    ----------
    model, evidence
        What was fitted, and what came of it.

    Returns
    -------
    array, shape (phases,)
        That of `evidence`, and in quadrature 0.19 s (1 − s) of a phase with share s whose lines are more than twice as
        wide as the narrowest of another phase, and than their Gaussian part; 0.19 s s′ of another phase with share s′.
    """
    share = evidence.share
    if share.size < 2 or not _may_be_broad(model, evidence):
        return evidence.share_sigma
    square = evidence.share_sigma**2
    width, gauss = np.array([_median_widths(model, evidence, index) for index in range(share.size)]).T
    if not np.any(np.isfinite(width)):
        return evidence.share_sigma
    for index in range(share.size):
        if width[index] > _WIDER * np.nanmin(width) and width[index] > _WIDER * gauss[index]:
            part = np.where(np.arange(share.size) == index, 1.0 - share[index], share[index])
            square = square + (_OPEN * share * part) ** 2
    return np.asarray(np.sqrt(square))


def _may_be_broad(model: LeBailModel, evidence: Evidence) -> bool:
    """Whether any phase has a Lorentzian width above the Gaussian one: a look that costs little."""
    for index in range(len(model.phases)):
        _, (u, v, w, p, size, strain) = phase_slots(model, evidence.solution.slots, index)
        if u or v or p or (size + strain) ** 2 > w:
            return True
    return False


def _median_widths(model: LeBailModel, evidence: Evidence, index: int) -> tuple[float, float]:
    """Full width of the middle one of the lines of a phase, and of its Gaussian part, in degrees; NaN for none."""
    mine = (model.phase_of == index) & evidence.in_range & np.isfinite(evidence.solution.intensity)
    if not mine.any() or not math.isfinite(evidence.share[index]):
        return math.nan, math.nan
    _, (u, v, w, p, *_) = phase_slots(model, evidence.solution.slots, index)
    theta = np.radians(0.5 * float(np.median(evidence.solution.position[mine])))
    square = u * math.tan(theta) ** 2 + v * math.tan(theta) + w + p / math.cos(theta) ** 2
    return float(np.median(evidence.solution.width[mine])), math.sqrt(max(float(square), 0.0))
