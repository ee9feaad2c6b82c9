"""``hydrostruct andreev deviation`` and ``andreev vanishing``: the paper's second way, without a model."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from hydrostruct.cli.checks import check_above_zero
from hydrostruct.cli.lebail_words import expand_files
from hydrostruct.cli.output import format_table, format_value, print_json, print_note
from hydrostruct.cli.spectra import read_spectra_named
from hydrostruct.errors import InputError
from hydrostruct.verdict import NEEDS_ATTENTION, Verdict

_EDGE_SHARE, _CORE_SHARE = 0.7, 0.05
_DEVIATION_NUMBERS = ("gap_mev", "gap_sigma_mev", "negative_mv", "positive_mv")
_VANISHING_FIELDS = ("verdict", "tc_k", "tc_low_k", "tc_high_k", "upper_limit", "heights", "heights_sigma")

Files = Annotated[list[str], typer.Argument(help="dI/dV or V(I) as text; a quoted glob works.")]
Edge = Annotated[
    float | None,
    typer.Option("--edge", help="The background is fitted beyond this bias in mV; else beyond 70 % of the range."),
]
Degree = Annotated[int, typer.Option("--degree", help="Of the background, 0 to 6.", min=0, max=6)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def deviation(
    files: Files,
    edge: Edge = None,
    degree: Degree = 2,
    sigmas: Annotated[float, typer.Option("--sigmas", help="Standard deviations that are a deviation.")] = 3.0,
    json: Json = False,
) -> int:
    """Read the bias at which a curve leaves its background: no model, and well above the gap.

    On simulated spectra it is 2.4 to 4 times the gap, the more the hotter and the less noisy.

    Example: hydrostruct andreev deviation "qss/cell1_*K.csv" --edge 65
    """
    from hydrostruct.andreev.deviation import deviation_gap

    check_above_zero(edge=edge, sigmas=sigmas)
    curves, failures = read_spectra_named(expand_files(files), temperature_needed=False)
    documents: list[dict[str, Any]] = []
    for curve in curves:
        beyond = _edge(edge, float(abs(curve.bias_mv).max()))
        found = deviation_gap(curve, edge_mv=beyond, degree=degree, sigmas=sigmas)
        documents.append(
            {"file": curve.name, "verdict": found.verdict, "temperature_k": curve.temperature_k, "edge_mv": beyond}
            | {name: getattr(found, name) for name in _DEVIATION_NUMBERS}
        )
    empty = dict.fromkeys(("temperature_k", "edge_mv", *_DEVIATION_NUMBERS), math.nan)
    documents += [{"file": name, "verdict": Verdict.FAILED, **empty} for name in failures]
    if json:
        print_json(documents)
    else:
        print(_deviation_table(documents))
    for name, why in failures.items():
        print_note(f"attention: {name}: failed. {why}")
    bad = [one for one in documents if one["verdict"] in NEEDS_ATTENTION and one["file"] not in failures]
    for one in bad:
        print_note(f"attention: {one['file']}: {one['verdict']}. The curve does not leave its background.")
    return 1 if bad or failures else 0


def vanishing(
    files: Files,
    edge: Edge = None,
    core: Annotated[
        float | None, typer.Option("--core", help="The peak is the mean within this bias in mV; else 5 % of the range.")
    ] = None,
    degree: Degree = 2,
    json: Json = False,
) -> int:
    """Find the temperature at which the zero-bias peak of a series vanishes, with an upper limit above it.

    Example: hydrostruct andreev vanishing "qss/cell2_*K.csv" --edge 65 --core 5
    """
    from hydrostruct.andreev.deviation import peak_vanishing

    check_above_zero(edge=edge, core=core)
    curves, failures = read_spectra_named(expand_files(files))
    reach = min(float(abs(curve.bias_mv).max()) for curve in curves)
    beyond, within = _edge(edge, reach), _CORE_SHARE * reach if core is None else core
    if not within < beyond:
        raise InputError(f"--core is {within:g} mV and --edge {beyond:g} mV. Expected the core below the edge.")
    ordered = sorted(curves, key=lambda one: one.temperature_k)
    found = peak_vanishing(ordered, edge_mv=beyond, core_mv=within, degree=degree)
    document: dict[str, Any] = {name: getattr(found, name) for name in _VANISHING_FIELDS}
    document["temperatures_k"] = [curve.temperature_k for curve in ordered]
    document["files"] = [curve.name for curve in ordered]
    document |= {"edge_mv": beyond, "core_mv": within}
    if json:
        print_json(document)
    else:
        print(_vanishing_text(document))
    for name, why in failures.items():
        print_note(f"attention: {name}: failed. {why}")
    if found.verdict is not Verdict.CONVERGED:
        word = "attention" if found.verdict in NEEDS_ATTENTION else "note"
        print_note(f"{word}: {found.verdict}. {_why(found.verdict)}")
    return 1 if failures or found.verdict in NEEDS_ATTENTION else 0


def _edge(given: float | None, reach: float) -> float:
    edge = _EDGE_SHARE * reach if given is None else given
    if not edge < reach:
        raise InputError(f"--edge is {edge:g} mV, but the curve reaches {reach:g} mV. Expected less. Choose another.")
    return edge


def _why(verdict: Verdict) -> str:
    if verdict is Verdict.ABSENT:
        return "No curve has a sure peak at zero bias."
    return "The peak is still there in the hottest curve: measure hotter."


def _deviation_table(documents: list[dict[str, Any]]) -> str:
    rows = [
        [one["file"], str(one["verdict"]), format_value(one["temperature_k"]),
         format_value(one["gap_mev"], one["gap_sigma_mev"]), format_value(one["negative_mv"]),
         format_value(one["positive_mv"])]
        for one in documents
    ]  # fmt: skip
    table = format_table(rows, header=["curve", "verdict", "T K", "leaves at mV", "negative mV", "positive mV"])
    return (
        f"{table}\n\nThis is no gap: on simulated spectra it is 2.4 to 4 times as large. 'andreev fit' gives the gap."
    )


def _vanishing_text(document: dict[str, Any]) -> str:
    rows = [
        [f"{temperature:g}", format_value(100.0 * height, 100.0 * sigma)]
        for temperature, height, sigma in zip(
            document["temperatures_k"], document["heights"], document["heights_sigma"], strict=True
        )
    ]
    lines = [format_table(rows, header=["T K", "peak %"]), ""]
    if math.isfinite(document["tc_k"]):
        lines.append(
            f"the peak vanishes at {document['tc_k']:.1f} K, between {document['tc_low_k']:g} and "
            f"{document['tc_high_k']:g} K"
        )
    else:
        lines.append(_why(document["verdict"]))
    if math.isfinite(document["upper_limit"]):
        lines.append(f"above, a peak of {100.0 * document['upper_limit']:.2g} % or more is excluded with 95 %")
    return "\n".join(lines)
