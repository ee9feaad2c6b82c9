"""hydrostruct: from raw diffraction images of a diamond anvil cell to cells with honest uncertainties.

The public names are loaded on first use, so that ``import hydrostruct`` costs nothing.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydrostruct.errors import InputError
    from hydrostruct.material.cell import Cell
    from hydrostruct.material.phase import Phase, read_phase
    from hydrostruct.verdict import Verdict
    from hydrostruct.xrd.lebail import PatternFit, PhaseFit, fit_pattern, fit_patterns
    from hydrostruct.xrd.pattern import Pattern, read_pattern, write_pattern

try:
    __version__ = version("hydrostruct")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

_HOMES = {
    "Cell": "hydrostruct.material.cell",
    "InputError": "hydrostruct.errors",
    "Pattern": "hydrostruct.xrd.pattern",
    "PatternFit": "hydrostruct.xrd.lebail",
    "Phase": "hydrostruct.material.phase",
    "PhaseFit": "hydrostruct.xrd.lebail",
    "Verdict": "hydrostruct.verdict",
    "fit_pattern": "hydrostruct.xrd.lebail",
    "fit_patterns": "hydrostruct.xrd.lebail",
    "read_pattern": "hydrostruct.xrd.pattern",
    "read_phase": "hydrostruct.material.phase",
    "write_pattern": "hydrostruct.xrd.pattern",
}

__all__ = [
    "Cell",
    "InputError",
    "Pattern",
    "PatternFit",
    "Phase",
    "PhaseFit",
    "Verdict",
    "__version__",
    "fit_pattern",
    "fit_patterns",
    "read_pattern",
    "read_phase",
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
