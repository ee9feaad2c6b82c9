"""What a Le Bail fit is made of before any data: lines, parameters, links and limits; and data made ready for it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError, nearest_name
from hydrostruct.material.cell import (
    FREE_PARAMETERS,
    Cell,
    CrystalSystem,
    make_cell,
    metric_terms,
    reciprocal_components,
    two_theta,
)
from hydrostruct.material.phase import Phase
from hydrostruct.material.reflections import phase_reflections
from hydrostruct.xrd.direction import (
    DIAGONAL_SYSTEMS,
    DIRECTION_SYSTEMS,
    UNIAXIAL_SYSTEMS,
    diagonal_term,
    direction_terms,
)
from hydrostruct.xrd.instrument import held_by_instrument
from hydrostruct.xrd.kernels import (
    CELL_SLOTS,
    PHASE_SLOTS,
    STRAIN_AXIS_SLOT,
    STRESS_SLOT,
    TERM_COLUMNS,
    WIDTH_SLOTS,
    chebyshev_gram,
    cut_pattern,
)
from hydrostruct.xrd.pattern import BRAGG_BRENTANO, GUESSED, Pattern
from hydrostruct.xrd.profile import WIDTH_NAMES, Widths, width_array

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARGIN_FWHM = 10.0
"""Lines up to this many widths outside the range are taken along: their tails reach in."""
REACH_FWHM = 25.0
"""A line is drawn this many widths to each side."""
MOST_BACKGROUND_TERMS = 24
"""Terms that a pattern is made ready with."""
LONGEST_BACKGROUND_TERMS = 40
"""Terms that are taken where those do not do."""
_POINTS_OF_A_TERM = 10
_LINE_MARGIN_DEG = 2.0
_CELL_LIMIT = 0.05
_ORDER_LIMIT, _OTHER_ORDER = 0.02, 0.1
_MOST_LINES = 4000
_MOST_STRESS = 0.03
_GLOBAL_NAMES = ("zero", "displacement")
_BEAM_WORDS = ("kalpha2", "axial")
"""What a pattern is asked for by trial, no parameter: held where a monochromator or Soller slits leave none."""
_COMMON_WIDTHS = ("u", "v", "w", "p")
_LORENTZ_WORDS = ("size", "strain", "strain_axis")
DIRECTION_WORDS = ("strain_axis", "strain_oblique", "strain_diagonal", "stress", "stress_shape")
"""What depends on the direction of a line in its crystal; see `hydrostruct.xrd.direction`."""
_SYSTEMS_OF = {
    "strain_axis": UNIAXIAL_SYSTEMS,
    "strain_oblique": UNIAXIAL_SYSTEMS,
    "strain_diagonal": DIAGONAL_SYSTEMS,
}
DEFAULT_FREE = frozenset({"cell", "w", "size"})
"""What moves unless told otherwise: cells, the Gaussian W of the pattern, a Lorentzian width for each phase."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeBailModel:
    """Lines and parameters of one set of phases at one wavelength; serves any number of patterns.

    Slots are the places where values enter the line positions and widths; `link` says which free parameter fills a
    slot (see `hydrostruct.xrd.kernels`).
    """

    phases: tuple[Phase, ...]
    """The phases, in the order that slots count them."""
    start_cells: tuple[Cell, ...]
    """Where each cell starts."""
    wavelength_ang: float
    """Wavelength, in Å."""
    phase_of: Ints
    """Phase of each line, shape (lines,); reflections of one phase at one angle by symmetry are one line."""
    terms: Floats
    """What each reciprocal-metric component adds to 1/d² of each line, and the direction terms, shape (lines, 9)."""
    reflection_line: Ints
    """Line of each reflection, shape (reflections,)."""
    reflection_hkl: Ints
    """Miller indices of each reflection, shape (reflections, 3)."""
    reflection_multiplicity: Ints
    """Symmetry-equivalent planes of each reflection, shape (reflections,)."""
    reflections_of: tuple[Ints, ...]
    """For each phase the numbers of its reflections."""
    members: Ints
    """How many reflections share each line, shape (lines,)."""
    slots: Floats
    """Values at the start, shape (17 × phases + 2,)."""
    link: Ints
    """Free parameter of each slot, -1 for none; same shape."""
    parameter_names: tuple[str, ...]
    """Names of the free parameters, such as ``cell:CeH9-P63mmc:0``."""
    start: Floats
    """Their values at the start, shape (parameters,)."""
    lowest: Floats
    """Smallest value each may take."""
    highest: Floats
    """Largest value each may take."""
    second_line: tuple[float, float] = (1.0, 0.0)
    """A second wavelength over the first, and its part of the area of each line; see `hydrostruct.xrd.beam`."""
    axial: float = 0.0
    """Half the height of slit and sample over their distance, for axial divergence."""
    asked: tuple[str, ...] = ()
    """Words that were freed because the pattern asks for them; see `hydrostruct.xrd.asked_terms`."""
    instrument: Widths | None = None
    """Widths of the instrument, which are part of each line's; None where they are not known."""
    geometry: str = "unknown"
    """How the pattern was measured, of `hydrostruct.xrd.pattern.GEOMETRIES`: says what ``displacement`` means."""

    @property
    def reflects(self) -> bool:
        """Whether a displacement is that of a specimen from the axis of a goniometer, in Bragg-Brentano geometry."""
        return self.geometry == BRAGG_BRENTANO

    @property
    def beam(self) -> Floats:
        """What the loops want to know of the beam, shape (5,).

        Wavelength in Å, second one over it, part of that, axial divergence, and 1 in Bragg-Brentano geometry, else 0.
        """
        return np.array([self.wavelength_ang, *self.second_line, self.axial, float(self.reflects)])


