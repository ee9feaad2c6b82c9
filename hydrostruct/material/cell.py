"""Lattice parameters, d(hkl) and volume, with their covariance.

Everything goes through the reciprocal metric: 1/d² is linear in it, and a crystal system is a choice of which of its
six components are free. A fit that works in the free components needs no special case for any system.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class CrystalSystem(StrEnum):
    """The seven lattice systems that a fit can tell apart; R lattices use hexagonal axes."""

    CUBIC = "cubic"
    TETRAGONAL = "tetragonal"
    HEXAGONAL = "hexagonal"
    ORTHORHOMBIC = "orthorhombic"
    MONOCLINIC = "monoclinic"
    TRICLINIC = "triclinic"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One unit cell; NaN where a length or an angle is not known."""

    a_ang: float
    """Length of a, in Å."""
    b_ang: float
    """Length of b, in Å."""
    c_ang: float
    """Length of c, in Å."""
    alpha_deg: float = 90.0
    """Angle between b and c, in degrees."""
    beta_deg: float = 90.0
    """Angle between a and c, in degrees."""
    gamma_deg: float = 90.0
    """Angle between a and b, in degrees."""

    @property
    def volume_ang3(self) -> float:
        """Volume of the cell, in Å³; NaN when a parameter is missing."""
        return cell_volume(self)

    @property
    def is_known(self) -> bool:
        """Whether every parameter has a value."""
        return bool(np.all(np.isfinite(cell_array(self))))


FREE_PARAMETERS: dict[CrystalSystem, tuple[str, ...]] = {
    CrystalSystem.CUBIC: ("a_ang",),
    CrystalSystem.TETRAGONAL: ("a_ang", "c_ang"),
    CrystalSystem.HEXAGONAL: ("a_ang", "c_ang"),
    CrystalSystem.ORTHORHOMBIC: ("a_ang", "b_ang", "c_ang"),
    CrystalSystem.MONOCLINIC: ("a_ang", "b_ang", "c_ang", "beta_deg"),
    CrystalSystem.TRICLINIC: ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg"),
}
"""What a measurement can change in each system; the rest is tied or fixed by symmetry."""

# Rows: free components of the reciprocal metric; columns: h², k², l², kl, hl, hk in 1/d².
_METRIC_BASIS: dict[CrystalSystem, tuple[tuple[int, ...], ...]] = {
    CrystalSystem.CUBIC: ((1, 1, 1, 0, 0, 0),),
    CrystalSystem.TETRAGONAL: ((1, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0)),
    CrystalSystem.HEXAGONAL: ((1, 1, 0, 0, 0, 1), (0, 0, 1, 0, 0, 0)),
    CrystalSystem.ORTHORHOMBIC: ((1, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0)),
    CrystalSystem.MONOCLINIC: (
        (1, 0, 0, 0, 0, 0),
        (0, 1, 0, 0, 0, 0),
        (0, 0, 1, 0, 0, 0),
        (0, 0, 0, 0, 1, 0),
    ),
    CrystalSystem.TRICLINIC: tuple(tuple(int(i == j) for j in range(6)) for i in range(6)),
}
# The same rows as arrays, and as symmetric 3 x 3 matrices: what each free component adds to the reciprocal metric.
_METRIC_ROWS = {system: np.array(rows, dtype=np.float64) for system, rows in _METRIC_BASIS.items()}
_METRIC_MATRICES = {
    system: np.array([[[a, f / 2, e / 2], [f / 2, b, d / 2], [e / 2, d / 2, c]] for a, b, c, d, e, f in rows])
    for system, rows in _METRIC_BASIS.items()
}


def crystal_system(space_group_number: int) -> CrystalSystem:
    """Lattice system of a space group; trigonal groups are hexagonal.

    Parameters
    ----------
    space_group_number : int
        1 to 230, International Tables A.

    Returns
    -------
    CrystalSystem

    Examples
    --------
    >>> crystal_system(194).value, crystal_system(139).value, crystal_system(166).value
    ('hexagonal', 'tetragonal', 'hexagonal')
    """
    if not 1 <= space_group_number <= 230:
        raise InputError(f"space group {space_group_number} does not exist. Expected a number from 1 to 230.")
    limits = (
        (2, CrystalSystem.TRICLINIC),
        (15, CrystalSystem.MONOCLINIC),
        (74, CrystalSystem.ORTHORHOMBIC),
        (142, CrystalSystem.TETRAGONAL),
        (194, CrystalSystem.HEXAGONAL),
        (230, CrystalSystem.CUBIC),
    )
    return next(system for last, system in limits if space_group_number <= last)


