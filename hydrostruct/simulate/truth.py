"""What is in the simulated images: one record for the run, written beside them as ``truth.json``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from hydrostruct.errors import InputError
from hydrostruct.simulate.detector import SimulatedDetector

TRUTH_NAME = "truth.json"
"""Name of the file in the folder of the run; it is written last, so that its presence says the run is whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How the images are made."""

    grains: float = 100.0
    """Mean number of grains on a ring of multiplicity 12, other rings in proportion; infinite for smooth rings."""
    grain_spread: float = 0.8
    """Spread of the intensities of grains: standard deviation of their logarithm."""
    grain_strain: float = 4e-4
    """Spread of the spacing from grain to grain, relative: each spot has its own 2θ."""
    grain_azimuth_deg: float = 0.5
    """Standard deviation of a spot along the ring, in degrees."""
    line_width_deg: float = 0.085
    """Full width at half maximum of a spot in 2θ, a Gaussian, in degrees; pixels included."""
    gasket_width_deg: float = 0.35
    """Full width at half maximum of the lines of the gasket, half Gaussian and half Lorentzian, in degrees."""
    bragg_counts_deg: float = 70.0
    """Area of all lines of the range together where the sample is thickest, in counts × degrees."""
    background_counts: float = 220.0
    """Background near 13°, in counts."""
    diamond_spots: int = 24
    """Bragg spots of the anvils; they stay on the same pixels over the map."""
    polarization: float = 0.99
    """Polarization factor of the beam, its plane along axis 2 of the detector."""
    poisson: bool = True
    """Whether counts are drawn; otherwise they are rounded."""
    exposure_s: float = 10.0
    """Exposure time that the headers state, in s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseTruth:
    """One phase at one point."""

    a_ang: float
    """a, in Å."""
    c_ang: float
    """c, in Å; a for a cubic phase."""
    volume_per_fu_ang3: float
    """Volume per formula unit, in Å³."""
    share: float
    """Its part of the Bragg area of the range, 0 to 1, as the grains drawn for this image give it."""
    share_expected: float
    """What the share would be with infinitely many grains; this one varies smoothly over the map."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PointTruth:
    """One point of the map."""

    point: int
    """Number in scan order, counted from 1."""
    row: int
    """Row, counted from 0."""
    column: int
    """Column, counted from 0."""
    x_um: float
    """Position along the columns, in µm."""
    y_um: float
    """Position along the rows, in µm."""
    file: str
    """The image, relative to the folder of the run."""
    pressure_gpa: float
    """Pressure, in GPa."""
    bragg_area: float
    """Area of all lines of the range together, in counts × degrees, as the grains of this image give it."""
    bragg_area_expected: float
    """What the area would be with infinitely many grains."""
    phases: Mapping[str, PhaseTruth]
    """The phases that are there, by name; a phase that is not listed is absent."""
    edge_cm1: float | None = None
    """Diamond edge of its spectrum, in cm⁻¹; None before the spectrum is drawn."""
    edge_pressure_gpa: float | None = None
    """Pressure that this edge means, in GPa: a little less than that of the sample, as light comes from all depths."""
    vibron_cm1: float | None = None
    """Hydrogen vibron of its spectrum, in cm⁻¹; None before the spectrum is drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CurveTruth:
    """One transport curve."""

    file: str
    """The file, relative to the folder of the run."""
    kind: str
    """``resistance``, ``voltage_current``, ``conductance``; ``gap_temperature`` for a series of gaps."""
    temperature_k: float | None
    """Temperature, in K; None for a curve over temperature."""
    middles_k: tuple[float, ...] = ()
    """Middle of each transition, in K, the highest first."""
    ic_a: float | None = None
    """Critical current at 0.2 µV, in A; None above Tc."""
    n: float | None = None
    """Exponent of V(I); None above Tc."""
    gap_mev: float | None = None
    """Gap of a spectrum; of a series over temperature that at 0 K, in meV."""
    broadening_mev: float | None = None
    """Broadening of a spectrum, in meV."""
    barrier: float | None = None
    """Barrier of a spectrum."""
    weight: float | None = None
    """Weight of a spectrum."""
    tc_k: float | None = None
    """Tc at which the gap of a series closes, in K."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """All that is true of a simulated run."""

    seed: int
    """Seed of the random numbers."""
    shape: tuple[int, int]
    """Rows and columns of the map."""
    step_um: tuple[float, float]
    """Steps along x and y, in µm."""
    order: str
    """Order of the scan."""
    two_theta_deg: tuple[float, float]
    """Range that `PhaseTruth.share` is meant for, in degrees."""
    detector: SimulatedDetector
    """The detector and its place."""
    settings: Settings
    """How the images are made."""
    points: tuple[PointTruth, ...]
    """The points in scan order."""
    curves: tuple[CurveTruth, ...] = ()
    """The transport curves; none before they are drawn."""
    heating_edges_cm1: tuple[float, float] | None = None
    """Diamond edge before and after laser heating, in cm⁻¹; None before the spectra are drawn."""
    simulated: bool = field(default=True, init=False)
    """Always true: nothing of this was measured."""


def truth_text(truth: Truth) -> str:
    """A truth as JSON.

    Parameters
    ----------
    truth : Truth
        Of a run.

    Returns
    -------
    str
        Keys as the attributes; ``"simulated": true`` first. Infinitely many grains are null, as JSON has no infinity.
    """
    values = asdict(truth)
    values.pop("simulated")
    if math.isinf(truth.settings.grains):
        values["settings"]["grains"] = None
    document = {"simulated": True, "note": "Simulated by hydrostruct: not measured data.", **values}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def read_truth(folder: str | os.PathLike[str]) -> Truth:
    """Read what is true of a simulated run.

    Parameters
    ----------
    folder : path-like
        Folder that `simulate_run` wrote.

    Returns
    -------
    Truth
        As it was when the run was simulated.

    Raises
    ------
    InputError
        When there is no truth, or it is not one of this program.
    """
    path = Path(folder) / TRUTH_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["simulated"] is not True:
            raise ValueError("not marked as simulated")
        return _truth(document)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Expected the folder of a simulated run."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the truth of a simulated run ({error}). Expected the file as it was written. Simulate again."
        ) from error


def _truth(document: dict[str, Any]) -> Truth:
    """The records from JSON; a key that is missing or unknown they refuse themselves."""
    values = {entry.name: document[entry.name] for entry in fields(Truth) if entry.init}
    values |= {name: tuple(values[name]) for name in ("shape", "step_um", "two_theta_deg")}
    values["curves"] = tuple(
        CurveTruth(**{**entry, "middles_k": tuple(entry["middles_k"])}) for entry in values["curves"]
    )
    heating = values["heating_edges_cm1"]
    values["heating_edges_cm1"] = None if heating is None else tuple(heating)
    values["detector"] = SimulatedDetector(**{**values["detector"], "shape": tuple(values["detector"]["shape"])})
    grains = values["settings"]["grains"]
    values["settings"] = Settings(**{**values["settings"], "grains": math.inf if grains is None else grains})
    values["points"] = tuple(_point(entry) for entry in values["points"])
    return Truth(**values)


def _point(entry: dict[str, Any]) -> PointTruth:
    phases = {name: PhaseTruth(**values) for name, values in entry["phases"].items()}
    return PointTruth(**{**entry, "phases": phases})
