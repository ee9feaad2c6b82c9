"""hydrostruct: from raw diffraction images of a diamond anvil cell to cells with honest uncertainties.

The public names are loaded on first use, so that ``import hydrostruct`` costs nothing.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrostruct.andreev.conductance import andreev_conductance, d_wave_conductance, two_gap_conductance
    from hydrostruct.andreev.contact import contact_regime
    from hydrostruct.andreev.curve import ConductanceCurve
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
    "ConductanceCurve": "hydrostruct.andreev.curve",
    "GapFit": "hydrostruct.andreev.gap_fit",
    "fit_conductance": "hydrostruct.andreev.fit",
    "fit_conductances": "hydrostruct.andreev.fit",
    "fit_gaps": "hydrostruct.andreev.gap_fit",
    "read_conductance": "hydrostruct.andreev.read",
    "conductance_from_iv": "hydrostruct.andreev.slope",
    "bcs_gap": "hydrostruct.material.bcs",
    "reduced_gap": "hydrostruct.material.bcs",
    "gap_ratio": "hydrostruct.material.bcs",
    "allen_dynes_coupling": "hydrostruct.material.coupling",
    "log_phonon_temperature": "hydrostruct.material.coupling",
    "contact_regime": "hydrostruct.andreev.contact",
    "Cell": "hydrostruct.material.cell",
    "Frame": "hydrostruct.xrd.frames",
    "Geometry": "hydrostruct.xrd.geometry",
    "InputError": "hydrostruct.errors",
    "Pattern": "hydrostruct.xrd.pattern",
    "PatternFit": "hydrostruct.xrd.fit_result",
    "Phase": "hydrostruct.material.phase",
    "PhaseFit": "hydrostruct.xrd.fit_result",
    "Verdict": "hydrostruct.verdict",
    "andreev_conductance": "hydrostruct.andreev.conductance",
    "d_wave_conductance": "hydrostruct.andreev.conductance",
    "two_gap_conductance": "hydrostruct.andreev.conductance",
    "build_integrator": "hydrostruct.xrd.integrator",
    "cell_at": "hydrostruct.material.phase",
    "check_orientation": "hydrostruct.xrd.orientation",
    "find_frames": "hydrostruct.xrd.frames",
    "fit_pattern": "hydrostruct.xrd.lebail",
    "fit_patterns": "hydrostruct.xrd.lebail",
    "integrate_cake": "hydrostruct.xrd.cake",
    "integrate_frame": "hydrostruct.xrd.integrate",
    "integrate_sectors": "hydrostruct.xrd.cake",
    "iterate_frames": "hydrostruct.xrd.frames",
    "phase_names": "hydrostruct.material.phase",
    "read_frame": "hydrostruct.xrd.frames",
    "read_geometry": "hydrostruct.xrd.geometry",
    "read_mask": "hydrostruct.xrd.masks",
    "read_pattern": "hydrostruct.xrd.pattern",
    "run": "hydrostruct.run.chain",
    "RunResult": "hydrostruct.results.record",
    "read_phase": "hydrostruct.material.phase",
    "write_pattern": "hydrostruct.xrd.pattern",
}

__all__ = [
    "AndreevFit",
    "ConductanceCurve",
    "GapFit",
    "fit_conductance",
    "fit_conductances",
    "fit_gaps",
    "read_conductance",
    "conductance_from_iv",
    "bcs_gap",
    "reduced_gap",
    "gap_ratio",
    "allen_dynes_coupling",
    "log_phonon_temperature",
    "contact_regime",
    "Cell",
    "Frame",
    "Geometry",
    "InputError",
    "Pattern",
    "PatternFit",
    "Phase",
    "PhaseFit",
    "RunResult",
    "Verdict",
    "__version__",
    "andreev_conductance",
    "d_wave_conductance",
    "two_gap_conductance",
    "build_integrator",
    "cell_at",
    "check_orientation",
    "find_frames",
    "fit_pattern",
    "fit_patterns",
    "integrate_cake",
    "integrate_frame",
    "integrate_sectors",
    "iterate_frames",
    "phase_names",
    "read_frame",
    "read_geometry",
    "read_mask",
    "read_pattern",
    "read_phase",
    "run",
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
