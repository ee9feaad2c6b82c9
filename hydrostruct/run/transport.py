"""The transport curves of a run: Tc of each R(T), Ic and n of each V(I), gaps of spectra and over temperature."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hydrostruct.errors import InputError
from hydrostruct.grid import natural_order
from hydrostruct.linkage.first_link import LinkedCurve
from hydrostruct.results.record import TransportNumber
from hydrostruct.run.config import TransportSection
from hydrostruct.run.gaps import failed_number, spectrum_numbers, table_numbers
from hydrostruct.transport.critical_current import fit_voltage_current
from hydrostruct.transport.critical_temperature import find_tc
from hydrostruct.transport.ic_result import CriticalCurrentFit
from hydrostruct.transport.read import read_resistance, read_voltage_currents
from hydrostruct.transport.tc_result import TC_NUMBERS, TcFit

Executor = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
TransportJob = tuple[str, str, str, float]


def analyse_transport(
    section: TransportSection, folder: Path, *, executor: Executor = map
) -> tuple[tuple[TransportNumber, ...], tuple[LinkedCurve, ...]]:
    """Every number of every curve.

    Parameters
    ----------
    section : TransportSection
        What the run.toml says.
    folder : Path
        Of the run.toml.
    executor : callable
        Maps a function over jobs, in their order.

    Returns
    -------
    numbers : tuple of TransportNumber
        A curve that cannot be read is one row, failed, with the reason.
    curves : tuple of LinkedCurve
        What the links need.

    Raises
    ------
    InputError
        When a pattern matches no file.
    """
    jobs = [
        (kind, name, _short(name, folder), current)
        for kind, pattern, current in (
            ("resistance", section.resistance, section.current_a or math.nan),
            ("voltage_current", section.voltage_current, math.nan),
        )
        for name in _files(pattern, kind, folder)
    ]
    numbers: list[TransportNumber] = []
    curves: list[LinkedCurve] = []
    for (kind, _, file, _), rows in zip(jobs, executor(analyse_curve, jobs), strict=True):
        numbers += rows
        tc = next((row for row in rows if row.quantity == "tc"), None)
        curves.append(
            LinkedCurve(
                kind=kind, file=file, tc_k=tc.value if tc else math.nan, tc_sigma_k=tc.sigma if tc else math.nan
            )
        )
    gaps = _gap_numbers(section, folder)
    numbers += gaps
    files = dict.fromkeys(row.file for row in gaps if row.file != section.conductance)
    curves += [LinkedCurve(kind="conductance", file=file, tc_k=math.nan, tc_sigma_k=math.nan) for file in files]
    return tuple(numbers), tuple(curves)


def _gap_numbers(section: TransportSection, folder: Path) -> list[TransportNumber]:
    """What the spectra say, alone and as a series, and what tables of gaps say."""
    spectra = _files(section.conductance, "conductance", folder)
    files = [_short(name, folder) for name in spectra]
    numbers = spectrum_numbers(spectra, files, series=section.conductance or "")
    tables = _files(section.gaps, "gaps", folder)
    return numbers + [row for name in tables for row in table_numbers(name, _short(name, folder))]


def analyse_curve(job: TransportJob) -> list[TransportNumber]:
    """The numbers of one curve; one failed row where it cannot be read."""
    kind, name, file, current_a = job
    try:
        if kind == "resistance":
            return _tc_rows(find_tc(read_resistance(name, current_a=current_a)), file)
        return [row for curve in read_voltage_currents(name) for row in _ic_rows(fit_voltage_current(curve), file)]
    except InputError as error:
        quantity, unit = ("tc", "K") if kind == "resistance" else ("ic", "A")
        return [failed_number(file, kind, quantity, unit, str(error))]


def _tc_rows(found: TcFit, file: str) -> list[TransportNumber]:
    pairs = [
        ("tc" if name == "tc" else name, getattr(found, f"{name}_k"), getattr(found, f"{name}_sigma_k"))
        for name in TC_NUMBERS
    ]
    pairs += [(f"tc_{number}", step.tc_k, step.tc_sigma_k) for number, step in enumerate(found.steps[1:], 2)]
    return [
        TransportNumber(
            file=file, kind="resistance", temperature_k=math.nan, quantity=name, value=value, sigma=sigma, unit="K",
            verdict=found.verdict, reason=found.reason,
        )
        for name, value, sigma in pairs
    ]  # fmt: skip


def _ic_rows(found: CriticalCurrentFit, file: str) -> list[TransportNumber]:
    reason = f"At {found.criterion_v:g} V. {found.reason}".strip()
    return [
        TransportNumber(
            file=file, kind="voltage_current", temperature_k=found.temperature_k, quantity=name, value=value,
            sigma=sigma, unit=unit, verdict=found.verdict, reason=reason,
        )
        for name, value, sigma, unit in (
            ("ic", found.ic_a, found.ic_sigma_a, "A"),
            ("n", found.n, found.n_sigma, ""),
        )
    ]  # fmt: skip


def _files(pattern: str | None, kind: str, folder: Path) -> tuple[str, ...]:
    if pattern is None:
        return ()
    path = str(folder / pattern)
    names = natural_order(glob.glob(path)) if glob.has_magic(path) else (path,)  # noqa: PTH207 - may be absolute
    if not names or (not glob.has_magic(path) and not Path(path).is_file()):
        raise InputError(f"{path}: no file matches transport.{kind}. Expected one or more. Check the pattern.")
    return names


def _short(name: str, folder: Path) -> str:
    try:
        return Path(name).resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return name
