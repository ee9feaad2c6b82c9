"""The reference run: the paper's experiment, simulated, as files that the analysis takes for a user's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from hydrostruct.errors import InputError
from hydrostruct.files import write_whole
from hydrostruct.simulate.contact import simulate_contacts
from hydrostruct.simulate.curves import simulate_curves
from hydrostruct.simulate.detector import SimulatedDetector, poni_text
from hydrostruct.simulate.images import SATURATION_COUNTS, build_scene, simulate_image
from hydrostruct.simulate.sample import map_truth
from hydrostruct.simulate.spectra import simulate_edge, simulate_vibron, spectrum_text
from hydrostruct.simulate.truth import TRUTH_NAME, PointTruth, Settings, Truth, read_truth, truth_text
from hydrostruct.tiff import tiff_bytes

__all__ = ["read_truth", "simulate_run"]

_STEP_UM = (5.0, 5.0)
_RANGE_DEG = (5.0, 25.0)
_HEATING_GPA = {"before": 101.9, "after": 93.5}
_LABEL = "SIMULATED by hydrostruct, not measured data"


def simulate_run(
    folder: str | os.PathLike[str],
    *,
    seed: int = 1,
    shape: tuple[int, int] = (5, 5),
    settings: Settings | None = None,
    on_image: Callable[[int, int], None] | None = None,
) -> Truth:
    """Simulate the reference run.

    Parameters
    ----------
    folder : path-like
        Where ``xrd/map_001.tif`` …, ``xrd/geometry.poni``, ``raman/edge_001.txt`` …, ``raman/vibron_001.txt`` …,
        ``raman/before_heating.txt``, ``raman/after_heating.txt``, ``run.toml`` and ``truth.json`` go; files of an
        earlier run are replaced.
    seed : int
        0 or more; the same seed gives the same bytes.
    shape : tuple of int
        Rows and columns of the map.
    settings : Settings, optional
        How the images are made; those of the reference run when left out.
    on_image : callable, optional
        Is told after each image how many are done, and of how many.

    Returns
    -------
    Truth
        What is in the images, as ``truth.json`` holds it.

    Raises
    ------
    InputError
        When an argument is out of range, or the folder holds images of a larger run.
    """
    target = Path(folder)
    plan = make_truth(seed=seed, shape=shape, settings=settings or Settings())
    _refuse_leftovers(target, plan)
    scene = build_scene(plan.detector, settings=plan.settings, seed=seed, wanted_deg=plan.two_theta_deg)
    points = []
    for point in plan.points:
        image = simulate_image(scene, point)
        content = tiff_bytes(image.counts, description=_description(plan, point), software=_LABEL)
        write_whole(target / point.file, content)
        points.append(_write_spectra(target, plan, image.point))
        if on_image is not None:
            on_image(len(points), len(plan.points))
    curves = simulate_curves(seed, label=_LABEL) + simulate_contacts(seed, label=_LABEL)
    for curve, text in curves:
        if text:
            write_whole(target / curve.file, text)
    truth = replace(
        plan,
        points=tuple(points),
        curves=tuple(curve for curve, _ in curves),
        heating_edges_cm1=_write_heating(target, plan),
    )
    write_whole(target / "xrd" / "geometry.poni", poni_text(truth.detector, label=f"{_LABEL}; seed {seed}"))
    write_whole(target / "run.toml", _run_text(truth))
    write_whole(target / TRUTH_NAME, truth_text(truth))
    return truth


def _write_spectra(folder: Path, plan: Truth, point: PointTruth) -> PointTruth:
    """Edge and vibron spectra of one point; the point with what is true of them."""
    rng = np.random.default_rng([plan.seed, point.point, 2])
    label = f"{_LABEL}: seed {plan.seed}, point {point.point}"
    shift, counts, edge, pressure = simulate_edge(rng, point.pressure_gpa)
    write_whole(folder / f"raman/edge_{point.point:03d}.txt", spectrum_text(f"{label}, diamond edge", shift, counts))
    shift, counts, vibron = simulate_vibron(rng, point.pressure_gpa)
    write_whole(folder / f"raman/vibron_{point.point:03d}.txt", spectrum_text(f"{label}, vibron", shift, counts))
    return replace(point, edge_cm1=edge, edge_pressure_gpa=pressure, vibron_cm1=vibron)


def _write_heating(folder: Path, plan: Truth) -> tuple[float, float]:
    """Spectra of the anvil before and after laser heating; their true edges in cm⁻¹."""
    edges = []
    for number, (name, pressure) in enumerate(_HEATING_GPA.items()):
        rng = np.random.default_rng([plan.seed, number, 3])
        shift, counts, edge, _ = simulate_edge(rng, pressure)
        text = spectrum_text(f"{_LABEL}: seed {plan.seed}, anvil {name} laser heating", shift, counts)
        write_whole(folder / f"raman/{name}_heating.txt", text)
        edges.append(edge)
    return edges[0], edges[1]


def make_truth(*, seed: int, shape: tuple[int, int], settings: Settings) -> Truth:
    """What a run of this seed and shape is planned to hold, before grains are drawn; nothing is written.

    Parameters
    ----------
    seed : int
        0 or more.
    shape : tuple of int
        Rows and columns of the map, at least 1 each.
    settings : Settings
        How the images are made.

    Returns
    -------
    Truth
        Its points in scan order, with the shares of infinitely many grains.

    Raises
    ------
    InputError
        When an argument is out of range.
    """
    if seed < 0:
        raise InputError(f"seed: {seed}. Expected a whole number, 0 or more. Choose another.")
    if len(shape) != 2 or min(shape) < 1:
        raise InputError(f"shape: {tuple(shape)}. Expected rows and columns, at least 1 each, such as (5, 5).")
    if not settings.grains > 0:
        raise InputError(f"grains: {settings.grains}. Expected a number above 0, or infinity for smooth rings.")
    return Truth(
        seed=seed,
        shape=(int(shape[0]), int(shape[1])),
        step_um=_STEP_UM,
        order="row",
        two_theta_deg=_RANGE_DEG,
        detector=SimulatedDetector(),
        settings=settings,
        points=map_truth(shape, step_um=_STEP_UM, settings=settings),
    )


def _refuse_leftovers(folder: Path, truth: Truth) -> None:
    """Images that this run would not replace would be analysed as part of it."""
    own = {point.file for point in truth.points}
    foreign = sorted(path.name for path in folder.glob("xrd/*.tif") if f"xrd/{path.name}" not in own)
    if foreign:
        raise InputError(
            f"{folder / 'xrd'}: holds {len(foreign)} other image(s), such as {foreign[0]}. Expected none "
            "beside those of this run. Choose another folder."
        )


def _description(truth: Truth, point: PointTruth) -> str:
    """Header of an image; stage positions in mm and the rest as beamlines write them."""
    return "\n".join(
        (
            f"# {_LABEL} (reference run, seed {truth.seed}, point {point.point} of {len(truth.points)})",
            f"# Exposure_time {truth.settings.exposure_s:g} s",
            f"# Count_cutoff {SATURATION_COUNTS} counts",
            f"# Wavelength {truth.detector.wavelength_ang:g} A",
            f"# Stage in mm Horizontal:{point.x_um / 1000.0:.4f} Vertical:{point.y_um / 1000.0:.4f}",
            "",
        )
    )


def _run_text(truth: Truth) -> str:
    """``run.toml``: what a user would write; the starts lie 0.3 to 0.5 % off the truth."""
    rows, columns = truth.shape
    low, high = truth.two_theta_deg
    return f"""\
