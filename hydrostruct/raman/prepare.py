"""What may be done to a spectrum before it is looked at, on request; each step is said in the spectrum's notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.signal import savgol_filter

from hydrostruct.errors import InputError
from hydrostruct.numerics.baseline import DEFAULT_STIFFNESS, smooth_baseline
from hydrostruct.numerics.noise import spike_mask
from hydrostruct.raman.spectrum import Spectrum

Floats = npt.NDArray[np.float64]

_DEGREE = 2
_LEAST_POINTS = 20


def prepare_spectrum(
    spectrum: Spectrum,
    *,
    despike: bool = False,
    smooth_cm1: float | None = None,
    baseline: str | None = None,
    stiffness: float = DEFAULT_STIFFNESS,
) -> Spectrum:
    """Remove cosmic rays, smooth, and take off a baseline, in this order; nothing by default.

    Parameters
    ----------
    spectrum : Spectrum
        As measured.
    despike : bool
        Leave out cosmic rays: they become NaN, as points that were not measured.
    smooth_cm1 : float, optional
        Width of the window of a Savitzky–Golay filter of second degree, in cm⁻¹.
    baseline : str, optional
        Method of `hydrostruct.numerics.baseline.BASELINES`.
    stiffness : float
        Of the baseline.

    Returns
    -------
    Spectrum
        With a note for every step.

    Raises
    ------
    InputError
        When an option is no number that can be meant, or there are too few points.

    Notes
    -----
    The searches for edges, vibrons and lines leave out cosmic rays and fit a local background themselves. Smoothing
    makes neighbouring points alike: uncertainties that follow are too small, by about the root of the number of
    points in the window, which the note says.
    """
    found = _without_spikes(spectrum) if despike else spectrum
    if smooth_cm1 is not None:
        found = _smoothed(found, smooth_cm1)
    return found if baseline is None else _without_baseline(found, baseline, stiffness)


def _without_spikes(spectrum: Spectrum) -> Spectrum:
    filled, measured = _filled(spectrum)
    spikes = spike_mask(filled) & measured
    intensity = np.where(spikes, np.nan, spectrum.intensity)
    places = ", ".join(f"{at:.0f}" for at in spectrum.shift_cm1[spikes][:5])
    more = ", …" if np.count_nonzero(spikes) > 5 else ""
    where = f" (at {places}{more} cm⁻¹)" if places else ""
    return _changed(spectrum, intensity, f"{np.count_nonzero(spikes)} points were left out as cosmic rays{where}.")


def _smoothed(spectrum: Spectrum, width_cm1: float) -> Spectrum:
    spacing = float(np.median(np.diff(spectrum.shift_cm1)))
    points = 2 * round(0.5 * width_cm1 / spacing) + 1 if 0 < width_cm1 < 1e6 else 0
    if not _DEGREE + 2 <= points <= spectrum.shift_cm1.size // 2:
        raise InputError(
            f"{spectrum.name or 'spectrum'}: the window of the smoothing is {width_cm1:g} cm⁻¹. Expected "
            f"{4.0 * spacing:.2g} to {0.4 * spacing * spectrum.shift_cm1.size:.3g}. Choose another."
        )
    filled, measured = _filled(spectrum)
    smooth = np.where(measured, savgol_filter(filled, points, _DEGREE, mode="interp"), np.nan)
    note = f"It was smoothed over {points} points ({width_cm1:g} cm⁻¹): uncertainties that follow are too small."
    return _changed(spectrum, smooth, note)


def _without_baseline(spectrum: Spectrum, method: str, stiffness: float) -> Spectrum:
    filled, _ = _filled(spectrum)
    curve = smooth_baseline(spectrum.shift_cm1, filled, method=method, stiffness=stiffness)
    how = f" of stiffness {stiffness:g}" if method not in ("snip", "modpoly") else ""
    return _changed(spectrum, spectrum.intensity - curve, f"A baseline ({method}{how}) was taken off.")


def _filled(spectrum: Spectrum) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Intensity with its gaps bridged, and which points are measured."""
    measured = np.isfinite(spectrum.intensity)
    if np.count_nonzero(measured) < _LEAST_POINTS:
        raise InputError(
            f"{spectrum.name or 'spectrum'}: {np.count_nonzero(measured)} points. Expected {_LEAST_POINTS} or more to "
            "prepare it. Measure a wider range."
        )
    x = spectrum.shift_cm1
    return np.interp(x, x[measured], spectrum.intensity[measured]), measured


def _changed(spectrum: Spectrum, intensity: Floats, note: str) -> Spectrum:
    return replace(spectrum, intensity=intensity, notes=(*spectrum.notes, note))
