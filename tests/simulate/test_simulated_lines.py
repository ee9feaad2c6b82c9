"""The simulator's lines against the reference sheet (PHYSICS.md, section 7) and against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from hydrostruct.simulate.lines import PHASES, line_angles_deg, line_areas, volume_per_metal_ang3
from hydrostruct.simulate.sample import cell_at_pressure

WAVELENGTH = 0.6199
# hkl, multiplicity, 2θ, intensity of cerium alone: the reference sheet
CEH9 = (
    ("100", 6, 11.1806, 24.2), ("101", 12, 12.9676, 100), ("002", 2, 13.1179, 21.6), ("102", 12, 17.2681, 15.7),
    ("110", 6, 19.4275, 22.8), ("200", 6, 22.4694, 3.8), ("103", 12, 22.7342, 21.8), ("201", 12, 23.4280, 19.9),
    ("112", 12, 23.5132, 26.3), ("202", 12, 26.1050, 4.8), ("004", 2, 26.4117, 3.1), ("104", 12, 28.7601, 3.5),
    ("210", 12, 29.8712, 3.1), ("203", 12, 30.0749, 9.1), ("211", 24, 30.6134, 17.2),
)  # fmt: skip
CEH4 = (
    ("002", 2, 12.2688, 34.8), ("101", 8, 13.9670, 100), ("110", 4, 17.7701, 26.4), ("112", 8, 21.6507, 30.4),
    ("103", 8, 22.3681, 27.6), ("004", 2, 24.6811, 5.2), ("200", 4, 25.2335, 9.6), ("202", 8, 28.1471, 13.7),
    ("211", 16, 28.9535, 24.9), ("114", 8, 30.5783, 10.4),
)  # fmt: skip
# Parasitic lines and those of CeH10, to 0.01°
FEW = {
    "CeH10-Fm3m": ((5.19, 5.19), {"111": 11.87, "200": 13.72, "220": 19.45, "311": 22.85}),
    "Pt": ((3.6631, 3.6631), {"111": 16.86, "200": 19.49}),
    "Re": ((2.6019, 4.1981), {"100": 15.81, "002": 16.98, "101": 17.96, "102": 23.29}),
}


def _angles(name, cell):
    phase = PHASES[name]
    angle = line_angles_deg(phase, a_ang=cell[0], c_ang=cell[1], wavelength_ang=WAVELENGTH)
    return phase, angle, {"".join(map(str, line[:3])): value for line, value in zip(phase.lines, angle, strict=True)}


@pytest.mark.parametrize(
    ("name", "cell", "table"), [("CeH9-P63mmc", (3.674, 5.427), CEH9), ("CeH4-I4mmm", (2.838, 5.801), CEH4)]
)
def test_hydride_lines_are_those_of_the_reference_sheet(name, cell, table):
    phase, angle, by_hkl = _angles(name, cell)
    assert {"".join(map(str, line[:3])): line[3] for line in phase.lines} == {row[0]: row[1] for row in table}
    assert by_hkl == pytest.approx({row[0]: row[2] for row in table}, abs=1e-4)
    # the sheet's intensities hold the factor of an unpolarized beam, the simulator puts polarization on the pixels
    areas = line_areas(phase, angle, wavelength_ang=WAVELENGTH) * (1 + np.cos(np.radians(angle)) ** 2)
    found = dict(zip(by_hkl, 100 * areas / areas.max(), strict=True))
    assert found == pytest.approx({row[0]: row[3] for row in table}, rel=0.02, abs=0.06)


@pytest.mark.parametrize("name", list(FEW))
def test_other_lines_are_those_of_the_reference_sheet(name):
    cell, table = FEW[name]
    by_hkl = _angles(name, cell)[2]
    assert {hkl: by_hkl[hkl] for hkl in table} == pytest.approx(table, abs=0.006)


@pytest.mark.parametrize("name", list(PHASES))
def test_no_line_below_29_degrees_is_missing_and_every_multiplicity_is_a_count(name):
    phase = PHASES[name]
    cell = cell_at_pressure(name, 93.5)
    counted: dict[float, int] = {}
    for h, k, l in itertools.product(range(-7, 8), repeat=3):  # noqa: E741
        if phase.lattice == "hcp":
            square = 4 * (h * h + h * k + k * k) / (3 * cell[0] ** 2) + (l / cell[1]) ** 2
            seen = not (l % 2 and (h - k) % 3 == 0)
        else:
            square = (h * h + k * k) / cell[0] ** 2 + (l / cell[1]) ** 2
            seen = (h + k + l) % 2 == 0 if phase.lattice == "bct" else h % 2 == k % 2 == l % 2
        sine = WAVELENGTH * math.sqrt(square) / 2
        if seen and 0 < sine < math.sin(math.radians(29 / 2)):
            key = round(math.degrees(2 * math.asin(sine)), 6)
            counted[key] = counted.get(key, 0) + 1
    angle = line_angles_deg(phase, a_ang=cell[0], c_ang=cell[1], wavelength_ang=WAVELENGTH)
    own = {round(float(a), 6): line[3] for a, line in zip(angle, phase.lines, strict=True) if a < 29}
    assert own == counted


def test_volumes_are_those_of_the_reference_sheet():
    assert volume_per_metal_ang3(PHASES["CeH9-P63mmc"], a_ang=3.674, c_ang=5.427) == pytest.approx(31.7204, abs=1e-4)
    assert volume_per_metal_ang3(PHASES["CeH4-I4mmm"], a_ang=2.838, c_ang=5.801) == pytest.approx(23.3613, abs=1e-4)
    assert 2 * volume_per_metal_ang3(PHASES["Re"], a_ang=2.5958, c_ang=4.1883) == pytest.approx(24.4405, abs=5e-3)


@pytest.mark.parametrize(
    ("name", "pressure_gpa", "cell"),
    [
        ("Re", 93.5, (2.6034, 4.2006)),
        ("Re", 94.8, (2.6019, 4.1981)),
        ("Pt", 93.5, (3.6654, 3.6654)),
        ("Pt", 94.8, (3.6631, 3.6631)),
        ("CeH9-P63mmc", 93.5, (3.674, 5.427)),
    ],
)
def test_cells_follow_the_reference_sheet(name, pressure_gpa, cell):
    assert cell_at_pressure(name, pressure_gpa) == pytest.approx(cell, abs=1e-4)


@pytest.mark.parametrize("name", list(PHASES))
def test_cells_shrink_with_pressure_at_a_modulus_of_some_hundred_gpa(name):
    volumes = [
        volume_per_metal_ang3(PHASES[name], a_ang=a, c_ang=c)
        for a, c in (cell_at_pressure(name, pressure) for pressure in (90.5, 93.5, 96.5))
    ]
    modulus = -volumes[1] * 6.0 / (volumes[2] - volumes[0])
    assert np.all(np.diff(volumes) < 0)
    assert 350 < modulus < 800
