"""Maps whose lines carry Kα2 or axial divergence, fitted as one: are cell, zero and beam as far off as sigma says?

Run: python scripts/check_map_beam.py [N] [--only k-alpha2|axial]     (default 20 maps of each; about 1 s a map)

SIMULATED maps of four patterns of gold whose cell grows by 1e-4 from one to the next, with random intensities, 100
counts of background, Poisson noise, and a zero shift that nobody knows. ``k-alpha2``: Cu Kα1 and Kα2, 30 to 130°, a
third of the area in Kα2. ``axial``: 0.7 Å, 4 to 60°, slit and sample of one height, half of it 0.02 of their distance
(Finger, Cox and Jephcoat, J. Appl. Cryst. 27, 892), summed over 200 heights. Lines are those of check_pulls.py.

Printed are the fits of the patterns by themselves ("apart", which free what a pattern asks for) and the map as one fit
("together"): rms pulls of the cell, of the zero where it was free, and of the beam's value (part of Kα2, half height
over distance; a fit of one pattern has no sigma of it); rms error of that value in percent of the truth, where a beam
that was not seen is 100 % off; the points called `converged`, and those without a number. A map has no beam to start
from where no separate fit sees one: if that happens, the maps in which one did are printed once more ("seen").
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from check_pulls import peak
from numpy.typing import NDArray

import hydrostruct as hs

Floats = NDArray[np.float64]
A_ANG, GROWTH, POINTS, ZERO_DEG = 4.078, 1e-4, 4, 0.01
SQUARES = (3, 4, 8, 11, 12, 16, 19, 20, 24, 27, 32, 35, 36, 40)
CU_ANG, CU_PARTS = (1.540593, 1.544427), (2 / 3, 1 / 3)
SHORT_ANG, HEIGHT, LEVELS = 0.7, 0.02, 200
SHARED = {"k-alpha2": "second_line", "axial": "axial"}
TRUE = {"k-alpha2": CU_PARTS[1], "axial": HEIGHT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one way of fitting said of one map."""

    cell: Floats
    """Pulls of a, one a point; NaN without a number."""
    zero: Floats
    """Pulls of the zero, one a point, or one for the map."""
    beam: Floats
    """Pulls of the beam's value; NaN where it has no sigma."""
    beam_error: Floats
    """The beam's value less the truth, in percent of the truth; -100 where none was found."""
    verdicts: tuple[str, ...]
    """Of the points."""


def angle(wavelength: float, square: int, cell: float) -> float:
    """2θ of a line in degrees; NaN where there is none."""
    sine = wavelength * np.sqrt(square) / cell / 2
    return float(np.degrees(2 * np.arcsin(sine))) if sine < 0.99 else float("nan")


def with_second_line(random: np.random.Generator, cell: float) -> hs.Pattern:
    """Gold with both lines of a copper tube."""
    x = np.arange(30.0, 130.0, 0.04)
    clean = np.full(x.size, 100.0)
    for square in SQUARES:
        area = random.uniform(50.0, 300.0)
        for wavelength, part in zip(CU_ANG, CU_PARTS, strict=True):
            place = angle(wavelength, square, cell)
            if np.isfinite(place):
                lorentz = 0.03 / np.cos(np.radians(place / 2))
                clean += peak(x, place + ZERO_DEG, part * area, 0.07, lorentz)
    return counted(random, x, clean, CU_ANG[0])


def with_axial(
    random: np.random.Generator, cell: float, *, height: float = HEIGHT, strength: float = 1.0
) -> hs.Pattern:
    """Gold at a short wavelength, its lines drawn out by slit and sample of one height; 0 for none."""
    x = np.arange(4.0, 60.0, 0.02)
    clean = np.full(x.size, 100.0)
    top = 2 * max(height, 1e-4)
    level = (np.arange(LEVELS) + 0.5) / LEVELS * top
    for square in SQUARES:
        area, center = strength * random.uniform(50.0, 300.0), angle(SHORT_ANG, square, cell)
        if not center < 62.0:  # the tails of lines just outside reach in
            continue
        places = np.arccos(np.cos(np.radians(center)) * np.sqrt(1 + level**2))
        parts = (top - level) / (np.sin(places) * (1 + level**2))
        lorentz = 0.02 / np.cos(np.radians(center / 2))
        for place, part in zip(np.degrees(places), parts / parts.sum(), strict=True):
            clean += peak(x, place + ZERO_DEG, area * part, 0.05, lorentz)
    return counted(random, x, clean, SHORT_ANG)


