"""Figures draw what the record holds, on the axes given, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import hydrostruct as hs
from hydrostruct.report.figures import save_fit_figure
from hydrostruct.report.plots import plot_fit, plot_pattern


@pytest.fixture(scope="module")
def fit() -> hs.PatternFit:
    """A fit of two simulated gold lines with a region left out, under a name that is also mathematics."""
    angles = np.linspace(8.0, 20.0, 1200)
    peaks = sum(h * np.exp(-4 * np.log(2) * ((angles - c) / 0.08) ** 2) for c, h in [(15.551, 900.0), (17.976, 400.0)])
    counts = np.random.default_rng(3).poisson(peaks + 50.0).astype(float)
    pattern = hs.Pattern(two_theta_deg=angles, intensity=counts, wavelength_ang=0.6199, name="a$b_{.xye")
    return hs.fit_pattern(pattern, [hs.read_phase("Au")], cells={"Au": {"a_ang": 3.97}}, exclude_deg=[(10.0, 11.0)])


def test_a_fit_is_drawn_on_the_axes_given_with_units_and_every_phase(fit: hs.PatternFit) -> None:
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    assert plot_fit(fit, ax=axes) is axes
    legend = axes.get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["observed", "left out", "background", "fit", "Au", "difference"]
    assert "degrees" in axes.get_xlabel()
    assert axes.get_ylabel() == "intensity"


def test_points_that_took_no_part_have_no_fitted_value(fit: hs.PatternFit) -> None:
    excluded = (fit.two_theta_deg >= 10.0) & (fit.two_theta_deg <= 11.0)
    assert not np.any(fit.fitted[excluded])
    assert np.all(np.isnan(fit.calculated[excluded]))
    assert np.all(np.isfinite(fit.calculated[fit.fitted]))
    assert fit.calculated.shape == fit.observed.shape == fit.background.shape


def test_ticks_stand_at_the_fitted_lines(fit: hs.PatternFit) -> None:
    figure = Figure()
    axes = plot_fit(fit, ax=figure.add_subplot())
    ticks = next(line for line in axes.get_lines() if line.get_label() == "Au")
    np.testing.assert_array_equal(ticks.get_xdata(), fit.phases["Au"].lines.two_theta_deg)


def test_a_pattern_is_drawn_with_its_gaps() -> None:
    angles = np.linspace(5.0, 6.0, 50)
    intensity = np.where((angles > 5.4) & (angles < 5.5), np.nan, 10.0)
    pattern = hs.Pattern(two_theta_deg=angles, intensity=intensity, wavelength_ang=0.5)
    axes = plot_pattern(pattern, ax=Figure().add_subplot())
    assert np.any(np.isnan(axes.get_lines()[0].get_ydata()))


def test_a_figure_is_written_whole_and_a_file_name_is_text_not_mathematics(fit: hs.PatternFit, tmp_path: Path) -> None:
    path = save_fit_figure(fit, tmp_path / "new" / "fit.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in path.parent.iterdir()] == ["fit.png"]
