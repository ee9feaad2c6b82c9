"""The reference run: simulate the paper's experiment, analyse it as a user's own, and lay truth beside result."""

from __future__ import annotations

import csv
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path

from hydrostruct.files import write_whole
from hydrostruct.results.record import PointResult, RunResult
from hydrostruct.run.chain import run
from hydrostruct.run.progress import Progress
from hydrostruct.simulate.reference_run import simulate_run
from hydrostruct.simulate.truth import PointTruth, Truth
from hydrostruct.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One phase at one point: what was put in, and what was found. NaN where there is nothing."""

    point: int
    """Number of the point; 0 for what belongs to the run as a whole."""
    phase: str
    """Name of the phase; empty for what belongs to the point as a whole."""
    is_there: bool
    """Whether it was put in."""
    is_found: bool
    """Whether it was detected."""
    verdict: str
    """What the fit says of its own numbers."""
    quantity: str
    """Which number."""
    true: float
    """As simulated; Å, Å³, or the share itself."""
    found: float
    """As fitted."""
    sigma: float
    """Its standard uncertainty."""

    @property
    def pull(self) -> float:
        """(found − true) / sigma."""
        return (self.found - self.true) / self.sigma if self.sigma > 0 else math.nan


_QUANTITIES = {
    "a_ang": "a_sigma_ang",
    "c_ang": "c_sigma_ang",
    "volume_per_fu_ang3": "volume_per_fu_sigma_ang3",
    "share": "share_sigma",
}
# for each kind of curve: the name in the comparison, in transport.csv, and in the truth
_CURVE_QUANTITIES = {
    "voltage_current": (("ic", "ic", "ic_a"), ("n", "n", "n")),
    "conductance": (("gap", "gap", "gap_mev"), ("broadening", "broadening", "broadening_mev")),
    "gap_temperature": (("gap_at_0_k", "gap", "gap_mev"), ("tc_of_gap", "tc", "tc_k")),
}


def run_demo(
    out: str | os.PathLike[str],
    *,
    seed: int = 1,
    shape: tuple[int, int] = (5, 5),
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[RunResult, list[Comparison]]:
    """Simulate the reference run and analyse it by the same chain as a user's data.

    Parameters
    ----------
    out : path-like
        Folder for the simulated run and its results.
    seed : int
        Another seed makes another sample; 0 or more.
    shape : (rows, columns)
        Of the map.
    workers : int
        Processes.
    progress : callable, optional
        Is told of the work as it goes.

    Returns
    -------
    result : RunResult
        What was found.
    comparison : list of Comparison
        Truth beside result, also written as ``truth_and_result.csv``.
    """
    folder = Path(out)
    tell = None if progress is None else lambda done, total: progress("simulated images", done, total)
    truth = simulate_run(folder, seed=seed, shape=shape, on_image=tell)
    result = run(folder / "run.toml", out=folder / "results", workers=workers, progress=progress)
    comparison = compare(truth, result)
    write_whole(folder / "results" / "truth_and_result.csv", _table(comparison))
    return result, comparison


def compare(truth: Truth, result: RunResult) -> list[Comparison]:
    """Truth beside result, for each phase at each point.

    Parameters
    ----------
    truth : Truth
        What was simulated.
    result : RunResult
        What was found in it.

    Returns
    -------
    list of Comparison
        In the order of points, phases and quantities; the share where a phase was not put in is 0.
    """
    rows = []
    for true_point, point in zip(truth.points, result.points, strict=True):
        for name in result.phase_names:
            put_in = true_point.phases.get(name)
            found = None if point.fit is None else point.fit.phases[name]
            for quantity, sigma in _QUANTITIES.items():
                true = getattr(put_in, quantity) if put_in else (0.0 if quantity == "share" else math.nan)
                rows.append(
                    Comparison(
                        point=point.place.point,
                        phase=name,
                        is_there=put_in is not None,
                        is_found=found is not None and found.detected,
                        verdict=Verdict.FAILED if found is None else found.verdict,
                        quantity=quantity,
                        true=true,
                        found=math.nan if found is None else getattr(found, quantity),
                        sigma=math.nan if found is None else getattr(found, sigma),
                    )
                )
        rows += _compare_raman(true_point, point)
    return rows + _compare_transport(truth, result)


def _compare_transport(truth: Truth, result: RunResult) -> list[Comparison]:
    """Currents, exponents and gaps, truth beside result; Tc of R(T) is a matter of definition, and has no truth."""
    found = {(one.file, one.quantity): one for one in result.transport}
    rows = []
    for curve in truth.curves:
        for quantity, sought, attribute in _CURVE_QUANTITIES.get(curve.kind, ()):
            one, true = found.get((curve.file, sought)), getattr(curve, attribute)
            if one is None:
                continue
            rows.append(
                Comparison(
                    point=0,
                    phase="",
                    is_there=true is not None,
                    is_found=math.isfinite(one.value),
                    verdict=one.verdict,
                    quantity=quantity,
                    true=math.nan if true is None else true,
                    found=one.value,
                    sigma=one.sigma,
                )
            )
    return rows


def _compare_raman(truth: PointTruth, point: PointResult) -> list[Comparison]:
    """Edge and vibron of one point, truth beside result."""
    raman = point.raman
    pairs = (
        ("edge_cm1", truth.edge_cm1, None if raman is None else raman.edge),
        ("vibron_cm1", truth.vibron_cm1, None if raman is None else raman.vibron),
    )
    return [
        Comparison(
            point=point.place.point,
            phase="",
            is_there=true is not None,
            is_found=found is not None and math.isfinite(getattr(found, name)),
            verdict=Verdict.FAILED if found is None else found.verdict,
            quantity=name,
            true=math.nan if true is None else true,
            found=math.nan if found is None else getattr(found, name),
            sigma=math.nan if found is None else getattr(found, name.replace("_cm1", "_sigma_cm1")),
        )
        for name, true, found in pairs
    ]


def _table(comparison: list[Comparison]) -> str:
    stream = io.StringIO()
    stream.write("# SIMULATED: truth beside result\n")
    writer = csv.writer(stream, lineterminator="\n")
    columns = ("point", "phase", "is_there", "is_found", "verdict", "quantity", "true", "found", "sigma", "pull")
    writer.writerow(columns)
    for row in comparison:
        cells = (getattr(row, name) for name in columns)
        writer.writerow(
            ("" if math.isnan(cell) else f"{cell:.10g}") if isinstance(cell, float) else str(cell) for cell in cells
        )
    return stream.getvalue()
