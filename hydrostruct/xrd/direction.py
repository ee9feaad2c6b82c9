"""What depends on the direction of a line in its crystal: strain that differs along the axis, and deviatoric stress.

**Strain.** In hexagonal and tetragonal phases the Lorentzian strain width is ``strain`` for planes along the axis and
``strain_axis`` for planes across it, and between the two it goes with cos² of the angle of hkl to the axis: the linear
part of Stephens' quartic form, which for a few weak lines is what the data can hold.

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
DIRECTION_SYSTEMS = (CrystalSystem.CUBIC, *UNIAXIAL_SYSTEMS)
"""Systems in which a stress may be fitted."""
_CUBIC_MEAN = 1 / 5
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
