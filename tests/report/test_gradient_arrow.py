"""The arrow up the gradient of a SIMULATED pressure map."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hydrostruct.grid import grid_points
from hydrostruct.report.map_figures import draw_gradient


def drawn(slope_x: float, slope_y: float, noise: float) -> Any:
    places = grid_points((5, 5), step_um=(5.0, 5.0))
    result: Any = SimpleNamespace(points=[SimpleNamespace(place=place) for place in places])
    x, y = (np.array([getattr(place, name) for place in places]) for name in ("x_um", "y_um"))
    values = 95.0 + slope_x * x + slope_y * y + np.random.default_rng(91).normal(0, noise, x.size)
    figure = Figure()
    FigureCanvasAgg(figure)
    return draw_gradient(result, values, np.full(x.size, noise), ax=figure.add_subplot())


def test_the_arrow_points_up_the_gradient_and_its_size_is_said() -> None:
    axes = drawn(0.2, -0.1, 0.1)
    (arrow,) = axes.texts
    way = np.array(arrow.xy) - np.array(arrow.xyann)
    assert np.allclose(way / np.hypot(*way), np.array([2.0, -1.0]) / np.sqrt(5.0), atol=0.1)
    assert np.all(np.abs(np.array(arrow.xy) - 10.0) <= 10.0)
    assert axes.get_title(loc="right").startswith("gradient 0.2")


def test_a_flat_map_has_no_arrow() -> None:
    axes = drawn(0.0, 0.0, 0.3)
    assert not axes.texts
    assert "±" in axes.get_title(loc="right")
