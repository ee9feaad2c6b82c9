"""Pulls of Tc, Ic and n on SIMULATED curves: do the uncertainties mean what they say?

Usage: python scripts/check_transport.py [N]        (default 1000 curves of each kind; about 0.1 s a curve)

The curves come from tests/transport/simulator.py, which shares no code and no formula with the analysis. "True Tc" is
the intersection construction on the curve without noise: for the noise alone, the mean over the stated windows; for the
whole sigma, one window drawn by lot, as another reader would have chosen. True Ic and n are those of the simulated
wire in closed form.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import hydrostruct as hs

SEED = 20261122
CONDITIONS: dict[str, dict[str, Any]] = {
    "fine": {"noise": 0.002, "points": 2500},
    "noisy": {"noise": 0.012, "points": 2500},
    "coarse": {"noise": 0.004, "points": 700},
    "lock-in memory": {"memory": 0.6, "points": 2500},
    "offset, drift": {"offset": -0.05, "drift": 0.02, "points": 2500},
    "thermometer": {"jitter": 0.05, "points": 2500},
}


def simulator() -> Any:
    """The module beside the tests."""
    path = Path(__file__).resolve().parents[1] / "tests" / "transport" / "simulator.py"
    spec = importlib.util.spec_from_file_location("transport_simulator", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def tc_pulls(count: int, *, seed: int = SEED) -> tuple[dict[str, Any], Counter[str]]:
    """Pulls of Tc: by noise alone, and whole; the conditions take turns."""
    simulate, random = simulator(), np.random.default_rng(seed)
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in CONDITIONS}
    verdicts: Counter[str] = Counter()
    for index in range(count):
        name = list(CONDITIONS)[index % len(CONDITIONS)]
        sample = simulate.draw_sheet(random)
        temperature, resistance = simulate.measured(random, sample, cooling=bool(index % 2), **CONDITIONS[name])
        found = hs.find_tc(hs.ResistanceCurve(temperature_k=temperature, resistance_ohm=resistance))
        verdicts[f"{found.verdict}, {len(found.steps)} transition(s)"] += 1
        if found.steps:
            true, step = simulate.true_tc(sample), found.steps[0]
            rows[name].append(((step.tc_k - true.mean()) / step.tc_statistical_k,
                               (found.tc_k - random.choice(true)) / found.tc_sigma_k))  # fmt: skip
    return {name: np.array(pairs).reshape(-1, 2) for name, pairs in rows.items()}, verdicts


def ic_pulls(count: int, *, seed: int = SEED) -> tuple[Any, Counter[str]]:
    """Pulls of Ic and n at 0.2 µV."""
    simulate, random = simulator(), np.random.default_rng(seed)
    pulls, verdicts = [], Counter[str]()
    for index in range(count):
        wire = simulate.draw_wire(random)
        true = wire.critical_current(2e-7)
        current, voltage = simulate.measured_voltage(
            random, wire, top=true * random.uniform(1.15, 1.4), noise=random.uniform(5e-9, 3e-8), both=bool(index % 2),
            relative=0.1 * (index % 3 == 0), thermal=random.normal(0, 1e-7), lead_ohm=random.normal(0, 1e-7),
        )  # fmt: skip
        sign = -1.0 if index % 4 == 0 else 1.0
        found = hs.fit_voltage_current(hs.VoltageCurve(current_a=current, voltage_v=sign * voltage), criterion_v=2e-7)
        verdicts[f"{found.verdict}, {found.polarity}"] += 1
        pulls.append(((found.ic_a - true) / found.ic_sigma_a, (found.n - wire.steepness) / found.n_sigma))
    table = np.array(pulls)
    return table[np.all(np.isfinite(table), axis=1)], verdicts


def line(name: str, pulls: Any) -> str:
    """One line of the table."""
    far = 100 * float(np.mean(np.abs(pulls) > 3))
    return f"{name:34} {pulls.size:5d}  {pulls.mean():6.3f}  {pulls.std(ddof=1):6.3f}  {far:5.2f}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Pulls of Tc, Ic and n on simulated curves.")
    parser.add_argument("count", nargs="?", type=int, default=1000, help="curves of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--tc-only", action="store_true", help="leave Ic and n out")
    given = parser.parse_args()
    count, seed = given.count, given.seed
    print(f"SIMULATED curves, {count} of each kind, seed {seed}; pull = (found - true) / sigma")
    print(f"{'':34} {'n':>5}  {'mean':>6}  {'spread':>6}  >3 %")
    rows, verdicts = tc_pulls(count, seed=seed)
    for name, table in rows.items():
        print(line(f"Tc, noise alone: {name}", table[:, 0]))
        print(line(f"Tc, whole sigma: {name}", table[:, 1]))
    whole = np.concatenate(list(rows.values()))
    print(line("Tc, noise alone: all", whole[:, 0]))
    print(line("Tc, whole sigma: all", whole[:, 1]))
    print("   " + "; ".join(f"{word}: {number}" for word, number in sorted(verdicts.items())))
    if given.tc_only:
        return 0
    table, verdicts = ic_pulls(count, seed=seed)
    print(line("Ic", table[:, 0]))
    print(line("n", table[:, 1]))
    print("   " + "; ".join(f"{word}: {number}" for word, number in sorted(verdicts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
