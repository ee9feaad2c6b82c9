"""``hydrostruct transport``: what programs and people get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.cli.main import main

PROMISED = {
    "tc": ["file", "verdict", "tc_k", "tc_sigma_k", "onset_k", "onset_sigma_k", "zero_k", "zero_sigma_k", "t90_k",
           "t50_k", "t10_k", "steps_k"],
    "ic": ["file", "verdict", "temperature_k", "ic_a", "ic_sigma_a", "n", "n_sigma", "criterion_v", "polarity"],
}  # fmt: skip


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A simulated R(T), V(I) and Ic(T)."""
    random = np.random.default_rng(1)
    t = np.linspace(80.0, 140.0, 1201)
    r = (0.5 + 0.004 * t) / (1.0 + np.exp(-(t - 98.0) / 0.4)) + random.normal(0, 0.002, t.size)
    np.savetxt(
        tmp_path / "rt.csv", np.stack([t, r], 1), header="temperature_k,resistance_ohm", delimiter=",", comments=""
    )
    i = np.linspace(-0.08, 0.08, 161)
    v = np.sign(i) * 2e-7 * np.abs(i / 0.06) ** 15 + random.normal(0, 1e-8, i.size)
    np.savetxt(tmp_path / "vi_60K.csv", np.stack([i, v], 1), header="current_a,voltage_v", delimiter=",", comments="")
    at = np.linspace(60.0, 76.0, 12)
    ic = 0.876 * hs.pinning_shape(at, "delta-l", tc_k=78.0)
    np.savetxt(tmp_path / "ic.csv", np.stack([at, ic, 0.02 * ic], 1), header="temperature_k,ic_a,ic_sigma_a",
               delimiter=",", comments="")  # fmt: skip
    return tmp_path


