"""One small simulated run for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydrostruct.simulate.reference_run import simulate_run
from hydrostruct.simulate.truth import Truth


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """Folder and truth of a map of 2 by 2 points."""
    folder = tmp_path_factory.mktemp("run")
    return folder, simulate_run(folder, seed=3, shape=(2, 2))