def make_cell(system: CrystalSystem, **free: float) -> Cell:
    """Cell from the free parameters of its system; tied lengths and angles follow.

    Parameters
    ----------
    system : CrystalSystem
        Decides which parameters are free.
    **free : float
        ``a_ang``, ``b_ang``, ``c_ang`` in Å, ``alpha_deg``, ``beta_deg``, ``gamma_deg`` in degrees; every free
        parameter of the system must be given, NaN where it is not known.

    Returns
    -------
    Cell

    Raises
    ------
    InputError
        When a free parameter is missing, or one is given that the system does not have.

    Examples
    --------
    >>> cell = make_cell(CrystalSystem.HEXAGONAL, a_ang=3.674, c_ang=5.427)
    >>> cell.b_ang, cell.gamma_deg, round(cell.volume_ang3 / 2, 4)
    (3.674, 120.0, 31.7204)
    """
    names = FREE_PARAMETERS[system]
    wrong = sorted(set(free) ^ set(names))
    if wrong:
        raise InputError(f"cell: {', '.join(wrong)} does not fit. Expected {', '.join(names)} of a {system} cell.")
    values = {"gamma_deg": 120.0} if system is CrystalSystem.HEXAGONAL else {}
    lengths = {"b_ang": free["a_ang"], "c_ang": free["a_ang"]}
    return Cell(**{**lengths, **values, **free})


def cell_array(cell: Cell) -> Floats:
    """The six parameters a, b, c (Å), α, β, γ (degrees), shape (6,)."""
    return np.array([cell.a_ang, cell.b_ang, cell.c_ang, cell.alpha_deg, cell.beta_deg, cell.gamma_deg])


def cell_volume(cell: Cell) -> float:
    """Volume of the cell, in Å³; NaN when a parameter is missing, a length is not above 0 or the angles close none."""
    a, b, c = cell.a_ang, cell.b_ang, cell.c_ang
    cos_alpha, cos_beta, cos_gamma = (
        math.cos(math.radians(angle)) if math.isfinite(angle) else math.nan
        for angle in (cell.alpha_deg, cell.beta_deg, cell.gamma_deg)
    )
    square = 1 - cos_alpha**2 - cos_beta**2 - cos_gamma**2 + 2 * cos_alpha * cos_beta * cos_gamma
    return a * b * c * math.sqrt(square) if square > 0 and min(a, b, c) > 0 else math.nan


def metric_terms(hkl: Ints, system: CrystalSystem) -> Floats:
    """What each free component of the reciprocal metric adds to 1/d² of each reflection.

    Parameters
    ----------
    hkl : array of int, shape (n, 3)
        Miller indices.
    system : CrystalSystem
        Decides which components are free.

    Returns
    -------
    array, shape (n, m)
        1/d² = terms @ components, with m components as `reciprocal_components` gives them.

    Examples
    --------
    >>> metric_terms(np.array([[1, 0, 0], [1, 1, 2]]), CrystalSystem.HEXAGONAL)
    array([[1., 0.],
           [3., 4.]])
    """
    h, k, l = np.asarray(hkl, dtype=np.float64).T  # noqa: E741 - the field's names
    products = np.stack([h * h, k * k, l * l, k * l, h * l, h * k], axis=1)
    return np.asarray(products @ _METRIC_ROWS[system].T)


def reciprocal_components(cell: Cell, system: CrystalSystem) -> Floats:
    """Free components of the reciprocal metric, in Å⁻².

    Parameters
    ----------
    cell : Cell
        A cell that obeys the system.
    system : CrystalSystem
        Decides which components are free.

    Returns
    -------
    array, shape (m,)
        Coefficients of `metric_terms`; the mixed ones are twice the tensor's components.

    Raises
    ------
    InputError
        When the cell has a missing parameter or closes no volume.
    """
    if not math.isfinite(cell_volume(cell)):
        raise InputError(f"cell {_describe(cell)} has no volume. Expected positive lengths and angles that close.")
    inverse = np.linalg.inv(_direct_metric(cell))
    full = np.array(
        [inverse[0, 0], inverse[1, 1], inverse[2, 2], 2 * inverse[1, 2], 2 * inverse[0, 2], 2 * inverse[0, 1]]
    )
    first_of_each = [row.index(1) for row in _METRIC_BASIS[system]]
    return np.asarray(full[first_of_each], dtype=np.float64)


