"""Peak shape and widths: the Thompson-Cox-Hastings pseudo-Voigt.

References
----------
Thompson, Cox and Hastings, J. Appl. Cryst. 20, 79 (1987), doi 10.1107/S0021889887087090.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError

Floats = npt.NDArray[np.float64]

TYPICAL_MIXING = 0.4
"""Lorentzian share of a line where its own is not asked for."""
CORE_FWHM = 1.5
"""What a line is counts within so many widths of its place; beyond, background and other lines do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Widths:
    """Widths of lines against angle: Γ_G² = u tan²θ + v tanθ + w + p/cos²θ and Γ_L = size/cosθ + strain·tanθ.

    The Gaussian and Lorentzian full widths at half maximum are in degrees 2θ. The Lorentzian terms are named for
    what causes them; programs that call them X and Y do not agree which is which.
    """

    u_deg2: float = 0.0
    """Gaussian term in tan²θ, in degrees²."""
    v_deg2: float = 0.0
    """Gaussian term in tanθ, in degrees²; often negative."""
    w_deg2: float = 0.0
    """Gaussian term that does not change with angle, in degrees²."""
    p_deg2: float = 0.0
    """Gaussian size term, in degrees²."""
    size_deg: float = 0.0
    """Lorentzian size term, in degrees."""
    strain_deg: float = 0.0
    """Lorentzian strain term, in degrees."""


NO_WIDTHS = Widths()
"""All terms 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WidthSigmas:
    """Standard uncertainties of the terms of `Widths`, scaled as all are; 0 for a term that was held.

    NaN where there is none: of a phase that is absent or did not converge, of a term that rests on its limit.
    """

    u_sigma_deg2: float = 0.0
    """Of u, in degrees²."""
    v_sigma_deg2: float = 0.0
    """Of v, in degrees²."""
    w_sigma_deg2: float = 0.0
    """Of w, in degrees²."""
    p_sigma_deg2: float = 0.0
    """Of p, in degrees²."""
    size_sigma_deg: float = 0.0
    """Of the Lorentzian size term, in degrees."""
    strain_sigma_deg: float = 0.0
    """Of the Lorentzian strain term, in degrees."""


WIDTH_NAMES: tuple[str, ...] = ("u", "v", "w", "p", "size", "strain")
"""The terms in their fixed order, as `free` and `fix` call them."""


def width_array(widths: Widths) -> Floats:
    """The six terms in their fixed order, shape (6,)."""
    return np.array([getattr(widths, field.name) for field in fields(widths)], dtype=np.float64)


def combined_width(gauss_deg: npt.ArrayLike, lorentz_deg: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Total width and mixing of the pseudo-Voigt that stands for a Gaussian convolved with a Lorentzian.

    Parameters
    ----------
    gauss_deg, lorentz_deg : array
        Full widths at half maximum, in degrees, at least 0, not both 0.

    Returns
    -------
    width_deg : array
        Full width at half maximum Γ, in degrees.
    mixing : array
        Lorentzian share η, 0 to 1.

    Examples
    --------
    >>> width, mixing = combined_width([1.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    >>> width.round(5), mixing.round(4)
    (array([1.     , 1.     , 1.63464]), array([0.    , 1.    , 0.6825]))
    """
    g, l = np.asarray(gauss_deg, dtype=np.float64), np.asarray(lorentz_deg, dtype=np.float64)  # noqa: E741
    fifth = g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2 + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
    width = fifth**0.2
    ratio = l / width
    return width, 1.36603 * ratio - 0.47719 * ratio**2 + 0.11116 * ratio**3


def line_widths(two_theta_deg: npt.ArrayLike, widths: Widths) -> tuple[Floats, Floats]:
    """Total width and mixing of lines at given angles.

    Parameters
    ----------
    two_theta_deg : array
        Positions 2θ, in degrees.
    widths : Widths
        The terms.

    Returns
    -------
    width_deg, mixing : array
        As `combined_width` gives them.

    Raises
    ------
    InputError
        When the Gaussian terms give a negative square at one of the angles.
    """
    theta = np.radians(np.asarray(two_theta_deg, dtype=np.float64) / 2)
    tangent, cosine = np.tan(theta), np.cos(theta)
    square = widths.u_deg2 * tangent**2 + widths.v_deg2 * tangent + widths.w_deg2 + widths.p_deg2 / cosine**2
    if np.any(square < 0):
        raise InputError(
            f"widths: u tan²θ + v tanθ + w + p/cos²θ is {np.min(square):.3g} degrees² at one of the angles. Expected a "
            "square above 0 over the whole range. Calibrate the widths again."
        )
    return combined_width(np.sqrt(square), widths.size_deg / cosine + widths.strain_deg * tangent)


def pseudo_voigt(offset_deg: npt.ArrayLike, width_deg: npt.ArrayLike, mixing: npt.ArrayLike) -> Floats:
    """Pseudo-Voigt of unit area.

    Parameters
    ----------
    offset_deg : array
        Distance from the line's position, in degrees.
    width_deg : array
        Full width at half maximum, in degrees, above 0.
    mixing : array
        Lorentzian share, 0 to 1.

    Returns
    -------
    array
        Per degree, broadcast over the arguments.

    Examples
    --------
    >>> float(pseudo_voigt(0.05, 0.1, 1.0) / pseudo_voigt(0.0, 0.1, 1.0))
    0.5
    """
    share = np.asarray(mixing, dtype=np.float64)
    t = np.asarray(offset_deg, dtype=np.float64) / np.asarray(width_deg, dtype=np.float64)
    lorentz = 2.0 / np.pi / (1.0 + 4.0 * t**2)
    gauss = 2.0 * np.sqrt(np.log(2.0) / np.pi) * np.exp(-4.0 * np.log(2.0) * t**2)
    return np.asarray((share * lorentz + (1.0 - share) * gauss) / np.asarray(width_deg, dtype=np.float64))
