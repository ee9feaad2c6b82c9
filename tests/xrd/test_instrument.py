"""The widths of an instrument, out and in."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydrostruct.errors import InputError
from hydrostruct.xrd.instrument import read_widths, write_widths
from hydrostruct.xrd.profile import Widths


def test_widths_come_back_as_they_were_written(tmp_path: Path) -> None:
    widths = Widths(u_deg2=0.01, v_deg2=-0.003, w_deg2=0.0031, size_deg=0.02)
    path = write_widths(widths, tmp_path / "w.toml", about={"pattern": 'a "b"\nc\\d', "wavelength_ang": 0.4})
    assert read_widths(path) == widths


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[widths]\nx_deg = 1\n", "is no width"),
        ("[widths]\nw_deg2 = 'a'\n", "Expected a number"),
        ("[widths]\nw_deg2 = -0.1\n", "a square above 0"),
        ("[widths]\n", "width is 0"),
        ("a = 1\n", r"no table \[widths\]"),
        ("a = = 1\n", "is not TOML"),
    ],
)
def test_a_file_that_holds_no_widths_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "w.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_widths(tmp_path / "w.toml")
