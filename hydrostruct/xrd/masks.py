"""Which pixels count: masks from files, and the pixels that no analysis may use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.xrd.frames import Frame, read_image

Mask = npt.NDArray[np.bool_]


def read_mask(name: str | os.PathLike[str], *, shape: tuple[int, int] | None = None) -> Mask:
    """Read a mask: Dioptas ``.mask``, TIFF, EDF, ``.npy``, or ``file.h5::/path``.

    Parameters
    ----------
    name : path-like
        The file; every pixel that is not 0 is masked, NaN included.
    shape : tuple of int, optional
        Rows and columns of the images it is for.

    Returns
    -------
    array of bool, shape (rows, columns)
        True where a pixel is masked, in the order of rows of the image files; read-only.

    Raises
    ------
    InputError
        When it cannot be read, or has another shape than the images.

    Notes
    -----
    Dioptas turns every image upside down when it loads one (the detector orientation 2 of pyFAI), and writes its
    ``.mask`` for the turned image: such a mask is turned back here. Masks in other formats are taken as they are.
    """
    image = read_image(name)
    values = image[::-1] if Path(os.fspath(name)).suffix.lower() == ".mask" else image
    mask = np.asarray(values != 0)
    if shape is not None:
        check_mask_shape(mask, shape, where=os.fspath(name))
    mask.setflags(write=False)
    return mask


def check_mask_shape(mask: npt.NDArray[np.generic], shape: tuple[int, int], *, where: str) -> None:
    """Refuse a mask, dark, flat or background that is not of the shape of the images.

    Parameters
    ----------
    mask : array
        The mask or correction.
    shape : tuple of int
        Rows and columns of the images.
    where : str
        The name of the file, for the message.

    Raises
    ------
    InputError
        When the shapes differ; says so when the two would fit turned by 90°.
    """
    if mask.shape == tuple(shape):
        return
    turned = " It would fit turned by 90°." if mask.shape == tuple(shape)[::-1] else ""
    raise InputError(
        f"{where}: has {' x '.join(map(str, mask.shape))} pixels. Expected {shape[0]} x {shape[1]}, as the images "
        f"have.{turned} Use one made for these images."
    )


def invalid_pixels(frame: Frame, *, saturation: float | None = None, mask_negative: bool = True) -> Mask:
    """Pixels without a usable count: NaN and infinite, negative, saturated, or called bad by the file.

    Parameters
    ----------
    frame : Frame
        The image; Pilatus marks gaps with -1 and dead pixels with -2, Eiger both with the largest number of its type.
    saturation : float, optional
        Counts from which a pixel is saturated; what the frame says when left out.
    mask_negative : bool
        False keeps negative and saturated pixels, to compare with programs that do.

    Returns
    -------
    array of bool, shape (rows, columns)
        True where the pixel must not be used.
    """
    image = frame.image
    bad = ~np.isfinite(image) if image.dtype.kind == "f" else np.zeros(image.shape, dtype=np.bool_)
    if not mask_negative:
        return bad
    limit = frame.saturation if saturation is None else saturation
    if image.dtype.kind != "u":
        bad |= image < 0
    if np.isfinite(limit):
        bad |= image >= limit
    if frame.bad_pixels is not None:
        bad |= frame.bad_pixels
    return bad
