"""Phases from JCPDS files of Dioptas and PeakPo, versions 1 to 4."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.material.cell import FREE_PARAMETERS, Cell, CrystalSystem, d_spacing, make_cell
from hydrostruct.material.eos import EosForm, EquationOfState
from hydrostruct.material.phase_record import Citation, Phase
from hydrostruct.tables import read_text

_RHOMBOHEDRAL = "rhombohedral"
_CODES = {
    1: "cubic", 2: "hexagonal", 3: "tetragonal", 4: "orthorhombic", 5: "monoclinic", 6: "triclinic",
}  # fmt: skip
_AGREEMENT = 0.01


@dataclass(kw_only=True, slots=True)
class _Content:
    """What a file says, before it is judged."""

    path: Path
    comments: list[str] = field(default_factory=list)
    symmetry: str = ""
    values: dict[str, float] = field(default_factory=dict)
    lines: list[tuple[int, list[float]]] = field(default_factory=list)

    def number(self, text: str, line: int, what: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{self.path}: line {line}: {what} is {text!r}. Expected a number. Edit the file.")
        return value

    def numbers(self, words: Sequence[str], line: int, what: str) -> list[float]:
        return [self.number(word, line, what) for word in words]


def read_jcpds(path: Path) -> Phase:
    """A phase from a JCPDS file.

    Parameters
    ----------
    path : Path
        Version 4 with its `KEY: value` lines, or versions 1 to 3 and PeakPo's numbered form.

    Returns
    -------
    Phase
        Without space group and formula; its lines are those listed, their spacings follow from the cell. The
        equation of state is a third-order Birch–Murnaghan one on the volume of the cell; none where K0 is 0.

    Raises
    ------
    InputError
        When the file is missing or malformed, or its spacings fit no scaled copy of its cell.

    References
    ----------
    Formats as Dioptas reads them, Prescher & Prakapenka (2015), doi:10.1080/08957959.2015.1059835.
    """
    content = _parsed(path)
    system, cell, hkl = _lattice(content)
    notes = ["A JCPDS file states no space group and no formula units: volumes per formula unit are not known."]
    notes += _spacing_notes(content, cell, hkl)
    return Phase(
        name=path.stem,
        formula="",
        space_group_number=None,
        space_group_symbol="",
        system=system,
        formula_units=None,
        metal_atoms_per_fu=math.nan,
        cell=cell,
        cell_sigma=Cell(a_ang=math.nan, b_ang=math.nan, c_ang=math.nan),
        cell_pressure_gpa=0.0,
        equations_of_state=_equations(content, cell),
        critical_temperatures=(),
        lines_hkl=tuple((int(row[0]), int(row[1]), int(row[2])) for row in hkl) or None,
        cif_path=None,
        source=str(path),
        citations=tuple(
            Citation(subject=subject, source=_comment(content), doi="", confidence="file")
            for subject in ("structure", "cell")
        ),
        notes=tuple(notes),
    )


def _parsed(path: Path) -> _Content:
    text = read_text(path).split("\n")
    content = _Content(path=path)
    first = text[0].strip()
    if first.upper().startswith("VERSION:"):
        _parse_keywords(content, text)
    elif _is_lone_number(first):
        _parse_numbered(content, text)
    else:
        _parse_first_version(content, text)
    return content


def _parse_keywords(content: _Content, text: list[str]) -> None:
    """Version 4: a keyword, a colon and its value on each line."""
    for number, line in enumerate(text, 1):
        keyword, colon, value = (part.strip() for part in line.partition(":"))
        keyword = keyword.upper()
        if not line.strip() or keyword == "VERSION":
            continue
        if not colon:
            raise InputError(f"{content.path}: line {number} is {line.strip()[:40]!r}. Expected 'KEY: value'. Edit it.")
        if keyword == "COMMENT":
            content.comments.append(value)
        elif keyword == "SYMMETRY":
            content.symmetry = value.lower()
        elif keyword == "DIHKL":
            content.lines.append((number, _line_values(content, value.split(), number)))
        elif value:
            content.values[keyword] = content.number(value.split()[0], number, keyword)


def _parse_numbered(content: _Content, text: list[str]) -> None:
    """Versions 2 and 3 and PeakPo's: version, comment, symmetry code with K0 and K0', cell, thermal line, lines."""
    rows = [(number, line) for number, line in enumerate(text[1:], 2) if line.strip()]
    at = next((i for i, (_, line) in enumerate(rows) if _is_code_line(line)), None)
    if at is None or at + 1 >= len(rows):
        raise InputError(
            f"{content.path}: no line with a symmetry code, K0 and K0'. Expected one such as '1 166.6 5.5' after the "
            "comment. Edit the file."
        )
    content.comments = [line.strip().removeprefix("COMMENT:").strip() for _, line in rows[:at]]
    number, line = rows[at]
    code, k0, k0_prime = content.numbers(line.replace(",", " ").split()[:3], number, "the symmetry line")
    content.symmetry = _CODES[int(code)]
    content.values.update(K0=k0, K0P=k0_prime)
    number, line = rows[at + 1]
    _set_cell(content, content.numbers(line.replace(",", " ").split(), number, "the cell"), number)
    _parse_lines(content, rows[at + 2 :])


def _parse_first_version(content: _Content, text: list[str]) -> None:
    """Version 1: comment; symmetry code, a, K0, K0', c/a; labels; lines."""
    content.comments = [text[0].strip()]
    words = text[1].replace(",", " ").split() if len(text) > 1 else []
    if len(words) < 4 or not _is_number(words[0]) or int(float(words[0])) not in (1, 2):
        raise InputError(
            f"{content.path}: line 2 is {' '.join(words)[:40]!r}. Expected 'VERSION: 4' on line 1, or the numbers of "
            "an older JCPDS file: symmetry 1 or 2, a, K0, K0', c/a. Check that this is a JCPDS file."
        )
    code, a, k0, k0_prime, *ratio = content.numbers(words[:5], 2, "the second line")
    content.symmetry = _CODES[int(code)]
    content.values.update(A=a, K0=k0, K0P=k0_prime)
    if ratio:
        content.values["C"] = a * ratio[0]
    _parse_lines(content, [(n, line) for n, line in enumerate(text[2:], 3) if line.strip()])


