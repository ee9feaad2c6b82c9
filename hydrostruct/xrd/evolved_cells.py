"""Cells with three or more free parameters from a poor start: a population of them, judged by the peaks they explain.

A grid over three to six parameters has too many cells, and random ones are too few to come within a width of every
line. A population is drawn about the start instead, and evolves: at first a line may be some widths from the peak
that it explains, in the end half of one, so that the landscape is smooth while the population is wide.

References
----------
Storn and Price, J. Global Optim. 11, 341 (1997), doi 10.1023/A:1008202821328: differential evolution.
Shirley, in Accuracy in Powder Diffraction, NBS Spec. Publ. 567 (1980), 361: what makes a cell explain a pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MEMBERS = 240
_GENERATIONS = 90
_WIDE_FWHM, _NARROW_FWHM = 3.0, 0.35
_SETTLED = 0.7
_SEED = 20261122


@dataclass(frozen=True, kw_only=True, slots=True)
class PeakList:
    """What a pattern shows, and how a line's place is turned into what it explains."""

    place_deg: Floats
    """Tops, rising, in degrees, shape (peaks,)."""
    weight: Floats
    """What each is worth, shape (peaks,)."""
    width_deg: float
    """Full width at half maximum of a line, in degrees."""
    wavelength_ang: float
    """Wavelength, in Å."""
    zero_deg: float
    """Zero shift of the pattern, in degrees."""


def listed_peaks(
    first_deg: float, step_deg: float, score: Floats, *, least: float, width_deg: float, wavelength_ang: float,
    zero_deg: float,
) -> PeakList:  # fmt: skip
    """The peaks of a score on an even grid of angles.

    Parameters
    ----------
    first_deg, step_deg : float
        The grid, in degrees.
    score : array, shape (n,)
        What a matched filter sees, on any rising scale.
    least : float
        Smaller tops are noise.
    width_deg, wavelength_ang, zero_deg : float
        As in `PeakList`.

    Returns
    -------
    PeakList
    """
    top = np.flatnonzero((score[1:-1] >= score[:-2]) & (score[1:-1] > score[2:]) & (score[1:-1] > least)) + 1
    return PeakList(
        place_deg=np.asarray(first_deg + step_deg * top, dtype=np.float64),
        weight=score[top],
        width_deg=width_deg,
        wavelength_ang=wavelength_ang,
        zero_deg=zero_deg,
    )


def evolved_cells(trial: Floats, terms: Floats, peaks: PeakList) -> tuple[Floats, Floats]:
    """Let cells evolve.

    Parameters
    ----------
    trial : array, shape (n, components)
        Reciprocal components of cells about the start, 240 or more; they bound the search.
    terms : array, shape (lines, components)
        What each component adds to 1/d² of each line.
    peaks : PeakList
        What there is to explain.

    Returns
    -------
    cells : array, shape (240, components)
        The last generation.
    score : array, shape (240,)
        The weight of the peaks that each explains.
    """
    random = np.random.default_rng(_SEED)
    low, high = trial.min(axis=0), trial.max(axis=0)
    reach = peaks.width_deg * _WIDE_FWHM
    cells = trial[np.argsort(-explained_weight(trial, terms, peaks, reach_deg=reach), kind="stable")[:_MEMBERS]]
    for generation in range(_GENERATIONS):
        part = min(1.0, generation / (_SETTLED * _GENERATIONS))
        reach = peaks.width_deg * _WIDE_FWHM * (_NARROW_FWHM / _WIDE_FWHM) ** part
        score = explained_weight(cells, terms, peaks, reach_deg=reach)
        children = _children(cells, score, random)
        children = np.where((children < low) | (children > high), cells, children)
        better = explained_weight(children, terms, peaks, reach_deg=reach) >= score
        cells = np.where(better[:, None], children, cells)
    return cells, explained_weight(cells, terms, peaks, reach_deg=reach)


