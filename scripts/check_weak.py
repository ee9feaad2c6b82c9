"""Weak lines of an orthorhombic cell over a wide range: does a fit that leaves no more than noise have the right cell?

Run: python scripts/check_weak.py [N] [--seed S]

Simulated patterns of Pnma, random areas, pseudo-Voigts, Poisson noise. Tube: Cu Kα1 with Kα2, 15 to 90°, zero -0.02°,
strongest line some 500 counts on 60. Short: 0.7 Å, 4 to 50°, zero 0.005°, some 100 counts on 50. Starts are off by up
to 0.1 or 1 % in each axis. "Jump" is the second of two patterns of a series, whose axes differ from those of the first
by 0.5 to 1.2 % each; the first starts at its cell. Printed: of 100 patterns, those that are called converged with an
axis more than 5 sigma off, and all that are called converged; the spread of the pulls of these; and the time.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np

import hydrostruct as hs

NAMES = ("a_ang", "b_ang", "c_ang")
KA1, KA2 = 1.540593, 1.544427
KINDS = {
    # wavelengths with their parts, 2θ, cell, zero, height of the strongest line, background, widths
    "tube": (((KA1, 2 / 3), (KA2, 1 / 3)), (15.0, 90.0, 0.02), (8.478, 5.397, 6.958), -0.02, 500.0, 60.0, (0.09, 0.05)),
    "short": (((0.7, 1.0),), (4.0, 50.0, 0.01), (4.91, 5.72, 4.23), 0.005, 100.0, 50.0, (0.03, 0.025)),
}


def peak(x, gauss, lorentz):
    """A pseudo-Voigt of unit height whose parts have these full widths."""
    return 0.5 * np.exp(-4.0 * np.log(2.0) * (x / gauss) ** 2) + 0.5 / (1.0 + 4.0 * (x / lorentz) ** 2)


def lines_of(cell, wavelength, top):
    """Spacings of the lines of Pnma that a range shows, by their textbook conditions."""
    least, found = 0.5 * wavelength / np.sin(np.radians(0.5 * top)), []
    for h, k, l in itertools.product(range(12), range(12), range(12)):  # noqa: E741
        if not (h or k or l) or (h == 0 and (k + l) % 2) or (l == 0 and h % 2):
            continue
        spacing = 1.0 / np.sqrt((h / cell[0]) ** 2 + (k / cell[1]) ** 2 + (l / cell[2]) ** 2)
        if spacing > least:
            found.append(((h, k, l), spacing))
    return found


def simulate(random, kind, cell, areas):
    """A measured pattern; `areas` remembers the area of each line, so that a series keeps them."""
    waves, (low, high, step), _, zero, most, ground, (gauss, lorentz) = KINDS[kind]
    x = np.arange(low, high, step)
    lines = lines_of(cell, waves[0][0], high)
    for hkl, spacing in lines:
        if hkl not in areas:
            areas[hkl] = random.exponential() * spacing
    heights = np.array([areas[hkl] for hkl, _ in lines])
    clean = ground * (1.0 + 0.5 * np.exp(-(x - low) / 10.0))
    for (_, spacing), height in zip(lines, most * heights / heights.max(), strict=True):
        for wavelength, part in waves:
            sine = 0.5 * wavelength / spacing
            if sine < 1.0:
                place = 2.0 * np.degrees(np.arcsin(sine)) + zero
                clean += height * part / waves[0][1] * peak(x - place, gauss, lorentz)
    counts = random.poisson(clean).astype(float)
    sigma = np.sqrt(np.maximum(counts, 1.0))
    return hs.Pattern(two_theta_deg=x, intensity=counts, sigma=sigma, wavelength_ang=waves[0][0])


def phase_of(folder):
    """The phase as a user would give it."""
    path = folder / "weak.toml"
    path.write_text(
        'name = "weak"\nformula = "Fe2O3"\n[structure]\nspace_group_number = 62\nspace_group_symbol = "Pnma"\n'
        'formula_units = 4\nmetal_atoms_per_formula_unit = 2\nsource = "simulated"\nconfidence = "memory-high"\n'
        '[cell]\na_ang = 8.5\nb_ang = 5.4\nc_ang = 7.0\nsource = "simulated"\nconfidence = "memory-high"\n'
    )
    return hs.read_phase(path)


def judged(fit, cell):
    """Whether the fit is called converged, and the pulls of its axes."""
    found = fit.phases["weak"]
    pulls = [
        (getattr(found, name) - true) / getattr(found, name.replace("_ang", "_sigma_ang"))
        for name, true in zip(NAMES, cell, strict=True)
    ]
    return found.verdict == "converged", pulls


def one_start(random, kind, phase, most_off):
    """A pattern from a start that is off by up to so much in each axis."""
    cell = np.array(KINDS[kind][2]) * random.uniform(0.99, 1.01, 3)
    pattern = simulate(random, kind, cell, {})
    start = cell * (1.0 + most_off * random.uniform(-1.0, 1.0, 3))
    return judged(hs.fit_pattern(pattern, [phase], cells={"weak": dict(zip(NAMES, start, strict=True))}), cell)


def one_jump(random, kind, phase):
    """The second of two patterns whose cells differ by about 1 %."""
    cell = np.array(KINDS[kind][2]) * random.uniform(0.99, 1.01, 3)
    other = cell * (1.0 + random.uniform(0.005, 0.012, 3) * random.choice((-1.0, 1.0)))
    areas = {}
    patterns = [simulate(random, kind, one, areas) for one in (cell, other)]
    fits = hs.fit_patterns(patterns, [phase], cells={"weak": dict(zip(NAMES, cell, strict=True))})
    return judged(fits[1], other)


def told(title, outcomes, seconds):
    """One line."""
    converged, pulls = np.array([one for one, _ in outcomes]), np.array([one for _, one in outcomes])
    astray = converged & np.any(np.abs(pulls) > 5.0, axis=1)
    spread = np.nanstd(pulls[converged]) if converged.any() else np.nan
    print(
        f"{title:32s} astray {100 * astray.mean():3.0f}, converged {100 * converged.mean():3.0f}, spread {spread:4.2f};"
        f" {seconds / len(outcomes):.2f} s each",
        flush=True,
    )


def main():
    """Print a line for each kind of pattern and start."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=50)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    print(f"SIMULATED: {given.count} patterns a line, seed {given.seed}; of 100")
    with tempfile.TemporaryDirectory() as folder:
        phase = phase_of(Path(folder))
        for kind in KINDS:
            for most_off in (0.001, 0.01):
                random, began = np.random.default_rng([given.seed, round(1e4 * most_off)]), time.perf_counter()
                outcomes = [one_start(random, kind, phase, most_off) for _ in range(given.count)]
                told(f"{kind}, starts off by {100 * most_off:g} %", outcomes, time.perf_counter() - began)
            random, began = np.random.default_rng([given.seed, 7]), time.perf_counter()
            outcomes = [one_jump(random, kind, phase) for _ in range(given.count)]
            told(f"{kind}, jump in a series", outcomes, time.perf_counter() - began)


if __name__ == "__main__":
    main()
