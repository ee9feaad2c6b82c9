from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from hydrostruct.cli.phases import phases
from hydrostruct.errors import InputError

app = typer.Typer(add_completion=False)
app.command()(phases)


def _run(*arguments: str) -> None:
    app(list(arguments), standalone_mode=False)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    _run(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_without_a_name_the_library_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _run()
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 34
    paper = next(row for row in rows if row.startswith("CeH9-P63mmc"))
    assert paper.split()[1:4] == ["CeH9", "P6_3/mmc", "2"]
    assert "31.720" in paper
    assert "n/a" in next(row for row in rows if row.startswith("CeH8 "))


def test_the_listing_as_json_has_null_where_nothing_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    library = _json(capsys)
    assert isinstance(library, list)
    by_name = {entry["name"]: entry for entry in library}
    assert len(by_name) == 33
    assert by_name["CeH8"]["a_ang"] is None
    assert by_name["CeH9-P63mmc"]["a_sigma_ang"] == 0.004
    assert by_name["Pt"]["equations_of_state"][0]["primary_standard"]


def test_the_command_of_the_readme_shows_cell_volume_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    _run("CeH9-P63mmc", "--pressure", "95", "--wavelength", "0.6199")
    out, err = capsys.readouterr()
    assert "31.720(73)" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["1", "0", "1", "12", "2.74482", "12.9676", "100.0"] in rows
    null = [row for row in rows if row and row[-1] == "Ce-null"]
    assert [row[:3] for row in null] == [["3", "0", "1"], ["3", "0", "3"]]
    assert "cannot be moved to 95 GPa" in err


def test_an_equation_of_state_moves_the_cell(capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(
        capsys, "Pt", "--pressure", "90", "--eos", "fei2007", "--wavelength", "0.6199", "--range", "15", "20"
    )
    assert isinstance(record, dict)
    moved = record["at_pressure"]
    assert moved["eos"] == "fei2007"
    assert moved["extrapolated"] is False
    assert [line["hkl"] for line in record["lines"]] == [[1, 1, 1], [2, 0, 0]]
    assert 0 < moved["volume_per_fu_sigma_ang3"] < 0.02


def test_outside_its_data_an_equation_of_state_answers_extrapolated(capsys: pytest.CaptureFixture[str]) -> None:
    _run("Pt", "--pressure", "100")
    out, err = capsys.readouterr()
    assert "cell at 100 GPa (by fei2007, extrapolated): a = 3.65398 Å" in out
    assert "extrapolated with fei2007; its data end at 0 and 94 GPa" in err


def test_a_file_works_like_a_name(capsys: pytest.CaptureFixture[str], shared_data: Path) -> None:
    for path in ("jcpds/dioptas/re.jcpds", "jcpds/dioptas/hcp.cif", "eos/feh2.eosmat"):
        _run(str(shared_data / path), "--wavelength", "0.4")
        assert "2theta_deg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("CeH9-P63mc",), "Did you mean 'CeH9-P63mmc'"),
        (("Pt", "--pressure", "-5"), "--pressure is -5. Expected GPa"),
        (("Pt", "--pressure", "nan"), "--pressure is nan"),
        (("Pt", "--pressure", "9.5e10"), "Expected GPa, from 0 to 2000"),
        (("Pt", "--wavelength", "0.06199"), "Expected Å, from 0.1 to 2.5"),
        (("Pt", "--wavelength", "61.99"), "Expected Å"),
        (("Pt", "--wavelength", "0.6199", "--range", "25", "5"), "two rising angles"),
        (("Pt", "--range", "5", "25"), "--range needs a wavelength"),
        (("Pt", "--eos", "fei"), "Expected one of fei2007"),
        (("CeH9-P63mmc", "--eos", "fei"), "no reliable equation of state"),
        (("H2", "--wavelength", "0.6199"), "its cell is not known"),
        (("--pressure", "95"), "no phase is named"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        _run(*arguments)
    assert message in str(caught.value)


def test_help_has_an_example_and_loads_no_heavy_library() -> None:
    code = (
        "import sys, typer\n"
        "from hydrostruct.cli.phases import phases\n"
        "app = typer.Typer(rich_markup_mode=None); app.command()(phases)\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('pymatgen', 'spglib', 'peritheos', 'scipy', 'numpy') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "hydrostruct phases CeH9-P63mmc --pressure 95" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_listing_the_library_loads_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from hydrostruct.material.phase import phase_names, read_phase\n"
        "for name in phase_names(): read_phase(name)\n"
        "print([m for m in ('pymatgen', 'spglib', 'peritheos') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_without_formula_units_shows_the_volume_of_its_cell(
    capsys: pytest.CaptureFixture[str], shared_data: Path
) -> None:
    _run(str(shared_data / "jcpds" / "dioptas" / "pt.jcpds"), "--pressure", "20")
    assert "volume of the cell: 56.7" in capsys.readouterr().out
