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
        (["edge", "{anvil}", "--pressure", "100", "90"], "two rising"),
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


def test_a_figure_is_drawn(anvil: Path, tmp_path: Path) -> None:
    assert main(["raman", "edge", str(anvil), "--figure", str(tmp_path / "figures")]) == 0
    assert (tmp_path / "figures" / "anvil.png").read_bytes()[:4] == b"\x89PNG"


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("edge", "vibron", "peaks"):
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
