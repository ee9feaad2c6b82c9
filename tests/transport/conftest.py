"""What tests of the transport room share: the simulator beside this file, which shares no code with the package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_NAME = "transport_simulator"

if _NAME not in sys.modules:
    spec = importlib.util.spec_from_file_location(_NAME, Path(__file__).with_name("simulator.py"))
    if spec is None or spec.loader is None:
        raise ImportError(_NAME)
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)
