"""``hydrostruct calibrate-widths``: a calibrant's pattern → the instrument's widths."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.errors import InputError

if TYPE_CHECKING:
    from hydrostruct.xrd.calibrate import InstrumentWidths


def calibrate_widths(
    pattern: Annotated[str, typer.Argument(help="1D pattern of a calibrant: .xy .xye .chi .fxye.")],
    wavelength: Annotated[float, typer.Option("--wavelength", help="Wavelength in Å.")],
    phase: Annotated[str, typer.Option("--phase", help="The calibrant: LaB6, CeO2, Si, or a file.")],
    range_: Annotated[
        tuple[float, float] | None, typer.Option("--range", help="Range of 2θ in degrees.", metavar="LO HI")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="LO HI", help="Region to leave out, in degrees; repeat.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("widths.toml"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Fit the instrument's widths to a calibrant; ``lebail --instrument`` and a run's ``instrument`` hold them.

    Example: hydrostruct calibrate-widths CeO2.xye --wavelength 0.4066 --phase CeO2 --range 5 25
    """
    from hydrostruct.cli.lebail_words import excluded_regions
    from hydrostruct.material.phase import read_phase
    from hydrostruct.xrd.calibrate import calibrate_widths as calibrate
    from hydrostruct.xrd.instrument import write_widths
    from hydrostruct.xrd.pattern import read_pattern

    if out.is_dir():
        raise InputError(f"{out}: is a folder. Expected a file to write, such as widths.toml. Name one.")
    measured = read_pattern(pattern, wavelength_ang=wavelength)
    found = calibrate(measured, read_phase(phase), two_theta_deg=range_, exclude_deg=excluded_regions(exclude))
    about: dict[str, str | float] = {"pattern": pattern, "phase": phase, "wavelength_ang": wavelength}
    about |= {f"{name.replace('_', '_sigma_', 1)}": sigma for name, sigma in found.sigmas.items()}
    write_widths(found.widths, out, about=about)
    if json:
        print_json(_document(found, pattern, out))
    else:
        print(_table(found))
        print_note(f"written to {out}")
    if found.fit.verdict != "converged":
        print_note(f"attention: {pattern}: {found.fit.verdict}. {found.fit.reason}")
        return 1
    return 0


def _widths_at(found: InstrumentWidths) -> list[tuple[float, float, float]]:
    import numpy as np

    from hydrostruct.xrd.calibrate import full_widths

    angles = found.fit.two_theta_deg[found.fit.fitted]
    places = np.linspace(angles[0], angles[-1], 5)
    width, sigma = full_widths(found, places)
    return list(zip(places.tolist(), width.tolist(), sigma.tolist(), strict=True))


def _document(found: InstrumentWidths, pattern: str, out: Path) -> dict[str, Any]:
    return {
        "file": pattern,
        "verdict": found.fit.verdict,
        "reason": found.fit.reason,
        "widths": asdict(found.widths),
        "sigmas": found.sigmas,
        "full_widths": [
            {"two_theta_deg": angle, "full_width_deg": width, "full_width_sigma_deg": sigma}
            for angle, width, sigma in _widths_at(found)
        ],
        "rwp_percent": found.fit.rwp_percent,
        "gof": found.fit.gof,
        "out": str(out),
    }


def _table(found: InstrumentWidths) -> str:
    terms = asdict(found.widths)
    rows = [[name, format_value(terms[name], found.sigmas[name])] for name in terms if name in found.sigmas]
    places = [[f"{angle:.2f}", format_value(width, sigma)] for angle, width, sigma in _widths_at(found)]
    note = "The calibrant's own grains and strain are part of it."
    first = format_table(rows, header=["term", "value"])
    return "\n".join([first, "", format_table(places, header=["2θ degrees", "full width degrees"]), "", note])
