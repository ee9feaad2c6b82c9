"""The loops of the Le Bail fit that must be fast: plain loops over arrays, compiled once, the same for any phases.

The fit of one pattern has two kinds of unknowns. Line intensities and background are *linear*: at given cells and
widths they have one best value, found by solving a banded-plus-border system, so they are eliminated (variable
projection; Golub and Pereyra, 10.1137/0710036; Kaufman, 10.1007/BF01932995). What is left, cells and widths, is a
handful of parameters, found by Gauss-Newton steps with Marquardt's damping.

Parameters live in *slots*, seventeen a phase (six reciprocal-metric components, six widths, three of the strain by
direction, two of the stress) and two for the pattern (zero shift, sample displacement); `link` says which free
parameter fills a slot, -1 for none. One parameter may fill several slots: that is how a width is common to all phases.

They stand in one file: numba keeps what it compiled until the file of the caller changes, and would not see that a loop
called from another one did. The slow, obvious twin of all this stands in the tests.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

CELL_SLOTS = 6
WIDTH_SLOTS = 6
STRAIN_AXIS_SLOT = CELL_SLOTS + WIDTH_SLOTS
STRESS_SLOT = STRAIN_AXIS_SLOT + 3
PHASE_SLOTS = STRESS_SLOT + 2
TERM_COLUMNS = CELL_SLOTS + 3
CENTER_SLOPES = CELL_SLOTS + 4
WIDTH_SLOPES = WIDTH_SLOTS + 3

CONVERGED = 0
OUT_OF_STEPS = 1
STUCK = 2
NO_LINES = 3

_LN2 = math.log(2.0)
_GAUSS = 2.0 * math.sqrt(_LN2 / math.pi)
_LORENTZ = 2.0 / math.pi
# A Gaussian is below 1e-12 of its peak beyond this many FWHM.
_GAUSS_REACH = 3.2
# Weight of "no intensity" as a prior, relative to a line's own weight at the start of a fit: splits exact overlaps
# equally. It stays as it is while a fit moves, so that what is made least is one function.
_RIDGE = 1e-6
# Least square of a strain, in degrees²: below it the root has no slope that would lead back.
_LEAST_STRAIN2 = 1e-8
# Steps after which a fit that gains little by each is taken to swing about its minimum.
_PATIENCE = 12
_BACKGROUND_RIDGE = 1e-12
# Points of a row that are multiplied at a time: a dozen rows of them stay in the nearest memory of a processor.
_CHUNK = 512
# So few numbers are sorted.
_FEW = 32
# Steps that move and widen no line by more than this part of its width, all together, and gain what they promised to
# this part, leave the curvature of chi2 as it was.
_NEAR, _AS_PROMISED = 0.05, 0.1
# So near, and so little above it in chi2, the covariance is that of the minimum.
_SAME, _SAME_CHI2 = 0.005, 0.1
# Part of a size that is seen for sure, whichever way it is counted up.
_SURE = 0.99
# A column of which so little is left beside those before it is one of them.
_DEPENDENT = 1e-9
# Points of the integral over the heights of slit and sample, on 0 to 1, and their weights (Gauss and Legendre).
AXIAL_POINTS = 16
_AXIAL_NODES, _AXIAL_WEIGHTS = (part * 0.5 for part in np.polynomial.legendre.leggauss(AXIAL_POINTS))
_AXIAL_NODES = _AXIAL_NODES + 0.5
_FAST = {"reassoc", "contract", "arcp", "nsz"}


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def line_state(slots, wavelength, phase_of, terms, centers, gammas, etas, d_center, d_gamma, d_eta, reflects=False):
    """Position, width and mixing of every line, and what each slot does to them.

    ``d_center[k]``: six cell components, zero, displacement, stress, its shape; ``d_gamma[k]``, ``d_eta[k]``: U, V, W,
    P, size, strain, strain along the axis, oblique to it, and diagonal in the plane. The last three columns of
    ``terms`` are cos² of the angle of a line to that axis, what the anisotropy of the stress does to it, and the
    diagonal part of its strain. The strain of a line squared is that which goes with cos², squared, and what the last
    two add (Stephens, 10.1107/S0021889898006001). A stress moves d by 1 - 3 sin²θ of itself (load along the beam;
    Singh et al., 10.1063/1.367872). A displacement is along the beam, over the distance of the detector; where the
    sample ``reflects``, below the axis of the goniometer, over its radius.
    """
    n_lines = phase_of.shape[0]
    n_phases = (slots.shape[0] - 2) // PHASE_SLOTS
    zero = slots[n_phases * PHASE_SLOTS]
    displacement = slots[n_phases * PHASE_SLOTS + 1]
    to_degrees = 180.0 / math.pi
    for k in range(n_lines):
        base = phase_of[k] * PHASE_SLOTS
        q = 0.0
        for j in range(CELL_SLOTS):
            q += terms[k, j] * slots[base + j]
        sine2 = 0.25 * wavelength * wavelength * q
        if not (1e-12 < sine2 < 0.9999):
            centers[k] = math.nan
            continue
        sine = math.sqrt(sine2)
        cosine = math.sqrt(1.0 - sine2)
        tangent = sine / cosine
        theta2 = 2.0 * math.asin(sine)
        pressed = slots[base + STRESS_SLOT] + slots[base + STRESS_SLOT + 1] * terms[k, CELL_SLOTS + 1]
        seen_part = 1.0 - 3.0 * sine2
        sine_of, cosine_of = 2.0 * sine * cosine, 1.0 - 2.0 * sine2  # of 2θ
        arm, turn = sine_of * cosine_of, 1.0 - 2.0 * sine_of * sine_of
        if reflects:
            arm, turn = -2.0 * cosine, sine
        centers[k] = to_degrees * (theta2 + displacement * arm - 2.0 * tangent * seen_part * pressed) + zero
        slope = to_degrees * 0.25 * wavelength * wavelength / (sine * cosine)
        slope *= 1.0 + displacement * turn - pressed * (seen_part / (cosine * cosine) - 6.0 * sine2)
        for j in range(CELL_SLOTS):
            d_center[k, j] = slope * terms[k, j]
        d_center[k, 6] = 1.0
        d_center[k, 7] = to_degrees * arm
        d_center[k, 8] = -to_degrees * 2.0 * tangent * seen_part
        d_center[k, 9] = d_center[k, 8] * terms[k, CELL_SLOTS + 1]

        u = slots[base + CELL_SLOTS]
        v = slots[base + CELL_SLOTS + 1]
        w = slots[base + CELL_SLOTS + 2]
        p = slots[base + CELL_SLOTS + 3]
        size = slots[base + CELL_SLOTS + 4]
        axial = terms[k, CELL_SLOTS]
        strain = slots[base + CELL_SLOTS + 5] * (1.0 - axial) + slots[base + STRAIN_AXIS_SLOT] * axial
        oblique = 4.0 * axial * (1.0 - axial)
        added = slots[base + STRAIN_AXIS_SLOT + 1] * oblique
        added += slots[base + STRAIN_AXIS_SLOT + 2] * terms[k, CELL_SLOTS + 2]
        linear = strain
        if added != 0.0:
            strain = math.sqrt(max(linear * linear + added, _LEAST_STRAIN2))
        g2 = u * tangent * tangent + v * tangent + w + p / (cosine * cosine)
        g = math.sqrt(max(g2, 1e-10))
        l = max(size / cosine + strain * tangent, 0.0)  # noqa: E741
        s = g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2 + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
        gamma = s**0.2
        s_g = 5 * g**4 + 4 * 2.69269 * g**3 * l + 3 * 2.42843 * g**2 * l**2 + 2 * 4.47163 * g * l**3 + 0.07842 * l**4
        s_l = 2.69269 * g**4 + 2 * 2.42843 * g**3 * l + 3 * 4.47163 * g**2 * l**2 + 4 * 0.07842 * g * l**3 + 5 * l**4
        gamma_g = s_g / (5.0 * gamma**4)
        gamma_l = s_l / (5.0 * gamma**4)
        ratio = l / gamma
        gammas[k] = gamma
        etas[k] = ((0.11116 * ratio - 0.47719) * ratio + 1.36603) * ratio
        eta_ratio = (3 * 0.11116 * ratio - 2 * 0.47719) * ratio + 1.36603
        eta_g = -eta_ratio * ratio / gamma * gamma_g
        eta_l = eta_ratio * (1.0 - ratio * gamma_l) / gamma
        half = 0.5 / g
        for j in range(WIDTH_SLOPES):
            if j < 4:
                d = half * (tangent * tangent if j == 0 else tangent if j == 1 else 1.0 if j == 2 else 1.0 / cosine**2)
                d_gamma[k, j] = gamma_g * d
                d_eta[k, j] = eta_g * d
            else:
                d = 1.0 / cosine
                if j > 4:
                    by_linear = linear / strain if added != 0.0 else 1.0
                    by_square = 0.5 / max(strain, 1e-4)
                    d = by_linear * (1.0 - axial) if j == 5 else by_linear * axial
                    if j > 6:
                        d = by_square * (oblique if j == 7 else terms[k, CELL_SLOTS + 2])
                    d *= tangent
                d_gamma[k, j] = gamma_l * d
                d_eta[k, j] = eta_l * d


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _center_slot(base, j, n_phases):
    """Slot that column j of ``d_center`` belongs to, for the phase whose slots begin at base."""
    if j < CELL_SLOTS:
        return base + j
    if j < CELL_SLOTS + 2:
        return n_phases * PHASE_SLOTS + j - CELL_SLOTS
    return base + STRESS_SLOT + j - CELL_SLOTS - 2


@njit(cache=True, error_model="numpy", nogil=True)
def line_copies(center, beam, places, parts, rates):
    """Fill in the places and parts of the copies that one line is the sum of, and how far each moves with the line.

    ``beam``: wavelength; a second one over the first, and its part of the area; half the height of slit and sample
    over their distance, for axial divergence. Returns how many copies there are, at most twice the axial points.

    With slit and sample of one height H the part of the line from height h is W(h)/(cos 2φ sin 2φ √(1 + h²)) dh, W =
    2H - h, at cos 2φ = cos 2θ √(1 + h²) (van Laar and Yelon, 10.1107/S0021889884011006; Finger, Cox and Jephcoat,
    10.1107/S0021889894004218).
    """
    count = 0
    for second in range(2 if beam[2] > 0.0 else 1):
        place, rate = center, 1.0
        share = 1.0 - beam[2]
        if second == 1:
            share = beam[2]
            half = math.radians(0.5 * center)
            sine = min(beam[1] * math.sin(half), 0.9999)
            place = math.degrees(2.0 * math.asin(sine))
            rate = beam[1] * math.cos(half) / math.sqrt(1.0 - sine * sine)
        if beam[3] <= 0.0:
            places[count], parts[count], rates[count] = place, share, rate
            count += 1
            continue
        cosine = math.cos(math.radians(place))
        total = 0.0
        first = count
        for q in range(AXIAL_POINTS):
            h = 2.0 * beam[3] * _AXIAL_NODES[q]
            stretched = cosine * math.sqrt(1.0 + h * h)
            if abs(stretched) > 0.99999:
                continue
            away = math.acos(stretched)
            places[count] = math.degrees(away)
            parts[count] = _AXIAL_WEIGHTS[q] * (1.0 - _AXIAL_NODES[q]) / (math.sin(away) * (1.0 + h * h))
            rates[count] = rate
            total += parts[count]
            count += 1
        for k in range(first, count):
            parts[k] *= share / total
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def mean_place(center, beam):
    """Where the middle of a line shows that axial divergence draws out, by the first wavelength."""
    places, parts, rates = np.empty(2 * AXIAL_POINTS), np.empty(2 * AXIAL_POINTS), np.empty(2 * AXIAL_POINTS)
    alone = beam.copy()
    alone[2] = 0.0
    total, place = 0.0, 0.0
    for k in range(line_copies(center, alone, places, parts, rates)):
        total += parts[k]
        place += parts[k] * places[k]
    return place / total


@njit(cache=True, error_model="numpy", nogil=True)
def place_windows(x, centers, gammas, reach, margin, beam, starts, stops):
    """Lines that the data can see, in order of position, and the points each of them touches.

    Returns the line numbers; ``starts`` and ``stops`` are filled in the same order.
    """
    lowest, highest = x[0], x[x.shape[0] - 1]
    several = beam[2] > 0.0 or beam[3] > 0.0
    places, parts, rates = np.empty(2 * AXIAL_POINTS), np.empty(2 * AXIAL_POINTS), np.empty(2 * AXIAL_POINTS)
    order = np.argsort(centers)
    chosen = np.empty(order.shape[0], np.int64)
    count = 0
    for k in order:
        c = centers[k]
        if not math.isfinite(c):
            continue
        outside = margin * gammas[k]
        if c < lowest - outside or c > highest + outside:
            continue
        low, high, top = c, c, c
        if several:
            n_copies = line_copies(c, beam, places, parts, rates)
            low, high = min(c, places[:n_copies].min()), max(c, places[:n_copies].max())
            top = mean_place(c, beam)
        inside = lowest < top < highest
        core = 0.6 * gammas[k]
        if inside and np.searchsorted(x, top - core) == np.searchsorted(x, top + core):
            continue  # its top lies in a gap of the data: the tails alone say nothing
        start = np.searchsorted(x, low - reach * gammas[k])
        stop = np.searchsorted(x, high + reach * gammas[k])
        if stop > start:
            chosen[count] = k
            starts[count] = start
            stops[count] = stop
            count += 1
    return chosen[:count].copy()


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True, inline="always")
def _bell(t2):
    """Gaussian exp(-4 ln 2 t²) for t² up to 11, right to some 1e-14 of itself.

    Plain arithmetic, so that the compiler does four at a time, which it cannot with the library's exponential: the
    series of exp(z) about -0.25, with z a 64th of the argument, squared six times.
    """
    z = t2 * (-4.0 * _LN2 / 64.0) + 0.25
    e = 1.0 / 3628800.0
    e = e * z + 1.0 / 362880.0
    e = e * z + 1.0 / 40320.0
    e = e * z + 1.0 / 5040.0
    e = e * z + 1.0 / 720.0
    e = e * z + 1.0 / 120.0
    e = e * z + 1.0 / 24.0
    e = e * z + 1.0 / 6.0
    e = e * z + 0.5
    e = e * z + 1.0
    e = (e * z + 1.0) * 0.7788007830714049
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _fill_tail(x, center, gamma, eta, edge, shape, by_center, by_gamma, by_eta):
    """Pseudo-Voigt and derivatives where nothing is left of its Gaussian.

    Three loops that write to few arrays each: of longer ones the compiler cannot tell that no array overlaps another.
    """
    inverse = 1.0 / gamma
    height = _LORENTZ * inverse
    for i in range(x.shape[0]):
        t = (x[i] - center) * inverse
        shape[i] = 1.0 / (1.0 + 4.0 * t * t)
    for i in range(x.shape[0]):
        t = (x[i] - center) * inverse
        whole = height * shape[i]
        pull = eta * whole * 8.0 * shape[i] * t
        by_center[i] = pull * inverse
        by_gamma[i] = (pull * t - eta * (whole - height * edge)) * inverse
    for i in range(x.shape[0]):
        by_eta[i] = height * (shape[i] - edge)
        shape[i] = eta * by_eta[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _fill_core(x, center, gamma, eta, edge, shape, by_center, by_gamma, by_eta):
    """Pseudo-Voigt and derivatives where it has both its parts."""
    inverse = 1.0 / gamma
    height = _LORENTZ * inverse
    for i in range(x.shape[0]):
        t = (x[i] - center) * inverse
        shape[i] = 1.0 / (1.0 + 4.0 * t * t)
        by_eta[i] = _GAUSS * inverse * _bell(t * t)
    for i in range(x.shape[0]):
        t = (x[i] - center) * inverse
        whole = height * shape[i]
        gauss = (1.0 - eta) * by_eta[i]
        pull = (eta * whole * 8.0 * shape[i] + gauss * 8.0 * _LN2) * t
        by_center[i] = pull * inverse
        by_gamma[i] = (pull * t - eta * (whole - height * edge) - gauss) * inverse
    for i in range(x.shape[0]):
        lorentz = height * (shape[i] - edge)
        shape[i] = eta * lorentz + (1.0 - eta) * by_eta[i]
        by_eta[i] = lorentz - by_eta[i]


@njit(cache=True, error_model="numpy", nogil=True)
def _fill_line(x, c, gamma, eta, edge, shape, by_center, by_gamma, by_eta):
    """One pseudo-Voigt and its derivatives at the points of its window."""
    low = np.searchsorted(x, c - _GAUSS_REACH * gamma)
    high = max(np.searchsorted(x, c + _GAUSS_REACH * gamma), low)
    for part in range(3):
        i = 0 if part == 0 else low if part == 1 else high
        j = low if part == 0 else high if part == 1 else x.shape[0]
        fill = (x[i:j], shape[i:j], by_center[i:j], by_gamma[i:j], by_eta[i:j])
        if part == 1:
            _fill_core(fill[0], c, gamma, eta, edge, fill[1], fill[2], fill[3], fill[4])
        else:
            _fill_tail(fill[0], c, gamma, eta, edge, fill[1], fill[2], fill[3], fill[4])


@njit(cache=True, error_model="numpy", nogil=True)
def _fill_copies(x, c, gamma, eta, edge, reach, beam, shape, by_center, by_gamma, by_eta):
    """The sum of all copies of one line and its derivatives at the points of its window."""
    places, parts, rates = np.empty(2 * AXIAL_POINTS), np.empty(2 * AXIAL_POINTS), np.empty(2 * AXIAL_POINTS)
    one = np.empty((4, x.shape[0]))
    shape[:] = 0.0
    by_center[:] = 0.0
    by_gamma[:] = 0.0
    by_eta[:] = 0.0
    for k in range(line_copies(c, beam, places, parts, rates)):
        i = np.searchsorted(x, places[k] - reach * gamma)
        j = max(np.searchsorted(x, places[k] + reach * gamma), i)
        _fill_line(x[i:j], places[k], gamma, eta, edge, one[0, i:j], one[1, i:j], one[2, i:j], one[3, i:j])
        _add_scaled(shape[i:j], one[0, i:j], parts[k])
        _add_scaled(by_center[i:j], one[1, i:j], parts[k] * rates[k])
        _add_scaled(by_gamma[i:j], one[2, i:j], parts[k])
        _add_scaled(by_eta[i:j], one[3, i:j], parts[k])


@njit(cache=True, error_model="numpy", nogil=True)
def fill_profiles(
    x, chosen, centers, gammas, etas, reach, beam, starts, stops, offsets, shape, by_center, by_gamma, by_eta
):
    """Lines of unit area and their derivatives at the points of each window, one behind the other.

    The Lorentzian is lowered by its value at the end of the window, so that nothing jumps when a point enters or
    leaves: least squares needs a chi2 without steps. What is left out, 4e-4 of the peak at 25 widths, is background.
    """
    edge = 1.0 / (1.0 + 4.0 * reach * reach)
    several = beam[2] > 0.0 or beam[3] > 0.0
    for s in range(chosen.shape[0]):
        k = chosen[s]
        here = x[starts[s] : stops[s]]
        i, j = offsets[s], offsets[s + 1]
        fill = (shape[i:j], by_center[i:j], by_gamma[i:j], by_eta[i:j])
        if several:
            _fill_copies(here, centers[k], gammas[k], etas[k], edge, reach, beam, fill[0], fill[1], fill[2], fill[3])
        else:
            _fill_line(here, centers[k], gammas[k], etas[k], edge, fill[0], fill[1], fill[2], fill[3])


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _add_scaled(out, values, factor):
    for i in range(out.shape[0]):
        out[i] += factor * values[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _dot(a, b):
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _three_dots(a, one, two, three):
    """Scalar products of a vector with three others, each point of it read once."""
    first = 0.0
    second = 0.0
    third = 0.0
    for i in range(a.shape[0]):
        first += a[i] * one[i]
        second += a[i] * two[i]
        third += a[i] * three[i]
    return first, second, third


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _dots(a, rows, low, out):
    """Scalar products of a vector with each row, from a column on; four rows at a time, for each point is read once."""
    n = a.shape[0]
    m = rows.shape[0]
    k = 0
    while k + 4 <= m:
        r0 = rows[k, low : low + n]
        r1 = rows[k + 1, low : low + n]
        r2 = rows[k + 2, low : low + n]
        r3 = rows[k + 3, low : low + n]
        t0 = 0.0
        t1 = 0.0
        t2 = 0.0
        t3 = 0.0
        for i in range(n):
            f = a[i]
            t0 += f * r0[i]
            t1 += f * r1[i]
            t2 += f * r2[i]
            t3 += f * r3[i]
        out[k] = t0
        out[k + 1] = t1
        out[k + 2] = t2
        out[k + 3] = t3
        k += 4
    while k < m:
        out[k] = _dot(a, rows[k, low : low + n])
        k += 1


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _add_two(out, one, by_one, other, by_other):
    for i in range(out.shape[0]):
        out[i] += by_one * one[i] + by_other * other[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _multiply(out, one, other):
    for i in range(out.shape[0]):
        out[i] = one[i] * other[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _take_off(out, rows, factors):
    """Subtract rows times their factors, four at a time, for each point is then written once for all four."""
    m = rows.shape[0]
    k = 0
    while k + 4 <= m:
        r0, r1, r2, r3 = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        f0, f1, f2, f3 = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
        for i in range(out.shape[0]):
            out[i] -= (f0 * r0[i] + f1 * r1[i]) + (f2 * r2[i] + f3 * r3[i])
        k += 4
    while k < m:
        _add_scaled(out, rows[k], -factors[k])
        k += 1


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _two_dots(a, b, rows, low, out_a, out_b):
    """Add the scalar products of two vectors with each row, from a column on, to what is there."""
    n = a.shape[0]
    m = rows.shape[0]
    k = 0
    while k + 4 <= m:
        r0 = rows[k, low : low + n]
        r1 = rows[k + 1, low : low + n]
        r2 = rows[k + 2, low : low + n]
        r3 = rows[k + 3, low : low + n]
        s0 = 0.0
        s1 = 0.0
        s2 = 0.0
        s3 = 0.0
        t0 = 0.0
        t1 = 0.0
        t2 = 0.0
        t3 = 0.0
        for i in range(n):
            f, g = a[i], b[i]
            s0 += f * r0[i]
            s1 += f * r1[i]
            s2 += f * r2[i]
            s3 += f * r3[i]
            t0 += g * r0[i]
            t1 += g * r1[i]
            t2 += g * r2[i]
            t3 += g * r3[i]
        out_a[k] += s0
        out_a[k + 1] += s1
        out_a[k + 2] += s2
        out_a[k + 3] += s3
        out_b[k] += t0
        out_b[k + 1] += t1
        out_b[k + 2] += t2
        out_b[k + 3] += t3
        k += 4
    while k < m:
        row = rows[k, low : low + n]
        out_a[k] += _dot(a, row)
        out_b[k] += _dot(b, row)
        k += 1


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _products(left, right, out, is_lower):
    """Scalar products of the rows of two arrays, of those up to its own alone where a triangle is wanted.

    Two rows against four, over as many points at a time as stay in the nearest memory.
    """
    n_rows, n = left.shape
    nowhere = np.zeros(right.shape[0])
    out[:, :] = 0.0
    for low in range(0, n, _CHUNK):
        high = min(n, low + _CHUNK)
        for p in range(0, n_rows, 2):
            last = min(p + 1, n_rows - 1)
            count = min(last + 1, right.shape[0]) if is_lower else right.shape[0]
            other = out[last] if last > p else nowhere
            _two_dots(left[p, low:high], left[last, low:high], right[:count], low, out[p], other)


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def weighted_gram(basis, w):
    """Gram matrix of the rows of a basis, shape (m, n), under weights."""
    m, n = basis.shape
    out = np.empty((m, m))
    row = np.empty(n)
    for a in range(m):
        for i in range(n):
            row[i] = basis[a, i] * w[i]
        _dots(row, basis[: a + 1], 0, out[a])
        for b in range(a):
            out[b, a] = out[a, b]
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def cut_pattern(x, y, sigma, low, high, left_out):
    """Which points of a pattern are fitted, and their angles, intensities and weights 1/sigma², shape (3, points).

    Those measured from ``low`` to ``high`` and within no row of ``left_out``, shape (regions, 2).
    """
    n = x.shape[0]
    kept = np.zeros(n, np.bool_)
    out = np.empty((3, n))
    count = 0
    for i in range(n):
        kept[i] = low <= x[i] <= high and math.isfinite(y[i])
        for k in range(left_out.shape[0]):
            kept[i] = kept[i] and not (left_out[k, 0] <= x[i] <= left_out[k, 1])
        if kept[i]:
            out[0, count], out[1, count], out[2, count] = x[i], y[i], 1.0 / (sigma[i] * sigma[i])
            count += 1
    return kept, out[:, :count].copy()


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _recur(before, here, u):
    """Put the next Chebyshev polynomial of u, times whatever both are times, in the place of the one before."""
    for i in range(u.shape[0]):
        before[i] = 2.0 * u[i] * here[i] - before[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _sum(values):
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def chebyshev_gram(u, w, m):
    """Gram matrix of the first m Chebyshev polynomials of u under weights, shape (m, m).

    The product of two of them is half the sum of two others, so that 2m - 1 sums make all of it.
    """
    n = u.shape[0]
    sums = np.zeros(2 * m - 1)
    here, before = np.empty(min(n, _CHUNK)), np.empty(min(n, _CHUNK))
    for low in range(0, n, _CHUNK):
        size = min(_CHUNK, n - low)
        here_u = u[low : low + size]
        a, b = here[:size], before[:size]
        a[:] = w[low : low + size]
        _multiply(b, a, here_u)  # of order -1, which is that of order 1
        for order in range(2 * m - 1):
            sums[order] += _sum(a)
            _recur(b, a, here_u)
            a, b = b, a
    out = np.empty((m, m))
    for i in range(m):
        for j in range(m):
            out[i, j] = 0.5 * (sums[i + j] + sums[abs(i - j)])
    return out


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _line_rows(chosen, starts, stops, offsets, shape, y, w, basis, first, gram, rows, ridge):
    """Overlaps of lines, weighted, lower triangle; ``first[s]`` is the earliest line that the window of s meets.

    ``rows`` gets the scalar products of each line with the background terms, and with the data in its last column.
    ``ridge`` holds the prior weight of each line; a negative one is set here, when the line is first seen.
    """
    n = starts.shape[0]
    room = np.empty(np.max(stops - starts) if n else 0)
    for s in range(n):
        weighted = room[: stops[s] - starts[s]]  # of one line at a time: it stays in the nearest memory
        _multiply(weighted, shape[offsets[s] : offsets[s + 1]], w[starts[s] : stops[s]])
        _dots(weighted, basis, starts[s], rows[s])
        rows[s, rows.shape[1] - 1] = _dot(weighted, y[starts[s] : stops[s]])
        first[s] = s
        for r in range(s, -1, -1):
            low = max(starts[s], starts[r])
            high = min(stops[s], stops[r])
            if high > low:
                first[s] = r
                b = offsets[r] + low - starts[r]
                gram[s, r] = _dot(weighted[low - starts[s] : high - starts[s]], shape[b : b + high - low])
            else:
                gram[s, r] = 0.0
        if gram[s, s] <= 0.0:
            gram[s, s] = 1.0  # a line that touches no point: no intensity, and no influence
        if ridge[chosen[s]] < 0.0:
            ridge[chosen[s]] = _RIDGE * gram[s, s]
        gram[s, s] += ridge[chosen[s]]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _factor_envelope(gram, first):
    """Cholesky factor in place, rows kept to their envelope: cost grows with lines times overlaps."""
    n = gram.shape[0]
    for i in range(n):
        for j in range(first[i], i):
            low = max(first[i], first[j])
            gram[i, j] = (gram[i, j] - _dot(gram[i, low:j], gram[j, low:j])) / gram[j, j]
        pivot = gram[i, i] - _dot(gram[i, first[i] : i], gram[i, first[i] : i])
        gram[i, i] = math.sqrt(max(pivot, 1e-14 * gram[i, i]))


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _forward_rows(factor, first, rows, low, high):
    """Solve L X = rows in place for the columns low..high."""
    for i in range(factor.shape[0]):
        for k in range(first[i], i):
            f = factor[i, k]
            if f != 0.0:
                for c in range(low, high):
                    rows[i, c] -= f * rows[k, c]
        f = 1.0 / factor[i, i]
        for c in range(low, high):
            rows[i, c] *= f


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _factor_rows(a, low, high):
    """Rows low..high of a dense Cholesky factor, in place; the rows above are finished."""
    for i in range(low, high):
        for j in range(i):
            a[i, j] = (a[i, j] - _dot(a[i, :j], a[j, :j])) / a[j, j]
        pivot = a[i, i] - _dot(a[i, :i], a[i, :i])
        a[i, i] = math.sqrt(max(pivot, 1e-13 * a[i, i] + 1e-300))


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _linear(
    x, y, w, basis, basis_gram, basis_y, beam, phase_of, terms, slots, link, n_free, reach, margin, ridge
):  # fmt: skip
    """Best intensities and background at one set of cells and widths, and the slope of chi2 by the free parameters.

    Returns chi2, intensities, background coefficients, residual, gradient, what each background term takes off chi2,
    positions, widths and their slopes, and what `_slopes` goes on from. ``basis_y`` is the basis times w y.
    """
    n_lines = phase_of.shape[0]
    n = x.shape[0]
    m = basis.shape[0]
    n_phases = (slots.shape[0] - 2) // PHASE_SLOTS
    nb = m + n_free

    centers = np.full(n_lines, np.nan)
    gammas = np.zeros(n_lines)
    etas = np.zeros(n_lines)
    d_center = np.zeros((n_lines, CENTER_SLOPES))
    d_gamma = np.zeros((n_lines, WIDTH_SLOPES))
    d_eta = np.zeros((n_lines, WIDTH_SLOPES))
    line_state(slots, beam[0], phase_of, terms, centers, gammas, etas, d_center, d_gamma, d_eta, beam[4] > 0.0)
    starts = np.empty(n_lines, np.int64)
    stops = np.empty(n_lines, np.int64)
    chosen = place_windows(x, centers, gammas, reach, margin, beam, starts, stops)
    n_seen = chosen.shape[0]
    starts = starts[:n_seen]
    stops = stops[:n_seen]
    offsets = np.zeros(n_seen + 1, np.int64)
    for s in range(n_seen):
        offsets[s + 1] = offsets[s] + stops[s] - starts[s]
    size = offsets[n_seen]
    shape = np.empty(size)
    by_center = np.empty(size)
    by_gamma = np.empty(size)
    by_eta = np.empty(size)
    fill_profiles(
        x, chosen, centers, gammas, etas, reach, beam, starts, stops, offsets, shape, by_center, by_gamma, by_eta
    )

    gram = np.zeros((n_seen, n_seen))
    first = np.zeros(n_seen, np.int64)
    rows = np.zeros((n_seen, nb + 1))  # border columns, and the right-hand side last
    _line_rows(chosen, starts, stops, offsets, shape, y, w, basis, first, gram, rows, ridge)
    _factor_envelope(gram, first)
    _forward_rows(gram, first, rows, 0, m)
    _forward_rows(gram, first, rows, nb, nb + 1)

    border = np.zeros((nb, nb))
    partial = basis_y.copy()
    for a in range(m):
        for s in range(n_seen):
            partial[a] -= rows[s, a] * rows[s, nb]
        for b in range(a + 1):
            border[a, b] = basis_gram[a, b]
        border[a, a] *= 1.0 + _BACKGROUND_RIDGE
    for s in range(n_seen):
        for a in range(m):
            f = rows[s, a]
            for b in range(a + 1):
                border[a, b] -= f * rows[s, b]
    _factor_rows(border, 0, m)
    for a in range(m):  # forward-substituted: its squares are what each background term takes off chi2
        partial[a] = (partial[a] - _dot(border[a, :a], partial[:a])) / border[a, a]
    background = partial.copy()
    for a in range(m - 1, -1, -1):
        for b in range(a + 1, m):
            background[a] -= border[b, a] * background[b]
        background[a] /= border[a, a]
    seen_intensity = np.empty(n_seen)
    for s in range(n_seen):
        seen_intensity[s] = rows[s, nb] - _dot(rows[s, :m], background)
    for s in range(n_seen - 1, -1, -1):
        seen_intensity[s] /= gram[s, s]
        f = seen_intensity[s]
        for r in range(first[s], s):
            seen_intensity[r] -= gram[s, r] * f

    residual = y.copy()
    _take_off(residual, basis, background)
    for s in range(n_seen):
        _add_scaled(residual[starts[s] : stops[s]], shape[offsets[s] : offsets[s + 1]], -seen_intensity[s])
    heavy = np.empty(n)
    _multiply(heavy, residual, w)
    chi2 = _dot(heavy, residual)
    for s in range(n_seen):
        chi2 += ridge[chosen[s]] * seen_intensity[s] * seen_intensity[s]

    gradient = np.zeros(n_free)
    for s in range(n_seen if n_free else 0):
        k = chosen[s]
        base = phase_of[k] * PHASE_SLOTS
        window = slice(offsets[s], offsets[s + 1])
        left = heavy[starts[s] : stops[s]]
        pull, wider, mixed = _three_dots(left, by_center[window], by_gamma[window], by_eta[window])
        pull, wider, mixed = seen_intensity[s] * pull, seen_intensity[s] * wider, seen_intensity[s] * mixed
        for j in range(CENTER_SLOPES):
            p = link[_center_slot(base, j, n_phases)]
            if p >= 0:
                gradient[p] += pull * d_center[k, j]
        for j in range(WIDTH_SLOPES):
            p = link[base + CELL_SLOTS + j]
            if p >= 0:
                gradient[p] += wider * d_gamma[k, j] + mixed * d_eta[k, j]

    intensity = np.full(n_lines, np.nan)
    for s in range(n_seen):
        intensity[chosen[s]] = seen_intensity[s]
    return (
        chi2, intensity, background, residual, gradient, partial, centers, gammas, d_center,
        (chosen, starts, stops, offsets, shape, by_center, by_gamma, by_eta, d_gamma, d_eta, gram, first, rows, border),
    )  # fmt: skip


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _slopes(w, basis, phase_of, link, intensity, d_center, rest, by_column, heavy):
    """Reduced normal matrix of the free parameters at the point where `_linear` was; completes its border rows.

    ``by_column`` and ``heavy`` are room for the derivatives of the pattern, shape (parameters, points).
    """
    chosen, starts, stops, offsets, shape, by_center, by_gamma, by_eta, d_gamma, d_eta, gram, first, rows, border = rest
    n_free = by_column.shape[0]
    m = basis.shape[0]
    nb = m + n_free
    n_seen = chosen.shape[0]
    n_phases = (link.shape[0] - 2) // PHASE_SLOTS
    by_column[:, :] = 0.0
    for s in range(n_seen):
        k = chosen[s]
        base = phase_of[k] * PHASE_SLOTS
        f = intensity[k]
        low, high = starts[s], stops[s]
        window = slice(offsets[s], offsets[s + 1])
        for j in range(CENTER_SLOPES):
            p = link[_center_slot(base, j, n_phases)]
            c = f * d_center[k, j]
            if p >= 0 and c != 0.0:
                _add_scaled(by_column[p, low:high], by_center[window], c)
        for j in range(WIDTH_SLOPES):
            p = link[base + CELL_SLOTS + j]
            if p >= 0:
                _add_two(by_column[p, low:high], by_gamma[window], f * d_gamma[k, j], by_eta[window], f * d_eta[k, j])
    for p in range(n_free):
        _multiply(heavy[p], by_column[p], w)
    _products(heavy, basis, border[m:, :m], False)
    _products(heavy, by_column, border[m:, m:], True)
    for s in range(n_seen):
        _dots(shape[offsets[s] : offsets[s + 1]], heavy, starts[s], rows[s, m:])
    _forward_rows(gram, first, rows, m, nb)
    for s in range(n_seen):
        for p in range(m, nb):
            f = rows[s, p]
            if f != 0.0:
                for b in range(p + 1):
                    border[p, b] -= f * rows[s, b]
    for p in range(n_free):  # eliminate the background from the free parameters' block
        for a in range(m):
            border[m + p, a] = (border[m + p, a] - _dot(border[m + p, :a], border[a, :a])) / border[a, a]
    normal = np.zeros((n_free, n_free))
    for p in range(n_free):
        for r in range(p + 1):
            normal[p, r] = border[m + p, m + r] - _dot(border[m + p, :m], border[m + r, :m])
            normal[r, p] = normal[p, r]
    return normal


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _damped_step(normal, gradient, held, damping):
    n = gradient.shape[0]
    a = normal.copy()
    step = gradient.copy()
    for i in range(n):
        if held[i] or not a[i, i] > 0.0:
            a[i, :] = 0.0
            a[:, i] = 0.0
            a[i, i] = 1.0
            step[i] = 0.0
        else:
            a[i, i] *= 1.0 + damping
    scale = np.empty(n)
    for i in range(n):
        scale[i] = 1.0 / math.sqrt(a[i, i])
    for i in range(n):
        for j in range(n):
            a[i, j] *= scale[i] * scale[j]
        step[i] *= scale[i]
    _factor_rows(a, 0, n)
    for i in range(n):
        step[i] = (step[i] - _dot(a[i, :i], step[:i])) / a[i, i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            step[i] -= a[j, i] * step[j]
        step[i] /= a[i, i]
    return step * scale


@njit(cache=True, error_model="numpy", nogil=True)
def _fill_slots(slots, link, values):
    for j in range(slots.shape[0]):
        if link[j] >= 0:
            slots[j] = values[link[j]]


@njit(cache=True, error_model="numpy", nogil=True)
def _largest_shift(step, link, chosen, phase_of, d_center, gammas, n_phases):
    """Largest move of a line under a step, in units of its width."""
    largest = 0.0
    for s in range(chosen.shape[0]):
        k = chosen[s]
        shift = 0.0
        for j in range(CENTER_SLOPES):
            slot = _center_slot(phase_of[k] * PHASE_SLOTS, j, n_phases)
            if link[slot] >= 0:
                shift += d_center[k, j] * step[link[slot]]
        largest = max(largest, abs(shift) / gammas[k])
    return largest


@njit(cache=True, error_model="numpy", nogil=True)
def _largest_widening(before, after, chosen):
    """Largest change of the width of a line, in units of it."""
    largest = 0.0
    for k in chosen:
        largest = max(largest, abs(after[k] - before[k]) / before[k])
    return largest


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _project(y, w, basis):
    """The basis times w y."""
    heavy = np.empty(y.shape[0])
    _multiply(heavy, y, w)
    out = np.zeros(basis.shape[0])
    _dots(heavy, basis, 0, out)
    return out


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _without_profiles(rest):
    """What a covariance needs of that which `_slopes` goes on from: the lines, and the factors of their equations."""
    return rest[0], rest[10], rest[11], rest[12], rest[13]


@njit(cache=True, error_model="numpy", nogil=True)
def least_chi2(
    x, y, w, basis, basis_gram, beam, phase_of, terms, slots, link, values, lowest, highest,
    reach, margin, max_steps, tolerance, far,
):  # fmt: skip
    """Fit one pattern from a start: Gauss-Newton with Marquardt's damping on the free parameters.

    A step that would move a line by more than ``far`` of its width moves lines only. While short steps gain what they
    promise the curvature of chi2 is taken to be what it was; its slope is always that of the point.

    ``values`` is the start and is overwritten by the answer, as ``slots`` is. Returns status, steps, chi2,
    intensities, background, residual, held parameters, positions, widths, and the equations of the last point, from
    which `covariance_of` makes the covariance.
    """
    n_free = values.shape[0]
    n_phases = (slots.shape[0] - 2) // PHASE_SLOTS
    by_column = np.empty((n_free, x.shape[0]))
    heavy = np.empty((n_free, x.shape[0]))
    ridge = np.full(phase_of.shape[0], -1.0)
    basis_y = _project(y, w, basis)
    _fill_slots(slots, link, values)
    state = _linear(
        x, y, w, basis, basis_gram, basis_y, beam, phase_of, terms, slots, link, n_free, reach, margin, ridge
    )
    normal = _slopes(w, basis, phase_of, link, state[1], state[8], state[9], by_column, heavy)
    own = _without_profiles(state[9])
    is_own = True  # whether the curvature is that of the point itself
    moved = 0.0  # how far lines have come from the point whose curvature it is, in units of their width
    gained = 0.0
    damping = 1e-4
    status = OUT_OF_STEPS
    steps = 0
    n_used = 0
    for i in range(w.shape[0]):
        if w[i] > 0.0:
            n_used += 1
    held = np.zeros(n_free, np.bool_)
    is_width = np.zeros(n_free, np.bool_)
    for j in range(n_phases * PHASE_SLOTS):
        if link[j] >= 0 and CELL_SLOTS <= j % PHASE_SLOTS < STRESS_SLOT:
            is_width[link[j]] = True
    trial = values.copy()
    while steps < max_steps:
        chi2, gradient, chosen = state[0], state[4], state[9][0]
        if chosen.shape[0] == 0:
            status = NO_LINES
            break
        for p in range(n_free):
            out_low = values[p] <= lowest[p] and gradient[p] < 0.0
            out_high = values[p] >= highest[p] and gradient[p] > 0.0
            held[p] = out_low or out_high
        step = _damped_step(normal, gradient, held, damping)
        shift = _largest_shift(step, link, chosen, phase_of, state[8], state[7], n_phases)
        if shift > far:
            # lines that are still beside their peaks make widths run away: they wait until the cells have arrived
            still = held | is_width
            if not np.all(still):
                step = _damped_step(normal, gradient, still, damping)
                shift = _largest_shift(step, link, chosen, phase_of, state[8], state[7], n_phases)
        expected = 0.0
        for p in range(n_free):
            expected += step[p] * gradient[p]
        scale = max(1.0, chi2 / max(1, n_used))
        if expected <= tolerance * scale and (damping <= 1e-2 or steps > _PATIENCE):
            left = expected
            if damping > 1e-2:  # a short step promises little however much there is to gain
                left = 0.0
                whole = _damped_step(normal, gradient, held, 0.0)
                for p in range(n_free):
                    left += whole[p] * gradient[p]
            if left <= tolerance * scale:
                status = CONVERGED
                break
        factor = min(1.0, 1.5 / shift) if shift > 0.0 else 1.0
        for p in range(n_free):
            trial[p] = min(max(values[p] + factor * step[p], lowest[p]), highest[p])
        _fill_slots(slots, link, trial)
        steps += 1
        new = _linear(
            x, y, w, basis, basis_gram, basis_y, beam, phase_of, terms, slots, link, n_free, reach, margin, ridge
        )
        if new[0] < chi2:
            # a weak line's curvature is known badly: steps that gain far less than they promise go past the minimum,
            # to one side and the other for ever
            gain = (chi2 - new[0]) / expected if expected > 0.0 else 1.0
            widened = _largest_widening(state[7], new[7], chosen)
            state = new
            values[:] = trial
            if gain < 0.25 and factor == 1.0 and steps > _PATIENCE:
                damping = max(damping * 4.0, 1e-1)
            elif gain > 0.75 or steps <= _PATIENCE:
                damping = max(damping * 0.1, 1e-8)
            moved += max(factor * shift, widened)
            gained += chi2 - new[0]
            if moved >= _NEAR or abs(gain - 1.0) >= _AS_PROMISED:
                normal = _slopes(w, basis, phase_of, link, state[1], state[8], state[9], by_column, heavy)
                own, moved, gained, is_own = _without_profiles(state[9]), 0.0, 0.0, True
            else:
                is_own = False
        elif expected < 10.0 * tolerance * scale:
            status = CONVERGED  # what is left to gain is below the rounding of chi2
            break
        elif not is_own:
            normal = _slopes(w, basis, phase_of, link, state[1], state[8], state[9], by_column, heavy)
            own, moved, gained, is_own = _without_profiles(state[9]), 0.0, 0.0, True
        else:
            damping = max(damping * 8.0, 1e-3)
            if damping > 1e7:
                status = STUCK
                break
    _fill_slots(slots, link, values)
    is_same = moved < _SAME and gained < _SAME_CHI2 * state[0] / max(1, n_used)
    if not is_own and not (is_same and np.array_equal(own[0], state[9][0])):
        normal = _slopes(w, basis, phase_of, link, state[1], state[8], state[9], by_column, heavy)
        own = _without_profiles(state[9])
    equations = (own[0], own[1], own[2], own[3], own[4], normal)
    return status, steps, state[0], state[1], state[2], state[3], held, state[6], state[7], equations


@njit(cache=True, error_model="numpy", nogil=True)
def linear_fit(x, y, w, basis, basis_gram, beam, phase_of, terms, slots, reach, margin):
    """Intensities and background at fixed cells and widths.

    Returns chi2, intensities, and what each background term, in its order, takes off chi2.
    """
    link = np.full(slots.shape[0], -1)
    ridge = np.full(phase_of.shape[0], -1.0)
    basis_y = _project(y, w, basis)
    state = _linear(x, y, w, basis, basis_gram, basis_y, beam, phase_of, terms, slots, link, 0, reach, margin, ridge)
    return state[0], state[1], state[5]


@njit(cache=True, error_model="numpy", nogil=True)
def equations_at(x, y, w, basis, basis_gram, beam, phase_of, terms, slots, link, n_free, reach, margin):
    """The equations at given cells and widths, as `least_chi2` returns those of its last point."""
    ridge = np.full(phase_of.shape[0], -1.0)
    basis_y = _project(y, w, basis)
    state = _linear(
        x, y, w, basis, basis_gram, basis_y, beam, phase_of, terms, slots, link, n_free, reach, margin, ridge
    )
    by_column = np.empty((n_free, x.shape[0]))
    normal = _slopes(w, basis, phase_of, link, state[1], state[8], state[9], by_column, np.empty((n_free, x.shape[0])))
    own = _without_profiles(state[9])
    return own[0], own[1], own[2], own[3], own[4], normal


@njit(cache=True, error_model="numpy", nogil=True)
def covariance_of(equations, m, held):
    """Covariance of the seen lines' intensities, the m background terms and the free parameters, all together.

    Returns it with the numbers of the seen lines; held parameters have zero rows.
    """
    chosen, line_factor, first, rows, border, normal = equations
    n = chosen.shape[0]
    n_free = held.shape[0]
    own = n + m  # where the free parameters begin
    size = own + n_free
    factor = np.zeros((size, size))  # of the normal matrix of everything, by Cholesky
    factor[:n, :n] = line_factor
    factor[n:, :n] = rows[:, : m + n_free].T
    factor[n:own, n:own] = border[:m, :m]
    factor[own:, n:own] = border[m:, :m]
    reduced = normal.copy()
    fixed = held.copy()
    for p in range(n_free):
        taken = _dot(border[m + p, :m], border[m + p, :m])
        fixed[p] = held[p] or not reduced[p, p] + taken > 0.0
        reduced[p, p] = max(reduced[p, p], 1e-13 * taken)
        if fixed[p]:
            reduced[p, :] = 0.0
            reduced[:, p] = 0.0
            reduced[p, p] = 1.0
            factor[own + p, :] = 0.0
    _factor_rows(reduced, 0, n_free)
    for p in range(n_free):
        factor[own + p, own : own + p + 1] = reduced[p, : p + 1]
    begins = np.zeros(size, np.int64)
    begins[:n] = first
    out = _inverse_of(factor, begins)
    for p in range(n_free):
        if fixed[p]:
            out[own + p, :] = 0.0
            out[:, own + p] = 0.0
    return chosen, out


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _inverse_of(factor, first):
    """Inverse of L Lᵀ, from its lower factor L, whose rows begin at the columns ``first``."""
    n = factor.shape[0]
    columns = np.zeros((n, n))  # of L⁻¹: one a row
    row = np.empty(n)
    inverse = np.zeros((n, n))
    for i in range(n):
        row[: i + 1] = 0.0
        for k in range(first[i], i):
            if factor[i, k] != 0.0:
                _add_scaled(row[: k + 1], inverse[k], -factor[i, k])
        row[i] = 1.0
        for c in range(i + 1):
            inverse[i, c] = row[c] / factor[i, i]
            columns[c, i] = inverse[i, c]
    out = np.empty((n, n))
    _products(columns, columns, out, True)
    for i in range(n):
        for j in range(i):
            out[j, i] = out[i, j]
    return out


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _pair_bell(x, lag, inverse, reach, bell, square):
    """Gaussian of the distance between points a number of places apart, 0 out of reach, and its square."""
    for i in range(x.shape[0] - lag):
        t = (x[i + lag] - x[i]) * inverse
        bell[i] = _bell(min(t * t, reach * reach)) if t <= reach else 0.0
        square[i] = bell[i] * bell[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _add_pairs(total, values, factor, lag):
    """Add to each point the values of those a number of places before and behind, times a factor of the pair."""
    n = total.shape[0] - lag
    near, far = total[:n], total[lag:]
    ahead, behind = values[lag:], values[:n]
    for i in range(n):
        near[i] += factor[i] * ahead[i]
    for i in range(n):
        far[i] += factor[i] * behind[i]


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _add_lags(total, values, edge, factors):
    """Add to each point those 1, 2, … places before and behind it, times a factor of the distance; four at a time.

    ``values`` begins ``edge`` places before the first point, and ends as many behind the last.
    """
    n = total.shape[0]
    farthest = factors.shape[0] - 1
    lag = 1
    while lag + 3 <= farthest:
        f1, f2, f3, f4 = factors[lag], factors[lag + 1], factors[lag + 2], factors[lag + 3]
        b1, a1 = values[edge - lag : edge - lag + n], values[edge + lag : edge + lag + n]
        b2, a2 = values[edge - lag - 1 : edge - lag - 1 + n], values[edge + lag + 1 : edge + lag + 1 + n]
        b3, a3 = values[edge - lag - 2 : edge - lag - 2 + n], values[edge + lag + 2 : edge + lag + 2 + n]
        b4, a4 = values[edge - lag - 3 : edge - lag - 3 + n], values[edge + lag + 3 : edge + lag + 3 + n]
        for i in range(n):
            total[i] += f1 * (b1[i] + a1[i]) + f2 * (b2[i] + a2[i]) + f3 * (b3[i] + a3[i]) + f4 * (b4[i] + a4[i])
        lag += 4
    while lag <= farthest:
        f1 = factors[lag]
        b1, a1 = values[edge - lag : edge - lag + n], values[edge + lag : edge + lag + n]
        for i in range(n):
            total[i] += f1 * (b1[i] + a1[i])
        lag += 1


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _residual_sums(intensity, residual, background, weight, scaled):
    """Σwr², Σwy², Σ|y|, Σ|r| and Σw(y - b)²; ``scaled`` is filled with r√w."""
    chi2 = 0.0
    total = 0.0
    size = 0.0
    missed = 0.0
    above = 0.0
    for i in range(residual.shape[0]):
        chi2 += weight[i] * residual[i] * residual[i]
        total += weight[i] * intensity[i] * intensity[i]
        size += abs(intensity[i])
        missed += abs(residual[i])
        above += weight[i] * (intensity[i] - background[i]) * (intensity[i] - background[i])
    for i in range(residual.shape[0]):
        scaled[i] = residual[i] * math.sqrt(weight[i])
    return chi2, total, size, missed, above


@njit(cache=True, error_model="numpy", nogil=True)
def run_squares(residual):
    """Σ over runs of one sign of (Σr)², and Σr²; a zero counts as above zero, as a sign bit says.

    By factors of 0 and 1: no processor guesses the signs of noise.
    """
    runs = 0.0
    square = 0.0
    run = 0.0
    below = 0
    for i in range(residual.shape[0]):
        r = residual[i]
        is_below = int(r < 0.0)
        turns = float(is_below ^ below)
        runs += turns * run * run
        run = (1.0 - turns) * run + r
        square += r * r
        below = is_below
    return runs + run * run, square


@njit(cache=True, error_model="numpy", nogil=True)
def agreement_sums(intensity, residual, background, weight):
    """Σwr², Σwy², Σ|y|, Σ|r| and Σw(y - b)²: what R factors are made of; and the `run_squares` of r√w."""
    scaled = np.empty(residual.shape[0])
    sums = _residual_sums(intensity, residual, background, weight, scaled)
    return sums, run_squares(scaled)


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _count_below(values, limit):
    count = 0
    for i in range(values.shape[0]):
        count += values[i] <= limit
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def median_size(values):
    """Median of numbers that are not negative.

    A few counts over all of them close in upon it, and the rest is sorted: the processor does not guess what each
    number is, as it does, and mostly wrongly, where they are sorted.
    """
    n = values.shape[0]
    mean = _sum(values) / n
    if not mean < math.inf:
        return np.median(values)
    low, high = 0.0, 2.0 * mean * (1.0 + 1e-12)  # no more than half of them are above twice the mean
    below, upto = 0, n
    for _ in range(24):
        middle = 0.5 * (low + high)
        count = _count_below(values, middle)
        if 2 * count >= n + 2:
            high, upto = middle, count
        elif 2 * count < n - 1:
            low, below = middle, count
        else:
            break
        if upto - below <= _FEW:
            break
    few = np.empty(n)
    kept = 0
    for i in range(n):
        few[kept] = values[i]
        kept += low < values[i] <= high or (low == 0.0 and values[i] == 0.0)
    if kept > 4 * _FEW or below + kept < n // 2 + 1:
        return np.median(values)  # the middle one is many equal numbers, or not a number
    few = np.sort(few[:kept])
    upper = few[n // 2 - below]
    return upper if n % 2 else 0.5 * (few[n // 2 - 1 - below] + upper)


@njit(cache=True, error_model="numpy", nogil=True)
def point_scatter(y, w):
    """Scatter of data from point to point in units of sigma, as a Gaussian's from the median.

    That is how far each point lies from the mean of its neighbours.
    """
    n = y.shape[0]
    bend = np.empty(max(n - 2, 0))
    for i in range(1, n - 1):
        bend[i - 1] = abs(y[i] - 0.5 * (y[i - 1] + y[i + 1])) * math.sqrt(w[i] / 1.5)
    noise = median_size(bend) / 0.6745 if n > 2 else 0.0
    return max(noise, 1e-6)


@njit(cache=True, error_model="numpy", nogil=True)
def scatter_scales(y, w, residual):
    """Scatter in units of sigma: that of the data from point to point, right whatever the model, and of residuals."""
    size = np.empty(y.shape[0])
    for i in range(y.shape[0]):
        size[i] = abs(residual[i]) * math.sqrt(w[i])
    return point_scatter(y, w), median_size(size) / 0.6745


@njit(cache=True, error_model="numpy", nogil=True)
def wald_statistic(values, covariance):
    """vᵀ C⁻¹ v by Cholesky; NaN where the covariance is not clearly positive definite."""
    n = values.shape[0]
    scale = np.empty(n)
    for i in range(n):
        if not covariance[i, i] > 0.0:
            return math.nan
        scale[i] = 1.0 / math.sqrt(covariance[i, i])
    a = np.empty((n, n))
    total = 0.0
    z = np.empty(n)
    for i in range(n):
        for j in range(i + 1):
            t = covariance[i, j] * scale[i] * scale[j]
            for k in range(j):
                t -= a[i, k] * a[j, k]
            if i > j:
                a[i, j] = t / a[j, j]
            elif t > 1e-9:
                a[i, i] = math.sqrt(t)
            else:
                return math.nan
        t = values[i] * scale[i]
        for k in range(i):
            t -= a[i, k] * z[k]
        z[i] = t / a[i, i]
        total += z[i] * z[i]
    return total


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def matched_filter(x, residual, w, width, reach):
    """Best height of a Gaussian on a level ground at every point, over its sigma; reach up to three widths.

    All pairs of points one apart, then two apart, and so on: long loops, which the compiler does several at a time.
    """
    n = x.shape[0]
    wr = w * residual
    s_w, s_r = np.empty(n), np.empty(n)
    s_g, s_gg, s_rg = w.copy(), w.copy(), wr.copy()
    bell, square = np.empty(n), np.empty(n)
    w_before, wr_before = np.zeros(n + 1), np.zeros(n + 1)
    for i in range(n):
        w_before[i + 1] = w_before[i] + w[i]
        wr_before[i + 1] = wr_before[i] + wr[i]
    farthest = 0
    start = 0
    stop = 0
    for i in range(n):
        while x[i] - x[start] > reach * width:
            start += 1
        while stop < n and x[stop] - x[i] <= reach * width:
            stop += 1
        farthest = max(farthest, stop - 1 - i)
        s_w[i] = w_before[stop] - w_before[start]
        s_r[i] = wr_before[stop] - wr_before[start]
    step = (x[n - 1] - x[0]) / (n - 1) if n > 1 else 1.0
    even = True
    for i in range(n):
        even = even and abs(x[i] - x[0] - i * step) < 1e-4 * step
    if even:  # one bell for all pairs a number of places apart; zeros beyond the ends
        edge = farthest
        far_w, far_wr = np.zeros(n + 2 * edge), np.zeros(n + 2 * edge)
        far_w[edge : edge + n] = w
        far_wr[edge : edge + n] = wr
        bells = np.zeros(farthest + 1)
        for lag in range(1, farthest + 1):
            t = lag * step / width
            bells[lag] = _bell(t * t) if t <= reach else 0.0
        squares = bells * bells
        for low in range(0, n, _CHUNK):
            high = min(n, low + _CHUNK)
            near_w, near_wr = far_w[low : high + 2 * edge], far_wr[low : high + 2 * edge]
            _add_lags(s_g[low:high], near_w, edge, bells)
            _add_lags(s_rg[low:high], near_wr, edge, bells)
            _add_lags(s_gg[low:high], near_w, edge, squares)
    else:
        for lag in range(1, farthest + 1):
            _pair_bell(x, lag, 1.0 / width, reach, bell, square)
            _add_pairs(s_g, w, bell, lag)
            _add_pairs(s_rg, wr, bell, lag)
            _add_pairs(s_gg, w, square, lag)
    out = np.empty(n)
    _filtered(out, s_w, s_r, s_g, s_gg, s_rg)
    return out


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _filtered(out, s_w, s_r, s_g, s_gg, s_rg):
    """Height over its sigma from the sums around each point; 0 where a peak is no other than the ground."""
    for i in range(out.shape[0]):
        mean = s_g[i] / s_w[i]
        bottom = s_gg[i] - s_g[i] * mean
        height = (s_rg[i] - s_r[i] * mean) / math.sqrt(max(bottom, 1e-300))
        out[i] = height if bottom > 1e-3 * s_gg[i] else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def place_pulls(x, w, residual, lines, centers, widths, intensity, mixing, reach):
    """Slope of half chi2 along the place of each line, and its curvature, from the points within a reach in widths."""
    slope = np.zeros(lines.shape[0])
    size = np.zeros(lines.shape[0])
    for n in range(lines.shape[0]):
        k = lines[n]
        c, gamma = centers[k], widths[k]
        start = np.searchsorted(x, c - reach * gamma)
        stop = np.searchsorted(x, c + reach * gamma)
        for i in range(start, stop):
            t = (x[i] - c) / gamma
            bell = 1.0 / (1.0 + 4.0 * t * t)
            lorentz = _LORENTZ * bell * bell * 8.0 * t
            gauss = _GAUSS * math.exp(-4.0 * _LN2 * t * t) * 8.0 * _LN2 * t
            by_place = intensity[k] * (mixing * lorentz + (1.0 - mixing) * gauss) / (gamma * gamma)
            slope[n] += w[i] * by_place * residual[i]
            size[n] += w[i] * by_place * by_place
    return slope, size


@njit(cache=True, error_model="numpy", nogil=True)
def width_pulls(x, w, residual, lines, centers, widths, intensity, mixing, reach):
    """Slope of half chi2 along the logarithm of each line's width, and its curvature, less what its area takes up."""
    slope = np.zeros(lines.shape[0])
    size = np.zeros(lines.shape[0])
    for n in range(lines.shape[0]):
        k = lines[n]
        c, gamma = centers[k], widths[k]
        start = np.searchsorted(x, c - reach * gamma)
        stop = np.searchsorted(x, c + reach * gamma)
        by_area = by_both = area_square = 0.0
        for i in range(start, stop):
            t = (x[i] - c) / gamma
            bell = 1.0 / (1.0 + 4.0 * t * t)
            lorentz = _LORENTZ * bell
            gauss = _GAUSS * math.exp(-4.0 * _LN2 * t * t)
            shape = intensity[k] * (mixing * lorentz + (1.0 - mixing) * gauss) / gamma
            falls = mixing * lorentz * bell * 8.0 * t * t + (1.0 - mixing) * gauss * 8.0 * _LN2 * t * t
            by_width = intensity[k] * falls / gamma - shape
            slope[n] += w[i] * by_width * residual[i]
            size[n] += w[i] * by_width * by_width
            by_area += w[i] * shape * residual[i]
            by_both += w[i] * shape * by_width
            area_square += w[i] * shape * shape
        if area_square > 0.0:
            slope[n] -= by_both / area_square * by_area
            size[n] -= by_both / area_square * by_both
    return slope, size


