"""The high-frequency edge of stressed diamond: every falling step is found and fitted, one is chosen by a rule."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.raman.edge_fit import EdgeCandidate, EdgeFit
from hydrostruct.raman.edge_rule import (
    CERTAIN_SIGMAS,
    MEANT_CONTRAST,
    STEP_CONTRAST,
    STEP_SIGMAS,
    FoundStep,
    chosen_step,
)
from hydrostruct.raman.edge_search import (
    DIP_SIGMAS,
    HIGHEST_EDGE_CM1,
    LINE_REACH_CM1,
    NOISY_DIP_SIGMAS,
    Dip,
    Prepared,
    dips_of,
    far_steepness,
    hidden_contrast,
    possible_dip,
    prepare,
    top_of_band,
    with_possible,
)
from hydrostruct.raman.line_or_step import line_preference
from hydrostruct.raman.spectrum import Spectrum
from hydrostruct.raman.step import StepFit, failed_step, fit_held_step, fit_step, step_guess
from hydrostruct.raman.step_place import StepPlace, place_of_windows, step_place
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_LEAST_FITTED = 10
_ONE_STEP_CM1, _SAME_CM1 = 8.0, 1.0
_WINDOW_WIDTHS, _WINDOW_CM1, _WINDOW_POINTS = 4.5, (14.0, 45.0), 8
_WINDOW_TRIALS = (1.0, 1.7, 2.5)
_WINDOW_SHARES = (1.0, 0.7, 1.4, 2.0)  # what the place moves between them is part of sigma
_SHAPE_SHARE = 0.01  # of the width: for shapes that no curve has
_OUTLIER_SIGMAS, _OUTLIER_SHARE = 5.0, 0.15
_LINE_LEAST_CM1 = (25.0, 15.0)
_WIDTHS_CM1 = (0.3, 20.0)


def find_edge(
    spectrum: Spectrum, *, near_cm1: float | None = None, range_cm1: tuple[float, float] | None = None
) -> EdgeFit:
    """Find the high-frequency edge of the diamond's first-order band.

    Parameters
    ----------
    spectrum : Spectrum
        It should reach from the band's top, near 1340 cm⁻¹, to well above the edge.
    near_cm1 : float, optional
        A hint, in cm⁻¹, such as the edge of the neighbouring point: the candidate nearest to it is taken, within 25.
    range_cm1 : (float, float), optional
        Candidates outside are left aside, in cm⁻¹.

    Returns
    -------
    EdgeFit
        ABSENT when no step stands above the noise; AMBIGUOUS, with the number of the most likely one, when another
        could be the edge as well.

    Raises
    ------
    InputError
        When the spectrum has too few points, or a hint is no number.

    Notes
    -----
    The edge is the minimum of dI/dν on the high side of the band [1]_. In an anvil under load the steepest slope of
    all is the flank of the strong first-order band of the diamond behind the culet; the edge is a step far above. So
    every dip of the local slope above the band's top is a candidate, and each is fitted by a smoothed step on a
    background whose slope may differ on its two sides. The rule: **the highest significant step above the flank of the
    band**. A step is significant when its height is five standard deviations and two percent of the band's; the flank
    of a line, which falls about as far as it rose just before, is none.

    References
    ----------
    .. [1] Y. Akahama and H. Kawamura, J. Appl. Phys. 96, 3748 (2004), doi 10.1063/1.1778482
    """
    _check_hints(near_cm1, range_cm1)
    ready = prepare(spectrum)
    band, band_height = top_of_band(ready)
    far = far_steepness(ready, band)
    limit = hidden_contrast(far, band_height) if math.isfinite(band) else 0.0
    noisy = limit > MEANT_CONTRAST
    dips = dips_of(ready, band, far, least_sigmas=NOISY_DIP_SIGMAS if noisy else DIP_SIGMAS)
    if math.isfinite(band):
        dips = with_possible(dips, possible_dip(far, band_height, noisy=noisy))
    flank = bool(dips) and dips[0].at - band < LINE_REACH_CM1
    end = 2.0 * dips[0].at - band if flank else -math.inf
    found = [
        _flank(dip)
        if near_cm1 is None and number == 0 and flank
        else _examine(ready, dip, band_height=band_height, flank_end=end if number else -math.inf, known_band=limit > 0)
        for number, dip in enumerate(dips)
    ]
    found = _distinct(found)
    if range_cm1 is not None:
        found = [one for one in found if range_cm1[0] <= one.candidate.edge_cm1 <= range_cm1[1]]
    return _judged(spectrum, ready, found, band=band, near_cm1=near_cm1, hidden=limit)


def _check_hints(near: float | None, limits: tuple[float, float] | None) -> None:
    if near is not None and not 1300.0 <= near <= HIGHEST_EDGE_CM1:
        raise InputError(f"the edge is looked for near {near:g}. Expected cm⁻¹, 1300 to {HIGHEST_EDGE_CM1:g}.")
    if limits is not None and not limits[0] < limits[1]:
        raise InputError(f"the range of the edge is {limits[0]:g} to {limits[1]:g}. Expected two rising cm⁻¹.")


def _flank(dip: Dip) -> FoundStep:
    """The fall next to the band's top: its own flank, which is not fitted unless a hint asks for it."""
    nothing = math.nan
    candidate = EdgeCandidate(
        edge_cm1=dip.at, edge_sigma_cm1=nothing, significance=dip.sigmas, contrast=nothing, width_cm1=nothing,
        kind="band",
    )  # fmt: skip
    return FoundStep(candidate=candidate, fit=failed_step(), line_preference=math.nan)


