"""Pattern + phases → PatternFit: the Le Bail fit, one pattern or many.

Intensities of all lines, background, cells and widths are fitted together by least squares; intensities are signed,
so that the estimate of a line that is not there has mean 0. The outcome is what a converged Le Bail or Pawley fit
aims at, with uncertainties that include those of the intensities.

References
----------
Le Bail, Duroy and Fourquet, Mater. Res. Bull. 23, 447 (1988), doi 10.1016/0025-5408(88)90019-0.
Pawley, J. Appl. Cryst. 14, 357 (1981), doi 10.1107/S0021889881009618.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.material.cell import Cell
from hydrostruct.material.phase import Phase
from hydrostruct.xrd.answer import FitOptions, report_answer
from hydrostruct.xrd.asked_terms import ASKED_WORDS, free_more
from hydrostruct.xrd.beam import with_second_line
from hydrostruct.xrd.broad_phases import room_of
from hydrostruct.xrd.engine import limit_widths
from hydrostruct.xrd.find_answer import find_answer
from hydrostruct.xrd.first_look import line_width
from hydrostruct.xrd.fit_result import PatternFit
from hydrostruct.xrd.instrument import held_by_instrument
from hydrostruct.xrd.model import (
    MOST_BACKGROUND_TERMS,
    FitData,
    LeBailModel,
    build_model,
    fit_range,
    prepare_data,
)
from hydrostruct.xrd.pattern import BRAGG_BRENTANO, UNKNOWN, Pattern
from hydrostruct.xrd.profile import Widths
from hydrostruct.xrd.series import Series

Floats = npt.NDArray[np.float64]

__all__ = ["fit_pattern", "fit_patterns"]


def fit_pattern(
    pattern: Pattern,
    phases: Sequence[Phase],
    *,
    cells: Mapping[str, Mapping[str, float] | Cell] | None = None,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
    background: str | int = "auto",
    widths: Widths | None = None,
    instrument: Widths | None = None,
    free: Collection[str] = (),
    fix: Collection[str] = (),
    search: str = "auto",
    stress: Mapping[str, float] | None = None,
    wavelength_sigma_ang: float | None = None,
    distance_relative_sigma: float | None = None,
    seed: PatternFit | None = None,
    method: str = "pawley",
    loss: str = "squares",
    profile: str = "auto",
) -> PatternFit:
    """Le Bail fit of one pattern.

    Parameters
    ----------
    pattern : Pattern
        What was measured.
    phases : sequence of Phase
        What may be in it, from `read_phase`.
    cells : mapping, optional
        Start of the cell of a phase by its name: a Cell, or the free parameters (``{"a_ang": 3.70, "c_ang": 5.45}``).
    two_theta_deg : (low, high), optional
        Range, in degrees; all that was measured when left out.
    exclude_deg : sequence of (low, high)
        Regions to leave out, in degrees.
    background : "auto" or int
        Chebyshev terms; ``auto`` takes as many as the data ask for, 2 to 40.
    widths : Widths, optional
        Start of the widths; found from the data when left out.
    instrument : Widths, optional
        Widths of the instrument, from `read_widths` or `calibrate_widths`: all its terms are in the widths of every
        phase. The Gaussian ones are held; the Lorentzian ``size`` of a phase (and ``strain``, where it is freed) is
        fitted, and `PhaseFit.own_size_deg` is what it has beyond the instrument's. Signed: below 0 a phase has narrower
        lines than the instrument. The uncertainty of the instrument's widths is not in the sigmas.
    free, fix : collection of str
        What to free beyond, or to hold of, the default, which is the cells, one Gaussian ``w`` for the pattern and
        one Lorentzian ``size`` for each phase. Words: ``cell``, ``u``, ``v``, ``w``, ``p``, ``size``, ``strain``,
        ``zero``, ``displacement`` (of the sample; what it does depends on `Pattern.geometry`), and, by direction in the
        crystal, ``strain_axis``, ``strain_oblique``, ``strain_diagonal``, ``stress``, ``stress_shape`` (see
        `hydrostruct.xrd.direction`); with ``NAME:`` in front for one phase. To hold alone: ``kalpha2``, ``axial`` (no
        companion of the lines, no axial divergence is then asked for).
    search : {"auto", "never", "always"}
        Whether to look for better cells within some percent of the start; ``auto`` does so when the fit from the
        start does not convince.
    stress : mapping, optional
        Deviatoric stress Q of a phase by its name, as `hydrostruct.xrd.direction` defines it; the start where it is
        free, the value where it is not.
    wavelength_sigma_ang : float, optional
        Standard uncertainty of the wavelength, in Å: gives the systematic part.
    distance_relative_sigma : float, optional
        Relative standard uncertainty of the detector's distance: gives the systematic part. Keeps a pattern from asking
        for the displacement of a flat specimen; refused in Bragg-Brentano geometry, where there is no such distance.
    seed : PatternFit, optional
        A fit of another pattern with the same phases and free words: this one starts where that one came to rest, in
        its geometry where that of the pattern is unknown. With a displacement it must be of the pattern's.
    method : {"pawley", "le-bail"}
        All intensities by least squares, or, from the solution of that, the classical partition of the counts (see
        `hydrostruct.xrd.partition`): for comparison with other programs; where lines overlap it is the less accurate.
    loss : {"squares", "soft-l1", "cauchy"}
        What is made least once cells were found; the last two let single points far off stand apart (see
        `hydrostruct.xrd.robust`).
    profile : {"auto", "pseudo-voigt"}
        Whether to learn what all lines share beyond a pseudo-Voigt, where the misfit asks for it (see
        `hydrostruct.xrd.common_shape`), and over a wide range to free the zero, or the displacement of a flat specimen
        (see `Pattern.geometry`), ``u`` and ``v``, and to take Kα2 and axial divergence into account, where the pattern
        asks for them and they are not fixed (see `hydrostruct.xrd.asked_terms`); or never to.

    Returns
    -------
    PatternFit

    Raises
    ------
    InputError
        When the input cannot be fitted; a hard pattern returns a verdict.

    Examples
    --------
    >>> import hydrostruct as hs
    >>> angles = np.linspace(8.0, 20.0, 1200)
    >>> lines = [(15.551, 900.0), (17.976, 400.0)]
    >>> peaks = sum(h * np.exp(-4 * np.log(2) * ((angles - c) / 0.08) ** 2) for c, h in lines)
    >>> pattern = hs.Pattern(two_theta_deg=angles, intensity=peaks + 50.0, wavelength_ang=0.6199)
    >>> fit = hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 3.97}})
    >>> fit.verdict.value, round(fit.phases["Au"].a_ang, 3)
    ('converged', 3.968)
    """
    fix = held_by_instrument(instrument, fix=fix, free=free, widths=widths)
    options = FitOptions.checked(
        background,
        search,
        wavelength_sigma_ang,
        distance_relative_sigma,
        method=method,
        loss=loss,
        profile=profile,
        fix=fix,
        free=free,
    )
    began = time.perf_counter()
    limits = fit_range(pattern, two_theta_deg)
    model = build_model(
        phases,
        pattern.wavelength_ang,
        two_theta_deg=limits,
        cells=cells,
        widths=widths,
        instrument=instrument,
        free=free,
        fix=fix,
        stress=stress,
        geometry=pattern.geometry,
    )
    data = prepare_data(
        pattern,
        two_theta_deg=two_theta_deg,
        exclude_deg=exclude_deg,
        background_terms=options.terms or MOST_BACKGROUND_TERMS,
        limits=limits,
    )
    model = limit_widths(model, line_width(data))
    model, values = _seeded(model, seed)
    options.check_model(model, pattern.name)
    room = {} if values is None else room_of(model, values)
    answer = find_answer(model, data, options, seed=values, room=room)
    return report_answer(pattern, answer, options, began)


def fit_patterns(
    patterns: Sequence[Pattern],
    phases: Sequence[Phase],
    *,
    cells: Mapping[str, Mapping[str, float] | Cell] | None = None,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
    background: str | int = "auto",
    widths: Widths | None = None,
    instrument: Widths | None = None,
    free: Collection[str] = (),
    fix: Collection[str] = (),
    search: str = "auto",
    stress: Mapping[str, float] | None = None,
    wavelength_sigma_ang: float | None = None,
    distance_relative_sigma: float | None = None,
    method: str = "pawley",
    loss: str = "squares",
    profile: str = "auto",
) -> list[PatternFit]:
    """Le Bail fits of many patterns in this process, each seeded by the last one that convinced.

    A pattern whose fit from its neighbour does not convince is tried again from the start, so that one bad fit never
    poisons those after it. What wide patterns ask for is common to the series: a stronger pattern, or one that fits
    worse, is asked again, and those before it are fitted again with what it found (see `hydrostruct.xrd.series`).

    Parameters
    ----------
    patterns : sequence of Pattern
        In an order in which neighbours are alike.
    phases, cells, two_theta_deg, exclude_deg, background, widths, instrument, free, fix, search, stress : optional
        As in `fit_pattern`, the same for all patterns.
    wavelength_sigma_ang, distance_relative_sigma : float, optional
        As in `fit_pattern`.
    method, loss, profile : str
        As in `fit_pattern`.

    Returns
    -------
    list of PatternFit
        One for each pattern, in their order.

    Raises
    ------
    InputError
        As in `fit_pattern`.
    """
    fix = held_by_instrument(instrument, fix=fix, free=free, widths=widths)
    options = FitOptions.checked(
        background,
        search,
        wavelength_sigma_ang,
        distance_relative_sigma,
        method=method,
        loss=loss,
        profile=profile,
        fix=fix,
        free=free,
    )
    fits: list[PatternFit] = []
    data: FitData | None = None
    series: Series | None = None
    made_for: tuple[object, ...] = ()
    first = 0
    prepared = partial(
        prepare_data,
        two_theta_deg=two_theta_deg,
        exclude_deg=exclude_deg,
        background_terms=options.terms or MOST_BACKGROUND_TERMS,
    )
    again = prepared
    for pattern in patterns:
        began = time.perf_counter()
        limits = fit_range(pattern, two_theta_deg)
        data = prepared(pattern, limits=limits, like=data)
        if series is None or made_for != (pattern.wavelength_ang, pattern.geometry, *limits):
            if series is not None:
                fits[first:] = _fitted_again(series, patterns[first : len(fits)], fits[first:], again)
            model = build_model(
                phases,
                pattern.wavelength_ang,
                two_theta_deg=limits,
                cells=cells,
                widths=widths,
                instrument=instrument,
                free=free,
                fix=fix,
                stress=stress,
                geometry=pattern.geometry,
            )
            model = limit_widths(model, line_width(data))
            options.check_model(model, pattern.name)
            made_for = (pattern.wavelength_ang, pattern.geometry, *limits)
            series, first, again = Series(base=model, options=options), len(fits), partial(prepared, limits=limits)
        fits.append(report_answer(pattern, series.fit_next(data), options, began))
    if series is not None:
        fits[first:] = _fitted_again(series, patterns[first:], fits[first:], again)
    return fits


def _fitted_again(
    series: Series, patterns: Sequence[Pattern], fits: Sequence[PatternFit], prepared: Callable[..., FitData]
) -> list[PatternFit]:
    """The fits of a series, those that were left behind fitted again where the pattern does not contradict that."""
    fits = list(fits)
    for number in series.left_behind():
        pattern, fit = patterns[number], fits[number]
        began = time.perf_counter() - fit.seconds
        answer = series.fit_again(number, prepared(pattern), fit)
        if answer is None:
            fits[number] = replace(fit, seconds=time.perf_counter() - began)
        else:
            fits[number] = report_answer(pattern, answer, series.options, began)
    return fits


def _seeded(model: LeBailModel, seed: PatternFit | None) -> tuple[LeBailModel, Floats | None]:
    """The model with the terms that a seed was found to need, and the values of the seed."""
    if seed is None:
        return model, None
    model = free_more(model, [name for name in seed.parameter_names if name in ASKED_WORDS])
    if set(seed.parameter_names) != set(model.parameter_names):
        raise InputError("fit: the seed has other free parameters. Expected a fit with the same phases and free words.")
    if seed.second_line[1] > 0:
        model = replace(with_second_line(model) or model, second_line=seed.second_line)
    model = replace(model, axial=seed.axial, geometry=_seeded_geometry(model, seed))
    known = dict(zip(seed.parameter_names, seed.parameters, strict=True))
    return model, np.array([known[name] for name in model.parameter_names], dtype=np.float64)


def _seeded_geometry(model: LeBailModel, seed: PatternFit) -> str:
    """That of the pattern, or of the seed where it is unknown; a displacement of another meaning is refused."""
    if model.geometry == UNKNOWN:
        return seed.geometry
    if "displacement" in seed.parameter_names and (seed.geometry == BRAGG_BRENTANO) != model.reflects:
        raise InputError(
            f"fit: the seed has a displacement in {seed.geometry} geometry, and the pattern is of {model.geometry} "
            f"geometry, where it means another thing. Expected a seed of {model.geometry} geometry. Leave the seed "
            "out, or fit it again with this geometry."
        )
    return model.geometry
