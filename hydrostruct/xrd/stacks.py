"""Stacks of images in HDF5, links and compression included, read frame by frame."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.grid import natural_order

_LEAST_SIDE = 16
_NOT_IMAGES = ("mask", "flatfield", "flat_field", "dark", "efficiency", "background", "thumbnail")
_CUTOFFS = (
    "countrate_correction_count_cutoff",
    "detectorSpecific/countrate_correction_count_cutoff",
    "saturation_value",
)
_SHOWN = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """The images of one HDF5 file: where they stand, and what the file says of them."""

    path: Path
    """The file."""
    datasets: tuple[str, ...]
    """Paths of the datasets that follow each other: one, or the numbered parts of an Eiger master."""
    counts: tuple[int, ...]
    """Frames in each dataset."""
    shape: tuple[int, int]
    """Rows and columns of a frame."""
    dtype: np.dtype[Any]
    """Number type of the pixels."""
    is_series: bool
    """False when the file holds one image without a frame axis."""
    cutoff: float
    """Count from which the file calls a pixel saturated; NaN where it does not say."""
    exposure_s: float
    """Exposure time, in s; NaN where the file does not say."""
    bad_pixels: npt.NDArray[np.bool_] | None
    """Pixels that the file calls bad, shape (rows, columns)."""

    @property
    def count(self) -> int:
        """Number of frames."""
        return sum(self.counts)

    def read(self, index: int) -> npt.NDArray[Any]:
        """Read one frame, counted from 1.

        Parameters
        ----------
        index : int
            From 1 to `count`.

        Returns
        -------
        array, shape (rows, columns)
            The pixels as stored.

        Raises
        ------
        InputError
            When there is no such frame, or its bytes are damaged.
        """
        if not 1 <= index <= self.count:
            raise InputError(f"{self.path}: has no frame {index}. Expected 1 to {self.count}.")
        place = index - 1
        for name, count in zip(self.datasets, self.counts, strict=True):
            if place < count:
                return _read_plane(self.path, name, place if self.is_series else None)
            place -= count
        raise AssertionError("the index was checked")


def open_stack(path: Path, dataset: str) -> Stack:
    """Find the images of an HDF5 file.

    Parameters
    ----------
    path : Path
        The file; external links are followed within its folder.
    dataset : str
        Path of a dataset, or of a group that holds one or the numbered parts of an Eiger master; empty to look for
        the only dataset of images.

    Returns
    -------
    Stack
        Without any pixel read, other than the mask of bad ones.

    Raises
    ------
    InputError
        When there is none, there are several (they are listed), a link leads nowhere, or the numbers are no images.
    """
    return _open_stack(path, dataset, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _open_stack(path: Path, dataset: str, _changed: int) -> Stack:
    with _file(path) as file:
        names = _named_datasets(path, file, dataset) if dataset else _only_datasets(path, file)
        parts = [file[name] for name in names]
        shape = parts[0].shape[-2:]
        for name, part in zip(names, parts, strict=True):
            _check_virtual(path, name, part)
            if part.shape[-2:] != shape:
                raise InputError(f"{path}::{name}: frames of {part.shape[-2:]}. Expected {shape}, as in {names[0]}.")
        is_series = parts[0].ndim == 3
        return Stack(
            path=path,
            datasets=names,
            counts=tuple(int(part.shape[0]) if is_series else 1 for part in parts),
            shape=(int(shape[0]), int(shape[1])),
            dtype=np.dtype(parts[0].dtype),
            is_series=is_series,
            **_said_by_detector(file, names[0], shape),
        )


@contextmanager
def _file(path: Path) -> Iterator[Any]:
    """An open HDF5 file, with the filters (bitshuffle, LZ4, zstd) that detectors use."""
    import h5py
    import hdf5plugin  # noqa: F401 - registers the filters

    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise InputError(f"{path}: no such file. Check the path.") from error
        raise InputError(
            f"{path}: cannot be read as HDF5 ({error}). Expected a whole file. Copy it again, or wait for it."
        ) from error


def _read_plane(path: Path, name: str, place: int | None) -> npt.NDArray[Any]:
    with _file(path) as file:
        data = file[name]
        return np.asarray(data[()] if place is None else data[place])


def _named_datasets(path: Path, file: Any, dataset: str) -> tuple[str, ...]:
    found, broken = _images_below(path, file, dataset)
    if not found and broken:
        raise InputError(broken[0])
    groups = _groups_of_parts(found)
    if len(groups) == 1:
        _refuse_broken(broken, groups[0])
        return groups[0]
    if groups:
        raise InputError(_several(path, groups))
    item = file.get(dataset)
    if item is None:
        raise InputError(f"{path}: has no '{dataset}'. Expected the path of images in the file. {_advice(path, file)}")
    shape, kind = getattr(item, "shape", None), getattr(item, "dtype", None)
    what = "is a group without images" if shape is None else f"has shape {shape} and type {kind}"
    raise InputError(f"{path}::{dataset}: {what}. Expected images, as (frames, rows, columns). {_advice(path, file)}")


def _only_datasets(path: Path, file: Any) -> tuple[str, ...]:
    found, broken = _images_below(path, file, "/")
    groups = _groups_of_parts(found)
    stacks = [group for group in groups if file[group[0]].ndim == 3]
    groups = stacks or groups
    if not groups:
        if broken:
            raise InputError(broken[0])
        raise InputError(f"{path}: holds no images. Expected a dataset of (frames, rows, columns). Check the file.")
    if len(groups) > 1:
        raise InputError(_several(path, groups))
    _refuse_broken(broken, groups[0])
    return groups[0]


def _refuse_broken(broken: list[str], names: tuple[str, ...]) -> None:
    """A broken link beside the parts of a stack is a missing part; elsewhere in the file it is nobody's concern."""
    folder = names[0].rpartition("/")[0] + "/"
    for message in broken:
        if f"::{folder}" in message:
            raise InputError(message)


