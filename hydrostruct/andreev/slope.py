"""V(I) → dI/dV: by local regression with errors, or as the paper's authors did it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hydrostruct.andreev.curve import ConductanceCurve
from hydrostruct.errors import InputError, nearest_name
from hydrostruct.numerics.local_slope import local_slope
from hydrostruct.numerics.noise import point_noise

Floats = npt.NDArray[np.float64]

_METHODS = ("local", "three-step")
_POINTS_PER_WINDOW = 120


def check_method(method: str) -> None:
    """Refuse a method that is not known, whether or not a slope is to be taken.

    Parameters
    ----------
    method : str
        As in :func:`conductance_from_iv`.

    Raises
    ------
    InputError
        With the nearest known one.
    """
    if method not in _METHODS:
        raise InputError(
            f"method is {method!r}. Expected {' or '.join(_METHODS)}. {nearest_name(method, _METHODS)}".rstrip()
        )


def conductance_from_iv(
    current_a: npt.ArrayLike,
    voltage_v: npt.ArrayLike,
    *,
    method: str = "local",
    half_width: int | None = None,
    temperature_k: float = math.nan,
    name: str = "",
) -> ConductanceCurve:
    """Conductance against bias from a current-voltage curve.

    Parameters
    ----------
    current_a : array-like, shape (n,)
        Current, in A; it is what the source sets, and taken as exact.
    voltage_v : array-like, shape (n,)
        Voltage, in V.
    method : str
        ``"local"``: local regression with errors. ``"three-step"``: the slope through three steps, the bias their mean,
        then a moving average of three; it has no errors.
    half_width : int, optional
        Points on each side of the local regression; a window of about a sixtieth of the curve when left out.
    temperature_k : float
        Temperature, in K.
    name : str
        What the curve is known by.

    Returns
    -------
    ConductanceCurve
        Conductance in S; bias in mV.

    Raises
    ------
    InputError
        When the method is not known, the arrays differ in shape, or the voltage does not change.

    Examples
    --------
    >>> current = np.linspace(-1e-3, 1e-3, 101)
    >>> curve = conductance_from_iv(current, 50.0 * current + 1e3 * current**3, method="three-step")
    >>> bool(abs(curve.conductance[50] - 0.02) < 1e-6)
    True
    """
    current, voltage = (np.asarray(values, dtype=np.float64) for values in (current_a, voltage_v))
    where = name or "curve"
    check_method(method)
    if current.ndim != 1 or current.shape != voltage.shape:
        raise InputError(f"{where}: the shapes are {current.shape}, {voltage.shape}. Expected columns of one length.")
    current, voltage = _one_row_a_current(current, voltage)
    if current.size < 25:
        raise InputError(f"{where}: {current.size} different currents. Expected 25 or more. Measure more points.")
    if method == "local":
        width = max(2, current.size // _POINTS_PER_WINDOW) if half_width is None else half_width
        bias, conductance, sigma = _local(current, voltage, width)
    else:
        bias, conductance = three_step_slope(current, voltage)
        sigma = None
    good = np.isfinite(conductance) & (conductance > 0)
    if np.count_nonzero(good) < 20:
        raise InputError(f"{where}: the voltage does not rise with the current. Expected dV/dI above 0. Swap leads?")
    dropped = int(np.count_nonzero(~good & np.isfinite(conductance)))
    return ConductanceCurve(
        bias_mv=1e3 * bias[good],
        conductance=conductance[good],
        sigma=None if sigma is None else sigma[good],
        temperature_k=temperature_k,
        name=name,
        warnings=(f"{dropped} point(s) with dV/dI not above 0 were left out",) if dropped else (),
    )


def three_step_slope(current_a: Floats, voltage_v: Floats) -> tuple[Floats, Floats]:
    """The paper's slope: through each three steps of the current, then a moving average of three.

    Parameters
    ----------
    current_a, voltage_v : array, shape (n,)
        Current in A, rising, and voltage in V.

    Returns
    -------
    bias_v, conductance : array, shape (n − 4,)
        Mean voltage of the three, in V, and dI/dV, in S; both averaged over three.

    Notes
    -----
    Three steps and three averages make five points to one; what is sharper than that is rounded off.
    """
    windows = np.lib.stride_tricks.sliding_window_view
    i, v = windows(current_a, 3), windows(voltage_v, 3)
    lever = i - i.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.sum(lever * i, axis=1) / np.sum(lever * v, axis=1)
    mean = np.full(3, 1.0 / 3.0)
    return np.convolve(v.mean(axis=1), mean, mode="valid"), np.convolve(slope, mean, mode="valid")


def _local(current: Floats, voltage: Floats, half_width: int) -> tuple[Floats, Floats, Floats]:
    """The bias is the regression's, not the point's own, whose noise would go into the curve twice."""
    noise = float(np.median(point_noise(voltage)))
    slope, error = local_slope(current, voltage, half_width=half_width, sigma=noise)
    kernel = 1.0 - (np.arange(-half_width, half_width + 1) / (half_width + 1.0)) ** 2
    kernel /= kernel.sum()
    windows = np.lib.stride_tricks.sliding_window_view
    center_v = np.full(current.size, np.nan)
    center_v[half_width : current.size - half_width] = windows(voltage, kernel.size) @ kernel
    with np.errstate(divide="ignore", invalid="ignore"):
        return center_v, 1.0 / slope, error / slope**2


def _one_row_a_current(current: Floats, voltage: Floats) -> tuple[Floats, Floats]:
    """Rising currents without repetition: sweeps up and down are averaged where they meet."""
    finite = np.isfinite(current) & np.isfinite(voltage)
    rising, at = np.unique(current[finite], return_inverse=True)
    return rising, np.bincount(at, weights=voltage[finite]) / np.maximum(np.bincount(at), 1)
