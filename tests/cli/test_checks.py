"""What is refused before any work, and what a figure of simulated data says."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hydrostruct.cli.checks import check_above_zero, check_folder, check_not_negative, figure_title
from hydrostruct.cli.main import main
from hydrostruct.errors import InputError
from hydrostruct.tables import says_simulated


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_an_option_that_is_no_number_is_named(value: float) -> None:
    with pytest.raises(InputError, match="--tc-sigma is"):
        check_not_negative(tc_sigma=value)
    with pytest.raises(InputError, match="--tc-sigma is"):
        check_above_zero(tc_sigma=value)
    check_not_negative(tc_sigma=0.0, other=None)
    check_above_zero(tc_sigma=1e-3, other=None)


def test_a_folder_below_a_file_is_refused_and_a_good_one_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"--out .*cannot be written"):
            check_folder("--out", folder)
    check_folder("--out", tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    assert main(["demo", "--out", str(tmp_path / "file")]) == 2


def test_a_header_says_whether_the_data_are_simulated(tmp_path: Path) -> None:
    said, silent, late = (tmp_path / name for name in ("said.csv", "silent.csv", "late.csv"))
    said.write_text("# SIMULATED by a program\na,b\n1,2\n3,4\n")
    silent.write_text("a,b\n1,2\n3,4\n")
    late.write_text("a,b\n1,2\n# simulated\n3,4\n")
    assert [says_simulated(path) for path in (said, silent, late, tmp_path / "none")] == [True, False, False, False]
    assert figure_title([str(said)], "x") == "x (simulated)"
    assert figure_title([str(silent)], "x") == "x"
    assert figure_title([str(silent), str(said)]) == "simulated"
