"""All that a run found, as one record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hydrostruct.grid import MapPoint
from hydrostruct.linkage.first_link import Link
from hydrostruct.raman.edge_fit import EdgeFit
from hydrostruct.raman.edge_pressure import EdgePressure
from hydrostruct.raman.vibron import VibronFit
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.pattern import Pattern


@dataclass(frozen=True, kw_only=True, slots=True)
class TransportNumber:
    """One number of one transport curve."""

    file: str
    """Where the curve comes from."""
    kind: str
    """``resistance``, ``voltage_current`` or ``conductance``."""
    temperature_k: float
    """Temperature of the curve, in K; NaN for one over temperature."""
    quantity: str
    """``tc``, ``onset``, ``zero``, ``t90``, ``t50``, ``t10``, ``tc_2`` for a second transition, ``ic``, ``n``,
    ``gap`` (at 0 K for a series), ``broadening``, ``barrier``, ``weight``, ``ratio`` (2Δ(0)/k_B Tc of a series)."""
    value: float
    """The number; NaN where there is none."""
    sigma: float
    """Its standard uncertainty."""
    unit: str
    """Of both."""
    verdict: Verdict
    """Why it can, or cannot, be used."""
    reason: str
    """Whole sentences; the criterion of a critical current stands here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PointRaman:
    """What the Raman spectra of one point say."""

    edge: EdgeFit | None
    """The diamond edge; None without a spectrum of the anvil that could be read."""
    pressure: EdgePressure | None
    """Its pressure; None without an edge spectrum."""
    vibron: VibronFit | None
    """The hydrogen vibron; None without a spectrum."""
    reason: str
    """Whole sentences: why a number is missing or doubtful."""
    edge_distance_um: float = math.nan
    """How far from the point the nearest edge spectrum was taken, in µm, used or not; NaN where spectra have no
    positions of their own."""
    vibron_distance_um: float = math.nan
    """The same of its vibron spectrum, in µm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PointResult:
    """What a run found at one point of the map."""

    place: MapPoint
    """Where it lies."""
    file: str
    """Image or stack it comes from, relative to the folder of the run.toml where it lies below it."""
    frame: int
    """Frame within the file, from 1."""
    exposure_s: float
    """Exposure time, in s; NaN where the header does not say."""
    monitor: float
    """Incident intensity; NaN where none was given."""
    verdict: Verdict
    """Why the numbers can, or cannot, be used."""
    reason: str
    """Whole sentences that explain the verdict."""
    spottiness: float
    """Azimuthal scatter over Poisson; NaN where the image could not be read."""
    pattern: Pattern | None
    """The integrated pattern; None where the image could not be read."""
    fit: PatternFit | None
    """Its fit; None where there was no pattern, or it could not be fitted."""
    notes: tuple[str, ...]
    """What a user should know; whole sentences."""
    raman: PointRaman | None = None
    """Its Raman spectra; None for a run without."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """What a run found."""

    title: str
    """Of the run."""
    sample: str
    """Ties runs together."""
    is_simulated: bool
    """Whether the measurement was simulated; every file and figure says so."""
    shape: tuple[int, int] | None
    """Rows and columns of the map; None for points that make no grid."""
    points: tuple[PointResult, ...]
    """In scan order."""
    phase_names: tuple[str, ...]
    """The phases that were fitted."""
    wavelength_ang: float
    """Wavelength, in Å."""
    settings: str
    """The run.toml as it was."""
    versions: Mapping[str, str]
    """Programs that made the result."""
    checksums: Mapping[str, str]
    """SHA-256 of each input file, by its name."""
    notes: tuple[str, ...]
    """What concerns all points."""
    transport: tuple[TransportNumber, ...] = ()
    """Numbers of the transport curves; empty for a run without."""
    links: tuple[Link, ...] = ()
    """Every point beside every curve."""
    method: str = "pawley"
    """How intensities were found: pawley or le-bail."""
    loss: str = "squares"
    """What was made least: squares, soft-l1 or cauchy."""
    profile: str = "auto"
    """Whether a shape that all lines share could be learned: auto or pseudo-voigt."""