@njit(cache=True, error_model="numpy", nogil=True)
def median_width(widths, intensity, phase_of, n_phases):
    """Median width of the lines of phases that were fitted; 0 when there is none."""
    wide = np.empty(phase_of.shape[0])
    count = 0
    for k in range(min(phase_of.shape[0], intensity.shape[0])):
        if phase_of[k] < n_phases and math.isfinite(intensity[k]):
            wide[count] = widths[k]
            count += 1
    return np.median(wide[:count]) if count else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def strong_lines(centers, widths, intensity, sigma, phase_of, n_phases, least, beside):
    """Lines of phases whose intensity is above so many sigma, and which have no single peak within some widths."""
    out = np.empty(centers.shape[0], np.int64)
    count = 0
    for k in range(centers.shape[0]):
        if phase_of[k] >= n_phases or not intensity[k] > least * sigma[k]:
            continue
        alone = True
        for j in range(centers.shape[0]):
            if phase_of[j] >= n_phases and not abs(centers[j] - centers[k]) > beside * widths[k]:
                alone = False
                break
        if alone:
            out[count] = k
            count += 1
    return out[:count].copy()


@njit(cache=True, error_model="numpy", nogil=True)
def close_lines(centers, widths, intensity, phase_of, n_phases, nearer):
    """Neighbouring lines of phases that are nearer than so many widths, as pairs of numbers, shape (pairs, 2)."""
    order = np.argsort(centers)
    out = np.empty((centers.shape[0], 2), np.int64)
    count = 0
    last = -1
    for k in order:
        if phase_of[k] >= n_phases or not math.isfinite(intensity[k]):
            continue
        if last >= 0 and centers[k] - centers[last] < nearer * widths[k]:
            out[count, 0] = last
            out[count, 1] = k
            count += 1
        last = k
    return out[:count].copy()


