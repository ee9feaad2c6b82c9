"""The reference run, small: what was put in is found, by the same chain as a user's data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hydrostruct.results.record import RunResult
from hydrostruct.run.demo import Comparison, run_demo


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult, list[Comparison]]:
    folder = tmp_path_factory.mktemp("demo")
    result, comparison = run_demo(folder, seed=3, shape=(2, 3))
    return folder, result, comparison


def test_everything_says_that_it_is_simulated(outcome: tuple[Path, RunResult, list[Comparison]]) -> None:
    folder, result, _ = outcome
    assert result.is_simulated
    assert json.loads((folder / "truth.json").read_text())["simulated"] is True
    assert "SIMULATED" in (folder / "run.toml").read_text()
    assert "SIMULATED" in (folder / "results" / "truth_and_result.csv").read_text()
    assert b"SIMULATED" in (folder / "xrd" / "map_001.tif").read_bytes()
    for name in ("points.csv", "phases.csv", "transport.csv", "links.csv"):
        header, *rows = (folder / "results" / name).read_text().splitlines()
        assert header.endswith(",simulated")
        assert all(row.endswith(",true") for row in rows)


def test_hydrides_that_were_put_in_are_found_with_cells_within_their_errors(
    outcome: tuple[Path, RunResult, list[Comparison]],
) -> None:
    rows = [row for row in outcome[2] if row.phase in ("CeH9-P63mmc", "CeH4-I4mmm") and row.quantity == "a_ang"]
    put_in = [row for row in rows if row.is_there]
    assert put_in
    assert all(row.is_found for row in put_in)
    pulls = np.array([row.pull for row in put_in if row.verdict == "converged"])
    assert pulls.size >= 0.7 * len(put_in)
    # 3.3 standard deviations of a mean of independent pulls, and 4.5 for the largest of a dozen
    assert abs(pulls.mean()) < 3.3 / np.sqrt(pulls.size)
    assert np.abs(pulls).max() < 4.5


def test_a_phase_that_was_not_put_in_is_not_called_converged(
    outcome: tuple[Path, RunResult, list[Comparison]],
) -> None:
    false = [row for row in outcome[2] if not row.is_there and row.is_found and row.verdict == "converged"]
    assert not false
