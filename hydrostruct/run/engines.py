"""Who does the work: this process, or several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from hydrostruct.errors import InputError
from hydrostruct.xrd.maps import Executor

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@contextmanager
def open_engine(workers: int) -> Iterator[Executor]:
    """An executor for a number of workers.

    Parameters
    ----------
    workers : int
        1 works in this process; more start as many processes of one thread each.

    Yields
    ------
    callable
        Maps a function over jobs and gives the answers in the order of the jobs.

    Raises
    ------
    InputError
        For a number below 1.
    """
    if workers < 1:
        raise InputError(f"workers: {workers}. Expected 1 or more.")
    if workers == 1:
        yield map
        return
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # read when a worker starts
    try:
        # spawned, not forked: libraries with threads of their own do not survive a fork
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool.map
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
