"""Make the figure of the README from simulated data.

Run from the top of the repository: ``python scripts/make_figures.py [FOLDER]``.
The simulation shares no peak, reflection or cell code with the analysis.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import hydrostruct as hs
from hydrostruct.report.figures import save_fit_figure

WAVELENGTH_ANG = 0.6199
# (h, k, l, relative area)
CEH9 = [(1, 0, 0, 24), (1, 0, 1, 100), (0, 0, 2, 21), (1, 0, 2, 17), (1, 1, 0, 24), (2, 0, 0, 4), (1, 0, 3, 24)]
CEH9 += [(2, 0, 1, 21), (1, 1, 2, 28)]
CEH4 = [(0, 0, 2, 34), (1, 0, 1, 100), (1, 1, 0, 27), (1, 1, 2, 32), (1, 0, 3, 29), (0, 0, 4, 5), (2, 0, 0, 10)]


def simulated_pattern(seed: int) -> hs.Pattern:
    """CeH9 and CeH4 over a curved background, with counting noise."""
    random = np.random.default_rng(seed)
    angle = np.linspace(5.0, 25.0, 2000)
    inverse_squares = [(4 / 3 * (h * h + h * k + k * k) / 3.674**2 + m * m / 5.427**2, 24.0 * i) for h, k, m, i in CEH9]
    inverse_squares += [((h * h + k * k) / 2.838**2 + m * m / 5.801**2, 9.0 * i) for h, k, m, i in CEH4]
    counts = 300 + 900 * np.exp(-(((angle - 4) / 9) ** 2)) + 8 * angle
    for inverse_square, height in inverse_squares:
        t = (angle - 2 * np.degrees(np.arcsin(WAVELENGTH_ANG / 2 * np.sqrt(inverse_square)))) / 0.08
        counts = counts + height * (0.6 * np.exp(-2.7725887 * t**2) + 0.4 / (1 + 4 * t**2))
    observed = random.poisson(counts).astype(float)
    return hs.Pattern(
        two_theta_deg=angle,
        intensity=observed,
        sigma=np.sqrt(counts),
        wavelength_ang=WAVELENGTH_ANG,
        name="simulated CeH9 + CeH4",
    )


def main() -> None:
    """Draw the picture of the README."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/figures")
    phases = [hs.read_phase("CeH9-P63mmc"), hs.read_phase("CeH4-I4mmm")]
    start = {"CeH9-P63mmc": {"a_ang": 3.70, "c_ang": 5.48}, "CeH4-I4mmm": {"a_ang": 2.82, "c_ang": 5.76}}
    fit = hs.fit_pattern(simulated_pattern(20), phases, cells=start)
    path = save_fit_figure(fit, folder / "lebail_fit.png", title="SIMULATED: CeH9 + CeH4, cells started 1 % off")
    print(path)
    for found in fit.phases.values():
        print(f"{found.name}: a = {found.a_ang:.5f} ± {found.a_sigma_ang:.5f} Å, ", end="")
        print(f"c = {found.c_ang:.5f} ± {found.c_sigma_ang:.5f} Å")


if __name__ == "__main__":
    main()
