"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# the first call of a compiled loop takes seconds, and machines are noisy: time is no test's subject
# the same examples each time: a stranger's first run fails for what they changed, not by chance;
# `pytest --hypothesis-profile=new-examples` looks further
settings.register_profile("hydrostruct", deadline=None, derandomize=True)
settings.register_profile("new-examples", deadline=None, max_examples=1000)
settings.load_profile("hydrostruct")
os.environ["HYDROSTRUCT_TRACEBACK"] = "1"  # a fault of the program fails a test, also one that expects an error
SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of measured data of other people; the test is skipped where it is not present."""
    if not SHARED_DATA.is_dir():
        pytest.skip("measured data of other people (../shared/data) is not present")
    return SHARED_DATA
