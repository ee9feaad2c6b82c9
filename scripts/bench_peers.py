"""The Le Bail fit beside other programs, on the same SIMULATED files, in one run: CPU time, accuracy, capture.

Usage: python scripts/bench_peers.py [--rietx-python PATH] [--phasesmith-python PATH] [--data FOLDER] [--starts 8]

The peers are measured where they are installed, each in an environment of its own, and are no dependency:

    python -m venv /tmp/peer && /tmp/peer/bin/pip install rietx      (or phasesmith)

The problem: CeH9 + CeH4, 0.6199 Å, 4-25°, 2000 points, 15 lines, 12 background terms; cells, one Gaussian width and a
Lorentzian width for each phase are free (PhaseSmith has one for both), the zero is fixed. Three patterns (good, mid,
weak) from a start 0.5 % off; a map of 25 points, each seeded by the last; starts 1-2 % off on each axis; and the map
again with its first start 1.3 % off. CPU seconds are those of one process with one thread, imports and a first fit
not counted. A pattern is right when every axis is within 0.1 % of the truth.

The simulator below shares no code with hydrostruct; --data takes a folder with such files and their truth instead.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import math
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hydrostruct as hs

Floats = NDArray[np.float64]
Cells = list[list[float]]
Answer = dict[str, Any]

WAVELENGTH = 0.6199
CELLS: Cells = [[3.674, 5.427], [2.838, 5.801]]
NAMES = ("CeH9-P63mmc", "CeH4-I4mmm")
# h, k, l, relative area; beyond 25° too, so that tails reach in from outside
LINES = (
    ((1, 0, 0, 24), (1, 0, 1, 100), (0, 0, 2, 21), (1, 0, 2, 17), (1, 1, 0, 24), (2, 0, 0, 4.2), (1, 0, 3, 24),
     (2, 0, 1, 21), (1, 1, 2, 28), (2, 0, 2, 4.8), (0, 0, 4, 3.2), (1, 0, 4, 3.6)),
    ((0, 0, 2, 13.6), (1, 0, 1, 40), (1, 1, 0, 10.8), (1, 1, 2, 12.8), (1, 0, 3, 11.6), (0, 0, 4, 2.1),
     (2, 0, 0, 4.1), (2, 0, 2, 5.5), (2, 1, 1, 10.2), (1, 1, 4, 4.2)),
)  # fmt: skip
LEVELS = {"good": (20000.0, 3000.0), "mid": (3000.0, 3000.0), "weak": (400.0, 1500.0)}
RIGHT = 1e-3
TERMS = 12
WORKER_SECONDS = 1800

RIETX_WORKER = """
import json, os, sys, time
os.environ["RIETX_TELEMETRY"] = "0"
import numpy as np
import rietx as rx
from rietx.schemas.common import Parameter
from rietx.schemas.instrument import BackgroundChebyshev
from rietx.schemas.pattern import PatternData
from rietx.schemas.structure import Atom, Cell, Phase, Structure
from rietx.sequential import SequentialRefinement
from rietx.strategy.staged import RefinementPlan, Stage

job = json.load(open(sys.argv[1]))
fixed = lambda value: Parameter(value=value)

def structure(cells):
    phases = []
    for name, group, gamma, site, (a, c) in zip(
        ("CeH9", "CeH4"), ("P 63/m m c", "I 4/m m m"), (120.0, 90.0), ((1 / 3, 2 / 3, 0.25), (0.0, 0.0, 0.0)), cells
    ):
        cell = Cell(a=fixed(a), b=fixed(a), c=fixed(c), alpha=fixed(90.0), beta=fixed(90.0), gamma=fixed(gamma))
        atom = Atom(label="Ce", species="Ce", x=fixed(site[0]), y=fixed(site[1]), z=fixed(site[2]))
        width = Parameter(value=0.03, min=0.0)
        phases.append(Phase(name=name, space_group=group, cell=cell, atoms=[atom], lor_size=width))
    return Structure(phases=phases)

