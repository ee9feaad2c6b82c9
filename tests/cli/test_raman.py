"""``hydrostruct raman``: what programs and people get."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hydrostruct.cli.main import main

PROMISED_EDGE = [
    "file",
    "verdict",
    "edge_cm1",
    "edge_sigma_cm1",
    "ambiguous",
    "candidates",
    "scale",
    "pressure_gpa",
    "pressure_sigma_gpa",
    "pressure_systematic_gpa",
    "scales",
]


@pytest.fixture
def anvil(tmp_path: Path) -> Path:
    """A made spectrum: a band at 1340, a step at 1525 cm-1."""
    x = np.linspace(1100.0, 1850.0, 900)
    counts = (
        500 + 9000 / (1 + ((x - 1340) / 6) ** 2) + np.where(x > 1340, 2000 * 0.5 * (1 - np.tanh((x - 1525) / 5)), 0)
    )
    path = tmp_path / "anvil.txt"
    np.savetxt(path, np.stack([x, np.random.default_rng(1).poisson(counts)], axis=1), fmt="%.3f")
    return path


def document(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, object]]:
    assert main(["raman", *words, "--json"]) == status
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_edge_prints_the_promised_fields(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = document(capsys, "edge", str(anvil))
    assert set(PROMISED_EDGE) <= set(found)
    assert found["file"] == str(anvil)
    assert found["verdict"] == "converged"
    assert found["scale"] == "akahama2006"
    assert abs(float(found["edge_cm1"]) - 1525.0) < 1.0  # type: ignore[arg-type]
    assert abs(float(found["pressure_gpa"]) - 93.74) < 0.6  # type: ignore[arg-type]
    assert set(found["scales"]) == {  # type: ignore[call-overload]
        "akahama2004", "akahama2006", "eremets2023", "hilberer2026", "sakai2025",
    }  # fmt: skip


def test_command_and_library_give_the_same_numbers(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import hydrostruct as hs

    (found,) = document(capsys, "edge", str(anvil), "--scale", "eremets2023")
    edge = hs.find_edge(hs.read_spectrum(anvil))
    assert found["edge_cm1"] == edge.edge_cm1
    assert found["pressure_gpa"] == float(hs.edge_pressure(edge.edge_cm1, scale="eremets2023"))


def test_the_table_shows_the_pressure_and_its_standard(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["raman", "edge", str(anvil)]) == 0
    out = capsys.readouterr().out
    assert "systematic" in out
    assert "Holmes" in out


def test_an_absent_edge_is_null_and_asks_for_attention(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(1100.0, 1850.0, 900)
    path = tmp_path / "none.txt"
    counts = np.random.default_rng(2).poisson(500 + 9000 / (1 + ((x - 1340) / 6) ** 2))
    np.savetxt(path, np.stack([x, counts], axis=1), fmt="%.3f")
    (found,) = document(capsys, "edge", str(path), status=1)
    assert found["verdict"] == "absent"
    assert found["edge_cm1"] is None
    assert found["pressure_gpa"] is None
    assert found["scales"] == {}


def test_one_file_that_cannot_be_read_does_not_stop_the_others(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = anvil.with_name("broken.txt")
    broken.write_text("")
    found = document(capsys, "edge", str(broken), str(anvil), status=1)
    assert [one["verdict"] for one in found] == ["failed", "converged"]
    assert "empty" in str(found[0]["reason"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["edge", "nowhere.txt"], "no such file"),
        (["edge", "*.nothing"], "no file matches"),
        (["edge", "{anvil}", "--scale", "akahama206"], "Did you mean 'akahama2006'"),
        (["edge", "{anvil}", "--scale", "baer2008"], "could not be verified"),
        (["edge", "{anvil}", "--near", "95"], "1300 to 2050"),
        (["edge", "{anvil}", "--laser", "5.32e-7"], "laser line"),
        (["edge", "{anvil}", "--axis", "inch"], "axis is 'inch'"),
        (["edge", "{anvil}", "--pressure", "100", "90"], "--pressure is 100 90. Expected two rising GPa"),
        (["edge", "{anvil}", "--figure", "{anvil}/x"], "cannot be written"),
        (["edge", "{anvil}", "--cooling-shift", "1", "1"], "without --temperature"),
        (["edge", "{anvil}", "--temperature", "900"], "temperature is 900"),
        (["edge", "{anvil}", "--neon", "{anvil}", "--laser", "532"], "--neon"),
        (["edge", "{anvil}", "--neon", "{anvil}"], "laser line is not known"),
        (["edge", "{anvil}", "--neon", "{anvil}", "--axis-sigma", "1"], "Expected one"),
        (["edge", "{anvil}", "--smooth", "-3"], "window of the smoothing"),
        (["peaks", "{anvil}", "--baseline", "arpl"], "Did you mean 'arpls'"),
        (["vibron", "{anvil}"], "between 3900 and 4300 cm⁻¹; it reaches from 1100 to 1850"),
        (["vibron", "{anvil}", "--profile", "voigt"], "--profile is 'voigt'"),
        (["compare", "{anvil}", "nowhere.txt"], "no such file"),
        (["edge", "{anvil}", "--laser-sigma", "0.01"], "--laser-sigma is given without --neon"),
        (["vibron", "{anvil}", "--laser-sigma", "0.01"], "--laser-sigma is given without --neon"),
        (["edge", "{anvil}", "--laser", "532", "--axis", "cm1"], "--laser is given with --axis cm1"),
        (["vibron", "{anvil}", "--laser", "532", "--axis", "cm1"], "--laser is given with --axis cm1"),
        (["peaks", "{anvil}", "--laser", "532", "--axis", "cm1"], "--laser is given with --axis cm1"),
        (["compare", "{anvil}", "{anvil}", "--laser", "532", "--axis", "cm1"], "--laser is given with --axis cm1"),
    ],
)
def test_wrong_input_is_one_plain_line(
    words: list[str], says: str, anvil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["raman", *(word.format(anvil=anvil) for word in words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_hints_choose_among_the_steps(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (near,) = document(capsys, "edge", str(anvil), "--near", "1520")
    assert abs(float(near["edge_cm1"]) - 1525.0) < 1.0  # type: ignore[arg-type]
    (far,) = document(capsys, "edge", str(anvil), "--pressure", "120", "150", status=1)
    assert far["verdict"] == "absent"


def test_a_pressure_outside_the_scale_is_doubtful_and_null(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = document(capsys, "edge", str(anvil), "--scale", "akahama2010")
    assert found["verdict"] == "doubtful"
    assert found["pressure_gpa"] is None
    assert "200 to 410" in str(found["reason"])
    assert not math.isnan(float(found["edge_cm1"]))  # type: ignore[arg-type]


def test_a_figure_is_drawn_and_named(anvil: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["raman", "edge", str(anvil), "--figure", str(tmp_path / "figures")]) == 0
    assert f"figure: {tmp_path / 'figures' / 'anvil.png'}" in capsys.readouterr().err
    assert (tmp_path / "figures" / "anvil.png").read_bytes()[:4] == b"\x89PNG"


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("edge", "vibron", "peaks", "compare"):
        assert main(["raman", name, "--help"]) == 0
        assert "Example: hydrostruct raman" in capsys.readouterr().out


@pytest.fixture
def hydrogen(tmp_path: Path) -> Path:
    """A made spectrum with a line at 4194 cm-1."""
    x = np.linspace(3950.0, 4300.0, 300)
    counts = np.random.default_rng(3).poisson(400 + 700 / (1 + ((x - 4194) / 6) ** 2))
    path = tmp_path / "hydrogen.txt"
    np.savetxt(path, np.stack([x, counts], axis=1), fmt="%.3f")
    return path


def test_vibron_prints_the_promised_fields(hydrogen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = document(capsys, "vibron", str(hydrogen))
    promised = ["file", "verdict", "vibron_cm1", "vibron_sigma_cm1", "width_cm1", "width_sigma_cm1", "branches"]
    assert set(promised) <= set(found)
    assert abs(float(found["vibron_cm1"]) - 4194.0) < 0.5  # type: ignore[arg-type]
    branches = found["branches"]
    assert isinstance(branches, list)
    assert [set(one) for one in branches] == [{"branch", "pressure_gpa", "pressure_sigma_gpa", "source"}] * 2
    assert [one["branch"] for one in branches] == ["lower", "upper"]
    (chosen,) = document(capsys, "vibron", str(hydrogen), "--edge-pressure", "95")
    assert [one["branch"] for one in chosen["branches"]] == ["upper"]  # type: ignore[attr-defined]


def test_peaks_lists_lines(hydrogen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = document(capsys, "peaks", str(hydrogen), "--range", "4100", "4300")
    peaks = found["peaks"]
    assert isinstance(peaks, list)
    assert len(peaks) == 1
    assert abs(peaks[0]["position_cm1"] - 4194.0) < 0.5
    assert main(["raman", "peaks", str(hydrogen)]) == 0
    assert "line cm⁻¹" in capsys.readouterr().out
    assert main(["raman", "vibron", str(hydrogen)]) == 0
    assert "no independent check" in capsys.readouterr().out


def test_the_pressure_at_the_temperature_of_the_measurement(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cold,) = document(capsys, "edge", str(anvil), "--temperature", "98")
    assert cold["pressure_cold_gpa"] == pytest.approx(cold["pressure_gpa"])
    assert 2.0 < float(cold["pressure_cold_sigma_gpa"]) < 3.5  # type: ignore[arg-type]
    assert "memory-low" in str(cold["cooling_source"])
    (own,) = document(capsys, "edge", str(anvil), "--temperature", "2", "--cooling-shift", "1.3", "0.5")
    assert float(own["pressure_cold_gpa"]) - float(own["pressure_gpa"]) == pytest.approx(1.3, abs=1e-3)  # type: ignore[arg-type]
    assert main(["raman", "edge", str(anvil), "--temperature", "98"]) == 0
    assert "at 98 K" in capsys.readouterr().out
    assert "pressure_cold_gpa" not in document(capsys, "edge", str(anvil))[0]


def test_a_neon_lamp_moves_the_edge_and_widens_the_systematic_part(
    anvil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.linspace(1300.0, 2700.0, 1300)
    laser, lines = 532.148, [585.4110, 588.3525, 594.6481, 603.1667, 614.4763]  # in vacuum, nm
    counts = 300.0 + sum(4000.0 * np.exp(-(((x + 5.0 - (1e7 / laser - 1e7 / one)) / 2.5) ** 2)) for one in lines)
    lamp = anvil.with_name("lamp.txt")
    np.savetxt(lamp, np.stack([x, np.random.default_rng(2).poisson(counts)], axis=1), fmt="%.4f")
    (plain,) = document(capsys, "edge", str(anvil))
    words = ["edge", str(anvil), "--neon", str(lamp), "--laser", "532", "--laser-sigma", "0.02"]
    assert main(["raman", *words, "--json"]) == 0
    out, err = capsys.readouterr()
    (moved,) = json.loads(out)
    assert "5 lines of neon" in err
    assert moved["edge_cm1"] - plain["edge_cm1"] == pytest.approx(5.0, abs=0.5)
    assert moved["edge_systematic_cm1"] == pytest.approx(0.707, abs=0.1)  # 0.02 nm of the laser
    assert moved["pressure_systematic_gpa"] > plain["pressure_systematic_gpa"]


def test_what_was_done_to_a_spectrum_is_said(anvil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["raman", "peaks", str(anvil), "--despike", "--baseline", "arpls", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "left out as cosmic rays" in err
    assert "A baseline (arpls" in err
    assert len(json.loads(out)[0]["notes"]) == 2
    assert main(["raman", "peaks", str(anvil), "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_compare_says_what_came_and_how_far_the_pressure_moved(
    anvil: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.loadtxt(anvil)[:, 0]
    smooth = 500 + 9000 / (1 + ((x - 1340) / 6) ** 2) + 900 * np.exp(-(((x - 1200) / 6) ** 2))
    smooth = smooth + np.where(x > 1340, 2000 * 0.5 * (1 - np.tanh((x - 1510) / 5)), 0)
    after = anvil.with_name("after.txt")
    np.savetxt(after, np.stack([x, np.random.default_rng(3).poisson(smooth)], axis=1), fmt="%.3f")
    assert main(["raman", "compare", str(anvil), str(after), "--figure", str(tmp_path / "f"), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    came = [one for one in found["lines"] if one["kind"] == "came"]
    assert [round(one["after_cm1"], -1) for one in came] == [1200.0]
    assert came[0]["before_cm1"] is None
    assert found["edge"]["change_gpa"] == pytest.approx(-8.5, abs=1.0)
    assert found["edge"]["change_sigma_gpa"] < 1.0
    drawn = tmp_path / "f" / "anvil_after_compare.png"
    assert str(drawn) in err
    assert drawn.read_bytes()[:4] == b"\x89PNG"
    assert main(["raman", "compare", str(anvil), str(after), "--range", "1150", "1300"]) == 0
    assert "came" in capsys.readouterr().out


def test_compare_of_spectra_without_edges_or_lines_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(1100.0, 1850.0, 700)
    for number in (1, 2):
        counts = np.random.default_rng(number).poisson(500.0, x.size)
        np.savetxt(tmp_path / f"flat_{number}.txt", np.stack([x, counts], axis=1), fmt="%.3f")
    assert main(["raman", "compare", str(tmp_path / "flat_1.txt"), str(tmp_path / "flat_2.txt")]) == 1
    out, err = capsys.readouterr()
    assert "No line stands above the noise in either" in err
    assert "edges are absent and absent" in out
    assert "nan" not in out