def _examine(ready: Prepared, dip: Dip, *, band_height: float, flank_end: float, known_band: bool) -> FoundStep:
    """Fit one dip, and say what it is."""
    fitted, fit = _dip_fit(ready, dip, flank_end, known_band=known_band)
    known = fit.verdict is Verdict.CONVERGED
    contrast = fit.height / band_height if known and band_height > 0 else 0.0
    preference = _line_preference(ready, fitted, fit, flank_end) if known else math.nan
    kind = _kind(fit, dip.sigmas, contrast, preference) if known else "weak"
    candidate = EdgeCandidate(
        edge_cm1=fit.position_cm1 if known else dip.at,
        edge_sigma_cm1=fit.position_sigma_cm1,
        significance=dip.sigmas,
        contrast=contrast,
        width_cm1=fit.width_cm1,
        kind=kind,
    )
    return FoundStep(
        candidate=candidate, fit=fit, line_preference=preference, possible=dip.possible, cut=fitted is not dip
    )


def _dip_fit(ready: Prepared, dip: Dip, flank_end: float, *, known_band: bool) -> tuple[Dip, StepFit]:
    """The fit of a dip: between its neighbours, else as if it had none, else, beside a band, at held widths."""
    fit, window = _free_fit(ready, dip)
    if fit.verdict is Verdict.CONVERGED:
        return dip, fit
    # what a cosmic ray hides in the middle of one step makes two dips of it
    alone = replace(dip, low=flank_end, high=math.inf)
    whole, _ = _free_fit(ready, alone)
    if whole.verdict is Verdict.CONVERGED and abs(whole.position_cm1 - dip.at) <= _ONE_STEP_CM1:
        return alone, whole
    if not (known_band and np.any(window)):
        return dip, fit
    return dip, fit_held_step(ready.x[window], ready.y[window], sigma=ready.noise[window], start_cm1=dip.at)


def _free_fit(ready: Prepared, dip: Dip) -> tuple[StepFit, npt.NDArray[np.bool_]]:
    """A fit in a window as wide as a first search says, and the last window tried."""
    inside = _window(ready, dip, max(dip.width / 2.355, 1.5))
    place, width = dip.at, math.nan
    if np.any(inside):
        place, width = step_guess(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], start_cm1=dip.at)
    fit = failed_step()
    for factor in _WINDOW_TRIALS:  # a noisy step may need more background, or less, before its fit comes to rest
        if fit.verdict is Verdict.CONVERGED:
            break
        inside = _window(ready, replace(dip, at=place), factor * max(width, 0.25 * dip.width))
        if np.any(inside):
            fit = _fitted(ready, inside, place)
    return fit, inside


def _distinct(found: list[FoundStep]) -> list[FoundStep]:
    """The surest of fits that are the same step."""
    kept: list[FoundStep] = []
    for one in sorted(found, key=lambda one: -one.candidate.significance):
        if one.fit.verdict is Verdict.CONVERGED and any(_same_step(one, other) for other in kept):
            continue
        kept.append(one)
    return sorted(kept, key=lambda one: one.candidate.edge_cm1)


def _same_step(one: FoundStep, other: FoundStep) -> bool:
    apart = abs(one.candidate.edge_cm1 - other.candidate.edge_cm1)
    return other.fit.verdict is Verdict.CONVERGED and apart < _SAME_CM1


def _fitted(ready: Prepared, inside: npt.NDArray[np.bool_], place: float) -> StepFit:
    """A fit of the step; points far above it, as what a cosmic ray left beside its core, are left out of a second."""
    fit = fit_step(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], start_cm1=place)
    if fit.verdict is not Verdict.CONVERGED:
        return fit
    rest = (ready.y[inside] - fit.calculated) / ready.noise[inside]
    high = rest > _OUTLIER_SIGMAS * max(1.0, 1.4826 * float(np.median(np.abs(rest))))
    if not 0 < np.count_nonzero(high) <= _OUTLIER_SHARE * high.size:
        return fit
    kept = np.flatnonzero(inside)[~high]
    again = fit_step(ready.x[kept], ready.y[kept], sigma=ready.noise[kept], start_cm1=place)
    return again if again.verdict is Verdict.CONVERGED else fit