@njit(cache=True, error_model="numpy", nogil=True)
def cell_counts(link, n_phases):
    """Free parameters of the cell of each phase."""
    out = np.zeros(n_phases, np.int64)
    for phase in range(n_phases):
        for j in range(CELL_SLOTS):
            if link[phase * PHASE_SLOTS + j] >= 0:
                out[phase] += 1
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def shifted_lines(
    x, w, residual, centers, widths, intensity, sigma, phase_of, link, n_phases, least, beside, mixing, reach
):  # fmt: skip
    """The `place_pulls` of the `strong_lines`, their chi2, and its degrees of freedom.

    These are the lines less what cells, zero and displacement can take up of their shifts.
    """
    lines = strong_lines(centers, widths, intensity, sigma, phase_of, n_phases, least, beside)
    slope, size = place_pulls(x, w, residual, lines, centers, widths, intensity, mixing, reach)
    count = 0
    square = 0.0
    held_by = np.zeros(n_phases, np.int64)
    for n in range(lines.shape[0]):
        if size[n] > 0.0:
            lines[count] = lines[n]
            slope[count] = slope[n]
            size[count] = size[n]
            square += slope[n] * slope[n] / size[n]
            held_by[phase_of[lines[n]]] += 1
            count += 1
    degrees = count
    for phase, n_free in enumerate(cell_counts(link, n_phases)):
        degrees -= min(n_free, held_by[phase])
    for j in range(link.shape[0] - 2, link.shape[0]):
        if link[j] >= 0:
            degrees -= 1
    return lines[:count].copy(), slope[:count].copy(), size[:count].copy(), square, degrees