def separate_cells(cells: Floats, score: Floats, terms: Floats, peaks: PeakList, *, most: int) -> list[Floats]:
    """The best cells, none of which has all its lines within a width of a better one's.

    Parameters
    ----------
    cells, score, terms, peaks
        From and for `evolved_cells`.
    most : int
        How many at the most.

    Returns
    -------
    list of array, shape (components,)
    """
    order = np.argsort(-score, kind="stable")
    return [cells[order[row]] for row in far_apart(_places(cells[order], terms, peaks), peaks.width_deg, most=most)]


def far_apart(places: Floats, reach_deg: float, *, most: int) -> list[int]:
    """Cells each of which puts some line further than a reach from where those before put it.

    Parameters
    ----------
    places : array, shape (cells, lines)
        2θ of each line, the best cell first, in degrees.
    reach_deg : float
        The reach, in degrees.
    most : int
        How many at the most.

    Returns
    -------
    list of int
        Their rows, the first among them.
    """
    picked: list[int] = []
    for row in range(len(places)):
        if all(np.max(np.abs(places[row] - places[other])) > reach_deg for other in picked):
            picked.append(row)
        if len(picked) == most:
            break
    return picked


def _places(cells: Floats, terms: Floats, peaks: PeakList) -> Floats:
    """2θ of each line of each cell, the zero shift included, in degrees, shape (cells, lines)."""
    return line_places(cells, terms, peaks.wavelength_ang) + peaks.zero_deg


def line_places(cells: Floats, terms: Floats, wavelength_ang: float) -> Floats:
    """2θ of each line of each cell.

    Parameters
    ----------
    cells : array, shape (cells, components)
        Reciprocal components, in Å⁻².
    terms : array, shape (lines, components)
        What each component adds to 1/d² of each line.
    wavelength_ang : float
        Wavelength, in Å.

    Returns
    -------
    array, shape (cells, lines)
        In degrees; 180 where a line is out of reach.
    """
    sine = 0.5 * wavelength_ang * np.sqrt(np.maximum(cells @ terms.T, 0.0))
    return np.asarray(np.degrees(2.0 * np.arcsin(np.minimum(sine, 1.0))))


def _children(cells: Floats, score: Floats, random: np.random.Generator) -> Floats:
    """One for each cell: drawn towards one of the best tenth, moved by the difference of two others."""
    count, size = cells.shape
    best = np.argsort(-score, kind="stable")[: max(2, count // 10)]
    leader = cells[random.choice(best, count)]
    one, other = cells[random.integers(0, count, count)], cells[random.integers(0, count, count)]
    factor = random.uniform(0.3, 0.9, (count, 1))
    moved = cells + factor * (leader - cells) + factor * (one - other)
    mixed = random.uniform(size=(count, size)) < 0.9
    mixed[np.arange(count), random.integers(0, size, count)] = True
    return np.where(mixed, moved, cells)


def explained_weight(cells: Floats, terms: Floats, peaks: PeakList, *, reach_deg: float) -> Floats:
    """Weight of the peaks that the lines of each cell explain.

    Parameters
    ----------
    cells, terms, peaks
        As for `evolved_cells`.
    reach_deg : float
        A line this far from a peak explains exp(-1/2) of it.

    Returns
    -------
    array, shape (n,)
        A peak counts once, by the line that is nearest.
    """
    place = _places(cells, terms, peaks)
    count = peaks.place_deg.size
    if not count:
        return np.zeros(len(cells))
    middle = 0.5 * (peaks.place_deg[1:] + peaks.place_deg[:-1])
    nearest = np.searchsorted(middle, place)
    part = np.exp(-0.5 * ((place - peaks.place_deg[nearest]) / reach_deg) ** 2)
    whole = np.zeros(len(cells) * count)
    np.maximum.at(whole, (np.arange(len(cells))[:, None] * count + nearest).ravel(), part.ravel())
    return np.asarray(whole.reshape(len(cells), count) @ peaks.weight)
