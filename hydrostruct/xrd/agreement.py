"""How well a calculated pattern agrees with a measured one, and what misfit does to uncertainties.

References
----------
Young (ed.), The Rietveld Method (1993), chapter 1: R factors.
Bérar and Lelann, J. Appl. Cryst. 24, 1 (1991), doi 10.1107/S0021889890008391: serial correlation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.kernels import agreement_sums, run_squares

Floats = npt.NDArray[np.float64]

WHITE_NOISE_SERIAL_FACTOR = math.sqrt(1.0 + 4.0 / math.pi)
"""What the factor of Bérar and Lelann gives for independent Gaussian residuals: 1.508, not 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """R factors of one fit; the weights are 1/sigma²."""

    rp_percent: float
    """Rp = Σ|y − c| / Σ|y|, in percent."""
    rwp_percent: float
    """Rwp = √(Σw(y − c)² / Σwy²), in percent; the background counts as intensity."""
    rwp_background_corrected_percent: float
    """Rwp with y less the background below the line, in percent; the larger figure that some programs print."""
    rexp_percent: float
    """Rexp = √((N − P) / Σwy²), in percent, with every intensity counted as a parameter."""
    gof: float
    """Rwp / Rexp; 1 when the model and sigma are right."""
    serial_factor: float
    """Bérar–Lelann factor over its value for white noise, at least 1."""

    @property
    def inflation(self) -> float:
        """What standard uncertainties are multiplied with: max(1, gof) times the serial factor."""
        return max(1.0, self.gof) * self.serial_factor


def agreement(
    intensity: Floats, residual: Floats, *, background: Floats, weight: Floats, n_parameters: int
) -> Agreement:
    """R factors of a fit; NaN where nothing was measured but zeros.

    Parameters
    ----------
    intensity, residual, background, weight : array, shape (n,)
        Measured y, y − c, the fitted background, and 1/sigma², at the points of the fit.
    n_parameters : int
        Everything that was fitted, intensities included.

    Returns
    -------
    Agreement
    """
    (chi2, total, size, missed, above), runs = agreement_sums(intensity, residual, background, weight)
    freedom = max(1, intensity.size - n_parameters)
    return Agreement(
        rp_percent=100.0 * missed / size if size > 0 else math.nan,
        rwp_percent=100.0 * math.sqrt(chi2 / total) if total > 0 else math.nan,
        rwp_background_corrected_percent=100.0 * math.sqrt(chi2 / above) if above > 0 else math.nan,
        rexp_percent=100.0 * math.sqrt(freedom / total) if total > 0 else math.nan,
        gof=math.sqrt(chi2 / freedom),
        serial_factor=_factor_of_runs(*runs),
    )


def serial_factor(residual: Floats) -> float:
    """How much neighbouring residuals of one sign understate uncertainties.

    Parameters
    ----------
    residual : array, shape (n,)
        Weighted residuals in the order of the pattern, (y − c)/sigma.

    Returns
    -------
    float
        At least 1.

    Notes
    -----
    Runs of one sign are summed: SCOR² = Σ_runs(Σr)² / Σr². White noise gives 1 + 4/π, so the square root is divided by
    1.508.

    Examples
    --------
    >>> serial_factor(np.array([1.0, -1.0, 1.0, -1.0])), round(serial_factor(np.ones(100)), 2)
    (1.0, 6.63)
    """
    return _factor_of_runs(*run_squares(residual))


def _factor_of_runs(runs: float, square: float) -> float:
    """The factor from the summed squares of runs and of single residuals."""
    if not square > 0:
        return 1.0
    return max(1.0, math.sqrt(runs / square) / WHITE_NOISE_SERIAL_FACTOR)
