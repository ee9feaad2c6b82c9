"""One simulated image: rings of many grains, the anvils' scattering and spots, counting noise, gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hydrostruct.simulate.detector import (
    DEAD_VALUE,
    GAP_VALUE,
    SimulatedDetector,
    gap_pixels,
    pixel_angles_deg,
    pixel_at,
    pixel_efficiency,
    pixels_per_degree,
)
from hydrostruct.simulate.lines import PHASES, line_angles_deg, line_areas
from hydrostruct.simulate.truth import PointTruth, Settings

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]

SATURATION_COUNTS = 1_048_500
"""Counts at which the detector that is imitated would stop; no pixel comes near."""

_SPOTTY = ("CeH9-P63mmc", "CeH4-I4mmm", "CeH10-Fm3m")
_GASKET = "Re"
_FULL_MULTIPLICITY = 12
_FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
_REACH_SIGMA = 4.0
_AXIS_STEP_DEG = 0.002
_AXIS_DEG = np.arange(0.0, 60.0, _AXIS_STEP_DEG)
_BEAMSTOP_DEG = 2.4
_BEAMSTOP_LEAK = 0.02
_DEAD_PIXELS = 20
_STREAM = {"anvils": 1, "points": 2}

_DIAMOND_ANG = 3.567
_DIAMOND_FAMILIES = (3.0, 8.0, 11.0)
_DIAMOND_HARMONICS = (1, 3)
_DIAMOND_STRAIN = (0.965, 1.0)
_DIAMOND_COUNTS = (5e3, 3e5)
_LARGEST_SPOT_DEG = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Spots:
    """Spots on the detector, each a Gaussian in 2θ and in azimuth; arrays of shape (spots,)."""

    two_theta_deg: Floats
    """Centres in 2θ, in degrees."""
    azimuth_deg: Floats
    """Centres in azimuth, in degrees."""
    height: Floats
    """Intensity at the centre, in counts."""
    radial_deg: float
    """Standard deviation in 2θ, in degrees."""
    tangential_deg: float
    """Standard deviation in azimuth, in degrees."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """What all images of a run share, made once."""

    detector: SimulatedDetector
    """The detector and its place."""
    settings: Settings
    """How the images are made."""
    seed: int
    """Seed of the run."""
    wanted_deg: tuple[float, float]
    """Range in which the areas of the lines are counted, in degrees."""
    two_theta_deg: Floats
    """2θ of every pixel, in degrees, shape (rows * columns,)."""
    azimuth_deg: Floats
    """Azimuth of every pixel, in degrees, shape (rows * columns,)."""
    efficiency: Floats
    """Solid angle, polarization and shadow of every pixel, shape (rows * columns,)."""
    anvils: Floats
    """Bragg spots of the anvils, in counts before `efficiency`, shape (rows * columns,)."""
    blind: Counts
    """0 where a pixel counts, else what it reads, shape (rows * columns,)."""
    seen: Floats
    """Efficiency of the pixels that count, summed over steps of 2θ, shape (steps,)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SimulatedImage:
    """One image, and what its grains make of the truth."""

    counts: Counts
    """The pixels, shape (rows, columns); -1 in the gaps, -2 at dead pixels."""
    point: PointTruth
    """The point, its shares and its Bragg area those of the grains that this image shows."""


def build_scene(
    detector: SimulatedDetector, *, settings: Settings, seed: int, wanted_deg: tuple[float, float]
) -> Scene:
    """Make what all images of a run share.

    Parameters
    ----------
    detector : SimulatedDetector
        The detector and its place.
    settings : Settings
        How the images are made.
    seed : int
        Seed of the run.
    wanted_deg : tuple of float
        Range in which the areas of the lines are counted, in degrees.

    Returns
    -------
    Scene
        For `simulate_image`.
    """
    two_theta, azimuth = (angle.ravel() for angle in pixel_angles_deg(detector))
    shadow = np.where(two_theta < _BEAMSTOP_DEG, _BEAMSTOP_LEAK, 1.0)
    efficiency = pixel_efficiency(detector, polarization=settings.polarization).ravel() * shadow
    rng = np.random.default_rng([seed, _STREAM["anvils"]])
    blind = _blind_pixels(rng, detector)
    scene = Scene(
        detector=detector,
        settings=settings,
        seed=seed,
        wanted_deg=wanted_deg,
        two_theta_deg=two_theta,
        azimuth_deg=azimuth,
        efficiency=efficiency,
        anvils=np.zeros(two_theta.size),
        blind=blind,
        seen=_seen(two_theta, np.where(blind < 0, 0.0, efficiency)),
    )
    for spots in _anvil_spots(rng, settings.diamond_spots, detector):
        _add_spots(scene.anvils, spots, scene)
    return scene


