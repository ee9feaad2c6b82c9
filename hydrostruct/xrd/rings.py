"""The mean of a ring of pixels and its honest uncertainty, whatever share of each pixel lies in the ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]

_NEIGHBOURS = 10
_PRIOR_FREEDOM = 10.0
_PRIOR_COUNTS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RingSums:
    """What must be known of the pixels of each ring; c is the share of a pixel in the ring, s its counts, n its weight.

    The weight n is the product of solid angle, polarization and flat field: a pixel is expected to count I·n when the
    ring has the intensity I.
    """

    signal: Floats
    """Σ c s, shape (bins,)."""
    norm: Floats
    """Σ c n, shape (bins,)."""
    signal_square: Floats
    """Σ c² s², shape (bins,)."""
    cross: Floats
    """Σ c² s n, shape (bins,)."""
    norm_square: Floats
    """Σ c² n², shape (bins,)."""
    norm_share: Floats
    """Σ c² n, shape (bins,)."""
    extra: Floats
    """Σ c² e, shape (bins,), where e is the variance of what was subtracted, and of the counts it stood for."""
    pixels: Floats
    """Σ c over the pixels in use, shape (bins,)."""

    @property
    def effective_pixels(self) -> Floats:
        """Number of equally weighted pixels that would give the same scatter, (Σ c n)²/Σ c² n²."""
        return _ratio(self.norm**2, self.norm_square)

    @property
    def intensity(self) -> Floats:
        """Weighted mean I = Σ c s/Σ c n; NaN in an empty ring."""
        return _ratio(self.signal, self.norm, empty=np.nan)


def sum_rings(
    weights: csr_array, squares: csr_array, *, signal: Floats, norm: Floats, extra: Floats | None
) -> RingSums:
    """Sum the pixels of an image over rings.

    Parameters
    ----------
    weights, squares : sparse array, shape (bins, pixels)
        Share c of each pixel in each ring, and its square.
    signal, norm : array, shape (pixels,)
        Counts and weights; both 0 where a pixel is not used.
    extra : array, shape (pixels,), optional
        Variance that comes with what was subtracted.

    Returns
    -------
    RingSums
        Sums for each ring.
    """
    used = norm > 0
    return RingSums(
        signal=weights @ signal,
        norm=weights @ norm,
        signal_square=squares @ (signal * signal),
        cross=squares @ (signal * norm),
        norm_square=squares @ (norm * norm),
        norm_share=squares @ norm,
        extra=np.zeros(weights.shape[0]) if extra is None else squares @ np.where(used, extra, 0.0),
        pixels=weights @ used.astype(np.float64),
    )


def poisson_variance(sums: RingSums) -> Floats:
    """Variance of the mean of each ring from counting alone.

    Parameters
    ----------
    sums : RingSums
        Of raw counts.

    Returns
    -------
    array, shape (bins,)
        (Σ c² n·I + Σ c² e)/(Σ c n)², above 0 wherever there is a pixel. I is the ring's own mean, drawn towards that
        of its neighbours with the weight of 5 counts: a ring that happened to count nothing is not exact.
    """
    near = _running_sum(sums.norm)
    level = np.maximum(_running_sum(sums.signal), 1.0) / np.where(near > 0, near, np.inf)
    level = np.where(level > 0, level, 1.0)
    expected = np.maximum(sums.signal + _PRIOR_COUNTS, 0.0) / (sums.norm + _PRIOR_COUNTS / level)
    expected = np.maximum(expected, 0.1 * np.where(near > 0, 1.0 / np.where(near > 0, near, 1.0), 1.0))
    return _ratio(sums.norm_share * expected + sums.extra, sums.norm**2, empty=np.nan)


def scatter_variance(sums: RingSums, intensity: Floats) -> Floats:
    """Variance of the mean of each ring from the scatter of its pixels.

    Parameters
    ----------
    sums : RingSums
        Of any linear signal.
    intensity : array, shape (bins,)
        The mean of each ring.

    Returns
    -------
    array, shape (bins,)
        Σ c² (s − I n)²/(Σ c n)² · m/(m − 1), where m is the number of effective pixels; NaN for one pixel.

    Notes
    -----
    Squares of the shares enter, not the shares: with pixels split between rings Σ c σ² would be too large
    (pyFAI issues 1825 and 2053).
    """
    squares = sums.signal_square - 2.0 * intensity * sums.cross + intensity**2 * sums.norm_square
    effective = sums.effective_pixels
    correction = np.where(effective > 1.05, effective / np.maximum(effective - 1.0, 0.05), np.nan)
    return _ratio(np.maximum(squares, 0.0), sums.norm**2, empty=np.nan) * correction


def pooled_sigma(variance: Floats, *, reference: Floats, effective_pixels: Floats) -> Floats:
    """Standard uncertainty of each ring that does not collapse by chance where a ring has few pixels.

    Parameters
    ----------
    variance : array, shape (bins,)
        Variance of the mean from scatter; NaN where a ring has one pixel.
    reference : array, shape (bins,)
        Variance of the mean from counting.
    effective_pixels : array, shape (bins,)
        Pixels behind each variance.

    Returns
    -------
    array, shape (bins,)
        Above 0 wherever `reference` is; NaN elsewhere.

    Notes
    -----
    The variance of m pixels has the relative error √(2/(m − 1)): 140 % for two pixels. So the dispersion
    f = variance/reference is shrunk towards that of the ten neighbours on each side,
    f' = (10 f_neighbours + (m − 1) f)/(10 + m − 1), and f_neighbours, where they have few pixels themselves, in the
    same way towards the mean of the pattern. Rings of hundreds of pixels change by next to nothing; rings of two take
    the value of their surroundings. Without any information f' = 1: counting alone.
    """
    dispersion = _ratio(variance, reference, empty=0.0)
    known = np.isfinite(dispersion) & np.isfinite(variance)
    freedom = np.where(known, np.maximum(effective_pixels - 1.0, 0.0), 0.0)
    own = np.where(known, dispersion, 0.0)
    # a neighbour of thousands of pixels must not speak for all others
    share = np.minimum(freedom, 30.0)
    typical = float(np.sum(own * share) / share.sum()) if share.any() else 1.0
    near = (_PRIOR_FREEDOM * typical + _running_sum(own * share)) / (_PRIOR_FREEDOM + _running_sum(share))
    near = np.where(near > 0, near, 1.0)
    shrunk = (_PRIOR_FREEDOM * near + freedom * own) / (_PRIOR_FREEDOM + freedom)
    sigma: Floats = np.sqrt(reference * shrunk)
    return sigma


def _running_sum(values: Floats) -> Floats:
    """Sum over a ring and its neighbours on each side; shorter at the ends."""
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    place = np.arange(values.size)
    high = np.minimum(place + _NEIGHBOURS + 1, values.size)
    result: Floats = total[high] - total[np.maximum(place - _NEIGHBOURS, 0)]
    return result


def _ratio(top: Floats, bottom: Floats, *, empty: float = 0.0) -> Floats:
    result: Floats = np.divide(top, bottom, out=np.full(np.shape(top), empty, dtype=np.float64), where=bottom > 0)
    return result


def share_matrix(
    data: npt.NDArray[Any], indices: npt.NDArray[Any], indptr: npt.NDArray[Any], *, pixels: int
) -> csr_array:
    """Shares of pixels in rings as a sparse array of double precision.

    Parameters
    ----------
    data, indices, indptr : array
        In compressed sparse row form, a row for each ring.
    pixels : int
        Number of pixels of an image.

    Returns
    -------
    sparse array, shape (bins, pixels)
        The shares.
    """
    shape = (len(indptr) - 1, pixels)
    return csr_array((np.asarray(data, dtype=np.float64), np.asarray(indices), np.asarray(indptr)), shape=shape)