@njit(cache=True, error_model="numpy", nogil=True)
def shifts_left(slopes, shift, variance):
    """What parameters leave of the shifts of lines, weighted by their variance.

    ``slopes``: of each shift by each parameter, shape (lines, parameters). Returns the sum of squares, how fast it
    falls where the variance of every line grows alike, and how many of the parameters count.
    """
    n_lines, n_free = slopes.shape
    column = np.empty((n_free, n_lines))
    left = np.empty(n_lines)
    for i in range(n_lines):
        weight = 1.0 / math.sqrt(variance[i])
        left[i] = shift[i] * weight
        for p in range(n_free):
            column[p, i] = slopes[i, p] * weight
    rank = 0
    for p in range(n_free):
        whole = math.sqrt(_dot(column[p], column[p]))
        for _ in range(2):  # once more, for what rounding left
            for r in range(rank):
                _add_scaled(column[p], column[r], -_dot(column[p], column[r]))
        size = math.sqrt(_dot(column[p], column[p]))
        if size > _DEPENDENT * whole:
            for i in range(n_lines):
                column[rank, i] = column[p, i] / size
            _add_scaled(left, column[rank], -_dot(left, column[rank]))
            rank += 1
    square = 0.0
    falls = 0.0
    for i in range(n_lines):
        part = left[i] * left[i]
        square += part
        falls += part / variance[i]
    return square, falls, rank


