"""The fits of all points of a map: neighbours seed neighbours, and one bad point never poisons the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.material.phase import Phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.lebail import fit_pattern
from hydrostruct.xrd.pattern import Pattern
from hydrostruct.xrd.single_peaks import PARAMETERS_OF_A_PEAK

_ROUNDS = 3
_CLEARLY = 10.0
_BETTER = 0.99
_PARAMETERS_OF_A_PHASE = 3
_TRIED_NEIGHBOURS = 3
_RANK = {
    Verdict.CONVERGED: 0,
    Verdict.DOUBTFUL: 1,
    Verdict.AMBIGUOUS: 2,
    Verdict.ABSENT: 3,
    Verdict.NOT_CONVERGED: 4,
    Verdict.FAILED: 5,
}

Executor = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Something that maps a function over jobs and gives the answers in their order, as the built-in ``map`` does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FitJob:
    """One pattern to fit, with everything that the fit needs; what an executor carries to a process."""

    pattern: Pattern
    """What was measured."""
    phases: tuple[Phase, ...]
    """What may be in it."""
    options: dict[str, Any]
    """Arguments of `fit_pattern`."""
    seeds: tuple[PatternFit, ...] = ()
    """Fits of neighbours to start from; none for the start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FitAnswer:
    """What became of one job."""

    fit: PatternFit | None = None
    """The fit; None when the pattern cannot be fitted."""
    reason: str = ""
    """Why it cannot."""


def fit_points(
    jobs: Sequence[FitJob | None], *, neighbours: Sequence[Sequence[int]], executor: Executor = map
) -> list[FitAnswer | None]:
    """Fit the points of a map.

    Every point is first fitted from the start, by itself. Then each is fitted again from its best-fitted neighbours,
    all from the same round's answers, and the better fit is kept; this is repeated until nothing changes. So the
    answer depends neither on the order in which points come nor on the number of workers, and a bad point cannot
    spoil another.

    Parameters
    ----------
    jobs : sequence of FitJob or None
        One for each point; None where there is no pattern.
    neighbours : sequence of sequence of int
        For each point the indices of those near it.
    executor : callable, optional
        Maps a function over jobs, in their order.

    Returns
    -------
    list of FitAnswer or None
        None where there was no pattern.
    """
    todo = [index for index, job in enumerate(jobs) if job is not None]
    answers: list[FitAnswer | None] = [None] * len(jobs)
    for index, answer in zip(todo, executor(fit_job, [jobs[index] for index in todo]), strict=True):
        answers[index] = answer
    changed = set(todo)
    for _ in range(_ROUNDS):
        fits = [None if answer is None else answer.fit for answer in answers]
        seeded = {
            index: _with_seeds(jobs[index], fits, neighbours[index])
            for index in todo
            if any(near in changed for near in neighbours[index])
        }
        work = [index for index, job in seeded.items() if job is not None]
        changed = set()
        for index, answer in zip(work, executor(fit_job, [seeded[index] for index in work]), strict=True):
            if answer.fit is not None and _is_better(answer.fit, fits[index]):
                answers[index] = answer
                changed.add(index)
        if not changed:
            break
    return answers


def fit_job(job: FitJob) -> FitAnswer:
    """Fit one job from its seeds, or from the start."""
    best: PatternFit | None = None
    try:
        if not job.seeds:
            return FitAnswer(fit=fit_pattern(job.pattern, job.phases, **job.options))
        for seed in job.seeds:
            fit = fit_pattern(job.pattern, job.phases, **{**job.options, "search": "never", "seed": seed})
            if best is None or _is_better(fit, best):
                best = fit
    except InputError as error:
        return FitAnswer(reason=str(error))
    return FitAnswer(fit=best)


def _with_seeds(job: FitJob | None, fits: Sequence[PatternFit | None], near: Sequence[int]) -> FitJob | None:
    """The job with its best-fitted neighbours as seeds; None when it has none."""
    good = [(fit, index) for index in near if (fit := fits[index]) is not None and _RANK[fit.verdict] <= 2]
    good.sort(key=lambda pair: (_RANK[pair[0].verdict], round(pair[0].gof, 3), pair[1]))
    if job is None or not good:
        return None
    seeds = tuple(fit for fit, _ in good[:_TRIED_NEIGHBOURS])
    return FitJob(pattern=job.pattern, phases=job.phases, options=job.options, seeds=seeds)


def _is_better(new: PatternFit, old: PatternFit | None) -> bool:
    """Whether a fit clearly explains the pattern better; of two that explain it alike, whether its verdict is better.

    How many phases it finds does not count: a wrong cell finds phases that are not there.
    """
    if old is None:
        return True
    ranks = _RANK[new.verdict], _RANK[old.verdict]
    if max(ranks) >= _RANK[Verdict.NOT_CONVERGED]:
        return ranks[0] < ranks[1]
    if not np.array_equal(new.fitted, old.fitted):  # other points took part: sums over them do not compare
        return ranks[0] < ranks[1] or (ranks[0] == ranks[1] and new.gof < _BETTER * old.gof)
    scale = max(1.0, min(new.gof, old.gof))
    gain = _cost(old, scale) - _cost(new, scale)
    return gain > _CLEARLY or (gain > -_CLEARLY and ranks[0] < ranks[1])


def _cost(fit: PatternFit, scale: float) -> float:
    """Misfit, and what parameters cost by the Bayesian information criterion."""
    residual = ((fit.observed - fit.calculated) / fit.sigma)[fit.fitted]
    found = [phase for phase in fit.phases.values() if phase.detected]
    count = fit.background_terms + PARAMETERS_OF_A_PEAK * fit.foreign_lines_deg.size
    count += sum(len(set(phase.lines.two_theta_deg.tolist())) + _PARAMETERS_OF_A_PHASE for phase in found)
    return float(np.sum(residual**2)) / scale**2 + math.log(residual.size) * count
