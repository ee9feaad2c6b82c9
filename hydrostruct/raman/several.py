"""How many lines is one peak? As many as Akaike's criterion finds worth their parameters."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from hydrostruct.numerics.least_squares import LeastSquares, corrected_akaike
from hydrostruct.raman.lines import LineFit, fit_lines_judged
from hydrostruct.verdict import Verdict

Floats = npt.NDArray[np.float64]

_WORTH = 10.0  # of the criterion: a second line must be far better, as no profile is quite that of nature
_LEAST_SIGMAS = 5.0
_LEAST_APART = 0.5  # of the narrower width
_WIDEST = 3.0  # of the single line's width: more is background


def fit_several(
    x: Floats, y: Floats, *, sigma: Floats, line: LineFit, most: int = 3
) -> tuple[tuple[LineFit, ...], float]:
    """Fit one line, and then more, as long as each is worth it.

    Parameters
    ----------
    x, y, sigma : array, shape (m,)
        Raman shift in cm⁻¹, intensity and its standard uncertainty, about one peak.
    line : LineFit
        The peak as one line.
    most : int
        Lines at the most.

    Returns
    -------
    lines : tuple of LineFit
        By position; the given one alone where no fit comes to rest.
    criterion : float
        Akaike's corrected criterion of that fit.

    Notes
    -----
    Where χ² and the serial correlation of one line's residuals are those of noise, no second is tried. Else it starts
    on either side of the largest, and is kept when the
    criterion falls by 10, every line stands five sigma high, and no two are nearer than half the narrower's width.
    """
    found, fit = fit_lines_judged(x, y, sigma=sigma, starts_cm1=[line.position_cm1], widths_cm1=[line.width_cm1])
    best = tuple(found) if found[0].verdict is Verdict.CONVERGED else (line,)
    criterion = math.inf if fit is None else corrected_akaike(fit)
    if fit is None or _is_noise(fit):
        return best, criterion
    for count in range(2, most + 1):
        tried = [_with_another(x, y, sigma, best, side) for side in (-0.6, 0.6)]
        more, lower = min(tried, key=lambda one: one[1])
        if len(more) != count or not lower < criterion - _WORTH:
            break
        best, criterion = more, lower
    return best, criterion


def _is_noise(fit: LeastSquares) -> bool:
    """Whether one line leaves nothing to explain: χ² as expected, and neighbouring residuals not alike."""
    rest = fit.residuals
    freedom = max(rest.size - fit.values.size, 1)
    alike = float(rest[1:] @ rest[:-1]) / max(float(rest @ rest), 1e-300)
    return fit.reduced_chi2 < 1.0 + math.sqrt(2.0 / freedom) and alike < 1.0 / math.sqrt(rest.size)


def _with_another(
    x: Floats, y: Floats, sigma: Floats, lines: tuple[LineFit, ...], side: float
) -> tuple[tuple[LineFit, ...], float]:
    """The lines and one more, begun beside the strongest; none where they are not all true lines."""
    strongest = max(lines, key=lambda one: one.area)
    starts = [one.position_cm1 for one in lines] + [strongest.position_cm1 + side * strongest.width_cm1]
    widths = [one.width_cm1 for one in lines] + [0.7 * strongest.width_cm1]
    found, fit = fit_lines_judged(x, y, sigma=sigma, starts_cm1=starts, widths_cm1=widths)
    if fit is None or not all(one.verdict is Verdict.CONVERGED and one.significance >= _LEAST_SIGMAS for one in found):
        return (), math.inf
    ordered = tuple(sorted(found, key=lambda one: one.position_cm1))
    if any(one.width_cm1 > _WIDEST * strongest.width_cm1 for one in ordered):
        return (), math.inf
    near = any(
        other.position_cm1 - one.position_cm1 < _LEAST_APART * min(one.width_cm1, other.width_cm1)
        for one, other in itertools.pairwise(ordered)
    )
    return ((), math.inf) if near else (ordered, corrected_akaike(fit))
