"""What is said of each phase of a fit, and of the pattern: the verdict, and why, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydrostruct.verdict import Verdict
from hydrostruct.xrd.evidence import Evidence
from hydrostruct.xrd.fit_notes import CONTESTED, MISFIT_GOF, NEGATIVE_SIGMA
from hydrostruct.xrd.fit_result import PhaseFit
from hydrostruct.xrd.model import LeBailModel, cell_parameters
from hydrostruct.xrd.presence import DETECTION_SIGMA

_LOOSE_CELL = 2 * 0.003  # of 1/d², which goes with the square of an axis
_LOOSE_SHARE = 0.3
_LIKELY = 0.9
_SURE_SIGMA = 12.0
_FAR_PLACES, _FAR_OF_FEW = 0.15, 0.05
_MANY_NEGATIVE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseFindings:
    """What was found out about one phase beyond the fit of its lines."""

    is_absent: bool
    """Whether it was fitted without its lines."""
    is_contested: bool
    """Whether single peaks could explain all of its lines as well."""
    significance: float
    """From the fit in which its cell was free, in standard deviations."""
    taken: int
    """Observed lines upon which a large single peak stands."""
    free_lines: int
    """Observed lines that no line of another phase comes near."""
    is_ambiguous: bool
    """Whether another solution says something else of it."""
    is_nameless: bool
    """Whether another phase explains the same lines with the same cell."""
    unexplained: str
    """What of the pattern stays open and casts doubt on all cells, in words."""
    probability: float
    """That of its cell among those that the data leave."""


def phase_verdict(model: LeBailModel, evidence: Evidence, index: int, findings: PhaseFindings) -> tuple[Verdict, str]:
    """Verdict on one phase.

    Parameters
    ----------
    model, evidence
        What was fitted, and what came of it.
    index : int
        Which phase.
    findings : PhaseFindings
        What else is known of it.

    Returns
    -------
    (Verdict, str)
        With the reasons, as sentences.
    """
    if findings.is_absent and findings.is_nameless:
        return Verdict.ABSENT, "Another phase, with the same cell, took all lines that it would have; it may be either."
    if findings.is_absent:
        return Verdict.ABSENT, "No line of it stands above the noise; the fit goes without it."
    if not evidence.solution.converged:
        return Verdict.NOT_CONVERGED, "The fit did not come to rest."
    moved = [parameter for parameter in cell_parameters(model, index).tolist() if parameter >= 0]
    if any(evidence.solution.held[parameter] for parameter in moved):
        return Verdict.NOT_CONVERGED, "The cell ran into its limit, 5 % from the start."
    reasons = [
        *_reasons_of_the_cell(evidence, moved, findings),
        *_reasons_of_few_lines(int(evidence.observed_lines[index]), len(moved), findings),
        *_reasons_of_sharing(evidence, index, len(moved), findings),
        *_reasons_of_places(evidence, index),
    ]
    if findings.unexplained:
        reasons.append(findings.unexplained)
    if findings.is_nameless:
        return Verdict.AMBIGUOUS, " ".join(["Another phase would explain the same lines with the same cell.", *reasons])
    if findings.is_ambiguous:
        return Verdict.AMBIGUOUS, " ".join(["Other cells fit as well.", *reasons])
    return (Verdict.DOUBTFUL if reasons else Verdict.CONVERGED), " ".join(reasons)


def pattern_verdict(
    evidence: Evidence, fits: Mapping[str, PhaseFit], alternatives: Sequence[str]
) -> tuple[Verdict, list[str]]:
    """Verdict on the pattern.

    Parameters
    ----------
    evidence : Evidence
        What came of the fit.
    fits : mapping of str to PhaseFit
        The phases.
    alternatives : sequence of str
        Other solutions that fit as well, in words.

    Returns
    -------
    (Verdict, list of str)
        With the reasons.
    """
    solution = evidence.solution
    verdicts = {fit.verdict for fit in fits.values()}
    missing = [name for name, fit in fits.items() if fit.verdict is Verdict.ABSENT]
    if len(missing) == len(fits):
        reasons = ["No line of any of the phases stands above the noise."]
        if evidence.agreement.gof > MISFIT_GOF / 2:
            reasons.append(
                f"The misfit is far above it (GOF {evidence.agreement.gof:.3g}), so that weak lines may be there. Take "
                "more background terms, or leave out what is not a line."
            )
        return Verdict.ABSENT, reasons
    reasons = [f"{', '.join(missing)}: absent."] if missing else []
    if not solution.converged:
        return Verdict.NOT_CONVERGED, [f"The fit did not come to rest in {solution.steps} steps.", *reasons]
    if alternatives:
        return Verdict.AMBIGUOUS, ["Other solutions fit as well:", *alternatives, *reasons]
    unsound = (Verdict.DOUBTFUL, Verdict.NOT_CONVERGED)
    reasons += [f"{name}: {fit.reason}" for name, fit in fits.items() if fit.verdict in unsound]
    if evidence.agreement.gof > MISFIT_GOF:
        reasons.append(
            f"GOF is {evidence.agreement.gof:.3g}: the misfit is far above the noise; sigma is scaled for it."
        )
    return (Verdict.DOUBTFUL if verdicts & set(unsound) else Verdict.CONVERGED), reasons


def _reasons_of_the_cell(evidence: Evidence, moved: Sequence[int], findings: PhaseFindings) -> list[str]:
    """Why the cell may be another: it is loose, its lines are within the noise, or others explain them."""
    reasons = []
    if any(_relative_sigma(evidence, parameter) > _LOOSE_CELL for parameter in moved[:3]):
        reasons.append("The data hold at least one axis to no better than 0.3 %.")
    if findings.significance < DETECTION_SIGMA:
        reasons.append(
            f"Its lines lie where the pattern has lines, but amount to {findings.significance:.1f} sigma only."
        )
    if findings.is_contested:
        reasons.append(CONTESTED)
    if findings.probability < _LIKELY:
        reasons.append(
            "Other cells within 3 % would explain its weak lines too (probability of this one "
            f"{findings.probability:.2g}); sigma covers them."
        )
    return reasons


def _reasons_of_few_lines(observed: int, moved: int, findings: PhaseFindings) -> list[str]:
    """Why the lines are too few for the free parameters of the cell."""
    if moved and observed <= moved:
        return [f"{observed} line(s) above 3 sigma hold {moved} cell parameter(s): others could fit as well."]
    if moved and observed - findings.taken <= moved:
        return [
            f"Single peaks stand upon {findings.taken} of its {observed} lines above 3 sigma, and the rest hold "
            f"{moved} cell parameter(s): others could fit as well."
        ]
    return []


def _reasons_of_sharing(evidence: Evidence, index: int, moved: int, findings: PhaseFindings) -> list[str]:
    """Why lines may be those of another phase, or none at all."""
    reasons = []
    phases, free_lines = evidence.share.size, findings.free_lines
    if not math.isfinite(evidence.share[index]):
        reasons.append("The lines of all phases together are not above 0 by three times their uncertainty.")
    if phases > 1 and free_lines == 0:
        reasons.append("Every observed line of it could belong to another phase.")
    elif phases > 1 and free_lines < moved and findings.significance < _SURE_SIGMA:
        reasons.append(
            f"It is weak, and only {free_lines} of its lines above 3 sigma lie apart from those of other phases: what "
            "these leave may be taken for it."
        )
    if evidence.share_sigma[index] > _LOOSE_SHARE:
        reasons.append("Its lines lie so close to another phase's that the data do not say whose they are.")
    negative = int(evidence.negative_lines[index])
    if negative >= _MANY_NEGATIVE:
        reasons.append(f"{negative} lines of it are negative by more than {NEGATIVE_SIGMA:g} sigma: its cell is wrong.")
    return reasons


def _reasons_of_places(evidence: Evidence, index: int) -> list[str]:
    """Why the lines do not lie where one cell puts them."""
    scatter = evidence.scatter
    if scatter is None:
        return []
    reasons = []
    of_width = float(scatter.of_width[index])
    if scatter.is_of_few and of_width > _FAR_OF_FEW:
        reasons.append(
            "Its lines, or those of another phase, do not lie where one cell puts them, and are too few to say why: a "
            "zero, another cell, or a stress. Sigma counts the scatter."
        )
    elif of_width > _FAR_PLACES:
        reasons.append(
            f"Its lines scatter about the places of one cell by {100 * of_width:.0f} % of their width: few grains, "
            "another cell, or not its lines; sigma counts the scatter."
        )
    if scatter.zero_deg:
        reasons.append(
            f"The lines lie as a shift of the zero of {scatter.zero_deg:.3f}° would put them, which sigma does not "
            "know. Free zero, or displacement."
        )
    return reasons


def _relative_sigma(evidence: Evidence, parameter: int) -> float:
    """Scaled uncertainty of a free parameter over its value."""
    variance = max(float(evidence.parameter_covariance[parameter, parameter]), 0.0)
    return math.sqrt(variance) * evidence.inflation / abs(float(evidence.solution.values[parameter]))
