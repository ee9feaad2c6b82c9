"""``hydrostruct lebail``: patterns and phases → cells with their uncertainties."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder, figure_title
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.errors import InputError
from hydrostruct.grid import natural_order
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

if TYPE_CHECKING:
    from hydrostruct.xrd.fit_result import PatternFit, PhaseFit
    from hydrostruct.xrd.pattern import Pattern

_CELL_WORDS = {
    "a": "a_ang",
    "b": "b_ang",
    "c": "c_ang",
    "alpha": "alpha_deg",
    "beta": "beta_deg",
    "gamma": "gamma_deg",
}
_NUMBERS = (
    *(f"{name}_ang" for name in "abc"),
    *(f"{name}_deg" for name in ("alpha", "beta", "gamma")),
    "volume_ang3",
    "volume_per_fu_ang3",
)
_EXTRA_NUMBERS = (
    "wavelength_ang",
    "background_terms",
    "zero_deg",
    "zero_sigma_deg",
    "displacement",
    "displacement_sigma",
)


_STRESS_FIELDS = ("stress", "stress_sigma", "stress_shape", "stress_shape_sigma", "stress_volume_ang3")


def lebail(
    patterns: Annotated[list[str], typer.Argument(help="1D patterns: .xy .xye .chi .fxye; a quoted glob works.")],
    wavelength: Annotated[float, typer.Option("--wavelength", help="Wavelength in Å.")],
    phase: Annotated[list[str], typer.Option("--phase", help="Library name, or .toml .cif .jcpds .eosmat; repeat.")],
    cell: Annotated[
        list[str] | None, typer.Option("--cell", help="Start of a cell, NAME:a=…,c=… in Å and degrees; repeat.")
    ] = None,
    pressure: Annotated[
        float | None, typer.Option("--pressure", help="Start the cells at this pressure in GPa, by equation of state.")
    ] = None,
    range_: Annotated[
        tuple[float, float] | None, typer.Option("--range", help="Range of 2θ in degrees.", metavar="LO HI")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="LO HI", help="Region to leave out, in degrees; repeat."),
    ] = None,
    background: Annotated[str, typer.Option("--background", help="Chebyshev terms, or auto.")] = "auto",
    geometry: Annotated[
        str,
        typer.Option(
            "--geometry", help="transmission, bragg-brentano (flat specimen, reflection) or unknown; for displacement."
        ),
    ] = "unknown",
    free: Annotated[
        list[str] | None,
        typer.Option(
            "--free",
            help="Free also: zero, displacement, u, v, p, strain, strain_axis, strain_oblique, strain_diagonal, "
            "stress, stress_shape; NAME:word for one phase; repeat.",
        ),
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option("--fix", help="Hold: cell, w, size, zero, displacement, u, v; NAME:word for one phase; repeat."),
    ] = None,
    stress: Annotated[
        list[str] | None,
        typer.Option(
            "--stress", metavar="NAME:Q", help="Deviatoric stress of a phase, t/6G, load along the beam; repeat."
        ),
    ] = None,
    search: Annotated[str, typer.Option("--search", help="Look for other cells: auto, never, always.")] = "auto",
    method: Annotated[
        str, typer.Option("--method", help="Intensities: pawley (least squares) or le-bail (classical partition).")
    ] = "pawley",
    loss: Annotated[
        str, typer.Option("--loss", help="squares; or soft-l1, cauchy, which let leftover spots stand apart.")
    ] = "squares",
    profile: Annotated[
        str, typer.Option("--profile", help="auto learns a shape that all lines share; pseudo-voigt never does.")
    ] = "auto",
    wavelength_sigma: Annotated[
        float | None, typer.Option("--wavelength-sigma", help="Its uncertainty in Å, for the systematic part.")
    ] = None,
    distance_relative_sigma: Annotated[
        float | None,
        typer.Option(
            "--distance-relative-sigma", help="Of the detector (none in bragg-brentano), for the systematic part."
        ),
    ] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw each fit as a PNG into this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Fit cells of one or more phases to 1D patterns (Le Bail), with uncertainties.

    Example: hydrostruct lebail scan.xye --wavelength 0.6199 --phase CeH9-P63mmc --phase CeH4-I4mmm --range 5 25
    """
    from hydrostruct.material.phase import read_phase

    if pressure is not None and not 0 <= pressure <= 2000:
        raise InputError(f"--pressure is {pressure:g}. Expected GPa, from 0 to 2000, such as 95.")
    check_folder("--figure", figure)
    files = expand_files(patterns)
    phases = [read_phase(name) for name in phase]
    starts = start_cells(phase, phases, cell or [], pressure)
    options: dict[str, Any] = {
        "cells": starts,
        "two_theta_deg": range_,
        "exclude_deg": excluded_regions(exclude),
        "background": _background(background),
        "free": tuple(_by_record_name(word, phase, phases) for word in free or ()),
        "fix": tuple(_by_record_name(word, phase, phases) for word in fix or ()),
        "search": search,
        "stress": _stresses(stress or [], phase, phases),
        "wavelength_sigma_ang": wavelength_sigma,
        "distance_relative_sigma": distance_relative_sigma,
        "method": method,
        "loss": loss,
        "profile": profile,
    }
    fits, failures = _fit_files(files, phases, {"wavelength_ang": wavelength, "geometry": geometry}, options)
    if len(failures) == len(files) == 1:
        raise InputError(failures[0][1])
    for _, message in failures:
        print_note(f"failed: {message}")
    if figure is not None:
        _draw(fits, figure)
    if json:
        given = [fit_document(fit) for fit in fits] + [failed_document(name, message) for name, message in failures]
        print_json(sorted(given, key=lambda item: files.index(item["file"])))
    else:
        print(format_fits(fits))
    attention = [fit for fit in fits if fit.verdict in NEEDS_ATTENTION]
    for fit in attention:
        print_note(f"attention: {fit.file}: {fit.verdict}. {fit.reason}")
    for note in warning_notes(fits):
        print_note(f"note: {note}")
    return 1 if attention or failures else 0