def instrument():
    made = rx.Instrument.debye_scherrer(wavelength=job["wavelength"])
    made.background = BackgroundChebyshev.with_terms(job["terms"])
    made.profile.w.value = 0.0045
    for name in "uvxy":
        getattr(made.profile, name).value = 0.0
    return made

def plan():
    if job["plan"]:
        return job["plan"]
    return RefinementPlan(stages=[
        Stage("bkg", ["instrument.background.*"]), Stage("cell", ["phases.*.cell.*"]),
        Stage("widths", ["instrument.profile.w", "phases.*.lor_size"]),
    ])

def read(path):
    x, y, sigma = np.loadtxt(path).T
    return PatternData(two_theta=x.tolist(), intensity=y.tolist(), sigma=sigma.tolist())

def fit(files, cells):
    data, times, answers = [read(path) for path in files], [time.process_time()], []
    series = SequentialRefinement(structure(cells), instrument(), history=False)
    found = series.fit(data, mode="pawley", plan=plan(), telemetry=False,
                       on_result=lambda index, result: times.append(time.process_time()))
    for entry, seconds in zip(found.entries, np.diff(times)):
        rows = {row.path: (row.value, row.stderr) for row in entry.parameters}
        # a phase that it held, for want of support, has no rows: no number, and a flag
        axes = [[rows.get(f"phases.{i}.cell.{axis}", (None, None)) for axis in "ac"] for i in (0, 1)]
        held = any(value is None for pair in axes for value, _ in pair)
        answers.append({"cells": [[v for v, _ in pair] for pair in axes],
                        "sigmas": [[s for _, s in pair] for pair in axes],
                        "flagged": held or entry.status != "converged", "seconds": float(seconds)})
    return answers
"""

PHASESMITH_WORKER = """
import json, sys, time
from dataclasses import replace
import numpy as np
from phasesmith.crystallography import UnitCell
from phasesmith.instrument import ConstantWavelengthInstrument
from phasesmith.io import space_group_by_number
from phasesmith.pattern import PowderPattern
from phasesmith.refinement.background import ChebyshevBackground
from phasesmith.refinement.core import ConstraintTransform
from phasesmith.refinement.lattice import LatticeParameterBounds, LatticeParameterization
from phasesmith.refinement.pawley import PawleyInput, PawleyPhase, build_parameter_set, refine

job = json.load(open(sys.argv[1]))

def request(x, y, sigma, cells):
    phases = []
    for name, number, gamma, (a, c) in zip(("CeH9", "CeH4"), (194, 139), (120.0, 90.0), cells):
        cell, group = UnitCell(a, a, c, 90.0, 90.0, gamma), space_group_by_number(number).space_group
        bounds = LatticeParameterBounds.around(LatticeParameterization(group, cell), relative_length=0.04)
        phases.append(PawleyPhase.from_cell(
            name, cell, group, wavelength_angstrom=job["wavelength"], two_theta_range=(x[0], x[-1] + 0.5),
            bounds=bounds, initial_intensity=0.03 * float(y.max() - np.median(y))))
    background = ChebyshevBackground("b", (float(np.median(y)),) + (0.0,) * (job["terms"] - 1), (x[0], x[-1]))
    gauss = 0.0045 / (8 * np.log(2))
    made = PawleyInput(PowderPattern(x, observed_y=y, uncertainty=sigma),
                       ConstantWavelengthInstrument(job["wavelength"], 0.0, 0.0, gauss, 0.03, 0.0),
                       tuple(phases), background, signed_intensities=True)
    selected = build_parameter_set(made, profile_parameters=("w_deg2", "x_deg"), lattice=True)
    return replace(made, parameters=selected)