def cell_from_components(components: Floats, system: CrystalSystem) -> Cell:
    """The cell whose reciprocal metric has these free components; inverse of `reciprocal_components`.

    Parameters
    ----------
    components : array, shape (m,)
        In Å⁻².
    system : CrystalSystem
        The system they belong to.

    Returns
    -------
    Cell
        NaN throughout when the metric is not positive definite.
    """
    metric = _direct_from_reciprocal(components, system)
    if metric is None:
        return Cell(**dict.fromkeys(_ALL, math.nan))
    aa, bb, cc, bc, ac, ab = metric
    a, b, c = math.sqrt(aa), math.sqrt(bb), math.sqrt(cc)
    angles = (_angle(bc, b * c), _angle(ac, a * c), _angle(ab, a * b))
    everything = dict(zip(_ALL, (a, b, c, *angles), strict=True))
    return make_cell(system, **{name: everything[name] for name in FREE_PARAMETERS[system]})


def d_spacing(hkl: Ints, cell: Cell) -> Floats:
    """Distance of lattice planes.

    Parameters
    ----------
    hkl : array of int, shape (n, 3)
        Miller indices.
    cell : Cell
        Any cell.

    Returns
    -------
    array, shape (n,)
        d, in Å.

    Examples
    --------
    >>> d_spacing(np.array([[1, 0, 1]]), make_cell(CrystalSystem.HEXAGONAL, a_ang=3.674, c_ang=5.427)).round(5)
    array([2.74482])
    """
    terms = metric_terms(hkl, CrystalSystem.TRICLINIC)
    return np.asarray(1.0 / np.sqrt(terms @ reciprocal_components(cell, CrystalSystem.TRICLINIC)))


def two_theta(d_ang: npt.ArrayLike, wavelength_ang: float) -> Floats:
    """Bragg angle 2θ in degrees of spacings in Å; NaN where no angle reflects (λ > 2d)."""
    sine = wavelength_ang / (2.0 * np.asarray(d_ang, dtype=np.float64))
    return np.asarray(np.degrees(2.0 * np.arcsin(np.where(sine <= 1.0, sine, np.nan))))


def cell_covariance(components: Floats, covariance: Floats, system: CrystalSystem) -> Floats:
    """Covariance of the six cell parameters and the volume from that of the reciprocal components.

    Parameters
    ----------
    components : array, shape (m,)
        Free components of the reciprocal metric, in Å⁻².
    covariance : array, shape (m, m)
        Their covariance, in Å⁻⁴.
    system : CrystalSystem
        The system they belong to.

    Returns
    -------
    array, shape (7, 7)
        Order a, b, c (Å), α, β, γ (degrees), V (Å³); tied axes carry the sigma of the axis they follow, angles fixed
        by symmetry have 0.

    Notes
    -----
    First order: J C Jᵀ. With G the direct and S the reciprocal metric, dG = -G dS G; the rows of J follow from
    a = √G₁₁, cos α = G₂₃/(b c) and dV = -V tr(G dS)/2.

    Examples
    --------
    >>> component, sigma = 1 / 4.0**2, 1e-6
    >>> cubic = cell_covariance(np.array([component]), np.array([[sigma**2]]), CrystalSystem.CUBIC)
    >>> float(np.sqrt(cubic[0, 0]).round(12)), 0.5 * 4.0**3 * sigma
    (3.2e-05, 3.2e-05)
    """
    jacobian = cell_slopes(components, system)
    return np.asarray(jacobian @ covariance @ jacobian.T)


_ALL = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg")


def _direct_from_reciprocal(components: Floats, system: CrystalSystem) -> tuple[float, ...] | None:
    """Direct metric a·a, b·b, c·c, b·c, a·c, a·b, in Å²; None when the reciprocal one is not positive definite."""
    aa, bb, cc, bc, ac, ab = (np.asarray(components, dtype=np.float64) @ _METRIC_ROWS[system]).tolist()
    bc, ac, ab = bc / 2, ac / 2, ab / 2
    minor_aa, minor_bc, minor_cc = bb * cc - bc * bc, ab * ac - aa * bc, aa * bb - ab * ab
    minor_ab, minor_ac, minor_bb = ac * bc - ab * cc, ab * bc - ac * bb, aa * cc - ac * ac
    determinant = aa * minor_aa + ab * minor_ab + ac * minor_ac
    # Sylvester's criterion; an infinite component gives NaN, which no comparison lets pass
    if not (aa > 0 and minor_cc > 0 and 0 < determinant < math.inf):
        return None
    minors = (minor_aa, minor_bb, minor_cc, minor_bc, minor_ac, minor_ab)
    return tuple(minor / determinant for minor in minors)


# where no angle is free each axis goes with one component alone, as its inverse square root
_AXIS_COMPONENTS = {
    CrystalSystem.CUBIC: (0, 0, 0),
    CrystalSystem.TETRAGONAL: (0, 0, 1),
    CrystalSystem.HEXAGONAL: (0, 0, 1),
    CrystalSystem.ORTHORHOMBIC: (0, 1, 2),
}


