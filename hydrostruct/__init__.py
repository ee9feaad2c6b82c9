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
    from hydrostruct.raman.axis import AxisCalibration, axis_correction, calibrate_axis, corrected_spectrum
    from hydrostruct.raman.compare import LineChange, compare_lines
    from hydrostruct.raman.cooling import ColdPressure, cold_pressure
    from hydrostruct.raman.edge import find_edge
    from hydrostruct.raman.edge_fit import EdgeCandidate, EdgeFit
    from hydrostruct.raman.edge_pressure import (
        EdgePressure,
        edge_from_pressure,
        edge_pressure,
        pressure_change,
        read_edge_pressure,
    )
    from hydrostruct.raman.fano import FanoFit, fit_fano
    from hydrostruct.raman.gauges import RubyFit, fit_ruby, gauge_names, gauge_position, gauge_pressure
    from hydrostruct.raman.lines import LineFit, find_lines
    from hydrostruct.raman.prepare import prepare_spectrum
    from hydrostruct.raman.read import read_spectra, read_spectrum
    from hydrostruct.raman.scales import EdgeScale, read_scale, scale_names
    from hydrostruct.raman.spectrum import Spectrum
    from hydrostruct.raman.temperature import anti_stokes_temperature
    from hydrostruct.raman.vibron import (
        IsotopeLine,
        VibronFit,
        find_vibron,
        isotope_lines,
        vibron_branches,
        vibron_pressure,
    )
    from hydrostruct.results.record import RunResult
    from hydrostruct.run.chain import run
    from hydrostruct.transport.critical_current import differential_resistance, fit_voltage_current
    from hydrostruct.transport.critical_temperature import find_tc
    from hydrostruct.transport.curves import ResistanceCurve, VoltageCurve
    from hydrostruct.transport.ic_result import CriticalCurrentFit, converted_ic, pulse_heat
    from hydrostruct.transport.normal_state import fit_normal_state
    from hydrostruct.transport.pinning import (
        CriticalCurrents,
        PinningComparison,
        PinningFit,
        compare_pinning,
        read_critical_currents,
        value_at_zero,
    )
    from hydrostruct.transport.pinning_models import (
        current_density,
        penetration_depth,
        pinning_shape,
        self_field_density,
        swollen_thickness,
    )
    from hydrostruct.transport.read import read_resistance, read_voltage_current, read_voltage_currents
    from hydrostruct.transport.tc_pressure import (
        TcPoint,
        TcPressureLine,
        fit_tc_pressure,
        literature_tc,
        pressure_on_cooling,
    )
    from hydrostruct.transport.tc_result import TcFit, Transition
    from hydrostruct.transport.van_der_pauw import sheet_resistance, sheet_resistance_sigma
    from hydrostruct.verdict import Verdict
    from hydrostruct.xrd.cake import integrate_cake, integrate_sectors
    from hydrostruct.xrd.calibrate import InstrumentWidths, calibrate_widths
    from hydrostruct.xrd.fit_map import fit_map
    from hydrostruct.xrd.fit_result import PatternFit, PhaseFit
    from hydrostruct.xrd.frames import Frame, find_frames, iterate_frames, read_frame
    from hydrostruct.xrd.geometry import Geometry, read_geometry
    from hydrostruct.xrd.instrument import read_widths, write_widths
    from hydrostruct.xrd.integrate import integrate_frame
    from hydrostruct.xrd.integrator import build_integrator
    from hydrostruct.xrd.lebail import fit_pattern, fit_patterns
    from hydrostruct.xrd.map_result import MapFit, MapGradient, MapNumbers, map_gradient, map_numbers
    from hydrostruct.xrd.masks import read_mask
    from hydrostruct.xrd.orientation import check_orientation
    from hydrostruct.xrd.pattern import Pattern, read_pattern, write_pattern
    from hydrostruct.xrd.profile import Widths