def excluded_regions(given: list[str] | None) -> tuple[tuple[float, float], ...]:
    """Regions of ``--exclude LO HI``, in degrees."""
    return tuple(_pair(text) for text in given or ())


def expand_files(patterns: list[str]) -> list[str]:
    """Names of files, globs opened in natural order.

    Parameters
    ----------
    patterns : list of str
        Paths, and globs that the shell did not open.

    Returns
    -------
    list of str
        Each file once, in the order given.

    Raises
    ------
    InputError
        For a glob that matches nothing.
    """
    import glob

    files: list[str] = []
    for pattern in patterns:
        is_glob = glob.has_magic(pattern) and not Path(pattern).exists()
        found = natural_order(glob.glob(pattern)) if is_glob else (pattern,)  # noqa: PTH207 - may be absolute
        if not found:
            raise InputError(f"{pattern}: no file matches. Expected one or more. Check the folder and the name.")
        files.extend(name for name in found if name not in files)
    return files


def start_cells(given: list[str], phases: list[Any], cells: list[str], pressure: float | None) -> dict[str, Any]:
    """Starts of the cells by the names that the records carry: from an equation of state, then from ``--cell``.

    Parameters
    ----------
    given : list of str
        The phases as the user named them.
    phases : list of Phase
        What they are.
    cells : list of str
        ``NAME:a=…,c=…``.
    pressure : float, optional
        In GPa.

    Returns
    -------
    dict
        Cell, or free parameters, by name of phase.
    """
    starts: dict[str, Any] = {}
    if pressure is not None:
        from hydrostruct.material.phase import start_at

        for one in phases:
            start = start_at(one, pressure)
            if start is not None:
                starts[one.name] = start
            else:
                print_note(
                    f"note: {one.name}: no equation of state moves its cell to {pressure:g} GPa; the start is its own."
                )
    for text in cells:
        name, _, words = text.rpartition(":")
        record = _by_record_name(f"{name}:", given, phases)[:-1]
        system = next((one.system for one in phases if one.name == record), None)
        starts[record] = {**_as_parameters(starts.get(record), system), **_cell_words(text, words)}
    return starts


def fit_document(fit: PatternFit) -> dict[str, Any]:
    """A fit under the names that JSON promises."""
    fields = ("file", "verdict", "reason", "rp_percent", "rwp_percent", "rwp_background_corrected_percent")
    document = {name: getattr(fit, name) for name in (*fields, "rexp_percent", "gof", "seconds")}
    document |= {name: getattr(fit, name) for name in _EXTRA_NUMBERS}
    document["geometry"] = fit.geometry
    document["foreign_lines_deg"] = fit.foreign_lines_deg
    document["warnings"] = list(fit.warnings)
    document["phases"] = {name: _phase_document(found) for name, found in fit.phases.items()}
    return document


def failed_document(file: str, message: str) -> dict[str, Any]:
    """What JSON says of a pattern that could not be fitted: no number, a reason."""
    numbers = ("rp_percent", "rwp_percent", "rwp_background_corrected_percent", "rexp_percent", "gof", "seconds")
    return {
        "file": file,
        "verdict": Verdict.FAILED,
        "reason": message,
        **dict.fromkeys((*numbers, *_EXTRA_NUMBERS, "geometry")),
        "foreign_lines_deg": [],
        "warnings": [],
        "phases": {},
    }


