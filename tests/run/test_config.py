"""A run.toml is checked before anything is read, and its errors name the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydrostruct.errors import InputError
from hydrostruct.run.config import read_config

GOOD = """
title = "x"
date = 2026-11-22
[map]
shape = [5, 5]
step_um = [5.0, 5.0]
order = "row-snake"
[diffraction]
images = "xrd/*.tif"
geometry = "xrd/geometry.poni"
two_theta_deg = [5.0, 25.0]
exclude_deg = [[11.3, 11.7]]
orientation = 3
[diffraction.points.14]
exclude_deg = [[5, 6]]
[[phases]]
name = "CeH9-P63mmc"
cell = { a_ang = 3.70, c_ang = 5.45 }
fix = ["size"]
[raman]
edge = "raman/*.txt"
[transport]
width_um = 30.0
electrodes_um = [[0, 0], [30, 0], [30, 30], [0, 30]]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


def test_every_promised_section_is_read(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, GOOD))
    assert config.map.shape == (5, 5)
    assert config.diffraction.exclude_deg == ((11.3, 11.7),)
    assert config.diffraction.points["14"].exclude_deg == ((5.0, 6.0),)
    assert config.phases[0].cell == {"a_ang": 3.70, "c_ang": 5.45}
    assert config.transport is not None
    assert config.transport.width_um == 30.0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("images =", "image =", ["diffraction.image", "'images'"]),
        ("shape =", "shap =", ["map.shap", "'shape'"]),
        ("cell = {", "cel = {", ["phases.0.cel", "'cell'"]),
        ("exclude_deg = [[5", "exclud_deg = [[5", ["exclud_deg", "'exclude_deg'"]),
        ('order = "row-snake"', 'order = "rows"', ["map.order", "rows"]),
        ("[5.0, 25.0]", "[25.0, 5.0]", ["two_theta_deg", "lower angle"]),
        ("[[5, 6]]", "[[6, 5]]", ["exclude_deg", "lower angle"]),
        ("shape = [5, 5]", "shape = [0, 5]", ["map.shape"]),
        ("orientation = 3", "orientation = 5", ["orientation"]),
        ('geometry = "xrd/geometry.poni"', "", ["diffraction.geometry", "missing"]),
        ('title = "x"', "title = x", ["TOML"]),
        ("orientation = 3", 'method = "lebail"', ["diffraction.method", "'lebail'", "'le-bail'", "Did you mean"]),
        ("orientation = 3", 'loss = "soft_l1"', ["diffraction.loss", "Did you mean 'soft-l1'?"]),
        ("orientation = 3", 'methods = "pawley"', ["diffraction.methods", "Did you mean 'method'?"]),
        ("orientation = 3", 'method = "le-bail"\nloss = "cauchy"', ["cauchy", "le-bail", "expected squares"]),
        ("orientation = 3", 'method = "le-bail"\ncommon = ["zero"]', ["common", "le-bail", "expected method pawley"]),
        ('fix = ["size"]', 'free = ["strian"]', ["phases.0.free", "'strian'", "Did you mean 'strain'?"]),
        ('fix = ["size"]', 'free = ["zero"]', ["phases.0.free", "'zero'"]),
        ('fix = ["size"]', 'fix = ["size"]\nfree = ["size"]', ["'size' is in free and in fix"]),
        ("orientation = 3", 'free = ["zro"]', ["diffraction.free", "Did you mean 'zero'?"]),
        ("orientation = 3", 'free = ["zero"]\ncommon = ["displacement"]', ["zero and displacement are both fitted"]),
        ("orientation = 3", 'fix = ["zero"]\ncommon = ["zero"]', ["'zero' is in common and in fix"]),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_config(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_run_without_phases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="phases"):
        read_config(written(tmp_path, GOOD.split("[[phases]]")[0]))
