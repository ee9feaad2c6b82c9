"""Transport of a run: every curve gives its rows, a broken one says so, and the tables are written."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import h5py
import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.errors import InputError
from hydrostruct.run.config import TransportSection
from hydrostruct.run.demo import run_demo
from hydrostruct.run.transport import analyse_transport
from hydrostruct.simulate.curves import simulate_curves


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("run")
    for curve, text in simulate_curves(5, label="SIMULATED"):
        (base / curve.file).parent.mkdir(exist_ok=True)
        (base / curve.file).write_text(text)
    return base


def test_every_curve_gives_its_numbers(folder: Path) -> None:
    section = TransportSection(resistance="transport/rt_*.csv", voltage_current="transport/vi_*.csv")
    numbers, curves = analyse_transport(section, folder)
    assert len(curves) == 12
    assert [curve.file for curve in curves][:3] == [
        "transport/rt_run1.csv",
        "transport/rt_run2.csv",
        "transport/vi_60K.csv",
    ]
    values = {(one.file, one.quantity): one for one in numbers}
    for curve, _ in simulate_curves(5, label=""):
        if curve.kind == "resistance":
            assert values[curve.file, "t50"].value == pytest.approx(curve.middles_k[0], abs=1.5)
            assert ("transport/rt_run2.csv", "tc_2") in values
            assert ("transport/rt_run1.csv", "tc_2") not in values
        elif curve.ic_a is None:
            assert values[curve.file, "ic"].verdict == "absent"
            assert math.isnan(values[curve.file, "ic"].value)
        else:
            found = values[curve.file, "ic"]
            assert abs(found.value - curve.ic_a) < 5 * found.sigma
            assert "2e-07 V" in found.reason


def test_a_broken_curve_is_a_failed_row_and_no_file_is_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rt_1.csv").write_bytes((folder / "transport/rt_run1.csv").read_bytes())
    (tmp_path / "rt_2.csv").write_bytes(b"\x00broken")
    numbers, _ = analyse_transport(TransportSection(resistance="rt_*.csv"), tmp_path)
    failed = [one for one in numbers if one.verdict == "failed"]
    assert [one.file for one in failed] == ["rt_2.csv"]
    assert "rt_2.csv" in failed[0].reason
    with pytest.raises(InputError, match=r"no file matches transport\.voltage_current"):
        analyse_transport(TransportSection(voltage_current="none_*.csv"), tmp_path)


def test_the_reference_run_writes_transport_and_links(tmp_path: Path) -> None:
    result, comparison = run_demo(tmp_path, shape=(1, 2), seed=2)
    with (tmp_path / "results" / "transport.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["quantity"] for row in rows} >= {"tc", "onset", "zero", "t90", "t50", "t10", "ic", "n"}
    with (tmp_path / "results" / "links.csv").open() as stream:
        links = list(csv.DictReader(stream))
    assert len(links) == 2 * (12 + 10 + 1)
    assert links[0]["run"] == "simulated CeH9, reference cell, after heating"
    assert 90 < float(links[0]["expected_tc_k"]) < 125
    assert float(links[0]["expected_tc_sigma_k"]) > 0
    assert "CeH" in links[0]["reason"]
    assert "between points of" in links[0]["reason"]
    assert float(links[0]["pressure_gpa"]) > 80
    with h5py.File(tmp_path / "results" / "results.nxs") as file:
        assert file["entry/transport/value"].shape == (len(rows),)
        assert file["entry/links/distance_um"].attrs["units"] == "um"
    assert sum(row.quantity == "ic" for row in comparison) == 10
    assert len(result.links) == 46
    gaps = [row for row in comparison if row.quantity == "gap" and row.verdict == "converged"]
    assert len(gaps) >= 8
    assert max(abs(row.pull) for row in gaps) < 4.5
    whole = {row.quantity: row for row in comparison if row.true == 21.04 or row.true == 109.0}
    assert abs(whole["gap_at_0_k"].pull) < 4
    assert abs(whole["tc_of_gap"].pull) < 4
    ratio = next(one for one in result.transport if one.quantity == "ratio" and "cell2" in one.file)
    assert abs(ratio.value - 2 * 21.04 / (0.0861733 * 109.0)) < 4 * ratio.sigma


def test_spectra_of_one_contact_are_a_series_and_one_without_temperature_is_failed(tmp_path: Path) -> None:
    """Plumbing only: the spectra are the model's own, with noise."""
    rng = np.random.default_rng(3)
    bias = np.linspace(-60.0, 60.0, 241)
    for temperature, gap in ((2, 21.0), (20, 21.0), (40, 20.5)):
        curve = hs.andreev_conductance(bias, gap_mev=gap, broadening_mev=2.0, barrier=0.4, temperature_k=temperature)
        rows = "".join(f"{x:.3f},{y:.6f}\n" for x, y in zip(bias, curve + rng.normal(0, 0.002, 241), strict=True))
        (tmp_path / f"spectrum_{temperature}K.csv").write_text(f"bias_mv,conductance\n{rows}")
    (tmp_path / "spectrum_lost.csv").write_text(f"bias_mv,conductance\n{rows}")
    numbers, curves = analyse_transport(TransportSection(conductance="spectrum_*.csv"), tmp_path)
    found = {(one.file, one.quantity): one for one in numbers}
    for temperature, gap in ((2, 21.0), (20, 21.0), (40, 20.5)):
        one = found[f"spectrum_{temperature}K.csv", "gap"]
        assert one.temperature_k == temperature
        assert abs(one.value - gap) < 5 * one.sigma < 5
        assert found[f"spectrum_{temperature}K.csv", "barrier"].value == pytest.approx(0.4, abs=0.1)
    lost = found["spectrum_lost.csv", "gap"]
    assert (lost.verdict, lost.reason) == ("failed", "Its temperature is stated nowhere.")
    assert len(curves) == 4