# {_LABEL}: the reference run, seed {truth.seed}; what is in the images stands in {TRUTH_NAME}
title = "Simulated reference run, seed {truth.seed}"
sample = "simulated CeH9"
cell = "reference cell"
load_step = "after heating"

[map]
shape = [{rows}, {columns}]
step_um = [{truth.step_um[0]}, {truth.step_um[1]}]
order = "{truth.order}"

[diffraction]
images = "xrd/map_*.tif"
geometry = "xrd/geometry.poni"
polarization = {truth.settings.polarization}
two_theta_deg = [{low}, {high}]
bins = 2000
clip = "none"

[raman]
edge = "raman/edge_*.txt"
vibron = "raman/vibron_*.txt"
scale = "akahama2006"

[transport]
resistance = "transport/rt_*.csv"
voltage_current = "transport/vi_*.csv"
conductance = "qss/cell2_*K.csv"
gaps = "qss/cell1_gaps.csv"
electrodes_um = [[0, 0], [20, 0], [20, 20], [0, 20]]

[[phases]]
name = "CeH9-P63mmc"
cell = {{ a_ang = 3.69, c_ang = 5.45 }}

[[phases]]
name = "CeH4-I4mmm"
cell = {{ a_ang = 2.85, c_ang = 5.82 }}

[[phases]]
name = "CeH10-Fm3m"
cell = {{ a_ang = 5.21 }}

[[phases]]
name = "Pt"
pressure_gpa = 92.0

[[phases]]
name = "Re"
pressure_gpa = 92.0
"""
