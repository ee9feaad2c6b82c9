"""The curve of a smoothed step, with or without an exponential tail."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import erfc, erfcx

Floats = npt.NDArray[np.float64]

_ROOT_TWO = math.sqrt(2.0)


def step_curve(x: Floats, p: Floats, scale: float = 1.0, *, ratio: float = 0.0) -> Floats:
    """The curve of parameters (x₀, ln w, c, A, l, r), the linear ones in units of `scale`.

    Parameters
    ----------
    x : array, shape (m,)
        Raman shift, in cm⁻¹.
    p : array, shape (6,)
        Place and log of the width, in cm⁻¹; background at the place, height, slope on the low and on the high side.
    scale : float
        Unit of the linear parameters.
    ratio : float
        Length of the tail over the width: on the high side where positive, on the low side where negative.

    Returns
    -------
    array, shape (m,)

    Notes
    -----
    c + A S + l (x − x₀) S + r (x − x₀)(1 − S). S is the share of sharp edges that lie above x, when their places
    scatter about x₀ by a normal law of standard deviation w and, with a tail, by an exponential one of length τ to
    that side: the pressure of a culet has a highest value, and less and less of it is under less and less load.

    Examples
    --------
    >>> p = np.array([1500.0, 1.0, 10.0, 5.0, 0.0, 0.0])
    >>> step_curve(np.array([1400.0, 1500.0, 1600.0]), p)
    array([15. , 12.5, 10. ])
    """
    u = x - p[0]
    share = step_share(u / math.exp(float(p[1])), ratio=ratio)
    return np.asarray(scale * (p[2] + p[5] * u + (p[3] + (p[4] - p[5]) * u) * share))


def step_share(z: Floats, *, ratio: float = 0.0) -> Floats:
    """Share of the sharp edges above x₀ + z w, by the exponentially modified normal law; shape of z.

    Examples
    --------
    >>> step_share(np.array([-9.0, 0.0, 9.0]), ratio=-1.0).round(3)
    array([1.   , 0.238, 0.   ])
    """
    if ratio < 0:
        return np.asarray(1.0 - step_share(-z, ratio=-ratio))
    plain = np.asarray(0.5 * erfc(z / _ROOT_TWO))
    if ratio == 0:
        return plain
    near = (1.0 / ratio - z) / _ROOT_TWO
    # one form overflows where the other does not
    scaled = np.exp(-0.5 * z * z) * erfcx(np.maximum(near, 0.0))
    grown = np.exp(np.minimum((0.5 / ratio - z) / ratio, 0.0)) * erfc(np.minimum(near, 0.0))
    return np.asarray(plain + 0.5 * np.where(near > 0.0, scaled, grown))
