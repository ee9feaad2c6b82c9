"""Straight lines through parts of a curve, as linear functions of its points, so that errors propagate exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hydrostruct.transport.curves import Bools, Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """R = slope·(T − centre) + height, each of the two a weighted sum of the resistances."""

    slope: float
    """In Ω/K."""
    height: float
    """In Ω, at the centre."""
    centre_k: float
    """Mean temperature of the window, in K."""
    slope_weights: Floats
    """Weights of the resistances in the slope, in 1/K, shape (n,), 0 outside the window."""
    height_weights: Floats
    """Weights of the resistances in the height, shape (n,)."""

    def at(self, temperature_k: Floats | float) -> Floats:
        """The line at some temperatures, in Ω."""
        return np.asarray(self.slope * (np.asarray(temperature_k) - self.centre_k) + self.height)

    def weights_at(self, temperature_k: float) -> Floats:
        """Weights of the resistances in the line's value at a temperature, shape (n,)."""
        return np.asarray(self.slope_weights * (temperature_k - self.centre_k) + self.height_weights)


def fit_line(temperature: Floats, resistance: Floats, window: Bools) -> Line:
    """Least-squares line through the points of a window.

    Parameters
    ----------
    temperature, resistance : array, shape (n,)
        The curve.
    window : array of bool, shape (n,)
        The points that count, two or more at different temperatures.

    Returns
    -------
    Line

    Examples
    --------
    >>> t = np.arange(6.0)
    >>> line = fit_line(t, 3.0 * t + 1.0, t > 1)
    >>> round(line.slope, 9), round(float(line.at(0.0)), 9)
    (3.0, 1.0)
    """
    inside = window.astype(np.float64)
    count = inside.sum()
    centre = float(temperature @ inside / count)
    lever = (temperature - centre) * inside
    slope_weights = lever / float(lever @ lever)
    height_weights = inside / count
    return Line(
        slope=float(slope_weights @ resistance),
        height=float(height_weights @ resistance),
        centre_k=centre,
        slope_weights=slope_weights,
        height_weights=height_weights,
    )


def intersection(upper: Line, lower: Line) -> tuple[float, Floats]:
    """Where two lines meet, and how that depends on every point.

    Parameters
    ----------
    upper, lower : Line
        The state above and the transition.

    Returns
    -------
    temperature : float
        In K; NaN for parallel lines.
    weights : array, shape (n,)
        Derivative by each resistance, in K/Ω.

    Notes
    -----
    T* = (b₂ − b₁)/(m₁ − m₂). Points that both lines share, and the covariance of slope and height, are accounted for:
    σ² = Σ wᵢ² σᵢ².
    """
    difference = lower.slope - upper.slope
    if difference == 0:
        return float("nan"), np.full(upper.slope_weights.shape, np.nan)
    gap = float(upper.at(lower.centre_k)) - lower.height
    temperature = lower.centre_k + gap / difference
    weights = (upper.weights_at(temperature) - lower.weights_at(temperature)) / difference
    return float(temperature), np.asarray(weights)


def curvature(upper: Line, lower: Line, temperature_k: float, weights: Floats, noise_ohm: Floats) -> float:
    """By how much noise moves the mean of an intersection, to second order.

    Parameters
    ----------
    upper, lower : Line
        The two lines.
    temperature_k : float
        Where they meet, in K.
    weights : array, shape (n,)
        Derivative by each resistance, in K/Ω, as :func:`intersection` gives it.
    noise_ohm : array, shape (n,)
        Standard deviation of each point, in Ω.

    Returns
    -------
    float
        In K; NaN for parallel lines.

    Notes
    -----
    T* − T₀ = gap/m with m the difference of the slopes: δ²T* = −δm δT*/m, so that the mean moves by −cov(m, T*)/m.
    """
    difference = lower.slope - upper.slope
    if difference == 0:
        return float("nan")
    slopes = (lower.slope_weights - upper.slope_weights) * noise_ohm
    return -float(slopes @ (weights * noise_ohm)) / difference
