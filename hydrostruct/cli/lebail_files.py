"""The files of ``hydrostruct lebail``: read, fitted, drawn; one that cannot be fitted stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydrostruct.cli.checks import figure_title
from hydrostruct.cli.output import print_note
from hydrostruct.errors import InputError

if TYPE_CHECKING:
    from hydrostruct.xrd.fit_result import PatternFit
    from hydrostruct.xrd.map_result import MapFit
    from hydrostruct.xrd.pattern import Pattern

_FEWEST_IN_COMMON = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedFiles:
    """What became of the files of one command."""

    fits: list[PatternFit]
    """Of those that could be fitted."""
    failures: list[tuple[str, str]]
    """Names of the others, and why."""
    whole: MapFit | None = None
    """The fit of all patterns at once, where they have something in common."""


def fit_files(
    files: list[str],
    phases: list[Any],
    measured: dict[str, Any],
    options: dict[str, Any],
    *,
    common: Sequence[str] = (),
) -> FittedFiles:
    """Fit what can be read and fitted, each pattern by itself or, with something in common, all at once.

    Parameters
    ----------
    files : list of str
        Names of the patterns.
    phases : list of Phase
        What may be in them.
    measured : dict
        What `read_pattern` takes besides the name.
    options : dict
        What `fit_patterns` takes.
    common : sequence of str
        What `fit_map` takes; nothing for separate fits.

    Returns
    -------
    FittedFiles

    Raises
    ------
    InputError
        When the options are wrong, or what can be read is too little for one fit of all.
    """
    from hydrostruct.xrd.pattern import read_pattern

    read, failures = [], []
    for name in files:
        try:
            read.append(read_pattern(name, **measured))
        except InputError as error:
            if "the wavelength is" in str(error) or "the geometry is" in str(error):
                raise
            failures.append((name, str(error)))
    if common:
        _check_number(len(read), failures)
    if not read:
        return FittedFiles(fits=[], failures=failures)
    good, fits, failures = _fit_patterns(read, phases, options, failures)
    if not common:
        return FittedFiles(fits=fits, failures=failures)
    _check_number(len(good), failures)
    from hydrostruct.xrd.fit_map import fit_map

    settings = {name: value for name, value in options.items() if name != "search"}
    whole = fit_map(good, phases, common=common, fits=fits, **settings)
    return FittedFiles(fits=list(whole.fits), failures=failures, whole=whole)


def _check_number(count: int, failures: list[tuple[str, str]]) -> None:
    if count < _FEWEST_IN_COMMON:
        why = f" ({failures[0][1]})" if failures else ""
        raise InputError(
            f"--common: {count} pattern(s) can be fitted{why}. Expected {_FEWEST_IN_COMMON} or more that have "
            "something in common. Give more, or leave --common out."
        )


def _fit_patterns(
    read: list[Pattern], phases: list[Any], options: dict[str, Any], failures: list[tuple[str, str]]
) -> tuple[list[Pattern], list[PatternFit], list[tuple[str, str]]]:
    """Those patterns that can be fitted, with their fits; when none can, the options are wrong, not the patterns."""
    from hydrostruct.xrd.lebail import fit_patterns

    try:
        return read, fit_patterns(read, phases, **options), failures
    except InputError:
        if len(read) == 1 and not failures:
            raise
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
    failures = failures + [(name, str(error)) for name, error in bad]
    return good, fit_patterns(good, phases, **options), failures


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