def counted(random: np.random.Generator, x: Floats, clean: Floats, wavelength: float) -> hs.Pattern:
    """Poisson counts; in transmission, so that a displaced specimen is no other reading of the zero."""
    counts = random.poisson(clean).astype(float)
    return hs.Pattern(
        two_theta_deg=x,
        intensity=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength_ang=wavelength,
        geometry="transmission",
    )


def pull(value: float, truth: float, sigma: float) -> float:
    """NaN where nothing was fitted."""
    return (value - truth) / sigma if sigma > 0 else float("nan")


def point_row(kind: str, fits: Sequence[hs.PatternFit], cells: Floats) -> Row:
    """What fits of the points by themselves say."""
    found = [fit.phases["Au"] for fit in fits]
    values = [fit.second_line[1] if kind == "k-alpha2" else fit.axial for fit in fits]
    return Row(
        cell=np.array([pull(one.a_ang, cell, one.a_sigma_ang) for one, cell in zip(found, cells, strict=True)]),
        zero=np.array([pull(fit.zero_deg, ZERO_DEG, fit.zero_sigma_deg) for fit in fits]),
        beam=np.array([np.nan]),
        beam_error=100 * (np.array(values) / TRUE[kind] - 1),
        verdicts=tuple(fit.verdict.value for fit in fits),
    )


def map_row(kind: str, whole: hs.MapFit, cells: Floats) -> Row:
    """What one fit of the map says; a value that is not common is not fitted."""
    points = point_row(kind, whole.fits, cells)
    sigma = np.sqrt(np.diag(whole.shared_covariance))
    shared = dict(zip(whole.shared_names, zip(whole.shared, sigma, strict=True), strict=True))
    zero, zero_sigma = shared["zero"]
    value, value_sigma = shared.get(SHARED[kind], (float("nan"), float("nan")))
    return Row(
        cell=points.cell,
        zero=np.array([pull(zero, ZERO_DEG, zero_sigma)]),
        beam=np.array([pull(value, TRUE[kind], value_sigma)]),
        beam_error=points.beam_error,
        verdicts=points.verdicts,
    )


def measure(kind: str, number: int) -> tuple[Row, Row, bool]:
    """One map: apart, together, and whether a fit of a pattern by itself saw the beam."""
    random = np.random.default_rng([20261128, number])
    cells = A_ANG * (1 + GROWTH * np.arange(POINTS))
    simulate = with_second_line if kind == "k-alpha2" else with_axial
    patterns, phases = [simulate(random, cell) for cell in cells], [hs.read_phase("Au")]
    start = {"Au": {"a_ang": A_ANG}}
    fits = hs.fit_patterns(patterns, phases, cells=start)
    whole = hs.fit_map(patterns, phases, fits=fits, cells=start)
    apart = point_row(kind, fits, cells)
    return apart, map_row(kind, whole, cells), bool(np.any(apart.beam_error > -100))


def rms(rows: Sequence[Row], field: str) -> str:
    """Root of the mean square of what is finite; a dash where nothing is."""
    values = np.concatenate([getattr(row, field) for row in rows])
    values = values[np.isfinite(values)]
    return f"{np.sqrt(np.mean(values**2)):9.2f}" if values.size else f"{'-':>9}"


def print_rows(label: str, rows: Sequence[Row]) -> None:
    """One line of the table."""
    verdicts = [word for row in rows for word in row.verdicts]
    without = sum(int(np.sum(~np.isfinite(row.cell))) for row in rows)
    numbers = "".join(rms(rows, field) for field in ("cell", "zero", "beam", "beam_error"))
    converged = f"{verdicts.count('converged')} of {len(verdicts)}"
    print(f"{label:24}{len(rows):4}{numbers}{converged:>14}{without:11}", flush=True)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=20, help="simulated maps of each kind")
    parser.add_argument("--only", choices=tuple(SHARED), help="one kind")
    given = parser.parse_args()
    print(f"SIMULATED maps of {POINTS} points, zero {ZERO_DEG}°; rms of the pulls of a, zero and beam\n")
    print("fits                    maps        a     zero     beam  error, %    converged  no number")
    for kind in [given.only] if given.only else SHARED:
        maps = [measure(kind, number) for number in range(given.count)]
        seen = [one for one in maps if one[2]]
        for which, chosen in (("", maps), (", seen", seen if len(seen) < len(maps) else [])):
            if chosen:
                print_rows(f"{kind} apart{which}", [one[0] for one in chosen])
                print_rows(f"{kind} together{which}", [one[1] for one in chosen])
        print(f"{kind}: a separate fit saw it in {len(seen)} of {given.count} maps\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
