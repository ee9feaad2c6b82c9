"""The application as a whole: what it loads, its version, its errors."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hydrostruct
from hydrostruct.cli import main

HEAVY = (
    "pyFAI", "fabio", "h5py", "hdf5plugin", "lmfit", "pymatgen", "spglib", "peritheos", "numba", "matplotlib", "plotly",
    "pydantic", "scipy", "numpy",
)  # fmt: skip


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=120)


def loaded_after(code: str) -> set[str]:
    done = python("-c", f"import sys\n{code}\nprint('LOADED', *sys.modules)")
    assert done.returncode == 0, done.stderr
    names = next(line for line in done.stdout.splitlines() if line.startswith("LOADED")).split()
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_and_version_load_no_heavy_library(words: list[str]) -> None:
    found = loaded_after(f"from hydrostruct.cli.main import main\nmain({words!r})")
    assert not found & set(HEAVY)


@pytest.mark.parametrize("words", [["lebail", "--help"], ["nonsense"]])
def test_help_of_a_command_loads_only_what_its_parser_asks_for(words: list[str]) -> None:
    found = loaded_after(f"from hydrostruct.cli.main import main\nmain({words!r})")
    assert found & set(HEAVY) <= {"pydantic"}  # typer opens it for the annotations of a command


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert not loaded_after("import hydrostruct") & {*HEAVY, "typer", "rich"}


def test_every_public_name_can_be_loaded_and_is_listed() -> None:
    for name in hydrostruct.__all__:
        assert getattr(hydrostruct, name) is not None
    assert set(hydrostruct.__all__) <= set(dir(hydrostruct))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'fit_patern'"):
        _ = hydrostruct.fit_patern


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"hydrostruct {hydrostruct.__version__}"
    assert re.match(r"\d+\.\d+", hydrostruct.__version__)


def test_python_dash_m_is_the_command_line() -> None:
    done = python("-m", "hydrostruct", "--version")
    assert done.returncode == 0
    assert done.stdout.strip() == f"hydrostruct {hydrostruct.__version__}"
    wrong = python("-m", "hydrostruct", "lebail", "none.xye", "--wavelength", "0.6", "--phase", "nonsense")
    assert wrong.returncode == 2
    assert len(wrong.stderr.strip().splitlines()) == 1
    assert wrong.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["lebail"], "Missing"),
        (["lebail", "a.xye", "--wavelength"], "--wavelength"),
    ],
)
def test_errors_of_the_command_line_itself_are_one_plain_line(
    capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert expected in err
    assert "See 'hydrostruct --help'." in err
    assert "╭" not in err


def test_without_a_word_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([])
    shown = capsys.readouterr()
    assert status == 0
    assert "lebail" in shown.out
    assert shown.err == ""


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m hydrostruct phases --json | head -c 10",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "Traceback" not in done.stderr


def test_a_fault_of_the_program_is_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: object) -> None:
        raise OverflowError("too\nlarge")

    monkeypatch.setattr("hydrostruct.material.phase.read_phase", fail)
    monkeypatch.delenv("HYDROSTRUCT_TRACEBACK")
    assert main(["phases", "Pt"]) == 2
    shown = capsys.readouterr()
    assert len(shown.err.strip().splitlines()) == 1
    assert "hydrostruct itself failed (OverflowError: too large)" in shown.err
    monkeypatch.setenv("HYDROSTRUCT_TRACEBACK", "1")
    with pytest.raises(OverflowError):
        main(["phases", "Pt"])
