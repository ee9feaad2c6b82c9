"""Simulated point contacts of the reference run: dI/dV of one cell from 2 to 105 K, gaps of another as a table.

The amplitudes of Blonder, Tinkham and Klapwijk with a complex energy, summed over energy as they stand: no code of the
analysis, and none of its tricks.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hydrostruct.simulate.truth import CurveTruth

Floats = npt.NDArray[np.float64]

_BOLTZMANN_MEV = 0.08617333262145
_HALF_GAP_OVER_KTC = 1.7638769  # Δ(0)/k_B Tc of weak coupling, which sets the shape of Δ(T) alone
_TEMPERATURES_K = (2.0, 15.0, 30.0, 45.0, 60.0, 70.0, 80.0, 90.0, 100.0, 105.0)
_GAP0_MEV, _TC_K, _BARRIER, _WEIGHT = 21.04, 109.0, 0.3, 0.8
_NOISE = 0.002
_OTHER_GAP0_MEV, _OTHER_TC_K, _OTHER_SIGMA_MEV = 17.8, 95.0, 0.4
_OTHER_TEMPERATURES_K = (2.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 86.0, 91.0)


def simulate_contacts(seed: int, *, label: str) -> list[tuple[CurveTruth, str]]:
    """Every spectrum and the table of gaps, each with what is true of it.

    Parameters
    ----------
    seed : int
        Of the reference run.
    label : str
        Stands in the first line of every file.

    Returns
    -------
    list of (CurveTruth, str)
        The text of each file beside its truth; the truth of the series as a whole, which has no file of its own, comes
        last with an empty text.
    """
    rng = np.random.default_rng([seed, 5])
    spectra = [_spectrum(rng, label, temperature) for temperature in _TEMPERATURES_K]
    series = CurveTruth(
        file="qss/cell2_*K.csv", kind="gap_temperature", temperature_k=0.0, gap_mev=_GAP0_MEV, tc_k=_TC_K
    )
    return [*spectra, _gap_table(rng, label), (series, "")]


def gap_at(temperature_k: float, *, gap0_mev: float, tc_k: float) -> float:
    """Gap at a temperature, in meV, with the shape of weak coupling; 0 from Tc on.

    Notes
    -----
    −ln δ = 2 ∫ dy / (exp(1.7639 (δ/t) cosh y) + 1) for δ = Δ/Δ(0) and t = T/Tc, by bisection on the sum.
    """
    if temperature_k >= tc_k:
        return 0.0
    y = np.linspace(0.0, 12.0, 4001)
    low, high = 1e-6, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        energy = np.minimum(_HALF_GAP_OVER_KTC * middle * tc_k / temperature_k * np.cosh(y), 700.0)
        occupied = 2.0 * float(np.trapezoid(1.0 / (np.exp(energy) + 1.0), y))
        low, high = (middle, high) if -math.log(middle) > occupied else (low, middle)
    return gap0_mev * 0.5 * (low + high)


def contact_conductance(
    bias_mv: Floats, *, gap_mev: float, broadening_mev: float, barrier: float, temperature_k: float
) -> Floats:
    """Normalised dI/dV of a contact, by the sum over energies as the theory is published.

    Parameters
    ----------
    bias_mv : array, shape (n,)
        Bias, in mV.
    gap_mev, broadening_mev, barrier, temperature_k : float
        Δ and Γ in meV, Γ above 0, Z, and the temperature in K, above 0.

    Returns
    -------
    array, shape (n,)
    """
    heat = _BOLTZMANN_MEV * temperature_k
    steps = np.linspace(-30.0, 30.0, 2401)
    energy = np.abs(bias_mv[:, None] + heat * steps) + 1j * broadening_mev
    excess = np.sqrt(energy**2 - gap_mev**2) / energy  # u² − v²
    electron, hole = 0.5 * (1.0 + excess), 0.5 * (1.0 - excess)
    denominator = np.abs(electron + barrier**2 * excess) ** 2
    andreev = np.abs(electron * hole) / denominator
    reflected = np.abs(excess) ** 2 * barrier**2 * (1.0 + barrier**2) / denominator
    thermal = 0.25 / np.cosh(0.5 * steps) ** 2
    return np.asarray((1.0 + barrier**2) * np.trapezoid((1.0 + andreev - reflected) * thermal, steps, axis=1))


def _spectrum(rng: np.random.Generator, label: str, temperature_k: float) -> tuple[CurveTruth, str]:
    """One dI/dV in S with a background of third degree and white noise; it broadens a little as it warms."""
    bias = np.linspace(-90.0, 90.0, 301)
    gap = gap_at(temperature_k, gap0_mev=_GAP0_MEV, tc_k=_TC_K)
    broadening = 2.5 + 0.01 * temperature_k
    pure = contact_conductance(
        bias, gap_mev=gap, broadening_mev=broadening, barrier=_BARRIER, temperature_k=temperature_k
    )
    x = bias / 90.0
    background = 0.2 * (1.0 + 0.06 * x + 0.12 * x**2 - 0.03 * x**3) * (1.0 + 4e-4 * temperature_k)
    clean = background * (1.0 + _WEIGHT * (pure - 1.0))
    conductance = clean + rng.normal(0.0, _NOISE * float(np.mean(clean)), bias.size)
    rows = "".join(f"{v:.3f},{g:.7f}\n" for v, g in zip(bias, conductance, strict=True))
    truth = CurveTruth(
        file=f"qss/cell2_{temperature_k:g}K.csv",
        kind="conductance",
        temperature_k=temperature_k,
        gap_mev=gap,
        broadening_mev=broadening,
        barrier=_BARRIER,
        weight=_WEIGHT,
    )
    return truth, f"# {label}\n# temperature_k = {temperature_k:g}\nbias_mv,conductance\n{rows}"


def _gap_table(rng: np.random.Generator, label: str) -> tuple[CurveTruth, str]:
    """Gaps of the other cell, as if each had been read from a spectrum already."""
    sigma = _OTHER_SIGMA_MEV
    rows = "".join(
        f"{t:g},{gap_at(t, gap0_mev=_OTHER_GAP0_MEV, tc_k=_OTHER_TC_K) + rng.normal(0.0, sigma):.4f},{sigma:g}\n"
        for t in _OTHER_TEMPERATURES_K
    )
    truth = CurveTruth(
        file="qss/cell1_gaps.csv",
        kind="gap_temperature",
        temperature_k=0.0,
        gap_mev=_OTHER_GAP0_MEV,
        tc_k=_OTHER_TC_K,
    )
    return truth, f"# {label}\ntemperature_k,gap_mev,gap_sigma_mev\n{rows}"
