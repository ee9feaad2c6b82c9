"""The command ``lebail``: what it prints, its statuses, and what it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydrostruct.cli import main
from hydrostruct.verdict import Verdict

PHASE = ("--wavelength", "0.6199", "--phase", "CeH9-P63mmc")
LINES = ((1, 0, 0, 24), (1, 0, 1, 100), (0, 0, 2, 21), (1, 0, 2, 17), (1, 1, 0, 24), (2, 0, 0, 4), (1, 0, 3, 24))
PATTERN_FIELDS = {
    "file", "verdict", "reason", "rp_percent", "rwp_percent", "rwp_background_corrected_percent", "rexp_percent", "gof",
    "seconds", "phases",
}  # fmt: skip
NUMBERS = ("a_ang", "b_ang", "c_ang", "alpha_deg", "beta_deg", "gamma_deg", "volume_ang3", "volume_per_fu_ang3")
PHASE_FIELDS = {"verdict", "detected", "significance", "share", "share_sigma", "free_lines"} | {
    f"{name.rsplit('_', 1)[0]}{kind}_{name.rsplit('_', 1)[1]}"
    for name in NUMBERS
    for kind in ("", "_sigma", "_systematic", "_statistical")
}


def simulate(path: Path, *, seed: int = 1, a: float = 3.674, c: float = 5.427, height: float = 3000.0) -> Path:
    """Simulated CeH9, its angles from the textbook formula, Gaussian lines, Poisson noise."""
    x = np.linspace(8.0, 24.0, 1500)
    clean = 800.0 - 10.0 * x
    for h, k, l, area in LINES:  # noqa: E741
        inverse = math.sqrt(4 * (h * h + h * k + k * k) / (3 * a * a) + (l / c) ** 2)
        center = math.degrees(2 * math.asin(0.6199 * inverse / 2))
        clean = clean + height * area / 100 * np.exp(-4 * math.log(2) * ((x - center) / 0.08) ** 2)
    counts = np.random.default_rng(seed).poisson(clean)
    rows = "\n".join(f"{p:.5f} {n} {math.sqrt(max(n, 1)):.4f}" for p, n in zip(x, counts, strict=True))
    path.write_text(rows + "\n")
    return path


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    return str(simulate(tmp_path / "scan.xye"))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["lebail", *words])
    out, err = capsys.readouterr()
    return status, out, err


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a refusal."""
    status, out, err = run(capsys, *words)
    assert status == 2
    assert out == ""
    assert "Traceback" not in err
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def documents(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, Any]]:
    found, out, _ = run(capsys, *words, "--json")
    assert found == status

    def no_constant(word: str) -> Any:
        raise AssertionError(f"{word} is not JSON")

    read: list[dict[str, Any]] = json.loads(out, parse_constant=no_constant)
    return read


