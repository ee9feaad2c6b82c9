"""The six words that say whether a number can be used, the same in Python, JSON, CSV and on a page."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """Why the numbers of one result can, or cannot, be used."""

    CONVERGED = "converged"
    """Value and uncertainty stand."""
    DOUBTFUL = "doubtful"
    """Value and uncertainty stand, with a reason to look twice."""
    AMBIGUOUS = "ambiguous"
    """Other answers fit as well; they are listed."""
    ABSENT = "absent"
    """What was looked for is not there above the noise."""
    NOT_CONVERGED = "not converged"
    """The fit did not come to rest; no number."""
    FAILED = "failed"
    """No number; the reason says why."""


NEEDS_ATTENTION = (Verdict.AMBIGUOUS, Verdict.ABSENT, Verdict.NOT_CONVERGED, Verdict.FAILED)
"""Verdicts on a whole pattern that a command reports on standard error, with exit status 1."""
