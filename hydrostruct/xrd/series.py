"""Pattern after pattern → answers: what one pattern of a series hands on to the next, and when one is asked afresh.

A seed saves the search, and spares a pattern the questions that the first one answered: whether a zero, a displacement,
Kα2 or axial divergence is in it. These belong to the instrument, and what a weak pattern cannot tell of them a strong
one can. A pattern that knows more than the one that was asked is therefore asked itself, and the earlier ones that
were fitted without what it found are fitted again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd.answer import Answer, FitOptions
from hydrostruct.xrd.asked_terms import ASKED_WORDS, chi2_unit, free_more, is_wide
from hydrostruct.xrd.beam import BEAM_WORDS, beam_value, with_beam_of
from hydrostruct.xrd.broad_phases import room_of
from hydrostruct.xrd.common_shape import misfits
from hydrostruct.xrd.find_answer import find_answer
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.single_peaks import own_parameters
from hydrostruct.xrd.tested_shift import BY_CHANCE, SHIFT_GAIN

Floats = npt.NDArray[np.float64]

_MORE_SIGNAL = 2.0
_MORE_MISFIT = 1.1  # of χ² a point


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    """What is kept of a pattern, to tell whether it is to be fitted again, and whether that is better."""

    number: int
    terms: frozenset[str]
    cells: Mapping[str, float]
    chi2: float
    price: float
    absent: int


@dataclass(kw_only=True, slots=True)
class Series:
    """Patterns of one instrument and range, each fitted from where the last one that convinced came to rest."""

    base: LeBailModel
    """The phases alone."""
    options: FitOptions
    """What was asked for."""
    _model: LeBailModel = field(init=False)
    _seed: Floats | None = field(init=False, default=None)
    _room: Mapping[str, float] = field(init=False, default_factory=dict)
    _signal: float = field(init=False, default=0.0)
    _misfit: float = field(init=False, default=math.inf)
    _count: int = field(init=False, default=0)
    _outcomes: list[_Outcome] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._model = self.base

    def fit_next(self, data: FitData) -> Answer:
        """Fit the next pattern, from the seed if there is one, and from the start where it may know more.

        Parameters
        ----------
        data : FitData
            The pattern, with the longest background.

        Returns
        -------
        Answer
            A wide pattern is asked, as if it were the first, where its lines have twice the signal of the one that was
            asked last, Σ (I/σ)², or where it leaves more than noise, and a tenth more of χ² a point.
        """
        answer = find_answer(self._model, data, self.options, seed=self._seed, room=self._room)
        may_ask = is_wide(data) and self.options.profile == "auto"
        if may_ask:
            answer = self._better_asked(answer, data)
        if _is_convincing(answer):
            self._hand_on(answer)
        if may_ask:
            self._outcomes.append(_outcome(self._count, answer))
        self._count += 1
        return answer

    def left_behind(self) -> list[int]:
        """Numbers of the patterns that were fitted without something that is in the model by now."""
        return [one.number for one in self._outcomes if one.terms < _terms(self._model)]

    def fit_again(self, number: int, data: FitData) -> Answer | None:
        """Fit an earlier pattern with what later ones found.

        Parameters
        ----------
        number : int
            Of the pattern, from `left_behind`.
        data : FitData
            The pattern, with the longest background.

        Returns
        -------
        Answer or None
            None where the pattern contradicts what the later ones found: χ² is higher by 4, in units of what is left,
            or a phase is lost.
        """
        before = next(one for one in self._outcomes if one.number == number)
        seed = None if self._seed is None else self._seed.copy()
        if seed is not None:
            for index, name in enumerate(self._model.parameter_names):  # its widths go with what it was fitted with
                seed[index] = before.cells.get(name, seed[index])
        answer = find_answer(self._model, data, self.options, seed=seed, room=self._room)
        is_sound = _is_convincing(answer) and answer.absent.sum() <= before.absent
        return answer if is_sound and _gain(before, answer) > -BY_CHANCE else None

    def _better_asked(self, answer: Answer, data: FitData) -> Answer:
        """The answer from the seed, or one from the start where the pattern is to be asked and that fits better."""
        signal, misfit = _signal(answer), answer.solution.chi2 / answer.data.position.size
        is_stronger = signal > _MORE_SIGNAL * self._signal
        is_worse = misfit > _MORE_MISFIT * self._misfit and misfits(answer.solution, answer.data)
        if not (is_stronger or is_worse):
            return answer
        self._signal, self._misfit = max(signal, self._signal), misfit
        if self._seed is None:
            return answer
        fresh = find_answer(self.base, data, self.options, seed=None, room={})
        more = len(_terms(fresh.model) - _terms(answer.model))
        is_sound = _is_convincing(fresh) and fresh.absent.sum() <= answer.absent.sum()
        if not is_sound or not _gain(_outcome(self._count, answer), fresh) > max(more, 1) * SHIFT_GAIN:
            return answer
        self._misfit = fresh.solution.chi2 / fresh.data.position.size
        return fresh

    def _hand_on(self, answer: Answer) -> None:
        self._seed = answer.solution.values[: own_parameters(answer.model)]
        asked = [name for name in answer.model.parameter_names if name in ASKED_WORDS]
        self._model = with_beam_of(free_more(self.base, asked), answer.model)
        self._room = room_of(self._model, self._seed)


def _is_convincing(answer: Answer) -> bool:
    return answer.solution.converged and not answer.absent.all() and not answer.alternatives


def _terms(model: LeBailModel) -> frozenset[str]:
    """What a model has because patterns asked for it."""
    return frozenset((*model.asked, *(word for word in BEAM_WORDS if beam_value(model, word) > 0)))


def _signal(answer: Answer) -> float:
    """Σ (I/σ)² over the lines that are seen."""
    with np.errstate(invalid="ignore"):
        return float(np.nansum((answer.solution.intensity / answer.evidence.intensity_sigma) ** 2))


def _outcome(number: int, answer: Answer) -> _Outcome:
    named = zip(answer.model.parameter_names, answer.solution.values.tolist(), strict=True)
    return _Outcome(
        number=number,
        terms=_terms(answer.model),
        cells={name: value for name, value in named if name.startswith("cell:")},
        chi2=answer.solution.chi2,
        price=answer.foreign.cost(math.inf),
        absent=int(answer.absent.sum()),
    )


def _gain(before: _Outcome, after: Answer) -> float:
    """χ² that is saved, in units of what is left; single peaks and background terms have a price."""
    saved = (before.chi2 - after.solution.chi2) / chi2_unit(after.solution, after.data)
    return saved + before.price - after.foreign.cost(math.inf)
