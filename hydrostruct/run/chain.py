"""The whole flow in one screen: run.toml → images → patterns → fits → record → files."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.files import write_whole
from hydrostruct.grid import MapPoint, neighbours
from hydrostruct.linkage.first_link import LinkedCurve
from hydrostruct.material.cell import FREE_PARAMETERS
from hydrostruct.material.phase import Phase, read_phase, start_at
from hydrostruct.report.map_figures import write_figures
from hydrostruct.results.csv_tables import write_tables
from hydrostruct.results.nexus import write_nexus
from hydrostruct.results.record import PointRaman, PointResult, RunResult, TransportNumber
from hydrostruct.run.config import PhaseSection, RunConfig, read_config
from hydrostruct.run.engines import open_engine
from hydrostruct.run.integration import (
    ImageAnswer,
    ImageJob,
    IntegrationPlan,
    check_plan,
    find_steady_spots,
    integrate_image,
)
from hydrostruct.run.links import link_run
from hydrostruct.run.points import map_points, monitor_values
from hydrostruct.run.progress import Progress
from hydrostruct.run.raman import analyse_raman, pressure_gradient
from hydrostruct.run.transport import analyse_transport
from hydrostruct.run.whole_map import fit_together
from hydrostruct.tables import read_text
from hydrostruct.tiff import tiff_bytes
from hydrostruct.verdict import Verdict
from hydrostruct.xrd.frames import FrameSource, count_frames, find_frames, read_frame
from hydrostruct.xrd.geometry import read_geometry
from hydrostruct.xrd.instrument import read_widths
from hydrostruct.xrd.maps import Executor, FitAnswer, FitJob, fit_points
from hydrostruct.xrd.model import build_model
from hydrostruct.xrd.orientation import check_orientation
from hydrostruct.xrd.pattern import PATTERN_SUFFIXES
from hydrostruct.xrd.profile import Widths

STEADY_SPOTS_FILE = "steady_spots.tif"
_ANY_RANGE_DEG = (1.0, 60.0)

_PROGRAMS = ("hydrostruct", "numpy", "scipy", "numba", "pyFAI", "fabio", "h5py", "pymatgen", "peritheos")


def run(
    path: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> RunResult:
    """Analyse a run: every image of a map to its pattern, its fit, and the files of the whole.

    Parameters
    ----------
    path : path-like
        The run.toml.
    out : path-like, optional
        Folder for the results; ``results`` beside the run.toml when left out.
    workers : int
        Processes, at least 1; the numbers do not depend on it.
    progress : callable, optional
        Is told of the work as it goes.

    Returns
    -------
    RunResult
        What was found; the same numbers as in the files.

    Raises
    ------
    InputError
        For input that is wrong for all points; a point that fails is flagged and the others go on.
    """
    source = Path(path)
    config = read_config(source)
    folder = source.parent
    target = folder / "results" if out is None else Path(out)
    frames = _frames(config, folder)
    files = [_short(frame, folder) for frame, _ in frames]
    points = map_points(config.map, folder, files)
    monitor = monitor_values(config.diffraction.monitor, config.map.positions, folder, files)
    phases, starts = _phases(config.phases, folder)
    widths = None if config.diffraction.instrument is None else read_widths(folder / config.diffraction.instrument)
    plan = _plan(config, folder)
    notes = _check_first(frames, plan)
    _check_starts(config, phases, starts, plan, widths)
    tell = progress or (lambda what, done, total: None)
    with open_engine(workers) as engine:
        # what is quick comes first: a wrong pattern or scale there is said before an hour of images
        raman, raman_notes = _raman(config, folder, points, engine)
        numbers, curves = _transport(config, folder, engine)
        plan, spots = _without_steady_spots(config, frames, plan, target)
        jobs = [
            ImageJob(source=frame, index=index, plan=_own_plan(config, folder, plan, number), scale=scale)
            for number, ((frame, index), scale) in enumerate(zip(frames, _scales(monitor, frames), strict=True), 1)
        ]
        images = _counted(engine(integrate_image, jobs), len(jobs), tell, "images")
        places = _stage_positions(points, images)
        work = _fit_jobs(config, images, phases, starts, widths, plan.geometry.distance_m)
        fits = fit_points(work, neighbours=neighbours(places), executor=_telling(engine, tell))
    fits, common = fit_together(work, fits, common=config.diffraction.common, places=places)
    incident = [math.nan] * len(frames) if monitor is None else monitor.tolist()
    result = RunResult(
        title=config.title,
        sample=config.sample,
        is_simulated="simulated" in config.title.casefold(),
        shape=config.map.shape,
        points=tuple(
            _point(place, file, frame[1], image, fit, incident[place.point - 1], own)
            for place, file, frame, image, fit, own in zip(places, files, frames, images, fits, raman, strict=True)
        ),
        phase_names=tuple(phase.name for phase in phases),
        wavelength_ang=plan.geometry.wavelength_ang,
        settings=read_text(source),
        versions={name: version(name) for name in _PROGRAMS},
        checksums=_checksums(source, [frame for frame, _ in frames], folder),
        notes=(*notes, *spots, *common, *raman_notes, *_gradient(places, raman)),
        transport=numbers,
        method=config.diffraction.method,
        loss=config.diffraction.loss,
        profile=config.diffraction.profile,
    )
    result = replace(result, links=link_run(config, result, curves, phases=phases))
    write_results(result, target)
    return result


def write_results(result: RunResult, folder: str | os.PathLike[str]) -> None:
    """Write the tables, results.nxs, figures and run.log of a run; each file whole or not at all."""
    target = Path(folder)
    write_tables(result, target)
    write_nexus(result, target / "results.nxs")
    write_figures(result, target / "figures")
    write_whole(target / "run.log", _log(result))


def _check_starts(
    config: RunConfig, phases: tuple[Phase, ...], starts: dict[str, Any], plan: IntegrationPlan, widths: Widths | None
) -> None:
    """Refuse what would fail at every point.

    That is a phase given twice, a start that no cell of its system can have, a word that it cannot have freed.
    """
    limits = config.diffraction.two_theta_deg or _ANY_RANGE_DEG
    free, fix = _words(config, phases)
    build_model(
        phases,
        plan.geometry.wavelength_ang,
        two_theta_deg=limits,
        cells=starts,
        instrument=widths,
        free=free,
        fix=fix,
    )


def _words(config: RunConfig, phases: tuple[Phase, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is freed and what is held, of all phases and of single ones."""
    sections = list(zip(phases, config.phases, strict=True))
    free = (*config.diffraction.free, *(f"{phase.name}:{word}" for phase, one in sections for word in one.free))
    fix = (*config.diffraction.fix, *(f"{phase.name}:{word}" for phase, one in sections for word in one.fix))
    return free, fix


