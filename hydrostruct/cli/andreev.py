"""``hydrostruct andreev``: point-contact spectra → gap; gaps against temperature → Δ(0), Tc, ratio."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_above_zero, check_folder, check_not_negative, figure_title
from hydrostruct.cli.contact import contact
from hydrostruct.cli.deviation import deviation, vanishing
from hydrostruct.cli.lebail_words import expand_files
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.cli.spectra import read_spectra_named
from hydrostruct.errors import InputError, nearest_name
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

if TYPE_CHECKING:
    from hydrostruct.andreev.curve import ConductanceCurve
    from hydrostruct.andreev.fit_result import AndreevFit
    from hydrostruct.andreev.gap_fit import GapFit

andreev = typer.Typer(
    name="andreev",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Point-contact spectra: the superconducting gap, and its ratio to Tc.",
)
andreev.command()(deviation)
andreev.command()(vanishing)
andreev.command()(contact)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_FIT_NUMBERS = (
    "temperature_k", "temperature_low_k", "temperature_high_k", "gap_mev", "gap_sigma_mev", "gap_statistical_mev",
    "gap_background_mev", "gap_temperature_mev", "gap_low_mev", "gap_high_mev", "broadening_mev",
    "broadening_sigma_mev", "barrier", "barrier_sigma", "weight", "weight_sigma", "second_gap_mev", "reduced_chi2",
    "residual_rms", "significance",
)  # fmt: skip
_GAP_FIELDS = (
    "file", "verdict", "reason", "gap0_mev", "gap0_sigma_mev", "tc_k", "tc_sigma_k", "tc_source", "fitted_tc_k",
    "ratio", "ratio_sigma", "correlation", "reduced_chi2", "form",
)  # fmt: skip


@andreev.command()
def fit(
    files: Annotated[list[str], typer.Argument(help="dI/dV or V(I) as text; several are one series; a glob works.")],
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="In K, where neither file nor name says it.")
    ] = None,
    temperature_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--temperature-range", help="In K, where nobody knows it better.", metavar="LO HI"),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="s-wave, two-gap, d-wave, critical-current.")] = "s-wave",
    background: Annotated[
        str, typer.Option("--background", help="joint; window, as in the paper; or the file of a curve above Tc.")
    ] = "joint",
    degree: Annotated[str, typer.Option("--degree", help="Of the background: auto, or 0 (normalised) to 6.")] = "auto",
    weight: Annotated[float | None, typer.Option("--weight", help="Hold the weight at this, above 0 to 1.")] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Fit each file by itself, nothing in common.")] = False,
    share_broadening: Annotated[
        bool, typer.Option("--share-broadening", help="One broadening for the whole series.")
    ] = False,
    method: Annotated[str, typer.Option("--method", help="dI/dV of V(I): local, three-step.")] = "local",
    series_resistance: Annotated[
        float, typer.Option("--series-resistance", help="In Ω, to take off; conductance in S.")
    ] = 0.0,
    compare: Annotated[bool, typer.Option("--compare", help="Compare the four models on each file.")] = False,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw the fits as PNG into this folder.")] = None,
    json: Json = False,
) -> int:
    """Fit the gap to spectra of one contact; barrier and weight are common to a series.

    Example: hydrostruct andreev fit "qss/cell2_*K.csv" --json
    """
    from hydrostruct.andreev.background import fit_outside_window
    from hydrostruct.andreev.compare import compared
    from hydrostruct.andreev.fit import fit_conductance, fit_conductances

    check_not_negative(temperature=temperature, series_resistance=series_resistance)
    check_above_zero(weight=weight)
    if temperature is not None and temperature_range is not None:
        raise InputError("--temperature and --temperature-range: expected one of the two. Leave the other out.")
    _check_background(background)
    check_folder("--figure", figure)
    options: dict[str, Any] = {"model": model, "degree": _degree(degree), "weight": weight}
    curves, unread = read_spectra_named(
        expand_files(files),
        temperature=temperature,
        temperature_needed=temperature_range is None,
        method=method,
        series_resistance=series_resistance,
    )
    failures = [_failed(name, why) for name, why in unread.items()]
    if background not in ("joint", "window"):
        curves, options["degree"] = _divided(curves, background, method), 0
    if background == "window":
        fits = [fit_outside_window(curve, model=model, weight=weight) for curve in curves]
    elif temperature_range is not None:
        fits = [
            fit_conductance(
                curve,
                temperature_range_k=temperature_range if math.isnan(curve.temperature_k) else None,
                profile=True,
                **options,
            )
            for curve in curves
        ]
    elif alone or len(curves) == 1:
        fits = [fit_conductance(curve, profile=True, **options) for curve in curves]
    else:
        fits = fit_conductances(curves, share_broadening=share_broadening, **options) if curves else []
    if compare:
        fits = [compared(one, curve) for one, curve in zip(fits, curves, strict=True)]
    if figure is not None:
        _draw(fits, figure)
    return _finish_fits(fits, failures, json)


@andreev.command()
def gap(
    file: Annotated[str, typer.Argument(help="Columns temperature_k, gap_mev[, gap_sigma_mev].")],
    tc: Annotated[float | None, typer.Option("--tc", help="Hold Tc at this, in K; the ratio is then with it.")] = None,
    tc_sigma: Annotated[float | None, typer.Option("--tc-sigma", help="Its uncertainty, in K.")] = None,
    form: Annotated[str, typer.Option("--form", help="Shape: exact, or an approximation by name.")] = "exact",
    coulomb: Annotated[float, typer.Option("--coulomb", help="μ*, for the coupling.")] = 0.1,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw the reduced gap into this folder.")] = None,
    json: Json = False,
) -> int:
    """Fit the gap against temperature: Δ(0), Tc and 2Δ(0)/k_B Tc.

    Example: hydrostruct andreev gap gaps.csv --tc 109 --json
    """
    from hydrostruct.andreev.gap_fit import fit_gaps, read_gaps

    check_above_zero(tc=tc)
    check_not_negative(tc_sigma=tc_sigma)
    if tc_sigma is not None and tc is None:
        raise InputError("--tc-sigma is the uncertainty of --tc. Expected both, or --tc alone. Give --tc.")
    check_folder("--figure", figure)
    if not 0 <= coulomb < 1:
        raise InputError(f"--coulomb is {coulomb:g}. Expected μ*, from 0 to below 1, such as 0.1. Correct it.")
    temperature, values, sigma = read_gaps(file)
    found = fit_gaps(
        temperature, values, gap_sigma_mev=sigma, tc_k=tc, tc_sigma_k=tc_sigma or 0.0, form=form, name=file
    )
    document = gap_document(found, coulomb=coulomb)
    if figure is not None:
        from hydrostruct.report.andreev_figures import save_reduced_gap_figure

        path, title = figure / f"{Path(file).stem}_gap.png", figure_title([file]) or None
        print_note(f"figure: {save_reduced_gap_figure([found], path, title=title)}")
    if json:
        print_json(document)
    else:
        print(_gap_text(found, document))
    if found.verdict is Verdict.DOUBTFUL:
        print_note(f"note: {file}: {found.verdict}. {found.reason}")
    if found.verdict in NEEDS_ATTENTION:
        print_note(f"attention: {file}: {found.verdict}. {found.reason}")
        return 1
    return 0


def fit_document(found: AndreevFit) -> dict[str, Any]:
    """A fit as the JSON document has it.

    Parameters
    ----------
    found : AndreevFit

    Returns
    -------
    dict
    """
    document: dict[str, Any] = {
        "file": found.file,
        "verdict": found.verdict,
        "reason": found.reason,
        "model": found.model,
        "degree": found.degree,
    }
    document |= {name: getattr(found, name) for name in _FIT_NUMBERS}
    document["parameters"] = found.parameters
    document["correlation"] = found.correlation
    document["rivals"] = [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in found.rivals]
    document["warnings"] = found.warnings
    return document


def gap_document(found: GapFit, *, coulomb: float = 0.1) -> dict[str, Any]:
    """A fit of gaps as the JSON document has it, with the coupling that the ratio asks for.

    Parameters
    ----------
    found : GapFit
    coulomb : float
        Coulomb pseudopotential μ*.

    Returns
    -------
    dict
        `log_phonon_k` and `coupling` are NaN where the ratio is below weak coupling.
    """
    from hydrostruct.material.coupling import allen_dynes_coupling, log_phonon_temperature

    document: dict[str, Any] = {name: getattr(found, name) for name in _GAP_FIELDS}
    document["log_phonon_k"] = log_phonon_temperature(found.ratio, found.tc_k)
    document["coulomb"] = coulomb
    document["coupling"] = allen_dynes_coupling(found.tc_k, document["log_phonon_k"], coulomb=coulomb)
    return document


def _check_background(background: str) -> None:
    """A word that is known, or a file that is there."""
    known = ("joint", "window")
    if background not in known and not Path(background).is_file():
        raise InputError(
            f"--background is {background!r}. Expected joint, window, or the file of a curve above Tc, and there is no "
            f"such file. {nearest_name(background, known)}".rstrip()
        )


def _divided(curves: list[ConductanceCurve], background: str, method: str) -> list[ConductanceCurve]:
    """Every curve over one that was measured above Tc."""
    from hydrostruct.andreev.background import divided_by_curve
    from hydrostruct.andreev.read import read_conductance

    normal = read_conductance(background, method=method)
    return [divided_by_curve(curve, normal) for curve in curves]


def _failed(name: str, reason: str) -> dict[str, Any]:
    document: dict[str, Any] = {"file": name, "verdict": Verdict.FAILED, "reason": reason, "model": "", "degree": None}
    document |= dict.fromkeys(_FIT_NUMBERS, math.nan)
    return document | {"parameters": [], "correlation": [], "rivals": [], "warnings": []}


def _degree(text: str) -> int | str:
    if text == "auto":
        return text
    if not text.isdecimal():
        raise InputError(f"--degree: {text!r} is not a degree. Expected auto, or 0 to 6.")
    return int(text)


def _finish_fits(fits: list[AndreevFit], failures: list[dict[str, Any]], json: bool) -> int:
    documents = [fit_document(one) for one in fits] + failures
    if json:
        print_json(documents)
    else:
        print(_fit_table(documents))
        for one in fits:
            for line in _rival_lines(one):
                print(line)
    status = 0
    for document in documents:
        if document["verdict"] in NEEDS_ATTENTION:
            status = 1
            print_note(f"attention: {document['file']}: {document['verdict']}. {document['reason']}")
        elif document["reason"]:
            print_note(f"note: {document['file']}: {document['verdict']}. {document['reason']}")
        for warning in document["warnings"]:
            print_note(f"note: {document['file']}: {warning}")
    return status


def _fit_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [
            Path(one["file"]).name,
            str(one["verdict"]),
            format_value(one["temperature_k"]),
            format_value(one["gap_mev"], one["gap_sigma_mev"]),
            format_value(one["broadening_mev"], one["broadening_sigma_mev"]),
            format_value(one["barrier"], one["barrier_sigma"]),
            format_value(one["weight"], one["weight_sigma"]),
            "n/a" if one["degree"] is None else str(one["degree"]),
            format_value(one["residual_rms"]),
        ]
        for one in documents
    ]
    header = ["spectrum", "verdict", "T K", "gap meV", "broadening meV", "barrier", "weight", "degree", "residual rms"]
    return format_table(rows, header=header)


def _rival_lines(found: AndreevFit) -> list[str]:
    name = Path(found.file).name
    gaps = (format_value(one.gap_mev, one.gap_sigma_mev) for one in found.rivals)
    return [
        f"{name}: {one.model}: AICc {one.aicc:+.1f}, gap {text} meV"
        for one, text in zip(found.rivals, gaps, strict=True)
    ]


def _gap_text(found: GapFit, document: dict[str, Any]) -> str:
    lines = [
        f"gap at 0 K   {format_value(found.gap0_mev, found.gap0_sigma_mev)} meV",
        f"Tc           {format_value(found.tc_k, found.tc_sigma_k)} K ({found.tc_source})",
        f"2Δ/k_B Tc    {format_value(found.ratio, found.ratio_sigma)}, with this Tc; weak coupling 3.528",
    ]
    if math.isfinite(document["coupling"]):
        lines.append(
            f"coupling     λ = {document['coupling']:.2f} for μ* = {document['coulomb']:g}, "
            f"ω_ln = {document['log_phonon_k']:.0f} K"
        )
    return "\n".join(lines)


def _draw(fits: list[AndreevFit], folder: Path) -> None:
    from hydrostruct.report.andreev_figures import save_spectrum_figure, save_waterfall_figure

    stems = [Path(one.file).stem for one in fits]
    for one, stem in zip(fits, stems, strict=True):
        name = stem
        if stems.count(stem) > 1:  # of several folders: the whole path keeps them apart
            name = "-".join(Path(one.file).resolve().with_suffix("").parts[1:])
        title = figure_title([one.file], Path(one.file).name)
        print_note(f"figure: {save_spectrum_figure(one, folder / f'{name}_andreev.png', title=title)}")
    if len(fits) > 1:
        title = figure_title([one.file for one in fits])
        print_note(f"figure: {save_waterfall_figure(fits, folder / 'waterfall_andreev.png', title=title)}")
