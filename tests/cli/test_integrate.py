"""The command ``integrate``: what it writes, prints and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import fabio.tifimage
import h5py
import numpy as np
import pytest

from hydrostruct.cli import main
from hydrostruct.xrd.pattern import read_pattern

SHAPE = (300, 280)
PIXEL_M = 1.72e-4
PONI = f"""PixelSize1: {PIXEL_M}
PixelSize2: {PIXEL_M}
Distance: 0.2
Poni1: 0.02
Poni2: 0.03
Rot1: 0.0
Rot2: 0.0
Rot3: 0.0
Wavelength: 6.2e-11
"""


def ring_image(seed: int = 1) -> np.ndarray[Any, Any]:
    row, column = np.indices(SHAPE) + 0.5
    angle = np.degrees(np.arctan(np.hypot(row * PIXEL_M - 0.02, column * PIXEL_M - 0.03) / 0.2))
    rings = sum(np.exp(-0.5 * ((angle - centre) / 0.06) ** 2) for centre in np.arange(2.0, 12.0, 1.3))
    return np.random.default_rng(seed).poisson(20.0 + 200.0 * rings).astype(np.int32)


def save_tiff(path: Path, image: np.ndarray[Any, Any]) -> Path:
    fabio.tifimage.TifImage(data=image).write(str(path))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cell.poni").write_text(PONI)
    for number in (2, 11):
        save_tiff(tmp_path / f"map_{number}.tif", ring_image(number))
    return tmp_path


def run(folder: Path, *words: str) -> int:
    return main(["integrate", *words, "--geometry", str(folder / "cell.poni"), "--out", str(folder / "out")])


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").glob("*")) if (folder / "out").exists() else []


def test_a_pattern_of_images_becomes_files_of_their_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, str(folder / "map_*.tif"), "--bins", "400", "--range", "2", "10") == 0
    assert written(folder) == ["map_11.xye", "map_2.xye"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["file", "map_2.tif", "map_11.tif"]
    pattern = read_pattern(folder / "out" / "map_2.xye", wavelength_ang=0.62)
    assert pattern.two_theta_deg.size == 400
    assert pattern.sigma_source == "azimuthal"
    top = pattern.two_theta_deg[int(np.argmax(pattern.intensity))]
    assert np.min(np.abs(top - np.arange(2.0, 12.0, 1.3))) < 0.05


def test_json_is_one_document_on_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, str(folder / "map_2.tif"), "--clip", "sigma", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["pattern"].endswith("map_2.xye")
    assert row["spottiness"] == pytest.approx(1.0, abs=0.1)
    assert len(row["clipped"]["peaks_removed_windows"]) == 20
    assert row["notes"] == []


def test_frames_of_a_stack_are_numbered_from_one(folder: Path) -> None:
    with h5py.File(folder / "scan.h5", "w") as file:
        file["entry/data"] = np.array([ring_image(seed) for seed in range(3)])
    assert run(folder, f"{folder / 'scan.h5'}::/entry/data", "--bins", "100") == 0
    assert written(folder) == ["scan_00001.xye", "scan_00002.xye", "scan_00003.xye"]


def test_a_frame_of_a_stack_never_overwrites_the_pattern_of_an_image(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_tiff(folder / "scan_00002.tif", ring_image())
    with h5py.File(folder / "scan.h5", "w") as file:
        file["entry/data"] = np.array([ring_image(seed) for seed in range(3)])
    assert run(folder, str(folder / "scan_00002.tif"), str(folder / "scan.h5"), "--bins", "100") == 1
    assert written(folder) == ["scan_00001.xye", "scan_00002.xye", "scan_00003.xye"]
    assert "scan_00002.xye is already written" in capsys.readouterr().err


def test_a_damaged_image_is_flagged_and_the_others_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (folder / "map_2.tif").read_bytes()
    (folder / "map_1.tif").write_bytes(whole[:1000])
    (folder / "map_3.tif").write_bytes(b"junk" * 100)
    save_tiff(folder / "map_4.tif", np.zeros((10, 10), dtype=np.int32))
    np.save(folder / "map_5.npy", np.full(SHAPE, np.nan))
    assert run(folder, str(folder / "map_*"), "--bins", "100") == 1
    assert written(folder) == ["map_11.xye", "map_2.xye"]
    told = capsys.readouterr().err
    assert [number for number in (1, 2, 3, 4, 5, 11) if f"map_{number}." in told] == [1, 3, 4, 5]
    assert "4 of 6 images could not be integrated" in told


def test_rings_that_lie_off_are_told_with_the_orientation_that_fits(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_tiff(folder / "flipped.tif", ring_image()[::-1])
    assert run(folder, str(folder / "flipped.tif")) == 1
    assert "rings lie off under orientation 3; orientation 2 would fit" in capsys.readouterr().err
    assert written(folder) == ["flipped.xye"]
    assert run(folder, str(folder / "flipped.tif"), "--orientation", "2") == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none_*.tif"], "no file fits this pattern"),
        (["none.tif"], "no such file"),
        (["map_2.tif", "--range", "9", "3"], "Reversed? Then give 3 9"),
        (["map_2.tif", "--bins", "1"], "bins: 1 given"),
        (["map_2.tif", "--polarization", "2"], "polarization: 2 given"),
        (["map_2.tif", "--orientation", "7"], "orientation is 7"),
        (["map_2.tif", "--clip", "spots"], "clip: 'spots' given"),
        (["map_2.tif", "--wavelength", "0.00062"], "wavelength is 0.00062"),
        (["map_2.tif", "--mask", "small.npy"], "small.npy: has 10 x 10 pixels. Expected 300 x 280"),
        (["map_2.tif", "--mask", "gone.npy"], "no such file"),
        (["junk.tif"], "cannot be read as an image"),
        (["short.tif"], "cut short"),
        (["nan.npy"], "no pixel is left"),
        (["map_2.tif", "other/map_2.tif"], "Expected different file names"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(folder)
    np.save("small.npy", np.zeros((10, 10)))
    np.save("nan.npy", np.full(SHAPE, np.nan))
    Path("junk.tif").write_bytes(bytes(range(256)) * 20)
    Path("short.tif").write_bytes(Path("map_2.tif").read_bytes()[:5000])
    Path("other").mkdir()
    save_tiff(Path("other/map_2.tif"), ring_image())
    assert run(folder, *words) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert len(streams.err.strip().splitlines()) == 1
    assert sentence in streams.err
    assert written(folder) == []


def test_a_number_that_is_none_in_the_poni_is_status_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cell.poni").write_text(PONI.replace("Poni2: 0.03", "Poni2: near"))
    assert run(folder, str(folder / "map_2.tif")) == 2
    assert "line 5: 'Poni2' is 'near'. Expected a number" in capsys.readouterr().err


def test_images_of_the_wrong_detector_are_status_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = 'poni_version: 2.1\nDetector: Pilatus1M\nDetector_config: {"orientation": 3}\n'
    (folder / "cell.poni").write_text(config + "\n".join(PONI.split("\n")[2:]))
    assert run(folder, str(folder / "map_2.tif")) == 2
    assert "300 x 280 pixels. Expected 1043 x 981, as the Pilatus1M" in capsys.readouterr().err


def test_a_missing_wavelength_is_told_and_can_be_given(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cell.poni").write_text(PONI.replace("Wavelength: 6.2e-11\n", ""))
    assert run(folder, str(folder / "map_2.tif")) == 2
    assert "no wavelength" in capsys.readouterr().err
    assert run(folder, str(folder / "map_2.tif"), "--wavelength", "0.62") == 0


def test_dark_flat_and_background_are_taken(folder: Path) -> None:
    for name, value in (("dark", 5), ("flat", 1), ("background", 7)):
        save_tiff(folder / f"{name}.tif", np.full(SHAPE, value, dtype=np.int32))
    assert run(folder, str(folder / "map_2.tif"), "--bins", "100") == 0
    plain = read_pattern(folder / "out" / "map_2.xye", wavelength_ang=0.62)
    options = [word for name in ("dark", "flat", "background") for word in (f"--{name}", str(folder / f"{name}.tif"))]
    assert run(folder, str(folder / "map_2.tif"), "--bins", "100", *options) == 0
    corrected = read_pattern(folder / "out" / "map_2.xye", wavelength_ang=0.62)
    assert np.median(plain.intensity - corrected.intensity) == pytest.approx(7.0, abs=0.5)


def test_help_shows_an_example_and_loads_no_heavy_library() -> None:
    code = (
        "import sys; from hydrostruct.cli import main; main(['integrate', '--help']); "
        "print([name for name in ('pyFAI', 'fabio', 'h5py', 'scipy', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "hydrostruct integrate 'xrd/*.tif' --geometry" in done.stdout
    assert done.stdout.strip().endswith("[]")


def test_measured_images_integrate_with_the_mask_of_dioptas(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    iron = shared_data / "fe_bcc_pilatus"
    words = [str(iron / "BCC1_*.tif"), "--geometry", str(iron / "CeO2_cal_Dioptas.poni"), "--out", str(tmp_path)]
    words += ["--mask", str(iron / "DiffractionMask_Dioptas.mask"), "--orientation", "2"]
    assert main(["integrate", *words]) == 0
    assert capsys.readouterr().err == ""
    pattern = read_pattern(tmp_path / "BCC1_2GPa_10s_001_00001.xye", wavelength_ang=0.4066)
    line = 2 * np.degrees(np.arcsin(0.40663 / 2 / 2.0206))
    near = np.abs(pattern.two_theta_deg - line) < 0.1
    away = np.abs(pattern.two_theta_deg - line - 0.5) < 0.1
    assert pattern.intensity[near].max() > 1.3 * pattern.intensity[away].max()


def test_the_table_names_the_file_of_a_stack(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(folder / "scan.h5", "w") as file:
        file["entry/data"] = np.stack([ring_image(1)])
    run(folder, f"{folder / 'scan.h5'}::/entry/data")
    assert "\nscan.h5::/entry/data" in capsys.readouterr().out
