"""Does a zero that nobody freed lead the cell astray? Simulated patterns of platinum, and of two phases.

Run: python scripts/check_shift.py [N] [--seed S]

Cu Kα1, 20 to 110°, strongest line 300, 1000 or 5000 counts on a background of 200 to 300, pseudo-Voigts of 0.15°,
random heights, Poisson noise; starts 0.05 % off. Each pattern is fitted as it comes ("auto"), and with nothing asked of
it beyond the cell ("alone", `profile="pseudo-voigt"`). Printed: of 100 patterns, those that are called converged with a
more than 4 sigma off, and all that are called converged; and the spread of the pulls of a.

Then CeH9 and CeH4 at 0.6199 Å, 4 to 29.5° or 25°, lines 0.03° wide of random heights, strongest 6000 and 2400 counts on
a background of 1200 to 1800, starts 0.1 % off: a range that tells a zero from the cells, and one that does not. Percent
of the phases, and the spread of the pulls of all axes of those that are called converged.
"""

from __future__ import annotations

import argparse

import numpy as np

import hydrostruct as hs

WAVELENGTH, A_ANG = 1.540593, 3.92
SQUARES = np.array([3, 4, 8, 11, 12, 16, 19])
X = np.arange(20.0, 110.0, 0.02)
PAIR = {"CeH9-P63mmc": (3.674, 5.427), "CeH4-I4mmm": (2.838, 5.801)}
PAIR_ANG = 0.6199


def simulate(random, *, zero, height, strongest):
    """Counts of platinum with a zero, or a specimen below the axis by a part of the goniometer's radius."""
    places = 2.0 * np.degrees(np.arcsin(WAVELENGTH * np.sqrt(SQUARES) / A_ANG / 2.0))
    places = places + zero - 2.0 * np.degrees(height * np.cos(np.radians(places / 2.0)))
    sizes = random.uniform(0.2, 1.0, places.size)
    clean = 200.0 + 100.0 * np.exp(-(X - 20.0) / 30.0)
    for place, size in zip(places, strongest * sizes / sizes.max(), strict=True):
        t = (X - place) / 0.15
        clean += size * (0.3 / (1.0 + 4.0 * t * t) + 0.7 * np.exp(-4.0 * np.log(2.0) * t * t))
    counts = random.poisson(clean)
    return hs.Pattern(
        two_theta_deg=X, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=WAVELENGTH
    )


def lines_of(name, top):
    """2θ in degrees of the lines of a hexagonal close-packed, or a body-centred tetragonal, lattice of metal atoms."""
    h, k, l = (axis.ravel() for axis in np.mgrid[0:7, 0:7, 0:11])  # noqa: E741
    a, c = PAIR[name]
    if name.startswith("CeH9"):
        square, is_there = 4.0 / 3.0 * (h * h + h * k + k * k), ((h - k) % 3 != 0) | (l % 2 == 0)
    else:
        square, is_there = h * h + k * k, (h + k + l) % 2 == 0
    square = square / a**2 + (l / c) ** 2
    sine = 0.5 * PAIR_ANG * np.sqrt(np.unique(square[is_there & (square > 0)].round(9)))
    places = 2.0 * np.degrees(np.arcsin(sine[sine < 0.5]))
    return places[(places > 4.0) & (places < top)]


def simulate_pair(random, *, zero, top):
    """Counts of the two phases with a zero."""
    x = np.arange(4.0, top, 0.008)
    clean = 1100.0 + 700.0 * np.exp(-2.5 * (x - 4.0) / (top - 4.0))
    for name, most in zip(PAIR, (6000.0, 2400.0), strict=True):
        places = lines_of(name, top)
        sizes = random.uniform(0.1, 1.0, places.size)
        for place, size in zip(places + zero, most * sizes / sizes.max(), strict=True):
            t = (x - place) / 0.03
            clean += size * (0.3 / (1.0 + 4.0 * t * t) + 0.7 * np.exp(-4.0 * np.log(2.0) * t * t))
    counts = random.poisson(clean)
    return hs.Pattern(
        two_theta_deg=x, intensity=counts, sigma=np.sqrt(np.maximum(counts, 1.0)), wavelength_ang=PAIR_ANG
    )