@njit(cache=True, error_model="numpy", nogil=True)
def variance_between(slopes, shift, variance):
    """Variance between lines at which what parameters leave of their shifts is as large as its degrees of freedom.

    Returns it, the degrees of freedom, and the weighted sum of squares without it. The sum falls with the variance,
    ever slower, so that Newton's steps from 0 come nearer from one side alone.
    """
    by_noise, falls, rank = shifts_left(slopes, shift, variance)
    degrees = shift.shape[0] - rank
    between = 0.0
    square = by_noise
    if degrees < 1:
        return between, degrees, by_noise
    for _ in range(100):
        if not square - degrees > 1e-12 * degrees:
            break
        between += (square - degrees) / falls
        square, falls, _ = shifts_left(slopes, shift, variance + between)
    return between, degrees, by_noise


@njit(cache=True, error_model="numpy", nogil=True)
def lines_in_range(x, centers, widths, step):
    """Lines with a measured point within half a width of their position on each side."""
    n = x.shape[0]
    out = np.zeros(centers.shape[0], np.bool_)
    for k in range(centers.shape[0]):
        c = centers[k]
        if not math.isfinite(c):
            continue
        near = np.searchsorted(x, c)
        half = max(0.5 * widths[k], 1.01 * step)
        left, right = x[max(near - 1, 0)], x[min(near, n - 1)]
        out[k] = abs(left - c) <= half and abs(right - c) <= half
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def phase_evidence(seen, covariance, intensity, phase_of, inside, n_phases):
    """What the intensities of each phase in the range say together, from the covariance of the seen lines.

    Returns vᵀ C⁻¹ v of each phase (NaN where lines cannot be told apart), the sum of its lines over their sigma, how
    many there are, their summed area, and the covariance of these areas.
    """
    n = seen.shape[0]
    statistic = np.zeros(n_phases)
    upward = np.zeros(n_phases)
    count = np.zeros(n_phases, np.int64)
    area = np.zeros(n_phases)
    spread = np.zeros((n_phases, n_phases))
    mine = np.empty(n, np.int64)
    for phase in range(n_phases):
        m = 0
        for s in range(n):
            if phase_of[seen[s]] == phase and inside[seen[s]]:
                mine[m] = s
                m += 1
        count[phase] = m
        values = np.empty(m)
        block = np.empty((m, m))
        for i in range(m):
            values[i] = intensity[seen[mine[i]]]
            area[phase] += values[i]
            for j in range(m):
                block[i, j] = covariance[mine[i], mine[j]]
            upward[phase] += values[i] / math.sqrt(max(block[i, i], 1e-300))
        statistic[phase] = wald_statistic(values, block)
    for i in range(n):
        p = phase_of[seen[i]]
        if p >= n_phases or not inside[seen[i]]:
            continue
        for j in range(n):
            q = phase_of[seen[j]]
            if q < n_phases and inside[seen[j]]:
                spread[p, q] += covariance[i, j]
    return statistic, upward, count, area, spread


