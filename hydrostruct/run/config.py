"""What a run.toml may say, checked before anything is read."""

from __future__ import annotations

import datetime
import math
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.grid import SCAN_ORDERS
from hydrostruct.tables import read_text


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    low, high = value
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{low:g} to {high:g} is no range: the lower angle comes first")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_rising)]
Place = tuple[float, float]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


_PhaseWord = Literal[
    "cell",
    "size",
    "strain",
    "u",
    "v",
    "w",
    "p",
    "strain_axis",
    "strain_oblique",
    "strain_diagonal",
    "stress",
    "stress_shape",
]
_AnyWord = Literal["zero", "displacement", _PhaseWord]
"""What may be freed or held, as ``lebail --free`` and ``--fix`` call it."""


def _told_apart(free: tuple[str, ...], fix: tuple[str, ...]) -> None:
    both = [word for word in free if word in fix]
    if both:
        raise ValueError(f"{both[0]!r} is in free and in fix; expected it in one of them")


class _Section(BaseModel):
    """One section: every key is known, and nothing is turned into another type in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MapSection(_Section):
    """Where the points lie."""

    shape: tuple[PositiveInt, PositiveInt] | None = None
    """Rows and columns; one row of all images when left out."""
    step_um: Place | None = None
    """Distance of neighbours in x and y, in µm."""
    order: Literal["row", "column", "row-snake", "column-snake"] = "row"
    """Scan order."""
    positions: str | None = None
    """A table with columns ``x_um``, ``y_um`` and, where wanted, ``file``."""


class PointSection(_Section):
    """What is different at one point."""

    exclude_deg: tuple[Range, ...] = ()
    """Regions of 2θ to leave out there, in degrees."""
    mask: str | None = None
    """A mask of its own."""
    cells: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Starts of the cells there, by phase."""