def measure_pair(count, seed, profile, **given):
    """Percent of the phases astray and converged, and converged, and the spread of the pulls of those."""
    random, phases = np.random.default_rng(seed), [hs.read_phase(name) for name in PAIR]
    starts = {name: {"a_ang": 1.001 * a, "c_ang": 0.999 * c} for name, (a, c) in PAIR.items()}
    converged, pulls = [], []
    for _ in range(count):
        fit = hs.fit_pattern(simulate_pair(random, **given), phases, cells=starts, profile=profile)
        for name, (a, c) in PAIR.items():
            found = fit.phases[name]
            converged.append(found.verdict == "converged")
            pulls.append([(found.a_ang - a) / found.a_sigma_ang, (found.c_ang - c) / found.c_sigma_ang])
    converged, pulls = np.array(converged), np.array(pulls)
    astray = converged & np.any(np.abs(pulls) > 4.0, axis=1)
    return 100 * astray.mean(), 100 * converged.mean(), np.nanstd(pulls[converged]) if converged.any() else np.nan


def measure(count, seed, profile, **given):
    """Percent astray and converged, percent converged, and the spread of the pulls."""
    random, phase = np.random.default_rng(seed), hs.read_phase("Pt")
    converged, pulls = [], []
    for _ in range(count):
        pattern = simulate(random, **given)
        fit = hs.fit_pattern(pattern, [phase], cells={"Pt": {"a_ang": 1.0005 * A_ANG}}, profile=profile)
        found = fit.phases["Pt"]
        converged.append(found.verdict == "converged")
        pulls.append((found.a_ang - A_ANG) / found.a_sigma_ang)
    astray = np.array(converged) & (np.abs(pulls) > 4.0)
    return 100 * astray.mean(), 100 * np.mean(converged), np.nanstd(pulls)


def main():
    """Print a line for each shift and height."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=100)
    parser.add_argument("--seed", type=int, default=9)
    given = parser.parse_args()
    print(f"SIMULATED: {given.count} patterns a line, seed {given.seed}; astray / converged (%), spread of pulls")
    for number, (zero, height) in enumerate(((0.0, 0.0), (0.02, 0.0), (0.05, 0.0), (0.1, 0.0), (0.0, 1e-3))):
        for strongest in (300.0, 1000.0, 5000.0):
            shift = {"zero": zero, "height": height, "strongest": strongest}
            seed = [given.seed, number]
            alone, auto = (measure(given.count, seed, profile, **shift) for profile in ("pseudo-voigt", "auto"))
            print(f"zero {zero:.2f}°, s/R {height:.0e}, {strongest:4.0f} counts: ", end="")
            print("alone {:3.0f} / {:3.0f}, {:5.2f}; auto {:3.0f} / {:3.0f}, {:4.2f}".format(*alone, *auto), flush=True)
    for top in (29.5, 25.0):
        spread = np.tan(np.radians(0.5 * top)) - np.tan(np.radians(2.0))
        for number, zero in enumerate((0.0, 0.003, 0.01)):
            seed = [given.seed, round(top), number]
            pair = {"zero": zero, "top": top}
            alone, auto = (measure_pair(given.count, seed, profile, **pair) for profile in ("pseudo-voigt", "auto"))
            print(f"two phases, tan θ over {spread:.2f}, zero {zero:.3f}°: ", end="")
            print("alone {:3.0f} / {:3.0f}, {:5.2f}; auto {:3.0f} / {:3.0f}, {:4.2f}".format(*alone, *auto), flush=True)


if __name__ == "__main__":
    main()
