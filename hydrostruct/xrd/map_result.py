"""What one fit of a whole map says: the fit of each point, what is common to them, and how their errors go together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_result import PatternFit

Floats = npt.NDArray[np.float64]

CELL_NUMBERS = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg", "volume_ang3")
"""Numbers of a cell that `map_numbers` gives, in the order of the rows of `MapFit.by_shared`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapFit:
    """One fit of all patterns of a map."""

    verdict: Verdict
    """CONVERGED, NOT_CONVERGED, or ABSENT when no pattern could take part."""
    reason: str
    """Whole sentences; empty when there is nothing to say."""
    fits: tuple[PatternFit, ...]
    """The fit of each pattern, in their order; those that took no part are as they were fitted by themselves."""
    took_part: tuple[bool, ...]
    """Which patterns took part."""
    shared_names: tuple[str, ...]
    """What is common: ``zero``, ``w``, ``size:NAME``, ``background:3``, …; ``second_line``, the part of Kα2 in the area
    of both lines, and ``axial``, half a height over a distance, where the patterns were seen to have them."""
    shared: Floats
    """The common values, shape (shared,); widths and zero in degrees or degrees²."""
    shared_covariance: Floats
    """Their covariance, scaled as uncertainties are, shape (shared, shared)."""
    by_shared: tuple[dict[str, Floats], ...]
    """For each pattern and phase how the cell follows the common values, shape (7, shared); empty without a cell."""
    steps: int
    """Least-squares steps of the whole map."""
    seconds: float
    """Time that the fit took, in s, without the separate fits that it starts from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapNumbers:
    """One number of one phase at all points, with the errors that the points have in common."""

    values: Floats
    """Shape (points,); NaN where there is no number."""
    covariance: Floats
    """Shape (points, points); the diagonal holds the squares of each point's sigma."""
    common: Floats
    """The part of it that comes from the common values, shape (points, points)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapGradient:
    """A plane through the numbers of a map."""

    middle: float
    """Value at the mean position of the points that count."""
    middle_sigma: float
    """Its standard uncertainty."""
    along_x_per_um: float
    """Slope along x, per µm."""
    along_x_sigma_per_um: float
    """Its standard uncertainty."""
    along_y_per_um: float
    """Slope along y, per µm."""
    along_y_sigma_per_um: float
    """Its standard uncertainty."""
    chi2_per_freedom: float
    """Misfit of the plane over what the points' sigma allow; far above 1 means that a plane is not what it is."""


def map_numbers(whole: MapFit, phase: str, *, number: str) -> MapNumbers:
    """One number of one phase over a map.

    Parameters
    ----------
    whole : MapFit
        From `fit_map`.
    phase : str
        Name of the phase.
    number : str
        ``a_ang``, ``b_ang``, ``c_ang``, ``alpha_deg``, ``beta_deg``, ``gamma_deg`` or ``volume_ang3``.

    Returns
    -------
    MapNumbers

    Raises
    ------
    InputError
        For a phase or a number that is not there.
    """
    if number not in CELL_NUMBERS:
        raise InputError(
            f"map: {number!r} is no number of a cell. Expected one of {', '.join(CELL_NUMBERS)}. "
            + nearest_name(number, CELL_NUMBERS)
        )
    if not whole.fits or phase not in whole.fits[0].phases:
        known = tuple(whole.fits[0].phases) if whole.fits else ()
        raise InputError(f"map: no phase {phase!r} in this fit. {nearest_name(phase, known)}")
    row = CELL_NUMBERS.index(number)
    stem, unit = number.rsplit("_", 1)
    values = np.array([getattr(fit.phases[phase], number) for fit in whole.fits])
    sigma = np.array([getattr(fit.phases[phase], f"{stem}_sigma_{unit}") for fit in whole.fits])
    follows = np.array(
        [slopes[phase][row] if phase in slopes else np.zeros(whole.shared.size) for slopes in whole.by_shared]
    ).reshape(len(whole.fits), whole.shared.size)
    common = follows @ whole.shared_covariance @ follows.T
    covariance = common.copy()
    covariance[np.diag_indices_from(covariance)] = np.maximum(sigma**2, np.diag(common))
    return MapNumbers(values=values, covariance=covariance, common=common)


def map_gradient(numbers: MapNumbers, x_um: Sequence[float], *, y_um: Sequence[float]) -> MapGradient:
    """A plane through one number of a map, by generalised least squares.

    Parameters
    ----------
    numbers : MapNumbers
        From `map_numbers`; points without a number do not count.
    x_um, y_um : sequence of float, shape (points,)
        Positions, in µm.

    Returns
    -------
    MapGradient
        NaN throughout with fewer than three points, or with all of them on one line.

    Notes
    -----
    An error common to all points shifts the plane and hardly tilts it; the whole covariance sees to that. The sigma is
    that of the covariance: where the plane does not describe the points, `chi2_per_freedom` says so.
    """
    x, y = np.asarray(x_um, dtype=np.float64), np.asarray(y_um, dtype=np.float64)
    good = np.isfinite(numbers.values) & np.isfinite(x) & np.isfinite(y) & np.isfinite(np.diag(numbers.covariance))
    if good.sum() < 3:
        return MapGradient(**dict.fromkeys(MapGradient.__slots__, math.nan))
    design = np.column_stack((np.ones(good.sum()), x[good] - x[good].mean(), y[good] - y[good].mean()))
    if np.linalg.matrix_rank(design) < 3:
        return MapGradient(**dict.fromkeys(MapGradient.__slots__, math.nan))
    weight = np.linalg.inv(numbers.covariance[np.ix_(good, good)])
    spread = np.linalg.inv(design.T @ weight @ design)
    values = spread @ design.T @ weight @ numbers.values[good]
    rest = numbers.values[good] - design @ values
    freedom = int(good.sum()) - 3
    sigma = np.sqrt(np.diag(spread))
    return MapGradient(
        middle=float(values[0]),
        middle_sigma=float(sigma[0]),
        along_x_per_um=float(values[1]),
        along_x_sigma_per_um=float(sigma[1]),
        along_y_per_um=float(values[2]),
        along_y_sigma_per_um=float(sigma[2]),
        chi2_per_freedom=float(rest @ weight @ rest) / freedom if freedom else math.nan,
    )