@dataclass(frozen=True, kw_only=True, slots=True)
class FitData:
    """One pattern cut to its range, without what must not be fitted, with the background terms at its points."""

    position: Floats
    """2θ, in degrees, shape (n,)."""
    intensity: Floats
    """Intensity, shape (n,)."""
    weight: Floats
    """1/sigma², shape (n,)."""
    kept: npt.NDArray[np.bool_]
    """Which points of the pattern these are, shape (points of the pattern,); read-only."""
    step_deg: float
    """Median distance of neighbouring points, in degrees."""
    basis: Floats
    """Chebyshev polynomials over the range, shape (terms, n)."""
    gram: Floats
    """Their products under the weights, shape (terms, terms)."""
    sigma_is_known: bool
    """False when sigma is a guess: then the size of the residuals says what the noise is, up or down."""
    beyond_profile: Floats | None = None
    """What was taken off the intensity because all lines have it beyond their profiles, shape (n,); see
    `hydrostruct.xrd.common_shape`. None where nothing was."""
    shape_terms: int = 0
    """Coefficients that were fitted for it."""

    @property
    def measured(self) -> Floats:
        """Intensity as it was measured, shape (n,)."""
        return self.intensity if self.beyond_profile is None else self.intensity + self.beyond_profile


def build_model(
    phases: Sequence[Phase],
    wavelength_ang: float,
    *,
    two_theta_deg: tuple[float, float],
    cells: Mapping[str, Mapping[str, float] | Cell] | None = None,
    widths: Widths | None = None,
    instrument: Widths | None = None,
    free: Collection[str] = (),
    fix: Collection[str] = (),
    stress: Mapping[str, float] | None = None,
    geometry: str = "unknown",
) -> LeBailModel:
    """Lines and parameters for a fit.

    Parameters
    ----------
    phases : sequence of Phase
        One or more, with different names.
    wavelength_ang : float
        Wavelength, in Å.
    two_theta_deg : (low, high)
        Range of the fit, in degrees.
    cells : mapping, optional
        Start of a phase by its name: a Cell, or the free parameters (``a_ang``, …); the phase's own cell when left
        out, and for parameters left out.
    widths : Widths, optional
        Start of the widths, or their values where they are fixed.
    instrument : Widths, optional
        Widths of the instrument: the values of what is fixed, its Gaussian terms among it; what is free starts anew.
    free, fix : collection of str
        What to free beyond, or hold of, the default: ``cell``, ``u``, ``v``, ``w``, ``p``, ``size``, ``strain``,
        ``zero``, ``displacement``, ``strain_axis``, ``strain_oblique``, ``strain_diagonal``, ``stress``,
        ``stress_shape``; with ``NAME:`` in front for one phase. ``kalpha2`` and ``axial`` can be held alone.
    stress : mapping, optional
        Q of the deviatoric stress by name of phase; see `hydrostruct.xrd.direction`.
    geometry : str
        Of the pattern: says what ``displacement`` means.

    Returns
    -------
    LeBailModel

    Raises
    ------
    InputError
        For no phase, a name given twice, an unknown word, a phase without a cell or without a line in the range.
    """
    _check_phases(phases, cells or {})
    chosen = [_start_cell(phase, (cells or {}).get(phase.name)) for phase in phases]
    lines = [
        _phase_lines(phase, cell, wavelength_ang, two_theta_deg) for phase, cell in zip(phases, chosen, strict=True)
    ]
    freed = _freed(phases, free, held_by_instrument(instrument, fix=fix, free=free, widths=widths))
    slots, link, names = _link_slots(
        phases, chosen, instrument or widths or Widths(), freed, _checked_stress(phases, stress or {})
    )
    if instrument is not None:  # what a phase adds is found from the data, as all widths are where none is given
        slots[np.isin(link, [at for at, name in enumerate(names) if name.partition(":")[0] in _LORENTZ_WORDS])] = 0.0
    start = np.array([slots[link == index][0] for index in range(len(names))], dtype=np.float64)
    lowest, highest = _limits(names, start, phases, chosen)
    counts = np.cumsum([0] + [len(terms) for terms, *_ in lines])
    phase_of = np.repeat(np.arange(len(phases)), np.diff(counts))
    reflection_line = np.concatenate([line + first for (_, line, *_), first in zip(lines, counts[:-1], strict=True)])
    return LeBailModel(
        phases=tuple(phases),
        start_cells=tuple(chosen),
        wavelength_ang=wavelength_ang,
        phase_of=phase_of,
        terms=np.ascontiguousarray(np.concatenate([terms for terms, *_ in lines])),
        reflection_line=reflection_line,
        reflection_hkl=np.concatenate([hkl for _, _, hkl, _ in lines]),
        reflection_multiplicity=np.concatenate([multiplicity for *_, multiplicity in lines]),
        reflections_of=tuple(np.flatnonzero(phase_of[reflection_line] == index) for index in range(len(phases))),
        members=np.bincount(reflection_line, minlength=phase_of.size),
        slots=slots,
        link=link,
        parameter_names=names,
        start=start,
        lowest=lowest,
        highest=highest,
        instrument=instrument,
        geometry=geometry,
    )


