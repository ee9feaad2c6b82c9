"""hydrostruct: from raw diffraction images of a diamond anvil cell to cells with honest uncertainties.

The public names are loaded on first use, so that ``import hydrostruct`` costs nothing.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrostruct.andreev.background import divided_by_curve, fit_outside_window
    from hydrostruct.andreev.conductance import andreev_conductance, d_wave_conductance, two_gap_conductance
    from hydrostruct.andreev.contact import contact_regime
    from hydrostruct.andreev.curve import ConductanceCurve
    from hydrostruct.andreev.deviation import deviation_gap, peak_vanishing
    from hydrostruct.andreev.fit import fit_conductance, fit_conductances
    from hydrostruct.andreev.fit_result import AndreevFit
    from hydrostruct.andreev.gap_fit import GapFit, fit_gaps
    from hydrostruct.andreev.read import read_conductance
    from hydrostruct.andreev.slope import conductance_from_iv
    from hydrostruct.errors import InputError
    from hydrostruct.material.bcs import bcs_gap, gap_ratio, reduced_gap
    from hydrostruct.material.cell import Cell
    from hydrostruct.material.coupling import allen_dynes_coupling, log_phonon_temperature
    from hydrostruct.material.phase import Phase, cell_at, phase_names, read_phase
    from hydrostruct.results.record import RunResult
    from hydrostruct.run.chain import run
    from hydrostruct.verdict import Verdict
    from hydrostruct.xrd.cake import integrate_cake, integrate_sectors
    from hydrostruct.xrd.fit_result import PatternFit, PhaseFit
    from hydrostruct.xrd.frames import Frame, find_frames, iterate_frames, read_frame
    from hydrostruct.xrd.geometry import Geometry, read_geometry
    from hydrostruct.xrd.integrate import integrate_frame
    from hydrostruct.xrd.integrator import build_integrator
    from hydrostruct.xrd.lebail import fit_pattern, fit_patterns
    from hydrostruct.xrd.masks import read_mask
    from hydrostruct.xrd.orientation import check_orientation
    from hydrostruct.xrd.pattern import Pattern, read_pattern, write_pattern

try:
    __version__ = version("hydrostruct")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

_HOMES = {
    "AndreevFit": "hydrostruct.andreev.fit_result",
    "Cell": "hydrostruct.material.cell",
    "ConductanceCurve": "hydrostruct.andreev.curve",
    "Frame": "hydrostruct.xrd.frames",
    "GapFit": "hydrostruct.andreev.gap_fit",
    "Geometry": "hydrostruct.xrd.geometry",
    "InputError": "hydrostruct.errors",
    "Pattern": "hydrostruct.xrd.pattern",
    "PatternFit": "hydrostruct.xrd.fit_result",
    "Phase": "hydrostruct.material.phase",
    "PhaseFit": "hydrostruct.xrd.fit_result",
    "RunResult": "hydrostruct.results.record",
    "Verdict": "hydrostruct.verdict",
    "allen_dynes_coupling": "hydrostruct.material.coupling",
    "andreev_conductance": "hydrostruct.andreev.conductance",
    "bcs_gap": "hydrostruct.material.bcs",
    "build_integrator": "hydrostruct.xrd.integrator",
    "cell_at": "hydrostruct.material.phase",
    "check_orientation": "hydrostruct.xrd.orientation",
    "conductance_from_iv": "hydrostruct.andreev.slope",
    "contact_regime": "hydrostruct.andreev.contact",
    "d_wave_conductance": "hydrostruct.andreev.conductance",
    "deviation_gap": "hydrostruct.andreev.deviation",
    "divided_by_curve": "hydrostruct.andreev.background",
    "find_frames": "hydrostruct.xrd.frames",
    "fit_conductance": "hydrostruct.andreev.fit",
    "fit_conductances": "hydrostruct.andreev.fit",
    "fit_gaps": "hydrostruct.andreev.gap_fit",
    "fit_outside_window": "hydrostruct.andreev.background",
    "fit_pattern": "hydrostruct.xrd.lebail",
    "fit_patterns": "hydrostruct.xrd.lebail",
    "gap_ratio": "hydrostruct.material.bcs",
    "integrate_cake": "hydrostruct.xrd.cake",
    "integrate_frame": "hydrostruct.xrd.integrate",
    "integrate_sectors": "hydrostruct.xrd.cake",
    "iterate_frames": "hydrostruct.xrd.frames",
    "log_phonon_temperature": "hydrostruct.material.coupling",
    "peak_vanishing": "hydrostruct.andreev.deviation",
    "phase_names": "hydrostruct.material.phase",
    "read_conductance": "hydrostruct.andreev.read",
    "read_frame": "hydrostruct.xrd.frames",
    "read_geometry": "hydrostruct.xrd.geometry",
    "read_mask": "hydrostruct.xrd.masks",
    "read_pattern": "hydrostruct.xrd.pattern",
    "read_phase": "hydrostruct.material.phase",
    "reduced_gap": "hydrostruct.material.bcs",
    "run": "hydrostruct.run.chain",
    "two_gap_conductance": "hydrostruct.andreev.conductance",
    "write_pattern": "hydrostruct.xrd.pattern",
}

__all__ = [
    "AndreevFit",
    "Cell",
    "ConductanceCurve",
    "Frame",
    "GapFit",
    "Geometry",
    "InputError",
    "Pattern",
    "PatternFit",
    "Phase",
    "PhaseFit",
    "RunResult",
    "Verdict",
    "__version__",
    "allen_dynes_coupling",
    "andreev_conductance",
    "bcs_gap",
    "build_integrator",
    "cell_at",
    "check_orientation",
    "conductance_from_iv",
    "contact_regime",
    "d_wave_conductance",
    "deviation_gap",
    "divided_by_curve",
    "find_frames",
    "fit_conductance",
    "fit_conductances",
    "fit_gaps",
    "fit_outside_window",
    "fit_pattern",
    "fit_patterns",
    "gap_ratio",
    "integrate_cake",
    "integrate_frame",
    "integrate_sectors",
    "iterate_frames",
    "log_phonon_temperature",
    "peak_vanishing",
    "phase_names",
    "read_conductance",
    "read_frame",
    "read_geometry",
    "read_mask",
    "read_pattern",
    "read_phase",
    "reduced_gap",
    "run",
    "two_gap_conductance",
    "write_pattern",
]


def __getattr__(name: str) -> object:
    """Load a public name from its room on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hydrostruct' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every public name, loaded or not."""
    return sorted(__all__)