def _raman(
    config: RunConfig, folder: Path, points: Sequence[MapPoint], engine: Executor
) -> tuple[Sequence[PointRaman | None], tuple[str, ...]]:
    if config.raman is None:
        return [None] * len(points), ()
    return analyse_raman(config.raman, folder, len(points), places=points, executor=engine)


def _gradient(places: Sequence[MapPoint], raman: Sequence[PointRaman | None]) -> tuple[str, ...]:
    known = [one for one in raman if one is not None]
    gradient = pressure_gradient(places, known) if len(known) == len(places) else ""
    return (gradient,) if gradient else ()


def _scales(monitor: npt.NDArray[np.float64] | None, frames: Sequence[Any]) -> list[float]:
    """What brings every pattern to the mean incident intensity of the map."""
    return [1.0] * len(frames) if monitor is None else [float(np.mean(monitor) / value) for value in monitor]


def _without_steady_spots(
    config: RunConfig, frames: Sequence[tuple[FrameSource, int]], plan: IntegrationPlan, target: Path
) -> tuple[IntegrationPlan, tuple[str, ...]]:
    """The plan with a mask of what stays on the same pixels over the map; the mask is kept beside the results."""
    if config.diffraction.steady_spots == "keep":
        return plan, ()
    spots = find_steady_spots(frames, plan)
    if spots is None or not spots.spots:
        return plan, ()
    path = target / STEADY_SPOTS_FILE
    write_whole(
        path, tiff_bytes(spots.mask.astype(np.int32), description="steady spots, 1 = masked", software="hydrostruct")
    )
    note = (
        f"{spots.spots} spots that stay on the same pixels over the map ({int(spots.mask.sum())} pixels) are masked, "
        f'as reflections of the diamonds are: {STEADY_SPOTS_FILE}. With steady_spots = "keep" they stay.'
    )
    return replace(plan, masks=(*plan.masks, str(path))), (note,)


