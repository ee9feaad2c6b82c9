"""The commands ``andreev fit`` and ``andreev gap``: what they print, their statuses, and what they refuse."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydrostruct.cli import main

K_B = 0.08617333262
FIT_FIELDS = {
    "file", "verdict", "temperature_k", "gap_mev", "gap_sigma_mev", "broadening_mev", "broadening_sigma_mev", "barrier",
    "barrier_sigma", "weight", "weight_sigma",
}  # fmt: skip
GAP_FIELDS = {"gap0_mev", "gap0_sigma_mev", "tc_k", "tc_sigma_k", "ratio", "ratio_sigma"}


def simulate(path: Path, temperature: float, gap: float, *, names: bool = True, above: str = "", seed: int = 1) -> str:
    """A simulated spectrum: a sum over an even grid of energies of Dynes-broadened BTK amplitudes, its own code."""
    bias = np.linspace(-90.0, 90.0, 241)
    energy = np.linspace(-400.0, 400.0, 16001)
    e = energy + 1j * 5.0 * np.where(energy < 0, -1, 1)
    root = np.sqrt(e * e - gap * gap)
    root = np.where((root / e).real < 0, -root, root)
    u2, diff = 0.5 * (1 + root / e), root / e
    z = 0.3
    norm = u2 + z * z * diff
    curve = (1 + z * z) * (
        1 + np.abs(u2 * (1 - u2)) / np.abs(norm) ** 2 - np.abs(diff / norm) ** 2 * z * z * (1 + z * z)
    )
    thermal = 1 / np.cosh(np.clip((energy - bias[:, None]) / (2 * K_B * temperature), -300, 300)) ** 2
    clean = (thermal @ curve) / thermal.sum(axis=1)
    raw = 0.2 * clean * (1 + 0.1 * bias / 90 + 0.1 * (bias / 90) ** 2)
    raw = raw + np.random.default_rng(seed).normal(0, 5e-4, bias.size)
    rows = "\n".join(f"{x:.6g},{y:.8g}" for x, y in zip(bias, raw, strict=True))
    path.write_text((above + "\n" if above else "") + ("bias_mv,conductance\n" if names else "") + rows + "\n")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["andreev", *words])
    out, err = capsys.readouterr()
    return status, out, err


def documents(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    found, out, _ = run(capsys, *words, "--json")
    assert found == status

    def no_constant(word: str) -> Any:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(out, parse_constant=no_constant)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    status, out, err = run(capsys, *words)
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert err.startswith("error: ")
    return err


def test_one_spectrum_gives_the_fields_of_the_contract(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (found,) = documents(capsys, "fit", simulate(tmp_path / "cell_2K.csv", 2.0, 21.04))
    assert set(found) >= FIT_FIELDS
    assert found["verdict"] == "converged"
    assert found["temperature_k"] == 2.0
    assert abs(found["gap_mev"] - 21.04) < 4 * found["gap_sigma_mev"]
    assert abs(found["barrier"] - 0.3) < 4 * found["barrier_sigma"]
    assert found["second_gap_mev"] is None


def test_several_files_are_one_series(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for temperature, gap in ((2, 21.04), (60, 18.2), (20, 21.0)):
        simulate(tmp_path / f"cell_{temperature}K.csv", temperature, gap, seed=temperature)
    found = documents(capsys, "fit", str(tmp_path / "cell_*K.csv"))
    assert [one["temperature_k"] for one in found] == [2.0, 20.0, 60.0]
    assert len({one["barrier"] for one in found}) == 1
    for one, gap in zip(found, (21.04, 21.0, 18.2), strict=True):
        assert abs(one["gap_mev"] - gap) < 4 * one["gap_sigma_mev"]


def test_the_temperature_stands_in_the_header_or_is_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = simulate(tmp_path / "a.csv", 20.0, 21.0, above="# temperature_k = 20")
    assert documents(capsys, "fit", file)[0]["temperature_k"] == 20.0
    bare = simulate(tmp_path / "b.csv", 20.0, 21.0, names=False)
    assert documents(capsys, "fit", bare, "--temperature", "20")[0]["temperature_k"] == 20.0
    assert "--temperature" in refused(capsys, "fit", bare)
    assert "-3" in refused(capsys, "fit", bare, "--temperature", "-3")


def test_the_table_and_the_figures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [simulate(tmp_path / f"cell_{t}K.csv", t, 21.0, seed=t) for t in (2, 20)]
    status, out, err = run(capsys, "fit", *files, "--figure", str(tmp_path / "figures"))
    assert status == 0
    assert "gap meV" in out
    assert "cell_20K.csv" in out
    names = sorted(one.name for one in (tmp_path / "figures").iterdir())
    assert names == ["cell_20K_andreev.png", "cell_2K_andreev.png", "waterfall_andreev.png"]
    assert err.count("figure: ") == 3


def test_the_background_may_come_from_a_window_or_from_a_curve_above_tc(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = simulate(tmp_path / "cell_2K.csv", 2.0, 21.04)
    normal = simulate(tmp_path / "cell_120K.csv", 120.0, 1e-6, seed=3)
    for background in ("window", normal):
        (found,) = documents(capsys, "fit", file, "--background", background)
        assert abs(found["gap_mev"] - 21.04) < 4 * found["gap_sigma_mev"], background
    assert "no such file" in refused(capsys, "fit", file, "--background", "windows")


def test_one_bad_file_does_not_stop_the_others(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good = simulate(tmp_path / "cell_2K.csv", 2.0, 21.04)
    bad = tmp_path / "cell_9K.csv"
    bad.write_bytes(b"\x00\x01")
    found = documents(capsys, "fit", good, str(bad), status=1)
    assert [one["verdict"] for one in found] == ["converged", "failed"]
    assert found[1]["gap_mev"] is None
    assert "cell_9K" in refused(capsys, "fit", str(bad))


def test_no_signal_needs_attention(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    rows = "\n".join(f"{x:.3f},{0.2 + 1e-5 * x + random.normal(0, 5e-4):.8f}" for x in np.linspace(-90, 90, 241))
    file = tmp_path / "cell_115K.csv"
    file.write_text(rows + "\n")
    (found,) = documents(capsys, "fit", str(file), status=1)
    assert found["verdict"] == "absent"
    assert found["gap_mev"] is None


def test_gaps_give_a_ratio_whose_tc_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    t = np.array([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
    gap = 21.04 * np.array([1.0, 0.99712, 0.95688, 0.90699, 0.82877, 0.71104, 0.52634])
    file = tmp_path / "gaps.csv"
    rows = "\n".join(f"{109 * a:.6f},{b:.6f},0.1" for a, b in zip(t, gap, strict=True))
    file.write_text(f"temperature_k,gap_mev,gap_sigma_mev\n{rows}\n")
    found = documents(capsys, "gap", str(file))
    assert set(found) >= GAP_FIELDS
    assert found["gap0_mev"] == pytest.approx(21.04, abs=0.01)
    assert found["tc_k"] == pytest.approx(109, abs=0.02)
    assert found["tc_source"] == "fit of the gaps"
    held = documents(capsys, "gap", str(file), "--tc", "109")
    assert held["tc_source"] == "given"
    assert held["ratio"] == pytest.approx(4.48, abs=0.01)
    assert math.isfinite(held["coupling"])
    status, out, _ = run(capsys, "gap", str(file), "--tc", "109", "--figure", str(tmp_path / "f"))
    assert status == 0
    assert "given" in out
    assert (tmp_path / "f" / "gaps_gap.png").read_bytes().startswith(b"\x89PNG")
    assert "--tc is -1" in refused(capsys, "gap", str(file), "--tc", "-1")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("fit", "gap"):
        status, out, _ = run(capsys, command, "--help")
        assert status == 0
        assert "Example: hydrostruct andreev" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "localy"], "'local'"),
        (["--temperature", "2", "--temperature-range", "1", "4"], "one of the two"),
        (["--background", "jont"], "'joint'"),
        (["--temperature", "nan"], "--temperature is nan"),
        (["--weight", "nan"], "--weight is nan"),
        (["--series-resistance", "-1"], "--series-resistance is -1"),
    ],
)
def test_wrong_options_of_fit_are_refused_by_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    file = simulate(tmp_path / "a_2K.csv", 2.0, 21.04)
    status, out, err = run(capsys, "fit", file, *words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, "fit", file, "--figure", str(tmp_path / "file"))
    assert status == 2
    assert "--figure" in err


def test_wrong_options_of_gap_are_refused_by_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gaps.csv").write_text("temperature_k,gap_mev\n2,21\n50,20\n80,16\n90,14\n")
    for words, said in ((["--tc", "nan"], "--tc is nan"), (["--tc", "109", "--tc-sigma", "-3"], "--tc-sigma is -3"),
                        (["--tc-sigma", "1"], "--tc-sigma"), (["--coulomb", "nan"], "--coulomb is nan")):  # fmt: skip
        status, _, err = run(capsys, "gap", str(tmp_path / "gaps.csv"), *words)
        assert status == 2
        assert said in err


def test_the_second_way_reads_where_the_curve_leaves_and_where_its_peak_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        simulate(tmp_path / f"c_{temperature}K.csv", float(temperature), gap, seed=temperature)
        for temperature, gap in ((2, 21.04), (60, 19.6), (90, 14.1), (100, 10.1), (115, 1e-6))
    ]
    found = documents(capsys, "deviation", *files[:2], "--edge", "65")
    assert [one["temperature_k"] for one in found] == [2.0, 60.0]
    assert all(1.5 * 21 < one["gap_mev"] < 65 for one in found)  # well above the gap, as its help says
    whole = documents(capsys, "vanishing", *files, "--edge", "65", "--core", "5")
    assert whole["verdict"] == "converged"
    assert whole["tc_low_k"] == 100.0 <= whole["tc_k"] <= whole["tc_high_k"] == 115.0
    assert 0 < whole["upper_limit"] < 0.01
    status, _, err = run(capsys, "vanishing", *files[:3], "--edge", "65")
    assert status == 0
    assert "hotter" in err
    assert run(capsys, "deviation", files[0], "--edge", "95")[0] == 2
    status, out, _ = run(capsys, "deviation", files[0])
    assert "no gap" in out


def test_the_regime_of_a_contact(capsys: pytest.CaptureFixture[str]) -> None:
    found = documents(capsys, "contact", "--resistance", "4.5", "--mean-free-path", "5", "--resistivity", "60")
    path, radius, resistivity = 5e-9, 1e-6 * found["radius_um"], 60e-8
    k = path / radius
    by_hand = 4 * resistivity * path / (3 * math.pi * radius**2)
    by_hand += (1 + 0.83 * k) / (1 + 1.33 * k) * resistivity / (2 * radius)
    assert by_hand == pytest.approx(4.5)
    assert found["regime"] == "thermal"
    assert found["warning"]
    again = documents(
        capsys, "contact", "--radius", str(found["radius_um"]), "--mean-free-path", "5", "--resistivity", "60"
    )
    assert again["resistance_ohm"] == pytest.approx(4.5)
    assert run(capsys, "contact", "--mean-free-path", "5", "--resistivity", "60")[0] == 2


def test_a_weight_plainly_above_one_is_doubtful_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(simulate(tmp_path / "plain_2K.csv", 2.0, 21.04))
    bias, raw = np.loadtxt(file, delimiter=",", skiprows=1).T
    smooth = 0.2 * (1 + 0.1 * bias / 90 + 0.1 * (bias / 90) ** 2)
    high = smooth + 1.25 * (raw - smooth)
    rows = "\n".join(f"{x:.6g},{y:.8g}" for x, y in zip(bias, high, strict=True))
    (tmp_path / "high_2K.csv").write_text(f"bias_mv,conductance\n{rows}\n")
    (found,) = documents(capsys, "fit", str(tmp_path / "high_2K.csv"))
    assert found["weight"] > 1 + 3 * found["weight_sigma"]
    assert found["verdict"] == "doubtful"
    assert "is above 1" in found["reason"]
