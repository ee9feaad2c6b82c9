"""What a fit says in words beside its numbers: reasons to doubt a phase, and what a user should know of the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import special

from hydrostruct.xrd.fit_result import PhaseFit
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.single_peaks import own_lines
from hydrostruct.xrd.width_trend import width_trend

if TYPE_CHECKING:
    from hydrostruct.xrd.evidence import Evidence

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEGATIVE_SIGMA = 5.0
"""Lines that point down by more are wrong."""
MISFIT_GOF = 5.0
"""Goodness of fit from which on misfit is far above the noise."""
_UNEXPLAINED_PART = 0.5
_MOST_LEFT = 50.0
_SIGMA_TOO_LARGE_GOF = 0.5
_BESIDE_FWHM, _CHANCE = 3.0, 0.002
_MANY_FOREIGN = 3


MUCH_UNEXPLAINED = "Much of what stands above the background belongs to no phase of the fit."
CONTESTED = "Peaks that belong to no phase would explain all of its lines in the range as well."
"""Reasons to doubt a phase that only the fit of a pattern by itself can find."""


def unexplained_reason(evidence: Evidence, foreign_area: float) -> str:
    """A reason to doubt every phase, when much of what stands above the background belongs to none of them."""
    left = evidence.agreement.rwp_background_corrected_percent
    if left > _MOST_LEFT and evidence.agreement.gof > MISFIT_GOF / 2:
        return f"The fit leaves {left:.0f} % (Rwp) of what stands above the background: another cell, zero or phase."
    if not foreign_area > 0:
        return ""
    own = float(np.nansum(np.maximum(evidence.solution.intensity[evidence.in_range], 0.0)))
    if foreign_area <= _UNEXPLAINED_PART * own:
        return ""
    return MUCH_UNEXPLAINED


def followed_reasons(model: LeBailModel, evidence: Evidence, foreign_deg: Floats) -> list[str]:
    """A reason to doubt each phase beside whose lines single peaks stand by more than chance; else an empty one."""
    if not foreign_deg.size:
        return [""] * len(model.phases)
    low, high = evidence.range_deg
    reasons = []
    for index in range(len(model.phases)):
        mine = (model.phase_of == index) & evidence.in_range
        place = evidence.solution.position[mine]
        reach = _BESIDE_FWHM * evidence.solution.width[mine]
        count = int(np.any(np.abs(foreign_deg[:, None] - place) < reach, axis=1).sum())
        by_chance = min(1.0, 2.0 * float(np.sum(reach)) / (high - low))
        # of n peaks that know nothing of the phase, count or more would stand there
        is_chance = count == 0 or special.bdtrc(count - 1, foreign_deg.size, by_chance) > _CHANCE
        reasons.append(
            ""
            if is_chance
            else f"{count} of {foreign_deg.size} single peaks stand beside its lines: its cell is another, or the "
            "lines have a shape that is not the model's."
        )
    return reasons


def foreign_notes(foreign_deg: Floats, *, left_out: bool) -> list[str]:
    """What was done with lines of no phase, at these angles, in degrees, shape (lines,)."""
    if not foreign_deg.size:
        return []
    what = "left out, also of the R factors" if left_out else "fitted as single peaks"
    shown = ", ".join(f"{angle:.2f}°" for angle in foreign_deg[:12]) + (" …" if foreign_deg.size > 12 else "")
    return [f"{foreign_deg.size} line(s) that no phase of the fit explains were {what}: {shown}."]


def axis_notes(pattern: Pattern, foreign_deg: Floats, *, is_strange: bool) -> list[str]:
    """What to look at where many lines are of no phase; patterns of our own integration are in 2θ."""
    if not is_strange or foreign_deg.size < _MANY_FOREIGN or pattern.sigma_source not in ("given", "counting", "noise"):
        return []
    return [
        "Many lines of this pattern are those of no phase of the fit. Check the phases, the wavelength, and that the "
        "first column is 2θ in degrees: from Q or d it is 2 arcsin(Qλ/4π) = 2 arcsin(λ/2d)."
    ]


def shape_notes(data: FitData, background: Floats) -> list[str]:
    """How much of the pattern the shape is that all lines share beyond their profiles; background of shape (n,)."""
    if data.beyond_profile is None:
        return []
    part = float(np.max(np.abs(data.beyond_profile)) / np.max(data.measured - background))
    return [
        f"The lines share a shape that no pseudo-Voigt has. It was learned from them and taken into account: at most "
        f"{100 * part:.1f} % of the highest line. The place of a line is where a symmetric one fits it best."
    ]


def width_notes(model: LeBailModel, data: FitData, evidence: Evidence) -> list[str]:
    """Whether the widths of the lines follow the angle otherwise than they were fitted."""
    change = width_trend(
        model,
        data,
        evidence.solution,
        intensity_sigma=evidence.intensity_sigma,
        noise=evidence.agreement.gof,
    )
    if not change:
        return []
    return [
        f"The widths of the lines change with the angle otherwise than fitted, by {100 * change:.0f} % on the average. "
        "Free u and v as well."
    ]


def stress_notes(fits: dict[str, PhaseFit]) -> list[str]:
    """What the deviatoric stress of each phase does to its volume."""
    return [
        f"{name}: its deviatoric stress (Q {fit.stress:.5f}, shape {fit.stress_shape:.5f}) is taken off; without it V "
        f"would read {abs(fit.stress_volume_ang3):.4f} Å³ {'larger' if fit.stress_volume_ang3 > 0 else 'smaller'}."
        for name, fit in fits.items()
        if fit.stress_volume_ang3
    ]


def fit_warnings(model: LeBailModel, evidence: Evidence) -> list[str]:
    """Sigma that is too large, lines that are negative, and parameters at their limits."""
    solution = evidence.solution
    found = []
    if evidence.detection_scale < _SIGMA_TOO_LARGE_GOF:
        found.append(
            f"GOF is {evidence.agreement.gof:.2g}: sigma, which no column gave, is too large for this pattern, and the "
            "uncertainties are too large by about as much. Give a file with a sigma column."
        )
    for line in _negative_lines(model, evidence)[:5]:
        reflection = int(np.flatnonzero(model.reflection_line == line)[0])
        hkl = " ".join(str(index) for index in model.reflection_hkl[reflection])
        found.append(
            f"{model.phases[model.phase_of[line]].name} ({hkl}) at {solution.position[line]:.3f}° is negative by "
            f"{-solution.intensity[line] / evidence.intensity_sigma[line]:.1f} sigma: the background or a "
            "cell is wrong there."
        )
    for index in np.flatnonzero(solution.held) if solution.held.any() else ():
        name = model.parameter_names[index]
        if not name.startswith(("cell:", "peak:")):
            found.append(f"{name} rests on its limit and was held there.")
    return found


def _negative_lines(model: LeBailModel, evidence: Evidence) -> Ints:
    if not evidence.negative_lines.any():
        return np.empty(0, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        below = evidence.solution.intensity < -NEGATIVE_SIGMA * evidence.intensity_sigma
    return np.flatnonzero(below & evidence.in_range & own_lines(model))