def _transport(
    config: RunConfig, folder: Path, engine: Executor
) -> tuple[tuple[TransportNumber, ...], tuple[LinkedCurve, ...]]:
    if config.transport is None:
        return (), ()
    return analyse_transport(config.transport, folder, executor=engine)


def _frames(config: RunConfig, folder: Path) -> list[tuple[FrameSource, int]]:
    pattern = config.diffraction.images
    sources = find_frames(pattern if Path(pattern).is_absolute() else str(folder / pattern))
    return [(source, index) for source in sources for index in range(1, _count(source) + 1)]


def _count(source: FrameSource) -> int:
    """Frames of a file; a file that cannot be read counts as one, so that its point is flagged and keeps its place."""
    try:
        return count_frames(source)
    except InputError:
        return 1


def _phases(sections: Sequence[PhaseSection], folder: Path) -> tuple[tuple[Phase, ...], dict[str, Any]]:
    phases, starts = [], {}
    for section in sections:
        local = folder / section.name
        phase = read_phase(local if local.is_file() else section.name)
        phases.append(phase)
        cell = None if section.pressure_gpa is None else start_at(phase, section.pressure_gpa)
        start = {} if cell is None else {name: getattr(cell, name) for name in FREE_PARAMETERS[phase.system]}
        if start or section.cell:
            starts[phase.name] = start | section.cell
    return tuple(phases), starts