def _parse_lines(content: _Content, rows: list[tuple[int, str]]) -> None:
    """Rows of d, intensity, h, k, l after the line of labels."""
    labels = next((i for i, (_, line) in enumerate(rows) if line.split()[0].lower().startswith("d")), None)
    for number, line in rows[labels + 1 if labels is not None else 0 :]:
        words = line.split()
        if labels is None and not (len(words) == 5 and all(map(_is_number, words))):
            continue
        content.lines.append((number, _line_values(content, words, number)))


def _line_values(content: _Content, words: Sequence[str], number: int) -> list[float]:
    values = content.numbers(words[:5], number, "a diffraction line")
    if len(values) < 5 or values[0] <= 0 or any(abs(v - round(v)) > 1e-6 for v in values[2:]):
        raise InputError(
            f"{content.path}: line {number} is {' '.join(words)[:40]!r}. Expected d in Å, intensity, h, k, l. "
            "Edit the file."
        )
    return values


def _set_cell(content: _Content, values: list[float], line: int) -> None:
    keys = {
        "cubic": ("A",), "hexagonal": ("A", "C"), "tetragonal": ("A", "C"), "orthorhombic": ("A", "B", "C"),
        "monoclinic": ("A", "B", "C", "BETA"), "triclinic": ("A", "B", "C", "ALPHA", "BETA", "GAMMA"),
    }[content.symmetry]  # fmt: skip
    if content.symmetry == "monoclinic" and len(values) >= 6:
        values = [*values[:3], values[4]]
    if len(values) < len(keys):
        raise InputError(
            f"{content.path}: line {line} has {len(values)} number(s). Expected {', '.join(keys)} of a "
            f"{content.symmetry} cell."
        )
    content.values.update(zip(keys, values, strict=False))


def _lattice(content: _Content) -> tuple[CrystalSystem, Cell, np.ndarray]:
    """System, cell and indices; rhombohedral axes become hexagonal ones (obverse)."""
    hkl = (
        np.array([values[2:] for _, values in content.lines], dtype=np.float64).round().astype(np.int64).reshape(-1, 3)
    )
    if content.symmetry == "trigonal":
        content.symmetry = "hexagonal"
    if content.symmetry == _RHOMBOHEDRAL:
        return CrystalSystem.HEXAGONAL, _hexagonal_cell(content), hkl @ np.array([[1, 0, 1], [-1, 1, 1], [0, -1, 1]])
    if content.symmetry not in tuple(CrystalSystem):
        known = ", ".join((*CrystalSystem, _RHOMBOHEDRAL)).upper()
        raise InputError(f"{content.path}: SYMMETRY is {content.symmetry.upper()!r}. Expected one of {known}.")
    system = CrystalSystem(content.symmetry)
    free = {name: _positive(content, name.split("_")[0].upper()) for name in FREE_PARAMETERS[system]}
    cell = make_cell(system, **free)
    if not math.isfinite(cell.volume_ang3):
        raise InputError(f"{content.path}: the angles of the cell do not close. Correct ALPHA, BETA and GAMMA.")
    return system, cell, hkl


