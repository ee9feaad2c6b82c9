"""Does axial divergence that a pattern hardly shows lead the cell astray? Simulated wide patterns of gold.

Run: python scripts/check_axial.py [N] [--seed S]      (default 40 of each; some four minutes)

SIMULATED patterns as in check_map_beam.py (0.7 Å, 4 to 60°, a zero of 0.01° that nobody freed, 100 counts of
background), whose lines are drawn out by slit and sample of half height 0 to 0.02 of their distance, weaker and weaker.
"apart": each pattern fitted by itself. "series": four patterns by `fit_patterns`, of which the third is the strongest
and the others have a tenth of its intensities; a weak one comes first. Printed: percent of the patterns that are called
converged with a more than 4 sigma off, percent that are called converged, in how many the divergence was found, and
root mean square and median of the pulls of a.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from check_map_beam import A_ANG, GROWTH, with_axial

import hydrostruct as hs

HEIGHTS = (0.0, 0.005, 0.01, 0.02)
STRENGTHS = (0.1, 0.3, 1.0)
SERIES = (0.1, 0.1, 1.0, 0.1)


def fitted(patterns: Sequence[hs.Pattern]) -> list[hs.PatternFit]:
    """The patterns of one series, from the cell of the first."""
    return hs.fit_patterns(patterns, [hs.read_phase("Au")], cells={"Au": {"a_ang": A_ANG}})


def print_row(label: str, found: Sequence[tuple[hs.PatternFit, float]]) -> None:
    """One line of the table, of fits and true cells."""
    golds = [(fit.phases["Au"], cell) for fit, cell in found]
    pulls = np.array([(gold.a_ang - cell) / gold.a_sigma_ang for gold, cell in golds])
    converged = np.array([fit.verdict is hs.Verdict.CONVERGED for fit, _ in found])
    seen = 100 * np.mean([fit.axial > 0 for fit, _ in found])
    with np.errstate(invalid="ignore"):
        astray = 100 * np.mean((np.abs(pulls) > 4) & converged)
    numbers = f"{np.sqrt(np.nanmean(pulls**2)):7.2f}{np.nanmedian(pulls):9.2f}"
    print(f"{label:34}{astray:8.0f}{100 * converged.mean():11.0f}{seen:8.0f}{numbers}", flush=True)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=40, help="patterns, or series, of each kind")
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    print(f"SIMULATED: {given.count} of each, seed {given.seed}; percent, and pulls of a")
    print("                                   astray  converged    seen    rms   median")
    for number, height in enumerate(HEIGHTS):
        random = np.random.default_rng([given.seed, number])
        for strength in STRENGTHS:
            patterns = [with_axial(random, A_ANG, height=height, strength=strength) for _ in range(given.count)]
            found = [(fitted([pattern])[0], A_ANG) for pattern in patterns]
            print_row(f"half height {height:5.3f}, apart, {strength:.1f}", found)
        cells = A_ANG * (1 + GROWTH * np.arange(len(SERIES)))
        found = []
        for _ in range(given.count):
            pairs = zip(cells, SERIES, strict=True)
            patterns = [with_axial(random, cell, height=height, strength=one) for cell, one in pairs]
            found += zip(fitted(patterns), cells, strict=True)
        print_row(f"half height {height:5.3f}, series", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