def _plan(config: RunConfig, folder: Path) -> IntegrationPlan:
    section = config.diffraction
    background = section.background
    is_pattern = background is not None and Path(background).suffix.lower() in PATTERN_SUFFIXES

    def local(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    return IntegrationPlan(
        geometry=read_geometry(folder / section.geometry, orientation=section.orientation),
        masks=() if section.mask is None else (str(folder / section.mask),),
        dark=local(section.dark),
        flat=local(section.flat),
        background=None if is_pattern else local(background),
        background_pattern=local(background) if is_pattern else None,
        bins=section.bins,
        polarization=section.polarization,
        clip=section.clip,
        split=section.split,
        error=section.error,
    )


def _own_plan(config: RunConfig, folder: Path, plan: IntegrationPlan, number: int) -> IntegrationPlan:
    own = config.diffraction.points.get(str(number))
    return plan if own is None or own.mask is None else replace(plan, masks=(*plan.masks, str(folder / own.mask)))


def _check_first(frames: Sequence[tuple[FrameSource, int]], plan: IntegrationPlan) -> tuple[str, ...]:
    """What is wrong for all images is said before any is integrated: by the first one that can be read."""
    problem = InputError("images: none. Expected one or more.")
    for source, index in frames:
        try:
            frame = read_frame(source, index=index)
        except InputError as error:
            problem = error
            continue
        rows, columns = frame.image.shape
        check_plan(plan, (rows, columns), where=frame.source)
        report = check_orientation(frame, plan.geometry)
        return () if report.fits else (report.note,)
    raise problem


def _counted(answers: Iterable[Any], total: int, tell: Progress, what: str) -> list[Any]:
    done = []
    for answer in answers:
        done.append(answer)
        tell(what, len(done), total)
    return done


def _telling(engine: Executor, tell: Progress) -> Executor:
    def mapped(function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterable[Any]:
        listed = list(jobs)
        return _counted(engine(function, listed), len(listed), tell, "fits")

    return mapped


def _stage_positions(points: tuple[MapPoint, ...], images: Sequence[ImageAnswer]) -> tuple[MapPoint, ...]:
    """Positions from the headers, where the run.toml gives none and every header does."""
    measured = [(image.x_um, image.y_um) for image in images]
    if not np.all(np.isnan([(point.x_um, point.y_um) for point in points])) or np.any(np.isnan(measured)):
        return points
    return tuple(replace(point, x_um=x, y_um=y) for point, (x, y) in zip(points, measured, strict=True))


def _fit_jobs(
    config: RunConfig,
    images: Sequence[ImageAnswer],
    phases: tuple[Phase, ...],
    starts: dict[str, Any],
    widths: Widths | None,
    distance_m: float,
) -> list[FitJob | None]:
    section = config.diffraction
    free, fix = _words(config, phases)
    stress = {phase.name: one.stress for phase, one in zip(phases, config.phases, strict=True) if one.stress}
    jobs: list[FitJob | None] = []
    for number, image in enumerate(images, 1):
        own = section.points.get(str(number))
        if image.integration is None:
            jobs.append(None)
            continue
        sigma_um = section.distance_sigma_um
        options = {
            "cells": {**starts, **(own.cells if own else {})},
            "two_theta_deg": section.two_theta_deg,
            "exclude_deg": (*section.exclude_deg, *(own.exclude_deg if own else ())),
            "background": section.background_terms,
            "method": section.method,
            "loss": section.loss,
            "profile": section.profile,
            "free": free,
            "fix": fix,
            "instrument": widths,
            "stress": stress,
            "wavelength_sigma_ang": section.wavelength_sigma_ang,
            "distance_relative_sigma": None if sigma_um is None else 1e-6 * sigma_um / distance_m,
        }
        jobs.append(FitJob(pattern=image.integration.pattern, phases=phases, options=options))
    return jobs


def _point(
    place: MapPoint,
    file: str,
    frame: int,
    image: ImageAnswer,
    answer: FitAnswer | None,
    monitor: float,
    raman: PointRaman | None,
) -> PointResult:
    fit = None if answer is None else answer.fit
    integration = image.integration
    reason = image.reason or ("" if answer is None else answer.reason) or ("" if fit is None else fit.reason)
    return PointResult(
        place=place,
        file=file,
        frame=frame,
        exposure_s=image.exposure_s,
        monitor=monitor,
        verdict=Verdict.FAILED if fit is None else fit.verdict,
        reason=reason,
        spottiness=float("nan") if integration is None else integration.spottiness.overall,
        pattern=None if integration is None else integration.pattern,
        fit=fit,
        notes=() if integration is None else integration.notes,
        raman=raman,
    )


def _short(source: FrameSource, folder: Path) -> str:
    """The file as a user of the run knows it: without the folder of the run, which may move."""
    try:
        name = source.path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        name = str(source.path)
    return f"{name}::{source.dataset}" if source.dataset else name


def _checksums(config: Path, sources: Sequence[FrameSource], folder: Path) -> dict[str, str]:
    sums = {config.name: hashlib.sha256(config.read_bytes()).hexdigest()}
    for source in dict.fromkeys(sources):
        try:
            with source.path.open("rb") as stream:
                sums[_short(source, folder)] = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            continue
    return sums


def _log(result: RunResult) -> str:
    lines = [
        f"hydrostruct {result.versions['hydrostruct']}: {result.title}",
        *(f"{name} {number}" for name, number in result.versions.items()),
        f"fit: method {result.method}, loss {result.loss}, profile {result.profile}",
        *(f"attention: {note}" for note in result.notes),
    ]
    for point in result.points:
        lines.append(f"point {point.place.point}: {point.file}: {point.verdict}. {point.reason}".rstrip())
        lines += [f"point {point.place.point}: note: {note}" for note in point.notes]
        lines += (
            [f"point {point.place.point}: Raman: {point.raman.reason}"] if point.raman and point.raman.reason else []
        )
        lines += [f"point {point.place.point}: {warning}" for warning in (point.fit.warnings if point.fit else ())]
    return "\n".join(lines) + "\n"