def _hexagonal_cell(content: _Content) -> Cell:
    a, alpha = _positive(content, "A"), math.radians(_positive(content, "ALPHA"))
    if not 0 < alpha < 2 * math.pi / 3:
        raise InputError(f"{content.path}: ALPHA is {math.degrees(alpha):g}. Expected between 0 and 120 degrees.")
    return make_cell(
        CrystalSystem.HEXAGONAL,
        a_ang=2 * a * math.sin(alpha / 2),
        c_ang=a * math.sqrt(3 * (1 + 2 * math.cos(alpha))),
    )


def _positive(content: _Content, key: str) -> float:
    value = content.values.get(key, math.nan)
    if not value > 0:
        shown = f"is {value:g}" if key in content.values else "is missing"
        raise InputError(f"{content.path}: {key} {shown}. Expected a number above 0 for a {content.symmetry} cell.")
    return value


def _spacing_notes(content: _Content, cell: Cell, hkl: np.ndarray) -> list[str]:
    """The listed spacings carry no news: they must be those of the cell, or of the same cell at another volume."""
    if not len(hkl):
        return ["The file lists no diffraction lines."]
    if not np.any(hkl, axis=1).all():
        raise InputError(f"{content.path}: a diffraction line has the indices 0 0 0. Remove it.")
    listed = np.array([values[0] for _, values in content.lines])
    ratio = listed / d_spacing(hkl, cell)
    if np.all(np.abs(ratio - 1) <= _AGREEMENT):
        return []
    worst = int(np.argmax(np.abs(ratio - 1)))
    number, values = content.lines[worst]
    indices = " ".join(map(str, hkl[worst]))
    by_cell = values[0] / ratio[worst]
    what = f"line {number}: d = {values[0]:g} Å for {indices}, where the cell gives {by_cell:.5g} Å"
    same_shape = np.abs(ratio / np.median(ratio) - 1) <= _AGREEMENT
    if np.mean(np.abs(ratio - 1) > _AGREEMENT) > 0.5 and not same_shape.all():
        raise InputError(
            f"{content.path}: {what}. Expected agreement to 1 % on most lines. Check symmetry, cell and indices."
        )
    if same_shape.all():
        return [
            f"Its spacings are those of a cell {np.median(ratio):.4g} times as long ({what}); the stated cell is used."
        ]
    return [f"One spacing or more disagrees with the cell by over 1 % ({what}); the cell is used."]


def _equations(content: _Content, cell: Cell) -> tuple[EquationOfState, ...]:
    k0 = content.values.get("K0", 0.0)
    if k0 == 0:
        return ()
    if k0 < 0:
        raise InputError(f"{content.path}: K0 is {k0:g}. Expected GPa above 0, or 0 where it is not known.")
    return (
        EquationOfState(
            key="jcpds",
            form=EosForm.BIRCH_MURNAGHAN_3,
            v0_ang3=cell.volume_ang3,
            v0_sigma_ang3=math.nan,
            k0_gpa=k0,
            k0_sigma_gpa=math.nan,
            k0_prime=content.values.get("K0P", 4.0),
            k0_prime_sigma=math.nan,
            fixed=(),
            covariance=None,
            pressure_range_gpa=(math.nan, math.nan),
            primary_standard="not stated",
            v0_basis="cell of the file, Å³",
            source=_comment(content),
            doi="",
            confidence="file",
        ),
    )


def _comment(content: _Content) -> str:
    return " ".join(comment for comment in content.comments if comment) or content.path.name


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _is_lone_number(line: str) -> bool:
    return len(line.split()) == 1 and _is_number(line) and 0 <= float(line) <= 4


def _is_code_line(line: str) -> bool:
    words = line.replace(",", " ").split()
    return len(words) >= 3 and all(map(_is_number, words[:3])) and float(words[0]) in _CODES
