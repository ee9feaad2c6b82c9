"""A map from images to files: the same numbers whatever the workers, and one bad image stops nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.cli.main import main
from hydrostruct.grid import grid_points

ROWS, COLUMNS = 400, 420
PIXEL_M, DISTANCE_M, WAVELENGTH_ANG = 172e-6, 0.12, 0.6199
CENTRE = (200.0, 205.0)


def gold_image(a_ang: float, seed: int) -> np.ndarray:
    """Simulated rings of a cubic F lattice on a flat detector, with counting noise."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    radius = np.hypot(y + 0.5 - CENTRE[0], x + 0.5 - CENTRE[1]) * PIXEL_M
    angle = np.degrees(np.arctan(radius / DISTANCE_M))
    counts = np.full(angle.shape, 60.0)
    for square, height in ((3, 300.0), (4, 160.0), (8, 90.0), (11, 100.0)):
        centre = 2 * np.degrees(np.arcsin(WAVELENGTH_ANG / 2 * np.sqrt(square) / a_ang))
        counts += height * np.exp(-4 * np.log(2) * ((angle - centre) / 0.15) ** 2)
    return np.random.default_rng(seed).poisson(counts).astype(np.int32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated 2×3 map of gold whose cell grows with the column, and less with the row; image 4 is cut short."""
    base = tmp_path_factory.mktemp("map")
    (base / "xrd").mkdir()
    for number in range(6):
        row, column = divmod(number, 3)
        image = gold_image(3.75 + 0.01 * column + 0.002 * row, number)
        fabio.tifimage.TifImage(data=image).write(str(base / "xrd" / f"p_{number + 7}.tif"))
    cut = base / "xrd" / "p_10.tif"
    cut.write_bytes(cut.read_bytes()[:5000])
    (base / "xrd" / "g.poni").write_text(
        "poni_version: 2.1\nDetector: Detector\n"
        f'Detector_config: {{"pixel1": {PIXEL_M}, "pixel2": {PIXEL_M}, "max_shape": [{ROWS}, {COLUMNS}], '
        '"orientation": 3}\n'
        f"Distance: {DISTANCE_M}\nPoni1: {CENTRE[0] * PIXEL_M}\nPoni2: {CENTRE[1] * PIXEL_M}\n"
        f"Rot1: 0\nRot2: 0\nRot3: 0\nWavelength: {WAVELENGTH_ANG * 1e-10}\n"
    )
    (base / "run.toml").write_text(
        'title = "simulated gold"\n[map]\nshape = [2, 3]\nstep_um = [5.0, 4.0]\n'
        '[diffraction]\nimages = "xrd/p_*.tif"\ngeometry = "xrd/g.poni"\nbins = 600\ntwo_theta_deg = [13.0, 29.0]\n'
        '[[phases]]\nname = "Au"\ncell = { a_ang = 3.74 }\n'
    )
    return base


@pytest.fixture(scope="module")
def result(folder: Path) -> hs.RunResult:
    return hs.run(folder / "run.toml", out=folder / "one")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_a_cell_that_grows_to_the_right_is_found_to_the_right(result: hs.RunResult) -> None:
    for point in result.points:
        if point.fit is None:
            continue
        truth = 3.75 + 0.01 * point.place.column + 0.002 * point.place.row
        found = point.fit.phases["Au"]
        assert abs(found.a_ang - truth) < max(5 * found.a_sigma_ang, 0.0008)
        assert (point.place.x_um, point.place.y_um) == (5.0 * point.place.column, 4.0 * point.place.row)


def test_images_come_in_natural_order_and_a_damaged_one_is_flagged(result: hs.RunResult, folder: Path) -> None:
    assert [point.file for point in result.points] == [f"xrd/p_{number}.tif" for number in range(7, 13)]
    verdicts = [row["verdict"] for row in rows(folder / "one" / "points.csv")]
    assert verdicts[3] == "failed"
    assert set(verdicts[:3] + verdicts[4:]) == {"converged"}
    assert "p_10.tif" in rows(folder / "one" / "points.csv")[3]["reason"]


def test_two_workers_and_the_command_give_the_same_bytes(
    result: hs.RunResult, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(folder / "run.toml"), "--out", str(folder / "two"), "--workers", "2"]) == 1
    captured = capsys.readouterr()
    assert "SIMULATED" in captured.out
    assert "point 4: failed" in captured.err
    for name in ("points.csv", "phases.csv"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


def test_the_tables_hold_the_numbers_of_the_record(result: hs.RunResult, folder: Path) -> None:
    table = {row["point"]: row for row in rows(folder / "one" / "phases.csv")}
    for point in result.points:
        if point.fit is not None:
            row = table[str(point.place.point)]
            assert float(row["a_ang"]) == pytest.approx(point.fit.phases["Au"].a_ang, rel=1e-9)
            assert row["hydrogen_per_metal"] == ""


def test_the_nexus_file_opens_as_a_map_with_axes_units_and_errors(result: hs.RunResult, folder: Path) -> None:
    with h5py.File(folder / "one" / "results.nxs") as file:
        entry = file[file.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        assert bool(entry["simulated"][()])
        data = entry[entry.attrs["default"]]
        assert data.attrs["signal"] == "Au_volume_per_fu"
        values = data["Au_volume_per_fu"][()]
        assert values.shape == (2, 3)
        assert np.isnan(values[1, 0])
        assert values[0, 0] < values[0, 1] < values[0, 2]
        assert data["Au_volume_per_fu"].attrs["units"] == "angstrom^3"
        assert data["Au_volume_per_fu_errors"].shape == (2, 3)
        np.testing.assert_allclose(data["x"][()], [0, 5, 10])
        assert entry["patterns/intensity"].shape == (6, 600)
        beyond = entry["patterns/beyond_profile"][()]
        assert beyond.shape == (6, 600)
        assert not np.any(np.nan_to_num(beyond))
        assert "xrd/p_7.tif" in entry["process/checksums/file"].asstr()[()]


def test_figures_are_drawn_for_the_run_and_say_that_it_is_simulated(result: hs.RunResult, folder: Path) -> None:
    names = {path.name for path in (folder / "one" / "figures").iterdir()}
    assert {"overview.png", "map_Au_volume_per_fu_ang3.png", "fit_001.png"} <= names
    assert "fit_004.png" not in names


@pytest.mark.parametrize("order", ["row", "column", "row-snake", "column-snake"])
def test_the_map_is_the_same_whatever_the_scan_order(folder: Path, tmp_path: Path, order: str) -> None:
    """The same places, visited in another order, give the same map: nothing is turned or mirrored on the way."""
    (tmp_path / "xrd").mkdir()
    (tmp_path / "xrd" / "g.poni").write_bytes((folder / "xrd" / "g.poni").read_bytes())
    for place in grid_points((2, 3), order=order):
        number = 3 * place.row + place.column
        image = fabio.tifimage.TifImage(data=gold_image(3.75 + 0.01 * place.column + 0.002 * place.row, number))
        image.write(str(tmp_path / "xrd" / f"p_{place.point}.tif"))
    text = (folder / "run.toml").read_text().replace("step_um", f'order = "{order}"\nstep_um')
    (tmp_path / "run.toml").write_text(text)
    turned = hs.run(tmp_path / "run.toml", out=tmp_path / "out")
    with h5py.File(tmp_path / "out" / "results.nxs") as file:
        data = file["entry/data"] if "data" in file["entry"] else file[f"entry/{file['entry'].attrs['default']}"]
        cells = (4 * data["Au_volume_per_fu"][()]) ** (1 / 3)
        np.testing.assert_allclose(data["x"][()], [0, 5, 10])
        np.testing.assert_allclose(data["y"][()], [0, 4])
    truth = 3.75 + 0.01 * np.arange(3) + 0.002 * np.arange(2)[:, None]
    np.testing.assert_allclose(cells, truth, atol=0.0008)
    for point in turned.points:
        assert (point.place.x_um, point.place.y_um) == (5.0 * point.place.column, 4.0 * point.place.row)
        assert point.file == f"xrd/p_{point.place.point}.tif"


def test_a_monitor_scales_the_patterns_and_not_the_cells(result: hs.RunResult, folder: Path) -> None:
    other = folder / "monitor.toml"
    (folder / "i0.csv").write_text("file,monitor\n" + "".join(f"p_{n}.tif,{n - 6}\n" for n in range(12, 6, -1)))
    other.write_text((folder / "run.toml").read_text().replace("bins = 600", 'bins = 600\nmonitor = "i0.csv"'))
    scaled = hs.run(other, out=folder / "monitored")
    for mine, plain in zip(scaled.points, result.points, strict=True):
        assert mine.monitor == mine.place.point
        assert np.isnan(plain.monitor)
        if mine.pattern is None or plain.pattern is None:
            continue
        np.testing.assert_allclose(mine.pattern.intensity, plain.pattern.intensity * 3.5 / mine.monitor)
        np.testing.assert_allclose(mine.pattern.sigma, plain.pattern.sigma * 3.5 / mine.monitor)
        a, b = mine.fit.phases["Au"], plain.fit.phases["Au"]
        assert a.a_ang == pytest.approx(b.a_ang, abs=0.1 * b.a_sigma_ang)
    assert rows(folder / "monitored" / "points.csv")[5]["monitor"] == "6"


def test_the_widths_of_the_instrument_are_held(folder: Path) -> None:
    (folder / "widths.toml").write_text("[widths]\nw_deg2 = 0.0226\n")
    other = folder / "instrument.toml"
    other.write_text((folder / "run.toml").read_text().replace("bins = 600", 'bins = 600\ninstrument = "widths.toml"'))
    found = hs.run(other, out=folder / "instrument").points[0].fit
    assert found is not None
    assert "w" not in found.parameter_names
    assert abs(found.phases["Au"].a_ang - 3.75) < 0.0008


def test_a_pattern_of_an_empty_cell_is_taken_off(result: hs.RunResult, folder: Path) -> None:
    plain = result.points[0].pattern
    assert plain is not None
    empty = hs.Pattern(
        two_theta_deg=plain.two_theta_deg,
        intensity=np.full(600, 60.0),
        sigma=np.full(600, 0.1),
        wavelength_ang=WAVELENGTH_ANG,
    )
    hs.write_pattern(empty, folder / "empty.xye")
    other = folder / "empty.toml"
    other.write_text((folder / "run.toml").read_text().replace("bins = 600", 'bins = 600\nbackground = "empty.xye"'))
    found = hs.run(other, out=folder / "empty").points[0]
    assert found.pattern is not None
    inside = np.isfinite(found.pattern.intensity)
    np.testing.assert_allclose(found.pattern.intensity[inside], plain.intensity[inside] - 60.0, atol=1e-4)


def test_a_shape_that_does_not_fit_the_images_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder / "wrong.toml"
    other.write_text((folder / "run.toml").read_text().replace("[2, 3]", "[5, 5]"))
    assert main(["run", str(other), "--out", str(folder / "three")]) == 2
    assert "25 points, but 6 images" in capsys.readouterr().err
    assert not (folder / "three").exists()


def test_silx_takes_every_map_of_the_file_for_a_plot_with_errors(result: hs.RunResult, folder: Path) -> None:
    nxdata = pytest.importorskip("silx.io.nxdata")
    with h5py.File(folder / "one" / "results.nxs") as file:
        shown = nxdata.get_default(file)
        assert shown is not None
        assert shown.is_valid
        assert shown.signal.shape == (2, 3)
        assert shown.signal_name.startswith("Au_volume_per_fu")
        assert [axis.shape for axis in shown.axes] == [(2,), (3,)]
        assert shown.errors.shape == (2, 3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cell = { a_ang = 3.74 }", "cell = { q_ang = 3.74 }", "q_ang"),
        ("cell = { a_ang = 3.74 }", "cell = { a_ang = -3.74 }", "-3.74"),
        ("cell = { a_ang = 3.74 }", 'cell = { a_ang = 3.74 }\n[[phases]]\nname = "Au"', "2 times"),
        ("cell = { a_ang = 3.74 }", "pressure_gpa = -5", "pressure_gpa"),
        ("cell = { a_ang = 3.74 }", 'free = ["strain_axis"]', "'strain_axis' cannot be freed for Au"),
        ("[[phases]]", '[raman]\nedge = "none_*.txt"\n[[phases]]', "raman.edge"),
        ("[[phases]]", '[transport]\nresistance = "none_*.csv"\n[[phases]]', "transport.resistance"),
    ],
)
def test_what_would_fail_at_every_point_is_refused_before_any_image(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    other = folder / "early.toml"
    other.write_text((folder / "run.toml").read_text().replace(old, new, 1))
    assert main(["run", str(other), "--out", str(folder / "early")]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not (folder / "early").exists()


def test_a_run_fits_its_map_as_one_where_the_points_have_something_in_common(folder: Path, tmp_path: Path) -> None:
    text = (folder / "run.toml").read_text()
    own = folder / "together.toml"
    own.write_text(text.replace("bins = 600\n", 'bins = 600\ncommon = ["zero", "widths", "background"]\n'))
    result = hs.run(own, out=tmp_path / "together")
    alone = hs.run(folder / "run.toml", out=tmp_path / "alone")
    assert "One fit of 5 points, converged" in (tmp_path / "together" / "run.log").read_text()
    assert result.points[3].verdict == "failed"
    for mine, theirs in zip(result.points, alone.points, strict=True):
        if mine.fit is None or theirs.fit is None:
            continue
        one, other = mine.fit.phases["Au"], theirs.fit.phases["Au"]
        assert mine.fit.zero_sigma_deg > 0
        assert mine.fit.phases["Au"].widths == result.points[0].fit.phases["Au"].widths
        assert abs(one.a_ang - other.a_ang) < 4 * np.hypot(one.a_sigma_ang, other.a_sigma_ang)


@pytest.mark.parametrize(("method", "loss"), [("le-bail", "squares"), ("pawley", "cauchy")])
def test_method_and_loss_of_a_run_are_those_of_a_fit_and_are_written_down(
    folder: Path, tmp_path: Path, method: str, loss: str
) -> None:
    text = (folder / "run.toml").read_text().replace("p_*.tif", "p_8.tif").replace("[map]\nshape = [2, 3]\n", "[map]\n")
    own = folder / f"{method}.toml"
    words = f'method = "{method}"\nloss = "{loss}"\nprofile = "pseudo-voigt"\n'
    own.write_text(text.replace("bins = 600\n", f"bins = 600\n{words}"))
    (point,) = hs.run(own, out=tmp_path).points
    phases, starts = [hs.read_phase("Au")], {"Au": {"a_ang": 3.74}}
    mine, plain = (
        hs.fit_pattern(point.pattern, phases, cells=starts, two_theta_deg=(13.0, 29.0), method=one, loss=other)
        for one, other in ((method, loss), ("pawley", "squares"))
    )
    mine, plain = mine.phases["Au"], plain.phases["Au"]
    assert point.fit.phases["Au"].a_ang == mine.a_ang
    assert point.fit.phases["Au"].a_sigma_ang == mine.a_sigma_ang
    assert mine.a_ang != plain.a_ang
    assert f"fit: method {method}, loss {loss}, profile pseudo-voigt" in (tmp_path / "run.log").read_text()
    with h5py.File(tmp_path / "results.nxs") as file:
        fit = file[f"{file.attrs['default']}/process/fit"]
        written = tuple(fit[name].asstr()[()] for name in ("method", "loss", "profile"))
        assert written == (method, loss, "pseudo-voigt")


def test_a_map_as_one_fit_takes_the_loss(folder: Path, tmp_path: Path) -> None:
    text = (folder / "run.toml").read_text()
    found = []
    for loss in ("squares", "cauchy"):
        own = folder / f"{loss}.toml"
        own.write_text(text.replace("bins = 600\n", f'bins = 600\nloss = "{loss}"\ncommon = ["widths"]\n'))
        result = hs.run(own, out=tmp_path / loss)
        assert any("One fit of 5 points, converged" in note for note in result.notes)
        found.append(result.points[0].fit.phases["Au"])
    assert found[0].a_ang != found[1].a_ang
    assert abs(found[0].a_ang - found[1].a_ang) < 0.1 * found[0].a_sigma_ang


def test_what_a_run_frees_is_what_a_fit_frees(folder: Path, tmp_path: Path) -> None:
    text = (folder / "run.toml").read_text().replace("p_*.tif", "p_8.tif").replace("[map]\nshape = [2, 3]\n", "[map]\n")
    own = folder / "free.toml"
    own.write_text(
        text.replace("bins = 600\n", 'bins = 600\nfree = ["zero"]\n')
        + 'free = ["strain", "strain_diagonal", "stress_shape"]\n'
    )
    (point,) = hs.run(own, out=tmp_path).points
    words = ("zero", "strain", "strain_diagonal", "stress_shape")
    plain = hs.fit_pattern(
        point.pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 3.74}}, two_theta_deg=(13.0, 29.0), free=words
    )
    assert point.fit.zero_deg == plain.zero_deg
    assert point.fit.zero_sigma_deg > 0
    mine, other = point.fit.phases["Au"], plain.phases["Au"]
    assert mine.stress_shape == other.stress_shape != 0
    assert mine.widths == other.widths
    assert mine.a_ang == other.a_ang


def test_what_a_run_frees_stays_free_in_the_fit_of_the_map(folder: Path, tmp_path: Path) -> None:
    own = folder / "free_together.toml"
    text = (folder / "run.toml").read_text().replace("bins = 600\n", 'bins = 600\ncommon = ["widths"]\n')
    own.write_text(text + 'free = ["stress_shape", "strain"]\n')
    result = hs.run(own, out=tmp_path)
    assert any("One fit of 5 points, converged" in note and "strain:Au" in note for note in result.notes), result.notes
    for point in result.points:
        if point.fit is not None:
            assert point.fit.phases["Au"].stress_shape_sigma > 0
            assert "stress_shape:Au" in point.fit.parameter_names
