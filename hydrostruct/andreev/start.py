"""Where a fit begins: a coarse grid of gaps, broadenings and barriers, weight and background solved at each."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.conductance import conductance_rows
from hydrostruct.andreev.problem import FitData
from hydrostruct.units import BOLTZMANN_MEV_PER_K

Floats = npt.NDArray[np.float64]

_GAPS, _BROADENINGS, _BARRIERS2 = 9, (0.05, 0.35), (0.0, 0.25, 1.0)
_MOST_POINTS = 121


def start_values(data: FitData, *, most: int = 2) -> list[Floats]:
    """Starts of a fit, the best first.

    Parameters
    ----------
    data : FitData
        One curve.
    most : int
        How many to give, each with a gap of its own.

    Returns
    -------
    list of array, shape (4,)
        Gap in meV, ln Γ, Z², weight.
    """
    step = max(1, data.bias_mv.size // _MOST_POINTS)
    bias, observed, sigma, terms = (values[::step] for values in (data.bias_mv, data.observed, data.sigma, data.terms))
    reach = float(np.max(np.abs(bias)))
    flat = terms / sigma[:, None]
    level = flat @ np.linalg.lstsq(flat, observed, rcond=None)[0]
    best: dict[int, tuple[float, Floats]] = {}
    for index, gap in enumerate(np.geomspace(0.04 * reach, 0.7 * reach, _GAPS)):
        for ratio in _BROADENINGS:
            for barrier2 in _BARRIERS2:
                rows = conductance_rows(
                    bias,
                    gap_mev=gap,
                    broadening_mev=ratio * gap,
                    barrier2=barrier2,
                    temperature_k=max(data.temperature_k, 1e-3 * reach / BOLTZMANN_MEV_PER_K),
                    rows=1,
                )
                design = np.column_stack([flat, level * (rows[0] - 1.0)])
                found = np.linalg.lstsq(design, observed, rcond=None)[0]
                misfit = float(np.sum((observed - design @ found) ** 2))
                if found[-1] > 0 and misfit < best.get(index, (math.inf, flat))[0]:
                    weight = min(max(float(found[-1]), 0.02), 1.0)
                    best[index] = misfit, np.array([gap, math.log(ratio * gap), max(barrier2, 0.02), weight])
    ordered = sorted(best.values(), key=lambda one: one[0])
    return [values for _, values in ordered[:most]] or [np.array([0.25 * reach, math.log(0.05 * reach), 0.1, 0.5])]
