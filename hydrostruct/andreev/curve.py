"""One measured curve: conductance against bias at a temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.errors import InputError
from hydrostruct.numerics.noise import point_noise, spike_mask

Floats = npt.NDArray[np.float64]

_LEAST_POINTS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ConductanceCurve:
    """dI/dV against bias, rising in bias, without missing points."""

    bias_mv: Floats
    """Bias, in mV, shape (n,), rising."""
    conductance: Floats
    """dI/dV, in any unit (S where a series resistance is to be taken off), shape (n,)."""
    sigma: Floats | None = None
    """Its standard uncertainty, shape (n,); None where it must be told from the scatter."""
    temperature_k: float = math.nan
    """Temperature, in K; NaN where it is not known."""
    name: str = ""
    """The file, or what else the curve is known by."""
    warnings: tuple[str, ...] = ()
    """What was done to the data, or is odd about them."""

    def __post_init__(self) -> None:
        bias, conductance = (np.array(values, dtype=np.float64) for values in (self.bias_mv, self.conductance))
        sigma = None if self.sigma is None else np.array(self.sigma, dtype=np.float64)
        where = self.name or "curve"
        _check_shapes(where, bias, conductance, sigma)
        if math.isinf(self.temperature_k) or self.temperature_k < 0:
            raise InputError(f"{where}: the temperature is {self.temperature_k:g} K. Expected 0 or above. Correct it.")
        finite = np.isfinite(bias) & np.isfinite(conductance)
        if sigma is not None:
            finite &= np.isfinite(sigma)
        if np.count_nonzero(finite) < _LEAST_POINTS:
            raise InputError(
                f"{where}: {np.count_nonzero(finite)} points have a number. Expected {_LEAST_POINTS} or more. "
                "Check the columns."
            )
        if sigma is not None and np.any(sigma[finite] <= 0):
            raise InputError(f"{where}: a sigma is not above 0. Expected uncertainties. Leave the column out.")
        order = np.argsort(bias[finite], kind="stable")
        for field, values in (("bias_mv", bias), ("conductance", conductance), ("sigma", sigma)):
            if values is not None:
                kept = values[finite][order]
                kept.flags.writeable = False
                object.__setattr__(self, field, kept)
        if not self.bias_mv[-1] > self.bias_mv[0] or not np.any(self.conductance != self.conductance[0]):
            raise InputError(f"{where}: bias or conductance is the same everywhere. Expected a curve. Check the file.")


def _check_shapes(where: str, bias: Floats, conductance: Floats, sigma: Floats | None) -> None:
    if bias.ndim != 1 or conductance.shape != bias.shape or (sigma is not None and sigma.shape != bias.shape):
        shapes = ", ".join(str(one.shape) for one in (bias, conductance, sigma) if one is not None)
        raise InputError(f"{where}: the shapes are {shapes}. Expected columns of one length. Check the arrays.")


def point_sigma(curve: ConductanceCurve) -> Floats:
    """Standard uncertainty of each point: the given one, or one for all from the scatter about a smooth curve.

    Parameters
    ----------
    curve : ConductanceCurve

    Returns
    -------
    array, shape (n,)
    """
    if curve.sigma is not None:
        return curve.sigma
    return np.full(curve.bias_mv.size, float(np.median(point_noise(curve.conductance))))


def without_spikes(curve: ConductanceCurve) -> ConductanceCurve:
    """The curve without points that stand alone far above or below their neighbours.

    Parameters
    ----------
    curve : ConductanceCurve

    Returns
    -------
    ConductanceCurve
        With a warning that says how many points went; the same curve where there are none.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> noisy = random.normal(1.0, 0.01, 200)
    >>> noisy[[50, 90]] += [0.3, -0.3]
    >>> without_spikes(ConductanceCurve(bias_mv=np.linspace(-50, 50, 200), conductance=noisy)).bias_mv.size
    198
    """
    y = curve.conductance
    bad = spike_mask(y) | spike_mask(float(np.max(y) + np.min(y)) - y)
    count = int(np.count_nonzero(bad))
    if count == 0 or count > 0.05 * y.size:
        return curve
    return replace(
        curve,
        bias_mv=curve.bias_mv[~bad],
        conductance=y[~bad],
        sigma=None if curve.sigma is None else curve.sigma[~bad],
        warnings=(*curve.warnings, f"{count} point(s) that stand alone were left out"),
    )


def symmetrised(curve: ConductanceCurve) -> tuple[ConductanceCurve, float]:
    """The even part of a curve, and how large the odd part is.

    Parameters
    ----------
    curve : ConductanceCurve

    Returns
    -------
    even : ConductanceCurve
        On the biases whose opposite lies within the data, in its sigma the gain of a mean of two.
    asymmetry : float
        Root mean square of the odd part over the range of the even part.

    Raises
    ------
    InputError
        When the curve does not have both signs of bias.

    Examples
    --------
    >>> x = np.linspace(-10.0, 10.0, 41)
    >>> even, asymmetry = symmetrised(ConductanceCurve(bias_mv=x, conductance=1.0 + 0.01 * x**2 + 0.01 * x))
    >>> bool(np.allclose(even.conductance, 1.0 + 0.01 * x**2)), round(asymmetry, 3)
    (True, 0.059)
    """
    bias, y = curve.bias_mv, curve.conductance
    reach = min(bias[-1], -bias[0])
    if not reach > 0:
        raise InputError(f"{curve.name or 'curve'}: the bias has one sign only. Expected both. Do not symmetrise it.")
    inside = np.abs(bias) <= reach * (1.0 + 1e-9)
    other = np.interp(-bias[inside], bias, y)
    even, odd = 0.5 * (y[inside] + other), 0.5 * (y[inside] - other)
    sigma = None
    if curve.sigma is not None:
        other_sigma = np.interp(-bias[inside], bias, curve.sigma)
        sigma = np.hypot(curve.sigma[inside], other_sigma) / 2.0
    span = float(np.ptp(even))
    kept = replace(curve, bias_mv=bias[inside], conductance=even, sigma=sigma)
    return kept, float(np.sqrt(np.mean(odd**2)) / span) if span > 0 else math.nan


def without_series_resistance(curve: ConductanceCurve, resistance_ohm: float) -> ConductanceCurve:
    """The curve of the junction alone: V − I·R_s, and its own slope.

    Parameters
    ----------
    curve : ConductanceCurve
        Its conductance in S.
    resistance_ohm : float
        Resistance in series with the junction, in Ω, not negative.

    Returns
    -------
    ConductanceCurve

    Raises
    ------
    InputError
        When the resistance is negative, or as large as the whole.

    Notes
    -----
    I = ∫G dV from zero bias, V_j = V − I R_s, G_j = G / (1 − G R_s). A gap read without this is too large by about the
    factor 1/(1 − G R_s).

    Examples
    --------
    >>> whole = ConductanceCurve(bias_mv=np.linspace(-10, 10, 21), conductance=np.linspace(0.0999, 0.1, 21))
    >>> junction = without_series_resistance(whole, 5.0)
    >>> junction.bias_mv[-1].round(2), junction.conductance[-1].round(2)
    (np.float64(5.0), np.float64(0.2))
    """
    where = curve.name or "curve"
    left = 1.0 - curve.conductance * resistance_ohm
    if not 0 <= resistance_ohm < math.inf or np.any(left <= 0):
        raise InputError(
            f"{where}: the series resistance is {resistance_ohm:g} Ω. Expected 0 or more, less than "
            f"{1.0 / float(np.max(curve.conductance)):.3g} Ω, the least resistance of the curve. Check both units."
        )
    steps = 0.5 * (curve.conductance[1:] + curve.conductance[:-1]) * np.diff(curve.bias_mv)
    current = np.concatenate([[0.0], np.cumsum(steps)])
    current = current - np.interp(0.0, curve.bias_mv, current)
    return replace(
        curve,
        bias_mv=curve.bias_mv - current * resistance_ohm,
        conductance=curve.conductance / left,
        sigma=None if curve.sigma is None else curve.sigma / left**2,
        warnings=(*curve.warnings, f"a series resistance of {resistance_ohm:g} Ω was taken off"),
    )