def test_the_table_has_cells_with_their_uncertainty(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    status, out, err = run(capsys, pattern, *PHASE)
    assert status == 0
    assert err == ""
    row = next(line for line in out.splitlines() if "CeH9-P63mmc" in line).split()
    assert row[2] == "converged"
    assert row[3].startswith("3.67")
    assert row[3].endswith(")")
    assert "GOF" in out
    assert "not a phase fraction" in out


def test_json_has_the_fields_of_the_contract(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    (document,) = documents(capsys, pattern, *PHASE)
    assert set(document) >= PATTERN_FIELDS
    assert document["file"] == pattern
    assert document["verdict"] == "converged"
    assert document["gof"] == pytest.approx(document["rwp_percent"] / document["rexp_percent"])
    found = document["phases"]["CeH9-P63mmc"]
    assert set(found) >= PHASE_FIELDS
    assert abs(found["a_ang"] - 3.674) < 4 * found["a_sigma_ang"]
    assert found["b_sigma_ang"] == pytest.approx(found["a_sigma_ang"])
    assert found["gamma_deg"] == 120.0
    assert found["gamma_sigma_deg"] == 0.0
    assert found["volume_per_fu_ang3"] == pytest.approx(found["volume_ang3"] / 2)
    assert found["volume_per_fu_sigma_ang3"] == pytest.approx(found["volume_sigma_ang3"] / 2)
    assert found["a_systematic_ang"] is None
    assert found["share"] == pytest.approx(1.0)
    assert found["detected"] is True


def test_the_systematic_part_is_there_when_its_cause_is_given(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    (document,) = documents(capsys, pattern, *PHASE, "--wavelength-sigma", "0.00006199")
    found = document["phases"]["CeH9-P63mmc"]
    assert found["a_systematic_ang"] == pytest.approx(1e-4 * found["a_ang"], rel=1e-3)


@pytest.mark.parametrize("words", [("--method", "le-bail"), ("--loss", "soft-l1"), ("--loss", "cauchy")])
def test_another_method_or_loss_gives_the_same_cell_where_nothing_is_wrong(
    capsys: pytest.CaptureFixture[str], pattern: str, words: tuple[str, str]
) -> None:
    plain, other = (documents(capsys, pattern, *PHASE, *more)[0]["phases"]["CeH9-P63mmc"] for more in ((), words))
    assert abs(other["a_ang"] - plain["a_ang"]) < plain["a_sigma_ang"]
    assert other["a_ang"] != plain["a_ang"]
    assert other["a_sigma_ang"] == pytest.approx(plain["a_sigma_ang"], rel=0.3)


def test_what_is_not_known_is_null(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    (document,) = documents(capsys, pattern, *PHASE, "--phase", "CeH4-I4mmm", status=0)
    found = document["phases"]["CeH4-I4mmm"]
    assert found["verdict"] == "absent"
    assert found["a_ang"] is None
    assert found["volume_per_fu_sigma_ang3"] is None
    assert "CeH4-I4mmm: absent." in document["reason"]


def test_the_python_way_gives_the_same_numbers(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    import hydrostruct as hs

    (document,) = documents(capsys, pattern, *PHASE, "--range", "9", "23")
    fit = hs.fit_pattern(
        hs.read_pattern(pattern, wavelength_ang=0.6199), [hs.read_phase("CeH9-P63mmc")], two_theta_deg=(9, 23)
    )
    found = document["phases"]["CeH9-P63mmc"]
    assert found["a_ang"] == fit.phases["CeH9-P63mmc"].a_ang
    assert found["c_sigma_ang"] == fit.phases["CeH9-P63mmc"].c_sigma_ang
    assert document["rwp_percent"] == fit.rwp_percent


def test_an_equation_of_state_gives_the_start_and_a_cell_given_changes_part_of_it() -> None:
    from hydrostruct.cli.lebail_words import start_cells
    from hydrostruct.material.phase import cell_at, read_phase

    rhenium = read_phase("Re")
    moved = cell_at(rhenium, 95.0).cell
    assert start_cells(["Re"], [rhenium], [], 95.0)["Re"].a_ang == moved.a_ang
    given = start_cells(["Re"], [rhenium], ["Re:a=2.6"], 95.0)["Re"]
    assert given == {"a_ang": 2.6, "c_ang": moved.c_ang}


def test_only_words_of_the_verdict_are_used(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    (document,) = documents(capsys, pattern, *PHASE)
    words = {verdict.value for verdict in Verdict}
    assert {document["verdict"], *(found["verdict"] for found in document["phases"].values())} <= words


def test_a_glob_is_opened_in_natural_order(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for number in (11, 2, 1):
        simulate(tmp_path / f"map_{number}.xye", seed=number)
    found = documents(capsys, str(tmp_path / "map_*.xye"), *PHASE)
    assert [Path(one["file"]).name for one in found] == ["map_1.xye", "map_2.xye", "map_11.xye"]


def test_files_given_one_by_one_keep_their_order(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = [str(simulate(tmp_path / f"map_{number}.xye", seed=number)) for number in (2, 1)]
    assert [one["file"] for one in documents(capsys, *names, *PHASE)] == names


def test_a_glob_that_matches_nothing_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "none_*.xye: no file matches" in refused(capsys, str(tmp_path / "none_*.xye"), *PHASE)


def test_a_name_with_brackets_is_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(simulate(tmp_path / "scan[1].xye"))
    assert documents(capsys, path, *PHASE)[0]["file"] == path


@pytest.mark.parametrize("bad", ["missing", "junk", "one line", "no sigma", "out of range", "short"])
def test_one_bad_file_among_good_ones_does_not_stop_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bad: str
) -> None:
    names = [simulate(tmp_path / f"p{number}.xye", seed=number) for number in (1, 2, 3)]
    contents = {
        "junk": bytes(range(256)),
        "one line": b"8.0 1 1\n",
        "no sigma": b"8.0 1 1\n9.0 1 -1\n",
        "out of range": "".join(f"{30 + 0.01 * i:.2f} 100 10\n" for i in range(500)).encode(),
        "short": "".join(f"{9 + i:.2f} 100 10\n" for i in range(12)).encode(),
    }
    if bad == "missing":
        names[1].unlink()
    else:
        names[1].write_bytes(contents[bad])
    words = (*map(str, names), *PHASE, "--range", "9", "23")
    status, out, err = run(capsys, *words, "--json")
    assert status == 1
    found = json.loads(out)
    assert [one["verdict"] for one in found] == ["converged", "failed", "converged"]
    assert set(found[1]) >= PATTERN_FIELDS
    assert found[1]["phases"] == {}
    assert found[1]["rwp_percent"] is None
    assert "p2.xye" in found[1]["reason"]
    assert sum("p2.xye" in line for line in err.splitlines()) == 1
    status, out, err = run(capsys, *words)
    assert status == 1
    assert "p2.xye" in err


def test_all_bad_files_give_status_one_and_a_line_each(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = [str(tmp_path / f"p{number}.xye") for number in (1, 2)]
    status, _, err = run(capsys, *names, *PHASE)
    assert status in (1, 2)
    assert all(any(name in line for line in err.splitlines()) for name in names)


def test_a_wrong_option_is_status_two_however_many_patterns_there_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = [str(simulate(tmp_path / f"p{number}.xye", seed=number)) for number in (1, 2)]
    assert "Expected the lower angle first" in refused(capsys, *names, *PHASE, "--range", "24", "8")
    assert "Did you mean 'zero'?" in refused(capsys, *names, *PHASE, "--free", "zro")


def test_no_phase_found_is_status_one_with_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(simulate(tmp_path / "empty.xye", height=0.0))
    status, out, err = run(capsys, path, *PHASE, "--json")
    assert status == 1
    assert json.loads(out)[0]["verdict"] == "absent"
    assert "attention: " in err
    assert "empty.xye" in err


def test_two_columns_say_that_sigma_is_the_root(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    path = tmp_path / "two.xy"
    path.write_text("\n".join(" ".join(line.split()[:2]) for line in Path(pattern).read_text().splitlines()))
    status, out, err = run(capsys, str(path), *PHASE, "--json")
    assert status == 0
    assert "sigma is the square root of max(intensity, 1)" in err
    assert abs(json.loads(out)[0]["gof"] - 1) < 0.1


def test_descending_angles_are_fitted_and_it_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    path = tmp_path / "down.xye"
    path.write_text("\n".join(reversed(Path(pattern).read_text().splitlines())))
    status, out, err = run(capsys, str(path), *PHASE, "--json")
    assert status == 0
    assert "have been sorted" in err
    assert json.loads(out)[0]["phases"]["CeH9-P63mmc"]["a_ang"] == pytest.approx(3.674, abs=2e-3)


def test_sigmas_all_zero_are_fitted_and_it_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    path = tmp_path / "zero.xye"
    path.write_text("\n".join(" ".join([*line.split()[:2], "0"]) for line in Path(pattern).read_text().splitlines()))
    status, _, err = run(capsys, str(path), *PHASE)
    assert status == 0
    assert "All uncertainties in the file are 0" in err


def test_excluded_regions_can_be_repeated(capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "spots.xye"
    rows = [line.split() for line in Path(pattern).read_text().splitlines()]
    for row in rows:
        if 11.4 < float(row[0]) < 11.8 or 15.0 < float(row[0]) < 15.3:
            row[1] = "900000"
    path.write_text("\n".join(" ".join(row) for row in rows))
    words = ("--exclude", "11.4", "11.8", "--exclude", "15.0", "15.3")
    (document,) = documents(capsys, str(path), *PHASE, *words)
    assert abs(document["gof"] - 1) < 0.1
    (other,) = documents(capsys, str(path), *words, *PHASE)
    assert other["phases"] == document["phases"]


def test_start_cells_and_words_to_free_are_understood(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    words = ("--cell", "CeH9-P63mmc:a=3.70,c=5.45", "--background", "5", "--free", "zero", "--fix", "CeH9-P63mmc:size")
    (document,) = documents(capsys, pattern, *PHASE, *words)
    found = document["phases"]["CeH9-P63mmc"]
    assert abs(found["a_ang"] - 3.674) < 4 * found["a_sigma_ang"]
    assert document["background_terms"] == 5


def test_a_phase_from_a_users_file_goes_by_the_name_given(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    from hydrostruct.material.phase import read_phase

    path = tmp_path / "mine.toml"
    text = Path(read_phase("CeH9-P63mmc").source).read_text().replace('"CeH9-P63mmc"', '"mine"')
    path.write_text("\n".join(line for line in text.splitlines() if not line.startswith("atoms")))
    words = ("--wavelength", "0.6199", "--phase", str(path), "--cell", f"{path}:a=3.68,c=5.43")
    (document,) = documents(capsys, pattern, *words)
    assert next(iter(document["phases"].values()))["a_ang"] == pytest.approx(3.674, abs=2e-3)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--wavelength", "0.6199", "--phase", "CeH9-P63mc"), "CeH9-P63mmc"),
        (("--wavelength", "0.6199"), "--phase"),
        (("--phase", "CeH9-P63mmc"), "--wavelength"),
        (("--wavelength", "6.199e-11", "--phase", "CeH9-P63mmc"), "In metres? Then give 0.6199."),
        (("--wavelength", "0.06199", "--phase", "CeH9-P63mmc"), "In nanometres? Then give 0.6199."),
        (("--wavelength", "20", "--phase", "CeH9-P63mmc"), "An energy in keV? Then give 0.619921."),
        (("--wavelength", "nan", "--phase", "CeH9-P63mmc"), "wavelength"),
        (("--wavelength", "green", "--phase", "CeH9-P63mmc"), "green"),
        ((*PHASE, "--range", "24", "8"), "Expected the lower angle first"),
        ((*PHASE, "--range", "8", "x"), "x"),
        ((*PHASE, "--range", "8", "9"), "no line between 8° and 9°"),
        ((*PHASE, "--range", "40", "50"), "has no data"),
        ((*PHASE, "--range", "nan", "50"), "Expected the lower angle first"),
        ((*PHASE, "--wavelenght", "1"), "--wavelenght"),
        ((*PHASE, "--cell", "CeH9-P63mmc"), "--cell"),
        ((*PHASE, "--cell", "nonsense"), "Expected NAME:a=…,c=…"),
        ((*PHASE, "--cell", "CeH9-P63mmc:a=x"), "'x' is not a number"),
        ((*PHASE, "--cell", "CeH9-P63mmc:q=3"), "'q=3' is not understood"),
        ((*PHASE, "--cell", "CeH9-P63mmc:b=3"), "'b_ang' is not free in a hexagonal cell"),
        ((*PHASE, "--cell", "CeH9-P63mmc:a=0"), "no volume"),
        ((*PHASE, "--cell", "CeH9-P63mmc:a=-3,c=5"), "no volume"),
        ((*PHASE, "--cell", "CeH9-P63mmc:a=inf"), "cell"),
        ((*PHASE, "--cell", "CeH9:a=3"), "Did you mean 'CeH9-P63mmc'?"),
        ((*PHASE, "--exclude", "11.4"), "--exclude"),
        ((*PHASE, "--exclude", "12", "11"), "the excluded region runs from 12 to 11"),
        ((*PHASE, "--exclude", "a", "b"), "'a b' is not a region"),
        ((*PHASE, "--exclude", "7", "25"), "0 measured points"),
        ((*PHASE, "--background", "many"), "'many' is not a number of terms"),
        ((*PHASE, "--background", "0"), "Expected 'auto' or 1 to 60 terms"),
        ((*PHASE, "--background", "²"), "is not a number of terms"),
        ((*PHASE, "--free", "zro"), "Did you mean 'zero'?"),
        ((*PHASE, "--search", "hard"), "Expected one of auto, never, always"),
        ((*PHASE, "--phase", "CeH9-P63mmc"), "2 times"),
        ((*PHASE, "--phase", "CeH8"), "its cell is not known"),
        ((*PHASE, "--phase", "none.cif"), "none.cif"),
    ],
)
def test_wrong_words_are_refused_in_one_line_that_names_them(
    capsys: pytest.CaptureFixture[str], pattern: str, words: tuple[str, ...], expected: str
) -> None:
    assert expected in refused(capsys, pattern, *words)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"8.0 100 10\n", "1 row(s) of numbers"),
        (bytes(range(256)) * 20, "binary data"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 200, "numbers"),
        (b"8 1 1\n9 2 1\n10 oops 1\n11 3 1\n", "line 3"),
        (b"8 1 1\n9 2 0\n10 2 1\n", "sigma is 0 at 1 of 3 points"),
        (b"8 1 1\n9 2 -1\n10 2 1\n", "sigma is -1 at 1 of 3 points"),
        (b"8 nan 1\n9 nan 1\n10 nan 1\n", "no intensity is a number"),
        (b"8 1 1\nnan 2 1\n10 3 1\n", "1 angle(s) are not numbers"),
        (b"8 1 1\n8 2 1\n10 3 1\n", "without repeats"),
        (b"8 1 1\n9 2 1\n10 3 1\n", "3 measured points"),
        (b"# q_nm^-1 I\n8 1 1\n9 2 1\n10 3 1\n", "the axis is not 2"),
    ],
)
def test_a_file_that_is_no_pattern_is_refused_in_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "bad.xye"
    path.write_bytes(content)
    line = refused(capsys, str(path), *PHASE)
    assert "bad.xye" in line
    assert expected in line


def test_some_points_that_are_nan_are_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    rows = [line.split() for line in Path(pattern).read_text().splitlines()]
    for row in rows[100:120]:
        row[1] = "nan"
    path = tmp_path / "gap.xye"
    path.write_text("\n".join(" ".join(row) for row in rows))
    assert documents(capsys, str(path), *PHASE)[0]["verdict"] == "converged"


def test_a_missing_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no such file" in refused(capsys, str(tmp_path / "none.xye"), *PHASE)


def test_nothing_free_is_a_fit_of_intensities(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    (document,) = documents(capsys, pattern, *PHASE, "--fix", "cell", "--fix", "size", "--search", "never")
    assert document["phases"]["CeH9-P63mmc"]["a_sigma_ang"] == 0


def test_figures_are_drawn_on_request(capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str) -> None:
    status, _, err = run(capsys, pattern, *PHASE, "--figure", str(tmp_path / "figures"))
    assert status == 0
    assert (tmp_path / "figures" / "scan_lebail.png").stat().st_size > 5000
    assert "scan_lebail.png" in err


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert "Example: hydrostruct lebail" in " ".join(out.split())


def test_a_shift_that_was_freed_is_told(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    one = documents(capsys, pattern, *PHASE, "--free", "zero")[0]
    assert abs(one["zero_deg"]) < 4 * one["zero_sigma_deg"] < 0.1
    assert one["displacement"] == one["displacement_sigma"] == 0.0
    assert f"{pattern}: zero " in run(capsys, pattern, *PHASE, "--free", "zero")[1]
    assert "of the distance" in run(capsys, pattern, *PHASE, "--free", "displacement")[1]
    assert "zero" not in run(capsys, pattern, *PHASE)[1]


def test_the_displacement_of_a_flat_specimen_is_told(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    flat = ("--geometry", "bragg-brentano", "--free", "displacement")
    assert "of the goniometer's radius" in run(capsys, pattern, *PHASE, *flat)[1]
    assert documents(capsys, pattern, *PHASE, *flat)[0]["geometry"] == "bragg-brentano"
    status, _, err = run(capsys, pattern, *PHASE, "--geometry", "bragg")
    assert status == 2
    assert "'bragg-brentano'" in err


def test_the_table_shows_the_systematic_part_only_where_its_cause_is_given(
    capsys: pytest.CaptureFixture[str], pattern: str
) -> None:
    assert "systematic" not in run(capsys, pattern, *PHASE)[1]
    shown = run(capsys, pattern, *PHASE, "--wavelength-sigma", "0.00006199")[1]
    assert "systematic, common to all patterns: a 0.00037 Å, b 0.00037 Å, c 0.00054 Å, V 0.019 Å³" in shown


def test_a_failed_pattern_has_the_fields_of_the_others(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    good, bad = documents(capsys, pattern, str(Path(pattern).with_name("none.xye")), *PHASE, status=1)
    assert set(bad) == set(good)
    assert bad["gof"] is None
    assert bad["warnings"] == bad["foreign_lines_deg"] == []


def test_a_note_names_its_pattern_when_there_are_several(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good, turned, again = (simulate(tmp_path / f"{name}.xye", seed=2) for name in ("good", "turned", "again"))
    turned.write_text("\n".join(reversed(turned.read_text().splitlines())))
    err = run(capsys, str(good), str(turned), *PHASE)[2]
    assert f"note: {turned}: The angles were not in rising order" in err
    again.write_text(turned.read_text())
    err = run(capsys, str(good), str(turned), str(again), *PHASE)[2]
    assert "note: 2 patterns: The angles were not in rising order" in err


def test_figures_of_one_name_in_two_folders_are_two(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files.append(str(simulate(tmp_path / name / "scan.xye")))
    run(capsys, *files, *PHASE, "--figure", str(tmp_path / "figures"))
    assert len(list((tmp_path / "figures").glob("*.png"))) == 2


@pytest.mark.parametrize("pressure", ["nan", "-1", "1e9"])
def test_a_pressure_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], pattern: str, pressure: str) -> None:
    assert "Expected GPa, from 0 to 2000" in refused(capsys, pattern, *PHASE, "--pressure", pressure)


def test_a_stress_is_taken_off_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(10.0, 30.0, 1500)
    counts = np.full(x.size, 200.0)
    for square, height in ((3, 900.0), (4, 500.0), (8, 300.0), (11, 350.0)):
        centre = 2 * np.degrees(np.arcsin(0.6199 / 2 * np.sqrt(square) / 3.85))
        counts += height * np.exp(-4 * np.log(2) * ((x - centre) / 0.08) ** 2)
    pattern = tmp_path / "gold.xy"
    np.savetxt(pattern, np.column_stack((x, np.random.default_rng(1).poisson(counts))))
    words = ["lebail", str(pattern), "--wavelength", "0.6199", "--phase", "Au", "--cell", "Au:a=3.86"]
    assert main([*words, "--stress", "Au:0.002", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)[0]["phases"]["Au"]
    assert found["stress"] == 0.002
    assert found["stress_volume_ang3"] == pytest.approx(0.006 * found["volume_ang3"], rel=0.1)
    assert "without it V would read" in err
    assert main([*words, "--stress", "Au=0.002"]) == 2
    assert "Expected NAME:Q" in capsys.readouterr().err


def test_the_instruments_widths_are_taken_from_their_file_and_held(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    import hydrostruct as hs

    widths = hs.write_widths(hs.Widths(w_deg2=0.0049, size_deg=0.004), tmp_path / "widths.toml", about={})
    (document,) = documents(capsys, pattern, *PHASE, "--instrument", str(widths))
    fit = hs.fit_pattern(
        hs.read_pattern(pattern, wavelength_ang=0.6199),
        [hs.read_phase("CeH9-P63mmc")],
        instrument=hs.read_widths(widths),
    )
    found, mine = document["phases"]["CeH9-P63mmc"], fit.phases["CeH9-P63mmc"]
    assert found["instrument"]["size_deg"] == 0.004
    assert found["widths"]["w_deg2"] == 0.0049
    assert found["widths_sigma"]["w_sigma_deg2"] == 0.0
    assert found["widths_sigma"]["size_sigma_deg"] == mine.widths_sigma.size_sigma_deg > 0
    assert found["own_size_deg"] == mine.own_size_deg == pytest.approx(found["widths"]["size_deg"] - 0.004)
    assert found["a_ang"] == mine.a_ang
    assert found["a_sigma_ang"] == mine.a_sigma_ang
    assert "no such file" in refused(capsys, pattern, *PHASE, "--instrument", str(tmp_path / "none.toml"))
    assert "hold it" in refused(capsys, pattern, *PHASE, "--instrument", str(widths), "--free", "w")


def test_what_was_freed_is_told_with_its_uncertainty(capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    name = "CeH9-P63mmc"
    words = ("--free", f"{name}:strain", "--free", f"{name}:strain_axis", "--free", "u", "--free", "stress_shape")
    (document,) = documents(capsys, pattern, *PHASE, *words)
    found = document["phases"][name]
    assert found["stress_shape_sigma"] > 0
    assert found["widths_sigma"]["u_sigma_deg2"] > 0
    assert found["strain_oblique_sigma_deg2"] == 0.0  # was not freed
    for value, sigma in (
        (found["strain_axis_deg"], found["strain_axis_sigma_deg"]),
        (found["widths"]["strain_deg"], found["widths_sigma"]["strain_sigma_deg"]),
    ):
        assert value >= 0
        assert (sigma is None) == (value == 0.0)  # on its limit there is no sigma
    shown = next(line for line in run(capsys, pattern, *PHASE, *words)[1].splitlines() if "strain_axis" in line)
    assert shown.startswith(f"{pattern}: {name}: u ")
    assert "stress_shape " in shown
    assert "strain_oblique" not in shown
    assert "strain" not in run(capsys, pattern, *PHASE)[1]


COMMON = ("--common", "zero", "--common", "widths", "--common", "background")


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Four patterns of one phase whose cell grows."""
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(8, 12):
        simulate(folder / f"map_{number}.xye", seed=number, a=3.664 + 0.001 * number)
    return folder


def test_patterns_with_something_in_common_are_one_fit(capsys: pytest.CaptureFixture[str], series: Path) -> None:
    import hydrostruct as hs

    found = documents(capsys, str(series), *PHASE, *COMMON)
    names = [f"map_{number}.xye" for number in range(8, 12)]
    assert [Path(one["file"]).name for one in found] == names
    patterns = [hs.read_pattern(series / name, wavelength_ang=0.6199) for name in names]
    whole = hs.fit_map(patterns, [hs.read_phase("CeH9-P63mmc")])
    apart = documents(capsys, str(series / "*.xye"), *PHASE, "--free", "zero")
    for one, fit, alone in zip(found, whole.fits, apart, strict=True):
        assert set(one) == set(alone)
        assert one["zero_deg"] == found[0]["zero_deg"] == fit.zero_deg
        mine, other = one["phases"]["CeH9-P63mmc"], alone["phases"]["CeH9-P63mmc"]
        assert mine["a_ang"] == fit.phases["CeH9-P63mmc"].a_ang
        assert mine["widths"] == found[0]["phases"]["CeH9-P63mmc"]["widths"]
        assert mine["a_sigma_ang"] < 0.8 * other["a_sigma_ang"]
    status, out, err = run(capsys, str(series), *PHASE, *COMMON)
    assert status == 0
    assert "map_11.xye" in out
    assert "note: One fit of 4 points, converged" in err
    assert "zero " in err


def test_a_bad_file_stops_no_fit_of_the_others_together(capsys: pytest.CaptureFixture[str], series: Path) -> None:
    (series / "map_9.xye").write_text("")
    status, out, err = run(capsys, str(series), *PHASE, *COMMON, "--json")
    assert status == 1
    assert [one["verdict"] for one in json.loads(out)] == ["converged", "failed", "converged", "converged"]
    assert "One fit of 3 points" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--common", "zer"), "Did you mean 'zero'?"),
        (("--common", "zero", "--common", "displacement"), "zero and displacement are both common"),
        (("--common", "zero", "--method", "le-bail"), "Expected pawley"),
        (("--common", "zero", "--fix", "zero"), "zero is common and held"),
        (("--common", "zero", "--free", "displacement"), "zero is common and displacement is free"),
        (("--common", "widths", "--range", "24", "8"), "Expected the lower angle first"),
    ],
)
def test_what_cannot_be_in_common_is_refused(
    capsys: pytest.CaptureFixture[str], series: Path, words: tuple[str, ...], expected: str
) -> None:
    assert expected in refused(capsys, str(series), *PHASE, *words)


def test_one_pattern_has_nothing_in_common_and_an_empty_folder_no_pattern(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    assert "1 pattern(s) can be fitted. Expected 2 or more" in refused(capsys, pattern, *PHASE, "--common", "zero")
    none = str(tmp_path / "none.xye")
    assert "no such file" in refused(capsys, pattern, none, *PHASE, "--common", "zero")
    (tmp_path / "empty").mkdir()
    assert "the folder has no pattern" in refused(capsys, str(tmp_path / "empty"), *PHASE)


def test_an_axis_that_is_not_two_theta_is_suspected(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str
) -> None:
    angle, counts, sigma = np.loadtxt(pattern).T
    q_per_ang = 4 * np.pi / 0.6199 * np.sin(np.radians(angle / 2))
    path = tmp_path / "q.xye"
    np.savetxt(path, np.column_stack((q_per_ang, counts, sigma)))
    assert "that the first column is 2θ in degrees" in refused(capsys, str(path), *PHASE)
    np.savetxt(path, np.column_stack((10 * q_per_ang, counts, sigma)))
    _, _, err = run(capsys, str(path), *PHASE)
    assert "the first column is 2θ in degrees: from Q or d it is 2 arcsin" in err
    assert "first column" not in run(capsys, pattern, *PHASE)[2]
