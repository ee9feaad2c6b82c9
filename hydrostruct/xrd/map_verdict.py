"""What the fit of a point by itself said of its answer, and the fit of the map cannot know: it stays said."""

from __future__ import annotations

from dataclasses import replace

from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_notes import CONTESTED, MUCH_UNEXPLAINED
from hydrostruct.xrd.fit_result import PatternFit, PhaseFit

_CLEARLY_WORSE = 1.15
_HAS_NUMBERS = (Verdict.CONVERGED, Verdict.DOUBTFUL)
_ONLY_ALONE = (CONTESTED, MUCH_UNEXPLAINED)


def compared_fit(fit: PatternFit, before: PatternFit) -> PatternFit:
    """The fit of a point of a map, with what its own fit had to say beside its numbers.

    Parameters
    ----------
    fit : PatternFit
        At what the map has in common.
    before : PatternFit
        Of the pattern by itself, which looked for other cells and for lines that are no phase's.

    Returns
    -------
    PatternFit
        ``ambiguous`` where other cells or phases fitted as well; ``doubtful`` where peaks of no phase would explain the
        lines, where much is left unexplained, and where what the map has in common does not suit the point.
    """
    phases = {name: _carried(one, before.phases[name]) for name, one in fit.phases.items()}
    verdict, reason = fit.verdict, fit.reason
    if before.verdict is Verdict.AMBIGUOUS and verdict in _HAS_NUMBERS:
        verdict, reason = Verdict.AMBIGUOUS, _joined(before.reason, reason)
    elif verdict in _HAS_NUMBERS:
        new = [f"{name}: {one.reason}" for name, one in phases.items() if one.verdict is not fit.phases[name].verdict]
        verdict, reason = Verdict.DOUBTFUL if new else verdict, _joined(reason, *new)
    return _suited(replace(fit, phases=phases, verdict=verdict, reason=reason), before)


def _carried(phase: PhaseFit, before: PhaseFit) -> PhaseFit:
    if phase.verdict not in _HAS_NUMBERS:
        return phase
    if before.verdict is Verdict.AMBIGUOUS:
        return replace(phase, verdict=Verdict.AMBIGUOUS, reason=_joined(before.reason, phase.reason))
    missing = [one for one in _ONLY_ALONE if one in before.reason and one not in phase.reason]
    return replace(phase, verdict=Verdict.DOUBTFUL, reason=_joined(phase.reason, *missing)) if missing else phase


def _suited(fit: PatternFit, before: PatternFit) -> PatternFit:
    """The fit, ``doubtful`` where what the map has in common does not suit the point."""
    if fit.gof < _CLEARLY_WORSE * max(1.0, before.gof):
        return fit
    note = (
        f"What the map has in common does not suit this point: GOF {fit.gof:.3g}, by itself {before.gof:.3g}. Have "
        "less in common, or leave the point out."
    )
    verdict = Verdict.DOUBTFUL if fit.verdict is Verdict.CONVERGED else fit.verdict
    return replace(fit, verdict=verdict, reason=_joined(fit.reason, note))


def _joined(first: str, *others: str) -> str:
    """Sentences one after the other, none of them twice."""
    said = first
    for one in others:
        said = said if one in said else f"{said} {one}".strip()
    return said