def fit(files, cells):
    answers, last = [], None
    for path in files:
        x, y, sigma = np.loadtxt(path).T
        began = time.process_time()
        if last is None:
            wanted = request(x, y, sigma, cells)
        else:
            pattern = PowderPattern(x, observed_y=y, uncertainty=sigma)
            wanted = replace(wanted, pattern=pattern, parameters=last.parameters)
        last = refine(wanted)
        seconds = time.process_time() - began
        specs = list(last.parameters.specs)
        values = {(s.key.owner_id, s.key.name): s.value for s in specs}
        spread = {}
        if last.covariance is not None:
            slopes = ConstraintTransform(last.parameters, wanted.constraints).derivative_matrix()
            sigmas = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, last.covariance, slopes), 0.0))
            spread = {(s.key.owner_id, s.key.name): v for s, v in zip(specs, sigmas)}
        axes = [[(name, f"{axis}_angstrom") for axis in "ac"] for name in ("CeH9", "CeH4")]
        answers.append({"cells": [[values[key] for key in pair] for pair in axes],
                        "sigmas": [[spread.get(key) for key in pair] for pair in axes],
                        "flagged": last.termination_reason != "converged", "seconds": seconds})
    return answers
"""

WORKER_LOOP = """
def guarded(task):
    try:
        return fit(task["files"], task["cells"])
    except Exception as error:
        return [{"error": f"{type(error).__name__}: {error}"} for _ in task["files"]]

guarded(job["tasks"][0])
json.dump([guarded(task) for task in job["tasks"]], open(sys.argv[2], "w"))
"""


def angles(lines: Iterable[tuple[float, ...]], a: float, c: float, *, hexagonal: bool) -> Floats:
    """2θ in degrees of hexagonal or tetragonal reflections."""
    h, k, l = np.array([line[:3] for line in lines], dtype=float).T  # noqa: E741
    across = 4.0 / 3.0 * (h * h + h * k + k * k) if hexagonal else h * h + k * k
    return np.degrees(2.0 * np.arcsin(WAVELENGTH / 2.0 * np.sqrt(across / a**2 + l * l / c**2)))


def peak(x: Floats, center: float, area: float, gauss: float, lorentz: float) -> Floats:
    """Thompson-Cox-Hastings pseudo-Voigt, drawn to the ends of the pattern."""
    powers = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    full = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(powers)) ** 0.2
    q = lorentz / full
    eta = 1.36603 * q - 0.47719 * q * q + 0.11116 * q**3
    t = 2.0 * (x - center) / full
    bell = math.sqrt(math.log(2.0) / math.pi) * np.exp(-math.log(2.0) * t * t)
    return area * 2.0 / full * ((1.0 - eta) * bell + eta / math.pi / (1.0 + t * t))


def simulate(random: np.random.Generator, level: str, cells: Cells) -> Floats:
    """One simulated pattern: columns 2θ, counts, sigma."""
    height, low = LEVELS[level]
    x = np.linspace(4.0, 25.0, 2000)
    u = (x - x[0]) / (x[-1] - x[0])
    counts = low * (0.75 + 0.5 * np.exp(-2.5 * u) + 0.18 * np.exp(-(((u - 0.45) / 0.22) ** 2)))
    for lines, (a, c), hexagonal in zip(LINES, cells, (True, False), strict=True):
        for line, center in zip(lines, angles(lines, a, c, hexagonal=hexagonal), strict=True):
            area = height * 0.092 * line[3] / 100.0
            counts = counts + peak(x, center, area, 0.066, 0.024 / math.cos(math.radians(center / 2.0)))
    observed = random.poisson(counts).astype(float)
    return np.column_stack([x, observed, np.sqrt(np.maximum(observed, 1.0))])


def write_patterns(folder: Path) -> None:
    """Three levels and a map of 25 points whose cells wander by some 0.2 % from one to the next, with their truth."""
    random = np.random.default_rng(20261122)
    truth: dict[str, Any] = {}
    (folder / "map").mkdir()
    for level in LEVELS:
        np.savetxt(folder / f"{level}.xye", simulate(random, level, CELLS), fmt="%.6f")
        truth[level] = {"cells": {"CeH9": CELLS[0], "CeH4": CELLS[1]}}
    scale = 0.992
    for index in range(25):
        scale += 0.002 * math.cos(1.3 * index)
        cells = [[length * scale * random.normal(1.0, 1e-4) for length in cell] for cell in CELLS]
        np.savetxt(folder / "map" / f"p{index:02d}.xye", simulate(random, "mid", cells), fmt="%.6f")
        truth[f"p{index:02d}"] = {"cells": {"CeH9": cells[0], "CeH4": cells[1]}}
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")


def make_tasks(folder: Path, starts: int) -> list[dict[str, Any]]:
    """What every engine is asked: files, the start, and what is true."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    random = np.random.default_rng(7)

    def task(kind: str, files: list[Path], factors: Floats) -> dict[str, Any]:
        true = [[truth[path.stem]["cells"][name] for name in ("CeH9", "CeH4")] for path in files]
        start = (np.array(true[0]) * factors.reshape(2, 2)).tolist()
        return {"kind": kind, "files": [str(path) for path in files], "cells": start, "true": true}

    points = sorted((folder / "map").glob("*.xye"))
    tasks = [task(f"cold {level}", [folder / f"{level}.xye"], np.full(4, 1.005)) for level in LEVELS]
    tasks.append(task("map", points, np.full(4, 1.002)))
    for _ in range(starts):
        off = random.uniform(0.01, 0.02, 4) * random.choice([-1.0, 1.0], 4)
        tasks.append(task("capture", [folder / "good.xye"], 1.0 + off))
    tasks.append(task("map, first start 1.3 % off", points, 1.0 + 0.013 * np.array([1.0, -1.0, -1.0, 1.0])))
    return tasks


