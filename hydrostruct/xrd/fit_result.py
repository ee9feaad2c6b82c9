"""What a Le Bail fit says of one pattern, and of each phase in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.verdict import Verdict
from hydrostruct.xrd.profile import Widths, WidthSigmas

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedLines:
    """The reflections of one phase that the data can see; of an absent phase, where its start would have them."""

    hkl: Ints
    """Miller indices, shape (n, 3)."""
    multiplicity: Ints
    """Symmetry-equivalent planes, shape (n,)."""
    two_theta_deg: Floats
    """Fitted position, in degrees, shape (n,); zero shift and displacement included."""
    width_deg: Floats
    """Full width at half maximum, in degrees, shape (n,)."""
    intensity: Floats
    """Area in intensity × degrees, shape (n,); signed. Reflections that coincide share it equally."""
    intensity_sigma: Floats
    """Its standard uncertainty, all other parameters marginalised, shape (n,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseFit:
    """What one fit says of one phase.

    For each number ``_sigma`` is the one to use: it is scaled by max(1, GOF) and for serial correlation;
    ``_statistical`` is the unscaled one; ``_systematic`` is what the wavelength and the geometry do to all patterns
    alike, NaN where their uncertainties were not given. Tied axes carry the sigma of the axis they follow, angles
    fixed by symmetry have 0.
    """

    name: str
    """Name of the phase."""
    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    reason: str
    """Whole sentences that explain the verdict; empty when there is nothing to say."""
    detected: bool
    """Whether the phase's lines stand above the noise."""
    significance: float
    """Strength of that evidence in standard deviations (Gaussian equivalent)."""
    a_ang: float
    """a, in Å; NaN where there is no number."""
    a_sigma_ang: float
    """Standard uncertainty of a, in Å."""
    a_statistical_ang: float
    """Unscaled uncertainty of a, in Å."""
    a_systematic_ang: float
    """Common part of a, in Å."""
    b_ang: float
    """b, in Å."""
    b_sigma_ang: float
    """Standard uncertainty of b, in Å."""
    b_statistical_ang: float
    """Unscaled uncertainty of b, in Å."""
    b_systematic_ang: float
    """Common part of b, in Å."""
    c_ang: float
    """c, in Å."""
    c_sigma_ang: float
    """Standard uncertainty of c, in Å."""
    c_statistical_ang: float
    """Unscaled uncertainty of c, in Å."""
    c_systematic_ang: float
    """Common part of c, in Å."""
    alpha_deg: float
    """α, in degrees."""
    alpha_sigma_deg: float
    """Standard uncertainty of α, in degrees."""
    alpha_statistical_deg: float
    """Unscaled uncertainty of α, in degrees."""
    alpha_systematic_deg: float
    """Common part of α, in degrees."""
    beta_deg: float
    """β, in degrees."""
    beta_sigma_deg: float
    """Standard uncertainty of β, in degrees."""
    beta_statistical_deg: float
    """Unscaled uncertainty of β, in degrees."""
    beta_systematic_deg: float
    """Common part of β, in degrees."""
    gamma_deg: float
    """γ, in degrees."""
    gamma_sigma_deg: float
    """Standard uncertainty of γ, in degrees."""
    gamma_statistical_deg: float
    """Unscaled uncertainty of γ, in degrees."""
    gamma_systematic_deg: float
    """Common part of γ, in degrees."""
    volume_ang3: float
    """Volume of the cell, in Å³."""
    volume_sigma_ang3: float
    """Standard uncertainty of the volume, in Å³, from the full covariance of the cell."""
    volume_statistical_ang3: float
    """Unscaled uncertainty of the volume, in Å³."""
    volume_systematic_ang3: float
    """Common part of the volume, in Å³."""
    volume_per_fu_ang3: float
    """Volume per formula unit, in Å³; NaN when the formula units per cell are not known."""
    volume_per_fu_sigma_ang3: float
    """Standard uncertainty of the volume per formula unit, in Å³."""
    volume_per_fu_statistical_ang3: float
    """Unscaled uncertainty of the volume per formula unit, in Å³."""
    volume_per_fu_systematic_ang3: float
    """Common part of the volume per formula unit, in Å³."""
    share: float
    """The phase's part of the Bragg area in the range; not a phase fraction. Signed."""
    share_sigma: float
    """Its standard uncertainty."""
    free_lines: int
    """Observed lines in the range that no line of another phase could explain."""
    widths: Widths
    """Fitted widths, those of the instrument included."""
    widths_sigma: WidthSigmas
    """Their standard uncertainties."""
    instrument: Widths
    """Widths of the instrument, where they were given."""
    strain_axis_deg: float
    """Lorentzian strain of planes across the axis, in degrees; that of `widths` where it was not freed."""
    strain_axis_sigma_deg: float
    """Its standard uncertainty, in degrees; 0 when neither it nor `strain` was fitted."""
    strain_oblique_deg2: float
    """What the square of the strain has more at 45° to the axis, in degrees²; 0 where it was not freed."""
    strain_oblique_sigma_deg2: float
    """Its standard uncertainty, in degrees²; 0 when it was not fitted."""
    strain_diagonal_deg2: float
    """What it has more along the diagonals (hh0; hhh in cubic phases), in degrees²; 0 where it was not freed."""
    strain_diagonal_sigma_deg2: float
    """Its standard uncertainty, in degrees²; 0 when it was not fitted."""
    stress: float
    """Q, the part of the deviatoric stress that is alike for all lines; 0 when it was neither given nor fitted."""
    stress_sigma: float
    """Its standard uncertainty; 0 when it was not fitted."""
    stress_shape: float
    """The part of the stress that goes with the orientation of a line; 0 when it was not fitted."""
    stress_shape_sigma: float
    """Its standard uncertainty; 0 when it was not fitted."""
    stress_volume_ang3: float
    """How much larger the volume of the cell would read without these terms, in Å³; 0 without a stress."""
    lines: FittedLines
    """The reflections."""

    @property
    def own_size_deg(self) -> float:
        """Lorentzian size term without the instrument's, in degrees; its sigma is that of `widths`."""
        return self.widths.size_deg - self.instrument.size_deg

    @property
    def own_strain_deg(self) -> float:
        """Lorentzian strain term without the instrument's, in degrees; its sigma is that of `widths`."""
        return self.widths.strain_deg - self.instrument.strain_deg


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternFit:
    """What one Le Bail fit says of one pattern."""

    file: str
    """Where the pattern comes from."""
    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    reason: str
    """Whole sentences that explain the verdict; empty when there is nothing to say."""
    rp_percent: float
    """Σ|y − c| / Σ|y|, in percent."""
    rwp_percent: float
    """Weighted profile R factor, background included, in percent."""
    rwp_background_corrected_percent: float
    """Weighted profile R factor above the background, in percent."""
    rexp_percent: float
    """Expected R factor, in percent."""
    gof: float
    """Rwp / Rexp."""
    serial_factor: float
    """Inflation of uncertainties for serial correlation of the residuals, at least 1."""
    seconds: float
    """Time that the fit took, in s."""
    steps: int
    """Least-squares steps taken from the start that won."""
    phases: Mapping[str, PhaseFit]
    """The phases by name, in the order given."""
    two_theta_deg: Floats
    """Angles of the pattern, in degrees, shape (n,): all of them, so that arrays go with the pattern's own."""
    observed: Floats
    """Measured intensity, shape (n,)."""
    sigma: Floats
    """Its standard uncertainty, shape (n,)."""
    fitted: Bools
    """Which points took part in the fit, shape (n,)."""
    calculated: Floats
    """Fitted pattern, shape (n,); NaN at points that took no part."""
    background: Floats
    """Fitted background, shape (n,); NaN at points that took no part."""
    beyond_profile: Floats
    """Part of `calculated` that all lines have in common beyond their profiles, shape (n,); 0 where there is none, NaN
    at points that took no part."""
    background_terms: int
    """Chebyshev terms of the background."""
    zero_deg: float
    """Fitted zero shift, in degrees; 0 when it was fixed."""
    zero_sigma_deg: float
    """Its standard uncertainty, in degrees; 0 when it was fixed."""
    displacement: float
    """Fitted displacement of the sample; 0 when it was fixed. Along the beam, over the distance of the detector; in
    Bragg-Brentano geometry below the axis of the goniometer, over its radius (-2 cos θ of it is added to 2θ)."""
    displacement_sigma: float
    """Its standard uncertainty; 0 when it was fixed."""
    parameter_names: tuple[str, ...]
    """The free parameters that are not intensities or background."""
    parameters: Floats
    """Their values, shape (parameters,); reciprocal-metric components in Å⁻², widths in degrees or degrees²."""
    covariance: Floats
    """Their unscaled covariance, intensities and background marginalised, shape (parameters, parameters); without what
    lines that scatter about their places add to the sigmas."""
    wavelength_ang: float
    """Wavelength, in Å."""
    foreign_lines_deg: Floats
    """Lines of the pattern that no phase explains, in degrees, shape (lines,): fitted as single peaks, or left out."""
    warnings: tuple[str, ...]
    """What a user should know of the pattern and the fit; whole sentences."""
    second_line: tuple[float, float] = (1.0, 0.0)
    """Kα2 over the wavelength, and its part of the area of each line; (1, 0) where there is none."""
    axial: float = 0.0
    """Half the height of slit and sample over their distance, for axial divergence; 0 where none was found."""
    geometry: str = "unknown"
    """That of the pattern, or ``bragg-brentano`` where its lines ask for such a displacement."""
