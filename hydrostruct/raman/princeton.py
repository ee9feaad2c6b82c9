"""Princeton Instruments files, ``.spe`` of versions 2 and 3 (door to fabio)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from hydrostruct.raman.raw import Bytes, RawSpectra, read_bytes

_VERSION, _LASER_V2, _HEAD = 1992, 3311, 4100
_LARGEST_SIDE = 1_000_000


def read_spe(path: Path) -> RawSpectra:
    """The spectra of an ``.spe`` file: one a frame, the rows of the detector summed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    RawSpectra
        In nm, with the laser line where a file of version 2 states it.

    Raises
    ------
    InputError
        When the file is cut short, is none, or was never calibrated.
    """
    data = read_bytes(path)
    version = data.number("f", _VERSION)
    if len(data.data) < _HEAD or not 1.0 <= version < 4.0:
        raise data.wrong(f"its version is {version:g}")
    _check_size(data)
    image = _open(data)
    axis = np.asarray(image.header.get("x_calibration", ()), dtype=np.float64)
    frames = [np.atleast_2d(image.data if n == 0 else image.get_frame(n).data) for n in range(image.nframes)]
    if not frames or any(axis.shape != frame.shape[1:] for frame in frames):
        raise data.wrong(f"its axis has {axis.size} points, its frames {[frame.shape for frame in frames[:1]]}")
    rows = frames[0].shape[0]
    laser = data.number("d", _LASER_V2) if version < 3.0 else math.nan
    return RawSpectra(
        axis=axis,
        intensity=np.array([frame.sum(axis=0, dtype=np.float64) for frame in frames]),
        unit="nm",
        laser_nm=laser if 150.0 <= laser <= 2000.0 else math.nan,
        notes=(f"The {rows} rows of the detector were summed.",) if rows > 1 else (),
    )


def _check_size(data: Bytes) -> None:
    """Refuse a stated size that the file cannot hold before memory is taken for it."""
    width, height, frames = data.number("H", 42), data.number("H", 656), data.number("i", 1446)
    if not 1 <= frames <= len(data.data) or width * height * max(frames, 1) > len(data.data):
        raise data.wrong(f"it states {frames} frames of {width}×{height} pixels, more than its {len(data.data)} bytes")


def _open(data: Bytes) -> Any:
    """The first frame, as the library reads it; whatever it trips over is a fault of the file."""
    from fabio.speimage import SpeImage

    try:
        return SpeImage().read(str(data.path))
    except MemoryError as error:
        raise data.wrong("it states a size that no memory holds") from error
    except Exception as error:
        raise data.wrong(f"it cannot be read ({type(error).__name__}: {error})") from error
