"""Widths of the instrument: a small TOML that `calibrate-widths` writes and a run reads."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.files import write_whole
from hydrostruct.tables import read_text
from hydrostruct.xrd.profile import Widths, line_widths

_NAMES = tuple(field.name for field in fields(Widths))
_HELD_WORDS = ("u", "v", "w", "p")


def read_widths(path: str | os.PathLike[str]) -> Widths:
    """Read the widths of an instrument.

    Parameters
    ----------
    path : path-like
        A TOML with a table ``[widths]``: ``u_deg2, v_deg2, w_deg2, p_deg2, size_deg, strain_deg``; what is left out is
        0. Other tables say where it comes from, and are not read.

    Returns
    -------
    Widths

    Raises
    ------
    InputError
        When it is no such file, or its widths are not above 0 at 1 to 60°.
    """
    source = Path(path)
    try:
        content = tomllib.loads(read_text(source))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: is not TOML ({error}). Expected widths from calibrate-widths.") from error
    table = content.get("widths")
    if not isinstance(table, dict):
        raise InputError(f"{source}: no table [widths]. Expected {', '.join(_NAMES)} in it. Run calibrate-widths.")
    values = {}
    for name, value in table.items():
        if name not in _NAMES:
            raise InputError(
                f"{source}: {name!r} is no width. Expected {', '.join(_NAMES)}. {nearest_name(name, _NAMES)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{source}: {name} is {value!r}. Expected a number. Run calibrate-widths again.")
        values[name] = float(value)
    widths = Widths(**values)
    try:
        total = line_widths([1.0, 20.0, 60.0], widths)[0] if any(values.values()) else np.zeros(1)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    if not total.min() > 0:
        raise InputError(f"{source}: the width is 0 at some angle. Expected above 0. Run calibrate-widths again.")
    return widths


def write_widths(widths: Widths, path: str | os.PathLike[str], *, about: dict[str, str | float]) -> Path:
    """Write the widths of an instrument, whole or not at all.

    Parameters
    ----------
    widths : Widths
        The terms.
    path : path-like
        The file.
    about : dict
        Where they come from: pattern, phase, wavelength, uncertainties.

    Returns
    -------
    Path
        The file written.
    """
    lines = ["# Widths of the instrument: Gaussian full width squared = u tan² + v tan + w + p/cos² (degrees²),"]
    lines += ["# Lorentzian full width = size/cos + strain tan (degrees), of half the Bragg angle 2 theta.", "[widths]"]
    lines += [f"{name} = {getattr(widths, name)!r}" for name in _NAMES]
    lines += ["", "[about]"]
    lines += [f"{name} = {_toml_value(value)}" for name, value in about.items()]
    return write_whole(path, "\n".join(lines) + "\n")


def held_by_instrument(
    instrument: Widths | None, *, fix: Collection[str], free: Collection[str], widths: Widths | None
) -> Collection[str]:
    """Words that are held: those of the user, and the Gaussian terms where the instrument's widths are known.

    Parameters
    ----------
    instrument : Widths or None
        Widths of the instrument.
    fix, free : collection of str
        Words of the user.
    widths : Widths or None
        Start of the widths; refused beside those of the instrument, which give it.

    Returns
    -------
    collection of str

    Raises
    ------
    InputError
        When a term of the instrument is freed, or ``widths`` are given as well.
    """
    if instrument is None or isinstance(fix, str) or isinstance(free, str):  # a bare word is refused later
        return fix
    for word in free:
        if word.rpartition(":")[2] in _HELD_WORDS:
            raise InputError(
                f"fit: {word!r} is freed, and the widths of the instrument hold it. Expected what a phase adds: "
                "size, strain. Leave the word out, or fit without the instrument's widths."
            )
    if widths is not None:
        raise InputError(
            "fit: widths are given beside those of the instrument. Expected one of them. Give the instrument's alone."
        )
    return (*fix, *_HELD_WORDS)


def _toml_value(value: str | float) -> str:
    if not isinstance(value, str):
        return repr(float(value)) if math.isfinite(value) else "nan"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isprintable() else " " for letter in escaped) + '"'
