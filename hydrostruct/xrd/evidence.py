"""What a least-squares solution says of its lines and parameters: uncertainties, significance, shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hydrostruct.xrd import kernels
from hydrostruct.xrd.agreement import Agreement, agreement
from hydrostruct.xrd.engine import Solution, covariance
from hydrostruct.xrd.fit_notes import NEGATIVE_SIGMA
from hydrostruct.xrd.line_scatter import LineScatter, line_scatter
from hydrostruct.xrd.model import FitData, LeBailModel
from hydrostruct.xrd.presence import gaussian_equivalent, line_significance, shares
from hydrostruct.xrd.slope_noise import without_slope_noise

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OBSERVED_SIGMA = 3.0
"""Standard deviations above which a line counts as observed."""
# Σz² of the lines of a phase, for each of them, from which on what their noise adds to it no longer counts
_STRONG_MEAN_SQUARE = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Intensities of one solution with their covariance: what verdicts rest on."""

    solution: Solution
    """The solution."""
    agreement: Agreement
    """Its R factors."""
    inflation: float
    """What statistical sigmas are multiplied with for misfit, at least 1."""
    background: Floats
    """Fitted background at the points of the fit, shape (n,)."""
    intensity_sigma: Floats
    """Standard uncertainty of each line, scaled; NaN where the data cannot see it; shape (lines,)."""
    detection_scale: float
    """What `intensity_sigma` is multiplied with when the question is whether a line is there; 1 when sigma is known."""
    observed_lines: Ints
    """Lines of each phase above three standard deviations, shape (phases,)."""
    free_lines: Ints
    """Those of them that no line of another phase comes near, shape (phases,)."""
    negative_lines: Ints
    """Lines of each phase that point down by more than noise lets them: another line stands there; shape (phases,)."""
    in_range: npt.NDArray[np.bool_]
    """Lines whose core is in the data, shape (lines,)."""
    range_deg: tuple[float, float]
    """First and last angle of the data, in degrees."""
    significance: Floats
    """Of each phase, shape (phases,)."""
    share: Floats
    """Of each phase, shape (phases,)."""
    share_sigma: Floats
    """Its uncertainty, shape (phases,)."""
    parameter_covariance: Floats
    """Of the free parameters, unscaled, shape (parameters, parameters)."""
    scatter: LineScatter | None
    """How lines scatter about their places; None where they do no more than noise makes them."""


def weigh_evidence(
    model: LeBailModel,
    data: FitData,
    solution: Solution,
    *,
    spread: tuple[Ints, Floats] | None = None,
    most_inflation: float = math.inf,
) -> Evidence:
    """Uncertainties, significance and shares of one solution.

    Parameters
    ----------
    model, data, solution
        What was fitted, to what, and where it came to rest.
    spread : (lines, covariance), optional
        As `hydrostruct.xrd.engine.covariance` gives them, where other patterns have a say in them.
    most_inflation : float
        The most that sigmas are multiplied with for misfit. When a phase is found absent it is what the fit with its
        lines says: weak lines that may be there after all are no misfit of the others.

    Returns
    -------
    Evidence
    """
    seen, matrix = covariance(model, data, solution) if spread is None else spread
    n_linear = seen.size + len(data.basis)
    background = solution.background @ data.basis
    report = agreement(
        data.measured,
        solution.residual,
        background=background,
        weight=data.weight,
        n_parameters=n_linear + data.shape_terms + solution.held.size - int(np.count_nonzero(solution.held)),
    )
    inflation = min(report.inflation, most_inflation)
    # a guessed sigma may be far too large: whether a line is there is then judged by the residuals themselves
    doubt = 1.0 if data.sigma_is_known else min(1.0, max(report.gof, 1e-3)) ** 2
    lines = matrix[: seen.size, : seen.size].copy()
    sigma, inside, evidence, area, area_spread, observed, free, negative = kernels.weigh_lines(
        data.position,
        data.step_deg,
        solution.position,
        solution.width,
        solution.intensity,
        model.phase_of,
        len(model.phases),
        seen,
        lines,
        inflation**2,
        OBSERVED_SIGMA * math.sqrt(doubt),
        NEGATIVE_SIGMA,
    )
    share, share_sigma = shares(area, area_spread)
    parameters = matrix[n_linear:, n_linear:]
    faint = _faint_lines(model, seen, inside, evidence, doubt)
    if faint.size:
        parameters = without_slope_noise(
            model, data, solution, covariance=matrix, lines=faint, spread=lines[np.ix_(faint, faint)] * doubt
        )
    return Evidence(
        solution=solution,
        agreement=report,
        inflation=inflation,
        background=background,
        intensity_sigma=sigma,
        detection_scale=math.sqrt(doubt),
        observed_lines=observed,
        free_lines=free,
        negative_lines=negative,
        in_range=inside,
        range_deg=(float(data.position[0]), float(data.position[-1])),
        significance=_significance(model, solution, lines, (seen, inside), evidence, doubt=doubt),
        share=share,
        share_sigma=share_sigma,
        parameter_covariance=parameters,
        scatter=line_scatter(
            model,
            data,
            solution,
            intensity_sigma=sigma,
            covariance=parameters,
            gof=report.gof,
            serial=report.serial_factor,
        ),
    )


def _faint_lines(
    model: LeBailModel, seen: Ints, inside: npt.NDArray[np.bool_], evidence: tuple[Floats, ...], doubt: float
) -> Ints:
    """Lines of phases whose lines are weak on the average, as rows of the covariance."""
    weak = evidence[0] < _STRONG_MEAN_SQUARE * doubt * evidence[2]  # and not where nothing can be said
    if not weak.any():
        return np.empty(0, dtype=np.int64)
    phase = model.phase_of[seen]
    own = np.minimum(phase, len(model.phases) - 1)
    return np.flatnonzero((phase < len(model.phases)) & weak[own] & inside[seen])


def _significance(
    model: LeBailModel,
    solution: Solution,
    lines: Floats,
    which: tuple[Ints, npt.NDArray[np.bool_]],
    evidence: tuple[Floats, ...],
    *,
    doubt: float,
) -> Floats:
    """How surely each phase is there, in standard deviations; see `hydrostruct.xrd.presence.line_significance`."""
    seen, inside = which
    out = np.zeros(len(model.phases))
    fitted_of = kernels.cell_counts(model.link, len(model.phases)).tolist()
    for index, (statistic, upward, count) in enumerate(zip(*(part.tolist() for part in evidence[:3]), strict=True)):
        fitted = fitted_of[index]
        if count and math.isnan(statistic):
            mine = ((model.phase_of[seen] == index) & inside[seen]).nonzero()[0]
            block = lines[mine[:, None], mine] * doubt
            out[index] = line_significance(solution.intensity[seen[mine]], block, n_fitted=fitted)
        elif count and upward > 0:
            out[index] = gaussian_equivalent(statistic / doubt, int(count) + fitted)
    return out
