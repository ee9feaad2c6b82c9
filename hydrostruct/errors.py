"""The one error that a user's input raises, and how its sentence is built."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST_SUGGESTED = 3


class InputError(ValueError):
    """Wrong input: says where, what is wrong, what was expected and what to do.

    The message is one line, so that the command line can print it as it is.
    """

    def __init__(self, message: object) -> None:
        super().__init__(" ".join(str(message).split()))


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Half a sentence that names the known word nearest to an unknown one, or those that begin with it.

    Parameters
    ----------
    name : str
        The word that is not known; compared without regard to case.
    known : iterable of str
        The words that are.

    Returns
    -------
    str
        ``"Did you mean 'x'?"``, ``"Did you mean 'xa' or 'xb'?"``, or an empty string when nothing is near.

    Examples
    --------
    >>> nearest_name("CeH9-P63mc", ["CeH9-P63mmc", "Pt"])
    "Did you mean 'CeH9-P63mmc'?"
    >>> nearest_name("CeH9", ["CeH8", "CeH9-F43m", "CeH9-P63mmc"])
    "Did you mean 'CeH9-F43m' or 'CeH9-P63mmc'?"
    >>> nearest_name("quartz", ["CeH9-P63mmc", "Pt"])
    ''
    """
    by_folded = {word.casefold(): word for word in known}
    asked = name.casefold()
    begun = [word for word in by_folded if asked and word.startswith(asked)]
    if asked in by_folded or not 1 <= len(begun) <= _MOST_SUGGESTED:
        begun = difflib.get_close_matches(asked, list(by_folded), n=1, cutoff=0.5)
    return f"Did you mean {' or '.join(repr(by_folded[word]) for word in begun)}?" if begun else ""
