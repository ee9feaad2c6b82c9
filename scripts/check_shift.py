"""Does a zero that nobody freed lead the cell of few lines astray? Simulated wide patterns of six lines of platinum.

Run: python scripts/check_shift.py [N] [--seed S]

Cu Kα1, 20 to 110°, strongest line 300, 1000 or 5000 counts on a background of 200 to 300, pseudo-Voigts of 0.15°,
random heights, Poisson noise; starts 0.05 % off. Each pattern is fitted as it comes ("auto"), and with nothing asked of
it beyond the cell ("alone", `profile="pseudo-voigt"`). Printed: of 100 patterns, those that are called converged with a
more than 4 sigma off, and all that are called converged; and the spread of the pulls of a.
"""

from __future__ import annotations

import argparse

import numpy as np

import hydrostruct as hs

WAVELENGTH, A_ANG = 1.540593, 3.92
SQUARES = np.array([3, 4, 8, 11, 12, 16, 19])
X = np.arange(20.0, 110.0, 0.02)


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


if __name__ == "__main__":
    main()
