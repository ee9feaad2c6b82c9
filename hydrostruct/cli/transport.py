"""``hydrostruct transport``: R(T) → Tc, V(I) → Ic and n, Ic(T) → pinning models."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_above_zero, check_folder, check_not_negative, figure_title
from hydrostruct.cli.lebail_words import expand_files
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.cli.tc_pressure import tc_pressure
from hydrostruct.cli.van_der_pauw import van_der_pauw
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

if TYPE_CHECKING:
    from hydrostruct.transport.ic_result import CriticalCurrentFit
    from hydrostruct.transport.pinning import PinningComparison
    from hydrostruct.transport.tc_result import TcFit

transport = typer.Typer(
    name="transport",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Transport: Tc from R(T), critical current from V(I), pinning models from Ic(T), Tc against pressure.",
)
transport.command("tc-pressure")(tc_pressure)
transport.command("van-der-pauw")(van_der_pauw)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Figures = Annotated[Path | None, typer.Option("--figure", help="Draw as PNG into this folder.")]

_TC_NUMBERS = tuple(
    f"{name}{kind}_k" for name in ("tc", "onset", "zero", "t90", "t50", "t10") for kind in ("", "_sigma")
)
_IC_NUMBERS = (
    "temperature_k", "ic_a", "ic_sigma_a", "n", "n_sigma", "criterion_v", "polarity", "ic_crossing_a", "offset_v",
    "offset_sigma_v", "lead_ohm", "lead_sigma_ohm", "noise_v", "relative_noise", "plateau_a", "resistance_ohm",
    "resistance_sigma_ohm", "ohmic", "hysteresis_sigmas",
)  # fmt: skip


@transport.command()
def tc(
    files: Annotated[list[str], typer.Argument(help="Tables of temperature_k, resistance_ohm; a quoted glob works.")],
    temperature_unit: Annotated[str, typer.Option("--temperature-unit", help="K, mK or C; else by the header.")] = "",
    resistance_unit: Annotated[
        str, typer.Option("--resistance-unit", help="ohm, mohm, uohm, kohm; else by the header.")
    ] = "",
    current: Annotated[float | None, typer.Option("--current", help="Measuring current in A.")] = None,
    voltage_noise: Annotated[
        float | None, typer.Option("--voltage-noise", help="Noise of one voltage in V: with the current, the floor.")
    ] = None,
    figure: Figures = None,
    json: Json = False,
) -> int:
    """Find every transition of R(T) and its Tc.

    Example: hydrostruct transport tc "transport/rt_*.csv" --current 316e-6 --json
    """
    from hydrostruct.transport.critical_temperature import find_tc
    from hydrostruct.transport.normal_state import fit_normal_state
    from hydrostruct.transport.read import read_resistance

    check_above_zero(current=current, voltage_noise=voltage_noise)
    if voltage_noise is not None and current is None:
        raise InputError(
            "--voltage-noise makes a floor of the resistance with --current. Expected both. Give --current."
        )
    check_folder("--figure", figure)

    def analyse(name: str) -> list[dict[str, Any]]:
        curve = read_resistance(
            name,
            temperature_unit=temperature_unit,
            resistance_unit=resistance_unit,
            current_a=math.nan if current is None else current,
            voltage_noise_v=math.nan if voltage_noise is None else voltage_noise,
        )
        _notes(name, curve.notes)
        found = find_tc(curve)
        document = tc_document(found)
        if found.steps:
            start = max(found.onset_k if math.isfinite(found.onset_k) else 0.0, found.tc_k) + 3 * found.steps[0].width_k
            document["normal_state"] = [_fields(one) for one in fit_normal_state(curve, start)]
        if figure is not None and found.steps:
            title = figure_title([name], Path(name).name)
            _draw("save_tc_figure", found, figure / f"{Path(name).stem}_tc.png", title)
        return [document]

    return _finish(_each(files, analyse, _failed_tc), json, _tc_table)


@transport.command()
def ic(
    files: Annotated[list[str], typer.Argument(help="Tables of current_a, voltage_v[, temperature_k]; a quoted glob.")],
    criterion: Annotated[float, typer.Option("--criterion", help="Voltage that defines Ic, in V.")] = 2e-7,
    field: Annotated[
        float | None, typer.Option("--field", help="Criterion as a field in V/m instead; needs --length.")
    ] = None,
    length: Annotated[float | None, typer.Option("--length", help="Distance of the voltage leads in µm.")] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", help="Temperature in K.")] = None,
    contact: Annotated[
        float | None, typer.Option("--contact", help="Contact resistance in Ω: gives the heat of a pulse.")
    ] = None,
    pulse: Annotated[float, typer.Option("--pulse", help="Length of a pulse in s.")] = 0.01,
    figure: Figures = None,
    json: Json = False,
) -> int:
    """Find the critical current and the exponent n of V(I).

    A table that holds several set temperatures, more than 0.5 K apart, is taken as so many curves.

    Example: hydrostruct transport ic "transport/vi_*.csv" --criterion 2e-7 --json
    """
    from hydrostruct.transport.critical_current import fit_voltage_current
    from hydrostruct.transport.ic_result import pulse_heat
    from hydrostruct.transport.read import read_voltage_currents

    check_above_zero(criterion=criterion, field=field, length=length, contact=contact, pulse=pulse)
    check_not_negative(temperature=temperature)
    check_folder("--figure", figure)
    volts = _criterion(criterion, field, length)
    fits: list[CriticalCurrentFit] = []

    def analyse(name: str) -> list[dict[str, Any]]:
        curves = read_voltage_currents(name, temperature_k=math.nan if temperature is None else temperature)
        _notes(name, curves[0].notes)
        found = [fit_voltage_current(curve, criterion_v=volts) for curve in curves]
        fits.extend(found)
        documents = [ic_document(one) for one in found]
        if contact is not None:
            for document, curve in zip(documents, curves, strict=True):
                power, energy = pulse_heat(float(abs(curve.current_a).max()), contact_ohm=contact, pulse_s=pulse)
                document.update(largest_pulse_power_w=power, largest_pulse_energy_j=energy)
        return documents

    documents = _each(files, analyse, lambda name, why: _failed_ic(name, why, volts))
    if figure is not None and fits:
        title = figure_title({one.file: None for one in fits})
        _draw("save_voltage_figure", fits, figure / "voltage_current.png", title)
    return _finish(documents, json, _ic_table)


@transport.command()
def pinning(
    file: Annotated[str, typer.Argument(help="Table of temperature_k with ic_a[, ic_sigma_a] or jc_a_cm2[, …].")],
    tc_k: Annotated[float | None, typer.Option("--tc", help="Tc known from elsewhere in K; else free.")] = None,
    tc_sigma: Annotated[
        float | None, typer.Option("--tc-sigma", help="Its uncertainty in K; it is held when left out.")
    ] = None,
    width: Annotated[float | None, typer.Option("--width", help="Width in µm: Ic becomes Jc.")] = None,
    thickness: Annotated[float | None, typer.Option("--thickness", help="Thickness in µm.")] = None,
    width_sigma: Annotated[float, typer.Option("--width-sigma", help="In µm.")] = 0.0,
    thickness_sigma: Annotated[float, typer.Option("--thickness-sigma", help="In µm.")] = 0.0,
    figure: Figures = None,
    json: Json = False,
) -> int:
    """Compare pinning and other models of Ic(T) or Jc(T).

    Example: hydrostruct transport pinning jc.csv --tc 78 --tc-sigma 1 --json
    """
    from hydrostruct.transport.pinning import CriticalCurrents, compare_pinning, read_critical_currents
    from hydrostruct.transport.pinning_models import current_density

    check_above_zero(tc=tc_k, width=width, thickness=thickness)
    check_not_negative(tc_sigma=tc_sigma, width_sigma=width_sigma, thickness_sigma=thickness_sigma)
    if tc_sigma is not None and tc_k is None:
        raise InputError("--tc-sigma is the uncertainty of --tc. Expected both, or --tc alone. Give --tc.")
    check_folder("--figure", figure)
    data = read_critical_currents(file)
    systematic = math.nan
    if (width is None) != (thickness is None):
        raise InputError("--width and --thickness make a cross-section together. Expected both or none.")
    if width is not None and thickness is not None and data.unit == "a":
        section: dict[str, float] = {"width_um": width, "thickness_um": thickness}
        sigmas = {"width_sigma_um": width_sigma, "thickness_sigma_um": thickness_sigma}
        density, common = current_density(data.value, **section, **sigmas)
        systematic = float(common[0] / density[0])
        spread = None if data.sigma is None else current_density(data.sigma, **section)[0]
        data = CriticalCurrents(temperature_k=data.temperature_k, value=density, sigma=spread, unit="a_cm2", name=file)
    found = compare_pinning(data, tc_k=math.nan if tc_k is None else tc_k, tc_sigma_k=tc_sigma or 0.0)
    if figure is not None:
        title = figure_title([file], Path(file).name)
        _draw("save_pinning_figure", found, figure / f"{Path(file).stem}_pinning.png", title)
    document = pinning_document(found, systematic)
    if json:
        print_json(document)
    else:
        print(_pinning_table(found, systematic))
    # that data cannot tell two models apart is an answer, and the usual one; a fit that failed is not
    if found.verdict is Verdict.FAILED:
        print_note(f"attention: {file}: {found.verdict}. {found.reason}")
        return 1
    return 0


def tc_document(found: TcFit) -> dict[str, Any]:
    """A Tc under the names that JSON promises."""
    return {
        "file": found.file,
        "verdict": found.verdict,
        "reason": found.reason,
        **{name: getattr(found, name) for name in _TC_NUMBERS},
        "steps_k": list(found.steps_k),
        "steps": [_fields(step) for step in found.steps],
        "hysteresis_k": found.hysteresis_k,
        "hysteresis_sigma_k": found.hysteresis_sigma_k,
        "sweeps": [
            {"direction": one.direction, "tc_k": one.steps[0].tc_k, "offset_ohm": one.offset_ohm,
             "residual_ohm": one.residual_ohm, "floor_ohm": one.floor_ohm}
            for one in found.sweeps
        ],
        "normal_state": [],
    }  # fmt: skip


def ic_document(found: CriticalCurrentFit) -> dict[str, Any]:
    """A critical current under the names that JSON promises."""
    return {
        "file": found.file,
        "verdict": found.verdict,
        "reason": found.reason,
        **{name: getattr(found, name) for name in _IC_NUMBERS},
    }


def pinning_document(found: PinningComparison, systematic: float) -> dict[str, Any]:
    """The models under the names that JSON promises."""
    names = ("model", "verdict", "parameters", "sigmas", "correlation", "covariance", "aicc", "chi2", "runs_sigmas")
    return {
        "file": found.file,
        "verdict": found.verdict,
        "reason": found.reason,
        "unit": found.data.unit,
        "cross_section_systematic": systematic,
        "models": [{name: getattr(one, name) for name in names} for one in found.models],
    }


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _failed_tc(file: str, message: str) -> dict[str, Any]:
    from hydrostruct.transport.tc_result import no_tc

    return tc_document(no_tc(file, Verdict.FAILED, message))


def _failed_ic(file: str, message: str, criterion_v: float) -> dict[str, Any]:
    document: dict[str, Any] = {"file": file, "verdict": Verdict.FAILED, "reason": message}
    return {**document, **dict.fromkeys(_IC_NUMBERS), "criterion_v": criterion_v}


def _criterion(volts: float, field: float | None, length: float | None) -> float:
    """The criterion in V, from a voltage or from a field."""
    if (field is None) != (length is None):
        raise InputError("--field and --length make a criterion together. Expected both or none. Give the other.")
    return field * length * 1e-6 if field is not None and length is not None else volts


def _notes(name: str, notes: tuple[str, ...]) -> None:
    for note in notes:
        print_note(f"note: {name}: {note}")


def _each(
    files: list[str], analyse: Callable[[str], list[dict[str, Any]]], failed: Callable[[str, str], dict[str, Any]]
) -> list[dict[str, Any]]:
    """What is found in every file; one that cannot be read does not stop the others, unless it is alone."""
    documents: list[dict[str, Any]] = []
    names = expand_files(files)
    for name in names:
        try:
            documents += analyse(name)
        except InputError as error:
            if len(names) == 1:
                raise
            documents.append(failed(name, str(error)))
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


def _value(document: dict[str, Any], value: str, sigma: str, scale: float = 1.0) -> str:
    number, error = document[value], document[sigma]
    if number is None:
        return "n/a"
    return format_value(scale * number, math.nan if error is None else scale * error)


def _temperature(document: dict[str, Any]) -> str:
    value = document["temperature_k"]
    return "n/a" if value is None or math.isnan(value) else f"{value:.2f}"


def _tc_table(documents: list[dict[str, Any]]) -> str:
    names = ("tc", "onset", "t90", "t50", "t10", "zero")
    words = ("Tc", "onset", "90 %", "50 %", "10 %", "zero")
    rows = [
        [one["file"], str(one["verdict"]), *(_value(one, f"{name}_k", f"{name}_sigma_k") for name in names),
         str(len(one["steps_k"]))]
        for one in documents
    ]  # fmt: skip
    lines = [
        format_table(rows, header=["curve", "verdict", *(f"{word} K" for word in words), "steps"]),
        "",
        "Tc: where the straight lines of the normal state and of the highest transition meet. In brackets one standard",
        "deviation: noise, choice of the windows, and half of a significant hysteresis.",
    ]
    for one in documents:
        for index, step in enumerate(one["steps"] if len(one["steps"]) > 1 else []):
            lines.append(
                f"{one['file']}: transition {index + 1}: {format_value(step['tc_k'], step['tc_sigma_k'])} K, "
                f"{100 * step['part']:.0f} % of the drop, {step['significance']:.0f} sigma"
            )
        if math.isfinite(one["hysteresis_k"]):
            difference = format_value(one["hysteresis_k"], one["hysteresis_sigma_k"])
            lines.append(f"{one['file']}: warming less cooling {difference} K")
        if one["verdict"] is Verdict.DOUBTFUL:
            lines.append(f"{one['file']}: {one['reason']}")
    return "\n".join(lines)


def _ic_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [one["file"], str(one["verdict"]), _temperature(one),
         _value(one, "ic_a", "ic_sigma_a"), _value(one, "n", "n_sigma"), f"{one['criterion_v']:g}",
         one["polarity"] or "n/a"]
        for one in documents
    ]  # fmt: skip
    lines = [format_table(rows, header=["curve", "verdict", "T K", "Ic A", "n", "criterion V", "leads"])]
    lines += [f"{one['file']}: {one['reason']}" for one in documents if one["verdict"] is Verdict.DOUBTFUL]
    if any(one["polarity"] == "reversed" for one in documents):
        lines.append("reversed: the voltage falls as the current rises: its leads are swapped; the sign was put right.")
    heats = [one for one in documents if one.get("largest_pulse_power_w") is not None]
    lines += [
        f"{one['file']}: the largest pulse heats the contacts with {1e3 * one['largest_pulse_power_w']:.3g} mW, "
        f"{1e3 * one['largest_pulse_energy_j']:.3g} mJ"
        for one in heats
    ]
    return "\n".join(lines)


def _pinning_table(found: PinningComparison, systematic: float) -> str:
    unit, scale, word = ("MA/cm²", 1e-6, "Jc(0)") if found.data.unit == "a_cm2" else ("A", 1.0, "Ic(0)")
    rows = []
    for one in found.models:
        name = next(iter(one.parameters))
        rows.append([
            one.model, str(one.verdict), format_value(scale * one.parameters[name], scale * one.sigmas[name]),
            format_value(one.parameters["tc_k"], one.sigmas["tc_k"]), f"{one.correlation:.3f}",
            f"{one.aicc - found.models[0].aicc:.1f}", f"{one.chi2:.3g}",
        ])  # fmt: skip
    header = ["model", "verdict", f"{word} {unit}", "Tc K", "correlation", "ΔAICc", "χ²"]
    lines = [format_table(rows, header=header), "", found.reason]
    if math.isfinite(systematic):
        lines.append(f"The cross-section moves all Jc together by {100 * systematic:.0f} %; that is in no sigma above.")
    return "\n".join(lines)


def _draw(function: str, record: Any, path: Path, title: str) -> None:
    from hydrostruct.report import transport_figures

    print_note(f"figure: {getattr(transport_figures, function)(record, path, title=title)}")