@njit(cache=True, error_model="numpy", nogil=True)
def spreads_of(slopes, covariance, moved):
    """Standard deviations of numbers that go with a few parameters: the root of the diagonal of J C Jᵀ.

    ``moved`` says which parameter each column of the slopes belongs to, -1 for one that is held.
    """
    n_numbers, n_columns = slopes.shape
    out = np.zeros(n_numbers)
    for row in range(n_numbers):
        total = 0.0
        for i in range(n_columns):
            if moved[i] < 0 or slopes[row, i] == 0.0:
                continue
            for j in range(n_columns):
                if moved[j] >= 0:
                    total += slopes[row, i] * covariance[moved[i], moved[j]] * slopes[row, j]
        out[row] = math.sqrt(max(total, 0.0))
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def seen_reflections(reflections, line_of, members, inside, centers, widths, intensity, sigma):
    """Those of some reflections whose line is in the range and was fitted, by angle; and what is known of each.

    Returns their numbers; and angles, widths, intensities and the sigma of these, shape (4, reflections): reflections
    of one line share it.
    """
    mine = np.empty(reflections.shape[0], np.int64)
    count = 0
    for reflection in reflections:
        line = line_of[reflection]
        if not inside[line] or not math.isfinite(intensity[line]):
            continue
        place = count  # those of one angle stay in their order, most of which is that of the angles
        while place > 0 and centers[line_of[mine[place - 1]]] > centers[line]:
            mine[place] = mine[place - 1]
            place -= 1
        mine[place] = reflection
        count += 1
    known = np.empty((4, count))
    for i in range(count):
        line = line_of[mine[i]]
        known[0, i], known[1, i] = centers[line], widths[line]
        known[2, i], known[3, i] = intensity[line] / members[line], sigma[line] / members[line]
    return mine[:count].copy(), known


