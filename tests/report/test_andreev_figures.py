from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import hydrostruct as hs
from hydrostruct.andreev.fit_result import AndreevFit
from hydrostruct.report.andreev_figures import save_reduced_gap_figure, save_spectrum_figure, save_waterfall_figure
from hydrostruct.report.andreev_plots import plot_correlation, plot_reduced_gap, plot_spectrum, plot_waterfall


@pytest.fixture(scope="module")
def fits() -> list[AndreevFit]:
    bias = np.linspace(-80, 80, 161)
    random = np.random.default_rng(0)
    curves = []
    for temperature, gap in ((2.0, 21.0), (60.0, 18.0), (120.0, 0.0)):
        clean = hs.andreev_conductance(bias, gap_mev=gap, broadening_mev=4.0, barrier=0.3, temperature_k=temperature)
        noisy = clean + random.normal(0, 0.003, bias.size)
        curves.append(
            hs.ConductanceCurve(
                bias_mv=bias, conductance=noisy, temperature_k=temperature, name=f"{temperature:g} K $x"
            )
        )
    return hs.fit_conductances(curves, degree=0)


def test_a_spectrum_is_drawn_with_its_fit_and_its_gap(fits: list[AndreevFit]) -> None:
    axes = plot_spectrum(fits[0], ax=Figure().add_subplot())
    assert "mV" in axes.get_xlabel()
    assert "meV" in axes.get_title(loc="right")
    assert "± 0." in axes.get_title(loc="right")
    absent = plot_spectrum(fits[2], ax=Figure().add_subplot())
    assert "absent" in absent.get_title(loc="right")


def test_a_waterfall_names_every_temperature(fits: list[AndreevFit]) -> None:
    axes = plot_waterfall(fits, ax=Figure().add_subplot())
    words = [text.get_text() for text in axes.texts]
    assert words[0] == "2 K"
    assert words[2] == "120 K (absent)"


def test_reduced_gaps_name_the_tc_that_went_in() -> None:
    t = np.linspace(5, 100, 8)
    found = hs.fit_gaps(t, hs.bcs_gap(t, gap0_mev=21.0, tc_k=109.0), tc_k=109.0, name="cell 2")
    axes = plot_reduced_gap([found], ax=Figure().add_subplot())
    legend = axes.get_legend()
    assert legend is not None
    assert any("given" in text.get_text() for text in legend.get_texts())


def test_correlations_are_numbers(fits: list[AndreevFit]) -> None:
    axes = plot_correlation(fits[0], ax=Figure().add_subplot())
    assert len(axes.texts) == 16


def test_figures_are_written(fits: list[AndreevFit], tmp_path: Path) -> None:
    t = np.linspace(5, 100, 8)
    gaps = hs.fit_gaps(t, hs.bcs_gap(t, gap0_mev=21.0, tc_k=109.0))
    written = [
        save_spectrum_figure(fits[0], tmp_path / "a.png"),
        save_waterfall_figure(fits, tmp_path / "b.png", title="simulated"),
        save_reduced_gap_figure([gaps], tmp_path / "c.png", title="simulated"),
    ]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