def prepare_data(
    pattern: Pattern,
    *,
    two_theta_deg: tuple[float, float] | None = None,
    exclude_deg: Sequence[tuple[float, float]] = (),
    background_terms: int = MOST_BACKGROUND_TERMS,
    limits: tuple[float, float] | None = None,
    like: FitData | None = None,
) -> FitData:
    """Cut a pattern to what is fitted.

    Parameters
    ----------
    pattern : Pattern
        Points with NaN intensity are left out.
    two_theta_deg : (low, high), optional
        Range, in degrees; the whole pattern when left out.
    exclude_deg : sequence of (low, high)
        Regions to leave out, in degrees.
    background_terms : int
        Chebyshev polynomials, at least 1.
    limits : (low, high), optional
        What `fit_range` says, where it is known.
    like : FitData, optional
        Another pattern of the series: where the points are the same, what depends on them alone is taken from there.

    Returns
    -------
    FitData

    Raises
    ------
    InputError
        For a reversed or empty range, or too few points left.
    """
    low, high = fit_range(pattern, two_theta_deg) if limits is None else limits
    for first, last in exclude_deg:
        _check_range(pattern.name, "excluded region", first, last)
    left_out = np.array(exclude_deg, dtype=np.float64).reshape(-1, 2)
    kept, points = cut_pattern(pattern.two_theta_deg, pattern.intensity, pattern.sigma, low, high, left_out)
    position, intensity, weight = points
    count = position.size
    if count < 2 * background_terms or count < 20:
        raise InputError(
            f"{pattern.name or 'pattern'}: {count} measured points between {low:g}° and {high:g}°. Expected "
            f"{max(20, 2 * background_terms)} or more. Widen the range, or take fewer background terms."
        )
    if like is None or not _same_points(like, position, kept, background_terms):
        like = None
    kept.setflags(write=False)
    basis = like.basis if like else chebyshev_basis(position, background_terms)
    return FitData(
        position=like.position if like else position,
        intensity=intensity,
        weight=weight,
        kept=like.kept if like else kept,
        step_deg=like.step_deg if like else float(np.median(np.diff(position))),
        basis=basis,
        gram=_gram(basis, weight),
        sigma_is_known=pattern.sigma_source not in GUESSED,
    )


