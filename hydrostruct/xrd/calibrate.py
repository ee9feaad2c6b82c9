"""A calibrant's pattern → the widths of the instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.phase import Phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.lebail import fit_pattern
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.profile import WIDTH_NAMES, Widths, line_widths
from hydrostruct.xrd.single_peaks import PARAMETERS_OF_A_PEAK

Floats = npt.NDArray[np.float64]

_CHOICES: tuple[tuple[str, ...], ...] = ((), ("strain",), ("u", "v"), ("u", "v", "strain"))
"""What is freed beyond w and size; the data choose."""
_FEWEST_LINES = 4
_UNITS = {word: f"{word}_{'deg' if word in ('size', 'strain') else 'deg2'}" for word in WIDTH_NAMES}


@dataclass(frozen=True, kw_only=True, slots=True)
class InstrumentWidths:
    """Widths of an instrument and how well a calibrant tells them."""

    widths: Widths
    """The terms; those that the data did not ask for are 0."""
    sigmas: dict[str, float]
    """Standard uncertainty of each term that was fitted, by its name (``w_deg2``, ``size_deg``, …)."""
    fit: PatternFit
    """The fit that was chosen."""


def calibrate_widths(
    pattern: Pattern,
    phase: Phase,
    *,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
) -> InstrumentWidths:
    """Widths of the instrument, from the lines of a calibrant that adds little of its own.

    Parameters
    ----------
    pattern : Pattern
        Of a powder such as LaB6 or CeO2.
    phase : Phase
        The calibrant.
    two_theta_deg : (low, high), optional
        Range, in degrees.
    exclude_deg : sequence of (low, high)
        Regions to leave out, in degrees.

    Returns
    -------
    InstrumentWidths
        What the calibrant's own grains and strain add is part of it: choose one with large, perfect grains.

    Raises
    ------
    InputError
        When no fit converges, fewer than four lines of the calibrant are seen, or the widths are not above 0
        throughout the range.

    Notes
    -----
    Four models are fitted: w and size; with strain; with u and v; with all of them. The Bayesian information criterion
    chooses, in units of the best fit's misfit.
    """
    fits = [
        fit_pattern(pattern, [phase], two_theta_deg=two_theta_deg, exclude_deg=exclude_deg, free=free)
        for free in _CHOICES
    ]
    good = [fit for fit in fits if fit.verdict in (Verdict.CONVERGED, Verdict.DOUBTFUL) and _is_positive(fit, phase)]
    if not good:
        raise InputError(
            f"{pattern.name}: no fit of {phase.name} converged ({fits[0].reason or fits[0].verdict}). Expected the "
            "pattern of this calibrant. Check phase and wavelength, or choose a range."
        )
    scale = min(fit.gof for fit in good) ** 2
    best = min(good, key=lambda fit: _misfit(fit) / scale + _parameters(fit) * math.log(np.sum(fit.fitted)))
    lines = best.phases[phase.name].lines
    seen = int(np.sum(lines.intensity > 3 * lines.intensity_sigma))
    if seen < _FEWEST_LINES:
        raise InputError(
            f"{pattern.name}: {seen} lines of {phase.name} are seen. Expected {_FEWEST_LINES} or more. Widen the range."
        )
    return InstrumentWidths(widths=best.phases[phase.name].widths, sigmas=_sigmas(best), fit=best)


def full_widths(found: InstrumentWidths, two_theta_deg: Floats) -> tuple[Floats, Floats]:
    """Full width at half maximum of the instrument, with its uncertainty from the covariance of all terms.

    Parameters
    ----------
    found : InstrumentWidths
        From `calibrate_widths`.
    two_theta_deg : array, shape (n,)
        Angles, in degrees.

    Returns
    -------
    width_deg, sigma_deg : array, shape (n,)
        In degrees; the terms are strongly correlated, so that the width is known far better than they are.
    """
    width, _ = line_widths(two_theta_deg, found.widths)
    rows = [row for row, name in enumerate(found.fit.parameter_names) if _is_width(name)]
    slopes = []
    for row in rows:
        name = _UNITS[found.fit.parameter_names[row].partition(":")[0]]
        step = 1e-4 * found.sigmas[name] + 1e-12
        moved = replace(found.widths, **{name: getattr(found.widths, name) + step})
        slopes.append((line_widths(two_theta_deg, moved)[0] - width) / step)
    covariance = found.fit.covariance[np.ix_(rows, rows)] * _inflation(found.fit) ** 2
    slope = np.array(slopes)
    return width, np.sqrt(np.maximum(np.einsum("in,ij,jn->n", slope, covariance, slope), 0.0))


def _parameters(fit: PatternFit) -> int:
    return len(fit.parameter_names) + fit.background_terms + PARAMETERS_OF_A_PEAK * fit.foreign_lines_deg.size


def _misfit(fit: PatternFit) -> float:
    return float(np.sum(((fit.observed - fit.calculated) / fit.sigma)[fit.fitted] ** 2))


def _is_positive(fit: PatternFit, phase: Phase) -> bool:
    low, high = (float(angle) for angle in fit.two_theta_deg[fit.fitted][[0, -1]])
    try:
        total, _ = line_widths(np.linspace(low, high, 20), fit.phases[phase.name].widths)
    except InputError:
        return False
    return bool(np.all(total > 0))


def _sigmas(fit: PatternFit) -> dict[str, float]:
    spread = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0)) * _inflation(fit)
    pairs = zip(fit.parameter_names, spread, strict=True)
    return {_UNITS[name.partition(":")[0]]: float(value) for name, value in pairs if _is_width(name)}


def _is_width(name: str) -> bool:
    return name.partition(":")[0] in _UNITS


def _inflation(fit: PatternFit) -> float:
    return max(1.0, fit.gof) * fit.serial_factor
