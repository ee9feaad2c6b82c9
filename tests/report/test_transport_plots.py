"""Figures of transport draw what the records hold, with units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import hydrostruct as hs
from hydrostruct.report.transport_plots import (
    plot_differential_resistance,
    plot_pinning,
    plot_resistance,
    plot_tc_pressure,
    plot_voltage,
)


def axes() -> Any:
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def words(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_resistance_curve_shows_its_construction_lines_and_an_inset_at_zero() -> None:
    t = np.linspace(80.0, 130.0, 800)
    curve = hs.ResistanceCurve(temperature_k=t, resistance_ohm=(0.3 + 0.002 * t) / (1 + np.exp(-(t - 98) / 0.4)))
    found, ax = hs.find_tc(curve), axes()
    assert plot_resistance(found, ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("temperature (K)", "resistance (Ω)")
    assert len([line for line in ax.lines if line.get_linestyle() == "--"]) == 2
    assert f"{found.tc_k:.2f}" in ax.texts[0].get_text()
    assert len(ax.child_axes) == 1


def test_a_family_of_voltages_is_named_by_temperature_and_has_slopes() -> None:
    current = np.linspace(-0.08, 0.08, 161)
    noise = np.random.default_rng(1).normal(0, 1e-8, 161)
    fits = [
        hs.fit_voltage_current(
            hs.VoltageCurve(
                current_a=current,
                voltage_v=np.sign(current) * 2e-7 * np.abs(current / ic) ** 15 + noise,
                temperature_k=temperature,
            )
        )
        for temperature, ic in ((60.0, 0.07), (64.0, 0.05))
    ]
    ax = plot_voltage(fits, ax=axes())
    assert [word[:6] for word in words(ax)] == ["60.0 K", "64.0 K"]
    assert "µV" in ax.get_ylabel()
    assert "dV/dI" in plot_differential_resistance(fits, ax=axes()).get_ylabel()


def test_what_is_extrapolated_is_said_so() -> None:
    t = np.linspace(60.0, 76.0, 12)
    value = 2.92e6 * hs.pinning_shape(t, "delta-l", tc_k=78.0)
    found = hs.compare_pinning(
        hs.CriticalCurrents(temperature_k=t, value=value, sigma=0.05 * value, unit="a_cm2", name="simulated")
    )
    ax = plot_pinning(found, ax=axes())
    assert "extrapolated" in words(ax)
    assert any(word.startswith("delta-l") for word in words(ax))
    assert ax.get_ylabel() == "Jc (MA/cm²)"


def test_own_points_stand_apart_from_the_literature() -> None:
    own = hs.TcPoint(pressure_gpa=94.5, pressure_sigma_gpa=0.6, tc_k=98.0, tc_sigma_k=0.3, phase="CeH9-P63mmc",
                     quantity="intersection", source="this work")  # fmt: skip
    points = [*hs.literature_tc("CeH9-P63mmc"), *hs.literature_tc("CeH10-Fm3m"), own]
    line = hs.fit_tc_pressure([88, 130], [57, 100], pressure_sigma_gpa=3.0, tc_sigma_k=2.0)
    ax = plot_tc_pressure(points, line=line, ax=axes())
    assert {"CeH9-P63mmc", "CeH10-Fm3m", "this work", "literature", "theory"} <= set(words(ax))
    assert math.isfinite(line.slope_k_per_gpa)
