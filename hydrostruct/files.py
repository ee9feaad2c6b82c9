"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hydrostruct.errors import InputError


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a file so that a reader, a full disk or a kill never leaves half of it.

    The content goes to a file beside the target, reaches the disk, and takes the target's name in one step.

    Parameters
    ----------
    path : path-like
        The file to write; missing folders are made.
    content : str or bytes
        Text is written as UTF-8 with line feeds as they stand.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        When the folder cannot be written or the disk is full; an older file of that name is untouched.
    """
    target = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}). Choose another folder.") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # noqa: PTH101 - mkstemp makes it private; give it a plain file's rights
        os.replace(name, target)  # noqa: PTH105
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"{target}: cannot be written ({error.strerror}). Make room, or go elsewhere.") from error
        raise
    return target