try:
    __version__ = version("hydrostruct")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

_HOMES = {
    "AndreevFit": "hydrostruct.andreev.fit_result",
    "AxisCalibration": "hydrostruct.raman.axis",
    "Cell": "hydrostruct.material.cell",
    "ColdPressure": "hydrostruct.raman.cooling",
    "ConductanceCurve": "hydrostruct.andreev.curve",
    "CriticalCurrentFit": "hydrostruct.transport.ic_result",
    "CriticalCurrents": "hydrostruct.transport.pinning",
    "EdgeCandidate": "hydrostruct.raman.edge_fit",
    "EdgeFit": "hydrostruct.raman.edge_fit",
    "EdgePressure": "hydrostruct.raman.edge_pressure",
    "EdgeScale": "hydrostruct.raman.scales",
    "FanoFit": "hydrostruct.raman.fano",
    "Frame": "hydrostruct.xrd.frames",
    "GapFit": "hydrostruct.andreev.gap_fit",
    "Geometry": "hydrostruct.xrd.geometry",
    "InputError": "hydrostruct.errors",
    "InstrumentWidths": "hydrostruct.xrd.calibrate",
    "IsotopeLine": "hydrostruct.raman.vibron",
    "LineChange": "hydrostruct.raman.compare",
    "LineFit": "hydrostruct.raman.lines",
    "MapFit": "hydrostruct.xrd.map_result",
    "MapGradient": "hydrostruct.xrd.map_result",
    "MapNumbers": "hydrostruct.xrd.map_result",
    "Pattern": "hydrostruct.xrd.pattern",
    "PatternFit": "hydrostruct.xrd.fit_result",
    "Phase": "hydrostruct.material.phase",
    "PhaseFit": "hydrostruct.xrd.fit_result",
    "PinningComparison": "hydrostruct.transport.pinning",
    "PinningFit": "hydrostruct.transport.pinning",
    "ResistanceCurve": "hydrostruct.transport.curves",
    "RubyFit": "hydrostruct.raman.gauges",
    "RunResult": "hydrostruct.results.record",
    "Spectrum": "hydrostruct.raman.spectrum",
    "TcFit": "hydrostruct.transport.tc_result",
    "TcPoint": "hydrostruct.transport.tc_pressure",
    "TcPressureLine": "hydrostruct.transport.tc_pressure",
    "Transition": "hydrostruct.transport.tc_result",
    "Verdict": "hydrostruct.verdict",
    "VibronFit": "hydrostruct.raman.vibron",
    "VoltageCurve": "hydrostruct.transport.curves",
    "Widths": "hydrostruct.xrd.profile",
    "allen_dynes_coupling": "hydrostruct.material.coupling",
    "andreev_conductance": "hydrostruct.andreev.conductance",
    "anti_stokes_temperature": "hydrostruct.raman.temperature",
    "axis_correction": "hydrostruct.raman.axis",
    "bcs_gap": "hydrostruct.material.bcs",
    "build_integrator": "hydrostruct.xrd.integrator",
    "calibrate_axis": "hydrostruct.raman.axis",
    "calibrate_widths": "hydrostruct.xrd.calibrate",
    "cell_at": "hydrostruct.material.phase",
    "check_orientation": "hydrostruct.xrd.orientation",
    "cold_pressure": "hydrostruct.raman.cooling",
    "compare_lines": "hydrostruct.raman.compare",
    "compare_pinning": "hydrostruct.transport.pinning",
    "conductance_from_iv": "hydrostruct.andreev.slope",
    "contact_regime": "hydrostruct.andreev.contact",
    "converted_ic": "hydrostruct.transport.ic_result",
    "corrected_spectrum": "hydrostruct.raman.axis",
    "current_density": "hydrostruct.transport.pinning_models",
    "d_wave_conductance": "hydrostruct.andreev.conductance",
    "deviation_gap": "hydrostruct.andreev.deviation",
    "differential_resistance": "hydrostruct.transport.critical_current",
    "divided_by_curve": "hydrostruct.andreev.background",
    "edge_from_pressure": "hydrostruct.raman.edge_pressure",
    "edge_pressure": "hydrostruct.raman.edge_pressure",
    "find_edge": "hydrostruct.raman.edge",
    "find_frames": "hydrostruct.xrd.frames",
    "find_lines": "hydrostruct.raman.lines",
    "find_tc": "hydrostruct.transport.critical_temperature",
    "find_vibron": "hydrostruct.raman.vibron",
    "fit_conductance": "hydrostruct.andreev.fit",
    "fit_conductances": "hydrostruct.andreev.fit",
    "fit_fano": "hydrostruct.raman.fano",
    "fit_gaps": "hydrostruct.andreev.gap_fit",
    "fit_map": "hydrostruct.xrd.fit_map",
    "fit_normal_state": "hydrostruct.transport.normal_state",
    "fit_outside_window": "hydrostruct.andreev.background",
    "fit_pattern": "hydrostruct.xrd.lebail",
    "fit_patterns": "hydrostruct.xrd.lebail",
    "fit_ruby": "hydrostruct.raman.gauges",
    "fit_tc_pressure": "hydrostruct.transport.tc_pressure",
    "fit_voltage_current": "hydrostruct.transport.critical_current",
    "gap_ratio": "hydrostruct.material.bcs",
    "gauge_names": "hydrostruct.raman.gauges",
    "gauge_position": "hydrostruct.raman.gauges",
    "gauge_pressure": "hydrostruct.raman.gauges",
    "integrate_cake": "hydrostruct.xrd.cake",
    "integrate_frame": "hydrostruct.xrd.integrate",
    "integrate_sectors": "hydrostruct.xrd.cake",
    "isotope_lines": "hydrostruct.raman.vibron",
    "iterate_frames": "hydrostruct.xrd.frames",
    "literature_tc": "hydrostruct.transport.tc_pressure",
    "log_phonon_temperature": "hydrostruct.material.coupling",
    "map_gradient": "hydrostruct.xrd.map_result",
    "map_numbers": "hydrostruct.xrd.map_result",
    "peak_vanishing": "hydrostruct.andreev.deviation",
    "penetration_depth": "hydrostruct.transport.pinning_models",
    "phase_names": "hydrostruct.material.phase",
    "pinning_shape": "hydrostruct.transport.pinning_models",
    "prepare_spectrum": "hydrostruct.raman.prepare",
    "pressure_change": "hydrostruct.raman.edge_pressure",
    "pressure_on_cooling": "hydrostruct.transport.tc_pressure",
    "pulse_heat": "hydrostruct.transport.ic_result",
    "read_conductance": "hydrostruct.andreev.read",
    "read_critical_currents": "hydrostruct.transport.pinning",
    "read_edge_pressure": "hydrostruct.raman.edge_pressure",
    "read_frame": "hydrostruct.xrd.frames",
    "read_geometry": "hydrostruct.xrd.geometry",
    "read_mask": "hydrostruct.xrd.masks",
    "read_pattern": "hydrostruct.xrd.pattern",
    "read_phase": "hydrostruct.material.phase",
    "read_resistance": "hydrostruct.transport.read",
    "read_scale": "hydrostruct.raman.scales",
    "read_spectra": "hydrostruct.raman.read",
    "read_spectrum": "hydrostruct.raman.read",
    "read_voltage_current": "hydrostruct.transport.read",
    "read_voltage_currents": "hydrostruct.transport.read",
    "read_widths": "hydrostruct.xrd.instrument",
    "reduced_gap": "hydrostruct.material.bcs",
    "run": "hydrostruct.run.chain",
    "scale_names": "hydrostruct.raman.scales",
    "self_field_density": "hydrostruct.transport.pinning_models",
    "sheet_resistance": "hydrostruct.transport.van_der_pauw",
    "sheet_resistance_sigma": "hydrostruct.transport.van_der_pauw",
    "swollen_thickness": "hydrostruct.transport.pinning_models",
    "two_gap_conductance": "hydrostruct.andreev.conductance",
    "value_at_zero": "hydrostruct.transport.pinning",
    "vibron_branches": "hydrostruct.raman.vibron",
    "vibron_pressure": "hydrostruct.raman.vibron",
    "write_pattern": "hydrostruct.xrd.pattern",
    "write_widths": "hydrostruct.xrd.instrument",
}