def _same_points(like: FitData, position: Floats, kept: npt.NDArray[np.bool_], terms: int) -> bool:
    if len(like.basis) != terms or like.position.size != position.size or like.kept.size != kept.size:
        return False
    return bool((like.position == position).all() and (like.kept == kept).all())


def with_terms(data: FitData, terms: int) -> FitData:
    """The same data with the first few background terms only."""
    if terms == len(data.basis):
        return data
    return replace(
        data, basis=np.ascontiguousarray(data.basis[:terms]), gram=np.ascontiguousarray(data.gram[:terms, :terms])
    )


def with_more_terms(data: FitData) -> FitData:
    """The same data with the longest background.

    Parameters
    ----------
    data : FitData
        With two background terms or more.

    Returns
    -------
    FitData
        As it is where there are too few points for more terms.
    """
    if len(data.basis) < 2 or data.position.size < _POINTS_OF_A_TERM * LONGEST_BACKGROUND_TERMS:
        return data
    rows = list(data.basis)
    while len(rows) < LONGEST_BACKGROUND_TERMS:  # the second one is the angle over the range that all are made for
        rows.append(2.0 * rows[1] * rows[-1] - rows[-2])
    basis = np.ascontiguousarray(rows)
    return replace(data, basis=basis, gram=_gram(basis, data.weight))


def without_points(data: FitData, left_out: npt.NDArray[np.bool_]) -> FitData:
    """The same data less some of its points; the background polynomials keep their range."""
    stay = ~left_out
    kept = data.kept.copy()
    kept[np.flatnonzero(data.kept)[left_out]] = False
    kept.setflags(write=False)
    position = data.position[stay]
    basis, weight = np.ascontiguousarray(data.basis[:, stay]), data.weight[stay]
    return FitData(
        position=position,
        intensity=data.intensity[stay],
        weight=weight,
        kept=kept,
        step_deg=float(np.median(np.diff(position))),
        basis=basis,
        gram=_gram(basis, weight),
        sigma_is_known=data.sigma_is_known,
        beyond_profile=None if data.beyond_profile is None else data.beyond_profile[stay],
        shape_terms=data.shape_terms,
    )


def fit_range(pattern: Pattern, two_theta_deg: tuple[float, float] | None) -> tuple[float, float]:
    """The range of a fit, in degrees: what was asked for, cut to what was measured."""
    measured = pattern.two_theta_deg
    if not (math.isfinite(pattern.intensity[0]) and math.isfinite(pattern.intensity[-1])):  # the ends alone count
        measured = measured[np.isfinite(pattern.intensity)]
    if two_theta_deg is None:
        return float(measured[0]), float(measured[-1])
    _check_range(pattern.name, "range", *two_theta_deg)
    low, high = max(two_theta_deg[0], float(measured[0])), min(two_theta_deg[1], float(measured[-1]))
    if not low < high:
        raise InputError(
            f"{pattern.name or 'pattern'}: the range {two_theta_deg[0]:g} to {two_theta_deg[1]:g}° has no data. "
            f"Expected a part of {measured[0]:g} to {measured[-1]:g}°."
        )
    return low, high


def chebyshev_basis(position: Floats, terms: int) -> Floats:
    """Chebyshev polynomials of the first kind over a range, shape (terms, n)."""
    u = 2.0 * (position - position[0]) / (position[-1] - position[0]) - 1.0
    basis = np.empty((terms, position.size))
    basis[0] = 1.0
    if terms > 1:
        basis[1] = u
    for order in range(2, terms):
        basis[order] = 2.0 * u * basis[order - 1] - basis[order - 2]
    return basis


def _gram(basis: Floats, weight: Floats) -> Floats:
    """Products of Chebyshev polynomials under weights; the second of them is the angle that all are made for."""
    return np.asarray(chebyshev_gram(basis[min(1, len(basis) - 1)], weight, len(basis)))


