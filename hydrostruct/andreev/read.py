"""Files of dI/dV, or of V(I), with the temperature wherever it stands."""

from __future__ import annotations

import math
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.curve import ConductanceCurve, without_spikes
from hydrostruct.andreev.slope import check_method, conductance_from_iv
from hydrostruct.errors import InputError
from hydrostruct.tables import read_columns

Floats = npt.NDArray[np.float64]

_BIAS = {"bias_mv": 1.0, "voltage_mv": 1.0, "v_mv": 1.0, "bias": 1.0, "bias_v": 1e3}
_VOLTAGE = {"voltage_v": 1.0, "v": 1.0, "voltage": 1.0, "voltage_mv": 1e-3, "voltage_uv": 1e-6}
_CURRENT = {"current_a": 1.0, "current": 1.0, "i": 1.0, "current_ma": 1e-3, "current_ua": 1e-6}
_CONDUCTANCE = ("conductance", "conductance_s", "di/dv", "didv", "normalised_conductance", "normalized_conductance")
_SIGMA = ("conductance_sigma", "conductance_sigma_s", "sigma")
_TEMPERATURE = ("temperature_k", "t_k")
_HEADER_TEMPERATURE = re.compile(r"temperature(?:_k)?\s*[=:]\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?\d+)?)", re.IGNORECASE)
_NAME_TEMPERATURE = re.compile(r"(?:^|[_\-\s])([0-9]+(?:[.p][0-9]+)?)\s?[Kk](?=$|[_\-\s.])")


def read_conductance(
    path: str | os.PathLike[str],
    *,
    temperature_k: float | None = None,
    method: str = "local",
    series_resistance_ohm: float = 0.0,
) -> ConductanceCurve:
    """Read one curve.

    Parameters
    ----------
    path : path-like
        Text with columns ``bias_mv, conductance[, conductance_sigma]`` or ``current_a, voltage_v``, in any order, with
        or without ``temperature_k``. Without names the first two columns are bias in mV and conductance.
    temperature_k : float, optional
        Temperature, in K, where the file does not say it.
    method : str
        How dI/dV is taken of V(I): see :func:`~hydrostruct.andreev.slope.conductance_from_iv`.
    series_resistance_ohm : float
        Resistance in series with the junction, in Ω, to take off; the conductance must be in S.

    Returns
    -------
    ConductanceCurve
        Points that stand alone are left out, with a warning. The temperature comes from the column, the header
        (``# temperature_k = 20``), the file's name (``…_20K.csv``) or `temperature_k`, the first that is there; NaN
        where none is.

    Raises
    ------
    InputError
        When the file holds no such columns, or a temperature that is not one.
    """
    where = str(path)
    check_method(method)
    values, header = read_columns(path)
    names = _column_names(header, values.shape[1])
    found, warnings = _temperature(where, values, names, header, temperature_k)
    if any(name in _CURRENT for name in names):
        current, voltage = _column(values, names, _CURRENT), _column(values, names, _VOLTAGE)
        if voltage is None or current is None:
            raise InputError(f"{where}: the columns are {', '.join(names)}. Expected voltage_v beside current_a.")
        curve = conductance_from_iv(current, voltage, method=method, temperature_k=found, name=where)
    else:
        bias, conductance, sigma = _conductance_columns(where, values, names)
        curve = ConductanceCurve(bias_mv=bias, conductance=conductance, sigma=sigma, temperature_k=found, name=where)
    curve = replace(curve, warnings=(*curve.warnings, *warnings))
    if series_resistance_ohm:
        from hydrostruct.andreev.curve import without_series_resistance

        curve = without_series_resistance(curve, series_resistance_ohm)
    return without_spikes(curve)


def name_temperature(path: str | os.PathLike[str]) -> float:
    """The temperature that a file's name says, in K; NaN where it says none.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    float

    Examples
    --------
    >>> name_temperature("cell2_20K.csv"), name_temperature("qss-2p5K.txt"), name_temperature("b2.csv")
    (20.0, 2.5, nan)
    """
    stem = re.sub(r"\.(csv|txt|dat|tsv)$", "", Path(path).name, flags=re.IGNORECASE)
    found = _NAME_TEMPERATURE.findall(stem)
    return float(found[-1].replace("p", ".")) if found else math.nan


def _column_names(header: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The names of the columns, from the last header line that has as many words and says something known."""
    known = {*_BIAS, *_VOLTAGE, *_CURRENT, *_CONDUCTANCE, *_SIGMA, *_TEMPERATURE}
    for line in reversed(header):
        words = [word.strip().casefold() for word in re.split(r"[,;\t]", line.strip().lstrip("#!%; "))]
        if len(words) != count:
            words = [word.casefold() for word in re.split(r"[\s,;]+", line.strip().lstrip("#!%; "))]
        if len(words) == count and known & set(words):
            return tuple(words)
    return ()


def _column(values: Floats, names: tuple[str, ...], known: dict[str, float] | tuple[str, ...]) -> Floats | None:
    for name in known:
        if name in names:
            scale = known[name] if isinstance(known, dict) else 1.0
            return np.asarray(values[:, names.index(name)] * scale)
    return None


def _conductance_columns(where: str, values: Floats, names: tuple[str, ...]) -> tuple[Floats, Floats, Floats | None]:
    if not names:
        return values[:, 0], values[:, 1], None
    bias = _column(values, names, _BIAS)
    if bias is None and "voltage_v" in names:
        bias = 1e3 * values[:, names.index("voltage_v")]
    conductance = _column(values, names, _CONDUCTANCE)
    if bias is None or conductance is None:
        raise InputError(
            f"{where}: the columns are {', '.join(names)}. Expected bias_mv and conductance, or current_a and "
            "voltage_v. Name the columns so."
        )
    return bias, conductance, _column(values, names, _SIGMA)


def _temperature(
    where: str, values: Floats, names: tuple[str, ...], header: tuple[str, ...], given: float | None
) -> tuple[float, tuple[str, ...]]:
    """The first temperature that is there, and what is odd about it."""
    if given is not None and not 0 <= given < math.inf:
        raise InputError(f"the temperature is {given:g} K. Expected 0 or above. Correct it.")
    own, warnings = math.nan, []
    column = _column(values, names, _TEMPERATURE)
    if column is not None and np.any(np.isfinite(column)):
        own = float(np.nanmedian(column))
        spread = float(np.nanmax(column) - np.nanmin(column))
        if spread > max(0.5, 0.05 * own):
            warnings.append(f"the temperature moves by {spread:.2g} K during the sweep; its median is used")
    if math.isnan(own):
        said = [_HEADER_TEMPERATURE.search(line) for line in header]
        own = next((float(one[1]) for one in said if one), math.nan)
    if math.isnan(own):
        own = name_temperature(where)
    if own < 0:
        raise InputError(f"{where}: the temperature is {own:g} K. Expected 0 or above. Correct the file.")
    if math.isnan(own):
        return (math.nan if given is None else given), tuple(warnings)
    if given is not None and abs(given - own) > 0.05 * max(given, own, 1.0):
        warnings.append(f"the file says {own:g} K, which is used, not the {given:g} K that were given")
    return own, tuple(warnings)
