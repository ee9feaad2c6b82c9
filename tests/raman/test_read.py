"""Spectra from files: text of every sort, and the binary forms held against the text beside them."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.raman.spectrum import shift_from_wavelength

SHIFT = np.array([1300.0, 1301.5, 1303.25, 1305.0, 1306.5])
COUNTS = np.array([10.0, 12.0, 30.5, 14.0, 11.0])


def write(folder: Path, text: str, name: str = "s.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("separator", "decimal", "head", "foot"),
    [
        ("\t", ".", "", ""),
        (",", ".", "Raman shift (cm-1),Intensity\n", ""),
        (";", ",", "Verschiebung;Intensität\n", ""),
        ("\t", ",", "#Wave\t\t#Intensity\n", ""),
        ("  ", ".", "# a comment\n\n", ""),
        ("\t", ".", "", "\n\nDate and Time:\tSat Nov 21 2026\nExposure Time (secs): 10\nSlit: 100\n"),
    ],
)
def test_text_of_every_sort_gives_the_same_spectrum(
    tmp_path: Path, separator: str, decimal: str, head: str, foot: str
) -> None:
    rows = [f"{x:.4f}{separator}{y:.3f}" for x, y in zip(SHIFT, COUNTS, strict=True)]
    body = "\n".join(row.replace(".", decimal) for row in rows)
    found = hs.read_spectrum(write(tmp_path, head + body + "\n" + foot, "s.asc"))
    np.testing.assert_allclose(found.shift_cm1, SHIFT)
    np.testing.assert_allclose(found.intensity, COUNTS)


def test_falling_axes_are_turned_and_anti_stokes_shifts_stay_negative(tmp_path: Path) -> None:
    found = hs.read_spectrum(write(tmp_path, "10 1\n0 2\n-10 3\n"))
    assert found.shift_cm1.tolist() == [-10.0, 0.0, 10.0]
    assert found.intensity.tolist() == [3.0, 2.0, 1.0]


def test_wavelengths_and_energies_become_shifts_with_the_laser(tmp_path: Path) -> None:
    nm = np.linspace(560.0, 590.0, 7)
    rows = "\n".join(f"{x} 1" for x in nm)
    expected = shift_from_wavelength(nm, 532.0)
    headed = write(tmp_path, "Wavelength (nm)\tCounts\n" + rows)
    np.testing.assert_allclose(hs.read_spectrum(headed, laser_nm=532.0).shift_cm1, expected)
    guessed = hs.read_spectrum(write(tmp_path, rows), laser_nm=532.0)
    np.testing.assert_allclose(guessed.shift_cm1, expected)
    assert "taken as nm" in guessed.notes[0]
    stated = write(tmp_path, "Laser wavelength: 532.0 nm\nWavelength (nm)\tCounts\n" + rows)
    np.testing.assert_allclose(hs.read_spectrum(stated).shift_cm1, expected)
    energy = write(tmp_path, "\n".join(f"{1239.841984 / x} 1" for x in nm))
    np.testing.assert_allclose(hs.read_spectrum(energy, laser_nm=532.0).shift_cm1, expected, atol=1e-4)


def test_wavelengths_without_a_laser_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "Wavelength (nm)\tCounts\n560 1\n570 2\n")
    with pytest.raises(hs.InputError, match="laser line is not known"):
        hs.read_spectrum(path)


def test_a_laser_in_the_header_does_not_make_a_shift_a_wavelength(tmp_path: Path) -> None:
    found = hs.read_spectrum(write(tmp_path, "#Laser (nm)= 532.05\n#Grating= 600 gr/mm\n1300\t5\n1301\t6\n"))
    assert found.shift_cm1.tolist() == [1300.0, 1301.0]
    assert found.laser_nm == 532.05


def test_a_row_column_between_axis_and_counts_is_left_out(tmp_path: Path) -> None:
    rows = "\n".join(f"{1300 + k},1,{k * 7}" for k in range(40))
    found = hs.read_spectrum(write(tmp_path, rows))
    assert found.intensity[:3].tolist() == [0.0, 7.0, 14.0]


def test_a_map_of_rows_has_positions(tmp_path: Path) -> None:
    axis = "\t\t" + "\t".join(f"{v}" for v in range(1300, 1306))
    rows = [f"{x}\t{y}\t" + "\t".join(str(10 * x + y + k) for k in range(6)) for x in (0, 5) for y in (0, 5)]
    found = hs.read_spectra(write(tmp_path, "#Acq. time (s)= 10\n" + "\n".join([axis, *rows]) + "\n"))
    assert [(one.x_um, one.y_um) for one in found] == [(0, 0), (0, 5), (5, 0), (5, 5)]
    assert found[3].intensity.tolist() == [55, 56, 57, 58, 59, 60]
    with pytest.raises(hs.InputError, match="holds 4 spectra"):
        hs.read_spectrum(tmp_path / "s.txt")
    assert hs.read_spectrum(tmp_path / "s.txt", index=2).x_um == 5


def test_a_long_map_is_cut_where_the_position_changes(tmp_path: Path) -> None:
    rows = [f"{x}\t0\t{w}\t{w + x}" for x in (0, 2) for w in (1302, 1301, 1300)]
    found = hs.read_spectra(write(tmp_path, "#X\t#Y\t#Wave\t#Intensity\n" + "\n".join(rows)))
    assert [(one.x_um, one.y_um) for one in found] == [(0, 0), (2, 0)]
    assert found[1].intensity.tolist() == [1302, 1303, 1304]


def test_many_columns_are_many_spectra(tmp_path: Path) -> None:
    rows = [f"{1300 + k}\t{k}\t{2 * k}\t{3 * k}" for k in range(5)]
    assert len(hs.read_spectra(write(tmp_path, "\n".join(rows)))) == 3


def test_the_text_beside_a_renishaw_file_holds_its_numbers(shared_data: Path) -> None:
    stem = shared_data / "raman" / "nCal_Qontor785_z005H12_100_1x3s"
    binary, text, spc = (hs.read_spectrum(f"{stem}{suffix}") for suffix in (".wdf", ".txt", ".spc"))
    np.testing.assert_allclose(binary.shift_cm1, text.shift_cm1, atol=1e-6)
    np.testing.assert_allclose(binary.intensity, text.intensity, atol=1e-6)
    assert binary.laser_nm == pytest.approx(785.0, abs=0.05)
    # the SPC file has an even axis: the program that wrote it resampled the intensities
    between = np.interp(spc.shift_cm1, text.shift_cm1, text.intensity)
    assert float(np.sqrt(np.mean((between - spc.intensity) ** 2))) < 1e-3 * float(np.ptp(text.intensity))


def test_princeton_files_of_both_versions_are_read(shared_data: Path) -> None:
    second = hs.read_spectrum(shared_data / "raman" / "SPE_v2_PIXIS.SPE")
    assert second.laser_nm == 532.0
    assert second.shift_cm1[0] == pytest.approx(1e7 / 532.0 - 1e7 / 610.744862, abs=1e-3)
    third = hs.read_spectrum(shared_data / "raman" / "SPE_v3_CustomRegions.spe", laser_nm=350.0)
    assert third.shift_cm1.size == 500
    with pytest.raises(hs.InputError, match="laser line is not known"):
        hs.read_spectrum(shared_data / "raman" / "SPE_v3_CustomRegions.spe")


def test_a_labspec_binary_is_refused_with_the_way_out(shared_data: Path) -> None:
    with pytest.raises(hs.InputError, match="Export it as text"):
        hs.read_spectrum(shared_data / "raman" / "PST10_iR785_OP01_8000msx8.l6s")


def made_spc(*, flags: int, exponent: int, values: bytes, points: int = 4, axis: bytes = b"") -> bytes:
    head = struct.pack("<BBBbiddi", flags, 0x4B, 0, exponent, points, 100.0, 103.0, 1) + bytes([13])
    return head.ljust(512, b"\0") + axis + struct.pack("<Bb", 0, exponent).ljust(32, b"\0") + values


@pytest.mark.parametrize(
    ("flags", "exponent", "values", "axis"),
    [
        (0, -128, np.array([1, 2, 3, 4], "<f4").tobytes(), b""),
        (0, 10, np.array([1, 2, 3, 4], "<i4").tobytes(), b""),
        (1, 10, np.array([1, 2, 3, 4], "<i2").tobytes(), b""),
        (128, -128, np.array([1, 2, 3, 4], "<f4").tobytes(), np.array([100, 101, 102, 103], "<f4").tobytes()),
    ],
)
def test_spc_values_of_every_kind_are_read(
    tmp_path: Path, flags: int, exponent: int, values: bytes, axis: bytes
) -> None:
    path = tmp_path / "s.spc"
    path.write_bytes(made_spc(flags=flags, exponent=exponent, values=values, axis=axis))
    found = hs.read_spectrum(path)
    assert found.shift_cm1.tolist() == [100, 101, 102, 103]
    scale = 1.0 if exponent == -128 else 2.0 ** (exponent - (16 if flags & 1 else 32))
    assert found.intensity.tolist() == [scale, 2 * scale, 3 * scale, 4 * scale]


def made_wdf(*, count: int = 4, points: int = 3) -> bytes:
    """A map made by hand from the public description."""
    head = bytearray(512)
    head[:16] = b"WDF1" + struct.pack("<IQ", 1, 512)
    struct.pack_into("<IQQIIII", head, 60, points, count, count, 1, 1, points, 2)
    struct.pack_into("<f", head, 156, 1e7 / 532.0)
    axis = struct.pack("<II", 1, 1) + np.arange(points, 0, -1).astype("<f4").tobytes()
    data = np.arange(points * count).astype("<f4").tobytes()
    lists = b"".join(
        struct.pack("<II", 0x80000000 | kind, 5) + name.ljust(16, b"\0") + (np.arange(count) * step).tobytes()
        for kind, name, step in ((3, b"X", 5.0), (4, b"Y", 2.0))
    )
    origin = struct.pack("<I", 2) + lists
    blocks = b"".join(
        name + struct.pack("<IQ", 0, 16 + len(content)) + content
        for name, content in ((b"DATA", data), (b"XLST", axis), (b"ORGN", origin))
    )
    return bytes(head) + blocks


def test_a_renishaw_map_has_positions(tmp_path: Path) -> None:
    path = tmp_path / "m.wdf"
    path.write_bytes(made_wdf())
    found = hs.read_spectra(path)
    assert [(one.x_um, one.y_um) for one in found] == [(0, 0), (5, 2), (10, 4), (15, 6)]
    assert found[1].shift_cm1.tolist() == [1, 2, 3]
    assert found[1].intensity.tolist() == [5, 4, 3]
    assert found[0].laser_nm == pytest.approx(532.0, abs=1e-3)


@pytest.mark.parametrize("suffix", [".wdf", ".spc", ".spe", ".txt", ".l6s"])
def test_damaged_and_foreign_files_are_refused_in_one_sentence(tmp_path: Path, suffix: str) -> None:
    random = np.random.default_rng(5)
    whole = {".wdf": made_wdf(), ".spc": made_spc(flags=0, exponent=-128, values=np.ones(4, "<f4").tobytes())}
    start = whole.get(suffix, b"1 2\n")
    cases = [b"", b"\0" * 5000, random.bytes(5000), start[:1], start[:300], start[:20] + b"\xff" * 4000]
    for number, content in enumerate(cases):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        with pytest.raises(hs.InputError, match=str(path)):
            hs.read_spectra(path)
    with pytest.raises(hs.InputError, match="no such file"):
        hs.read_spectra(tmp_path / f"none{suffix}")


@pytest.mark.parametrize("name", ["nCal_Qontor785_z005H12_100_1x3s.wdf", "nCal_Qontor785_z005H12_100_1x3s.spc",
                                  "SPE_v2_PIXIS.SPE", "SPE_v3_CustomRegions.spe"])  # fmt: skip
def test_random_bytes_in_a_head_give_a_spectrum_or_an_input_error(shared_data: Path, tmp_path: Path, name: str) -> None:
    whole = (shared_data / "raman" / name).read_bytes()
    random = np.random.default_rng(11)
    path = tmp_path / name
    read = 0
    for _ in range(25):
        broken = bytearray(whole)
        for place in random.integers(0, 600, 6):
            broken[place] = random.integers(256)
        path.write_bytes(bytes(broken[: random.integers(100, len(broken) + 1)]))
        try:
            found = hs.read_spectra(path, laser_nm=350.0)
        except hs.InputError:
            continue
        read += 1
        assert all(np.all(np.diff(one.shift_cm1) > 0) for one in found)
    assert read < 25


@pytest.mark.parametrize(
    ("keys", "words"),
    [({"laser_nm": 5.32e-7}, "laser line"), ({"axis": "inch"}, "axis is 'inch'"), ({"index": 3}, "no spectrum 3")],
)
def test_wrong_options_are_refused(tmp_path: Path, keys: dict[str, object], words: str) -> None:
    with pytest.raises(hs.InputError, match=words):
        hs.read_spectrum(write(tmp_path, "1 2\n2 3\n"), **keys)


def test_a_record_refuses_what_no_spectrum_has() -> None:
    for shift, counts in (([1, 1], [1, 2]), ([1, 2], [math.nan, math.nan]), ([1, math.nan], [1, 2]), ([1], [1])):
        with pytest.raises(hs.InputError, match=r"Expected|Check"):
            hs.Spectrum(shift_cm1=np.array(shift, float), intensity=np.array(counts, float))