def hold(model: LeBailModel, values: Floats, held: npt.NDArray[np.bool_]) -> LeBailModel:
    """The model with some of its parameters held at given values.

    Parameters
    ----------
    model : LeBailModel
        What is fitted.
    values : array, shape (parameters,)
        Where they are held.
    held : array of bool, shape (parameters,)
        Which ones.

    Returns
    -------
    LeBailModel
        With the same list of parameters; the held ones fill no slot.
    """
    slots, link = model.slots.copy(), model.link.copy()
    mine = np.isin(link, np.flatnonzero(held))
    slots[mine] = values[link[mine]]
    link[mine] = -1
    return replace(model, slots=slots, link=link)


def phase_slots(model: LeBailModel, slots: Floats, index: int) -> tuple[Floats, Floats]:
    """Reciprocal components (free ones of the system) and widths of one phase, out of the slots."""
    base = index * PHASE_SLOTS
    count = len(FREE_PARAMETERS[model.phases[index].system])
    return slots[base : base + count], slots[base + CELL_SLOTS : base + CELL_SLOTS + WIDTH_SLOTS]


def cell_parameters(model: LeBailModel, index: int) -> Ints:
    """Free parameters that move the cell of one phase, -1 where a component is held."""
    base = index * PHASE_SLOTS
    return model.link[base : base + len(FREE_PARAMETERS[model.phases[index].system])]


def _check_range(name: str, what: str, low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f"{name or 'pattern'}: the {what} runs from {low:g} to {high:g}°. Expected the lower angle first."
        )


def _check_phases(phases: Sequence[Phase], cells: Mapping[str, object]) -> None:
    names = [phase.name for phase in phases]
    if not names:
        raise InputError("fit: no phase is given. Expected one or more. Name a phase of the library or a file.")
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"fit: the phase {name!r} is given {names.count(name)} times. Expected different names.")
    for name in cells:
        if name not in names:
            raise InputError(
                f"fit: a cell is given for {name!r}, which is not among the phases ({', '.join(names)}). "
                + nearest_name(name, names)
            )


def _checked_stress(phases: Sequence[Phase], stress: Mapping[str, float]) -> Mapping[str, float]:
    names = [phase.name for phase in phases]
    for name, value in stress.items():
        if name not in names:
            raise InputError(
                f"fit: a stress is given for {name!r}, which is not among the phases. {nearest_name(name, names)}"
            )
        if not (math.isfinite(value) and abs(value) <= _MOST_STRESS):
            raise InputError(
                f"fit: the stress Q of {name} is {value:g}. Expected a strain, at most {_MOST_STRESS:g}: t/6G for a "
                "differential stress t and a shear modulus G."
            )
    return stress


def _start_cell(phase: Phase, given: Mapping[str, float] | Cell | None) -> Cell:
    if isinstance(given, Cell):
        cell = given
    else:
        names = FREE_PARAMETERS[phase.system]
        values = {name: getattr(phase.cell, name) for name in names}
        for name, value in (given or {}).items():
            if name not in names:
                raise InputError(
                    f"{phase.name}: {name!r} is not free in a {phase.system} cell. Expected {', '.join(names)}."
                )
            values[name] = float(value)
        cell = make_cell(phase.system, **values)
    if not cell.is_known:
        wanted = ",".join(name.rpartition("_")[0] + "=…" for name in FREE_PARAMETERS[phase.system])
        raise InputError(
            f"{phase.name}: its cell is not known. Expected a start. Give one, as --cell '{phase.name}:{wanted}'."
        )
    reciprocal_components(cell, phase.system)
    _check_order(phase, cell)
    return cell


def _check_order(phase: Phase, start: Cell) -> None:
    """Refuse a start whose axes are the phase's own in another order, where its absences tell them apart."""
    own, given = (np.array([cell.a_ang, cell.b_ang, cell.c_ang]) for cell in (phase.cell, start))
    if not phase.cell.is_known or np.all(np.abs(given / own - 1.0) < _OTHER_ORDER):
        return
    for order in itertools.permutations(range(3)):
        if np.any(np.abs(given[list(order)] / own - 1.0) > _ORDER_LIMIT):
            continue
        lengths = dict(zip(("a_ang", "b_ang", "c_ang"), given[list(order)], strict=True))
        swapped = replace(start, **lengths)
        least = 0.25 * float(np.min(given))
        one, other = (
            np.sort(phase_reflections(phase, cell, d_min_ang=least, d_max_ang=100.0).d_ang) for cell in (start, swapped)
        )
        if one.size != other.size or not np.allclose(one, other, rtol=1e-6):
            raise InputError(
                f"{phase.name}: the start of its cell has a {given[0]:g}, b {given[1]:g}, c {given[2]:g} Å. Expected "
                f"near {own[0]:g}, {own[1]:g}, {own[2]:g} Å, the axes in the order of the standard setting of "
                f"{phase.space_group_symbol}, by which lines are absent. Give them in that order."
            )
        return