def document(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    assert main(["transport", *words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_tc_prints_the_promised_fields_and_the_librarys_numbers(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = document(capsys, "tc", str(tables / "rt.csv"))
    assert set(PROMISED["tc"]) <= set(found)
    assert found["verdict"] == "converged"
    same = hs.find_tc(hs.read_resistance(tables / "rt.csv"))
    assert (found["tc_k"], found["tc_sigma_k"], found["t50_k"]) == (same.tc_k, same.tc_sigma_k, same.t50_k)
    assert found["steps_k"] == [found["tc_k"]]
    assert found["hysteresis_k"] is None
    assert {one["model"] for one in found["normal_state"]} >= {"line", "bloch-gruneisen"}


def test_ic_prints_the_promised_fields_with_the_criterion(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = document(capsys, "ic", str(tables / "vi_60K.csv"), "--criterion", "2e-7")
    assert set(PROMISED["ic"]) <= set(found)
    assert (found["temperature_k"], found["criterion_v"], found["polarity"]) == (60.0, 2e-7, "normal")
    assert found["ic_a"] == pytest.approx(0.06, abs=4 * found["ic_sigma_a"])
    (same,) = document(capsys, "ic", str(tables / "vi_60K.csv"), "--field", "0.01", "--length", "20")
    assert same["criterion_v"] == pytest.approx(2e-7)
    assert same["ic_a"] == pytest.approx(found["ic_a"])


def test_pinning_prints_all_models_best_first(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "pinning", str(tables / "ic.csv"))
    assert [one["aicc"] for one in found["models"]] == sorted(one["aicc"] for one in found["models"])
    assert {one["model"] for one in found["models"]} == {
        "delta-l", "delta-tc", "delta-l-unsquared", "ginzburg-landau", "self-field", "ambegaokar-baratoff", "power-law",
    }  # fmt: skip
    best = found["models"][0]
    assert best["model"] == "delta-l"
    assert best["parameters"]["ic0_a"] == pytest.approx(0.876, rel=1e-3)
    assert set(best["sigmas"]) == set(best["parameters"])
    dense = document(capsys, "pinning", str(tables / "ic.csv"), "--width", "30", "--thickness", "1",
                     "--thickness-sigma", "0.3")  # fmt: skip
    assert dense["models"][0]["parameters"]["jc0_a_cm2"] == pytest.approx(2.92e6, rel=1e-3)
    assert dense["cross_section_systematic"] == pytest.approx(0.3)


def test_people_get_tables_and_figures(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tables / "figures"
    for words in (["tc", "rt.csv"], ["ic", "vi_60K.csv", "--contact", "4.5"], ["pinning", "ic.csv"]):
        assert main(["transport", words[0], str(tables / words[1]), *words[2:], "--figure", str(figures)]) == 0
    out = capsys.readouterr().out
    assert "zero K" in out
    assert "mW" in out
    assert "Ic(0) A" in out
    assert sorted(path.name for path in figures.iterdir()) == ["ic_pinning.png", "rt_tc.png", "voltage_current.png"]


def test_a_bad_file_among_good_ones_is_flagged_and_alone_it_is_wrong_input(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tables / "bad.csv").write_bytes(b"\x00\x01garbage")
    for command, good in (("tc", "rt.csv"), ("ic", "vi_60K.csv")):
        found = document(capsys, command, str(tables / good), str(tables / "bad.csv"), status=1)
        assert [one["verdict"] for one in found] == ["converged", "failed"]
        assert set(PROMISED[command]) <= set(found[1])
        assert main(["transport", command, str(tables / "bad.csv")]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    for word in ("ic.csv", "rt.csv"):
        status = main(["transport", "pinning", str(tables / word)])
        assert status == (0 if word == "ic.csv" else 2)
    assert main(["transport", "ic", str(tables / "vi_60K.csv"), "--criterion", "0"]) == 2
    assert main(["transport", "ic", str(tables / "vi_60K.csv"), "--field", "1"]) == 2


def test_a_curve_without_a_transition_needs_attention(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    t = np.linspace(80, 140, 300)
    np.savetxt(tables / "metal.csv", np.stack([t, 0.5 + 0.004 * t], 1), header="temperature_k,resistance_ohm",
               delimiter=",", comments="")  # fmt: skip
    (found,) = document(capsys, "tc", str(tables / "metal.csv"), status=1)
    assert found["verdict"] == "absent"
    assert found["tc_k"] is None
    assert found["steps_k"] == []
    assert main(["transport", "tc", str(tables / "metal.csv")]) == 1
    assert "n/a" in capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a refused command prints."""
    assert main(["transport", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_a_table_of_the_other_kind_is_refused_with_the_right_command(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "'transport ic'" in refused(capsys, "tc", str(tables / "vi_60K.csv"))
    assert "'transport tc'" in refused(capsys, "ic", str(tables / "rt.csv"))
    with_temperature = tables / "with_temperature.csv"
    rows = "".join(f"{i:g},{1e-7 * i:g},60\n" for i in range(20))
    with_temperature.write_text(f"current_a,voltage_v,temperature_k\n{rows}")
    assert "'transport ic'" in refused(capsys, "tc", str(with_temperature))


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["pinning", "ic.csv", "--tc", "50"], "Tc is given as 50 ± 0 K"),
        (["pinning", "ic.csv", "--tc", "nan"], "--tc is nan"),
        (["pinning", "ic.csv", "--tc", "78", "--tc-sigma", "-3"], "--tc-sigma is -3"),
        (["pinning", "ic.csv", "--tc-sigma", "1"], "--tc-sigma"),
        (["ic", "vi_60K.csv", "--field", "0.01", "--length", "-2"], "--length is -2"),
        (["ic", "vi_60K.csv", "--temperature", "nan"], "--temperature is nan"),
        (["tc", "rt.csv", "--temperature-unit", "F"], "--temperature-unit is 'F'. Expected one of K, mK, C."),
        (["tc", "rt.csv", "--voltage-noise", "1e-8"], "--current"),
        (["tc", "rt.csv", "--current", "nan"], "--current is nan"),
        (["tc", "rt.csv", "--figure", "rt.csv"], "--figure"),
        (["tc-pressure", "ic.csv"], "pressure_gpa"),
        (["van-der-pauw", "0", "1"], "a resistance is 0"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(
    tables: Path, capsys: pytest.CaptureFixture[str], words: list[str], option: str
) -> None:
    told = [str(tables / word) if word.endswith(".csv") else word for word in words]
    assert option in refused(capsys, *told)


def test_several_set_temperatures_in_one_table_are_so_many_curves(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(4)
    blocks = []
    for temperature, limit in ((70.0, 0.03), (60.0, 0.06), (65.0, 0.045)):
        i = np.linspace(0, 1.3 * limit, 120)
        v = 2e-7 * (i / limit) ** 15 + random.normal(0, 1e-8, i.size)
        blocks.append(np.stack([i, v, temperature + random.normal(0, 0.03, i.size)], 1))
    header = "current_a,voltage_v,temperature_k"
    np.savetxt(tables / "many.csv", np.concatenate(blocks), header=header, delimiter=",", comments="")
    found = document(capsys, "ic", str(tables / "many.csv"))
    assert [round(one["temperature_k"]) for one in found] == [60, 65, 70]
    for one, limit in zip(found, (0.06, 0.045, 0.03), strict=True):
        assert abs(one["ic_a"] - limit) < 4 * one["ic_sigma_a"]
    assert "3 temperatures" in refused(capsys, "ic", str(tables / "many.csv"), "--temperature", "60")
    with pytest.raises(hs.InputError, match="3 temperatures"):
        hs.read_voltage_current(tables / "many.csv")
    # a contact that heats at its largest currents is one curve still
    hot = blocks[1].copy()
    hot[-12:, 2] += 0.9
    np.savetxt(tables / "hot.csv", hot, header=header, delimiter=",", comments="")
    assert len(hs.read_voltage_currents(tables / "hot.csv")) == 1


def test_tc_against_pressure_beside_the_literature(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tables / "p.csv").write_text(
        "# simulated\npressure_gpa,pressure_sigma_gpa,pressure_after_gpa,tc_k,tc_sigma_k\n"
        "93.5,1,95.5,98,1\n104,1,106,109,1.5\n99,1,101,103,1\n"
    )
    found = document(capsys, "tc-pressure", str(tables / "p.csv"), "--literature", "CeH9-P63mmc", "--figure",
                     str(tables / "figures"))  # fmt: skip
    assert [one["pressure_gpa"] for one in found["points"]] == [94.5, 105.0, 100.0]
    assert found["points"][0]["pressure_sigma_gpa"] == pytest.approx(np.hypot(2 / np.sqrt(12), 1 / np.sqrt(2)))
    assert len(found["literature"]) == len(hs.literature_tc("CeH9-P63mmc"))
    line = hs.fit_tc_pressure([94.5, 105.0, 100.0], [98, 109, 103], tc_sigma_k=[1, 1.5, 1],
                              pressure_sigma_gpa=[one["pressure_sigma_gpa"] for one in found["points"]])  # fmt: skip
    assert found["line"]["slope_k_per_gpa"] == line.slope_k_per_gpa
    assert (tables / "figures" / "p_tc_pressure.png").is_file()
    (tables / "bare.csv").write_text("pressure_gpa,tc_k\n95,98\n105,109\n")
    assert "--pressure-sigma" in refused(capsys, "tc-pressure", str(tables / "bare.csv"))
    assert main(["transport", "tc-pressure", str(tables / "bare.csv"), "--pressure-sigma", "1", "--tc-sigma", "1"]) == 0
    assert "K/GPa" in capsys.readouterr().out


def test_van_der_pauw_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "van-der-pauw", "0.135", "0.21", "--first-sigma", "0.001", "--second-sigma", "0.002",
                     "--thickness", "1", "--thickness-sigma", "0.3")  # fmt: skip
    sheet = found["sheet_resistance_ohm"]
    assert np.exp(-np.pi * 0.135 / sheet) + np.exp(-np.pi * 0.21 / sheet) == pytest.approx(1.0, abs=1e-12)
    assert found["resistivity_uohm_cm"] == pytest.approx(100 * sheet)
    assert found["resistivity_systematic_uohm_cm"] == pytest.approx(30 * sheet)
    assert 0 < found["resistivity_sigma_uohm_cm"] == pytest.approx(100 * found["sheet_resistance_sigma_ohm"])
    assert main(["transport", "van-der-pauw", "1", "1"]) == 0
    assert "4.53236 Ω" in capsys.readouterr().out
