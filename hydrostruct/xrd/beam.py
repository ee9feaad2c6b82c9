"""What a beam does to every line alike: a second wavelength beside the first, and axial divergence.

A laboratory tube without a monochromator gives each line a companion, Kα2, at half its height. Slit and sample of a
height that is no small part of their distance draw each line out: towards low angles below 90°, and the more the
farther from there. Both are fixed by one number each for the whole pattern, found where it asks for them by
`hydrostruct.xrd.asked_terms`; the loops of `hydrostruct.xrd.kernels` then draw a line as a sum of copies.

References
----------
Deslattes et al., Rev. Mod. Phys. 75, 35 (2003), doi 10.1103/RevModPhys.75.35: wavelengths of the tubes.
Finger, Cox and Jephcoat, J. Appl. Cryst. 27, 892 (1994), doi 10.1107/S0021889894004218: axial divergence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.kernels import mean_place
from hydrostruct.xrd.line_columns import line_columns
from hydrostruct.xrd.model import LeBailModel

Floats = npt.NDArray[np.float64]

TUBES_ANG = {
    "Cr": (2.289726, 2.293651),
    "Fe": (1.936041, 1.939973),
    "Co": (1.788996, 1.792835),
    "Cu": (1.540593, 1.544427),
    "Mo": (0.709317, 0.713607),
    "Ag": (0.559422, 0.563813),
}
"""Kα1 and Kα2 of the anodes in use, in Å."""
_ALIKE = 1e-4
_TRIAL = 0.01  # relative
SECOND_PART = 1.0 / 3.0
"""Part of Kα2 in the area of both: half of Kα1, by the numbers of electrons that may fall."""

BEAM_WORDS = ("second_line", "axial")
"""What of a beam is found from the lines: the part of Kα2 in the area of both, and the axial divergence."""
BEAM_LIMITS = {"second_line": (0.05, 0.6), "axial": (1e-3, 0.1)}
"""Smallest and largest value of each. The second is half a height over a distance, and at 0 it moves nothing."""


def beam_value(model: LeBailModel, word: str) -> float:
    """What a model has of the beam, of `BEAM_WORDS`."""
    return model.second_line[1] if word == "second_line" else model.axial


def with_beam_value(model: LeBailModel, word: str, value: float) -> LeBailModel:
    """The model with another value of what it has of the beam, of `BEAM_WORDS`."""
    if word == "second_line":
        return replace(model, second_line=(model.second_line[0], value))
    return replace(model, axial=value)


def beam_slopes(model: LeBailModel, position: Floats, slots: Floats, intensity: Floats, words: Sequence[str]) -> Floats:
    """Derivatives of the sum of all lines by what is fitted of the beam.

    Parameters
    ----------
    model : LeBailModel
        Its beam has a value above 0 for each of the words.
    position : array, shape (n,)
        2θ of the points, in degrees.
    slots : array, shape (slots of the model,)
        Cells, widths, zero and displacement.
    intensity : array, shape (lines,)
        Area of each line, 0 for those that are not seen.
    words : sequence of str
        Of `BEAM_WORDS`.

    Returns
    -------
    array, shape (n, words)
        By differences over a hundredth of each value.
    """
    slopes = np.empty((position.size, len(words)))
    for column, word in enumerate(words):
        value = beam_value(model, word)
        ends = []
        for sign in (1.0, -1.0):
            moved = line_columns(with_beam_value(model, word, value * (1.0 + sign * _TRIAL)), position, slots)
            ends.append(moved.shape @ intensity[moved.lines])
        slopes[:, column] = (ends[0] - ends[1]) / (2.0 * _TRIAL * value)
    return slopes


def with_second_line(model: LeBailModel) -> LeBailModel | None:
    """The model with the Kα2 of the tube that its wavelength belongs to.

    Parameters
    ----------
    model : LeBailModel
        With one wavelength.

    Returns
    -------
    LeBailModel or None
        None where the wavelength is no tube's to 1 in 10 000. Where it is the mean of Kα1 and Kα2, weighted two to one,
        that of the model becomes that of Kα1.
    """
    tube = _tube(model.wavelength_ang)
    if tube is None:
        return None
    first, second, known = tube
    own = model.wavelength_ang * first / known
    return replace(model, wavelength_ang=own, second_line=(second / first, SECOND_PART))


def is_of_a_tube(wavelength_ang: float) -> bool:
    """Whether a wavelength is that of a laboratory tube: its Kα1, or the mean of its Kα1 and Kα2, to 1 in 10 000."""
    return _tube(wavelength_ang) is not None


def _tube(wavelength_ang: float) -> tuple[float, float, float] | None:
    """Kα1 and Kα2 of the tube that a wavelength belongs to, and which of them or of their mean it is, in Å."""
    for first, second in TUBES_ANG.values():
        for known in (first, (2.0 * first + second) / 3.0):
            if abs(wavelength_ang / known - 1.0) < _ALIKE:
                return first, second, known
    return None


def drawn_places(model: LeBailModel, position_deg: Floats) -> Floats:
    """Where lines at given angles show: there, where the second wavelength and where axial divergence puts them.

    Parameters
    ----------
    model : LeBailModel
        Its beam.
    position_deg : array, shape (n,)
        2θ by the first wavelength, in degrees.

    Returns
    -------
    array, shape (n,) to (4n,)
    """
    ratio, part = model.second_line
    places = [position_deg]
    if part > 0:
        with np.errstate(invalid="ignore"):
            sine = np.minimum(ratio * np.sin(np.radians(0.5 * position_deg)), 1.0)
        places.append(np.degrees(2.0 * np.arcsin(sine)))
    if model.axial > 0:
        beam = model.beam
        places += [np.array([mean_place(place, beam) for place in one[np.isfinite(one)]]) for one in tuple(places)]
    return np.concatenate(places)


def shown_places(model: LeBailModel, slots: Floats, two_theta_deg: Floats) -> Floats:
    """Where lines show that zero and displacement shift.

    Parameters
    ----------
    model : LeBailModel
        Its geometry says what a displacement does.
    slots : array
        Zero and displacement are the last two.
    two_theta_deg : array, shape (n,)
        2θ by Bragg's law, in degrees.

    Returns
    -------
    array, shape (n,)
        In degrees.
    """
    zero, displacement = slots[-2:].tolist()
    return np.asarray(two_theta_deg + np.degrees(displacement * displacement_arm(model, two_theta_deg)) + zero)


def displacement_arm(model: LeBailModel, two_theta_deg: Floats) -> Floats:
    """How far lines at given angles go, in radians, with a displacement, which is relative; shape (n,)."""
    angle = np.radians(two_theta_deg)
    return np.asarray(-2.0 * np.cos(0.5 * angle) if model.reflects else 0.5 * np.sin(2.0 * angle))


def with_beam_of(model: LeBailModel, other: LeBailModel) -> LeBailModel:
    """A model with the wavelengths, the axial divergence and the geometry of another one."""
    if model is other:
        return model
    beam = {name: getattr(other, name) for name in ("wavelength_ang", "second_line", "axial", "geometry")}
    if all(getattr(model, name) == value for name, value in beam.items()):
        return model
    return replace(model, **beam)