def cell_numbers(components: Floats, system: CrystalSystem) -> tuple[Floats, Floats]:
    """The six cell parameters and the volume of a reciprocal metric, and their derivatives by its components.

    Parameters
    ----------
    components : array, shape (m,)
        Free components of the reciprocal metric, in Å⁻².
    system : CrystalSystem
        The system they belong to.

    Returns
    -------
    values : array, shape (7,)
        a, b, c (Å), α, β, γ (degrees), V (Å³); NaN where there is no cell.
    slopes : array, shape (7, m)
        As `cell_slopes` gives them.

    Notes
    -----
    Where no angle is free, a = √(f/S) with its own component S alone, so that da/dS = -a/2S, and V goes with all three.
    """
    followed, known = _AXIS_COMPONENTS.get(system, ()), components.tolist()
    if not followed or not all(one > 0 for one in known):
        cell = cell_from_components(components, system)
        return np.append(cell_array(cell), cell.volume_ang3), cell_slopes(components, system)
    hexagonal = system is CrystalSystem.HEXAGONAL
    lengths = [math.sqrt((4.0 / 3.0 if hexagonal and axis < 2 else 1.0) / known[j]) for axis, j in enumerate(followed)]
    volume = lengths[0] * lengths[1] * lengths[2] * (math.sqrt(0.75) if hexagonal else 1.0)
    count = len(known)
    slopes = [0.0] * (7 * count)  # rows one behind the other: a list is filled sooner than a small array
    for axis, j in enumerate(followed):
        slopes[axis * count + j] = -0.5 * lengths[axis] / known[j]
        slopes[6 * count + j] -= 0.5 * volume / known[j]
    values = np.array([*lengths, 90.0, 90.0, 120.0 if hexagonal else 90.0, volume])
    return values, np.array(slopes).reshape(7, count)


def cell_slopes(components: Floats, system: CrystalSystem) -> Floats:
    """Derivatives of the six cell parameters and the volume by the free reciprocal components.

    Parameters
    ----------
    components : array, shape (m,)
        Free components of the reciprocal metric, in Å⁻².
    system : CrystalSystem
        The system they belong to.

    Returns
    -------
    array, shape (7, m)
        Rows a, b, c (Å), α, β, γ (degrees), V (Å³), each per Å⁻²; NaN where there is no cell.
    """
    metric = _direct_from_reciprocal(components, system)
    if metric is None:
        return np.full((7, len(components)), math.nan)
    aa, bb, cc, bc, ac, ab = metric
    direct = np.array([[aa, ab, ac], [ab, bb, bc], [ac, bc, cc]])
    slopes = np.zeros((7, len(components)))
    change = -(direct @ _METRIC_MATRICES[system] @ direct)
    relative = [change[:, i, i] / (2 * square) for i, square in enumerate((aa, bb, cc))]
    a, b, c = math.sqrt(aa), math.sqrt(bb), math.sqrt(cc)
    angles = {"alpha_deg": (1, 2, bc, b * c), "beta_deg": (0, 2, ac, a * c), "gamma_deg": (0, 1, ab, a * b)}
    for row, name in enumerate(_ALL):
        if name in FREE_PARAMETERS[system] and name in angles:
            i, j, product, lengths = angles[name]
            cosine = product / lengths
            by_cosine = change[:, i, j] / lengths - cosine * (relative[i] + relative[j])
            slopes[row] = -np.degrees(by_cosine / math.sqrt(1 - cosine * cosine))
        elif row < 3:
            followed = row if name in FREE_PARAMETERS[system] else 0  # a tied axis follows a
            slopes[row] = math.sqrt(metric[followed]) * relative[followed]
    volume = math.sqrt(aa * (bb * cc - bc * bc) + ab * (bc * ac - ab * cc) + ac * (ab * bc - bb * ac))
    slopes[6] = -0.5 * volume * np.einsum("ij,mji->m", direct, _METRIC_MATRICES[system])
    return slopes


def _angle(product: float, lengths: float) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, float(product / lengths)))))


def _direct_metric(cell: Cell) -> Floats:
    a, b, c, *angles = cell_array(cell)
    cos_alpha, cos_beta, cos_gamma = np.cos(np.radians(angles))
    return np.array(
        [
            [a * a, a * b * cos_gamma, a * c * cos_beta],
            [a * b * cos_gamma, b * b, b * c * cos_alpha],
            [a * c * cos_beta, b * c * cos_alpha, c * c],
        ]
    )


def _describe(cell: Cell) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in cell_array(cell)) + ")"
