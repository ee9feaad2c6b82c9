"""The one error that a user's input raises, and how its sentence is built."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input: says where, what is wrong, what was expected and what to do.

    The message is one line, so that the command line can print it as it is.
    """

    def __init__(self, message: object) -> None:
        super().__init__(" ".join(str(message).split()))


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Half a sentence that names the known word nearest to an unknown one.

    Parameters
    ----------
    name : str
        The word that is not known; compared without regard to case.
    known : iterable of str
        The words that are.

    Returns
    -------
    str
        ``"Did you mean 'x'?"``, or an empty string when nothing is near.

    Examples
    --------
    >>> nearest_name("CeH9-P63mc", ["CeH9-P63mmc", "Pt"])
    "Did you mean 'CeH9-P63mmc'?"
    >>> nearest_name("quartz", ["CeH9-P63mmc", "Pt"])
    ''
    """
    by_folded = {word.casefold(): word for word in known}
    found = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.5)
    return f"Did you mean {by_folded[found[0]]!r}?" if found else ""
