"""Diamond edges of SIMULATED spectra: found where they are, with uncertainties that mean what they say?

Usage: python scripts/check_edges.py [N] [--seed S [S …]] [--simulator depth|anvil|both]  (default 300 of one seed;
about 0.1 s each, most of it the simulation)

60 to 150 GPa, contrast 5 to 60 % of the first-order band, slopes, fluorescence, spikes. `depth` is the simulator of
tests/raman/edge_simulator.py, `anvil` the harder one of tests/raman/anvil_simulator.py with eight shapes of edge, fine
and coarse axes, detectors with gain, smoothed data and spikes on the edge; neither has the shape of the model. The
truth is the minimum of the derivative of the noiseless spectrum. An edge more than 6 cm-1 away, or more than 3 cm-1 and
4 sigma, or missing, is a wrong step and has no pull. A wrong one should be flagged: ambiguous. Seeds are pooled.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import hydrostruct as hs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "raman"))
from anvil_simulator import simulate_anvil
from edge_simulator import SimulatedEdge, simulate_edge

SIMULATORS = {"depth": simulate_edge, "anvil": simulate_anvil}

FAR_CM1, FAR_SIGMAS = 6.0, 4.0


@dataclass
class Tally:
    """What is counted over all spectra."""

    errors: list[float] = field(default_factory=list)
    pulls: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    wrong_ambiguous: int = 0
    right_ambiguous: int = 0
    empty: int = 0
    absent: int = 0
    empty_converged: int = 0
    seconds: float = 0.0


def main() -> int:
    """Simulate, find and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=300, help="spectra for each seed")
    parser.add_argument("--seed", type=int, nargs="+", default=[20261122])
    parser.add_argument("--simulator", choices=[*SIMULATORS, "both"], default="both")
    given = parser.parse_args()
    for name in SIMULATORS if given.simulator == "both" else [given.simulator]:
        tally = Tally()
        for seed in given.seed:
            count_seed(tally, name, seed, given.count)
        print_tally(tally, given.count * len(given.seed), f"{name}, seeds {', '.join(map(str, given.seed))}")
    return 0


def count_seed(tally: Tally, name: str, seed: int, count: int) -> None:
    """Some edges, and a third as many spectra without one."""
    random, simulate = np.random.default_rng(seed), SIMULATORS[name]
    for number in range(count):
        count_edge(tally, simulate(random), f"seed {seed}, number {number}")
    for _ in range(max(count // 3, 1)):
        count_empty(tally, simulate(random, contrast=0.0))


def count_edge(tally: Tally, made: SimulatedEdge, label: str) -> None:
    """Find one edge and count it as right or wrong."""
    began = time.perf_counter()
    edge = hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts))
    tally.seconds += time.perf_counter() - began
    error = edge.edge_cm1 - made.edge_cm1
    if not abs(error) <= FAR_CM1 or (abs(error) > FAR_SIGMAS * edge.edge_sigma_cm1 and abs(error) > 0.5 * FAR_CM1):
        tally.wrong.append(
            f"{label}: true {made.edge_cm1:.1f}, contrast {made.contrast:.3f}, found {edge.edge_cm1:.1f} +- "
            f"{edge.edge_sigma_cm1:.2f}, {edge.verdict}. {edge.reason}"
        )
        tally.wrong_ambiguous += edge.ambiguous
        return
    tally.right_ambiguous += edge.ambiguous
    tally.errors.append(error)
    tally.pulls.append(error / edge.edge_sigma_cm1)


def count_empty(tally: Tally, made: SimulatedEdge) -> None:
    """Look for an edge where none was simulated."""
    verdict = hs.find_edge(hs.Spectrum(shift_cm1=made.shift_cm1, intensity=made.counts)).verdict
    tally.empty += 1
    tally.absent += verdict == "absent"
    tally.empty_converged += verdict == "converged"


def print_tally(tally: Tally, count: int, title: str) -> None:
    """What was counted."""
    pulls, errors = np.array(tally.pulls), np.array(tally.errors)
    spread = float(np.std(pulls, ddof=1))
    robust = float(np.median(np.abs(pulls))) / 0.6745
    print(f"SIMULATED edges, {count}, {title}")
    print(f"right step         {100 * (1 - len(tally.wrong) / count):.1f} %")
    print(f"wrong ones         {len(tally.wrong)}, of which ambiguous {tally.wrong_ambiguous}")
    print(f"right but ambiguous {100 * tally.right_ambiguous / count:.1f} %")
    print(
        f"bias               {np.mean(errors):.3f} cm-1, standard error {np.std(errors) / math.sqrt(errors.size):.3f}"
    )
    print(
        f"pulls              mean {np.mean(pulls):.3f}, spread {spread:.3f} +- {spread / math.sqrt(2 * pulls.size):.3f}"
    )
    print(f"pulls beyond 4     {100 * np.mean(np.abs(pulls) > 4.0):.1f} %, median of |pull| / 0.6745: {robust:.3f}")
    print(f"no edge simulated  {tally.absent} of {tally.empty} absent, {tally.empty_converged} converged")
    print(f"time               {1e3 * tally.seconds / count:.1f} ms a spectrum")
    for line in tally.wrong:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
