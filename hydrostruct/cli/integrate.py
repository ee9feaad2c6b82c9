"""``hydrostruct integrate``: images → patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydrostruct.cli.output import format_table, print_json, print_note
from hydrostruct.errors import InputError

if TYPE_CHECKING:
    from hydrostruct.xrd.frames import Frame, FrameSource
    from hydrostruct.xrd.geometry import Geometry
    from hydrostruct.xrd.integrate import Integration, Integrator

_HEADER = ("file", "written", "points", "from_deg", "to_deg", "spottiness", "clipped_percent")


@dataclass(kw_only=True, slots=True)
class _Progress:
    """What has come of the images so far."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    needs_attention: bool = False
    succeeded: bool = False

    def fail(self, where: str, error: InputError) -> None:
        """Note an image that failed; told at once when others went well, else in one line at the end."""
        self.failures.append(str(error))
        self.rows.append(_row(where, None, None, reason=str(error)))
        if self.succeeded:
            print_note(f"failed: {error}")

    def succeed(self, row: dict[str, Any]) -> None:
        if not self.succeeded:
            for message in self.failures:
                print_note(f"failed: {message}")
        self.succeeded = True
        self.rows.append(row)

    def warn(self, message: str) -> None:
        self.needs_attention = True
        print_note(f"attention: {message}")


