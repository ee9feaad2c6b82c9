"""Which of the falling steps of a spectrum is the edge: one rule, and what speaks against its answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hydrostruct.raman.edge_fit import EdgeCandidate
from hydrostruct.raman.step import StepFit
from hydrostruct.verdict import Verdict

STEP_SIGMAS, SURE_SIGMAS, CERTAIN_SIGMAS, MARGINAL_SIGMAS = 5.0, 9.0, 14.0, 3.4
_FEEBLE_SIGMAS = 7.5  # so feeble a step is, now and then, noise; how uncertain its place is, sigma says
STEP_CONTRAST, SMALL_CONTRAST, SURE_CONTRAST = 0.02, 0.025, 0.035
MEANT_CONTRAST = 0.05  # the feeblest edge that the search is made for
_HELD_HINT_SIGMAS = 7.0
_HINTS = ((8.0, 0.014), (4.3, STEP_CONTRAST), (4.1, MEANT_CONTRAST))  # the weaker a step, the higher it must seem
_FLANK_WIDTHS = 1.25  # of the band's half width: nearer to its flank a step may be the band's own
_SHOULDER_CM1 = 40.0  # above the band's top: so near, a second maximum of the band falls like an edge
_LINE_CHI2 = 6.0  # by so much of χ² a line must describe a fall better, or worse, to leave no doubt
_NARROW_CM1 = 1.4
_NEAR_CM1 = 25.0
_BESIDE_CM1 = 8.0  # nearer steps share their points: one of them may be a ripple, or what a cosmic ray left


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundStep:
    """One place where the intensity falls, and its fit."""

    candidate: EdgeCandidate
    """What is told of it."""
    fit: StepFit
    """The local fit."""
    line_preference: float
    """How much better a line describes it than a step, as `line_preference` says; NaN where it was not asked."""
    possible: bool = False
    """Whether a step of the least height that is meant cannot be excluded there."""
    cut: bool = False
    """Whether the fall is two, as where a cosmic ray hides its middle, and was fitted as one."""


def chosen_step(
    found: list[FoundStep], *, near_cm1: float | None, band: float, hidden_contrast: float = 0.0
) -> tuple[FoundStep | None, Verdict, str]:
    """The highest significant step above the flank of the band; why its number can, or cannot, be used.

    Parameters
    ----------
    found : list of FoundStep
        Every fall above the band's top.
    near_cm1 : float, optional
        A hint, in cm⁻¹: the fall nearest to it is taken.
    band : float
        Top of the first-order band, in cm⁻¹; NaN where it was not measured.
    hidden_contrast : float
        Height, over the band's, below which the noise hides a step.

    Returns
    -------
    step, verdict, reason : FoundStep or None, Verdict, str
    """
    if near_cm1 is not None:
        return _nearest(found, near_cm1)
    steps = sorted((one for one in found if one.candidate.kind == "step"), key=lambda one: one.candidate.edge_cm1)
    if not steps or steps[-1].candidate.edge_cm1 < band + _SHOULDER_CM1:
        hint = _hint(found, steps) or _possible(found, steps, hidden_contrast)
        if hint is not None:
            return hint
    if not steps:
        return _doubtful(found, hidden_contrast) or _nothing(found)
    best, likely = _highest(steps, band)
    doubts = _doubts(best, [one for one in steps if one.candidate.edge_cm1 < best.candidate.edge_cm1], found, band=band)
    if likely:
        doubts.append(f"The feebler fall above it, at {likely[-1].candidate.edge_cm1:.1f} cm⁻¹, may be a line's.")
    if doubts:
        return best, Verdict.AMBIGUOUS, " ".join(doubts)
    return best, Verdict.CONVERGED, ""


def _highest(steps: list[FoundStep], band: float) -> tuple[FoundStep, list[FoundStep]]:
    """The highest step, and what was passed over: falls that a line describes as well and that a plain step outdoes."""
    plain = [one for one in steps if not _could_be_line(one) and not one.candidate.edge_cm1 < band + _SHOULDER_CM1]
    for number in range(len(steps) - 1, -1, -1):
        best = steps[number]
        lower = [one for one in plain if one.candidate.edge_cm1 < best.candidate.edge_cm1 and _outdoes(one, best)]
        if not (_could_be_line(best) and lower):
            return best, steps[number + 1 :]
    return steps[-1], []


def _outdoes(one: FoundStep, other: FoundStep) -> bool:
    """Whether a step is twice as high as another, or twice as sure."""
    return one.fit.height > 2.0 * other.fit.height or one.candidate.significance > 2.0 * other.candidate.significance


def _hint(found: list[FoundStep], steps: list[FoundStep]) -> tuple[FoundStep, Verdict, str] | None:
    """The likeliest of the weak steps, above every step there is."""
    lowest = steps[-1].candidate.edge_cm1 if steps else -math.inf
    hints = [one for one in found if _is_hint(one) and one.candidate.edge_cm1 > lowest]
    if not hints:
        return None
    best = max(hints, key=lambda one: one.candidate.significance)
    if not steps:
        return best, Verdict.AMBIGUOUS, "Only a weak step stands above the first-order band."
    return best, Verdict.AMBIGUOUS, _shoulder(lowest)


def _shoulder(at: float) -> str:
    return (
        f"A surer step, at {at:.1f} cm⁻¹, lies so near to the top of the first-order band that it may be the band's "
        "own shoulder."
    )


def _possible(found: list[FoundStep], steps: list[FoundStep], hidden: float) -> tuple[FoundStep, Verdict, str] | None:
    """A place that is no step by itself, but where one cannot be excluded."""
    lowest = steps[-1].candidate.edge_cm1 if steps else -math.inf
    places = [
        one for one in found
        if one.possible and one.fit.verdict is Verdict.CONVERGED and one.candidate.edge_cm1 > lowest
        and not one.line_preference > _LINE_CHI2
    ]  # fmt: skip
    if not places or hidden > MEANT_CONTRAST:
        return None
    best = max(places, key=lambda one: one.candidate.significance)
    reason = (
        f"No step stands above the noise, but one of {100 * MEANT_CONTRAST:.0f} % of the band cannot be excluded here "
        f"({best.candidate.significance:.1f} standard deviations)."
    )
    return best, Verdict.AMBIGUOUS, f"{reason} {_shoulder(lowest)}" if steps else reason


def _doubtful(found: list[FoundStep], hidden: float) -> tuple[FoundStep, Verdict, str] | None:
    """A fall that is no step, where absence cannot be said: a plain one, or the plainest of a noisy spectrum."""
    falls = [one for one in found if one.fit.verdict is Verdict.CONVERGED]
    if not falls:
        return None
    best = max(falls, key=lambda one: one.candidate.significance)
    if best.candidate.significance >= SURE_SIGMAS and best.candidate.contrast >= MEANT_CONTRAST:
        return best, Verdict.AMBIGUOUS, "A line describes the only plain fall better than a step."
    if _is_unsure_line(best):
        return best, Verdict.AMBIGUOUS, "A line describes the only fall better than a step, but not much better."
    if hidden <= MEANT_CONTRAST:
        return None
    return (
        best,
        Verdict.AMBIGUOUS,
        (f"The noise hides steps below {100 * hidden:.0f} % of the band: this is its plainest fall, no sure edge."),
    )


def _is_unsure_line(one: FoundStep) -> bool:
    """Whether a fall is as high as edges that are meant, or plain, and a line too little better to leave it out."""
    mine, doubt = one.candidate, one.line_preference <= 2.0 * _LINE_CHI2
    meant = mine.significance >= STEP_SIGMAS and mine.contrast >= MEANT_CONTRAST
    plain = mine.significance >= SURE_SIGMAS and mine.contrast >= STEP_CONTRAST
    return mine.kind == "line" and doubt and (meant or plain)


def _is_sure_line(one: FoundStep) -> bool:
    """Whether a fall is plain enough to be an edge, but a line describes it better."""
    mine = one.candidate
    return mine.kind == "line" and mine.significance >= SURE_SIGMAS and mine.contrast >= MEANT_CONTRAST


def _outdoing_line(one: FoundStep, best: FoundStep) -> bool:
    """Whether a fall above a step outdoes it, and a line is too little better to leave it out."""
    return one.candidate.edge_cm1 > best.candidate.edge_cm1 and _is_unsure_line(one) and _outdoes(one, best)


def _nothing(found: list[FoundStep]) -> tuple[None, Verdict, str]:
    lost = [one for one in found if one.fit.verdict is not Verdict.CONVERGED and one.candidate.kind != "band"]
    if any(one.candidate.significance >= STEP_SIGMAS for one in lost):
        place = max(lost, key=lambda one: one.candidate.significance).candidate.edge_cm1
        return None, Verdict.NOT_CONVERGED, f"There is a step near {place:.0f} cm⁻¹; its fit did not come to rest."
    flank = next((one.candidate.edge_cm1 for one in found if one.candidate.kind == "band"), math.nan)
    own = (
        f" The fall at {flank:.1f} cm⁻¹ is the flank of the first-order band: an edge upon it, as below some "
        "15 GPa, cannot be told from it."
        if math.isfinite(flank)
        else ""
    )
    return None, Verdict.ABSENT, f"No step stands above the noise above the first-order band.{own}"


def _is_hint(one: FoundStep) -> bool:
    """Whether a weak step is more than a ripple."""
    mine = one.candidate
    if one.fit.verdict is not Verdict.CONVERGED or not (mine.kind == "weak" or _could_be_line(one)):
        return False
    if mine.contrast > 1.0 and mine.significance < STEP_SIGMAS:  # where noise outdoes the band, it was none
        return False
    if one.fit.width_held and mine.significance >= _HELD_HINT_SIGMAS:
        return True
    return any(mine.significance >= sigmas and mine.contrast >= contrast for sigmas, contrast in _HINTS)


def _could_be_line(one: FoundStep) -> bool:
    """Whether a line and a step describe the fall about as well."""
    return one.candidate.kind in ("step", "line") and abs(one.line_preference) <= _LINE_CHI2


def _nearest(found: list[FoundStep], near: float) -> tuple[FoundStep | None, Verdict, str]:
    known = [
        one for one in found
        if one.fit.verdict is Verdict.CONVERGED and one.candidate.significance >= STEP_SIGMAS
        and abs(one.candidate.edge_cm1 - near) <= _NEAR_CM1
    ]  # fmt: skip
    if not known:
        return None, Verdict.ABSENT, f"No step stands above the noise within {_NEAR_CM1:g} cm⁻¹ of {near:g}."
    return min(known, key=lambda one: abs(one.candidate.edge_cm1 - near)), Verdict.CONVERGED, ""


def _doubts(best: FoundStep, lower: list[FoundStep], found: list[FoundStep], *, band: float) -> list[str]:
    """Why another candidate could be the edge as well; whole sentences."""
    doubts = []
    mine = best.candidate
    stronger = [one for one in lower if one.fit.height > 2.0 * best.fit.height]
    if stronger and (mine.significance < SURE_SIGMAS or mine.contrast < SURE_CONTRAST):
        doubts.append(f"A stronger step lies lower, at {stronger[-1].candidate.edge_cm1:.1f} cm⁻¹.")
    near_band = mine.edge_cm1 < band + _SHOULDER_CM1  # heights on the band's own flank compare with nothing
    above = [
        one.candidate for one in found
        if one.candidate.edge_cm1 > mine.edge_cm1 and one.candidate.significance >= MARGINAL_SIGMAS
        and (one.candidate.kind == "weak" or (near_band and _could_be_line(one)))
        and (near_band or one.fit.height > 0.15 * best.fit.height)
    ]  # fmt: skip
    if above:
        doubts.append(f"A weak step lies higher, at {above[-1].edge_cm1:.1f} cm⁻¹.")
    surer = [one for one in lower if one.candidate.significance > 2.0 * mine.significance]
    if surer and not stronger and mine.significance < CERTAIN_SIGMAS:
        doubts.append(f"A surer step lies lower, at {surer[-1].candidate.edge_cm1:.1f} cm⁻¹.")
    flank = next((one.candidate.edge_cm1 for one in found if one.candidate.kind == "band"), math.nan)
    if mine.edge_cm1 - flank < _FLANK_WIDTHS * (flank - band):
        doubts.append("It lies on the flank of the first-order band, which could be it.")
    lines = [one.candidate for one in found if (near_band and _is_sure_line(one)) or _outdoing_line(one, best)]
    if lines:  # a slope that differs on the two sides makes an edge look like a line
        doubts.append(f"A plain fall higher up, at {lines[-1].edge_cm1:.1f} cm⁻¹, is like a line but could be it.")
    if best.cut:
        doubts.append("Something, such as a cosmic ray, cuts the fall in two: its place is not sure.")
    beside = [one for one in lower if mine.edge_cm1 - one.candidate.edge_cm1 < _BESIDE_CM1]
    if beside:
        doubts.append(f"Another step lies right beside it, at {beside[-1].candidate.edge_cm1:.1f} cm⁻¹.")
    if mine.significance < CERTAIN_SIGMAS and mine.width_cm1 < _NARROW_CM1:
        doubts.append(f"The step is {mine.width_cm1:.1f} cm⁻¹ wide, as noise makes one: its place is not sure.")
    if mine.contrast < SMALL_CONTRAST:
        doubts.append(
            f"The step is only {100 * mine.contrast:.1f} % of the band high: a weak line's flank could be it."
        )
    if _could_be_line(best):
        doubts.append("A line describes the fall about as well as a step.")
    if mine.significance < _FEEBLE_SIGMAS:
        doubts.append(f"The step is only {mine.significance:.1f} standard deviations high: it could be noise.")
    return doubts
