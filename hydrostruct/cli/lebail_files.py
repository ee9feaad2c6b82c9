"""The files of ``hydrostruct lebail``: read, fitted, drawn; one that cannot be fitted stops no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydrostruct.cli.checks import figure_title
from hydrostruct.cli.output import print_note
from hydrostruct.errors import InputError

if TYPE_CHECKING:
    from hydrostruct.xrd.fit_result import PatternFit
    from hydrostruct.xrd.pattern import Pattern


def fit_files(
    files: list[str], phases: list[Any], measured: dict[str, Any], options: dict[str, Any]
) -> tuple[list[PatternFit], list[tuple[str, str]]]:
    """The fits of those files that can be read and fitted, and for the others file and reason."""
    from hydrostruct.xrd.lebail import fit_patterns
    from hydrostruct.xrd.pattern import read_pattern

    read, failures = [], []
    for name in files:
        try:
            read.append(read_pattern(name, **measured))
        except InputError as error:
            if "the wavelength is" in str(error) or "the geometry is" in str(error):
                raise
            failures.append((name, str(error)))
    if not read:
        return [], failures
    try:
        return fit_patterns(read, phases, **options), failures
    except InputError:
        if len(read) == 1 and not failures:
            raise
        return _fit_what_can_be(read, phases, options, failures)


def _fit_what_can_be(
    read: list[Pattern], phases: list[Any], options: dict[str, Any], failures: list[tuple[str, str]]
) -> tuple[list[PatternFit], list[tuple[str, str]]]:
    """The fits of those patterns that can be fitted; when none can, the options are wrong, not the patterns."""
    from hydrostruct.xrd.lebail import fit_patterns

    good, bad = [], []
    for pattern in read:
        try:
            fit_patterns([pattern], phases, **{**options, "search": "never"})
        except InputError as error:
            bad.append((pattern.name, error))
        else:
            good.append(pattern)
    if not good:
        raise bad[0][1]
    return fit_patterns(good, phases, **options), failures + [(name, str(error)) for name, error in bad]


def draw_fits(fits: list[PatternFit], folder: Path) -> None:
    """Draw each fit as a PNG into a folder, and say so."""
    from hydrostruct.report.figures import save_fit_figure

    stems = [Path(fit.file).stem for fit in fits]
    for fit, stem in zip(fits, stems, strict=True):
        name = stem
        if stems.count(stem) > 1:  # of several folders: the whole path keeps them apart
            parts = Path(fit.file).resolve().with_suffix("").parts[1:]
            name = "-".join(parts)
        title = figure_title([fit.file], Path(fit.file).name)
        path = save_fit_figure(fit, folder / f"{name}_lebail.png", title=title)
        print_note(f"figure: {path}")
