"""Uncertainties of the widths of one phase, and what the instrument's widths say of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hydrostruct.xrd.fit_result import PhaseFit
from hydrostruct.xrd.profile import WidthSigmas

SPREAD_WORDS = frozenset(("u", "v", "w", "p", "size", "strain", "strain_axis", "strain_oblique", "strain_diagonal"))
"""What is a width, or part of one."""
_BY_DIRECTION = (
    ("strain_axis_sigma_deg", "strain_axis"),
    ("strain_oblique_sigma_deg2", "strain_oblique"),
    ("strain_diagonal_sigma_deg2", "strain_diagonal"),
)
_NONE = WidthSigmas(**dict.fromkeys(WidthSigmas.__slots__, math.nan))
_ISOTROPIC = dict.fromkeys((name for name, _ in _BY_DIRECTION), 0.0)
_SIZE = {"size"}
_HELD: Mapping[str, float] = {}
_CLEARLY = 3.0


def width_sigmas(
    phase: str, spreads: Mapping[str, Mapping[str, float]], *, has_numbers: bool
) -> tuple[WidthSigmas, dict[str, float]]:
    """Uncertainties of the widths of one phase.

    Parameters
    ----------
    phase : str
        Its name.
    spreads : mapping
        Uncertainty of each free width by its word, for each phase by name, and under the empty name for all of them.
    has_numbers : bool
        Whether the phase has any; False for one that is absent.

    Returns
    -------
    sigmas : WidthSigmas
    by_direction : dict
        Those of the strain by direction, as `PhaseFit` calls them; that along the axis follows ``strain`` where it was
        not freed.
    """
    if not has_numbers:
        return _NONE, dict.fromkeys((name for name, _ in _BY_DIRECTION), math.nan)
    common, own = spreads.get("", _HELD), spreads.get(phase, _HELD)
    strain = own.get("strain", 0.0)
    sigmas = WidthSigmas(
        u_sigma_deg2=common.get("u", 0.0),
        v_sigma_deg2=common.get("v", 0.0),
        w_sigma_deg2=common.get("w", 0.0),
        p_sigma_deg2=common.get("p", 0.0),
        size_sigma_deg=own.get("size", 0.0),
        strain_sigma_deg=strain,
    )
    if own.keys() <= _SIZE:
        return sigmas, _ISOTROPIC
    by_direction = {name: own.get(word, 0.0) for name, word in _BY_DIRECTION}
    by_direction["strain_axis_sigma_deg"] = own.get("strain_axis", strain)
    return sigmas, by_direction


def instrument_notes(phases: Mapping[str, PhaseFit]) -> list[str]:
    """Phases whose lines are clearly narrower than those of the instrument, in whole sentences."""
    return [
        f"{name}: its lines are narrower than the instrument's, size {found.own_size_deg:.2g}° below it: the widths of "
        "the instrument are not those of this pattern, or hold broadening of the calibrant's own."
        for name, found in phases.items()
        if found.own_size_deg < -_CLEARLY * found.widths_sigma.size_sigma_deg < 0
    ]
