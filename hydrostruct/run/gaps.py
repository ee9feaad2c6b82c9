"""The gaps of a run: each conductance spectrum of a series, and the gap against temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.andreev.fit import fit_conductance, fit_conductances
from hydrostruct.andreev.fit_result import AndreevFit
from hydrostruct.andreev.gap_fit import GapFit, fit_gaps, read_gaps
from hydrostruct.andreev.read import read_conductance
from hydrostruct.errors import InputError
from hydrostruct.results.record import TransportNumber
from hydrostruct.verdict import Verdict

_LEAST_GAPS = 4


def spectrum_numbers(names: Sequence[str], files: Sequence[str], *, series: str) -> list[TransportNumber]:
    """Gap, broadening, barrier and weight of the spectra of one contact, fitted as a series, and their Δ(0) and Tc.

    Parameters
    ----------
    names : sequence of str
        The files to read.
    files : sequence of str
        What they are called in the tables.
    series : str
        What they are called together.

    Returns
    -------
    list of TransportNumber
        A file that cannot be read is one row, failed, with the reason. Gaps at four temperatures or more are fitted
        together.
    """
    curves: list[tuple[str, ConductanceCurve]] = []
    rows: list[TransportNumber] = []
    for name, file in zip(names, files, strict=True):
        try:
            curve = read_conductance(name)
        except InputError as error:
            rows.append(failed_number(file, "conductance", "gap", "meV", str(error)))
            continue
        if math.isfinite(curve.temperature_k):
            curves.append((file, curve))
        else:
            rows.append(failed_number(file, "conductance", "gap", "meV", "Its temperature is stated nowhere."))
    known = [curve for _, curve in curves]
    try:
        fits = [] if not known else [fit_conductance(known[0])] if len(known) == 1 else fit_conductances(known)
    except InputError as error:
        return rows + [failed_number(file, "conductance", "gap", "meV", str(error)) for file, _ in curves]
    for (file, _), fit in zip(curves, fits, strict=True):
        rows += _of_spectrum(fit, file)
    return rows + _of_series(fits, series)


def table_numbers(name: str, file: str) -> list[TransportNumber]:
    """Δ(0), Tc and their ratio of a table of gaps.

    Parameters
    ----------
    name : str
        The file to read.
    file : str
        What it is called in the tables.

    Returns
    -------
    list of TransportNumber
        One failed row where it cannot be read or fitted.
    """
    try:
        temperature, gap, sigma = read_gaps(name)
        return _of_gaps(fit_gaps(temperature, gap, gap_sigma_mev=sigma, name=file), file)
    except InputError as error:
        return [failed_number(file, "conductance", "gap", "meV", str(error))]


def failed_number(file: str, kind: str, quantity: str, unit: str, reason: str) -> TransportNumber:
    """The row of a curve that gave no number."""
    return TransportNumber(
        file=file, kind=kind, temperature_k=math.nan, quantity=quantity, value=math.nan, sigma=math.nan, unit=unit,
        verdict=Verdict.FAILED, reason=reason,
    )  # fmt: skip


def _of_spectrum(fit: AndreevFit, file: str) -> list[TransportNumber]:
    return [
        TransportNumber(
            file=file, kind="conductance", temperature_k=fit.temperature_k, quantity=name, value=value, sigma=sigma,
            unit=unit, verdict=fit.verdict, reason=fit.reason,
        )
        for name, value, sigma, unit in (
            ("gap", fit.gap_mev, fit.gap_sigma_mev, "meV"),
            ("broadening", fit.broadening_mev, fit.broadening_sigma_mev, "meV"),
            ("barrier", fit.barrier, fit.barrier_sigma, ""),
            ("weight", fit.weight, fit.weight_sigma, ""),
        )
    ]  # fmt: skip


def _of_series(fits: Sequence[AndreevFit], series: str) -> list[TransportNumber]:
    """Gap against temperature of spectra that have one; nothing where too few do."""
    good = [fit for fit in fits if math.isfinite(fit.gap_mev) and 0 < fit.gap_sigma_mev < math.inf]
    if len({fit.temperature_k for fit in good}) < _LEAST_GAPS:
        return []
    found = fit_gaps(
        [fit.temperature_k for fit in good],
        [fit.gap_mev for fit in good],
        gap_sigma_mev=[fit.gap_sigma_mev for fit in good],
        name=series,
    )
    return _of_gaps(found, series)


def _of_gaps(found: GapFit, file: str) -> list[TransportNumber]:
    """Δ(0) as the gap at 0 K, Tc, and the ratio of both."""
    said = f"Gap against temperature on the weak-coupling shape, {found.gap_mev.size} gaps; Tc: {found.tc_source}."
    return [
        TransportNumber(
            file=file, kind="conductance", temperature_k=temperature, quantity=name, value=value, sigma=sigma,
            unit=unit, verdict=found.verdict, reason=f"{said} {found.reason}".strip(),
        )
        for name, temperature, value, sigma, unit in (
            ("gap", 0.0, found.gap0_mev, found.gap0_sigma_mev, "meV"),
            ("tc", math.nan, found.tc_k, found.tc_sigma_k, "K"),
            ("ratio", math.nan, found.ratio, found.ratio_sigma, ""),
        )
    ]  # fmt: skip