def ours(tasks: list[dict[str, Any]]) -> list[list[Answer]]:
    """Answers of hydrostruct; a map is fitted by `fit_patterns`, its time is the best of five."""
    phases = [hs.read_phase(name) for name in NAMES]
    answers = []
    for task in [tasks[0], *tasks]:
        patterns = [hs.read_pattern(path, wavelength_ang=WAVELENGTH) for path in task["files"]]
        cells = {n: {"a_ang": a, "c_ang": c} for n, (a, c) in zip(NAMES, task["cells"], strict=True)}
        seconds = np.full(2, np.inf)
        for _ in range(5):
            times = [time.process_time()]
            for some in (patterns[:1], patterns):
                fits = hs.fit_patterns(some, phases, cells=cells, background=TERMS)
                times.append(time.process_time())
            seconds = np.minimum(seconds, np.diff(times))
        each = float(seconds[1] - seconds[0]) / max(1, len(fits) - 1)
        answers.append([_our_answer(fit, each if index else float(seconds[0])) for index, fit in enumerate(fits)])
    return answers[1:]


def _our_answer(fit: hs.PatternFit, seconds: float) -> Answer:
    found = [fit.phases[name] for name in NAMES]
    return {
        "cells": [[one.a_ang, one.c_ang] for one in found],
        "sigmas": [[one.a_sigma_ang, one.c_sigma_ang] for one in found],
        "flagged": fit.verdict.value != "converged",
        "seconds": seconds,
    }


