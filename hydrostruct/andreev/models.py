"""The curves that a fit may try, each with its derivatives: what the normalised conductance is made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.conductance import conductance_rows, d_wave_rows

Floats = npt.NDArray[np.float64]
Shape = Callable[[Floats, Floats, float, int], tuple[Floats, Floats]]

GAP, LN_BROADENING, BARRIER2, WEIGHT = range(4)
_LEAST_BARRIER2 = -0.4
_LEAST_BROADENING = 1e-4
_LARGEST_LN = 12.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """One way to describe a normalised curve."""

    name: str
    """Its name: s-wave, two-gap, d-wave, critical-current."""
    parameters: tuple[str, ...]
    """Names of its parameters; the first four are gap, ln Γ, Z² and weight in every model."""
    shape: Shape
    """(bias, parameters, temperature, rows) → curve, shape (n,), and its derivatives, shape (parameters, n)."""


def _physical(values: Floats) -> tuple[float, float, float]:
    """Gap, broadening and Z² that a kernel can take; a fit may step a little outside."""
    gap = max(abs(float(values[GAP])), 1e-9)
    broadening = math.exp(min(float(values[LN_BROADENING]), _LARGEST_LN))
    return gap, max(broadening, _LEAST_BROADENING * gap), max(float(values[BARRIER2]), _LEAST_BARRIER2)


def _one_gap(rows_of: Callable[..., Floats]) -> Shape:
    def shape(bias: Floats, values: Floats, temperature_k: float, rows: int) -> tuple[Floats, Floats]:
        gap, broadening, barrier2 = _physical(values)
        weight = float(values[WEIGHT])
        found = rows_of(
            bias, gap_mev=gap, broadening_mev=broadening, barrier2=barrier2, temperature_k=temperature_k, rows=rows
        )
        excess = found[0] - 1.0
        if rows == 1:
            return 1.0 + weight * excess, np.empty((0, bias.size))
        slopes = np.stack([weight * found[1], weight * broadening * found[2], weight * found[3], excess])
        return 1.0 + weight * excess, slopes

    return shape


_S_WAVE = _one_gap(conductance_rows)
_D_WAVE = _one_gap(d_wave_rows)


def _two_gaps(bias: Floats, values: Floats, temperature_k: float, rows: int) -> tuple[Floats, Floats]:
    """Two gaps with one Γ and one Z, each with a weight of its own."""
    first, by_first = _S_WAVE(bias, values[:4], temperature_k, rows)
    other = np.array([values[4], values[LN_BROADENING], values[BARRIER2], values[5]])
    second, by_second = _S_WAVE(bias, other, temperature_k, rows)
    curve = first + second - 1.0
    if rows == 1:
        return curve, by_first
    slopes = np.concatenate([by_first, by_second[[GAP]], by_second[[WEIGHT]]])
    slopes[LN_BROADENING] += by_second[LN_BROADENING]
    slopes[BARRIER2] += by_second[BARRIER2]
    return curve, slopes


def _critical_current(bias: Floats, values: Floats, temperature_k: float, rows: int) -> tuple[Floats, Floats]:
    """An s-wave curve less dips at two biases, as where a part of the contact exceeds its critical current."""
    curve, slopes = _S_WAVE(bias, values[:4], temperature_k, rows)
    depth, center, width = float(values[4]), float(values[5]), max(abs(float(values[6])), 1e-6)
    shapes = []
    for sign in (1.0, -1.0):
        t = (bias - sign * center) / width
        bell = 1.0 / (1.0 + t * t)
        shapes.append((bell, sign * 2.0 * t * bell**2 / width, 2.0 * t * t * bell**2 / width))
    bell, by_center, by_width = (shapes[0][k] + shapes[1][k] for k in range(3))
    if rows == 1:
        return curve - depth * bell, slopes
    return curve - depth * bell, np.concatenate([slopes, np.stack([-bell, -depth * by_center, -depth * by_width])])


_FOUR = ("gap_mev", "ln_broadening", "barrier2", "weight")
S_WAVE = Model(name="s-wave", parameters=_FOUR, shape=_S_WAVE)
D_WAVE = Model(name="d-wave", parameters=_FOUR, shape=_D_WAVE)
TWO_GAP = Model(name="two-gap", parameters=(*_FOUR, "second_gap_mev", "second_weight"), shape=_two_gaps)
CRITICAL_CURRENT = Model(
    name="critical-current", parameters=(*_FOUR, "depth", "center_mv", "width_mv"), shape=_critical_current
)
MODELS = {model.name: model for model in (S_WAVE, TWO_GAP, D_WAVE, CRITICAL_CURRENT)}