def _several(path: Path, groups: list[tuple[str, ...]]) -> str:
    names = [group[0] if len(group) == 1 else group[0].rpartition("/")[0] for group in groups]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"{path}: holds {len(names)} datasets of images: {', '.join(names[:_SHOWN])}{more}. Expected one. "
        f"Name it: {path}::{names[0]}"
    )


def _advice(path: Path, file: Any) -> str:
    found, _ = _images_below(path, file, "/")
    names = [group[0] for group in _groups_of_parts(found)]
    return f"The file holds: {', '.join(names[:_SHOWN])}." if names else "The file holds no images."


def _groups_of_parts(names: list[str]) -> list[tuple[str, ...]]:
    """Names that differ by a trailing number only (``data_000001``, …) are parts of one stack."""
    grouped: dict[str, list[str]] = {}
    for name in names:
        stem = name.rstrip("0123456789")
        key = stem if stem != name and stem.endswith("_") else name
        grouped.setdefault(key, []).append(name)
    return [tuple(natural_order(parts)) for parts in grouped.values()]


def _images_below(path: Path, file: Any, start: str) -> tuple[list[str], list[str]]:
    """Datasets that can be images at or below a path, each object once; and what is wrong with links."""
    import h5py

    found: list[str] = []
    broken: list[str] = []
    seen: set[tuple[str, int]] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        item = _follow(path, file, name, broken)
        if item is None:
            continue
        identity = (item.file.filename, h5py.h5o.get_info(item.id).addr)
        if identity in seen:
            continue
        seen.add(identity)
        if isinstance(item, h5py.Dataset):
            if _can_be_images(item, name):
                found.append(name)
        elif isinstance(item, h5py.Group):
            waiting += [f"{name.rstrip('/')}/{child}" for child in natural_order(item)]
    return found, broken


def _follow(path: Path, file: Any, name: str, broken: list[str]) -> Any:
    """The object behind a name; None, with a sentence, when its link leads out of the folder or nowhere."""
    import h5py

    if name != "/":
        try:
            link = file.get(name, getlink=True)
        except (KeyError, OSError, RuntimeError):
            return None
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink) and not _stays_inside(path, link.filename):
            broken.append(
                f"{path}::{name}: links to '{link.filename}', outside the folder of the file. Expected linked files "
                "beside it or below. Give the linked file itself."
            )
            return None
        if isinstance(link, h5py.ExternalLink) and not (path.parent / link.filename).is_file():
            broken.append(
                f"{path}::{name}: links to '{link.filename}', which is not there. Expected it beside {path.name}. "
                "Copy the data files too."
            )
            return None
    try:
        return file[name]
    except (KeyError, OSError):
        broken.append(f"{path}::{name}: the link leads nowhere. Expected a dataset. Copy the linked files too.")
        return None


def _stays_inside(path: Path, target: str) -> bool:
    folder = Path(os.path.realpath(path.parent))
    return Path(os.path.realpath(path.parent / target)).is_relative_to(folder)


def _check_virtual(path: Path, name: str, data: Any) -> None:
    """A virtual dataset whose files are gone reads as fill values without any error: say it instead."""
    if not data.is_virtual:
        return
    for source in {part.file_name for part in data.virtual_sources()} - {"."}:
        if not (Path(data.file.filename).parent / source).is_file():
            raise InputError(
                f"{path}::{name}: is put together from '{source}', which is not there. Expected it beside {path.name}. "
                "Copy the data files too."
            )


def _can_be_images(data: Any, name: str) -> bool:
    if data.dtype.kind not in "uif" or data.ndim not in (2, 3) or min(data.shape[-2:]) < _LEAST_SIDE or 0 in data.shape:
        return False
    leaf = name.rpartition("/")[2].casefold()
    if any(word in leaf for word in _NOT_IMAGES):
        return False
    return data.ndim == 3 or not _has_axis(data)


def _has_axis(data: Any) -> bool:
    """A table beside an axis as long as its rows is a set of curves (NXazint1d and the like), not an image."""
    siblings = (data.parent.get(child) for child in data.parent)
    return any(getattr(sibling, "shape", None) == data.shape[-1:] for sibling in siblings)


def _said_by_detector(file: Any, name: str, shape: tuple[int, int]) -> dict[str, Any]:
    """Cutoff, exposure and bad pixels of the NXdetector group that the images belong to."""
    entry = "/" + name.lstrip("/").partition("/")[0]
    groups = [file.get(place) for place in (name.rpartition("/")[0] or "/", f"{entry}/instrument/detector")]
    cutoff, exposure, bad = math.nan, math.nan, None
    for group in groups:
        if not hasattr(group, "keys"):
            continue
        cutoff = next((value for key in _CUTOFFS if (value := _scalar(group.get(key))) > 0), cutoff)
        value = _scalar(group.get("count_time"))
        exposure = value if value > 0 else exposure
        mask = group.get("pixel_mask")
        if mask is None:
            mask = group.get("detectorSpecific/pixel_mask")
        if mask is not None and tuple(mask.shape[-2:]) == tuple(shape):
            bad = np.asarray(mask[()]).reshape((-1, *shape))[0] != 0
            bad.setflags(write=False)
    return {"cutoff": cutoff, "exposure_s": exposure, "bad_pixels": bad}


def _scalar(item: Any) -> float:
    if item is None or getattr(item, "size", 0) != 1 or item.dtype.kind not in "uif":
        return math.nan
    return float(np.asarray(item[()]).ravel()[0])