__all__ = [
    "AndreevFit",
    "AxisCalibration",
    "Cell",
    "ColdPressure",
    "ConductanceCurve",
    "CriticalCurrentFit",
    "CriticalCurrents",
    "EdgeCandidate",
    "EdgeFit",
    "EdgePressure",
    "EdgeScale",
    "FanoFit",
    "Frame",
    "GapFit",
    "Geometry",
    "InputError",
    "InstrumentWidths",
    "IsotopeLine",
    "LineChange",
    "LineFit",
    "MapFit",
    "MapGradient",
    "MapNumbers",
    "Pattern",
    "PatternFit",
    "Phase",
    "PhaseFit",
    "PinningComparison",
    "PinningFit",
    "ResistanceCurve",
    "RubyFit",
    "RunResult",
    "Spectrum",
    "TcFit",
    "TcPoint",
    "TcPressureLine",
    "Transition",
    "Verdict",
    "VibronFit",
    "VoltageCurve",
    "Widths",
    "__version__",
    "allen_dynes_coupling",
    "andreev_conductance",
    "anti_stokes_temperature",
    "axis_correction",
    "bcs_gap",
    "build_integrator",
    "calibrate_axis",
    "calibrate_widths",
    "cell_at",
    "check_orientation",
    "cold_pressure",
    "compare_lines",
    "compare_pinning",
    "conductance_from_iv",
    "contact_regime",
    "converted_ic",
    "corrected_spectrum",
    "current_density",
    "d_wave_conductance",
    "deviation_gap",
    "differential_resistance",
    "divided_by_curve",
    "edge_from_pressure",
    "edge_pressure",
    "find_edge",
    "find_frames",
    "find_lines",
    "find_tc",
    "find_vibron",
    "fit_conductance",
    "fit_conductances",
    "fit_fano",
    "fit_gaps",
    "fit_map",
    "fit_normal_state",
    "fit_outside_window",
    "fit_pattern",
    "fit_patterns",
    "fit_ruby",
    "fit_tc_pressure",
    "fit_voltage_current",
    "gap_ratio",
    "gauge_names",
    "gauge_position",
    "gauge_pressure",
    "integrate_cake",
    "integrate_frame",
    "integrate_sectors",
    "isotope_lines",
    "iterate_frames",
    "literature_tc",
    "log_phonon_temperature",
    "map_gradient",
    "map_numbers",
    "peak_vanishing",
    "penetration_depth",
    "phase_names",
    "pinning_shape",
    "prepare_spectrum",
    "pressure_change",
    "pressure_on_cooling",
    "pulse_heat",
    "read_conductance",
    "read_critical_currents",
    "read_edge_pressure",
    "read_frame",
    "read_geometry",
    "read_mask",
    "read_pattern",
    "read_phase",
    "read_resistance",
    "read_scale",
    "read_spectra",
    "read_spectrum",
    "read_voltage_current",
    "read_voltage_currents",
    "read_widths",
    "reduced_gap",
    "run",
    "scale_names",
    "self_field_density",
    "sheet_resistance",
    "sheet_resistance_sigma",
    "swollen_thickness",
    "two_gap_conductance",
    "value_at_zero",
    "vibron_branches",
    "vibron_pressure",
    "write_pattern",
    "write_widths",
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
