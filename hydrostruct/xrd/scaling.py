"""A pattern scaled to another incident intensity, or less the pattern of an empty cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.xrd.pattern import Pattern


def scaled_pattern(pattern: Pattern, factor: float) -> Pattern:
    """A pattern with intensity and sigma multiplied by one number.

    Parameters
    ----------
    pattern : Pattern
        As integrated.
    factor : float
        Above 0, such as the mean of a monitor over its value at this point.

    Returns
    -------
    Pattern

    Raises
    ------
    InputError
        When the factor is not a number above 0.

    Examples
    --------
    >>> half = scaled_pattern(Pattern(two_theta_deg=[1, 2], intensity=[4, 9], sigma=[2, 3], wavelength_ang=0.4), 0.5)
    >>> half.intensity, half.sigma
    (array([2. , 4.5]), array([1. , 1.5]))
    """
    if not (np.isfinite(factor) and factor > 0):
        raise InputError(f"{pattern.name}: the factor is {factor:g}. Expected a number above 0. Check the monitor.")
    assert pattern.sigma is not None
    changes = None if pattern.sector_changes is None else pattern.sector_changes * np.float32(factor)
    return replace(pattern, intensity=pattern.intensity * factor, sigma=pattern.sigma * factor, sector_changes=changes)


def without_background(pattern: Pattern, background: Pattern) -> Pattern:
    """A pattern less that of an empty cell, with both uncertainties.

    Parameters
    ----------
    pattern, background : Pattern
        The background is interpolated to the angles of the pattern, and must reach over all of them that were
        measured.

    Returns
    -------
    Pattern
        NaN where the background was not measured.

    Raises
    ------
    InputError
        When the wavelengths differ, or the two do not overlap.

    Notes
    -----
    The sigma of an interpolated background is that of its nearer points: neighbours share its noise, which a fit takes
    as serial correlation.
    """
    if abs(background.wavelength_ang / pattern.wavelength_ang - 1) > 1e-3:
        raise InputError(
            f"{background.name}: its wavelength is {background.wavelength_ang:g} Å. Expected {pattern.wavelength_ang:g}"
            ", that of the pattern. Measure the background with the same beam."
        )
    assert pattern.sigma is not None
    assert background.sigma is not None
    good = np.isfinite(background.intensity)
    x, at = background.two_theta_deg[good], pattern.two_theta_deg
    level = np.interp(at, x, background.intensity[good], left=np.nan, right=np.nan)
    variance = np.interp(at, x, background.sigma[good] ** 2)
    if not np.any(np.isfinite(level) & np.isfinite(pattern.intensity)):
        raise InputError(
            f"{background.name}: {x[0]:g} to {x[-1]:g}°. Expected angles that overlap with {at[0]:g} to {at[-1]:g}°. "
            "Check that it is the right file."
        )
    return replace(
        pattern, intensity=pattern.intensity - level, sigma=np.sqrt(pattern.sigma**2 + variance), sigma_source="given"
    )