def format_fits(fits: list[PatternFit]) -> str:
    """Tables for people: one of the patterns, one of the phases."""
    patterns = [
        [fit.file, fit.verdict, *(f"{v:.3g}" for v in (fit.rp_percent, fit.rwp_percent, fit.rexp_percent, fit.gof))]
        for fit in fits
    ]
    rows = [
        [
            fit.file,
            found.name,
            found.verdict,
            *(format_value(getattr(found, f"{n}_ang"), getattr(found, f"{n}_sigma_ang")) for n in "abc"),
            format_value(found.volume_ang3, found.volume_sigma_ang3),
            format_value(found.volume_per_fu_ang3, found.volume_per_fu_sigma_ang3),
            format_value(found.share, found.share_sigma),
            f"{found.significance:.1f}",
            str(found.free_lines),
        ]
        for fit in fits
        for found in fit.phases.values()
    ]
    angles = [_angles(fit.file, found) for fit in fits for found in fit.phases.values() if _has_free_angle(found)]
    angles += [line for fit in fits for line in (*_shifts(fit), *_systematics(fit))]
    lines = [
        format_table(patterns, header=["pattern", "verdict", "Rp %", "Rwp %", "Rexp %", "GOF"]),
        "",
        format_table(
            rows,
            header=[
                "pattern",
                "phase",
                "verdict",
                "a Å",
                "b Å",
                "c Å",
                "V Å³",
                "V/f.u. Å³",
                "share",
                "sigmas",
                "free lines",
            ],
        ),
        *(["", *angles] if angles else []),
        "",
        "Uncertainties in brackets are one standard deviation of the last digits, scaled by max(1, GOF) and for serial",
        "correlation. A share of Bragg area is not a phase fraction.",
    ]
    reasons = [f"{fit.file}: {fit.reason}" for fit in fits if fit.reason]
    return "\n".join([*lines, *reasons])


def _fit_files(
    files: list[str], phases: list[Any], measured: dict[str, Any], options: dict[str, Any]
) -> tuple[list[PatternFit], list[tuple[str, str]]]:
    from hydrostruct.xrd.lebail import fit_patterns
    from hydrostruct.xrd.pattern import read_pattern

    read, failures = [], []
    for name in files:
        try:
            read.append(read_pattern(name, **measured))
        except InputError as error:
            if "the wavelength is" in str(error) or "the geometry is" in str(error):
                raise
            failures.append((name, str(error)))
    if not read:
        return [], failures
    try:
        return fit_patterns(read, phases, **options), failures
    except InputError:
        if len(read) == 1 and not failures:
            raise
        return _fit_what_can_be(read, phases, options, failures)


def _fit_what_can_be(
    read: list[Pattern], phases: list[Any], options: dict[str, Any], failures: list[tuple[str, str]]
) -> tuple[list[PatternFit], list[tuple[str, str]]]:
    """The fits of those patterns that can be fitted; when none can, the options are wrong, not the patterns."""
    from hydrostruct.xrd.lebail import fit_patterns

    good, bad = [], []
    for pattern in read:
        try:
            fit_patterns([pattern], phases, **{**options, "search": "never"})
        except InputError as error:
            bad.append((pattern.name, error))
        else:
            good.append(pattern)
    if not good:
        raise bad[0][1]
    return fit_patterns(good, phases, **options), failures + [(name, str(error)) for name, error in bad]


def _phase_document(found: PhaseFit) -> dict[str, Any]:
    document: dict[str, Any] = {
        "verdict": found.verdict,
        "reason": found.reason,
        "detected": found.detected,
        "significance": found.significance,
    }
    for name in _NUMBERS:
        stem, unit = name.rsplit("_", 1)
        for kind in ("", "_sigma", "_statistical", "_systematic"):
            document[f"{stem}{kind}_{unit}"] = getattr(found, f"{stem}{kind}_{unit}")
    document.update(share=found.share, share_sigma=found.share_sigma, free_lines=found.free_lines)
    document.update({name: getattr(found, name) for name in _STRESS_FIELDS})
    document["widths"] = {name: getattr(found.widths, name) for name in found.widths.__dataclass_fields__}
    lines = found.lines
    document["lines"] = [
        {
            "hkl": hkl.tolist(),
            "two_theta_deg": position,
            "intensity": intensity,
            "intensity_sigma": sigma,
            "width_deg": width,
        }
        for hkl, position, intensity, sigma, width in zip(
            lines.hkl, lines.two_theta_deg, lines.intensity, lines.intensity_sigma, lines.width_deg, strict=True
        )
    ]
    return document


def _background(text: str) -> str | int:
    if text == "auto":
        return text
    if not re.fullmatch(r"[0-9]+", text):
        raise InputError(f"--background: {text!r} is not a number of terms. Expected auto, or 1 to 60.")
    return int(text)


