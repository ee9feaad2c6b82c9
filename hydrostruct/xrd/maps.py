"""The fits of all points of a map: neighbours seed neighbours, and one bad point never poisons the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hydrostruct.errors import InputError
from hydrostruct.material.phase import Phase
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.lebail import fit_pattern
from hydrostruct.xrd.pattern import Pattern

_ROUNDS = 3
_BETTER = 0.99
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
    """Whether a fit says clearly more: more phases found, a better verdict, or a better agreement."""
    if old is None:
        return True
    mine, theirs = _standing(new), _standing(old)
    return mine < theirs or (mine == theirs and new.gof < _BETTER * old.gof)


def _standing(fit: PatternFit) -> tuple[int, int]:
    """Phases that were not found, and the verdict: what is compared before the agreement."""
    return sum(not found.detected for found in fit.phases.values()), _RANK[fit.verdict]
