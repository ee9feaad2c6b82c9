"""One image as the bytes of a plain TIFF, with a description: the same bytes wherever they are made."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

_SHORT, _LONG, _TEXT = 3, 4, 2
_HEADER_BYTES = 8
_ENTRY_BYTES = 12


def tiff_bytes(image: npt.NDArray[np.int32], *, description: str, software: str) -> bytes:
    """Encode an image as an uncompressed little-endian TIFF of 32-bit signed integers.

    Parameters
    ----------
    image : array of int32, shape (rows, columns)
        The pixels.
    description : str
        ASCII text for the tag ImageDescription, which stands ahead of the pixels.
    software : str
        ASCII text for the tag Software.

    Returns
    -------
    bytes
        The file.
    """
    rows, columns = image.shape
    texts = {270: description.encode("ascii") + b"\0", 305: software.encode("ascii") + b"\0"}
    tags: dict[int, tuple[int, int, int]] = {
        256: (_LONG, 1, columns),
        257: (_LONG, 1, rows),
        258: (_SHORT, 1, 32),
        259: (_SHORT, 1, 1),
        262: (_SHORT, 1, 1),
        277: (_SHORT, 1, 1),
        278: (_LONG, 1, rows),
        279: (_LONG, 1, 4 * image.size),
        339: (_SHORT, 1, 2),
    }
    place = _HEADER_BYTES + 2 + _ENTRY_BYTES * (len(tags) + len(texts) + 1) + 4
    for tag, text in texts.items():
        tags[tag] = (_TEXT, len(text), place)
        place += len(text) + len(text) % 2
    place += -place % 4
    tags[273] = (_LONG, 1, place)
    head = struct.pack("<2sHLH", b"II", 42, _HEADER_BYTES, len(tags))
    head += b"".join(struct.pack("<HHLL", tag, *tags[tag]) for tag in sorted(tags)) + struct.pack("<L", 0)
    head += b"".join(text + b"\0" * (len(text) % 2) for text in texts.values())
    return head.ljust(place, b"\0") + image.astype("<i4").tobytes()
