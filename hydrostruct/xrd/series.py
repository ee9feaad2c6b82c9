"""Pattern after pattern → answers: what one pattern of a series hands on to the next, and when one is asked afresh.

A seed saves the search, and what a wide pattern asked for goes with it: a zero, a displacement, widths by the angle,
Kα2, axial divergence. These belong to the instrument, and what a weak pattern cannot tell of them a strong one can. A
pattern that knows more than those that were asked is therefore asked itself, from the start, and the others that were
fitted without what the strongest found are fitted again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.answer import Answer, FitOptions
from hydrostruct.xrd.asked_terms import ASKED_WORDS, chi2_unit, free_more, tells_zero
from hydrostruct.xrd.beam import BEAM_WORDS, beam_value, with_beam_of
from hydrostruct.xrd.broad_phases import room_of
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.find_answer import find_answer
from hydrostruct.xrd.fit_notes import unexplained_reason
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.model import FitData, LeBailModel, without_points
from hydrostruct.xrd.odd_widths import OddWidths
from hydrostruct.xrd.other_shift import SHIFT_LIMITS
from hydrostruct.xrd.single_peaks import own_lines, own_parameters
from hydrostruct.xrd.tested_shift import BY_CHANCE, SHIFT_GAIN

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MORE_SIGNAL = 2.0  # a beam is then known 1.4 times as well; a series that grows steadily asks at each doubling only
_MORE_MISFIT = 1.1  # of χ² a point, so that a series that misfits more and more asks a few times only
_CLEAR_Z2 = 30.0  # (value/σ)² of a shift that a pattern found beside its seed: chance has 9 once in 400 patterns


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What a pattern that was asked hands on."""

    model: LeBailModel
    """The phases with what it asked for."""
    seed: Floats
    """Where it came to rest, shape (parameters of the model,)."""
    room: Mapping[str, float]
    """Widths of the seed that are beyond the limits of the model."""
    signal: float
    """Σ (I/σ)² over its lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    """What is kept of a pattern, to tell whether it is to be fitted again, and whether that is better."""

    terms: frozenset[str]
    """What it was fitted with that it or another one asked for."""
    beam: tuple[float, ...]
    """Values of `BEAM_WORDS`."""
    cells: Mapping[str, float]
    """Free parameters of the cells of phases that are there."""
    price: float
    """What single peaks and background cost: their number times log n."""
    absent: Bools
    """Phases that are not there, shape (phases,)."""
    odd: OddWidths | None
    """What was left out since it has not the width of a line; None where nothing was."""


@dataclass(kw_only=True, slots=True)
class Series:
    """Patterns of one instrument and range, each fitted from where the last one that convinced came to rest."""

    base: LeBailModel
    """The phases alone."""
    options: FitOptions
    """What was asked for."""
    _next: _Known | None = field(init=False, default=None)
    _best: _Known | None = field(init=False, default=None)
    _misfit: float = field(init=False, default=math.inf)
    _strangers: int = field(init=False, default=0)
    _count: int = field(init=False, default=0)
    _outcomes: dict[int, _Outcome] = field(init=False, default_factory=dict)

    def fit_next(self, data: FitData) -> Answer:
        """Fit the next pattern, from the seed if there is one, and from the start where it may know more.

        Parameters
        ----------
        data : FitData
            The pattern, with the longest background.

        Returns
        -------
        Answer
            A pattern of tan θ over 0.2 or more is asked, as if it were the first, where its lines have twice the signal
            of those that were asked, Σ (I/σ)², or where it has more lines of no phase, or leaves more than noise, and a
            tenth more of χ² a point, than the one that was asked last. What it finds beside a seed without being asked
            it keeps to itself, unless that is clear.
        """
        answer, is_asked = self._answer(data, self._next), self._next is None
        may_ask = tells_zero(data) and self.options.profile == "auto"
        if may_ask and self._next is not None and self._is_to_be_asked(answer):
            answer, is_asked = self._better_asked(answer, data), True
        if _is_convincing(answer):
            self._hand_on(answer, is_asked=is_asked)
            if may_ask:
                self._outcomes[self._count] = _outcome(answer)
        self._count += 1
        return answer

    def left_behind(self) -> list[int]:
        """Numbers of the patterns that were fitted without something that the strongest one found."""
        if self._best is None or not (known := _terms(self._best.model)):
            return []
        beam = _beam(self._best.model)
        return [number for number, one in self._outcomes.items() if not one.terms >= known or one.beam != beam]

    def fit_again(self, number: int, data: FitData, fit: PatternFit) -> Answer | None:
        """Fit a pattern with what the strongest one found.

        Parameters
        ----------
        number : int
            Of the pattern, from `left_behind`.
        data : FitData
            The pattern, with the longest background.
        fit : PatternFit
            Its fit before.

        Returns
        -------
        Answer or None
            None where the pattern contradicts what the strongest one found: χ² over the points of both fits is higher
            by 4, in units of what is left, a phase is lost, or the fit does not convince.
        """
        before, known = self._outcomes[number], self._best
        if known is None:
            return None
        seed = known.seed.copy()
        for index, name in enumerate(known.model.parameter_names):  # its widths go with what it was fitted with
            seed[index] = before.cells.get(name, seed[index])
        points = data if before.odd is None else without_points(data, before.odd.points)
        answer = find_answer(known.model, points, self.options, seed=seed, room=known.room)
        answer = answer if answer.odd is not None else replace(answer, odd=before.odd)
        if not _is_convincing(answer) or np.any(answer.absent & ~before.absent):
            return None
        residual = np.nan_to_num(fit.observed - fit.calculated)
        saved = _saved((residual, fit.fitted, before.price), answer, data)
        return answer if saved > -BY_CHANCE else None

    def _answer(self, data: FitData, known: _Known | None) -> Answer:
        if known is None:
            return find_answer(self.base, data, self.options, seed=None, room={})
        return find_answer(known.model, data, self.options, seed=known.seed, room=known.room)

    def _is_to_be_asked(self, answer: Answer) -> bool:
        """Whether a pattern that was fitted from a seed may know more than those that were asked."""
        if self._best is None or _signal(answer) > _MORE_SIGNAL * self._best.signal:
            return True
        if _strangers(answer) > self._strangers:
            return True
        return _misfit(answer) > _MORE_MISFIT * self._misfit and misfits(answer.solution, answer.data)

    def _better_asked(self, answer: Answer, data: FitData) -> Answer:
        """The answer from the seed, or one from the start where that fits better."""
        fresh = self._answer(data, None)
        if not _is_convincing(fresh) or np.any(fresh.absent & ~answer.absent):
            return answer
        more = len(_terms(fresh.model) - _terms(answer.model))
        before = _whole(answer.solution.residual, answer.data.kept), answer.data.kept, _price(answer)
        return fresh if _saved(before, fresh, data) > max(more, 1) * SHIFT_GAIN else answer

    def _hand_on(self, answer: Answer, *, is_asked: bool) -> None:
        """Make the answer the seed of the next pattern; with all that it has, if it was asked."""
        values = answer.solution.values[: own_parameters(answer.model)]
        if not is_asked and self._next is not None and not self._is_clear(answer):
            found = dict(zip(answer.model.parameter_names, values.tolist(), strict=False))
            model, own = self._next.model, self._next.seed.tolist()
            names = model.parameter_names
            values = np.array([found.get(name, value) for name, value in zip(names, own, strict=True)])
        else:
            asked = [name for name in answer.model.parameter_names if name in ASKED_WORDS]
            model = with_beam_of(free_more(self.base, asked), answer.model)
        signal = _signal(answer) if is_asked else 0.0
        self._next = _Known(model=model, seed=values, room=room_of(model, values), signal=signal)
        if is_asked:
            self._misfit, self._strangers = _misfit(answer), _strangers(answer)
            if self._best is None or signal > self._best.signal:
                self._best = self._next

    def _is_clear(self, answer: Answer) -> bool:
        """Whether what a pattern found beside its seed cannot be chance; all but a shift is found where it is clear."""
        new = _terms(answer.model) - (frozenset() if self._next is None else _terms(self._next.model))
        for word in new.intersection(SHIFT_LIMITS):
            index = answer.model.parameter_names.index(word)
            variance = answer.evidence.parameter_covariance[index, index] * answer.evidence.inflation**2
            if not answer.solution.values[index] ** 2 > _CLEAR_Z2 * variance:
                return False
        return True


def _is_convincing(answer: Answer) -> bool:
    if not answer.solution.converged or answer.absent.all() or answer.alternatives:
        return False
    return not unexplained_reason(answer.evidence, 0.0)  # of a pattern of something else, say


def _terms(model: LeBailModel) -> frozenset[str]:
    """What a model has because patterns asked for it."""
    return frozenset((*model.asked, *(word for word in BEAM_WORDS if beam_value(model, word) > 0)))


def _beam(model: LeBailModel) -> tuple[float, ...]:
    return tuple(beam_value(model, word) for word in BEAM_WORDS)


def _misfit(answer: Answer) -> float:
    """χ² a point."""
    return answer.solution.chi2 / answer.data.position.size


def _strangers(answer: Answer) -> int:
    """Lines of no phase: single peaks, and those that were left out."""
    return answer.foreign.foreign_deg.size


def _signal(answer: Answer) -> float:
    """Σ (I/σ)² over the lines of the phases."""
    with np.errstate(invalid="ignore"):
        ratio = answer.solution.intensity / answer.evidence.intensity_sigma
    return float(np.nansum(ratio[own_lines(answer.model)] ** 2))


def _price(answer: Answer) -> float:
    return answer.foreign.cost(math.inf)


def _outcome(answer: Answer) -> _Outcome:
    gone = tuple(f"cell:{phase.name}:" for phase, no in zip(answer.model.phases, answer.absent, strict=True) if no)
    named = zip(answer.model.parameter_names, answer.solution.values.tolist(), strict=True)
    return _Outcome(
        terms=_terms(answer.model),
        beam=_beam(answer.model),
        cells={name: value for name, value in named if name.startswith("cell:") and not name.startswith(gone)},
        price=_price(answer),
        absent=answer.absent,
        odd=answer.odd,
    )


def _whole(residual: Floats, kept: Bools) -> Floats:
    """Residuals at all points of a pattern, 0 where none was fitted."""
    whole = np.zeros(kept.size)
    whole[kept] = residual
    return whole


def _saved(before: tuple[Floats, Bools, float], after: Answer, data: FitData) -> float:
    """χ² that an answer saves, in units of what it leaves, over the points that both fits have, with the price of each.

    `before` is the residual at all points of the pattern, which of them were fitted, and the price.
    """
    residual, fitted, price = before
    both, weight = fitted & after.data.kept, _whole(data.weight, data.kept)
    squares = residual**2 - _whole(after.solution.residual, after.data.kept) ** 2
    saved = float(np.sum((squares * weight)[both])) / chi2_unit(after.solution, after.data)
    return saved + price - _price(after)
