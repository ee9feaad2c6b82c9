"""Lines that no phase explains, fitted one by one: each with a place, a width and an intensity of its own.

To the loops of the engine a single peak is a phase with one line: its "cell" is one component, 1/d².
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.beam import displacement_arm
from hydrostruct.xrd.kernels import CELL_SLOTS, PHASE_SLOTS
from hydrostruct.xrd.model import LeBailModel

if TYPE_CHECKING:
    from hydrostruct.xrd.engine import Solution

Floats = npt.NDArray[np.float64]

PARAMETERS_OF_A_PEAK = 3
"""Place, width and intensity."""
_PREFIX = "peak:"
_GAUSS, _LORENTZ = 0.8, 0.3
_REACH = 0.5
_NARROWEST, _WIDEST = 0.2, 2.0
_W_SLOT, _SIZE_SLOT = CELL_SLOTS + 2, CELL_SLOTS + 4


def own_parameters(model: LeBailModel) -> int:
    """How many parameters of a model are not those of single peaks; they come first."""
    peaks = (model.slots.size - 2) // PHASE_SLOTS - len(model.phases)
    return len(model.parameter_names) - (PARAMETERS_OF_A_PEAK - 1) * peaks


def has_peaks(model: LeBailModel) -> bool:
    """Whether a model has single peaks."""
    return model.slots.size - 2 > PHASE_SLOTS * len(model.phases)


def own_lines(model: LeBailModel) -> npt.NDArray[np.bool_]:
    """Lines of a model that belong to a phase, shape (lines,)."""
    return np.asarray(model.phase_of < len(model.phases))


def under_peaks(model: LeBailModel, solution: Solution, part: float = 1.0) -> npt.NDArray[np.bool_]:
    """Lines of phases on which, within a width, a single peak of at least a part of their area stands."""
    own = own_lines(model)
    mine, single = np.flatnonzero(own), np.flatnonzero(~own)
    near = np.abs(solution.position[mine][:, None] - solution.position[single]) < solution.width[mine][:, None]
    with np.errstate(invalid="ignore"):
        large = near & ~(part * solution.intensity[mine][:, None] > solution.intensity[single])
    out = np.zeros(own.size, dtype=np.bool_)
    out[mine] = np.any(large, axis=1)
    return out


def with_peaks(
    model: LeBailModel, values: Floats, position_deg: Floats, width_deg: Floats, *, narrowest_deg: float = 0.0
) -> tuple[LeBailModel, Floats]:
    """The model with single peaks beside the lines of its phases.

    Parameters
    ----------
    model : LeBailModel
        Without single peaks.
    values : array, shape (parameters,)
        Of its free parameters.
    position_deg, width_deg : array, shape (peaks,)
        Where they are and how wide, in degrees: they may move by half a width, and grow to twice or shrink to a fifth
        of it.
    narrowest_deg : float
        Narrower they do not become, in degrees: between two points a peak has no place.

    Returns
    -------
    model : LeBailModel
        With two further parameters for each peak, after its own.
    values : array, shape (parameters + 2 × peaks,)
    """
    count = position_deg.size
    if not count:
        return model, values
    first = len(model.parameter_names)
    place = _inverse_squares(model, values, position_deg)
    reach = np.abs(_inverse_squares(model, values, position_deg + _REACH * width_deg) - place)
    slots = np.zeros((count, PHASE_SLOTS))
    link = np.full((count, PHASE_SLOTS), -1, dtype=np.int64)
    slots[:, 0], slots[:, _W_SLOT], slots[:, _SIZE_SLOT] = place, (_GAUSS * width_deg) ** 2, _LORENTZ * width_deg
    link[:, 0], link[:, _W_SLOT] = first + 2 * np.arange(count), first + 2 * np.arange(count) + 1
    terms = np.zeros((count, model.terms.shape[1]))
    terms[:, 0] = 1.0
    names = tuple(f"{_PREFIX}{word}:{number}" for number in range(count) for word in ("place", "width"))

    def beside(own: Floats, places: Floats, widths: Floats) -> Floats:
        return np.concatenate((own, np.column_stack((places, widths)).ravel()))

    start = beside(model.start, place, slots[:, _W_SLOT])
    wide = (_GAUSS * width_deg) ** 2
    narrow = np.minimum(np.maximum(_NARROWEST**2 * wide, narrowest_deg**2), wide)
    with_them = replace(
        model,
        phase_of=np.concatenate((model.phase_of, len(model.phases) + np.arange(count))),
        terms=np.ascontiguousarray(np.concatenate((model.terms, terms))),
        slots=np.concatenate((model.slots[:-2], slots.ravel(), model.slots[-2:])),
        link=np.concatenate((model.link[:-2], link.ravel(), model.link[-2:])),
        parameter_names=(*model.parameter_names, *names),
        start=start,
        lowest=beside(model.lowest, place - reach, narrow),
        highest=beside(model.highest, place + reach, _WIDEST**2 * wide),
    )
    return with_them, np.concatenate((values, start[first:]))


def _inverse_squares(model: LeBailModel, values: Floats, position_deg: Floats) -> Floats:
    """1/d² of lines at measured places; zero and displacement are taken off."""
    zero, displacement = (
        values[link] if link >= 0 else slot for slot, link in zip(model.slots[-2:], model.link[-2:], strict=True)
    )
    at = position_deg - zero
    angle = np.radians(at) - displacement * displacement_arm(model, at)
    return np.asarray((2.0 * np.sin(0.5 * angle) / model.wavelength_ang) ** 2)
