"""Images on disk as frames: globs in natural order, multi-frame files, HDF5 stacks; one frame in memory at a time."""

from __future__ import annotations

import glob
import logging
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.grid import natural_order

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_TAIL_BYTES = 8192
_DAMAGE = ("incomplete", "Checksum", "requires a buffer", "truncated", "Corrupt EXIF", "no tiff reader")
_NUMBER = r"([-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)"
_EXPOSURE = re.compile(
    r"exposure[_ ]?time(?:\(s\))?['\"]?\s*[:=,]?\s*['\"]?" + _NUMBER + r"\s*(?!\s*[mu]s)", re.IGNORECASE
)
_CUTOFF = re.compile(r"count_cutoff['\"]?\s*[:=,]?\s*['\"]?" + _NUMBER, re.IGNORECASE)
_STAGE_X = re.compile(r"\bHorizontal:" + _NUMBER)
_STAGE_Y = re.compile(r"\bVertical:" + _NUMBER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One detector image, as it was written."""

    image: npt.NDArray[Any]
    """Counts as the file holds them, its number type kept, shape (rows, columns); read-only."""
    source: str
    """The file, and the path inside it where there is one, as a user knows it."""
    name: str
    """File stem, with ``_00012`` appended for the twelfth frame of a stack: the name of what is made of it."""
    index: int = 1
    """Place within the file, counted from 1."""
    saturation: float = math.nan
    """Value from which a pixel is saturated: from the header, else the largest of an integer type; NaN if unknown."""
    bad_pixels: npt.NDArray[np.bool_] | None = None
    """Pixels that the file itself calls bad, shape (rows, columns); None where it says nothing."""
    exposure_s: float = math.nan
    """Exposure time, in s; NaN where the header does not say."""
    x_um: float = math.nan
    """Horizontal position of the stage, in µm; NaN where the header does not say."""
    y_um: float = math.nan
    """Vertical position of the stage, in µm; NaN where the header does not say."""

    def __post_init__(self) -> None:
        """Check the image once, and make it read-only."""
        image = np.asarray(self.image)
        if image.dtype.kind not in "uif" or image.ndim != 2 or image.size == 0:
            raise InputError(
                f"{self.source}: the image has shape {image.shape} and type {image.dtype}. Expected rows and columns "
                "of numbers. Check that this is a detector image."
            )
        view = image.view()
        view.setflags(write=False)
        object.__setattr__(self, "image", view)


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameSource:
    """A file that holds one frame or more, not yet read."""

    path: Path
    """The file."""
    dataset: str = ""
    """Path inside an HDF5 file; empty when the file is an image, or when the dataset is still to be found."""

    @property
    def label(self) -> str:
        """The source as a user writes it: ``file`` or ``file::/path``."""
        return f"{self.path}::{self.dataset}" if self.dataset else str(self.path)


def find_frames(sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[FrameSource, ...]:
    """The files that names and glob patterns stand for.

    Parameters
    ----------
    sources : path-like, or iterable of path-like
        File names, glob patterns (``xrd/*.tif``), or HDF5 stacks (``scan.h5::/entry/data/data``, the part before
        ``::`` may be a pattern). The order of several names is kept; what a pattern finds comes in natural order.

    Returns
    -------
    tuple of FrameSource
        In scan order, each file once.

    Raises
    ------
    InputError
        When a file does not exist or a pattern finds nothing.
    """
    given = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    if not given:
        raise InputError("images: none given. Expected one or more files, or a pattern such as 'xrd/*.tif'.")
    found: dict[FrameSource, None] = {}
    for name in given:
        for source in _expand(os.fspath(name)):
            found.setdefault(source)
    return tuple(found)


def iterate_frames(
    sources: Sequence[FrameSource], *, on_error: Callable[[FrameSource, InputError], None] | None = None
) -> Iterator[Frame]:
    """Read frames one after the other; only one is in memory.

    Parameters
    ----------
    sources : sequence of FrameSource
        From `find_frames`.
    on_error : callable, optional
        Is told of a frame or a file that cannot be read, which is then left out; without it the error is raised.

    Yields
    ------
    Frame
        In the order of the sources, and of the frames within each.

    Raises
    ------
    InputError
        When a file cannot be read and `on_error` is not given.
    """
    for source in sources:
        count, index = 1, 1
        while index <= count:
            try:
                if index == 1 and is_hdf5(source):
                    count = count_frames(source)
                frame, count = _read_counted(source, index)
            except InputError as error:
                if on_error is None:
                    raise
                on_error(source, error)
            else:
                yield frame
            index += 1


def count_frames(source: FrameSource) -> int:
    """Number of frames in a file.

    Parameters
    ----------
    source : FrameSource
        From `find_frames`.

    Returns
    -------
    int
        1 or more.

    Raises
    ------
    InputError
        When the file cannot be read as an image or a stack.
    """
    if is_hdf5(source):
        from hydrostruct.xrd.stacks import open_stack

        return open_stack(source.path, source.dataset).count
    if source.path.suffix.lower() == ".npy":
        return 1
    with _opened(source.path) as image:
        return int(image.nframes)


def read_frame(source: FrameSource, *, index: int = 1) -> Frame:
    """Read one frame of a file.

    Parameters
    ----------
    source : FrameSource
        From `find_frames`.
    index : int
        Which frame, counted from 1.

    Returns
    -------
    Frame
        The image with what its header says.

    Raises
    ------
    InputError
        When the file cannot be read, or has no such frame.
    """
    return _read_counted(source, index)[0]


def read_image(name: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Read one image that is not a measurement of its own: a dark, a flat, a background, a mask.

    Parameters
    ----------
    name : path-like
        Any image that fabio reads, ``.npy``, or ``file.h5::/path``; a stack gives its first frame.

    Returns
    -------
    array, shape (rows, columns)
        The number type of the file.

    Raises
    ------
    InputError
        When there is no such file or it is not an image.
    """
    return read_frame(_expand(os.fspath(name))[0]).image


def read_npy(path: Path) -> npt.NDArray[Any]:
    """Read a numpy file that holds one array of numbers, and nothing that could run.

    Parameters
    ----------
    path : Path
        The ``.npy`` file.

    Returns
    -------
    array
        As stored; truth values as 0 and 1.

    Raises
    ------
    InputError
        When it is not a numpy file, is cut short, or holds Python objects.
    """
    try:
        array = np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Expected a whole .npy file of plain numbers.") from error
    return array.astype(np.uint8) if array.dtype == np.bool_ else array


def is_hdf5(source: FrameSource) -> bool:
    """Whether a source is an HDF5 file: by its first bytes, as names such as ``.nxs`` and ``.cxi`` are many.

    Parameters
    ----------
    source : FrameSource
        From `find_frames`.

    Returns
    -------
    bool
        True as well when a path inside the file was given.
    """
    if source.dataset:
        return True
    try:
        with source.path.open("rb") as stream:
            return stream.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE
    except OSError as error:
        raise InputError(f"{source.path}: cannot be read ({error.strerror}). Expected an image file.") from error


def _read_counted(source: FrameSource, index: int) -> tuple[Frame, int]:
    """One frame, and how many there are in its file: an image file is opened once for both."""
    if is_hdf5(source):
        from hydrostruct.xrd.stacks import open_stack

        stack = open_stack(source.path, source.dataset)
        frame = Frame(
            image=stack.read(index),
            source=_label(source, index, stack.count),
            name=_name(source.path, index, stack.is_series),
            index=index,
            saturation=_saturation(stack.dtype, stack.cutoff),
            bad_pixels=stack.bad_pixels,
            exposure_s=stack.exposure_s,
        )
        return frame, stack.count
    if source.path.suffix.lower() == ".npy":
        image, count, text = read_npy(source.path), 1, ""
    else:
        with _opened(source.path) as opened:
            image, count, header = _pixels(opened, index, source.path)
        text = _header_text(source.path, header)
    frame = Frame(
        image=image,
        source=_label(source, index, count),
        name=_name(source.path, index, count > 1),
        index=index,
        saturation=_saturation(image.dtype, _first_number(_CUTOFF, text)),
        exposure_s=_first_number(_EXPOSURE, text),
        x_um=1000.0 * _first_number(_STAGE_X, text),
        y_um=1000.0 * _first_number(_STAGE_Y, text),
    )
    return frame, count


def _expand(name: str) -> list[FrameSource]:
    pattern, separator, inside = name.partition("::")
    dataset = (inside if inside.startswith("/") else "/" + inside) if separator else ""
    path = Path(pattern)
    if path.is_file():
        return [FrameSource(path=path, dataset=dataset)]
    if path.is_dir():
        raise InputError(f"{name}: is a folder. Expected image files. Add a pattern, such as '{pattern}/*.tif'.")
    if not glob.has_magic(pattern):
        raise InputError(f"{pattern}: no such file. Expected an image. Check the path.")
    found = [match for match in glob.glob(pattern, recursive=True) if Path(match).is_file()]  # noqa: PTH207 - absolute patterns too
    if not found:
        raise InputError(f"{name}: no file fits this pattern. Expected one or more images. Check folder and ending.")
    return [FrameSource(path=Path(match), dataset=dataset) for match in natural_order(found)]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The fabio image of a file; whatever fabio raises on a damaged file becomes one sentence."""
    with _listening(path) as refuse_damaged:
        try:
            import fabio

            image = fabio.open(str(path))
            if image.data is None:
                raise ValueError("no pixels")
        except Exception as error:  # fabio raises anything on damaged files, AttributeError too
            raise InputError(_unreadable(path)) from error
        refuse_damaged()
        try:
            yield image
            refuse_damaged()
        finally:
            image.close()


def _pixels(opened: Any, index: int, path: Path) -> tuple[npt.NDArray[Any], int, object]:
    count = int(opened.nframes)
    if not 1 <= index <= count:
        raise InputError(f"{path}: has no frame {index}. Expected 1 to {count}.")
    try:
        # a file of one frame is never asked for another: fabio would open the next file of the series
        part = opened if count == 1 else opened.get_frame(index - 1)
        return np.asarray(part.data), count, part.header
    except Exception as error:  # see _opened
        raise InputError(_unreadable(path)) from error


def _unreadable(path: Path) -> str:
    size = path.stat().st_size
    if size == 0:
        return f"{path}: the file is empty. Expected a detector image. Copy it again."
    return (
        f"{path}: cannot be read as an image ({size} bytes). Expected a whole TIFF, EDF, CBF or other detector file; "
        "this one is cut short or something else. Copy it again, or check that this is the right file."
    )


@contextmanager
def _listening(path: Path) -> Iterator[Callable[[], None]]:
    """Hold back what image libraries log and warn of, and listen to it.

    A file cut short is often read without an error, the missing part as zeros, and only the log says so. Odd tags
    that do no harm are logged as well.
    """
    heard: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("fabio", "PIL")]
    before = [logger.propagate for logger in loggers]

    def refuse_damaged() -> None:
        said = [*heard, *(str(warning.message) for warning in caught)]
        if any(word in message for message in said for word in _DAMAGE):
            raise InputError(_unreadable(path))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for logger in loggers:
            logger.addHandler(handler)
            logger.propagate = False
        try:
            yield refuse_damaged
        finally:
            for logger, propagate in zip(loggers, before, strict=True):
                logger.removeHandler(handler)
                logger.propagate = propagate


def _header_text(path: Path, header: object) -> str:
    """The header as text, with the end of a TIFF, where EPICS writes exposure and stage as tags of its own."""
    text = str(dict(header)) if isinstance(header, dict) else str(header)
    if path.suffix.lower() not in (".tif", ".tiff"):
        return text
    with path.open("rb") as stream:
        head = stream.read(_TAIL_BYTES)
        stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = stream.read()
    return text + (head[:4096] + b"\n" + tail).decode("latin-1")


def _first_number(pattern: re.Pattern[str], text: str) -> float:
    match = pattern.search(text)
    return float(match.group(1)) if match else math.nan


def _saturation(dtype: np.dtype[Any], cutoff: float) -> float:
    largest = float(np.iinfo(dtype).max) if dtype.kind in "ui" else math.nan
    return float(np.fmin(largest, cutoff if cutoff > 0 else math.nan))


def _label(source: FrameSource, index: int, count: int) -> str:
    return f"{source.label} (frame {index})" if count > 1 else source.label


def _name(path: Path, index: int, is_series: bool) -> str:
    return f"{path.stem}_{index:05d}" if is_series else path.stem
