"""What ``hydrostruct lebail`` prints of a fit: tables for people, documents for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hydrostruct.cli.output import format_table, format_value
from hydrostruct.verdict import Verdict

if TYPE_CHECKING:
    from hydrostruct.xrd.fit_result import PatternFit, PhaseFit

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
_OWN_FIELDS = (
    "own_size_deg",
    "own_strain_deg",
    "strain_axis_deg",
    "strain_axis_sigma_deg",
    "strain_oblique_deg2",
    "strain_oblique_sigma_deg2",
    "strain_diagonal_deg2",
    "strain_diagonal_sigma_deg2",
)
_STRESS_FIELDS = ("stress", "stress_sigma", "stress_shape", "stress_shape_sigma", "stress_volume_ang3")


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
    angles += [line for fit in fits for line in (*_shifts(fit), *_freed(fit), *_systematics(fit))]
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
    for name in ("widths", "widths_sigma", "instrument"):
        document[name] = asdict(getattr(found, name))
    document.update({name: getattr(found, name) for name in _OWN_FIELDS})
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


def _has_free_angle(found: PhaseFit) -> bool:
    return any(getattr(found, f"{name}_sigma_deg") > 0 for name in ("alpha", "beta", "gamma"))


def _angles(file: str, found: PhaseFit) -> str:
    values = (
        f"{name} {format_value(getattr(found, f'{name}_deg'), getattr(found, f'{name}_sigma_deg'))}°"
        for name in ("alpha", "beta", "gamma")
    )
    return f"{file}: {found.name}: " + ", ".join(values)


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


def _freed(fit: PatternFit) -> list[str]:
    """A line for each phase with what was fitted beyond cell, w and size, and its size beyond the instrument's."""
    lines = []
    for found in fit.phases.values():
        if not found.detected:
            continue
        free = {name.partition(":")[0] for name in fit.parameter_names if name.partition(":")[2] in ("", found.name)}
        parts = [
            f"{word} {format_value(value, sigma)}{unit}"
            for word, value, sigma, unit in _beyond_defaults(found)
            if word in free or (word.startswith("own ") and any(asdict(found.instrument).values()))
        ]
        lines += [f"{fit.file}: {found.name}: {', '.join(parts)}"] if parts else []
    return lines


def _beyond_defaults(found: PhaseFit) -> list[tuple[str, float, float, str]]:
    """Word, value, uncertainty and unit of what may be fitted of a phase."""
    widths, sigma = found.widths, found.widths_sigma
    return [
        ("own size", found.own_size_deg, sigma.size_sigma_deg, "°"),
        ("u", widths.u_deg2, sigma.u_sigma_deg2, " degrees²"),
        ("v", widths.v_deg2, sigma.v_sigma_deg2, " degrees²"),
        ("p", widths.p_deg2, sigma.p_sigma_deg2, " degrees²"),
        ("strain", widths.strain_deg, sigma.strain_sigma_deg, "°"),
        ("strain_axis", found.strain_axis_deg, found.strain_axis_sigma_deg, "°"),
        ("strain_oblique", found.strain_oblique_deg2, found.strain_oblique_sigma_deg2, " degrees²"),
        ("strain_diagonal", found.strain_diagonal_deg2, found.strain_diagonal_sigma_deg2, " degrees²"),
        ("stress", found.stress, found.stress_sigma, ""),
        ("stress_shape", found.stress_shape, found.stress_shape_sigma, ""),
    ]


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
