"""What depends on the direction of a line in its crystal: strain that differs along the axis, and deviatoric stress.

**Strain.** The Lorentzian strain width of a plane is ε(hkl)·tan θ, in hexagonal and tetragonal phases with

    ε² = [strain · sin²φ + strain_axis · cos²φ]² + strain_oblique · 4 sin²φ cos²φ + strain_diagonal · g(hkl)

where φ is the angle of the plane's normal to the axis, and g = 4h²k²/(h² + k²)² · sin⁴φ in tetragonal phases (1 for
hh0, 0 for h00), 0 in hexagonal ones. In cubic phases ε² = strain² + strain_diagonal · g, where g is three times
(h²k² + k²l² + l²h²)/(h² + k² + l²)². With all terms free this is the quartic form of Stephens (S400, S202, S004, S220);
with the first two alone its part that is linear in cos²φ, which for a few weak lines is what the data can hold.
`stephens_coefficients` translates.

**Stress.** A sample between anvils is pressed harder along the load. With the beam along the load a plane has

    d = d_P [1 + (1 - 3 sin²θ) Q(hkl)],    Q(hkl) = stress + stress_shape · f(hkl)

where d_P is its spacing under the pressure alone. ``stress`` is Singh's isotropic part, t/6G for a differential stress
t and a shear modulus G (the Reuss and Voigt means are one there). f is the orientation that elasticity gives, less its
mean over all directions: h²k² + k²l² + l²h² over (h² + k² + l²)², less 1/5, for cubic phases; cos²φ sin²φ, less 2/15,
with φ the angle to the axis, for hexagonal and tetragonal ones, where a term in cos²φ alone would be a change of c/a.

``stress`` and the cell move lines alike, but for 3 sin²θ: below 2θ = 25° the data hardly tell them apart. Give it, from
what is known of t and G, or free it where a wide range of angles was measured.

References
----------
Stephens, J. Appl. Cryst. 32, 281 (1999), doi 10.1107/S0021889898006001.
Singh, Balasingh, Mao, Hemley and Shu, J. Appl. Phys. 83, 7567 (1998), doi 10.1063/1.367872.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hydrostruct.material.cell import Cell, CrystalSystem, d_spacing

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

UNIAXIAL_SYSTEMS = (CrystalSystem.HEXAGONAL, CrystalSystem.TETRAGONAL)
"""Systems in which strain may differ along the axis."""
DIAGONAL_SYSTEMS = (CrystalSystem.CUBIC, CrystalSystem.TETRAGONAL)
"""Systems in which strain may differ along the diagonals."""
DIRECTION_SYSTEMS = (CrystalSystem.CUBIC, *UNIAXIAL_SYSTEMS)
"""Systems in which a stress may be fitted."""
_CUBIC_MEAN = 1 / 5
_CUBIC_MOST = 1 / 3
_AXIAL_MEAN = 2 / 15


def direction_terms(hkl: Ints, cell: Cell, system: CrystalSystem) -> tuple[Floats, Floats]:
    """How each plane lies to the axis, and how far its orientation matters to a stress.

    Parameters
    ----------
    hkl : array of int, shape (n, 3)
        Miller indices.
    cell : Cell
        Its axial ratio counts only.
    system : CrystalSystem
        System of the cell.

    Returns
    -------
    along : array, shape (n,)
        cos² of the angle between the normal of the plane and the axis; 0 where the system has no single axis.
    shape : array, shape (n,)
        f(hkl); 0 where it is not known for the system.

    Examples
    --------
    >>> from hydrostruct.material.cell import make_cell
    >>> gold = make_cell(CrystalSystem.CUBIC, a_ang=4.08)
    >>> direction_terms(np.array([[2, 0, 0], [1, 1, 1]]), gold, CrystalSystem.CUBIC)[1].round(4)
    array([-0.2   ,  0.1333])
    """
    h, k, l = np.asarray(hkl, dtype=np.float64).T  # noqa: E741
    if system is CrystalSystem.CUBIC:
        total = h * h + k * k + l * l
        mixed = (h * h * k * k + k * k * l * l + l * l * h * h) / total**2
        return np.zeros(total.size), mixed - _CUBIC_MEAN
    if system in UNIAXIAL_SYSTEMS:
        along = (l * d_spacing(hkl, cell) / cell.c_ang) ** 2
        return along, along * (1.0 - along) - _AXIAL_MEAN
    return np.zeros(h.size), np.zeros(h.size)


def diagonal_term(hkl: Ints, cell: Cell, system: CrystalSystem) -> Floats:
    """What `strain_diagonal` adds to the square of the strain of each plane.

    Parameters
    ----------
    hkl : array of int, shape (n, 3)
        Miller indices.
    cell : Cell
        Its axial ratio counts only.
    system : CrystalSystem
        System of the cell.

    Returns
    -------
    array, shape (n,)
        g(hkl), from 0 (h00) to 1 (hh0 in tetragonal phases, hhh in cubic ones); 0 where the system has none.

    Examples
    --------
    >>> from hydrostruct.material.cell import make_cell
    >>> gold = make_cell(CrystalSystem.CUBIC, a_ang=4.08)
    >>> diagonal_term(np.array([[2, 0, 0], [2, 2, 0], [1, 1, 1]]), gold, CrystalSystem.CUBIC).round(2)
    array([0.  , 0.75, 1.  ])
    """
    h, k = np.asarray(hkl, dtype=np.float64)[:, :2].T
    if system is CrystalSystem.CUBIC:
        return (direction_terms(hkl, cell, system)[1] + _CUBIC_MEAN) / _CUBIC_MOST
    if system is CrystalSystem.TETRAGONAL:
        along, _ = direction_terms(hkl, cell, system)
        in_plane = np.maximum(h * h + k * k, 1.0)
        return np.asarray((2.0 * h * k / in_plane * (1.0 - along)) ** 2)
    return np.zeros(h.size)


def stephens_coefficients(
    cell: Cell,
    system: CrystalSystem,
    *,
    strain_deg: float,
    strain_axis_deg: float,
    strain_oblique_deg2: float = 0.0,
    strain_diagonal_deg2: float = 0.0,
) -> dict[str, float]:
    """The strain by direction as the coefficients of Stephens' quartic form.

    Parameters
    ----------
    cell : Cell
        The fitted cell.
    system : CrystalSystem
        Cubic, tetragonal or hexagonal.
    strain_deg, strain_axis_deg : float
        Across and along the axis, in degrees of 2θ.
    strain_oblique_deg2, strain_diagonal_deg2 : float
        The two terms of the square, in degrees².

    Returns
    -------
    dict
        S400, S220, S004, S202 as far as the system has them, in Å⁻⁴: Σ S_HKL h^H k^K l^L = (Δd/d)²/d⁴, with Δd/d the
        full width at half maximum. Permuted terms (h⁴ and k⁴) share one coefficient; in hexagonal phases S400 goes with
        (h² + hk + k²)² and S202 with (h² + hk + k²) l².

    Raises
    ------
    ValueError
        For another system.

    Notes
    -----
    Programs differ in the unit: multiply by 10¹² for Δd/d in parts per million. Stephens, J. Appl. Cryst. 32, 281
    (1999), doi 10.1107/S0021889898006001.

    Examples
    --------
    >>> from hydrostruct.material.cell import make_cell
    >>> gold = make_cell(CrystalSystem.CUBIC, a_ang=4.0)
    >>> found = stephens_coefficients(gold, CrystalSystem.CUBIC, strain_deg=0.36, strain_axis_deg=0.36)
    >>> round(found["S220"] / found["S400"], 6)
    2.0
    """
    if system not in DIRECTION_SYSTEMS:
        raise ValueError(f"strain by direction: the system is {system}. Expected cubic, tetragonal or hexagonal.")
    scale = (np.pi / 360.0) ** 2
    across = 4.0 / 3.0 / cell.a_ang**2 if system is CrystalSystem.HEXAGONAL else 1.0 / cell.a_ang**2
    along = 1.0 / cell.c_ang**2
    square = strain_deg * strain_deg
    found = {"S400": scale * square * across**2}
    if system is CrystalSystem.CUBIC:
        return found | {"S220": scale * (2.0 * square + 3.0 * strain_diagonal_deg2) * across**2}
    if system is CrystalSystem.TETRAGONAL:
        found["S220"] = scale * (2.0 * square + 4.0 * strain_diagonal_deg2) * across**2
    found["S202"] = scale * (2.0 * strain_deg * strain_axis_deg + 4.0 * strain_oblique_deg2) * across * along
    found["S004"] = scale * strain_axis_deg * strain_axis_deg * along**2
    return found