class DiffractionSection(_Section):
    """Images and how they are integrated and fitted."""

    images: str
    """A glob, or a stack ``file.h5::/path``."""
    geometry: str
    """The .poni file."""
    wavelength_sigma_ang: float | None = Field(default=None, ge=0)
    """Standard uncertainty of the wavelength, in Å."""
    distance_sigma_um: float | None = Field(default=None, ge=0)
    """Standard uncertainty of the distance, in µm."""
    mask: str | None = None
    """Pixels to leave out."""
    dark: str | None = None
    """Dark image."""
    flat: str | None = None
    """Flat image."""
    background: str | None = None
    """Image or pattern to take off."""
    monitor: str | None = None
    """Table with a column of incident intensities, or the name of a column of the positions file."""
    steady_spots: Literal["mask", "keep"] = "mask"
    """Whether spots that stay on the same pixels over the map, as those of the diamonds do, are masked."""
    orientation: Literal[1, 2, 3, 4] | None = None
    """Of the detector; overrides the geometry file."""
    polarization: float = Field(default=0.99, ge=-1, le=1)
    """Polarization factor."""
    two_theta_deg: Range | None = None
    """Range of the fit, in degrees."""
    exclude_deg: tuple[Range, ...] = ()
    """Regions to leave out of every fit, in degrees."""
    bins: int = Field(default=2000, ge=2, le=100_000)
    """Points of a pattern."""
    clip: Literal["none", "sigma", "median"] = "none"
    """Clipping of the rings."""
    split: Literal["no", "bbox", "full"] = "no"
    """Pixel splitting."""
    error: Literal["azimuthal", "poisson"] = "azimuthal"
    """Where sigma comes from."""
    background_terms: int | Literal["auto"] = "auto"
    """Chebyshev terms of the fitted background."""
    method: Literal["pawley", "le-bail"] = "pawley"
    """How intensities are found: all by least squares, or by the classical partition of the counts."""
    loss: Literal["squares", "soft-l1", "cauchy"] = "squares"
    profile: Literal["auto", "pseudo-voigt"] = "auto"
    """What is made least; the last two let spots that no mask took away stand apart."""
    instrument: str | None = None
    """Widths of the instrument."""
    free: tuple[_AnyWord, ...] = ()
    """What is fitted beyond cells, w and size, of all phases that can have it."""
    fix: tuple[_AnyWord, ...] = ()
    """What is held, also against a pattern that asks for it."""
    common: tuple[Literal["zero", "displacement", "widths", "background"], ...] = ()
    """What all points share in one fit of the whole map; none for points fitted by themselves."""

    @field_validator("common")
    @classmethod
    def _one_shift(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what cannot be told apart."""
        if {"zero", "displacement"} <= set(value):
            raise ValueError("zero and displacement are both common; expected one, since they move lines alike")
        return value

    points: dict[str, PointSection] = Field(default_factory=dict)
    """Exceptions, by the number of the point."""

    @model_validator(mode="after")
    def _words_go_together(self) -> DiffractionSection:
        """Refuse what is freed and held, and two shifts that move lines alike."""
        _told_apart(self.free, self.fix)
        for word in ("zero", "displacement"):
            if word in self.common and word in self.fix:
                raise ValueError(f"{word!r} is in common and in fix; expected it in one of them")
        if {"zero", "displacement"} <= {*self.free, *self.common} and self.common:
            raise ValueError("zero and displacement are both fitted in a map with common; expected one of them")
        return self

    @model_validator(mode="after")
    def _method_goes_with_the_rest(self) -> DiffractionSection:
        """Refuse what the classical partition cannot do."""
        if self.method == "le-bail" and self.loss != "squares":
            raise ValueError(f"loss is {self.loss!r} with the method le-bail; expected squares there, or method pawley")
        if self.method == "le-bail" and self.common:
            raise ValueError(
                "common is given with the method le-bail; expected method pawley there: the shares of the classical "
                "partition are no minimum of anything, and what is common would have none"
            )
        return self


class PhaseSection(_Section):
    """One phase that may be there."""

    name: str
    """A library name, or a path to .toml, .cif, .jcpds, .eosmat."""
    cell: dict[str, float] = Field(default_factory=dict)
    """Start of its cell: a_ang, …, alpha_deg, …"""
    pressure_gpa: float | None = Field(default=None, ge=0, le=2000)
    """Start by equation of state, in GPa."""
    free: tuple[_PhaseWord, ...] = ()
    """What is fitted of it beyond cell, w and size."""
    fix: tuple[_PhaseWord, ...] = ()
    """What is held."""
    stress: float = Field(default=0.0, ge=-0.03, le=0.03)
    """Deviatoric stress Q = t/6G, with the load along the beam."""

    @model_validator(mode="after")
    def _words_go_together(self) -> PhaseSection:
        """Refuse what is freed and held."""
        _told_apart(self.free, self.fix)
        return self


class RamanSection(_Section):
    """Raman spectra of the run."""

    edge: str | None = None
    """Spectra of the stressed diamond: one for the run, or one for each point."""
    vibron: str | None = None
    """Spectra of the hydrogen vibron."""
    laser_nm: PositiveFloat | None = None
    """Laser line, in nm."""
    scale: str = "akahama2006"
    """Pressure scale of the edge."""
    positions: str | None = None
    """Where the spectra were taken: a table with columns ``x_um``, ``y_um`` and, where wanted, ``file``; or ``own`` for
    the positions in the files of the spectra. Each map point takes the nearest."""
    offset_um: tuple[FiniteFloat, FiniteFloat] = (0.0, 0.0)
    """What is added to those positions, after turning them, to come to the map's, in µm."""
    rotation_deg: FiniteFloat = 0.0
    """By how much they are turned about their origin first, counter-clockwise, in degrees."""
    reach_um: PositiveFloat | None = None
    """How far the spectrum of a point may be, in µm; half of the map's step when left out."""


class TransportSection(_Section):
    """Electrical measurements of the sample."""

    resistance: str | None = None
    """R(T) tables."""
    voltage_current: str | None = None
    """V(I) tables."""
    conductance: str | None = None
    """dI/dV tables, of one contact."""
    gaps: str | None = None
    """Tables of gaps against temperature: temperature_k, gap_mev[, gap_sigma_mev]."""
    width_um: PositiveFloat | None = None
    """Width of the sample, in µm."""
    width_sigma_um: PositiveFloat | None = None
    """Its uncertainty."""
    thickness_um: PositiveFloat | None = None
    """Thickness of the sample, in µm."""
    thickness_sigma_um: PositiveFloat | None = None
    """Its uncertainty."""
    current_a: PositiveFloat | None = None
    """Current of R(T), in A."""
    current_sigma_a: PositiveFloat | None = None
    """Its uncertainty."""
    electrodes_um: tuple[Place, Place, Place, Place] | None = None
    """I+, I-, V-, V+ on the map, in µm."""


class RunConfig(_Section):
    """A whole run.toml."""

    title: str = ""
    """Of the run."""
    sample: str = ""
    """Ties runs together."""
    cell: str = ""
    """The diamond anvil cell."""
    load_step: str = ""
    """Where in its history."""
    date: datetime.date | None = None
    """Of the measurement."""
    map: MapSection = MapSection()
    """Where the points lie."""
    diffraction: DiffractionSection
    """Images and fits."""
    phases: tuple[PhaseSection, ...] = Field(min_length=1)
    """What may be there."""
    raman: RamanSection | None = None
    """Raman spectra; read by a later version."""
    transport: TransportSection | None = None
    """Electrical measurements; read by a later version."""


def read_config(path: str | os.PathLike[str]) -> RunConfig:
    """Read and check a run.toml.

    Parameters
    ----------
    path : path-like
        The file. Paths in it are relative to its folder.

    Returns
    -------
    RunConfig

    Raises
    ------
    InputError
        For a file that is no TOML, an unknown key (the nearest known one is named), a missing key, or a value that
        cannot be meant.
    """
    source = Path(path)
    try:
        content = tomllib.loads(read_text(source))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: is not TOML ({error}). Expected a run.toml. Correct the line.") from error
    try:
        return RunConfig.model_validate(content)
    except pydantic.ValidationError as error:
        raise InputError(_sentence(source, error)) from error


def _sentence(source: Path, error: pydantic.ValidationError) -> str:
    # a key that is not known explains one that is missing
    first = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"][:-1])
        hint = nearest_name(str(first["loc"][-1]), known)
        return f"{source}: {place!r} is not a key of a run.toml. {hint} Known there: {', '.join(known)}."
    if first["type"] == "missing":
        return f"{source}: {place!r} is missing. Expected it in every run.toml. Add the key."
    said = first["msg"].removeprefix("Value error, ")
    if isinstance(first.get("input"), dict):  # keys that do not go together: what they are is in the words
        return f"{source}: {place!r}: {said}. Edit the file."
    hint = _nearest_word(first)
    return f"{source}: {place!r} is {first.get('input')!r:.80}. {said}. {f'{hint} ' if hint else ''}Edit the file."


def _nearest_word(error: Any) -> str:
    """Which of the words of a Literal was meant."""
    if error["type"] != "literal_error":
        return ""
    return nearest_name(str(error["input"]), re.findall(r"'([^']*)'", error["ctx"]["expected"]))


def _known_keys(place: tuple[int | str, ...]) -> tuple[str, ...]:
    """Keys of the section at a place, by following the fields' types."""
    section: type[BaseModel] = RunConfig
    for part in place:
        if isinstance(part, int) or part not in section.model_fields:
            continue
        inner = _models_in(section.model_fields[part].annotation)
        if inner:
            section = inner[0]
    return tuple(section.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


assert get_args(MapSection.model_fields["order"].annotation) == SCAN_ORDERS