def integrate(
    images: Annotated[
        list[str], typer.Argument(help="Images, quoted patterns such as 'xrd/*.tif', or scan.h5::/path.")
    ],
    geometry: Annotated[Path, typer.Option(help="Calibration of pyFAI (.poni).")],
    mask: Annotated[Path | None, typer.Option(help="Mask: .mask (Dioptas), TIFF, EDF, .npy; not 0 is masked.")] = None,
    orientation: Annotated[int | None, typer.Option(help="1 to 4, in place of the .poni's; 2 is upside down.")] = None,
    polarization: Annotated[float, typer.Option(help="Polarization factor, -1 to 1.")] = 0.99,
    clip: Annotated[str, typer.Option(help="none, sigma or median. Spots may be the sample.")] = "none",
    split: Annotated[str, typer.Option(help="no, bbox or full. Only 'no' gives independent points.")] = "no",
    error: Annotated[str, typer.Option(help="azimuthal (scatter within the ring) or poisson.")] = "azimuthal",
    bins: Annotated[int, typer.Option(help="Number of points.")] = 2000,
    two_theta: Annotated[
        tuple[float, float] | None, typer.Option("--range", help="2θ in degrees, low and high.", metavar="LO HI")
    ] = None,
    dark: Annotated[Path | None, typer.Option(help="Dark image, subtracted.")] = None,
    flat: Annotated[Path | None, typer.Option(help="Flat field, divided.")] = None,
    background: Annotated[Path | None, typer.Option(help="Background image, subtracted.")] = None,
    wavelength: Annotated[float | None, typer.Option(help="Å, in place of the .poni's.")] = None,
    saturation: Annotated[float | None, typer.Option(help="Counts from which a pixel is saturated.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> int:
    """Integrate 2D images to patterns (.xye: 2θ in degrees, intensity, sigma).

    An image a.tif becomes a.xye; the twelfth frame of a stack scan.h5 becomes scan_00012.xye.

    Example: hydrostruct integrate 'xrd/*.tif' --geometry xrd/cell.poni --mask xrd/cell.mask --out patterns
    """
    from hydrostruct.xrd.frames import find_frames
    from hydrostruct.xrd.geometry import read_geometry
    from hydrostruct.xrd.integrator import check_options

    where = read_geometry(geometry, orientation=orientation, wavelength_ang=wavelength)
    options: dict[str, Any] = {"bins": bins, "two_theta_deg": two_theta, "polarization": polarization}
    options |= {"clip": clip, "split": split, "error": error}
    check_options(where, **options, saturation=saturation)
    sources = find_frames(images)
    _refuse_same_names(sources)
    files = {"mask": mask, "dark": dark, "flat": flat, "background": background}
    corrections = _read_corrections({what: path for what, path in files.items() if path is not None})
    progress = _integrate_all(sources, where, corrections, options | {"saturation": saturation}, out)
    return _finish(progress, as_json=as_json)


def _integrate_all(
    sources: Sequence[FrameSource],
    geometry: Geometry,
    corrections: dict[str, tuple[Path, Any]],
    options: dict[str, Any],
    out: Path,
) -> _Progress:
    from hydrostruct.xrd.frames import iterate_frames
    from hydrostruct.xrd.integrate import integrate_frame
    from hydrostruct.xrd.pattern import write_pattern

    progress = _Progress()
    integrator: Integrator | None = None
    names: set[str] = set()
    for frame in iterate_frames(sources, on_error=lambda source, problem: progress.fail(source.label, problem)):
        try:
            if frame.name.casefold() in names:
                raise InputError(f"{frame.source}: {frame.name}.xye is already written. Expected names of their own.")
            if integrator is None:
                integrator = _build(geometry, frame, corrections, options)
            result = integrate_frame(integrator, frame)
        except InputError as problem:
            progress.fail(frame.source, problem)
            continue
        if not progress.succeeded:
            _check_rings(frame, geometry, corrections, progress)
        names.add(frame.name.casefold())
        written = write_pattern(result.pattern, out / f"{frame.name}.xye")
        progress.succeed(_row(frame.source, written, result))
        for note in result.notes:
            print_note(f"{frame.source}: {note}")
    return progress


def _read_corrections(files: dict[str, Path]) -> dict[str, tuple[Path, Any]]:
    from hydrostruct.xrd.frames import read_image
    from hydrostruct.xrd.masks import read_mask

    return {what: (path, read_mask(path) if what == "mask" else read_image(path)) for what, path in files.items()}


def _build(
    geometry: Geometry, frame: Frame, corrections: dict[str, tuple[Path, Any]], options: dict[str, Any]
) -> Integrator:
    from hydrostruct.xrd.integrate import build_integrator
    from hydrostruct.xrd.masks import check_mask_shape
    from hydrostruct.xrd.optics import check_frame_shape

    rows, columns = frame.image.shape
    check_frame_shape(geometry, (rows, columns), where=frame.source)
    for path, image in corrections.values():
        check_mask_shape(image, (rows, columns), where=str(path))
    arrays = {what: image for what, (_, image) in corrections.items()}
    return build_integrator(geometry, shape=(rows, columns), **arrays, **options)


def _check_rings(
    frame: Frame, geometry: Geometry, corrections: dict[str, tuple[Path, Any]], progress: _Progress
) -> None:
    from hydrostruct.xrd.orientation import check_orientation

    mask = corrections["mask"][1] if "mask" in corrections else None
    report = check_orientation(frame, geometry, mask=mask)
    if not report.fits:
        progress.warn(report.note)


def _row(source: str, written: Path | None, result: Integration | None, *, reason: str = "") -> dict[str, Any]:
    import numpy as np

    row: dict[str, Any] = {
        "file": source,
        "pattern": None if written is None else str(written),
        "reason": reason,
        "points": None,
        "two_theta_deg": None,
        "spottiness": None,
        "spottiness_windows": None,
        "windows_deg": None,
        "masked_fraction": None,
        "clipped": None,
        "notes": [],
    }
    if result is None:
        return row
    measured = result.pattern.two_theta_deg[np.isfinite(result.pattern.intensity)]
    row |= {
        "points": measured.size,
        "two_theta_deg": [measured[0], measured[-1]],
        "spottiness": result.spottiness.overall,
        "spottiness_windows": result.spottiness.windows,
        "windows_deg": result.spottiness.edges_deg,
        "masked_fraction": result.masked_fraction,
        "notes": list(result.notes),
    }
    if result.clipped is not None:
        report = result.clipped
        row["clipped"] = {
            "method": report.method,
            "pixels_removed": report.pixels_removed_total,
            "intensity_removed": report.intensity_removed_total,
            "peaks_removed": report.peaks_removed_total,
            "pixels_removed_windows": report.pixels_removed,
            "intensity_removed_windows": report.intensity_removed,
            "peaks_removed_windows": report.peaks_removed,
        }
    return row


def _refuse_same_names(sources: Sequence[FrameSource]) -> None:
    """Two images of one stem would overwrite each other's pattern: said before anything is written."""
    seen: dict[str, str] = {}
    for source in sources:
        other = seen.setdefault(source.path.stem.casefold(), source.label)
        if other != source.label:
            raise InputError(
                f"{source.label}: would be written to {source.path.stem}.xye, as {other} is. Expected different file "
                "names in one folder. Integrate them one by one, each with its own --out."
            )


def _finish(progress: _Progress, *, as_json: bool) -> int:
    done = [row for row in progress.rows if row["pattern"] is not None]
    if progress.failures and not done:
        if len(progress.failures) == 1:
            raise InputError(progress.failures[0])
        raise InputError(
            f"images: none of {len(progress.failures)} could be integrated. The first: {progress.failures[0]}"
        )
    if as_json:
        print_json(progress.rows)
    else:
        typer.echo(format_table([_cells(row) for row in done], header=_HEADER))
    if progress.failures:
        print_note(f"attention: {len(progress.failures)} of {len(progress.rows)} images could not be integrated.")
    return 1 if progress.failures or progress.needs_attention else 0


def _cells(row: dict[str, Any]) -> list[str]:
    low, high = row["two_theta_deg"]
    clipped = "-" if row["clipped"] is None else f"{100 * row['clipped']['intensity_removed']:.2f}"
    spottiness = row["spottiness"]
    path, stack, inside = row["file"].partition("::")
    return [
        f"{Path(path).name}{stack}{inside}",
        row["pattern"],
        str(row["points"]),
        f"{low:.4f}",
        f"{high:.4f}",
        "n/a" if spottiness != spottiness else f"{spottiness:.2f}",
        clipped,
    ]
