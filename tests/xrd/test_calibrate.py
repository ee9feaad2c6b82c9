"""Widths of the instrument: the width at every angle is found with its error, whatever terms describe it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hydrostruct as hs
from hydrostruct.cli.main import main
from hydrostruct.errors import InputError
from hydrostruct.xrd.calibrate import full_widths
from hydrostruct.xrd.instrument import read_widths
from tests.xrd.simulator import peak

WAVELENGTH, CELL = 0.4066, 5.4111
SQUARES = (3, 4, 8, 11, 12, 16, 19, 20, 24, 27, 32, 35, 36, 40, 43, 44, 48)
X = np.linspace(5.0, 28.0, 3000)


def true_width(angle: float, u: float, v: float, w: float) -> float:
    tangent = np.tan(np.radians(angle / 2))
    return float(np.sqrt(u * tangent**2 + v * tangent + w))


def calibrant(rng: np.random.Generator, *, u: float, v: float, w: float, size: float) -> hs.Pattern:
    """Simulated CeO2 whose Gaussian widths follow u, v, w and whose Lorentzian ones follow size."""
    clean = np.full(X.size, 400.0)
    for number, square in enumerate(SQUARES):
        angle = 2 * np.degrees(np.arcsin(WAVELENGTH / 2 * np.sqrt(square) / CELL))
        lorentz = size / np.cos(np.radians(angle / 2))
        clean += peak(X, angle, 900.0 * (1 + (number % 3)), true_width(angle, u, v, w), lorentz)
    counts = rng.poisson(clean)
    return hs.Pattern(two_theta_deg=X, intensity=counts, sigma=np.sqrt(counts), wavelength_ang=WAVELENGTH, name="c")


@pytest.mark.parametrize("truth", [(0.0, 0.0, 0.0016, 0.012), (0.05, -0.008, 0.0022, 0.015)])
def test_the_width_is_found_at_every_angle_within_its_error(truth: tuple[float, float, float, float]) -> None:
    u, v, w, size = truth
    angles = np.linspace(7.0, 26.0, 6)
    gauss = np.array([true_width(angle, u, v, w) for angle in angles])
    lorentz = size / np.cos(np.radians(angles / 2))
    terms = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    expected = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(terms)) ** 0.2
    for seed in range(4):
        found = hs.calibrate_widths(
            calibrant(np.random.default_rng(seed), u=u, v=v, w=w, size=size), hs.read_phase("CeO2")
        )
        width, sigma = full_widths(found, angles)
        assert np.max(np.abs(width - expected) / sigma) < 4.5
        assert np.all(sigma < 0.03 * width)
        # terms that bend the width are taken when the data ask for them
        assert ("u_deg2" in found.sigmas) == (u > 0)


def test_the_command_writes_a_file_that_a_run_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hs.write_pattern(calibrant(np.random.default_rng(9), u=0, v=0, w=0.0016, size=0.012), tmp_path / "c.xye")
    out = tmp_path / "widths.toml"
    words = ["calibrate-widths", str(tmp_path / "c.xye"), "--wavelength", "0.4066", "--phase", "CeO2"]
    assert main([*words, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "converged"
    assert document["full_widths"][2]["full_width_sigma_deg"] > 0
    widths = read_widths(out)
    assert widths.w_deg2 == document["widths"]["w_deg2"]
    assert widths.w_deg2 == pytest.approx(0.0016, rel=0.1)


def test_a_pattern_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(2)
    noise = hs.Pattern(two_theta_deg=X, intensity=rng.poisson(400, X.size), wavelength_ang=WAVELENGTH, name="noise")
    with pytest.raises(InputError, match="no fit of CeO2 converged"):
        hs.calibrate_widths(noise, hs.read_phase("CeO2"))
    assert main(["calibrate-widths", str(tmp_path / "no.xye"), "--wavelength", "0.4", "--phase", "CeO2"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_the_widths_of_a_measured_calibrant_are_those_of_its_lines(shared_data: Path) -> None:
    """CeO2 at 0.4066 Å: lines of 0.04 to 0.06°; the image is integrated here, with the orientation it was taken in."""
    folder = shared_data / "ceo2_pilatus1m"
    geometry = hs.read_geometry(folder / "CeO2_Pilatus1M.poni", orientation=2)
    (source,) = hs.find_frames(folder / "CeO2_Pilatus1M.tif")
    frame = hs.read_frame(source)
    pattern = hs.integrate_frame(hs.build_integrator(geometry, shape=frame.image.shape), frame).pattern
    found = hs.calibrate_widths(pattern, hs.read_phase("CeO2"), two_theta_deg=(5.0, 30.0))
    width, sigma = full_widths(found, np.array([8.0, 15.0, 25.0]))
    assert np.all((width > 0.03) & (width < 0.07))
    assert np.all(sigma < 0.2 * width)
