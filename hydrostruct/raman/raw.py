"""What a file reader hands on: the columns as the file has them, before the axis becomes a Raman shift."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RawSpectra:
    """Spectra on one axis, in the unit of their file."""

    axis: Floats
    """The axis, shape (n,), or (spectra, n) where each has its own."""
    intensity: Floats
    """Intensity, shape (spectra, n)."""
    unit: str = "auto"
    """``cm1``, ``nm``, ``ev``, or ``auto`` where the file does not say."""
    laser_nm: float = math.nan
    """The laser line that the file states, in nm; NaN where it does not."""
    x_um: Floats = field(default_factory=lambda: np.empty(0))
    """Positions, in µm, shape (spectra,), or empty."""
    y_um: Floats = field(default_factory=lambda: np.empty(0))
    """Positions, in µm, shape (spectra,), or empty."""
    notes: tuple[str, ...] = ()
    """What a user should know; whole sentences."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """The bytes of a file, read at places that are checked first."""

    path: Path
    """The file, for messages."""
    data: bytes
    """All of it."""

    def number(self, code: str, offset: int) -> Any:
        """One little-endian number of a `struct` code at a place."""
        self._check(offset, struct.calcsize("<" + code))
        return struct.unpack_from("<" + code, self.data, offset)[0]

    def array(self, dtype: str, offset: int, *, count: int) -> Floats:
        """Numbers of a numpy type at a place, as float64."""
        kind = np.dtype(dtype)
        if count < 0:
            raise self.wrong(f"a count is {count}")
        self._check(offset, count * kind.itemsize)
        with np.errstate(invalid="ignore"):
            return np.frombuffer(self.data, dtype=kind, count=count, offset=offset).astype(np.float64)

    def wrong(self, what: str) -> InputError:
        """The error of a file that is not what its name says."""
        return InputError(
            f"{self.path}: {what}. Expected a whole {self.path.suffix} file. Copy or export it again, or export text."
        )

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or offset + size > len(self.data):
            raise self.wrong(f"the file ends at byte {len(self.data)}, {size} were to follow byte {offset}")


def read_bytes(path: Path) -> Bytes:
    """The bytes of a file.

    Raises
    ------
    InputError
        When it is missing, cannot be read or is empty.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file. Check the path.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Expected a spectrum.") from error
    if not data:
        raise InputError(f"{path}: the file is empty. Expected a spectrum. Write the file again.")
    return Bytes(path, data)
