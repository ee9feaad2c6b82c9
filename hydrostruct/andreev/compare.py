"""Which model describes a spectrum best: s-wave, two gaps, d-wave, or an s-wave with dips of a critical current."""

from __future__ import annotations

import math
from dataclasses import replace

from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.andreev.fit import fit_conductance
from hydrostruct.andreev.fit_result import AndreevFit, Rival
from hydrostruct.andreev.models import MODELS
from hydrostruct.verdict import Verdict

_PLAINLY_BETTER = 10.0
_MOST_CLOSE = 2.0
_OTHER_SIGMAS = 2.0


def compared(fit: AndreevFit, curve: ConductanceCurve) -> AndreevFit:
    """A fit with its rivals: every model on the same curve, with the same background.

    Parameters
    ----------
    fit : AndreevFit
        A fit of the curve.
    curve : ConductanceCurve
        The curve.

    Returns
    -------
    AndreevFit
        DOUBTFUL where another model is plainly better; AMBIGUOUS where another model with a plainly different gap fits
        as well.

    Notes
    -----
    Akaike's criterion with its correction for few points, each model with the background that suits it best. A model
    with more parameters must earn them.
    """
    if fit.verdict in (Verdict.ABSENT, Verdict.FAILED, Verdict.NOT_CONVERGED):
        return fit
    known = replace(curve, temperature_k=fit.temperature_k) if not math.isnan(fit.temperature_k) else curve
    if math.isnan(known.temperature_k):
        known = replace(curve, temperature_k=0.5 * (fit.temperature_low_k + fit.temperature_high_k))
    tried = [(name, fit_conductance(known, model=name, degree=fit.degree)) for name in MODELS]
    scores = {name: _criterion(one, len(MODELS[name].parameters)) for name, one in tried}
    best = min(scores.values())
    rivals = tuple(
        sorted(
            (
                Rival(
                    model=name,
                    aicc=scores[name] - best,
                    gap_mev=one.gap_mev,
                    gap_sigma_mev=one.gap_sigma_mev,
                )
                for name, one in tried
                if math.isfinite(scores[name])
            ),
            key=lambda one: one.aicc,
        )
    )
    verdict, reason = _judge(fit, rivals)
    return replace(fit, rivals=rivals, verdict=verdict, reason=f"{fit.reason} {reason}".strip())


def _criterion(fit: AndreevFit, parameters: int) -> float:
    if math.isnan(fit.gap_mev):
        return math.inf
    size, count = fit.bias_mv.size, parameters + fit.degree + 1
    # least squares of a curve of unknown noise; the sigma of all points is one
    return float(
        size * math.log(fit.residual_rms**2) + 2.0 * count + 2.0 * count * (count + 1) / max(size - count - 1, 1)
    )


def _judge(fit: AndreevFit, rivals: tuple[Rival, ...]) -> tuple[Verdict, str]:
    own = next((one.aicc for one in rivals if one.model == fit.model), math.inf)
    if own > _PLAINLY_BETTER:
        worse = Verdict.DOUBTFUL if fit.verdict is Verdict.CONVERGED else fit.verdict
        return worse, f"The model {rivals[0].model} is plainly better (AICc by {own:.1f})."
    for one in rivals:
        sigma = math.hypot(one.gap_sigma_mev, fit.gap_sigma_mev)
        other = abs(one.gap_mev - fit.gap_mev) > _OTHER_SIGMAS * sigma
        if one.model != fit.model and one.aicc < own + _MOST_CLOSE and other:
            return Verdict.AMBIGUOUS, f"The model {one.model} fits as well, with a gap of {one.gap_mev:.3g} meV."
    return fit.verdict, ""