@njit(cache=True, error_model="numpy", nogil=True)
def count_lines(position, width, intensity, least, inside, phase_of, n_phases):
    """Lines of each phase in the range above a least intensity, and those of them that no other phase comes near."""
    observed = np.zeros(n_phases, np.int64)
    free = np.zeros(n_phases, np.int64)
    for k in range(position.shape[0]):
        p = phase_of[k]
        if p >= n_phases or not inside[k] or not intensity[k] > least[k]:
            continue
        observed[p] += 1
        alone = True
        for j in range(position.shape[0]):
            if phase_of[j] != p and abs(position[j] - position[k]) <= width[k]:
                alone = False
                break
        if alone:
            free[p] += 1
    return observed, free


@njit(cache=True, error_model="numpy", nogil=True)
def weigh_lines(
    x, step, centers, widths, intensity, phase_of, n_phases, seen, covariance, scale, least, negative
):  # fmt: skip
    """What the covariance of the seen lines says of each line and of each phase.

    ``covariance`` is scaled in place. Returns the sigma of each line, whether it is in the range, the
    `phase_evidence` of the lines there, and of those of them whose top is half a width or more from the ends of the
    data, the lines above ``least`` sigma (see `count_lines`), and of each phase those below minus ``negative`` sigma.
    """
    n_lines = centers.shape[0]
    sigma = np.full(n_lines, np.nan)
    for i in range(seen.shape[0]):
        for j in range(seen.shape[0]):
            covariance[i, j] *= scale
        sigma[seen[i]] = math.sqrt(max(covariance[i, i], 0.0))
    inside = lines_in_range(x, centers, widths, step)
    whole = inside.copy()
    is_cut = False
    for k in range(n_lines):
        if inside[k] and min(centers[k] - x[0], x[x.shape[0] - 1] - centers[k]) < 0.5 * widths[k]:
            whole[k] = False  # half a line trades with the background, and drowns the sum
            is_cut = True
    evidence = phase_evidence(seen, covariance, intensity, phase_of, inside, n_phases)
    areas = phase_evidence(seen, covariance, intensity, phase_of, whole, n_phases) if is_cut else evidence
    observed, free = count_lines(centers, widths, intensity, least * sigma, inside, phase_of, n_phases)
    below = np.zeros(n_phases, np.int64)
    for k in range(n_lines):
        if phase_of[k] < n_phases and inside[k] and intensity[k] < -negative * sigma[k]:
            below[phase_of[k]] += 1
    return sigma, inside, evidence, areas[3], areas[4], observed, free, below


