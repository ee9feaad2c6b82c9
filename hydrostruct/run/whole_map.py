"""The fits of a run made one fit of the whole map, where the run.toml says what its points have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hydrostruct.grid import MapPoint
from hydrostruct.xrd.fit_map import fit_map
from hydrostruct.xrd.map_result import MapFit, MapGradient, map_gradient, map_numbers
from hydrostruct.xrd.maps import FitAnswer, FitJob

_OF_A_MAP = (
    "cells",
    "instrument",
    "free",
    "fix",
    "stress",
    "wavelength_sigma_ang",
    "distance_relative_sigma",
    "method",
    "loss",
)
_FEWEST = 2
_FEWEST_FOR_A_PLANE = 6
_ROUGH = 1.5


def fit_together(
    jobs: Sequence[FitJob | None],
    answers: Sequence[FitAnswer | None],
    *,
    common: Sequence[str],
    places: Sequence[MapPoint],
) -> tuple[list[FitAnswer | None], tuple[str, ...]]:
    """Fit the points of a run again, all at once.

    Parameters
    ----------
    jobs : sequence of FitJob or None
        What was fitted.
    answers : sequence of FitAnswer or None
        What came of it; the start.
    common : sequence of str
        What all points share, as `fit_map` takes it; nothing is done when it is empty.
    places : sequence of MapPoint
        Where the points are, in µm.

    Returns
    -------
    answers : list of FitAnswer or None
        With the fits of the points that took part replaced.
    notes : tuple of str
        Whole sentences: the common values, and the gradients of volumes over the map.
    """
    known = [(job, answer.fit) for job, answer in zip(jobs, answers, strict=True) if job and answer and answer.fit]
    if not common or len(known) < _FEWEST:
        return list(answers), ()
    options: dict[str, Any] = {name: value for name, value in known[0][0].options.items() if name in _OF_A_MAP}
    whole = fit_map(
        [job.pattern for job, _ in known], known[0][0].phases, common=common, fits=[fit for _, fit in known], **options
    )
    fits = iter(whole.fits)
    together = [replace(answer, fit=next(fits)) if answer and answer.fit else answer for answer in answers]
    measured = [place for place, answer in zip(places, answers, strict=True) if answer and answer.fit]
    return together, (common_values(whole), *_gradients(whole, measured))


def common_values(whole: MapFit) -> str:
    """What the points of a map have in common, in one sentence or two."""
    sigma = np.sqrt(np.diag(whole.shared_covariance)) if whole.shared.size else np.empty(0)
    listed = ", ".join(
        f"{name} {value:.6g} ± {error:.2g}"
        for name, value, error in zip(whole.shared_names, whole.shared, sigma, strict=True)
        if not name.startswith("background:")
    )
    shape = sum(name.startswith("background:") for name in whole.shared_names)
    sentence = f"One fit of {sum(whole.took_part)} points, {whole.verdict}, {whole.steps} steps; in common: "
    parts = [part for part in (listed, f"{shape} terms of the background's shape" if shape else "") if part]
    return f"{sentence}{', '.join(parts) or 'nothing'}. {whole.reason}".strip()


def _gradients(whole: MapFit, places: Sequence[MapPoint]) -> list[str]:
    sentences = []
    for name in whole.fits[0].phases:
        numbers = map_numbers(whole, name, number="volume_ang3")
        if np.isfinite(numbers.values).sum() < _FEWEST_FOR_A_PLANE:
            continue
        plane = map_gradient(numbers, [p.x_um for p in places], y_um=[p.y_um for p in places])
        if math.isfinite(plane.along_x_per_um):
            sentences.append(_plane_sentence(name, plane))
    return sentences


def _plane_sentence(name: str, plane: MapGradient) -> str:
    """Where the points do not lie on a plane, sigma is scaled for it: what they are is then no plane's."""
    scale = max(1.0, math.sqrt(plane.chi2_per_freedom)) if math.isfinite(plane.chi2_per_freedom) else 1.0
    rough = (
        f" The points do not lie on a plane (χ² {plane.chi2_per_freedom:.1f} per degree of freedom): sigma is scaled."
        if scale > _ROUGH
        else ""
    )
    return (
        f"{name}: V of the cell {plane.middle:.4f} ± {plane.middle_sigma * scale:.4f} Å³ in the middle, gradient "
        f"{plane.along_x_per_um:+.5f} ± {plane.along_x_sigma_per_um * scale:.5f} Å³/µm along x and "
        f"{plane.along_y_per_um:+.5f} ± {plane.along_y_sigma_per_um * scale:.5f} along y.{rough}"
    )
