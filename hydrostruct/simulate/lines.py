"""The powder lines of the simulated phases, written down by hand: reflections, spacings, relative areas.

Nothing here is shared with the analysis. Reflections are those that the space group and the metal lattice allow up to
about 31° at 0.6199 Å; hydrogen scatters so little (8 % of a strong line at the most) that areas are those of the
metal atoms alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Lattice = Literal["hcp", "bct", "fcc"]

_METALS = {
    "Ce": (58.0, ((5.007, 28.283), (3.980, 5.183), (1.678, 0.589))),
    "Pt": (78.0, ((5.803, 29.016), (4.870, 5.150), (2.127, 0.572))),
    "Re": (75.0, ((5.695, 28.968), (4.740, 5.156), (2.064, 0.575))),
}
_MOTT_BETHE = 41.78214

_HCP = ((1, 0, 0, 6), (0, 0, 2, 2), (1, 0, 1, 12), (1, 0, 2, 12), (1, 1, 0, 6), (1, 0, 3, 12))
_HCP_LARGE = (
    (1, 0, 0, 6), (1, 0, 1, 12), (0, 0, 2, 2), (1, 0, 2, 12), (1, 1, 0, 6), (2, 0, 0, 6), (1, 0, 3, 12), (2, 0, 1, 12),
    (1, 1, 2, 12), (2, 0, 2, 12), (0, 0, 4, 2), (1, 0, 4, 12), (2, 1, 0, 12), (2, 0, 3, 12), (2, 1, 1, 24),
)  # fmt: skip
_BCT = (
    (0, 0, 2, 2), (1, 0, 1, 8), (1, 1, 0, 4), (1, 1, 2, 8), (1, 0, 3, 8), (0, 0, 4, 2), (2, 0, 0, 4), (2, 0, 2, 8),
    (2, 1, 1, 16), (1, 1, 4, 8),
)  # fmt: skip
_FCC = ((1, 1, 1, 8), (2, 0, 0, 6), (2, 2, 0, 12))
_FCC_LARGE = (*_FCC, (3, 1, 1, 24), (2, 2, 2, 8), (4, 0, 0, 6), (3, 3, 1, 24))


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedPhase:
    """A phase as the simulator knows it."""

    name: str
    """Its name, as in the phase library."""
    lattice: Lattice
    """How the metal atoms sit: hcp (hexagonal), bct (body-centred tetragonal) or fcc (face-centred cubic)."""
    metal: str
    """Symbol of the metal."""
    lines: tuple[tuple[int, int, int, int], ...]
    """h, k, l and multiplicity of each line."""


PHASES = {
    phase.name: phase
    for phase in (
        SimulatedPhase(name="CeH9-P63mmc", lattice="hcp", metal="Ce", lines=_HCP_LARGE),
        SimulatedPhase(name="CeH4-I4mmm", lattice="bct", metal="Ce", lines=_BCT),
        SimulatedPhase(name="CeH10-Fm3m", lattice="fcc", metal="Ce", lines=_FCC_LARGE),
        SimulatedPhase(name="Pt", lattice="fcc", metal="Pt", lines=_FCC),
        SimulatedPhase(name="Re", lattice="hcp", metal="Re", lines=_HCP),
    )
}
"""The phases of the reference run, in the order in which they are reported."""


def line_angles_deg(phase: SimulatedPhase, *, a_ang: float, c_ang: float, wavelength_ang: float) -> Floats:
    """Bragg angles of the lines of a phase.

    Parameters
    ----------
    phase : SimulatedPhase
        One of `PHASES`.
    a_ang, c_ang : float
        Cell, in Å; c of a cubic phase is a.
    wavelength_ang : float
        Wavelength, in Å.

    Returns
    -------
    array, shape (lines,)
        2θ, in degrees, in the order of `phase.lines`.

    Notes
    -----
    1/d² = 4(h² + hk + k²)/3a² + l²/c² (hcp), (h² + k²)/a² + l²/c² (bct), (h² + k² + l²)/a² (fcc).

    Examples
    --------
    >>> angles = line_angles_deg(PHASES["CeH9-P63mmc"], a_ang=3.674, c_ang=5.427, wavelength_ang=0.6199)
    >>> angles[:3].round(4)
    array([11.1806, 12.9676, 13.1179])
    """
    h, k, l = np.array([line[:3] for line in phase.lines], dtype=np.float64).T  # noqa: E741
    if phase.lattice == "hcp":
        inverse_square = 4.0 * (h * h + h * k + k * k) / (3.0 * a_ang**2) + (l / c_ang) ** 2
    elif phase.lattice == "bct":
        inverse_square = (h * h + k * k) / a_ang**2 + (l / c_ang) ** 2
    else:
        inverse_square = (h * h + k * k + l * l) / a_ang**2
    return np.asarray(np.degrees(2.0 * np.arcsin(wavelength_ang * np.sqrt(inverse_square) / 2.0)))


def line_areas(phase: SimulatedPhase, two_theta_deg: Floats, *, wavelength_ang: float) -> Floats:
    """Relative areas of the lines of a phase in an integrated pattern, the strongest 100.

    Parameters
    ----------
    phase : SimulatedPhase
        One of `PHASES`.
    two_theta_deg : array, shape (lines,)
        From `line_angles_deg`.
    wavelength_ang : float
        Wavelength, in Å.

    Returns
    -------
    array, shape (lines,)
        Area of the mean intensity of a ring against 2θ, solid angle and polarization corrected.

    Notes
    -----
    Multiplicity times |F|² times 1/(sin²θ cosθ). F is 2f for every allowed line of bct, 4f of fcc and
    2f cos π[(h + 2k)/3 + l/2] of hcp with atoms on ±(1/3, 2/3, 1/4); no thermal motion, no texture.
    """
    theta = np.radians(two_theta_deg) / 2.0
    scattering = _form_factor(phase.metal, np.sin(theta) / wavelength_ang)
    multiplicity = np.array([line[3] for line in phase.lines], dtype=np.float64)
    area = multiplicity * (scattering * _interference(phase)) ** 2 / (np.sin(theta) ** 2 * np.cos(theta))
    return np.asarray(100.0 * area / area.max())


def volume_per_metal_ang3(phase: SimulatedPhase, *, a_ang: float, c_ang: float) -> float:
    """Volume per metal atom, which is that per formula unit for all phases here.

    Parameters
    ----------
    phase : SimulatedPhase
        One of `PHASES`.
    a_ang, c_ang : float
        Cell, in Å.

    Returns
    -------
    float
        In Å³.

    Examples
    --------
    >>> round(volume_per_metal_ang3(PHASES["CeH9-P63mmc"], a_ang=3.674, c_ang=5.427), 4)
    31.7204
    """
    if phase.lattice == "hcp":
        return math.sqrt(3.0) / 4.0 * a_ang**2 * c_ang
    if phase.lattice == "bct":
        return a_ang**2 * c_ang / 2.0
    return a_ang**3 / 4.0


def _form_factor(metal: str, sine_over_wavelength: Floats) -> Floats:
    """X-ray form factor from the electron one by Mott and Bethe; Gaussians of Doyle and Turner (1968)."""
    charge, terms = _METALS[metal]
    square = sine_over_wavelength**2
    electron = sum(height * np.exp(-width * square) for height, width in terms)
    return np.asarray(charge - _MOTT_BETHE * square * electron)


def _interference(phase: SimulatedPhase) -> Floats:
    h, k, l = np.array([line[:3] for line in phase.lines], dtype=np.float64).T  # noqa: E741
    if phase.lattice == "hcp":
        return np.asarray(2.0 * np.cos(np.pi * ((h + 2.0 * k) / 3.0 + l / 2.0)))
    return np.full(h.shape, 4.0 if phase.lattice == "fcc" else 2.0)
