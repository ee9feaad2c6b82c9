"""Time of an edge and of a vibron on SIMULATED spectra, as ratios to a numpy solve in the same run.

Usage: python scripts/bench_raman.py

CPU ms, best of five rounds, one thread. The solve is numpy.linalg.solve of 500 equations: it stands for the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import hydrostruct as hs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "raman"))
from edge_simulator import simulate_edge

ROUNDS, EDGES = 5, 20


def main() -> int:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    random = np.random.default_rng(1)
    made = [simulate_edge(random) for _ in range(EDGES)]
    edges = [hs.Spectrum(shift_cm1=one.shift_cm1, intensity=one.counts) for one in made]
    x = np.linspace(3900.0, 4500.0, 1000)
    vibron = hs.Spectrum(shift_cm1=x, intensity=random.poisson(400 + 600 / (1 + ((x - 4194) / 6) ** 2)).astype(float))
    matrix = random.normal(size=(500, 500))
    solve = best(lambda: np.linalg.solve(matrix, matrix[0]))
    edge = best(lambda: [hs.find_edge(one) for one in edges]) / EDGES
    line = best(lambda: hs.find_vibron(vibron))
    print(f"{'':28s} {'ms':>8s} {'ratio':>8s}")
    for name, value in (("numpy solve, 500 equations", solve), ("edge, 1024 points", edge), ("vibron", line)):
        print(f"{name:28s} {1e3 * value:8.2f} {value / solve:8.2f}")
    return 0


def best(work: Callable[[], object]) -> float:
    """The shortest CPU time of some rounds, in s."""
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
