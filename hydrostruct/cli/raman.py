"""``hydrostruct raman``: spectra → diamond edge, hydrogen vibron, lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder, figure_title
from hydrostruct.cli.lebail_words import expand_files
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.cli.raman_compare import compare
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

if TYPE_CHECKING:
    from hydrostruct.raman.axis import AxisCalibration
    from hydrostruct.raman.cooling import ColdPressure
    from hydrostruct.raman.edge_fit import EdgeFit
    from hydrostruct.raman.edge_pressure import EdgePressure
    from hydrostruct.raman.spectrum import Spectrum
    from hydrostruct.raman.vibron import VibronFit

raman = typer.Typer(
    name="raman",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Raman spectra: pressure from the diamond edge, the hydrogen vibron, any lines.",
)

Files = Annotated[list[str], typer.Argument(help="Spectra: text, .wdf, .spe, .spc; a quoted glob works.")]
Laser = Annotated[float | None, typer.Option("--laser", help="Laser line in nm, for an axis in nm or eV.")]
Axis = Annotated[str, typer.Option("--axis", help="Unit of the axis: auto, cm1, nm, ev.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Range = Annotated[tuple[float, float] | None, typer.Option("--range", help="Range in cm⁻¹.", metavar="LO HI")]
Despike = Annotated[bool, typer.Option("--despike", help="Leave out cosmic rays first, and say how many.")]
Smooth = Annotated[float | None, typer.Option("--smooth", help="Smooth first, over this width in cm⁻¹.")]
Baseline = Annotated[
    str | None, typer.Option("--baseline", help="Take off a baseline first: arpls, asls, snip, modpoly.")
]
Neon = Annotated[
    Path | None, typer.Option("--neon", help="Spectrum of a neon lamp at the same setting: calibrates the axis.")
]
LaserSigma = Annotated[
    float | None, typer.Option("--laser-sigma", help="Uncertainty of the laser line in nm, beside --neon.")
]

_EDGE_NUMBERS = ("edge_cm1", "edge_sigma_cm1", "edge_statistical_cm1", "edge_systematic_cm1", "width_cm1", "contrast")
_VIBRON_NUMBERS = (
    "vibron_cm1", "vibron_sigma_cm1", "width_cm1", "width_sigma_cm1", "height", "height_sigma", "significance",
    "height_upper_limit",
)  # fmt: skip
_COLD_NUMBERS = (
    "temperature_k", "pressure_cold_gpa", "pressure_cold_sigma_gpa", "cooling_shift_gpa", "cooling_shift_sigma_gpa",
    "cooling_source",
)  # fmt: skip
_PRESSURE_NUMBERS = ("pressure_gpa", "pressure_sigma_gpa", "pressure_systematic_gpa", "spread_gpa")


@raman.command()
def edge(
    files: Files,
    scale: Annotated[
        str, typer.Option("--scale", help="Edge scale, or the path of a .toml of your own.")
    ] = "akahama2006",
    near: Annotated[float | None, typer.Option("--near", help="Take the step nearest to this, in cm⁻¹.")] = None,
    pressure: Annotated[
        tuple[float, float] | None,
        typer.Option("--pressure", help="Range of pressure in GPa that the edge lies in.", metavar="LO HI"),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Give the pressure at this temperature too, in K.")
    ] = None,
    cooling_shift: Annotated[
        tuple[float, float] | None,
        typer.Option("--cooling-shift", help="Your cell's shift to 0 K and its sigma, in GPa.", metavar="GPA SIGMA"),
    ] = None,
    laser: Laser = None,
    axis: Axis = "auto",
    axis_sigma: Annotated[
        float | None, typer.Option("--axis-sigma", help="Uncertainty of the axis in cm⁻¹, for the systematic part.")
    ] = None,
    neon: Neon = None,
    laser_sigma: LaserSigma = None,
    despike: Despike = False,
    smooth: Smooth = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw each edge as a PNG into this folder.")] = None,
    json: Json = False,
) -> int:
    """Find the diamond edge and give the pressure.

    Example: hydrostruct raman edge "edge/*.txt" --scale akahama2006 --json
    """
    from dataclasses import replace

    from hydrostruct.raman.edge import find_edge
    from hydrostruct.raman.edge_pressure import read_edge_pressure
    from hydrostruct.raman.scales import read_scale

    if axis_sigma is not None and not (math.isfinite(axis_sigma) and axis_sigma >= 0):
        raise InputError(f"--axis-sigma is {axis_sigma:g}. Expected cm⁻¹, 0 or above. Correct it.")
    if axis_sigma is not None and neon is not None:
        raise InputError("--axis-sigma and --neon are given both. Expected one: the lamp gives the uncertainty.")
    _check_axis(laser=laser, axis=axis, neon=neon, laser_sigma=laser_sigma)
    if cooling_shift is not None and temperature is None:
        raise InputError("--cooling-shift is given without --temperature. Expected both. Give the temperature in K.")
    check_folder("--figure", figure)
    read_scale(scale)
    limits = None if pressure is None else _edges_between(pressure, scale)
    if temperature is not None:
        _cold(50.0, 0.0, temperature, cooling_shift)  # wrong numbers are refused before the work
    calibration = None if neon is None else _calibration(neon, laser=laser, axis=axis, laser_sigma=laser_sigma)

    def analyse(spectrum: Spectrum) -> dict[str, Any]:
        spectrum = _prepared(spectrum, despike=despike, smooth_cm1=smooth)
        if axis_sigma is not None:
            spectrum = replace(spectrum, axis_sigma_cm1=axis_sigma)
        if calibration is not None:
            spectrum = _calibrated(spectrum, calibration)
        found = find_edge(spectrum, near_cm1=near, range_cm1=limits)
        if calibration is not None:
            found = _with_axis_sigma(found, calibration)
        read = read_edge_pressure(
            found.edge_cm1, found.edge_sigma_cm1, axis_sigma_cm1=found.edge_systematic_cm1, scale=scale
        )
        if figure is not None:
            print_note(f"figure: {_draw_edge(found, figure)}")
        document = edge_document(found, read)
        return document if temperature is None else document | _cold_document(read, temperature, cooling_shift)

    documents = _each(
        files, analyse, laser=laser, axis=axis, failed=lambda file, why: _failed_edge(file, why, scale, temperature)
    )
    return _finish(documents, json, _edge_table)


@raman.command()
def vibron(
    files: Files,
    edge_pressure: Annotated[
        float | None, typer.Option("--edge-pressure", help="Pressure of the diamond edge in GPa: chooses the branch.")
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="Shape of the line: pseudo-voigt, fano, auto.")
    ] = "pseudo-voigt",
    laser: Laser = None,
    axis: Axis = "auto",
    neon: Neon = None,
    laser_sigma: LaserSigma = None,
    despike: Despike = False,
    smooth: Smooth = None,
    baseline: Baseline = None,
    json: Json = False,
) -> int:
    """Find the hydrogen vibron and give both of its pressures.

    Example: hydrostruct raman vibron "vibron/*.txt" --edge-pressure 93.5 --json
    """
    from hydrostruct.raman.vibron import PROFILES, find_vibron

    if edge_pressure is not None and not 0 <= edge_pressure <= 1000:
        raise InputError(f"--edge-pressure is {edge_pressure:g}. Expected GPa, from 0 to 1000, such as 95.")
    if profile not in PROFILES:
        raise InputError(f"--profile is {profile!r}. Expected one of {', '.join(PROFILES)}. Choose one.")
    _check_axis(laser=laser, axis=axis, neon=neon, laser_sigma=laser_sigma)
    calibration = None if neon is None else _calibration(neon, laser=laser, axis=axis, laser_sigma=laser_sigma)

    def analyse(spectrum: Spectrum) -> dict[str, Any]:
        spectrum = _prepared(spectrum, despike=despike, smooth_cm1=smooth, baseline=baseline)
        if calibration is not None:
            spectrum = _calibrated(spectrum, calibration)
        return vibron_document(find_vibron(spectrum, edge_pressure_gpa=edge_pressure, profile=profile))

    documents = _each(files, analyse, laser=laser, axis=axis, failed=_failed_vibron)
    return _finish(documents, json, _vibron_table)


@raman.command()
def peaks(
    files: Files,
    range_: Range = None,
    laser: Laser = None,
    axis: Axis = "auto",
    despike: Despike = False,
    smooth: Smooth = None,
    baseline: Baseline = None,
    json: Json = False,
) -> int:
    """Find and fit all lines of a spectrum.

    Example: hydrostruct raman peaks sample.txt --range 100 900 --json
    """
    from hydrostruct.raman.lines import find_lines

    check_range(range_)
    _check_axis(laser=laser, axis=axis)

    def analyse(spectrum: Spectrum) -> dict[str, Any]:
        spectrum = _prepared(spectrum, despike=despike, smooth_cm1=smooth, baseline=baseline)
        found = find_lines(spectrum, range_cm1=range_)
        return {
            "file": spectrum.name,
            "verdict": Verdict.CONVERGED if found else Verdict.ABSENT,
            "reason": "" if found else "No line stands above the noise.",
            "notes": list(spectrum.notes),
            "peaks": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found],
        }

    def failed(file: str, message: str) -> dict[str, Any]:
        return {"file": file, "verdict": Verdict.FAILED, "reason": message, "notes": [], "peaks": []}

    return _finish(_each(files, analyse, laser=laser, axis=axis, failed=failed), json, _peak_table)


raman.command(name="compare")(compare)


def _prepared(spectrum: Spectrum, **options: Any) -> Spectrum:
    """A spectrum after what the options ask for, each step said."""
    from hydrostruct.raman.prepare import prepare_spectrum

    found = prepare_spectrum(spectrum, **options)
    for note in found.notes[len(spectrum.notes) :]:
        print_note(f"note: {spectrum.name}: {note}")
    return found


def check_range(given: tuple[float, float] | None) -> None:
    """Refuse a ``--range`` that is none.

    Raises
    ------
    InputError
        When it does not rise.
    """
    if given is not None and not given[0] < given[1]:
        raise InputError(f"--range is {given[0]:g} {given[1]:g}. Expected two rising cm⁻¹, such as 100 900.")


def _check_axis(*, laser: float | None, axis: str, neon: Path | None = None, laser_sigma: float | None = None) -> None:
    """Refuse an option that another, or its absence, leaves without effect."""
    if laser_sigma is not None and neon is None:
        raise InputError(
            "--laser-sigma is given without --neon. Expected both: it is a part of what a lamp leaves open. For an "
            "edge without a lamp give --axis-sigma in cm⁻¹."
        )
    if laser is not None and axis == "cm1" and neon is None:
        raise InputError("--laser is given with --axis cm1. Expected one: shifts in cm⁻¹ need no laser. Leave one out.")


def _edges_between(pressure: tuple[float, float], scale: str) -> tuple[float, float]:
    from hydrostruct.raman.edge_pressure import edge_from_pressure

    if not pressure[0] < pressure[1]:
        raise InputError(f"--pressure is {pressure[0]:g} {pressure[1]:g}. Expected two rising GPa, such as 80 120.")
    low, high = (float(edge_from_pressure(one, scale=scale)) for one in pressure)
    return low, high


def _calibration(neon: Path, *, laser: float | None, axis: str, laser_sigma: float | None) -> AxisCalibration:
    """Calibration by a lamp's spectrum, said on standard error; refused where the lamp's lines do not match."""
    from hydrostruct.raman.axis import calibrate_axis
    from hydrostruct.raman.read import read_spectrum

    lamp = read_spectrum(neon, laser_nm=laser, axis=axis)
    found = calibrate_axis(lamp, laser_sigma_nm=0.0 if laser_sigma is None else laser_sigma)
    if not math.isfinite(found.shift_cm1) or found.verdict is not Verdict.CONVERGED:
        raise InputError(f"--neon {neon}: {found.reason} Expected neon lines. Check the file and the laser line.")
    stretch = f", stretch {1e3 * found.stretch:+.3f} per 1000" if found.stretch_sigma > 0 else ""
    print_note(
        f"axis: {found.measured_cm1.size} lines of neon: {found.shift_cm1:+.2f} ± {found.shift_sigma_cm1:.2f} cm⁻¹ at "
        f"{found.centre_cm1:.0f}{stretch}; {found.verdict}. {found.reason}"
    )
    return found


def _calibrated(spectrum: Spectrum, calibration: AxisCalibration) -> Spectrum:
    from hydrostruct.raman.axis import corrected_spectrum

    return corrected_spectrum(spectrum, calibration)


def _with_axis_sigma(found: EdgeFit, calibration: AxisCalibration) -> EdgeFit:
    """The axis is better known at the edge than at the worst place of the spectrum."""
    from dataclasses import replace

    from hydrostruct.raman.axis import axis_correction

    if math.isnan(found.edge_cm1):
        return found
    return replace(found, edge_systematic_cm1=float(axis_correction(calibration, found.edge_cm1)[1]))


def _cold(pressure: float, sigma: float, temperature: float, shift: tuple[float, float] | None) -> ColdPressure:
    from hydrostruct.raman.cooling import cold_pressure

    own = {} if shift is None else {"shift_gpa": shift[0], "shift_sigma_gpa": shift[1]}
    return cold_pressure(pressure, temperature, pressure_sigma_gpa=sigma, **own)


def _cold_document(read: EdgePressure, temperature: float, shift: tuple[float, float] | None) -> dict[str, Any]:
    cold = _cold(read.pressure_gpa, read.pressure_sigma_gpa, temperature, shift)
    return {
        "temperature_k": cold.temperature_k,
        "pressure_cold_gpa": cold.pressure_gpa,
        "pressure_cold_sigma_gpa": cold.pressure_sigma_gpa,
        "cooling_shift_gpa": cold.shift_gpa,
        "cooling_shift_sigma_gpa": cold.shift_sigma_gpa,
        "cooling_source": cold.source,
    }


def vibron_document(found: VibronFit) -> dict[str, Any]:
    """A vibron under the names that JSON promises."""
    return {
        "file": found.file,
        "verdict": found.verdict,
        "reason": found.reason,
        **{name: getattr(found, name) for name in _VIBRON_NUMBERS},
        "branches": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.branches],
        "profile": found.profile or None,
        "asymmetry": found.asymmetry,
        "asymmetry_sigma": found.asymmetry_sigma,
        "lines": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.lines],
        "isotopes": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.isotopes],
    }


def _failed_vibron(file: str, message: str) -> dict[str, Any]:
    return {"file": file, "verdict": Verdict.FAILED, "reason": message, **dict.fromkeys(_VIBRON_NUMBERS),
            "branches": [], "profile": None, "asymmetry": None, "asymmetry_sigma": None, "lines": [],
            "isotopes": []}  # fmt: skip


def _vibron_table(documents: list[dict[str, Any]]) -> str:
    rows = []
    for one in documents:
        pressures = {
            branch["branch"]: format_value(branch["pressure_gpa"], branch["pressure_sigma_gpa"])
            for branch in one["branches"]
        }
        rows.append([
            one["file"], str(one["verdict"]), _value(one, "vibron_cm1"), _value(one, "width_cm1"),
            pressures.get("lower", "n/a"), pressures.get("upper", "n/a"),
        ])  # fmt: skip
    header = ["spectrum", "verdict", "vibron cm⁻¹", "width cm⁻¹", "P GPa, lower branch", "P GPa, upper branch"]
    return "\n".join([
        format_table(rows, header=header), "",
        "One shift has two pressures, below and above the maximum near 38 GPa. The upper branch is an interpolation",
        "through the paper's own point: it is no independent check of a pressure.",
        *(f"{one['file']}: {one['reason']}" for one in documents if one["reason"]),
        *(f"{one['file']}: Fano's asymmetry 1/q {format_value(one['asymmetry'], one['asymmetry_sigma'])}"
          for one in documents if one["profile"] == "fano"),
        *(f"{one['file']}: {line['isotope']} may lie at {format_value(line['vibron_cm1'], line['vibron_sigma_cm1'])} "
          "cm⁻¹; it is no pressure of H2." for one in documents for line in one["isotopes"]),
    ])  # fmt: skip


def _peak_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [one["file"], _value(peak, "position_cm1"), _value(peak, "width_cm1"), f"{peak['height']:.4g}",
         f"{peak['significance']:.1f}", str(peak["verdict"])]
        for one in documents for peak in one["peaks"]
    ]  # fmt: skip
    return format_table(rows, header=["spectrum", "line cm⁻¹", "width cm⁻¹", "height", "sigmas", "verdict"])


def edge_document(found: EdgeFit, read: EdgePressure) -> dict[str, Any]:
    """An edge and its pressure under the names that JSON promises."""
    outside = read.reason and math.isnan(read.pressure_gpa)
    return {
        "file": found.file,
        "verdict": Verdict.DOUBTFUL if outside and found.verdict is Verdict.CONVERGED else found.verdict,
        "reason": " ".join(word for word in (found.reason, read.reason) if word),
        **{name: getattr(found, name) for name in _EDGE_NUMBERS},
        "ambiguous": found.ambiguous,
        "candidates": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.candidates],
        "scale": read.scale,
        "primary_standard": read.primary_standard,
        **{name: getattr(read, name) for name in _PRESSURE_NUMBERS},
        "scales": dict(read.scales),
    }


def _failed_edge(file: str, message: str, scale: str, temperature: float | None) -> dict[str, Any]:
    cold = {} if temperature is None else dict.fromkeys(_COLD_NUMBERS) | {"temperature_k": temperature}
    return {
        "file": file,
        "verdict": Verdict.FAILED,
        "reason": message,
        **dict.fromkeys((*_EDGE_NUMBERS,)),
        "ambiguous": False,
        "candidates": [],
        "scale": scale,
        "primary_standard": None,
        **dict.fromkeys(_PRESSURE_NUMBERS),
        "scales": {},
        **cold,
    }


def _each(
    files: list[str],
    analyse: Callable[[Spectrum], dict[str, Any]],
    *,
    laser: float | None,
    axis: str,
    failed: Callable[[str, str], dict[str, Any]],
) -> list[dict[str, Any]]:
    """What is found in every spectrum of every file; a file that cannot be read does not stop the others."""
    from hydrostruct.raman.read import read_spectra

    documents, messages = [], []
    names = expand_files(files)
    for name in names:
        try:
            found = []
            for spectrum in read_spectra(name, laser_nm=laser, axis=axis):
                for note in spectrum.notes:
                    print_note(f"note: {spectrum.name}: {note}")
                found.append(analyse(spectrum))
            documents += found
        except InputError as error:
            messages.append(error)
            documents.append(failed(name, str(error)))
    if len(messages) == len(names) == 1:
        raise messages[0]
    return documents


def _finish(documents: list[dict[str, Any]], json: bool, table: Callable[[list[dict[str, Any]]], str]) -> int:
    if json:
        print_json(documents)
    else:
        print(table(documents))
    attention = [one for one in documents if one["verdict"] in NEEDS_ATTENTION]
    for one in attention:
        print_note(f"attention: {one['file']}: {one['verdict']}. {one['reason']}")
    return 1 if attention else 0


def _value(document: dict[str, Any], name: str) -> str:
    stem, unit = name.rsplit("_", 1)
    value, sigma = document[name], document[f"{stem}_sigma_{unit}"]
    return "n/a" if value is None else format_value(value, math.nan if sigma is None else sigma)


def _short(value: float | None, digits: int = 1) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _edge_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [
            one["file"],
            str(one["verdict"]),
            _value(one, "edge_cm1"),
            _value(one, "pressure_gpa"),
            _short(one["pressure_systematic_gpa"]),
            _short(one["spread_gpa"]),
            str(len(one["candidates"])),
        ]
        for one in documents
    ]
    header = ["spectrum", "verdict", "edge cm⁻¹", "P GPa", "systematic", "spread", "candidates"]
    first = documents[0]
    lines = [
        format_table(rows, header=header),
        "",
        f"Scale {first['scale']}; primary standard: {first['primary_standard'] or 'n/a'}.",
        "In brackets one standard deviation of the reading. The systematic part is common to all points; the spread is",
        "that of the anvil-edge scales valid there.",
    ]
    for one in documents:
        if len(documents) == 1 and one["scales"]:
            lines.append(", ".join(f"{name} {value:.1f}" for name, value in one["scales"].items()))
        if one["verdict"] is Verdict.DOUBTFUL:
            lines.append(f"{one['file']}: {one['reason']}")
        if one["verdict"] is Verdict.AMBIGUOUS:
            places = ", ".join(f"{c['edge_cm1']:.1f} ({c['kind']})" for c in one["candidates"])
            lines.append(f"{one['file']}: candidates {places}")
    if "pressure_cold_gpa" in first:
        lines += _cold_lines(documents)
    return "\n".join(lines)


def _cold_lines(documents: list[dict[str, Any]]) -> list[str]:
    known = [one for one in documents if one["pressure_cold_gpa"] is not None]
    found = [
        f"{one['file']}: at {one['temperature_k']:g} K "
        f"{format_value(one['pressure_cold_gpa'], one['pressure_cold_sigma_gpa'])} GPa"
        for one in known
    ]
    return [*found, *([f"Shift on cooling: {known[0]['cooling_source']}."] if known else [])]


def _draw_edge(found: EdgeFit, folder: Path) -> Path:
    from hydrostruct.report.raman_figures import save_edge_figure

    name = Path(found.file.replace("::", "_"))
    stem = name.stem if name.suffix in (".txt", ".csv", ".asc") else name.name
    title = figure_title([found.file.split("::")[0]], Path(found.file).name)
    return save_edge_figure(found, folder / f"{stem}.png", title=title)
