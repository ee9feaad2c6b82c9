"""Simulated transport of the reference run: R(T) of two runs and V(I) from 60 to 130 K. No code of the analysis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hydrostruct.simulate.truth import CurveTruth

Floats = npt.NDArray[np.float64]

_CRITERION_V = 2e-7
_IC_AT_60_K, _TC_K, _POWER = 0.0742, 107.0, 1.5
_NOISE_V = 6e-9
_TEMPERATURES_K = (60.0, 65.0, 70.0, 75.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0)


def simulate_curves(seed: int, *, label: str) -> list[tuple[CurveTruth, str]]:
    """Every curve with what is true of it.

    Parameters
    ----------
    seed : int
        Of the reference run.
    label : str
        Stands in the first line of every file.

    Returns
    -------
    list of (CurveTruth, str)
        The text of each file beside its truth.
    """
    rng = np.random.default_rng([seed, 4])
    curves = [
        _resistance(rng, label, "rt_run1", ((106.8, 0.5, 1.0),)),
        _resistance(rng, label, "rt_run2", ((105.3, 0.9, 0.65), (94.6, 1.1, 0.35))),
    ]
    return curves + [_voltage(rng, label, temperature) for temperature in _TEMPERATURES_K]


def _resistance(
    rng: np.random.Generator, label: str, name: str, steps: tuple[tuple[float, float, float], ...]
) -> tuple[CurveTruth, str]:
    """Cooling from 160 K: steps of logistic shape (middle, width, part) on a straight line, with lock-in noise."""
    temperature = np.linspace(160.0, 70.0, 1801)
    normal = 0.11 + 2.4e-4 * temperature
    share = sum(part / (1.0 + np.exp(-(temperature - middle) / width)) for middle, width, part in steps)
    resistance = normal * share + rng.normal(0.0, 2e-4, temperature.size)
    rows = "".join(f"{t:.3f},{r:.7f}\n" for t, r in zip(temperature, resistance, strict=True))
    truth = CurveTruth(
        file=f"transport/{name}.csv", kind="resistance", temperature_k=None, middles_k=tuple(step[0] for step in steps)
    )
    return truth, f"# {label}\ntemperature_k,resistance_ohm\n{rows}"


def critical_current(temperature_k: float) -> float:
    """Critical current of the simulated sample, in A; 0 above its Tc."""
    if temperature_k >= _TC_K:
        return 0.0
    return _IC_AT_60_K * float(((_TC_K - temperature_k) / (_TC_K - 60.0)) ** _POWER)


def _voltage(rng: np.random.Generator, label: str, temperature_k: float) -> tuple[CurveTruth, str]:
    """One pulsed V(I): a power law below Tc, a resistance above; offset and noise of the voltmeter."""
    current_limit = critical_current(temperature_k)
    exponent = 22.0 - 0.12 * (temperature_k - 60.0)
    if current_limit > 0.0:
        current = np.linspace(0.0, 1.25 * current_limit, 240)
        voltage = _CRITERION_V * (current / current_limit) ** exponent
    else:
        current = np.linspace(0.0, 0.02, 240)
        voltage = 0.135 * current
    voltage = voltage + 4e-8 + rng.normal(0.0, _NOISE_V, current.size)
    rows = "".join(f"{i:.7g},{v:.7g},{temperature_k:g}\n" for i, v in zip(current, voltage, strict=True))
    truth = CurveTruth(
        file=f"transport/vi_{temperature_k:g}K.csv",
        kind="voltage_current",
        temperature_k=temperature_k,
        ic_a=current_limit or None,
        n=exponent if current_limit else None,
    )
    return truth, f"# {label}\ncurrent_a,voltage_v,temperature_k\n{rows}"