@njit(cache=True, error_model="numpy", nogil=True)
def area_shares(areas, covariance, least):
    """Parts of a total and their sigma; NaN where the total is not above 0 by ``least`` times its own."""
    n = areas.shape[0]
    share = np.full(n, np.nan)
    sigma = np.full(n, np.nan)
    total = np.sum(areas)
    spread = np.sum(covariance)
    if total > least * math.sqrt(max(spread, 0.0)):
        for i in range(n):
            share[i] = areas[i] / total  # the diagonal of J C Jᵀ with J = (1 - share)/total
            variance = covariance[i, i] - 2.0 * share[i] * np.sum(covariance[i]) + share[i] * share[i] * spread
            sigma[i] = math.sqrt(max(variance, 0.0)) / total
    return share, sigma


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def _height_at(x, residual, w, width, at, start, stop):
    """What `matched_filter` sees at one point, from the points within its reach."""
    s_w, s_r, s_g, s_gg, s_rg = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(start, stop):
        t = (x[i] - x[at]) / width
        bell = _bell(t * t)
        s_w += w[i]
        s_r += w[i] * residual[i]
        s_g += w[i] * bell
        s_gg += w[i] * bell * bell
        s_rg += w[i] * bell * residual[i]
    mean = s_g / s_w
    bottom = s_gg - s_g * mean
    return (s_rg - s_r * mean) / math.sqrt(bottom) if bottom > 1e-3 * s_gg else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def _may_see(x, residual, w, width, reach, least):
    """Whether `matched_filter` may see anything of a size; False is sure.

    It sees nothing that is larger than the root of the weighted squares of the residuals within its reach: where these
    are less it need not look.
    """
    n = x.shape[0]
    before = np.zeros(n + 1)
    for i in range(n):
        before[i + 1] = before[i] + w[i] * residual[i] * residual[i]
    least *= _SURE
    start = 0
    stop = 0
    for i in range(n):
        while x[i] - x[start] > reach * width:
            start += 1
        while stop < n and x[stop] - x[i] <= reach * width:
            stop += 1
        if before[stop] - before[start] < least * least:
            continue
        if not abs(_height_at(x, residual, w, width, i, start, stop)) < least:
            return True
    return False


@njit(cache=True, error_model="numpy", nogil=True)
def leaves_nothing(x, y, w, residual, widths, intensity, phase_of, n_phases, reach, waves, least):
    """Whether residuals neither wave nor have a line in them.

    They wave where their scatter is ``waves`` times that of the data from point to point; a line is what a matched
    filter of the median width of the lines sees above ``least`` times that scatter and its own.
    """
    noise, middle = scatter_scales(y, w, residual)
    width = median_width(widths, intensity, phase_of, n_phases)
    if middle >= waves * noise or not width > 0.0:
        return False
    if not _may_see(x, residual, w, width, reach, least * noise):
        return True
    seen = np.abs(matched_filter(x, residual, w, width, reach))
    return np.max(seen) < least * max(noise, median_size(seen) / 0.6745)


@njit(cache=True, error_model="numpy", fastmath=_FAST, nogil=True)
def score_cells(components, terms, wavelength, first, step, score):
    """Sum of a score over the lines of each trial cell; the score is given on an even grid of angles."""
    n_cells = components.shape[0]
    n_lines = terms.shape[0]
    n = score.shape[0]
    out = np.zeros(n_cells)
    factor = 0.25 * wavelength * wavelength
    for c in range(n_cells):
        total = 0.0
        for k in range(n_lines):
            q = 0.0
            for j in range(components.shape[1]):
                q += terms[k, j] * components[c, j]
            sine2 = factor * q
            if not (0.0 < sine2 < 1.0):
                continue
            at = (math.degrees(2.0 * math.asin(math.sqrt(sine2))) - first) / step
            i = math.floor(at)
            if 0 <= i < n - 1:
                f = at - i
                total += (1.0 - f) * score[i] + f * score[i + 1]
        out[c] = total
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def score_apart(components, terms, wavelength, first, step, score, apart):
    """Sum of a score over the lines of each trial cell; of lines closer than ``apart`` only the best counts."""
    n_cells = components.shape[0]
    n_lines = terms.shape[0]
    n = score.shape[0]
    out = np.zeros(n_cells)
    places = np.empty(n_lines)
    factor = 0.25 * wavelength * wavelength
    for c in range(n_cells):
        count = 0
        for k in range(n_lines):
            q = 0.0
            for j in range(components.shape[1]):
                q += terms[k, j] * components[c, j]
            sine2 = factor * q
            if not (0.0 < sine2 < 1.0):
                continue
            at = math.degrees(2.0 * math.asin(math.sqrt(sine2)))
            i = count  # kept in order: lines come nearly sorted
            while i > 0 and places[i - 1] > at:
                places[i] = places[i - 1]
                i -= 1
            places[i] = at
            count += 1
        total = 0.0
        best = -math.inf
        head = -math.inf
        for k in range(count):
            at = (places[k] - first) / step
            i = math.floor(at)
            if not 0 <= i < n - 1:
                continue
            here = score[i] + (at - i) * (score[i + 1] - score[i])
            if places[k] - head < apart:
                if here > best:
                    total += here - best
                    best = here
            else:
                total += here
                head = places[k]
                best = here
        out[c] = total
    return out
