"""Diamond-edge scales: forms, coefficients, ranges, and where each stands."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.library import library_folder
from hydrostruct.material.phase_record import CONFIDENCES
from hydrostruct.tables import read_text

Floats = npt.NDArray[np.float64]

DEFAULT_SCALE = "akahama2006"
_FORMS = {"strain": 3, "strain-quadratic": 3, "quadratic": 3, "linear": 2}
_KEYS = ("form", "coefficients", "sigmas", "range_gpa", "kind", "primary_standard", "source", "doi", "confidence",
         "notes")  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeScale:
    """One published relation between the diamond edge and pressure."""

    name: str
    """Name of the scale."""
    form: str
    """``strain``: P = K₀x[1 + ½(K₀′ − 1)x]; ``strain-quadratic``: P = Ax + Bx², both with x = (ν − ν₀)/ν₀;
    ``quadratic``: P = a + bν + cν²; ``linear``: ν = a + bP; empty for a slot without coefficients."""
    coefficients: tuple[float, ...]
    """In the order of the form, ν₀ last."""
    sigmas: tuple[float, ...]
    """Their standard uncertainties; NaN where none is usable."""
    range_gpa: tuple[float, float]
    """Where it was calibrated, in GPa."""
    kind: str
    """``anvil`` for the edge of an anvil; else which other line or definition."""
    primary_standard: str
    """What its pressures rest on."""
    source: str
    """Publication."""
    doi: str
    """Its DOI, or empty."""
    confidence: str
    """One of `CONFIDENCES`."""
    notes: str
    """What a user should know."""


def scale_names() -> tuple[str, ...]:
    """Names of the scales, the empty slots included.

    Examples
    --------
    >>> scale_names()[:3]
    ('akahama2004', 'akahama2006', 'akahama2010')
    """
    return tuple(_library(library_folder()))


def read_scale(name: str | os.PathLike[str]) -> EdgeScale:
    """A scale of the library, or one of the user's own.

    Parameters
    ----------
    name : str or path-like
        A name of `scale_names`, or the path of a ``.toml`` file in the form of ``phases/data/README.md``.

    Returns
    -------
    EdgeScale

    Raises
    ------
    InputError
        When there is no such scale, it is an empty slot, or the file is wrong.
    """
    known = _library(library_folder())
    if str(name) in known:
        scale = known[str(name)]
        if not scale.form:
            raise InputError(f"scale {name}: it has no coefficients. {scale.notes}")
        return scale
    if str(name).endswith(".toml"):
        return _read_file(Path(name))
    if name == "user":
        raise InputError(
            "scale user: it is a file of your own. Expected the path of a .toml in the form of phases/data/README.md."
        )
    raise InputError(
        f"scale {str(name)!r} is not known. {nearest_name(str(name), known)} Expected {', '.join(known)}, or the "
        "path of a .toml file."
    )


def scale_pressure(scale: EdgeScale, edge_cm1: npt.ArrayLike, *, coefficients: Floats | None = None) -> Floats:
    """Pressure of an edge on a scale, its range not asked.

    Parameters
    ----------
    scale : EdgeScale
        The scale.
    edge_cm1 : array-like
        Edge, in cm⁻¹.
    coefficients : array, optional
        Others than its own.

    Returns
    -------
    array
        In GPa.
    """
    edge = np.asarray(edge_cm1, dtype=np.float64)
    c = np.array(scale.coefficients) if coefficients is None else coefficients
    if scale.form == "linear":
        return np.asarray((edge - c[0]) / c[1])
    if scale.form == "quadratic":
        return np.asarray(c[0] + edge * (c[1] + edge * c[2]))
    strain = edge / c[2] - 1.0
    if scale.form == "strain":
        return np.asarray(c[0] * strain * (1.0 + 0.5 * (c[1] - 1.0) * strain))
    return np.asarray(strain * (c[0] + c[1] * strain))


def scale_edge(scale: EdgeScale, pressure_gpa: npt.ArrayLike) -> Floats:
    """Edge of a pressure on a scale: the exact inverse of `scale_pressure`, its range not asked.

    Parameters
    ----------
    scale : EdgeScale
        The scale.
    pressure_gpa : array-like
        In GPa.

    Returns
    -------
    array
        In cm⁻¹; NaN where the scale has no edge.
    """
    pressure, c = np.asarray(pressure_gpa, dtype=np.float64), scale.coefficients
    if scale.form == "linear":
        return np.asarray(c[0] + c[1] * pressure)
    with np.errstate(invalid="ignore"):
        if scale.form == "quadratic":
            return np.asarray((-c[1] + np.sqrt(c[1] ** 2 - 4.0 * c[2] * (c[0] - pressure))) / (2.0 * c[2]))
        slope, bend = (c[0], 0.5 * c[0] * (c[1] - 1.0)) if scale.form == "strain" else (c[0], c[1])
        # written so that it holds for a bend of 0 too
        strain = 2.0 * pressure / (slope + np.sqrt(slope**2 + 4.0 * bend * pressure))
    return np.asarray(c[2] * (1.0 + strain))


def coefficient_gradient(scale: EdgeScale, edge_cm1: npt.ArrayLike) -> Floats:
    """How the pressure follows one sigma of each coefficient.

    Parameters
    ----------
    scale : EdgeScale
        The scale.
    edge_cm1 : array-like, shape (...)
        Edge, in cm⁻¹.

    Returns
    -------
    array, shape (coefficients, ...)
        In GPa; NaN where a coefficient has no usable uncertainty.
    """
    own = np.array(scale.coefficients)
    rows = []
    for index, sigma in enumerate(scale.sigmas):
        step = np.zeros_like(own)
        step[index] = sigma
        plus = scale_pressure(scale, edge_cm1, coefficients=own + 0.5 * step)
        rows.append(plus - scale_pressure(scale, edge_cm1, coefficients=own - 0.5 * step))
    return np.array(rows)


@lru_cache(maxsize=4)
def _library(folder: Path) -> dict[str, EdgeScale]:
    path = folder / "data" / "raman_scales.toml"
    return {name: _scale(path, name, table) for name, table in _toml(path).items()}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: no TOML ({error}). Expected the form of phases/data/README.md.") from error


def _read_file(path: Path) -> EdgeScale:
    table = _toml(path)
    inner = next((value for value in table.values() if isinstance(value, dict)), None)
    scale = _scale(path, path.stem, {"confidence": "file", **(table if inner is None else inner)})
    if not scale.form:
        raise InputError(f"{path}: it has no 'form' and coefficients. Expected the form of phases/data/README.md.")
    return scale


def _scale(path: Path, name: str, table: Mapping[str, Any]) -> EdgeScale:
    def wrong(key: str, expected: str) -> InputError:
        return InputError(f"{path}: [{name}]: {key!r} is {table.get(key)!r}. Expected {expected}. Edit the file.")

    unknown = [key for key in table if key not in _KEYS]
    if unknown:
        raise wrong(unknown[0], f"one of {', '.join(_KEYS)}")
    form = table.get("form", "")
    if form and form not in _FORMS:
        raise wrong("form", f"one of {', '.join(_FORMS)}")
    count = _FORMS.get(form, 0)
    values, sigmas, limits = (
        _numbers(table.get(key, default), length)
        for key, default, length in (
            ("coefficients", [], count), ("sigmas", [math.nan] * count, count), ("range_gpa", None, 2)
        )
    )  # fmt: skip
    for key, numbers in (("coefficients", values), ("sigmas", sigmas), ("range_gpa", limits)):
        if numbers is None:
            raise wrong(key, f"{2 if key == 'range_gpa' else count} numbers")
    assert values is not None
    assert sigmas is not None
    assert limits is not None
    if form and not (limits[0] < limits[1] and all(map(math.isfinite, values)) and not any(s < 0 for s in sigmas)):
        raise wrong("range_gpa", "two rising numbers, finite coefficients and sigmas not below 0")
    if table.get("confidence") not in CONFIDENCES:
        raise wrong("confidence", f"one of {', '.join(CONFIDENCES)}")
    return EdgeScale(
        name=name, form=form, coefficients=values, sigmas=sigmas, range_gpa=(limits[0], limits[1]),
        kind=table.get("kind", "anvil"), primary_standard=table.get("primary_standard", "not stated"),
        source=table.get("source", ""), doi=table.get("doi", ""), confidence=table["confidence"],
        notes=table.get("notes", ""),
    )  # fmt: skip


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        return None
    return tuple(map(float, value))
