"""Diamond edges of SIMULATED spectra: found where they are, with uncertainties that mean what they say?

Usage: python scripts/check_edges.py [N] [--seed S]        (default 300; about 0.1 s each, most of it the simulation)

60 to 150 GPa, contrast 5 to 60 % of the first-order band, slopes, fluorescence, spikes; the simulator of
tests/raman/edge_simulator.py, whose shape is another than that of the model. The truth is the minimum of the
derivative of the noiseless spectrum. An edge more than 6 cm-1 away, or more than 3 cm-1 and 4 sigma, or missing, is a
wrong step and has no pull.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np

import hydrostruct as hs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "raman"))
from edge_simulator import simulate_edge

FAR_CM1, FAR_SIGMAS = 6.0, 4.0


def main() -> int:
    """Simulate, find and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    errors, pulls, wrong, wrong_ambiguous, right_ambiguous, seconds = [], [], 0, 0, 0, 0.0
    for _ in range(given.count):
        made = simulate_edge(random)
        spectrum = hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts)
        began = time.perf_counter()
        edge = hs.find_edge(spectrum)
        seconds += time.perf_counter() - began
        error = edge.edge_cm1 - made.edge_cm1
        if not abs(error) <= FAR_CM1 or (abs(error) > FAR_SIGMAS * edge.edge_sigma_cm1 and abs(error) > 0.5 * FAR_CM1):
            wrong += 1
            wrong_ambiguous += edge.ambiguous
            continue
        right_ambiguous += edge.ambiguous
        errors.append(error)
        pulls.append(error / edge.edge_sigma_cm1)
    absent = 0
    empty = max(given.count // 3, 1)
    for _ in range(empty):
        made = simulate_edge(random, contrast=0.0)
        absent += hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts)).verdict == "absent"
    bias, spread = float(np.mean(errors)), float(np.std(pulls, ddof=1))
    print(f"SIMULATED edges, {given.count}, seed {given.seed}")
    print(f"right step         {100 * (1 - wrong / given.count):.1f} %")
    print(f"wrong ones         {wrong}, of which ambiguous {wrong_ambiguous}")
    print(f"right but ambiguous {100 * right_ambiguous / given.count:.1f} %")
    print(f"bias               {bias:.3f} cm-1, standard error {np.std(errors) / math.sqrt(len(errors)):.3f}")
    print(
        f"pulls              mean {np.mean(pulls):.3f}, spread {spread:.3f} +- {spread / math.sqrt(2 * len(pulls)):.3f}"
    )
    print(f"no edge simulated  {absent} of {empty} absent")
    print(f"time               {1e3 * seconds / given.count:.1f} ms a spectrum")
    return 0


if __name__ == "__main__":
    sys.exit(main())
