"""What the sectors of the rings say of the uncertainties: each is left out in turn, and the fit repeated.

A spotty ring is made of few grains. Each of them puts its own intensity, at its own angle, on many neighbouring points
of the pattern at once, so that no sigma of single points tells how far a line may lie from where a perfect powder would
have it. The sectors do: a grain is in one of them.

References
----------
Efron and Stein, The Annals of Statistics 9, 586 (1981), doi 10.1214/aos/1176345462: the jackknife and its bias.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.engine import Solution, solve
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.presence import shares

Floats = npt.NDArray[np.float64]

_FEWEST_SECTORS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class SectorSpread:
    """How a solution scatters with the sectors of the rings."""

    parameter_covariance: Floats
    """Of the free parameters, shape (parameters, parameters); not to be scaled."""
    share_sigma: Floats
    """Of the share of each phase, shape (phases,); NaN where there is no share."""


def spread_over_sectors(
    model: LeBailModel,
    data: FitData,
    solution: Solution,
    changes: npt.NDArray[np.float32],
    in_range: npt.NDArray[np.bool_],
) -> SectorSpread | None:
    """Repeat a fit without each sector of the rings: the jackknife.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    changes : array, shape (sectors, n)
        From `hydrostruct.xrd.spottiness.sector_changes`, at the points of the fit.
    in_range : array of bool, shape (lines,)
        Lines that count for the shares.

    Returns
    -------
    SectorSpread or None
        None when fewer than eight sectors saw anything.

    Notes
    -----
    With θ₋ₛ the fit without sector s, the covariance is (K − 1)/K Σ (θ₋ₛ − θ̄)(θ₋ₛ − θ̄)ᵀ over K sectors. It holds
    whatever makes sectors differ: counting, grains, and also a beam centre that is off, which the whole ring averages
    out. Thirty-six sectors give a sigma to 12 %.
    """
    seen = [change for change in changes if np.any(change)]
    if len(seen) < _FEWEST_SECTORS:
        return None
    without = [solve(model, replace(data, intensity=data.intensity + change), solution.values) for change in seen]
    factor = (len(seen) - 1) / len(seen)
    values = np.array([one.values for one in without])
    away = values - values.mean(axis=0)
    held = away.std(axis=0) == 0
    matrix = factor * away.T @ away
    matrix[held] = matrix[:, held] = 0.0
    members = np.array([(model.phase_of == index) & in_range for index in range(len(model.phases))], dtype=np.float64)
    areas = np.array([members @ np.nan_to_num(one.intensity) for one in without])
    share = np.array([shares(area, np.zeros((area.size, area.size)))[0] for area in areas])
    return SectorSpread(
        parameter_covariance=matrix, share_sigma=np.sqrt(factor * np.sum((share - share.mean(axis=0)) ** 2, axis=0))
    )
