"""What the verdict of one phase says of the others: a pattern is explained by all of them together, or by none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_result import PhaseFit

_IN_DOUBT = (Verdict.DOUBTFUL, Verdict.AMBIGUOUS)


def with_common_doubts(
    fits: Mapping[str, PhaseFit], *, cell_numbers: Mapping[str, int], followed: bool, single_peaks: int, observed: int
) -> dict[str, PhaseFit]:
    """Call doubtful what rests on lines that another phase, which is in doubt, may have taken or left.

    Parameters
    ----------
    fits : mapping of str to PhaseFit
        Each phase with its own verdict.
    cell_numbers : mapping of str to int
        Free parameters of the cell of each.
    followed : bool
        Whether single peaks stand beside the lines of a phase by more than chance.
    single_peaks : int
        How many lines of the pattern were fitted as single peaks.
    observed : int
        Lines of all phases above three sigma.

    Returns
    -------
    dict of str to PhaseFit
    """
    doubted = [name for name, fit in fits.items() if fit.verdict in _IN_DOUBT]
    if not doubted:
        return dict(fits)
    reasons = {}
    for name, fit in fits.items():
        if fit.verdict is not Verdict.CONVERGED:
            continue
        others = ", ".join(doubted)
        if followed and single_peaks > observed:
            reasons[name] = (
                f"{single_peaks} lines were fitted as single peaks, more than all phases have, and "
                f"{others} is in doubt: they may be lines of any phase."
            )
        elif 0 < cell_numbers[name] >= fit.free_lines:
            reasons[name] = (
                f"Only {fit.free_lines} of its lines lie apart from those of other phases, and {others} is in doubt, "
                "which may have taken what this cell should explain."
            )
    return {
        name: replace(fit, verdict=Verdict.DOUBTFUL, reason=reasons[name]) if name in reasons else fit
        for name, fit in fits.items()
    }
