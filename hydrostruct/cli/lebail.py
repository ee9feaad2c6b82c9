"""``hydrostruct lebail``: patterns and phases → cells with their uncertainties."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder
from hydrostruct.cli.lebail_files import draw_fits, fit_files
from hydrostruct.cli.lebail_output import failed_document, fit_document, format_fits, warning_notes
from hydrostruct.cli.lebail_words import (
    background_terms,
    by_record_name,
    excluded_regions,
    expand_files,
    start_cells,
    stresses,
)
from hydrostruct.cli.output import print_json, print_note
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION

if TYPE_CHECKING:
    from hydrostruct.xrd.map_result import MapFit


def lebail(
    patterns: Annotated[list[str], typer.Argument(help="1D patterns: .xy .xye .chi .fxye; a folder or a quoted glob.")],
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
        typer.Option(
            "--fix",
            help="Hold: cell, w, size, zero, displacement, u, v; NAME:word for one phase; kalpha2 and axial (none is "
            "there); repeat.",
        ),
    ] = None,
    instrument: Annotated[
        Path | None,
        typer.Option(
            "--instrument", help="Widths of the instrument, from calibrate-widths; a phase's own come on top."
        ),
    ] = None,
    common: Annotated[
        list[str] | None,
        typer.Option(
            "--common",
            help="All patterns as one fit with this in common: zero, displacement, widths, background; repeat.",
        ),
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
    from hydrostruct.xrd.instrument import read_widths
    from hydrostruct.xrd.pattern import PATTERN_SUFFIXES

    if pressure is not None and not 0 <= pressure <= 2000:
        raise InputError(f"--pressure is {pressure:g}. Expected GPa, from 0 to 2000, such as 95.")
    check_folder("--figure", figure)
    files = expand_files(patterns, suffixes=PATTERN_SUFFIXES)
    phases = [read_phase(name) for name in phase]
    starts = start_cells(phase, phases, cell or [], pressure)
    options: dict[str, Any] = {
        "cells": starts,
        "two_theta_deg": range_,
        "exclude_deg": excluded_regions(exclude),
        "background": background_terms(background),
        "instrument": None if instrument is None else read_widths(instrument),
        "free": tuple(by_record_name(word, phase, phases) for word in free or ()),
        "fix": tuple(by_record_name(word, phase, phases) for word in fix or ()),
        "search": search,
        "stress": stresses(stress or [], phase, phases),
        "wavelength_sigma_ang": wavelength_sigma,
        "distance_relative_sigma": distance_relative_sigma,
        "method": method,
        "loss": loss,
        "profile": profile,
    }
    if common:
        _check_common(common, options)
    measured = {"wavelength_ang": wavelength, "geometry": geometry}
    found = fit_files(files, phases, measured, options, common=common or ())
    fits, failures = found.fits, found.failures
    if len(failures) == len(files) == 1:
        raise InputError(failures[0][1])
    for _, message in failures:
        print_note(f"failed: {message}")
    if figure is not None:
        draw_fits(fits, figure)
    if json:
        given = [fit_document(fit) for fit in fits] + [failed_document(name, message) for name, message in failures]
        print_json(sorted(given, key=lambda item: files.index(item["file"])))
    else:
        print(format_fits(fits))
    if found.whole is not None:
        print_note(f"note: {_what_is_common(found.whole)}")
    attention = [fit for fit in fits if fit.verdict in NEEDS_ATTENTION]
    for fit in attention:
        print_note(f"attention: {fit.file}: {fit.verdict}. {fit.reason}")
    for note in warning_notes(fits):
        print_note(f"note: {note}")
    return 1 if attention or failures else 0


def _check_common(common: list[str], options: dict[str, Any]) -> None:
    from hydrostruct.xrd.fit_map import check_common

    check_common(common, method=options["method"], free=options["free"], fix=options["fix"])


def _what_is_common(whole: MapFit) -> str:
    from hydrostruct.run.whole_map import common_values

    return common_values(whole)
