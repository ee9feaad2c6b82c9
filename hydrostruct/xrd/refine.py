"""The last step of a fit: from the least-squares solution to the one that was asked for, with its uncertainties."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.xrd.engine import Solution
from hydrostruct.xrd.evidence import Evidence, weigh_evidence
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.partition import partition_fit
from hydrostruct.xrd.robust import LOSSES, robust_fit

METHODS = ("pawley", "le-bail")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refined:
    """A solution by the method and loss that were asked for."""

    solution: Solution
    """Where it came to rest."""
    data: FitData
    """What it was fitted to, with the weights that it had."""
    evidence: Evidence
    """Its uncertainties."""


def check_refinement(method: str, loss: str) -> None:
    """Refuse a method or loss that is none.

    Parameters
    ----------
    method, loss : str
        As in `hydrostruct.xrd.lebail.fit_pattern`.

    Raises
    ------
    InputError
        For an unknown word, or for a classical Le Bail fit with another loss than squares.
    """
    for what, value, known in (("method", method, METHODS), ("loss", loss, LOSSES)):
        if value not in known:
            raise InputError(
                f"fit: {what} is {value!r}. Expected one of {', '.join(known)}. {nearest_name(str(value), known)}"
            )
    if method == "le-bail" and loss != "squares":
        raise InputError(f"fit: loss is {loss!r} with the method le-bail. Expected squares there. Take method pawley.")


def refine(
    model: LeBailModel,
    data: FitData,
    solution: Solution,
    *,
    method: str,
    loss: str,
    most_inflation: float = math.inf,
) -> Refined:
    """Bring a least-squares solution to rest by another method or loss; weigh what it says.

    Parameters
    ----------
    model, data, solution
        What was fitted by least squares, to what, and where it came to rest.
    method : {"pawley", "le-bail"}
        All intensities by least squares, or by the partition of the counts.
    loss : {"squares", "soft-l1", "cauchy"}
        What is made least.
    most_inflation : float
        As in `hydrostruct.xrd.evidence.weigh_evidence`.

    Returns
    -------
    Refined
        A solution that did not come to rest stays what it is.
    """
    if not solution.converged or (method == "pawley" and loss == "squares"):
        evidence = weigh_evidence(model, data, solution, most_inflation=most_inflation)
        return Refined(solution=solution, data=data, evidence=evidence)
    if method == "le-bail":
        rest, evidence = partition_fit(model, data, solution, most_inflation=most_inflation)
        if not rest.converged:  # what is there is then told by least squares
            rest = replace(solution, converged=False)
            evidence = replace(weigh_evidence(model, data, solution), solution=rest)
        return Refined(solution=rest, data=data, evidence=evidence)
    solution, data, evidence = robust_fit(model, data, solution, loss=loss, most_inflation=most_inflation)
    return Refined(solution=solution, data=data, evidence=evidence)
