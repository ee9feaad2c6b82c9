"""Chemical formulas: how many atoms of which element."""

from __future__ import annotations

import re

from hydrostruct.errors import InputError

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
ATOMIC_NUMBERS: dict[str, int] = {symbol: number for number, symbol in enumerate(_SYMBOLS.split(), 1)}
"""Atomic number of each element's symbol."""

_NO_METAL = "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Te I Xe At Rn Ts Og"
_PART = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")


def formula_composition(formula: str) -> dict[str, float]:
    """Atoms of each element in a formula without brackets.

    Parameters
    ----------
    formula : str
        Symbols and numbers, decimals allowed; blanks are ignored.

    Returns
    -------
    dict
        Symbol to number, in the formula's order.

    Raises
    ------
    InputError
        When the text is no formula or names an unknown element.

    Examples
    --------
    >>> formula_composition("CeH9"), formula_composition("Mg0.7Fe0.3O")
    ({'Ce': 1.0, 'H': 9.0}, {'Mg': 0.7, 'Fe': 0.3, 'O': 1.0})
    """
    packed = "".join(formula.split())
    composition: dict[str, float] = {}
    position = 0
    for part in _PART.finditer(packed):
        if part.start() != position or part[1] not in ATOMIC_NUMBERS or part[2] == ".":
            break
        composition[part[1]] = composition.get(part[1], 0.0) + float(part[2] or 1)
        position = part.end()
    if not packed or position != len(packed) or min(composition.values()) <= 0:
        raise InputError(f"formula {formula!r} is not understood. Expected symbols and numbers, such as CeH9.")
    return composition


def metal_atoms(formula: str) -> float:
    """Metal atoms in a formula unit; atoms other than hydrogen where there is no metal, as in H3S.

    Examples
    --------
    >>> metal_atoms("CeH9"), metal_atoms("H3S"), metal_atoms("H2")
    (1.0, 1.0, 0.0)
    """
    composition = formula_composition(formula)
    metals = sum((count for symbol, count in composition.items() if symbol not in _NO_METAL.split()), 0.0)
    return metals or sum((count for symbol, count in composition.items() if symbol != "H"), 0.0)