def simulate_image(scene: Scene, point: PointTruth) -> SimulatedImage:
    """Simulate the image of one point; it does not depend on which points were simulated before.

    Parameters
    ----------
    scene : Scene
        From `build_scene`.
    point : PointTruth
        What is there.

    Returns
    -------
    SimulatedImage
        Counts, and the truth of this image.
    """
    rng = np.random.default_rng([scene.seed, _STREAM["points"], point.point])
    intensity = scene.anvils.copy()
    smooth = scene.settings.background_counts * background_shape(_AXIS_DEG, scene.detector.wavelength_ang)
    areas = {name: _add_phase(intensity, smooth, scene, point, name, rng) for name in point.phases}
    intensity += np.interp(scene.two_theta_deg, _AXIS_DEG, smooth)
    expected = intensity * scene.efficiency
    counts = rng.poisson(expected) if scene.settings.poisson else np.rint(expected)
    image = np.where(scene.blind < 0, scene.blind, np.minimum(counts, SATURATION_COUNTS - 1))
    return SimulatedImage(counts=image.astype(np.int32).reshape(scene.detector.shape), point=_with_areas(point, areas))


def background_shape(two_theta_deg: Floats, wavelength_ang: float) -> Floats:
    """Smooth background, 1 near 13°: Compton scattering of the anvils, air, a halo of the gasket's insulation.

    Parameters
    ----------
    two_theta_deg : array
        Angles, in degrees.
    wavelength_ang : float
        Wavelength, in Å.

    Returns
    -------
    array
        Relative intensity.

    Notes
    -----
    Incoherent scattering of carbon as 1 − [1 + (s/0.35 Å⁻¹)²]⁻², s = sinθ/λ, times the square of the recoil
    1/[1 + k(1 − cos 2θ)], k = 20 keV/511 keV; the rest is made up.
    """
    angle = np.radians(two_theta_deg)
    sine = np.sin(angle / 2.0) / wavelength_ang
    recoil = 1.0 / (1.0 + 12.398419843 / wavelength_ang / 511.0 * (1.0 - np.cos(angle)))
    compton = (1.0 - (1.0 + (sine / 0.35) ** 2) ** -2) * recoil**2
    halo = np.exp(-0.5 * ((two_theta_deg - 9.5) / 2.2) ** 2)
    return np.asarray(1.75 * compton + 0.9 * np.exp(-two_theta_deg / 6.0) + 0.12 * halo)


def _add_phase(
    intensity: Floats, smooth: Floats, scene: Scene, point: PointTruth, name: str, rng: np.random.Generator
) -> float:
    """Add the lines of a phase, as spots or as smooth rings; the area of those in the range, as this image shows it."""
    is_spotty = name in _SPOTTY and math.isfinite(scene.settings.grains)
    low, high = scene.wanted_deg
    total = 0.0
    for angle, area, multiplicity in _phase_lines(scene, point, name):
        profile = _profile(_AXIS_DEG - angle, scene.settings, is_gasket=name == _GASKET)
        if is_spotty:
            spots = _grain_spots(rng, scene.settings, angle, area=area, multiplicity=multiplicity)
            area = _add_spots(intensity, spots, scene) / max(float(profile @ scene.seen), 1.0)
        else:
            smooth += area * profile
        total += area if low < angle < high else 0.0
    return total


def _phase_lines(scene: Scene, point: PointTruth, name: str) -> list[tuple[float, float, int]]:
    """Angle in degrees, area in counts × degrees, and multiplicity of each line of a phase."""
    phase, truth, wavelength = PHASES[name], point.phases[name], scene.detector.wavelength_ang
    angle = line_angles_deg(phase, a_ang=truth.a_ang, c_ang=truth.c_ang, wavelength_ang=wavelength)
    area = line_areas(phase, angle, wavelength_ang=wavelength)
    low, high = scene.wanted_deg
    area *= point.bragg_area * truth.share / area[(angle > low) & (angle < high)].sum()
    return [(float(a), float(b), line[3]) for a, b, line in zip(angle, area, phase.lines, strict=True)]


def _grain_spots(
    rng: np.random.Generator, settings: Settings, two_theta_deg: float, *, area: float, multiplicity: int
) -> Spots:
    """Grains of one ring: Poisson in number, log-normal in intensity; on the average they give the area."""
    mean_number = settings.grains * multiplicity / _FULL_MULTIPLICITY
    number = int(rng.poisson(mean_number))
    weight = rng.lognormal(-0.5 * settings.grain_spread**2, settings.grain_spread, number)
    strain = rng.normal(0.0, settings.grain_strain, number)
    radial = settings.line_width_deg / _FWHM_PER_SIGMA
    density = 360.0 / (2.0 * math.pi * radial * settings.grain_azimuth_deg)
    return Spots(
        two_theta_deg=two_theta_deg + np.degrees(2.0 * math.tan(math.radians(two_theta_deg / 2.0)) * strain),
        azimuth_deg=rng.uniform(-180.0, 180.0, number),
        height=area * density * weight / mean_number,
        radial_deg=radial,
        tangential_deg=settings.grain_azimuth_deg,
    )


