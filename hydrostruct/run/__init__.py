"""run.toml → everything: configuration, the chain of steps, and the engines that carry it.

The package has a public function of the same name, ``hydrostruct.run``. Python puts a room on its package's attribute
when it is first imported, whatever stood there; so the room itself can be called, and both are one.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydrostruct.results.record import RunResult


class _Room(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> RunResult:
        from hydrostruct.run.chain import run

        return run(*arguments, **options)


sys.modules[__name__].__class__ = _Room