def theirs(python: str, worker: str, tasks: list[dict[str, Any]], plan: str) -> list[list[Answer]] | str:
    """Answers of another program, run by its own interpreter; what went wrong, in words, when it gave none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {"tasks": tasks, "wavelength": WAVELENGTH, "terms": TERMS, "plan": plan}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        (folder / "worker.py").write_text(worker + WORKER_LOOP, encoding="utf-8")
        command = [python, "worker.py", "job.json", "answers.json"]
        alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        try:
            done = subprocess.run(
                command, cwd=folder, env=alone, capture_output=True, text=True, timeout=WORKER_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["no message"])[-1]
        answers: list[list[Answer]] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        return answers


def is_right(answer: Answer, true: Cells) -> bool:
    """Whether every axis is within 0.1 % of the truth."""
    if "error" in answer:
        return False
    return bool(np.all(np.abs(np.array(answer["cells"], dtype=float) / np.array(true) - 1.0) < RIGHT))


def count(pairs: Iterable[tuple[Answer, Cells]]) -> str:
    """Right / wrong and flagged / wrong and not flagged."""
    found = [(is_right(answer, true), "error" in answer or answer["flagged"]) for answer, true in pairs]
    return f"{sum(r for r, _ in found)}/{sum(not r and f for r, f in found)}/{sum(not r and not f for r, f in found)}"


def accuracy(pairs: Iterable[tuple[Answer, Cells]]) -> tuple[float, float]:
    """Median relative error in ppm and rms error over sigma, of the patterns that are right."""
    relative, pulls = [], []
    for answer, true in pairs:
        if is_right(answer, true):
            error = np.array(answer["cells"]) - np.array(true)
            relative.append(np.abs(error / np.array(true)).ravel())
            pulls.append((error / np.array(answer["sigmas"], dtype=float)).ravel())
    if not relative:
        return math.nan, math.nan
    known = [pull for pull in np.concatenate(pulls) if math.isfinite(pull)]
    rms = math.sqrt(sum(pull * pull for pull in known) / len(known)) if known else math.nan
    return 1e6 * float(np.median(np.concatenate(relative))), rms


def row(name: str, tasks: list[dict[str, Any]], answers: list[list[Answer]]) -> tuple[float, list[str]]:
    """One line of the table, and the CPU seconds of a seeded pattern."""
    pairs: dict[str, list[tuple[Answer, Cells]]] = {}
    for task, found in zip(tasks, answers, strict=True):
        pairs.setdefault(task["kind"], []).extend(zip(found, task["true"], strict=True))
    seeded = float(np.mean([answer.get("seconds", math.nan) for answer, _ in pairs["map"][1:]]))
    cold = [pairs[f"cold {level}"][0][0].get("seconds", math.nan) for level in LEVELS]
    middle, rms = accuracy(pairs["map"])
    cells = [f"{seconds:.4f}" for seconds in (*cold, seeded)]
    cells += [count(pairs["map"]), f"{middle:.0f}", f"{rms:.2f}", count(pairs["capture"])]
    cells.append(count(pairs["map, first start 1.3 % off"]))
    errors = sorted({answer["error"] for found in answers for answer in found if "error" in answer})
    for error in errors[:3]:
        print(f"  {name} failed: {error}")
    return seeded, [name, *cells]


def main() -> None:
    """Run everybody and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rietx-python", help="interpreter of an environment with rietx")
    parser.add_argument("--phasesmith-python", help="interpreter of an environment with phasesmith")
    parser.add_argument("--data", type=Path, help="good.xye, mid.xye, weak.xye, map/ and truth.json instead of our own")
    parser.add_argument("--starts", type=int, default=8, help="starts 1-2 %% off on each axis")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.data.resolve() if given.data else Path(name)
        if not given.data:
            write_patterns(folder)
        tasks = make_tasks(folder, given.starts)
        rows = [row("hydrostruct", tasks, ours(tasks))]
        for label, python, worker, plan in (
            ("rietx, same parameters", given.rietx_python, RIETX_WORKER, ""),
            ("rietx, its default plan", given.rietx_python, RIETX_WORKER, "pawley_default"),
            ("PhaseSmith", given.phasesmith_python, PHASESMITH_WORKER, ""),
        ):
            if not python:
                continue
            answers = theirs(str(Path(python).absolute()), worker, tasks, plan)
            rows.append(
                (math.nan, [label, f"failed: {answers}"]) if isinstance(answers, str) else row(label, tasks, answers)
            )
    print("simulated CeH9 + CeH4, 2000 points; CPU s a pattern; right/wrong and flagged/wrong and not flagged")
    head = (
        "cold good",
        "mid",
        "weak",
        "seeded",
        "map",
        "ppm",
        "rms/sigma",
        "1-2 % off",
        "map, bad start",
        "times ours",
    )
    layout = "{:24s} {:>9s} {:>7s} {:>7s} {:>7s} {:>8s} {:>5s} {:>9s} {:>9s} {:>14s} {:>10s}"
    print(layout.format("", *head))
    for seeded, cells in rows:
        print(layout.format(*cells, f"{seeded / rows[0][0]:.0f}") if len(cells) > 2 else "  ".join(cells))


if __name__ == "__main__":
    main()
