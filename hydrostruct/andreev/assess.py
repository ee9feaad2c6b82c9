"""The verdict on a fitted spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hydrostruct.andreev.fit_result import AndreevFit
from hydrostruct.units import BOLTZMANN_MEV_PER_K
from hydrostruct.verdict import Verdict

_WEAK_SHARE = 0.1
_LARGE_BROADENING = 0.5
_THERMAL_FULL_WIDTH = 3.525
_MISFIT = 3.0
_TUNNEL_BARRIER = 10.0
_FAR_FROM_ONE = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a verdict needs beside the record."""

    barrier2: float
    """Z² as fitted; it may be below 0."""
    barrier2_sigma: float
    """Its standard uncertainty."""
    weight_held: bool
    """Whether the weight had to be held because the data do not fix it."""
    noise: float
    """Noise of the normalised curve."""


def assess(fit: AndreevFit, evidence: Evidence) -> tuple[Verdict, str]:
    """Verdict and reason of a fit that came to rest.

    Parameters
    ----------
    fit : AndreevFit
        Its numbers.
    evidence : Evidence
        What else there is to know.

    Returns
    -------
    verdict : Verdict
        CONVERGED, or DOUBTFUL.
    reason : str
        A sentence for each doubt.
    """
    doubts = [*_doubts_of_the_gap(fit), *_doubts_of_the_model(fit, evidence)]
    return (Verdict.DOUBTFUL if doubts else Verdict.CONVERGED), " ".join(doubts)


def _doubts_of_the_gap(fit: AndreevFit) -> list[str]:
    doubts = []
    if fit.broadening_mev > _LARGE_BROADENING * fit.gap_mev:
        doubts.append(f"The broadening, {fit.broadening_mev:.3g} meV, exceeds half the gap.")
    if not fit.gap_sigma_mev < _WEAK_SHARE * fit.gap_mev:
        thermal = _THERMAL_FULL_WIDTH * BOLTZMANN_MEV_PER_K * fit.temperature_k
        cause = f"; thermal smearing is {thermal:.3g} meV wide" if thermal > 0.5 * fit.gap_mev else ""
        doubts.append(f"The gap is weakly determined, to {fit.gap_sigma_mev:.2g} of {fit.gap_mev:.3g} meV{cause}.")
    reach = float(np.max(np.abs(fit.bias_mv)))
    if fit.gap_mev > 0.7 * reach:
        doubts.append(f"The gap lies at the end of the curve, which reaches {reach:.3g} mV.")
    return doubts


def _doubts_of_the_model(fit: AndreevFit, evidence: Evidence) -> list[str]:
    doubts = []
    if evidence.weight_held:
        doubts.append(
            f"The data do not fix the weight: it was held at values from 0.3 to 1, of which {fit.weight:g} fits best."
        )
    elif fit.weight > 1.0 + 3.0 * fit.weight_sigma:
        doubts.append(f"The weight, {fit.weight:.3g}, is above 1: the normal background is not what it is taken for.")
    if fit.barrier > _TUNNEL_BARRIER:
        doubts.append(f"The barrier is only known to be high (Z above {_TUNNEL_BARRIER:g}): a tunnel contact.")
    if evidence.barrier2 < -3.0 * evidence.barrier2_sigma:
        doubts.append("The curve is more open than a contact without a barrier.")
    if fit.residual_rms > _MISFIT * evidence.noise:
        times = fit.residual_rms / evidence.noise
        doubts.append(f"The model misses the curve by {times:.2g} times its noise.")
    far = np.abs(fit.bias_mv) > 0.9 * float(np.max(np.abs(fit.bias_mv)))
    off = float(np.mean(fit.calculated[far])) - 1.0
    if math.isfinite(off) and abs(off) > _FAR_FROM_ONE:
        doubts.append(f"The curve does not reach 1 at high bias (it is off by {off:+.2g}): measure further out.")
    return doubts