def _refined(ready: Prepared, one: FoundStep) -> FoundStep:
    """The chosen step once more: its place averaged over tails and windows, which are part of sigma.

    No edge is quite one of the curves: its place depends on which are tried, and on how much of them is looked at.
    """
    known = one.fit
    if known.verdict is not Verdict.CONVERGED or known.width_held:
        return one
    found = [seen for share in _WINDOW_SHARES if (seen := _of_window(ready, known, share)) is not None]
    if not found:
        return one
    place, sigma = place_of_windows(found)
    sigma = math.hypot(sigma, _SHAPE_SHARE * known.width_cm1)
    best = found[0].best
    fit = replace(
        known, position_cm1=place, position_sigma_cm1=sigma, shift_cm1=best.shift_cm1, calculated=best.calculated
    )
    return replace(one, candidate=replace(one.candidate, edge_cm1=place, edge_sigma_cm1=sigma), fit=fit)


def _of_window(ready: Prepared, known: StepFit, share: float) -> StepPlace | None:
    """The step in a part of its window, or in a wider one; what was left out of it stays out."""
    x, at = known.shift_cm1, known.position_cm1
    left_out = (ready.x >= x[0]) & (ready.x <= x[-1]) & ~np.isin(ready.x, x)
    inside = ready.used & ~left_out & (ready.x >= at - share * (at - x[0])) & (ready.x <= at + share * (x[-1] - at))
    if np.count_nonzero(inside) < _LEAST_FITTED:
        return None
    return step_place(ready.x[inside], ready.y[inside], sigma=ready.noise[inside], known=known, passes=ready.passes)


def _line_preference(ready: Prepared, dip: Dip, fit: StepFit, flank_end: float) -> float:
    """Asked of more than the fit's window: a line is known by what it rose from and falls back to."""
    low = min(dip.low, fit.position_cm1 - _LINE_LEAST_CM1[0])
    if math.isfinite(flank_end):  # the band is itself a line
        low = max(low, flank_end)
    if fit.position_cm1 - low < _LINE_LEAST_CM1[1]:
        return math.nan
    high = max(dip.high, fit.position_cm1 + _LINE_LEAST_CM1[1])
    near = ready.used & (ready.x >= low) & (ready.x <= high)
    return line_preference(ready.x[near], ready.y[near], sigma=ready.noise[near], place_cm1=fit.position_cm1)


def _window(ready: Prepared, dip: Dip, width: float) -> npt.NDArray[np.bool_]:
    """The points about a dip that its fit takes; none where they are too few."""
    least = max(_WINDOW_CM1[0], _WINDOW_POINTS * float(np.median(np.diff(ready.x))))
    reach = float(np.clip(_WINDOW_WIDTHS * width, least, max(least, _WINDOW_CM1[1])))
    low, high = max(dip.at - reach, dip.low), min(dip.at + reach, dip.high)
    inside = ready.used & (ready.x >= low) & (ready.x <= high)
    enough = np.count_nonzero(inside) >= _LEAST_FITTED and low < dip.at < high
    return inside if enough else np.zeros_like(inside)


def _kind(fit: StepFit, significance: float, contrast: float, preference: float) -> str:
    if preference > 0.0:
        return "line"
    low, high = _WIDTHS_CM1
    if fit.width_held and significance < CERTAIN_SIGMAS:  # a fall between two points is as good as noise
        return "weak"
    if significance < STEP_SIGMAS or contrast < STEP_CONTRAST or not low <= fit.width_cm1 <= high:
        return "weak"
    return "step"


def _judged(
    spectrum: Spectrum,
    ready: Prepared,
    found: list[FoundStep],
    *,
    band: float,
    near_cm1: float | None,
    hidden: float,
) -> EdgeFit:
    chosen, verdict, reason = chosen_step(found, near_cm1=near_cm1, band=band, hidden_contrast=hidden)
    if chosen is not None:
        before, chosen = chosen, _refined(ready, chosen)
        found = [chosen if one is before else one for one in found]
    fit = failed_step() if chosen is None else chosen.fit
    nothing = math.nan
    return EdgeFit(
        file=spectrum.name,
        verdict=verdict,
        reason=reason,
        edge_cm1=fit.position_cm1,
        edge_sigma_cm1=fit.position_sigma_cm1,
        edge_statistical_cm1=fit.position_statistical_cm1,
        edge_systematic_cm1=spectrum.axis_sigma_cm1,
        width_cm1=fit.width_cm1,
        height=fit.height,
        height_sigma=fit.height_sigma,
        contrast=nothing if chosen is None else chosen.candidate.contrast,
        band_cm1=band,
        ambiguous=verdict is Verdict.AMBIGUOUS,
        candidates=tuple(one.candidate for one in sorted(found, key=lambda one: -one.candidate.edge_cm1)),
        shift_cm1=ready.x,
        observed=spectrum.intensity,
        used=ready.used,
        derivative=ready.slopes[0][0],
        fit_shift_cm1=fit.shift_cm1,
        calculated=fit.calculated,
    )