def _phase_lines(
    phase: Phase, cell: Cell, wavelength_ang: float, two_theta_deg: tuple[float, float]
) -> tuple[Floats, Ints, Ints, Ints]:
    low = max(two_theta_deg[0] - _LINE_MARGIN_DEG, 0.2)
    high = min(two_theta_deg[1] + _LINE_MARGIN_DEG, 179.0)
    spacings = wavelength_ang / (2.0 * np.sin(np.radians(np.array([high, low]) / 2.0)))
    found = phase_reflections(
        phase, cell, d_min_ang=spacings[0] * (1 - _CELL_LIMIT), d_max_ang=spacings[1] * (1 + _CELL_LIMIT)
    )
    position = two_theta(found.d_ang, wavelength_ang)
    inside = (position >= two_theta_deg[0]) & (position <= two_theta_deg[1])
    if not np.any(inside):
        raise InputError(
            f"{phase.name}: no line between {two_theta_deg[0]:g}° and {two_theta_deg[1]:g}° at {wavelength_ang:g} Å. "
            "Expected one or more. Widen the range, or check the wavelength, the cell, and that the first column is "
            "2θ in degrees, not Q or d."
        )
    if len(found.hkl) > _MOST_LINES:
        raise InputError(
            f"{phase.name}: {len(found.hkl)} lines in the range. Expected {_MOST_LINES} at the most. Check the cell "
            "and the wavelength, or narrow the range."
        )
    terms = metric_terms(found.hkl, phase.system)
    unique, line = np.unique(terms, axis=0, return_inverse=True)
    line = np.asarray(line, dtype=np.int64).ravel()
    padded = np.zeros((len(unique), TERM_COLUMNS))
    padded[:, : unique.shape[1]] = unique
    along, shape = direction_terms(found.hkl, cell, phase.system)
    padded[:, CELL_SLOTS] = _mean_of_members(along, line, found.multiplicity)
    padded[:, CELL_SLOTS + 1] = _mean_of_members(shape, line, found.multiplicity)
    diagonal = diagonal_term(found.hkl, cell, phase.system)
    padded[:, CELL_SLOTS + 2] = _mean_of_members(diagonal, line, found.multiplicity)
    return padded, line, found.hkl, found.multiplicity


def _mean_of_members(values: Floats, line: Ints, multiplicity: Ints) -> Floats:
    """Mean over the reflections that are one line, by how many planes each has."""
    return np.bincount(line, weights=values * multiplicity) / np.bincount(line, weights=multiplicity)


def _freed(phases: Sequence[Phase], free: Collection[str], fix: Collection[str]) -> dict[str, set[str]]:
    """Words that are free for each phase, and under the empty name for the pattern."""
    if isinstance(free, str) or isinstance(fix, str):
        raise InputError("fit: free and fix are lists of words. Expected for example free=['zero'].")
    result = {phase.name: set(DEFAULT_FREE) for phase in phases}
    result[""] = set()
    for words, add in ((free, True), (fix, False)):
        for word in words:
            name, _, what = word.rpartition(":")
            known = ("cell", *WIDTH_NAMES, *DIRECTION_WORDS, *(() if name else (*_GLOBAL_NAMES, *_BEAM_WORDS)))
            if what not in known:
                raise InputError(
                    f"fit: {what!r} cannot be freed or fixed. Expected one of {', '.join(known)}. "
                    + nearest_name(what, known)
                )
            if what in _BEAM_WORDS:  # no parameter: it is found by trial, or held at none
                if add:
                    raise InputError(
                        f"fit: {what!r} cannot be freed. Expected it to be fixed, where there is none; else a wide "
                        "pattern is asked whether it needs it."
                    )
                continue
            if name and name not in result:
                raise InputError(f"fit: {word!r} names no phase of this fit. " + nearest_name(name, result))
            targets = [""] if what in _GLOBAL_NAMES else [name] if name else [n for n in result if n]
            if what in DIRECTION_WORDS and add:
                targets = _with_direction(what, targets, phases, named=bool(name))
            for target in targets:
                (result[target].add if add else result[target].discard)(what)
    return result


