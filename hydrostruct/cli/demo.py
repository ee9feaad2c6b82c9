"""``hydrostruct demo``: the simulated reference run, analysed, truth beside result."""

from __future__ import annotations

import math
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.checks import check_folder
from hydrostruct.cli.output import format_table, format_value, print_json
from hydrostruct.cli.run import format_run

if TYPE_CHECKING:
    from hydrostruct.run.demo import Comparison
_PULLS = (
    "a_ang", "c_ang", "volume_per_fu_ang3", "share", "edge_cm1", "vibron_cm1", "ic", "n", "gap", "broadening",
    "gap_at_0_k", "tc_of_gap",
)  # fmt: skip


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the simulated run and its results.")] = Path(
        "hydrostruct-demo"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Another seed makes another sample.")] = 1,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes; two where there are two cores.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Simulate a 5×5 map of CeH9 and CeH4 at 95 GPa, analyse it, and compare with the truth.

    Example: hydrostruct demo --out demo --seed 7
    """
    from hydrostruct.run.demo import run_demo
    from hydrostruct.run.progress import progress_bar

    check_folder("--out", out)
    began = time.perf_counter()
    count = min(2, os.cpu_count() or 1) if workers is None else workers
    with progress_bar() as tell:
        result, comparison = run_demo(out, seed=seed, workers=count, progress=tell)
    if json:
        print_json(
            {"out": str(out), "simulated": True, "seed": seed, **_summary(comparison), "rows": _rows(comparison)}
        )
        return 0
    print(format_run(result))
    print("\nSIMULATED: truth beside result, volume per formula unit in Å³\n")
    print(_truth_table(comparison))
    print()
    print(_summary_text(comparison))
    print(f"\n{time.perf_counter() - began:.0f} s. Look at {out / 'results' / 'figures' / 'overview.png'}")
    return 0


def _truth_table(comparison: list[Comparison]) -> str:
    rows = []
    for row in comparison:
        if row.quantity != "volume_per_fu_ang3" or not (row.is_there or row.is_found):
            continue
        true = f"{row.true:.4f}" if row.is_there else "not there"
        pull = "" if math.isnan(row.pull) else f"{row.pull:+.1f}"
        rows.append([str(row.point), row.phase, true, format_value(row.found, row.sigma), pull, row.verdict])
    return format_table(rows, header=["point", "phase", "true", "found", "pull", "verdict"])


def _summary(comparison: list[Comparison]) -> dict[str, Any]:
    """Presence right and wrong, and the pulls of the numbers that the fits vouch for."""
    once = [row for row in comparison if row.quantity == "a_ang"]
    pulls: dict[str, Any] = {}
    for quantity in _PULLS:
        values = [
            row.pull
            for row in comparison
            if row.quantity == quantity and row.is_there and row.verdict == "converged" and math.isfinite(row.pull)
        ]
        if len(values) > 1:
            pulls[quantity] = {
                "count": len(values),
                "mean": statistics.fmean(values),
                "spread": statistics.stdev(values),
                "largest": max(values, key=abs),
            }
    return {
        "present_and_found": sum(row.is_there and row.is_found for row in once),
        "present_and_missed": sum(row.is_there and not row.is_found for row in once),
        "absent_and_not_found": sum(not row.is_there and not row.is_found for row in once),
        "false_alarms": sum(not row.is_there and row.is_found for row in once),
        "pulls_of_converged": pulls,
    }


def _summary_text(comparison: list[Comparison]) -> str:
    summary = _summary(comparison)
    rows = [
        [name, str(pull["count"]), f"{pull['mean']:+.2f}", f"{pull['spread']:.2f}", f"{pull['largest']:+.1f}"]
        for name, pull in summary["pulls_of_converged"].items()
    ]
    return (
        f"phases put in and found {summary['present_and_found']}, missed {summary['present_and_missed']}; "
        f"not put in and not found {summary['absent_and_not_found']}, false alarms {summary['false_alarms']}\n\n"
        "pulls, (found − true)/sigma, where the verdict is converged; 0 ± 1 is ideal\n"
        + format_table(rows, header=["quantity", "count", "mean", "spread", "largest"])
    )


def _rows(comparison: list[Comparison]) -> list[dict[str, Any]]:
    names = ("point", "phase", "is_there", "is_found", "verdict", "quantity", "true", "found", "sigma", "pull")
    return [{name: getattr(row, name) for name in names} for row in comparison]
