"""The simulated run as files: whole, labelled, the same from the same seed."""

from __future__ import annotations

import ast
import json
import math
import tomllib
from dataclasses import asdict
from pathlib import Path

import fabio
import numpy as np
import pytest

import hydrostruct as hs
import hydrostruct.simulate
from hydrostruct.simulate.reference_run import make_truth, read_truth, simulate_run
from hydrostruct.simulate.truth import Settings

ROOM = Path(hydrostruct.simulate.__file__).parent
ALLOWED = {f"hydrostruct.{leaf}" for leaf in ("errors", "files", "units", "verdict", "grid", "tiff")}


def _bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_the_simulator_imports_nothing_of_the_analysis(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module)
    own = {name for name in imported if name.startswith("hydrostruct") and not name.startswith("hydrostruct.simulate")}
    assert own <= ALLOWED
    assert not {name.split(".")[0] for name in imported} & {"pyFAI", "pymatgen", "spglib", "lmfit", "scipy"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 4), ("two", 4), ("other", 5)):
        simulate_run(tmp_path / name, seed=seed, shape=(1, 1))
    one, two, other = (_bytes(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert one["xrd/map_001.tif"] != other["xrd/map_001.tif"]


def test_a_run_holds_images_geometry_run_file_and_truth(run):
    folder, truth = run
    spectra = {f"raman/{kind}_{number:03d}.txt" for kind in ("edge", "vibron") for number in (1, 2, 3, 4)}
    spectra |= {"raman/before_heating.txt", "raman/after_heating.txt"}
    images = {point.file for point in truth.points} | {curve.file for curve in truth.curves if "*" not in curve.file}
    assert len(truth.curves) == 12 + 10 + 2
    assert set(_bytes(folder)) == {"run.toml", "truth.json", "xrd/geometry.poni"} | images | spectra
    assert [point.file for point in truth.points] == [f"xrd/map_{number:03d}.tif" for number in (1, 2, 3, 4)]


def test_every_file_says_that_it_is_simulated(run):
    folder, _ = run
    for name, content in _bytes(folder).items():
        assert b"simulated" in content[:400].lower(), name


def test_the_images_carry_exposure_stage_position_and_cutoff(run):
    folder, truth = run
    for point in truth.points:
        frame = hs.read_frame(hs.find_frames(folder / point.file)[0])
        assert (frame.x_um, frame.y_um) == pytest.approx((point.x_um, point.y_um))
        assert frame.exposure_s == 10.0
        assert frame.saturation == 1048500
        assert frame.image.dtype == np.int32
        assert "SIMULATED" in fabio.open(str(folder / point.file)).header["imageDescription"]


def test_the_truth_is_complete_and_reads_back_as_it_was(run):
    folder, truth = run
    assert read_truth(folder) == truth
    document = json.loads((folder / "truth.json").read_text())
    assert document["simulated"] is True
    assert document["seed"] == 3
    assert document["settings"] == asdict(Settings())
    assert len(document["points"]) == 4
    for entry in document["points"]:
        assert entry["pressure_gpa"] > 85
        assert sum(phase["share"] for phase in entry["phases"].values()) == pytest.approx(1.0)
        assert sum(phase["share_expected"] for phase in entry["phases"].values()) == pytest.approx(1.0)
        for phase in entry["phases"].values():
            assert {"a_ang", "c_ang", "volume_per_fu_ang3", "share", "share_expected"} == phase.keys()


def test_smooth_rings_are_written_as_null_grains_and_read_back_as_infinite(tmp_path):
    truth = simulate_run(tmp_path, shape=(1, 1), settings=Settings(grains=math.inf))
    assert json.loads((tmp_path / "truth.json").read_text())["settings"]["grains"] is None
    assert read_truth(tmp_path) == truth
    assert all(phase.share == pytest.approx(phase.share_expected) for phase in truth.points[0].phases.values())


def test_the_run_file_is_what_the_contract_asks_for_and_its_starts_are_a_bit_off(run):
    folder, truth = run
    config = tomllib.loads((folder / "run.toml").read_text())
    assert config["map"] == {"shape": [2, 2], "step_um": [5.0, 5.0], "order": "row"}
    assert config["diffraction"]["two_theta_deg"] == [5.0, 25.0]
    phases = {entry["name"]: entry for entry in config["phases"]}
    assert list(phases) == ["CeH9-P63mmc", "CeH4-I4mmm", "CeH10-Fm3m", "Pt", "Re"]
    for point in truth.points:
        for name in point.phases.keys() & {"CeH9-P63mmc", "CeH4-I4mmm", "CeH10-Fm3m"}:
            off = phases[name]["cell"]["a_ang"] / point.phases[name].a_ang - 1
            assert 0.001 < abs(off) < 0.01


def test_the_map_has_what_the_reference_run_promises():
    plan = make_truth(seed=1, shape=(5, 5), settings=Settings())
    by_phase = {
        name: [point.point for point in plan.points if name in point.phases]
        for name in ("CeH9-P63mmc", "CeH4-I4mmm", "CeH10-Fm3m", "Pt", "Re")
    }
    rim = [point.point for point in plan.points if point.row in (0, 4) or point.column in (0, 4)]
    assert len(by_phase["CeH9-P63mmc"]) == len(by_phase["CeH4-I4mmm"]) == 24
    assert len(by_phase["CeH10-Fm3m"]) == 2
    assert by_phase["Re"] == rim
    assert set(by_phase["Pt"]) < set(rim)
    assert next(point for point in plan.points if "CeH9-P63mmc" not in point.phases).phases.keys() == {"Re"}
    pressures = [point.pressure_gpa for point in plan.points]
    assert 2 < max(pressures) - min(pressures) < 6
    shares = [p.phases["CeH9-P63mmc"].share_expected for p in plan.points if "CeH9-P63mmc" in p.phases]
    assert max(shares) > 0.8
    assert min(shares) < 0.25


def test_point_14_has_the_cells_and_the_pressure_of_the_paper():
    point = make_truth(seed=1, shape=(5, 5), settings=Settings()).points[13]
    assert point.pressure_gpa == pytest.approx(93.5)
    assert point.phases.keys() == {"CeH9-P63mmc", "CeH4-I4mmm"}
    assert (point.phases["CeH9-P63mmc"].a_ang, point.phases["CeH9-P63mmc"].c_ang) == pytest.approx((3.674, 5.427))
    assert (point.phases["CeH4-I4mmm"].a_ang, point.phases["CeH4-I4mmm"].c_ang) == pytest.approx((2.838, 5.801))


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (7, 2), (9, 9)])
def test_points_run_row_by_row_in_a_map_of_any_shape(shape):
    points = make_truth(seed=0, shape=shape, settings=Settings()).points
    assert len(points) == shape[0] * shape[1]
    assert [(p.row, p.column) for p in points] == [(r, c) for r in range(shape[0]) for c in range(shape[1])]
    assert all((p.x_um, p.y_um) == (5.0 * p.column, 5.0 * p.row) for p in points)
    assert all(80 < p.pressure_gpa < 100 for p in points)


def test_images_of_a_larger_run_are_not_left_behind_unseen(tmp_path):
    simulate_run(tmp_path, shape=(1, 2))
    simulate_run(tmp_path, shape=(1, 2))
    with pytest.raises(hs.InputError, match=r"map_002\.tif"):
        simulate_run(tmp_path, shape=(1, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"shape": (0, 5)}, "shape"),
        ({"settings": Settings(grains=0.0)}, "grains"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(hs.InputError, match=message):
        simulate_run(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text", [None, "{}", "[1]", '{"simulated": false}', "not json", '{"simulated": true, "seed": 1}']
)
def test_what_is_no_truth_is_refused_in_one_sentence(tmp_path, text):
    if text is not None:
        (tmp_path / "truth.json").write_text(text)
    with pytest.raises(hs.InputError, match=r"truth\.json"):
        read_truth(tmp_path)


def test_progress_is_told_image_by_image(tmp_path):
    told = []
    simulate_run(tmp_path, shape=(1, 2), on_image=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