def _pair(text: str) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in text.split())
    except ValueError as error:
        raise InputError(f"--exclude: {text!r} is not a region. Expected two angles in degrees, LO HI.") from error
    return low, high


def _cell_words(text: str, words: str) -> dict[str, float]:
    values = {}
    for word in words.split(","):
        key, _, number = word.partition("=")
        if key.strip() not in _CELL_WORDS:
            raise InputError(f"--cell {text!r}: {word!r} is not understood. Expected NAME:a=…,c=… in Å and degrees.")
        try:
            values[_CELL_WORDS[key.strip()]] = float(number)
        except ValueError as error:
            raise InputError(f"--cell {text!r}: {number!r} is not a number. Expected NAME:a=…,c=….") from error
    return values


def _as_parameters(start: Any, system: Any) -> dict[str, float]:
    """The free parameters of a start, so that some of them can be given anew."""
    from hydrostruct.material.cell import FREE_PARAMETERS, Cell

    if isinstance(start, Cell):
        return {name: getattr(start, name) for name in FREE_PARAMETERS[system]}
    return start or {}


def _by_record_name(word: str, given: list[str], phases: list[Any]) -> str:
    """Words name a phase as the user did; the fit knows it by its record's name."""
    name, colon, what = word.rpartition(":")
    for said, record in zip(given, phases, strict=True):
        if name in (said, record.name, Path(said).name, Path(said).stem):
            return f"{record.name}{colon}{what}"
    return word


def _stresses(given: list[str], phase: list[str], phases: list[Any]) -> dict[str, float]:
    """Stresses of ``--stress NAME:Q``, by the names of the records."""
    found = {}
    for text in given:
        name, _, value = _by_record_name(text, phase, phases).rpartition(":")
        try:
            found[name] = float(value)
        except ValueError:
            raise InputError(f"--stress is {text!r}. Expected NAME:Q, such as Re:0.002.") from None
    return found


def _has_free_angle(found: PhaseFit) -> bool:
    return any(getattr(found, f"{name}_sigma_deg") > 0 for name in ("alpha", "beta", "gamma"))


def _angles(file: str, found: PhaseFit) -> str:
    values = (
        f"{name} {format_value(getattr(found, f'{name}_deg'), getattr(found, f'{name}_sigma_deg'))}°"
        for name in ("alpha", "beta", "gamma")
    )
    return f"{file}: {found.name}: " + ", ".join(values)


def warning_notes(fits: list[PatternFit]) -> list[str]:
    """The warnings of all fits, each once: of one pattern among several with its file, of more with their number."""
    where: dict[str, list[str]] = {}
    for fit in fits:
        for warning in fit.warnings:
            where.setdefault(warning, []).append(fit.file)
    if len(fits) == 1:
        return list(where)
    return [
        f"{files[0]}: {warning}" if len(files) == 1 else f"{len(files)} patterns: {warning}"
        for warning, files in where.items()
    ]


def _shifts(fit: PatternFit) -> list[str]:
    """What was found for the zero and the displacement, where they were free."""
    shifts = []
    if fit.zero_sigma_deg > 0:
        shifts.append(f"{fit.file}: zero {format_value(fit.zero_deg, fit.zero_sigma_deg)}°")
    if fit.displacement_sigma > 0:
        found = format_value(1e6 * fit.displacement, 1e6 * fit.displacement_sigma)
        what = f"displacement along the beam {found} millionths of the distance"
        if fit.geometry == "bragg-brentano":
            what = f"displacement below the axis {found} millionths of the goniometer's radius"
        shifts.append(f"{fit.file}: {what}")
    return shifts


def _systematics(fit: PatternFit) -> list[str]:
    """The part of the uncertainty that all patterns share, where the wavelength's or the distance's was given."""
    lines = []
    for found in fit.phases.values():
        parts = [(axis, getattr(found, f"{axis}_systematic_ang"), "Å") for axis in "abc"]
        parts.append(("V", found.volume_systematic_ang3, "Å³"))
        if any(math.isfinite(value) for _, value, _ in parts):
            words = ", ".join(f"{name} {value:.2g} {unit}" for name, value, unit in parts)
            lines.append(f"{fit.file}: {found.name}: systematic, common to all patterns: {words}")
    return lines


def _draw(fits: list[PatternFit], folder: Path) -> None:
    from hydrostruct.report.figures import save_fit_figure

    stems = [Path(fit.file).stem for fit in fits]
    for fit, stem in zip(fits, stems, strict=True):
        name = stem
        if stems.count(stem) > 1:  # of several folders: the whole path keeps them apart
            parts = Path(fit.file).resolve().with_suffix("").parts[1:]
            name = "-".join(parts)
        title = figure_title([fit.file], Path(fit.file).name)
        path = save_fit_figure(fit, folder / f"{name}_lebail.png", title=title)
        print_note(f"figure: {path}")
