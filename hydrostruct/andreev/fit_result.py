"""What a fit of one spectrum says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rival:
    """How well one model describes the curve."""

    model: str
    """Its name: s-wave, two-gap, d-wave, critical-current."""
    aicc: float
    """Akaike's criterion, corrected for few points, less that of the best model: 0 for the best."""
    gap_mev: float
    """Its (first) gap, in meV; NaN where its fit did not come to rest."""
    gap_sigma_mev: float
    """The gap's standard uncertainty, in meV."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AndreevFit:
    """Gap, broadening, barrier and weight of one spectrum."""

    file: str
    """Name of the curve."""
    verdict: Verdict
    """Whether the numbers can be used."""
    reason: str
    """Why not, or why with care; empty where there is nothing to say."""
    model: str
    """The model that was fitted."""
    temperature_k: float
    """Temperature, in K."""
    temperature_low_k: float
    """Lowest temperature that was tried, in K; `temperature_k` where it is known."""
    temperature_high_k: float
    """Highest temperature that was tried, in K."""
    gap_mev: float
    """Gap Δ, in meV; NaN where there is none."""
    gap_sigma_mev: float
    """Its standard uncertainty, in meV: statistics, background and range of temperature."""
    gap_statistical_mev: float
    """The part from noise alone, other parameters and the background's coefficients marginalised, in meV."""
    gap_background_mev: float
    """The part from the choice of the background, and of a weight that the data do not fix, in meV."""
    gap_temperature_mev: float
    """The part from the range of temperature, in meV; 0 where the temperature is known."""
    gap_low_mev: float
    """Lower end of the 68 % interval of the profile likelihood, in meV; NaN where it was not asked for."""
    gap_high_mev: float
    """Its upper end, in meV."""
    broadening_mev: float
    """Broadening Γ, in meV."""
    broadening_sigma_mev: float
    """Its standard uncertainty, in meV."""
    barrier: float
    """Barrier strength Z; 0 where the fit's Z² is below 0."""
    barrier_sigma: float
    """Its standard uncertainty."""
    weight: float
    """Part of the current that meets the superconductor; its estimate may exceed 1 by its uncertainty."""
    weight_sigma: float
    """Its standard uncertainty; NaN where it was held."""
    second_gap_mev: float
    """Second gap of the model two-gap, in meV; NaN otherwise."""
    parameters: tuple[str, ...]
    """Names of the rows of `covariance`."""
    covariance: Floats
    """Scaled covariance of the parameters of the fit (gap, ln Γ, Z², weight, …), shape (parameters, parameters)."""
    degree: int
    """Degree of the background."""
    reduced_chi2: float
    """χ² over the degrees of freedom, with the sigma given or told from the scatter."""
    residual_rms: float
    """Root mean square of the normalised curve less the fit."""
    significance: float
    """√(χ² of the background alone − χ²), scaled as the uncertainties are: standard deviations, about."""
    bias_mv: Floats
    """Bias, in mV, shape (n,)."""
    conductance: Floats
    """dI/dV as measured, shape (n,)."""
    background: Floats
    """Normal background, in the unit of `conductance`, shape (n,)."""
    calculated: Floats
    """The fitted normalised curve, shape (n,)."""
    profile_gap_mev: Floats
    """Gaps of the profile, in meV, shape (m,); empty where it was not asked for."""
    profile: Floats
    """Rise of the scaled χ² at these gaps, everything else at its best, shape (m,)."""
    rivals: tuple[Rival, ...] = ()
    """Models compared, the best first; empty where it was not asked for."""
    warnings: tuple[str, ...] = ()
    """What was done to the data, or is odd about them."""

    @property
    def normalised(self) -> Floats:
        """The measured curve over its background, shape (n,)."""
        return np.asarray(self.conductance / self.background)

    @property
    def correlation(self) -> Floats:
        """Correlation matrix of the parameters, shape (parameters, parameters); NaN where one was held."""
        scale = np.sqrt(np.diag(self.covariance))
        scale = np.where(scale > 0, scale, math.nan)
        return np.asarray(self.covariance / np.outer(scale, scale))
