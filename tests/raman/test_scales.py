"""Diamond-edge scales against the published numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hydrostruct as hs
from hydrostruct.material.phase_record import CONFIDENCES
from hydrostruct.raman.scales import scale_edge, scale_pressure

NAMES = ["akahama2004", "akahama2006", "eremets2023", "hilberer2026", "sakai2025", "sun2005", "aleksandrov1987"]
ALL = [name for name in hs.scale_names() if name != "baer2008"]
# reference sheet of the project, section 1: edge in cm-1, pressures in GPa on the scales of NAMES
TABLE = [
    (1334, 0.39, 0.00, 0.58, 0.00, 0.55, None, 0.33),
    (1400, 30.22, 28.90, 28.15, 30.07, 27.00, None, 23.89),
    (1450, 54.90, 53.25, 51.53, 55.00, 49.69, 57.08, None),
    (1500, 81.37, 79.71, 77.06, 81.79, 74.67, 89.55, None),
    (1520, 92.47, 90.89, 87.88, 93.03, 85.31, 102.53, None),
    (1530, 98.12, 96.61, 93.41, 98.76, 90.76, 109.03, None),
    (1540, 103.84, 102.40, 99.04, 104.56, 96.31, 115.52, None),
    (1600, 139.70, 138.98, 134.58, 140.95, 131.51, 154.48, None),
    (1700, 205.19, 206.69, 200.70, 207.53, 197.53, 219.42, None),
]


@pytest.mark.parametrize("row", TABLE)
def test_pressures_of_the_acceptance_table_are_met(row: tuple[float, ...]) -> None:
    for name, expected in zip(NAMES, row[1:], strict=True):
        if expected is None:
            with pytest.raises(hs.InputError, match=f"scale {name}: the pressure would be"):
                hs.edge_pressure(row[0], scale=name)
        else:
            assert float(hs.edge_pressure(row[0], scale=name)) == pytest.approx(expected, abs=0.0051)


@pytest.mark.parametrize(
    ("pressure", "a2006", "a2004", "eremets"),
    [
        (93.5, 1524.58, 1521.84, 1530.16), (94.8, 1526.86, 1524.14, 1532.48), (100, 1535.87, 1533.30, 1541.70),
        (101.9, 1539.14, 1536.62, 1545.04), (105, 1544.43, 1542.00, 1550.45), (150, 1617.17, 1616.48, 1624.53),
    ],
)  # fmt: skip
def test_edges_of_the_acceptance_table_are_met(pressure: float, a2006: float, a2004: float, eremets: float) -> None:
    for name, edge in (("akahama2006", a2006), ("akahama2004", a2004), ("eremets2023", eremets)):
        assert float(hs.edge_from_pressure(pressure, scale=name)) == pytest.approx(edge, abs=0.0051)


def test_the_papers_pressures_are_met() -> None:
    np.testing.assert_allclose(hs.edge_pressure([1524.5848, 1539.1354]), [93.5, 101.9], atol=1e-4)


@given(share=st.floats(0.0, 1.0), name=st.sampled_from(ALL))
def test_forward_and_inverse_are_one_relation_that_rises(share: float, name: str) -> None:
    scale = hs.read_scale(name)
    low, high = scale.range_gpa
    pressure = low + share * (high - low)
    edge = scale_edge(scale, pressure)
    assert float(scale_pressure(scale, edge)) == pytest.approx(pressure, abs=1e-9)
    assert float(scale_pressure(scale, edge + 1.0)) > pressure


@pytest.mark.parametrize("name", hs.scale_names())
def test_every_scale_names_its_source_and_its_primary_standard(name: str) -> None:
    from hydrostruct.material.library import library_folder
    from hydrostruct.raman.scales import _library

    scale = _library(library_folder())[name]
    assert scale.source
    assert scale.primary_standard
    assert scale.confidence in CONFIDENCES
    assert scale.doi == "" or scale.doi.startswith("10.")


def test_akahama2010_is_refused_below_its_range_and_crosses_akahama2006_where_it_should() -> None:
    with pytest.raises(hs.InputError, match="200 to 410"):
        hs.edge_pressure(1535.87, scale="akahama2010")
    newer, older = hs.read_scale("akahama2010"), hs.read_scale("akahama2006")
    assert float(scale_pressure(newer, 1762.18) - scale_pressure(older, 1762.18)) == pytest.approx(0.0, abs=0.01)
    assert math.isnan(hs.read_edge_pressure(1762.18, 0.5, scale="akahama2010").pressure_systematic_gpa)


def test_baer2008_is_an_empty_slot_that_says_so() -> None:
    assert "baer2008" in hs.scale_names()
    with pytest.raises(hs.InputError, match="could not be verified"):
        hs.read_scale("baer2008")


def test_the_systematic_part_comes_from_the_coefficients() -> None:
    # reference sheet, section 1: 2.2 GPa at 93.5, 2.4 at 101.9, with K0 and K0' independent
    for edge, expected in ((1524.58, 2.2), (1539.14, 2.4)):
        found = hs.read_edge_pressure(edge, 0.5)
        assert found.pressure_systematic_gpa == pytest.approx(expected, abs=0.05)
    assert hs.read_edge_pressure(1524.58, 1.0).pressure_sigma_gpa == pytest.approx(0.571, abs=1e-3)
    with_axis = hs.read_edge_pressure(1524.58, 0.5, axis_sigma_cm1=2.0)
    assert with_axis.pressure_systematic_gpa == pytest.approx(math.hypot(2.19, 1.142), abs=0.05)
    assert with_axis.pressure_sigma_gpa == pytest.approx(0.5 * 0.571, abs=1e-3)


def test_the_systematic_part_cancels_in_a_difference() -> None:
    before, after = hs.read_edge_pressure(1539.1354, 0.3), hs.read_edge_pressure(1524.5848, 0.4)
    moved = hs.pressure_change(before, after)
    assert moved.change_gpa == pytest.approx(-8.4, abs=1e-3)
    assert moved.change_sigma_gpa == pytest.approx(math.hypot(0.583 * 0.3, 0.571 * 0.4), abs=2e-3)
    # by drawing the coefficients: the two pressures move together
    random = np.random.default_rng(1)
    k0, k1 = random.normal(547, 11, 20_000), random.normal(3.75, 0.2, 20_000)
    x1, x2 = 1539.1354 / 1334 - 1, 1524.5848 / 1334 - 1
    drawn = k0 * x2 * (1 + 0.5 * (k1 - 1) * x2) - k0 * x1 * (1 + 0.5 * (k1 - 1) * x1)
    assert moved.change_systematic_gpa == pytest.approx(drawn.std(), rel=0.03)
    with pytest.raises(hs.InputError, match="one scale"):
        hs.pressure_change(before, hs.read_edge_pressure(1524.6, 0.4, scale="eremets2023"))


def test_the_spread_is_over_anvil_scales_valid_there() -> None:
    found = hs.read_edge_pressure(1524.58, 0.5)
    assert set(found.scales) == {"akahama2004", "akahama2006", "eremets2023", "hilberer2026", "sakai2025"}
    assert found.spread_gpa == pytest.approx(95.6 - 87.8, abs=0.1)
    assert "akahama2010" in hs.read_edge_pressure(1762.18, 0.5).scales
    assert "Holmes" in found.primary_standard


def test_outside_the_range_there_is_no_number_but_a_reason() -> None:
    found = hs.read_edge_pressure(1300.0, 0.5)
    assert math.isnan(found.pressure_gpa)
    assert "0 to 310" in found.reason
    assert math.isnan(float(hs.edge_pressure(math.nan)))
    assert hs.read_edge_pressure(math.nan, math.nan).reason == ""


def test_a_scale_of_ones_own_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'form = "strain"\ncoefficients = [547.0, 3.75, 1334.0]\nsigmas = [11.0, 0.2, 0.0]\nrange_gpa = [0.0, 310.0]\n'
        'primary_standard = "Pt"\nsource = "own"\n'
    )
    np.testing.assert_allclose(hs.edge_pressure(1524.58, scale=path), hs.edge_pressure(1524.58))
    assert hs.read_scale(str(path)).confidence == "file"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("form = 3", "'form' is 3"),
        ('form = "linear"\ncoefficients = [1.0]\nrange_gpa = [0, 1]', "'coefficients' is"),
        ('form = "linear"\ncoefficients = [1.0, 2.0]\nrange_gpa = [2, 1]', "two rising"),
        ("what = 1", "'what' is 1"),
        ("range_gpa = [0, 1]", "no 'form'"),
        ("= =", "no TOML"),
    ],
)
def test_wrong_scale_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(hs.InputError, match=words):
        hs.read_scale(path)


def test_an_unknown_scale_names_the_nearest() -> None:
    with pytest.raises(hs.InputError, match="Did you mean 'akahama2006'"):
        hs.read_scale("akahama206")
    with pytest.raises(hs.InputError, match=r"path of a \.toml"):
        hs.read_scale("user")
