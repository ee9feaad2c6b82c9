"""What tests of the diffraction room share: simulated patterns with a known truth."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def simulator() -> ModuleType:
    """The simulator beside this file; it shares no code with the package."""
    spec = importlib.util.spec_from_file_location("lebail_simulator", Path(__file__).with_name("simulator.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