def _with_direction(what: str, targets: Sequence[str], phases: Sequence[Phase], *, named: bool) -> list[str]:
    """Those of the phases whose system has such a term; a phase that is named must be one of them."""
    systems = _SYSTEMS_OF.get(what, DIRECTION_SYSTEMS)
    able = [phase.name for phase in phases if phase.name in targets and phase.system in systems]
    if not able or (named and len(able) < len(targets)):
        raise InputError(
            f"fit: {what!r} cannot be freed for {', '.join(targets)}. Expected a phase that is "
            f"{' or '.join(str(system) for system in systems)}. Name one, as 'NAME:{what}'."
        )
    return able


def _link_slots(
    phases: Sequence[Phase],
    cells: Sequence[Cell],
    widths: Widths,
    freed: Mapping[str, set[str]],
    stress: Mapping[str, float],
) -> tuple[Floats, Ints, tuple[str, ...]]:
    slots = np.zeros(len(phases) * PHASE_SLOTS + 2)
    link = np.full(slots.size, -1, dtype=np.int64)
    names: list[str] = []

    def parameter(name: str) -> int:
        if name not in names:
            names.append(name)
        return names.index(name)

    for index, (phase, cell) in enumerate(zip(phases, cells, strict=True)):
        base = index * PHASE_SLOTS
        components = reciprocal_components(cell, phase.system)
        slots[base : base + components.size] = components
        slots[base + CELL_SLOTS : base + CELL_SLOTS + WIDTH_SLOTS] = width_array(widths)
        slots[base + STRAIN_AXIS_SLOT] = widths.strain_deg
        slots[base + STRESS_SLOT] = stress.get(phase.name, 0.0)
        if "cell" in freed[phase.name]:
            for j in range(components.size):
                link[base + j] = parameter(f"cell:{phase.name}:{j}")
        for j, word in enumerate(WIDTH_NAMES):
            if word in freed[phase.name]:
                common = word in _COMMON_WIDTHS
                link[base + CELL_SLOTS + j] = parameter(word if common else f"{word}:{phase.name}")
        link[base + STRAIN_AXIS_SLOT] = link[base + STRAIN_AXIS_SLOT - 1]  # strain is the same in all directions
        for slot, word in enumerate(DIRECTION_WORDS, start=STRAIN_AXIS_SLOT):
            if word in freed[phase.name]:
                link[base + slot] = parameter(f"{word}:{phase.name}")
    for j, word in enumerate(_GLOBAL_NAMES):
        if word in freed[""]:
            link[len(phases) * PHASE_SLOTS + j] = parameter(word)
    return slots, link, tuple(names)


def _limits(
    names: Sequence[str], start: Floats, phases: Sequence[Phase], cells: Sequence[Cell]
) -> tuple[Floats, Floats]:
    lowest, highest = np.empty(len(names)), np.empty(len(names))
    fixed = {
        "u": (-0.5, 2.0),
        "v": (-0.5, 0.5),
        "w": (1e-8, 1.0),
        "p": (-0.5, 1.0),
        "size": (0.0, 2.0),
        "strain": (0.0, 10.0),
        "strain_axis": (0.0, 10.0),
        "strain_oblique": (-10.0, 10.0),
        "strain_diagonal": (-10.0, 10.0),
        "stress": (-0.03, 0.03),
        "stress_shape": (-0.2, 0.2),
        "zero": (-1.0, 1.0),
        "displacement": (-0.1, 0.1),
    }
    lookup = {phase.name: (phase, cell) for phase, cell in zip(phases, cells, strict=True)}
    for index, name in enumerate(names):
        if name.startswith("cell:"):
            phase, cell = lookup[name[5:].rpartition(":")[0]]
            scale = float(np.max(np.abs(reciprocal_components(cell, phase.system))))
            reach = (2 * _CELL_LIMIT) * (start[index] if _is_diagonal(name, phase.system) else scale)
            lowest[index], highest[index] = start[index] - reach, start[index] + reach
        else:
            lowest[index], highest[index] = fixed[name.partition(":")[0]]
    return lowest, highest


def _is_diagonal(name: str, system: CrystalSystem) -> bool:
    return int(name.rpartition(":")[2]) < 3 or system is CrystalSystem.CUBIC
