"""Conductance spectra for the commands of ``hydrostruct andreev``: those that can be read, and why others cannot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hydrostruct.errors import InputError

if TYPE_CHECKING:
    from hydrostruct.andreev.curve import ConductanceCurve


def read_spectra_named(
    names: list[str],
    *,
    temperature: float | None = None,
    temperature_needed: bool = True,
    method: str = "local",
    series_resistance: float = 0.0,
) -> tuple[list[ConductanceCurve], dict[str, str]]:
    """The curves that can be read, and the reason for each that cannot.

    Parameters
    ----------
    names : list of str
        The files.
    temperature : float, optional
        In K, where a file does not say it.
    temperature_needed : bool
        Whether a curve without a temperature is refused.
    method : str
        How dI/dV is taken of V(I).
    series_resistance : float
        In Ω, to take off.

    Returns
    -------
    curves : list of ConductanceCurve
    failures : dict
        From the name to the reason.

    Raises
    ------
    InputError
        When no file can be read, or the only one cannot.
    """
    from hydrostruct.andreev.read import read_conductance

    curves: list[ConductanceCurve] = []
    failures: dict[str, str] = {}
    for name in names:
        try:
            curve = read_conductance(
                name, temperature_k=temperature, method=method, series_resistance_ohm=series_resistance
            )
            if math.isnan(curve.temperature_k) and temperature_needed:
                raise InputError(
                    f"{name}: the temperature is not known. Expected a column temperature_k, a line "
                    "'# temperature_k = 20', or a name such as cell_20K.csv. Give --temperature or --temperature-range."
                )
            curves.append(curve)
        except InputError as error:
            if len(names) == 1:
                raise
            failures[name] = str(error)
    if not curves:
        raise InputError(next(iter(failures.values())))
    return curves, failures
