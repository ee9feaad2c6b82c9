"""What the search for a diamond edge says: the edge, its candidates, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeCandidate:
    """One place where the intensity falls."""

    edge_cm1: float
    """Minimum of the derivative, in cm⁻¹."""
    edge_sigma_cm1: float
    """Its standard uncertainty, in cm⁻¹; NaN where the local fit did not come to rest."""
    significance: float
    """Height of the step over its uncertainty."""
    contrast: float
    """Height of the step over that of the first-order band."""
    width_cm1: float
    """Standard deviation of the step's smoothing, in cm⁻¹."""
    kind: str
    """``step``; ``weak`` for one that noise or ripple could make; ``line`` for the flank of a line; ``band`` for the
    flank of the first-order band."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeFit:
    """The high-frequency edge of the diamond's first-order band in one spectrum."""

    file: str
    """Where the spectrum comes from."""
    verdict: Verdict
    """Why the number can, or cannot, be used."""
    reason: str
    """Whole sentences; empty when there is nothing to say."""
    edge_cm1: float
    """Minimum of dI/dν on the high side of the band, in cm⁻¹; NaN where there is none."""
    edge_sigma_cm1: float
    """Its standard uncertainty, the one to use, in cm⁻¹."""
    edge_statistical_cm1: float
    """Its uncertainty from the noise alone, in cm⁻¹."""
    edge_systematic_cm1: float
    """Uncertainty of the axis, common to all spectra on it, in cm⁻¹; NaN where the axis was not calibrated."""
    width_cm1: float
    """Standard deviation of the step's smoothing, in cm⁻¹."""
    height: float
    """Height of the step, in units of intensity."""
    height_sigma: float
    """Its standard uncertainty."""
    contrast: float
    """Height of the step over that of the first-order band."""
    band_cm1: float
    """Top of the first-order band, in cm⁻¹; NaN where the spectrum does not reach it."""
    ambiguous: bool
    """Whether another candidate could be the edge as well."""
    candidates: tuple[EdgeCandidate, ...]
    """Every place above the band's top where the intensity falls, the highest frequency first."""
    shift_cm1: Floats
    """Axis of the spectrum, in cm⁻¹, shape (n,)."""
    observed: Floats
    """Its intensity, spikes included, shape (n,)."""
    used: npt.NDArray[np.bool_]
    """Which points are measured and no spikes, shape (n,)."""
    derivative: Floats
    """Local slope, in intensity per cm⁻¹, shape (n,); NaN at the ends."""
    fit_shift_cm1: Floats
    """Where the step was fitted, in cm⁻¹, shape (m,)."""
    calculated: Floats
    """The fitted curve there, shape (m,)."""