def _anvil_spots(rng: np.random.Generator, number: int, detector: SimulatedDetector) -> list[Spots]:
    """Reflections of two strained diamonds in the beam and in its third harmonic."""
    found = []
    for _ in range(number):
        family, harmonic = rng.choice(_DIAMOND_FAMILIES), rng.choice(_DIAMOND_HARMONICS)
        spacing = _DIAMOND_ANG * rng.uniform(*_DIAMOND_STRAIN) / math.sqrt(family)
        angle = math.degrees(2.0 * math.asin(detector.wavelength_ang / harmonic / (2.0 * spacing)))
        radial = rng.uniform(0.03, 0.09)
        total = math.exp(rng.uniform(*np.log(_DIAMOND_COUNTS)))
        scale = pixels_per_degree(detector, angle)
        tangential = rng.uniform(1.0, 3.0) / scale[1]
        height = total / (2.0 * math.pi * radial * scale[0] * tangential * scale[1])
        azimuth = rng.uniform(-180.0, 180.0)
        if angle < _LARGEST_SPOT_DEG:
            found.append(_one_spot(angle, azimuth, height, radial_deg=radial, tangential_deg=tangential))
    return found


def _one_spot(angle: float, azimuth: float, height: float, *, radial_deg: float, tangential_deg: float) -> Spots:
    return Spots(
        two_theta_deg=np.array([angle]),
        azimuth_deg=np.array([azimuth]),
        height=np.array([height]),
        radial_deg=radial_deg,
        tangential_deg=tangential_deg,
    )


def _add_spots(intensity: Floats, spots: Spots, scene: Scene) -> float:
    """Add spots to an image in place, each in a square of pixels; returns the counts that the detector sees."""
    if spots.height.size == 0:
        return 0.0
    index, inside = _windows(spots, scene.detector)
    radial = (scene.two_theta_deg[index] - spots.two_theta_deg[:, None]) / spots.radial_deg
    around = (scene.azimuth_deg[index] - spots.azimuth_deg[:, None] + 180.0) % 360.0 - 180.0
    exponent = radial**2 + (around / spots.tangential_deg) ** 2
    values = np.where(inside, spots.height[:, None] * np.exp(-0.5 * exponent), 0.0)
    first, last = int(index.min()), int(index.max())
    intensity[first : last + 1] += np.bincount((index - first).ravel(), values.ravel(), last - first + 1)
    return float(np.sum(values * scene.efficiency[index], where=scene.blind[index] == 0))


def _windows(spots: Spots, detector: SimulatedDetector) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Flat indices of the pixels about each spot, and which of them are on the detector, shape (spots, pixels)."""
    rows, columns = detector.shape
    row, column = pixel_at(detector, spots.two_theta_deg, spots.azimuth_deg)
    scale = pixels_per_degree(detector, float(spots.two_theta_deg.mean()))
    half = 1 + math.ceil(_REACH_SIGMA * max(spots.radial_deg * scale[0], spots.tangential_deg * scale[1]))
    reach = np.arange(-half, half + 1)
    on = (row > -half) & (row < rows - 1 + half) & (column > -half) & (column < columns - 1 + half)
    down = np.rint(np.where(on, row, 0.0)).astype(np.intp)[:, None, None] + reach[:, None]
    across = np.rint(np.where(on, column, 0.0)).astype(np.intp)[:, None, None] + reach
    inside = on[:, None, None] & (down >= 0) & (down < rows) & (across >= 0) & (across < columns)
    index = np.clip(down, 0, rows - 1) * columns + np.clip(across, 0, columns - 1)
    return index.reshape(row.size, -1), inside.reshape(row.size, -1)


def _with_areas(point: PointTruth, areas: dict[str, float]) -> PointTruth:
    total = sum(areas.values())
    phases = {name: replace(point.phases[name], share=area / total) for name, area in areas.items()}
    return replace(point, bragg_area=total, phases=phases)


def _seen(two_theta_deg: Floats, efficiency: Floats) -> Floats:
    step = np.minimum(np.rint(two_theta_deg / _AXIS_STEP_DEG).astype(np.intp), _AXIS_DEG.size - 1)
    return np.asarray(np.bincount(step, efficiency, _AXIS_DEG.size), dtype=np.float64)


def _blind_pixels(rng: np.random.Generator, detector: SimulatedDetector) -> Counts:
    blind = np.zeros(detector.shape[0] * detector.shape[1], dtype=np.int32)
    blind[rng.choice(blind.size, _DEAD_PIXELS, replace=False)] = DEAD_VALUE
    blind[gap_pixels(detector).ravel()] = GAP_VALUE
    return blind


def _profile(offset_deg: Floats, settings: Settings, *, is_gasket: bool) -> Floats:
    """Unit area per degree: a Gaussian; for the gasket the mean of a Gaussian and a Lorentzian of one full width."""
    width = settings.gasket_width_deg if is_gasket else settings.line_width_deg
    sigma = width / _FWHM_PER_SIGMA
    gauss = np.exp(-0.5 * (offset_deg / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    if not is_gasket:
        return np.asarray(gauss)
    lorentz = width / (2.0 * math.pi) / (offset_deg**2 + (width / 2.0) ** 2)
    return np.asarray(0.5 * gauss + 0.5 * lorentz)
